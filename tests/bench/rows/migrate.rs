//! `migrate` after one model changed.

use crate::figures::Unit::Milliseconds;
use crate::hosts::{Derive, Host};
use crate::report::Line;
use crate::{Bench, Result, measure};

const N_MODELS: usize = 100;
const AT_MOST: f64 = 1.3;
/// A binary writes no metadata, so its sources are compiled as a library as well.
const BINARY_AT_MOST: f64 = 1.6;

pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    let new = |name| Host::new(bench, name, Derive::Model, N_MODELS);
    let (library, binary) = (new("changed-lib")?, new("changed-bin")?);
    binary.make_binary()?;
    Ok(vec![
        one(bench, "one of 100 models changed, library", &library, AT_MOST)?,
        one(bench, "one of 100 models changed, binary only", &binary, BINARY_AT_MOST)?,
    ])
}

fn one(bench: &Bench, what: &str, host: &Host, at_most: f64) -> Result<Line> {
    measure::output(&mut host.tool(&["init", "--no-add"]))?;
    measure::output(&mut host.tool(&["migrate", "-m", "all"]))?;
    let n_changes = std::cell::Cell::new(0);
    // Each run makes a different change, so that none benefits from another one's work.
    let change = || {
        n_changes.set(n_changes.get() + 1);
        host.change_model(N_MODELS, &format!("field_{}", n_changes.get()))
    };
    let samples = measure::in_turn(
        bench.n_runs,
        [
            &mut || {
                change()?;
                let mut migrate = host.tool(&["migrate", "--dry-run"]);
                Ok(measure::cost(&mut migrate, &bench.dir, "Detected added column")?.wall_ms)
            },
            &mut || {
                change()?;
                let mut check = host.cargo(&["check"]);
                Ok(measure::cost(&mut check, &bench.dir, "Checking")?.wall_ms)
            },
        ],
    )?;
    let [ours, theirs] = &samples;
    let line = Line::new(what, Milliseconds, ours).beside("cargo check", Milliseconds, theirs);
    Ok(line.ratio(ours, theirs, at_most))
}
