//! Dialects: translate operations to the statements of one database.
//!
//! A dialect plans without a connection. What a statement depends on besides the operation and the
//! schema is passed as a plain value ([`Facts`]), so every statement can be shown, and is tested,
//! without a database. The dialect also reads its database's catalog, through a [`Connection`] that
//! it only uses for queries.

mod asking;
mod catalog;
mod comparing;
mod cost;
mod guard;
#[cfg(any(test, feature = "mysql-dialect"))]
mod mysql;
#[cfg(any(test, feature = "postgres-dialect"))]
mod postgres;
mod refusal;
mod script;
#[cfg(any(test, feature = "sqlite-dialect"))]
mod sqlite;
mod task;

use std::collections::BTreeSet;
use std::fmt;

pub use catalog::{
    Beyond, Broken, Catalog, Existing, Facts, Health, Kept, Object, ObjectKind, ObjectName, Part,
    PartKind, Shadow, Trigger, Unreadable, Unsaid, Violation, ViolationKind,
};
pub(crate) use catalog::{Read, Schemas, User, ViewName, Views};
pub use comparing::Comparing;
pub use cost::{Blocks, Cost, Lock, Work};
pub use guard::Guard;
#[cfg(feature = "mysql")]
pub(crate) use mysql::quote as quote_mysql;
#[cfg(any(test, feature = "mysql-dialect"))]
pub use mysql::{Flavor, MARIADB, MYSQL, Mysql};
#[cfg(feature = "postgres")]
pub(crate) use postgres::statements;
#[cfg(any(test, feature = "postgres-dialect"))]
pub use postgres::{POSTGRES, Postgres};
pub use refusal::Refusal;
pub use script::{Script, Shell};
#[cfg(any(test, feature = "sqlite-dialect"))]
pub use sqlite::Sqlite;
pub use task::{
    Alone, Plan, Remnant, RowCount, Scratch, Statement, StatementKind, Task, Uncommitted,
};

use crate::backend::Backend;
use crate::driver::{Connection, DatabaseError};
use crate::folding::NameRules;
use crate::operations::Operation;
use crate::schema::{Column, Schema, Table, Type};
use crate::sql::{self, Lexicon};

/// How one kind of database writes SQL and describes itself.
pub trait Dialect: Sync {
    /// The kind of database.
    fn backend(&self) -> Backend;

    /// The lexical rules of this database.
    fn lexicon(&self) -> &'static Lexicon;

    /// Which spellings this database treats as equal. Settings of a server come from the facts.
    fn comparing(&self, facts: &Facts) -> Comparing;

    /// What names can refer to. Settings of a server come from the facts.
    fn names(&self, facts: &Facts) -> NameRules {
        let Comparing { folding, lexicon, .. } = self.comparing(facts);
        NameRules { folding, lexicon, hidden_columns: &[] }
    }

    /// The prefix of table and index names that the database reserves for itself.
    fn reserved_prefix(&self) -> Option<&'static str> {
        None
    }

    /// Whether the database reserves this name of a table or an index for itself.
    fn is_reserved(&self, name: &str) -> bool {
        self.reserved_prefix().is_some_and(|prefix| sql::starts_with(name, prefix))
    }

    /// Which keys and indexes make these columns of a table referable by a foreign key; without
    /// columns it is the primary key that is referred to. `None` if the database itself refuses to
    /// create an invalid foreign key, so that no check in advance is needed.
    fn referable(&self, table: &Table, columns: &[String]) -> Option<Referable> {
        let _ = (table, columns);
        None
    }

    /// Capabilities in which databases differ.
    fn capabilities(&self) -> Capabilities;

    /// The facts that are assumed if there is no database.
    fn offline_facts(&self) -> Facts;

    /// An identifier, always quoted.
    fn quote(&self, name: &str) -> String;

    /// The name of a table in SQL, with its schema if it has one.
    fn relation(&self, table: &str) -> String {
        self.quote(table)
    }

    /// A value as a literal.
    fn literal(&self, value: &crate::Value) -> String;

    /// A value as a literal for a column of this type.
    fn literal_of(&self, value: &crate::Value, ty: &Type) -> String {
        let _ = ty;
        self.literal(value)
    }

    /// What statements depend on besides the operation and the schema, without the stored objects.
    ///
    /// # Errors
    ///
    /// The database's errors, as in all methods that query it.
    fn facts(&self, conn: &mut dyn Connection) -> Result<Facts, DatabaseError>;

    /// The objects that the database stores, in the order in which they were created. Of schemas
    /// other than the connection's own, only these tables with what belongs to them.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn objects(
        &self,
        conn: &mut dyn Connection,
        elsewhere: &BTreeSet<String>,
    ) -> Result<Vec<Object>, DatabaseError>;

    /// A number that changes whenever the stored objects change, if the database has one.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn objects_version(&self, conn: &mut dyn Connection) -> Result<Option<i64>, DatabaseError>;

    /// The tables of the database, in its own terms: only the given ones, or all. The list of
    /// objects is always complete. Of schemas other than the connection's own, only the tables in
    /// `elsewhere` are looked at, which are called `schema.table`.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn catalog(
        &self,
        conn: &mut dyn Connection,
        only: Option<&BTreeSet<String>>,
        elsewhere: &BTreeSet<String>,
    ) -> Result<Catalog, DatabaseError>;

    /// These tables of the connection's own schema, without the list of objects: making that takes
    /// longest where there are many.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn tables(
        &self,
        conn: &mut dyn Connection,
        names: &BTreeSet<String>,
    ) -> Result<Catalog, DatabaseError> {
        let catalog = self.catalog(conn, Some(names), &BTreeSet::new())?;
        Ok(Catalog { others: Vec::new(), objects: Vec::new(), ..catalog })
    }

    /// Foreign key violations in the whole database, and broken views and triggers that mention one
    /// of these tables. Changes nothing.
    ///
    /// # Errors
    ///
    /// The database's errors when it is queried.
    fn health(
        &self,
        conn: &mut dyn Connection,
        tables: &BTreeSet<String>,
    ) -> Result<Health, DatabaseError>;

    /// The warning about the last query at which a change of rows would have stopped, on databases
    /// that warn of what they compute.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn warning(&self, conn: &mut dyn Connection) -> Result<Option<String>, DatabaseError> {
        let _ = conn;
        Ok(None)
    }

    /// The first object that statements which name one of these tables would reach instead of the
    /// table. `expected` is the schema that the database should have, `objects` are those that it
    /// stores.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn shadow(
        &self,
        conn: &mut dyn Connection,
        tables: &BTreeSet<String>,
        expected: &Schema,
        objects: &[Object],
    ) -> Result<Option<Shadow>, DatabaseError>;

    /// Whether the object is created and dropped implicitly, along with another one of these
    /// objects.
    fn is_maintained(&self, object: &Object, objects: &[Object]) -> bool;

    /// A text that changes whenever a statement changes the definition of an object that it names;
    /// empty if that can't be told.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn definitions(&self, conn: &mut dyn Connection, sql: &str) -> Result<String, DatabaseError> {
        let _ = (conn, sql);
        Ok(String::new())
    }

    /// The definition of what a statement changes, where a crash in the middle of it may lose a part
    /// of that; empty elsewhere.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn at_risk(&self, conn: &mut dyn Connection, sql: &str) -> Result<String, DatabaseError> {
        let _ = (conn, sql);
        Ok(String::new())
    }

    /// The statements that create again what a crash lost in the middle of a statement, given what
    /// [`at_risk`](Dialect::at_risk) or [`definitions`](Dialect::definitions) said before it.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn lost(
        &self,
        conn: &mut dyn Connection,
        sql: &str,
        before: &str,
    ) -> Result<Vec<String>, DatabaseError> {
        let _ = (conn, sql, before);
        Ok(Vec::new())
    }

    /// The facts that the statements of the remaining operations depend on: what is known of the
    /// database, and what has to be read again now, because each part of a plan may change it.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn facts_for(
        &self,
        conn: &mut dyn Connection,
        operations: &[Operation],
        known: &Facts,
    ) -> Result<Facts, DatabaseError> {
        let _ = (conn, operations);
        Ok(known.clone())
    }

    /// Whether the operation may renumber the rows of the tables that it names, given the schema
    /// before it. [`Health`] identifies rows by their numbers.
    fn renumbers_rows(&self, operation: &Operation, before: &Schema) -> bool {
        let _ = (operation, before);
        false
    }

    /// The statements for a revision's operations, given the schema before them. The schema is
    /// updated to the one after the operations that were [taken](Plan::taken).
    ///
    /// # Errors
    ///
    /// The first operation that this database can't run without losing something, or that doesn't
    /// fit the schema before it. Nothing has run at that point.
    fn plan(
        &self,
        operations: &[Operation],
        schema: &mut Schema,
        facts: &Facts,
    ) -> Result<Plan, Refusal>;

    /// The tables as this database would store them: in its own types and spelling. Two tables that
    /// the database can't tell apart become equal. Each table comes with the existing table of the
    /// same name, if there is one: if the existing table declares another type that stands for the
    /// column's type, for example because an earlier version declared it, that is not a difference.
    ///
    /// A database that rewrites definitions has to be queried, which leaves nothing behind. What
    /// can't be told in this way counts as the same, and is listed.
    ///
    /// # Errors
    ///
    /// The database's errors. The inner result is the refusal of a table that the database can't
    /// have.
    fn as_kept(
        &self,
        conn: &mut dyn Connection,
        tables: &[(&Table, Option<&Table>)],
    ) -> Result<Vec<Result<Kept, Refusal>>, DatabaseError>;

    /// The portable type that holds the same values as a type in this database's own words. `None`
    /// for any other type, and if the words don't settle it.
    fn understood(&self, ty: &Type) -> Option<Type> {
        let _ = ty;
        None
    }

    /// Whether a column keeps all of its values when it gets a type in this database's own words.
    fn keeps_values(&self, from: &Type, to: &Type) -> bool {
        let _ = (from, to);
        false
    }

    /// The condition for rows whose value in this column does not fit another type. `None` if the
    /// other type holds every value, or if that can't be told. NULL always fits.
    fn misfit(&self, column: &str, from: &Type, to: &Type) -> Option<String> {
        let _ = (column, from, to);
        None
    }

    /// The condition for drivers to read a stored value of this column, other than NULL, as the
    /// column's type. `None` if the readers of the type aren't known.
    fn reads(&self, table: &Table, column: &Column) -> Option<String> {
        let _ = (table, column);
        None
    }

    /// An expression that converts each value of a type for a column of another type, if only one
    /// conversion makes sense. The column refuses the values that it can't convert.
    fn counterpart(&self, column: &str, from: &Type, to: &Column) -> Option<String> {
        let _ = (column, from, to);
        None
    }

    /// A neutral value of the type, in SQL. `None` if the values of the type aren't known.
    fn neutral(&self, ty: &Type) -> Option<String> {
        let _ = ty;
        None
    }

    /// Whether the column holds numbers that this database stores as text, so that it compares them
    /// as text.
    fn keeps_number_as_text(&self, table: &Table, column: &Column) -> bool {
        let _ = (table, column);
        false
    }

    /// The quoted name, for statements, of one of dbmigrate's own tables in this schema, which may
    /// be empty.
    ///
    /// # Errors
    ///
    /// A schema that can't be written to in the same transaction as the revisions' work.
    fn qualified(&self, schema: &str, table: &str) -> Result<String, Refusal>;

    /// A statement that creates one of dbmigrate's own tables, under this quoted name, if it
    /// doesn't exist.
    ///
    /// # Errors
    ///
    /// A table that this database can't have.
    fn create_if_missing(&self, name: &str, table: &Table) -> Result<String, Refusal>;

    /// The condition, from WHERE on, for the rows of one of dbmigrate's own tables to be in the
    /// connection's own schema, if its unquoted name may also find a table of another schema.
    fn in_own_schema(&self, table: &str) -> String {
        let _ = table;
        String::new()
    }

    /// Whether a schema, or the connection's own if that is empty, has a table with this name. The
    /// names aren't quoted.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn has_table(
        &self,
        conn: &mut dyn Connection,
        schema: &str,
        name: &str,
    ) -> Result<bool, DatabaseError>;

    /// The names of the schemas that the database has for tables of its users; none if it has no
    /// schemas.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn schemas(&self, conn: &mut dyn Connection) -> Result<Vec<String>, DatabaseError> {
        let _ = conn;
        Ok(Vec::new())
    }

    /// The tables of other schemas than the connection's own, with their schemas.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn tables_elsewhere(&self, conn: &mut dyn Connection) -> Result<Vec<String>, DatabaseError> {
        let _ = conn;
        Ok(Vec::new())
    }

    /// What neither a catalog nor a comparison contains: for whoever takes a database over.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn unsaid(&self, conn: &mut dyn Connection) -> Result<Vec<Unsaid>, DatabaseError> {
        let _ = conn;
        Ok(Vec::new())
    }

    /// How many rows a table has, as far as the database knows without reading all of them; `None` if
    /// it doesn't know, or has no such table.
    ///
    /// # Errors
    ///
    /// The database's errors; after one, the transaction may have been rolled back.
    fn rows_about(
        &self,
        conn: &mut dyn Connection,
        table: &str,
    ) -> Result<Option<RowCount>, DatabaseError>;

    /// An expression for the current time in UTC, as ISO 8601 text.
    fn now(&self) -> &'static str;

    /// Why hand-written SQL can't run in a transaction, if the database would accept it and
    /// silently do nothing.
    fn refused_in_transaction(&self, sql: &str) -> Option<&'static str>;

    /// Whether an operation can take more than one transaction, or none, so that its revision is run
    /// in groups. The plan decides.
    fn may_take_groups(&self, operation: &Operation) -> bool {
        matches!(operation, Operation::Run(step) if step.batch.is_some())
    }

    /// Whether the transaction that has added this has to be committed before these operations.
    fn must_commit(&self, added: &Uncommitted, operations: &[Operation], facts: &Facts) -> bool {
        let _ = (added, operations, facts);
        false
    }

    /// The statements that drop everything in the connection's own schema, and these tables of
    /// other ones, each to be run in a transaction of its own, and how many tables they drop. A
    /// database in a file is deleted instead.
    ///
    /// # Errors
    ///
    /// The database's errors.
    fn emptying(
        &self,
        conn: &mut dyn Connection,
        elsewhere: &BTreeSet<String>,
    ) -> Result<(Vec<String>, usize), DatabaseError> {
        let _ = (conn, elsewhere);
        Ok((Vec::new(), 0))
    }

    /// How to keep a commit from waiting for readers, as half a sentence.
    fn commit_advice(&self) -> Option<&'static str> {
        None
    }

    /// The building blocks of scripts for the database's own shell.
    fn script(&self) -> &'static Script;
}

impl fmt::Debug for dyn Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.backend())
    }
}

impl PartialEq for dyn Dialect {
    fn eq(&self, other: &dyn Dialect) -> bool {
        self.backend() == other.backend()
    }
}

/// Differences between databases that matter to the code that runs plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether a failed statement ends its transaction.
    pub aborts_on_error: bool,
    /// Whether a transaction that others got in the way of is rolled back and repeated as a whole.
    pub repeats_transactions: bool,
    /// Whether a revision may be run in groups of statements, which are entered into the ledger.
    pub has_groups: bool,
    /// Whether each change of a definition commits by itself, so that every one is a group of its
    /// own (a [`Task::Alone`]), and the ledger tells which of them are done.
    pub commits_definitions: bool,
    /// Whether a change of one table can silently change, break or drop other objects, so that
    /// every run has to compare them.
    pub changes_others: bool,
}

/// The keys and indexes that make columns unique, so that a foreign key can refer to them.
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

/// The dialect for this kind of database, if it is compiled.
pub fn of(backend: Backend) -> Option<&'static dyn Dialect> {
    match backend {
        #[cfg(any(test, feature = "sqlite-dialect"))]
        Backend::Sqlite => Some(&Sqlite),
        #[cfg(any(test, feature = "postgres-dialect"))]
        Backend::Postgres => Some(&Postgres),
        #[cfg(any(test, feature = "mysql-dialect"))]
        Backend::Mysql => Some(&Mysql(Flavor::Mysql)),
        #[cfg(any(test, feature = "mysql-dialect"))]
        Backend::Mariadb => Some(&Mysql(Flavor::Mariadb)),
        #[cfg(not(any(test, feature = "sqlite-dialect")))]
        Backend::Sqlite => None,
        #[cfg(not(any(test, feature = "postgres-dialect")))]
        Backend::Postgres => None,
        #[cfg(not(any(test, feature = "mysql-dialect")))]
        Backend::Mysql | Backend::Mariadb => None,
    }
}
