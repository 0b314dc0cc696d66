//! Values as literals, which rely on `standard_conforming_strings`.

use crate::Value;
use crate::schema::{DefaultValue, Type};

use super::types;

/// A value as a literal that PostgreSQL reads back exactly.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Real(value) if value.is_nan() => "'NaN'::double precision".to_owned(),
        Value::Real(value) if value.is_infinite() => {
            let sign = if *value > 0.0 { "" } else { "-" };
            format!("'{sign}Infinity'::double precision")
        }
        Value::Blob(bytes) => format!("'\\x{}'::bytea", hex(bytes)),
        other => other.to_string(),
    }
}

/// A value as a literal for a column of this type. SQLite keeps booleans as numbers and UUIDs as
/// bytes, and revisions may be written for both.
pub(super) fn literal_of(value: &Value, ty: &Type) -> String {
    match (value, types::plainly(ty).as_ref()) {
        (Value::Integer(number @ (0 | 1)), Type::Boolean) => literal(&Value::Bool(*number == 1)),
        (Value::Bool(value), ty) if ty.is_integer() => literal(&Value::Integer((*value).into())),
        (Value::Blob(bytes), Type::Uuid) if bytes.len() == 16 => format!("'{}'", uuid(bytes)),
        (Value::Text(text), Type::Binary | Type::FixedBinary(_)) => {
            literal(&Value::Blob(text.clone().into_bytes()))
        }
        _ => literal(value),
    }
}

/// A column's default as an expression; `None` if there is none.
pub(super) fn default(default: &DefaultValue, ty: &Type) -> Option<String> {
    // The time zone of a session isn't known, and the time is in UTC.
    const UTC: &str = "CURRENT_TIMESTAMP AT TIME ZONE 'UTC'";
    Some(match (default, types::plainly(ty).as_ref()) {
        (DefaultValue::Literal(Value::Null), _) => return None,
        (DefaultValue::Literal(value), ty) => literal_of(value, ty),
        (DefaultValue::Sql(text), _) => format!("({})", closed(text)),
        (DefaultValue::Now, Type::Date) => format!("(({UTC})::date)"),
        (DefaultValue::Now, Type::Time) => format!("(({UTC})::time)"),
        (DefaultValue::Now, Type::DateTime) => format!("({UTC})"),
        (DefaultValue::Now, ty) if types::is_local_timestamp(ty) => format!("({UTC})"),
        (DefaultValue::Now, Type::Text | Type::String(_)) => {
            format!("to_char({UTC}, 'YYYY-MM-DD HH24:MI:SS')")
        }
        (DefaultValue::Now, _) => "CURRENT_TIMESTAMP".to_owned(),
    })
}

/// An expression that other SQL can follow: a comment at its end must not hide what follows.
pub(super) fn closed(expression: &str) -> String {
    let end = if expression.contains("--") { "\n" } else { "" };
    format!("{expression}{end}")
}

fn hex(bytes: &[u8]) -> String {
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
    fn a_value_is_written_as_postgresql_reads_it() {
        let bytes: Vec<u8> = (0..16).collect();
        for (value, ty, expect) in [
            (Value::from(r"it's \ 'x'"), Type::Text, r"'it''s \ ''x'''"),
            (Value::from(f64::NAN), Type::Double, "'NaN'::double precision"),
            (Value::from(f64::NEG_INFINITY), Type::Double, "'-Infinity'::double precision"),
            (Value::from(1e300), Type::Double, "1e300"),
            (Value::from(vec![0_u8, 255]), Type::Binary, r"'\x00ff'::bytea"),
            (Value::from(bytes), Type::Uuid, "'00010203-0405-0607-0809-0a0b0c0d0e0f'"),
            (Value::from(1), Type::Boolean, "TRUE"),
            (Value::from(2), Type::Boolean, "2"),
            (Value::from(true), Type::BigInteger, "1"),
            (Value::from(true), Type::raw("bool"), "TRUE"),
            (Value::Null, Type::Text, "NULL"),
        ] {
            assert_eq!(literal_of(&value, &ty), expect);
        }
        assert_eq!(default(&DefaultValue::Literal(Value::Null), &Type::Text), None);
    }
}
