//! A database file that isn't there before a run, and not after one that failed.
//!
//! SQLite creates the file before it knows whether anything will be committed, and nobody may take
//! it away again: another process could have opened it. So it is created under another name, which
//! nobody else opens, and gets its own by a link, which never replaces a file.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::alone::Alone;
use crate::driver::{DatabaseError, Wait};

/// The file under its passing name, which is gone when this is dropped.
pub(super) struct Fresh {
    path: PathBuf,
    target: PathBuf,
    /// Two processes would run the same steps.
    _lock: Alone,
}

impl Fresh {
    /// Reserves the passing name; `None` where the file exists now, or can't be created so, as on a
    /// file system without links.
    pub(super) fn claim(
        target: &Path,
        wait: &mut Wait<'_>,
    ) -> Result<Option<Fresh>, DatabaseError> {
        // To SQLite these names are no files.
        if target == Path::new("") || target == Path::new(":memory:") {
            return Ok(None);
        }
        // The current directory may change before the link is made.
        let Ok(target) = std::path::absolute(target) else { return Ok(None) };
        let is_dir = target.parent().is_some_and(Path::is_dir);
        if !is_dir || target.exists() || target.is_symlink() {
            return Ok(None);
        }
        let lock = match Alone::take(&target, wait) {
            Err(err) if err.is_busy() => return Err(err),
            Err(_) => return Ok(None),
            Ok(lock) => lock,
        };
        let path = with_suffix(&target, "-dbmigrate-new");
        let fresh = Fresh { path, target, _lock: lock };
        // Of a process that was killed.
        fresh.remove();
        let can_link = !fresh.target.exists() && fresh.can_link().is_ok();
        Ok(can_link.then_some(fresh))
    }

    /// Its passing name.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its own name.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Whether anything was committed.
    pub(super) fn is_written(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|file| file.len() > 0)
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

    /// Gives the file its own name, and takes the passing one away. Nothing may have it open.
    ///
    /// # Errors
    ///
    /// When another process has created a file of that name, and what the file system says.
    pub(super) fn publish(self) -> Result<(), DatabaseError> {
        let name = self.target.display();
        fs::hard_link(&self.path, &self.target).map_err(|err| {
            DatabaseError::new(match err.kind() {
                ErrorKind::AlreadyExists => format!(
                    "another process created the database `{name}` meanwhile, and that file was \
                     left as it is; run this again to migrate it"
                ),
                _ => format!("the new database could not get the name `{name}`: {err}"),
            })
        })
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
