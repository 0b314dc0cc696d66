//! Runs on PostgreSQL that are killed, that lose their connection, and that race.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};

use dbmigrate_tests::servers::{self, Server, client, dump};
use expect_test::expect;
use postgres::Client;

use crate::bench::{is_long, said, say, survivor};
use crate::kills::REVISIONS;
use crate::server::Server as Own;

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
const ROWS: &str = "INSERT INTO post (author_id, body) \
    SELECT 1 + i % 3, 'post ' || i FROM generate_series(1, 300) AS i; \
    INSERT INTO tag (post_id) SELECT 1 + i % 100 FROM generate_series(1, 100) AS i;";

/// A database with the first two revisions and rows.
fn begun(server: &Server) -> String {
    let url = server.database();
    let output = survivor(url.as_ref()).args(["up", "r2"]).output().expect("it runs");
    assert!(output.status.success(), "{}", said(&output));
    client(&url).batch_execute(ROWS).expect("rows");
    url
}

#[test]
fn killed_or_cut_off_before_every_call_to_postgresql() {
    for server in servers::postgres("killed_or_cut_off_before_every_call_to_postgresql") {
        let url = begun(&server);
        let before = dump(&mut client(&url));
        let output = up(&url, "r7", &[]).output().expect("it runs");
        let (after, n_calls) = (dump(&mut client(&url)), n_calls(&output));
        assert!(n_calls > 20 && before != after, "{}", said(&output));
        let (mut n_before, mut n_after) = (0, 0);
        let stride = if is_long() { 1 } else { 9 };
        for way in [&[][..], &["--terminate"]] {
            for at in (1..=n_calls).step_by(stride) {
                let url = begun(&server);
                let output = up(&url, "r7", &["--kill-at", &at.to_string()]).args(way).output();
                let output = output.expect("it runs");
                if way.is_empty() {
                    assert_eq!(output.status.signal(), Some(SIGKILL), "{}", said(&output));
                }
                let mut client = client(&url);
                await_the_end_of_others(&mut client);
                let found = dump(&mut client);
                let place = format!("{} call {at} of {n_calls} {way:?}", server.name);
                if found == before {
                    n_before += 1;
                } else {
                    assert_eq!(found, after, "{place}: in between");
                    n_after += 1;
                }
                let output = up(&url, "r7", &[]).output().expect("it runs");
                assert!(output.status.success(), "{place}: {}", said(&output));
                assert_eq!(dump(&mut client), after, "{place}: the next run");
            }
        }
        assert!(n_before > 0, "{n_before}, {n_after}");
        let n_runs = n_before + n_after;
        let name = &server.name;
        say(&format!("{name}: interrupted {n_runs} runs; {n_before} before, {n_after} after"));
    }
}

/// Waits until the server has noticed that a process is gone, which it does once it reads from it.
fn await_the_end_of_others(client: &mut Client) {
    let others = "SELECT count(*) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    while client.query_one(others, &[]).expect("it is asked").get::<_, i64>(0) > 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn a_revision_in_groups_is_continued_after_an_interruption() {
    for server in servers::postgres("a_revision_in_groups_is_continued_after_an_interruption") {
        let begun = || {
            let url = begun(&server);
            let output = up(&url, "r7", &[]).output().expect("it runs");
            assert!(output.status.success(), "{}", said(&output));
            url
        };
        let url = begun();
        let before = dump(&mut client(&url));
        let output = up(&url, "r8", &[]).output().expect("it runs");
        assert!(output.status.success(), "{}", said(&output));
        let (after, n_calls) = (dump(&mut client(&url)), n_calls(&output));
        assert!(after.contains("ix_log_what") && !after.contains("dbmigrate_step"), "{after}");
        let (mut n_before, mut n_between) = (0, 0);
        let stride = if is_long() { 1 } else { 5 };
        for way in [&[][..], &["--terminate"]] {
            for at in (1..=n_calls).step_by(stride) {
                let url = begun();
                let kill_at = at.to_string();
                let output = up(&url, "r8", &["--kill-at", &kill_at]).args(way).output();
                let output = output.expect("it runs");
                let mut client = client(&url);
                await_the_end_of_others(&mut client);
                let found = dump(&mut client);
                n_before += usize::from(found == before);
                n_between += usize::from(found != before && found != after);
                let place = format!("{} call {at} of {n_calls} {way:?}", server.name);
                let next = up(&url, "r8", &[]).output().expect("it runs");
                assert!(next.status.success(), "{place}: {}{}", said(&output), said(&next));
                assert_eq!(dump(&mut client), after, "{place}: the next run");
            }
        }
        assert!(n_before > 0 && n_between > 0, "{n_before}, {n_between}");
        say(&format!("{}: continued after {n_between} interruptions", server.name));
    }
}

/// Stops the server at once, as if the machine had failed, and starts it again.
#[test]
fn the_server_is_stopped_at_once_in_the_middle() {
    let Some(own) = Own::start("stopped", "local all admin trust\n", "") else { return };
    let server = Server { name: "postgres".to_owned(), url: own.url("postgres") };
    let pid = || fs::read_to_string(own.data().join("postmaster.pid")).expect("it runs");
    for (from, to) in [("r2", "r7"), ("r7", "r8")] {
        let begun = || {
            let url = begun(&server);
            let output = up(&url, from, &[]).output().expect("it runs");
            assert!(output.status.success(), "{}", said(&output));
            url
        };
        let url = begun();
        let before = dump(&mut client(&url));
        let output = up(&url, to, &[]).output().expect("it runs");
        let (after, n_calls) = (dump(&mut client(&url)), n_calls(&output));
        let stride = if is_long() { 3 } else { n_calls / 4 };
        let (mut n_before, mut n_after, mut n_between) = (0, 0, 0);
        for at in (2..=n_calls).step_by(stride as usize) {
            let url = begun();
            let pid = pid().lines().next().map(str::to_owned).expect("a number");
            let stop =
                format!("kill -QUIT {pid}; while kill -0 {pid} 2> /dev/null; do sleep 0.02; done");
            let output = up(&url, to, &["--kill-at", &at.to_string(), "--shell", &stop]).output();
            let output = output.expect("it runs");
            assert!(
                output.status.code().is_some_and(|code| code == 0 || code == 3),
                "{}",
                said(&output)
            );
            own.control("start", &[]);
            let found = dump(&mut client(&url));
            let place = format!("{to}, call {at} of {n_calls}: {}", said(&output));
            match &found {
                found if *found == before => n_before += 1,
                found if *found == after => n_after += 1,
                found => {
                    // Only a revision in groups may be found in between.
                    assert_eq!(to, "r8", "{place}: in between:\n{found}");
                    n_between += 1;
                }
            }
            let output = up(&url, to, &[]).output().expect("it runs");
            assert!(output.status.success(), "{place}: {}", said(&output));
            assert_eq!(dump(&mut client(&url)), after, "{place}: the next run");
        }
        say(&format!(
            "the server was stopped on the way to {to}: {n_before} before, {n_between} between, \
             {n_after} after"
        ));
    }
}

#[test]
fn many_processes_upgrade_postgresql_at_once() {
    let n_rounds = if is_long() { 50 } else { 2 };
    for server in servers::postgres("many_processes_upgrade_postgresql_at_once") {
        for round in 0..n_rounds {
            let url = server.database();
            let to = if round % 2 == 0 { "r8" } else { "r7" };
            let spawn = |_| up(&url, to, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
            let children: Vec<_> =
                (0..N_PROCESSES).map(spawn).map(|child| child.expect("it runs")).collect();
            for child in children {
                let output = child.wait_with_output().expect("it ends");
                assert!(
                    output.status.success(),
                    "{}, round {round}: {}",
                    server.name,
                    said(&output)
                );
            }
            let found = dump(&mut client(&url));
            for revision in REVISIONS {
                let row = format!("dbmigrate_version: {revision}\n");
                assert_eq!(found.matches(&row).count(), 1, "{found}");
            }
            assert!(!found.contains("INVALID"), "{found}");
        }
        say(&format!("{}: {n_rounds} rounds of {N_PROCESSES} processes", server.name));
    }
}

#[test]
fn behind_a_pooler_only_transactions_are_run() {
    let Some(server) = servers::pgbouncer("behind_a_pooler_only_transactions_are_run") else {
        return;
    };
    let url = server.database();
    let spawn = |_| up(&url, "r7", &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let children: Vec<_> = (0..8).map(spawn).map(|child| child.expect("it runs")).collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", said(&output));
    }
    let before = dump(&mut client(&url));
    let output = up(&url, "r8", &[]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    expect![[r#"
        failed to take the database's lock
          caused by: a pooler gives the connection's statements to different sessions of the server
          hint: the pending revision runs outside a transaction: run it with the URL of the server itself instead of the pooler's, for example with `--url`
    "#]].assert_eq(&text);
    assert_eq!(dump(&mut client(&url)), before);
}
