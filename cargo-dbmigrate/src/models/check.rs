//! Has cargo check the package.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cargo_metadata::{Artifact, Message};

use super::artifacts::{self, Found};
use super::selection::Selection;
use super::targets::{Lib, Package};
use super::way::Way;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::project::{Cargo, Exit};

/// Checks the package and reads the records in the metadata of its targets.
pub fn found(cx: &Context, selection: &Selection, package: &Package) -> Result<Found> {
    let bins = bins(selection, package)?;
    let mut targets = Vec::new();
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
    let host = Host { cx, selection, package };
    let mut foreign = None;
    if package.lib == Some(Lib::Checked) {
        // The same check that a person runs, so that both use the same artifacts.
        let plain = host.check(&targets, Way::Plain)?;
        let mut found = Found::default();
        host.read(&plain, &mut found, artifacts::is_lib)?;
        if found.foreign.is_none() {
            let plain = host.done(plain)?;
            host.read_binaries(&plain, &mut found)?;
            return Ok(found);
        }
        foreign = found.foreign;
    }
    let mut checked = host.check(&targets, Way::Wrapped)?;
    let mut found = Found::default();
    host.read(&checked, &mut found, |_| true)?;
    if found.foreign.is_some() {
        foreign = found.foreign;
        checked = host.check(&targets, Way::Apart)?;
        found = Found::default();
        host.read(&checked, &mut found, |_| true)?;
    }
    let checked = host.done(checked)?;
    // A directory that no longer exists is this one before it was moved. If nothing was compiled,
    // no time was lost, and the person has been told before.
    let is_compiled = checked.artifacts.iter().any(|artifact| !artifact.fresh);
    let other = foreign.and_then(|foreign| foreign.dir).filter(|dir| is_compiled && dir.is_dir());
    if let Some(dir) = other {
        cx.out.note(format!(
            "cargo mistook the artifacts of `{}` for those of this checkout, since both are built \
             in `{}`, so the package was checked again",
            dir.display(),
            cx.project.target_dir.display(),
        ));
    }
    Ok(found)
}

/// The requested binaries.
pub fn bins(selection: &Selection, package: &Package) -> Result<Vec<String>> {
    if selection.lib {
        if package.lib.is_none() {
            return Err(Error::new(format!("the package `{}` has no library", package.name))
                .hint("remove `--lib`, or `lib = true` in dbmigrate.toml"));
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

/// The package to check.
struct Host<'a> {
    cx: &'a Context,
    selection: &'a Selection,
    package: &'a Package,
}

/// The artifacts of a check, whether new or from an earlier one.
struct Checked {
    way: Way,
    artifacts: Vec<Artifact>,
    exit: Exit,
}

impl Host<'_> {
    /// Checks these targets, which are arguments for cargo.
    fn check(&self, targets: &[String], way: Way) -> Result<Checked> {
        let Host { cx, selection, .. } = self;
        let cargo = Cargo::of_host(&cx.project, cx.out)?;
        way.set_up(&cargo, &cx.project)?;
        let mut compile = cargo.compile("check", true);
        compile.cmd = compile.cmd.arg("--manifest-path").arg(&cx.project.manifest_path);
        compile.cmd = selection.add_to(compile.cmd, cx, &[]).args(targets);
        let mut artifacts = Vec::new();
        let patience = format!("Checking the package `{}`", selection.package);
        let exit = cargo.build(compile, &patience, |message| {
            if let Message::CompilerArtifact(artifact) = message {
                artifacts.push(artifact);
            }
        })?;
        Ok(Checked { way, artifacts, exit })
    }

    /// Shows the compiler's messages. Fails if the check failed.
    fn done(&self, checked: Checked) -> Result<Checked> {
        checked.exit.show(self.cx.out);
        if checked.exit.success {
            Ok(checked)
        } else {
            Err(failed(&self.selection.package, &checked.exit))
        }
    }

    fn read(
        &self,
        checked: &Checked,
        found: &mut Found,
        wanted: impl Fn(&Artifact) -> bool,
    ) -> Result<()> {
        let Host { cx, package, .. } = self;
        let mut runtimes = Vec::new();
        for artifact in &checked.artifacts {
            if artifacts::is_runtime(artifact) {
                found.see_runtime(artifact);
                runtimes.push(artifact);
                continue;
            }
            if !artifacts::is_local(cx, package, artifact) {
                continue;
            }
            let is_shared = checked.way.is_shared(artifacts::is_member(package, artifact));
            let shared = is_shared.then_some(artifact);
            if let (Some(shared), Some(path)) = (shared, artifacts::of_build(artifact)) {
                found.look_at(path, shared)?;
            } else if wanted(artifact) {
                for path in artifacts::of_check(artifact) {
                    found.read(path, shared, &cx.config.naming.0)?;
                }
            }
        }
        // A model that was read shows the same as the runtime's own record, whose file is large.
        found.canary |= !found.records.is_empty();
        if !found.canary {
            runtimes.into_iter().try_for_each(|artifact| found.read_runtime(artifact))?;
        }
        Ok(())
    }

    /// Reads the models that binaries have in addition to the library.
    fn read_binaries(&self, plain: &Checked, found: &mut Found) -> Result<()> {
        let names = with_models(self.cx, self.package, &plain.artifacts);
        if !found.canary || names.is_empty() {
            return Ok(());
        }
        let targets: Vec<String> =
            names.into_iter().flat_map(|name| ["--bin".to_owned(), name]).collect();
        let again = self.done(self.check(&targets, Way::Wrapped)?)?;
        self.read(&again, found, |artifact| !artifacts::is_lib(artifact))
    }
}

/// Why cargo failed. The compiler's messages have been shown.
pub fn failed(package: &str, exit: &Exit) -> Error {
    if !exit.has_errors() {
        return exit.error(format!("cargo failed to check the package `{package}`"));
    }
    let err = Error::new(format!("the package `{package}` does not compile"));
    let asks_database = exit.errors().any(|error| {
        let message = &error.message;
        let expanded = message.spans.iter().filter_map(|span| span.expansion.as_ref());
        let mut macros = expanded.map(|expanded| expanded.macro_decl_name.as_str());
        macros.any(|name| name.contains("query"))
            || ["DATABASE_URL", "no such table", "sqlx", "query!"]
                .iter()
                .any(|text| message.message.contains(text))
    });
    err.hint(if asks_database {
        "queries that are checked against the database at compile time need its tables first: \
         migrate before you write the query, or have only the library checked, if it has the \
         models and no such queries: `--lib` (`lib = true` in dbmigrate.toml)"
    } else {
        "the models are read from the compiler's output, so the package has to compile"
    })
}

/// The binaries whose own sources may contain models, including those for which this can't be
/// determined.
fn with_models(cx: &Context, package: &Package, artifacts: &[Artifact]) -> Vec<String> {
    let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
    let mut names = Vec::new();
    // A macro of the library may contain the words that are missing in a binary.
    let mut macros = false;
    for artifact in artifacts.iter().filter(|artifact| artifacts::is_lib(artifact)) {
        if artifacts::is_local(cx, package, artifact) && !artifacts::is_runtime(artifact) {
            let sources = artifacts::sources(cx, artifact).unwrap_or_default();
            macros |= sources.iter().any(|path| has_words(path, &["macro_export", "Model"]));
            seen.extend(sources);
        }
    }
    let is_bin = |artifact: &&Artifact| {
        artifact.manifest_path == package.manifest_path
            && artifact.target.kind.contains(&cargo_metadata::TargetKind::Bin)
    };
    for artifact in artifacts.iter().filter(is_bin) {
        let may_have_models = match artifacts::sources(cx, artifact) {
            None => true,
            Some(sources) => {
                macros || sources.iter().any(|path| has_words(path, &["derive", "Model"]))
            }
        };
        if may_have_models {
            names.push(artifact.target.name.clone());
        }
    }
    names
}

fn has_words(path: &PathBuf, words: &[&str]) -> bool {
    let Ok(bytes) = std::fs::read(path) else { return true };
    let text = String::from_utf8_lossy(&bytes);
    words.iter().all(|word| text.contains(word))
}
