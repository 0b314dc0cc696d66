//! The targets of the package that contains the models.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{MetadataCommand, TargetKind};
use serde::{Deserialize, Serialize};

use super::RUNTIME;
use super::selection::Selection;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::hex::short_hash;
use crate::project::Cargo;
use crate::work_files;

/// What cargo reports about a package and its workspace.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Package {
    pub name: String,
    pub manifest_path: PathBuf,
    pub lib: Option<Lib>,
    pub bins: Vec<String>,
    /// The runtime's name in the package.
    pub runtime: Option<String>,
    /// The directories of the workspace's packages.
    pub members: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lib {
    /// A check of it writes metadata.
    Checked,
    /// It is only meant for other languages, so a check writes nothing.
    Foreign,
}

/// The stored answer, with a hash of its inputs.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    key: String,
    package: Package,
}

impl Package {
    /// Asks cargo, unless the manifests and the files that are targets by convention are unchanged.
    pub fn find(cx: &Context, selection: &Selection) -> Result<Package> {
        let path = cx.project.work_dir.join("targets.json");
        let kept = fs::read_to_string(&path).ok();
        let kept = kept.and_then(|kept| serde_json::from_str::<Kept>(&kept).ok());
        if let Some(Kept { key, package }) = kept {
            if package.name == selection.package && key == key_of(cx, &package.manifest_path) {
                return Ok(package);
            }
        }
        let package = Package::ask(cx, &selection.package)?;
        let kept = Kept { key: key_of(cx, &package.manifest_path), package };
        let text = serde_json::to_string(&kept).doing(|| "write a path".to_owned())?;
        fs::create_dir_all(&cx.project.work_dir)
            .doing(|| format!("create the directory `{}`", cx.project.work_dir.display()))?;
        work_files::write(&path, &text)?;
        Ok(kept.package)
    }

    fn ask(cx: &Context, name: &str) -> Result<Package> {
        let cargo = Cargo::of_host(&cx.project, cx.out)?;
        let mut cmd = cargo.cmd("metadata").args(["--format-version", "1", "--no-deps"]);
        cmd = cmd.arg("--manifest-path").arg(&cx.project.manifest_path);
        if cx.global.cargo.offline || cx.global.cargo.frozen {
            cmd = cmd.arg("--offline");
        }
        let metadata = MetadataCommand::parse(cargo.read(cmd)?)
            .doing(|| "read cargo's metadata".to_owned())?;
        let Some(package) = metadata.packages.iter().find(|package| *package.name == *name) else {
            let mut names: Vec<String> =
                metadata.packages.iter().map(|package| format!("`{}`", *package.name)).collect();
            names.sort_unstable();
            return Err(Error::new(format!("no package `{name}` in the workspace"))
                .hint(format!("its packages are {}", names.join(", "))));
        };
        let kinds = |kind: TargetKind| {
            package.targets.iter().filter(move |target| target.kind.contains(&kind))
        };
        let any = |of: &[TargetKind]| of.iter().any(|kind| kinds(kind.clone()).next().is_some());
        let lib = if any(&[TargetKind::Lib, TargetKind::RLib, TargetKind::DyLib]) {
            Some(Lib::Checked)
        } else if any(&[TargetKind::CDyLib, TargetKind::StaticLib]) {
            Some(Lib::Foreign)
        } else {
            None
        };
        let runtime = package.dependencies.iter().find(|dependency| dependency.name == RUNTIME);
        let dirs = metadata.packages.iter().filter_map(|package| package.manifest_path.parent());
        Ok(Package {
            name: name.to_owned(),
            manifest_path: package.manifest_path.clone().into(),
            lib,
            bins: kinds(TargetKind::Bin).map(|target| target.name.clone()).collect(),
            runtime: runtime
                .map(|runtime| runtime.rename.clone().unwrap_or_else(|| runtime.name.clone())),
            members: dirs.map(|dir| dir.as_std_path().to_owned()).collect(),
        })
    }
}

fn key_of(cx: &Context, manifest: &Path) -> String {
    let mut text = String::new();
    // Another checkout may have the same migrations directory, and so the same work directory.
    text += &cx.project.workspace_root.to_string_lossy();
    let root = cx.project.workspace_root.join("Cargo.toml");
    for path in [&root, &cx.project.manifest_path, manifest] {
        text += &fs::read_to_string(path).unwrap_or_default();
        text.push('\n');
    }
    let src = manifest.with_file_name("src");
    for dir in [src.clone(), src.join("bin")] {
        let entries = dir.read_dir().into_iter().flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        text += &names.join("\n");
        text.push('\n');
    }
    short_hash(text.as_bytes())
}
