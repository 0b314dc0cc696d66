//! Values as literals.

use super::flavor::{Flavor, closed, text};
use super::types::{self, Storage, storage};
use crate::Value;
use crate::schema::{DefaultValue, Type};
use crate::sql::Kind;

/// A value as a literal that is read back exactly.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => u8::from(*value).to_string(),
        Value::Integer(value) => value.to_string(),
        // There is no such value, so the server refuses it by this name.
        Value::Real(value) if !value.is_finite() => format!("'{value}'"),
        Value::Real(value) => format!("{value:?}"),
        Value::Text(value) => text(value),
        Value::Blob(bytes) => format!("x'{}'", hex(bytes)),
    }
}

/// A value as a literal for a column of this type. SQLite keeps UUIDs as bytes, and revisions may
/// be written for several databases.
pub(super) fn literal_of(flavor: Flavor, value: &Value, ty: &Type) -> String {
    match (value, types::plainly(flavor, ty).as_ref()) {
        (Value::Text(value), Type::Uuid) if storage(flavor, ty) == Storage::Bytes(16) => {
            let own = DefaultValue::Literal(Value::from(value.as_str()));
            own.literal_of(&Type::Uuid).map_or_else(|| text(value), |value| literal(&value))
        }
        (Value::Blob(bytes), Type::Uuid)
            if bytes.len() == 16 && storage(flavor, ty) != Storage::Bytes(16) =>
        {
            text(&uuid(bytes))
        }
        (Value::Text(value), Type::Date | Type::Time | Type::DateTime | Type::Timestamp) => {
            text(&moment(value))
        }
        _ => literal(value),
    }
}

/// `2024-01-31T12:00:00Z` as the servers read it.
fn moment(value: &str) -> String {
    let is_iso = value.len() > 10 && value.as_bytes()[10] == b'T';
    let value = if is_iso { value.replacen('T', " ", 1) } else { value.to_owned() };
    match value.strip_suffix('Z').or_else(|| value.strip_suffix("+00:00")) {
        Some(bare) if bare.len() >= 19 => bare.to_owned(),
        _ => value,
    }
}

/// A column's default as the text after `DEFAULT`; `None` if there is none.
pub(super) fn default(flavor: Flavor, default: &DefaultValue, ty: &Type) -> Option<String> {
    let plain = types::plainly(flavor, ty);
    Some(match (default, plain.as_ref()) {
        (DefaultValue::Literal(Value::Null), _) => return None,
        (DefaultValue::Literal(value), plain) => {
            let value = default.literal_of(plain).unwrap_or_else(|| value.clone());
            match (&value, storage(flavor, ty)) {
                // The catalogs lose bytes that aren't characters.
                (Value::Blob(bytes), _) => format!("(unhex('{}'))", hex(bytes)),
                (Value::Text(bytes), Storage::Bytes(_) | Storage::LongBytes) => {
                    format!("(unhex('{}'))", hex(bytes.as_bytes()))
                }
                (_, Storage::LongText | Storage::Json | Storage::LongBytes) => {
                    format!("({})", literal_of(flavor, &value, ty))
                }
                _ => literal_of(flavor, &value, ty),
            }
        }
        (DefaultValue::Sql(text), _) if is_bare(flavor, text, ty) => text.to_string(),
        (DefaultValue::Sql(text), _) => format!("({})", closed(text)),
        (DefaultValue::Now, _) => match now(flavor, ty) {
            now if now.starts_with("CURRENT_TIMESTAMP") => now,
            now => format!("({now})"),
        },
    })
}

/// Whether a default is one that the server keeps in other words within parentheses: the session's
/// time, bits, and a literal where the type has literals.
fn is_bare(flavor: Flavor, text: &str, ty: &Type) -> bool {
    let is_now = now_of_session(flavor, ty).is_some_and(|now| now.eq_ignore_ascii_case(text));
    let bits = text.strip_prefix("b'").and_then(|rest| rest.strip_suffix('\''));
    is_now
        || bits.is_some_and(|bits| bits.chars().all(|bit| bit == '0' || bit == '1'))
        || is_literal(flavor, text, ty)
}

/// Whether a default is a number or a text, for a type that can have one as its default.
fn is_literal(flavor: Flavor, text: &str, ty: &Type) -> bool {
    let is_open = types::type_name(flavor, ty).is_ok_and(|declared| {
        let word = declared.split('(').next().unwrap_or_default().trim().to_ascii_lowercase();
        matches!(word.as_str(), "time" | "date" | "datetime" | "timestamp" | "bigint unsigned")
    });
    let tokens = flavor.lexicon().significant(text);
    let is_one = match tokens.as_slice() {
        [token] => matches!(token.kind, Kind::Text | Kind::Number),
        _ => false,
    };
    is_open && is_one
}

/// The current time for a column of this type. Sessions of applications may have any time zone, and
/// the time is in UTC.
pub(super) fn now(flavor: Flavor, ty: &Type) -> String {
    let fraction = |name: &str| {
        let declared = types::type_name(flavor, ty).unwrap_or_default();
        let digits: String = declared.chars().filter(char::is_ascii_digit).collect();
        format!("{name}({digits})")
    };
    let declared = types::type_name(flavor, ty).unwrap_or_default().to_ascii_lowercase();
    match declared.split('(').next().unwrap_or_default().trim() {
        "date" => "UTC_DATE()".to_owned(),
        "time" => fraction("UTC_TIME"),
        "datetime" => fraction("UTC_TIMESTAMP"),
        "timestamp" => fraction("CURRENT_TIMESTAMP"),
        _ if types::is_collated(flavor, ty) => {
            "DATE_FORMAT(UTC_TIMESTAMP(),'%Y-%m-%d %H:%i:%s')".to_owned()
        }
        _ => "UTC_TIMESTAMP()".to_owned(),
    }
}

/// The current time as a column of this type is set to it by `ON UPDATE`; `None` if it can't be.
pub(super) fn now_of_session(flavor: Flavor, ty: &Type) -> Option<String> {
    let declared = types::type_name(flavor, ty).ok()?.to_ascii_lowercase();
    let (name, digits) = declared.split_once('(').unwrap_or((&declared, ""));
    let digits = digits.trim_end_matches(')');
    matches!(name.trim(), "datetime" | "timestamp").then(|| {
        if digits.is_empty() {
            "CURRENT_TIMESTAMP".to_owned()
        } else {
            format!("CURRENT_TIMESTAMP({digits})")
        }
    })
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `67e55044-10b1-426f-9247-bb680e5fe0c8`
fn uuid(bytes: &[u8]) -> String {
    let hex = hex(bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_as_the_servers_read_it() {
        let bytes: Vec<u8> = (0..16).collect();
        for (value, ty, expect) in [
            (Value::from(r"it's \ 'x'"), Type::Text, r"'it''s \\ ''x'''"),
            (Value::from(1e300), Type::Double, "1e300"),
            (Value::from(0.5), Type::Double, "0.5"),
            (Value::from(vec![0_u8, 255]), Type::Binary, "x'00ff'"),
            (Value::from(bytes), Type::Uuid, "x'000102030405060708090a0b0c0d0e0f'"),
            (
                Value::from("67e55044-10b1-426f-9247-bb680e5fe0c8"),
                Type::Uuid,
                "x'67e5504410b1426f9247bb680e5fe0c8'",
            ),
            (
                Value::from("67e55044-10b1-426f-9247-bb680e5fe0c8"),
                Type::raw("uuid"),
                "'67e55044-10b1-426f-9247-bb680e5fe0c8'",
            ),
            (Value::from("2024-01-31T12:00:00Z"), Type::Timestamp, "'2024-01-31 12:00:00'"),
            (Value::from(true), Type::Boolean, "1"),
            (Value::Null, Type::Text, "NULL"),
        ] {
            assert_eq!(literal_of(Flavor::Mariadb, &value, &ty), expect);
        }
    }

    #[test]
    fn a_default_is_an_expression_where_the_type_needs_one() {
        let literal = |value: &str| DefaultValue::Literal(value.into());
        for (value, ty, expect) in [
            (literal("x"), Type::String(5), Some("'x'")),
            (literal("x"), Type::Text, Some("('x')")),
            (literal("{}"), Type::Json, Some("('{}')")),
            (DefaultValue::Literal(vec![1_u8].into()), Type::Binary, Some("(unhex('01'))")),
            (DefaultValue::Literal(Value::Null), Type::Text, None),
            (DefaultValue::Now, Type::DateTime, Some("(UTC_TIMESTAMP(6))")),
            (DefaultValue::Now, Type::Timestamp, Some("CURRENT_TIMESTAMP(6)")),
            (DefaultValue::Now, Type::Date, Some("(UTC_DATE())")),
            (DefaultValue::Sql("1 + 1".into()), Type::Integer, Some("(1 + 1)")),
        ] {
            assert_eq!(default(Flavor::Mysql, &value, &ty).as_deref(), expect);
        }
    }
}
