//! The tool's own peak memory.

use super::extract;
use crate::figures::Samples;
use crate::figures::Unit::Mebibytes;
use crate::hosts::Host;
use crate::report::Line;
use crate::{Bench, Result, measure};

const AT_MOST_MIB: f64 = 64.0;

pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    let host = extract::host(bench)?;
    let all_new = "1000 models, all of them new";
    let new = one(bench, &host, all_new, "Detected added table")?;
    measure::output(&mut host.tool(&["migrate", "-m", "all"]))?;
    let same = one(bench, &host, "1000 models, nothing changed", "No changes")?;
    Ok(vec![same, new])
}

fn one(bench: &Bench, host: &Host, what: &str, expected: &str) -> Result<Line> {
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    for _ in 0..bench.n_runs.div_ceil(3) {
        let mut migrate = host.tool(&["migrate", "--dry-run"]);
        let mut check = host.cargo(&["check"]);
        let peak_of_tool = measure::cost_with_memory(&mut migrate, &bench.dir, expected)?.peak_mib;
        let peak_of_cargo = measure::cost_with_memory(&mut check, &bench.dir, "Finished")?.peak_mib;
        let (Some(tool), Some(cargo)) = (peak_of_tool, peak_of_cargo) else {
            let why = "this system has no /proc";
            return Ok(Line::not_measured(what, "cargo check", why));
        };
        ours.push(tool);
        theirs.push(cargo);
    }
    let median = ours.median();
    let line = Line::new(what, Mebibytes, &ours).beside("cargo itself", Mebibytes, &theirs);
    Ok(line.promise(Mebibytes.text(median), "under 64 MiB", median < AT_MOST_MIB))
}
