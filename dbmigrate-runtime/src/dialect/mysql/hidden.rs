//! Indexes over expressions on MariaDB, which has only indexes over columns.
//!
//! Each expression becomes a column of the tool's own: virtual, so that no row changes, and
//! invisible, so that no program finds it in its results or has to give it a value. Plans are made
//! for tables with these columns, and the catalog is read without them, so nothing else knows of
//! them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::flavor::Flavor;
use super::names;
use super::result::{self, Collated};
use super::types;
use crate::dialect::Refusal;
use crate::folding::NameRules;
use crate::operations::{ColumnChange, Execute, Operation};
use crate::schema::{Column, Generated, Index, IndexTerm, Schema, Table, naming};
use crate::written;

/// The comment of these columns.
const COMMENT: &str = "for an index over an expression, by dbmigrate";

/// What makes them necessary.
const WHY: &str = "(MariaDB has no indexes over expressions)";

/// The name of the column for a part of an index.
fn name(index: &str, part: usize) -> String {
    naming::limited(format!("dbmigrate_{index}_{}", part + 1))
}

/// The expression of such a column.
pub(super) fn expression(column: &Column) -> Option<&str> {
    let generated = column.generated.as_ref()?;
    let is_own =
        column.invisible && !generated.stored && column.comment.as_deref() == Some(COMMENT);
    is_own.then_some(&*generated.expression)
}

/// An expression whose results have no known type.
pub(super) struct Unknown {
    index: String,
    expression: String,
}

impl Unknown {
    pub(super) fn words(&self) -> (String, &'static str) {
        let Unknown { index, expression } = self;
        let why = format!(
            "index `{index}` is over the expression `{expression}`, for which MariaDB needs a \
             column, and the expression doesn't tell the type of the column"
        );
        let hint = "say the type in the expression, as in `CAST(... AS CHAR(100))`; or add a \
                    generated column with this expression, and index that";
        (why, hint)
    }
}

/// The columns for an index.
fn columns(flavor: Flavor, table: &Table, index: &Index) -> Result<Vec<Column>, Unknown> {
    let parts = index.columns.iter().enumerate();
    let expressions = parts.filter_map(|(part, key)| match &key.term {
        IndexTerm::Expression(expression) => Some((part, expression)),
        IndexTerm::Column(_) => None,
    });
    let column = |(part, expression): (usize, &crate::operations::Sql)| {
        let unknown = || Unknown { index: index.name.clone(), expression: expression.to_string() };
        let ty = result::of(flavor, table, expression).ok_or_else(unknown)?;
        let mut column = Column::new(&name(&index.name, part), ty);
        if types::is_collated(flavor, &column.ty) {
            match result::collated(flavor, table, expression) {
                Collated::Like(like) => {
                    column.collation.clone_from(&like.collation);
                    column.charset.clone_from(&like.charset);
                }
                Collated::By(collation) => column.collation = Some(collation),
                Collated::Unsaid => {}
            }
        }
        column.generated = Some(Generated { expression: expression.clone(), stored: false });
        column.invisible = true;
        column.comment = Some(COMMENT.to_owned());
        Ok(column)
    };
    expressions.map(column).collect()
}

/// The index over columns only.
fn over_columns(index: &Index) -> Index {
    let mut over = index.clone();
    for (part, key) in over.columns.iter_mut().enumerate() {
        if matches!(key.term, IndexTerm::Expression(_)) {
            key.term = IndexTerm::Column(name(&index.name, part));
        }
    }
    over
}

fn is_over_expression(index: &Index) -> bool {
    index.columns.iter().any(|key| matches!(key.term, IndexTerm::Expression(_)))
}

/// The table as MariaDB can have it.
pub(super) fn lowered(flavor: Flavor, table: &Table) -> Result<Cow<'_, Table>, Unknown> {
    if !flavor.is_mariadb() || !table.indexes.iter().any(is_over_expression) {
        return Ok(Cow::Borrowed(table));
    }
    let mut lowered = table.clone();
    for index in &table.indexes {
        lowered.columns.extend(columns(flavor, table, index)?);
    }
    lowered.indexes = table.indexes.iter().map(over_columns).collect();
    Ok(Cow::Owned(lowered))
}

/// Puts the expressions back into the indexes of a table that was read.
pub(super) fn fold(table: &mut Table) {
    let own: Vec<(String, crate::operations::Sql)> = table
        .columns
        .iter()
        .filter(|column| expression(column).is_some())
        .filter_map(|column| Some((column.name.clone(), column.generated.clone()?.expression)))
        .collect();
    if own.is_empty() {
        return;
    }
    // A unique index over columns is read as a constraint.
    let is_own = |name: &String| own.iter().any(|(column, _)| column == name);
    let uniques = std::mem::take(&mut table.uniques);
    let (over, uniques): (Vec<_>, Vec<_>) =
        uniques.into_iter().partition(|unique| unique.columns.iter().any(is_own));
    table.uniques = uniques;
    for unique in over {
        let columns = unique.columns.iter().map(|column| crate::schema::IndexColumn::new(column));
        let index = Index::new(&unique.name, []).unique();
        table.indexes.push(Index { columns: columns.collect(), ..index });
    }
    let mut folded = BTreeSet::new();
    for index in &mut table.indexes {
        for (part, key) in index.columns.iter_mut().enumerate() {
            let IndexTerm::Column(column) = &key.term else { continue };
            let found = own.iter().find(|(own, _)| own == column);
            let found = found.filter(|_| *column == name(&index.name, part));
            if let Some((column, expression)) = found {
                folded.insert(column.clone());
                key.term = IndexTerm::Expression(expression.clone());
            }
        }
    }
    table.columns.retain(|column| !folded.contains(&column.name));
}

/// An operation in the terms of MariaDB.
pub(super) struct Lowered {
    pub(super) operation: Operation,
    /// The position of the operation that it is a part of.
    pub(super) of: usize,
    /// What it does, if that is not what its operation says.
    pub(super) reason: Option<String>,
}

/// Operations in the terms of MariaDB, and the schema before them.
pub(super) struct Run {
    pub(super) operations: Vec<Lowered>,
    pub(super) before: Schema,
}

/// The operations in the terms of MariaDB, and the schema before them; `None` if no index is over an
/// expression. The given schema becomes the one after them.
pub(super) fn operations(
    flavor: Flavor,
    operations: &[Operation],
    schema: &mut Schema,
    rules: NameRules,
) -> Result<Option<Run>, Refusal> {
    let has_one = |table: &Table| table.indexes.iter().any(is_over_expression);
    let makes_one = operations.iter().any(makes_one);
    if !flavor.is_mariadb() || !makes_one && !schema.tables.values().any(has_one) {
        return Ok(None);
    }
    let mut before = schema.clone();
    for table in before.tables.values_mut() {
        if let Ok(Cow::Owned(lowered)) = lowered(flavor, table) {
            *table = lowered;
        }
    }
    let mut all = Vec::new();
    for (of, operation) in operations.iter().enumerate() {
        let backend = flavor.backend();
        if let Some(mistake) = written::in_operation(operation, schema, backend, rules) {
            return Err(Refusal::mistake(operation, backend, mistake));
        }
        names::look(flavor, operation)?;
        let was = only(schema, &operation.tables());
        operation.apply(schema).map_err(|err| Refusal {
            message: err.to_string(),
            hint: Some("compare the revision with those before it".to_owned()),
        })?;
        let parts = parts(flavor, operation, &was, schema).map_err(|unknown| {
            let (why, hint) = unknown.words();
            Refusal {
                message: format!("cannot {operation} on {}: {why}", flavor.title()),
                hint: Some(hint.to_owned()),
            }
        })?;
        all.extend(parts.into_iter().map(|(operation, reason)| Lowered { operation, of, reason }));
    }
    Ok(Some(Run { operations: all, before }))
}

/// The named tables of a schema.
fn only(schema: &Schema, tables: &[&str]) -> Schema {
    let mut only = Schema::default();
    for table in tables.iter().filter_map(|name| schema.table(name)) {
        only.tables.insert(table.name.clone(), table.clone());
    }
    only
}

fn makes_one(operation: &Operation) -> bool {
    match operation {
        Operation::CreateTable(table) => table.indexes.iter().any(is_over_expression),
        Operation::CreateIndex { index, .. } => is_over_expression(index),
        Operation::Execute(statement) => statement.describes.iter().any(makes_one),
        _ => false,
    }
}

type Parts = Vec<(Operation, Option<String>)>;

/// An operation in the terms of MariaDB, given the schemas before and after it.
fn parts(
    flavor: Flavor,
    operation: &Operation,
    before: &Schema,
    after: &Schema,
) -> Result<Parts, Unknown> {
    let index_of = |schema: &Schema, table: &str, name: &str| {
        let found = schema.table(table)?.indexes.iter().find(|index| index.name == name).cloned();
        found.filter(is_over_expression)
    };
    let same = || Ok(vec![(operation.clone(), None)]);
    match operation {
        Operation::CreateTable(table) => {
            let Cow::Owned(lowered) = lowered(flavor, table)? else { return same() };
            let own: Vec<_> = lowered.columns[table.columns.len()..]
                .iter()
                .map(|column| format!("`{}`", column.name))
                .collect();
            let (word, own) = (if own.len() == 1 { "column" } else { "columns" }, own.join(", "));
            let reason =
                format!("{operation}, with the invisible {word} {own} for its indexes {WHY}");
            Ok(vec![(Operation::CreateTable(lowered), Some(reason))])
        }
        Operation::CreateIndex { table, index } if is_over_expression(index) => {
            let Some(of) = after.table(table) else { return same() };
            Ok(creating(table, index, columns(flavor, of, index)?))
        }
        Operation::DropIndex { table, name } => {
            let Some(index) = index_of(before, table, name) else { return same() };
            Ok(dropping(table, &index))
        }
        Operation::RenameIndex { table, from, to } => {
            let Some(index) = index_of(before, table, from) else { return same() };
            let mut all = vec![(operation.clone(), None)];
            for part in expressions(&index) {
                let (from, to) = (name(from, part), name(to, part));
                let reason = format!("rename its invisible column `{from}` to `{to}`");
                let operation = Operation::RenameColumn { table: table.clone(), from, to };
                all.push((operation, Some(reason)));
            }
            Ok(all)
        }
        Operation::AlterColumn { table, change, .. } => {
            let (Some(was), Some(is)) = (before.table(table), after.table(table)) else {
                return same();
            };
            altering(flavor, operation, change, [was, is])
        }
        Operation::Execute(statement) => {
            let mut schema = before.clone();
            let mut describes = Vec::new();
            for described in &statement.describes {
                let was = schema.clone();
                let _ = described.apply(&mut schema);
                // What a person does by hand needs no types.
                match parts(flavor, described, &was, &schema) {
                    Ok(parts) => describes.extend(parts.into_iter().map(|(part, _)| part)),
                    Err(_) => describes.push(described.clone()),
                }
            }
            let statement = Execute { describes, ..statement.clone() };
            Ok(vec![(Operation::Execute(statement), None)])
        }
        _ => same(),
    }
}

/// The positions of an index's expressions.
fn expressions(index: &Index) -> impl Iterator<Item = usize> + '_ {
    let parts = index.columns.iter().enumerate();
    parts.filter(|(_, key)| matches!(key.term, IndexTerm::Expression(_))).map(|(part, _)| part)
}

fn creating(table: &str, index: &Index, columns: Vec<Column>) -> Parts {
    let mut all: Parts = Vec::new();
    for column in columns {
        let reason =
            format!("add the invisible column `{}` for index `{}` {WHY}", column.name, index.name);
        let table = table.to_owned();
        let add = Operation::AddColumn { table, column, using: None, before: None };
        all.push((add, Some(reason)));
    }
    let index = over_columns(index);
    all.push((Operation::CreateIndex { table: table.to_owned(), index }, None));
    all
}

fn dropping(table: &str, index: &Index) -> Parts {
    let (table, own) = (table.to_owned(), index.name.clone());
    let mut all = vec![(Operation::DropIndex { table: table.clone(), name: own }, None)];
    for part in expressions(index) {
        let column = name(&index.name, part);
        let reason = format!("drop its invisible column `{column}`");
        all.push((Operation::DropColumn { table: table.clone(), column }, Some(reason)));
    }
    all
}

/// The columns that a change of a column gives another type, with it.
fn altering(
    flavor: Flavor,
    operation: &Operation,
    change: &ColumnChange,
    [was, is]: [&Table; 2],
) -> Result<Parts, Unknown> {
    let changed = operation_column(operation);
    let lexicon = flavor.lexicon();
    let is_named = |index: &&Index| {
        index.columns.iter().any(|key| match &key.term {
            IndexTerm::Expression(expression) => lexicon.mentions(expression, changed),
            IndexTerm::Column(_) => false,
        })
    };
    let named: Vec<&Index> = is.indexes.iter().filter(is_named).collect();
    // Another column takes the place of the column, and what depends on it is created again.
    let is_replaced = change.using.is_some() || change.fill.is_some() || change.generated.is_some();
    let mut before: Parts = Vec::new();
    let mut after: Parts = Vec::new();
    for index in named {
        let (from, to) = (columns(flavor, was, index)?, columns(flavor, is, index)?);
        if is_replaced {
            before.extend(dropping(&is.name, index));
            after.extend(creating(&is.name, index, to));
            continue;
        }
        for (from, to) in from.into_iter().zip(to) {
            let mut change = ColumnChange::new();
            change.ty = (from.ty != to.ty).then(|| to.ty.clone());
            change.collation = (from.collation != to.collation).then(|| to.collation.clone());
            change.charset = (from.charset != to.charset).then(|| to.charset.clone());
            if change == ColumnChange::new() {
                continue;
            }
            let reason =
                format!("change the invisible column `{}` of index `{}`", to.name, index.name);
            let (table, column) = (is.name.clone(), to.name);
            before.push((Operation::AlterColumn { table, column, change }, Some(reason)));
        }
    }
    before.push((operation.clone(), None));
    before.extend(after);
    Ok(before)
}

fn operation_column(operation: &Operation) -> &str {
    match operation {
        Operation::AlterColumn { column, .. } => column,
        _ => "",
    }
}
