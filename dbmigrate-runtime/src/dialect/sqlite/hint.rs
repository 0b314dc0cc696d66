//! Hints about values that don't fit a new type.

use super::affinity::{Affinity, Conversion, affinity};
use crate::dialect::sqlite::lexicon::LEXICON;
use crate::schema::Type;
use crate::sql::quote;

/// The first version that has `unixepoch` (sqlite.org, `releaselog/3_38_0.html`).
const UNIXEPOCH: u32 = 3_038_000;
/// The first version that has `unhex` (sqlite.org, `releaselog/3_41_0.html`).
const UNHEX: u32 = 3_041_000;

/// Suggests an expression. It is shown if some values don't fit, so a cast would be wrong: it turns
/// a word into 0, `12abc` into 12, and a date into its year.
pub(super) fn hint(column: &str, conversion: &Conversion<'_>) -> String {
    match proposal(column, conversion) {
        Some(Proposal { what, expression }) => format!(
            "say what they become, for example {what} with `.using(\"{}\")`",
            expression.replace('\\', "\\\\").replace('"', "\\\"")
        ),
        None => "say what they become, with `.fill(\"...\")` for these rows or with \
                 `.using(\"...\")` for all"
            .to_owned(),
    }
}

#[derive(Debug)]
struct Proposal {
    /// A description of the expression's result.
    what: &'static str,
    expression: String,
}

/// An expression that converts each value of the old type to the new type, if only one conversion
/// makes sense, without losing any other value: SQLite's functions return NULL for what they can't
/// parse, which a required column refuses.
fn proposal(column: &str, conversion: &Conversion<'_>) -> Option<Proposal> {
    let Conversion { was, to, version } = conversion;
    let c = plain(column);
    let is_required = !to.column.nullable;
    let (what, expression) = match (&was.column.ty, &to.column.ty) {
        (Type::Uuid, Type::Text | Type::String(36..) | Type::Raw(_))
            if affinity(to.declared) == Affinity::Text =>
        {
            let part = |from: u32, length: u32| format!("substr(hex({c}), {from}, {length})");
            let parts = [part(1, 8), part(9, 4), part(13, 4), part(17, 4)];
            let last = format!("substr(hex({c}), 21)");
            ("its text", format!("lower({} || '-' || {last})", parts.join(" || '-' || ")))
        }
        (Type::Text | Type::String(_), Type::Uuid) if *version >= UNHEX && is_required => {
            ("its bytes", format!("unhex(replace({c}, '-', ''))"))
        }
        (Type::DateTime | Type::Timestamp, Type::BigInteger)
            if *version >= UNIXEPOCH && is_required =>
        {
            ("the whole seconds since 1970", format!("unixepoch({c})"))
        }
        (Type::Date, Type::DateTime) => ("midnight", format!("{c} || ' 00:00:00'")),
        (Type::Date, Type::Timestamp) => ("midnight in UTC", format!("{c} || ' 00:00:00+00:00'")),
        _ => return None,
    };
    Some(Proposal { what, expression })
}

/// A name as a person would write it in SQL.
fn plain(name: &str) -> String {
    let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    // Whether the name needs quotes depends on the keywords.
    if is_word && LEXICON.same_expression(name, &quote(name)) {
        name.to_owned()
    } else {
        quote(name)
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::super::affinity::Stored;
    use super::super::{ddl, form};
    use super::*;
    use crate::schema::Column;

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
            (Type::Uuid, _) => {
                &[("x'67E5504410B1426F9247BB680E5FE0C8'", "'67e55044-10b1-426f-9247-bb680e5fe0c8'")]
            }
            (_, Type::Uuid) => &[
                ("'67e55044-10b1-426f-9247-bb680e5fe0c8'", "X'67E5504410B1426F9247BB680E5FE0C8'"),
                ("'67E5504410B1426F9247BB680E5FE0C8'", "X'67E5504410B1426F9247BB680E5FE0C8'"),
                ("'soon'", "NULL"),
            ],
            (Type::DateTime | Type::Timestamp, _) => &[
                ("'2024-05-01 10:00:00'", "1714557600"),
                ("'2024-05-01T10:00:00.25Z'", "1714557600"),
                ("'2024-05-01 12:00:00+02:00'", "1714557600"),
                ("'soon'", "NULL"),
            ],
            (Type::Date, Type::DateTime) => &[("'2024-05-01'", "'2024-05-01 00:00:00'")],
            (Type::Date, _) => &[("'2024-05-01'", "'2024-05-01 00:00:00+00:00'")],
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
                version,
            };
            let hint = hint(name, &conversion);
            assert!(!hint.contains("CAST"), "{from} to {to}: {hint}");
            let Some(Proposal { expression, .. }) = proposal(name, &conversion) else { continue };
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
                let fits = form::Form::demanded(&conversion.was, &conversion.to, version)
                    .map_or_else(|| "1".to_owned(), |form| form.condition(name));
                let (now, fits): (String, Option<bool>) = conn
                    .query_row(&format!("SELECT quote({c}), {fits} FROM now"), [], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })
                    .unwrap();
                assert_eq!(now, *expect, "{from} to {to}: {expression}");
                assert!(now == "NULL" || fits == Some(true), "{from} to {to}: {expression}");
            }
        }
        proposed.dedup();
        assert_eq!(proposed.len() % 3, 0);
        assert!(proposed.len() >= 27, "{proposed:?}");
    }

    #[test]
    fn an_older_sqlite_and_a_column_that_takes_null_are_left_open() {
        let text = Column::new("m", Type::Text);
        let nullable = Column::new("m", Type::Uuid);
        let uuid = Column { nullable: false, ..nullable.clone() };
        let proposes = |to: &Column, version| {
            let was = Stored { declared: "TEXT", column: &text };
            let to = Stored { declared: "BLOB", column: to };
            proposal("m", &Conversion { was, to, version }).is_some()
        };
        assert!(proposes(&uuid, 3_041_000));
        assert!(!proposes(&uuid, 3_040_001));
        assert!(!proposes(&nullable, 3_041_000));
    }
}
