//! `dbmigrate_step`: which statements of a revision have run, for databases whose DDL commits by
//! itself.
//!
//! A row is inserted before its statement, with the state `started`, and updated to `done` after
//! it; both are committed. After a crash a statement is either done or not, so the next run checks
//! whether its effect exists and continues after it. A statement that was edited since then stops
//! the run.
//!
//! SQLite and PostgreSQL need no such table: a failed run is rolled back as a whole.

use crate::Error;
use crate::dialect::Dialect;
use crate::schema::{Column, Table, Type};
use crate::version_table::{Name, create_text_of};

/// The table's usual name.
pub const NAME: &str = "dbmigrate_step";

/// The table as it is created.
pub fn table(name: &str) -> Table {
    let text = |column: &str| Column::new(column, Type::Text);
    Table::new(name)
        .column(Column::new("revision", Type::String(255)).not_null())
        .column(Column::new("number", Type::BigInteger).not_null())
        .column(text("hash").not_null())
        .column(text("state").not_null())
        .column(text("started_at").not_null())
        .column(text("finished_at"))
        .column(text("error"))
        .primary_key(&format!("pk_{name}"), ["revision", "number"])
}

/// The statement that creates the table, if it isn't there.
///
/// # Errors
///
/// A schema in which the database can't keep the table.
pub fn create_text(dialect: &dyn Dialect, name: Name<'_>) -> Result<String, Error> {
    create_text_of(dialect, name, &table(name.table))
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;
    use crate::dialect::Sqlite;
    use crate::driver::sqlite::SqliteDriver;
    use crate::driver::{AsConnection as _, Driver as _};

    #[test]
    fn the_dialect_creates_the_ledger_as_it_is_described() {
        let mut driver = SqliteDriver::open_in_memory().unwrap();
        let create = create_text(&Sqlite, Name::from(NAME)).unwrap();
        driver.batch(&format!("{create};\n{create}")).unwrap();
        let conn = driver.as_connection();
        let found = conn.catalog(None).unwrap().schema;
        let kept = conn.as_kept(&table(NAME), found.table(NAME)).unwrap().unwrap();
        assert_eq!(found.table(NAME), Some(&kept));
        let twice = format!("INSERT INTO {NAME} VALUES ('a', 1, 'h', 'done', 'then', NULL, NULL)");
        driver.batch(&twice).unwrap();
        assert!(driver.batch(&twice).unwrap_err().is_duplicate());
    }
}
