//! SQLite by rusqlite, in whichever version the application has.
//!
//! Only what all versions of rusqlite from 0.32 on have is used here.

mod alone;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::types::{Value as SqliteValue, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};

use super::{Broken, DatabaseError, Driver, ErrorKind, Rows, Violation};
use crate::dialect::{Dialect, Facts, Introspected, Sqlite, StoredObject};
use crate::{Value, sql};
use alone::Alone;

/// How a database file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To read only; the file has to be there.
    ReadOnly,
    /// To read and write; the file has to be there.
    ReadWrite,
    /// To read and write; a missing file is created.
    Create,
}

/// The lock that runs outside a transaction have, taken without a connection: so also of a file that
/// isn't there yet. It ends when it is dropped.
pub struct FileLock {
    _held: Alone,
}

impl FileLock {
    /// Takes the lock of a database file, waiting for it at most that long.
    ///
    /// # Errors
    ///
    /// One that [is busy](DatabaseError::is_busy) when the time is over, and what SQLite says of the
    /// lock's own file, which is beside the database.
    pub fn take(
        database: &Path,
        wait: Duration,
        on_wait: &mut dyn FnMut(Duration),
    ) -> Result<FileLock, DatabaseError> {
        Ok(FileLock { _held: Alone::take(database, wait, on_wait)? })
    }
}

impl std::fmt::Debug for FileLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileLock").finish_non_exhaustive()
    }
}

/// A connection of one's own, or one lent by a program.
pub struct SqliteDriver<'a> {
    conn: Handle<'a>,
    saved: Option<Saved>,
    alone: Option<Box<Alone>>,
}

enum Handle<'a> {
    Own(Connection),
    Lent(&'a mut Connection),
    Read(&'a Connection),
}

/// What `prepare` found.
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
    /// When the file can't be opened. A file that is no database is noticed at the first use.
    pub fn open(path: &Path, mode: Mode) -> Result<SqliteDriver<'static>, DatabaseError> {
        let flags = match mode {
            Mode::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Mode::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Mode::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        };
        let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(error)?;
        // Readers of a database without a write-ahead log meet a writer's short commit lock.
        conn.busy_timeout(Duration::from_secs(5)).map_err(error)?;
        Ok(SqliteDriver { conn: Handle::Own(conn), saved: None, alone: None })
    }

    /// Sets how long a statement waits for another connection's lock, instead of 5 seconds.
    ///
    /// # Errors
    ///
    /// What SQLite says.
    pub fn set_busy_timeout(&self, timeout: Duration) -> Result<(), DatabaseError> {
        // rusqlite panics at more than what SQLite can count, which is some 24 days.
        let at_most = Duration::from_millis(i32::MAX.unsigned_abs().into());
        self.conn().busy_timeout(timeout.min(at_most)).map_err(error)
    }

    /// Opens a new database in memory.
    ///
    /// # Errors
    ///
    /// What SQLite says.
    pub fn open_in_memory() -> Result<SqliteDriver<'static>, DatabaseError> {
        let conn = Connection::open_in_memory().map_err(error)?;
        Ok(SqliteDriver { conn: Handle::Own(conn), saved: None, alone: None })
    }
}

impl<'a> SqliteDriver<'a> {
    /// Uses a program's own connection.
    pub fn lent(conn: &'a mut Connection) -> SqliteDriver<'a> {
        SqliteDriver { conn: Handle::Lent(conn), saved: None, alone: None }
    }

    /// Uses a program's own connection to read.
    pub(crate) fn reading(conn: &'a Connection) -> SqliteDriver<'a> {
        SqliteDriver { conn: Handle::Read(conn), saved: None, alone: None }
    }

    fn conn(&self) -> &Connection {
        match &self.conn {
            Handle::Own(it) => it,
            Handle::Lent(it) => it,
            Handle::Read(it) => it,
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

impl Driver for SqliteDriver<'_> {
    fn dialect(&self) -> &'static dyn Dialect {
        &Sqlite
    }

    fn facts(&mut self) -> Result<Facts, DatabaseError> {
        Ok(Facts { version: rusqlite::version_number().unsigned_abs(), objects: None })
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        let conn = self.conn();
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
        let mut stmt = self.conn().prepare(sql).map_err(|err| error_in(sql, err))?;
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

    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.conn().execute_batch(sql).map_err(|err| error_in(sql, err))
    }

    fn in_transaction(&self) -> bool {
        !self.conn().is_autocommit()
    }

    fn prepare(&mut self) -> Result<(), DatabaseError> {
        let saved = Saved {
            foreign_keys: self.pragma("foreign_keys")? != 0,
            // With it on, a renamed table's references stay behind.
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
        let timeout = self.set_pragma("busy_timeout", saved.busy_timeout);
        if self.pragma("cache_spill").is_ok_and(|it| it != saved.cache_spill) {
            self.set_pragma("cache_spill", saved.cache_spill)?;
        }
        // A rebuild that failed may have left it on.
        self.set_pragma("legacy_alter_table", saved.legacy_alter_table.into())?;
        self.set_pragma("foreign_keys", saved.foreign_keys.into())?;
        timeout
    }

    fn begin(
        &mut self,
        wait: Duration,
        on_wait: &mut dyn FnMut(Duration),
    ) -> Result<(), DatabaseError> {
        if self.saved.is_some() {
            // SQL that ran outside a transaction may have switched them on.
            self.switch_off()?;
        }
        // The wait is ours and not SQLite's, so that it can be told of.
        self.set_pragma("busy_timeout", 0)?;
        let res = patiently(wait, on_wait, || {
            self.conn().execute_batch("BEGIN IMMEDIATE").map_err(error)
        });
        if res.is_ok() && self.has_attached()? {
            // What a step writes into another file waits for that file's lock.
            let busy_timeout = self.saved.as_ref().map_or(5000, |it| it.busy_timeout);
            self.set_pragma("busy_timeout", busy_timeout)?;
            self.set_pragma("cache_spill", 0)?;
        }
        // Else the timeout stays 0. A page cache that is full is written to the file in the middle
        // of the transaction, which readers are in the way of: with a timeout SQLite would wait all
        // of it for each such page, in silence, and then go on in memory, as it does at once now
        // (sqlite.org, `lockingv3.html`, section 5).
        res
    }

    fn commit(&mut self) -> Result<(), DatabaseError> {
        self.conn().execute_batch("COMMIT").map_err(error)
    }

    fn rollback(&mut self) {
        if self.in_transaction() {
            // What fails here has rolled back already: SQLite says so, and the caller has the
            // error that led here.
            let _ = self.conn().execute_batch("ROLLBACK");
        }
    }

    fn objects(&mut self) -> Result<Vec<StoredObject>, DatabaseError> {
        // In the order in which they were made, so that they can be made again in it.
        let sql = "SELECT type, name, tbl_name, sql, 0 FROM sqlite_master UNION ALL \
                   SELECT type, name, tbl_name, sql, 1 FROM sqlite_temp_master";
        let rows = self.query(sql, &[])?.rows;
        Ok(rows.into_iter().filter_map(object).collect())
    }

    fn objects_version(&mut self) -> Result<Option<i64>, DatabaseError> {
        // Both are of 32 bits.
        let (own, temporary) =
            (self.pragma("schema_version")?, self.pragma("temp.schema_version")?);
        Ok(Some((own << 32) | (temporary & 0xffff_ffff)))
    }

    fn introspect(
        &mut self,
        only: Option<&BTreeSet<String>>,
    ) -> Result<Introspected, DatabaseError> {
        let objects = self.objects()?;
        let found = Sqlite.read(&objects, only);
        Ok(Introspected { objects, ..found })
    }

    fn broken(&mut self, tables: &BTreeSet<String>) -> Result<Vec<Broken>, DatabaseError> {
        let objects = self.objects()?;
        let mut broken = Vec::new();
        for it in mentioning(&objects, tables) {
            let (res, only_by_text) = match self.try_object(it) {
                Ok(()) => (self.try_without_texts(it), true),
                err => (err, false),
            };
            if let Err(err) = res {
                if err.is_full() || err.is_io() {
                    return Err(err);
                }
                let (kind, name) = (it.kind.clone(), it.name.clone());
                broken.push(Broken { kind, name, why: err.to_string(), only_by_text });
            }
        }
        Ok(broken)
    }

    fn begin_alone(
        &mut self,
        wait: Duration,
        on_wait: &mut dyn FnMut(Duration),
    ) -> Result<(), DatabaseError> {
        let start = Instant::now();
        // Nobody else has a database in memory; it has no file, whatever its name is.
        let path = self.conn().path().map(Path::new).filter(|it| it.is_file());
        self.alone = match path {
            Some(path) => Some(Box::new(Alone::take(path, wait, on_wait)?)),
            None => None,
        };
        // Each of its statements takes locks of its own.
        let left = wait.saturating_sub(start.elapsed()).as_millis();
        self.set_pragma("busy_timeout", i32::try_from(left).unwrap_or(i32::MAX).into())
    }

    fn end_alone(&mut self) {
        self.alone = None;
    }

    fn violations(&mut self) -> Result<Vec<Violation>, DatabaseError> {
        match self.query("PRAGMA foreign_key_check", &[]) {
            Ok(rows) => return Ok(rows.rows.into_iter().filter_map(violation).collect()),
            Err(err) if err.is_full() || err.is_io() => return Err(err),
            Err(_) => {}
        }
        // One foreign key that can't be checked, since what it refers to isn't unique, hides all
        // others: so each table by itself, and that one with what is wrong with it.
        let tables = self.query("SELECT name FROM sqlite_master WHERE type = 'table'", &[])?;
        let mut violations = Vec::new();
        for table in tables.rows.into_iter().flatten() {
            let Value::Text(table) = table else { continue };
            let sql = format!("PRAGMA foreign_key_check({})", Sqlite.quote(&table));
            match self.query(&sql, &[]) {
                Ok(rows) => violations.extend(rows.rows.into_iter().filter_map(violation)),
                Err(err) if err.is_full() || err.is_io() => return Err(err),
                Err(err) => {
                    violations.push(Violation { table, row: None, references: err.to_string() });
                }
            }
        }
        Ok(violations)
    }
}

impl SqliteDriver<'_> {
    fn has_attached(&self) -> Result<bool, DatabaseError> {
        let sql = "SELECT count(*) FROM pragma_database_list WHERE name NOT IN ('main', 'temp')";
        let count: i64 = self.conn().query_row(sql, [], |row| row.get(0)).map_err(error)?;
        Ok(count > 0)
    }

    /// Switches off what would be in the way of migrations.
    fn switch_off(&self) -> Result<(), DatabaseError> {
        self.set_pragma("legacy_alter_table", 0)?;
        self.set_pragma("foreign_keys", 0)?;
        // Inside a transaction the pragma does nothing, without a word (sqlite.org, pragma.html).
        if self.pragma("foreign_keys")? != 0 {
            let why = "the enforcement of foreign keys cannot be switched off on this connection";
            return Err(DatabaseError::new(why));
        }
        Ok(())
    }

    /// Tries a view or a trigger in which a name in double quotes that no column has is an error and
    /// not a text (sqlite.org, `quirks.html`, section 8). SQLite writes such names itself where it
    /// renames a column, and a view that lost one would work on, with the name in the place of the
    /// value.
    ///
    /// The object is made with other quotes, and that is taken back. There is an option of SQLite's
    /// for it, which not every version of rusqlite has.
    fn try_without_texts(&self, object: &StoredObject) -> Result<(), DatabaseError> {
        let sql = object.sql.as_deref().unwrap_or_default();
        let Some(text) = without_double_quotes(sql) else { return Ok(()) };
        let run = |sql: &str| self.conn().execute_batch(sql).map_err(|err| error_in(sql, err));
        run("SAVEPOINT dbmigrate_texts")?;
        let database = if object.temporary { "temp" } else { "main" };
        let drop = format!("DROP {} {database}.{}", object.kind, Sqlite.quote(&object.name));
        let create = match object.temporary {
            true => text.replacen("CREATE", "CREATE TEMP", 1),
            false => text,
        };
        let res = run(&drop).and_then(|()| run(&create)).and_then(|()| self.try_object(object));
        run("ROLLBACK TO dbmigrate_texts; RELEASE dbmigrate_texts")?;
        res
    }

    /// Prepares what uses a view or fires a trigger, without running it.
    fn try_object(&self, object: &StoredObject) -> Result<(), DatabaseError> {
        let prepare =
            |sql: &str| self.conn().prepare(sql).map(drop).map_err(|err| error_in(sql, err));
        let table = Sqlite.quote(&object.table);
        if object.kind == "view" {
            return prepare(&format!("SELECT * FROM {table} LIMIT 0"));
        }
        let columns = self.conn().prepare(&format!("SELECT * FROM {table} LIMIT 0"));
        let columns = columns.map_err(error)?;
        let names: Vec<&str> = columns.column_names().into_iter().collect();
        // SQLite takes a column that isn't there, and never fires the trigger.
        let sql = object.sql.as_deref().unwrap_or_default();
        let missing = sql::columns_of_update(sql)
            .into_iter()
            .find(|it| !names.iter().any(|name| name.eq_ignore_ascii_case(it)));
        if let Some(column) = missing {
            return Err(DatabaseError::new(format!("no such column: {column}")));
        }
        let generated = self.generated(&object.table)?;
        let names = names.iter().filter(|it| !generated.contains(**it)).map(|it| Sqlite.quote(it));
        let sets: Vec<_> = names.map(|it| format!("{it} = {it}")).collect();
        let fires = |event: &str| {
            let sql = object.sql.as_deref().unwrap_or_default();
            let tokens = sql::significant(sql);
            let events = ["DELETE", "INSERT", "UPDATE"];
            let mut words = tokens.iter().filter(|it| events.iter().any(|event| it.is_word(event)));
            words.next().is_none_or(|it| it.is_word(event))
        };
        if fires("DELETE") {
            prepare(&format!("DELETE FROM {table}"))?;
        }
        if fires("INSERT") {
            prepare(&format!("INSERT INTO {table} DEFAULT VALUES"))?;
        }
        if fires("UPDATE") {
            prepare(&format!("UPDATE {table} SET {}", sets.join(", ")))?;
        }
        Ok(())
    }

    fn generated(&self, table: &str) -> Result<BTreeSet<String>, DatabaseError> {
        let sql = "SELECT name FROM pragma_table_xinfo(?1) WHERE hidden IN (2, 3)";
        let mut stmt = self.conn().prepare(sql).map_err(error)?;
        let rows = stmt.query_map([table], |it| it.get(0)).map_err(error)?;
        rows.collect::<Result<_, _>>().map_err(error)
    }
}

/// SQL with its names in double quotes in backticks, which never make a text; `None` without any.
fn without_double_quotes(sql: &str) -> Option<String> {
    let tokens = sql::tokens(sql);
    let is_double = |it: &sql::Token<'_>| it.kind == sql::Kind::Quoted && it.text.starts_with('"');
    let text = |it: &sql::Token<'_>| match it.unquoted().filter(|_| is_double(it)) {
        Some(name) => format!("`{}`", name.replace('`', "``")),
        None => it.text.to_owned(),
    };
    tokens.iter().any(is_double).then(|| tokens.iter().map(text).collect())
}

/// The views and triggers that mention one of these tables, or a view that does.
fn mentioning<'a>(objects: &'a [StoredObject], tables: &BTreeSet<String>) -> Vec<&'a StoredObject> {
    let mut names: BTreeSet<String> = tables.iter().map(|it| it.to_ascii_lowercase()).collect();
    let identifiers = |it: &'a StoredObject| {
        let tokens = sql::tokens(it.sql.as_deref().unwrap_or_default());
        let names = tokens.iter().filter_map(sql::Token::identifier);
        (it, names.map(|it| it.to_ascii_lowercase()).collect::<BTreeSet<_>>())
    };
    let others = objects.iter().filter(|it| ["view", "trigger"].contains(&it.kind.as_str()));
    let mut others: Vec<_> = others.map(identifiers).collect();
    let mut found = Vec::new();
    loop {
        let (new, rest) = others.into_iter().partition(|(_, it)| !it.is_disjoint(&names));
        others = rest;
        let new: Vec<(&StoredObject, BTreeSet<String>)> = new;
        if new.is_empty() {
            return found;
        }
        for (it, _) in new {
            if it.kind == "view" {
                names.insert(it.name.to_ascii_lowercase());
            }
            found.push(it);
        }
    }
}

fn object(row: Vec<Value>) -> Option<StoredObject> {
    let mut row = row.into_iter();
    let mut text = || match row.next() {
        Some(Value::Text(it)) => Some(it),
        // What isn't UTF-8 in it is seen by the characters that stand for it.
        Some(Value::Blob(it)) => Some(String::from_utf8_lossy(&it).into_owned()),
        _ => None,
    };
    let (kind, name, table, sql) = (text()?, text()?, text()?, text());
    let temporary = row.next() == Some(Value::Integer(1));
    Some(StoredObject { kind, name, table, sql, temporary })
}

/// Tries until it succeeds, fails otherwise than by another's lock, or the time is over.
fn patiently<T>(
    wait: Duration,
    on_wait: &mut dyn FnMut(Duration),
    mut attempt: impl FnMut() -> Result<T, DatabaseError>,
) -> Result<T, DatabaseError> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    let mut said = false;
    loop {
        match attempt() {
            Err(err) if err.is_busy() && start.elapsed() < wait => {
                if !said && start.elapsed() > Duration::from_millis(200) {
                    on_wait(wait);
                    said = true;
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(50));
            }
            res => return res,
        }
    }
}

/// A row of `PRAGMA foreign_key_check`.
fn violation(row: Vec<Value>) -> Option<Violation> {
    match row.as_slice() {
        [Value::Text(table), row, Value::Text(references), ..] => Some(Violation {
            table: table.clone(),
            row: if let Value::Integer(it) = row { Some(*it) } else { None },
            references: references.clone(),
        }),
        _ => None,
    }
}

fn to_sqlite(value: &Value) -> SqliteValue {
    match value {
        Value::Null => SqliteValue::Null,
        Value::Bool(it) => SqliteValue::Integer((*it).into()),
        Value::Integer(it) => SqliteValue::Integer(*it),
        Value::Real(it) => SqliteValue::Real(*it),
        Value::Text(it) => SqliteValue::Text(it.clone()),
        Value::Blob(it) => SqliteValue::Blob(it.clone()),
    }
}

fn from_sqlite(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(it) => Value::Integer(it),
        ValueRef::Real(it) => Value::Real(it),
        // Text of another encoding is bytes: read as text and written back it would be another.
        ValueRef::Text(it) => match std::str::from_utf8(it) {
            Ok(it) => Value::Text(it.to_owned()),
            Err(_) => Value::Blob(it.to_owned()),
        },
        ValueRef::Blob(it) => Value::Blob(it.to_owned()),
    }
}

/// As [`error`], without the statement's text, which some versions of rusqlite put behind the
/// message (`... in SELECT nope at offset 7`) and whoever shows the error has anyway.
fn error_in(sql: &str, err: rusqlite::Error) -> DatabaseError {
    let mut err = error(err);
    if let Some((text, offset)) = err.message.rsplit_once(" at offset ") {
        // Of several statements it is the text from the one that failed on.
        let is_sql = |(at, it): &(usize, &str)| sql.ends_with(&text[at + it.len()..]);
        let at = text.match_indices(" in ").find(is_sql).map(|(at, _)| at);
        if let (Some(at), Ok(_)) = (at, offset.parse::<i32>()) {
            err.message.truncate(at);
        }
    }
    err
}

fn error(err: rusqlite::Error) -> DatabaseError {
    let (kind, message) = match &err {
        rusqlite::Error::SqliteFailure(code, message) => {
            let kind = match code.code {
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => ErrorKind::Busy,
                ErrorCode::ReadOnly => ErrorKind::ReadOnly,
                ErrorCode::CannotOpen => ErrorKind::Unopenable,
                ErrorCode::DiskFull => ErrorKind::Full,
                ErrorCode::SystemIoFailure => ErrorKind::Io,
                ErrorCode::NotADatabase => ErrorKind::NotADatabase,
                _ => ErrorKind::Other,
            };
            let mut message = message.clone().unwrap_or_else(|| code.to_string());
            if kind == ErrorKind::Io {
                // What failed is only in the number.
                message += &format!(" (code {})", code.extended_code);
            }
            (kind, message)
        }
        other => (ErrorKind::Other, other.to_string()),
    };
    DatabaseError { message, kind }
}
