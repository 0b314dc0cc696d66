//! Scripts fail where a run would fail, and leave the database unchanged.
#![cfg(feature = "sqlite")]

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::dialect::{Dialect as _, Sqlite};
use dbmigrate_runtime::engine::plan::Route;
use dbmigrate_runtime::engine::recording::Recording;
use dbmigrate_runtime::engine::revision::Revision;
use dbmigrate_runtime::engine::{Migration, Migrations, script};
use dbmigrate_runtime::operations::ColumnChange;
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Direction, Options};
use rusqlite::Connection;

fn migration(id: &str, parents: &[&str], record: fn(&mut Operations)) -> Migration {
    let mut op = Operations::new();
    record(&mut op);
    let revision = Revision {
        id: id.to_owned(),
        parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
        ..Revision::default()
    };
    Migration::new(revision, op.finish(), Recording::default())
}

fn table(op: &mut Operations) {
    op.create_table(
        Table::new("t")
            .column(Column::new("id", Type::Integer).not_null())
            .column(Column::new("a", Type::Text))
            .primary_key("pk_t", ["id"]),
    );
    op.create_table(
        Table::new("child").column(Column::new("t_id", Type::Integer)).foreign_key(
            ForeignKey::new("fk", ["t_id"], "t", ["id"])
                .on_delete(dbmigrate_runtime::schema::ReferentialAction::Cascade),
        ),
    );
}

/// Runs the script of a second revision on rows, and returns its error and the resulting contents.
fn run(record: fn(&mut Operations)) -> (Option<String>, String) {
    let migrations =
        Migrations::new(vec![migration("r1", &[], table), migration("r2", &["r1"], record)])
            .unwrap();
    let conn = Connection::open_in_memory().unwrap();
    let text = |ids: &[&str], applied: &[&str]| {
        let ids: Vec<String> = ids.iter().map(|text| (*text).to_owned()).collect();
        let applied: BTreeSet<String> =
            applied.iter().map(|applied| (*applied).to_owned()).collect();
        let facts = Sqlite.offline_facts();
        let options = Options { version_table: "v".to_owned(), ..Options::default() };
        let direction = Direction::Upgrade;
        let route = Route { migrations: &migrations, direction, ids: &ids, applied: &applied };
        script::script(&route, &Sqlite, &facts, &options).unwrap().0
    };
    conn.execute_batch(&text(&["r1"], &[])).unwrap();
    conn.execute_batch(
        "INSERT INTO t VALUES (1, 'x'), (2, NULL); INSERT INTO child VALUES (1); \
         PRAGMA foreign_keys = ON",
    )
    .unwrap();
    let err = conn.execute_batch(&text(&["r2"], &["r1"])).err().map(|err| err.to_string());
    if err.is_some() {
        conn.execute_batch("ROLLBACK").unwrap();
    }
    let sql = "SELECT group_concat(id || coalesce(a, ''), ' ') || ', ' || \
               (SELECT count(*) FROM child) || ', ' || (SELECT count(*) FROM v) || ', ' || \
               (SELECT count(*) FROM sqlite_temp_schema) FROM t";
    (err, conn.query_row(sql, [], |row| row.get(0)).unwrap())
}

#[test]
fn a_script_rebuilds_a_table_and_keeps_the_rows_around_it() {
    let (err, state) = run(|op| op.add_unique("t", Unique::new("uq", ["a"])));
    assert_eq!(err, None);
    assert_eq!(state, "1x 2, 1, 2, 0");
}

#[test]
fn a_script_fails_where_rows_do_not_fit_where_they_would_dangle_and_at_a_step() {
    let not_null: fn(&mut Operations) =
        |op| op.alter_column("t", "a", ColumnChange::new().not_null());
    let dangle: fn(&mut Operations) = |op| {
        op.execute("UPDATE t SET id = 7 WHERE id = 1");
    };
    let step: fn(&mut Operations) = |op| op.run("by hand", |_| Ok(()));
    for record in [not_null, dangle, step] {
        let (err, state) = run(record);
        assert!(err.as_ref().is_some_and(|err| err.contains("nothing_wrong")), "{err:?}");
        assert_eq!(state, "1x 2, 1, 1, 0");
    }
}
