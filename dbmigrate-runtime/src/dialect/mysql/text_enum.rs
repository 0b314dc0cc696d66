//! Enumerations without a name: texts with a check for their values.
//!
//! The check isn't an object of the schema, as on SQLite. It is named after its table and column,
//! and follows their names.

use super::flavor::{quote, text};
use crate::schema::{Check, Column, Table, Type, naming};

/// The check for the values of a column.
pub(super) fn check_of(table: &str, column: &Column) -> Option<Check> {
    let Type::Enum(name, values) = &column.ty else { return None };
    if !name.is_empty() {
        return None;
    }
    let texts: Vec<_> = values.iter().map(|value| text(value)).collect();
    let condition = format!("{} IN ({})", quote(&column.name), texts.join(", "));
    // A check that a model gives to the column has the column's own name.
    let column = format!("{}_values", column.name);
    Some(Check::new(&naming::Convention::default().check(table, &column), condition))
}

/// The checks for the values of a table's columns.
pub(super) fn checks(table: &Table) -> impl Iterator<Item = Check> {
    table.columns.iter().filter_map(|column| check_of(&table.name, column))
}
