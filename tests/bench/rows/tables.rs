//! Models from the tables of a file.

use std::collections::BTreeSet;
use std::time::Instant;

use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::driver::{Access, Connection};

use super::extract;
use super::server::INSPECT;
use crate::figures::Unit::Milliseconds;
use crate::report::Line;
use crate::{Bench, Result, measure};

const AT_MOST: f64 = 2.0;

/// `inspect` of many tables, beside reading the catalog in this process.
pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    let host = extract::host_named(bench, "many-sqlite")?;
    measure::output(&mut host.tool(&["migrate", "-m", "all"]))?;
    measure::output(&mut host.tool(&["upgrade"]))?;
    let file = host.dir.join("app.db");
    let samples = measure::in_turn(
        bench.n_runs,
        [
            &mut || {
                let mut inspect = host.tool(&["inspect"]);
                Ok(measure::cost(&mut inspect, &bench.dir, "pub struct")?.wall_ms)
            },
            &mut || {
                let start = Instant::now();
                let mut driver = SqliteDriver::open(&file, Access::ReadOnly)?;
                let conn: &mut dyn Connection = &mut driver;
                let found = conn.catalog_with(None, &BTreeSet::new())?;
                if found.schema.tables.len() < extract::N_MODELS {
                    return Err("tables are missing from what was read".into());
                }
                Ok(start.elapsed().as_secs_f64() * 1000.0)
            },
        ],
    )?;
    let [ours, theirs] = &samples;
    let line = Line::new(INSPECT, Milliseconds, ours);
    let line = line.beside("reading the catalog", Milliseconds, theirs);
    Ok(vec![line.ratio(ours, theirs, AT_MOST)])
}
