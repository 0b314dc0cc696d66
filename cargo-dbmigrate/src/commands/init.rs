//! `init`: creates the migrations directory, and adds the runtime to the package's dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

use dbmigrate_runtime::engine::Backend;

use cargo_metadata::semver::{Version, VersionReq};

use super::Answer;
use crate::cli::Init;
use crate::config::{self, Config};
use crate::context::Context;
use crate::databases;
use crate::error::Result;
use crate::models;
use crate::project::{self, Cargo, RUNTIME, name_of};
use crate::scaffold::{self, MODULE, MULTIDB, Template};

/// Crates whose types a model can use; the runtime has features of the same names.
const TYPE_CRATES: [&str; 8] =
    ["bigdecimal", "bytes", "chrono", "jiff", "rust_decimal", "serde_json", "time", "uuid"];

pub fn run(cx: &Context, args: &Init) -> Result<Answer> {
    let mut cx = cx.clone();
    let path = config::path(&cx.project.config_dir);
    let mut names: BTreeSet<String> = (args.multidb.iter().flatten())
        .chain(cx.global.database.iter().filter(|database| *database != config::DEFAULT))
        .cloned()
        .collect();
    names.iter().try_for_each(|name| config::check_name(name))?;
    // A database can be added to a project that is already initialised.
    let is_added = cx.global.database.is_some() && !names.is_empty() && path.is_file();
    if args.git_hooks && path.is_file() && names.is_empty() {
        scaffold::git_hook::add(&cx)?;
        let dir = cx.project.shown(&cx.project.migrations_dir).to_string();
        let document =
            serde_json::json!({ "directory": dir, "databases": {}, "runtime_added": false });
        cx.out.json("init", document);
        return Ok(Answer::Done);
    }
    let mut added = None;
    if !is_added {
        let template = Template::find(&cx, args.template.as_deref())?
            .with_dialects(&args.dialect, &cx.project.package);
        let is_there = path.is_file();
        scaffold::create(&cx, &template).map_err(|err| match &args.multidb {
            Some(names) if is_there => {
                let name = names.first().map_or("NAME", String::as_str);
                err.hint(format!(
                    "`cargo dbmigrate init --database {name}` adds a database to the project"
                ))
            }
            _ if is_found_by_itself(&cx) => err.hint(format!(
                "it belongs to the package `{}`: choose another package with `-p`, or another \
                 directory with `-d`",
                cx.project.package
            )),
            _ => err,
        })?;
        if template.has_unused_module {
            cx.out.note(format!(
                "`{MODULE}` is used for new revisions once {} has `module_template = {MODULE:?}`",
                cx.project.shown(&path),
            ));
        }
        cx.config = Config::read(&cx.project.config_dir)?;
        // The databases of a template that doesn't contain their directories.
        let is_missing = |name: &&String| {
            databases::named(&cx, name)
                .is_ok_and(|context| !context.project.migrations_dir.exists())
        };
        names.extend(cx.config.databases.keys().filter(is_missing).cloned());
        let is_multi = args.multidb.is_some() || args.template.as_deref() == Some(MULTIDB);
        if is_multi && names.is_empty() {
            // The models may use derives that don't exist before this.
            added = Some(add_runtime(&cx, args)?);
            names = of_models(&cx, added == Some(true))?;
        }
    }
    let mut directories = BTreeMap::new();
    let mut inclusions = Vec::new();
    if !is_added {
        inclusions.push(scaffold::inclusion(&cx));
    }
    for name in &names {
        directories.insert(name.as_str(), scaffold::add_database(&mut cx, name)?);
        inclusions.push(scaffold::inclusion(&databases::named(&cx, name)?));
    }
    if args.git_hooks {
        scaffold::git_hook::add(&cx)?;
    }
    cx.out.done(format!(
        "Please edit the database connection in {} before proceeding.",
        cx.project.shown(&path),
    ));
    let cx = &cx;
    let added = match added {
        Some(added) => added,
        None => add_runtime(cx, args)?,
    };
    cx.out.note(format!(
        "editors see the revisions once your crate includes them: `{}`",
        inclusions.join("`, `")
    ));
    if name_of(&cx.project.dependencies, "rusqlite").is_some() {
        // Resolves the added dependency; without network access only the existing lock file is
        // used.
        if let Err(err) = resolve(cx) {
            cx.out.detail(err.to_string());
        }
        project::warn_of_two(&cx.project, cx.out);
    }
    let dir = cx.project.shown(&cx.project.migrations_dir).to_string();
    cx.out.json(
        "init",
        serde_json::json!({ "directory": dir, "databases": directories, "runtime_added": added }),
    );
    Ok(Answer::Done)
}

/// Whether the package wasn't named, but found as the only workspace member with migrations.
fn is_found_by_itself(cx: &Context) -> bool {
    let here = std::env::current_dir().and_then(|dir| dir.canonicalize()).unwrap_or_default();
    cx.global.cargo.package.is_none()
        && cx.global.cargo.manifest_path.is_none()
        && !here.starts_with(&cx.project.package_dir)
}

/// The databases that the models name, if there are models yet.
fn of_models(cx: &Context, is_added: bool) -> Result<BTreeSet<String>> {
    // A package that doesn't compile yet can still get its migrations directory.
    let records = if is_added || name_of(&cx.project.dependencies, RUNTIME).is_some() {
        models::records(cx).map_err(|err| cx.out.detail(err.to_string())).ok()
    } else {
        None
    };
    let Some(records) = records else {
        cx.out.note(
            "the models couldn't be read, so the databases that they name aren't known: \
             `cargo dbmigrate init --database NAME` adds one",
        );
        return Ok(BTreeSet::new());
    };
    let mut names: BTreeSet<String> =
        records.into_iter().filter_map(|record| record.database).collect();
    names.retain(|name| config::check_name(name).is_ok());
    if names.is_empty() {
        cx.out.note(
            "no model names a database yet: `cargo dbmigrate init --database NAME` adds one, and \
             `#[model(database = \"NAME\")]` puts a model's table there",
        );
    }
    Ok(names)
}

/// Whether the runtime's driver supports this version of rusqlite, so that both use the same one.
fn is_in_range(dependency: &toml::Value) -> bool {
    let version = dependency.as_str().or_else(|| dependency.get("version")?.as_str());
    let Some(requirement) = version.and_then(|text| VersionReq::parse(text).ok()) else {
        return false;
    };
    let patches = |minor| (0..20).map(move |patch| Version::new(0, minor, patch));
    (32..100).flat_map(patches).any(|version| requirement.matches(&version))
}

/// Adds the runtime to the manifest if it is missing. If that fails, prints the line to add.
fn add_runtime(cx: &Context, args: &Init) -> Result<bool> {
    let dependencies = &cx.project.dependencies;
    let has = |name: &str| name_of(dependencies, name).is_some();
    if has(RUNTIME) {
        return Ok(false);
    }
    let types = TYPE_CRATES.into_iter().filter(|name| has(name));
    // The drivers of the crates that the package connects with.
    let sqlite = name_of(dependencies, "rusqlite")
        .filter(|name| dependencies.get(name).is_some_and(is_in_range))
        .and_then(|_| Backend::Sqlite.feature());
    let postgres = name_of(dependencies, "postgres").and_then(|_| Backend::Postgres.feature());
    let mysql = name_of(dependencies, "mysql").and_then(|_| Backend::Mysql.feature());
    let features: Vec<&str> = types.chain(sqlite).chain(postgres).chain(mysql).collect();
    let line = dependency_line(args, &features);
    let manifest = shown_from_here(&cx.project.manifest_path);
    let manifest = manifest.display();
    if !args.no_add {
        let before = manifest_lines(cx);
        let lock = cx.project.workspace_root.join("Cargo.lock");
        let changed = [cx.project.manifest_path.as_path(), &lock];
        let added = cx.edits.around(&changed, || cargo_add(cx, args, &features));
        match added {
            Ok(()) => {
                let written: Vec<String> = manifest_lines(cx)
                    .into_iter()
                    .filter(|line| !line.trim().is_empty() && !before.contains(line))
                    .collect();
                cx.out.note(format!("added to {manifest}: {}", written.join("\n  ")));
                return Ok(true);
            }
            Err(err) => cx.out.detail(err.to_string()),
        }
    }
    cx.out.note(format!("add to the [dependencies] of {manifest}: {line}"));
    Ok(false)
}

/// The current lines of the package's manifest.
fn manifest_lines(cx: &Context) -> Vec<String> {
    let text = std::fs::read_to_string(&cx.project.manifest_path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// A path relative to the working directory, if it is inside of it.
fn shown_from_here(path: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(|dir| dir.canonicalize()).unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).to_owned()
}

fn dependency_line(args: &Init, features: &[&str]) -> String {
    let source = match (&args.runtime_path, &args.runtime_git) {
        (Some(path), _) => format!("path = {:?}", path.display().to_string()),
        (_, Some(git)) => format!("git = {git:?}"),
        (None, None) => format!("version = {:?}", env!("CARGO_PKG_VERSION")),
    };
    match features {
        [] => format!("{RUNTIME} = {{ {source} }}"),
        features => format!("{RUNTIME} = {{ {source}, features = {features:?} }}"),
    }
}

fn cargo_add(cx: &Context, args: &Init, features: &[&str]) -> xshell::Result<()> {
    let sh = Shell::new()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = &cx.project.manifest_path;
    let mut cmd = cmd!(sh, "{cargo} add --quiet --manifest-path {manifest}");
    cmd = match (&args.runtime_path, &args.runtime_git) {
        (Some(path), _) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            cmd.args(["--path".into(), path])
        }
        (_, Some(git)) => cmd.arg(RUNTIME).args(["--git", git]),
        (None, None) => cmd.arg(format!("{RUNTIME}@{}", env!("CARGO_PKG_VERSION"))),
    };
    if !features.is_empty() {
        cmd = cmd.args(["--features".to_owned(), features.join(",")]);
    }
    if cx.global.cargo.offline || cx.global.cargo.frozen {
        cmd = cmd.arg("--offline");
    }
    cmd.quiet().ignore_stdout().ignore_stderr().run()
}

/// Has cargo update the lock file to match the manifest.
fn resolve(cx: &Context) -> Result<()> {
    let flags = &cx.global.cargo;
    if flags.locked || flags.frozen {
        return Ok(());
    }
    let cargo = Cargo::of_host(&cx.project, cx.out)?;
    let cmd = cargo.cmd("metadata").args(["--format-version", "1", "--manifest-path"]);
    let cmd = cmd.arg(&cx.project.manifest_path);
    cargo.read(if flags.offline { cmd.arg("--offline") } else { cmd }).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_is_wanted_where_it_fits_the_rusqlite_that_is_there() {
        let fits = |text: &str| is_in_range(&toml::from_str::<toml::Table>(text).unwrap()["it"]);
        let range = |requirement: &str| fits(&format!("it = {requirement:?}"));
        for requirement in ["0.37", "0.43", "0.99.1", "*", ">=0.30", "=0.40.1"] {
            assert!(range(requirement), "{requirement}");
        }
        assert!(fits("it = { version = \"^0.42.1\", features = [\"bundled\"] }"));
        for other in ["\"0.31.0\"", "\"1\"", "\"\"", "{ path = \"x\" }"] {
            assert!(!fits(&format!("it = {other}")), "{other}");
        }
    }
}
