//! Whether an artifact was made from this checkout's sources.
//!
//! Cargo derives the name of a package's artifact from the package's place in its workspace. So two
//! checkouts with the same target directory use the same names, and if one was compiled after the
//! other's sources were last written, cargo considers its artifacts fresh for the other.

use std::path::{Path, PathBuf};

use cargo_metadata::Artifact;
use dbmigrate_runtime::engine::record::ModelRecord;

/// An artifact that was made, or may have been made, from the sources of another package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// The directory of the package that it was made from, if the artifact tells.
    pub dir: Option<PathBuf>,
}

/// Where an artifact with these bytes and records was made, as far as that is known; `None` if it
/// was made here.
pub fn foreign(artifact: &Artifact, records: &[ModelRecord], bytes: &[u8]) -> Option<Foreign> {
    let here = artifact.manifest_path.parent()?.as_std_path();
    let mut dirs = records.iter().map(|record| Path::new(&record.manifest_dir));
    if let Some(dir) = dirs.find(|dir| !dir.as_os_str().is_empty()) {
        return (!is_same(dir, here)).then(|| Foreign { dir: Some(dir.to_owned()) });
    }
    // Without a model, no record tells the origin. The compiler stores the full paths of the
    // sources, unless they are remapped; then the origin is unknown.
    let source = artifact.target.src_path.as_str().as_bytes();
    let is_here = !artifact.fresh || memchr::memmem::find(bytes, source).is_some();
    (!is_here).then_some(Foreign { dir: None })
}

/// Whether two paths lead to the same directory.
fn is_same(one: &Path, other: &Path) -> bool {
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    one == other || canonical(one) == canonical(other)
}
