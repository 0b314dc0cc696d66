//! `init`: the migrations directory, and the runtime among the package's dependencies.

use std::collections::{BTreeMap, BTreeSet};

use xshell::{Shell, cmd};

use super::Answer;
use crate::cli::Init;
use crate::config::{self, Config};
use crate::context::Context;
use crate::error::{Doing as _, Result};
use crate::models;
use crate::scaffold::{self, MODULE, MULTIDB, Template};

const RUNTIME: &str = "dbmigrate-runtime";

/// Crates whose types a model may have, which are the runtime's features of the same name.
const TYPE_CRATES: [&str; 8] =
    ["bigdecimal", "bytes", "chrono", "jiff", "rust_decimal", "serde_json", "time", "uuid"];

pub fn run(cx: &Context, args: &Init) -> Result<Answer> {
    let mut cx = cx.clone();
    let path = config::path(&cx.project.config_dir);
    let mut names: BTreeSet<String> = (args.multidb.iter().flatten())
        .chain(cx.global.database.iter().filter(|it| *it != config::DEFAULT))
        .cloned()
        .collect();
    names.iter().try_for_each(|it| config::check_name(it))?;
    // A database may be added to a project that has its files.
    let is_added = cx.global.database.is_some() && !names.is_empty() && path.is_file();
    let mut added = None;
    if !is_added {
        let template = Template::find(&cx, args.template.as_deref())?;
        let is_there = path.is_file();
        scaffold::create(&cx, &template).map_err(|err| match &args.multidb {
            Some(names) if is_there => {
                let name = names.first().map_or("NAME", String::as_str);
                err.hint(format!(
                    "`cargo dbmigrate init --database {name}` adds a database to the project"
                ))
            }
            _ => err,
        })?;
        if template.has_unused_module {
            cx.out.note(format!(
                "`{MODULE}` makes the revisions once {} says `module_template = {MODULE:?}`",
                crate::history::relative(&cx, &path),
            ));
        }
        cx.config = Config::read(&cx.project.config_dir)?;
        // Those of a template that doesn't have their directories.
        let is_missing =
            |it: &&String| cx.of_database(it).is_ok_and(|it| !it.project.migrations_dir.exists());
        names.extend(cx.config.databases.keys().filter(is_missing).cloned());
        let is_multi = args.multidb.is_some() || args.template.as_deref() == Some(MULTIDB);
        if is_multi && names.is_empty() {
            // The models may derive what isn't there yet.
            added = Some(add_runtime(&cx, args)?);
            names = of_models(&cx)?;
        }
    }
    let mut directories = BTreeMap::new();
    let mut inclusions = Vec::new();
    if !is_added {
        inclusions.push(scaffold::inclusion(&cx));
    }
    for name in &names {
        directories.insert(name.as_str(), scaffold::add_database(&mut cx, name)?);
        inclusions.push(scaffold::inclusion(&cx.of_database(name)?));
    }
    cx.out.done(format!(
        "Please edit the database connection in {} before proceeding.",
        crate::history::relative(&cx, &path),
    ));
    let cx = &cx;
    let added = match added {
        Some(it) => it,
        None => add_runtime(cx, args)?,
    };
    cx.out.note(format!(
        "editors see the revisions once your crate includes them: `{}`",
        inclusions.join("`, `")
    ));
    let dir = crate::history::relative(cx, &cx.project.migrations_dir);
    cx.out.json(
        "init",
        serde_json::json!({ "directory": dir, "databases": directories, "runtime_added": added }),
    );
    Ok(Answer::Done)
}

/// The databases that models name, as far as there are models yet.
fn of_models(cx: &Context) -> Result<BTreeSet<String>> {
    // A package that doesn't compile yet may have its migrations directory all the same.
    let records = match has_dependency(&dependencies(cx)?, RUNTIME) {
        true => models::records(cx).map_err(|err| cx.out.detail(err.to_string())).ok(),
        false => None,
    };
    let Some(records) = records else {
        cx.out.note(
            "the models couldn't be read, so the databases that they name aren't known: \
             `cargo dbmigrate init --database NAME` adds one",
        );
        return Ok(BTreeSet::new());
    };
    let mut names: BTreeSet<String> = records.into_iter().filter_map(|it| it.database).collect();
    names.retain(|it| config::check_name(it).is_ok());
    if names.is_empty() {
        cx.out.note(
            "no model names a database yet: `cargo dbmigrate init --database NAME` adds one, and \
             `#[model(database = \"NAME\")]` puts a model's table there",
        );
    }
    Ok(names)
}

/// What the package depends on.
fn dependencies(cx: &Context) -> Result<toml::Table> {
    let path = &cx.project.manifest_path;
    let text = std::fs::read_to_string(path).doing(|| format!("read `{}`", path.display()))?;
    let manifest: toml::Table = toml::from_str(&text).unwrap_or_default();
    let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
    Ok(dependencies.cloned().unwrap_or_default())
}

/// Whether a crate is among them, under whichever name.
fn has_dependency(dependencies: &toml::Table, name: &str) -> bool {
    dependencies.contains_key(name)
        || dependencies
            .values()
            .any(|it| it.get("package").and_then(|it| it.as_str()) == Some(name))
}

/// Whether the runtime's driver works on this rusqlite; another one can't be in the same program.
fn is_in_range(dependency: &toml::Value) -> bool {
    let version = dependency.as_str().or_else(|| dependency.get("version")?.as_str());
    let version = version.map(|it| it.trim_start_matches(['^', '=', '~', ' '])).unwrap_or_default();
    let minor = version.strip_prefix("0.").and_then(|it| it.split('.').next());
    minor.and_then(|it| it.parse::<u32>().ok()).is_some_and(|it| (32..=42).contains(&it))
}

/// Adds the runtime to the manifest if it is missing. Where that fails, the line to add is said.
fn add_runtime(cx: &Context, args: &Init) -> Result<bool> {
    let dependencies = dependencies(cx)?;
    let has = |name: &str| has_dependency(&dependencies, name);
    if has(RUNTIME) {
        return Ok(false);
    }
    let types = TYPE_CRATES.into_iter().filter(|it| has(it));
    let driver = dependencies.get("rusqlite").filter(|it| is_in_range(it)).map(|_| "sqlite");
    let features: Vec<&str> = types.chain(driver).collect();
    let line = dependency_line(args, &features);
    if !args.no_add {
        let lock = cx.project.workspace_root.join("Cargo.lock");
        let changed = [cx.project.manifest_path.as_path(), &lock];
        let added = cx.edits.around(&changed, || cargo_add(cx, args, &features));
        match added {
            Ok(()) => {
                cx.out.note(format!("added to Cargo.toml: {line}"));
                return Ok(true);
            }
            Err(err) => cx.out.detail(err.to_string()),
        }
    }
    cx.out.note(format!("add to the [dependencies] of Cargo.toml: {line}"));
    Ok(false)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_is_wanted_where_it_fits_the_rusqlite_that_is_there() {
        let fits = |text: &str| is_in_range(&toml::from_str::<toml::Table>(text).unwrap()["it"]);
        assert!(fits("it = \"0.37\""));
        assert!(fits("it = { version = \"^0.42.1\", features = [\"bundled\"] }"));
        for other in ["\"0.43\"", "\"0.31.0\"", "\"1\"", "\"*\"", "{ path = \"x\" }"] {
            assert!(!fits(&format!("it = {other}")), "{other}");
        }
    }
}
