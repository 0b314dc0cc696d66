//! Many processes at once: each revision is applied once, and all processes succeed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use dbmigrate_tests::{Host, dump, revision, sql, tool};

use crate::bench::{is_long, said, say, survivor};

const N_PROCESSES: usize = 32;

/// The host of all tests in this file, for as long as one of them uses it.
fn host() -> Arc<Host> {
    static HOST: Mutex<Weak<Host>> = Mutex::new(Weak::new());
    let mut shared = HOST.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let host = Arc::new(new_host());
        *shared = Arc::downgrade(&host);
        host
    })
}

/// A table, a row for each time that a revision runs, and a revision outside a transaction.
fn new_host() -> Host {
    let host = Host::library("survive", "");
    host.ok("init");
    let write = |id: &str, parents: &[&str], upgrade: &str| {
        let text = revision(id, parents, "", upgrade, "");
        host.write(&format!("migrations/versions/m_{id}.rs"), &text);
    };
    let mark = |id: &str| format!("op.execute(\"INSERT INTO mark (what) VALUES ('{id}')\");");
    let table = "op.create_table(Table::new(\"mark\")\
         .column(Column::new(\"id\", Type::BigInteger).not_null())\
         .column(Column::new(\"what\", Type::Text).not_null())\
         .primary_key(\"pk_mark\", [\"id\"]));";
    write("a1", &[], &format!("{table}{}", mark("a1")));
    let column = "op.add_column(\"mark\", Column::new(\"note\", Type::Text));";
    write("b2", &["a1"], &format!("{column}{}", mark("b2")));
    write("c3", &["b2"], &mark("c3"));
    // It takes long enough for others to encounter it.
    let alone = "op.no_transaction(); op.execute(\"WITH RECURSIVE n (i) AS (SELECT 1 UNION \
         ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i) FROM n\");";
    write("d4", &["c3"], &format!("{alone}{}", mark("d4")));
    write("e5", &["d4"], &mark("e5"));
    // Compiles and records them.
    host.ok("upgrade --url sqlite:first.db");
    host
}

fn upgrade(db: &Path, args: &[&str]) -> Command {
    let mut command = host().command(tool());
    command.args(["dbmigrate", "upgrade", "--url"]).arg(format!("sqlite:{}", db.display()));
    command.args(args);
    command
}

fn database(name: &str) -> PathBuf {
    let dir = host().dir.join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir(&dir).expect("a directory");
    dir.join("app.db")
}

fn at_once(mut command: impl FnMut() -> Command) -> Vec<Output> {
    let spawn = |_| command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let children: Vec<Child> =
        (0..N_PROCESSES).map(spawn).map(|found| found.expect("runs")).collect();
    children.into_iter().map(|child| child.wait_with_output().expect("it ends")).collect()
}

/// How often each revision ran, in order.
fn marks(db: &Path) -> Vec<String> {
    let conn = rusqlite::Connection::open(db).expect("it opens");
    let mut rows = conn.prepare("SELECT what FROM mark ORDER BY id").expect("the table");
    let marks =
        rows.query_map([], |row| row.get(0)).expect("rows").map(|found| found.expect("a row"));
    marks.collect()
}

#[track_caller]
fn check_applied_once(db: &Path, outputs: &[Output], n_pending: usize) {
    for output in outputs {
        assert!(output.status.success(), "{}", said(output));
    }
    assert_eq!(marks(db), ["a1", "b2", "c3", "d4", "e5"]);
    assert_eq!(dump(db).matches("dbmigrate_version: ").count(), 5, "{}", dump(db));
    let running = outputs.iter().map(|output| said(output).matches("Running upgrade").count());
    assert_eq!(running.sum::<usize>(), n_pending, "each is said to run once");
    for text in ["app.db-dbmigrate", "app.db-journal"] {
        assert!(!db.with_file_name(text).exists(), "{text} is left");
    }
}

#[test]
fn thirty_two_processes_apply_each_revision_once() {
    let _host = host();
    let n_rounds = if is_long() { 50 } else { 3 };
    let (mut n_waiting, mut n_reads) = (0, 0);
    for round in 0..n_rounds {
        let db = database("race");
        // Files that have rows and readers, and new ones; both with and without a write-ahead log.
        let has_rows = round % 4 < 2;
        if round % 2 == 1 {
            sql(&db, "PRAGMA journal_mode = WAL; CREATE TABLE mine (a); DROP TABLE mine");
        }
        if has_rows {
            let output = upgrade(&db, &["a1"]).output().expect("it runs");
            assert!(output.status.success(), "{}", said(&output));
        }
        let is_over = AtomicBool::new(false);
        let outputs = std::thread::scope(|scope| {
            let read = scope.spawn(|| if has_rows { read(&db, &is_over) } else { 0 });
            let outputs = at_once(|| upgrade(&db, &[]));
            is_over.store(true, Ordering::Relaxed);
            n_reads += read.join().expect("the reader reads");
            outputs
        });
        n_waiting +=
            outputs.iter().filter(|output| said(output).contains("waiting for up to")).count();
        check_applied_once(&db, &outputs, if has_rows { 4 } else { 5 });
    }
    say(&format!(
        "{n_rounds} rounds of {N_PROCESSES} processes: each revision once; {n_waiting} said that \
         they wait; {n_reads} reads meanwhile"
    ));
}

/// Reads until the end of the test: it only sees states before or after a transaction.
fn read(db: &Path, is_over: &AtomicBool) -> u32 {
    let conn = rusqlite::Connection::open(db).expect("it opens");
    conn.busy_timeout(Duration::from_secs(30)).expect("a timeout");
    let mut n_reads = 0;
    while !is_over.load(Ordering::Relaxed) {
        let (n_marks, n_applied): (i64, i64) = conn
            .query_row(
                "SELECT (SELECT count(*) FROM mark), (SELECT count(*) FROM dbmigrate_version)",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .expect("it can be read");
        // `d4` runs outside a transaction, so its mark exists before its version row.
        let is_alone = (n_marks, n_applied) == (4, 3);
        assert!(is_alone || n_marks == n_applied, "{n_marks} marks, {n_applied} applied");
        n_reads += 1;
    }
    assert!(n_reads > 0);
    n_reads
}

#[test]
fn thirty_two_programs_migrate_at_their_start() {
    let n_rounds = if is_long() { 50 } else { 2 };
    let dir = std::env::temp_dir().join(format!("dbmigrate-starts-{}", std::process::id()));
    for round in 0..n_rounds {
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).expect("a directory");
        let db = dir.join("app.db");
        if round % 2 == 1 {
            sql(&db, "PRAGMA journal_mode = WAL");
        }
        let mut program = || {
            let mut program = survivor(&db);
            program.arg("embedded");
            program
        };
        for output in at_once(&mut program) {
            assert!(output.status.success(), "{}", said(&output));
        }
        let found = dump(&db);
        assert_eq!(found.matches("author: ").count(), 3, "{found}");
    }
    let _ = fs::remove_dir_all(&dir);
    say(&format!("{n_rounds} rounds of {N_PROCESSES} programs"));
}

#[test]
fn a_process_that_is_killed_alone_leaves_no_lock() {
    let _host = host();
    let mut n_held = 0;
    while n_held < if is_long() { 30 } else { 2 } {
        let db = database("alone");
        let output = upgrade(&db, &["c3"]).output().expect("it runs");
        assert!(output.status.success(), "{}", said(&output));
        let side = db.with_file_name("app.db-dbmigrate");
        let mut holder = upgrade(&db, &[]).stdout(Stdio::null()).spawn().expect("it runs");
        while !side.exists() && holder.try_wait().expect("it runs").is_none() {
            std::thread::yield_now();
        }
        holder.kill().expect("killed");
        holder.wait().expect("it ends");
        // Otherwise it had already finished.
        if side.exists() {
            n_held += 1;
            check_killed_alone(&db, &side);
        }
    }
    say(&format!("killed {n_held} times while it held the lock of a revision that stands alone"));
}

fn check_killed_alone(db: &Path, side: &Path) {
    let start = Instant::now();
    let outputs = at_once(|| upgrade(db, &["--lock-timeout", "50"]));
    for output in &outputs {
        assert!(output.status.success(), "{}", said(output));
    }
    assert!(start.elapsed() < Duration::from_secs(40), "nobody waits for the dead");
    assert!(!side.exists());
    let marks = marks(db);
    assert_eq!(marks.iter().filter(|mark| *mark == "e5").count(), 1, "{marks:?}");
}

#[test]
fn a_lock_that_is_held_is_waited_for_as_long_as_asked() {
    let _host = host();
    let db = database("held");
    let output = upgrade(&db, &["c3"]).output().expect("it runs");
    assert!(output.status.success(), "{}", said(&output));
    // The locks of the database, and of a revision outside a transaction.
    for file in ["app.db", "app.db-dbmigrate"] {
        let other = rusqlite::Connection::open(db.with_file_name(file)).expect("it opens");
        other
            .execute_batch(if file == "app.db" { "BEGIN IMMEDIATE" } else { "BEGIN EXCLUSIVE" })
            .expect("it is free");
        let output = upgrade(&db, &["--lock-timeout", "1"]).output().expect("it runs");
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        let said = said(&output);
        let lines: Vec<&str> = said.lines().skip_while(|line| !line.contains("waiting")).collect();
        assert!(lines[0].ends_with("waiting for up to 1 seconds"), "{file}: {said}");
        assert!(lines[1].contains("error: another process held the database's lock for 1."));
        assert!(lines[3].contains("or wait longer with --lock-timeout"), "{said}");
        let output = upgrade(&db, &["--lock-timeout", "1", "-q"]).output().expect("it runs");
        assert!(!crate::bench::said(&output).contains("waiting"), "-q");
    }
    assert_eq!(marks(&db), ["a1", "b2", "c3"]);
}
