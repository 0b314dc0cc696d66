//! A run whose statement waits for a lock: another session is in a transaction that has read the
//! table, or changed its rows.

use std::thread;
use std::time::{Duration, Instant};

use dbmigrate_runtime::engine::driver::Waiting;
use dbmigrate_runtime::engine::executor::{Executor, Observer, OwnSteps};
use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Direction, Migrator, Module, Options};
use dbmigrate_tests::servers::{self, Server, mysql_client};

use crate::{driver, lent};

const ALTERS: &[Module] = &[lent::module("m1", &[], alters)];

fn alters(op: &mut Operations) {
    lent::items(op);
    op.execute("ALTER TABLE busy ADD COLUMN b INT");
    op.execute("INSERT INTO busy (a, b) VALUES (2, 2)");
}

#[derive(Default)]
struct Seen {
    waits: Vec<String>,
    continued: Vec<usize>,
}

impl Observer for Seen {
    fn waiting(&mut self, waiting: &Waiting) {
        self.waits.push(waiting.holder.clone().unwrap_or_default());
    }

    fn continuing(&mut self, statement: usize) {
        self.continued.push(statement);
    }
}

/// A database with a table, and a session that has read it in its transaction.
fn read_by_another(server: &Server) -> (String, dbmigrate_runtime::mysql::Conn) {
    let url = server.database();
    let mut other = mysql_client(&url);
    other.query_drop("CREATE TABLE busy (a INT)").expect("a table");
    other.query_drop("INSERT INTO busy VALUES (1)").expect("a row");
    other.query_drop("START TRANSACTION").expect("a transaction");
    let _: Vec<i64> = other.query("SELECT a FROM busy").expect("rows");
    (url, other)
}

const CHANGES_ROWS: &[Module] = &[lent::module("m1", &[], changes_rows)];

fn changes_rows(op: &mut Operations) {
    op.execute("UPDATE busy SET a = a + 1");
}

fn run(url: &str, lock_timeout: Duration, seen: &mut Seen) -> Result<(), String> {
    run_history(ALTERS, url, lock_timeout, seen)
}

fn run_history(
    history: &'static [Module],
    url: &str,
    lock_timeout: Duration,
    seen: &mut Seen,
) -> Result<(), String> {
    let migrations = &Migrator::new(history).migrations().expect("a history");
    let options = &Options { lock_timeout, ..Options::default() };
    let (driver, steps) = (&mut driver(url), &mut OwnSteps);
    let mut executor = Executor { driver, migrations, options, observer: seen, steps };
    executor.run(Direction::Upgrade, "head").map(drop).map_err(|err| err.report())
}

fn rows(url: &str) -> Vec<(i64, Option<i64>)> {
    mysql_client(url).query("SELECT a, b FROM busy ORDER BY a").expect("rows")
}

#[test]
fn a_run_waits_for_a_reader_and_names_it() {
    for server in servers::mysql("a_run_waits_for_a_reader_and_names_it") {
        let (url, mut other) = read_by_another(&server);
        let id = other.connection_id();
        let ends = thread::spawn(move || {
            thread::sleep(Duration::from_millis(1600));
            other.query_drop("COMMIT").expect("it is committed");
        });
        let mut seen = Seen::default();
        run(&url, Duration::from_secs(60), &mut seen).expect("it is upgraded");
        ends.join().expect("it ends");
        let holder = format!("connection {id} (`root`) of the server holds a lock");
        assert_eq!(seen.waits, [holder], "{}", server.name);
        assert_eq!(rows(&url), [(1, None), (2, Some(2))]);
    }
}

#[test]
fn a_run_that_waits_too_long_is_continued_by_the_next_one() {
    for server in servers::mysql("a_run_that_waits_too_long_is_continued_by_the_next_one") {
        let (url, mut other) = read_by_another(&server);
        let id = other.connection_id();
        let mut seen = Seen::default();
        let text = run(&url, Duration::from_secs(1), &mut seen).expect_err("it waits too long");
        let text = text.replace(&id.to_string(), "ID");
        let expected = expect_test::expect![[r#"
            revision `m1` stopped halfway: statement 3 of 4 failed: ALTER TABLE busy ADD COLUMN b INT
              caused by: Lock wait timeout exceeded; try restarting transaction
              hint: the statements before this one have been applied: correct the cause and run the command again; it continues after them; with `--restart`, it takes them back first
        "#]];
        expected.assert_eq(&format!("{text}\n"));
        assert!(seen.continued.is_empty(), "{}", server.name);
        other.query_drop("COMMIT").expect("it is committed");
        run(&url, Duration::from_secs(1), &mut seen).expect("nobody is in the way");
        assert_eq!(seen.continued, [3], "{}", server.name);
        assert_eq!(rows(&url), [(1, None), (2, Some(2))]);
    }
}

#[test]
fn a_wait_for_rows_is_a_part_of_the_time_that_a_run_may_wait() {
    for server in servers::mysql("a_wait_for_rows_is_a_part_of_the_time_that_a_run_may_wait") {
        let (url, mut other) = read_by_another(&server);
        other.query_drop("UPDATE busy SET a = 5").expect("a row is locked");
        let (mut seen, start) = (Seen::default(), Instant::now());
        let text = run_history(CHANGES_ROWS, &url, Duration::from_secs(2), &mut seen)
            .expect_err("it waits too long");
        // One attempt that waited for the whole time, and at most one for what was left.
        assert!(start.elapsed() < Duration::from_secs(6), "{}: {:?}", server.name, start.elapsed());
        let expected = expect_test::expect![[r#"
            revision `m1` was rolled back: statement 1 of 1 failed: UPDATE busy SET a = a + 1
              caused by: Lock wait timeout exceeded; try restarting transaction
        "#]];
        expected.assert_eq(&format!("{text}\n"));
        other.query_drop("COMMIT").expect("it is committed");
        run_history(CHANGES_ROWS, &url, Duration::from_secs(2), &mut seen)
            .expect("nobody is there");
        let rows: Vec<i64> = mysql_client(&url).query("SELECT a FROM busy").expect("rows");
        assert_eq!(rows, [6]);
    }
}

#[test]
fn a_lent_connection_waits_as_long_as_before() {
    for server in servers::mysql("a_lent_connection_waits_as_long_as_before") {
        let mut conn = mysql_client(&server.database());
        conn.query_drop("SET SESSION innodb_lock_wait_timeout = 33").expect("a setting");
        let options = Options { lock_timeout: Duration::from_secs(2), ..Options::default() };
        let ran = Migrator::new(lent::MODULES).upgrade_with(&mut conn, "head", &options);
        assert_eq!(ran.expect("it is migrated"), ["m1"]);
        let found: Option<u64> = conn.query_first("SELECT @@innodb_lock_wait_timeout").expect("it");
        assert_eq!(found, Some(33), "{}", server.name);
    }
}
