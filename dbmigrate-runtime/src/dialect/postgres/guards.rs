//! The conditions that rows must meet before a change of their table.

use super::{ddl, hint, literal};
use crate::dialect::Guard;
use crate::schema::{Check, Column, ForeignKey, Type, Unique};
use crate::sql::quote;

/// Counts rows, and returns nothing if there are none.
fn any(from: &str) -> String {
    format!("SELECT count(*) FROM {from} HAVING count(*) > 0")
}

pub(super) fn not_null(table: &str, column: &str, ty: Option<&Type>) -> Guard {
    let (table_sql, column_sql) = (ddl::relation(table), quote(column));
    let sql = any(&format!("{table_sql} WHERE {column_sql} IS NULL"));
    Guard::not_null(sql, table, column, hint::for_null(column, ty))
}

/// Finds rows that a new check doesn't allow, before anything is committed.
pub(super) fn check(table: &str, check: &Check) -> Guard {
    let sql = any(&format!(
        "{} WHERE NOT ({})",
        ddl::relation(table),
        literal::closed(&check.expression)
    ));
    Guard::check(sql, table, check)
}

/// Finds values that occur more than once in columns that have to be unique, before their index is
/// built.
pub(super) fn unique(table: &str, unique: &Unique) -> Guard {
    let columns: Vec<_> = unique.columns.iter().map(|column| quote(column)).collect();
    let is_set: Vec<_> = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect();
    let rows = if unique.nulls_not_distinct {
        String::new()
    } else {
        format!(" WHERE {}", is_set.join(" AND "))
    };
    let (of, columns) = (ddl::relation(table), columns.join(", "));
    let sql =
        any(&format!("(SELECT 1 FROM {of}{rows} GROUP BY {columns} HAVING count(*) > 1) AS twice"));
    Guard::unique(sql, table, &format!("unique constraint `{}`", unique.name))
}

/// Finds rows that a new foreign key doesn't allow, before anything is committed.
pub(super) fn foreign_key(table: &str, key: &ForeignKey) -> Guard {
    let pairs = key.columns.iter().zip(&key.references_columns);
    let own = |column: &String| format!("own.{}", quote(column));
    let is_set: Vec<_> =
        key.columns.iter().map(|column| format!("{} IS NOT NULL", own(column))).collect();
    let is_same: Vec<_> =
        pairs.map(|(column, to)| format!("other.{} = {}", quote(to), own(column))).collect();
    let target = &key.references_table;
    let sql = any(&format!(
        "{} AS own WHERE {} AND NOT EXISTS (SELECT FROM {} AS other WHERE {})",
        ddl::relation(table),
        is_set.join(" AND "),
        ddl::relation(target),
        is_same.join(" AND ")
    ));
    Guard::foreign_key(sql, table, key)
}

pub(super) fn no_rows(table: &str, column: &str) -> Guard {
    let sql = any(&ddl::relation(table));
    Guard::no_rows(sql, table, column)
}

/// Finds values that don't meet a condition, and so don't fit the column's new type.
pub(super) fn fitting(table: &str, [was, to]: [&Column; 2], fits: &str, ty: &str) -> Guard {
    let column = &was.name;
    let (table_sql, column_sql) = (ddl::relation(table), quote(column));
    let sql = any(&format!("{table_sql} WHERE {column_sql} IS NOT NULL AND NOT ({fits})"));
    Guard::fitting(sql, table, column, ty, hint::hint(column, &was.ty, &to.ty))
}

/// Finds indexes and constraints over a column that no revision made: they would be dropped along
/// with it, without a word.
pub(super) fn unused(table: &str, column: &str) -> Guard {
    let (table_sql, column_sql) = (ddl::text(&ddl::relation(table)), ddl::text(column));
    let sql = format!(
        "SELECT string_agg(DISTINCT coalesce(i.relname, k.conname)::text, ', ') \
         FROM pg_depend AS d \
         JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
         LEFT JOIN pg_class AS i ON d.classid = 'pg_class'::regclass AND i.oid = d.objid \
         AND i.relkind = 'i' \
         LEFT JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass \
         AND k.oid = d.objid AND k.contype <> 'n' \
         WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass({table_sql}) \
         AND a.attname = {column_sql} \
         HAVING count(coalesce(i.relname, k.conname)) > 0"
    );
    Guard::unused(sql, table, column)
}

/// The conversion between dates and times with and without a time zone depends on the session.
pub(super) fn in_utc(column: &str) -> Guard {
    Guard {
        sql: "SELECT 1 WHERE current_setting('TimeZone') NOT IN ('UTC', 'Etc/UTC')".to_owned(),
        failure: format!(
            "the session's time zone is not UTC, and the values of column `{column}` would be \
             converted with it"
        ),
        hint: Some("run `SET TimeZone = 'UTC'` before".to_owned()),
        warning: None,
    }
}
