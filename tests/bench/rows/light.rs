//! What a host that only derives models has to compile.

use std::collections::BTreeSet;
use std::fs;

use crate::figures::Unit::{Crates, Seconds};
use crate::hosts::{Derive, Host};
use crate::report::Line;
use crate::{Bench, Result, measure};

const AT_MOST_CRATES: usize = 10;
/// For `cargo check`; a build has no promise, and is shown beside it.
const AT_MOST: f64 = 1.2;
/// The promise is for two cores, so more of them must not count.
const JOBS: &str = "2";

pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    let model = Host::new(bench, "light-model", Derive::Model, 1)?;
    let serde = Host::new(bench, "light-serde", Derive::Serde, 1)?;
    let (n_ours, n_theirs) = (n_crates(&model)?, n_crates(&serde)?);
    let rival = "serde with derive";
    let counted = Line::new("crates added", Crates, &(n_ours as f64).into())
        .beside(rival, Crates, &(n_theirs as f64).into())
        .promise(Crates.text(n_ours as f64), "at most 10", n_ours <= AT_MOST_CRATES);
    let from_clean = |host: &Host, command: &str| {
        let target = host.dir.join("target");
        if target.exists() {
            fs::remove_dir_all(&target)?;
        }
        let mut cargo = host.cargo(&[command, "--jobs", JOBS]);
        cargo.env("CARGO_TARGET_DIR", target);
        Ok(measure::cost(&mut cargo, &bench.dir, "Finished")?.wall_ms / 1000.0)
    };
    let mut lines = vec![counted];
    for command in ["check", "build"] {
        let samples = measure::in_turn(
            bench.n_runs.div_ceil(3),
            [&mut || from_clean(&model, command), &mut || from_clean(&serde, command)],
        )?;
        let [ours, theirs] = &samples;
        let what = format!("cargo {command} from clean");
        let line = Line::new(what, Seconds, ours).beside(rival, Seconds, theirs);
        let is_promised = command == "check";
        lines.push(if is_promised { line.ratio(ours, theirs, AT_MOST) } else { line });
    }
    Ok(lines)
}

/// How many crates a host's dependency tree has besides the host.
fn n_crates(host: &Host) -> Result<usize> {
    let args = ["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
    let text = measure::output(&mut host.cargo(&args))?;
    let crates: BTreeSet<&str> = text
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|text| !text.is_empty())
        .collect();
    Ok(crates.len().saturating_sub(1))
}
