//! A claim on something that belongs to a process. It ends with the process, however that ends.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use super::SqliteConnection;
use super::error::error;
use crate::driver::DatabaseError;

/// An exclusive transaction on an empty file, held until this is dropped.
pub(crate) struct Claim {
    /// Nobody uses it, and so it can be shared.
    _file: Mutex<SqliteConnection>,
}

impl Claim {
    /// Claims what a file stands for; `None` if somebody else has claimed it.
    pub(crate) fn take(path: &Path) -> Result<Option<Claim>, DatabaseError> {
        let file = SqliteConnection::open(path).map_err(error)?;
        file.busy_timeout(Duration::ZERO).map_err(error)?;
        // A journal would be another file.
        let sql = "PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE";
        match file.execute_batch(sql).map_err(error) {
            Ok(()) => Ok(Some(Claim { _file: Mutex::new(file) })),
            Err(err) if err.is_busy() => Ok(None),
            Err(err) => Err(err),
        }
    }
}
