//! Failures to connect to MySQL or MariaDB, in words.

use super::{Naming, of_certificate};
use crate::driver::MysqlFault;

const NAMING: Naming = Naming { roots: "ssl-ca", usual: "browsers trust", other_name: "" };

/// Why there is no connection, and what to do about it.
pub(super) fn words(fault: &MysqlFault) -> (String, String) {
    match fault {
        MysqlFault::NoSocket { place } => (
            format!("there is no server at the socket `{place}`"),
            "start the server; if it listens on TCP alone, as in a container, name its address: \
             `mysql://127.0.0.1:3306/...`"
                .to_owned(),
        ),
        MysqlFault::NotAServer { place } => (
            format!("what listens on `{place}` does not answer as MySQL or MariaDB does"),
            "check the port: another program may be listening on it".to_owned(),
        ),
        MysqlFault::WrongPassword { user, origin, is_socket, wants_tls, wants_certificate } => {
            let (why, hint) = of_password(user, *origin, *is_socket);
            let other = match (wants_tls, wants_certificate) {
                (true, _) => "; an account may also require TLS: `ssl-mode=required`",
                (_, true) => {
                    "; an account may also require a client certificate: `ssl-cert` and `ssl-key`"
                }
                _ => "",
            };
            (why, hint + other)
        }
        MysqlFault::NoDatabase { name, command, sql } => (
            format!("the database `{name}` does not exist"),
            format!("create it: `{command}`, or in SQL: `{sql}`"),
        ),
        MysqlFault::NoRight { user, database, sql } => (
            format!("the user `{user}` may not use the database `{database}`, if there is one"),
            format!("let an administrator run `{sql}`, with the account's own host"),
        ),
        MysqlFault::HostRefused { is_blocked: false } => (
            "the server accepts no connections from this machine".to_owned(),
            "let an administrator create an account for it, as in `CREATE USER 'user'@'host'`"
                .to_owned(),
        ),
        MysqlFault::HostRefused { is_blocked: true } => (
            "the server blocks this machine after too many failed connections".to_owned(),
            "let an administrator run `FLUSH HOSTS` or `mysqladmin flush-hosts`".to_owned(),
        ),
        MysqlFault::Expired { user } => (
            format!("the password of the user `{user}` has expired"),
            "set another one with the server's own client: `ALTER USER USER() IDENTIFIED BY ...`"
                .to_owned(),
        ),
        MysqlFault::Locked { user } => (
            format!("the account of the user `{user}` is locked"),
            "let an administrator run `ALTER USER ... ACCOUNT UNLOCK`".to_owned(),
        ),
        MysqlFault::Authentication { user, why } => (
            format!("the account of the user `{user}` can't be used: {why}"),
            "let an administrator give it a password by another way, such as \
             `caching_sha2_password` on MySQL and `mysql_native_password` on MariaDB"
                .to_owned(),
        ),
        MysqlFault::NoTls { mode } => (
            format!("`ssl-mode={mode}` asks for TLS, but this program was built without it"),
            "enable the feature `mysql-tls` of `dbmigrate-runtime` in Cargo.toml".to_owned(),
        ),
        MysqlFault::TlsNotOffered { mode } => (
            format!("`ssl-mode={mode}` asks for TLS, which the server does not offer"),
            "give the server a certificate (`ssl_cert` and `ssl_key`); where the network is \
             trusted, `ssl-mode=preferred` connects without encryption"
                .to_owned(),
        ),
        MysqlFault::TlsWanted => (
            "the server only accepts encrypted connections".to_owned(),
            if cfg!(feature = "mysql-tls") {
                "add `ssl-mode=required` to the URL".to_owned()
            } else {
                "enable the feature `mysql-tls` of `dbmigrate-runtime` in Cargo.toml".to_owned()
            },
        ),
        MysqlFault::Certificate(fault) => of_certificate(fault, &NAMING),
        MysqlFault::Handshake { place, mode, why } => (
            format!("the TLS handshake with `{place}` failed: {why}"),
            format!(
                "with `ssl-mode={mode}`, name the file with the server's root certificate with \
                 `ssl-ca`, and connect to a host that its certificate is for; if the server asks \
                 for a client certificate, name its files with `ssl-cert` and `ssl-key`"
            ),
        ),
        MysqlFault::TooOld { server } => (
            format!(
                "the server is {server}, but dbmigrate needs MySQL 8.0.23, MariaDB 10.6 or TiDB 8.5, \
                 or later"
            ),
            "upgrade the server, or use another one".to_owned(),
        ),
        MysqlFault::ChecksIgnored { server } => (
            format!("the server is {server}, which is set to ignore checks"),
            "let an administrator run `SET GLOBAL tidb_enable_check_constraint = ON`".to_owned(),
        ),
        MysqlFault::Unsupported { server } => (
            format!("the server is {server}, which dbmigrate does not support"),
            "use MySQL 8.0.23 or MariaDB 10.6, or later".to_owned(),
        ),
    }
}

fn of_password(user: &str, origin: Option<&str>, is_socket: bool) -> (String, String) {
    match origin {
        Some(origin) => {
            let encoded = match origin {
                "the database URL" => {
                    ", where characters such as `@`, `/` and `%` are percent-encoded"
                }
                _ => "",
            };
            (
                format!("the password of the user `{user}` is wrong, or there is no such user"),
                format!("correct the password in {origin}{encoded}"),
            )
        }
        None if is_socket => (
            format!("the server does not accept you as the user `{user}` on this socket"),
            "on a socket, a server often accepts only the user with the name of the operating \
             system's: connect as that one, or give a password in the environment variable \
             MYSQL_PWD or in the URL"
                .to_owned(),
        ),
        None => (
            format!("the server asks for the password of the user `{user}`, and none is given"),
            "give it in the environment variable MYSQL_PWD or in the URL".to_owned(),
        ),
    }
}
