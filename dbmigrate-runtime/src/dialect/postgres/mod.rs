//! PostgreSQL's dialect.

mod alter;
mod apart;
mod around;
mod aside;
mod assemble;
mod cases;
mod comparing;
mod constant;
mod convert;
mod cost;
mod ddl;
mod emptying;
mod enumeration;
mod existing;
mod groups;
mod guards;
mod hint;
mod kept;
mod keys;
mod lexicon;
mod literal;
mod names;
mod order;
mod planner;
mod prepared;
mod queries;
mod read;
mod rows;
mod schemas;
mod script;
mod sequence;
mod silence;
mod simple;
mod text_enum;
mod types;
mod unsaid;
mod values;
mod views;
mod words;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

#[cfg(feature = "postgres")]
pub(crate) use apart::statements;
pub use lexicon::POSTGRES;

use super::{
    Capabilities, Catalog, Comparing, Dialect, Facts, Health, Kept, Object, ObjectKind, Plan,
    Refusal, RowCount, Script, Shadow, Uncommitted, Unsaid,
};
use crate::Value;
use crate::backend::Backend;
use crate::driver::{Connection, DatabaseError};
use crate::folding::{Case, Folding, NameRules};
use crate::operations::Operation;
use crate::schema::{Column, Schema, Table, Type};
use crate::sql::Lexicon;

/// Names are exact, since statements quote them.
const FOLDING: Folding = Folding { tables: Case::Exact, others: Case::Exact };

/// The columns that every table has without declaring them.
const HIDDEN: &[&str] = &["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// PostgreSQL, from version 13 on.
#[derive(Debug, Clone, Copy)]
pub struct Postgres;

impl Dialect for Postgres {
    fn backend(&self) -> Backend {
        Backend::Postgres
    }

    fn lexicon(&self) -> &'static Lexicon {
        &POSTGRES
    }

    fn comparing(&self, _facts: &Facts) -> Comparing {
        comparing::COMPARING
    }

    fn names(&self, _facts: &Facts) -> NameRules {
        NameRules { folding: FOLDING, lexicon: &POSTGRES, hidden_columns: HIDDEN }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            aborts_on_error: true,
            repeats_transactions: true,
            has_groups: true,
            commits_definitions: false,
            changes_others: false,
        }
    }

    fn offline_facts(&self) -> Facts {
        Facts::new(150_000, true)
    }

    fn quote(&self, name: &str) -> String {
        crate::sql::quote(name)
    }

    fn relation(&self, table: &str) -> String {
        ddl::relation(table)
    }

    fn literal(&self, value: &Value) -> String {
        literal::literal(value)
    }

    fn literal_of(&self, value: &Value, ty: &Type) -> String {
        literal::literal_of(value, ty)
    }

    fn facts(&self, conn: &mut dyn Connection) -> Result<Facts, DatabaseError> {
        read::facts(conn)
    }

    fn objects(
        &self,
        conn: &mut dyn Connection,
        elsewhere: &BTreeSet<String>,
    ) -> Result<Vec<Object>, DatabaseError> {
        read::objects(conn, elsewhere)
    }

    fn objects_version(&self, conn: &mut dyn Connection) -> Result<Option<i64>, DatabaseError> {
        read::objects_version(conn)
    }

    fn catalog(
        &self,
        conn: &mut dyn Connection,
        only: Option<&BTreeSet<String>>,
        elsewhere: &BTreeSet<String>,
    ) -> Result<Catalog, DatabaseError> {
        read::catalog(conn, only, elsewhere)
    }

    fn tables(
        &self,
        conn: &mut dyn Connection,
        names: &BTreeSet<String>,
    ) -> Result<Catalog, DatabaseError> {
        if conn.in_transaction() {
            return prepared::tables_alone(conn, names);
        }
        read::tables_alone(conn, names)
    }

    fn health(
        &self,
        _conn: &mut dyn Connection,
        _tables: &BTreeSet<String>,
    ) -> Result<Health, DatabaseError> {
        // The server enforces foreign keys, and refuses to drop what a view needs.
        Ok(Health::default())
    }

    fn shadow(
        &self,
        conn: &mut dyn Connection,
        tables: &BTreeSet<String>,
        expected: &Schema,
        objects: &[Object],
    ) -> Result<Option<Shadow>, DatabaseError> {
        read::shadow(conn, tables, expected, objects)
    }

    fn is_maintained(&self, object: &Object, _objects: &[Object]) -> bool {
        object.kind == ObjectKind::Partition
    }

    fn plan(
        &self,
        operations: &[Operation],
        schema: &mut Schema,
        facts: &Facts,
    ) -> Result<Plan, Refusal> {
        let plan = planner::plan(operations, schema, facts, self.names(facts))?;
        if facts.one_definition {
            Ok(Plan { tasks: apart::apart(plan.tasks, facts), ..plan })
        } else {
            Ok(plan)
        }
    }

    fn definitions(&self, conn: &mut dyn Connection, sql: &str) -> Result<String, DatabaseError> {
        read::definitions(conn, sql)
    }

    fn facts_for(
        &self,
        conn: &mut dyn Connection,
        operations: &[Operation],
        known: &Facts,
    ) -> Result<Facts, DatabaseError> {
        let large = read::large(conn, &groups::validated(operations))?;
        Ok(Facts { large, existing: read::existing(conn, operations)?, ..known.clone() })
    }

    fn as_kept(
        &self,
        conn: &mut dyn Connection,
        tables: &[(&Table, Option<&Table>)],
    ) -> Result<Vec<Result<Kept, Refusal>>, DatabaseError> {
        kept::as_kept(conn, tables)
    }

    fn understood(&self, ty: &Type) -> Option<Type> {
        types::understood(ty)
    }

    fn keeps_values(&self, from: &Type, to: &Type) -> bool {
        convert::keeps_values(from, to)
    }

    fn misfit(&self, column: &str, from: &Type, to: &Type) -> Option<String> {
        hint::misfit(column, from, to)
    }

    fn counterpart(&self, column: &str, from: &Type, to: &Column) -> Option<String> {
        hint::counterpart(column, from, to)
    }

    fn neutral(&self, ty: &Type) -> Option<String> {
        hint::neutral(ty)
    }

    fn qualified(&self, schema: &str, table: &str) -> Result<String, Refusal> {
        match schema {
            "" => Ok(self.quote(table)),
            schema => Ok(format!("{}.{}", self.quote(schema), self.quote(table))),
        }
    }

    fn create_if_missing(&self, name: &str, table: &Table) -> Result<String, Refusal> {
        ddl::create_if_missing(name, table)
    }

    fn in_own_schema(&self, table: &str) -> String {
        let table = ddl::text(&self.quote(table));
        format!(" WHERE tableoid = to_regclass(quote_ident(current_schema()) || '.' || {table})")
    }

    fn has_table(
        &self,
        conn: &mut dyn Connection,
        schema: &str,
        name: &str,
    ) -> Result<bool, DatabaseError> {
        read::has_table(conn, schema, name)
    }

    fn schemas(&self, conn: &mut dyn Connection) -> Result<Vec<String>, DatabaseError> {
        Ok(conn.query(queries::SCHEMAS, &[])?.texts().collect())
    }

    fn tables_elsewhere(&self, conn: &mut dyn Connection) -> Result<Vec<String>, DatabaseError> {
        Ok(conn.query(&unsaid::tables_elsewhere(), &[])?.texts().collect())
    }

    fn unsaid(&self, conn: &mut dyn Connection) -> Result<Vec<Unsaid>, DatabaseError> {
        read::unsaid(conn)
    }

    fn rows_about(
        &self,
        conn: &mut dyn Connection,
        table: &str,
    ) -> Result<Option<RowCount>, DatabaseError> {
        read::rows_about(conn, &self.relation(table))
    }

    fn now(&self) -> &'static str {
        r#"to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"#
    }

    fn refused_in_transaction(&self, _sql: &str) -> Option<&'static str> {
        None
    }

    fn may_take_groups(&self, operation: &Operation) -> bool {
        groups::may_take(operation)
    }

    fn must_commit(&self, added: &Uncommitted, operations: &[Operation], facts: &Facts) -> bool {
        enumeration::uses_uncommitted(added, operations, facts)
    }

    fn emptying(
        &self,
        conn: &mut dyn Connection,
        elsewhere: &BTreeSet<String>,
    ) -> Result<(Vec<String>, usize), DatabaseError> {
        emptying::emptying(conn, elsewhere)
    }

    fn script(&self) -> &'static Script {
        &script::SCRIPT
    }
}
