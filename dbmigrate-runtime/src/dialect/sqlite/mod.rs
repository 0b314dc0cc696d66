//! SQLite's dialect.
//!
//! What `ALTER TABLE` supports is documented in sqlite.org's `lang_altertable.html`; for everything
//! else, the table is rebuilt.

mod affinity;
mod combining;
mod comparing;
mod convert;
mod ddl;
mod decimal;
mod definition;
mod edit;
mod filled;
mod form;
mod guards;
mod health;
mod hint;
mod lexicon;
mod native;
mod planner;
mod read;
mod rebuild;
mod referable;
mod script;
mod unsupported;
mod words;

use std::collections::BTreeSet;

use super::{
    Capabilities, Catalog, Comparing, Dialect, Facts, Health, Kept, Object, Plan, Referable,
    Refusal, RowCount, Script, Shadow,
};
use crate::Value;
use crate::backend::Backend;
use crate::driver::{Connection, DatabaseError};
use crate::folding::NameRules;
use crate::operations::Operation;
use crate::schema::{Column, DefaultValue, Schema, Table, TableOption, Type};
use crate::sql::Lexicon;

/// SQLite 3.25 and later; changes that need a later version say so.
#[derive(Debug, Clone, Copy)]
pub struct Sqlite;

impl Dialect for Sqlite {
    fn backend(&self) -> Backend {
        Backend::Sqlite
    }

    fn lexicon(&self) -> &'static Lexicon {
        lexicon::LEXICON
    }

    fn comparing(&self, _facts: &Facts) -> Comparing {
        comparing::COMPARING
    }

    fn names(&self, _facts: &Facts) -> NameRules {
        comparing::NAMES
    }

    fn reserved_prefix(&self) -> Option<&'static str> {
        Some(read::RESERVED_PREFIX)
    }

    fn referable(&self, table: &Table, columns: &[String]) -> Option<Referable> {
        Some(referable::referable(table, columns))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            aborts_on_error: false,
            repeats_transactions: false,
            has_groups: true,
            commits_definitions: false,
            changes_others: true,
        }
    }

    fn offline_facts(&self) -> Facts {
        Facts::new(3_046_000, true)
    }

    fn quote(&self, name: &str) -> String {
        crate::sql::quote(name)
    }

    fn literal(&self, value: &Value) -> String {
        ddl::literal(value)
    }

    fn facts(&self, conn: &mut dyn Connection) -> Result<Facts, DatabaseError> {
        let version = read::version(conn)?;
        Ok(Facts::new(version, read::has_json(conn, version)?))
    }

    fn objects(
        &self,
        conn: &mut dyn Connection,
        _elsewhere: &BTreeSet<String>,
    ) -> Result<Vec<Object>, DatabaseError> {
        read::objects(conn)
    }

    fn objects_version(&self, conn: &mut dyn Connection) -> Result<Option<i64>, DatabaseError> {
        read::objects_version(conn).map(Some)
    }

    fn catalog(
        &self,
        conn: &mut dyn Connection,
        only: Option<&BTreeSet<String>>,
        _elsewhere: &BTreeSet<String>,
    ) -> Result<Catalog, DatabaseError> {
        let objects = read::objects(conn)?;
        let found = read::read(&objects, only);
        Ok(Catalog { objects, ..found })
    }

    fn health(
        &self,
        conn: &mut dyn Connection,
        tables: &BTreeSet<String>,
    ) -> Result<Health, DatabaseError> {
        health::health(conn, tables)
    }

    fn shadow(
        &self,
        conn: &mut dyn Connection,
        tables: &BTreeSet<String>,
        expected: &Schema,
        objects: &[Object],
    ) -> Result<Option<Shadow>, DatabaseError> {
        health::shadow(conn, tables, expected, objects)
    }

    fn is_maintained(&self, object: &Object, objects: &[Object]) -> bool {
        read::is_maintained(object, objects)
    }

    fn facts_for(
        &self,
        conn: &mut dyn Connection,
        operations: &[Operation],
        known: &Facts,
    ) -> Result<Facts, DatabaseError> {
        let needs_texts = operations.iter().any(native::may_rebuild);
        let objects = if needs_texts { Some(read::objects(conn)?) } else { None };
        Ok(Facts { objects, ..known.clone() })
    }

    fn renumbers_rows(&self, operation: &Operation, before: &Schema) -> bool {
        health::renumbers_rows(operation, before)
    }

    fn plan(
        &self,
        operations: &[Operation],
        schema: &mut Schema,
        facts: &Facts,
    ) -> Result<Plan, Refusal> {
        planner::plan(operations, schema, facts)
    }

    fn as_kept(
        &self,
        conn: &mut dyn Connection,
        tables: &[(&Table, Option<&Table>)],
    ) -> Result<Vec<Result<Kept, Refusal>>, DatabaseError> {
        // SQLite stores definitions unchanged, so only its version has to be queried.
        let facts = Facts { version: read::version(conn)?, ..self.offline_facts() };
        let kept = |(table, actual): &(&Table, Option<&Table>)| match actual {
            Some(actual) => read::as_stored(&read::as_declared(table, actual), &facts),
            None => read::as_stored(table, &facts),
        };
        Ok(tables.iter().map(kept).map(|kept| kept.map(Kept::from)).collect())
    }

    fn understood(&self, ty: &Type) -> Option<Type> {
        words::understood(ty)
    }

    fn keeps_values(&self, from: &Type, to: &Type) -> bool {
        convert::keeps_values(from, to)
    }

    fn misfit(&self, column: &str, from: &Type, to: &Type) -> Option<String> {
        filled::misfit(column, from, to)
    }

    fn reads(&self, table: &Table, column: &Column) -> Option<String> {
        let declared = ddl::type_name(&column.ty, table.has(TableOption::Strict)).ok()?;
        form::read(&affinity::Stored { declared: &declared, column })
    }

    fn counterpart(&self, column: &str, from: &Type, to: &Column) -> Option<String> {
        hint::counterpart(column, from, to)
    }

    fn neutral(&self, ty: &Type) -> Option<String> {
        hint::neutral(ty)
    }

    fn keeps_number_as_text(&self, table: &Table, column: &Column) -> bool {
        decimal::is_text(table, column)
    }

    fn qualified(&self, schema: &str, table: &str) -> Result<String, Refusal> {
        match schema {
            "" => Ok(self.quote(table)),
            schema if schema.eq_ignore_ascii_case("main") => {
                Ok(format!("{}.{}", self.quote(schema), self.quote(table)))
            }
            // With a write-ahead log, a transaction over several files is atomic only within each
            // file.
            schema => Err(Refusal {
                message: format!(
                    "the version table can't be in the schema `{schema}` on SQLite: that is an \
                     attached file, and not every journal mode commits two files atomically"
                ),
                hint: Some("leave `version_table_schema` empty, or set it to `main`".to_owned()),
            }),
        }
    }

    fn create_if_missing(&self, name: &str, table: &Table) -> Result<String, Refusal> {
        // A refusal mentions only the table's name.
        let operation = Operation::CreateTable(Table::new(&table.name));
        let ddl = ddl::Ddl { facts: &self.offline_facts(), operation: &operation };
        ddl.create_table_with(&format!("CREATE TABLE IF NOT EXISTS {name}"), table)
    }

    fn has_table(
        &self,
        conn: &mut dyn Connection,
        _schema: &str,
        name: &str,
    ) -> Result<bool, DatabaseError> {
        read::has_table(conn, name)
    }

    fn rows_about(
        &self,
        conn: &mut dyn Connection,
        table: &str,
    ) -> Result<Option<RowCount>, DatabaseError> {
        read::rows_about(conn, table)
    }

    fn now(&self) -> &'static str {
        "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"
    }

    fn refused_in_transaction(&self, sql: &str) -> Option<&'static str> {
        let why = "the journal mode can't be changed within a transaction";
        lexicon::sets_journal_mode(sql).then_some(why)
    }

    fn commit_advice(&self) -> Option<&'static str> {
        Some(
            "with a write-ahead log, `PRAGMA journal_mode = WAL`, a commit doesn't wait for readers",
        )
    }

    fn script(&self) -> &'static Script {
        &script::SCRIPT
    }
}

/// Whether the default is `NULL`.
fn is_null_default(default: &Option<DefaultValue>) -> bool {
    match default {
        None | Some(DefaultValue::Literal(Value::Null)) => true,
        Some(DefaultValue::Literal(_) | DefaultValue::Now | DefaultValue::Sql(_)) => false,
    }
}
