//! The dialects of MySQL and MariaDB, over shared code.

mod alter;
mod assemble;
mod charset;
mod class;
mod clause;
mod column;
mod comparing;
mod constant;
mod convert;
mod crash;
mod ddl;
mod effect;
mod engine;
mod exchange;
mod flavor;
mod foreign;
mod given;
mod guards;
mod hidden;
mod hint;
mod index;
mod kept;
mod keys;
mod lexicon;
mod limits;
mod literal;
mod merge;
mod names;
mod options;
mod own_check;
mod parse;
mod planner;
mod raw;
mod read;
mod result;
mod rows;
mod script;
mod size;
mod text_enum;
mod types;
mod whole;

use std::collections::BTreeSet;

pub use flavor::Flavor;
#[cfg(feature = "mysql")]
pub(crate) use flavor::quote;
pub use lexicon::{MARIADB, MYSQL};

use super::{
    Capabilities, Catalog, Comparing, Dialect, Facts, Health, Kept, Object, Plan, Refusal,
    RowCount, Script, Shadow, Unsaid,
};
use crate::Value;
use crate::backend::Backend;
use crate::driver::{Connection, DatabaseError};
use crate::operations::Operation;
use crate::schema::{Column, Schema, Table, Type};
use crate::sql::Lexicon;

/// MySQL or MariaDB.
#[derive(Debug, Clone, Copy)]
pub struct Mysql(pub Flavor);

impl Dialect for Mysql {
    fn backend(&self) -> Backend {
        self.0.backend()
    }

    fn lexicon(&self) -> &'static Lexicon {
        self.0.lexicon()
    }

    fn comparing(&self, facts: &Facts) -> Comparing {
        comparing::comparing(self.0, facts)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            aborts_on_error: false,
            repeats_transactions: true,
            has_groups: true,
            commits_definitions: true,
            changes_others: false,
        }
    }

    fn offline_facts(&self) -> Facts {
        Facts::new(self.0.offline_version(), true)
    }

    fn quote(&self, name: &str) -> String {
        flavor::quote(name)
    }

    fn literal(&self, value: &Value) -> String {
        literal::literal(value)
    }

    fn literal_of(&self, value: &Value, ty: &Type) -> String {
        literal::literal_of(self.0, value, ty)
    }

    fn facts(&self, conn: &mut dyn Connection) -> Result<Facts, DatabaseError> {
        read::facts(self.0, conn)
    }

    fn objects(
        &self,
        conn: &mut dyn Connection,
        _elsewhere: &BTreeSet<String>,
    ) -> Result<Vec<Object>, DatabaseError> {
        read::objects(conn)
    }

    fn objects_version(&self, _conn: &mut dyn Connection) -> Result<Option<i64>, DatabaseError> {
        Ok(None)
    }

    fn catalog(
        &self,
        conn: &mut dyn Connection,
        only: Option<&BTreeSet<String>>,
        _elsewhere: &BTreeSet<String>,
    ) -> Result<Catalog, DatabaseError> {
        read::catalog(self.0, conn, only)
    }

    fn tables(
        &self,
        conn: &mut dyn Connection,
        names: &BTreeSet<String>,
    ) -> Result<Catalog, DatabaseError> {
        read::tables_alone(self.0, conn, names)
    }

    fn health(
        &self,
        _conn: &mut dyn Connection,
        _tables: &BTreeSet<String>,
    ) -> Result<Health, DatabaseError> {
        // The server enforces foreign keys, and views are looked for before a change.
        Ok(Health::default())
    }

    fn warning(&self, conn: &mut dyn Connection) -> Result<Option<String>, DatabaseError> {
        read::warning(conn)
    }

    fn shadow(
        &self,
        conn: &mut dyn Connection,
        tables: &BTreeSet<String>,
        _expected: &Schema,
        objects: &[Object],
    ) -> Result<Option<Shadow>, DatabaseError> {
        read::shadow(conn, tables, objects)
    }

    fn is_maintained(&self, _object: &Object, _objects: &[Object]) -> bool {
        false
    }

    fn definitions(&self, conn: &mut dyn Connection, sql: &str) -> Result<String, DatabaseError> {
        read::definitions(self.0, conn, sql)
    }

    fn at_risk(&self, conn: &mut dyn Connection, sql: &str) -> Result<String, DatabaseError> {
        read::at_risk(self.0, conn, sql)
    }

    fn lost(
        &self,
        conn: &mut dyn Connection,
        sql: &str,
        before: &str,
    ) -> Result<Vec<String>, DatabaseError> {
        read::lost(self.0, conn, sql, before)
    }

    fn facts_for(
        &self,
        conn: &mut dyn Connection,
        operations: &[Operation],
        known: &Facts,
    ) -> Result<Facts, DatabaseError> {
        Ok(Facts { existing: read::existing(conn, operations)?, ..known.clone() })
    }

    fn plan(
        &self,
        operations: &[Operation],
        schema: &mut Schema,
        facts: &Facts,
    ) -> Result<Plan, Refusal> {
        planner::plan(self.0, operations, schema, facts, self.names(facts))
    }

    fn as_kept(
        &self,
        conn: &mut dyn Connection,
        tables: &[(&Table, Option<&Table>)],
    ) -> Result<Vec<Result<Kept, Refusal>>, DatabaseError> {
        let facts = read::facts(self.0, conn)?;
        kept::as_kept(self.0, &facts, conn, tables)
    }

    fn understood(&self, ty: &Type) -> Option<Type> {
        types::understood(self.0, ty)
    }

    fn keeps_values(&self, from: &Type, to: &Type) -> bool {
        types::own_words(self.0, to).is_some()
            && convert::conversion(self.0, "c", from, to) == convert::Conversion::All
    }

    fn misfit(&self, column: &str, from: &Type, to: &Type) -> Option<String> {
        convert::misfit(self.0, column, from, to)
    }

    fn counterpart(&self, column: &str, from: &Type, to: &Column) -> Option<String> {
        hint::counterpart(self.0, column, from, to)
    }

    fn neutral(&self, ty: &Type) -> Option<String> {
        hint::neutral(self.0, ty)
    }

    fn qualified(&self, schema: &str, table: &str) -> Result<String, Refusal> {
        match schema {
            "" => Ok(self.quote(table)),
            schema => Ok(format!("{}.{}", self.quote(schema), self.quote(table))),
        }
    }

    fn create_if_missing(&self, name: &str, table: &Table) -> Result<String, Refusal> {
        let operation = Operation::CreateTable(table.clone());
        let facts = self.offline_facts();
        let ddl = ddl::Ddl { flavor: self.0, facts: &facts, operation: &operation };
        ddl.create_table_with(&format!("CREATE TABLE IF NOT EXISTS {name}"), table, |_| true)
    }

    fn has_table(
        &self,
        conn: &mut dyn Connection,
        schema: &str,
        name: &str,
    ) -> Result<bool, DatabaseError> {
        read::has_table(conn, schema, name)
    }

    fn unsaid(&self, conn: &mut dyn Connection) -> Result<Vec<Unsaid>, DatabaseError> {
        read::unsaid(self.0, conn)
    }

    fn rows_about(
        &self,
        conn: &mut dyn Connection,
        table: &str,
    ) -> Result<Option<RowCount>, DatabaseError> {
        read::rows_about(conn, table)
    }

    fn now(&self) -> &'static str {
        "DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%dT%H:%i:%sZ')"
    }

    fn refused_in_transaction(&self, _sql: &str) -> Option<&'static str> {
        None
    }

    fn may_take_groups(&self, _operation: &Operation) -> bool {
        true
    }

    fn emptying(
        &self,
        conn: &mut dyn Connection,
        _elsewhere: &BTreeSet<String>,
    ) -> Result<(Vec<String>, usize), DatabaseError> {
        read::emptying(conn)
    }

    fn script(&self) -> &'static Script {
        match self.0 {
            Flavor::Mysql => &script::MYSQL,
            Flavor::Mariadb => &script::MARIADB,
        }
    }
}
