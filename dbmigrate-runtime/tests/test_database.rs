//! A migrated file for each test.
#![cfg(feature = "sqlite")]

mod modules;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use dbmigrate_runtime::{Migrator, Module, TestDatabase};
use modules::module;
use rusqlite::Connection;

static COUNT: AtomicUsize = AtomicUsize::new(0);

static MODULES: &[Module] = &[module(
    "a1",
    &[],
    |op| {
        op.execute("CREATE TABLE one (id INTEGER PRIMARY KEY)");
        op.run("count", |db| {
            COUNT.fetch_add(1, Relaxed);
            db.execute("INSERT INTO one VALUES (7)", ())?;
            Ok(())
        });
    },
    |op| {
        op.execute("DROP TABLE one");
    },
)];

const _: () = {
    const fn shared<T: Send + Sync + 'static>() {}
    shared::<TestDatabase>();
};

fn ids(path: &Path) -> Vec<i64> {
    let conn = Connection::open(path).unwrap();
    let mut found = conn.prepare("SELECT id FROM one ORDER BY id").unwrap();
    found.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn every_test_has_a_file_of_its_own_and_the_history_runs_once() {
    let migrator = Migrator::new(MODULES);
    let work = |nth: i64| {
        let database = migrator.test_database("sqlite:no/such/directory/app.db").unwrap();
        let path = database.path().unwrap().to_owned();
        let conn = Connection::open(&path).unwrap();
        conn.execute("INSERT INTO one VALUES (?1)", [100 + nth]).unwrap();
        assert_eq!(ids(&path), [7, 100 + nth]);
        assert!(migrator.is_up_to_date(database.url()).unwrap());
        (path, database)
    };
    let made: Vec<(PathBuf, TestDatabase)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|nth| scope.spawn(move || work(nth))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(COUNT.load(Relaxed), 1);
    let paths: BTreeSet<_> = made.iter().map(|(path, _)| path.clone()).collect();
    assert_eq!(paths.len(), 8);
    drop(made);
    for path in paths {
        assert!(!path.parent().unwrap().exists(), "{}", path.display());
    }

    static FAILS: &[Module] = &[module(
        "a1",
        &[],
        |op| {
            op.execute("SELECT nope");
        },
        |_| {},
    )];
    let err = Migrator::new(FAILS).test_database("app.db").unwrap_err().report();
    assert!(err.contains("no such column: nope"), "{err}");
    let none = Migrator::new(&[]).test_database("sqlite::memory:").unwrap();
    assert!(Connection::open(none.path().unwrap()).is_ok());
}

/// The process below leaves one file, and then finds the one that another process left.
#[test]
fn what_a_killed_test_left_is_removed_by_a_later_process() {
    let dir = std::env::temp_dir().join(format!("dbmigrate-left-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let run = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "in_a_process_that_is_killed"]);
        command.env("TMPDIR", &dir).env("DBMIGRATE_TEST_KILLED", "1");
        assert!(!command.output().unwrap().status.success());
    };
    let entries = || -> Vec<PathBuf> {
        std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    run();
    let [left] = &entries()[..] else { panic!("{:?}", entries()) };
    // One that isn't a minute old may be in the making.
    run();
    assert_eq!(entries().len(), 2);
    let hour = SystemTime::now() - Duration::from_secs(3600);
    std::fs::File::open(left).unwrap().set_modified(hour).unwrap();
    std::fs::create_dir(dir.join("dbmigrate-test-of-mine")).unwrap();
    run();
    assert!(!left.exists());
    assert_eq!(entries().len(), 3, "{:?}", entries());
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn in_a_process_that_is_killed() {
    if std::env::var_os("DBMIGRATE_TEST_KILLED").is_some() {
        let _database = Migrator::new(MODULES).test_database("sqlite:app.db").unwrap();
        std::process::abort();
    }
}

#[test]
fn every_test_has_a_database_in_memory_of_its_own_and_the_history_runs_once() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    static COUNTED: &[Module] = &[module(
        "a1",
        &[],
        |op| {
            op.execute("CREATE TABLE one (id INTEGER PRIMARY KEY)");
            op.run("count", |db| {
                RUNS.fetch_add(1, Relaxed);
                db.execute("INSERT INTO one VALUES (7)", ())?;
                Ok(())
            });
        },
        |op| {
            op.execute("DROP TABLE one");
        },
    )];
    let migrator = Migrator::new(COUNTED);
    let work = |nth: i64| {
        let conn = migrator.in_memory().unwrap();
        conn.execute("INSERT INTO one VALUES (?1)", [100 + nth]).unwrap();
        let mut found = conn.prepare("SELECT id FROM one ORDER BY id").unwrap();
        let ids = found.query_map([], |row| row.get(0)).unwrap();
        let ids: Vec<i64> = ids.map(Result::unwrap).collect();
        assert_eq!(ids, [7, 100 + nth]);
        assert!(migrator.is_up_to_date(&conn).unwrap());
    };
    std::thread::scope(|scope| {
        for nth in 0..8 {
            scope.spawn(move || work(nth));
        }
    });
    assert_eq!(RUNS.load(Relaxed), 1);

    // Another history of as many modules is another one.
    static OTHER: &[Module] = &[module(
        "b1",
        &[],
        |op| {
            op.execute("SELECT 1");
        },
        |_| {},
    )];
    let conn = Migrator::new(OTHER).in_memory().unwrap();
    assert!(conn.prepare("SELECT id FROM one").is_err());

    static FAILS: &[Module] = &[module(
        "a1",
        &[],
        |op| {
            op.execute("SELECT nope");
        },
        |_| {},
    )];
    for _ in 0..2 {
        let err = Migrator::new(FAILS).in_memory().unwrap_err().report();
        assert!(err.contains("no such column: nope"), "{err}");
    }
    let none = Migrator::new(&[]).in_memory().unwrap();
    assert!(Migrator::new(&[]).is_up_to_date(&none).unwrap());
}
