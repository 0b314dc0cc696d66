//! Rebuilds of tables on real SQLite databases: nothing is lost.
#![cfg(feature = "sqlite")]

mod preserved;
mod mismatch;
mod refused;

use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::executor::{Executor, OwnSteps};
use dbmigrate_runtime::engine::recording::Recording;
use dbmigrate_runtime::engine::revision::Revision;
use dbmigrate_runtime::engine::{Migration, Migrations};
use dbmigrate_runtime::operations::{ColumnChange, TableChange};
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::schema::{Check, PrimaryKey, Unique};
use dbmigrate_runtime::{Direction, Error, Options};
use expect_test::expect;
use rusqlite::Connection;

fn record(f: impl FnOnce(&mut Operations)) -> Recording {
    let mut op = Operations::new();
    f(&mut op);
    op.finish()
}

fn line(recordings: Vec<Recording>) -> Migrations {
    let migrations = recordings.into_iter().enumerate().map(|(idx, upgrade)| {
        let revision = Revision {
            id: format!("r{}", idx + 1),
            parents: if idx == 0 { Vec::new() } else { vec![format!("r{idx}")] },
            ..Revision::default()
        };
        Migration::new(revision, upgrade, Recording::default())
    });
    Migrations::new(migrations.collect()).unwrap()
}

fn upgrade(conn: &mut Connection, migrations: &Migrations) -> Result<Vec<String>, Error> {
    let mut driver = SqliteDriver::lent(conn);
    let (options, observer, steps) = (&Options::default(), &mut (), &mut OwnSteps);
    Executor { driver: &mut driver, migrations, options, observer, steps }
        .run(Direction::Upgrade, "head")
}

/// The rows of a query, one per line.
fn rows(conn: &Connection, sql: &str) -> String {
    let mut stmt = conn.prepare(sql).unwrap();
    let n = stmt.column_count();
    let mut rows = stmt.query([]).unwrap();
    let mut text = String::new();
    while let Some(row) = rows.next().unwrap() {
        let values = (0..n).map(|found| match row.get_ref(found).unwrap() {
            rusqlite::types::ValueRef::Null => "NULL".to_owned(),
            rusqlite::types::ValueRef::Integer(found) => found.to_string(),
            rusqlite::types::ValueRef::Real(found) => format!("{found:?}"),
            rusqlite::types::ValueRef::Text(found) => String::from_utf8_lossy(found).into_owned(),
            rusqlite::types::ValueRef::Blob(found) => format!("{found:?}"),
        });
        text += &(values.collect::<Vec<_>>().join("|") + "\n");
    }
    text
}

/// Runs the operations on a table that SQL created, as if migrations had created it as `known`.
fn on_table(
    setup: &str,
    known: Table,
    ops: impl FnOnce(&mut Operations),
) -> (Connection, Result<Vec<String>, Error>) {
    let mut conn = Connection::open_in_memory().unwrap();
    let first = record(|op| {
        op.execute("").describes(|op| op.create_table(known));
    });
    upgrade(&mut conn, &line(vec![first.clone()])).unwrap();
    conn.execute_batch(setup).unwrap();
    let res = upgrade(&mut conn, &line(vec![first, record(ops)]));
    (conn, res)
}

fn table_sql(conn: &Connection) -> String {
    let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL \
               AND name NOT LIKE 'dbmigrate%' AND name NOT LIKE 'sqlite_%'";
    rows(conn, sql)
}

fn t() -> Table {
    Table::new("t").column(Column::new("a", Type::Text)).column(Column::new("b", Type::Text))
}
