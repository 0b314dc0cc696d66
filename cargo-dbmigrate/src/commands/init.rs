//! `init`: the migrations directory, and the runtime among the package's dependencies.

use std::collections::{BTreeMap, BTreeSet};

use xshell::{Shell, cmd};

use super::Answer;
use crate::cli::Init;
use crate::context::Context;
use crate::error::{Doing as _, Result};
use crate::{config, scaffold};

const RUNTIME: &str = "dbmigrate-runtime";

/// Crates whose types a model may have, which are the runtime's features of the same name.
const TYPE_CRATES: [&str; 8] =
    ["bigdecimal", "bytes", "chrono", "jiff", "rust_decimal", "serde_json", "time", "uuid"];

pub fn run(cx: &Context, args: &Init) -> Result<Answer> {
    let mut cx = cx.clone();
    let path = config::path(&cx.project.config_dir);
    let names: BTreeSet<String> = (args.multidb.iter().flatten())
        .chain(cx.global.database.iter().filter(|it| *it != config::DEFAULT))
        .cloned()
        .collect();
    names.iter().try_for_each(|it| config::check_name(it))?;
    // A database may be added to a project that has its files.
    let is_added = cx.global.database.is_some() && !names.is_empty() && path.is_file();
    if !is_added {
        scaffold::create(&cx)?;
    }
    let mut directories = BTreeMap::new();
    for name in &names {
        directories.insert(name.as_str(), scaffold::add_database(&mut cx, name)?);
    }
    cx.out.done(format!(
        "Please edit the database connection in {} before proceeding.",
        crate::history::relative(&cx, &path),
    ));
    if args.multidb.as_ref().is_some_and(Vec::is_empty) {
        cx.out.note(
            "`cargo dbmigrate init --database NAME` adds a database, and \
             `#[model(database = \"NAME\")]` puts a model's table there",
        );
    }
    let cx = &cx;
    let added = add_runtime(cx, args)?;
    cx.out.note(
        "editors see the revisions once your crate includes them: \
         `#[path = \"../migrations/mod.rs\"] mod migrations;`",
    );
    let dir = crate::history::relative(cx, &cx.project.migrations_dir);
    cx.out.json(
        "init",
        serde_json::json!({ "directory": dir, "databases": directories, "runtime_added": added }),
    );
    Ok(Answer::Done)
}

/// Adds the runtime to the manifest if it is missing. Where that fails, the line to add is said.
fn add_runtime(cx: &Context, args: &Init) -> Result<bool> {
    let manifest = &cx.project.manifest_path;
    let text =
        std::fs::read_to_string(manifest).doing(|| format!("read `{}`", manifest.display()))?;
    let manifest: toml::Table = toml::from_str(&text).unwrap_or_default();
    let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
    let has = |name: &str| {
        dependencies.is_some_and(|it| {
            it.contains_key(name)
                || it.values().any(|it| it.get("package").and_then(|it| it.as_str()) == Some(name))
        })
    };
    if has(RUNTIME) {
        return Ok(false);
    }
    let features: Vec<&str> = TYPE_CRATES.into_iter().filter(|it| has(it)).collect();
    let line = dependency_line(args, &features);
    if !args.no_add {
        let added = cargo_add(cx, args, &features);
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
