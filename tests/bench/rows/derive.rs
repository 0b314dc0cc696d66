//! The time that the derive takes in the compiler.

use crate::figures::Unit::Seconds;
use crate::hosts::{Derive, Host};
use crate::report::Line;
use crate::{Bench, Result, measure};

const N_MODELS: usize = 300;
const AT_MOST: f64 = 0.2;

pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    let new = |name, derive| Host::new(bench, name, derive, N_MODELS);
    let hosts = [
        new("with-model", Derive::Model)?,
        new("with-serde", Derive::Serde)?,
        new("with-nothing", Derive::Nothing)?,
    ];
    Ok(vec![
        one(bench, &hosts, "300 structs, from nothing", "0")?,
        one(bench, &hosts, "300 structs, incremental", "1")?,
    ])
}

fn one(bench: &Bench, hosts: &[Host; 3], what: &str, incremental: &str) -> Result<Line> {
    let mut n_touched = 0;
    let mut check = |host: &Host| -> Result<f64> {
        n_touched += 1;
        host.touch(n_touched)?;
        let mut check = host.cargo(&["check"]);
        check.env("CARGO_INCREMENTAL", incremental);
        let cost = measure::cost(&mut check, &bench.dir, "Checking")?;
        Ok(cost.cpu_s.unwrap_or(cost.wall_ms / 1000.0))
    };
    let check = std::cell::RefCell::new(&mut check);
    let [model, serde, nothing] = hosts;
    let samples = measure::in_turn(
        bench.n_runs.div_ceil(2),
        [&mut || (check.borrow_mut())(model), &mut || (check.borrow_mut())(serde), &mut || {
            (check.borrow_mut())(nothing)
        }],
    )?;
    let [ours, theirs, nothing] = samples;
    let ours = ours.less(nothing.median());
    let theirs = theirs.less(nothing.median());
    let line = Line::new(what, Seconds, &ours).beside("serde, both", Seconds, &theirs);
    Ok(line.ratio(&ours, &theirs, AT_MOST))
}
