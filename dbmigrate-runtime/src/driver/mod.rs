//! Connections: SQL text and values in, rows out.
//!
//! Steps and readers of the catalog use a [`Connection`], the executor uses a [`Driver`]. Each
//! driver is the only file that names its database's crate; that crate's types and errors don't
//! leave it.

#[cfg(any(feature = "postgres-tls", feature = "mysql-tls"))]
mod certificates;
mod error;
#[cfg(feature = "mysql")]
pub mod mysql;
mod params;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
mod wait;

use std::fmt;
use std::time::Duration;

pub use error::{
    BadCertificate, DatabaseError, DefinitionFault, ErrorKind, Missing, MysqlFault, Registered,
    RowFault, Unavailable, Unconnected, Unwritable,
};
pub use params::{Bound, bound};

use crate::Value;
use crate::dialect::Dialect;

/// How a database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// For reading only; the database has to exist.
    ReadOnly,
    /// For reading and writing; the database has to exist.
    ReadWrite,
    /// For reading and writing; a missing file is created.
    Create,
}

/// A query's result.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, each with one value per column.
    pub rows: Vec<Vec<Value>>,
}

impl Rows {
    /// The values that are texts, row by row.
    pub fn texts(self) -> impl Iterator<Item = String> {
        self.rows.into_iter().flatten().filter_map(|value| match value {
            Value::Text(text) => Some(text),
            _ => None,
        })
    }
}

/// An open connection, with all that a step or a reader of the catalog needs.
pub trait Connection: AsConnection {
    /// How this database writes SQL.
    fn dialect(&self) -> &'static dyn Dialect;

    /// Runs one statement and returns how many rows it changed. `?1` is the first value, on every
    /// database; see [`bound`].
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError>;

    /// Runs one query, with values as in [`execute`](Connection::execute).
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Rows, DatabaseError>;

    /// Whether a transaction is open.
    fn in_transaction(&self) -> bool;
}

/// Converts a driver to a connection. Before Rust 1.86, a trait object can't be coerced to its
/// supertrait.
pub trait AsConnection {
    /// The same connection.
    fn as_connection(&mut self) -> &mut dyn Connection;
}

impl<C: Connection> AsConnection for C {
    fn as_connection(&mut self) -> &mut dyn Connection {
        self
    }
}

/// A connection that can be migrated, with what the executor needs besides statements and queries.
///
/// The calls come in this order: [`prepare`](Driver::prepare), then any number of
/// transactions, then [`restore`](Driver::restore), which is also called after a failure.
pub trait Driver: Connection {
    /// Runs one or more SQL statements.
    ///
    /// # Errors
    ///
    /// The error of the first statement that fails.
    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError>;

    /// Prepares the connection for the migrations of a history, and saves the settings that are
    /// changed. The name of the history's version table tells its lock from the lock of another
    /// history, on databases that can tell them apart. On SQLite this disables the enforcement of
    /// foreign keys, which isn't possible inside a transaction.
    ///
    /// # Errors
    ///
    /// When the connection can't be prepared; its settings are then unchanged.
    fn prepare(&mut self, history: &str) -> Result<(), DatabaseError>;

    /// Restores the settings that [`prepare`](Driver::prepare) changed.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn restore(&mut self) -> Result<(), DatabaseError>;

    /// Takes the lock that excludes other migrations, and begins a transaction if the scope has
    /// one.
    ///
    /// # Errors
    ///
    /// An error that [is busy](DatabaseError::is_busy) when the time is up.
    fn begin(&mut self, scope: Scope, wait: &mut Wait<'_>) -> Result<(), DatabaseError>;

    /// Whether a part of a transaction can be rolled back.
    fn has_savepoints(&self) -> bool {
        true
    }

    /// Tells the server which revision runs from now on, for those who look at its sessions. This
    /// ends with the transaction, or outside of one with [`release`](Driver::release).
    fn runs(&mut self, revision: &str) {
        let _ = revision;
    }

    /// Commits the transaction, without waiting for other connections.
    ///
    /// # Errors
    ///
    /// The database's error; the transaction is then still open, or rolled back. If it is open and
    /// the error [is busy](DatabaseError::is_busy), the commit can be retried.
    fn commit(&mut self) -> Result<(), DatabaseError>;

    /// Rolls the transaction back. Does nothing if none is open.
    fn rollback(&mut self);

    /// How long a statement may have waited for a lock of others before it failed.
    fn longest_wait(&self) -> Duration {
        LOCK_TIMEOUT
    }

    /// Who blocks the transaction that has just been rolled back because of a lock, if the database
    /// can tell.
    fn blocker(&mut self) -> Option<String> {
        None
    }

    /// Who holds the lock of the history with this version table now, if somebody does and the
    /// database can tell.
    fn holder(&mut self, history: &str) -> Option<String> {
        let _ = history;
        None
    }

    /// Releases the lock of [`Scope::Alone`]. Does nothing if it isn't held.
    fn release(&mut self);
}

/// What the lock that excludes other migrations is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// For a transaction; its end releases the lock.
    Transaction,
    /// For a revision outside a transaction, until the lock is released or the process exits.
    Alone,
    /// For a transaction while the lock of [`Scope::Alone`] is held.
    Group,
    /// The same for a piece of a step, with foreign keys enforced on every database.
    Piece,
    /// For one statement that changes rows, while the lock of [`Scope::Alone`] is held. It may be a
    /// transaction by itself.
    Entry,
}

/// Opens a connection within a time limit that includes the server's answer, unlike the limits of the
/// drivers' crates. `None` if it is over; the thread ends when the server answers.
#[cfg(any(feature = "postgres", feature = "mysql"))]
fn opened_within<T: Send + 'static>(
    limit: Duration,
    open: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, reply) = std::sync::mpsc::channel();
    let open = move || {
        let _ = done.send(open());
    };
    std::thread::Builder::new().spawn(open).ok()?;
    reply.recv_timeout(limit + Duration::from_millis(100)).ok()
}

/// The end of the text that names the holder of a lock. The holder's statement, which may contain
/// values, follows it.
pub(crate) const HOLDS_A_LOCK: &str = " of the server holds a lock";

/// How long a statement on a server waits for a lock of others before its transaction is rolled
/// back and repeated. Meanwhile others wait behind it, even those that only read.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// The table whose rows are locked by runs, on servers without another lock.
pub const LOCK_TABLE: &str = "dbmigrate_lock";

/// How long to wait for another connection's lock.
pub struct Wait<'a> {
    /// The maximum time.
    pub at_most: Duration,
    /// Called once, when the wait starts.
    pub on_wait: &'a mut dyn FnMut(&Waiting),
}

/// A wait for another connection's lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The maximum time.
    pub at_most: Duration,
    /// Who holds the lock, if the database can tell: ``process 4711 (`psql`): ALTER TABLE ...``.
    pub holder: Option<String>,
}

impl Waiting {
    /// A wait for somebody whom the database doesn't name.
    pub fn at_most(at_most: Duration) -> Waiting {
        Waiting { at_most, holder: None }
    }
}

/// Who is waited for, and for how long at most.
impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A fraction of a second is rounded up.
        let Waiting { at_most, holder } = self;
        let seconds = at_most.as_secs().saturating_add(u64::from(at_most.subsec_nanos() > 0));
        let who = holder.as_deref().unwrap_or("another process holds the database's lock");
        write!(f, "{who}; waiting for up to {seconds} seconds")
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("at_most", &self.at_most).finish_non_exhaustive()
    }
}
