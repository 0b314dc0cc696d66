//! Failures to connect to a server, in words.

mod mysql;

use crate::driver::{BadCertificate, Unavailable, Unconnected};

/// Why there is no connection, and what to do about it.
pub(super) fn words(fault: &Unconnected) -> (String, String) {
    let (why, hint) = match fault {
        Unconnected::Settings { message, hint } => (message.clone(), hint.clone()),
        Unconnected::Refused { place } => (
            format!("nothing listens on `{place}`"),
            "start the server, or correct the host and the port".to_owned(),
        ),
        Unconnected::NoSocket { place, port } => (
            format!("there is no socket `{place}`"),
            format!(
                "start the server; if it listens on TCP alone, as in a container, name its host: \
                 `postgres://localhost:{port}/...`"
            ),
        ),
        Unconnected::SocketDenied { place } => (
            format!("the operating system does not let you use the socket `{place}`"),
            "check the permissions of the socket, or connect to `localhost`".to_owned(),
        ),
        Unconnected::UnknownHost { host } => (
            format!("the host `{host}` can't be found"),
            "check its name, and that the network has a name server that knows it".to_owned(),
        ),
        Unconnected::TimedOut { place, seconds } => {
            let within = seconds.map_or(String::new(), |seconds| format!(" within {seconds} s"));
            (
                format!("`{place}` did not answer{within}"),
                "check the host, the port and the firewalls in between; `connect_timeout` in the \
                 URL is the time limit in seconds"
                    .to_owned(),
            )
        }
        Unconnected::Unreachable { place } => (
            format!("`{place}` can't be reached"),
            "check the host, and that the network leads to it".to_owned(),
        ),
        Unconnected::NotAServer { place } => (
            format!("what listens on `{place}` does not answer as a PostgreSQL server does"),
            "check the port: another program may be listening on it".to_owned(),
        ),
        Unconnected::NoTls { mode } => (
            format!("`sslmode={mode}` asks for TLS, but this program was built without it"),
            "enable the feature `postgres-tls` of `dbmigrate-runtime` in Cargo.toml".to_owned(),
        ),
        Unconnected::TlsNotOffered { mode } => (
            format!("`sslmode={mode}` asks for TLS, which the server does not offer"),
            "set `ssl = on` in the server's postgresql.conf; where the network is trusted, \
             `sslmode=prefer` connects without encryption"
                .to_owned(),
        ),
        Unconnected::Handshake { place } => (
            format!("the TLS handshake with `{place}` failed"),
            "if the server asks for a client certificate, name its files with `sslcert` and \
             `sslkey`"
                .to_owned(),
        ),
        Unconnected::NoClientCertificate => (
            "the server asks for a client certificate, and none was given or accepted".to_owned(),
            "name its files with `sslcert` and `sslkey`".to_owned(),
        ),
        Unconnected::Certificate(fault) => of_certificate(fault, &LIBPQ),
        Unconnected::Unavailable(state) => of_state(*state),
        Unconnected::WrongTarget { wanted } => (
            format!("no server is as `target_session_attrs={wanted}` asks"),
            "name further hosts in the URL, or change `target_session_attrs`".to_owned(),
        ),
        Unconnected::TooOld { server } => (
            format!("the server is {server}, but dbmigrate needs PostgreSQL 13 or later"),
            "upgrade the server, or use another one".to_owned(),
        ),
        Unconnected::Unsupported { server } => (
            format!("the server is {server}, which dbmigrate does not support"),
            "use PostgreSQL 13 or later".to_owned(),
        ),
        Unconnected::OptionsLost => (
            "a pooler is between here and the server, and does not pass on the `options` of the \
             connection, such as `search_path`"
                .to_owned(),
            "use the URL of the server itself instead of the pooler's, for example with `--url`"
                .to_owned(),
        ),
        Unconnected::All { servers } => {
            let mut why = "none of the servers accepted the connection:".to_owned();
            for (place, fault) in servers {
                why.push_str(&format!("\n  {place}: {}", words(fault).0));
            }
            (why, "check the hosts and the ports in the URL".to_owned())
        }
        Unconnected::Other => (
            "the server refused the connection".to_owned(),
            "the server's log may say more".to_owned(),
        ),
        Unconnected::Mysql(fault) => mysql::words(fault),
        _ => of_login(fault),
    };
    (why, hint)
}

/// Refusals of a role or of a database.
fn of_login(fault: &Unconnected) -> (String, String) {
    match fault {
        Unconnected::WrongPassword { user, origin } => {
            let place = match origin {
                Some(origin) => format!("correct the password in {origin}"),
                None => "correct the password in the password file".to_owned(),
            };
            let encoded = match origin.as_deref() {
                Some("the database URL") => {
                    ", where characters such as `@`, `/` and `%` are percent-encoded"
                }
                _ => "",
            };
            (
                format!("the password of the role `{user}` is wrong, or there is no such role"),
                format!("{place}{encoded}; in psql, `\\password {user}` sets another one"),
            )
        }
        Unconnected::NoPassword { user, note } => {
            let note = note.as_ref().map_or(String::new(), |note| format!("; {note}"));
            (
                format!("the server asks for the password of the role `{user}`, and none is given"),
                format!(
                    "give it in the environment variable PGPASSWORD, in a file `~/.pgpass` or in \
                     the URL{note}"
                ),
            )
        }
        Unconnected::NoRole { user, sql } => (
            format!("the role `{user}` does not exist"),
            format!(
                "name another one in the URL, as in `postgres://role@host/database`, or let an \
                 administrator run `{sql}`"
            ),
        ),
        Unconnected::NoLogin { user, sql } => (
            format!("the role `{user}` may not log in"),
            format!("connect with another role, or let an administrator run `{sql}`"),
        ),
        Unconnected::NoRule { user, database, is_encrypted, can_encrypt } => {
            let how = if *is_encrypted { "with" } else { "without" };
            let rule = "add or change a line for it in the server's pg_hba.conf";
            let hint = match (is_encrypted, can_encrypt) {
                (true, _) => rule.to_owned(),
                (false, true) => format!("{rule}, or encrypt the connection: `sslmode=require`"),
                (false, false) => format!(
                    "{rule}, or encrypt the connection: enable the feature `postgres-tls` of \
                     `dbmigrate-runtime` in Cargo.toml"
                ),
            };
            (
                format!(
                    "the server has no rule that lets the role `{user}` connect to the database \
                     `{database}` from here {how} encryption"
                ),
                hint,
            )
        }
        Unconnected::NotAuthenticated { user } => (
            format!("the server does not accept you as the role `{user}` on this connection"),
            "on a socket, a server often accepts only the role with the name of the operating \
             system's user: connect as that one, or to `localhost` with a password, or change the \
             server's pg_hba.conf"
                .to_owned(),
        ),
        Unconnected::NoDatabase { name, command, sql } => (
            format!("the database `{name}` does not exist"),
            format!("create it: `{command}`, or in SQL: `{sql}`"),
        ),
        Unconnected::NoRight { user, database, sql } => (
            format!("the role `{user}` may not connect to the database `{database}`"),
            format!("let the owner of the database run `{sql}`"),
        ),
        Unconnected::ClosedDatabase { name } => (
            format!("the database `{name}` does not accept connections"),
            "use another database: this one is a template, or an administrator has closed it"
                .to_owned(),
        ),
        Unconnected::TooMany => (
            "the server has as many connections as it may have".to_owned(),
            "close other connections, such as idle ones of a pool, and run the command again; the \
             limit is `max_connections`, or the one set for the user or the database"
                .to_owned(),
        ),
        // All others have their words in the caller.
        _ => ("the server refused the connection".to_owned(), String::new()),
    }
}

fn of_state(state: Unavailable) -> (String, String) {
    let (why, hint) = match state {
        Unavailable::Starting => {
            ("the server is starting up", "run the command again in a few seconds")
        }
        Unavailable::Stopping => {
            ("the server is shutting down", "start it, and run the command again")
        }
        Unavailable::Recovering => (
            "the server is recovering, and does not accept connections yet",
            "run the command again when it has recovered; the server's log has its progress",
        ),
        Unavailable::Unknown => (
            "the server does not accept connections at the moment",
            "it is starting up, shutting down or recovering: run the command again in a few seconds",
        ),
    };
    (why.to_owned(), hint.to_owned())
}

/// How the URLs of a kind of server name certificates.
struct Naming {
    roots: &'static str,
    /// Who trusts the root certificates without one.
    usual: &'static str,
    /// What else may be done about a certificate for other hosts.
    other_name: &'static str,
}

const LIBPQ: Naming = Naming {
    roots: "sslrootcert",
    usual: "your system trusts",
    other_name: "; `sslmode=verify-ca` verifies who signed it, but not the host",
};

fn of_certificate(fault: &BadCertificate, naming: &Naming) -> (String, String) {
    let Naming { roots: parameter, usual, other_name } = naming;
    match fault {
        BadCertificate::UnknownIssuer { roots } => (
            match roots {
                Some(file) => {
                    format!("no root certificate in `{file}` has signed the server's certificate")
                }
                None => {
                    format!("no root certificate that {usual} has signed the server's certificate")
                }
            },
            format!(
                "name the file with the root certificate of the server's provider with \
                 `{parameter}`"
            ),
        ),
        BadCertificate::OtherName { host } => (
            format!("the server's certificate is not for the host `{host}`"),
            format!(
                "connect to a host that it is for, by its subject alternative names{other_name}"
            ),
        ),
        BadCertificate::Expired => (
            "the server's certificate has expired, or is not valid yet".to_owned(),
            "renew it on the server; check the clocks of both machines".to_owned(),
        ),
        BadCertificate::Revoked => {
            ("the server's certificate was revoked".to_owned(), "renew it on the server".to_owned())
        }
        BadCertificate::Other => (
            "the server's certificate is not valid".to_owned(),
            "renew it on the server, as a certificate of version 3 with subject alternative names"
                .to_owned(),
        ),
    }
}
