//! Runs on real SQLite files: they succeed, or leave no trace.
#![cfg(feature = "sqlite")]

use std::path::PathBuf;
use std::process::Command;

use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::executor::{Executor, OwnSteps};
use dbmigrate_runtime::engine::recording::Recording;
use dbmigrate_runtime::engine::revision::Revision;
use dbmigrate_runtime::engine::url::Access;
use dbmigrate_runtime::engine::{Migration, Migrations};
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Direction, Error, Options};
use expect_test::{Expect, expect};
use rusqlite::Connection;

fn record(f: fn(&mut Operations)) -> Recording {
    let mut op = Operations::new();
    f(&mut op);
    op.finish()
}

/// A revision's two functions.
type Functions = (fn(&mut Operations), fn(&mut Operations));

/// Migrations in sequence, with ids `r1`, `r2` and so on.
fn line(functions: &[Functions]) -> Migrations {
    let migrations = functions.iter().enumerate().map(|(idx, (up, down))| {
        let revision = Revision {
            id: format!("r{}", idx + 1),
            parents: if idx == 0 { Vec::new() } else { vec![format!("r{idx}")] },
            message: format!("message {}", idx + 1),
            file: format!("r{}.rs", idx + 1),
            ..Revision::default()
        };
        Migration::new(revision, record(*up), record(*down))
    });
    Migrations::new(migrations.collect()).unwrap()
}

fn user(op: &mut Operations) {
    op.create_table(
        Table::new("user")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("name", Type::String(100)).not_null())
            .primary_key("pk_user", ["id"])
            .unique("uq_user_name", ["name"]),
    );
}

fn drop_user(op: &mut Operations) {
    op.drop_table("user");
}

fn post(op: &mut Operations) {
    op.create_table(
        Table::new("post")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("author_id", Type::BigInteger).not_null())
            .primary_key("pk_post", ["id"])
            .foreign_key(
                ForeignKey::new("fk_post_author_id_user", ["author_id"], "user", ["id"])
                    .on_delete(Action::Cascade),
            ),
    );
    op.add_column("user", Column::new("active", Type::Boolean).not_null().default(true));
    op.create_index("user", Index::new("ix_user_active", ["active"]));
}

fn drop_post(op: &mut Operations) {
    op.drop_index("user", "ix_user_active");
    op.drop_column("user", "active");
    op.drop_table("post");
}

fn nothing(_: &mut Operations) {}

struct File {
    dir: PathBuf,
}

impl File {
    fn new(name: &str) -> File {
        let dir = std::env::temp_dir().join(format!("dbmigrate-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        File { dir }
    }

    fn path(&self) -> PathBuf {
        self.dir.join("app.db")
    }

    fn open(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    /// The schema and the rows of all tables; the version table without its times.
    fn dump(&self) -> String {
        let conn = self.open();
        let mut dump = String::new();
        let mut stmt =
            conn.prepare("SELECT name, sql FROM sqlite_schema ORDER BY type DESC, name").unwrap();
        let objects: Vec<(String, Option<String>)> = stmt
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for (name, sql) in objects {
            if let Some(sql) = sql.filter(|_| name != "dbmigrate_version") {
                dump += &format!("{sql};\n");
            }
            let columns = match name.as_str() {
                "dbmigrate_version" => "id, parents, message",
                _ => "*",
            };
            let sql = format!("SELECT {columns} FROM \"{name}\"");
            let Ok(mut stmt) = conn.prepare(&sql) else { continue };
            let n = stmt.column_count();
            let mut rows = stmt.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let values = (0..n).map(|found| format!("{:?}", row.get_ref(found).unwrap()));
                dump += &format!("{name}: {}\n", values.collect::<Vec<_>>().join(" "));
            }
        }
        dump
    }

    fn run(
        &self,
        migrations: &Migrations,
        direction: Direction,
        to: &str,
    ) -> Result<Vec<String>, Error> {
        self.run_with(migrations, direction, to, &Options::default())
    }

    fn run_with(
        &self,
        migrations: &Migrations,
        direction: Direction,
        to: &str,
        options: &Options,
    ) -> Result<Vec<String>, Error> {
        let mut driver = SqliteDriver::open(&self.path(), Access::Create).unwrap();
        let (driver, observer, steps) = (&mut driver, &mut (), &mut OwnSteps);
        Executor { driver, migrations, options, observer, steps }.run(direction, to)
    }

    fn up(&self, migrations: &Migrations) -> Result<Vec<String>, Error> {
        self.run(migrations, Direction::Upgrade, "head")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

#[track_caller]
fn fails(res: Result<Vec<String>, Error>, expect: Expect) {
    expect.assert_eq(&res.unwrap_err().report());
}

#[test]
fn up_and_down_again_leads_back_with_the_rows() {
    let migrations = line(&[(user, drop_user), (post, drop_post)]);
    let file = File::new("round");
    assert_eq!(file.run(&migrations, Direction::Upgrade, "r1").unwrap(), ["r1"]);
    file.open().execute_batch("INSERT INTO user VALUES (7, 'ada')").unwrap();
    let at_r1 = file.dump();
    assert_eq!(file.up(&migrations).unwrap(), ["r2"]);
    file.open().execute_batch("INSERT INTO post VALUES (1, 7)").unwrap();
    expect![[r#"
        dbmigrate_version: Text([114, 49]) Text([]) Text([109, 101, 115, 115, 97, 103, 101, 32, 49])
        dbmigrate_version: Text([114, 50]) Text([114, 49]) Text([109, 101, 115, 115, 97, 103, 101, 32, 50])
        CREATE TABLE "post" (
            "id" INTEGER NOT NULL CONSTRAINT "pk_post" PRIMARY KEY,
            "author_id" INTEGER NOT NULL CONSTRAINT "fk_post_author_id_user" REFERENCES "user" ("id") ON DELETE CASCADE
        );
        post: Integer(1) Integer(7)
        CREATE TABLE "user" (
            "id" INTEGER NOT NULL CONSTRAINT "pk_user" PRIMARY KEY,
            "name" VARCHAR(100) NOT NULL, "active" BOOLEAN NOT NULL DEFAULT 1,
            CONSTRAINT "uq_user_name" UNIQUE ("name")
        );
        user: Integer(7) Text([97, 100, 97]) Integer(1)
        CREATE INDEX "ix_user_active" ON "user" ("active");
    "#]].assert_eq(&file.dump());
    assert_eq!(file.up(&migrations).unwrap(), [""; 0]);
    assert_eq!(file.run(&migrations, Direction::Downgrade, "-1").unwrap(), ["r2"]);
    assert_eq!(file.dump(), at_r1);
    assert_eq!(file.run(&migrations, Direction::Downgrade, "base").unwrap(), ["r1"]);
    assert_eq!(file.dump(), "");
}

#[test]
fn a_failing_statement_leaves_the_file_as_it_was() {
    let migrations = line(&[
        (user, drop_user),
        (|op| op.execute("INSERT INTO nope VALUES (1)").describes(|_| {}), nothing),
    ]);
    let file = File::new("failing");
    file.open().execute_batch("CREATE TABLE mine (a); INSERT INTO mine VALUES (1)").unwrap();
    let before = file.dump();
    fails(
        file.up(&migrations),
        expect![[r#"
        revision `r2` was rolled back: statement 1 of 1 failed: INSERT INTO nope VALUES (1)
          caused by: no such table: nope"#]],
    );
    assert_eq!(file.dump(), before);
    // Each revision has its own transaction, so the first one stays.
    let options = Options { transaction_each: true, ..Options::default() };
    file.run_with(&migrations, Direction::Upgrade, "head", &options).unwrap_err();
    assert!(file.dump().contains("dbmigrate_version: Text"), "{}", file.dump());
}

#[test]
fn a_table_that_is_there_names_stamp_as_the_way() {
    let migrations = line(&[(user, drop_user)]);
    let file = File::new("there");
    file.open().execute_batch("CREATE TABLE user (id)").unwrap();
    fails(
        file.up(&migrations),
        expect![[r#"
            revision `r1` was rolled back: statement 1 of 1 failed: CREATE TABLE "user" (
                "id" INTEGER NOT NULL CONSTRAINT "pk_user" PRIMARY KEY,
                "name" VARCHAR(100) NOT NULL,
                CONSTRAINT "uq_user_name" UNIQUE ("name")
            )
              caused by: table "user" already exists
              hint: table `user` already exists: if the database was created without these migrations and matches them, `cargo dbmigrate stamp --verify r1` marks them as applied without running them"#]],
    );
}

#[test]
fn a_step_sees_the_open_transaction_and_its_failure_rolls_all_back() {
    fn fill(op: &mut Operations) {
        op.run("fill", |db| {
            assert_eq!(db.dialect(), "sqlite");
            db.execute("INSERT INTO user (name) VALUES (?1)", ("ada",))?;
            let rows = db.query("SELECT id, name, NULL AS none FROM user", ())?;
            assert_eq!(rows[0].get::<i64>("id")?, 1);
            assert_eq!(rows[0].get::<String>(1)?, "ada");
            assert_eq!(rows[0].get::<Option<i64>>("none")?, None);
            let missing = rows[0].get::<i64>("nope").unwrap_err().to_string();
            assert_eq!(missing, "the row has no column nope; it has `id`, `name`, `none`");
            let wrong = rows[0].get::<i64>("name").unwrap_err().to_string();
            assert_eq!(wrong, "column `name` is 'ada', expected an integer that fits i64");
            match db.arg("fail") {
                Some(why) => Err(why.into()),
                None => Ok(()),
            }
        });
    }
    let migrations = line(&[(user, drop_user), (fill, nothing)]);
    let file = File::new("step");
    let options = Options { args: vec![("fail".into(), "as asked".into())], ..Options::default() };
    let res = file.run_with(&migrations, Direction::Upgrade, "head", &options);
    fails(res, expect!["revision `r2` was rolled back: step `fill` failed: as asked"]);
    assert_eq!(file.dump(), "");
    file.up(&migrations).unwrap();
    assert!(file.dump().contains("user: Integer(1) Text"), "{}", file.dump());
}

#[test]
fn sql_that_ends_the_transaction_is_an_error() {
    fn commit(op: &mut Operations) {
        op.execute("CREATE TABLE t (a); COMMIT; BEGIN");
    }
    fn commit_in_a_step(op: &mut Operations) {
        op.run("by hand", |db| {
            db.execute("COMMIT", ())?;
            Ok(())
        });
    }
    fn commit_and_begin_in_a_step(op: &mut Operations) {
        op.run("by hand", |db| {
            db.execute("COMMIT", ())?;
            db.execute("BEGIN", ())?;
            Ok(())
        });
    }
    // What is seen in the SQL is refused before anything runs.
    let file = File::new("commit");
    fails(
        file.up(&line(&[(user, drop_user), (commit, nothing)])),
        expect![[r#"
        revision `r2`: cannot execute SQL on SQLite: `COMMIT` would end the transaction that the revision runs in
          hint: remove BEGIN, COMMIT and ROLLBACK from the revision, or run it outside a transaction with `op.no_transaction()`"#]],
    );
    assert_eq!(file.dump(), "");
    // A step that begins another transaction is detected as well.
    let hidden = line(&[(user, drop_user), (commit_and_begin_in_a_step, nothing)]);
    let err = File::new("commit-and-begin").up(&hidden).unwrap_err();
    assert!(err.to_string().contains("ended the transaction it runs in"), "{err}");
    let file = File::new("commit-in-a-step");
    fails(
        file.up(&line(&[(user, drop_user), (commit_in_a_step, nothing)])),
        expect![[r#"
        revision `r2` ended the transaction it runs in, with step `by hand`; its changes, and those of earlier revisions in this run, may or may not be committed; it was not marked as applied
          hint: remove BEGIN, COMMIT and ROLLBACK from the revision, or run it outside a transaction with `op.no_transaction()`"#]],
    );
}

#[test]
fn a_revision_without_transaction_stands_alone() {
    fn vacuum(op: &mut Operations) {
        op.no_transaction();
        op.execute("VACUUM");
    }
    let migrations = line(&[(user, drop_user), (vacuum, nothing), (post, drop_post)]);
    let file = File::new("alone");
    assert_eq!(file.up(&migrations).unwrap(), ["r1", "r2", "r3"]);
}

#[test]
fn new_violations_roll_back_and_old_ones_do_not() {
    fn orphan(op: &mut Operations) {
        op.execute("INSERT INTO post VALUES (2, 99)");
    }
    let migrations = line(&[(user, drop_user), (post, drop_post), (orphan, nothing)]);
    let file = File::new("violations");
    file.run(&migrations, Direction::Upgrade, "r1").unwrap();
    let conn = file.open();
    conn.execute_batch(
        "PRAGMA foreign_keys = OFF; CREATE TABLE old (a REFERENCES user (id)); \
         INSERT INTO old VALUES (5)",
    )
    .unwrap();
    file.run(&migrations, Direction::Upgrade, "r2").unwrap();
    fails(
        file.up(&migrations),
        expect![[r#"
            the run was rolled back: it left foreign key violations:
              row 2 of `post` refers to a missing row of `user`
              hint: delete or correct these rows in a step of the revision"#]],
    );
}

#[test]
fn a_foreign_key_that_was_wrong_before_is_no_hindrance() {
    let migrations = line(&[(user, drop_user), (post, drop_post)]);
    let file = File::new("mismatch");
    // The columns that `b` refers to aren't unique, which SQLite only reports when it is checked.
    file.open()
        .execute_batch(
            "PRAGMA foreign_keys = OFF; CREATE TABLE a (x); CREATE TABLE b (y REFERENCES a (x)); \
             CREATE TABLE c (z REFERENCES nowhere (z)); \
             INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); INSERT INTO c VALUES (1)",
        )
        .unwrap();
    file.up(&migrations).unwrap();
    assert_eq!(file.run(&migrations, Direction::Downgrade, "base").unwrap(), ["r2", "r1"]);
}

#[test]
fn what_cannot_be_done_safely_is_refused_before_anything_runs() {
    fn unique(op: &mut Operations) {
        op.no_transaction();
        op.add_unique("user", Unique::new("uq", ["name"]));
    }
    let migrations = line(&[(user, drop_user), (unique, nothing)]);
    let file = File::new("refused");
    let err = file.up(&migrations).unwrap_err();
    assert!(err.is_unsupported());
    expect![[r#"
        revision `r2` has to rebuild a table, which needs a transaction, but opts out of it with `op.no_transaction()`
          hint: move that change to a revision of its own"#]]
    .assert_eq(&err.report());
    assert_eq!(file.dump(), "");
}

#[test]
fn history_that_does_not_fit_is_named() {
    let file = File::new("history");
    file.up(&line(&[(user, drop_user), (post, drop_post)])).unwrap();
    let fewer = line(&[(user, drop_user)]);
    let err = file.up(&fewer).unwrap_err();
    assert!(err.is_ahead());
    expect![[r#"
        revision `r2` (message 2) is applied in the database, but this project does not have it
          hint: restore the revision's file, for example by updating to a newer version of the project; `cargo dbmigrate switch` takes back what another branch applied; if its changes are no longer in the database, `cargo dbmigrate stamp --purge r1` removes it from the version table"#]].assert_eq(&err.report());
    let options = Options { allow_ahead: true, ..Options::default() };
    assert!(file.run_with(&fewer, Direction::Upgrade, "head", &options).unwrap().is_empty());

    fn edited(op: &mut Operations) {
        user(op);
        op.execute("SELECT 1");
    }
    let err = file.up(&line(&[(edited, drop_user), (post, drop_post)])).unwrap_err();
    assert!(err.is_edited());
    expect![[r#"
        revision `r1` was edited after it was applied to this database, in r1.rs
          hint: revert the edit and put the change into a new revision; if the database already matches the edited revision, `cargo dbmigrate stamp current` accepts it"#]].assert_eq(&err.report());

    fails(
        file.run(&fewer, Direction::Upgrade, "base"),
        expect![[r#"
            revision `r2` (message 2) is applied in the database, but this project does not have it
              hint: restore the revision's file, for example by updating to a newer version of the project; `cargo dbmigrate switch` takes back what another branch applied; if its changes are no longer in the database, `cargo dbmigrate stamp --purge r1` removes it from the version table"#]],
    );
    let file = File::new("history-down");
    let migrations = line(&[(user, |op| op.irreversible("rows were merged")), (post, drop_post)]);
    fails(
        file.run(&migrations, Direction::Downgrade, "r2"),
        expect![[r#"
        cannot downgrade to `r2`: revision `r2` is not applied
          hint: `cargo dbmigrate current` shows the revisions that are applied"#]],
    );
    file.up(&migrations).unwrap();
    fails(
        file.run(&migrations, Direction::Downgrade, "base"),
        expect![[r#"
        revision `r1` can't be undone: rows were merged
          hint: restore a backup, or write a new revision that makes the changes you need"#]],
    );
}

#[test]
fn a_stamp_enters_and_takes_out_rows_only() {
    let migrations = line(&[(user, drop_user), (post, drop_post)]);
    let file = File::new("stamp");
    let stamp = |migrations: &Migrations, to: &str, purge| {
        let target = migrations.graph().target(to, None).unwrap();
        let mut driver = SqliteDriver::open(&file.path(), Access::Create).unwrap();
        let (driver, observer, steps) = (&mut driver, &mut (), &mut OwnSteps);
        let options = &Options::default();
        Executor { driver, migrations, options, observer, steps }.stamp(&target, purge)
    };
    assert_eq!(stamp(&migrations, "head", false).unwrap(), ["r1", "r2"]);
    assert_eq!(file.dump().lines().count(), 2, "{}", file.dump());
    assert_eq!(stamp(&migrations, "r1", false).unwrap(), [""; 0]);
    assert_eq!(file.dump().lines().count(), 1);
    let other = line(&[]);
    stamp(&other, "base", false).unwrap_err();
    stamp(&other, "base", true).unwrap();
    assert_eq!(file.dump(), "");
}

#[test]
fn a_panicking_step_leaves_a_lent_connection_as_it_was() {
    fn panics(op: &mut Operations) {
        op.run("panics", |db| {
            db.execute("INSERT INTO user (name) VALUES ('ada')", ())?;
            panic!("on purpose")
        });
    }
    let migrations = line(&[(user, drop_user), (panics, nothing)]);
    let mut conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    let res = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let options = &Options::default();
        let mut driver = SqliteDriver::lent(&mut conn);
        let (driver, observer, steps) = (&mut driver, &mut (), &mut OwnSteps);
        Executor { driver, migrations: &migrations, options, observer, steps }
            .run(Direction::Upgrade, "head")
    }));
    assert!(res.is_err());
    assert!(conn.is_autocommit());
    let on: i64 = conn.query_row("PRAGMA foreign_keys", [], |row| row.get(0)).unwrap();
    let n_tables: i64 =
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!((on, n_tables), (1, 0));
}

#[test]
fn a_lent_connection_gets_its_settings_back() {
    let migrations = line(&[(user, drop_user)]);
    let mut conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 1234").unwrap();
    let options = &Options::default();
    let mut driver = SqliteDriver::lent(&mut conn);
    let (driver, observer, steps) = (&mut driver, &mut (), &mut OwnSteps);
    let mut executor = Executor { driver, migrations: &migrations, options, observer, steps };
    executor.run(Direction::Upgrade, "head").unwrap();
    let pragma = |name: &str| -> i64 {
        conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((pragma("foreign_keys"), pragma("busy_timeout")), (1, 1234));

    conn.execute_batch("BEGIN").unwrap();
    let mut driver = SqliteDriver::lent(&mut conn);
    let (driver, observer, steps) = (&mut driver, &mut (), &mut OwnSteps);
    let mut executor = Executor { driver, migrations: &migrations, options, observer, steps };
    fails(
        executor.run(Direction::Downgrade, "base"),
        expect![[r#"
        the connection has an open transaction, but migrations need one of their own
          hint: commit it or roll it back first"#]],
    );
}

#[test]
fn a_held_lock_is_waited_for_and_then_an_error() {
    let migrations = line(&[(user, drop_user)]);
    let file = File::new("lock");
    let other = file.open();
    other.execute_batch("CREATE TABLE t (a); BEGIN IMMEDIATE").unwrap();
    let wait = std::time::Duration::from_millis(1100);
    let options = Options { lock_timeout: wait, ..Options::default() };
    let err = file.run_with(&migrations, Direction::Upgrade, "head", &options).unwrap_err();
    assert!(err.is_locked());
    expect![[r#"
        another process held the database's lock for $TIME
          caused by: database is locked
          hint: let it finish and run the command again, or wait longer with --lock-timeout"#]]
    .assert_eq(&err.report().replace("1.1 s", "$TIME").replace("1.2 s", "$TIME"));
}

#[test]
fn a_database_that_can_only_be_read_is_left_as_it_was() {
    let file = File::new("read-only");
    file.up(&line(&[(user, drop_user)])).unwrap();
    let before = file.dump();
    let migrations = line(&[(user, drop_user), (post, drop_post)]);
    let mut driver = SqliteDriver::open(&file.path(), Access::ReadOnly).unwrap();
    let (driver, observer, steps) = (&mut driver, &mut (), &mut OwnSteps);
    let options = &Options::default();
    let mut executor = Executor { driver, migrations: &migrations, options, observer, steps };
    fails(
        executor.run(Direction::Upgrade, "head"),
        expect![[r#"
        revision `r2` was rolled back: statement 1 of 3 failed: CREATE TABLE "post" (
            "id" INTEGER NOT NULL CONSTRAINT "pk_post" PRIMARY KEY,
            "author_id" INTEGER NOT NULL CONSTRAINT "fk_post_author_id_user" REFERENCES "user" ("id") ON DELETE CASCADE
        )
          caused by: attempt to write a readonly database
          hint: check the permissions of the database file and of its directory"#]],
    );
    // What requires no writing works.
    assert_eq!(executor.run(Direction::Upgrade, "r1").unwrap(), [""; 0]);
    assert_eq!(file.dump(), before);
}

/// The test binary starts itself: many processes, one file.
#[test]
fn processes_at_once_apply_each_revision_once() {
    let migrations = line(&[(user, drop_user), (post, drop_post)]);
    if let Ok(path) = std::env::var("DBMIGRATE_TEST_RACE") {
        let mut driver = SqliteDriver::open(path.as_ref(), Access::Create).unwrap();
        let (driver, observer, steps) = (&mut driver, &mut (), &mut OwnSteps);
        let options = &Options::default();
        let mut executor = Executor { driver, migrations: &migrations, options, observer, steps };
        executor.run(Direction::Upgrade, "head").unwrap();
        return;
    }
    let file = File::new("race");
    for _ in 0..3 {
        let _ = std::fs::remove_file(file.path());
        let threads: Vec<_> = (0..16)
            .map(|_| {
                std::thread::spawn({
                    let path = file.path();
                    move || {
                        Command::new(std::env::current_exe().unwrap())
                            .args(["--exact", "processes_at_once_apply_each_revision_once"])
                            .env("DBMIGRATE_TEST_RACE", path)
                            .output()
                            .unwrap()
                    }
                })
            })
            .collect();
        for join_handle in threads {
            let output = join_handle.join().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
        assert_eq!(file.dump().matches("dbmigrate_version: ").count(), 2, "{}", file.dump());
    }
}
