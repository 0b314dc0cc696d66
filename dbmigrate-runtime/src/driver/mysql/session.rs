//! The settings of a session, and who is in the way of others.

use std::fmt::Write as _;

use hmac_sha256::Hash;

use crate::Value;
use crate::backend::Backend;
use crate::dialect::{MYSQL, Mysql};
use crate::driver::{DatabaseError, ErrorKind, HOLDS_A_LOCK, LOCK_TIMEOUT};
use crate::sql::{Token, quote_text};

/// How long a statement waits for rows that others have locked, in seconds. Meanwhile nobody waits
/// behind it.
pub(super) const ROW_LOCK_TIMEOUT: u64 = 10;

/// The settings that texts of the catalog and the meaning of statements depend on, and limits that
/// would end a run in the middle; each with its value as SQL.
fn pinned(backend: Backend) -> Vec<(&'static str, String)> {
    let number = |value: u64| value.to_string();
    let mut settings = vec![
        ("sql_mode", format!("'{}'", Mysql::SQL_MODE)),
        ("time_zone", "'+00:00'".to_owned()),
        ("lock_wait_timeout", number(LOCK_TIMEOUT.as_secs().max(1))),
        ("innodb_lock_wait_timeout", number(ROW_LOCK_TIMEOUT)),
        ("autocommit", number(1)),
        ("foreign_key_checks", number(1)),
        ("unique_checks", number(1)),
        ("sql_safe_updates", number(0)),
        ("sql_auto_is_null", number(0)),
        ("sql_quote_show_create", number(1)),
        ("group_concat_max_len", number(4_194_304)),
        ("wait_timeout", number(28_800)),
    ];
    settings.push(match backend {
        Backend::Mariadb => ("max_statement_time", number(0)),
        _ => ("max_execution_time", number(0)),
    });
    settings
}

/// What `SET NAMES` changes.
const CHARSETS: [&str; 4] = [
    "character_set_client",
    "character_set_results",
    "character_set_connection",
    "collation_connection",
];

/// Settings that only one product has, each with its value as SQL.
type Own = [(&'static str, &'static str)];

/// The statements that pin the settings.
pub(super) fn pinning(backend: Backend, own: &Own) -> [String; 2] {
    let settings: Vec<_> =
        all(backend, own).map(|(name, value)| format!("SESSION {name} = {value}")).collect();
    ["SET NAMES utf8mb4".to_owned(), format!("SET {}", settings.join(", "))]
}

/// The same for another product, one by one, each with whether the product may lack it.
pub(super) fn pinning_known(backend: Backend, own: &Own) -> Vec<(String, bool)> {
    let set = |(name, value): (&str, String)| {
        let is_needed = ["sql_mode", "time_zone", "autocommit"].contains(&name);
        (format!("SET SESSION {name} = {value}"), !is_needed)
    };
    let names = std::iter::once(("SET NAMES utf8mb4".to_owned(), false));
    names.chain(all(backend, own).map(set)).collect()
}

fn all(backend: Backend, own: &Own) -> impl Iterator<Item = (&'static str, String)> {
    let own = own.iter().map(|(name, value)| (*name, (*value).to_owned()));
    pinned(backend).into_iter().chain(own)
}

/// The names of what [`pinning`] changes.
fn changed(backend: Backend, own: &Own) -> impl Iterator<Item = &'static str> {
    all(backend, own).map(|(name, _)| name).chain(CHARSETS)
}

/// The query for the settings that [`pinning`] changes.
pub(super) fn saving(backend: Backend, own: &Own) -> String {
    let settings: Vec<_> = changed(backend, own).map(|name| format!("@@SESSION.{name}")).collect();
    format!("SELECT {}", settings.join(", "))
}

/// The statement that restores these settings.
pub(super) fn restoring(backend: Backend, own: &Own, saved: &[Value]) -> String {
    let settings: Vec<_> = changed(backend, own)
        .zip(saved)
        .map(|(name, value)| {
            let value = match value {
                Value::Integer(number) => number.to_string(),
                Value::Real(number) => number.to_string(),
                Value::Text(text) => text_literal(text),
                _ => "NULL".to_owned(),
            };
            format!("SESSION {name} = {value}")
        })
        .collect();
    format!("SET {}", settings.join(", "))
}

/// A text that means the same whether or not backslashes escape.
fn text_literal(text: &str) -> String {
    if text.contains('\\') {
        let hex = text.bytes().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        return format!("_utf8mb4 x'{hex}'");
    }
    quote_text(text)
}

/// The name of the lock for a history. The server has one set of names for all its databases, at
/// most 64 characters long.
pub(super) fn lock_name(database: &str, history: &str) -> String {
    let hash = Hash::hash(format!("{database}\0{history}").as_bytes());
    let hex = hash.iter().take(20).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("dbmigrate:{hex}")
}

/// The table with the server's connections.
fn processes(backend: Backend) -> &'static str {
    match backend {
        Backend::Mariadb => "information_schema.processlist",
        _ => "performance_schema.processlist",
    }
}

/// The query for the connection that holds the lock with this name.
pub(super) fn lock_holder(backend: Backend, name: &str) -> String {
    let processes = processes(backend);
    format!("SELECT id, user, info FROM {processes} WHERE id = IS_USED_LOCK('{name}')")
}

/// The queries for a connection that this statement may have waited for, the better answer first:
/// one with a lock on a table which the statement names; the one with the oldest transaction, of the
/// same database if there is one.
pub(super) fn blockers(backend: Backend, sql: &str) -> [String; 2] {
    let names: Vec<_> = MYSQL
        .tokens(sql)
        .iter()
        .filter_map(Token::identifier)
        .map(|name| quote_text(&name))
        .collect();
    let names = if names.is_empty() { "NULL".to_owned() } else { names.join(", ") };
    let processes = processes(backend);
    let by_lock = format!(
        "SELECT p.id, p.user, p.info FROM performance_schema.metadata_locks AS l
         JOIN performance_schema.threads AS t ON t.thread_id = l.owner_thread_id
         JOIN {processes} AS p ON p.id = t.processlist_id
         WHERE l.object_type = 'TABLE' AND l.lock_status = 'GRANTED'
             AND l.object_schema = DATABASE() AND l.object_name IN ({names})
             AND p.id <> CONNECTION_ID() LIMIT 1"
    );
    let by_age = format!(
        "SELECT p.id, p.user, p.info FROM information_schema.innodb_trx AS x
         JOIN {processes} AS p ON p.id = x.trx_mysql_thread_id
         WHERE p.id <> CONNECTION_ID()
         ORDER BY p.db <=> DATABASE() DESC, x.trx_started LIMIT 1"
    );
    [by_lock, by_age]
}

/// A connection of the server in words, given its number, its user and its statement.
pub(super) fn described(row: &[Value]) -> Option<String> {
    let [Value::Integer(id), user, info] = row else { return None };
    let text = |value: &Value| match value {
        Value::Text(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        _ => String::new(),
    };
    let (user, info) = (text(user), text(info));
    let doing = match info.char_indices().nth(80) {
        _ if info.is_empty() => String::new(),
        Some((end, _)) => format!(", which runs `{}...`", &info[..end]),
        None => format!(", which runs `{info}`"),
    };
    Some(format!("connection {id} (`{user}`){HOLDS_A_LOCK}{doing}"))
}

/// Another connection holds the lock.
pub(super) fn busy() -> DatabaseError {
    DatabaseError::of(ErrorKind::Busy, "another process is migrating the database")
}

/// The server didn't give the lock, and nobody else has it.
pub(super) fn unlockable(why: &str) -> DatabaseError {
    let why = format!("the server does not give a named lock: {why}");
    DatabaseError::of(ErrorKind::Unlockable, why)
}

/// The statements of the connection reach more than one session of the server.
pub(super) fn pooled() -> DatabaseError {
    let why = "a proxy gives the connection's statements to different sessions of the server";
    DatabaseError::of(ErrorKind::Pooled, why)
}

/// A connection without a database.
pub(super) fn no_database() -> DatabaseError {
    DatabaseError::new("the connection has no database: run `USE` with its name first")
}
