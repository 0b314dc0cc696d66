//! The fill: what existing rows get whose value the changed column can't hold.

use super::affinity::{Conversion, Stored};
use super::convert;
use super::ddl;
use super::decimal;
use super::definition::ColumnItem;
use super::edit::same_name;
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::schema::{Column, Type};
use crate::sql::{self, quote};

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
    let fits = conditions(&was.name, conversion, column, &item.ty);
    let null =
        if column.nullable { format!("{name} IS NULL") } else { format!("{name} IS NOT NULL") };
    let condition = match (column.nullable, fits.is_empty()) {
        (true, true) => return own,
        (false, true) => null,
        (true, false) => format!("{null} OR ({})", fits.join(") AND (")),
        (false, false) => format!("{null} AND ({})", fits.join(") AND (")),
    };
    format!("CASE WHEN {condition} THEN {own} ELSE {} END", ddl::closed(expression))
}

/// The conditions under which a value other than NULL fits the column's new type.
fn conditions(
    name: &str,
    conversion: Option<&Conversion<'_>>,
    to: &Column,
    declared: &str,
) -> Vec<String> {
    let c = quote(name);
    let mut fits = Vec::new();
    fits.extend(conversion.and_then(|conversion| convert::fits(name, conversion)));
    match &to.ty {
        Type::String(length) => fits.push(format!("length({c}) <= {length}")),
        Type::Enum(_, values) => {
            let values: Vec<_> = (values.iter())
                .map(|value| ddl::literal(&crate::Value::from(value.as_str())))
                .collect();
            fits.push(format!("{c} COLLATE BINARY IN ({})", values.join(", ")));
        }
        ty if decimal::declared(ty, false).as_deref() == Some(declared) => {
            fits.extend(decimal::in_range(name, ty));
        }
        _ => {}
    }
    fits
}

/// The condition for rows whose value, other than NULL, does not fit another type.
pub(super) fn misfit(column: &str, from: &Type, to: &Type) -> Option<String> {
    let (old, new) = (ddl::type_name(from, false).ok()?, ddl::type_name(to, false).ok()?);
    let (was, now) = (Column::new(column, from.clone()), Column::new(column, to.clone()));
    let conversion = Conversion {
        was: Stored { declared: &old, column: &was },
        to: Stored { declared: &new, column: &now },
        // Only the tool counts rows, and its own SQLite has all functions.
        version: u32::MAX,
    };
    let fits = conditions(column, Some(&conversion), &now, &new);
    if fits.is_empty() {
        return None;
    }
    Some(format!("{} IS NOT NULL AND NOT (({}))", quote(column), fits.join(") AND (")))
}

/// Whether the expression is `coalesce(column, ...)`, which keeps every value other than NULL.
pub(super) fn fills_null(expression: &str, column: &str) -> bool {
    let tokens = LEXICON.significant(expression);
    let [coalesce, open, first, comma, rest @ .., close] = tokens.as_slice() else { return false };
    coalesce.is_word("coalesce")
        && open.is_symbol("(")
        && first.identifier().is_some_and(|name| same_name(&name, column))
        && comma.is_symbol(",")
        && close.is_symbol(")")
        && sql::is_balanced(rest)
}
