//! A version table with another name, in a given schema.
#![cfg(feature = "sqlite")]

use dbmigrate_runtime::engine::dialect::{Dialect as _, Sqlite};
use dbmigrate_runtime::engine::plan::Route;
use dbmigrate_runtime::engine::revision::Target;
use dbmigrate_runtime::engine::{Migrations, script};
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Direction, Migrator, Module, Options};
use expect_test::expect;
use rusqlite::Connection;

const MODULE: Module = Module {
    revision: "a1",
    down_revision: &[],
    branch_labels: &[],
    depends_on: &[],
    replaces: &[],
    message: "",
    name: "a1",
    upgrade: |op| op.create_table(Table::new("t").column(Column::new("a", Type::Text))),
    downgrade: |op| op.drop_table("t"),
};

fn options(schema: &str) -> Options {
    Options {
        version_table: "what \"was\" done".to_owned(),
        version_table_schema: schema.to_owned(),
        ..Options::default()
    }
}

#[test]
fn a_program_runs_and_asks_with_a_version_table_of_its_own() {
    let migrator = Migrator::new(&[MODULE]);
    for schema in ["", "main", "MAIN"] {
        let mut conn = Connection::open_in_memory().unwrap();
        let options = options(schema);
        assert_eq!(migrator.status_with(&conn, &options).unwrap().pending, ["a1"]);
        assert!(!migrator.is_up_to_date_with(&conn, &options).unwrap());
        assert_eq!(migrator.upgrade_with(&mut conn, "head", &options).unwrap(), ["a1"]);
        assert_eq!(migrator.status_with(&conn, &options).unwrap().applied, ["a1"]);
        assert!(migrator.is_up_to_date_with(&conn, &options).unwrap());
        assert_eq!(migrator.status(&conn).unwrap().pending, ["a1"], "another table");
        let sql = "SELECT id FROM main.\"what \"\"was\"\" done\"";
        let id: String = conn.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(id, "a1");
        assert_eq!(migrator.downgrade_with(&mut conn, "base", &options).unwrap(), ["a1"]);
        assert_eq!(migrator.status_with(&conn, &options).unwrap().applied, [""; 0]);
    }
}

#[test]
fn sqlite_has_its_version_rows_beside_the_work() {
    let mut conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("ATTACH ':memory:' AS other").unwrap();
    let migrator = Migrator::new(&[MODULE]);
    let err = migrator.upgrade_with(&mut conn, "head", &options("other")).unwrap_err();
    expect![[r#"
        the version table can't be in the schema `other` on SQLite: that is an attached file, and not every journal mode commits two files atomically
          hint: leave `version_table_schema` empty, or set it to `main`"#]]
    .assert_eq(&err.report());
    assert!(migrator.status_with(&conn, &options("temp")).is_err());
    let sql = "SELECT count(*) FROM (SELECT name FROM sqlite_schema UNION ALL \
               SELECT name FROM other.sqlite_schema)";
    let n: i64 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(n, 0, "nothing is made");
}

#[test]
fn scripts_name_the_schema() {
    let migrations = Migrations::new(vec![MODULE.record()]).unwrap();
    let (ids, none) = (["a1".to_owned()], std::collections::BTreeSet::new());
    let script = |schema: &str| {
        let facts = Sqlite.offline_facts();
        let direction = Direction::Upgrade;
        let route = Route { migrations: &migrations, direction, ids: &ids, applied: &none };
        script::script(&route, &Sqlite, &facts, &options(schema))
    };
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(&script("main").unwrap().0).unwrap();
    let sql = "SELECT count(*) FROM main.\"what \"\"was\"\" done\"";
    assert_eq!(conn.query_row(sql, [], |row| row.get(0)), Ok(1));
    assert!(script("other").is_err());
    let stamp = |schema: &str| {
        let target = Target::Revisions(vec!["a1".to_owned()]);
        let options = options(schema);
        let stamp = script::Stamp { target: &target, applied: &none, edited: &none };
        script::stamp_script(&migrations, stamp, &Sqlite, options.version_table())
    };
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(&stamp("main").unwrap()).unwrap();
    assert_eq!(conn.query_row(sql, [], |row| row.get(0)), Ok(1));
    assert!(stamp("other").is_err());
}
