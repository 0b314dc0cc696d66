//! The page "Changing a database in use", played on PostgreSQL while six connections run the
//! statements of the releases that the page deploys.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dbmigrate_tests::servers::{self, client};
use dbmigrate_tests::{Host, tool};
use postgres::{Client, SimpleQueryMessage};

use super::played::{Left, Player};

const PAGE: &str = "guides/without-downtime.md";
const N_CONNECTIONS: usize = 6;
/// Between two requests of a connection. Without it they would keep every core from the tests beside.
const PAUSE: Duration = Duration::from_millis(2);
/// So many rows that the table counts as large.
const N_ROWS: usize = 100_000;

/// What the connections of a program do, and what becomes of it.
#[derive(Default)]
struct Load {
    /// The statements of the release that runs; during a deployment, those of the one before it
    /// first.
    releases: Mutex<Vec<Vec<String>>>,
    is_over: AtomicBool,
    n_requests: AtomicUsize,
    failures: Mutex<Vec<String>>,
}

impl Load {
    /// Replaces the release: first on half of the connections, then on the others.
    fn deploy(&self, text: &str) {
        let statements = text.lines().filter(|line| !line.starts_with("--"));
        let statements: Vec<String> = statements.map(str::to_owned).collect();
        lock(&self.releases).push(statements.clone());
        self.go_on();
        *lock(&self.releases) = vec![statements];
        self.go_on();
    }

    /// Waits for some requests.
    fn go_on(&self) {
        let n_before = self.n_requests.load(Ordering::SeqCst);
        while self.n_requests.load(Ordering::SeqCst) < n_before + 300 {
            assert_eq!(self.failures(), Vec::<String>::new());
            thread::sleep(PAUSE);
        }
    }

    fn failures(&self) -> Vec<String> {
        lock(&self.failures).clone()
    }

    /// Requests of one connection, until the page is played.
    fn request(&self, mut conn: Client, nth: usize) {
        for round in 0.. {
            let releases = lock(&self.releases).clone();
            let statements = &releases[nth % releases.len()];
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            for statement in statements {
                let id = (round * N_CONNECTIONS + nth) * 7919 % N_ROWS + 1;
                let statement = statement.replace("id = 1", &format!("id = {id}"));
                let failure = match conn.simple_query(&statement) {
                    Err(err) => Some(format!("{statement}: {err:?}")),
                    Ok(messages) if messages.iter().any(has_null) => {
                        Some(format!("{statement}: NULL"))
                    }
                    Ok(_) => None,
                };
                lock(&self.failures).extend(failure);
                self.n_requests.fetch_add(1, Ordering::SeqCst);
                thread::sleep(PAUSE);
            }
        }
    }
}

/// Whether it is a row with a NULL, which a program can't read as a text.
fn has_null(message: &SimpleQueryMessage) -> bool {
    let SimpleQueryMessage::Row(row) = message else { return false };
    (0..row.len()).any(|column| row.get(column).is_none())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_database_in_use_is_changed_and_no_request_fails() {
    tool();
    let test = "a_database_in_use_is_changed_and_no_request_fails";
    let Some(server) = servers::postgres(test).into_iter().next_back() else { return };
    let url = server.database();
    let load = Arc::new(Load::default());
    let connect = |nth: usize| -> JoinHandle<()> {
        let (url, load) = (url.clone(), load.clone());
        thread::spawn(move || {
            let mut conn = client(&url);
            // A request that is kept waiting for so long has failed.
            conn.batch_execute("SET statement_timeout = '10s'").unwrap();
            load.request(conn, nth);
        })
    };
    let connections = Mutex::new(Vec::new());
    let deploy = |text: &str| {
        let mut connections = lock(&connections);
        if connections.is_empty() {
            let rows = format!(
                "INSERT INTO customer (email, name) SELECT n || '@example.com', \
                 repeat('Ada Lovelace ', 12) FROM generate_series(1, {N_ROWS}) n; ANALYZE customer"
            );
            client(&url).batch_execute(&rows).unwrap();
            lock(&load.releases).push(vec!["SELECT 1".to_owned()]);
            connections.extend((0..N_CONNECTIONS).map(connect));
        }
        load.deploy(text);
    };
    let host = Host::library("shop", "");
    Player {
        host: &host,
        page: PAGE,
        left: Left::Nothing,
        is_played: &|_| true,
        database: &deploy,
        shown_as: &[(url.clone(), "postgres://ada@localhost/shop")],
    }
    .play();
    load.is_over.store(true, Ordering::SeqCst);
    for connection in connections.into_inner().unwrap_or_else(PoisonError::into_inner) {
        connection.join().unwrap();
    }
    assert_eq!(load.failures(), Vec::<String>::new());
    let n_empty = "SELECT count(*) FROM customer WHERE full_name IS NULL";
    let n_empty: i64 = client(&url).query_one(n_empty, &[]).unwrap().get(0);
    assert_eq!(n_empty, 0);
    let n_requests = load.n_requests.load(Ordering::SeqCst);
    let what = format!("{n_requests} requests of {N_CONNECTIONS} connections, and none failed");
    let _ = writeln!(std::io::stdout(), "{what}");
}
