//! Hints about values that don't fit a new type.

use super::affinity::{Affinity, Conversion, Stored, affinity};
use super::{ddl, words};
use crate::Value;
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::schema::{Column, Type};
use crate::sql::quote;

/// The first version that has `unixepoch` (sqlite.org, `releaselog/3_38_0.html`).
const UNIXEPOCH: u32 = 3_038_000;
/// The first version that has `unhex` (sqlite.org, `releaselog/3_41_0.html`).
const UNHEX: u32 = 3_041_000;

/// Suggests an expression. It is shown if some values don't fit, so a cast would be wrong: it turns
/// a word into 0, `12abc` into 12, and a date into its year.
pub(super) fn hint(column: &str, conversion: &Conversion<'_>) -> String {
    let Conversion { was, to, server } = conversion;
    match proposal(column, &was.column.ty, to, server.version) {
        Some(Proposal { what, expression }) => {
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

/// An expression that gives each value of the old type its counterpart of the new one.
pub(super) fn counterpart(column: &str, from: &Type, to: &Column) -> Option<String> {
    let declared = ddl::type_name(&to.ty, false).ok()?;
    let stored = Stored { declared: &declared, column: to };
    // Only the tool asks, whose own SQLite has all functions.
    Some(proposal(column, from, &stored, u32::MAX)?.expression)
}

/// A neutral value of a type, which readers of the type accept.
pub(super) fn neutral(ty: &Type) -> Option<String> {
    let bytes = |length: u32| ddl::literal(&Value::Blob(vec![0; length as usize]));
    Some(match words::understood(ty).as_ref().unwrap_or(ty) {
        Type::Boolean => "FALSE".to_owned(),
        Type::Float | Type::Double => "0.0".to_owned(),
        Type::Decimal(..) | Type::Numeric => "0".to_owned(),
        Type::Date => "'1970-01-01'".to_owned(),
        Type::Time => "'00:00:00'".to_owned(),
        Type::DateTime => "'1970-01-01 00:00:00'".to_owned(),
        Type::Timestamp => "'1970-01-01 00:00:00+00:00'".to_owned(),
        Type::Uuid => bytes(16),
        Type::Binary => bytes(0),
        Type::FixedBinary(length) if *length > 64 => format!("zeroblob({length})"),
        Type::FixedBinary(length) => bytes(*length),
        Type::Json => "'null'".to_owned(),
        Type::Enum(_, values) => ddl::literal(&Value::from(values.first()?.as_str())),
        Type::String(_) | Type::Text => "''".to_owned(),
        Type::TinyInteger
        | Type::SmallInteger
        | Type::Integer
        | Type::BigInteger
        | Type::TinyUnsigned
        | Type::SmallUnsigned
        | Type::Unsigned
        | Type::BigUnsigned => "0".to_owned(),
        Type::Array(_) | Type::Raw(_) | Type::PerDialect(_) => return None,
    })
}

#[derive(Debug)]
struct Proposal {
    /// A description of the expression's result.
    what: &'static str,
    expression: String,
}

/// An expression that gives each value of the old type its counterpart of the new one, where there
/// is only one that a person may mean, and that loses no other value: what it can't convert is left
/// as it is, which a reader of the new type refuses, or becomes NULL, which a column that is NOT
/// NULL refuses.
fn proposal(column: &str, was: &Type, to: &Stored<'_>, version: u32) -> Option<Proposal> {
    let c = plain(column);
    let is_required = !to.column.nullable;
    let own_words = words::understood(was);
    let (what, expression) = match (own_words.as_ref().unwrap_or(was), &to.column.ty) {
        (Type::Uuid, Type::Text | Type::String(36..) | Type::Raw(_))
            if affinity(to.declared) == Affinity::Text =>
        {
            let part = |from: u32, length: u32| format!("substr(hex({c}), {from}, {length})");
            let parts = [part(1, 8), part(9, 4), part(13, 4), part(17, 4)];
            let last = format!("substr(hex({c}), 21)");
            let text = format!("lower({} || '-' || {last})", parts.join(" || '-' || "));
            let is_uuid = format!("typeof({c}) = 'blob' AND length({c}) = 16");
            ("text", format!("CASE WHEN {is_uuid} THEN {text} ELSE {c} END"))
        }
        (Type::Text | Type::String(_), Type::Uuid) if version >= UNHEX && is_required => {
            ("bytes", format!("unhex(replace({c}, '-', ''))"))
        }
        (Type::DateTime | Type::Timestamp, Type::BigInteger)
            if version >= UNIXEPOCH && is_required =>
        {
            // The 31st of February would be a day in March.
            let day = format!("substr({c}, 1, 10)");
            let is_day = format!("date({day}, '+0 days') = {day}");
            let what = "whole seconds since 1970";
            (what, format!("CASE WHEN {is_day} THEN unixepoch({c}) END"))
        }
        (Type::Date, Type::DateTime) => ("midnight", format!("{c} || ' 00:00:00'")),
        (Type::Date, Type::Timestamp) => ("midnight in UTC", format!("{c} || ' 00:00:00+00:00'")),
        _ => return None,
    };
    Some(Proposal { what, expression })
}

/// A name as a person would write it in SQL.
fn plain(name: &str) -> String {
    let is_word = name.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '_')
        && !name.starts_with(|sign: char| sign.is_ascii_digit());
    // Whether a word stands for the name depends on what is a keyword.
    if is_word && LEXICON.same_expression(name, &quote(name)) {
        name.to_owned()
    } else {
        quote(name)
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::super::affinity::Server;
    use super::super::form;
    use super::*;

    /// All types that a hint may be about, without duplicates.
    fn types() -> Vec<Type> {
        vec![
            Type::Boolean,
            Type::TinyInteger,
            Type::SmallInteger,
            Type::Integer,
            Type::BigInteger,
            Type::TinyUnsigned,
            Type::SmallUnsigned,
            Type::Unsigned,
            Type::BigUnsigned,
            Type::Float,
            Type::Double,
            Type::Decimal(10, 2),
            Type::Decimal(20, 2),
            Type::Numeric,
            Type::String(20),
            Type::String(36),
            Type::Text,
            Type::Date,
            Type::Time,
            Type::DateTime,
            Type::Timestamp,
            Type::Uuid,
            Type::Json,
            Type::Binary,
            Type::FixedBinary(16),
            Type::enumeration("E", ["a"]),
            Type::raw("VARCHAR(40)"),
            Type::raw("INTEGER"),
        ]
    }

    /// SQL literals of the old type, each with the `quote` of the expected value of the new type.
    /// If a text isn't valid for the old type, the conversion gives NULL, which NOT NULL refuses.
    fn samples(from: &Type, to: &Type) -> &'static [(&'static str, &'static str)] {
        match (from, to) {
            (Type::Uuid, _) => &[
                ("x'67E5504410B1426F9247BB680E5FE0C8'", "'67e55044-10b1-426f-9247-bb680e5fe0c8'"),
                (
                    "'67e55044-10b1-426f-9247-bb680e5fe0c8'",
                    "'67e55044-10b1-426f-9247-bb680e5fe0c8'",
                ),
                ("x'00'", "misfit"),
            ],
            (_, Type::Uuid) => &[
                ("'67e55044-10b1-426f-9247-bb680e5fe0c8'", "X'67E5504410B1426F9247BB680E5FE0C8'"),
                ("'67E5504410B1426F9247BB680E5FE0C8'", "X'67E5504410B1426F9247BB680E5FE0C8'"),
                ("'soon'", "NULL"),
                ("'abcd'", "misfit"),
            ],
            (Type::DateTime | Type::Timestamp, _) => &[
                ("'2024-05-01 10:00:00'", "1714557600"),
                ("'2024-05-01T10:00:00.25Z'", "1714557600"),
                ("'2024-05-01 12:00:00+02:00'", "1714557600"),
                ("'2024-05-01 23:00:00-02:00'", "1714611600"),
                ("'2026-02-31 10:00:00'", "NULL"),
                ("'soon'", "NULL"),
                ("1714557600", "NULL"),
            ],
            (Type::Date, Type::DateTime) => &[
                ("'2024-05-01'", "'2024-05-01 00:00:00'"),
                ("'2024-02-31'", "misfit"),
                ("'soon'", "misfit"),
            ],
            (Type::Date, _) => &[
                ("'2024-05-01'", "'2024-05-01 00:00:00+00:00'"),
                ("'2024-05-01 10:00:00'", "misfit"),
            ],
            _ => &[],
        }
    }

    #[test]
    fn what_a_hint_proposes_gives_what_a_reader_of_the_new_type_expects() {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        let version = rusqlite::version_number().unsigned_abs();
        let mut proposed = Vec::new();
        for (name, from, to) in ["m", "order", "a \"b"].into_iter().flat_map(|name| {
            let types = types();
            let pairs = types
                .clone()
                .into_iter()
                .flat_map(move |from| types.clone().into_iter().map(move |to| (from.clone(), to)));
            pairs.map(move |(from, to)| (name, from, to))
        }) {
            let column = |ty: &Type| Column { nullable: false, ..Column::new(name, ty.clone()) };
            let (was, now) = (column(&from), column(&to));
            let declared = ddl::type_name(&from, false).unwrap();
            let declared_to = ddl::type_name(&to, false).unwrap();
            let conversion = Conversion {
                was: Stored { declared: &declared, column: &was },
                to: Stored { declared: &declared_to, column: &now },
                server: Server { version, has_json: true },
            };
            let hint = hint(name, &conversion);
            assert!(!hint.contains("CAST"), "{from} to {to}: {hint}");
            let Some(Proposal { expression, .. }) = proposal(name, &from, &conversion.to, version)
            else {
                continue;
            };
            assert!(!samples(&from, &to).is_empty(), "{from} to {to}: {expression}");
            proposed.push((from.to_string(), to.to_string()));
            for (value, expect) in samples(&from, &to) {
                let c = quote(name);
                conn.execute_batch(&format!(
                    "DROP TABLE IF EXISTS was; DROP TABLE IF EXISTS now;
                     CREATE TABLE was ({c} {declared}); CREATE TABLE now ({c} {declared_to});
                     INSERT INTO was VALUES ({value}); INSERT INTO now SELECT {expression} FROM was"
                ))
                .unwrap();
                // A type in SQLite's own words has no readers of its own.
                let read =
                    form::read(&conversion.to).unwrap_or_else(|| format!("typeof({c}) = 'text'"));
                let (given, is_read): (String, Option<bool>) = conn
                    .query_row(&format!("SELECT quote({c}), {read} FROM now"), [], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })
                    .unwrap();
                let what = format!("{from} to {to}: {expression} of {value} is {given}");
                match *expect {
                    "misfit" => assert_eq!(is_read, Some(false), "{what}"),
                    "NULL" => assert_eq!(given, "NULL", "{what}"),
                    _ => assert_eq!((given.as_str(), is_read), (*expect, Some(true)), "{what}"),
                }
            }
        }
        proposed.dedup();
        assert_eq!(proposed.len() % 3, 0);
        assert!(proposed.len() >= 27, "{proposed:?}");
    }

    #[test]
    fn an_older_sqlite_and_a_column_that_takes_null_are_left_open() {
        let nullable = Column::new("m", Type::Uuid);
        let uuid = Column { nullable: false, ..nullable.clone() };
        let proposes = |to: &Column, version| {
            let to = Stored { declared: "BLOB", column: to };
            proposal("m", &Type::Text, &to, version).is_some()
        };
        assert!(proposes(&uuid, 3_041_000));
        assert!(!proposes(&uuid, 3_040_001));
        assert!(!proposes(&nullable, 3_041_000));
    }

    #[test]
    fn a_neutral_value_is_read_as_its_type() {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        for ty in types() {
            let column = Column::new("m", ty.clone());
            let declared = ddl::type_name(&ty, false).unwrap();
            let value = neutral(&ty).unwrap();
            conn.execute_batch(&format!(
                "DROP TABLE IF EXISTS t; CREATE TABLE t (m {declared});
                 INSERT INTO t VALUES ({value})"
            ))
            .unwrap();
            let Some(read) = form::read(&Stored { declared: &declared, column: &column }) else {
                continue;
            };
            let is_read: bool =
                conn.query_row(&format!("SELECT {read} FROM t"), [], |row| row.get(0)).unwrap();
            assert!(is_read, "{ty}: {value}");
        }
        assert_eq!(neutral(&Type::raw("MONEY")), None);
        assert_eq!(for_null("a", None), "give these rows a value with `.using(\"...\")`");
    }
}
