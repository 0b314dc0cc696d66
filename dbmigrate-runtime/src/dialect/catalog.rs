//! A database's description of itself, as plain values: its version, its objects, its tables.

use std::collections::BTreeSet;
use std::fmt;

use crate::folding::Folding;
use crate::schema::{Schema, Table};
use crate::sql::quote;

/// The properties of a server or library that statements depend on.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The version as a number; SQLite's `3.46.1` is `3_046_001`.
    pub version: u32,
    /// Whether it has a function that checks whether a text is JSON.
    pub has_json: bool,
    /// The database's objects, or `None` if there is no database: it is then assumed to contain
    /// what the migrations build.
    pub objects: Option<Vec<Object>>,
    /// The tables with so many rows that nobody should wait while they are read, as far as the
    /// operations at hand depend on it.
    pub large: BTreeSet<String>,
    /// What else the statements of some operations depend on.
    pub existing: Existing,
    /// Whether the names of tables that differ only in letter case are the same.
    pub folds_tables: bool,
    /// Whether a transaction can hold one change of a definition only, and no changes of rows
    /// beside it.
    pub one_definition: bool,
    /// Whether an index is built in the background, after its statement.
    pub builds_later: bool,
    /// Whether a statement can say how the server has to make a change, and fail otherwise.
    pub asserts_classes: bool,
    /// Whether a change of a definition blocks all nodes of a cluster.
    pub blocks_cluster: bool,
}

impl Facts {
    /// Those of a database that is as the migrations build it.
    pub const fn new(version: u32, has_json: bool) -> Facts {
        let existing = Existing {
            tables: None,
            serial: Vec::new(),
            triggers: Vec::new(),
            views: None,
            users: Vec::new(),
            definitions: Vec::new(),
            schemas: None,
        };
        Facts {
            version,
            has_json,
            objects: None,
            large: BTreeSet::new(),
            existing,
            one_definition: false,
            builds_later: false,
            asserts_classes: true,
            blocks_cluster: false,
            folds_tables: false,
        }
    }
}

/// What the statements of some operations depend on, read for those operations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Existing {
    /// The tables whose constraints the operations may drop, as they are in the database; `None` if
    /// there is no database, or no such operation.
    pub tables: Option<Schema>,
    /// The columns that get their values from a sequence by their default, with their tables.
    pub serial: Vec<(String, String)>,
    /// The enabled triggers that run when a row is updated.
    pub triggers: Vec<Trigger>,
    /// The views over tables whose columns the operations change; `None` if there is no database,
    /// or no such operation.
    pub(crate) views: Option<Views>,
    /// The schemas in which the operations may create tables; `None` if there is no database, or no
    /// such operation.
    pub(crate) schemas: Option<Schemas>,
    /// What else the server refuses to change a column or to drop a key for.
    pub(crate) users: Vec<User>,
    /// The statements that would create the tables whose columns the operations change.
    pub(crate) definitions: Vec<(String, String)>,
}

/// Something that uses a column or a primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// The table.
    pub(crate) table: String,
    /// The column; `None` for the primary key.
    pub(crate) column: Option<String>,
    /// In the server's words: `trigger t on table user`.
    pub(crate) what: String,
    /// Its name.
    pub(crate) name: String,
}

/// The schemas of a database, as far as operations depend on them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Schemas {
    /// Those of the needed ones that exist.
    pub(crate) names: BTreeSet<String>,
    /// Whether the connection's role may create others.
    pub(crate) may_create: bool,
    /// The role.
    pub(crate) role: String,
    /// The name of the database.
    pub(crate) database: String,
}

/// The views over tables, in a database.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Views {
    /// What each view selects from.
    pub(crate) reads: Vec<Read>,
    /// What belongs to each view: in words, and in detail.
    pub(crate) parts: Vec<(ViewName, String, String)>,
}

/// What a view selects from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Read {
    /// The view.
    pub(crate) view: ViewName,
    /// A table, or another view.
    pub(crate) source: ViewName,
    /// The column, unless it is none in particular.
    pub(crate) column: Option<String>,
}

/// A view by its name; without a schema it is in the connection's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ViewName {
    /// The schema.
    pub(crate) schema: Option<String>,
    /// The name.
    pub(crate) name: String,
}

impl ViewName {
    /// The name in SQL.
    pub(crate) fn sql(&self) -> String {
        let schema = self.schema.as_ref().map_or(String::new(), |schema| quote(schema) + ".");
        schema + &quote(&self.name)
    }

    /// The name in messages.
    pub(crate) fn shown(&self) -> String {
        let schema = self.schema.as_ref().map_or(String::new(), |schema| format!("{schema}."));
        schema + &self.name
    }
}

/// A trigger that runs when a row is updated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The table's name.
    pub table: String,
    /// The trigger's name.
    pub name: String,
    /// Whether it also runs in sessions that apply changes of another server.
    pub always: bool,
}

/// An object that a database stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The kind of object; a virtual table counts as a table here.
    pub kind: ObjectKind,
    /// The object's name.
    pub name: String,
    /// The table that it belongs to. For a table or a view, its own name.
    pub table: String,
    /// The statement that created it, as the database stores it; `None` for the index of a
    /// constraint.
    pub sql: Option<String>,
    /// Whether it exists only in this connection.
    pub temporary: bool,
}

/// The kind of an object, with its word in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// An aggregate function.
    Aggregate,
    /// A collation.
    Collation,
    /// A type of several fields.
    CompositeType,
    /// A type with conditions.
    Domain,
    /// An extension of the database.
    Extension,
    /// A table of another server.
    ForeignTable,
    /// A function.
    Function,
    /// An index.
    Index,
    /// A view whose rows are stored.
    MaterializedView,
    /// A part of a partitioned table.
    Partition,
    /// A policy of row level security.
    Policy,
    /// A procedure.
    Procedure,
    /// A rule that rewrites queries.
    Rule,
    /// A sequence that no column owns.
    Sequence,
    /// A table that stores the content of a virtual table.
    ShadowTable,
    /// Statistics about several columns.
    Statistics,
    /// A table.
    Table,
    /// A trigger.
    Trigger,
    /// A type that no column has.
    Type,
    /// A view.
    View,
    /// A table whose content is provided by a module.
    VirtualTable,
}

impl ObjectKind {
    /// All kinds.
    pub const ALL: [ObjectKind; 21] = [
        ObjectKind::Aggregate,
        ObjectKind::Collation,
        ObjectKind::CompositeType,
        ObjectKind::Domain,
        ObjectKind::Extension,
        ObjectKind::ForeignTable,
        ObjectKind::Function,
        ObjectKind::Index,
        ObjectKind::MaterializedView,
        ObjectKind::Partition,
        ObjectKind::Policy,
        ObjectKind::Procedure,
        ObjectKind::Rule,
        ObjectKind::Sequence,
        ObjectKind::ShadowTable,
        ObjectKind::Statistics,
        ObjectKind::Table,
        ObjectKind::Trigger,
        ObjectKind::Type,
        ObjectKind::View,
        ObjectKind::VirtualTable,
    ];

    /// The word for it in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            ObjectKind::Aggregate => "aggregate",
            ObjectKind::Collation => "collation",
            ObjectKind::CompositeType => "composite type",
            ObjectKind::Domain => "domain",
            ObjectKind::Extension => "extension",
            ObjectKind::ForeignTable => "foreign table",
            ObjectKind::Function => "function",
            ObjectKind::Index => "index",
            ObjectKind::MaterializedView => "materialized view",
            ObjectKind::Partition => "partition",
            ObjectKind::Policy => "policy",
            ObjectKind::Procedure => "procedure",
            ObjectKind::Rule => "rule",
            ObjectKind::Sequence => "sequence",
            ObjectKind::ShadowTable => "shadow table",
            ObjectKind::Statistics => "statistics",
            ObjectKind::Table => "table",
            ObjectKind::Trigger => "trigger",
            ObjectKind::Type => "type",
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

/// What was read from a database's catalog.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalog {
    /// The tables that could be read, in the database's own terms.
    pub schema: Schema,
    /// Tables and indexes that could not be parsed.
    pub unreadable: Vec<Unreadable>,
    /// Objects that a schema can't represent, such as views and triggers.
    pub others: Vec<ObjectName>,
    /// Features of the tables that a schema can't represent.
    pub beyond: Vec<Beyond>,
    /// What the tables have besides, which changes nothing that they do.
    pub unsaid: Vec<Unsaid>,
    /// All objects that the database stores, in the order in which they were created.
    pub objects: Vec<Object>,
}

impl Catalog {
    /// Why the table or index with this name could not be parsed; `None` if it could.
    pub fn why_unreadable(&self, name: &str, folding: Folding) -> Option<&str> {
        let mut unreadable = self.unreadable.iter();
        let found = unreadable.find(|object| folding.same_table(&object.name, name));
        found.map(|object| object.why.as_str())
    }
}

/// Something that a database has and that is compared with nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsaid {
    /// The table that it belongs to, if it belongs to one.
    pub table: Option<String>,
    /// What it is, in words.
    pub text: String,
}

/// A table or an index that could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Whether it is a table or an index.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// Why, as a sentence that starts in lower case.
    pub why: String,
}

/// An object by its kind and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectName {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
}

impl ObjectName {
    /// The object with this kind and name.
    pub fn new(kind: ObjectKind, name: &str) -> ObjectName {
        ObjectName { kind, name: name.to_owned() }
    }
}

/// A feature of a table that a schema can't represent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beyond {
    /// The table.
    pub table: String,
    /// The columns that have it.
    pub columns: Vec<String>,
    /// The constraint that has it, or `None` if it belongs to the column itself.
    pub part: Option<Part>,
    /// The feature in words: `has ON CONFLICT IGNORE`.
    pub text: String,
}

/// A table as a database would keep it.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The table, in the database's own terms.
    pub table: Table,
    /// What could not be compared with the existing table, and why: the text continues "can't be
    /// compared". In the table it is the same as in the existing one.
    pub untold: Vec<Beyond>,
}

impl From<Table> for Kept {
    fn from(table: Table) -> Kept {
        Kept { table, untold: Vec::new() }
    }
}

/// A constraint or an index of a table, as messages name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its kind.
    pub kind: PartKind,
    /// Its name, if it has one that identifies it.
    pub name: Option<String>,
    /// Its definition without the name, such as ``on `email` ``; used in messages if there is no
    /// name.
    pub content: String,
}

/// The kind of a part of a table, with its words in messages.
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
    /// An exclusion constraint.
    Exclusion,
}

impl fmt::Display for PartKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PartKind::PrimaryKey => "primary key",
            PartKind::Unique => "unique constraint",
            PartKind::ForeignKey => "foreign key",
            PartKind::Check => "check",
            PartKind::Index => "index",
            PartKind::Exclusion => "exclusion constraint",
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

/// What is broken in a database although its catalog lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Rows of all tables that violate a foreign key.
    pub violations: Vec<Violation>,
    /// Those of the requested views and triggers that don't work.
    pub broken: Vec<Broken>,
}

/// A foreign key violation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The table with the foreign key.
    pub table: String,
    /// The table that it refers to.
    pub references: String,
    /// What is wrong.
    pub kind: ViolationKind,
}

/// What is wrong with a foreign key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ViolationKind {
    /// A row refers to a row that doesn't exist. Contains the number of the referring row, if the
    /// database numbers the table's rows.
    Row(Option<i64>),
    /// No row can be checked, since the referenced columns are missing or not unique.
    Mismatch,
    /// The database can't check the table's rows, for this reason.
    Unchecked(String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Violation { table, references, kind } = self;
        match kind {
            ViolationKind::Row(Some(row)) => {
                write!(f, "row {row} of `{table}` refers to a missing row of `{references}`")
            }
            ViolationKind::Row(None) => {
                write!(f, "a row of `{table}` refers to a missing row of `{references}`")
            }
            ViolationKind::Mismatch => write!(f, "the foreign key of `{table}` to `{references}`"),
            ViolationKind::Unchecked(why) => write!(f, "`{table}`: {why}"),
        }
    }
}

/// A view or trigger that doesn't work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Whether it is a view or a trigger.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// The database's error.
    pub why: String,
    /// Whether it works, but takes a name that matches no column for a text.
    pub only_by_text: bool,
    /// Whether it only lacks something that an application registers on its own connections.
    pub lacks_registered: bool,
}

/// Another object that a statement with a table's name would reach instead of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shadow {
    /// A temporary object of the connection, with this name.
    Temporary(String),
    /// A table with this name in another database or schema, which the connection also searches.
    Elsewhere {
        /// The table's name.
        table: String,
        /// The other place, in words.
        place: String,
    },
}
