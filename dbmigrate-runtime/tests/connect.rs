//! What a migrator accepts: a connection, a URL, a path.
#![cfg(feature = "sqlite")]

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::rusqlite::{Connection, OpenFlags};
use dbmigrate_runtime::{Migrator, Module, Options};
use expect_test::expect;

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

#[test]
fn a_url_and_a_path_are_as_good_as_a_connection() {
    let migrator = Migrator::new(&[MODULE]);
    let dir = std::env::temp_dir().join(format!("dbmigrate-connect-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("app.db");
    let url = format!("sqlite:{}", path.display());

    // A missing file can be queried without being created.
    assert_eq!(migrator.status(&path).unwrap().pending, ["a1"]);
    assert!(!migrator.is_up_to_date(url.as_str()).unwrap());
    assert!(!path.exists());

    assert_eq!(migrator.upgrade(&path).unwrap(), ["a1"]);
    assert_eq!(migrator.upgrade(&url).unwrap(), [""; 0]);
    assert!(migrator.is_up_to_date(path.as_path()).unwrap());
    let mut conn = Connection::open(&path).unwrap();
    assert_eq!(migrator.status(&conn).unwrap().applied, ["a1"]);
    assert_eq!(migrator.status(&mut conn).unwrap().applied, ["a1"]);
    assert_eq!(migrator.downgrade(&mut conn, "base").unwrap(), ["a1"]);
    let reader = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    assert_eq!(migrator.status(&reader).unwrap().pending, ["a1"]);
    assert_eq!(migrator.upgrade_url(&url).unwrap(), ["a1"]);
    assert_eq!(migrator.downgrade(url, "base").unwrap(), ["a1"]);

    let failure = |url: &str| migrator.upgrade(url).unwrap_err().report();
    assert_eq!(
        failure("oracle://me:secret@host/app"),
        "`oracle:` databases are not supported by this version\n  hint: use \
         `sqlite:path/to/file.db`, `postgres://user@host/database` or `mysql://user@host/database`"
    );
    let missing = format!("sqlite:{}?mode=rw", dir.join("other.db").display());
    assert!(failure(&missing).starts_with("failed to open the database"));
    assert_eq!(migrator.status(&missing).unwrap().pending, ["a1"]);
    std::fs::remove_dir_all(&dir).unwrap();
}

const fn after(revision: &'static str, upgrade: fn(&mut Operations)) -> Module {
    Module { revision, name: revision, down_revision: &["a1"], upgrade, ..MODULE }
}

fn dir_of_its_own(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("dbmigrate-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

#[test]
fn a_run_that_commits_nothing_leaves_no_file() {
    let dir = dir_of_its_own("fresh");
    let list = || std::fs::read_dir(&dir).unwrap().count();
    let path = dir.join("app.db");
    static FAILS: &[Module] = &[
        MODULE,
        after("b2", |op| {
            op.execute("SELECT no_such_column");
        }),
    ];
    let migrator = Migrator::new(FAILS);
    let fails = |options: &Options| {
        let err = migrator.upgrade_with(&path, "head", options).unwrap_err().report();
        assert!(err.contains("no such column: no_such_column"), "{err}");
    };
    fails(&Options::default());
    fails(&Options { version_table: "done".to_owned(), ..Options::default() });
    assert!(migrator.downgrade(&path, "base").unwrap().is_empty());
    assert_eq!(list(), 0);
    // If nobody else uses the file, a timeout of zero works.
    fails(&Options { lock_timeout: Duration::ZERO, ..Options::default() });

    // What is committed before the failure stays, under the file's final name.
    let each = Options { transaction_each: true, ..Options::default() };
    fails(&each);
    assert_eq!(migrator.status(&path).unwrap().applied, ["a1"]);
    assert_eq!(list(), 1);

    // The same without a transaction.
    let path = dir.join("alone.db");
    static ALONE: Module = Module {
        upgrade: |op| {
            op.no_transaction();
            op.execute("PRAGMA journal_mode = WAL");
            op.execute("CREATE TABLE half (a)");
            op.execute("SELECT no_such_column");
        },
        ..MODULE
    };
    Migrator::new(std::slice::from_ref(&ALONE)).upgrade(&path).unwrap_err();
    let conn = Connection::open(&path).unwrap();
    conn.execute("INSERT INTO half VALUES (1)", []).unwrap();
    drop(conn);
    assert_eq!(list(), 2);
    std::fs::remove_dir_all(&dir).unwrap();
}

/// SQLite creates the file that a link leads to, through several links, relative and absolute ones.
#[test]
#[cfg(unix)]
fn a_link_to_nothing_is_followed_and_a_run_that_commits_nothing_leaves_no_file_there() {
    use std::os::unix::fs::symlink;

    static FAILS: &[Module] = &[
        MODULE,
        after("b2", |op| {
            op.execute("SELECT no_such_column");
        }),
    ];
    let dir = dir_of_its_own("link-to-nothing");
    let (data, link) = (dir.join("data"), dir.join("app.db"));
    std::fs::create_dir(&data).unwrap();
    symlink("../data/real.db", data.join("second.db")).unwrap();
    symlink(data.join("second.db"), &link).unwrap();
    let names = || {
        let names = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    };
    let err = Migrator::new(FAILS).upgrade(&link).unwrap_err().report();
    assert!(err.contains("no such column: no_such_column"), "{err}");
    assert_eq!(names(), ["second.db"]);
    assert_eq!(Migrator::new(&[MODULE]).upgrade(&link).unwrap(), ["a1"]);
    assert_eq!(names(), ["real.db", "second.db"]);
    assert!(link.is_symlink() && !data.join("real.db").is_symlink());
    assert_eq!(Migrator::new(&[MODULE]).status(&link).unwrap().applied, ["a1"]);
    // Links in a circle lead to no file.
    symlink("two.db", dir.join("one.db")).unwrap();
    symlink("one.db", dir.join("two.db")).unwrap();
    let err = Migrator::new(FAILS).upgrade(dir.join("one.db")).unwrap_err().report();
    assert!(err.starts_with("failed to open the database"), "{err}");
    std::fs::remove_dir_all(&dir).unwrap();
}

/// The steps aren't run again in the database that the other process has created.
#[test]
fn a_database_that_another_process_creates_meanwhile_stays_as_it_is() {
    fn path() -> PathBuf {
        std::env::temp_dir().join(format!("dbmigrate-meanwhile-{}/app.db", std::process::id()))
    }
    static N_RUNS: AtomicUsize = AtomicUsize::new(0);
    static MODULES: &[Module] = &[
        MODULE,
        after("b2", |op| {
            op.run("other", |_| {
                N_RUNS.fetch_add(1, Relaxed);
                Connection::open(path())?.execute_batch("CREATE TABLE other (a)")?;
                Ok(())
            });
        }),
    ];
    let dir = dir_of_its_own("meanwhile");
    let report = Migrator::new(MODULES).upgrade(path()).unwrap_err().report();
    let report = report.replace(&dir.display().to_string(), "");
    expect![[r#"
        another process created the file `/app.db` while this run was creating it; that file was left as it is, and nothing from this run was kept
          hint: run the command again: it migrates that file if it is a database"#]].assert_eq(&report);
    assert_eq!(N_RUNS.load(Relaxed), 1);
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1);
    let tables = "SELECT group_concat(name) FROM sqlite_schema";
    let tables = Connection::open(path()).unwrap().query_row(tables, [], |row| row.get(0));
    assert_eq!(tables, Ok("other".to_owned()));
    std::fs::remove_dir_all(&dir).unwrap();
}
