//! Connecting to a real PostgreSQL server. Without an installed server these tests say that they
//! are skipped.
#![cfg(all(unix, feature = "postgres"))]

mod asynchronous;
mod connecting;
mod lent;
mod many;
#[path = "../modules/mod.rs"]
mod modules;
mod schema;
mod server;
mod standby;
mod test_database;
#[cfg(feature = "postgres-tls")]
mod tls;

use std::path::Path;
use std::process::Command;

use dbmigrate_runtime::engine::open_server;
use dbmigrate_runtime::engine::url::{Location, Url};

/// A password that must not be in any message.
const PASSWORD: &str = "s3cr%40t%2F";

/// Connects with an environment that has only these variables, and says who is connected to what,
/// or why there is no connection.
fn connect(home: &Path, url: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "in_a_process_of_its_own", "--nocapture"]).env_clear();
    command.env("HOME", home).envs(variables.iter().copied()).env("DBMIGRATE_TEST_URL", url);
    let out = command.output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap() + &String::from_utf8(out.stderr).unwrap();
    for password in [PASSWORD, "s3cr@t/", "s3cr"] {
        assert!(!text.contains(password), "{text}");
    }
    let answer = text.split_once("<<<").and_then(|(_, rest)| rest.split_once(">>>"));
    answer.unwrap_or_else(|| panic!("{text}")).0.to_owned()
}

#[test]
#[expect(clippy::print_stdout, reason = "the parent reads what it prints")]
fn in_a_process_of_its_own() {
    if let Ok(url) = std::env::var("DBMIGRATE_TEST_URL") {
        println!("<<<{}>>>", answer(&url));
    }
}

fn answer(url: &str) -> String {
    let url = match Url::parse(url) {
        Ok(url) => url,
        Err(err) => return err.report(),
    };
    let Location::Server(server) = &url.location else { panic!("{url:?}") };
    let mut driver = match open_server(url.backend, server) {
        Ok(driver) => driver,
        Err(err) => return err.report(),
    };
    let sql = "SELECT session_user::text, current_database()::text,
                   current_setting('application_name'),
                   CASE WHEN ssl THEN ' by ' || version ELSE '' END,
                   CASE WHEN inet_server_addr() IS NULL THEN ' on a socket' ELSE '' END
               FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let rows = driver.query(sql, &[]).unwrap().rows;
    let [user, database, application, tls, socket] = &rows[0][..] else { panic!("{rows:?}") };
    let text = |value: &dbmigrate_runtime::Value| match value {
        dbmigrate_runtime::Value::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    format!(
        "{} in {} as {}{}{}",
        text(user),
        text(database),
        text(application),
        text(tls),
        text(socket)
    )
}
