//! Values at the edges of what a column can hold.

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::schema::{Column, DefaultValue, Type};

use crate::trial;

/// Text with what is often handled wrongly: quotes, a backslash, a comment, lines, and letters of
/// several scripts.
const ODD: &str = "O'Brien \"said\" \\ -- /* %s\n\tÜñí 数据 \u{5e9}\u{5dc} e\u{301} \u{1f600}";

/// The length of a text that is long where any length is allowed.
const LONG: usize = 10_000;

/// Values at the edges of a column's type, as SQL, without NULL.
pub fn edges(column: &Column, dialect: &dyn Dialect) -> Vec<String> {
    let ty = &column.ty;
    let text = |text: &str| dialect.literal_of(&Value::Text(text.to_owned()), ty);
    let texts = |all: &[&str]| all.iter().map(|one| text(one)).collect::<Vec<_>>();
    let plain = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let bytes = |bytes: Vec<u8>| dialect.literal_of(&Value::Blob(bytes), ty);
    match ty {
        Type::Boolean => {
            [true, false].map(|one| dialect.literal_of(&Value::Bool(one), ty)).to_vec()
        }
        Type::BigInteger => plain(&["9223372036854775807", "-9223372036854775807", "0"]),
        ty if ty.is_integer() => {
            let (min, max) = ty.integer_range().unwrap_or_default();
            vec![max.to_string(), min.to_string(), "0".to_owned()]
        }
        Type::Float => plain(&["3.4e38", "-3.4e38", "1.2e-38", "0.1"]),
        Type::Double => {
            plain(&["1.7976931348623157e308", "-1.7976931348623157e308", "2.3e-308", "0.1"])
        }
        Type::Decimal(precision, scale) => {
            let nines = |n: u32| "9".repeat(n as usize);
            let whole = precision.saturating_sub(*scale);
            let mut most = if whole == 0 { "0".to_owned() } else { nines(whole) };
            if *scale > 0 {
                most += &format!(".{}", nines(*scale));
            }
            vec![most.clone(), format!("-{most}"), "0".to_owned()]
        }
        Type::Numeric => plain(&["12345678901234567890.123456789", "-0.000000001", "0"]),
        Type::String(length) => {
            let length = *length as usize;
            let odd: String = ODD.chars().take(length).collect();
            let longest: String = "\u{1f600}".repeat(length.min(LONG));
            texts(&[&longest, &"x".repeat(length.min(LONG)), &odd, ""])
        }
        Type::Text => texts(&[ODD, &"é".repeat(LONG), ""]),
        Type::Date => texts(&["9999-12-31", "1000-01-01", "2024-02-29"]),
        Type::Time => texts(&["23:59:59.999999", "00:00:00"]),
        Type::DateTime => texts(&["9999-12-31 23:59:59.999999", "1000-01-01 00:00:00"]),
        Type::Timestamp if dialect.backend().is_mysql_like() => {
            texts(&["2038-01-19 03:14:07.999999", "1970-01-02 00:00:01"])
        }
        Type::Timestamp => {
            texts(&["9999-12-31 23:59:59.999999+00:00", "1000-01-01 00:00:00+00:00"])
        }
        Type::Uuid if is_text(column, dialect) => texts(&["ffffffff-ffff-ffff-ffff-ffffffffffff"]),
        Type::Uuid => vec![bytes(vec![0xff; 16])],
        Type::Json => texts(&["{}", "[]", "{\"a\": [null, 1.5, \"Üñí \\u0041\"]}"]),
        Type::Binary => vec![bytes((0..=255).collect()), bytes(Vec::new())],
        Type::FixedBinary(length) => vec![bytes(vec![0xff; *length as usize])],
        Type::Enum(_, values) => values.iter().map(|value| text(value)).collect(),
        Type::Array(_) => texts(&["{}"]),
        _ => Vec::new(),
    }
}

/// Values that rows usually have, of which one satisfies most checks.
pub fn usual(column: &Column, dialect: &dyn Dialect) -> Vec<String> {
    let neutral = trial::neutral(column, dialect);
    let own = match &column.ty {
        ty if ty.is_integer() => vec!["1".to_owned(), neutral, "18".to_owned()],
        Type::Float | Type::Double | Type::Decimal(..) | Type::Numeric => {
            vec!["1".to_owned(), neutral, "0.5".to_owned()]
        }
        Type::String(_) | Type::Text => ["x", "a@b.example", "2024-01-01"]
            .map(|text| dialect.literal_of(&Value::Text(text.to_owned()), &column.ty))
            .to_vec(),
        _ => vec![neutral],
    };
    let default = column.default.iter().filter_map(|default| match default {
        DefaultValue::Literal(value) => Some(dialect.literal_of(value, &column.ty)),
        _ => None,
    });
    default.chain(own).collect()
}

/// The nth of many values that all differ; `None` for a type that has few.
pub fn distinct(column: &Column, dialect: &dyn Dialect, nth: u64) -> Option<String> {
    let ty = &column.ty;
    let text = |text: String| Some(dialect.literal_of(&Value::Text(text), ty));
    match ty {
        Type::TinyInteger | Type::TinyUnsigned => (nth < 100).then(|| nth.to_string()),
        ty if ty.is_integer() => Some((nth % 30_000).to_string()),
        Type::Float | Type::Double | Type::Numeric => Some(nth.to_string()),
        Type::Decimal(precision, scale) => {
            let digits = precision.saturating_sub(*scale).min(9);
            (nth < 10_u64.pow(digits)).then(|| nth.to_string())
        }
        Type::String(length) => {
            let value = format!("n{nth}");
            (value.len() <= *length as usize).then(|| text(value))?
        }
        Type::Text => text(format!("n{nth}")),
        Type::Date => text(format!("{:04}-{:02}-01", 1990 + nth / 12 % 1000, nth % 12 + 1)),
        Type::DateTime | Type::Timestamp => {
            text(format!("2001-02-03 {:02}:{:02}:00", nth / 60 % 24, nth % 60))
        }
        Type::Time => text(format!("{:02}:{:02}:00", nth / 60 % 24, nth % 60)),
        Type::Uuid if is_text(column, dialect) => {
            text(format!("00000000-0000-4000-8000-{nth:012x}"))
        }
        Type::Uuid => Some(numbered(column, dialect, 16, nth)),
        Type::Binary => Some(numbered(column, dialect, 8, nth)),
        Type::FixedBinary(length) if *length >= 8 => Some(numbered(column, dialect, *length, nth)),
        Type::Json => text(format!("{{\"n\": {nth}}}")),
        Type::Enum(_, values) => text(values.get(usize::try_from(nth).ok()?)?.clone()),
        _ => None,
    }
}

fn numbered(column: &Column, dialect: &dyn Dialect, length: u32, nth: u64) -> String {
    let mut bytes = vec![0; (length as usize).saturating_sub(8)];
    bytes.extend(nth.to_be_bytes());
    dialect.literal_of(&Value::Blob(bytes), &column.ty)
}

/// Whether the database writes a UUID as text, and not as bytes.
fn is_text(column: &Column, dialect: &dyn Dialect) -> bool {
    dialect.neutral(&column.ty).is_some_and(|neutral| neutral.contains("00000000-0000"))
}
