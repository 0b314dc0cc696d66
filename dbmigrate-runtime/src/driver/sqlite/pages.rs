//! Copies of database files, page by page: exactly what is in the file, whatever its tables need.
//!
//! `VACUUM INTO` would renumber rows, and fails if an index needs a function or a collation that
//! only the application has.

use std::ffi::c_int;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection as SqliteConnection;
use rusqlite::OpenFlags;
use rusqlite::backup::{Backup, StepResult};

use super::alone::Alone;
use super::{SqliteDriver, error};
use crate::driver::wait::patiently;
use crate::driver::{Connection as _, DatabaseError, ErrorKind, Wait};

/// A database file that is copied as it is.
pub struct Pages {
    conn: SqliteConnection,
    /// The lock that excludes revisions outside a transaction.
    _alone: Option<Alone>,
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

impl Pages {
    /// Opens a file that others may use meanwhile.
    ///
    /// # Errors
    ///
    /// When the file can't be opened.
    pub fn of(path: &Path) -> Result<Pages, DatabaseError> {
        // The last connection to close a write-ahead log removes it only if it may write.
        let conn = opened(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        Ok(Pages { conn, _alone: None })
    }

    /// Opens a file that nobody writes to, such as a backup. Nothing is created next to it.
    ///
    /// # Errors
    ///
    /// When the file can't be opened.
    pub fn of_unused(path: &Path) -> Result<Pages, DatabaseError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let has_log = std::fs::metadata(&log).is_ok_and(|log| log.len() > 0);
        let conn = match immutable(path).filter(|_| !has_log) {
            Some(url) => opened(Path::new(&url), flags | OpenFlags::SQLITE_OPEN_URI)?,
            None => opened(path, flags)?,
        };
        Ok(Pages { conn, _alone: None })
    }

    /// Opens a file for replacing its content. Until this value is dropped, nobody else can
    /// migrate the database or write to it.
    ///
    /// # Errors
    ///
    /// An error that [is busy](DatabaseError::is_busy) if somebody uses the database when the time
    /// is up.
    pub fn held(path: &Path, wait: &mut Wait<'_>) -> Result<Pages, DatabaseError> {
        let alone = Alone::take(path, wait)?;
        let conn = opened(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        conn.busy_timeout(Duration::ZERO).map_err(error)?;
        // The lock outlives the transaction. A write-ahead log is then locked for others as well.
        conn.query_row("PRAGMA locking_mode = EXCLUSIVE", [], |_| Ok(())).map_err(error)?;
        patiently(wait, || None, || conn.execute_batch("BEGIN EXCLUSIVE; COMMIT").map_err(error))?;
        Ok(Pages { conn, _alone: Some(alone) })
    }

    /// The connection, for queries.
    pub fn driver(&self) -> SqliteDriver<'_> {
        SqliteDriver::reading(&self.conn)
    }

    /// A number that changes when another connection commits to the file.
    ///
    /// # Errors
    ///
    /// SQLite's errors.
    pub fn version(&self) -> Result<i64, DatabaseError> {
        self.conn.query_row("PRAGMA data_version", [], |row| row.get(0)).map_err(error)
    }

    /// What is wrong with the file, if anything is.
    ///
    /// # Errors
    ///
    /// SQLite's errors.
    pub fn damage(&self) -> Result<Option<String>, DatabaseError> {
        let found = self.driver().query("PRAGMA quick_check(1)", &[])?;
        Ok(found.texts().find(|text| text != "ok"))
    }

    /// Copies the content to a file, which has to be an empty one.
    ///
    /// # Errors
    ///
    /// SQLite's errors; the file is then useless.
    pub fn copy_to(&self, path: &Path) -> Result<(), DatabaseError> {
        let mut copy = opened(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // Nobody else has the file, and it is of no use before it is complete.
        copy.query_row("PRAGMA journal_mode = OFF", [], |_| Ok(())).map_err(error)?;
        copied(&self.conn, &mut copy)
    }

    /// Replaces the content with that of another file, or leaves it as it is.
    ///
    /// # Errors
    ///
    /// SQLite's errors.
    pub fn replace_with(&mut self, other: &Pages) -> Result<(), DatabaseError> {
        copied(&other.conn, &mut self.conn)
    }
}

fn opened(path: &Path, flags: OpenFlags) -> Result<SqliteConnection, DatabaseError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    SqliteConnection::open_with_flags(path, flags).map_err(error)
}

/// Copies all pages in one transaction of both files.
fn copied(from: &SqliteConnection, to: &mut SqliteConnection) -> Result<(), DatabaseError> {
    const ALL: c_int = -1;
    let backup = Backup::new(from, to).map_err(error)?;
    match backup.step(ALL).map_err(error)? {
        StepResult::Done => Ok(()),
        _ => Err(DatabaseError::of(ErrorKind::Busy, "database is locked")),
    }
}

/// The URL that says that a file doesn't change.
#[cfg(unix)]
fn immutable(path: &Path) -> Option<String> {
    use std::fmt::Write as _;
    use std::os::unix::ffi::OsStrExt as _;
    let path = std::path::absolute(path).ok()?;
    let mut url = "file://".to_owned();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            url.push(char::from(*byte));
        } else {
            write!(url, "%{byte:02X}").ok()?;
        }
    }
    url.push_str("?immutable=1");
    Some(url)
}

/// Elsewhere paths and URLs differ more.
#[cfg(not(unix))]
fn immutable(_: &Path) -> Option<String> {
    None
}
