//! Reading and comparing many models, none of which has changed.

use crate::figures::Unit::Milliseconds;
use crate::hosts::{Derive, Host};
use crate::report::Line;
use crate::{Bench, Result, measure};

pub const N_MODELS: usize = 1000;
const AT_MOST: f64 = 4.0;

/// A host with many models that its migrations build.
pub fn host(bench: &Bench) -> Result<Host> {
    host_named(bench, "many")
}

/// The same with a name of its own.
pub fn host_named(bench: &Bench, name: &str) -> Result<Host> {
    let host = Host::new(bench, name, Derive::Model, N_MODELS)?;
    measure::output(&mut host.tool(&["init", "--no-add"]))?;
    Ok(host)
}

pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    let host = host(bench)?;
    measure::output(&mut host.tool(&["migrate", "-m", "all"]))?;
    let samples = measure::in_turn(
        bench.n_runs,
        [
            &mut || {
                let mut migrate = host.tool(&["migrate", "--dry-run"]);
                Ok(measure::cost(&mut migrate, &bench.dir, "No changes")?.wall_ms)
            },
            &mut || {
                let mut check = host.cargo(&["check"]);
                Ok(measure::cost(&mut check, &bench.dir, "Finished")?.wall_ms)
            },
        ],
    )?;
    let [ours, theirs] = &samples;
    let line = Line::new("1000 models, nothing changed", Milliseconds, ours);
    let line = line.beside("cargo check", Milliseconds, theirs);
    Ok(vec![line.ratio(ours, theirs, AT_MOST)])
}
