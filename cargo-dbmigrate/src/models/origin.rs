//! Whether an artifact was made from this checkout's sources.
//!
//! Cargo names what it makes of a package by the package's place in its workspace. So two checkouts
//! that share a target directory have the same names in it, and where one was compiled after the
//! other's sources were last written, cargo calls the one's artifacts fresh for the other.

use std::path::{Path, PathBuf};

use cargo_metadata::Artifact;
use dbmigrate_runtime::engine::record::ModelRecord;

/// An artifact that was made from other sources than its package's, or may have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// The directory of the package that it was made from, where it says so.
    pub dir: Option<PathBuf>,
}

/// What is known of where an artifact with these bytes and records was made, if it wasn't here.
pub fn foreign(artifact: &Artifact, records: &[ModelRecord], bytes: &[u8]) -> Option<Foreign> {
    let here = artifact.manifest_path.parent()?.as_std_path();
    let mut dirs = records.iter().map(|record| Path::new(&record.manifest_dir));
    if let Some(dir) = dirs.find(|dir| !dir.as_os_str().is_empty()) {
        return (!is_same(dir, here)).then(|| Foreign { dir: Some(dir.to_owned()) });
    }
    // Without a model nothing of ours says it. The compiler names the sources by their whole paths,
    // unless these are remapped; then it can't be told.
    let source = artifact.target.src_path.as_str().as_bytes();
    let is_here = !artifact.fresh || memchr::memmem::find(bytes, source).is_some();
    (!is_here).then_some(Foreign { dir: None })
}

/// Whether two paths lead to one directory.
fn is_same(one: &Path, other: &Path) -> bool {
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    one == other || canonical(one) == canonical(other)
}
