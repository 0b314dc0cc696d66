//! Models from a database: its tables, as a person would write them.

mod attribute;
mod code;
mod declare;
mod enumerations;
mod in_code;
mod names;
mod rust_types;
mod seen;
mod source;
mod values;

use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::dialect::{Beyond, Comparing, PartKind, Unreadable};
use dbmigrate_runtime::engine::driver::{Connection, DatabaseError};
use dbmigrate_runtime::schema::{Column, DefaultValue, Table, Type};

pub use code::{ColumnCode, ExistingEnum, ExistingModel, Model, Style};
use declare::Words;
pub use names::{of_field, snake, unused, written};
pub use rust_types::Crates;

/// The columns that take their values from a sequence by their default: a new database doesn't have
/// it.
pub fn of_sequences(table: &Table) -> impl Iterator<Item = &str> {
    table.columns.iter().filter(|column| is_of_sequence(column)).map(|column| column.name.as_str())
}

fn is_of_sequence(column: &Column) -> bool {
    let begins = |sql: &str| sql.get(..8).is_some_and(|word| word.eq_ignore_ascii_case("nextval("));
    matches!(&column.default, Some(DefaultValue::Sql(sql)) if begins(sql))
}

/// The enumerations of a table that no enum of Rust is like, by their names, with the reason.
pub fn of_enumerations(table: &Table) -> impl Iterator<Item = (&str, &'static str)> {
    table.columns.iter().filter_map(|column| {
        let element = match &column.ty {
            Type::Array(of) => of,
            ty => ty,
        };
        match element {
            Type::Enum(_, values) if source::has_variants(values) => None,
            // Those of other databases are a part of the column.
            Type::Enum(name, _) if ["", "enum"].contains(&name.as_str()) => None,
            Type::Enum(name, values) if values.is_empty() => Some((name.as_str(), "has no values")),
            Type::Enum(name, _) => Some((name.as_str(), "has an empty text among its values")),
            _ => None,
        }
    })
}

/// A table without the indexes and defaults that no model can say.
pub fn sayable(mut table: Table, beyond: &[Beyond]) -> Table {
    let parts = beyond.iter().filter(|beyond| beyond.table == table.name);
    let parts = parts.filter_map(|beyond| beyond.part.as_ref());
    for part in parts.filter(|part| part.kind == PartKind::Index) {
        table.indexes.retain(|index| part.name.as_deref() != Some(index.name.as_str()));
    }
    table.columns.retain(|column| !column.name.is_empty());
    table.comment.take_if(|comment| comment.trim().is_empty());
    for column in &mut table.columns {
        column.comment.take_if(|comment| comment.trim().is_empty());
        if is_of_sequence(column) {
            column.default = None;
        }
    }
    table
}

/// A feature of a table in words: ``column `shop.name` has ON CONFLICT IGNORE``. An index with one
/// is left out as a whole.
pub fn feature(beyond: &Beyond) -> String {
    let Beyond { table, columns, part, text } = beyond;
    if let Some(index) = part.as_ref().filter(|part| part.kind == PartKind::Index) {
        return format!("{index} of table `{table}`, which {text}");
    }
    let what = match (part, columns.as_slice()) {
        (Some(part), _) => format!("{part} of table `{table}`"),
        (None, []) => format!("table `{table}`"),
        (None, [column]) => format!("column `{table}.{column}`"),
        (None, columns) => format!("columns `{}` of table `{table}`", columns.join("`, `")),
    };
    format!("{what} {text}")
}

/// A table or an index that can't be read, in words.
pub fn unreadable(object: &Unreadable) -> String {
    format!("{} `{}`: {}", object.kind, object.name, object.why)
}

/// The tables of a database as models would say them.
///
/// # Errors
///
/// The database's errors.
pub fn tables(
    conn: &mut dyn Connection,
    tables: Vec<Table>,
    comparing: &Comparing,
) -> Result<Vec<Table>, DatabaseError> {
    let backend = conn.dialect().backend();
    let declared = declare::declared(conn, tables, comparing, Words::Alike)?;
    let mut tables: Vec<Table> = declared.into_iter().map(|declared| declared.table).collect();
    for table in &mut tables {
        let usual = declare::generated_anyway(table, comparing).map(str::to_owned);
        for column in &mut table.columns {
            column.autoincrement.take_if(|_| usual.as_deref() == Some(&column.name));
        }
    }
    for table in tables.iter_mut().filter(|_| backend != Backend::Postgres) {
        let model = names::of_type(&names::singular(table.bare_name()));
        for column in &mut table.columns {
            // The model's enumeration has a name, which only PostgreSQL keeps, unless it is a text
            // in a database with enumerations.
            if let Type::Enum(name, _) = &mut column.ty {
                if name.is_empty() && !comparing.keeps_definitions {
                    continue;
                }
                *name = names::snake(&format!("{model}{}", names::of_type(&column.name)));
            }
        }
    }
    Ok(tables)
}

/// The models of a database's tables, in the order of the tables, with what they can't say.
///
/// # Errors
///
/// The database's errors.
pub fn models(
    conn: &mut dyn Connection,
    tables: Vec<Table>,
    style: &Style<'_>,
) -> Result<(Vec<Model>, Vec<String>), DatabaseError> {
    let declared = declare::declared(conn, tables, &style.comparing, Words::Exact)?;
    let models = source::models(&declared, style);
    // As the models themselves, in the end.
    std::mem::forget(declared);
    Ok(models)
}
