//! A database's errors, and their kinds.

mod certificate;
mod mysql;
mod unconnected;

use std::fmt;

pub use certificate::BadCertificate;
pub use mysql::MysqlFault;
pub use unconnected::{Unavailable, Unconnected};

/// An error of the database.
///
/// The message is the database's own. It never contains a connection's password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseError {
    message: String,
    kind: ErrorKind,
}

/// The kind of an error, as the driver understands it; no other code interprets the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// Another connection holds a lock.
    Busy,
    /// The database can be read but not written.
    ReadOnly,
    /// The opened file isn't a database.
    NotADatabase,
    /// A file could not be opened or created.
    Unopenable,
    /// There is no space left.
    Full,
    /// A file could not be read or written.
    Io,
    /// An object that the statement creates already exists. Contains its kind and name, as in
    /// ``table `user` ``.
    AlreadyExists(String),
    /// A table, a column or the like doesn't exist.
    Missing {
        /// The kind of the missing object.
        what: Missing,
        /// Its name, including the qualifiers before it.
        name: String,
    },
    /// A column already exists.
    DuplicateColumn,
    /// Something that an application registers on its own connections doesn't exist.
    Unregistered {
        /// The kind of the missing object.
        what: Registered,
        /// Its name.
        name: String,
    },
    /// A row doesn't fit the table.
    Row(RowFault),
    /// An expression or a type isn't allowed in a table.
    Definition(DefinitionFault),
    /// The statement would drop or change something that other objects depend on.
    Needed,
    /// A foreign key refers to columns that don't exist or aren't unique together.
    KeyMismatch {
        /// The referenced table.
        references: String,
    },
    /// A view or trigger that the database had to parse for the statement is broken.
    BrokenDependent,
    /// The server can't change a table whose pages it finds damaged.
    Damaged {
        /// Its quoted name.
        table: String,
    },
    /// The server can't change the table in the way that the statement asserts.
    Slower,
    /// The server only lets this connection read.
    Unwritable(Unwritable),
    /// The server has no lock that outlives a transaction.
    Unlockable,
    /// Another process has the lock now, since this one did not renew it in time.
    LeaseLost,
    /// The connection is no session of its own on the server, so that a lock doesn't hold.
    Pooled,
    /// The role has no right to do it.
    Denied {
        /// The SQL that gives the right, if the server says which one it is.
        grant: Option<String>,
    },
    /// Others use the database, which has to be alone for the statement.
    InUse,
    /// The statement can't run in a transaction.
    NotInTransaction,
    /// No connection to the server could be opened.
    Unconnected(Box<Unconnected>),
    /// A new database couldn't get its final name.
    Unpublished {
        /// The final name.
        name: String,
        /// Whether another process has created a file with this name.
        is_taken: bool,
    },
    /// Anything else.
    Other,
}

/// Why a connection to a server can only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwritable {
    /// The server follows another one.
    Standby,
    /// A setting of the database, of the role or of the URL says so.
    Setting,
    /// The transaction is read-only, for a reason that isn't known.
    Transaction,
    /// A setting of the session says so, which it may have from the server.
    Session,
    /// A setting of the whole server says so: it follows another one, or an administrator closed it
    /// to writers.
    Server,
}

/// The kind of a missing object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// A table or a view.
    Table,
    /// A column.
    Column,
    /// Anything else, such as an index.
    Other,
}

/// The kind of an object that an application registers on its own connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// A function.
    Function,
    /// A collation.
    Collation,
    /// The module of a virtual table.
    Module,
}

/// Writes the kind in words.
impl fmt::Display for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Registered::Function => "function",
            Registered::Collation => "collation",
            Registered::Module => "virtual table module",
        })
    }
}

/// Why a row doesn't fit its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFault {
    /// Another row already has the values of a key or a unique constraint.
    Duplicate,
    /// The row violates a check.
    Check,
    /// The value doesn't fit the column's type.
    Type,
    /// The row violates another constraint.
    Other,
}

/// Why an expression or a type isn't allowed in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefinitionFault {
    /// The expression isn't valid SQL.
    Syntax,
    /// The expression reads other rows in a subquery.
    Subquery,
    /// The expression reads other rows in an aggregate or a window function.
    Aggregate,
    /// A default depends on the row, or on a parameter.
    VariableDefault,
    /// A generated column depends on itself.
    GeneratedLoop,
    /// The expression isn't deterministic.
    NotDeterministic,
    /// The table doesn't accept the column's type.
    Type,
}

impl DatabaseError {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> DatabaseError {
        DatabaseError::of(ErrorKind::Other, message)
    }

    /// An error of this kind.
    pub(crate) fn of(kind: ErrorKind, message: impl Into<String>) -> DatabaseError {
        DatabaseError { message: message.into(), kind }
    }

    /// The error with another message.
    pub(crate) fn map(self, message: impl FnOnce(&str) -> String) -> DatabaseError {
        DatabaseError { message: message(&self.message), ..self }
    }

    /// The kind of the error.
    #[doc(hidden)]
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Whether another connection holds the requested lock.
    pub fn is_busy(&self) -> bool {
        self.kind == ErrorKind::Busy
    }

    /// Whether the database can be read but not written.
    pub fn is_read_only(&self) -> bool {
        self.kind == ErrorKind::ReadOnly
    }

    /// Whether a file could not be opened or created, such as a journal next to the database.
    pub fn is_unopenable(&self) -> bool {
        self.kind == ErrorKind::Unopenable
    }

    /// Whether the disk was full. The database may have rolled the transaction back by itself.
    pub fn is_full(&self) -> bool {
        self.kind == ErrorKind::Full
    }

    /// Whether a file could not be read or written. The database may have rolled the transaction
    /// back by itself.
    pub fn is_io(&self) -> bool {
        self.kind == ErrorKind::Io
    }

    /// Whether the cause is the disk, so that any statement could have failed.
    pub(crate) fn is_of_disk(&self) -> bool {
        self.is_full() || self.is_io()
    }

    /// Whether the opened file isn't a database at all.
    pub fn is_not_a_database(&self) -> bool {
        self.kind == ErrorKind::NotADatabase
    }

    /// Whether a table, a column or the like doesn't exist.
    pub fn is_missing(&self) -> bool {
        matches!(self.kind, ErrorKind::Missing { .. })
    }

    /// Whether something is missing that an application registers on its own connections: a
    /// function, a collation, or the module of a virtual table.
    pub fn is_unregistered(&self) -> bool {
        matches!(self.kind, ErrorKind::Unregistered { .. })
    }

    /// Whether a row doesn't fit the table because of a constraint or a type.
    pub fn is_of_row(&self) -> bool {
        matches!(self.kind, ErrorKind::Row(_))
    }

    /// Whether what would be created is there already: servers may only find it in their catalog's
    /// keys if others create it at the same moment.
    pub fn is_taken(&self) -> bool {
        matches!(self.kind, ErrorKind::AlreadyExists(_)) || self.is_duplicate()
    }

    /// Whether another row already has the values of a key or a unique constraint.
    pub fn is_duplicate(&self) -> bool {
        self.kind == ErrorKind::Row(RowFault::Duplicate)
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DatabaseError {}
