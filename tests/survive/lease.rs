//! Runs on MySQL and MariaDB that exclude each other by a lease, as on servers whose named locks do
//! nothing: they race, and one is paused beyond its lease.

use std::process::{Child, Output, Stdio};
use std::time::Duration;
use std::{fs, thread};

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, dump_mysql, mysql_client};

use crate::bench::{is_long, said, say, survivor};
use crate::mysql::{UPGRADE, check_each_once};

const N_PROCESSES: usize = 8;

#[test]
fn many_processes_share_a_lease() {
    let n_rounds = if is_long() { 50 } else { 1 };
    for server in servers::mysql("many_processes_share_a_lease") {
        for _ in 0..n_rounds {
            let url = server.database();
            let children: Vec<Child> = (0..N_PROCESSES).map(|_| spawn(&url, &[])).collect();
            for child in children {
                let output = child.wait_with_output().expect("it ends");
                assert!(output.status.success(), "{}: {}", server.name, said(&output));
            }
            check_each_once(&mut mysql_client(&url));
        }
        say(&format!("{}: {n_rounds} rounds of {N_PROCESSES} leases", server.name));
    }
}

/// An upgrade that takes a lease of two seconds.
fn spawn(url: &str, args: &[&str]) -> Child {
    let mut command = survivor(url.as_ref());
    command.args(["up", "r7", "--lease", "2"]).args(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs")
}

#[test]
fn a_process_that_was_paused_beyond_its_lease_does_nothing_more() {
    let test = "a_process_that_was_paused_beyond_its_lease_does_nothing_more";
    for server in servers::mysql(test) {
        let url = server.database();
        let mut conn = mysql_client(&url);
        let undisturbed = UPGRADE.undisturbed(&mut conn, &url, &["--lease", "2"]);
        let n_calls = undisturbed.n_calls;
        let stride = if is_long() { 1 } else { n_calls / 2 };
        let (mut n_stopped, mut n_nothing) = (0, 0);
        for at in (stride.min(n_calls / 3)..=n_calls).step_by(stride as usize) {
            UPGRADE.begin(&mut conn, &url);
            let at = at.to_string();
            let paused = spawn(&url, &["--kill-at", &at, "--shell", "kill -STOP $PPID"]);
            await_the_pause(&paused);
            let place = format!("{}, call {at} of {n_calls}", server.name);
            let next = spawn(&url, &[]).wait_with_output().expect("it ends");
            assert!(next.status.success(), "{place}: {}", said(&next));
            assert_eq!(dump_mysql(&mut conn), undisturbed.after, "{place}: the next run");
            let output = go_on(paused);
            match output.status.code() {
                Some(3) => n_stopped += 1,
                // Before it had the lease, or after everything.
                Some(0) => n_nothing += 1,
                _ => panic!("{place}: {}", said(&output)),
            }
            assert_eq!(dump_mysql(&mut conn), undisturbed.after, "{place}: {}", said(&output));
            let n_errors = "SELECT COUNT(*) FROM dbmigrate_step";
            assert_eq!(conn.query_first::<u64, _>(n_errors).expect("the ledger"), Some(0));
        }
        assert!(n_stopped > 0);
        say(&format!(
            "{}: paused beyond the lease; {n_stopped} stopped then, {n_nothing} had nothing to do",
            server.name
        ));
    }
}

fn await_the_pause(child: &Child) {
    let status = format!("/proc/{}/status", child.id());
    while !fs::read_to_string(&status).is_ok_and(|text| text.contains("State:\tT")) {
        thread::sleep(Duration::from_millis(5));
    }
}

fn go_on(child: Child) -> Output {
    let go_on =
        std::process::Command::new("kill").args(["-CONT", &child.id().to_string()]).status();
    assert!(go_on.expect("`kill` runs").success());
    child.wait_with_output().expect("it ends")
}
