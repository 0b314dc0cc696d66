//! Which changes SQLite has a statement for, depending on its version and on what is stored.

use super::super::{Guard, Object, ObjectKind, Refusal};
use super::affinity::{Conversion, Server, Stored};
use super::combining::altered;
use super::convert;
use super::ddl::{self, Ddl};
use super::definition::{Clause, ClauseKind};
use super::edit::same_name;
use super::{guards, is_null_default, rebuild};
use crate::Value;
use crate::backend::Backend;
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::operations::{ColumnChange, Operation};
use crate::schema::{Column, DefaultValue, ForeignKey, Schema, Table, TableOption};
use crate::sql::quote;

/// The first version whose `DROP COLUMN` is safe: 3.35.0 to 3.35.4 could corrupt the file
/// (sqlite.org, `releaselog/3_35_5.html`).
const DROP_COLUMN: u32 = 3_035_005;
/// The first version that can change `NOT NULL` and drop a `CHECK` in place (sqlite.org,
/// `releaselog/3_53_0.html`). It can also add a `CHECK`, but then refuses rows for which it is
/// `NULL`, although that is no violation anywhere else.
const ALTER_CONSTRAINTS: u32 = 3_053_000;

/// How an operation is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// Nothing has to be done.
    Nothing,
    /// Nothing has to be done except to check that values fit.
    Check(Guard),
    /// With one statement, after these guards have passed.
    Statement(String, Vec<Guard>),
    /// By rebuilding the table.
    Rebuild,
}

/// How to alter a table, given the schema before the operation, the earlier operations that the
/// facts don't reflect yet, and the later ones that may be combined with it.
///
/// # Errors
///
/// A table or column that SQLite can't have.
pub(super) fn way(
    ddl: &Ddl<'_>,
    earlier: &[Operation],
    later: &[Operation],
    schema: &Schema,
) -> Result<Way, Refusal> {
    let Ddl { facts, operation } = *ddl;
    let of = |table: &str| format!("ALTER TABLE {}", quote(table));
    match operation {
        Operation::AlterTable { change, .. } => {
            let is_own = |option: &TableOption| option.backend() == Backend::Sqlite;
            Ok(if change.options.keys().any(is_own) { Way::Rebuild } else { Way::Nothing })
        }
        Operation::AddColumn { table, column, using, before } => {
            let Some(was) = schema.table(table) else { return Ok(Way::Nothing) };
            if using.is_some() || before.is_some() || !is_addable(column) {
                return Ok(Way::Rebuild);
            }
            let key = added_key(operation, later).map(|(_, foreign_key)| foreign_key);
            let sql = ddl.column(was, column, None, key)?;
            Ok(Way::Statement(format!("{} ADD COLUMN {sql}", of(table)), Vec::new()))
        }
        Operation::DropColumn { table, column } => {
            let is_native = facts.version >= DROP_COLUMN
                && schema
                    .table(table)
                    .is_some_and(|table| is_droppable(ddl, table, column, earlier));
            let sql = format!("{} DROP COLUMN {}", of(table), quote(column));
            Ok(if is_native { Way::Statement(sql, Vec::new()) } else { Way::Rebuild })
        }
        Operation::AlterColumn { table, column, change } => {
            let Some(before) = schema.table(table) else { return Ok(Way::Nothing) };
            let Some(was) = before.find_column(column) else { return Ok(Way::Nothing) };
            alter_column(ddl, before, was, change)
        }
        Operation::DropForeignKey { .. } if goes_with_column(operation, later, schema) => {
            Ok(Way::Nothing)
        }
        Operation::DropCheck { table, name } if facts.version >= ALTER_CONSTRAINTS => {
            let is_named = schema.table(table).is_some_and(|table| {
                let stored = rebuild::definition(ddl, table);
                stored.is_ok_and(|definition| {
                    definition.has_constraint(name)
                        && !definition.drop_constraint_loses_comments(name)
                })
            });
            let sql = format!("{} DROP CONSTRAINT {}", of(table), quote(name));
            Ok(if is_named { Way::Statement(sql, Vec::new()) } else { Way::Rebuild })
        }
        Operation::CreateTable(_)
        | Operation::DropTable { .. }
        | Operation::RenameTable { .. }
        | Operation::RenameColumn { .. }
        | Operation::AddPrimaryKey { .. }
        | Operation::DropPrimaryKey { .. }
        | Operation::AddUnique { .. }
        | Operation::DropUnique { .. }
        | Operation::AddForeignKey { .. }
        | Operation::DropForeignKey { .. }
        | Operation::AddCheck { .. }
        | Operation::DropCheck { .. }
        | Operation::CreateIndex { .. }
        | Operation::DropIndex { .. }
        | Operation::RenameIndex { .. }
        | Operation::Execute(_)
        | Operation::BulkInsert { .. }
        | Operation::Run(_)
        | Operation::Makes(_)
        | Operation::Drops(_) => {
            Ok(if may_rebuild(operation) { Way::Rebuild } else { Way::Nothing })
        }
    }
}

/// A change that isn't visible in the stored definition needs no statement, but values have to fit.
fn alter_column(
    ddl: &Ddl<'_>,
    before: &Table,
    was: &Column,
    change: &ColumnChange,
) -> Result<Way, Refusal> {
    let (table, column) = (&before.name, &was.name);
    let mut to = was.clone();
    change.apply(&mut to);
    // The column's own value is what the rows have anyway.
    let is_given =
        change.using.as_ref().is_some_and(|text| !LEXICON.same_expression(text, &quote(column)));
    if is_given || change.fill.is_some() {
        return Ok(Way::Rebuild);
    }
    let text = |column: &Column| ddl.column(before, column, None, None);
    let same_key =
        was.autoincrement == to.autoincrement && is_key(before, was) == is_key(before, &to);
    let fitting = fitting(ddl, before, was, &to)?;
    if text(was)? == text(&to)? && same_key {
        return Ok(fitting.map_or(Way::Nothing, Way::Check));
    }
    let only_null = Column { nullable: to.nullable, ..was.clone() };
    let is_native = same_key
        && ddl.facts.version >= ALTER_CONSTRAINTS
        && to.generated.is_none()
        && text(&only_null)? == text(&to)?
        && !(to.nullable && drop_not_null_loses_comments(ddl, before, column));
    if !is_native {
        return Ok(Way::Rebuild);
    }
    let word = if to.nullable { "DROP" } else { "SET" };
    let not_null = (!to.nullable).then(|| guards::not_null(table, column, Some(&to.ty)));
    let guards = fitting.into_iter().chain(not_null).collect();
    let (table, column) = (quote(table), quote(column));
    Ok(Way::Statement(format!("ALTER TABLE {table} ALTER COLUMN {column} {word} NOT NULL"), guards))
}

/// Finds values that don't fit the column's new type. A generated column computes new values.
fn fitting(
    ddl: &Ddl<'_>,
    table: &Table,
    was: &Column,
    to: &Column,
) -> Result<Option<Guard>, Refusal> {
    if was.ty == to.ty || was.generated.is_some() || to.generated.is_some() {
        return Ok(None);
    }
    let (declared, declared_to) = (ddl.declared(table, was)?, ddl.declared(table, to)?);
    let conversion = Conversion {
        was: Stored { declared: &declared, column: was },
        to: Stored { declared: &declared_to, column: to },
        server: Server::of(ddl.facts),
    };
    Ok(convert::check(&table.name, &was.name, &conversion))
}

/// Whether SQLite's `DROP NOT NULL` would remove comments. If the facts don't contain the table or
/// the column yet, the answer is yes, so that the rebuild reads them again.
fn drop_not_null_loses_comments(ddl: &Ddl<'_>, table: &Table, column: &str) -> bool {
    match rebuild::definition(ddl, table) {
        Ok(definition) => {
            let idx = definition
                .columns
                .iter()
                .position(|column_item| same_name(&column_item.name, column));
            let is_not_null = |clause: &Clause| matches!(clause.kind, ClauseKind::NotNull { .. });
            idx.is_none_or(|idx| definition.drop_clause_loses_comments(idx, is_not_null))
        }
        Err(_) => {
            let mut objects = ddl.facts.objects.iter().flatten();
            !objects.any(|object| {
                object.kind == ObjectKind::Table && same_name(&object.name, &table.name)
            })
        }
    }
}

fn is_key(table: &Table, column: &Column) -> bool {
    let key = table.primary_key.as_ref();
    column.ty.is_integer() && key.is_some_and(|key| key.columns == [column.name.as_str()])
}

/// Whether SQLite fails to rename a column with the error `expressions prohibited in PRIMARY KEY
/// and UNIQUE constraints`, seen in versions 3.40 to 3.53.
pub(super) fn rename_fails(table: &Table, column: &str) -> bool {
    let has = |columns: &[String]| columns.iter().any(|name| name == column);
    table.has(TableOption::WithoutRowid)
        && table.primary_key.as_ref().is_some_and(|primary_key| has(&primary_key.columns))
        && table.uniques.iter().any(|unique| has(&unique.columns))
}

/// Whether the stored definition may determine how this kind of operation is carried out.
pub(super) fn may_rebuild(operation: &Operation) -> bool {
    match operation {
        Operation::AddColumn { column, using, before, .. } => {
            using.is_some() || before.is_some() || !is_addable(column)
        }
        Operation::CreateIndex { .. }
        | Operation::DropIndex { .. }
        | Operation::RenameIndex { .. } => false,
        other => altered(other).is_some(),
    }
}

/// Whether `ADD COLUMN` accepts the column (rules of `lang_altertable.html`, section 4).
pub(super) fn is_addable(column: &Column) -> bool {
    match column {
        Column { generated: Some(generated), .. } => !generated.stored,
        Column { nullable: false, default, .. } if is_null_default(default) => false,
        Column { default: Some(DefaultValue::Literal(Value::Text(text))), .. } => {
            !text.contains('\0')
        }
        Column { default: Some(DefaultValue::Now | DefaultValue::Sql(_)), .. } => false,
        _ => true,
    }
}

/// Whether `DROP COLUMN` accepts the column: nothing else may mention it (rules of
/// `lang_altertable.html`, section 5).
fn is_droppable(ddl: &Ddl<'_>, table: &Table, column: &str, earlier: &[Operation]) -> bool {
    // The rebuild reports a definition that can't be parsed.
    let Ok(definition) = rebuild::definition(ddl, table) else { return false };
    let Some(idx) =
        definition.columns.iter().position(|column_item| same_name(&column_item.name, column))
    else {
        return false;
    };
    let item = &definition.columns[idx];
    let is_constrained = item.clauses.iter().any(|clause| {
        matches!(clause.kind, ClauseKind::PrimaryKey { .. } | ClauseKind::Unique { .. })
    });
    let others =
        definition.columns.iter().filter(|column_item| !same_name(&column_item.name, column));
    let is_mentioned = others
        .flat_map(|column_item| &column_item.clauses)
        .filter(|clause| !matches!(clause.kind, ClauseKind::References(_)))
        .map(|clause| clause.text.as_str())
        .chain(definition.constraints.iter().map(|constraint| constraint.text()))
        .any(|text| LEXICON.mentions(text, column));
    let objects = ddl.facts.objects.as_deref().unwrap_or_default();
    let is_gone = |index: &Object| {
        earlier.iter().any(|operation| {
            matches!(operation, Operation::DropIndex { name, .. } if *name == index.name)
        })
    };
    let is_used = |object: &Object| {
        let Some(sql) = &object.sql else { return false };
        object.kind != ObjectKind::Table
            && LEXICON.mentions(sql, &table.name)
            && LEXICON.mentions(sql, column)
            && !(object.kind == ObjectKind::Index && is_gone(object))
    };
    let in_index = ddl.facts.objects.is_none()
        && table
            .indexes
            .iter()
            .any(|index| LEXICON.mentions(&ddl::create_index(&table.name, index), column));
    definition.columns.len() > 1
        && !(is_constrained || is_mentioned || in_index || objects.iter().any(is_used))
        && !definition.drop_column_loses_comments(idx)
}

/// The foreign key that a later operation adds to a column that this one adds, and the distance to
/// that operation. SQLite accepts `REFERENCES` in `ADD COLUMN`, so one statement does both.
pub(super) fn added_key<'a>(
    operation: &Operation,
    later: &'a [Operation],
) -> Option<(usize, &'a ForeignKey)> {
    let Operation::AddColumn { table, column, .. } = operation else { return None };
    later.iter().enumerate().find_map(|(after, operation)| match operation {
        Operation::AddForeignKey { table: other, foreign_key }
            if other == table && foreign_key.columns == [column.name.as_str()] =>
        {
            Some((after, foreign_key))
        }
        _ => None,
    })
}

/// Whether the operation drops a foreign key whose column is dropped later: SQLite drops a column
/// together with its `REFERENCES`.
fn goes_with_column(operation: &Operation, later: &[Operation], before: &Schema) -> bool {
    let Operation::DropForeignKey { table, name } = operation else { return false };
    let keys = before.table(table).map_or(&[][..], |table| &table.foreign_keys);
    // Two foreign keys over one column are constraints of the table, which prevent dropping the
    // column.
    let n_of = |columns: &[String]| keys.iter().filter(|key| key.columns == columns).count();
    let Some(key) = keys.iter().find(|key| key.name == *name) else { return false };
    n_of(&key.columns) == 1
        && later.iter().any(|operation| {
            matches!(operation, Operation::DropColumn { table: other, column }
            if other == table && key.columns == [column.as_str()])
        })
}
