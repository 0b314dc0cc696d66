//! The same on MariaDB, beside its own client.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::time::Instant;

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, Server};

use super::server::{APPLY_AT_MOST, CHECK_AT_MOST, READING_AT_MOST, open, queries_of};
use super::{extract, revisions};
use crate::figures::Unit::Milliseconds;
use crate::report::Line;
use crate::{Bench, Result, measure};

const START: &str = "none was started, `servers mariadb118 -- bench ...` does it";

/// The first MariaDB server that was started.
fn server() -> Option<Server> {
    servers::started("mariadb").into_iter().next()
}

fn no_server(what: &str) -> Vec<Line> {
    vec![Line::not_measured(what, "a server", START)]
}

/// `upgrade` of many small revisions on an empty database.
pub fn apply(bench: &Bench) -> Result<Vec<Line>> {
    let what = "500 revisions on an empty database";
    let Some(server) = server() else { return Ok(no_server(what)) };
    let host = revisions::host(bench)?;
    let mut print = host.tool(&["upgrade", "--sql", "base:head"]);
    let script = bench.dir.join("script-mariadb.sql");
    fs::write(&script, measure::output(print.env("DATABASE_URL", server.database()))?)?;
    let samples = measure::in_turn(
        bench.n_runs.div_ceil(4),
        [
            &mut || {
                let mut upgrade = host.tool(&["upgrade"]);
                upgrade.env("DATABASE_URL", server.database());
                Ok(measure::cost(&mut upgrade, &bench.dir, "Running upgrade")?.wall_ms)
            },
            &mut || {
                let mut client = server.shell(&server.database());
                client.current_dir(&bench.dir).stdin(File::open(&script)?);
                Ok(measure::cost(&mut client, &bench.dir, "")?.wall_ms)
            },
        ],
    )?;
    let [ours, theirs] = &samples;
    let line = Line::new(what, Milliseconds, ours);
    let line = line.beside(format!("the client of {}", server.name), Milliseconds, theirs);
    Ok(vec![line.ratio(ours, theirs, APPLY_AT_MOST)])
}

/// Reading and checking the tables of many models.
pub fn tables(bench: &Bench) -> Result<Vec<Line>> {
    let Some(server) = server() else { return Ok(no_server("1000 tables")) };
    let host = extract::host_named(bench, "many-mariadb")?;
    let url = server.database();
    let tool = |args: &[&str]| {
        let mut command = host.tool(args);
        command.env("DATABASE_URL", &url);
        command
    };
    measure::output(&mut tool(&["migrate", "-m", "all"]))?;
    measure::output(&mut tool(&["upgrade"]))?;
    let queries = queries_of(&url)?;
    let mut conn = open(&url)?;
    let mut bare = servers::mysql_client(&url);
    let samples = measure::in_turn(
        bench.n_runs,
        [
            &mut || {
                let start = Instant::now();
                let dialect = conn.dialect();
                let found = dialect.catalog(conn.as_connection(), None, &BTreeSet::new())?;
                if found.schema.tables.len() < extract::N_MODELS {
                    return Err("tables are missing from what was read".into());
                }
                Ok(start.elapsed().as_secs_f64() * 1000.0)
            },
            &mut || {
                let start = Instant::now();
                for query in &queries {
                    bare.query_drop(query)?;
                }
                Ok(start.elapsed().as_secs_f64() * 1000.0)
            },
        ],
    )?;
    let [ours, theirs] = &samples;
    let line = Line::new("1000 tables read", Milliseconds, ours);
    let read = line.beside("the bare queries", Milliseconds, theirs);
    let read = read.ratio(ours, theirs, READING_AT_MOST);

    let script = bench.dir.join("queries-mariadb.sql");
    fs::write(&script, queries.iter().map(|query| format!("{query};\n")).collect::<String>())?;
    let samples = measure::in_turn(
        bench.n_runs,
        [
            &mut || Ok(measure::cost(&mut tool(&["check"]), &bench.dir, "agree")?.wall_ms),
            &mut || {
                let mut client = server.shell(&url);
                client.current_dir(&bench.dir).stdin(File::open(&script)?);
                Ok(measure::cost(&mut client, &bench.dir, "")?.wall_ms)
            },
        ],
    )?;
    let [ours, theirs] = &samples;
    let line = Line::new("`check` of 1000 tables", Milliseconds, ours);
    let beside = format!("the queries in the client of {}", server.name);
    let line = line.beside(beside, Milliseconds, theirs);
    Ok(vec![read, line.ratio(ours, theirs, CHECK_AT_MOST)])
}
