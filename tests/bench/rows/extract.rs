//! Reading and comparing many models, none of which has changed.

use crate::figures::Unit::Milliseconds;
use crate::hosts::{Derive, Host};
use crate::report::Line;
use crate::{Bench, Result, measure};

pub const N_MODELS: usize = 1000;
const MORE_MS: f64 = 100.0;

/// A host with many models that its migrations build.
pub fn host(bench: &Bench) -> Result<Host> {
    let host = Host::new(bench, "many", Derive::Model, N_MODELS)?;
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
    let more = ours.median() - theirs.median();
    let line = Line::new("1000 models, nothing changed", Milliseconds, ours);
    let line = line.beside("cargo check", Milliseconds, theirs);
    Ok(vec![line.promise(format!("{more:+.0} ms"), "under +100 ms", more < MORE_MS)])
}
