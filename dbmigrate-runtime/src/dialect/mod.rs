//! Dialects: operations to the statements of one database.
//!
//! A dialect has no connection. What a statement depends on beside operation and schema comes as
//! a plain value ([`Facts`]), so every text can be seen, and is tested, without a database.

mod sqlite;

use std::fmt;

pub use sqlite::Sqlite;

use crate::operations::Operation;
use crate::schema::{Column, Schema, Table, Type};
use crate::written::Mistake;

/// What a server or library says of itself and statements depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The version as a number; SQLite's `3.46.1` is `3_046_001`.
    pub version: u32,
    /// What SQLite stores of the database's objects, or `None` where no database was asked: what
    /// the migrations build is then taken for what is there.
    pub objects: Option<Vec<StoredObject>>,
}

/// A row of SQLite's `sqlite_schema` or `sqlite_temp_schema`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// `table`, `index`, `view` or `trigger`.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The table that it belongs to; a table's and a view's own name.
    pub table: String,
    /// The statement that made it; none for the index of a constraint.
    pub sql: Option<String>,
    /// Whether it belongs to the connection alone.
    pub temporary: bool,
}

/// What was read of a database.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Introspected {
    /// The tables that could be read, in the database's own terms.
    pub schema: Schema,
    /// Tables and indexes that could not be understood: the name, and why.
    pub unreadable: Vec<(String, String)>,
    /// What a schema has no place for, such as a `view` or a `trigger`: what it is, and its name.
    pub others: Vec<(String, String)>,
    /// What the tables say that a schema has no place for.
    pub beyond: Vec<Beyond>,
    /// What it was read from, where the database stores such.
    pub objects: Vec<StoredObject>,
}

/// Something that a database says of a table and a schema has no place for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beyond {
    /// The table.
    pub table: String,
    /// The columns that it is about.
    pub columns: Vec<String>,
    /// The constraint in words, or nothing where it is about the column itself.
    pub object: String,
    /// What it says: `has ON CONFLICT IGNORE`.
    pub text: String,
}

/// How one database writes SQL.
pub trait Dialect: Sync {
    /// The dialect's name in URLs, in `op.execute`'s texts and in messages.
    fn name(&self) -> &'static str;

    /// The database's name as people write it.
    fn title(&self) -> &'static str;

    /// What is assumed of a database that isn't at hand.
    fn offline_facts(&self) -> Facts;

    /// An identifier, always quoted.
    fn quote(&self, name: &str) -> String;

    /// A value as a literal.
    fn literal(&self, value: &crate::Value) -> String;

    /// Whether the statements of these operations depend on [`Facts::objects`].
    fn depends_on_objects(&self, operations: &[Operation]) -> bool {
        let _ = operations;
        false
    }

    /// The statements of one revision's operations, given the schema before them, which becomes
    /// the one after those that were [taken](Plan::taken).
    ///
    /// # Errors
    ///
    /// The first operation that this database can't do without losing something, or that the
    /// schema before it doesn't allow. Nothing has run by then.
    fn plan(
        &self,
        operations: &[Operation],
        schema: &mut Schema,
        facts: &Facts,
    ) -> Result<Plan, Unplannable>;

    /// The table as a reader of this database would find it: in the database's own types and
    /// words. Two tables that it can't tell apart become equal.
    ///
    /// # Errors
    ///
    /// A table that this database can't have.
    fn as_stored(&self, table: &Table, facts: &Facts) -> Result<Table, Unplannable>;

    /// The table with the types as the database's own table of that name declares them, where a
    /// declared type stands for the column's type although this dialect would declare another:
    /// one that earlier versions declared, or another name for the same. What is compared with a
    /// database goes through this before it goes through [`as_stored`](Dialect::as_stored).
    fn as_declared(&self, table: &Table, actual: &Table) -> Table {
        let _ = actual;
        table.clone()
    }

    /// The type of ours that holds what a type in this database's own words holds. `None` is for
    /// any other type, and for words that say nothing for certain.
    fn understood(&self, ty: &Type) -> Option<Type> {
        let _ = ty;
        None
    }

    /// Whether a column keeps each of its values when it gets a type in this database's own words.
    fn keeps_values(&self, from: &Type, to: &Type) -> bool {
        let _ = (from, to);
        false
    }

    /// Whether the column holds numbers that this database keeps as text and so compares as text.
    fn keeps_number_as_text(&self, table: &Table, column: &Column) -> bool {
        let _ = (table, column);
        false
    }

    /// The version table's name in statements, quoted; the schema may be empty.
    ///
    /// # Errors
    ///
    /// A schema that rows can't be written into in the transaction of the work.
    fn version_table_name(&self, schema: &str, table: &str) -> Result<String, Unplannable>;

    /// Statements that create the version table, of this quoted name, if it isn't there.
    fn create_version_table(&self, name: &str) -> String;

    /// A query of one row when a table is there and none when it isn't; its parameter is the
    /// table's name.
    fn table_exists(&self) -> &'static str;

    /// What the database says of a failed rebuild, with the table's own name instead of the one
    /// that it has meanwhile.
    fn without_scratch_names(&self, message: &str) -> String {
        message.to_owned()
    }

    /// An expression of the time now, in UTC, as ISO 8601 text.
    fn now(&self) -> &'static str;

    /// The database's own shell, which scripts are written for.
    fn shell(&self) -> Shell;
}

/// A database's own shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shell {
    /// Its name.
    pub name: &'static str,
    /// The line by which a script has it stop at the first error. Other clients take it for an
    /// error.
    pub stop: &'static str,
    /// How a script is run by it.
    pub run: &'static str,
    /// How a script without that line is run so that it stops.
    pub run_stopping: &'static str,
}

/// What operations are on one database.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// What to do, in order.
    pub actions: Vec<Action>,
    /// How many operations that covers. The rest depends on what these make of the database, so
    /// its facts have to be asked again.
    pub taken: usize,
}

/// One thing that a plan does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Runs SQL.
    Statement(Statement),
    /// Asks, and fails where the answer isn't empty.
    Check(Check),
    /// Says something of the plan to who reads it as a script.
    Note(String),
    /// Runs the step at that place among the revision's operations.
    Step {
        /// The step's place among the operations of its revision, counted from 0.
        operation: usize,
        /// The step's name.
        name: String,
    },
}

/// SQL with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The text, without a closing semicolon unless it is a person's.
    pub sql: String,
    /// The operation in plain words.
    pub reason: String,
    /// How the database does it.
    pub route: Route,
}

/// A question that has to have no answer for the work to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// A query of no row where all is well, and else of one row with one number.
    pub sql: String,
    /// What is wrong, as a sentence without a beginning capital; `{}` stands for the number.
    pub failure: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How a database makes a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// By a statement of its own for it.
    Native,
    /// By a new table that takes the rows over and then the name.
    Rebuild,
    /// As a person wrote it.
    Raw,
}

/// An operation that has no statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplannable {
    /// Why, as a sentence without a beginning capital: ``cannot drop ... on SQLite: ...``.
    pub message: String,
    /// What to do, if there is one thing to say.
    pub hint: Option<String>,
}

impl Unplannable {
    /// An operation with SQL that would run as something else than was meant.
    pub(crate) fn mistake(operation: &Operation, title: &str, mistake: Mistake) -> Unplannable {
        Unplannable {
            message: format!("cannot {operation} on {title}: {}", mistake.message),
            hint: Some(mistake.hint),
        }
    }
}

impl fmt::Display for Unplannable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The dialect of that name.
pub fn by_name(name: &str) -> Option<&'static dyn Dialect> {
    match name {
        "sqlite" => Some(&Sqlite),
        _ => None,
    }
}
