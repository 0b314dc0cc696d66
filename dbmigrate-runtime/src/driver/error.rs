//! A database's errors, and their kinds.

use std::fmt;

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
    /// A table, a column or the like isn't there.
    Missing {
        /// What it would be.
        what: Missing,
        /// Its name, with those before it that it is qualified by.
        name: String,
    },
    /// A column is there already.
    DuplicateColumn,
    /// What an application registers on its own connections isn't there.
    Unregistered {
        /// What it would be.
        what: Registered,
        /// Its name.
        name: String,
    },
    /// A row doesn't fit the table.
    Row(RowFault),
    /// An expression or a type of a table can't be in one.
    Definition(DefinitionFault),
    /// A foreign key refers to columns that aren't unique together, or aren't there.
    KeyMismatch {
        /// The table that it refers to.
        references: String,
    },
    /// A view or trigger that the database had to parse for the statement is broken.
    BrokenDependent,
    /// The statement can't run in a transaction.
    NotInTransaction,
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

/// What isn't there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// A table or a view.
    Table,
    /// A column.
    Column,
    /// Anything else, such as an index.
    Other,
}

/// What an application registers on its own connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// A function.
    Function,
    /// A collation.
    Collation,
    /// The module of virtual tables.
    Module,
}

/// Writes it in words.
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
    /// Another row has the values of a key or a unique constraint.
    Duplicate,
    /// A check doesn't hold.
    Check,
    /// A column's type doesn't take the value.
    Type,
    /// Another constraint.
    Other,
}

/// Why an expression or a type can't be in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefinitionFault {
    /// It isn't SQL.
    Syntax,
    /// It asks other rows by a subquery.
    Subquery,
    /// It asks other rows by an aggregate or a window function.
    Aggregate,
    /// A default depends on the row, or on a parameter.
    VariableDefault,
    /// A generated column depends on itself.
    GeneratedLoop,
    /// It isn't the same at any time.
    NotDeterministic,
    /// The table doesn't take the column's type.
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

    /// Why the database refused.
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
