//! Revisions that take more than one transaction, and revisions that need what an earlier one of the
//! same run has committed.

use std::collections::BTreeSet;
use std::sync::Mutex;

use dbmigrate_runtime::engine::dialect::{Dialect as _, Facts, Postgres, Statement};
use dbmigrate_runtime::engine::driver::Driver as _;
use dbmigrate_runtime::engine::executor::{Executor, Observer, OwnSteps};
use dbmigrate_runtime::engine::plan::{self, Route};
use dbmigrate_runtime::engine::script;
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Direction, Error, Halfway, Migrator, Module, Options, Value};
use expect_test::expect;

use super::{Database, connect, on_servers};
use crate::modules::module;

/// Notes the statements of a run.
struct Watching<'a> {
    url: &'a str,
    /// The run's connection is ended before the first statement that contains this.
    ends_before: Option<&'static str>,
    statements: Vec<String>,
}

impl Observer for Watching<'_> {
    fn statement(&mut self, statement: &Statement) {
        self.statements.push(statement.sql.clone());
        if self.ends_before.is_some_and(|text| statement.sql.contains(text)) {
            self.ends_before = None;
            connect(self.url)
                .batch(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE datname = current_database() AND application_name LIKE 'dbmigrate %'",
                )
                .unwrap();
        }
    }
}

fn run(
    url: &str,
    modules: &'static [Module],
    (direction, to): (Direction, &str),
    observer: &mut dyn Observer,
) -> Result<Vec<String>, Error> {
    let migrations = &Migrator::new(modules).migrations()?;
    let (driver, options) = (&mut connect(url), &Options::default());
    let steps = &mut OwnSteps;
    Executor { driver, migrations, options, observer, steps }.run(direction, to)
}

/// Takes back what an interrupted run has done, and runs the revisions again.
fn restart(url: &str, modules: &'static [Module]) -> Result<Vec<String>, Error> {
    let options = Options { halfway: Halfway::Restart, ..Options::default() };
    Migrator::new(modules).upgrade_with(url, "head", &options)
}

fn up(database: &Database, modules: &'static [Module], to: &str) -> Result<Vec<String>, Error> {
    run(&database.url, modules, (Direction::Upgrade, to), &mut ())
}

fn one(database: &mut Database, sql: &str) -> String {
    let rows = database.conn().query(sql, &[]).unwrap_or_else(|err| panic!("{sql}: {err}")).rows;
    let [row] = rows.as_slice() else { panic!("{sql}: {rows:?}") };
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        other => other.to_string(),
    };
    row.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn mood<const N: usize>(values: [&str; N]) -> ColumnChange {
    ColumnChange::new().ty(Type::enumeration("mood", values))
}

fn nothing(_: &mut Operations) {}

/// A value is added in `b2` and then used in every way, and `e5` adds one and uses it itself.
static MOODS: &[Module] = &[
    module(
        "a1",
        &[],
        |op| {
            op.create_table(
                Table::new("user")
                    .column(Column::new("id", Type::BigInteger).not_null())
                    .column(Column::new("mood", Type::enumeration("mood", ["sad", "ok"])))
                    .primary_key("pk_user", ["id"]),
            );
            op.bulk_insert("user", ["id", "mood"]).row((1, "sad"));
        },
        |op| op.drop_table("user"),
    ),
    module(
        "b2",
        &["a1"],
        |op| op.alter_column("user", "mood", mood(["sad", "ok", "new"])),
        |op| {
            op.alter_column("user", "mood", mood(["sad", "ok"]).fill("'ok'"));
        },
    ),
    module(
        "c3",
        &["b2"],
        |op| {
            op.run("a row in the new mood", |db| {
                db.execute("INSERT INTO \"user\" (mood) VALUES ('new')", ())?;
                Ok(())
            });
        },
        nothing,
    ),
    module(
        "d4",
        &["c3"],
        |op| {
            op.alter_column("user", "mood", ColumnChange::new().default("new"));
            op.add_check("user", Check::new("ck_user_mood", "mood <> 'new' OR id > 1"));
        },
        |op| {
            op.drop_check("user", "ck_user_mood");
            op.alter_column("user", "mood", ColumnChange::new().no_default());
        },
    ),
    module(
        "e5",
        &["d4"],
        |op| {
            op.alter_column("user", "mood", mood(["first", "sad", "ok", "new"]));
            op.execute("UPDATE \"user\" SET mood = 'first' WHERE id = 1");
        },
        |op| {
            op.alter_column("user", "mood", mood(["sad", "ok", "new"]).fill("'sad'"));
        },
    ),
];

const RESULT: &str = "SELECT string_agg(id || ' ' || mood, ', ' ORDER BY id) || ' of ' || \
                      enum_range(NULL::mood)::text FROM \"user\"";

#[test]
fn a_new_value_of_an_enumeration_is_used_by_later_revisions_of_the_same_run() {
    on_servers(|database| {
        for each in ["head", "one by one"] {
            database.batch("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
            match each {
                "head" => assert_eq!(up(database, MOODS, "head").unwrap().len(), MOODS.len()),
                _ => MOODS.iter().for_each(|module| {
                    up(database, MOODS, module.revision).unwrap();
                }),
            }
            let found = one(database, RESULT);
            assert_eq!(found, "1 first, 2 new of {first,sad,ok,new}", "{}", database.version);
            let ids =
                "SELECT count(*), to_regclass('dbmigrate_step') IS NULL FROM dbmigrate_version";
            assert_eq!(one(database, ids), "5, TRUE");
        }
        let down = (Direction::Downgrade, "base");
        assert_eq!(run(&database.url, MOODS, down, &mut ()).unwrap().len(), MOODS.len());
    });
}

/// The script of a run, without its version rows.
fn script(facts: &Facts, applied: &[&str], modules: &'static [Module]) -> (String, String) {
    let migrations = &Migrator::new(modules).migrations().unwrap();
    let applied: BTreeSet<String> = applied.iter().map(|id| (*id).to_owned()).collect();
    let graph = migrations.graph();
    let target = plan::upgrade_target(graph, &applied, "head").unwrap();
    let ids = &plan::route(graph, &applied, Direction::Upgrade, &target);
    let route = Route { migrations, direction: Direction::Upgrade, ids, applied: &applied };
    let options = &Options::default();
    let text = script::script(&route, &Postgres, facts, options).unwrap().0;
    let is_shown = |line: &&str| {
        ["BEGIN", "COMMIT", "-- Running", "ALTER T", "UPDATE", "DO "]
            .iter()
            .any(|start| line.starts_with(start))
    };
    let shown = text.lines().filter(is_shown).map(|line| format!("{line}\n")).collect();
    (text, shown)
}

#[test]
fn a_script_commits_a_new_value_of_an_enumeration_before_it_is_used() {
    static WITHOUT_STEP: &[Module] = &[
        MOODS[0],
        MOODS[1],
        module("d4", &["b2"], MOODS[3].upgrade, MOODS[3].downgrade),
        MOODS[4],
    ];
    let (text, shown) = script(&Postgres.offline_facts(), &[], WITHOUT_STEP);
    expect![[r#"
        BEGIN;
        -- Running upgrade <base> -> a1
        -- Running upgrade a1 -> b2
        ALTER TYPE "mood" ADD VALUE 'new';
        COMMIT;
        BEGIN;
        -- Running upgrade b2 -> d4
        ALTER TABLE "user" ALTER COLUMN "mood" SET DEFAULT 'new';
        ALTER TABLE "user" ADD CONSTRAINT "ck_user_mood" CHECK (mood <> 'new' OR id > 1);
        -- Running upgrade d4 -> e5
        ALTER TYPE "mood" ADD VALUE 'first' BEFORE 'sad';
        COMMIT;
        BEGIN;
        UPDATE "user" SET mood = 'first' WHERE id = 1;
        COMMIT;
    "#]]
    .assert_eq(&shown);
    on_servers(|database| {
        database.batch(&text);
        let found = one(database, RESULT);
        assert_eq!(found, "1 first of {first,sad,ok,new}", "{}", database.version);
    });
}

/// The foreign key, the check and NOT NULL of `b2` are about a large table.
static LARGE: &[Module] = &[
    module(
        "a1",
        &[],
        |op| {
            op.create_table(
                Table::new("author")
                    .column(Column::new("id", Type::BigInteger).not_null())
                    .primary_key("pk_author", ["id"]),
            );
            op.create_table(
                Table::new("post")
                    .column(Column::new("id", Type::BigInteger).not_null())
                    .column(Column::new("author_id", Type::BigInteger))
                    .column(Column::new("body", Type::Text))
                    .primary_key("pk_post", ["id"]),
            );
        },
        nothing,
    ),
    module(
        "b2",
        &["a1"],
        |op| {
            op.add_check("post", Check::new("ck_post_id", "id > 0"));
            op.add_foreign_key(
                "post",
                ForeignKey::new("fk_post_author_id_author", ["author_id"], "author", ["id"]),
            );
            op.alter_column("post", "body", ColumnChange::new().default("none").not_null());
        },
        |op| {
            op.alter_column("post", "body", ColumnChange::new().no_default().nullable());
            op.drop_foreign_key("post", "fk_post_author_id_author");
            op.drop_check("post", "ck_post_id");
        },
    ),
    module(
        "c3",
        &["b2"],
        |op| {
            op.execute("SELECT 1");
        },
        nothing,
    ),
];

const ROWS: &str = "INSERT INTO author SELECT generate_series(1, 9); \
    INSERT INTO post (author_id, body) \
    SELECT 1 + i % 9, repeat('x', 900) FROM generate_series(1, 20000) AS i";

const CONSTRAINTS: &str = "SELECT string_agg(conname || ' ' || convalidated, ', ' ORDER BY conname) \
    || ' ' || (SELECT attnotnull FROM pg_attribute WHERE attrelid = 'post'::regclass \
    AND attname = 'body') FROM pg_constraint WHERE conrelid = 'post'::regclass AND contype <> 'n'";

#[test]
fn constraints_of_a_large_table_are_validated_in_transactions_of_their_own() {
    let facts = Facts { large: BTreeSet::from(["post".to_owned()]), ..Postgres.offline_facts() };
    let (_, shown) = script(&facts, &["a1"], LARGE);
    expect![[r#"
        BEGIN;
        DO $dbmigrate$
        BEGIN
        -- Running upgrade a1 -> b2
        DO $dbmigrate$
        BEGIN
        DO $dbmigrate$
        BEGIN
        ALTER TABLE "post" ADD CONSTRAINT "ck_post_id" CHECK (id > 0) NOT VALID;
        DO $dbmigrate$
        BEGIN
        ALTER TABLE "post" ADD CONSTRAINT "fk_post_author_id_author" FOREIGN KEY ("author_id") REFERENCES "author" ("id") NOT VALID;
        COMMIT;
        BEGIN;
        ALTER TABLE "post" VALIDATE CONSTRAINT "ck_post_id";
        COMMIT;
        BEGIN;
        ALTER TABLE "post" VALIDATE CONSTRAINT "fk_post_author_id_author";
        COMMIT;
        BEGIN;
        ALTER TABLE "post" ALTER COLUMN "body" SET DEFAULT 'none';
        ALTER TABLE "post" ADD CONSTRAINT "dbmigrate_post_body_not_null" CHECK ("body" IS NOT NULL) NOT VALID;
        COMMIT;
        BEGIN;
        ALTER TABLE "post" VALIDATE CONSTRAINT "dbmigrate_post_body_not_null";
        COMMIT;
        BEGIN;
        ALTER TABLE "post" ALTER COLUMN "body" SET NOT NULL;
        ALTER TABLE "post" DROP CONSTRAINT "dbmigrate_post_body_not_null";
        -- Running upgrade b2 -> c3
        COMMIT;
    "#]]
    .assert_eq(&shown);
    let (_, shown) = script(&Postgres.offline_facts(), &["a1"], LARGE);
    assert!(!shown.contains("VALID"), "{shown}");
    let valid = "ck_post_id true, fk_post_author_id_author true, pk_post true true";
    on_servers(|database| {
        let url = &database.url.clone();
        up(database, LARGE, "a1").unwrap();
        database.batch(ROWS);
        // Rows that don't fit are found before anything is committed.
        for (wrong, right, expected) in [
            (
                "UPDATE post SET id = -1 WHERE id = 1",
                "UPDATE post SET id = 1 WHERE id = -1",
                "check",
            ),
            (
                "UPDATE post SET author_id = 99 WHERE id < 3",
                "UPDATE post SET author_id = 1 WHERE id < 3",
                "foreign key",
            ),
            (
                "UPDATE post SET body = NULL WHERE id = 5",
                "UPDATE post SET body = 'x' WHERE id = 5",
                "NULL",
            ),
        ] {
            database.batch(wrong);
            let err = up(database, LARGE, "head").unwrap_err().report();
            assert!(err.contains(expected) && err.contains("row(s)"), "{err}");
            assert_eq!(one(database, CONSTRAINTS), "pk_post true false");
            database.batch(right);
        }
        // Ended in each group, and continued.
        let mut watching = Watching { url, ends_before: None, statements: Vec::new() };
        for at in [
            "NOT VALID",
            "VALIDATE CONSTRAINT \"ck_post_id\"",
            "VALIDATE CONSTRAINT \"fk",
            "SET NOT NULL",
        ] {
            watching.ends_before = Some(at);
            run(url, LARGE, (Direction::Upgrade, "head"), &mut watching).unwrap_err();
            assert!(watching.ends_before.is_none(), "{at} was not reached");
            if at.starts_with("VALIDATE") {
                let err = restart(url, LARGE).unwrap_err().report();
                assert!(err.contains("between the statements of one operation"), "{err}");
            }
        }
        // It is continued in groups, however large the table is by now.
        database.batch("DELETE FROM post WHERE id > 100; VACUUM FULL post");
        let ran = run(url, LARGE, (Direction::Upgrade, "head"), &mut watching).unwrap();
        assert_eq!(ran, ["b2", "c3"]);
        assert_eq!(one(database, CONSTRAINTS), valid);
        // Both were interrupted once.
        let tries = watching.statements.iter().filter(|sql| sql.contains("ck_post_id"));
        assert_eq!(tries.count(), 4, "{:#?}", watching.statements);
        run(url, LARGE, (Direction::Downgrade, "a1"), &mut ()).unwrap();
        assert_eq!(one(database, CONSTRAINTS), "pk_post true false");
    });
}

/// The rows of the constraints get their values after something was committed.
static LATER: &[Module] = &[
    LARGE[0],
    module(
        "b2",
        &["a1"],
        |op| {
            op.create_index("post", Index::new("ix_post_author_id", ["author_id"])).concurrently();
            op.add_check("post", Check::new("ck_post_points", "points > 0"));
            op.add_column("post", Column::new("points", Type::Integer)).using("1");
            op.alter_column("post", "author_id", ColumnChange::new().using("author_id + 1"));
            op.add_check("post", Check::new("ck_post_author_id", "author_id > 1"));
            op.alter_column("post", "body", ColumnChange::new().not_null());
        },
        nothing,
    ),
];

#[test]
fn a_guard_comes_first_unless_its_rows_change_before_it() {
    on_servers(|database| {
        up(database, LATER, "a1").unwrap();
        database.batch(ROWS);
        assert_eq!(up(database, LATER, "head").unwrap(), ["b2"]);
    });
}

/// A text of a large table becomes unique.
static UNIQUE: &[Module] = &[
    LARGE[0],
    module(
        "b2",
        &["a1"],
        |op| op.add_unique("post", Unique::new("uq_post_body", ["body"])),
        |op| op.drop_unique("post", "uq_post_body"),
    ),
];

/// A unique index that is built while others write.
static UNIQUE_INDEX: &[Module] = &[
    LARGE[0],
    module(
        "b2",
        &["a1"],
        |op| {
            op.create_index("post", Index::new("ix_post_body", ["body"]).unique()).concurrently();
        },
        |op| op.drop_index("post", "ix_post_body"),
    ),
];

#[test]
fn an_index_that_repeated_values_leave_invalid_is_built_again() {
    on_servers(|database| {
        up(database, UNIQUE_INDEX, "a1").unwrap();
        database.batch("INSERT INTO post (body) VALUES ('twice'), ('twice')");
        let err = up(database, UNIQUE_INDEX, "head").unwrap_err().report();
        let hint = "hint: correct the rows, and run the command again: it first drops the invalid \
                    index that is left, which until then refuses new rows with such values";
        assert!(err.contains(hint), "{err}");
        // A restart first drops the invalid index.
        let left = "SELECT count(*) FROM pg_class WHERE relname = 'ix_post_body'";
        assert_eq!(one(database, left), "1");
        let err = restart(&database.url, UNIQUE_INDEX).unwrap_err().report();
        assert!(err.contains(hint), "{err}");
        database.batch("DELETE FROM post WHERE id = 1");
        assert_eq!(restart(&database.url, UNIQUE_INDEX).unwrap(), ["b2"]);
        let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_post_body'::regclass";
        assert_eq!(one(database, valid), "TRUE");
    });
}

#[test]
fn the_index_of_a_unique_constraint_of_a_large_table_is_built_while_others_write() {
    const INDEXES: &str = "SELECT count(*) FROM pg_index WHERE indrelid = 'post'::regclass";
    on_servers(|database| {
        let url = &database.url.clone();
        up(database, UNIQUE, "a1").unwrap();
        database.batch(
            "INSERT INTO post (body) SELECT repeat('x', 900) || i FROM generate_series(1, 20000) i; \
             INSERT INTO post (body) VALUES ('twice'), ('twice'), (NULL), (NULL)",
        );
        let err = up(database, UNIQUE, "head").unwrap_err().report();
        assert!(
            err.contains(
                "unique constraint `uq_post_body` can't be added to table `post`: 1 value(s) occur \
                 in more than one row"
            ),
            "{err}"
        );
        assert_eq!(one(database, INDEXES), "1");
        database.batch("DELETE FROM post WHERE body = 'twice'");
        let mut watching = Watching { url, ends_before: None, statements: Vec::new() };
        for at in ["INDEX CONCURRENTLY", "USING INDEX"] {
            watching.ends_before = Some(at);
            run(url, UNIQUE, (Direction::Upgrade, "head"), &mut watching).unwrap_err();
            assert!(watching.ends_before.is_none(), "{at} was not reached");
        }
        let ran = run(url, UNIQUE, (Direction::Upgrade, "head"), &mut watching).unwrap();
        assert_eq!(ran, ["b2"]);
        let valid = "SELECT convalidated, indisvalid, indisunique FROM pg_constraint \
                     JOIN pg_index ON conindid = indexrelid WHERE conname = 'uq_post_body'";
        assert_eq!(one(database, valid), "TRUE, TRUE, TRUE");
        run(url, UNIQUE, (Direction::Downgrade, "a1"), &mut ()).unwrap();
        assert_eq!(one(database, INDEXES), "1");
        watching.ends_before = Some("INDEX CONCURRENTLY");
        run(url, UNIQUE, (Direction::Upgrade, "head"), &mut watching).unwrap_err();
        assert_eq!(restart(url, UNIQUE).unwrap(), ["b2"]);
    });
}

/// A callback is called for a revision in groups as well.
#[test]
fn a_callback_is_called_after_a_revision_in_groups() {
    static CALLED: Mutex<Vec<String>> = Mutex::new(Vec::new());
    on_servers(|database| {
        CALLED.lock().unwrap().clear();
        let options = Options::default().on_apply(|applied, _| {
            let (id, heads) = (&applied.revision.id, applied.heads.join(", "));
            CALLED.lock().unwrap().push(format!("{id} at {heads}"));
            Ok(())
        });
        let migrations = &Migrator::new(MOODS).migrations().unwrap();
        let (driver, options) = (&mut connect(&database.url), &options);
        let (observer, steps) = (&mut (), &mut OwnSteps);
        let mut executor = Executor { driver, migrations, options, observer, steps };
        executor.run(Direction::Upgrade, "head").unwrap();
        let called = CALLED.lock().unwrap().join(", ");
        assert_eq!(called, "a1 at a1, b2 at b2, c3 at c3, d4 at d4, e5 at e5");
    });
}
