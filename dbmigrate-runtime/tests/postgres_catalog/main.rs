//! Reads PostgreSQL's catalog, compares it with what the server makes of tables, and runs revisions
//! that take several transactions.
//!
//! The servers are those of the environment; see `tests/servers`. Without one nothing is tested.

#![cfg(feature = "postgres")]
#![expect(clippy::print_stdout, reason = "says what was left out, and measurements")]

mod groups;
mod kept;
#[path = "../modules/mod.rs"]
mod modules;
mod profiles;
mod reading;
mod refused;
mod verified;
mod views;
mod waiting;

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use dbmigrate_runtime::engine::driver::postgres::PostgresDriver;
use dbmigrate_runtime::engine::driver::{
    AsConnection as _, Connection, DatabaseError, Driver as _,
};
use dbmigrate_runtime::engine::url::{Location, Url};

/// A database of its own on a server.
struct Database {
    /// The server's version, such as 15.
    version: u32,
    url: String,
    driver: PostgresDriver<'static>,
}

impl Database {
    fn batch(&mut self, sql: &str) {
        self.driver.batch(sql).unwrap_or_else(|err| panic!("{sql}: {err}"));
    }

    fn driver_batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.driver.batch(sql)
    }

    fn conn(&mut self) -> &mut dyn Connection {
        self.driver.as_connection()
    }
}

/// Runs a test on each server, in a new database.
fn on_servers(test: impl Fn(&mut Database)) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let mut n_servers = 0;
    for (variable, url) in std::env::vars() {
        let Some(version) = variable.strip_prefix("DBMIGRATE_TEST_POSTGRES") else { continue };
        n_servers += 1;
        let nth = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("catalog_{}_{nth}", std::process::id());
        let (server, database) = url.rsplit_once('/').unwrap();
        let query = database.split_once('?').map_or(String::new(), |(_, rest)| format!("?{rest}"));
        connect(&url).batch(&format!("CREATE DATABASE {name} TEMPLATE template0")).unwrap();
        let own = format!("{server}/{name}{query}");
        let driver = connect(&own);
        test(&mut Database { version: version.parse().unwrap(), url: own, driver });
        connect(&url).batch(&format!("DROP DATABASE {name} WITH (FORCE)")).unwrap();
    }
    if n_servers == 0 {
        assert!(std::env::var_os("DBMIGRATE_TEST_SERVERS").is_none(), "no PostgreSQL server");
        println!("skipped: no PostgreSQL server");
    }
}

/// The text that a test results in, which has to be the same on each server. Without a server the
/// text isn't known.
fn same_on_servers(test: impl Fn(&mut Database) -> String) -> Option<String> {
    let texts = RefCell::new(Vec::new());
    on_servers(|database| texts.borrow_mut().push(test(database)));
    let mut texts = texts.into_inner().into_iter();
    let first = texts.next()?;
    texts.for_each(|other| assert_eq!(other, first));
    Some(first)
}

fn connect(url: &str) -> PostgresDriver<'static> {
    match Url::parse(url).unwrap().location {
        Location::Server(server) => PostgresDriver::connect(&server).unwrap(),
        other => panic!("{other:?} is not on a server"),
    }
}
