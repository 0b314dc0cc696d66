//! Enumerations without a name: texts with a check for their values.
//!
//! The check isn't an object of the schema, as on SQLite. It is named after its table and column,
//! and follows their names.

use super::literal;
use crate::Value;
use crate::schema::qualified::bare;
use crate::schema::{Check, Column, Table, Type, naming};
use crate::sql::quote;

/// The values of an enumeration that is no type of its own.
pub(super) fn values(ty: &Type) -> Option<&[String]> {
    match ty {
        Type::Enum(name, values) if name.is_empty() => Some(values),
        Type::Array(of) => values(of),
        _ => None,
    }
}

/// The name of the check. A check that a model gives to the column has the column's own name.
fn name_of(table: &str, column: &str) -> String {
    naming::Convention::default().check(bare(table), &format!("{column}_values"))
}

/// The check for the values of a column.
pub(super) fn check_of(table: &str, column: &Column) -> Option<Check> {
    let own = quote(&column.name);
    let text = |value: &String| literal::literal(&Value::from(value.as_str()));
    let texts: Vec<_> = values(&column.ty)?.iter().map(text).collect();
    let texts = texts.join(", ");
    let condition = match &column.ty {
        Type::Array(_) => format!("{own} <@ ARRAY[{texts}]::text[]"),
        _ => format!("{own} IN ({texts})"),
    };
    Some(Check::new(&name_of(table, &column.name), condition))
}

/// The checks for the values of a table's columns.
pub(super) fn checks(table: &Table) -> impl Iterator<Item = Check> {
    table.columns.iter().filter_map(|column| check_of(&table.name, column))
}
