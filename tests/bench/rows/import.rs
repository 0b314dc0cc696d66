//! The history of another tool, taken over.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::process::Command;

use dbmigrate_tests::servers::{self, Server};

use super::revisions;
use crate::figures::Unit::Milliseconds;
use crate::hosts::{Derive, Host};
use crate::report::Line;
use crate::{Bench, Result, measure, rivals};

const AT_MOST_SECONDS: f64 = 10.0;

/// The same migrations on one kind of database.
struct Kind<'a> {
    what: &'static str,
    dialect: &'static str,
    date_time: &'static str,
    /// What quotes a name.
    quote: char,
    /// The database on which they are tried, if that is on a server.
    shadow_url: Option<String>,
    /// The name of the client, and the command that runs a script in it.
    client: (String, &'a dyn Fn() -> Command),
}

/// `import --dry-run` of many migrations, beside the client that runs them there, back and there
/// again.
pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    Ok(vec![on_sqlite(bench)?, on_postgres(bench)?, on_mariadb(bench)?])
}

fn on_sqlite(bench: &Bench) -> Result<Line> {
    let what = "500 migrations on SQLite";
    let Some(name) = rivals::version(rivals::SQLITE3, &["-version"]) else {
        let why = format!("not installed, `{}`", rivals::SQLITE3_INSTALL);
        return Ok(Line::not_measured(what, rivals::SQLITE3, &why));
    };
    let client = || {
        let mut client = measure::command(rivals::SQLITE3, &bench.dir);
        client.arg(":memory:");
        client
    };
    let dialect = "sqlite";
    let (date_time, quote, shadow_url, client) = ("TIMESTAMP", '"', None, (name, &client as _));
    measured(bench, &Kind { what, dialect, date_time, quote, shadow_url, client })
}

fn on_postgres(bench: &Bench) -> Result<Line> {
    let what = "500 migrations on PostgreSQL";
    let Some(server) = server("postgres") else {
        return Ok(no_server(what, "postgres15"));
    };
    let Some(name) = rivals::version(rivals::PSQL, &["--version"]) else {
        let why = format!("not installed, `{}`", rivals::PSQL_INSTALL);
        return Ok(Line::not_measured(what, rivals::PSQL, &why));
    };
    let client = || {
        let mut client = measure::command(rivals::PSQL, &bench.dir);
        client.args(["-q", "-X", &server.database()]);
        client
    };
    let shadow_url = Some(server.database());
    let (dialect, date_time, quote, client) = ("postgres", "TIMESTAMP", '"', (name, &client as _));
    measured(bench, &Kind { what, dialect, date_time, quote, shadow_url, client })
}

fn on_mariadb(bench: &Bench) -> Result<Line> {
    let what = "500 migrations on MariaDB";
    let Some(server) = server("mariadb") else {
        return Ok(no_server(what, "mariadb118"));
    };
    let client = || server.shell(&server.database());
    let client = (format!("the client of {}", server.name), &client as _);
    let shadow_url = Some(server.database());
    let (dialect, date_time, quote) = ("mariadb", "DATETIME(6)", '`');
    measured(bench, &Kind { what, dialect, date_time, quote, shadow_url, client })
}

/// The first server of this name that was started.
fn server(name: &str) -> Option<Server> {
    servers::started(name).into_iter().next()
}

fn no_server(what: &str, server: &str) -> Line {
    let start = format!("none was started, `servers {server} -- bench ...` does it");
    Line::not_measured(what, "a server", &start)
}

fn measured(bench: &Bench, kind: &Kind<'_>) -> Result<Line> {
    let host = Host::new(bench, &format!("import-{}", kind.dialect), Derive::Model, 1)?;
    measure::output(&mut host.tool(&["init", "--no-add", "--dialect", kind.dialect]))?;
    let dir = bench.dir.join(format!("import-{}-sql", kind.dialect));
    fs::create_dir_all(&dir)?;
    let mut script = String::new();
    let ups = revisions::sql(kind.date_time);
    for (n, (up, down)) in (1..).zip(ups.iter().zip(revisions::sql_back())) {
        let [up, down] = [up, &down].map(|sql| sql.replace('"', &kind.quote.to_string()));
        fs::write(dir.join(format!("{n}_change.up.sql")), &up)?;
        fs::write(dir.join(format!("{n}_change.down.sql")), &down)?;
        let _ = write!(script, "{up}{down}{up}");
    }
    let path = bench.dir.join(format!("import-{}.sql", kind.dialect));
    fs::write(&path, script)?;
    let shown = dir.display().to_string();
    let shadow = kind.shadow_url.iter().flat_map(|url| ["--shadow-url", url]);
    let args: Vec<&str> =
        ["import", "sqlx", &shown, "--dry-run"].into_iter().chain(shadow).collect();
    let (name, client) = &kind.client;
    let samples = measure::in_turn(
        bench.n_runs.div_ceil(4),
        [
            &mut || {
                let mut import = host.tool(&args);
                Ok(measure::cost(&mut import, &bench.dir, "pub fn upgrade")?.wall_ms)
            },
            &mut || {
                let mut client = client();
                client.current_dir(&bench.dir).stdin(File::open(&path)?);
                Ok(measure::cost(&mut client, &bench.dir, "")?.wall_ms)
            },
        ],
    )?;
    let [ours, theirs] = &samples;
    let line = Line::new(kind.what, Milliseconds, ours).beside(name, Milliseconds, theirs);
    let ratio = format!("{:.2} x", ours.median() / theirs.median());
    let kept = ours.median() < AT_MOST_SECONDS * 1000.0;
    Ok(line.promise(ratio, &format!("under {AT_MOST_SECONDS} s"), kept))
}
