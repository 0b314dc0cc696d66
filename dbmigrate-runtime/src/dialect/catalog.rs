//! What a database says of itself, as plain values: its version, its objects, its tables.

use std::fmt;

use crate::folding::Folding;
use crate::schema::Schema;

/// What a server or library says of itself and statements depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The version as a number; SQLite's `3.46.1` is `3_046_001`.
    pub version: u32,
    /// The database's objects, or `None` where no database was asked: what the migrations build is
    /// then taken for what is there.
    pub objects: Option<Vec<Object>>,
}

/// An object that a database stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is; a virtual table is a table here.
    pub kind: ObjectKind,
    /// The object's name.
    pub name: String,
    /// The table that it belongs to; a table's and a view's own name.
    pub table: String,
    /// The statement that made it, as the database keeps it; none for the index of a constraint.
    pub sql: Option<String>,
    /// Whether it belongs to the connection alone.
    pub temporary: bool,
}

/// What an object is, in the word that messages have for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// An index.
    Index,
    /// A table that keeps the content of a virtual table.
    ShadowTable,
    /// A table.
    Table,
    /// A trigger.
    Trigger,
    /// A view.
    View,
    /// A table whose content a module makes.
    VirtualTable,
}

impl ObjectKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            ObjectKind::Index => "index",
            ObjectKind::ShadowTable => "shadow table",
            ObjectKind::Table => "table",
            ObjectKind::Trigger => "trigger",
            ObjectKind::View => "view",
            ObjectKind::VirtualTable => "virtual table",
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What was read of a database.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalog {
    /// The tables that could be read, in the database's own terms.
    pub schema: Schema,
    /// Tables and indexes that could not be understood.
    pub unreadable: Vec<Unreadable>,
    /// What a schema has no place for, such as a view or a trigger.
    pub others: Vec<ObjectName>,
    /// What the tables say that a schema has no place for.
    pub beyond: Vec<Beyond>,
    /// All that the database stores, in the order in which it was made.
    pub objects: Vec<Object>,
}

impl Catalog {
    /// Why the table or index of this name could not be understood, if it is one of those.
    pub fn why_unreadable(&self, name: &str, folding: Folding) -> Option<&str> {
        let mut unreadable = self.unreadable.iter();
        let found = unreadable.find(|object| folding.same_table(&object.name, name));
        found.map(|object| object.why.as_str())
    }
}

/// A table or an index that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its name.
    pub name: String,
    /// Why, as a sentence without a beginning capital.
    pub why: String,
}

/// An object by its kind and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectName {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
}

impl ObjectName {
    /// The object of this kind and name.
    pub fn new(kind: ObjectKind, name: &str) -> ObjectName {
        ObjectName { kind, name: name.to_owned() }
    }
}

/// Something that a database says of a table and a schema has no place for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beyond {
    /// The table.
    pub table: String,
    /// The columns that it is about.
    pub columns: Vec<String>,
    /// The constraint, or none where it is about the column itself.
    pub part: Option<Part>,
    /// What it says: `has ON CONFLICT IGNORE`.
    pub text: String,
}

/// A constraint or an index of a table, as messages name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Its name, where it has one that it is known by.
    pub name: Option<String>,
    /// What it is but for its name, such as ``on `email` ``; said where it has no name.
    pub content: String,
}

/// What a part of a table is, in the words that messages have for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// The primary key.
    PrimaryKey,
    /// A unique constraint.
    Unique,
    /// A foreign key.
    ForeignKey,
    /// A check.
    Check,
    /// An index.
    Index,
}

impl fmt::Display for PartKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PartKind::PrimaryKey => "primary key",
            PartKind::Unique => "unique constraint",
            PartKind::ForeignKey => "foreign key",
            PartKind::Check => "check",
            PartKind::Index => "index",
        })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Part { kind, name, content } = self;
        match name {
            Some(name) => write!(f, "{kind} `{name}`"),
            None if content.is_empty() => write!(f, "{kind}"),
            None => write!(f, "{kind} {content}"),
        }
    }
}

/// What doesn't hold in a database although its catalog lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Rows that violate a foreign key, of all tables.
    pub violations: Vec<Violation>,
    /// Views and triggers that don't work, of those that were asked for.
    pub broken: Vec<Broken>,
}

/// A foreign key that doesn't hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The table that has the foreign key.
    pub table: String,
    /// The table that it refers to.
    pub references: String,
    /// What is wrong.
    pub kind: ViolationKind,
}

/// What is wrong with a foreign key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ViolationKind {
    /// A row refers to no row; with the row's own number, where the table has such.
    Row(Option<i64>),
    /// No row can be checked: the columns that it refers to are missing or not unique.
    Mismatch,
    /// The database can't check the table's rows, and says why.
    Unchecked(String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { table, references, kind } = self;
        match kind {
            ViolationKind::Row(Some(row)) => {
                write!(f, "row {row} of `{table}` refers to no row of `{references}`")
            }
            ViolationKind::Row(None) => {
                write!(f, "a row of `{table}` refers to no row of `{references}`")
            }
            ViolationKind::Mismatch => write!(f, "the foreign key of `{table}` to `{references}`"),
            ViolationKind::Unchecked(why) => write!(f, "`{table}`: {why}"),
        }
    }
}

/// A view or trigger that doesn't work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// A view or a trigger.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// What the database says of it.
    pub why: String,
    /// Whether it runs, and takes a name that no column has for a text.
    pub only_by_text: bool,
    /// Whether what it lacks is something that an application registers on its own connections.
    pub lacks_registered: bool,
}

/// What a statement that names a table would reach instead of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shadow {
    /// A temporary object of the connection, of this name.
    Temporary(String),
    /// A table of this name in another database that the connection sees.
    Elsewhere(String),
}
