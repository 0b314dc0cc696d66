//! The lock of a revision that stands alone.
//!
//! Such a revision has no transaction that would keep others from running it too. Its lock is an
//! exclusive transaction on an empty file beside the database: SQLite's locks end with their
//! process, so nothing stale is left by one that was killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{SqliteDriver, patiently};
use crate::driver::Access;
use crate::driver::{Connection as _, DatabaseError, Driver as _, ErrorKind, Wait};

/// The lock, held until it is dropped.
pub(super) struct Alone {
    path: PathBuf,
    file: Option<SqliteDriver<'static>>,
}

impl Alone {
    /// Takes the lock of a database file, waiting for it at most that long.
    pub(super) fn take(database: &Path, wait: &mut Wait<'_>) -> Result<Alone, DatabaseError> {
        let mut path = database.as_os_str().to_owned();
        path.push("-dbmigrate");
        let path = PathBuf::from(path);
        let file = patiently(wait, || attempt(&path, database))?;
        Ok(Alone { path, file: Some(file) })
    }
}

/// One attempt; that the file was made or taken away meanwhile is as good as its being locked.
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
    // An empty file's transaction begins with a first page, whose journal would be another file.
    let res = file.query("PRAGMA journal_mode = MEMORY", &[]);
    let res = res.and_then(|_| file.batch("BEGIN EXCLUSIVE"));
    // Whoever had the lock takes the file away, and a lock on a file that is gone locks nobody
    // out; nor does SQLite expect it to go.
    if !is_same() {
        return Err(busy());
    }
    res.map(|()| file)
}

/// Creates the empty file, which whoever is the first to lock it has. SQLite opens and closes it: it
/// knows of other handles of this process, whose locks closing any other handle would end.
fn create(path: &Path, database: &Path) -> Result<Identity, DatabaseError> {
    let _file = SqliteDriver::open(path, Access::Create)?;
    // Else nobody but who made it could take the lock after them, if they are killed.
    if let Ok(found) = fs::metadata(database) {
        let _ = fs::set_permissions(path, found.permissions());
    }
    identity(path).ok_or_else(busy)
}

fn busy() -> DatabaseError {
    DatabaseError::of(ErrorKind::Busy, "database is locked")
}

/// What tells the file from another one of its name.
type Identity = (u64, u64, Option<std::time::SystemTime>);

fn identity(path: &Path) -> Option<Identity> {
    let metadata = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let (device, number) = {
        use std::os::unix::fs::MetadataExt as _;
        (metadata.dev(), metadata.ino())
    };
    // Where a file that is open can't be taken away, the name is enough.
    #[cfg(not(unix))]
    let (device, number) = (0, 0);
    Some((device, number, metadata.created().ok()))
}

impl Drop for Alone {
    fn drop(&mut self) {
        // On Unix under the lock, so that nobody takes it on a file that is about to go; elsewhere
        // it is refused as long as anybody has the file open.
        if cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
        drop(self.file.take());
        if !cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
    }
}
