//! Hand-written SQL that would do something else than was intended.
#![cfg(feature = "sqlite")]

mod modules;

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::dialect::{Dialect as _, Sqlite};
use dbmigrate_runtime::engine::plan::Route;
use dbmigrate_runtime::engine::script;
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Direction, Error, Migrator, Module, Options};
use expect_test::{Expect, expect};
use modules::module;
use rusqlite::Connection;

const TABLE: Module = module(
    "a1",
    &[],
    |op| {
        op.create_table(
            Table::new("u")
                .column(Column::new("id", Type::Integer).not_null())
                .column(Column::new("label", Type::Text)),
        );
    },
    |op| op.drop_table("u"),
);

fn report(err: &Error) -> String {
    let hint = err.hint().map_or(String::new(), |hint| format!("\nhint: {hint}"));
    format!("{err}{hint}\n")
}

/// A run and its script fail in the same way, and even the revision before leaves nothing.
#[track_caller]
fn refused(modules: &'static [Module], expect: Expect) {
    let migrator = Migrator::new(modules);
    let mut conn = Connection::open_in_memory().unwrap();
    let options = Options { transaction_each: true, ..Options::default() };
    let ran = report(&migrator.upgrade_with(&mut conn, "heads", &options).unwrap_err());
    let migrations = migrator.migrations().unwrap();
    let ids: Vec<String> =
        migrations.iter().map(|migration| migration.revision.id.clone()).collect();
    let (direction, facts) = (Direction::Upgrade, Sqlite.offline_facts());
    let none = BTreeSet::new();
    let route = Route { migrations: &migrations, direction, ids: &ids, applied: &none };
    let script = script::script(&route, &Sqlite, &facts, &options);
    assert_eq!(ran, report(&script.unwrap_err()));
    expect.assert_eq(&ran);
}

#[track_caller]
fn tables(conn: &Connection) -> i64 {
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_placeholder_in_sql_is_refused_before_anything_runs() {
    static PLAIN: &[Module] = &[
        TABLE,
        module(
            "b2",
            &["a1"],
            |op| {
                op.execute("update u set label = :name where id = 1");
            },
            |_| {},
        ),
    ];
    refused(
        PLAIN,
        expect![[r#"
        revision `b2`: cannot execute SQL on SQLite: the placeholder `:name` in `update u set label = :name where id = 1` has no value
        hint: write the value itself, or bind it in a step: `op.run("...", |db| { db.execute("... ?1 ...", [value])?; Ok(()) })`
    "#]],
    );
    static DIALECT: &[Module] = &[
        TABLE,
        module(
            "b2",
            &["a1"],
            |op| {
                op.execute(Sql::new().postgres("SELECT $1").sqlite("SELECT '?'; SELECT ?1"));
            },
            |_| {},
        ),
    ];
    refused(
        DIALECT,
        expect![[r#"
        revision `b2`: cannot execute SQL on SQLite: the placeholder `?1` in `SELECT ?1` has no value
        hint: write the value itself, or bind it in a step: `op.run("...", |db| { db.execute("... ?1 ...", [value])?; Ok(()) })`
    "#]],
    );
    static BACK: &[Module] = &[
        TABLE,
        module(
            "b2",
            &["a1"],
            |op| {
                op.execute("SELECT 1").reversed_by("DELETE FROM u WHERE id = $v");
            },
            |_| {},
        ),
    ];
    refused(
        BACK,
        expect![[r#"
        revision `b2`: cannot execute SQL on SQLite: the placeholder `$v` in `DELETE FROM u WHERE id = $v` has no value, in its `reversed_by`
        hint: write the value itself, or bind it in a step: `op.run("...", |db| { db.execute("... ?1 ...", [value])?; Ok(()) })`
    "#]],
    );
    static USING: &[Module] = &[
        TABLE,
        module(
            "b2",
            &["a1"],
            |op| {
                op.alter_column(
                    "u",
                    "label",
                    ColumnChange::new().not_null().using("coalesce(label, @x)"),
                )
            },
            |_| {},
        ),
    ];
    refused(
        USING,
        expect![[r#"
        revision `b2`: cannot alter column `label` of table `u` on SQLite: the placeholder `@x` has no value
        hint: write the value itself; a step (`op.run`) can bind values
    "#]],
    );
    static CHECK: &[Module] =
        &[TABLE, module("b2", &["a1"], |op| op.add_check("u", Check::new("ck", "id > ?")), |_| {})];
    // An expression in a table depends on the schema, so it is only checked when it is planned.
    let mut conn = Connection::open_in_memory().unwrap();
    let err = Migrator::new(CHECK).upgrade(&mut conn).unwrap_err();
    expect![[r#"
        revision `b2`: cannot add check `ck` to table `u` on SQLite: check `ck`: the placeholder `?` has no value
        hint: write the value itself; a step (`op.run`) can bind values
    "#]].assert_eq(&report(&err));
    assert_eq!(tables(&conn), 0);
}

#[test]
fn a_placeholder_in_the_way_back_is_refused_before_anything_runs() {
    static DOWN: &[Module] = &[
        TABLE,
        module(
            "b2",
            &["a1"],
            |_| {},
            |op| {
                op.execute("DELETE FROM u WHERE id = ?");
            },
        ),
        module(
            "c3",
            &["b2"],
            |op| {
                op.execute("CREATE VIEW v AS SELECT ':a'");
            },
            |op| {
                op.execute("DROP VIEW v");
            },
        ),
    ];
    let (migrator, mut conn) = (Migrator::new(DOWN), Connection::open_in_memory().unwrap());
    migrator.upgrade(&mut conn).unwrap();
    let before = tables(&conn);
    let options = Options { transaction_each: true, ..Options::default() };
    let err = migrator.downgrade_with(&mut conn, "base", &options).unwrap_err();
    assert!(
        err.to_string().contains("the placeholder `?` in `DELETE FROM u WHERE id = ?`"),
        "{err}"
    );
    assert_eq!(tables(&conn), before);
}

#[test]
fn a_name_that_no_column_has_fills_no_rows() {
    static USING: &[Module] = &[
        TABLE,
        module(
            "b2",
            &["a1"],
            |op| {
                op.add_column("u", Column::new("copy", Type::Text)).using("upper(\"lable\")");
            },
            |_| {},
        ),
    ];
    let mut conn = Connection::open_in_memory().unwrap();
    let err = Migrator::new(USING).upgrade(&mut conn).unwrap_err();
    expect![[r#"
        revision `b2`: cannot add column `copy` to table `u` on SQLite: `"lable"` is in double quotes, which makes it a name, but table `u` has no such column
        hint: did you mean `"label"`? A string is written `'lable'`
    "#]].assert_eq(&report(&err));
    assert_eq!(tables(&conn), 0);
}

/// The revision may be applied elsewhere, where the name has been taken for a text ever since.
#[test]
fn a_revision_whose_check_holds_a_name_for_a_text_runs_and_its_script_says_so() {
    static CHECK: &[Module] = &[
        TABLE,
        module("b2", &["a1"], |op| op.add_check("u", Check::new("ck", "label IN (\"a\")")), |_| {}),
    ];
    let (migrator, mut conn) = (Migrator::new(CHECK), Connection::open_in_memory().unwrap());
    migrator.upgrade(&mut conn).unwrap();
    conn.execute_batch("INSERT INTO u VALUES (1, 'a')").unwrap();
    let (migrations, options) = (migrator.migrations().unwrap(), Options::default());
    let (ids, applied) = (["b2".to_owned()], BTreeSet::from(["a1".to_owned()]));
    let (direction, facts) = (Direction::Upgrade, Sqlite.offline_facts());
    let route = Route { migrations: &migrations, direction, ids: &ids, applied: &applied };
    let script = script::script(&route, &Sqlite, &facts, &options).unwrap();
    let note = script.0.lines().filter(|line| line.contains("reads it as a string"));
    expect![[r#"-- add check `ck` to table `u`: check `ck`: `"a"` is in double quotes, which makes it a name, but table `u` has no such column; SQLite reads it as a string"#]].assert_eq(&note.collect::<String>());
}
