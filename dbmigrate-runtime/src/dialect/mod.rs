//! Dialects: operations to the statements of one database.
//!
//! A dialect plans without a connection. What a statement depends on beside operation and schema
//! comes as a plain value ([`Facts`]), so every text can be seen, and is tested, without a
//! database. The dialect also reads its database's catalog, through a [`Connection`] that it only
//! queries.

mod asking;
mod catalog;
mod comparing;
mod mysql;
mod postgres;
mod script;
mod sqlite;

use std::collections::BTreeSet;
use std::fmt;

pub use catalog::{
    Beyond, Broken, Catalog, Facts, Health, Object, ObjectKind, ObjectName, Part, PartKind, Shadow,
    Unreadable, Violation, ViolationKind,
};
pub use comparing::Comparing;
pub use mysql::{MARIADB, MYSQL};
pub use postgres::POSTGRES;
pub use script::{Script, Shell};
pub use sqlite::Sqlite;

use crate::backend::Backend;
use crate::driver::{Connection, DatabaseError};
use crate::folding::NameRules;
use crate::operations::Operation;
use crate::schema::{Column, Schema, Table, Type};
use crate::sql::Lexicon;
use crate::written::Mistake;

/// How one database writes SQL.
pub trait Dialect: Sync {
    /// The kind of database whose SQL it is.
    fn backend(&self) -> Backend;

    /// How this database takes SQL apart.
    fn lexicon(&self) -> &'static Lexicon;

    /// What this database reads alike, where a server has a say in it by what it says of itself.
    fn comparing(&self, facts: &Facts) -> Comparing;

    /// What names can be, by what the facts say of the server.
    fn names(&self, facts: &Facts) -> NameRules {
        let Comparing { folding, lexicon, .. } = self.comparing(facts);
        NameRules { folding, lexicon, hidden_columns: &[] }
    }

    /// Whether the database keeps such names of tables for itself.
    fn is_reserved(&self, table: &str) -> bool {
        let _ = table;
        false
    }

    /// What makes these columns of a table ones that a foreign key can refer to; no columns stand
    /// for the primary key. `None` is for a database that refuses to create any other key, so that
    /// nobody has to look ahead.
    fn referable(&self, table: &Table, columns: &[String]) -> Option<Referable> {
        let _ = (table, columns);
        None
    }

    /// What this database can do and others can't, or the other way round.
    fn capabilities(&self) -> Capabilities;

    /// What is assumed of a database that isn't at hand.
    fn offline_facts(&self) -> Facts;

    /// An identifier, always quoted.
    fn quote(&self, name: &str) -> String;

    /// A value as a literal.
    fn literal(&self, value: &crate::Value) -> String;

    /// What statements depend on beside operation and schema, without the stored objects.
    ///
    /// # Errors
    ///
    /// What the database says, as in all that asks it.
    fn facts(&self, conn: &mut dyn Connection) -> Result<Facts, DatabaseError>;

    /// What the database stores, in the order in which it was made.
    ///
    /// # Errors
    ///
    /// What the database says.
    fn objects(&self, conn: &mut dyn Connection) -> Result<Vec<Object>, DatabaseError>;

    /// A number that changes whenever the stored objects do, where there is such.
    ///
    /// # Errors
    ///
    /// What the database says.
    fn objects_version(&self, conn: &mut dyn Connection) -> Result<Option<i64>, DatabaseError>;

    /// What the database has, in its own words: of these tables, or of all. The objects that come
    /// with it are all.
    ///
    /// # Errors
    ///
    /// What the database says.
    fn catalog(
        &self,
        conn: &mut dyn Connection,
        only: Option<&BTreeSet<String>>,
    ) -> Result<Catalog, DatabaseError>;

    /// Foreign keys that don't hold, of the whole database, and views and triggers that mention one
    /// of these tables and don't work. Nothing is changed.
    ///
    /// # Errors
    ///
    /// What the database says when it is asked for them.
    fn health(
        &self,
        conn: &mut dyn Connection,
        tables: &BTreeSet<String>,
    ) -> Result<Health, DatabaseError>;

    /// What statements that name these tables, which a database of these objects should have,
    /// would reach instead: the first such.
    ///
    /// # Errors
    ///
    /// What the database says.
    fn shadow(
        &self,
        conn: &mut dyn Connection,
        tables: &BTreeSet<String>,
        expected: &Schema,
        objects: &[Object],
    ) -> Result<Option<Shadow>, DatabaseError>;

    /// Whether the object comes and goes by itself, with another one of these.
    fn is_maintained(&self, object: &Object, objects: &[Object]) -> bool;

    /// Whether the statements of these operations depend on [`Facts::objects`].
    fn depends_on_objects(&self, operations: &[Operation]) -> bool {
        let _ = operations;
        false
    }

    /// Whether the operation may give other numbers to the rows of the tables that it names, given
    /// the schema before it: the numbers by which [`Health`] tells rows apart.
    fn renumbers_rows(&self, operation: &Operation, before: &Schema) -> bool {
        let _ = (operation, before);
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
    ) -> Result<Plan, Refusal>;

    /// The tables as a reader of this database would find them: in its own types and words. Two
    /// tables that it can't tell apart become equal. Each comes with the database's own table of
    /// that name, where it has one: a type that this one declares and that stands for the
    /// column's, such as one that an earlier version declared, is no difference.
    ///
    /// A database that rewrites what it is told has to be asked. Nothing of that stays.
    ///
    /// # Errors
    ///
    /// What the database says; in the answer, a table that this database can't have.
    fn as_kept(
        &self,
        conn: &mut dyn Connection,
        tables: &[(&Table, Option<&Table>)],
    ) -> Result<Vec<Result<Table, Refusal>>, DatabaseError>;

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

    /// The condition of the rows whose value in this column does not fit another type. `None` is
    /// for types that hold each of its values, and where that can't be told. NULL always fits.
    fn misfit(&self, column: &str, from: &Type, to: &Type) -> Option<String> {
        let _ = (column, from, to);
        None
    }

    /// Whether the column holds numbers that this database keeps as text and so compares as text.
    fn keeps_number_as_text(&self, table: &Table, column: &Column) -> bool {
        let _ = (table, column);
        false
    }

    /// The name in statements of a table of ours in that schema, quoted; the schema may be empty.
    ///
    /// # Errors
    ///
    /// A schema that rows can't be written into in the transaction of the work.
    fn qualified(&self, schema: &str, table: &str) -> Result<String, Refusal>;

    /// A statement that creates a table of ours, of this quoted name, if it isn't there.
    ///
    /// # Errors
    ///
    /// A table that this database can't have.
    fn create_if_missing(&self, name: &str, table: &Table) -> Result<String, Refusal>;

    /// Whether the database itself has a table of this name, which isn't quoted.
    ///
    /// # Errors
    ///
    /// What the database says.
    fn has_table(&self, conn: &mut dyn Connection, name: &str) -> Result<bool, DatabaseError>;

    /// What the database says of a failed rebuild, with the table's own name instead of the one
    /// that it has meanwhile.
    fn without_scratch_names(&self, message: &str) -> String {
        message.to_owned()
    }

    /// An expression of the time now, in UTC, as ISO 8601 text.
    fn now(&self) -> &'static str;

    /// Why a person's SQL can't run in a transaction, where the database itself would take it and
    /// do nothing.
    fn refused_in_transaction(&self, sql: &str) -> Option<&'static str>;

    /// What scripts for the database's own shell are made of.
    fn script(&self) -> &'static Script;
}

/// What databases differ in, as far as what runs on them has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether changes of tables are part of a transaction, and are rolled back with it.
    pub transactional_ddl: bool,
    /// Whether a statement that fails ends the transaction that it is in.
    pub aborts_on_error: bool,
}

/// What of a table makes columns unique, so that a foreign key can refer to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Referable {
    /// Whether the primary key does.
    pub by_primary_key: bool,
    /// The names of the unique constraints and indexes that do.
    pub uniques: Vec<String>,
}

impl Referable {
    /// Whether a foreign key can refer to the columns.
    pub fn is_any(&self) -> bool {
        self.by_primary_key || !self.uniques.is_empty()
    }
}

/// What operations are on one database.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// What to do, in order.
    pub tasks: Vec<Task>,
    /// How many operations that covers. The rest depends on what these make of the database, so
    /// its facts have to be asked again.
    pub taken: usize,
}

/// One thing that a plan does.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Runs SQL.
    Statement(Statement),
    /// Asks, and fails where the answer isn't empty.
    Guard(Guard),
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
pub struct Guard {
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
pub struct Refusal {
    /// Why, as a sentence without a beginning capital: ``cannot drop ... on SQLite: ...``.
    pub message: String,
    /// What to do, if there is one thing to say.
    pub hint: Option<String>,
}

impl Refusal {
    /// An operation with SQL that would run as something else than was meant.
    pub(crate) fn mistake(operation: &Operation, backend: Backend, mistake: Mistake) -> Refusal {
        Refusal {
            message: format!("cannot {operation} on {backend}: {}", mistake.message),
            hint: Some(mistake.hint),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The dialect of that kind of database, where this version has one.
pub fn of(backend: Backend) -> Option<&'static dyn Dialect> {
    match backend {
        Backend::Sqlite => Some(&Sqlite),
        Backend::Postgres | Backend::Mysql => None,
    }
}
