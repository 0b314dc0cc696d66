//! Programs that start while another instance migrates a database on a server.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Migrator, Module};
use dbmigrate_tests::modules::module;
use dbmigrate_tests::servers;

const ITEMS: Module = module("a1", &[], items, |op| op.drop_table("item"));
const MODULES: &[Module] = &[ITEMS];

fn items(op: &mut Operations) {
    op.create_table(
        Table::new("item")
            .column(Column::new("id", Type::BigInteger).not_null())
            .primary_key("pk_item", ["id"]),
    );
}

/// What the revision of [`SLOW`] waits for.
static MAY_END: AtomicBool = AtomicBool::new(false);

const SLOW: &[Module] = &[ITEMS, module("b2", &["a1"], waits, |_| {})];

fn waits(op: &mut Operations) {
    op.run("wait", |_| {
        while !MAY_END.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    });
}

/// A URL that leads to nobody, and how somebody is there later.
fn absent(url: &str) -> (String, impl FnOnce() + Send + 'static) {
    let (before, after) = url.split_once('@').expect("a user");
    let (place, database) = after.split_once('/').expect("a database");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let own = port.expect("a port");
    let place = place.to_owned();
    (format!("{before}@{own}/{database}"), move || forward(own.port(), &place))
}

/// Answers at a port by another server, until the process ends.
fn forward(port: u16, place: &str) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is still free");
    let place = place.to_owned();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(&place).expect("the server is there");
            for (from, to) in [(&client, &server), (&server, &client)] {
                let (mut from, mut to) =
                    (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
                thread::spawn(move || {
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
}

#[test]
fn a_server_that_does_not_answer_yet_and_another_instance_are_waited_for() {
    let test = "a_server_that_does_not_answer_yet_and_another_instance_are_waited_for";
    for server in servers::in_turn(test) {
        let url = server.database();
        let (late, begin) = absent(&url);
        let other = thread::spawn(move || {
            thread::sleep(Duration::from_millis(300));
            begin();
            thread::sleep(Duration::from_millis(300));
            Migrator::new(MODULES).upgrade(&url).expect("it is upgraded");
        });
        let start = Instant::now();
        Migrator::new(MODULES)
            .wait_until_up_to_date(&late, Duration::from_secs(60))
            .unwrap_or_else(|err| panic!("{}: {}", server.name, err.report()));
        assert!(start.elapsed() >= Duration::from_millis(600), "{:?}", start.elapsed());
        other.join().expect("it ends");
    }
}

#[test]
fn a_wrong_user_is_an_error_at_once() {
    for server in servers::in_turn("a_wrong_user_is_an_error_at_once") {
        let url = server.database();
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (_, place) = rest.split_once('@').expect("a user");
        let wrong = format!("{scheme}://nobody:s3cret@{place}");
        let start = Instant::now();
        let waited = Migrator::new(MODULES).wait_until_up_to_date(&wrong, Duration::from_secs(60));
        let err = waited.expect_err("it is refused").report();
        assert!(start.elapsed() < Duration::from_secs(20), "{err}");
        assert!(err.contains("nobody") && !err.contains("s3cret"), "{err}");
    }
}

#[test]
fn who_holds_the_lock_is_named_when_the_time_is_up() {
    for server in servers::in_turn("who_holds_the_lock_is_named_when_the_time_is_up") {
        let url = server.database();
        Migrator::new(MODULES).upgrade(&url).expect("it is upgraded");
        MAY_END.store(false, Ordering::Relaxed);
        let slow = {
            let url = url.clone();
            thread::spawn(move || Migrator::new(SLOW).upgrade(&url).map(drop))
        };
        let text = loop {
            let waited =
                Migrator::new(SLOW).wait_until_up_to_date(&url, Duration::from_millis(200));
            let err = waited.expect_err("the other instance is not done");
            assert!(err.is_behind(), "{}", err.report());
            let text = err.report();
            if text.contains("of the server holds a lock") || slow.is_finished() {
                break text;
            }
        };
        MAY_END.store(true, Ordering::Relaxed);
        slow.join().expect("it ends").expect("it is upgraded");
        // On a busy machine the wait takes longer than its limit.
        let (before, after) =
            ("the database is still behind after waiting for ", " s: it lacks 1 of 2");
        let waited = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
        let waited = waited.and_then(|(seconds, _)| seconds.parse::<f64>().ok());
        assert!(waited.is_some_and(|seconds| (0.2..20.0).contains(&seconds)), "{text}");
        assert!(text.contains("holds a lock"), "{}: {text}", server.name);
        let migrator = Migrator::new(SLOW);
        migrator.wait_until_up_to_date(&url, Duration::ZERO).expect("it is up to date");
    }
}
