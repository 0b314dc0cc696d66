//! The history of another tool, taken over.

use std::fs::{self, File};

use super::revisions;
use crate::figures::Unit::Milliseconds;
use crate::hosts::{Derive, Host};
use crate::report::Line;
use crate::{Bench, Result, measure, rivals};

/// `import --dry-run` of many migrations, beside the shell that runs them once.
pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    let what = "500 migrations of sqlx";
    let Some(shell) = rivals::version("sqlite3", &["-version"]) else {
        return Ok(vec![Line::not_measured(
            what,
            "sqlite3",
            "not installed, `apt install sqlite3`",
        )]);
    };
    let host = Host::new(bench, "import", Derive::Model, 1)?;
    measure::output(&mut host.tool(&["init", "--no-add"]))?;
    let sql = revisions::sql("TIMESTAMP");
    let dir = bench.dir.join("import-sql");
    fs::create_dir_all(&dir)?;
    for (n, text) in sql.iter().enumerate() {
        fs::write(dir.join(format!("{n}_change.sql")), text)?;
    }
    let script = bench.dir.join("import.sql");
    fs::write(&script, sql.concat())?;
    let shown = dir.display().to_string();
    let samples = measure::in_turn(
        bench.n_runs.div_ceil(4),
        [
            &mut || {
                let mut import = host.tool(&["import", "sqlx", &shown, "--dry-run"]);
                Ok(measure::cost(&mut import, &bench.dir, "pub fn upgrade")?.wall_ms)
            },
            &mut || {
                let mut shell = measure::command("sqlite3", &bench.dir);
                shell.arg(":memory:").stdin(File::open(&script)?);
                Ok(measure::cost(&mut shell, &bench.dir, "")?.wall_ms)
            },
        ],
    )?;
    let [ours, theirs] = &samples;
    let line = Line::new(what, Milliseconds, ours);
    Ok(vec![line.beside(format!("sqlite3 {shell}"), Milliseconds, theirs)])
}
