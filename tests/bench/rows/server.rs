//! The same on a server: PostgreSQL, beside its own shell and the other tools.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::process::Command;
use std::time::Instant;

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::driver::{Connection, DatabaseError, Rows};
use dbmigrate_runtime::engine::{open_server, url};
use dbmigrate_tests::servers::{self, Server};

use super::{extract, revisions};
use crate::figures::Unit::Milliseconds;
use crate::hosts::Host;
use crate::report::Line;
use crate::rivals::{self, Rival};
use crate::{Bench, Result, measure};

const NOOP_AT_MOST: f64 = 0.7;
const APPLY_AT_MOST: f64 = 1.1;
const READING_AT_MOST: f64 = 1.3;
const CHECK_AT_MOST: f64 = 2.0;
const MIGRATE_AT_MOST: f64 = 4.0;

pub(super) const CHECK: &str = "`check` of 1000 tables";
pub(super) const INSPECT: &str = "`inspect` of 1000 tables";

const START: &str = "none was started, `servers postgres15 -- bench ...` does it";

/// The first PostgreSQL server that was started.
fn server() -> Option<Server> {
    servers::started("postgres").into_iter().next()
}

pub(super) fn no_server(what: &str, start: &str) -> Vec<Line> {
    vec![Line::not_measured(what, "a server", start)]
}

/// `upgrade` of the database of a URL.
pub(super) fn upgrade(host: &Host, url: &str) -> Command {
    let mut upgrade = host.tool(&["upgrade"]);
    upgrade.env("DATABASE_URL", url);
    upgrade
}

/// `upgrade` with nothing to do.
pub fn noop(bench: &Bench) -> Result<Vec<Line>> {
    let what = "nothing to do, 500 applied";
    let Some(server) = server() else { return Ok(no_server(what, START)) };
    let host = revisions::host(bench)?;
    let url = server.database();
    let upgrade = || upgrade(&host, &url);
    measure::output(&mut upgrade())?;
    let sql = revisions::sql("TIMESTAMP");
    let mut lines = Vec::new();
    let mut installed: Vec<(&Rival, String, String)> = Vec::new();
    for rival in rivals::ALL {
        let url = server.database();
        let dir = bench.dir.join(format!("{}-server", rival.name));
        match rival.installed().map(|version| (rival.server_project(&dir, &sql, &url), version)) {
            Some((Ok(()), version)) => installed.push((rival, version, url)),
            _ => {
                let why = format!("not installed, `{}`", rival.server_install);
                lines.push(Line::not_measured(what, rival.name, &why));
            }
        }
    }
    let wall = |mut command| Ok(measure::cost(&mut command, &bench.dir, "")?.wall_ms);
    let mut ours = || wall(upgrade());
    let mut theirs: Vec<_> = installed
        .iter()
        .map(|(rival, _, url)| {
            let dir = bench.dir.join(format!("{}-server", rival.name));
            move || wall(rival.server_upgrade(&dir, url))
        })
        .collect();
    let mut all: Vec<&mut dyn FnMut() -> Result<f64>> = vec![&mut ours];
    all.extend(theirs.iter_mut().map(|theirs| theirs as &mut dyn FnMut() -> Result<f64>));
    let samples = measure::in_turn_of(bench.n_runs * 2, &mut all)?;
    for ((_, version, _), theirs) in installed.iter().zip(&samples[1..]) {
        let line = Line::new(what, Milliseconds, &samples[0]).beside(version, Milliseconds, theirs);
        lines.push(line.ratio(&samples[0], theirs, NOOP_AT_MOST));
    }
    Ok(lines)
}

/// `upgrade` of many small revisions on an empty database.
pub fn apply(bench: &Bench) -> Result<Vec<Line>> {
    let what = "500 revisions on an empty database";
    let Some(server) = server() else { return Ok(no_server(what, START)) };
    let Some(psql) = rivals::version(rivals::PSQL, &["--version"]) else {
        let why = format!("not installed, `{}`", rivals::PSQL_INSTALL);
        return Ok(vec![Line::not_measured(what, rivals::PSQL, &why)]);
    };
    let shell = |url: &str| {
        let mut command = measure::command(rivals::PSQL, &bench.dir);
        command.args(["-q", "-X", url]);
        command
    };
    let n_runs = bench.n_runs.div_ceil(2);
    Ok(vec![applying(bench, (what, n_runs), &server, Shell { name: psql, command: &shell })?])
}

/// The shell of a server.
pub(super) struct Shell<'a> {
    /// Its name and version.
    pub(super) name: String,
    /// Starts it for the database of a URL; it reads its standard input.
    pub(super) command: &'a dyn Fn(&str) -> Command,
}

/// `upgrade` of many small revisions, beside a shell that reads the printed script.
pub(super) fn applying(
    bench: &Bench,
    (what, n_runs): (&str, usize),
    server: &Server,
    shell: Shell<'_>,
) -> Result<Line> {
    let host = revisions::host(bench)?;
    let mut print = host.tool(&["upgrade", "--sql", "base:head"]);
    let script = bench.dir.join(format!("script-{}.sql", server.name));
    // Without a database, only the URL tells MariaDB from MySQL.
    let (_, place) = server.url.split_once("://").unwrap_or_default();
    let url = format!("{}://{place}", server.dialect());
    fs::write(&script, measure::output(print.env("DATABASE_URL", url))?)?;
    let samples = measure::in_turn(
        n_runs,
        [
            &mut || {
                let mut upgrade = upgrade(&host, &server.database());
                Ok(measure::cost(&mut upgrade, &bench.dir, "Running upgrade")?.wall_ms)
            },
            &mut || {
                let mut command = (shell.command)(&server.database());
                command.current_dir(&bench.dir).stdin(File::open(&script)?);
                Ok(measure::cost(&mut command, &bench.dir, "")?.wall_ms)
            },
        ],
    )?;
    let [ours, theirs] = &samples;
    let line = Line::new(what, Milliseconds, ours).beside(shell.name, Milliseconds, theirs);
    Ok(line.ratio(ours, theirs, APPLY_AT_MOST))
}

/// Reading, checking and comparing the tables of many models.
pub fn tables(bench: &Bench) -> Result<Vec<Line>> {
    let Some(server) = server() else { return Ok(no_server("1000 tables", START)) };
    let many = Many::of(bench, "many-server", &server)?;
    let mut bare = servers::client(&many.url);
    let read = many.reading(bench, &mut |query| {
        bare.simple_query(query)?;
        Ok(())
    })?;
    let checked = match rivals::version(rivals::PSQL, &["--version"]) {
        Some(psql) => {
            let command = |url: &str| {
                let mut command = measure::command(rivals::PSQL, &bench.dir);
                command.args(["-q", "-X", "-A", "-t", url]);
                command
            };
            let shell = Shell { name: psql, command: &command };
            vec![
                many.checking(bench, (CHECK, "check", "agree"), &shell)?,
                many.checking(bench, (INSPECT, "inspect", "pub struct"), &shell)?,
            ]
        }
        None => {
            let why = format!("not installed, `{}`", rivals::PSQL_INSTALL);
            [CHECK, INSPECT].map(|what| Line::not_measured(what, rivals::PSQL, &why)).into()
        }
    };
    Ok([vec![read], checked, vec![many.migrating(bench)?]].into_iter().flatten().collect())
}

/// The tables of many models, on a server.
pub(super) struct Many {
    host: Host,
    pub(super) url: String,
    /// The queries that reading the catalog sends.
    queries: Vec<String>,
}

impl Many {
    /// Creates the tables.
    pub(super) fn of(bench: &Bench, name: &str, server: &Server) -> Result<Many> {
        let host = extract::host_named(bench, name)?;
        let mut many = Many { host, url: server.database(), queries: Vec::new() };
        measure::output(&mut many.tool(&["migrate", "-m", "all"]))?;
        measure::output(&mut many.tool(&["upgrade"]))?;
        many.queries = queries_of(&many.url)?;
        Ok(many)
    }

    fn tool(&self, args: &[&str]) -> Command {
        let mut command = self.host.tool(args);
        command.env("DATABASE_URL", &self.url);
        command
    }

    /// Reading the catalog, in this process, beside its queries alone.
    pub(super) fn reading(
        &self,
        bench: &Bench,
        bare: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<Line> {
        let mut conn = open(&self.url)?;
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
                    self.queries.iter().try_for_each(|query| bare(query))?;
                    Ok(start.elapsed().as_secs_f64() * 1000.0)
                },
            ],
        )?;
        let [ours, theirs] = &samples;
        let line = Line::new("1000 tables read", Milliseconds, ours);
        let line = line.beside("the bare queries", Milliseconds, theirs);
        Ok(line.ratio(ours, theirs, READING_AT_MOST))
    }

    /// A command that reads all tables, beside the shell with the queries of the catalog.
    pub(super) fn checking(
        &self,
        bench: &Bench,
        (what, command, printed): (&str, &str, &str),
        shell: &Shell<'_>,
    ) -> Result<Line> {
        let script = bench.dir.join("queries.sql");
        let text = self.queries.iter().fold(String::new(), |mut text, query| {
            let _ = writeln!(text, "{query};");
            text
        });
        fs::write(&script, text)?;
        let samples = measure::in_turn(
            bench.n_runs,
            [
                &mut || {
                    let mut ours = self.tool(&[command]);
                    Ok(measure::cost(&mut ours, &bench.dir, printed)?.wall_ms)
                },
                &mut || {
                    let mut theirs = (shell.command)(&self.url);
                    theirs.current_dir(&bench.dir).stdin(File::open(&script)?);
                    Ok(measure::cost(&mut theirs, &bench.dir, "")?.wall_ms)
                },
            ],
        )?;
        let [ours, theirs] = &samples;
        let beside = format!("the queries in {}", shell.name);
        let line = Line::new(what, Milliseconds, ours).beside(beside, Milliseconds, theirs);
        Ok(line.ratio(ours, theirs, CHECK_AT_MOST))
    }

    /// `migrate` where nothing changed, beside cargo's own look at the package.
    pub(super) fn migrating(&self, bench: &Bench) -> Result<Line> {
        let samples = measure::in_turn(
            bench.n_runs,
            [
                &mut || {
                    let mut migrate = self.tool(&["migrate", "--dry-run"]);
                    Ok(measure::cost(&mut migrate, &bench.dir, "No changes")?.wall_ms)
                },
                &mut || {
                    let mut check = self.host.cargo(&["check"]);
                    Ok(measure::cost(&mut check, &bench.dir, "Finished")?.wall_ms)
                },
            ],
        )?;
        let [ours, theirs] = &samples;
        let line = Line::new("`migrate`, 1000 models unchanged", Milliseconds, ours);
        let line = line.beside("cargo check", Milliseconds, theirs);
        Ok(line.ratio(ours, theirs, MIGRATE_AT_MOST))
    }
}

fn open(text: &str) -> Result<Box<dyn dbmigrate_runtime::engine::driver::Driver>> {
    let parsed = url::Url::parse(text)?;
    match &parsed.location {
        url::Location::Server(server) => Ok(open_server(parsed.backend, server)?),
        _ => Err("the URL of a server".into()),
    }
}

/// The queries that reading the catalog sends, with the transaction and the settings that they run
/// with.
fn queries_of(url: &str) -> Result<Vec<String>> {
    let mut driver = open(url)?;
    let dialect = driver.dialect();
    let mut listening = Listening { conn: driver.as_connection(), queries: Vec::new() };
    dialect.catalog(&mut listening, None, &BTreeSet::new())?;
    Ok(listening.queries)
}

/// A connection that remembers what it was asked.
struct Listening<'a> {
    conn: &'a mut dyn Connection,
    queries: Vec<String>,
}

impl Connection for Listening<'_> {
    fn dialect(&self) -> &'static dyn Dialect {
        self.conn.dialect()
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> std::result::Result<u64, DatabaseError> {
        self.queries.push(sql.to_owned());
        self.conn.execute(sql, params)
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> std::result::Result<Rows, DatabaseError> {
        assert!(params.is_empty(), "the queries of the catalog bind nothing");
        self.queries.push(sql.to_owned());
        self.conn.query(sql, params)
    }

    fn in_transaction(&self) -> bool {
        self.conn.in_transaction()
    }
}
