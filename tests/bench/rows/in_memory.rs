//! Databases in memory for the tests of an application.

use std::fmt::Write as _;
use std::time::Instant;

use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::rusqlite::Connection;
use dbmigrate_runtime::{Migrator, Module};

use crate::figures::Unit::Milliseconds;
use crate::report::Line;
use crate::{Bench, Result, measure};

const N_TABLES: usize = 20;
/// The tables and their indexes.
const N_OBJECTS: i64 = 40;
const N_DATABASES: usize = 1000;
const AT_MOST: f64 = 0.5;

static MODULES: &[Module] = &[Module {
    name: "a1",
    revision: "a1",
    down_revision: &[],
    branch_labels: &[],
    depends_on: &[],
    replaces: &[],
    message: "tables",
    upgrade,
    downgrade,
}];

fn name(nth: usize) -> String {
    format!("thing_{nth}")
}

fn upgrade(op: &mut Operations) {
    for name in (0..N_TABLES).map(name) {
        op.create_table(
            Table::new(&name)
                .column(Column::new("id", Type::BigInteger).not_null())
                .column(Column::new("name", Type::String(100)).not_null())
                .primary_key(&format!("pk_{name}"), ["id"]),
        );
        op.create_index(&name, Index::new(&format!("ix_{name}_name"), ["name"]));
    }
}

fn downgrade(op: &mut Operations) {
    for name in (0..N_TABLES).map(name) {
        op.drop_table(&name);
    }
}

/// The same tables as SQL.
fn script() -> String {
    let mut sql = "BEGIN;\n".to_owned();
    for name in (0..N_TABLES).map(name) {
        let _ = writeln!(
            sql,
            "CREATE TABLE {name} (id INTEGER PRIMARY KEY NOT NULL, name VARCHAR(100) NOT NULL);\n\
             CREATE INDEX ix_{name}_name ON {name} (name);"
        );
    }
    sql + "COMMIT;"
}

pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    let migrator = Migrator::new(MODULES);
    let script = script();
    let n_found = |conn: &Connection| -> Result<i64> {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%thing%'";
        Ok(conn.query_row(sql, [], |row| row.get(0))?)
    };
    let timed = |open: &dyn Fn() -> Result<Connection>| -> Result<f64> {
        let start = Instant::now();
        for _ in 0..N_DATABASES {
            if n_found(&open()?)? != N_OBJECTS {
                return Err("tables are missing".into());
            }
        }
        Ok(start.elapsed().as_secs_f64() * 1000.0)
    };
    let samples = measure::in_turn(
        bench.n_runs,
        [&mut || timed(&|| Ok(migrator.in_memory()?)), &mut || {
            timed(&|| {
                let conn = Connection::open_in_memory()?;
                conn.execute_batch(&script)?;
                Ok(conn)
            })
        }],
    )?;
    let [ours, theirs] = &samples;
    let what = format!("{N_DATABASES} databases in memory, {N_TABLES} tables each");
    let line = Line::new(what, Milliseconds, ours);
    let line = line.beside("rusqlite running the SQL", Milliseconds, theirs);
    Ok(vec![line.ratio(ours, theirs, AT_MOST)])
}
