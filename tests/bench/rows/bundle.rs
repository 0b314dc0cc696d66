//! The executable of `bundle`: how large it is, and how soon it answers.

use std::path::Path;

use crate::figures::Samples;
use crate::figures::Unit::{Mebibytes, Milliseconds};
use crate::hosts::{Derive, Host};
use crate::report::Line;
use crate::{Bench, Result, measure};

/// Reading a version table and the definitions of a table, and comparing them, takes longer than
/// reading the table.
const AT_MOST: f64 = 3.0;

const REVISION: &str = "\
//! things

use dbmigrate_runtime::prelude::*;

pub const REVISION: &str = \"a1\";
pub const DOWN_REVISION: &[&str] = &[];
pub const BRANCH_LABELS: &[&str] = &[];
pub const DEPENDS_ON: &[&str] = &[];

pub fn upgrade(op: &mut Operations) {
    op.create_table(
        Table::new(\"thing\")
            .column(Column::new(\"id\", Type::BigInteger).not_null())
            .primary_key(\"pk_thing\", [\"id\"]),
    );
}

pub fn downgrade(op: &mut Operations) {
    op.drop_table(\"thing\");
}
";

pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    let host = Host::new(bench, "bundle", Derive::Model, 1)?;
    measure::output(&mut host.tool(&["init", "--no-add"]))?;
    host.write("migrations/versions/m1_things.rs", REVISION)?;
    measure::output(&mut host.tool(&["bundle", "--static", "--out", "migrator"]))?;
    let executable = host.dir.join("migrator");
    measure::output(&mut host.tool(&["upgrade"]))?;
    let mebibytes = |path: &Path| -> Result<Samples> {
        Ok(Samples::from(path.metadata()?.len() as f64 / f64::from(1 << 20)))
    };
    let size =
        Line::new("size, for SQLite, linked statically", Mebibytes, &mebibytes(&executable)?);
    let size = size.beside("cargo-dbmigrate, for all", Mebibytes, &mebibytes(&bench.tool)?);

    let url = "sqlite:app.db";
    let status = || {
        let mut command = measure::command(&executable, &host.dir);
        command.args(["status", "--url", url]);
        Ok(measure::cost(&mut command, &bench.dir, "Pending    none")?.wall_ms)
    };
    let shell = || {
        let mut command = measure::command("sqlite3", &host.dir);
        command.args(["app.db", "SELECT id FROM dbmigrate_version; SELECT sql FROM sqlite_schema"]);
        Ok(measure::cost(&mut command, &bench.dir, "a1")?.wall_ms)
    };
    let current = || {
        let mut command = host.tool(&["current"]);
        Ok(measure::cost(&mut command, &bench.dir, "a1 (head)")?.wall_ms)
    };
    let [ours, shell, current] =
        measure::in_turn(bench.n_runs * 2, [&mut { status }, &mut { shell }, &mut { current }])?;
    let line = || Line::new("`status`, up to date", Milliseconds, &ours);
    Ok(vec![
        size,
        line()
            .beside("sqlite3 reading the same", Milliseconds, &shell)
            .ratio(&ours, &shell, AT_MOST),
        line().beside("cargo dbmigrate current", Milliseconds, &current),
    ])
}
