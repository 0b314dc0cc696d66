//! A database file that isn't there before a run, and not after one that failed.
//!
//! SQLite creates the file before it knows whether the run arrives, and nobody may take it away
//! again: another process could have opened it. So it is made under another name, which nobody else
//! opens, and gets its own by a link, which never replaces a file.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{fs, io};

use dbmigrate_runtime::engine::driver::sqlite::FileLock;
use dbmigrate_runtime::engine::driver::{DatabaseError, Wait};

use super::Patience;

/// The file under its passing name, which is gone when this is dropped.
#[derive(Debug)]
pub struct Fresh {
    path: PathBuf,
    target: PathBuf,
    /// Two tools would run the same steps.
    _lock: FileLock,
}

impl Fresh {
    /// Makes the file under another name; `None` where it is there by now, or can't be made so, as
    /// on a file system without links.
    ///
    /// # Errors
    ///
    /// When another tool makes it for longer than is to be waited.
    pub fn claim(target: &Path, patience: Patience) -> Result<Option<Fresh>, DatabaseError> {
        if target.is_symlink() || !target.parent().is_some_and(Path::is_dir) {
            return Ok(None);
        }
        let mut on_wait = |at_most| patience.out.waiting(at_most);
        let mut wait = Wait { at_most: patience.at_most, on_wait: &mut on_wait };
        let lock = match FileLock::take(target, &mut wait) {
            Err(err) if err.is_busy() => return Err(err),
            Err(_) => return Ok(None),
            Ok(lock) => lock,
        };
        let path = with_suffix(target, "-dbmigrate-new");
        let fresh = Fresh { path, target: target.to_owned(), _lock: lock };
        // Of a tool that was killed.
        fresh.remove();
        let can_link = !target.exists() && fresh.can_link().is_ok();
        Ok(can_link.then_some(fresh))
    }

    /// Its passing name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn can_link(&self) -> io::Result<()> {
        let second = with_suffix(&self.path, "-link");
        fs::File::create(&self.path)?;
        let res = fs::hard_link(&self.path, &second);
        let _ = fs::remove_file(&second);
        // Else it would have the permissions of this file and not those that SQLite gives.
        fs::remove_file(&self.path)?;
        res
    }

    /// Gives the file its own name; whether nobody else has made one meanwhile. Nothing may have it
    /// open.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn publish(self) -> io::Result<bool> {
        match fs::hard_link(&self.path, &self.target) {
            Err(err) if err.kind() == ErrorKind::AlreadyExists => Ok(false),
            res => res.map(|()| true),
        }
    }

    fn remove(&self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(with_suffix(&self.path, suffix));
        }
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        self.remove();
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
