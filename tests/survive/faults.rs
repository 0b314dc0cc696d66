//! A disk that is full, that fails, and that loses what was not synced.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::bench::{Bench, Case, is_long, said, say};

/// The library that intercepts calls of libc.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let made = dir.join(format!("faults-{}.so", std::process::id()));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/survive/faults.c");
        let mut cc = Command::new("cc");
        cc.args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"]).arg(&made).arg(source);
        let output = cc.arg("-ldl").output().expect("a C compiler");
        assert!(output.status.success(), "{}", said(&output));
        let path = dir.join("faults.so");
        fs::rename(made, &path).expect("renamed");
        path
    })
}

struct Fault<'a> {
    mode: &'a str,
    /// The number of the call, counted from 1.
    at: u64,
    seed: u64,
}

/// Runs with a fault; returns how many calls there were, unless it was killed.
fn run(bench: &Bench, args: &[&str], fault: &Fault<'_>) -> (Output, u64) {
    bench.reset();
    let count = bench.dir.join("count");
    let _ = fs::remove_file(&count);
    let mut run = bench.run();
    run.args(args)
        .env("LD_PRELOAD", library())
        .env("FAULTS_DIR", bench.dir.join("db"))
        .env("FAULTS_MODE", fault.mode)
        .env("FAULTS_AT", fault.at.to_string())
        .env("FAULTS_SEED", fault.seed.to_string())
        .env("FAULTS_COUNT", &count);
    let output = run.output().expect("it runs");
    let count = fs::read_to_string(&count).ok().and_then(|text| text.parse().ok());
    (output, count.unwrap_or(0))
}

/// Every position, or at most this many, evenly distributed.
fn places(n: u64, at_most: u64) -> impl Iterator<Item = u64> {
    let stride = if is_long() { 1 } else { n.div_ceil(at_most).max(1) };
    (1..=n).step_by(usize::try_from(stride).expect("small"))
}

const CACHES: [&[&str]; 2] = [&[], &["--cache", "2"]];

#[test]
fn a_disk_that_is_full_or_fails() {
    for mode in ["full", "once", "broken"] {
        let (mut n_runs, mut n_failed, mut reached) = (0, 0, [0; 8]);
        for case in Case::all().into_iter().filter(|case| is_long() || case.each == case.down) {
            let bench = Bench::new(mode, case);
            for args in CACHES {
                let (output, n) = run(&bench, args, &Fault { mode, at: u64::MAX >> 1, seed: 0 });
                assert!(output.status.success() && n > 20, "{n} calls; {}", said(&output));
                for at in places(n, 6) {
                    let (output, _) = run(&bench, args, &Fault { mode, at, seed: 0 });
                    let what = format!("{mode} at call {at} of {n} {args:?}: {}", said(&output));
                    let code = output.status.code();
                    assert!(matches!(code, Some(0 | 3)), "{what}");
                    let state = bench.check(&what);
                    let is_done = state + 1 == bench.n_states();
                    assert!(code == Some(3) || is_done, "{what}");
                    // No SQL statement caused it.
                    assert!(!what.contains("ended the transaction"), "{what}");
                    let words = ["disk is full", "disk I/O error", "unable to open database file"];
                    assert!(
                        code == Some(0) || words.iter().any(|word| what.contains(word)),
                        "{what}"
                    );
                    n_runs += 1;
                    n_failed += u32::from(code == Some(3));
                    reached[state.min(7)] += 1;
                }
            }
        }
        assert!(n_failed > 0);
        say(&format!(
            "{mode}: {n_runs} runs, {n_failed} of them failed; found after so many transactions: \
             {reached:?}"
        ));
    }
}

/// With a limit of SQLite itself, which works on every system.
#[test]
fn a_database_that_may_not_grow() {
    for case in Case::all().into_iter().filter(|case| !case.down) {
        let bench = Bench::new("pages", case);
        bench.reset();
        let path = bench.file();
        let conn = rusqlite::Connection::open(&path).expect("it opens");
        let n: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("pages");
        drop(conn);
        for more in 0..6 {
            bench.reset();
            let limit = (n + more).to_string();
            let output = bench.run().args(["--max-pages", &limit]).output().expect("it runs");
            let what = format!("{more} more pages: {}", said(&output));
            assert_eq!(output.status.code(), Some(3), "{what}");
            assert!(what.contains("database or disk is full\n  hint: free space"), "{what}");
            bench.check(&what);
        }
    }
}

/// Without syncing, a power cut does damage, and the check detects it.
#[test]
fn the_cuts_would_be_seen() {
    let bench = Bench::new("teeth", Case { wal: false, each: false, down: false });
    let args = ["--cache", "2", "--synchronous", "0"];
    let (_, n) = run(&bench, &args, &Fault { mode: "count", at: 0, seed: 0 });
    let is_harmed = |at: u64| {
        run(&bench, &args, &Fault { mode: "power", at, seed: 1 });
        std::panic::catch_unwind(|| bench.check("as expected")).is_err()
    };
    assert!((1..=n).rev().step_by(3).any(is_harmed), "of {n} calls");
}

/// The promise about power cuts depends on this setting.
#[test]
fn every_commit_waits_for_the_disk() {
    use dbmigrate_runtime::engine::driver::Connection as _;
    use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
    use dbmigrate_runtime::engine::url::Access;

    for case in Case::all().into_iter().filter(|case| !case.down && !case.each) {
        let bench = Bench::new("synchronous", case);
        bench.reset();
        let mut driver = SqliteDriver::open(&bench.file(), Access::Create).expect("it opens");
        let rows = driver.query("PRAGMA synchronous", &[]).expect("a pragma").rows;
        assert_eq!(rows, [[dbmigrate_runtime::Value::Integer(2)]], "FULL");
    }
}

#[test]
fn killed_at_every_write_and_power_lost() {
    for mode in ["kill", "power"] {
        let (mut n_cuts, mut reached) = (0, [0; 8]);
        for case in Case::all().into_iter().filter(|case| is_long() || case.each != case.down) {
            let bench = Bench::new(mode, case);
            for args in CACHES {
                let (_, n) = run(&bench, args, &Fault { mode: "count", at: 0, seed: 0 });
                for at in places(n, 9) {
                    let n_seeds = if is_long() && mode == "power" { 5 } else { 1 };
                    for seed in (0..n_seeds).map(|found| at * 5 + found) {
                        let (output, _) = run(&bench, args, &Fault { mode, at, seed });
                        let what = format!("{mode} at call {at} of {n} {args:?}, seed {seed}");
                        assert_eq!(output.status.signal(), Some(9), "{what} {}", said(&output));
                        reached[bench.check(&what).min(7)] += 1;
                        n_cuts += 1;
                    }
                }
            }
        }
        say(&format!("{mode}: {n_cuts} cuts; found after so many transactions: {reached:?}"));
    }
}
