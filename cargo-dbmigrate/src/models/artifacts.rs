//! The artifacts that cargo reports, and the records in them.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{Artifact, TargetKind};
use dbmigrate_runtime::engine::naming::Convention;
use dbmigrate_runtime::engine::record::{self, ModelRecord, RecordError, Scan};

use super::origin::{Foreign, foreign};
use super::targets::Package;
use crate::context::Context;
use crate::error::{Doing as _, Result};

/// What was found in artifacts.
#[derive(Debug, Default)]
pub struct Found {
    /// Whether the runtime is among the dependencies.
    pub runtime: bool,
    /// The runtime's version. If there are several, one that isn't this tool's.
    pub runtime_version: Option<String>,
    /// Whether the runtime's own record can be read, so that models' records can be read as well.
    pub canary: bool,
    pub records: Vec<ModelRecord>,
    pub damaged: Vec<Damaged>,
    /// An artifact that may come from another checkout, preferably one that tells from which.
    pub foreign: Option<Foreign>,
}

/// A record that can't be read.
#[derive(Debug)]
pub struct Damaged {
    pub file: PathBuf,
    pub error: RecordError,
}

impl Found {
    /// Reads the records in a file, with this convention for names that models don't give. `shared`
    /// is the artifact if another checkout may have produced the file.
    pub fn read(
        &mut self,
        path: &Path,
        shared: Option<&Artifact>,
        naming: &Convention,
    ) -> Result<()> {
        let bytes = read(path)?;
        let scan = record::scan_with(&bytes, naming);
        let is_known = self.foreign.as_ref().is_some_and(|other| other.dir.is_some());
        if !is_known && scan.damaged.is_empty() {
            let other = shared.and_then(|artifact| foreign(artifact, &scan.records, &bytes));
            self.foreign = other.or(self.foreign.take());
        }
        self.add(path, scan);
        Ok(())
    }

    /// Checks where an artifact's file without records comes from.
    pub fn look_at(&mut self, path: &Path, shared: &Artifact) -> Result<()> {
        if self.foreign.is_none() && shared.fresh {
            self.foreign = foreign(shared, &[], &read(path)?);
        }
        Ok(())
    }

    /// Reads only the runtime's own record.
    pub fn read_runtime(&mut self, artifact: &Artifact) -> Result<()> {
        for path in of_check(artifact) {
            let Scan { canary, damaged, .. } = record::scan(&read(path)?);
            self.add(path, Scan { canary, damaged, ..Scan::default() });
        }
        Ok(())
    }

    /// Records that the runtime is among the dependencies, and its version.
    pub fn see_runtime(&mut self, artifact: &Artifact) {
        self.runtime = true;
        let version = version(&artifact.package_id.repr);
        if self.runtime_version.as_deref().is_none_or(|known| known == env!("CARGO_PKG_VERSION")) {
            self.runtime_version = version.map(str::to_owned);
        }
    }

    fn add(&mut self, path: &Path, scan: Scan) {
        self.canary |= scan.canary;
        self.records.extend(scan.records);
        let damaged = |error| Damaged { file: path.to_owned(), error };
        self.damaged.extend(scan.damaged.into_iter().map(damaged));
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).doing(|| format!("read `{}`", path.display()))
}

/// The version in a package's identifier, which ends in `#name@version` or `#version`.
fn version(id: &str) -> Option<&str> {
    let (_, end) = id.rsplit_once('#')?;
    let version = end.rsplit_once('@').map_or(end, |(_, version)| version);
    version.starts_with(|c: char| c.is_ascii_digit()).then_some(version)
}

/// Whether the artifact is dbmigrate's own runtime.
pub fn is_runtime(artifact: &Artifact) -> bool {
    artifact.target.name.replace('_', "-") == super::RUNTIME && is_lib(artifact)
}

pub fn is_lib(artifact: &Artifact) -> bool {
    let kinds = [TargetKind::Lib, TargetKind::RLib, TargetKind::DyLib];
    kinds.iter().any(|kind| artifact.target.kind.contains(kind))
}

/// Whether its package is in the workspace, or at least inside the workspace's directory.
pub fn is_local(cx: &Context, package: &Package, artifact: &Artifact) -> bool {
    artifact.package_id.repr.contains("path+file:")
        && (artifact.manifest_path.starts_with(&cx.project.workspace_root)
            || is_member(package, artifact))
}

/// Whether its package is a member of the workspace.
pub fn is_member(package: &Package, artifact: &Artifact) -> bool {
    let dir = artifact.manifest_path.parent();
    dir.is_some_and(|dir| package.members.iter().any(|member| member == dir))
}

/// The metadata that a check wrote. An artifact for build scripts and macros also has a library; it
/// isn't part of the program, so it doesn't count.
pub fn of_check(artifact: &Artifact) -> Vec<&Path> {
    let paths = || artifact.filenames.iter().map(|path| path.as_std_path());
    let ends = |path: &Path, end: &str| path.extension().is_some_and(|extension| extension == end);
    if paths().any(|path| ends(path, "rlib")) {
        return Vec::new();
    }
    paths().filter(|path| ends(path, "rmeta")).collect()
}

/// An artifact for build scripts and macros, which determine what the program is.
pub fn of_build(artifact: &Artifact) -> Option<&Path> {
    let is_built = artifact.target.kind.contains(&TargetKind::ProcMacro)
        || is_lib(artifact) && of_check(artifact).is_empty();
    let mut paths = artifact.filenames.iter().filter(|_| is_built);
    let ends = ["rmeta", "so", "dylib", "dll"];
    let path = paths.find(|path| path.extension().is_some_and(|end| ends.contains(&end)));
    path.map(|path| path.as_std_path())
}

/// The sources that a target was compiled from.
pub fn sources(cx: &Context, artifact: &Artifact) -> Option<Vec<PathBuf>> {
    let path = *of_check(artifact).first()?;
    let name = path.file_stem()?.to_str()?;
    let name = name.strip_prefix("lib").unwrap_or(name);
    let text = fs::read_to_string(path.with_file_name(format!("{name}.d"))).ok()?;
    let dir = artifact.manifest_path.parent()?.as_std_path();
    let located = |path: PathBuf| {
        // Rustc runs in the workspace's directory, or in a package's own directory if that is
        // outside.
        let in_workspace = cx.project.workspace_root.join(&path);
        if in_workspace.is_file() { in_workspace } else { dir.join(path) }
    };
    Some(dep_info(&text).into_iter().map(located).collect())
}

/// The files that the first rule of a makefile depends on.
pub fn dep_info(text: &str) -> Vec<PathBuf> {
    let line = text.lines().next().unwrap_or_default();
    // The rule's target may contain a drive's colon, which isn't followed by a space.
    let Some((_, files)) = line.split_once(": ") else { return Vec::new() };
    // A space within a path is preceded by a backslash.
    let mut paths: Vec<String> = Vec::new();
    let mut continues = false;
    for part in files.split(' ') {
        let (part, more) = part.strip_suffix('\\').map_or((part, false), |rest| (rest, true));
        match paths.last_mut() {
            Some(path) if continues => *path += &format!(" {part}"),
            _ => paths.push(part.to_owned()),
        }
        continues = more;
    }
    paths.into_iter().filter(|path| !path.is_empty()).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_in_a_package_s_identifier() {
        assert_eq!(version("path+file:///srv/dbmigrate-runtime#0.2.0"), Some("0.2.0"));
        assert_eq!(version("registry+https://x#dbmigrate-runtime@1.0.0-rc.1"), Some("1.0.0-rc.1"));
        assert_eq!(version("dbmigrate-runtime 0.1.0 (path+file:///srv)"), None);
    }

    #[test]
    fn blanks_in_paths() {
        let text = "a/b.d: src/main.rs /x/mit\\ zwei\\ Wörtern.rs C:\\y.rs\n\nsrc/main.rs:\n";
        let expected = ["src/main.rs", "/x/mit zwei Wörtern.rs", "C:\\y.rs"];
        assert_eq!(dep_info(text), expected.map(PathBuf::from));
        assert_eq!(dep_info(""), Vec::<PathBuf>::new());
    }
}
