//! A lock, so that only one process at a time compiles a project's migrations.

use std::fs::{self, File};
use std::path::Path;

use fs4::TryLockError;

use crate::error::{Doing as _, Result};
use crate::output::Output;

/// Held until it is dropped. Never held while a host is built, whose build script may need the
/// lock.
#[derive(Debug)]
pub struct Lock {
    _file: Option<File>,
}

impl Lock {
    /// Waits for the lock of this directory, which is created if it doesn't exist.
    pub fn take(dir: &Path, out: Output) -> Result<Lock> {
        let doing = || format!("lock `{}`", dir.display());
        fs::create_dir_all(dir).doing(doing)?;
        let file = File::options().create(true).append(true).open(dir.join("lock"));
        let file = file.doing(doing)?;
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                out.progress("Waiting for another process that compiles the migrations");
                fs4::FileExt::lock(&file).doing(doing)?;
            }
            // A file system without locks. Files are written by renaming, and cargo has a lock of
            // its own.
            Err(TryLockError::Error(_)) => return Ok(Lock { _file: None }),
        }
        Ok(Lock { _file: Some(file) })
    }
}
