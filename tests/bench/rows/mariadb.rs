//! The same on MariaDB, beside its own client.

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, Server};

use super::server::{CHECK, INSPECT, Many, Shell, applying, no_server};
use crate::report::Line;
use crate::{Bench, Result};

const START: &str = "none was started, `servers mariadb118 -- bench ...` does it";

/// The first MariaDB server that was started.
fn server() -> Option<Server> {
    servers::started("mariadb").into_iter().next()
}

fn name(server: &Server) -> String {
    format!("the client of {}", server.name)
}

/// `upgrade` of many small revisions on an empty database.
pub fn apply(bench: &Bench) -> Result<Vec<Line>> {
    let what = "500 revisions on an empty database";
    let Some(server) = server() else { return Ok(no_server(what, START)) };
    let command = |url: &str| server.shell(url);
    let shell = Shell { name: name(&server), command: &command };
    Ok(vec![applying(bench, (what, bench.n_runs.div_ceil(4)), &server, shell)?])
}

/// Reading and checking the tables of many models.
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
    ])
}
