//! PostgreSQL's errors, by their codes (the manual's appendix A).

use std::io;

use postgres::error::{DbError, ErrorPosition};

use super::settings::{Host, Place, Settings};
use super::system::of_system;
use crate::dialect::{Dialect as _, Postgres};
use crate::driver::{
    DatabaseError, ErrorKind, Missing, RowFault, Unavailable, Unconnected, Unwritable,
};

/// An error of a statement, with the place in it that the server names.
pub(super) fn error_in(sql: &str, err: &postgres::Error) -> DatabaseError {
    error_after("", sql, err)
}

/// The error of a statement that was sent together with another one before it.
pub(super) fn error_after(before: &str, sql: &str, err: &postgres::Error) -> DatabaseError {
    match err.as_db_error() {
        Some(err) => of_server(before, sql, err),
        None => DatabaseError::new(in_full(err)),
    }
}

/// A client's error with its causes.
pub(super) fn in_full(err: &dyn std::error::Error) -> String {
    // The outermost text of these says no more than that something failed.
    let is_empty = ["error connecting to server", "error performing TLS handshake"];
    let outer = err.to_string();
    let (mut text, mut source) = match err.source() {
        Some(cause) if is_empty.contains(&outer.as_str()) => (cause.to_string(), cause.source()),
        cause => (outer, cause),
    };
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(&format!(": {cause_text}"));
        }
        source = cause.source();
    }
    text
}

/// A server's message with its details.
pub(super) fn in_words(err: &DbError) -> String {
    match err.detail() {
        Some(detail) => format!("{} ({})", err.message(), detail.trim_end_matches('.')),
        None => err.message().to_owned(),
    }
}

fn of_server(before: &str, sql: &str, err: &DbError) -> DatabaseError {
    let mut message = in_words(err);
    if let Some(ErrorPosition::Original(position)) = err.position() {
        let length = u32::try_from(before.chars().count()).unwrap_or_default();
        message.push_str(&shown(sql, position.saturating_sub(length)));
    }
    DatabaseError::of(kind(err), message)
}

/// The line of a statement with a character in it, counted from 1, and a mark below it; nothing
/// for a statement of one line that starts with it.
fn shown(sql: &str, position: u32) -> String {
    let before: String = sql.chars().take(position.saturating_sub(1) as usize).collect();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let Some(line) = sql[start..].lines().next() else { return String::new() };
    let number = before.matches('\n').count() + 1;
    let label = format!("line {number}: ");
    let indent = before[start..].chars().count() + label.len();
    format!("\n  {label}{line}\n  {:indent$}^", "")
}

/// The server's functions that refuse another type for a column that a view, a trigger or the like
/// uses. The code alone says no more than that something isn't supported.
const RETYPING: [&str; 2] = ["ATExecAlterColumnType", "RememberAllDependentForRebuilding"];

fn kind(err: &DbError) -> ErrorKind {
    let named = || quoted(err.message()).unwrap_or_default().to_owned();
    let missing = |what| ErrorKind::Missing { what, name: named() };
    match err.code().code() {
        "55P03" | "40001" | "40P01" => ErrorKind::Busy,
        "25006" => ErrorKind::Unwritable(Unwritable::Transaction),
        "53100" => ErrorKind::Full,
        "58030" => ErrorKind::Io,
        "42P07" => ErrorKind::AlreadyExists(format!("relation `{}`", named())),
        "42710" => ErrorKind::AlreadyExists(format!("`{}`", named())),
        "42701" => ErrorKind::DuplicateColumn,
        "42P01" => missing(Missing::Table),
        "42703" => missing(Missing::Column),
        "3D000" | "42704" | "42883" => missing(Missing::Other),
        "23505" => ErrorKind::Row(RowFault::Duplicate),
        "23514" => ErrorKind::Row(RowFault::Check),
        code if code.starts_with("23") => ErrorKind::Row(RowFault::Other),
        code if code.starts_with("22") => ErrorKind::Row(RowFault::Type),
        "42830" => {
            let references = err.message().rsplit('"').nth(1).unwrap_or_default().to_owned();
            ErrorKind::KeyMismatch { references }
        }
        "2BP01" => ErrorKind::Needed,
        "0A000" if err.routine().is_some_and(|name| RETYPING.contains(&name)) => ErrorKind::Needed,
        "25001" => ErrorKind::NotInTransaction,
        "42501" => ErrorKind::Denied { grant: None },
        "42P04" => ErrorKind::AlreadyExists(format!("database `{}`", named())),
        "55006" => ErrorKind::InUse,
        _ => ErrorKind::Other,
    }
}

/// Why a connection to this server could not be opened.
pub(super) fn unconnected(
    err: &postgres::Error,
    host: &Host,
    settings: &Settings,
    is_encrypted: bool,
) -> Unconnected {
    if let Some(err) = err.as_db_error() {
        return of_login(err, host, settings, is_encrypted);
    }
    let place = host.to_string();
    let mode = settings.tls.mode.name();
    #[cfg(feature = "postgres-tls")]
    if let Place::Tcp { name, .. } = &host.place {
        if let Some(fault) = super::tls::fault(err, name, &settings.tls.roots) {
            return fault;
        }
    }
    let text = in_full(err);
    if text.contains("server does not support TLS") {
        return Unconnected::TlsNotOffered { mode };
    }
    if text.contains("password missing") {
        let note = settings.passfile_note.clone();
        return Unconnected::NoPassword { user: settings.user.clone(), note };
    }
    let is_handshake = err.to_string() == "error performing TLS handshake";
    let kind = of_system(err).map(io::Error::kind);
    match (&host.place, kind) {
        (_, _) if is_handshake => Unconnected::Handshake { place },
        (Place::Socket(_), Some(io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)) => {
            Unconnected::NoSocket { place, port: host.port }
        }
        (Place::Socket(_), Some(io::ErrorKind::PermissionDenied)) => {
            Unconnected::SocketDenied { place }
        }
        (_, Some(io::ErrorKind::ConnectionRefused)) => Unconnected::Refused { place },
        (_, Some(io::ErrorKind::TimedOut)) => {
            let seconds = settings.connect_timeout.map(|limit| limit.as_secs());
            Unconnected::TimedOut { place, seconds }
        }
        (_, Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable)) => {
            Unconnected::Unreachable { place }
        }
        // A server that requires a client certificate hangs up after the handshake.
        (_, _) if is_encrypted => Unconnected::Handshake { place },
        (_, _) if err.to_string() == "authentication error" => {
            Unconnected::NotAuthenticated { user: settings.user.clone() }
        }
        (_, _) if err.to_string() == "error connecting to server" => {
            Unconnected::Unreachable { place }
        }
        (_, _) => Unconnected::NotAServer { place },
    }
}

/// Why a server refused a login.
fn of_login(err: &DbError, host: &Host, settings: &Settings, is_encrypted: bool) -> Unconnected {
    let user = settings.user.clone();
    let database = settings.database.clone();
    let message = err.message();
    // The function of the server that refused; the message may be in another language.
    let routine = err.routine().unwrap_or_default();
    match err.code().code() {
        "28P01" => Unconnected::WrongPassword { user, origin: settings.password_origin.clone() },
        "28000" if routine == "InitializeSessionUserId" => {
            if message.contains("not permitted") {
                let sql = format!("ALTER ROLE {} LOGIN", Postgres.quote(&user));
                Unconnected::NoLogin { user, sql }
            } else {
                let sql = format!("CREATE ROLE {} LOGIN", Postgres.quote(&user));
                Unconnected::NoRole { user, sql }
            }
        }
        "28000" if message.contains("client certificate") => Unconnected::NoClientCertificate,
        "28000" if routine == "ClientAuthentication" => Unconnected::NoRule {
            user,
            database,
            is_encrypted,
            can_encrypt: cfg!(feature = "postgres-tls") && matches!(host.place, Place::Tcp { .. }),
        },
        "28000" => Unconnected::NotAuthenticated { user },
        "3D000" => Unconnected::NoDatabase {
            command: createdb(host, settings),
            sql: format!("CREATE DATABASE {}", Postgres.quote(&database)),
            name: database,
        },
        "42501" => Unconnected::NoRight {
            sql: format!(
                "GRANT CONNECT ON DATABASE {} TO {}",
                Postgres.quote(&database),
                Postgres.quote(&user)
            ),
            user,
            database,
        },
        // PgBouncer's words.
        "08P01" if message.contains("unsupported startup parameter") => Unconnected::OptionsLost,
        "55000" => Unconnected::ClosedDatabase { name: database },
        "53300" => Unconnected::TooMany,
        "57P03" => {
            let has = |words: &str| message.contains(words);
            Unconnected::Unavailable(match message {
                _ if has("starting up") => Unavailable::Starting,
                _ if has("shutting down") => Unavailable::Stopping,
                _ if has("recovery") || has("accepting connections") => Unavailable::Recovering,
                _ => Unavailable::Unknown,
            })
        }
        "57P01" | "57P02" => Unconnected::Unavailable(Unavailable::Stopping),
        _ => Unconnected::Other,
    }
}

/// The shell's command that creates the database on this server.
fn createdb(host: &Host, settings: &Settings) -> String {
    let mut command = "createdb".to_owned();
    let mut add = |flag: &str, value: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c);
        let quoted = if value.chars().all(is_plain) && !value.is_empty() {
            value.to_owned()
        } else {
            format!("'{}'", value.replace('\'', r"'\''"))
        };
        command.push_str(&format!(" {flag}{quoted}"));
    };
    match &host.place {
        Place::Socket(dir) => add("-h ", &dir.display().to_string()),
        Place::Tcp { name, .. } => add("-h ", name),
    }
    if host.port != 5432 {
        add("-p ", &host.port.to_string());
    }
    add("-U ", &settings.user);
    // A name that begins like a flag isn't one.
    add(if settings.database.starts_with('-') { "-- " } else { "" }, &settings.database);
    command
}

/// The first name in a message of the server, in whose language a message may be.
fn quoted(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once(['"', '«', '„', '“'])?;
    rest.split(['"', '»', '“', '”']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_an_error_is_shown_below_its_line() {
        let sql = "CREATE TABLE t (\n    é text,\n    b nosuch\n)";
        let position = u32::try_from(sql.chars().take_while(|c| *c != 'n').count() + 1).unwrap();
        assert_eq!(shown(sql, position), "\n  line 3:     b nosuch\n                ^");
        assert_eq!(shown("SELEC 1", 1), "\n  line 1: SELEC 1\n          ^");
        assert_eq!(shown("", 9), "");
    }
}
