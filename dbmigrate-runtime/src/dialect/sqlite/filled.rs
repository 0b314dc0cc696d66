//! The fill: what existing rows get whose value the changed column can't hold.

use super::affinity::{Conversion, Server, Stored};
use super::convert;
use super::ddl;
use super::decimal;
use super::definition::ColumnItem;
use crate::schema::{Column, Type};
use crate::sql::quote;

/// An expression for the rows that need a value.
pub(super) struct Fill {
    pub expression: String,
    /// The column after the change.
    pub column: Column,
}

/// A column's own value, or the fill if the value doesn't fit.
pub(super) fn value(
    was: &ColumnItem,
    item: &ColumnItem,
    conversion: Option<&Conversion<'_>>,
    fill: Option<&Fill>,
) -> String {
    let name = quote(&was.name);
    let own = decimal::as_text(&was.name, &was.ty, &item.ty).unwrap_or_else(|| name.clone());
    let Some(Fill { expression, column }) = fill else { return own };
    let fits = conversion.and_then(|conversion| convert::fits(&was.name, conversion));
    let null =
        if column.nullable { format!("{name} IS NULL") } else { format!("{name} IS NOT NULL") };
    let condition = match (column.nullable, fits) {
        (true, None) => return own,
        (false, None) => null,
        (true, Some(fits)) => format!("{null} OR ({fits})"),
        (false, Some(fits)) => format!("{null} AND ({fits})"),
    };
    format!("CASE WHEN {condition} THEN {own} ELSE {} END", ddl::closed(expression))
}

/// The condition of the rows whose value, which isn't NULL, does not fit another type.
pub(super) fn misfit(column: &str, from: &Type, to: &Type) -> Option<String> {
    let (old, new) = (ddl::type_name(from, false).ok()?, ddl::type_name(to, false).ok()?);
    let (was, now) = (Column::new(column, from.clone()), Column::new(column, to.clone()));
    let conversion = Conversion {
        was: Stored { declared: &old, column: &was },
        to: Stored { declared: &new, column: &now },
        // Only the tool counts rows, whose own SQLite has all functions.
        server: Server { version: u32::MAX, has_json: true },
    };
    let fits = convert::fits(column, &conversion)?;
    Some(format!("{} IS NOT NULL AND NOT ({fits})", quote(column)))
}
