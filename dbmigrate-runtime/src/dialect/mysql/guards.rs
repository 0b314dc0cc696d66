//! The conditions that rows must meet before a change of their table.
//!
//! A change that fails leaves those before it, so what can be known is looked at first.

use super::flavor::{Flavor, closed, quote, quoted, text};
use super::hint;
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

/// Finds rows for which an expression gives no value.
pub(super) fn given(table: &str, column: &str, value: &str) -> Guard {
    Guard {
        sql: any(&format!("{} WHERE ({}) IS NULL", quote(table), closed(value))),
        failure: format!(
            "column `{column}` of table `{table}` is NOT NULL, and its expression `{value}` is \
             NULL for {{}} row(s)"
        ),
        hint: Some("give these rows a value as well, as in `coalesce(..., '')`".to_owned()),
    }
}

/// Finds rows that a new check doesn't allow.
pub(super) fn check(table: &str, check: &Check) -> Guard {
    let sql = any(&format!("{} WHERE NOT ({})", quote(table), closed(&check.expression)));
    Guard::check(sql, table, check)
}

/// Finds values that occur more than once in columns that have to be unique.
pub(super) fn unique(table: &str, what: &str, columns: &[String]) -> Guard {
    let is_set: Vec<_> =
        columns.iter().map(|column| format!("{} IS NOT NULL", quote(column))).collect();
    let columns_sql = quoted(columns);
    Guard {
        sql: any(&format!(
            "(SELECT 1 FROM {} WHERE {} GROUP BY {columns_sql} HAVING count(*) > 1) AS twice",
            quote(table),
            is_set.join(" AND ")
        )),
        failure: format!(
            "{what} can't be added to table `{table}`: {{}} value(s) occur in more than one row"
        ),
        hint: Some(CORRECT_ROWS.to_owned()),
    }
}

/// Finds rows that a new foreign key doesn't allow.
pub(super) fn foreign_key(table: &str, key: &ForeignKey) -> Guard {
    let pairs = key.columns.iter().zip(&key.references_columns);
    let own = |column: &String| format!("own.{}", quote(column));
    let is_set: Vec<_> =
        key.columns.iter().map(|column| format!("{} IS NOT NULL", own(column))).collect();
    let is_same: Vec<_> =
        pairs.map(|(column, to)| format!("other.{} = {}", quote(to), own(column))).collect();
    let target = &key.references_table;
    let sql = any(&format!(
        "{} AS own WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS other WHERE {})",
        quote(table),
        is_set.join(" AND "),
        quote(target),
        is_same.join(" AND ")
    ));
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
    }
}
