//! Runs on MySQL and MariaDB that are killed, that lose their connection, and that race. Each change
//! of a definition commits there, so a run may end in between, and the next one continues.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};

use dbmigrate_runtime::mysql::Conn;
use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, Server, dump_mysql, mysql_client};

use crate::bench::{is_long, said, say, survivor};
use crate::kills::REVISIONS;

const SIGKILL: i32 = 9;
const N_PROCESSES: usize = 32;

fn up(url: &str, to: &str, args: &[&str]) -> Command {
    let mut command = survivor(url.as_ref());
    command.args(["up", to]).args(args);
    command
}

fn n_calls(output: &Output) -> u64 {
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().unwrap_or_else(|_| panic!("{}", said(output)))
}

/// Rows of the application, after the first two revisions.
const ROWS: [&str; 2] = [
    "INSERT INTO post (author_id, body) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL \
     SELECT i + 1 FROM n WHERE i < 100) SELECT 1 + i % 3, concat('post ', i) FROM n",
    "INSERT INTO tag (post_id) SELECT id FROM post WHERE id <= 40",
];

/// Empties the database, and migrates it to the second revision, with rows.
fn begin(conn: &mut Conn, url: &str) {
    let name: Option<String> = conn.query_first("SELECT DATABASE()").expect("its name");
    let name = name.expect("a database");
    conn.query_drop(format!("DROP DATABASE {name}")).expect("it is dropped");
    conn.query_drop(format!("CREATE DATABASE {name}")).expect("it is created");
    conn.query_drop(format!("USE {name}")).expect("it is used");
    let output = up(url, "r2", &[]).output().expect("it runs");
    assert!(output.status.success(), "{}", said(&output));
    for rows in ROWS {
        conn.query_drop(rows).expect("rows");
    }
}

/// Waits until the server has noticed that a process is gone, and has ended what it ran.
fn await_the_end_of_others(conn: &mut Conn) {
    let others = "SELECT COUNT(*) FROM information_schema.processlist \
                  WHERE db = DATABASE() AND id <> CONNECTION_ID()";
    while conn.query_first::<u64, _>(others).expect("it is asked") != Some(0) {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

#[test]
fn continued_after_an_interruption_before_every_call_to_mysql() {
    for server in servers::mysql("continued_after_an_interruption_before_every_call_to_mysql") {
        let url = server.database();
        let mut conn = mysql_client(&url);
        begin(&mut conn, &url);
        let before = dump_mysql(&mut conn);
        let output = up(&url, "r7", &[]).output().expect("it runs");
        let (after, n_calls) = (dump_mysql(&mut conn), n_calls(&output));
        assert!(n_calls > 20 && before != after, "{}", said(&output));
        let (mut n_before, mut n_between, mut n_after) = (0, 0, 0);
        let stride = if is_long() { 1 } else { 23 };
        for (nth, way) in [&[][..], &["--terminate"]].into_iter().enumerate() {
            for at in (1 + nth as u64 * 5..=n_calls).step_by(stride) {
                begin(&mut conn, &url);
                let output = up(&url, "r7", &["--kill-at", &at.to_string()]).args(way).output();
                let output = output.expect("it runs");
                if way.is_empty() {
                    assert_eq!(output.status.signal(), Some(SIGKILL), "{}", said(&output));
                }
                await_the_end_of_others(&mut conn);
                match dump_mysql(&mut conn) {
                    found if found == before => n_before += 1,
                    found if found == after => n_after += 1,
                    _ => n_between += 1,
                }
                let place = format!("{} call {at} of {n_calls} {way:?}", server.name);
                let next = up(&url, "r7", &[]).output().expect("it runs");
                assert!(next.status.success(), "{place}: {}{}", said(&output), said(&next));
                let found = dump_mysql(&mut conn);
                assert_eq!(found, after, "{place}: the next run");
            }
        }
        assert!(n_before > 0 && n_between > 0, "{n_before}, {n_between}");
        let name = &server.name;
        let n_runs = n_before + n_between + n_after;
        say(&format!(
            "{name}: interrupted {n_runs} runs; {n_before} before, {n_between} between, {n_after} \
             after; all were completed"
        ));
    }
}

#[test]
fn many_processes_upgrade_mysql_at_once() {
    let n_rounds = if is_long() { 50 } else { 1 };
    for server in servers::mysql("many_processes_upgrade_mysql_at_once") {
        for round in 0..n_rounds {
            let url = server.database();
            race(&server, &url, round);
        }
        say(&format!("{}: {n_rounds} rounds of {N_PROCESSES} processes", server.name));
    }
}

fn race(server: &Server, url: &str, round: usize) {
    let spawn = |_| up(url, "r7", &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let children: Vec<_> =
        (0..N_PROCESSES).map(spawn).map(|child| child.expect("it runs")).collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}, round {round}: {}", server.name, said(&output));
    }
    let mut conn = mysql_client(url);
    let found = dump_mysql(&mut conn);
    for revision in REVISIONS {
        let row = format!("dbmigrate_version: '{revision}'\n");
        assert_eq!(found.matches(&row).count(), 1, "{found}");
    }
    let left = "SELECT COUNT(*) FROM dbmigrate_step";
    assert_eq!(conn.query_first::<u64, _>(left).expect("the ledger"), Some(0));
    let name: Option<String> = conn.query_first("SELECT DATABASE()").expect("its name");
    conn.query_drop(format!("DROP DATABASE {}", name.expect("a database"))).expect("dropped");
}
