//! What a program asks about its database before it starts.
#![cfg(feature = "sqlite")]

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::rusqlite::Connection;
use dbmigrate_runtime::{Direction, Migrator, Module, Options};
use expect_test::expect;

const FIRST: Module = Module {
    revision: "a1",
    down_revision: &[],
    branch_labels: &[],
    depends_on: &[],
    replaces: &[],
    message: "first",
    name: "a1",
    upgrade: |op| op.create_table(Table::new("t").column(Column::new("a", Type::Text))),
    downgrade: |op| op.drop_table("t"),
};

const SECOND: Module = Module {
    revision: "b2",
    down_revision: &["a1"],
    message: "second",
    name: "b2",
    upgrade: |op| {
        op.alter_column("t", "a", ColumnChange::new().not_null());
        op.run("count", |db| {
            db.execute("INSERT INTO t VALUES ('x')", ()).map(drop).map_err(Into::into)
        });
    },
    downgrade: |op| op.alter_column("t", "a", ColumnChange::new().nullable()),
    ..FIRST
};

/// Programs of the release before may still use what it drops.
const THIRD: Module = Module {
    revision: "c3",
    down_revision: &["b2"],
    message: "drop t",
    name: "c3",
    upgrade: |op| {
        op.barrier("release 1 reads `t`");
        op.drop_table("t");
    },
    downgrade: |op| {
        op.create_table(Table::new("t").column(Column::new("a", Type::Text).not_null()));
    },
    ..FIRST
};

const FOURTH: Module = Module {
    revision: "d4",
    down_revision: &["c3"],
    message: "u",
    name: "d4",
    upgrade: |op| op.create_table(Table::new("u").column(Column::new("a", Type::Text))),
    downgrade: |op| op.drop_table("u"),
    ..FIRST
};

/// The same with a barrier of its own.
const LATER: Module = Module {
    upgrade: |op| {
        op.barrier("release 2 has no `u`");
        op.create_table(Table::new("u").column(Column::new("a", Type::Text)));
    },
    ..FOURTH
};

const OLD: Migrator = Migrator::new(&[FIRST]);
const NEW: Migrator = Migrator::new(&[FIRST, SECOND]);

/// A directory that is removed at the end.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Dir {
        let dir = std::env::temp_dir().join(format!("dbmigrate-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Dir(dir)
    }

    fn file(&self) -> PathBuf {
        Path::join(&self.0, "app.db")
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_plan_is_a_value_and_a_text() {
    let mut conn = Connection::open_in_memory().unwrap();
    let plan = NEW.plan(&conn).unwrap();
    assert_eq!(plan.revisions.len(), 2);
    OLD.upgrade(&mut conn).unwrap();
    conn.execute_batch("INSERT INTO t VALUES ('one'), (NULL)").unwrap();
    let plan = NEW.plan(&conn).unwrap();
    assert!(plan.is_stopped());
    expect![[r#"
        Upgrade: 1 revision, in one transaction

        upgrade a1 -> b2, second
          stop if column `a` of table `t` can't become NOT NULL: it is NULL in some rows
          alter column `a` of table `t`
          run step `count`
          `t` has 2 rows
          stops now: column `a` of table `t` can't become NOT NULL: it is NULL in 1 row(s)"#]]
    .assert_eq(&plan.to_string());
    assert!(format!("{plan:#}").contains("ALTER TABLE"), "{plan:#}");
    conn.execute_batch("DELETE FROM t WHERE a IS NULL").unwrap();
    assert!(!NEW.plan(&conn).unwrap().is_stopped());
    NEW.upgrade(&mut conn).unwrap();
    assert_eq!(NEW.plan(&conn).unwrap().to_string(), "Nothing to do.");
    let down = (Direction::Downgrade, "base");
    let plan = NEW.plan_with(&conn, down, &Options::default()).unwrap();
    assert!(plan.to_string().starts_with("Downgrade: 2 revisions, in one transaction\n"), "{plan}");
    // Nothing was run.
    assert_eq!(NEW.status(&conn).unwrap().applied, ["a1", "b2"]);
}

#[test]
fn a_status_says_what_the_database_lacks() {
    let mut conn = Connection::open_in_memory().unwrap();
    assert_eq!(
        NEW.status(&conn).unwrap().to_string(),
        "behind: the database lacks 2 of 2 revisions: `a1` (first), `b2` (second)"
    );
    OLD.upgrade(&mut conn).unwrap();
    let err = NEW.require_up_to_date(&conn).unwrap_err();
    assert!(err.is_behind());
    expect![[r#"
        the database is behind: it lacks 1 of 2 revisions: `b2` (second)
          hint: `cargo dbmigrate upgrade` applies them, and so does `upgrade` in a program; `wait_until_up_to_date` waits for another one that does"#]]
    .assert_eq(&err.report());
    assert_ne!(NEW.status(&conn).unwrap().schema_hash(), NEW.schema_hash());
    NEW.upgrade(&mut conn).unwrap();
    let status = NEW.status(&conn).unwrap();
    assert_eq!(status.to_string(), "up to date: 2 revisions are applied");
    assert_eq!(status.schema_hash(), NEW.schema_hash());
    // An older program beside it.
    let status = OLD.status(&conn).unwrap();
    assert_eq!(
        status.to_string(),
        "up to date: 1 revision is applied; this program does not have what is applied as `b2` \
         (second)"
    );
    assert_eq!(status.schema_hash(), NEW.schema_hash());
    OLD.require_up_to_date(&conn).unwrap();
}

#[test]
fn a_report_is_what_the_command_status_tells() {
    let mut conn = Connection::open_in_memory().unwrap();
    OLD.upgrade(&mut conn).unwrap();
    conn.execute_batch("ALTER TABLE t ADD COLUMN b INTEGER; CREATE TABLE others (x)").unwrap();
    let report = NEW.report(&conn, &Options::default()).unwrap();
    assert!(!report.is_in_order());
    assert!(report.product.starts_with("SQLite 3."), "{}", report.product);
    assert_eq!(report.history[0].id, "a1");
    assert_eq!(report.drift, ["column `t.b` is not in the migrations"]);
    conn.execute_batch("ALTER TABLE t DROP COLUMN b").unwrap();
    NEW.upgrade(&mut conn).unwrap();
    let report = NEW.report(&conn, &Options::default()).unwrap();
    assert!(report.is_in_order(), "{report}");
    assert!(report.to_string().contains("\nlast applied: `b2` ("), "{report}");
}

#[test]
fn a_program_waits_until_another_one_has_migrated() {
    let dir = Dir::new("waits");
    let (path, url) = (dir.file(), format!("sqlite:{}", dir.file().display()));
    let other = thread::spawn(move || {
        thread::sleep(Duration::from_millis(150));
        OLD.upgrade(&path).unwrap();
        thread::sleep(Duration::from_millis(150));
        NEW.upgrade(&path).unwrap();
    });
    let start = Instant::now();
    // The file doesn't exist yet.
    NEW.wait_until_up_to_date(&url, Duration::from_secs(30)).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(250), "{:?}", start.elapsed());
    other.join().unwrap();
    NEW.wait_until_up_to_date(&url, Duration::ZERO).unwrap();
}

#[test]
fn a_program_that_waited_for_nothing_says_what_is_missing() {
    let dir = Dir::new("waits-in-vain");
    let timeout = Duration::from_millis(120);
    let err = NEW.wait_until_up_to_date(dir.file(), timeout).unwrap_err();
    assert!(err.is_behind());
    let text = err.to_string();
    assert!(
        text.starts_with("the database is still behind after waiting for 0.1 s: it lacks 2 of 2"),
        "{text}"
    );
    assert!(!dir.file().exists(), "waiting creates no file");
    let mut conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("BEGIN").unwrap();
    let err = NEW.wait_until_up_to_date(&mut conn, timeout).unwrap_err();
    assert!(err.to_string().contains("transaction"), "{err}");
}

#[test]
fn waiting_holds_up_no_other_task() {
    let dir = Dir::new("waits-async");
    let (path, url) = (dir.file(), format!("sqlite:{}", dir.file().display()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(async {
        let waiting = NEW.wait_until_up_to_date_async(&url, Duration::from_secs(30));
        let migrating = tokio::spawn(NEW.spawn(move |migrator| migrator.upgrade(&path)));
        waiting.await.unwrap();
        migrating.await.unwrap().unwrap();
    });
}

#[test]
fn an_upgrade_stops_before_a_barrier_and_the_program_starts() {
    let next: Migrator = Migrator::new(&[FIRST, SECOND, THIRD, LATER]);
    let past = Options { past_barriers: true, ..Options::default() };
    let mut conn = Connection::open_in_memory().unwrap();
    OLD.upgrade(&mut conn).unwrap();

    let plan = next.plan(&conn).unwrap();
    assert_eq!(plan.stops_before[0].id, "c3");
    assert!(
        plan.to_string().ends_with("\n\nstops before c3, drop t: release 1 reads `t`"),
        "{plan}"
    );
    assert_eq!(next.upgrade(&mut conn).unwrap(), ["b2"]);
    assert_eq!(next.upgrade(&mut conn).unwrap(), [""; 0]);
    let status = next.status(&conn).unwrap();
    assert_eq!((status.pending.len(), &*status.waiting.join(" ")), (2, "c3 d4"));
    expect!["up to date: 2 revisions are applied; waits before c3, drop t: release 1 reads `t`"]
        .assert_eq(&status.to_string());
    next.require_up_to_date(&conn).unwrap();
    assert!(next.is_up_to_date(&conn).unwrap());
    assert!(next.report(&conn, &Options::default()).unwrap().is_in_order());
    assert_eq!(
        next.plan(&conn).unwrap().to_string(),
        "Nothing to do.\nstops before c3, drop t: release 1 reads `t`"
    );

    // A revision after the barrier, by its id.
    let err = next.upgrade_with(&mut conn, "d4", &Options::default()).unwrap_err();
    expect![[r#"
        cannot upgrade to `d4`: there is a barrier before c3, drop t: release 1 reads `t`
          hint: nothing was applied; once no program of the previous release is running, `cargo dbmigrate upgrade d4 --past-barriers` applies it, or `Options::past_barriers` in a program; `cargo dbmigrate upgrade` applies what comes before the barrier"#]]
    .assert_eq(&err.report());
    assert_eq!(next.upgrade_with(&mut conn, "c3", &past).unwrap(), ["c3"]);
    assert_eq!(next.upgrade(&mut conn).unwrap(), [""; 0]);
    assert_eq!(next.upgrade_with(&mut conn, "head", &past).unwrap(), ["d4"]);
    // After the barriers, nothing waits.
    assert_eq!(next.status(&conn).unwrap().waiting, [""; 0]);
    // A downgrade ignores barriers.
    assert_eq!(next.downgrade(&mut conn, "b2").unwrap(), ["d4", "c3"]);
    assert_eq!(next.status(&conn).unwrap().waiting, ["c3", "d4"]);
}

#[test]
fn a_revision_without_a_barrier_is_not_left_out_silently() {
    let next: Migrator = Migrator::new(&[FIRST, SECOND, THIRD, FOURTH]);
    let past = Options { past_barriers: true, ..Options::default() };
    let mut conn = Connection::open_in_memory().unwrap();
    OLD.upgrade(&mut conn).unwrap();
    let err = next.upgrade(&mut conn).unwrap_err();
    expect![[r#"
        cannot upgrade to `head`: revision `d4` follows a barrier, the one before c3, drop t: release 1 reads `t`
          hint: nothing was applied; once no program of the previous release is running, `cargo dbmigrate upgrade --past-barriers` applies both, or `Options::past_barriers` in a program; if `d4` can wait as well, give it an `op.barrier(...)` of its own"#]].assert_eq(&err.report());
    let status = next.status(&conn).unwrap();
    assert_eq!((&*status.waiting.join(" "), status.is_up_to_date()), ("c3", false));
    expect!["behind: the database lacks 2 of 4 revisions: `b2` (second), `d4` (u); waits before c3, drop t: release 1 reads `t`"].assert_eq(&status.to_string());
    let err = next.require_up_to_date(&conn).unwrap_err();
    expect![[r#"
        the database is behind: it lacks 2 of 4 revisions: `b2` (second), `d4` (u)
          hint: `cargo dbmigrate upgrade` applies them, and so does `upgrade` in a program; `wait_until_up_to_date` waits for another one that does"#]].assert_eq(&err.report());
    assert_eq!(next.upgrade_with(&mut conn, "head", &past).unwrap(), ["b2", "c3", "d4"]);
    next.require_up_to_date(&conn).unwrap();
}

#[test]
fn a_database_at_the_base_has_no_programs_to_wait_for() {
    let next: Migrator = Migrator::new(&[FIRST, SECOND, THIRD, FOURTH]);
    let each = Options { transaction_each: true, ..Options::default() };
    let mut conn = Connection::open_in_memory().unwrap();
    assert_eq!(next.status(&conn).unwrap().waiting, [""; 0]);
    assert_eq!(next.plan(&conn).unwrap().revisions.len(), 4);
    // In several transactions as well, of which the first leaves the base.
    let ran = next.upgrade_with(&mut conn, "head", &each).unwrap();
    assert_eq!(ran, ["a1", "b2", "c3", "d4"]);
    let conn = next.in_memory().unwrap();
    assert_eq!(next.status(&conn).unwrap().applied.len(), 4);
}

#[test]
fn other_branches_go_on_beside_a_barrier() {
    let branch = Module { revision: "e5", down_revision: &["b2"], name: "e5", ..FOURTH };
    let joined = Module {
        revision: "f6",
        down_revision: &["e5", "c3"],
        name: "f6",
        upgrade: |_| {},
        downgrade: |_| {},
        ..FIRST
    };
    let modules: &'static [Module] = vec![FIRST, SECOND, THIRD, branch, joined].leak();
    let next = Migrator::new(modules);
    let mut conn = Connection::open_in_memory().unwrap();
    OLD.upgrade(&mut conn).unwrap();
    assert_eq!(next.upgrade(&mut conn).unwrap(), ["b2", "e5"]);
    assert_eq!(next.status(&conn).unwrap().waiting, ["c3", "f6"]);
    // A merge that does something is no mere merge.
    let upgrade = |op: &mut Operations| {
        op.execute("SELECT 1");
    };
    let doing = Module { upgrade, ..joined };
    let modules: &'static [Module] = vec![FIRST, SECOND, THIRD, branch, doing].leak();
    let err = Migrator::new(modules).upgrade(&mut conn).unwrap_err();
    assert!(
        err.to_string().contains("revision `f6` follows a barrier, the one before c3"),
        "{err}"
    );
    let past = Options { past_barriers: true, ..Options::default() };
    assert_eq!(next.upgrade_with(&mut conn, "head", &past).unwrap(), ["c3", "f6"]);
}

#[test]
fn a_barrier_in_a_downgrade_is_refused() {
    let wrong = Module { downgrade: |op| op.barrier("no"), ..FIRST };
    let wrong = Migrator::new(vec![wrong].leak());
    let mut conn = Connection::open_in_memory().unwrap();
    wrong.upgrade(&mut conn).unwrap();
    let err = wrong.downgrade(&mut conn, "base").unwrap_err();
    assert_eq!(err.to_string(), "revision `a1` can't be recorded: `op.barrier` is for `upgrade`");
}
