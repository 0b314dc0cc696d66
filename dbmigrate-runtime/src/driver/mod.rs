//! Connections: text and values in, rows out.
//!
//! A step and a reader of the catalog talk to a [`Connection`], the executor to a [`Driver`]. Each
//! driver is the only file that names its database's crate; that crate's types and errors don't
//! leave it.

mod error;
mod params;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use std::fmt;
use std::time::Duration;

pub use error::{DatabaseError, DefinitionFault, ErrorKind, Missing, Registered, RowFault};
pub use params::{Bound, bound};

use crate::Value;
use crate::dialect::Dialect;

/// How a database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To read only; the database has to exist.
    ReadOnly,
    /// To read and write; the database has to exist.
    ReadWrite,
    /// To read and write; a missing file is created.
    Create,
}

/// A query's result.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, each with a value a column.
    pub rows: Vec<Vec<Value>>,
}

/// An open connection: all that a step and a reader of the database's catalog need.
pub trait Connection: AsConnection {
    /// How this database writes SQL.
    fn dialect(&self) -> &'static dyn Dialect;

    /// Runs one statement and returns how many rows it changed. The first value is `?1` in it, on
    /// every database; see [`bound`].
    ///
    /// # Errors
    ///
    /// What the database says.
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError>;

    /// Runs one query, with values as in [`execute`](Connection::execute).
    ///
    /// # Errors
    ///
    /// What the database says.
    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Rows, DatabaseError>;

    /// Whether a transaction is open.
    fn in_transaction(&self) -> bool;
}

/// Whatever is a connection, as one. A trait object can't be turned into one of a supertrait
/// before Rust 1.86.
pub trait AsConnection {
    /// The same connection.
    fn as_connection(&mut self) -> &mut dyn Connection;
}

impl<C: Connection> AsConnection for C {
    fn as_connection(&mut self) -> &mut dyn Connection {
        self
    }
}

/// A connection that can be migrated: what the executor needs beside statements and queries.
///
/// The calls come in this order: [`prepare`](Driver::prepare), then any number of
/// transactions, then [`restore`](Driver::restore), which is also called after a failure.
pub trait Driver: Connection {
    /// Runs SQL of one or more statements.
    ///
    /// # Errors
    ///
    /// What the database says of the first statement that fails.
    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError>;

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

    /// Takes the lock against other migrations, and begins a transaction where the scope has one.
    ///
    /// # Errors
    ///
    /// An error that [is busy](DatabaseError::is_busy) when the time is over.
    fn begin(&mut self, scope: Scope, wait: &mut Wait<'_>) -> Result<(), DatabaseError>;

    /// Commits the transaction, without waiting for other connections.
    ///
    /// # Errors
    ///
    /// What the database says; the transaction is then still open or rolled back. Where it is open
    /// and the error [is busy](DatabaseError::is_busy), the commit can be tried again.
    fn commit(&mut self) -> Result<(), DatabaseError>;

    /// Rolls the transaction back. Does nothing when none is open.
    fn rollback(&mut self);

    /// Releases the lock of [`Scope::Alone`]. Does nothing when it isn't held.
    fn release(&mut self);
}

/// What the lock against other migrations is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// For a transaction, whose end releases it.
    Transaction,
    /// For a revision outside a transaction, until it is released or the process ends.
    Alone,
}

/// How long to wait for another connection's lock.
pub struct Wait<'a> {
    /// At most that long.
    pub at_most: Duration,
    /// Is called once, when there is something to wait for.
    pub on_wait: &'a mut dyn FnMut(Duration),
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("at_most", &self.at_most).finish_non_exhaustive()
    }
}
