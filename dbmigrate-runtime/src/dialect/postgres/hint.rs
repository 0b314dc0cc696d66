//! What a person may want to do with values that don't fit.

use super::types::plainly;
use super::{convert, literal};
use crate::Value;
use crate::dialect::POSTGRES;
use crate::schema::{Column, Type};
use crate::sql::quote;

/// Suggests an expression. It is shown if some values don't fit.
pub(super) fn hint(column: &str, from: &Type, to: &Type) -> String {
    match proposal(column, from, to) {
        Some((what, expression)) => {
            format!("convert them, for example to {what} with {}", using(&expression))
        }
        None => "say what they become, with `.fill(\"...\")` for these rows or `.using(\"...\")` \
                 for all rows"
            .to_owned(),
    }
}

/// Says what rows may get that hold NULL.
pub(super) fn for_null(column: &str, ty: Option<&Type>) -> String {
    match ty.and_then(neutral) {
        Some(value) => {
            let expression = format!("coalesce({}, {value})", plain(column));
            format!("give these rows a value, for example with {}", using(&expression))
        }
        None => "give these rows a value with `.using(\"...\")`".to_owned(),
    }
}

fn using(expression: &str) -> String {
    format!("`.using(\"{}\")`", expression.replace('\\', "\\\\").replace('"', "\\\""))
}

/// An expression that gives each value of the old type its counterpart of the new one, where a
/// change of the type alone doesn't.
pub(super) fn counterpart(column: &str, from: &Type, to: &Column) -> Option<String> {
    if let Some((_, expression)) = proposal(column, from, &to.ty) {
        return Some(expression);
    }
    // What PostgreSQL converts by itself, and SQLite does not.
    let (from, to) = (plainly(from), plainly(&to.ty));
    let c = plain(column);
    match (from.as_ref(), to.as_ref()) {
        (Type::Uuid, Type::Text | Type::String(36..)) => Some(format!("{c}::text")),
        (Type::Text | Type::String(_), Type::Uuid) => Some(format!("{c}::uuid")),
        _ => None,
    }
}

/// A conversion that a change of the type alone doesn't make, because it would be a guess.
fn proposal(column: &str, from: &Type, to: &Type) -> Option<(&'static str, String)> {
    let c = plain(column);
    Some(match (plainly(from).as_ref(), plainly(to).as_ref()) {
        (Type::DateTime | Type::Timestamp, Type::BigInteger) => {
            ("whole seconds since 1970", format!("floor(extract(epoch FROM {c}))::bigint"))
        }
        (Type::Date, Type::DateTime) => ("midnight", format!("{c}::timestamp")),
        (Type::Date, Type::Timestamp) => {
            ("midnight in UTC", format!("{c}::timestamp AT TIME ZONE 'UTC'"))
        }
        _ => return None,
    })
}

/// A value of a type that says nothing, and that readers of the type take.
pub(super) fn neutral(ty: &Type) -> Option<String> {
    let text = |text: &str| literal::literal(&Value::from(text));
    Some(match plainly(ty).as_ref() {
        Type::Boolean => "FALSE".to_owned(),
        Type::Float | Type::Double => "0.0".to_owned(),
        Type::Decimal(..) | Type::Numeric => "0".to_owned(),
        Type::Date => text("1970-01-01"),
        Type::Time => text("00:00:00"),
        Type::DateTime => text("1970-01-01 00:00:00"),
        Type::Timestamp => text("1970-01-01 00:00:00+00:00"),
        Type::Uuid => text("00000000-0000-0000-0000-000000000000"),
        Type::Binary => literal::literal(&Value::Blob(Vec::new())),
        Type::FixedBinary(length) if *length > 64 => {
            format!("decode(repeat('00', {length}), 'hex')")
        }
        Type::FixedBinary(length) => literal::literal(&Value::Blob(vec![0; *length as usize])),
        Type::Json => text("null"),
        Type::Enum(_, values) => text(values.first()?),
        Type::String(_) | Type::Text => text(""),
        Type::Array(_) => text("{}"),
        ty if ty.is_integer() => "0".to_owned(),
        _ => return None,
    })
}

/// The condition of rows whose value, which isn't NULL, does not fit another type.
pub(super) fn misfit(column: &str, from: &Type, to: &Type) -> Option<String> {
    // The version is that of no server: what only later ones can tell isn't told.
    let fits = convert::conversion(&quote(column), from, to, 0).fits?;
    Some(format!("{} IS NOT NULL AND NOT ({fits})", quote(column)))
}

/// A name as a person would write it in SQL.
pub(super) fn plain(name: &str) -> String {
    let is_word =
        name.chars().all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '_')
            && !name.starts_with(|sign: char| sign.is_ascii_digit());
    if is_word && POSTGRES.same_expression(name, &quote(name)) {
        name.to_owned()
    } else {
        quote(name)
    }
}
