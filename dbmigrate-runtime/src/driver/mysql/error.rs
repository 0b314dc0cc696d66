//! The errors of MySQL and MariaDB, by their numbers. Their texts may be in another language.

use std::io;
use std::net::ToSocketAddrs as _;

use mysql::{DriverError, Error, MySqlError};

use super::rights;
use super::settings::{Place, Settings, SslMode};
use crate::dialect::quote_mysql;
#[cfg(feature = "mysql-tls")]
use crate::driver::certificates;
use crate::driver::{
    DatabaseError, ErrorKind, Missing, MysqlFault, RowFault, Unconnected, Unwritable,
};
use crate::sql::quote_text;

/// An error of a statement. What a GRANT would name is only asked for if the user may not run it.
pub(super) fn error_in(
    err: &Error,
    target: impl FnOnce(Option<&str>) -> Option<String>,
) -> DatabaseError {
    let grant = match err {
        Error::MySqlError(err) if err.code == 1044 || err.code == 1142 => grant(err, target),
        _ => None,
    };
    match (err, grant) {
        (Error::MySqlError(err), Some(grant)) => {
            DatabaseError::of(ErrorKind::Denied { grant: Some(grant) }, err.message.clone())
        }
        (err, _) => error(err),
    }
}

/// The SQL that gives a user the privilege for which the server asks.
fn grant(err: &MySqlError, target: impl FnOnce(Option<&str>) -> Option<String>) -> Option<String> {
    let (privilege, rest) = match err.message.split_once(" command denied to user ") {
        Some(found) => found,
        None => ("ALL PRIVILEGES", err.message.strip_prefix("Access denied for user ")?),
    };
    let is_word = |c: char| c.is_ascii_uppercase() || c == ' ';
    let end = [" for ", " to database "].iter().filter_map(|after| rest.find(after)).min()?;
    let account = &rest[..end];
    if !privilege.chars().all(is_word) || !account.contains("'@'") {
        // In another language.
        return None;
    }
    // Newer servers say in which database the table is.
    let table = rest.split_once(" for table `").map_or("", |(_, after)| after);
    let of_table = table.split_once("`.`").map(|(database, _)| database.replace("``", "`"));
    let whole = rest.split_once(" to database ").map(|(_, after)| quoted(after).to_owned());
    let named = of_table.or(whole);
    Some(format!("GRANT {privilege} ON {} TO {account}", target(named.as_deref())?))
}

/// An error of a statement.
pub(super) fn error(err: &Error) -> DatabaseError {
    match err {
        Error::MySqlError(err) => DatabaseError::of(kind(err), err.message.clone()),
        Error::IoError(_) | Error::CodecError(_) => {
            let why = in_words(err);
            DatabaseError::new(format!("the connection to the server was lost: {why}"))
        }
        _ => DatabaseError::new(in_words(err)),
    }
}

fn kind(err: &MySqlError) -> ErrorKind {
    let missing = |what| ErrorKind::Missing { what, name: quoted(&err.message).to_owned() };
    match err.code {
        // A row that has changed since the transaction began, a lock of rows or of a definition, and
        // a deadlock; in a cluster, a conflict with another
        // node, and a node that is about to join it.
        1020 | 1205 | 1213 | 3101 | 3572 | 8028 | 9007 => ErrorKind::Busy,
        1047 if err.message.contains("WSREP") => ErrorKind::Busy,
        1235 if err.message.contains("GET_LOCK") => ErrorKind::Unlockable,
        1290 | 1836 | 1874 => ErrorKind::Unwritable(Unwritable::Server),
        1792 => ErrorKind::Unwritable(Unwritable::Session),
        1034 | 1712 | 1877 => ErrorKind::Damaged { table: quote_mysql(quoted(&err.message)) },
        1845 | 1846 | 4092 => ErrorKind::Slower,
        1021 | 1114 => ErrorKind::Full,
        1050 => ErrorKind::AlreadyExists(format!("table `{}`", quoted(&err.message))),
        1007 => ErrorKind::AlreadyExists(format!("database `{}`", quoted(&err.message))),
        1061 | 1826 | 3822 => ErrorKind::AlreadyExists(format!("`{}`", quoted(&err.message))),
        1060 => ErrorKind::DuplicateColumn,
        1051 | 1146 => missing(Missing::Table),
        1054 => missing(Missing::Column),
        1049 | 1072 | 1091 | 1176 | 1305 | 3821 | 3940 => missing(Missing::Other),
        1022 | 1062 | 1169 | 1586 => ErrorKind::Row(RowFault::Duplicate),
        3819 | 4025 => ErrorKind::Row(RowFault::Check),
        1216 | 1217 | 1451 | 1452 | 1048 | 1263 | 1364 => ErrorKind::Row(RowFault::Other),
        1264 | 1265 | 1292 | 1366 | 1367 | 1406 | 1411 | 1690 | 3140 | 3156 => {
            ErrorKind::Row(RowFault::Type)
        }
        1215 | 1822 | 6125 => ErrorKind::KeyMismatch { references: String::new() },
        1553 | 1828 | 1829 | 3108 | 3730 | 3959 => ErrorKind::Needed,
        1044 | 1142 | 1143 | 1227 | 1370 => ErrorKind::Denied { grant: None },
        1356 => ErrorKind::BrokenDependent,
        _ => ErrorKind::Other,
    }
}

/// The first name in a message.
fn quoted(message: &str) -> &str {
    let (_, rest) = message.split_once('\'').unwrap_or_default();
    rest.split('\'').next().unwrap_or_default()
}

/// Why a connection to this server could not be opened.
pub(super) fn unconnected(err: &Error, settings: &Settings) -> Unconnected {
    let place = settings.place.to_string();
    let mode = settings.ssl_mode.name();
    match err {
        Error::MySqlError(err) => of_login(err, settings),
        #[cfg(feature = "mysql-tls")]
        Error::TlsError(err) => match err {
            mysql::error::tls::TlsError::Tls(err) => of_tls(err, settings),
            err => of_handshake(err.to_string(), settings),
        },
        Error::DriverError(DriverError::TlsNotSupported) => {
            Unconnected::Mysql(MysqlFault::TlsNotOffered { mode })
        }
        Error::DriverError(
            DriverError::UnknownAuthPlugin(_)
            | DriverError::OldMysqlPasswordDisabled
            | DriverError::CleartextPluginDisabled,
        ) => Unconnected::Mysql(MysqlFault::Authentication {
            user: settings.user.clone(),
            why: err.to_string(),
        }),
        Error::DriverError(DriverError::ConnectTimeout | DriverError::Timeout) => {
            let seconds = settings.connect_timeout.map(|limit| limit.as_secs());
            Unconnected::TimedOut { place, seconds }
        }
        Error::DriverError(DriverError::CouldNotConnect(cause)) => {
            let kind = cause.as_ref().map(|(_, _, kind)| *kind);
            of_system(kind.unwrap_or(io::ErrorKind::Other), settings)
        }
        err => match io_error(err) {
            #[cfg(feature = "mysql-tls")]
            Some(err) if is_of_tls(err) => {
                let cause = err.get_ref().and_then(|cause| cause.downcast_ref());
                cause.map_or_else(
                    || of_handshake(err.to_string(), settings),
                    |cause| of_tls(cause, settings),
                )
            }
            Some(err) => of_system(err.kind(), settings),
            None => Unconnected::Mysql(MysqlFault::NotAServer { place }),
        },
    }
}

/// The operating system's error, or the TLS library's.
pub(super) fn io_error(err: &Error) -> Option<&io::Error> {
    match err {
        Error::IoError(err) => Some(err),
        Error::CodecError(err) => std::error::Error::source(err)?.downcast_ref(),
        _ => None,
    }
}

/// An error of the crate without its name for the kind.
pub(super) fn in_words(err: &Error) -> String {
    match (err, io_error(err)) {
        (_, Some(err)) => err.to_string(),
        (Error::MySqlError(err), _) => err.message.clone(),
        (Error::DriverError(err), _) => err.to_string(),
        (Error::CodecError(err), _) => err.to_string(),
        #[cfg(feature = "mysql-tls")]
        (Error::TlsError(err), _) => err.to_string(),
        (err, _) => err.to_string(),
    }
}

fn of_system(kind: io::ErrorKind, settings: &Settings) -> Unconnected {
    let place = settings.place.to_string();
    match (&settings.place, kind) {
        (Place::Socket(_), io::ErrorKind::PermissionDenied) => Unconnected::SocketDenied { place },
        (Place::Socket(_), _) => Unconnected::Mysql(MysqlFault::NoSocket { place }),
        (_, io::ErrorKind::ConnectionRefused) => Unconnected::Refused { place },
        (_, io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {
            let seconds = settings.connect_timeout.map(|limit| limit.as_secs());
            Unconnected::TimedOut { place, seconds }
        }
        (_, io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            Unconnected::Unreachable { place }
        }
        (_, io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            Unconnected::Mysql(MysqlFault::NotAServer { place })
        }
        (Place::Tcp { host, port }, _) => match (host.as_str(), *port).to_socket_addrs() {
            Ok(_) => Unconnected::Unreachable { place },
            Err(_) => Unconnected::UnknownHost { host: host.clone() },
        },
    }
}

#[cfg(feature = "mysql-tls")]
pub(super) fn is_of_tls(err: &io::Error) -> bool {
    err.get_ref().is_some_and(|cause| cause.is::<rustls::Error>())
}

#[cfg(feature = "mysql-tls")]
fn of_tls(err: &rustls::Error, settings: &Settings) -> Unconnected {
    let (rustls::Error::InvalidCertificate(fault), Place::Tcp { host, .. }) =
        (err, &settings.place)
    else {
        return of_handshake(err.to_string(), settings);
    };
    let roots = settings.ssl_ca.as_ref().map(|path| path.display().to_string());
    Unconnected::Mysql(MysqlFault::Certificate(certificates::fault(fault, host, roots)))
}

#[cfg(feature = "mysql-tls")]
fn of_handshake(why: String, settings: &Settings) -> Unconnected {
    let place = settings.place.to_string();
    let mode = settings.ssl_mode.name();
    Unconnected::Mysql(MysqlFault::Handshake { place, mode, why })
}

/// Why a server refused a login.
fn of_login(err: &MySqlError, settings: &Settings) -> Unconnected {
    let user = settings.user.clone();
    let database = settings.database.clone();
    let quoted = quote_mysql(&database);
    Unconnected::Mysql(match err.code {
        1045 | 1698 => MysqlFault::WrongPassword {
            user,
            origin: settings.origin,
            is_socket: matches!(settings.place, Place::Socket(_)),
            wants_tls: settings.ssl_mode == SslMode::Disabled,
            wants_certificate: settings.ssl_mode > SslMode::Preferred && settings.client.is_none(),
        },
        1049 => MysqlFault::NoDatabase {
            command: create_command(settings, &quoted),
            sql: format!("CREATE DATABASE {quoted}"),
            name: database,
        },
        1044 => MysqlFault::NoRight {
            sql: format!(
                "GRANT ALL PRIVILEGES ON {} TO {}",
                rights::target(&database, []),
                quote_text(&user)
            ),
            user,
            database,
        },
        1130 | 1129 => MysqlFault::HostRefused { is_blocked: err.code == 1129 },
        1040 | 1203 | 1226 => return Unconnected::TooMany,
        3159 => MysqlFault::TlsWanted,
        1820 | 1862 => MysqlFault::Expired { user },
        3118 | 4151 => MysqlFault::Locked { user },
        _ => return Unconnected::Other,
    })
}

/// The shell's command that creates the database on this server.
fn create_command(settings: &Settings, quoted: &str) -> String {
    let mut command = "mysql".to_owned();
    let mut add = |flag: &str, value: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c);
        let shown = if value.chars().all(is_plain) && !value.is_empty() {
            value.to_owned()
        } else {
            format!("'{}'", value.replace('\'', r"'\''"))
        };
        command.push_str(&format!(" {flag} {shown}"));
    };
    match &settings.place {
        Place::Socket(path) => add("-S", &path.display().to_string()),
        Place::Tcp { host, port } => {
            add("-h", host);
            if *port != 3306 {
                add("-P", &port.to_string());
            }
        }
    }
    add("-u", &settings.user);
    if settings.password.is_some() {
        command.push_str(" -p");
    }
    let sql = format!("CREATE DATABASE {quoted}").replace('\'', r"'\''");
    format!("{command} -e '{sql}'")
}
