//! SQLite through rusqlite, in whichever version the application uses.
//!
//! Only features that all versions of rusqlite from 0.32 on have are used here.

mod alone;
mod claim;
mod error;
mod fresh;
mod pages;
mod parts;

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::types::{Value as SqliteValue, ValueRef};
use rusqlite::{Connection as SqliteConnection, OpenFlags, params_from_iter};

use super::wait::patiently;
use super::{Connection, DatabaseError, Driver, Rows, Scope, Wait};
use crate::Value;
use crate::dialect::{Dialect, Sqlite};
use crate::driver::Access;
use alone::Alone;
pub(crate) use claim::Claim;
pub(crate) use error::error;
use error::error_in;
use fresh::Fresh;
pub use fresh::behind_links;
pub use pages::Pages;
use parts::parts;

/// A driver with its own connection, or with a connection borrowed from a program.
pub struct SqliteDriver<'a> {
    conn: Handle<'a>,
    saved: Option<Saved>,
    alone: Option<Box<Alone>>,
    /// A new file that gets its final name once something is committed. The connection is closed
    /// before the file is removed.
    fresh: Option<Box<Fresh>>,
    /// Whether a transaction was begun and has not been committed or rolled back since.
    has_begun: bool,
}

enum Handle<'a> {
    Own(SqliteConnection),
    Lent(&'a mut SqliteConnection),
    Read(&'a SqliteConnection),
}

/// The settings that `prepare` saved.
struct Saved {
    foreign_keys: bool,
    legacy_alter_table: bool,
    busy_timeout: i64,
    cache_spill: i64,
}

impl std::fmt::Debug for SqliteDriver<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteDriver").finish_non_exhaustive()
    }
}

impl SqliteDriver<'static> {
    /// Opens a database file.
    ///
    /// # Errors
    ///
    /// When the file can't be opened. A file that isn't a database is noticed on first use.
    pub fn open(path: &Path, access: Access) -> Result<SqliteDriver<'static>, DatabaseError> {
        let flags = match access {
            Access::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Access::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Access::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        };
        let conn = SqliteConnection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(error)?;
        // Without a write-ahead log, readers may run into the short lock of a writer's commit.
        conn.busy_timeout(Duration::from_secs(5)).map_err(error)?;
        Ok(SqliteDriver::over(Handle::Own(conn)))
    }

    /// Opens a database file. A missing file is created by the first commit, so that a run that
    /// fails leaves no file. Waits while another process creates the file.
    ///
    /// # Errors
    ///
    /// An error that [is busy](DatabaseError::is_busy) when the time is up, and as
    /// [`SqliteDriver::open`].
    pub fn create(
        path: &Path,
        wait: &mut Wait<'_>,
    ) -> Result<SqliteDriver<'static>, DatabaseError> {
        let fresh = Fresh::claim(path, wait)?;
        let conn = SqliteDriver::open(fresh.as_ref().map_or(path, Fresh::path), Access::Create)?;
        Ok(SqliteDriver { fresh: fresh.map(Box::new), ..conn })
    }

    /// Sets how long a statement waits for another connection's lock, instead of 5 seconds.
    ///
    /// # Errors
    ///
    /// SQLite's errors.
    pub fn set_busy_timeout(&self, timeout: Duration) -> Result<(), DatabaseError> {
        // rusqlite panics above SQLite's maximum, which is some 24 days.
        let at_most = Duration::from_millis(i32::MAX.unsigned_abs().into());
        self.conn().busy_timeout(timeout.min(at_most)).map_err(error)
    }

    /// Opens a new database in memory.
    ///
    /// # Errors
    ///
    /// SQLite's errors.
    pub fn open_in_memory() -> Result<SqliteDriver<'static>, DatabaseError> {
        let conn = SqliteConnection::open_in_memory().map_err(error)?;
        Ok(SqliteDriver::over(Handle::Own(conn)))
    }
}

impl<'a> SqliteDriver<'a> {
    /// Borrows a program's own connection.
    pub fn lent(conn: &'a mut SqliteConnection) -> SqliteDriver<'a> {
        SqliteDriver::over(Handle::Lent(conn))
    }

    /// Borrows a program's own connection for reading.
    pub(crate) fn reading(conn: &'a SqliteConnection) -> SqliteDriver<'a> {
        SqliteDriver::over(Handle::Read(conn))
    }

    fn over(conn: Handle<'a>) -> SqliteDriver<'a> {
        SqliteDriver { conn, saved: None, alone: None, fresh: None, has_begun: false }
    }

    /// The connection, unless the transaction has already ended: a statement would then be committed
    /// on its own. After some errors SQLite rolls the whole transaction back (sqlite.org,
    /// `lang_transaction.html`, section 3).
    fn usable(&self) -> Result<&SqliteConnection, DatabaseError> {
        if self.has_begun && !self.in_transaction() {
            let why = "the transaction has already ended: SQLite rolled it back after an earlier error, or \
                       SQL of the revision ended it";
            return Err(DatabaseError::new(why));
        }
        Ok(self.conn())
    }

    fn conn(&self) -> &SqliteConnection {
        match &self.conn {
            Handle::Own(connection) => connection,
            Handle::Lent(connection) => connection,
            Handle::Read(connection) => connection,
        }
    }

    fn pragma(&self, name: &str) -> Result<i64, DatabaseError> {
        let sql = format!("PRAGMA {name}");
        self.conn().query_row(&sql, [], |row| row.get(0)).map_err(error)
    }

    fn set_pragma(&self, name: &str, value: i64) -> Result<(), DatabaseError> {
        self.conn().execute_batch(&format!("PRAGMA {name} = {value}")).map_err(error)
    }
}

impl Connection for SqliteDriver<'_> {
    fn dialect(&self) -> &'static dyn Dialect {
        &Sqlite
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        let conn = self.usable()?;
        let mut stmt = conn.prepare(sql).map_err(|err| error_in(sql, err))?;
        let params = params_from_iter(params.iter().map(to_sqlite));
        if stmt.column_count() == 0 {
            return Ok(stmt.execute(params).map_err(|err| error_in(sql, err))? as u64);
        }
        let mut rows = stmt.query(params).map_err(|err| error_in(sql, err))?;
        while rows.next().map_err(|err| error_in(sql, err))?.is_some() {}
        Ok(conn.changes())
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Rows, DatabaseError> {
        let mut stmt = self.usable()?.prepare(sql).map_err(|err| error_in(sql, err))?;
        let n_columns = stmt.column_count();
        let columns = (0..n_columns)
            .map(|idx| stmt.column_name(idx).map(str::to_owned))
            .collect::<Result<_, _>>()
            .map_err(|err| error_in(sql, err))?;
        let mut found = stmt
            .query(params_from_iter(params.iter().map(to_sqlite)))
            .map_err(|err| error_in(sql, err))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(|err| error_in(sql, err))? {
            let values = (0..n_columns).map(|idx| row.get_ref(idx).map(from_sqlite));
            rows.push(values.collect::<Result<_, _>>().map_err(|err| error_in(sql, err))?);
        }
        Ok(Rows { columns, rows })
    }

    fn in_transaction(&self) -> bool {
        !self.conn().is_autocommit()
    }
}

impl Driver for SqliteDriver<'_> {
    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        parts(sql).into_iter().try_for_each(|part| {
            self.usable()?.execute_batch(part).map_err(|err| error_in(part, err))
        })
    }

    fn prepare(&mut self, _history: &str) -> Result<(), DatabaseError> {
        let saved = Saved {
            foreign_keys: self.pragma("foreign_keys")? != 0,
            // If this is on, renaming a table doesn't update the references to it.
            legacy_alter_table: self.pragma("legacy_alter_table").unwrap_or(0) != 0,
            busy_timeout: self.pragma("busy_timeout")?,
            cache_spill: self.pragma("cache_spill").unwrap_or(1),
        };
        self.saved = Some(saved);
        let res = self.switch_off();
        if res.is_err() {
            let _ = self.restore();
        }
        res
    }

    fn restore(&mut self) -> Result<(), DatabaseError> {
        let Some(saved) = self.saved.take() else { return Ok(()) };
        // What a revision did outside a transaction stays, even if the revision failed.
        let published = self.publish();
        let timeout = self.set_pragma("busy_timeout", saved.busy_timeout);
        if self.pragma("cache_spill").is_ok_and(|pragma| pragma != saved.cache_spill) {
            self.set_pragma("cache_spill", saved.cache_spill)?;
        }
        // A failed rebuild may have left this on.
        self.set_pragma("legacy_alter_table", saved.legacy_alter_table.into())?;
        self.set_pragma("foreign_keys", saved.foreign_keys.into())?;
        published.and(timeout)
    }

    fn begin(&mut self, scope: Scope, wait: &mut Wait<'_>) -> Result<(), DatabaseError> {
        self.publish()?;
        match scope {
            Scope::Transaction | Scope::Group | Scope::Entry => self.begin_transaction(wait, false),
            Scope::Piece => self.begin_transaction(wait, true),
            Scope::Alone => self.begin_alone(wait),
        }
    }

    fn commit(&mut self) -> Result<(), DatabaseError> {
        self.conn().execute_batch("COMMIT").map_err(error)?;
        self.has_begun = false;
        self.publish()
    }

    fn rollback(&mut self) {
        self.has_begun = false;
        if self.in_transaction() {
            // If this fails, SQLite has already rolled back, and the caller has the error that led
            // here.
            let _ = self.conn().execute_batch("ROLLBACK");
        }
    }

    fn release(&mut self) {
        self.alone = None;
    }
}

impl SqliteDriver<'_> {
    /// Gives a new file its final name if anything was committed, and continues in it. The
    /// connection is reopened, since SQLite derives the names of journals from the name that was
    /// opened.
    fn publish(&mut self) -> Result<(), DatabaseError> {
        let Some(fresh) = self.fresh.take_if(|fresh| fresh.is_written()) else { return Ok(()) };
        let busy_timeout = self.pragma("busy_timeout")?;
        let nothing = SqliteConnection::open_in_memory().map_err(error)?;
        if let Handle::Own(conn) = std::mem::replace(&mut self.conn, Handle::Own(nothing)) {
            conn.close().map_err(|(_, err)| error(err))?;
        }
        let target = fresh.target().to_owned();
        fresh.publish()?;
        let SqliteDriver { conn, .. } = SqliteDriver::open(&target, Access::ReadWrite)?;
        self.conn = conn;
        self.set_pragma("busy_timeout", busy_timeout)?;
        if self.saved.is_some() { self.switch_off() } else { Ok(()) }
    }

    fn begin_transaction(
        &mut self,
        wait: &mut Wait<'_>,
        enforces_keys: bool,
    ) -> Result<(), DatabaseError> {
        if self.saved.is_some() {
            // SQL that ran outside a transaction may have enabled them.
            self.switch_off()?;
        }
        if enforces_keys {
            self.set_pragma("foreign_keys", 1)?;
        }
        // dbmigrate waits by itself instead of letting SQLite wait, so that it can report the wait.
        self.set_pragma("busy_timeout", 0)?;
        let res = patiently(
            wait,
            || None,
            || self.conn().execute_batch("BEGIN IMMEDIATE").map_err(error),
        );
        self.has_begun = res.is_ok();
        if res.is_ok() && self.has_attached()? {
            // A step that writes to another file has to wait for that file's lock.
            let busy_timeout = self.saved.as_ref().map_or(5000, |saved| saved.busy_timeout);
            self.set_pragma("busy_timeout", busy_timeout)?;
            self.set_pragma("cache_spill", 0)?;
        }
        // In the other case the timeout stays 0. When the page cache is full, SQLite writes pages
        // to the file in the middle of the transaction, which readers block. With a timeout SQLite
        // would silently wait the whole time for each such page, and then continue in memory, as it
        // does immediately now (sqlite.org, `lockingv3.html`, section 5).
        res
    }

    fn begin_alone(&mut self, wait: &mut Wait<'_>) -> Result<(), DatabaseError> {
        let start = Instant::now();
        // No other process can have a database in memory. It has no file, whatever its name is.
        let path = self.conn().path().map(Path::new).filter(|path| path.is_file());
        self.alone = match path {
            Some(path) => Some(Box::new(Alone::take(path, wait)?)),
            None => None,
        };
        // Each of the revision's statements takes locks of its own.
        let left = wait.at_most.saturating_sub(start.elapsed()).as_millis();
        self.set_pragma("busy_timeout", i32::try_from(left).unwrap_or(i32::MAX).into())
    }

    fn has_attached(&self) -> Result<bool, DatabaseError> {
        let sql = "SELECT count(*) FROM pragma_database_list WHERE name NOT IN ('main', 'temp')";
        let count: i64 = self.conn().query_row(sql, [], |row| row.get(0)).map_err(error)?;
        Ok(count > 0)
    }

    /// Disables what would interfere with migrations.
    fn switch_off(&self) -> Result<(), DatabaseError> {
        self.set_pragma("legacy_alter_table", 0)?;
        self.set_pragma("foreign_keys", 0)?;
        // Inside a transaction this pragma is silently ignored (sqlite.org, pragma.html).
        if self.pragma("foreign_keys")? != 0 {
            let why = "foreign key enforcement cannot be switched off on this connection";
            return Err(DatabaseError::new(why));
        }
        Ok(())
    }
}

fn to_sqlite(value: &Value) -> SqliteValue {
    match value {
        Value::Null => SqliteValue::Null,
        Value::Bool(value) => SqliteValue::Integer((*value).into()),
        Value::Integer(value) => SqliteValue::Integer(*value),
        Value::Real(value) => SqliteValue::Real(*value),
        Value::Text(value) => SqliteValue::Text(value.clone()),
        Value::Blob(bytes) => SqliteValue::Blob(bytes.clone()),
    }
}

fn from_sqlite(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Real(value) => Value::Real(value),
        // Text that isn't UTF-8 is returned as bytes; a lossy conversion would change it when it is
        // written back.
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => Value::Blob(bytes.to_owned()),
        },
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_runs_after_sqlite_has_rolled_the_transaction_back() {
        let mut driver = SqliteDriver::open_in_memory().unwrap();
        driver.batch("CREATE TABLE t (id INTEGER PRIMARY KEY)").unwrap();
        let mut wait = Wait { at_most: Duration::ZERO, on_wait: &mut |_| {} };
        driver.begin(Scope::Transaction, &mut wait).unwrap();
        driver.execute("INSERT INTO t VALUES (1)", &[]).unwrap();
        driver.execute("INSERT OR ROLLBACK INTO t VALUES (1)", &[]).unwrap_err();
        let why = "the transaction has already ended: SQLite rolled it back after an earlier error, or \
                       SQL of the revision ended it";
        let insert = "INSERT INTO t VALUES (2)";
        assert_eq!(driver.execute(insert, &[]).unwrap_err().to_string(), why);
        assert_eq!(driver.batch(insert).unwrap_err().to_string(), why);
        assert_eq!(driver.query("SELECT 1", &[]).unwrap_err().to_string(), why);
        driver.commit().unwrap_err();
        driver.rollback();
        let rows = driver.query("SELECT count(*) FROM t", &[]).unwrap().rows;
        assert_eq!(rows, [[Value::Integer(0)]]);
    }
}
