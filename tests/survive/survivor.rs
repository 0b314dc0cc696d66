//! The program that the tests kill: it runs the migrations of `history.rs` on a database.
//!
//! `survivor DATABASE up|down REVISION [--each] [--kill-at N [--terminate | --shell COMMAND]]
//! [--kill-behind WORDS] [--cache PAGES] [--max-pages N] [--synchronous N] [--lease SECONDS]`, or `survivor DATABASE embedded` for what an application does when it starts. It
//! prints how many calls to the database it made; the exit code of a failure is 3.

mod history;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::driver::mysql::MysqlDriver;
use dbmigrate_runtime::engine::driver::postgres::PostgresDriver;
use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::driver::{Connection, DatabaseError, Driver, Rows, Scope, Wait};
use dbmigrate_runtime::engine::executor::{Executor, OwnSteps};
use dbmigrate_runtime::engine::url::{Access, Location, Url};
use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_runtime::{Direction, Error, Migrator, Options, Value};
use dbmigrate_tests::servers;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let res = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [file, "embedded"] => {
            Migrator::new(history::MODULES).upgrade_url(file).map(|_| 0).map_err(report)
        }
        [file, "up", to, rest @ ..] => run(file, Direction::Upgrade, to, rest),
        [file, "down", to, rest @ ..] => run(file, Direction::Downgrade, to, rest),
        _ => return ExitCode::from(2),
    };
    match res {
        Ok(n_calls) => {
            let _ = writeln!(std::io::stdout(), "{n_calls}");
            ExitCode::SUCCESS
        }
        Err(err) => {
            let _ = writeln!(std::io::stderr(), "{err}");
            ExitCode::from(3)
        }
    }
}

fn report(err: Error) -> String {
    err.report()
}

fn run(file: &str, direction: Direction, to: &str, args: &[&str]) -> Result<u64, String> {
    let text = |name: &str| -> Option<&str> {
        let at = args.iter().position(|arg| *arg == name)?;
        args.get(at + 1).copied()
    };
    let number = |name: &str| -> Option<u64> { text(name)?.parse().ok() };
    let mut driver =
        open(file, number("--lease")).map_err(|database_error| database_error.to_string())?;
    // With few pages in memory, a transaction is written to the file before its end.
    let pragmas = [
        ("--cache", "cache_size"),
        ("--max-pages", "max_page_count"),
        ("--synchronous", "synchronous"),
    ];
    for (name, pragma) in pragmas {
        if let Some(n) = number(name) {
            let sql = format!("PRAGMA {pragma} = {n}");
            driver.query(&sql, &[]).map_err(|database_error| database_error.to_string())?;
        }
    }
    let options = Options { transaction_each: args.contains(&"--each"), ..Options::default() };
    let modules = match to {
        "r8" => history::IN_GROUPS,
        "p1" | "p2" => history::IN_PIECES,
        _ => history::MODULES,
    };
    let migrations = Migrator::new(modules).migrations().map_err(report)?;
    let mut driver = Counted {
        driver,
        n_calls: 0,
        kill_at: number("--kill-at").unwrap_or(0),
        is_terminated: args.contains(&"--terminate"),
        shell: text("--shell").map(str::to_owned),
        kill_behind: text("--kill-behind").map(str::to_owned),
        url: file.to_owned(),
    };
    Executor {
        driver: &mut driver,
        migrations: &migrations,
        options: &options,
        observer: &mut (),
        steps: &mut OwnSteps,
    }
    .run(direction, to)
    .map_err(report)?;
    Ok(driver.n_calls)
}

/// Opens the database of a URL or a path; one of MySQL or MariaDB as if its named locks did nothing,
/// with a lease of so many seconds instead.
fn open(database: &str, lease: Option<u64>) -> Result<Box<dyn Driver>, DatabaseError> {
    let url = Url::parse(database).map_err(|err| DatabaseError::new(err.to_string()))?;
    Ok(match url.location {
        Location::Server(server) if is_mysql(database) => {
            let mut driver = MysqlDriver::connect(&server)?;
            if let Some(seconds) = lease {
                driver.lock_by_lease(Duration::from_secs(seconds));
            }
            Box::new(driver)
        }
        Location::Server(server) => Box::new(PostgresDriver::connect(&server)?),
        _ => Box::new(SqliteDriver::open(Path::new(database), Access::Create)?),
    })
}

fn is_mysql(url: &str) -> bool {
    url.starts_with("mysql:")
}

/// Ends the other connections to a database on a server; on MySQL and MariaDB the newest of them.
fn terminate(url: &str) {
    if is_mysql(url) {
        let mut conn = servers::mysql_client(url);
        let others = "SELECT id FROM information_schema.processlist \
                      WHERE db = DATABASE() AND id <> CONNECTION_ID() ORDER BY id DESC";
        let ids: Vec<u64> = conn.query(others).unwrap_or_default();
        if let Some(id) = ids.first() {
            let _ = conn.query_drop(format!("KILL {id}"));
        }
        return;
    }
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let other = postgres::Client::connect(url, postgres::NoTls);
    let _ = other.and_then(|mut client| client.batch_execute(terminate));
}

/// Counts the calls, and has the process killed before one of them.
struct Counted {
    driver: Box<dyn Driver>,
    n_calls: u64,
    /// Counted from 1.
    kill_at: u64,
    /// Whether the server ends the connection, instead of the process being killed.
    is_terminated: bool,
    /// What is run in a shell instead of the process being killed.
    shell: Option<String>,
    /// Words of a statement behind which the process is killed.
    kill_behind: Option<String>,
    url: String,
}

impl Counted {
    fn call(&mut self) -> &mut dyn Driver {
        self.n_calls += 1;
        if self.n_calls == self.kill_at && self.is_terminated {
            terminate(&self.url);
        } else if let (true, Some(shell)) = (self.n_calls == self.kill_at, &self.shell) {
            let _ = Command::new("sh").args(["-c", shell]).status();
        } else if self.n_calls == self.kill_at {
            die();
        }
        &mut *self.driver
    }
}

/// Has the process killed.
fn die() -> ! {
    let id = std::process::id().to_string();
    let _ = Command::new("sh").args(["-c", "kill -9 $0", &id]).spawn();
    loop {
        std::thread::sleep(Duration::from_secs(60));
    }
}

type Res<T> = Result<T, DatabaseError>;

impl Connection for Counted {
    fn dialect(&self) -> &'static dyn Dialect {
        self.driver.dialect()
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Res<u64> {
        self.call().execute(sql, params)
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Res<Rows> {
        self.call().query(sql, params)
    }

    fn in_transaction(&self) -> bool {
        self.driver.in_transaction()
    }
}

impl Driver for Counted {
    fn batch(&mut self, sql: &str) -> Res<()> {
        let res = self.call().batch(sql);
        if self.kill_behind.as_ref().is_some_and(|words| sql.contains(words)) {
            die();
        }
        res
    }

    fn prepare(&mut self, history: &str) -> Res<()> {
        self.call().prepare(history)
    }

    fn restore(&mut self) -> Res<()> {
        self.call().restore()
    }

    fn begin(&mut self, scope: Scope, wait: &mut Wait<'_>) -> Res<()> {
        self.call().begin(scope, wait)
    }

    fn runs(&mut self, revision: &str) {
        self.call().runs(revision);
    }

    fn commit(&mut self) -> Res<()> {
        self.call().commit()
    }

    fn rollback(&mut self) {
        self.call().rollback();
    }

    fn blocker(&mut self) -> Option<String> {
        self.call().blocker()
    }

    fn release(&mut self) {
        self.call().release();
    }
}
