//! The same on MariaDB, beside its own client.

use std::fs::{self, File};

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, Server};

use super::revisions;
use super::server::{CHECK, INSPECT, Many, Shell, applying, no_server, upgrade};
use crate::figures::Unit::Milliseconds;
use crate::report::Line;
use crate::{Bench, Result, measure};

const NOOP_AT_MOST: f64 = 1.5;

const START: &str = "none was started, `servers mariadb118 -- bench ...` does it";

/// The first MariaDB server that was started.
fn server() -> Option<Server> {
    servers::started("mariadb").into_iter().next()
}

fn name(server: &Server) -> String {
    format!("the client of {}", server.name)
}

/// `upgrade` with nothing to do, beside the client reading what is applied.
pub fn noop(bench: &Bench) -> Result<Vec<Line>> {
    let what = "nothing to do, 500 applied";
    let Some(server) = server() else { return Ok(no_server(what, START)) };
    let host = revisions::host(bench)?;
    let url = server.database();
    let upgrade = || upgrade(&host, &url);
    measure::output(&mut upgrade())?;
    let query = bench.dir.join("applied.sql");
    fs::write(&query, "SELECT * FROM dbmigrate_version;\n")?;
    let samples = measure::in_turn(
        bench.n_runs * 2,
        [&mut || Ok(measure::cost(&mut upgrade(), &bench.dir, "")?.wall_ms), &mut || {
            let mut client = server.shell(&url);
            client.stdin(File::open(&query)?);
            Ok(measure::cost(&mut client, &bench.dir, "")?.wall_ms)
        }],
    )?;
    let [ours, theirs] = &samples;
    let line = Line::new(what, Milliseconds, ours).beside(name(&server), Milliseconds, theirs);
    Ok(vec![line.ratio(ours, theirs, NOOP_AT_MOST)])
}

/// `upgrade` of many small revisions on an empty database.
pub fn apply(bench: &Bench) -> Result<Vec<Line>> {
    let what = "500 revisions on an empty database";
    let Some(server) = server() else { return Ok(no_server(what, START)) };
    let command = |url: &str| server.shell(url);
    let shell = Shell { name: name(&server), command: &command };
    Ok(vec![applying(bench, (what, bench.n_runs.div_ceil(4)), &server, shell)?])
}

/// Reading, checking and comparing the tables of many models.
pub fn tables(bench: &Bench) -> Result<Vec<Line>> {
    let Some(server) = server() else { return Ok(no_server("1000 tables", START)) };
    let many = Many::of(bench, "many-mariadb", &server)?;
    let mut bare = servers::mysql_client(&many.url);
    let read = many.reading(bench, &mut |query| Ok(bare.query_drop(query)?))?;
    let command = |url: &str| server.shell(url);
    let shell = Shell { name: name(&server), command: &command };
    Ok(vec![
        read,
        many.checking(bench, (CHECK, "check", "agree"), &shell)?,
        many.checking(bench, (INSPECT, "inspect", "pub struct"), &shell)?,
        many.migrating(bench)?,
    ])
}
