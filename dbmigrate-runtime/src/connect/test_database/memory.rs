//! A database in memory for each test, copied page by page from one that was migrated once.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use crate::Error;
use crate::driver::sqlite::error;
use crate::migration::Module;

/// The migrated databases of this process, each by the place and the number of its modules, which
/// exist as long as the process.
static TEMPLATES: Mutex<BTreeMap<(usize, usize), Connection>> = Mutex::new(BTreeMap::new());

/// Creates a database in memory that these modules have migrated.
pub(crate) fn create(
    modules: &'static [Module],
    migrate: impl FnOnce(&mut Connection) -> Result<(), Error>,
) -> Result<Connection, Error> {
    let key = (modules.as_ptr() as usize, modules.len());
    // Others wait, and then copy, instead of migrating as well.
    let mut templates = TEMPLATES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(template) = templates.get(&key) {
        return copy(template).map_err(failed);
    }
    let mut template = Connection::open_in_memory().map_err(failed)?;
    migrate(&mut template)?;
    let copied = copy(&template).map_err(failed);
    templates.insert(key, template);
    copied
}

fn failed(err: rusqlite::Error) -> Error {
    Error::test_claim(error(err))
}

fn copy(template: &Connection) -> rusqlite::Result<Connection> {
    let mut copied = Connection::open_in_memory()?;
    let page_size: i64 = template.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    copied.pragma_update(None, "page_size", page_size)?;
    let backup = Backup::new(template, &mut copied)?;
    backup.run_to_completion(c_int::MAX, Duration::ZERO, None)?;
    drop(backup);
    Ok(copied)
}
