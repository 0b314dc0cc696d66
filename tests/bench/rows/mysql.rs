//! The same on MySQL and MariaDB, beside their own clients.

use std::fs::{self, File};

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, Server};

use super::revisions;
use super::server::{CHECK, INSPECT, Many, Shell, applying, no_server, upgrade};
use crate::figures::Unit::Milliseconds;
use crate::report::Line;
use crate::{Bench, Result, measure};

const NOOP_AT_MOST: f64 = 1.5;

/// The first server of this kind that was started.
fn server(kind: &str) -> Option<Server> {
    servers::started(kind).into_iter().next()
}

/// How to start one.
fn start(kind: &str) -> String {
    let server = if kind == "mysql" { "mysql9" } else { "mariadb118" };
    format!("none was started, `servers {server} -- bench ...` does it")
}

fn name(server: &Server) -> String {
    format!("the client of {}", server.name)
}

/// `upgrade` with nothing to do, beside the client reading what is applied.
pub fn noop(bench: &Bench, kind: &str) -> Result<Vec<Line>> {
    let what = "nothing to do, 500 applied";
    let Some(server) = server(kind) else { return Ok(no_server(what, &start(kind))) };
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
pub fn apply(bench: &Bench, kind: &str) -> Result<Vec<Line>> {
    let what = "500 revisions on an empty database";
    let Some(server) = server(kind) else { return Ok(no_server(what, &start(kind))) };
    let command = |url: &str| server.shell(url);
    let shell = Shell { name: name(&server), command: &command };
    Ok(vec![applying(bench, (what, bench.n_runs.div_ceil(4)), &server, shell)?])
}

/// Reading, checking and comparing the tables of many models.
pub fn tables(bench: &Bench, kind: &str) -> Result<Vec<Line>> {
    let Some(server) = server(kind) else { return Ok(no_server("1000 tables", &start(kind))) };
    let many = Many::of(bench, &format!("many-{kind}"), &server)?;
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
