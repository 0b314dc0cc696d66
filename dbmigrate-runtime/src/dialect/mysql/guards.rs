//! The conditions that rows must meet before a change of their table.
//!
//! A change that fails leaves those before it, so what can be known is looked at first.

use super::flavor::{Flavor, closed, quote, text};
use super::{convert, hint, types};
use crate::dialect::Guard;
use crate::dialect::guard::CORRECT_ROWS;
use crate::schema::{Check, Column, ForeignKey, Type};

/// Counts rows, and returns nothing if there are none.
fn any(from: &str) -> String {
    format!("SELECT count(*) FROM {from} HAVING count(*) > 0")
}

pub(super) fn not_null(flavor: Flavor, table: &str, column: &str, ty: Option<&Type>) -> Guard {
    let (table_sql, column_sql) = (quote(table), quote(column));
    let sql = any(&format!("{table_sql} WHERE {column_sql} IS NULL"));
    Guard::not_null(sql, table, column, hint::for_null(flavor, column, ty))
}

/// Why the server would stop at a row's value.
fn not_computed(table: &str, column: &str, value: &str) -> String {
    format!(
        "the expression `{value}` for column `{column}` of table `{table}` can't be computed for \
         all rows: {{}}"
    )
}

/// Finds texts with characters that a character set doesn't have.
pub(super) fn characters((table, column): (&str, &str), charset: &str) -> Guard {
    let own = quote(column);
    let sql = any(&format!(
        "{} WHERE CAST(CONVERT(CONVERT({own} USING {charset}) USING utf8mb4) AS BINARY) <> \
         CAST(CONVERT({own} USING utf8mb4) AS BINARY)",
        quote(table)
    ));
    Guard {
        sql,
        failure: format!(
            "{{}} of the values in column `{column}` of table `{table}` have characters that the \
             character set `{charset}` lacks"
        ),
        hint: Some(CORRECT_ROWS.to_owned()),
        warning: None,
    }
}

/// Finds rows for which an expression gives no value, or none without a warning, among those that
/// meet a condition.
pub(super) fn given(table: &str, column: &str, value: &str, condition: Option<&str>) -> Guard {
    let rows = condition.map_or(String::new(), |condition| format!("({condition}) AND "));
    Guard {
        sql: any(&format!("{} WHERE {rows}({}) IS NULL", quote(table), closed(value))),
        failure: format!(
            "column `{column}` of table `{table}` is NOT NULL, and its expression `{value}` is \
             NULL for {{}} row(s)"
        ),
        hint: Some("give these rows a value as well, as in `coalesce(..., '')`".to_owned()),
        warning: Some(not_computed(table, column, value)),
    }
}

/// Finds values that can't be computed without a warning.
pub(super) fn computed(table: &str, column: &str, value: &str, condition: Option<&str>) -> Guard {
    let rows = condition.map_or(String::new(), |condition| format!("({condition}) AND "));
    // Whatever the optimizer knows, it computes this for each row.
    let sql = any(&format!("{} WHERE {rows}length({}) < 0", quote(table), closed(value)));
    Guard {
        sql,
        failure: not_computed(table, column, value),
        hint: Some(format!("correct the expression `{value}`")),
        warning: Some(not_computed(table, column, value)),
    }
}

/// Finds values of an expression that would occur more than once in columns that are unique.
pub(super) fn given_unique(
    table: &str,
    what: &str,
    columns: &[String],
    (column, value): (&str, &str),
) -> Guard {
    let terms: Vec<_> = columns
        .iter()
        .map(|name| if name == column { format!("({})", closed(value)) } else { quote(name) })
        .collect();
    Guard {
        sql: repeated(table, &terms),
        failure: format!(
            "{{}} of the values given to column `{column}` of table `{table}` would occur in more \
             than one row, which {what} does not allow"
        ),
        hint: Some(format!("correct the expression `{value}`")),
        warning: None,
    }
}

/// Finds values of an expression that its column's type doesn't take, among the rows that meet a
/// condition.
pub(super) fn given_fitting(
    flavor: Flavor,
    (table, column): (&str, &Column),
    value: &str,
    condition: Option<&str>,
) -> Option<Guard> {
    let misfit = convert::given_misfit(flavor, &column.ty)?;
    let rows = condition.map_or(String::new(), |condition| format!(" WHERE {condition}"));
    let sql = any(&format!(
        "(SELECT ({}) AS value FROM {}{rows}) AS given WHERE value IS NOT NULL AND ({misfit})",
        closed(value),
        quote(table)
    ));
    let ty = types::shown(flavor, &column.ty);
    let guard = Guard::given(sql, [table, &column.name], &ty, value);
    Some(Guard { warning: Some(not_computed(table, &column.name, value)), ..guard })
}

/// Finds rows that a new check doesn't allow.
pub(super) fn check(table: &str, check: &Check) -> Guard {
    let sql = any(&format!("{} WHERE NOT ({})", quote(table), closed(&check.expression)));
    Guard::check(sql, table, check)
}

/// Finds values that occur more than once in columns that have to be unique.
pub(super) fn unique(table: &str, what: &str, columns: &[String]) -> Guard {
    let columns: Vec<_> = columns.iter().map(|column| quote(column)).collect();
    unique_terms(table, what, &columns)
}

/// The same of columns and expressions as SQL.
pub(super) fn unique_terms(table: &str, what: &str, terms: &[String]) -> Guard {
    Guard::unique(repeated(table, terms), table, what)
}

/// The query for how many values of columns and expressions occur in more than one row.
fn repeated(table: &str, terms: &[String]) -> String {
    let is_set: Vec<_> = terms.iter().map(|term| format!("{term} IS NOT NULL")).collect();
    // Without a term, all rows have the same value.
    let rows = match is_set.as_slice() {
        [] => String::new(),
        is_set => format!(" WHERE {} GROUP BY {}", is_set.join(" AND "), terms.join(", ")),
    };
    any(&format!("(SELECT 1 FROM {}{rows} HAVING count(*) > 1) AS twice", quote(table)))
}

/// Finds rows that a new foreign key doesn't allow.
pub(super) fn foreign_key(table: &str, key: &ForeignKey) -> Guard {
    let sources = vec![Source::Column; key.columns.len()];
    foreign_key_of(table, key, &sources, false)
}

/// Where the values of a foreign key's column come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// From the column, which is there already.
    Column,
    /// From an expression.
    Value(String),
    /// There are none.
    Null,
}

/// Finds rows that a new foreign key doesn't allow, whose columns have these values. Without rows in
/// the other table, all of them are wrong.
pub(super) fn foreign_key_of(
    table: &str,
    key: &ForeignKey,
    sources: &[Source],
    is_empty: bool,
) -> Guard {
    let has_values = sources.iter().any(|source| matches!(source, Source::Value(_)));
    let named: Vec<String> = key
        .columns
        .iter()
        .enumerate()
        .map(|(idx, column)| if has_values { format!("v{idx}") } else { column.clone() })
        .collect();
    let own = |name: &String| format!("own.{}", quote(name));
    let rows = if has_values {
        let values = key.columns.iter().zip(sources).zip(&named).map(|((column, source), name)| {
            let value = match source {
                Source::Value(value) => format!("({})", closed(value)),
                Source::Column | Source::Null => quote(column),
            };
            format!("{value} AS {}", quote(name))
        });
        format!("(SELECT {} FROM {})", values.collect::<Vec<_>>().join(", "), quote(table))
    } else {
        quote(table)
    };
    let mut wrong: Vec<_> = named.iter().map(|name| format!("{} IS NOT NULL", own(name))).collect();
    if !is_empty {
        let pairs = named.iter().zip(&key.references_columns);
        let is_same: Vec<_> =
            pairs.map(|(name, to)| format!("other.{} = {}", quote(to), own(name))).collect();
        wrong.push(format!(
            "NOT EXISTS (SELECT 1 FROM {} AS other WHERE {})",
            quote(&key.references_table),
            is_same.join(" AND ")
        ));
    }
    let sql = any(&format!("{rows} AS own WHERE {}", wrong.join(" AND ")));
    Guard::foreign_key(sql, table, key)
}

pub(super) fn no_rows(table: &str, column: &str) -> Guard {
    let sql = any(&quote(table));
    Guard::no_rows(sql, table, column)
}

/// Finds values that don't fit the column's new type.
pub(super) fn fitting(
    flavor: Flavor,
    table: &str,
    [was, to]: [&Column; 2],
    misfit: &str,
    ty: &str,
) -> Guard {
    let column = &was.name;
    let sql = any(&format!("{} WHERE {misfit}", quote(table)));
    Guard::fitting(sql, table, column, ty, hint::hint(flavor, column, &was.ty, &to.ty))
}

/// Finds indexes over a column that no revision made, which the server would shrink or drop along
/// with it, without a word.
pub(super) fn unused(table: &str, column: &str, known: &[String]) -> Guard {
    let known = if known.is_empty() {
        String::new()
    } else {
        let names: Vec<_> = known.iter().map(|name| text(name)).collect();
        format!(" AND index_name NOT IN ({})", names.join(", "))
    };
    let sql = format!(
        "SELECT group_concat(DISTINCT index_name ORDER BY index_name SEPARATOR ', ') FROM \
         information_schema.statistics WHERE table_schema = DATABASE() AND table_name = {} AND \
         column_name = {}{known} HAVING count(*) > 0",
        text(table),
        text(column)
    );
    Guard::unused(sql, table, column)
}

/// Finds views over a table, or over one of its columns, which would stop working.
pub(super) fn no_view(what: &str, table: &str, column: Option<&str>) -> Guard {
    let names = |name: &str| {
        let like = name.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!(" AND view_definition LIKE {}", text(&format!("%`{like}`%")))
    };
    let own = column.map_or(String::new(), names);
    Guard {
        sql: format!(
            "SELECT group_concat(table_name ORDER BY table_name SEPARATOR ', ') FROM \
             information_schema.views WHERE table_schema = DATABASE(){}{own} HAVING count(*) > 0",
            names(table)
        ),
        failure: format!("cannot {what}: these views would stop working: {{}}"),
        hint: Some(
            "drop the view in the same revision and create it again after the change, with \
             `op.execute`"
                .to_owned(),
        ),
        warning: None,
    }
}

/// What to do about triggers.
const TRIGGERS: &str = "drop the trigger in the same revision and create it again after the \
                        change, with `op.execute`";

/// Finds triggers whose statements name a table, or one of its columns, which would stop working.
pub(super) fn no_trigger(what: &str, table: &str, column: Option<&str>) -> Guard {
    let names = |name: &str| {
        let is_word = name.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '_');
        if is_word {
            return format!("action_statement REGEXP {}", text(&format!("\\b{name}\\b")));
        }
        let like = name.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("action_statement LIKE {}", text(&format!("%{like}%")))
    };
    let is_own = format!("event_object_table = {}", text(table));
    let condition = match column {
        Some(column) => format!("({is_own} OR {}) AND {}", names(table), names(column)),
        None => format!("NOT {is_own} AND {}", names(table)),
    };
    triggers(&condition, format!("cannot {what}: these triggers would stop working: {{}}"))
}

/// Finds triggers that would run for each row that gets a value.
pub(super) fn no_update_trigger(what: &str, table: &str) -> Guard {
    let condition =
        format!("event_object_table = {} AND event_manipulation = 'UPDATE'", text(table));
    let failure = format!(
        "cannot {what}: existing rows of table `{table}` get a value, and these triggers would run \
         for each of them: {{}}"
    );
    triggers(&condition, failure)
}

fn triggers(condition: &str, failure: String) -> Guard {
    Guard {
        sql: format!(
            "SELECT group_concat(trigger_name ORDER BY trigger_name SEPARATOR ', ') FROM \
             information_schema.triggers WHERE trigger_schema = DATABASE() AND {condition} HAVING \
             count(*) > 0"
        ),
        failure,
        hint: Some(TRIGGERS.to_owned()),
        warning: None,
    }
}
