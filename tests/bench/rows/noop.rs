//! `upgrade` with nothing to do.

use super::revisions;
use crate::figures::Unit::Milliseconds;
use crate::report::Line;
use crate::rivals::{self, Rival};
use crate::{Bench, Result, measure};

const AT_MOST_MS: f64 = 10.0;

pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    let host = revisions::host(bench)?;
    measure::output(&mut host.tool(&["upgrade"]))?;
    let sql = revisions::sql();
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
    let line = |what: &str| Line::new(what, Milliseconds, ours);
    let under = ours.median() < AT_MOST_MS;
    let mut measured = vec![line("nothing to do, 500 applied").promise(
        Milliseconds.text(ours.median()),
        "under 10 ms",
        under,
    )];
    for ((_, version), theirs) in installed.into_iter().zip(&samples[1..]) {
        let ratio = ours.median() / theirs.median();
        measured.push(line("nothing to do").beside(version, Milliseconds, theirs).promise(
            format!("{ratio:.2} x"),
            "faster",
            ratio < 1.0,
        ));
    }
    measured.append(&mut lines);
    Ok(measured)
}
