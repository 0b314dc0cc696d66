//! `upgrade` of many revisions on a new file.

use std::fs::{self, File};

use super::revisions;
use crate::figures::Unit::Milliseconds;
use crate::report::Line;
use crate::{Bench, Result, measure, rivals};

const AT_MOST: f64 = 1.1;

pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    let what = "500 revisions on a new file";
    let Some(shell) = rivals::version(rivals::SQLITE3, &["--version"]) else {
        let why = format!("not installed, `{}`", rivals::SQLITE3_INSTALL);
        return Ok(vec![Line::not_measured(what, rivals::SQLITE3, &why)]);
    };
    let host = revisions::host(bench)?;
    // On a missing file: all revisions in one transaction, with their version rows.
    let script = bench.dir.join("script.sql");
    fs::write(&script, measure::output(&mut host.tool(&["upgrade", "--sql"]))?)?;
    let db = host.dir.join("app.db");
    let theirs_dir = bench.dir.join("sqlite3");
    fs::create_dir_all(&theirs_dir)?;
    let their_db = theirs_dir.join("app.db");
    let samples = measure::in_turn(
        bench.n_runs,
        [
            &mut || {
                remove(&db)?;
                let mut upgrade = host.tool(&["upgrade"]);
                Ok(measure::cost(&mut upgrade, &bench.dir, "Running upgrade")?.wall_ms)
            },
            &mut || {
                remove(&their_db)?;
                let mut shell = measure::command(rivals::SQLITE3, &theirs_dir);
                shell.args(["-bail", "app.db"]).stdin(File::open(&script)?);
                Ok(measure::cost(&mut shell, &bench.dir, "")?.wall_ms)
            },
        ],
    )?;
    let [ours, theirs] = &samples;
    let line = Line::new(what, Milliseconds, ours).beside(shell, Milliseconds, theirs);
    Ok(vec![line.ratio(ours, theirs, AT_MOST)])
}

fn remove(db: &std::path::Path) -> Result<()> {
    match fs::remove_file(db) {
        Err(err) if err.kind() != std::io::ErrorKind::NotFound => Err(err.into()),
        _ => Ok(()),
    }
}
