//! Runs that are killed at every call, and at random times.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::bench::{Bench, Case, Chance, is_long, said, say};

/// The revisions of `history.rs`.
pub const REVISIONS: &[&str] = &["r1", "r2", "r3", "r4", "r5", "r6", "r7"];

const SIGKILL: i32 = 9;

#[test]
fn killed_before_every_call_to_the_database() {
    let mut n_kills = 0;
    let mut reached = [0; 8];
    for (nth, case) in Case::all().into_iter().enumerate() {
        let bench = Bench::new("calls", case);
        bench.reset();
        let output = bench.run().output().expect("it runs");
        let n_calls: u64 =
            said(&output).split(':').nth(2).map_or(0, |part| part.trim().parse().unwrap());
        assert!(n_calls > 20, "{}", said(&output));
        // In the short mode, each configuration has other positions.
        let stride = if is_long() { 1 } else { 5 };
        for at in (1..=n_calls).filter(|candidate| candidate % stride == nth as u64 % stride) {
            bench.reset();
            let output =
                bench.run().args(["--kill-at", &at.to_string()]).output().expect("it runs");
            assert_eq!(output.status.signal(), Some(SIGKILL), "{}", said(&output));
            let state = bench.check(&format!("killed before call {at} of {n_calls}"));
            assert!(state < bench.n_states());
            reached[state.min(7)] += 1;
            n_kills += 1;
        }
    }
    assert!(reached[0] > 0 && reached[1] > 0, "{reached:?}");
    say(&format!("killed before {n_kills} calls; found after so many transactions: {reached:?}"));
}

#[test]
fn killed_at_any_time() {
    let seed = std::env::var("DBMIGRATE_SEED").ok().and_then(|value| value.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
    let mut chance = Chance::new(seed);
    let n_kills = if is_long() { 1000 } else { 40 };
    let (mut n_late, mut reached) = (0, [0; 8]);
    let cases = Case::all();
    let benches: Vec<Bench> = cases.iter().map(|case| Bench::new("any", *case)).collect();
    for nth in 0.. {
        if nth - n_late >= n_kills {
            break;
        }
        let bench = &benches[nth % benches.len()];
        bench.reset();
        let start = Instant::now();
        let mut run = bench.run();
        run.args(["--cache", "2"]).stdout(Stdio::null());
        assert!(run.status().expect("it runs").success());
        let took = u64::try_from(start.elapsed().as_micros()).expect("short");
        bench.reset();
        let delay = chance.below(took);
        let mut child = run.spawn().expect("it runs");
        std::thread::sleep(Duration::from_micros(delay));
        child.kill().expect("killed");
        let status = child.wait().expect("it ends");
        n_late += usize::from(status.signal() != Some(SIGKILL));
        let what = format!("seed {seed}, kill {nth}, after {delay} of {took} us");
        reached[bench.check(&what).min(7)] += 1;
    }
    say(&format!(
        "seed {seed}: killed {n_kills} times, and {n_late} times too late; found after so many \
         transactions: {reached:?}"
    ));
}
