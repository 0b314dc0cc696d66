//! `upgrade` with nothing to do.

use super::revisions;
use crate::figures::Unit::Milliseconds;
use crate::report::Line;
use crate::rivals::{self, Rival};
use crate::{Bench, Result, measure};

const AT_MOST: f64 = 0.7;

pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    let host = revisions::host(bench)?;
    measure::output(&mut host.tool(&["upgrade"]))?;
    let sql = revisions::sql("DATETIME");
    let mut lines = Vec::new();
    let mut installed: Vec<(&Rival, String)> = Vec::new();
    for rival in rivals::ALL {
        if let Some(version) = rival.installed() {
            rival.project(&bench.dir.join(rival.name), &sql)?;
            installed.push((rival, version));
        } else {
            let why = format!("not installed, `{}`", rival.install);
            lines.push(Line::not_measured("nothing to do", rival.name, &why));
        }
    }
    let wall = |mut command| Ok(measure::cost(&mut command, &bench.dir, "")?.wall_ms);
    let mut ours = || wall(host.tool(&["upgrade"]));
    let mut theirs: Vec<_> = installed
        .iter()
        .map(|(rival, _)| move || wall(rival.upgrade(&bench.dir.join(rival.name))))
        .collect();
    let mut all: Vec<&mut dyn FnMut() -> Result<f64>> = vec![&mut ours];
    all.extend(theirs.iter_mut().map(|theirs| theirs as &mut dyn FnMut() -> Result<f64>));
    let samples = measure::in_turn_of(bench.n_runs * 2, &mut all)?;
    let ours = &samples[0];
    for ((_, version), theirs) in installed.into_iter().zip(&samples[1..]) {
        let line = Line::new("nothing to do, 500 applied", Milliseconds, ours);
        lines.push(line.beside(version, Milliseconds, theirs).ratio(ours, theirs, AT_MOST));
    }
    Ok(lines)
}
