//! What happens to existing values when a column's declared type changes.
//!
//! A new declared type may convert stored values (sqlite.org, `datatype3.html`, section 3), and not
//! every value survives that unchanged. Such values are found before the change.

use super::super::Guard;
use super::affinity::{Affinity, Conversion, affinity};
use super::ddl::any;
use super::decimal;
use super::form::{self, Form};
use super::hint::hint;
use crate::sql::quote;

/// The condition for a value other than NULL to fit the new type; `None` if all values do.
pub(super) fn fits(column: &str, conversion: &Conversion<'_>) -> Option<String> {
    let Conversion { was, to, version } = conversion;
    let form = Form::demanded(was, to, *version);
    if let Some(form) = form.filter(|form| form.is_all()) {
        return Some(form.condition(column));
    }
    let stays = stays(column, was.declared, to.declared);
    match (stays, form.map(|form| form.condition(column))) {
        (Some(stays), Some(form)) => Some(format!("({stays}) AND {form}")),
        (None, None) => None,
        (stays, form) => stays.or(form),
    }
}

/// The condition for a value other than NULL to be unchanged after SQLite converted it to a new
/// declared type; `None` if all values are.
pub(super) fn stays(column: &str, from: &str, to: &str) -> Option<String> {
    if let Some(fits) = decimal::fits(column, from, to) {
        return Some(fits);
    }
    let target = affinity(to);
    if affinity(from) == target || to.is_empty() || to.eq_ignore_ascii_case("ANY") {
        return None;
    }
    let c = quote(column);
    // The column's own collation may exist only in the application.
    let t = format!("{c} COLLATE BINARY");
    Some(match target {
        Affinity::Integer => form::integer(&c),
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
        // Only text that looks like a number is converted to one, and exactly such text is equal to
        // a number in a comparison.
        Affinity::Numeric => format!(
            "CASE typeof({c}) WHEN 'text' THEN {t} <> CAST({c} AS NUMERIC) \
             OR CAST(CAST({c} AS NUMERIC) AS TEXT) = {t} ELSE 1 END"
        ),
    })
}

/// Finds values that don't fit the new type: those that SQLite would change, and those that it
/// would keep in a form that a reader of the new type doesn't expect.
pub(super) fn check(table: &str, column: &str, conversion: &Conversion<'_>) -> Option<Guard> {
    let fits = fits(column, conversion)?;
    let Conversion { was, to, version } = conversion;
    let form = Form::demanded(was, to, *version);
    let ty = match form.filter(|form| !form.is_said_by(to.declared)) {
        Some(_) => to.column.ty.to_string(),
        None => to.declared.to_owned(),
    };
    let c = quote(column);
    let table_sql = quote(table);
    Some(Guard {
        sql: any(&format!("{table_sql} WHERE {c} IS NOT NULL AND NOT ({fits})")),
        failure: format!(
            "{{}} of the values in column `{column}` of table `{table}` do not fit the type `{ty}`"
        ),
        hint: Some(hint(column, conversion)),
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
