//! A database of its own for a test, on each server that the environment names.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::Value;
use crate::dialect::{Dialect as _, Facts, Postgres, Task};
use crate::driver::postgres::PostgresDriver;
use crate::driver::{Connection as _, Driver as _};
use crate::operations::Operation;
use crate::schema::Schema;
use crate::url::{Location, Url};

/// Begins the next transaction.
pub(super) const NEXT: &str =
    "COMMIT; BEGIN; SET LOCAL TimeZone = 'UTC'; SET LOCAL search_path = own";

/// A database of its own, empty at the beginning of each attempt.
pub(super) struct Server {
    pub(super) driver: PostgresDriver<'static>,
    pub(super) facts: Facts,
    url: String,
}

/// A database on each server that the environment names.
pub(super) fn servers(name: &str) -> Vec<Server> {
    let urls = std::env::vars()
        .filter(|(variable, _)| variable.starts_with("DBMIGRATE_TEST_POSTGRES"))
        .map(|(_, url)| url);
    let connect = |url: &str| match Url::parse(url).unwrap().location {
        Location::Server(server) => PostgresDriver::connect(&server).unwrap(),
        other => panic!("{other:?} is not on a server"),
    };
    let create = |url: String| {
        let (server, _) = url.rsplit_once('/').unwrap();
        let database = format!("planner_{name}");
        let mut first = connect(&url);
        for sql in ["DROP DATABASE IF EXISTS", "CREATE DATABASE"] {
            first.batch(&format!("{sql} {database}")).unwrap();
        }
        let url = format!("{server}/{database}");
        let mut driver = connect(&url);
        let facts = Postgres.facts(&mut driver).unwrap();
        Server { driver, facts, url }
    };
    let servers: Vec<_> = urls.map(create).collect();
    let is_needed = std::env::var("DBMIGRATE_TEST_SERVERS").is_ok_and(|value| value == "1");
    assert!(!(servers.is_empty() && is_needed), "no PostgreSQL server");
    servers
}

impl Server {
    /// Runs operations in the transaction that is open, and in further ones if they need them, and returns what stops them.
    pub(super) fn run(
        &mut self,
        operations: &[Operation],
        schema: &mut Schema,
    ) -> Result<(), String> {
        let plan = Postgres.plan(operations, schema, &self.facts).map_err(|err| err.message)?;
        for task in &plan.tasks {
            match task {
                Task::Statement(statement) => self
                    .driver
                    .batch(&statement.sql)
                    .map_err(|err| format!("database: {err}: {}", statement.sql))?,
                Task::Guard(guard) => {
                    let rows = self.driver.query(&guard.sql, &[]);
                    let rows = rows.map_err(|err| format!("database: {err}: {}", guard.sql))?;
                    if let Some(n) = rows.rows.into_iter().flatten().next() {
                        return Err(guard.failed(&n));
                    }
                }
                Task::Border => self.driver.batch(NEXT).unwrap(),
                Task::Note(_) | Task::Step { .. } | Task::Alone(_) => {}
            }
        }
        Ok(())
    }

    /// Runs a script with psql; `None` if this machine has none.
    pub(super) fn psql(&self, script: &str) -> Option<Result<(), String>> {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-f", "-", &self.url]);
        psql.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = psql.spawn().ok()?;
        let mut stdin = child.stdin.take().unwrap();
        let script = script.to_owned();
        let writer = std::thread::spawn(move || {
            // psql stops reading at the first error.
            let _ = stdin.write_all(script.as_bytes());
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        Some(if output.status.success() { Ok(()) } else { Err(err) })
    }

    pub(super) fn query(&mut self, sql: &str) -> Vec<Vec<Value>> {
        self.driver.query(sql, &[]).unwrap().rows
    }
}
