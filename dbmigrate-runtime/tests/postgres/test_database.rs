//! A migrated database on a server for each test.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier};

use dbmigrate_runtime::postgres::{Client, NoTls};
use dbmigrate_runtime::{Migrator, Module, TestDatabase};

use super::modules::module;
use super::server::Server;

static MODULES: &[Module] = &[
    module(
        "a1",
        &[],
        |op| {
            op.execute("CREATE TABLE one (id bigint PRIMARY KEY)");
            op.execute("INSERT INTO one VALUES (7)");
        },
        |op| {
            op.execute("DROP TABLE one");
        },
    ),
    module(
        "b2",
        &["a1"],
        |op| {
            op.no_transaction();
            op.execute("CREATE INDEX CONCURRENTLY ix_one ON one (id)");
        },
        |op| {
            op.execute("DROP INDEX ix_one");
        },
    ),
];

const _: () = {
    const fn shared<T: Send + Sync + 'static>() {}
    shared::<TestDatabase>();
};

const HBA: &str = "local all all trust";

/// The URL of a database on this server, which need not exist.
fn url(server: &Server, role: &str, database: &str) -> String {
    format!("postgres://{role}@/{database}?host={}&port={}", server.dir.display(), server.port)
}

/// The servers that the program `servers` has started, and one of this test's own.
fn urls(server: &Server) -> Vec<String> {
    let named = std::env::vars().filter(|(name, _)| name.starts_with("DBMIGRATE_TEST_POSTGRES"));
    let own = url(server, "admin", "not_there");
    named.map(|(_, url)| url).chain([own]).collect()
}

/// Connects to the database that a URL names, or to `postgres` on the same server.
fn client(url: &str) -> Client {
    Client::connect(url, NoTls)
        .or_else(|_| Client::connect(&url.replace("/not_there", "/postgres"), NoTls))
        .unwrap()
}

/// The databases of a server that this crate has created.
fn made(url: &str) -> BTreeSet<String> {
    let sql = "SELECT datname::text FROM pg_database WHERE datname LIKE 'dbmigrate%'";
    client(url).query(sql, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

/// Drops the templates that an earlier run has left on a server that lives longer.
fn drop_templates(url: &str) {
    for name in made(url).iter().filter(|name| name.starts_with("dbmigrate_template_")) {
        client(url).batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).unwrap();
    }
}

/// Most of them work in other processes.
#[test]
fn tests_in_threads_and_processes_get_databases_of_their_own() {
    let Some(server) = Server::start("made", HBA, "") else { return };
    for url in urls(&server) {
        drop_templates(&url);
        let before = made(&url);
        let mut processes: Vec<_> = (0..2)
            .map(|_| {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.args(["--exact", "test_database::in_a_process_with_databases"]);
                command.env("DBMIGRATE_TEST_MAKES", &url).stdout(Stdio::null());
                command.spawn().unwrap()
            })
            .collect();
        let n_made = work(&url);
        for process in &mut processes {
            assert!(process.wait().unwrap().success());
        }
        assert_eq!(n_made, 4);
        // One template is left for the next ones.
        let after = made(&url);
        let new: Vec<_> = after.difference(&before).collect();
        assert!(new.len() == 1 && new[0].starts_with("dbmigrate_template_"), "{new:?}");

        // With another state of the history there is another template.
        let less = Migrator::new(&MODULES[..1]);
        let database = less.test_database(&url).unwrap();
        assert!(less.is_up_to_date(database.url()).unwrap());
        assert_eq!(made(&url).difference(&after).count(), 2);

        // A template that nobody uses is dropped by a later process.
        let template = new[0];
        let old = format!("COMMENT ON DATABASE {template} IS '2001-01-01'");
        client(&url).batch_execute(&old).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "test_database::in_a_process_with_databases"]);
        let out = command.env("DBMIGRATE_TEST_KILLED", &url).output().unwrap();
        assert!(!out.status.success());
        let now = made(&url);
        assert!(!now.contains(template), "{now:?}");
        let left: Vec<_> = now.iter().filter(|name| !after.contains(*name)).collect();
        assert_eq!(left.len(), 3, "the killed process left one, this one has one: {left:?}");
        // What it left is dropped by one more, and what is in use isn't.
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "test_database::in_a_process_with_databases"]);
        let out = command.env("DBMIGRATE_TEST_MAKES", &url).output().unwrap();
        assert!(out.status.success(), "{out:?}");
        assert_eq!(made(&url).difference(&after).count(), 2);
        assert!(less.is_up_to_date(database.url()).unwrap());
    }
}

#[test]
fn in_a_process_with_databases() {
    if let Ok(url) = std::env::var("DBMIGRATE_TEST_MAKES") {
        work(&url);
    }
    if let Ok(url) = std::env::var("DBMIGRATE_TEST_KILLED") {
        let _database = Migrator::new(&MODULES[..1]).test_database(&url).unwrap();
        std::process::abort();
    }
}

/// Makes databases in threads, and returns how many there were.
fn work(url: &str) -> usize {
    let n_made = AtomicUsize::new(0);
    let barrier = Arc::new(Barrier::new(2));
    std::thread::scope(|scope| {
        for nth in 0..2 {
            let (n_made, barrier) = (&n_made, Arc::clone(&barrier));
            scope.spawn(move || {
                barrier.wait();
                for _ in 0..2 {
                    let database = Migrator::new(MODULES).test_database(url).unwrap();
                    let mut client = Client::connect(database.url(), NoTls).unwrap();
                    let rows = client.query("SELECT id FROM one", &[]).unwrap();
                    assert_eq!(rows.len(), 1, "{nth}");
                    client.batch_execute("INSERT INTO one VALUES (8)").unwrap();
                    n_made.fetch_add(1, Relaxed);
                    // The client is still connected.
                    drop(database);
                    assert!(client.batch_execute("SELECT 1").is_err());
                }
            });
        }
    });
    n_made.into_inner()
}

#[test]
fn without_a_server_or_a_right_it_is_said_what_is_missing() {
    let Some(server) = Server::start("denied", HBA, "") else { return };
    let migrator = Migrator::new(MODULES);
    let failure = |url: &str| migrator.test_database(url).unwrap_err().report();
    server.sql("CREATE ROLE ghost LOGIN");
    let url = url(&server, "ghost", "app_of_ghost");
    assert_eq!(
        failure(&url.replace("ghost@", "ghost:s3cr%40t@"))
            .replace(&server.dir.display().to_string(), "DIR"),
        format!(
            "failed to create a test database on `postgres://ghost@/app_of_ghost?host=DIR&port={}`\n  \
             caused by: permission denied to create database\n  \
             hint: let an administrator run `ALTER ROLE \"ghost\" CREATEDB`, or name one that may create \
             databases in the URL",
            server.port
        )
    );
    server.sql("ALTER ROLE \"ghost\" CREATEDB");
    let database = migrator.test_database(&url).unwrap();
    assert!(migrator.is_up_to_date(database.url()).unwrap());

    let nobody = "postgres://ada:s3cr%40t@127.0.0.1:1/app";
    assert_eq!(
        failure(nobody),
        "failed to connect to `postgres://ada@127.0.0.1:1/app`: nothing listens on `127.0.0.1:1`\n  \
         caused by: Connection refused (os error 111)\n  hint: start the server, or correct the host and the port"
    );

    // A history that fails leaves nothing.
    static FAILS: &[Module] = &[module(
        "a1",
        &[],
        |op| {
            op.execute("SELECT nope");
        },
        |_| {},
    )];
    let url = url.replace("ghost@", "admin@");
    let before = made(&url.replace("app_of_ghost", "not_there"));
    let err = Migrator::new(FAILS).test_database(&url).unwrap_err().report();
    assert!(err.contains("nope"), "{err}");
    assert_eq!(made(&url.replace("app_of_ghost", "not_there")), before);
}

/// A pooler gives statements to any session, so that no session holds a test's database.
#[test]
fn a_pooler_is_refused() {
    let Ok(url) = std::env::var("DBMIGRATE_TEST_PGBOUNCER") else { return };
    for _ in 0..2 {
        let err = Migrator::new(MODULES).test_database(&url).unwrap_err().report();
        let expected = "\
failed to create a test database on `URL`
  caused by: a pooler gives the connection's statements to different sessions of the server
  hint: name the server itself in the URL instead of the pooler";
        assert_eq!(err.replace(&url, "URL"), expected);
    }
}
