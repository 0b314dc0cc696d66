//! Refuses what SQLite lacks and what changes the meaning of a table. What only makes an index
//! smaller or faster is left out instead.

use crate::dialect::Refusal;
use crate::operations::Operation;
use crate::schema::qualified::split;
use crate::schema::{Column, Index, Schema, Table, Unique};

/// The refusal of an operation that asks for something that SQLite lacks.
pub(super) fn refusal(operation: &Operation, before: &Schema) -> Option<Refusal> {
    let (what, hint) = match operation {
        Operation::CreateTable(table) => in_table(table)?,
        Operation::RenameTable { from, to } if split(from).0.is_none() => in_schema(split(to).0)?,
        Operation::AddUnique { unique, .. } => in_unique(unique)?,
        Operation::CreateIndex { index, .. } => in_index(index)?,
        Operation::AddColumn { column, .. } => in_column(column)?,
        Operation::AlterColumn { table, column, change } => {
            let key = before.table(table).and_then(Table::generated_key);
            let is_key = key.is_some_and(|key| key.name == *column);
            change.identity.flatten().filter(|_| !is_key)?;
            identity(column)
        }
        _ => return None,
    };
    Some(Refusal {
        message: format!("cannot {operation} on SQLite: {what}"),
        hint: Some(hint.to_owned()),
    })
}

type Lacking = (String, &'static str);

fn in_table(table: &Table) -> Option<Lacking> {
    if let Some(lacking) = in_schema(table.schema.as_deref()) {
        return Some(lacking);
    }
    let key = table.generated_key().map(|column| &column.name);
    let others = table.columns.iter().filter(|column| Some(&column.name) != key);
    let column = others.into_iter().find_map(in_column);
    let unique = || table.uniques.iter().find_map(in_unique);
    column.or_else(unique).or_else(|| table.indexes.iter().find_map(in_index))
}

fn in_schema(schema: Option<&str>) -> Option<Lacking> {
    let why = format!("the table is in the schema `{}`, and SQLite has no schemas", schema?);
    let hint =
        "remove `schema` from the model, or leave SQLite out of `dialects` in dbmigrate.toml";
    Some((why, hint))
}

fn in_column(column: &Column) -> Option<Lacking> {
    column.identity.map(|_| identity(&column.name))
}

fn identity(column: &str) -> Lacking {
    let why = format!(
        "column `{column}` generates its values, which SQLite does only for an integer primary key"
    );
    (why, "remove `identity`, or make the column the primary key when the table is created")
}

const PREFIX: &str = "index the expression instead: `sql(\"substr(column, 1, 20)\")`";
const NULLS: &str = "remove `nulls_not_distinct`, or make the columns NOT NULL";

fn in_unique(unique: &Unique) -> Option<Lacking> {
    let name = &unique.name;
    if unique.nulls_not_distinct {
        return Some((format!("unique constraint `{name}` treats NULLs as equal"), NULLS));
    }
    if unique.deferrable.is_some() {
        let why = format!("unique constraint `{name}` is deferrable, and SQLite checks it at once");
        return Some((why, "remove `deferrable`"));
    }
    None
}

fn in_index(index: &Index) -> Option<Lacking> {
    if index.is_exclusion() {
        let why = format!("`{}` is an exclusion constraint, which only PostgreSQL has", index.name);
        return Some((why, "remove `exclude`, or keep the table to PostgreSQL"));
    }
    if index.unique && index.columns.iter().any(|column| column.prefix.is_some()) {
        let why = format!("index `{}` is unique for the beginning of values", index.name);
        return Some((why, PREFIX));
    }
    let is_lacking = index.unique && index.nulls_not_distinct;
    is_lacking.then(|| (format!("index `{}` treats NULLs as equal", index.name), NULLS))
}
