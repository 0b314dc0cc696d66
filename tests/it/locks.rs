//! How long a run waits for other processes.

use std::thread;
use std::time::{Duration, Instant};

use dbmigrate_tests::{Host, dump, revision, sql};
use expect_test::expect;
use rusqlite::Connection;

const N_TABLES: usize = 2;

/// Tables with more rows than the page cache holds, which a second revision rebuilds.
fn host() -> Host {
    let host = Host::library("locks", "");
    host.ok("init");
    let each = |text: &dyn Fn(String) -> String| -> String {
        (1..=N_TABLES).map(|n| text(format!("post{n}"))).collect()
    };
    let create = each(&|post| {
        format!(
            "op.create_table(Table::new({post:?})\
             .column(Column::new(\"id\", Type::BigInteger).not_null())\
             .column(Column::new(\"title\", Type::Text))\
             .primary_key(\"pk_{post}\", [\"id\"]));"
        )
    });
    let drop = each(&|post| format!("op.drop_table({post:?});"));
    let text = revision("a100", &[], "post", &create, &drop);
    host.write("migrations/versions/m1_post.rs", &text);
    let unique = each(&|post| {
        format!("op.add_unique({post:?}, Unique::new(\"uq_{post}_title\", [\"title\"]));")
    });
    let back = each(&|post| format!("op.drop_unique({post:?}, \"uq_{post}_title\");"));
    let text = revision("b200", &["a100"], "unique", &unique, &back);
    host.write("migrations/versions/m2_unique.rs", &text);
    host.ok("upgrade a100");
    let rows = each(&|post| {
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000) \
             INSERT INTO {post} SELECT i, printf('%0300d', i) FROM n;"
        )
    });
    sql(&host.dir.join("app.db"), &rows);
    host
}

/// A connection of another process that is in the middle of reading.
fn reader(host: &Host) -> Connection {
    let reader = Connection::open(host.dir.join("app.db")).unwrap();
    let sql = "PRAGMA journal_mode = DELETE; BEGIN; SELECT count(*) FROM post1";
    reader.execute_batch(sql).unwrap();
    reader
}

/// If there are more rows than the cache holds, SQLite would wait for the reader in the middle of
/// each rebuild and at the commit, each time for its own five seconds.
#[test]
fn the_wait_at_a_commit_is_said_and_ends_in_time() {
    let host = host();
    let db = host.dir.join("app.db");
    let before = dump(&db);
    // How long it takes without a reader, including the program that records.
    std::fs::copy(&db, host.dir.join("alone.db")).unwrap();
    let start = Instant::now();
    host.ok("upgrade --url sqlite:alone.db");
    let alone = start.elapsed();
    let open = reader(&host);
    let start = Instant::now();
    let run = host.fails("upgrade --lock-timeout 1");
    let waited = start.elapsed().saturating_sub(alone);
    assert!(waited < Duration::from_secs(4), "{waited:?} and {alone:?}: {run}");
    let seconds = run.stderr.split("waiting for ").nth(2).unwrap_or_default();
    let seconds = seconds.split(" s\n").next().unwrap_or_default();
    assert!((1.0..1.5).contains(&seconds.parse().unwrap_or(0.0)), "{run}");
    expect![[r#"
        another process holds the database's lock; waiting for up to 1 seconds
        error: other processes read the database, so the transaction could not be committed and was rolled back after waiting for $SECONDS s
          caused by: database is locked
          hint: let them end their transactions and run the command again, or wait longer with --lock-timeout, in a program with `Options::lock_timeout`; with a write-ahead log, `PRAGMA journal_mode = WAL`, a commit doesn't wait for readers
    "#]]
    .assert_eq(&run.errors().replace(&format!("for {seconds} s"), "for $SECONDS s"));
    open.execute_batch("COMMIT").unwrap();
    assert_eq!(dump(&db), before);
    assert_eq!(host.ok("current").stdout, "a100\n");

    // A reader that finishes in time is waited for.
    let open = reader(&host);
    thread::scope(|scope| {
        let run = scope.spawn(|| host.ok("upgrade --lock-timeout 60"));
        thread::sleep(Duration::from_secs(2));
        open.execute_batch("COMMIT").unwrap();
        let run = run.join().unwrap();
        assert_eq!(run.stdout, "Running upgrade a100 -> b200, unique\n");
    });
    assert_eq!(host.ok("current").stdout, "b200 (head)\n");
    let rows: i64 = open.query_row("SELECT count(*) FROM post1", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 10000);
}
