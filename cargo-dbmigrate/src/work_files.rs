//! Files in the target directory, which only this tool reads.

use std::fs;
use std::path::Path;

use crate::error::{Doing as _, Result};
use crate::hex::random;

/// Replaces a file atomically, so that nobody reads half of it. If the path is a link, the file
/// that it leads to is replaced.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let doing = || format!("write `{}`", path.display());
    let target =
        if path.is_symlink() { path.canonicalize().doing(doing)? } else { path.to_owned() };
    let path = target.as_path();
    let temporary = path.with_extension(format!("{}.tmp", random()?));
    fs::write(&temporary, text).doing(doing)?;
    if let Ok(metadata) = fs::metadata(path) {
        // If the file system has no permissions, nothing is lost.
        let _ = fs::set_permissions(&temporary, metadata.permissions());
    }
    fs::rename(&temporary, path).doing(doing)
}

/// Writes a file only if its text differs, so that cargo doesn't consider it changed.
pub fn write_if_new(path: &Path, text: &str) -> Result<()> {
    match fs::read_to_string(path) {
        Ok(existing) if existing == text => Ok(()),
        _ => write(path, text),
    }
}
