//! Generated rows, with a neutral value in each column.

use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::driver::{
    DatabaseError, DefinitionFault, Driver, ErrorKind, Missing, RowFault,
};
use dbmigrate_runtime::engine::sql::quote;
use dbmigrate_runtime::schema::{Column, Table, Type};

use crate::autogenerate;

/// A neutral value of the column's type, as SQL.
pub fn neutral(column: &Column, dialect: &dyn Dialect) -> String {
    if !matches!(column.ty, Type::Raw(_) | Type::PerDialect(_)) {
        return autogenerate::neutral(column, dialect);
    }
    let declared = column.ty.own_words(dialect.backend()).unwrap_or_default();
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

/// An `INSERT` that omits the columns which the table fills by itself.
fn insert_sql(table: &Table, dialect: &dyn Dialect) -> String {
    let key = table.generated_key().map(|column| column.name.as_str());
    let given = table.columns.iter().filter(|column| {
        column.generated.is_none() && column.default.is_none() && key != Some(&column.name)
    });
    let (names, values): (Vec<_>, Vec<_>) =
        given.map(|column| (quote(&column.name), neutral(column, dialect))).unzip();
    let into = quote(&table.name);
    if names.is_empty() {
        format!("INSERT INTO {into} DEFAULT VALUES")
    } else {
        format!("INSERT INTO {into} ({}) VALUES ({})", names.join(", "), values.join(", "))
    }
}

/// Inserts a row into the table.
///
/// # Errors
///
/// SQLite's error.
pub fn insert(driver: &mut dyn Driver, table: &Table) -> Result<(), DatabaseError> {
    driver.batch(&insert_sql(table, driver.dialect()))
}

/// Inserts a row, reads it, and removes it again, so that every expression of the table is
/// evaluated. A check that the row violates is not enforced.
///
/// # Errors
///
/// SQLite's error.
pub fn try_insert(driver: &mut dyn Driver, table: &Table) -> Result<(), DatabaseError> {
    driver.batch("SAVEPOINT dbmigrate_row")?;
    let inserted = match insert(driver, table) {
        Err(err) if *err.kind() == ErrorKind::Row(RowFault::Check) => {
            driver.batch("PRAGMA ignore_check_constraints = ON")?;
            let inserted = insert(driver, table);
            driver.batch("PRAGMA ignore_check_constraints = OFF")?;
            inserted
        }
        inserted => inserted,
    };
    let res = inserted.and_then(|()| {
        let sql = format!("SELECT * FROM {}", quote(&table.name));
        driver.query(&sql, &[]).map(drop)
    });
    let end = "ROLLBACK TO dbmigrate_row; RELEASE dbmigrate_row";
    driver.batch(end)?;
    res
}

/// Whether SQLite's error about a row is caused by the table's definition, so that every row fails.
pub fn is_of_definition(err: &DatabaseError) -> bool {
    use DefinitionFault as Fault;
    match err.kind() {
        ErrorKind::Definition(fault) => {
            matches!(fault, Fault::GeneratedLoop | Fault::NotDeterministic | Fault::Aggregate)
        }
        ErrorKind::Row(fault) => *fault == RowFault::Type,
        ErrorKind::Missing { what, .. } => *what == Missing::Column,
        _ => false,
    }
}
