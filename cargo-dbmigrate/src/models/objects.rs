//! Reads models from object files, for compilers whose metadata doesn't contain the values of
//! statics.
//!
//! The runtime's feature `embed` keeps the records in generated code. They are found by their start
//! marker, whatever the object format.

use std::fs;

use cargo_metadata::Message;

use super::artifacts::{self, Found};
use super::check::{bins, failed};
use super::selection::Selection;
use super::targets::{Lib, Package};
use super::way::Way;
use super::wrapper;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::project::Cargo;

/// Builds the package's library, compiles its binaries, and reads the records in their object
/// files.
pub fn found(cx: &Context, selection: &Selection, package: &Package) -> Result<Found> {
    let Some(runtime) = &package.runtime else { return Err(super::no_runtime(&package.name)) };
    let embed = [format!("{runtime}/embed")];
    let objects = |way| -> Result<Found> {
        let build = Build { cx, selection, package, embed: &embed, way };
        let mut found = Found { runtime: true, canary: true, ..Found::default() };
        if package.lib.is_some() {
            build.library(&mut found)?;
        }
        for bin in bins(selection, package)? {
            build.binary(&bin, &mut found)?;
        }
        Ok(found)
    };
    let found = objects(Way::Wrapped)?;
    if found.foreign.is_some() { objects(Way::Apart) } else { Ok(found) }
}

struct Build<'a> {
    cx: &'a Context,
    selection: &'a Selection,
    package: &'a Package,
    /// Enables the runtime's feature.
    embed: &'a [String],
    way: Way,
}

impl Build<'_> {
    fn library(&self, found: &mut Found) -> Result<()> {
        let Build { cx, selection, package, embed, way } = self;
        let cargo = Cargo::of_host(&cx.project, cx.out)?;
        way.set_up(&cargo, &cx.project)?;
        // With LTO there would be the compiler's intermediate form instead of object files.
        let profile = selection.profile.as_deref().unwrap_or("dev");
        let profile = profile.to_uppercase().replace('-', "_");
        cargo.set_var(&format!("CARGO_PROFILE_{profile}_LTO"), "off");
        let mut compile = cargo.compile("build", true);
        compile.cmd = compile.cmd.arg("--manifest-path").arg(&cx.project.manifest_path);
        compile.cmd = selection.add_to(compile.cmd.arg("--lib"), cx, embed);
        let mut artifacts = Vec::new();
        let patience = format!("Building the package `{}`", package.name);
        let exit = cargo.build(compile, &patience, |message| {
            if let Message::CompilerArtifact(artifact) = message {
                if artifacts::is_runtime(&artifact) {
                    found.see_runtime(&artifact);
                } else if artifacts::is_local(cx, package, &artifact) {
                    artifacts.push(artifact);
                }
            }
        })?;
        exit.show(cx.out);
        if !exit.success {
            return Err(failed(&selection.package, &exit));
        }
        let wanted = if package.lib == Some(Lib::Foreign) { &["a", "so"][..] } else { &["rlib"] };
        for artifact in &artifacts {
            let is_shared = way.is_shared(artifacts::is_member(package, artifact));
            for path in artifact.filenames.iter().map(|path| path.as_std_path()) {
                if path
                    .extension()
                    .is_some_and(|extension| wanted.iter().any(|end| extension == *end))
                {
                    found.read(path, is_shared.then_some(artifact), &cx.config.naming.0)?;
                }
            }
        }
        Ok(())
    }

    fn binary(&self, bin: &str, found: &mut Found) -> Result<()> {
        let Build { cx, selection, embed, way, .. } = self;
        let dir = cx.project.work_dir.join("objects");
        fs::create_dir_all(&dir).doing(|| format!("create the directory `{}`", dir.display()))?;
        let object = dir.join(format!("{bin}.o"));
        let cargo = Cargo::of_host(&cx.project, cx.out)?;
        way.set_up(&cargo, &cx.project)?;
        cargo.set_var(wrapper::LINKER, "1");
        let mut compile = cargo.compile("rustc", true);
        compile.cmd = compile.cmd.arg("--manifest-path").arg(&cx.project.manifest_path);
        compile.cmd = selection.add_to(compile.cmd.args(["--bin", bin]), cx, embed);
        let (linker, path) = (wrapper::executable()?, object.display());
        compile.cmd = compile
            .cmd
            .arg("--")
            .arg(format!("--emit=obj={path}"))
            .args(["-Ccodegen-units=1", "-Clto=off"])
            .arg(format!("-Clinker={}", linker.display()));
        let exit = cargo.build(compile, &format!("Compiling the binary `{bin}`"), |message| {
            if let Message::CompilerArtifact(artifact) = message {
                if artifacts::is_runtime(&artifact) {
                    found.see_runtime(&artifact);
                }
            }
        })?;
        exit.show(cx.out);
        if !exit.success {
            return Err(failed(&selection.package, &exit));
        }
        if !object.is_file() {
            return Err(Error::new(format!("cargo left no object file of the binary `{bin}`")));
        }
        found.read(&object, None, &cx.config.naming.0)
    }
}
