//! Having cargo check the package.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cargo_metadata::{Artifact, Message};

use super::artifacts::{self, Found};
use super::selection::Selection;
use super::targets::{Lib, Package};
use super::wrapper;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::project::{Cargo, Exit};

/// The targets to check: `--lib` and the like.
type Targets = Vec<String>;

/// Checks the package and reads what the metadata of its targets holds.
pub fn found(cx: &Context, selection: &Selection, package: &Package) -> Result<Found> {
    let bins = bins(selection, package)?;
    let mut targets = Targets::new();
    if package.lib.is_some() {
        targets.push("--lib".to_owned());
    }
    match &selection.bin {
        Some(bin) => targets.extend(["--bin".to_owned(), bin.clone()]),
        None if !bins.is_empty() => targets.push("--bins".to_owned()),
        None => {}
    }
    if targets.is_empty() {
        return Err(Error::new(format!("the package `{}` has no target", package.name))
            .hint("a library or a binary can have models"));
    }
    let mut found = Found::default();
    if package.lib != Some(Lib::Checked) {
        let all = check(cx, selection, &targets, Way::AsLibrary)?;
        read(cx, package, &all, &mut found, |_| true)?;
        return Ok(found);
    }
    // As a person's own check, whose work it shares.
    let plain = check(cx, selection, &targets, Way::Plain)?;
    read(cx, package, &plain, &mut found, artifacts::is_lib)?;
    let with_models = with_models(cx, package, &plain);
    if found.canary && !with_models.is_empty() {
        let targets: Targets =
            with_models.into_iter().flat_map(|it| ["--bin".to_owned(), it]).collect();
        let again = check(cx, selection, &targets, Way::AsLibrary)?;
        read(cx, package, &again, &mut found, |it| !artifacts::is_lib(it))?;
    }
    Ok(found)
}

/// The binaries that are asked for.
pub fn bins(selection: &Selection, package: &Package) -> Result<Vec<String>> {
    if selection.lib {
        if package.lib.is_none() {
            return Err(Error::new(format!("the package `{}` has no library", package.name))
                .hint("leave out `--lib`, or `lib = true` in dbmigrate.toml"));
        }
        return Ok(Vec::new());
    }
    match &selection.bin {
        Some(bin) if !package.bins.contains(bin) => {
            let err = Error::new(format!("the package `{}` has no binary `{bin}`", package.name));
            Err(match package.bins.as_slice() {
                [] => err,
                bins => err.hint(format!("its binaries are `{}`", bins.join("`, `"))),
            })
        }
        Some(bin) => Ok(vec![bin.clone()]),
        None => Ok(package.bins.clone()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As a person does it.
    Plain,
    /// With the wrapper, so that binaries leave metadata.
    AsLibrary,
}

/// Runs the check and returns what cargo made, or had made before.
fn check(
    cx: &Context,
    selection: &Selection,
    targets: &Targets,
    way: Way,
) -> Result<Vec<Artifact>> {
    let cargo = Cargo::of_host(&cx.project, cx.out)?;
    if way == Way::AsLibrary {
        wrapper::set_up(&cargo)?;
    }
    let mut compile = cargo.compile("check", true);
    compile.cmd = compile.cmd.arg("--manifest-path").arg(&cx.project.manifest_path);
    compile.cmd = selection.add_to(compile.cmd, cx, &[]).args(targets);
    let mut artifacts = Vec::new();
    let patience = format!("Checking the package `{}`", selection.package);
    let exit = cargo.build(compile, &patience, |message| {
        if let Message::CompilerArtifact(it) = message {
            artifacts.push(it);
        }
    })?;
    exit.show(cx.out);
    if exit.success { Ok(artifacts) } else { Err(failed(&selection.package, &exit)) }
}

/// Why cargo failed. What the compiler says has been shown.
pub fn failed(package: &str, exit: &Exit) -> Error {
    if !exit.has_errors() {
        return exit.error(format!("cargo failed to check the package `{package}`"));
    }
    let err = Error::new(format!("the package `{package}` does not compile"));
    let asks_database = exit.errors().any(|it| {
        let message = &it.message;
        let expanded = message.spans.iter().filter_map(|it| it.expansion.as_ref());
        let mut macros = expanded.map(|it| it.macro_decl_name.as_str());
        macros.any(|it| it.contains("query"))
            || ["DATABASE_URL", "no such table", "sqlx", "query!"]
                .iter()
                .any(|it| message.message.contains(it))
    });
    err.hint(if asks_database {
        "queries that are checked against the database need its tables first: migrate before the \
         query is written, or have only the library checked, where the models are and such \
         queries are not: `--lib` (`lib = true` in dbmigrate.toml)"
    } else {
        "the models are read from what the compiler makes, so the package has to compile"
    })
}

fn read(
    cx: &Context,
    package: &Package,
    artifacts: &[Artifact],
    found: &mut Found,
    wanted: impl Fn(&Artifact) -> bool,
) -> Result<()> {
    for it in artifacts {
        if artifacts::is_runtime(it) {
            found.read_runtime(it)?;
        } else if artifacts::is_local(cx, package, it) && wanted(it) {
            for path in artifacts::of_check(it) {
                found.read(path, &cx.config.naming.0)?;
            }
        }
    }
    Ok(())
}

/// The binaries whose own sources look as if there were models in them. Those that can't be told
/// are among them.
fn with_models(cx: &Context, package: &Package, artifacts: &[Artifact]) -> Vec<String> {
    let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
    let mut names = Vec::new();
    // A library's macro may have the words that are missing from a binary.
    let mut macros = false;
    for it in artifacts.iter().filter(|it| artifacts::is_lib(it)) {
        if artifacts::is_local(cx, package, it) && !artifacts::is_runtime(it) {
            let sources = artifacts::sources(cx, it).unwrap_or_default();
            macros |= sources.iter().any(|it| has_words(it, &["macro_export", "Model"]));
            seen.extend(sources);
        }
    }
    let is_bin = |it: &&Artifact| {
        it.manifest_path == package.manifest_path
            && it.target.kind.contains(&cargo_metadata::TargetKind::Bin)
    };
    for it in artifacts.iter().filter(is_bin) {
        let looks = match artifacts::sources(cx, it) {
            None => true,
            Some(sources) => macros || sources.iter().any(|it| has_words(it, &["derive", "Model"])),
        };
        if looks {
            names.push(it.target.name.clone());
        }
    }
    names
}

fn has_words(path: &PathBuf, words: &[&str]) -> bool {
    let Ok(bytes) = std::fs::read(path) else { return true };
    let text = String::from_utf8_lossy(&bytes);
    words.iter().all(|it| text.contains(it))
}
