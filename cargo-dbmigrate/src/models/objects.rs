//! Models out of object files, for compilers whose metadata doesn't carry what statics hold.
//!
//! With the runtime's feature `embed` the records are kept when code is generated. They are found
//! by how they begin, whatever the container's format.

use std::fs;

use cargo_metadata::Message;

use super::artifacts::{self, Found};
use super::check::{bins, failed};
use super::selection::Selection;
use super::targets::{Lib, Package};
use super::wrapper;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::project::Cargo;

/// Builds the package's library and compiles its binaries, and reads what their objects hold.
pub fn found(cx: &Context, selection: &Selection, package: &Package) -> Result<Found> {
    let Some(runtime) = &package.runtime else { return Err(super::no_runtime(&package.name)) };
    let embed = [format!("{runtime}/embed")];
    let mut found = Found { runtime: true, canary: true, ..Found::default() };
    if package.lib.is_some() {
        library(cx, selection, package, &embed, &mut found)?;
    }
    for bin in bins(selection, package)? {
        binary(cx, selection, &bin, &embed, &mut found)?;
    }
    Ok(found)
}

fn library(
    cx: &Context,
    selection: &Selection,
    package: &Package,
    embed: &[String],
    found: &mut Found,
) -> Result<()> {
    let cargo = Cargo::of_host(&cx.project, cx.out)?;
    // With it there would be the compiler's own intermediate form instead of objects.
    let profile = selection.profile.as_deref().unwrap_or("dev").to_uppercase().replace('-', "_");
    cargo.set_var(&format!("CARGO_PROFILE_{profile}_LTO"), "off");
    let mut compile = cargo.compile("build", true);
    compile.cmd = compile.cmd.arg("--manifest-path").arg(&cx.project.manifest_path).arg("--lib");
    compile.cmd = selection.add_to(compile.cmd, cx, embed);
    let mut paths = Vec::new();
    let patience = format!("Building the package `{}`", package.name);
    let exit = cargo.build(compile, &patience, |message| {
        if let Message::CompilerArtifact(it) = message {
            if artifacts::is_local(cx, package, &it) && !artifacts::is_runtime(&it) {
                paths.extend(it.filenames);
            }
        }
    })?;
    exit.show(cx.out);
    if !exit.success {
        return Err(failed(&selection.package, &exit));
    }
    let wanted = if package.lib == Some(Lib::Foreign) { &["a", "so"][..] } else { &["rlib"] };
    for path in paths.iter().filter(|it| it.extension().is_some_and(|it| wanted.contains(&it))) {
        found.read(path.as_std_path(), &cx.config.naming.0)?;
    }
    Ok(())
}

fn binary(
    cx: &Context,
    selection: &Selection,
    bin: &str,
    embed: &[String],
    found: &mut Found,
) -> Result<()> {
    let dir = cx.project.work_dir.join("objects");
    fs::create_dir_all(&dir).doing(|| format!("create the directory `{}`", dir.display()))?;
    let object = dir.join(format!("{bin}.o"));
    let cargo = Cargo::of_host(&cx.project, cx.out)?;
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
    let exit = cargo.build(compile, &format!("Compiling the binary `{bin}`"), |_| {})?;
    exit.show(cx.out);
    if !exit.success {
        return Err(failed(&selection.package, &exit));
    }
    if !object.is_file() {
        return Err(Error::new(format!("cargo left no object file of the binary `{bin}`")));
    }
    found.read(&object, &cx.config.naming.0)
}
