//! Rows that are made up: a neutral value in each column.

use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::sql::quote;
use dbmigrate_runtime::schema::{Column, Table, Type};

use crate::autogenerate;

/// A neutral value of the column's type, in SQL.
fn neutral(column: &Column, backend: Backend) -> String {
    if !matches!(column.ty, Type::Raw(_) | Type::PerDialect(_)) {
        return autogenerate::neutral(column);
    }
    let declared = column.ty.own_words(backend).unwrap_or_default();
    let declared = declared.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    match () {
        () if has(&["INT", "BOOL", "DEC", "NUM"]) => "0",
        () if has(&["CHAR", "CLOB", "TEXT"]) => "''",
        () if has(&["BLOB"]) => "X''",
        () if has(&["REAL", "FLOA", "DOUB"]) => "0.0",
        () => "''",
    }
    .to_owned()
}

/// An `INSERT` that leaves to the table what it can fill by itself.
fn insert_sql(table: &Table, backend: Backend) -> String {
    let key = table.generated_key().map(|column| column.name.as_str());
    let given = table.columns.iter().filter(|column| {
        column.generated.is_none() && column.default.is_none() && key != Some(&column.name)
    });
    let (names, values): (Vec<_>, Vec<_>) =
        given.map(|column| (quote(&column.name), neutral(column, backend))).unzip();
    let into = quote(&table.name);
    if names.is_empty() {
        format!("INSERT INTO {into} DEFAULT VALUES")
    } else {
        format!("INSERT INTO {into} ({}) VALUES ({})", names.join(", "), values.join(", "))
    }
}

/// Puts a row into the table.
///
/// # Errors
///
/// What SQLite says.
pub fn insert(driver: &mut dyn Driver, table: &Table) -> Result<(), String> {
    driver.batch(&insert_sql(table, driver.dialect().backend())).map_err(|err| err.to_string())
}

/// Puts a row into the table, reads it, and takes it out again, so that every expression of the
/// table is computed. A check that the row doesn't hold is not enforced.
///
/// # Errors
///
/// What SQLite says.
pub fn try_insert(driver: &mut dyn Driver, table: &Table) -> Result<(), String> {
    let said = |err: dbmigrate_runtime::engine::driver::DatabaseError| err.to_string();
    driver.batch("SAVEPOINT dbmigrate_row").map_err(said)?;
    let inserted = match insert(driver, table) {
        Err(why) if why.contains("CHECK constraint failed") => {
            driver.batch("PRAGMA ignore_check_constraints = ON").map_err(said)?;
            let inserted = insert(driver, table);
            driver.batch("PRAGMA ignore_check_constraints = OFF").map_err(said)?;
            inserted
        }
        inserted => inserted,
    };
    let res = inserted.and_then(|()| {
        let sql = format!("SELECT * FROM {}", quote(&table.name));
        driver.query(&sql, &[]).map(drop).map_err(said)
    });
    let end = "ROLLBACK TO dbmigrate_row; RELEASE dbmigrate_row";
    driver.batch(end).map_err(said)?;
    res
}

/// Whether what SQLite says of a row is about the table's definition, so that no row will do.
pub fn is_of_definition(text: &str) -> bool {
    [
        "generated column loop",
        "non-deterministic use of",
        "datatype mismatch",
        "cannot store",
        "no such column",
        "misuse of aggregate",
        "unable to use function",
    ]
    .iter()
    .any(|words| text.contains(words))
}
