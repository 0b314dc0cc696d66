//! Starts database servers, runs a command with their URLs in its environment, and stops them.
//!
//! ```console
//! $ cargo run -p dbmigrate-tests --bin servers -- postgres13 postgres15 postgres18 -- cargo test
//! ```
//!
//! Each server has a new data directory, a socket directory and a loopback port of its own. Its URL
//! is in a variable such as `DBMIGRATE_TEST_POSTGRES15`, and the path of its own client, which is
//! unpacked beside it, in one such as `DBMIGRATE_TEST_CLIENT_MYSQL9`. `DBMIGRATE_TEST_SERVERS=1`
//! makes a test fail that would skip a missing server. What has to be installed is installed: as
//! root with Debian's packages, and otherwise from npm into the target directory. The packages of
//! MySQL and MariaDB are only unpacked there.

#![expect(clippy::print_stderr, reason = "this is where a developer looks")]

use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(err) => {
            eprintln!("error: {err}");
            ExitCode::from(101)
        }
    }
}

#[cfg(not(unix))]
fn run() -> Result<ExitCode, Box<dyn std::error::Error>> {
    Err("the servers are only started on Unix".into())
}

#[cfg(unix)]
fn run() -> Result<ExitCode, Box<dyn std::error::Error>> {
    use std::process::Command;

    use dbmigrate_tests::starting::place::Place;
    use dbmigrate_tests::starting::server::Server;
    use dbmigrate_tests::starting::{mysql, pgbouncer, postgres};

    let mut args = std::env::args().skip(1);
    let names: Vec<String> = args.by_ref().take_while(|arg| arg != "--").collect();
    let command: Vec<String> = args.collect();
    let (Some((program, args)), false) = (command.split_first(), names.is_empty()) else {
        return Err(
            "usage: servers NAME... -- COMMAND [ARG...], with NAME such as postgres15".into()
        );
    };
    let place = Place::new()?;
    let mut servers: Vec<Server> = Vec::new();
    for name in &names {
        if name == "galera" {
            let nodes = mysql::start_cluster(&place).map_err(|err| format!("{name}: {err}"))?;
            servers.extend(nodes);
            continue;
        }
        let server = match (mysql::start(&place, name), name.strip_prefix("postgres")) {
            (Some(server), _) => server,
            _ if name == "pgbouncer" => {
                let Some(behind) =
                    servers.iter().find(|server| server.name.starts_with("postgres"))
                else {
                    return Err("name the PostgreSQL server behind `pgbouncer` before it".into());
                };
                pgbouncer::start(&place, behind.port)
            }
            (None, Some(version)) => postgres::start(&place, version.parse()?),
            (None, None) => return Err(format!("no server is called `{name}`").into()),
        };
        servers.push(server.map_err(|err| format!("{name}: {err}"))?);
    }
    let mut command = Command::new(program);
    command.args(args).env("DBMIGRATE_TEST_SERVERS", "1");
    for server in &servers {
        let variable = format!("DBMIGRATE_TEST_{}", server.name.to_uppercase());
        eprintln!("{variable}={}", server.url);
        command.env(variable, &server.url);
        if let Some(client) = &server.client {
            command.env(format!("DBMIGRATE_TEST_CLIENT_{}", server.name.to_uppercase()), client);
        }
    }
    let status = command.status().map_err(|err| format!("{program}: {err}"))?;
    // The pooler ends before the server behind it.
    while servers.pop().is_some() {}
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
