//! The files that cargo says it made, and the records in them.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{Artifact, TargetKind};
use dbmigrate_runtime::record::{self, ModelRecord, RecordError};
use dbmigrate_runtime::schema::naming::Convention;

use super::targets::Package;
use crate::context::Context;
use crate::error::{Doing as _, Result};

/// What was found in files.
#[derive(Debug, Default)]
pub struct Found {
    /// Whether the runtime is among the dependencies.
    pub runtime: bool,
    /// Whether the runtime's own record can be read, so that models' records can, too.
    pub canary: bool,
    pub records: Vec<ModelRecord>,
    pub damaged: Vec<Damaged>,
}

/// A record that can't be read.
#[derive(Debug)]
pub struct Damaged {
    pub file: PathBuf,
    pub error: RecordError,
}

impl Found {
    /// Reads the records in a file, with this convention for names that models don't give.
    pub fn read(&mut self, path: &Path, naming: &Convention) -> Result<()> {
        let bytes = fs::read(path).doing(|| format!("read `{}`", path.display()))?;
        let scan = record::scan_with(&bytes, naming);
        self.canary |= scan.canary;
        self.records.extend(scan.records);
        let damaged = |error| Damaged { file: path.to_owned(), error };
        self.damaged.extend(scan.damaged.into_iter().map(damaged));
        Ok(())
    }

    /// Reads the runtime's own file for its record alone.
    pub fn read_runtime(&mut self, artifact: &Artifact) -> Result<()> {
        self.runtime = true;
        for path in of_check(artifact) {
            let bytes = fs::read(path).doing(|| format!("read `{}`", path.display()))?;
            self.canary |= record::scan(&bytes).canary;
        }
        Ok(())
    }
}

/// Whether it is dbmigrate's own runtime.
pub fn is_runtime(artifact: &Artifact) -> bool {
    artifact.target.name.replace('_', "-") == super::RUNTIME && is_lib(artifact)
}

pub fn is_lib(artifact: &Artifact) -> bool {
    let kinds = [TargetKind::Lib, TargetKind::RLib, TargetKind::DyLib];
    kinds.iter().any(|it| artifact.target.kind.contains(it))
}

/// Whether its package is in the workspace or at least beneath its directory.
pub fn is_local(cx: &Context, package: &Package, artifact: &Artifact) -> bool {
    let manifest = artifact.manifest_path.as_std_path();
    artifact.package_id.repr.contains("path+file:")
        && (manifest.starts_with(&cx.project.workspace_root)
            || manifest.parent().is_some_and(|it| package.members.iter().any(|dir| dir == it)))
}

/// The metadata that a check wrote. What is built for build scripts and macros has a library
/// beside it and isn't part of the program, so it doesn't count.
pub fn of_check(artifact: &Artifact) -> Vec<&Path> {
    let paths = || artifact.filenames.iter().map(|it| it.as_std_path());
    let ends = |path: &Path, end: &str| path.extension().is_some_and(|it| it == end);
    if paths().any(|it| ends(it, "rlib")) {
        return Vec::new();
    }
    paths().filter(|it| ends(it, "rmeta")).collect()
}

/// The sources that a target was compiled from.
pub fn sources(cx: &Context, artifact: &Artifact) -> Option<Vec<PathBuf>> {
    let path = *of_check(artifact).first()?;
    let name = path.file_stem()?.to_str()?;
    let name = name.strip_prefix("lib").unwrap_or(name);
    let text = fs::read_to_string(path.with_file_name(format!("{name}.d"))).ok()?;
    let dir = artifact.manifest_path.parent()?.as_std_path();
    let from_where_it_is = |path: PathBuf| {
        // Rustc runs in the workspace's directory, or for packages outside of it in their own.
        let in_workspace = cx.project.workspace_root.join(&path);
        if in_workspace.is_file() { in_workspace } else { dir.join(path) }
    };
    Some(dep_info(&text).into_iter().map(from_where_it_is).collect())
}

/// The files that the first rule of a makefile depends on.
pub fn dep_info(text: &str) -> Vec<PathBuf> {
    let line = text.lines().next().unwrap_or_default();
    // The rule's target may have a drive's colon, which no blank follows.
    let Some((_, files)) = line.split_once(": ") else { return Vec::new() };
    // A blank within a path has a backslash before it.
    let mut paths: Vec<String> = Vec::new();
    let mut goes_on = false;
    for part in files.split(' ') {
        let (part, more) = part.strip_suffix('\\').map_or((part, false), |it| (it, true));
        match paths.last_mut() {
            Some(path) if goes_on => *path += &format!(" {part}"),
            _ => paths.push(part.to_owned()),
        }
        goes_on = more;
    }
    paths.into_iter().filter(|it| !it.is_empty()).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_in_paths() {
        let text = "a/b.d: src/main.rs /x/mit\\ zwei\\ Wörtern.rs C:\\y.rs\n\nsrc/main.rs:\n";
        let expected = ["src/main.rs", "/x/mit zwei Wörtern.rs", "C:\\y.rs"];
        assert_eq!(dep_info(text), expected.map(PathBuf::from));
        assert_eq!(dep_info(""), Vec::<PathBuf>::new());
    }
}
