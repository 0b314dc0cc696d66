//! Steps that run in pieces, killed before each call to the database: no row is visited twice, and
//! none is left out.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, client, mysql_client};

use crate::bench::{is_long, said, say, survivor};

const SIGKILL: i32 = 9;

/// What each row has been visited by, once and completely.
const VISITED: i64 = 101;

/// A database with the first revision.
fn begun(database: &str) {
    let output = survivor(database.as_ref()).args(["up", "p1"]).output().expect("it runs");
    assert!(output.status.success(), "{}", said(&output));
}

/// The distinct numbers of visits, and how many rows there are.
fn visits(database: &str) -> (Vec<i64>, i64) {
    let (numbers, count) = ("SELECT DISTINCT n FROM item ORDER BY n", "SELECT count(*) FROM item");
    if database.starts_with("mysql") {
        let mut conn = mysql_client(database);
        let count = conn.query_first(count).expect("a query").expect("a row");
        return (conn.query(numbers).expect("a query"), count);
    }
    if database.starts_with("postgres") {
        let mut client = client(database);
        let numbers = client.query(numbers, &[]).expect("a query");
        let numbers = numbers.iter().map(|row| row.get::<_, i32>(0).into()).collect();
        return (numbers, client.query_one(count, &[]).expect("a query").get(0));
    }
    let conn = rusqlite::Connection::open(database).expect("it opens");
    let mut found = conn.prepare(numbers).expect("a query");
    let found = found.query_map([], |row| row.get(0)).expect("a query");
    let count = conn.query_row(count, [], |row| row.get(0)).expect("a row");
    (found.map(|row| row.expect("a row")).collect(), count)
}

/// Kills runs at each position (in the short mode, at some), each on a database of its own.
fn kill_all(name: &str, fresh: &mut dyn FnMut() -> String) {
    let whole = fresh();
    begun(&whole);
    let output = survivor(whole.as_ref()).args(["up", "p2"]).output().expect("it runs");
    let n_calls = String::from_utf8_lossy(&output.stdout);
    let n_calls: u64 = n_calls.trim().parse().unwrap_or_else(|_| panic!("{}", said(&output)));
    assert_eq!(visits(&whole), (vec![VISITED], 40));
    let (stride, mut n_between) = (if is_long() { 1 } else { 6 }, 0);
    for at in (1..=n_calls).step_by(stride) {
        let database = fresh();
        begun(&database);
        let mut run = survivor(database.as_ref());
        let output = run.args(["up", "p2", "--kill-at", &at.to_string()]).output();
        let output = output.expect("it runs");
        assert_eq!(output.status.signal(), Some(SIGKILL), "{}", said(&output));
        let place = format!("{name}: call {at} of {n_calls}");
        let (found, _) = visits(&database);
        n_between += usize::from(found != [0] && found != [VISITED]);
        let output = survivor(database.as_ref()).args(["up", "p2"]).output().expect("it runs");
        assert!(output.status.success(), "{place}: {}", said(&output));
        assert_eq!(visits(&database), (vec![VISITED], 40), "{place}");
    }
    assert!(n_between > 2, "{name}: {n_between} of {n_calls}");
    say(&format!("{name}: killed at {n_calls} calls, {n_between} times between two pieces"));
}

#[test]
fn killed_between_pieces_on_sqlite() {
    let dir = std::env::temp_dir().join(format!("dbmigrate-pieces-{}", std::process::id()));
    let mut nth = 0;
    let mut fresh = || {
        nth += 1;
        let dir: PathBuf = dir.join(nth.to_string());
        fs::create_dir_all(&dir).expect("a directory");
        dir.join("app.db").display().to_string()
    };
    kill_all("sqlite", &mut fresh);
    fs::remove_dir_all(&dir).expect("it was created");
}

#[test]
fn killed_between_pieces_on_servers() {
    let test = "killed_between_pieces_on_servers";
    for server in servers::in_turn(test) {
        kill_all(&server.name, &mut || server.database());
    }
}
