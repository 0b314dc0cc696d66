//! What the server keeps of a table.
//!
//! Types and constants are known. An expression is parsed and printed anew by the server, so what
//! it makes of one is asked: a temporary table with the same definition is created, read and
//! dropped, which commits nothing. No expression is ever run.

use super::comparing::is_plainly_same;
use super::constant;
use super::ddl::Ddl;
use super::flavor::Flavor;
use super::read;
use super::text_enum;
use super::types;
use super::{charset, ddl, size};
use crate::dialect::{Beyond, Facts, Kept, Refusal};
use crate::driver::{Connection, DatabaseError};
use crate::operations::Operation;
use crate::schema::{IndexTerm, ReferentialAction, Table, TableOptions, Type, Unique};

/// The temporary table's name.
const SCRATCH: &str = "dbmigrate_kept";

/// The tables as the server would keep them; see
/// [`Dialect::as_kept`](crate::dialect::Dialect::as_kept).
pub(super) fn as_kept(
    flavor: Flavor,
    facts: &Facts,
    conn: &mut dyn Connection,
    tables: &[(&Table, Option<&Table>)],
) -> Result<Vec<Result<Kept, Refusal>>, DatabaseError> {
    let mut all = Vec::with_capacity(tables.len());
    for (table, actual) in tables {
        all.push(match known(flavor, facts, table) {
            Ok(known) => Ok(compared(flavor, facts, conn, (table, known), *actual)?),
            Err(refusal) => Err(refusal),
        });
    }
    Ok(all)
}

/// The table with its expressions as they are written.
pub(super) fn known(flavor: Flavor, facts: &Facts, table: &Table) -> Result<Table, Refusal> {
    // A refusal mentions only the table's name.
    let operation = Operation::CreateTable(Table::new(&table.name));
    let ddl = Ddl { flavor, facts, operation: &operation };
    ddl.create_table(table, |_| true)?;
    let mut kept = table.clone();
    kept.checks.extend(text_enum::checks(table));
    kept.options = TableOptions::default();
    (kept.with, kept.tablespace, kept.charset) = (None, None, None);
    kept.engine = kept.engine.filter(|_| !charset::is_innodb(table));
    kept.collation =
        Some(charset::of_table(flavor, table)).filter(|name| name != flavor.collation());
    kept.comment = kept.comment.filter(|comment| !comment.is_empty());
    let key = kept.primary_key.as_ref().map(|key| key.columns.clone()).unwrap_or_default();
    for column in &mut kept.columns {
        let declared = column.ty.clone();
        column.ty = types::kept(flavor, &declared).unwrap_or(declared.clone());
        column.identity = None;
        column.comment = column.comment.take().filter(|comment| !comment.is_empty());
        let is_collated = types::is_collated(flavor, &declared);
        let collation = is_collated.then(|| charset::of_column(flavor, table, column));
        column.collation = collation.filter(|name| name != flavor.collation());
        column.charset = None;
        let is_bytes = column.collation.as_deref() == Some(charset::BINARY);
        if let Some(bytes) = is_bytes.then(|| types::as_bytes(flavor, &declared)).flatten() {
            (column.ty, column.collation) = (bytes, None);
        }
        let default = column.default.take().filter(|_| column.generated.is_none());
        column.default = default.and_then(|default| constant::kept(flavor, &default, &declared));
        let is_key = key == [column.name.clone()] && column.ty.is_integer();
        let generates = column.autoincrement != Some(false);
        column.autoincrement = is_key.then_some(generates);
        column.default = column.default.take().filter(|_| !is_key || !generates);
        column.nullable &= !key.contains(&column.name);
        // MariaDB has no required generated columns.
        column.nullable |= column.generated.is_some() && flavor.is_mariadb();
    }
    for unique in &mut kept.uniques {
        (unique.include, unique.deferrable) = (Vec::new(), None);
    }
    let mut indexes = Vec::new();
    for mut index in std::mem::take(&mut kept.indexes) {
        (index.with, index.concurrently) = (None, false);
        index.using = super::index::special(&index).map(|word| word.trim().to_ascii_lowercase());
        let room = ddl::room(flavor, table, &size::columns_of(&index));
        let prefixes: Vec<_> =
            index.columns.iter().map(|key| super::index::prefix(flavor, table, key)).collect();
        for (column, prefix) in index.columns.iter_mut().zip(prefixes) {
            let IndexTerm::Column(name) = &column.term else { continue };
            let is_room = prefix == Some(room) && ddl::is_long(flavor, table, name);
            column.prefix = prefix.filter(|_| !is_room);
        }
        (index.include, index.nulls_not_distinct) = (Vec::new(), false);
        for column in &mut index.columns {
            (column.opclass, column.nulls) = (None, None);
        }
        let plain: Option<Vec<String>> = index
            .columns
            .iter()
            .map(|column| match &column.term {
                IndexTerm::Column(name) if !column.descending && column.prefix.is_none() => {
                    Some(name.clone())
                }
                IndexTerm::Column(_) | IndexTerm::Expression(_) => None,
            })
            .collect();
        match plain {
            // The two can't be told apart.
            Some(columns) if index.unique => {
                kept.uniques.push(Unique { name: index.name, columns, ..Unique::default() });
            }
            _ => indexes.push(index),
        }
    }
    kept.indexes = indexes;
    for key in &mut kept.foreign_keys {
        key.deferrable = None;
        for action in [&mut key.on_delete, &mut key.on_update] {
            if *action == ReferentialAction::Restrict {
                *action = ReferentialAction::NoAction;
            }
        }
    }
    Ok(kept)
}

/// Adopts the existing table's texts where they mean the same.
fn compared(
    flavor: Flavor,
    facts: &Facts,
    conn: &mut dyn Connection,
    (declared, mut kept): (&Table, Table),
    actual: Option<&Table>,
) -> Result<Kept, DatabaseError> {
    let Some(actual) = actual else { return Ok(kept.into()) };
    for column in &mut kept.columns {
        let Some(own) = actual.find_column(&column.name) else { continue };
        // Another type of the database's own that holds the same values.
        if column.ty != own.ty && is_declared_alike(flavor, &column.ty, &own.ty) {
            column.ty.clone_from(&own.ty);
        }
    }
    if !adopt(flavor, &mut kept, actual) {
        return Ok(kept.into());
    }
    match draft(flavor, facts, conn, declared) {
        Ok(Some(drafted)) => {
            copy_texts(&mut kept, &drafted);
            adopt(flavor, &mut kept, actual);
            Ok(kept.into())
        }
        Ok(None) => Ok(kept.into()),
        Err(err) => {
            let why = err.to_string();
            let text = format!("its expressions: {why}");
            let table = declared.name.clone();
            copy_texts(&mut kept, actual);
            let untold = vec![Beyond { table, columns: Vec::new(), part: None, text }];
            Ok(Kept { table: kept, untold })
        }
    }
}

fn is_declared_alike(flavor: Flavor, a: &Type, b: &Type) -> bool {
    types::type_name(flavor, a).ok() == types::type_name(flavor, b).ok()
}

/// Takes over the texts that only differ in spelling. Returns whether others are left.
fn adopt(flavor: Flavor, kept: &mut Table, actual: &Table) -> bool {
    let alike = |a: &str, b: &str| is_plainly_same(flavor, a, b);
    let mut is_left = false;
    for column in &mut kept.columns {
        let Some(own) = actual.find_column(&column.name) else { continue };
        if column.default != own.default {
            let sql = |default| constant::sql(flavor, default, &column.ty);
            match (&column.default, &own.default) {
                (Some(mine), Some(theirs)) if alike(&sql(mine), &sql(theirs)) => {
                    column.default.clone_from(&own.default);
                }
                (Some(_), Some(_)) => is_left = true,
                _ => {}
            }
        }
        if let (Some(mine), Some(theirs)) = (&mut column.generated, &own.generated) {
            if alike(&mine.expression, &theirs.expression) {
                mine.expression.clone_from(&theirs.expression);
            } else {
                is_left = true;
            }
        }
    }
    for check in &mut kept.checks {
        match actual.checks.iter().find(|own| own.name.eq_ignore_ascii_case(&check.name)) {
            Some(own) if alike(&check.expression, &own.expression) => {
                check.expression.clone_from(&own.expression);
            }
            _ => is_left = true,
        }
    }
    for index in &mut kept.indexes {
        let own = actual.indexes.iter().find(|own| own.name.eq_ignore_ascii_case(&index.name));
        for (at, column) in index.columns.iter_mut().enumerate() {
            let IndexTerm::Expression(mine) = &column.term else { continue };
            let theirs = own.and_then(|own| own.columns.get(at)).map(|own| &own.term);
            match theirs {
                Some(IndexTerm::Expression(text)) if alike(mine, text) => {
                    column.term = IndexTerm::Expression(text.clone());
                }
                _ => is_left = true,
            }
        }
    }
    is_left
}

/// Takes over all expressions of the same table in the server's spelling.
fn copy_texts(kept: &mut Table, from: &Table) {
    for column in &mut kept.columns {
        let Some(own) = from.find_column(&column.name) else { continue };
        if column.default.is_some() && own.default.is_some() {
            column.default.clone_from(&own.default);
        }
        if let (Some(mine), Some(theirs)) = (&mut column.generated, &own.generated) {
            mine.expression.clone_from(&theirs.expression);
        }
    }
    for check in &mut kept.checks {
        if let Some(own) = from.checks.iter().find(|own| own.name == check.name) {
            check.expression.clone_from(&own.expression);
        }
    }
    for index in &mut kept.indexes {
        let own = from.indexes.iter().find(|own| own.name.eq_ignore_ascii_case(&index.name));
        for (at, column) in index.columns.iter_mut().enumerate() {
            let theirs = own.and_then(|own| own.columns.get(at)).map(|own| &own.term);
            if let (IndexTerm::Expression(_), Some(IndexTerm::Expression(text))) =
                (&column.term, theirs)
            {
                column.term = IndexTerm::Expression(text.clone());
            }
        }
    }
}

/// What the server makes of the definition.
fn draft(
    flavor: Flavor,
    facts: &Facts,
    conn: &mut dyn Connection,
    declared: &Table,
) -> Result<Option<Table>, DatabaseError> {
    let mut table = declared.clone();
    SCRATCH.clone_into(&mut table.name);
    table.foreign_keys = Vec::new();
    // The names of checks are those of the whole database on MySQL.
    let mut checks = table.checks.clone();
    checks.extend(text_enum::checks(declared));
    for (idx, check) in checks.iter_mut().enumerate() {
        check.name = format!("{SCRATCH}_{idx:04}");
    }
    let names: Vec<String> = declared
        .checks
        .iter()
        .map(|check| check.name.clone())
        .chain(text_enum::checks(declared).map(|check| check.name))
        .collect();
    table.checks = checks;
    for column in &mut table.columns {
        // Its check is among the others.
        if let Type::Enum(name, _) = &column.ty {
            if name.is_empty() {
                let declared = types::type_name(flavor, &column.ty).unwrap_or_default();
                column.ty = Type::Raw(declared);
            }
        }
    }
    let operation = Operation::CreateTable(Table::new(&table.name));
    let ddl = Ddl { flavor, facts, operation: &operation };
    let words = format!("CREATE TEMPORARY TABLE {}", super::flavor::quote(SCRATCH));
    let Ok(sql) = ddl.create_table_with(&words, &table, |_| true) else { return Ok(None) };
    let drop = format!("DROP TEMPORARY TABLE IF EXISTS {}", super::flavor::quote(SCRATCH));
    conn.execute(&drop, &[])?;
    conn.execute(&sql, &[])?;
    let shown = read::show(conn, SCRATCH);
    conn.execute(&drop, &[])?;
    let Some((_, assembled)) = shown?.and_then(|sql| read::table(flavor, &sql)) else {
        return Ok(None);
    };
    let mut drafted = assembled.table;
    for check in &mut drafted.checks {
        let at = check.name.strip_prefix(&format!("{SCRATCH}_")).and_then(|at| at.parse().ok());
        if let Some(name) = at.and_then(|at: usize| names.get(at)) {
            check.name.clone_from(name);
        }
    }
    Ok(Some(drafted))
}
