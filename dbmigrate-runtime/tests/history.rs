//! Applied revisions compared with the project's: late revisions, edited ones, databases ahead.
#![cfg(feature = "sqlite")]

use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::executor::{Executor, Observer, OwnSteps};
use dbmigrate_runtime::engine::recording::{self, Recording};
use dbmigrate_runtime::engine::revision::Revision;
use dbmigrate_runtime::engine::{Migration, Migrations, version_table};
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Direction, Error, Migrator, Module, Options};
use expect_test::{Expect, expect};
use rusqlite::Connection;

fn record(f: impl FnOnce(&mut Operations)) -> Recording {
    let mut op = Operations::new();
    f(&mut op);
    op.finish()
}

/// Revisions that each create a table named after their id, from `id: parent parent`.
fn migrations(texts: &[&str]) -> Migrations {
    let migration = |text: &&str| {
        let (id, parents) = text.split_once(':').unwrap();
        let revision = Revision {
            id: id.to_owned(),
            parents: parents.split_whitespace().map(str::to_owned).collect(),
            message: format!("message of {id}"),
            file: format!("{id}.rs"),
            ..Revision::default()
        };
        let up = record(|op| op.create_table(Table::new(id).column(Column::new("a", Type::Text))));
        Migration::new(revision, up, record(|op| op.drop_table(id)))
    };
    Migrations::new(texts.iter().map(migration).collect()).unwrap()
}

/// Records what is reported.
#[derive(Default)]
struct Said(Vec<String>);

impl Observer for Said {
    fn late(&mut self, revision: &Revision, applied: &Revision) {
        self.0.push(format!("{} after {}", revision.id, applied.id));
    }

    fn running(&mut self, _: Direction, revision: &Revision) {
        self.0.push(revision.id.clone());
    }
}

/// The revisions that ran, and what was reported about them.
fn up(conn: &mut Connection, migrations: &Migrations, to: &str) -> Result<String, Error> {
    let mut observer = Said::default();
    let mut driver = SqliteDriver::lent(conn);
    let (driver, options, steps) = (&mut driver, &Options::default(), &mut OwnSteps);
    let mut executor = Executor { driver, migrations, options, observer: &mut observer, steps };
    executor.run(Direction::Upgrade, to)?;
    Ok(observer.0.join(", "))
}

#[track_caller]
fn fails(res: Result<String, Error>, expect: Expect) {
    expect.assert_eq(&res.unwrap_err().report());
}

#[test]
fn a_revision_put_below_an_applied_one_runs_only_when_it_is_asked_for() {
    let mut conn = Connection::open_in_memory().unwrap();
    let before = migrations(&["a:", "b:a", "c:b"]);
    assert_eq!(up(&mut conn, &before, "b").unwrap(), "a, b");
    let with_late = migrations(&["a:", "late:a", "b:late", "c:b"]);
    for to in ["head", "c"] {
        let err = up(&mut conn, &with_late, to).unwrap_err();
        assert!(err.to_string().starts_with("revision `late` (message of late)"), "{err}");
    }
    fails(
        up(&mut conn, &with_late, "head"),
        expect![[r#"
            revision `late` (message of late) is pending, but its successor `b` is already applied, in late.rs
              hint: to run it now: `cargo dbmigrate upgrade late`; to run it last: replace it in the `DOWN_REVISION` of `b` with its own `DOWN_REVISION`, and set that to the head; if the database already has its changes: `cargo dbmigrate stamp current` marks it as applied"#]],
    );
    // Each way out that the hint suggests.
    let mut other = Connection::open_in_memory().unwrap();
    up(&mut other, &before, "b").unwrap();
    let last = migrations(&["a:", "b:a", "c:b", "late:c"]);
    assert_eq!(up(&mut other, &last, "head").unwrap(), "c, late");
    assert_eq!(up(&mut conn, &with_late, "late").unwrap(), "late after b, late");
    assert_eq!(up(&mut conn, &with_late, "head").unwrap(), "c");

    let mut conn = Connection::open_in_memory().unwrap();
    up(&mut conn, &before, "b").unwrap();
    let mut driver = SqliteDriver::lent(&mut conn);
    let (options, observer, steps) = (&Options::default(), &mut (), &mut OwnSteps);
    let applied = ["a".to_owned(), "b".to_owned()].into();
    let target = with_late.graph().target("current", Some(&applied)).unwrap();
    let driver = &mut driver;
    let mut executor = Executor { driver, migrations: &with_late, options, observer, steps };
    assert_eq!(executor.stamp(&target, false).unwrap(), ["late"]);
    assert_eq!(up(&mut conn, &with_late, "head").unwrap(), "c");
}

#[test]
fn an_applied_revision_that_follows_another_one_now_is_no_reason_to_run_that_below_it() {
    let mut conn = Connection::open_in_memory().unwrap();
    up(&mut conn, &migrations(&["a:", "b:a"]), "head").unwrap();
    let moved = migrations(&["a:", "c:a", "b:c"]);
    let err = up(&mut conn, &moved, "head").unwrap_err();
    assert!(err.to_string().starts_with("revision `c` (message of c) is pending"), "{err}");
}

#[test]
fn an_older_revision_of_a_merged_branch_runs_and_is_told_of() {
    let mut conn = Connection::open_in_memory().unwrap();
    let branch = ["a:", "c:a"];
    assert_eq!(up(&mut conn, &migrations(&branch), "head").unwrap(), "a, c");
    // The other branch has an older and a newer revision.
    let merged = migrations(&["a:", "c:a", "b:a", "d:b", "e:c d"]);
    assert_eq!(up(&mut conn, &merged, "head").unwrap(), "b after c, b, d, e");
    let mut fresh = Connection::open_in_memory().unwrap();
    assert_eq!(up(&mut fresh, &merged, "head").unwrap(), "a, b, c, d, e");
}

#[test]
fn a_program_older_than_its_database_says_so() {
    const fn module(name: &'static str, down_revision: &'static [&'static str]) -> Module {
        Module {
            name,
            revision: name,
            down_revision,
            branch_labels: &[],
            depends_on: &[],
            replaces: &[],
            message: "",
            upgrade: |op| op.execute("SELECT 1").describes(|_| {}),
            downgrade: |_| {},
        }
    }
    static NEW: &[Module] = &[module("r1", &[]), module("r2", &["r1"])];
    static OLD: &[Module] = &[module("r1", &[])];
    let mut conn = Connection::open_in_memory().unwrap();
    Migrator::new(NEW).upgrade(&mut conn).unwrap();
    let old = Migrator::new(OLD);
    let err = old.upgrade(&mut conn).unwrap_err();
    assert!(err.is_ahead());
    expect![[r#"
        revision `r2` is applied in the database, but this project does not have it
          hint: restore the revision's file, for example by updating to a newer version of the project; `cargo dbmigrate switch` takes back what another branch applied; if its changes are no longer in the database, `cargo dbmigrate stamp --purge r1` removes it from the version table"#]]
    .assert_eq(&err.report());
    assert_eq!(old.status(&conn).unwrap().unknown, ["r2"]);
    assert!(old.is_up_to_date(&conn).unwrap(), "an old replica may start");
    let options = Options { allow_ahead: true, ..Options::default() };
    assert!(old.upgrade_with(&mut conn, "head", &options).unwrap().is_empty());

    conn.execute_batch(
        "UPDATE dbmigrate_version SET format = 2, tool_version = '9.9.9' WHERE id = 'r2'",
    )
    .unwrap();
    expect![[r#"
        revision `r2` was applied by dbmigrate 9.9.9, in format 2, which this version does not support
          hint: install that version: cargo install cargo-dbmigrate@9.9.9"#]]
    .assert_eq(&Migrator::new(NEW).upgrade(&mut conn).unwrap_err().report());
}

#[test]
fn a_step_counts_by_its_name_alone() {
    let sum = |f: fn(&mut Operations)| recording::checksum(&record(f).operations);
    let one = sum(|op| op.run("fill", |_| Ok(())));
    assert_eq!(
        one,
        sum(|op| op.run("fill", |db| db.execute("SELECT 1", ()).map(drop).map_err(Into::into)))
    );
    assert_ne!(one, sum(|op| op.run("fill slugs", |_| Ok(()))));
}

#[test]
fn the_database_tells_what_was_applied() {
    let mut conn = Connection::open_in_memory().unwrap();
    up(&mut conn, &migrations(&["a:", "b:a"]), "head").unwrap();
    let mut driver = SqliteDriver::lent(&mut conn);
    let entries = version_table::entries(&mut driver, version_table::Name::default()).unwrap();
    let words = |entry: &version_table::Entry| entry.decode().unwrap()[0].to_string();
    assert_eq!(
        entries.iter().map(words).collect::<Vec<_>>(),
        ["create table `a`", "create table `b`"]
    );
    assert_eq!(
        (&*entries[1].message, &*entries[1].parents),
        ("message of b", &["a".to_owned()][..])
    );
    let damaged = version_table::Entry { operations: "[".to_owned(), ..entries[0].clone() };
    let err = damaged.decode().unwrap_err().to_string();
    assert!(err.starts_with("revision `a` is applied, but its version row is damaged: "), "{err}");
}

#[test]
fn a_step_that_goes_on_after_the_database_rolled_back_runs_nothing_more() {
    let mut conn = Connection::open_in_memory().unwrap();
    let step = record(|op| {
        op.run("ignores", |db| {
            // Ends the transaction as a full disk would.
            let _ = db.execute("INSERT OR ROLLBACK INTO a VALUES (NULL)", ());
            let _ = db.execute("INSERT INTO a VALUES ('left behind')", ());
            Ok(())
        });
    });
    let revision = Revision { id: "r1".to_owned(), ..Revision::default() };
    let migration = Migration::new(revision, step, Recording::default());
    let migrations = Migrations::new(vec![migration]).unwrap();
    conn.execute_batch("CREATE TABLE a (b NOT NULL)").unwrap();
    fails(
        up(&mut conn, &migrations, "head"),
        expect![[r#"
            revision `r1` was rolled back: step `ignores` failed
              caused by: NOT NULL constraint failed: a.b"#]],
    );
    let n: i64 = conn.query_row("SELECT count(*) FROM a", [], |row| row.get(0)).unwrap();
    assert_eq!(n, 0);
}

#[test]
fn a_version_row_that_is_not_there_once_rolls_all_back() {
    let mut conn = Connection::open_in_memory().unwrap();
    let by_hand = |sql: &str| {
        let revision = Revision { id: "r1".to_owned(), ..Revision::default() };
        let table =
            record(|op| op.create_table(Table::new("a").column(Column::new("b", Type::Text))));
        let back = record(|op| {
            op.drop_table("a");
            op.execute(sql);
        });
        Migrations::new(vec![Migration::new(revision, table, back)]).unwrap()
    };
    let migrations = by_hand("DELETE FROM dbmigrate_version");
    up(&mut conn, &migrations, "head").unwrap();
    let (observer, steps) = (&mut (), &mut OwnSteps);
    let (driver, options) = (&mut SqliteDriver::lent(&mut conn), &Options::default());
    let mut executor = Executor { driver, migrations: &migrations, options, observer, steps };
    let err = executor.run(Direction::Downgrade, "base").unwrap_err();
    expect![[r#"
        revision `r1` was rolled back: the version table has 0 rows of it, where one was expected"#]]
    .assert_eq(&err.report());
    assert_eq!(up(&mut conn, &migrations, "head").unwrap(), "", "it is applied as before");
    conn.execute_batch("SELECT b FROM a").unwrap();
}
