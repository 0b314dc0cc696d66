//! The lease that excludes other migrations where named locks don't.

use std::thread;
use std::time::{Duration, Instant};

use dbmigrate_runtime::engine::driver::mysql::MysqlDriver;
use dbmigrate_runtime::engine::driver::{Connection as _, Driver as _, Scope, Wait, Waiting};
use dbmigrate_runtime::mysql::Conn;
use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, mysql_client};

use crate::imitation::{behind, own_locks};

const LASTS: Duration = Duration::from_secs(2);

/// A driver that has to hold a lease.
fn leasing(url: &str) -> MysqlDriver<'static> {
    let mut driver = crate::driver(url);
    driver.lock_by_lease(LASTS);
    driver.prepare(".dbmigrate_version").expect("it is prepared");
    driver
}

/// Begins, and returns the error and what is said about who is in the way.
fn begin(
    driver: &mut MysqlDriver<'_>,
    scope: Scope,
    at_most: Duration,
) -> (Result<(), String>, String) {
    let mut holder = None;
    let mut on_wait = |waiting: &Waiting| holder.clone_from(&waiting.holder);
    let res = driver.begin(scope, &mut Wait { at_most, on_wait: &mut on_wait });
    (res.map_err(|err| err.to_string()), holder.unwrap_or_default())
}

fn is_begun(driver: &mut MysqlDriver<'_>, scope: Scope) -> bool {
    begin(driver, scope, Duration::ZERO).0.is_ok()
}

/// Has the lease taken over by somebody else.
fn take_over(conn: &mut Conn) {
    conn.query_drop("UPDATE dbmigrate_lock SET token = token + 1").expect("the lease");
}

const LOST: &str = "another process took over the lease, which this one had not renewed in time";

#[test]
fn one_connection_at_a_time_has_the_lease() {
    for server in servers::mysql("one_connection_at_a_time_has_the_lease") {
        let url = server.database();
        let (mut one, mut two) = (leasing(&url), leasing(&url));
        assert!(is_begun(&mut one, Scope::Alone));
        // It is renewed in time.
        let start = Instant::now();
        let (res, holder) = thread::scope(|scope| {
            let waiting = scope.spawn(|| begin(&mut two, Scope::Alone, LASTS * 2));
            while !waiting.is_finished() {
                one.query("SELECT 1", &[]).expect("it is not silent");
                thread::sleep(Duration::from_millis(50));
            }
            waiting.join().expect("it ends")
        });
        assert_eq!(res, Err("another process is migrating the database".to_owned()));
        assert!(start.elapsed() >= LASTS * 2);
        let pid = std::process::id();
        let said =
            format!("(process {pid})` holds the lease in `dbmigrate_lock`, which expires in");
        assert!(holder.starts_with("`root@") && holder.contains(&said), "{holder}");
        assert!(holder.ends_with(" 2 seconds unless it is renewed"), "{holder}");
        one.release();
        assert!(is_begun(&mut two, Scope::Alone));
        assert!(!is_begun(&mut one, Scope::Alone));
        // Another history of the same database has a lease of its own.
        one.prepare(".other_version").expect("it is prepared");
        assert!(is_begun(&mut one, Scope::Alone));
        two.release();
        // The application's session is closed as late as before.
        let silence = two.query("SELECT @@wait_timeout", &[]).expect("the setting").rows;
        assert_eq!(silence, [[28_800.into()]]);
    }
}

#[test]
fn who_lost_the_lease_writes_nothing_more() {
    for server in servers::mysql("who_lost_the_lease_writes_nothing_more") {
        let url = server.database();
        let (mut one, mut other) = (leasing(&url), mysql_client(&url));
        other.query_drop("CREATE TABLE t (id INT)").expect("a table");
        let began = |driver: &mut MysqlDriver<'_>| {
            assert!(is_begun(driver, Scope::Alone));
            assert!(is_begun(driver, Scope::Group));
            driver.execute("INSERT INTO t VALUES (1)", &[]).expect("a row");
        };
        began(&mut one);
        one.commit().expect("it has the lease");
        // Between two transactions.
        take_over(&mut other);
        let (res, _) = begin(&mut one, Scope::Group, Duration::ZERO);
        assert_eq!(res, Err(LOST.to_owned()));
        one.release();
        other.query_drop("UPDATE dbmigrate_lock SET expires_at = renewed_at").expect("the lease");
        // In a transaction.
        began(&mut one);
        take_over(&mut other);
        assert_eq!(one.commit().expect_err("it is fenced").to_string(), LOST);
        one.rollback();
        one.release();
        assert_eq!(other.query_first::<i64, _>("SELECT COUNT(*) FROM t").expect("rows"), Some(1));
        // Outside of transactions, as soon as the keeper notices.
        other.query_drop("UPDATE dbmigrate_lock SET expires_at = renewed_at").expect("the lease");
        assert!(is_begun(&mut one, Scope::Alone));
        take_over(&mut other);
        thread::sleep(LASTS / 2);
        let err = one.batch("CREATE TABLE u (id INT)").expect_err("it stops");
        assert_eq!(err.to_string(), LOST);
    }
}

#[test]
fn a_lock_that_excludes_nobody_is_found_out() {
    for server in servers::mysql("a_lock_that_excludes_nobody_is_found_out") {
        let url = server.database();
        let behind = behind(&url, own_locks);
        let open = || {
            let mut driver = crate::driver(&behind);
            driver.prepare(".dbmigrate_version").expect("it is prepared");
            driver
        };
        let (mut one, mut two) = (open(), open());
        assert!(is_begun(&mut one, Scope::Alone));
        let (res, holder) = begin(&mut two, Scope::Alone, Duration::from_millis(400));
        assert!(res.is_err() && holder.contains("holds the lease"), "{holder}");
        one.release();
        assert!(is_begun(&mut two, Scope::Alone));
        // The server itself needs no lease.
        let mut three = crate::driver(&server.database());
        three.prepare(".dbmigrate_version").expect("it is prepared");
        assert!(is_begun(&mut three, Scope::Alone));
        let tables = three.query("SHOW TABLES", &[]).expect("the tables").rows;
        assert!(tables.is_empty(), "{tables:?}");
    }
}
