//! Plans as SQL scripts.
#![cfg(feature = "sqlite-dialect")]

use dbmigrate_runtime::engine::plan::Route;
use dbmigrate_runtime::engine::recording::Recording;
use dbmigrate_runtime::engine::revision::Revision;
use dbmigrate_runtime::engine::{Backend, Migration, Migrations, dialect, script};
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Direction, Options};
use expect_test::{Expect, expect};

/// Compares the script of one revision, without the statements about the version table.
#[track_caller]
fn check(message: &str, ops: impl FnOnce(&mut Operations), expect: Expect) {
    let mut op = Operations::new();
    ops(&mut op);
    let revision =
        Revision { id: "r1".to_owned(), message: message.to_owned(), ..Revision::default() };
    let migration = Migration::new(revision, op.finish(), Recording::default());
    let migrations = Migrations::new(vec![migration]).unwrap();
    let sqlite = dialect::of(Backend::Sqlite).unwrap();
    let (ids, none, facts) = (["r1".to_owned()], Default::default(), sqlite.offline_facts());
    let options = Options::default();
    let direction = Direction::Upgrade;
    let route = Route { migrations: &migrations, direction, ids: &ids, applied: &none };
    let (text, _) = script::script(&route, sqlite, &facts, &options).unwrap();
    let from = text.find("-- Running").unwrap();
    let row = text.find("INSERT INTO \"dbmigrate_version\"").unwrap();
    let after = row + text[row..].find(");\n").unwrap() + 3;
    expect.assert_eq(&(text[from..row].to_owned() + &text[after..]));
}

#[test]
fn a_comment_of_several_lines_runs_nothing() {
    check(
        "two\nSELECT 1;",
        |op| op.run("a\nSELECT 2;", |_| Ok(())),
        expect![[r#"
            -- Running upgrade <base> -> r1, two
            -- SELECT 1;
            -- Step `a
            -- SELECT 2;` runs only in dbmigrate: do its work here, and remove the next line.
            INSERT INTO temp.dbmigrate_guard VALUES (1);

            -- Abort if this introduced foreign key violations.
            INSERT INTO temp.dbmigrate_guard SELECT count(*) FROM (
                SELECT "table", rowid, parent FROM pragma_foreign_key_check
                EXCEPT SELECT * FROM temp.dbmigrate_violations);
            DROP TABLE temp.dbmigrate_guard;
            DROP TABLE temp.dbmigrate_violations;
            COMMIT;
        "#]],
    );
}

#[test]
fn foreign_keys_are_off_again_after_a_revision_that_stands_alone() {
    check(
        "",
        |op| {
            op.no_transaction();
            op.execute("PRAGMA foreign_keys = ON");
        },
        expect![[r#"
            -- Running upgrade <base> -> r1
            COMMIT;
            PRAGMA foreign_keys = ON;
            PRAGMA foreign_keys = OFF;
            BEGIN IMMEDIATE;

            -- Abort if this introduced foreign key violations.
            INSERT INTO temp.dbmigrate_guard SELECT count(*) FROM (
                SELECT "table", rowid, parent FROM pragma_foreign_key_check
                EXCEPT SELECT * FROM temp.dbmigrate_violations);
            DROP TABLE temp.dbmigrate_guard;
            DROP TABLE temp.dbmigrate_violations;
            COMMIT;
        "#]],
    );
}
