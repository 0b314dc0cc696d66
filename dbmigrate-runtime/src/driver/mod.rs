//! Connections: text and values in, rows out.
//!
//! The executor talks to a [`Driver`]. Each driver is the only file that names its database's
//! crate; that crate's types and errors don't leave it.

#[cfg(feature = "sqlite")]
pub mod sqlite;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::Value;
use crate::dialect::{Dialect, Facts, Introspected, StoredObject};

/// What a database said when it refused something.
///
/// The message is the database's own. It never holds a connection's password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseError {
    message: String,
    kind: ErrorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ErrorKind {
    Busy,
    ReadOnly,
    NotADatabase,
    Unopenable,
    Full,
    Io,
    Other,
}

impl DatabaseError {
    /// An error with that message.
    pub fn new(message: impl Into<String>) -> DatabaseError {
        DatabaseError { message: message.into(), kind: ErrorKind::Other }
    }

    /// The error with another message.
    pub(crate) fn map(self, message: impl FnOnce(&str) -> String) -> DatabaseError {
        DatabaseError { message: message(&self.message), ..self }
    }

    /// Whether another connection holds the lock that was asked for.
    pub fn is_busy(&self) -> bool {
        self.kind == ErrorKind::Busy
    }

    /// Whether the database can be read but not written.
    pub fn is_read_only(&self) -> bool {
        self.kind == ErrorKind::ReadOnly
    }

    /// Whether a file could not be opened or created, such as a journal beside the database.
    pub fn is_unopenable(&self) -> bool {
        self.kind == ErrorKind::Unopenable
    }

    /// Whether there was no space for what was to be written. The database may have rolled the
    /// transaction back by itself.
    pub fn is_full(&self) -> bool {
        self.kind == ErrorKind::Full
    }

    /// Whether a file could not be read or written. The database may have rolled the transaction
    /// back by itself.
    pub fn is_io(&self) -> bool {
        self.kind == ErrorKind::Io
    }

    /// Whether what was opened isn't a database at all.
    pub fn is_not_a_database(&self) -> bool {
        self.kind == ErrorKind::NotADatabase
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DatabaseError {}

/// A query's result.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, each with a value a column.
    pub rows: Vec<Vec<Value>>,
}

/// A row that refers to nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The table that holds the row.
    pub table: String,
    /// The row's own number, where the table has such.
    pub row: Option<i64>,
    /// The table that the foreign key refers to, or what the database says of a key that can't
    /// be followed.
    pub references: String,
}

impl Violation {
    /// Whether no row is wrong, but the foreign key itself: what it refers to isn't unique.
    pub(crate) fn is_mismatch(&self) -> bool {
        self.row.is_none() && self.references.contains("foreign key mismatch")
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_mismatch() {
            return write!(f, "`{}`: {}", self.table, self.references);
        }
        match self.row {
            Some(row) => write!(f, "row {row} of `{}` refers to no row of", self.table)?,
            None => write!(f, "a row of `{}` refers to no row of", self.table)?,
        }
        write!(f, " `{}`", self.references)
    }
}

/// A view or trigger that doesn't work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// `view` or `trigger`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What the database says of it.
    pub why: String,
    /// Whether it runs, and takes a name that no column has for a text.
    pub only_by_text: bool,
}

/// An open connection, as the executor uses it.
///
/// The calls come in this order: [`prepare`](Driver::prepare), then any number of
/// transactions, then [`restore`](Driver::restore), which is also called after a failure.
pub trait Driver {
    /// How this database writes SQL.
    fn dialect(&self) -> &'static dyn Dialect;

    /// What statements depend on beside operation and schema, without the stored objects.
    ///
    /// # Errors
    ///
    /// What the database says.
    fn facts(&mut self) -> Result<Facts, DatabaseError>;

    /// Runs one statement and returns how many rows it changed.
    ///
    /// # Errors
    ///
    /// What the database says.
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError>;

    /// Runs one query.
    ///
    /// # Errors
    ///
    /// What the database says.
    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Rows, DatabaseError>;

    /// Runs SQL of one or more statements.
    ///
    /// # Errors
    ///
    /// What the database says of the first statement that fails.
    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError>;

    /// Whether a transaction is open.
    fn in_transaction(&self) -> bool;

    /// Makes the connection ready for migrations and remembers what it changes; on SQLite it
    /// switches the enforcement of foreign keys off, which inside a transaction can't be done.
    ///
    /// # Errors
    ///
    /// When the connection can't be made ready; it is then as it was.
    fn prepare(&mut self) -> Result<(), DatabaseError>;

    /// Puts back what [`prepare`](Driver::prepare) changed.
    ///
    /// # Errors
    ///
    /// What the database says.
    fn restore(&mut self) -> Result<(), DatabaseError>;

    /// Begins a transaction that holds the lock against other migrations, waiting for it at most
    /// that long. `on_wait` is called once when there is something to wait for.
    ///
    /// # Errors
    ///
    /// An error that [is busy](DatabaseError::is_busy) when the time is over.
    fn begin(
        &mut self,
        wait: Duration,
        on_wait: &mut dyn FnMut(Duration),
    ) -> Result<(), DatabaseError>;

    /// Commits the transaction, without waiting for other connections.
    ///
    /// # Errors
    ///
    /// What the database says; the transaction is then still open or rolled back. Where it is open
    /// and the error [is busy](DatabaseError::is_busy), the commit can be tried again.
    fn commit(&mut self) -> Result<(), DatabaseError>;

    /// Rolls the transaction back. Does nothing when none is open.
    fn rollback(&mut self);

    /// What is stored of the database's objects, where statements depend on it.
    ///
    /// # Errors
    ///
    /// What the database says.
    fn objects(&mut self) -> Result<Vec<StoredObject>, DatabaseError>;

    /// A number that is another one when the stored objects are others, where there is such.
    ///
    /// # Errors
    ///
    /// What the database says.
    fn objects_version(&mut self) -> Result<Option<i64>, DatabaseError> {
        Ok(None)
    }

    /// What the database has, in its own words: of these tables, or of all. The objects that come
    /// with it are all.
    ///
    /// # Errors
    ///
    /// What the database says.
    fn introspect(
        &mut self,
        only: Option<&BTreeSet<String>>,
    ) -> Result<Introspected, DatabaseError>;

    /// Views and triggers that mention one of these tables and that don't work.
    ///
    /// # Errors
    ///
    /// What the database says when it is asked for them.
    fn broken(&mut self, tables: &BTreeSet<String>) -> Result<Vec<Broken>, DatabaseError>;

    /// Takes the lock against other migrations for a revision that runs outside a transaction,
    /// waiting for it at most that long; it ends with the process. `on_wait` is called once when
    /// there is something to wait for.
    ///
    /// # Errors
    ///
    /// An error that [is busy](DatabaseError::is_busy) when the time is over.
    fn begin_alone(
        &mut self,
        wait: Duration,
        on_wait: &mut dyn FnMut(Duration),
    ) -> Result<(), DatabaseError>;

    /// Gives back what [`begin_alone`](Driver::begin_alone) took. Does nothing when that is
    /// nothing.
    fn end_alone(&mut self);

    /// Rows that refer to nothing.
    ///
    /// # Errors
    ///
    /// What the database says.
    fn violations(&mut self) -> Result<Vec<Violation>, DatabaseError>;
}
