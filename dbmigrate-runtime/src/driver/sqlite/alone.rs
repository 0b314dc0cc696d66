//! The lock for a revision that runs outside a transaction.
//!
//! Such a revision has no transaction that would prevent others from running it too. Its lock is an
//! exclusive transaction on an empty file next to the database. SQLite's locks end with their
//! process, so a killed process leaves no stale lock.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::SqliteDriver;
use crate::driver::Access;
use crate::driver::wait::patiently;
use crate::driver::{Connection as _, DatabaseError, Driver as _, ErrorKind, Wait};

/// The lock, held until it is dropped.
pub(super) struct Alone {
    path: PathBuf,
    file: Option<SqliteDriver<'static>>,
}

impl Alone {
    /// Takes the lock of a database file, waiting at most the given time.
    pub(super) fn take(database: &Path, wait: &mut Wait<'_>) -> Result<Alone, DatabaseError> {
        let mut path = database.as_os_str().to_owned();
        path.push("-dbmigrate");
        let path = PathBuf::from(path);
        let file = patiently(wait, || None, || attempt(&path, database))?;
        Ok(Alone { path, file: Some(file) })
    }
}

/// Makes one attempt. If the file was created or removed meanwhile, that counts as locked.
fn attempt(path: &Path, database: &Path) -> Result<SqliteDriver<'static>, DatabaseError> {
    let before = match identity(path) {
        Some(found) => found,
        None => create(path, database)?,
    };
    let mut file = SqliteDriver::open(path, Access::Create)?;
    let is_same = || identity(path) == Some(before);
    if !is_same() {
        return Err(busy());
    }
    file.set_busy_timeout(Duration::ZERO)?;
    // The first transaction on an empty file writes a page, whose journal would be another file.
    let res = file.query("PRAGMA journal_mode = MEMORY", &[]);
    let res = res.and_then(|_| file.batch("BEGIN EXCLUSIVE"));
    // The previous owner of the lock removes the file. A lock on a removed file excludes nobody,
    // and SQLite doesn't expect the file to disappear.
    if !is_same() {
        return Err(busy());
    }
    res.map(|()| file)
}

/// Creates the empty file; whoever locks it first owns the lock. SQLite opens and closes the file,
/// since it keeps track of its own handles in this process: closing any other handle would release
/// their locks.
fn create(path: &Path, database: &Path) -> Result<Identity, DatabaseError> {
    let _file = SqliteDriver::open(path, Access::Create)?;
    // Otherwise, if this process is killed, only its own user could take the lock afterwards.
    if let Ok(found) = fs::metadata(database) {
        let _ = fs::set_permissions(path, found.permissions());
    }
    identity(path).ok_or_else(busy)
}

fn busy() -> DatabaseError {
    DatabaseError::of(ErrorKind::Busy, "database is locked")
}

/// Distinguishes the file from another one with the same name.
type Identity = (u64, u64, Option<std::time::SystemTime>);

fn identity(path: &Path) -> Option<Identity> {
    let metadata = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let (device, number) = {
        use std::os::unix::fs::MetadataExt as _;
        (metadata.dev(), metadata.ino())
    };
    // If an open file can't be removed, the name is enough.
    #[cfg(not(unix))]
    let (device, number) = (0, 0);
    Some((device, number, metadata.created().ok()))
}

impl Drop for Alone {
    fn drop(&mut self) {
        // On Unix the file is removed under the lock, so that nobody locks a file that is about to
        // disappear. Elsewhere removing it fails for as long as anybody has it open.
        if cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
        drop(self.file.take());
        if !cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
    }
}
