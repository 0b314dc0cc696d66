//! What a person may want to do with values that don't fit.

use super::flavor::{Flavor, quote, text};
use super::literal;
use super::types::{self, Storage, plainly};
use crate::Value;
use crate::schema::{Column, Type};

/// Suggests an expression. It is shown if some values don't fit.
pub(super) fn hint(flavor: Flavor, column: &str, from: &Type, to: &Type) -> String {
    match proposal(flavor, column, from, to) {
        Some((what, expression)) => {
            format!("convert them, for example to {what} with {}", using(&expression))
        }
        None => "say what they become, with `.fill(\"...\")` for these rows or `.using(\"...\")` \
                 for all rows"
            .to_owned(),
    }
}

/// Says what rows may get that hold NULL.
pub(super) fn for_null(flavor: Flavor, column: &str, ty: Option<&Type>) -> String {
    match ty.and_then(|ty| neutral(flavor, ty)) {
        Some(value) => {
            let expression = format!("coalesce({}, {value})", plain(flavor, column));
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
pub(super) fn counterpart(
    flavor: Flavor,
    column: &str,
    from: &Type,
    to: &Column,
) -> Option<String> {
    proposal(flavor, column, from, &to.ty).map(|(_, expression)| expression)
}

/// A conversion that a change of the type alone doesn't make.
fn proposal(
    flavor: Flavor,
    column: &str,
    from: &Type,
    to: &Type,
) -> Option<(&'static str, String)> {
    let c = plain(flavor, column);
    let is_bytes = |ty: &Type| types::storage(flavor, ty) == Storage::Bytes(16);
    Some(match (plainly(flavor, from).as_ref(), plainly(flavor, to).as_ref()) {
        (Type::DateTime | Type::Timestamp, Type::BigInteger) => {
            ("whole seconds since 1970", format!("timestampdiff(SECOND, '1970-01-01', {c})"))
        }
        (Type::Uuid, Type::Text | Type::String(36..)) if is_bytes(from) => ("texts", dashed(&c)),
        (Type::Text | Type::String(_), Type::Uuid) if is_bytes(to) => {
            ("bytes", format!("unhex(replace({c}, '-', ''))"))
        }
        _ => return None,
    })
}

/// The text of a UUID from its bytes.
fn dashed(c: &str) -> String {
    format!(
        "lower(concat_ws('-', substr(hex({c}), 1, 8), substr(hex({c}), 9, 4), \
         substr(hex({c}), 13, 4), substr(hex({c}), 17, 4), substr(hex({c}), 21)))"
    )
}

/// A value of a type that says nothing, and that readers of the type take.
pub(super) fn neutral(flavor: Flavor, ty: &Type) -> Option<String> {
    Some(match plainly(flavor, ty).as_ref() {
        Type::Boolean => "FALSE".to_owned(),
        Type::Float | Type::Double => "0.0".to_owned(),
        Type::Decimal(..) | Type::Numeric => "0".to_owned(),
        Type::Date => text("1970-01-01"),
        Type::Time => text("00:00:00"),
        Type::DateTime => text("1970-01-01 00:00:00"),
        Type::Timestamp => text("1970-01-01 00:00:01"),
        Type::Uuid if types::storage(flavor, ty) == Storage::Bytes(16) => {
            literal::literal(&Value::Blob(vec![0; 16]))
        }
        Type::Uuid => text("00000000-0000-0000-0000-000000000000"),
        Type::Binary => literal::literal(&Value::Blob(Vec::new())),
        Type::FixedBinary(length) if *length > 64 => format!("unhex(repeat('00', {length}))"),
        Type::FixedBinary(length) => literal::literal(&Value::Blob(vec![0; *length as usize])),
        Type::Json => text("null"),
        Type::Enum(_, values) => text(values.first()?),
        Type::String(_) | Type::Text => text(""),
        ty if ty.is_integer() => "0".to_owned(),
        _ => return None,
    })
}

/// A name as a person would write it in SQL.
pub(super) fn plain(flavor: Flavor, name: &str) -> String {
    let is_word =
        name.chars().all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '_')
            && !name.starts_with(|sign: char| sign.is_ascii_digit());
    if is_word && flavor.lexicon().same_expression(name, &quote(name)) {
        name.to_owned()
    } else {
        quote(name)
    }
}
