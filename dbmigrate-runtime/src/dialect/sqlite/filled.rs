//! What rows get whose value the changed column can't hold.

use super::convert;
use super::ddl;
use super::decimal;
use super::definition::ColumnItem;
use super::edit::same_name;
use crate::schema::{Column, Type};
use crate::sql::{self, quote};

/// An expression for the rows that need one.
pub(super) struct Fill {
    pub expression: String,
    /// The column as it is then.
    pub column: Column,
}

/// A column's own value, or where that doesn't fit the one that it is filled with.
pub(super) fn value(was: &ColumnItem, item: &ColumnItem, fill: Option<&Fill>) -> String {
    let name = quote(&was.name);
    let own = decimal::as_text(&was.name, &was.ty, &item.ty).unwrap_or_else(|| name.clone());
    let Some(Fill { expression, column }) = fill else { return own };
    let fits = conditions(&was.name, (&was.ty, &item.ty), &column.ty);
    let null = match column.nullable {
        true => format!("{name} IS NULL"),
        false => format!("{name} IS NOT NULL"),
    };
    let condition = match (column.nullable, fits.is_empty()) {
        (true, true) => return own,
        (false, true) => null,
        (true, false) => format!("{null} OR ({})", fits.join(") AND (")),
        (false, false) => format!("{null} AND ({})", fits.join(") AND (")),
    };
    format!("CASE WHEN {condition} THEN {own} ELSE {} END", ddl::closed(expression))
}

/// What is true of a column's value, unless it is NULL, that another type holds: both as they are
/// declared, and the new one as a type of ours.
fn conditions(column: &str, (from, to): (&str, &str), ty: &Type) -> Vec<String> {
    let name = quote(column);
    let mut fits = Vec::new();
    fits.extend(convert::fits(column, from, to));
    match ty {
        Type::String(length) => fits.push(format!("length({name}) <= {length}")),
        Type::Enum(_, values) => {
            let values: Vec<_> = (values.iter())
                .map(|value| ddl::literal(&crate::Value::from(value.as_str())))
                .collect();
            fits.push(format!("{name} COLLATE BINARY IN ({})", values.join(", ")));
        }
        ty if decimal::declared(ty, false).as_deref() == Some(to) => {
            fits.extend(decimal::in_range(column, ty));
        }
        ty => fits
            .extend(ty.integer_range().map(|(least, most)| {
                format!("CAST({name} AS INTEGER) BETWEEN {least} AND {most}")
            })),
    }
    fits
}

/// The condition of the rows whose value, which isn't NULL, does not fit another type.
pub(super) fn misfit(column: &str, from: &Type, to: &Type) -> Option<String> {
    let (old, new) = (ddl::type_name(from, false).ok()?, ddl::type_name(to, false).ok()?);
    let fits = conditions(column, (&old, &new), to);
    match fits.is_empty() {
        true => None,
        false => {
            Some(format!("{} IS NOT NULL AND NOT (({}))", quote(column), fits.join(") AND (")))
        }
    }
}

/// Whether the expression is `coalesce(column, ...)`, which leaves all that isn't NULL as it is.
pub(super) fn fills_null(expression: &str, column: &str) -> bool {
    let tokens = sql::significant(expression);
    let [coalesce, open, first, comma, rest @ .., close] = tokens.as_slice() else { return false };
    coalesce.is_word("coalesce")
        && open.is_symbol("(")
        && first.identifier().is_some_and(|name| same_name(&name, column))
        && comma.is_symbol(",")
        && close.is_symbol(")")
        && sql::is_balanced(rest)
}
