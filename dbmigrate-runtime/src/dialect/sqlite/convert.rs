//! What becomes of values when a column's declared type changes.
//!
//! A new declared type may convert what is stored (sqlite.org, `datatype3.html`, section 3), and
//! not every value comes out as it went in. Such values are found beforehand.

use super::super::Guard;
use super::decimal;
use super::rebuild::any;
use crate::sql::quote;

/// What a column does with values of other types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Affinity {
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
}

/// The affinity of a declared type, by the rules of `datatype3.html`, section 3.1.
pub(super) fn affinity(declared: &str) -> Affinity {
    let declared = declared.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|it| declared.contains(it));
    match () {
        () if has(&["INT"]) => Affinity::Integer,
        () if has(&["CHAR", "CLOB", "TEXT"]) => Affinity::Text,
        () if has(&["BLOB"]) || declared.is_empty() => Affinity::Blob,
        () if has(&["REAL", "FLOA", "DOUB"]) => Affinity::Real,
        () => Affinity::Numeric,
    }
}

/// The condition under which a value that isn't NULL fits a new declared type; none where all do.
pub(super) fn fits(column: &str, from: &str, to: &str) -> Option<String> {
    if let Some(fits) = decimal::fits(column, from, to) {
        return Some(fits);
    }
    let target = affinity(to);
    if affinity(from) == target || to.is_empty() || to.eq_ignore_ascii_case("ANY") {
        return None;
    }
    let c = quote(column);
    // The column's own collation may be one that only the application has.
    let t = format!("{c} COLLATE BINARY");
    Some(match target {
        Affinity::Integer => format!(
            "CASE typeof({c}) WHEN 'integer' THEN 1 WHEN 'real' THEN {c} = CAST({c} AS INTEGER) \
             WHEN 'text' THEN CAST(CAST({c} AS INTEGER) AS TEXT) = {t} ELSE 0 END"
        ),
        Affinity::Real => format!(
            "CASE typeof({c}) WHEN 'real' THEN 1 WHEN 'integer' THEN CAST({c} AS REAL) = {c} \
             WHEN 'text' THEN CAST(CAST({c} AS REAL) AS TEXT) = {t} \
             OR CAST(CAST({c} AS INTEGER) AS TEXT) = {t} \
             AND CAST({c} AS REAL) = CAST({c} AS INTEGER) ELSE 0 END"
        ),
        Affinity::Text => format!(
            "CASE typeof({c}) WHEN 'blob' THEN 0 \
             WHEN 'real' THEN CAST(CAST({c} AS TEXT) AS REAL) = {c} ELSE 1 END"
        ),
        Affinity::Blob => format!("typeof({c}) = 'blob'"),
        // Dates and the like are texts there, and stay. Only what is a number becomes one, and a
        // comparison with a number takes it for one just then.
        Affinity::Numeric => format!(
            "CASE typeof({c}) WHEN 'text' THEN {t} <> CAST({c} AS NUMERIC) \
             OR CAST(CAST({c} AS NUMERIC) AS TEXT) = {t} ELSE 1 END"
        ),
    })
}

/// Finds the values that a new declared type doesn't fit: those that it would change, and those
/// that it would leave as something that a reader of the new type doesn't expect.
pub(super) fn check(table: &str, column: &str, from: &str, to: &str) -> Option<Guard> {
    let fits = fits(column, from, to)?;
    let target = affinity(to);
    let c = quote(column);
    let table_sql = quote(table);
    let example = |word: &str| {
        format!("say what they become, for example with `.using(\"CAST({column} AS {word})\")`")
    };
    Some(Guard {
        sql: any(&format!("{table_sql} WHERE {c} IS NOT NULL AND NOT ({fits})")),
        failure: format!(
            "{{}} of the values in column `{column}` of table `{table}` do not fit the type `{to}`"
        ),
        hint: Some(match target {
            Affinity::Integer => example("INTEGER"),
            Affinity::Text => example("TEXT"),
            Affinity::Blob => example("BLOB"),
            Affinity::Real => example("REAL"),
            // Of a date a cast would leave the year.
            Affinity::Numeric => "say what they become, with `.using(\"...\")`".to_owned(),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_affinity_is_by_the_words_in_the_order_of_the_manual() {
        for (declared, expect) in [
            ("INTEGER", Affinity::Integer),
            ("POINT", Affinity::Integer),
            ("VARCHAR(20)", Affinity::Text),
            ("BLOB SUB_TYPE TEXT", Affinity::Text),
            ("", Affinity::Blob),
            ("DOUBLE PRECISION", Affinity::Real),
            ("DATETIME", Affinity::Numeric),
        ] {
            assert_eq!(affinity(declared), expect, "{declared}");
        }
    }
}
