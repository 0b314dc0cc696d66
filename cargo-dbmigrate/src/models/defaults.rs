//! Defaults that a column's type can't hold.
//!
//! The derive refuses those that the compiler can detect; this also takes `type = ...` into
//! account, and parses texts.

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::record::ModelRecord;
use dbmigrate_runtime::schema::{Column, DefaultValue, ForeignKey, ReferentialAction, Type};

use super::location::field;
use crate::error::Error;

/// A default that no row can have, since it isn't a value of the column's type.
pub(super) fn misfit(model: &ModelRecord, column: &Column) -> Option<Error> {
    let default = column.default.as_ref()?;
    let (why, hint) = match default {
        DefaultValue::Sql(_) => return None,
        DefaultValue::Now => now(&column.ty)?,
        DefaultValue::Literal(value) => literal(&column.ty, value)?,
    };
    let shown = match default {
        DefaultValue::Literal(Value::Text(text)) => format!("\"{text}\""),
        DefaultValue::Literal(_) | DefaultValue::Now | DefaultValue::Sql(_) => default.to_string(),
    };
    let (name, place) = field(model, &column.name);
    let message = format!("the default {shown} of the field `{name}` {why}, in the model {place}");
    Some(Error::new(message).hint(hint))
}

/// An action of a foreign key that would set a required column to NULL. The derive detects this for
/// columns of the struct itself, this also for columns of a flattened group.
pub(super) fn misfit_of_action(model: &ModelRecord, key: &ForeignKey) -> Option<Error> {
    for (attribute, action) in [("on_delete", key.on_delete), ("on_update", key.on_update)] {
        for name in &key.columns {
            let Some(column) = model.table.find_column(name) else { continue };
            if column.nullable || column.generated.is_some() {
                continue;
            }
            let has_no_default =
                matches!(column.default, None | Some(DefaultValue::Literal(Value::Null)));
            let (action, why, hint) = match action {
                ReferentialAction::SetNull => {
                    ("set_null", "is required", "make the field an `Option`")
                }
                ReferentialAction::SetDefault if has_no_default => (
                    "set_default",
                    "is required and has no default",
                    "give the field a default, or make it an `Option`",
                ),
                _ => continue,
            };
            let (field, place) = field(model, name);
            let message = format!(
                "`{attribute} = {action}` of a foreign key sets the field `{field}`, which {why}, \
                 in the model {place}"
            );
            return Some(Error::new(message).hint(hint));
        }
    }
    None
}

type Misfit = (String, &'static str);

/// The length of `2024-12-31 23:59:59`, the shortest form in which a database writes the time.
const NOW_LENGTH: u32 = 19;

fn now(ty: &Type) -> Option<Misfit> {
    if let Type::String(length @ ..NOW_LENGTH) = ty {
        let why = format!("has {NOW_LENGTH} characters or more, but the column holds {length}");
        return Some((why, "raise the field's `length`"));
    }
    let holds_times = matches!(ty, Type::Date | Type::Time | Type::DateTime | Type::Timestamp)
        || matches!(ty, Type::Text | Type::String(_) | Type::Raw(_) | Type::PerDialect(_));
    let misfit = || {
        let hint = "`now` is for dates and times; `default = sql(\"...\")` computes a value";
        (format!("is a time, but the column is {}", with_article(ty)), hint)
    };
    (!holds_times).then(misfit)
}

/// Whether a model can have this value as the default of a column of this type.
pub fn is_value(ty: &Type, value: &Value) -> bool {
    literal(ty, value).is_none()
}

fn literal(ty: &Type, value: &Value) -> Option<Misfit> {
    match value {
        Value::Text(text) => of_text(ty, text),
        Value::Integer(number) => of_integer(ty, *number),
        Value::Real(number) if matches!(ty, Type::Decimal(..)) => {
            of_decimal(ty, &number.to_string())
        }
        Value::Real(number) if *ty == Type::Float && (*number as f32).is_infinite() => Some((
            "is larger than the numbers of the column, which is a float".to_owned(),
            "write a smaller number, or make the field an `f64`",
        )),
        Value::Real(_) => other(ty, "a fractional number", |ty| {
            matches!(ty, Type::Float | Type::Double | Type::Decimal(..) | Type::Numeric)
                || matches!(ty, Type::Text | Type::String(_) | Type::Json)
        }),
        Value::Blob(bytes) => match ty {
            Type::FixedBinary(length) if bytes.len() as u64 != u64::from(*length) => Some((
                format!("has {} bytes, but the column holds {length}", bytes.len()),
                "write a value of that length",
            )),
            Type::Uuid if bytes.len() != 16 => Some((
                format!("has {} bytes, but a UUID has 16", bytes.len()),
                "write a value of that length",
            )),
            _ => other(ty, "bytes", |ty| {
                matches!(ty, Type::Binary | Type::FixedBinary(_) | Type::Uuid)
            }),
        },
        // Databases without booleans would store `1`, which is different JSON from `true`.
        Value::Bool(_) if *ty == Type::Json => Some((
            "is a boolean, but the column is json".to_owned(),
            "write the JSON as a string: `default = \"true\"`",
        )),
        Value::Bool(_) => other(ty, "a boolean", |ty| matches!(ty, Type::Boolean)),
        Value::Null => None,
    }
}

/// A value of another kind than the column's. A database's own type holds anything.
fn other(ty: &Type, what: &str, holds: impl Fn(&Type) -> bool) -> Option<Misfit> {
    if holds(ty) || matches!(ty, Type::Raw(_) | Type::PerDialect(_)) {
        return None;
    }
    let why = format!("is {what}, but the column is {}", with_article(ty));
    Some((why, "write a value of the column's type, or `default = sql(\"...\")`"))
}

fn of_integer(ty: &Type, number: i64) -> Option<Misfit> {
    let is_exact = match ty {
        Type::Float => i128::from(number) == number as f32 as i128,
        Type::Double => i128::from(number) == number as f64 as i128,
        _ => true,
    };
    if !is_exact {
        let why = format!("has more digits than the column, which is {}", with_article(ty));
        return Some((why, "write a number that it holds, or use a type with more digits"));
    }
    let (least, greatest) = match (ty, ty.integer_range()) {
        (Type::Boolean, _) => (0, 1),
        (_, Some(range)) => range,
        (Type::Decimal(..), _) => return of_decimal(ty, &number.to_string()),
        (Type::String(_), _) => return of_text(ty, &number.to_string()),
        _ => {
            return other(ty, "an integer", |ty| {
                matches!(ty, Type::BigInteger | Type::Float | Type::Double | Type::Numeric)
                    || matches!(ty, Type::Text | Type::Json)
            });
        }
    };
    let is_outside = !(least..=greatest).contains(&number);
    let why =
        || format!("is outside {least} to {greatest}, but the column is {}", with_article(ty));
    is_outside.then(|| (why(), "write a value of the column's type"))
}

fn of_text(ty: &Type, text: &str) -> Option<Misfit> {
    let (fits, what, hint) = match ty {
        Type::Enum(_, values) if !values.iter().any(|value| value == text) => {
            let why = format!("is not one of its values: `{}`", values.join("`, `"));
            return Some((why, "write one of them as it is stored"));
        }
        Type::Boolean => return Some(unquoted("a boolean")),
        Type::TinyInteger
        | Type::SmallInteger
        | Type::Integer
        | Type::BigInteger
        | Type::TinyUnsigned
        | Type::SmallUnsigned
        | Type::Unsigned
        | Type::BigUnsigned => return Some(unquoted("an integer")),
        Type::Float | Type::Double => return Some(unquoted("a number")),
        Type::String(length) if text.chars().count() > *length as usize => {
            let n = text.chars().count();
            let why = format!("has {n} characters, but the column holds {length}");
            return Some((why, "shorten it, or raise the field's `length`"));
        }
        Type::Decimal(..) | Type::Numeric => return of_decimal(ty, text),
        Type::Date => (is_date(text), "a date", "write it as in \"2024-12-31\""),
        Type::Time => (is_time(text), "a time", "write it as in \"23:59:59\""),
        Type::DateTime => {
            let time = date_and_time(text);
            if time.is_some_and(|time| !is_time(time) && is_time(without_zone(time))) {
                let why = format!("has a time zone, but the column is {}", with_article(ty));
                let hint = "leave the time zone out, or use a type with one, such as \
                            `chrono::DateTime<Utc>`";
                return Some((why, hint));
            }
            (time.is_some_and(is_time), "a date and time", "write it as in \"2024-12-31 23:59:59\"")
        }
        Type::Timestamp => {
            let fits = date_and_time(text).is_some_and(|time| is_time(without_zone(time)));
            (fits, "a timestamp", "write it as in \"2024-12-31 23:59:59+00:00\"")
        }
        Type::Uuid => {
            (is_uuid(text), "a UUID", "write it as in \"67e55044-10b1-426f-9247-bb680e5fe0c8\"")
        }
        Type::Json => return not_json(text),
        Type::Binary | Type::FixedBinary(_) => {
            (false, "bytes", "write a byte string: `default = b\"...\"`")
        }
        Type::String(_)
        | Type::Text
        | Type::Enum(..)
        | Type::Array(_)
        | Type::Raw(_)
        | Type::PerDialect(_) => return None,
    };
    (!fits).then(|| (format!("is not {what}"), hint))
}

fn not_json(text: &str) -> Option<Misfit> {
    let err = serde_json::from_str::<serde_json::Value>(text).err()?;
    let is_word = text.trim_start().starts_with(|char: char| char.is_alphabetic());
    let hint = if is_word {
        "a JSON string has quotes of its own: `default = \"\\\"text\\\"\"`"
    } else {
        "write JSON that programs can read"
    };
    Some((format!("can't be read as JSON: {err}"), hint))
}

fn unquoted(what: &str) -> Misfit {
    (format!("is a string, but the column is {what}"), "write the value without quotes")
}

/// Digits that the column can't hold would be lost, or the row would be refused.
fn of_decimal(ty: &Type, text: &str) -> Option<Misfit> {
    if text.contains(['e', 'E']) && text.parse().is_ok_and(f64::is_finite) {
        return None;
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if digits.trim_matches('.').is_empty() || !are_digits(whole) || !are_digits(fraction) {
        return Some(("is not a decimal number".to_owned(), "write it as in \"12.50\""));
    }
    let Type::Decimal(precision, scale) = ty else { return None };
    let whole = whole.trim_start_matches('0').len() as u64;
    let fraction = fraction.trim_end_matches('0').len() as u64;
    let is_long = whole + u64::from(*scale) > u64::from(*precision) || fraction > u64::from(*scale);
    let why = || format!("has more digits than the column, which is {}", with_article(ty));
    is_long.then(|| (why(), "write fewer digits, or raise `precision` or `scale`"))
}

fn with_article(ty: &Type) -> String {
    let words = ty.to_string();
    let article = if words.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {words}")
}

/// A number with exactly this many digits.
fn number(text: &str, length: usize) -> Option<u32> {
    let are_digits = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| text.parse().ok())?
}

fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut part = |length| parts.next().and_then(|part| number(part, length));
    let (Some(year), Some(month), Some(day)) = (part(4), part(2), part(2)) else { return false };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

fn is_time(text: &str) -> bool {
    let (text, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let parts: Vec<_> = text.split(':').map(|part| number(part, 2)).collect();
    let fits = match parts[..] {
        [Some(hour), Some(minute)] => hour < 24 && minute < 60 && fraction == "0",
        [Some(hour), Some(minute), Some(second)] => hour < 24 && minute < 60 && second < 60,
        _ => false,
    };
    fits && !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

/// The part after the date.
fn date_and_time(text: &str) -> Option<&str> {
    let (date, time) = text.split_once([' ', 'T'])?;
    is_date(date).then_some(time)
}

fn without_zone(time: &str) -> &str {
    if let Some(time) = time.strip_suffix('Z') {
        return time;
    }
    match time.rfind(['+', '-']) {
        Some(at) if is_time(&time[at + 1..]) => &time[..at],
        _ => time,
    }
}

/// Whether the text is stored as the bytes of a UUID.
fn is_uuid(text: &str) -> bool {
    let default = DefaultValue::Literal(text.into());
    matches!(default.literal_of(&Type::Uuid), Some(Value::Blob(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_the_column_s_readers_read_them() {
        let fits = |ty: Type, text: &str| of_text(&ty, text).is_none();
        for (ty, good, bad) in [
            (Type::Date, "2024-02-29", "2023-02-29"),
            (Type::Date, "0001-12-31", "yesterday"),
            (Type::Time, "23:59", "24:00"),
            (Type::Time, "23:59:59.125", "23:59:60"),
            (Type::DateTime, "2024-12-31 00:00:00", "2024-12-31"),
            (Type::DateTime, "2024-12-31T00:00", "2024-12-31 00:00:00 UTC"),
            (Type::DateTime, "2024-12-31 00:00:00.5", "2024-12-31 00:00:00Z"),
            (Type::DateTime, "2024-12-31 23:59", "2024-12-31T23:59:00+02:00"),
            (Type::Timestamp, "2024-12-31 00:00:00Z", "2024-13-31 00:00:00Z"),
            (Type::Json, "1e99", "1e999"),
            (Type::Json, "\"\\ud83d\\ude00\"", "\"\\ud800\""),
            (Type::Json, " null ", "text"),
            (Type::Timestamp, "2024-12-31 00:00:00+02:00", "2024-12-31 00:00:00+2"),
            (Type::Timestamp, "2024-12-31T00:00:00Z", "now"),
            (Type::Uuid, "67e55044-10b1-426f-9247-bb680e5fe0c8", "x"),
            (Type::Json, "{\"a\": [1]}", "{bad"),
            (Type::String(3), "äöü", "äöüa"),
            (Type::Decimal(4, 2), "-12.500", "123.4"),
            (Type::Decimal(4, 2), "0012", "0.125"),
            (Type::Decimal(4, 2), "1e1", "e"),
            (Type::Numeric, "1.25", "."),
            (Type::Numeric, "-0", "NaN"),
            (Type::Uuid, "67E5504410B1426F9247BB680E5FE0C8", "67e55044-10b1"),
            (Type::Text, "anything", ""),
        ] {
            assert!(fits(ty.clone(), good), "{ty} {good}");
            assert!(ty == Type::Text || !fits(ty.clone(), bad), "{ty} {bad}");
        }
    }

    #[test]
    fn numbers_and_bytes_are_within_what_the_column_holds() {
        let fits = |ty: Type, value: Value| literal(&ty, &value).is_none();
        assert!(fits(Type::TinyUnsigned, Value::Integer(255)));
        assert!(!fits(Type::TinyUnsigned, Value::Integer(300)));
        assert!(!fits(Type::Unsigned, Value::Integer(-1)));
        assert!(fits(Type::BigInteger, Value::Integer(i64::MIN)));
        assert!(!fits(Type::Boolean, Value::Integer(2)));
        assert!(!fits(Type::Integer, Value::Bool(true)));
        assert!(fits(Type::Float, Value::Integer(1 << 24)));
        assert!(!fits(Type::Float, Value::Integer((1 << 24) + 1)));
        assert!(fits(Type::Double, Value::Integer(1 << 53)));
        assert!(!fits(Type::Double, Value::Integer((1 << 53) + 1)));
        assert!(!fits(Type::Double, Value::Integer(i64::MAX)));
        assert!(fits(Type::Double, Value::Integer(i64::MIN)));
        assert!(fits(Type::Float, Value::Real(0.1)) && !fits(Type::Float, Value::Real(-1e39)));
        assert!(fits(Type::Double, Value::Real(1e39)));
        assert!(!fits(Type::Integer, Value::Real(1.5)));
        assert!(!fits(Type::Uuid, Value::Blob(vec![0; 15])));
        assert!(fits(Type::FixedBinary(2), Value::Blob(vec![0; 2])));
        assert!(!fits(Type::Text, Value::Blob(vec![0; 2])));
        assert!(fits(Type::Decimal(4, 2), Value::Real(12.5)));
        assert!(!fits(Type::Decimal(4, 2), Value::Real(0.125)));
        assert!(!fits(Type::Decimal(4, 2), Value::Real(123.0)));
        assert!(!fits(Type::Json, Value::Bool(true)));
        assert!(fits(Type::Boolean, Value::Bool(true)) && fits(Type::Boolean, Value::Integer(1)));
        assert!(fits(Type::String(2), Value::Integer(10)));
        assert!(!fits(Type::String(1), Value::Integer(10)));
        assert!(now(&Type::String(19)).is_none() && now(&Type::String(10)).is_some());
        assert!(now(&Type::DateTime).is_none() && now(&Type::BigInteger).is_some());
    }
}
