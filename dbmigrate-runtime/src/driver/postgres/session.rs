//! The settings of a session, and the lock that excludes other migrations.

use std::collections::BTreeSet;

use hmac_sha256::Hash;

use crate::Value;
use crate::dialect::{Dialect as _, POSTGRES, Postgres};
use crate::driver::{Connection, DatabaseError, ErrorKind, LOCK_TIMEOUT, Unwritable};
use crate::sql::{Token, quote_text};

/// The settings that the texts of a catalog and the meaning of literals depend on, and limits that
/// would end a run in the middle.
const PINNED: [(&str, &str); 11] = [
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("standard_conforming_strings", "on"),
    ("quote_all_identifiers", "off"),
    ("statement_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    // As in a transaction of ours.
    ("default_transaction_read_only", "off"),
    ("default_transaction_isolation", "read committed"),
];

/// The statements that begin a transaction. Each statement sees what others committed before it,
/// whatever the session's default is, since the lock is only taken inside.
pub(super) fn begin() -> String {
    let mut sql = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE".to_owned();
    let lock_timeout = LOCK_TIMEOUT.as_millis();
    sql.push_str(&format!("; SET LOCAL lock_timeout = {lock_timeout}"));
    PINNED
        .iter()
        .for_each(|(name, value)| sql.push_str(&format!("; SET LOCAL {name} = '{value}'")));
    sql
}

/// The same for another product, which may lack some of the settings.
pub(super) fn begin_known() -> String {
    let begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE".to_owned();
    begin + "; " + &known(true)
}

/// The statements that pin the settings for a session of another product.
pub(super) fn pinned_known() -> String {
    known(false)
}

/// The statements that pin those of the settings that the server has.
fn known(in_transaction: bool) -> String {
    let lock_timeout = LOCK_TIMEOUT.as_millis().to_string();
    let settings = PINNED.iter().copied().chain([
        ("lock_timeout", lock_timeout.as_str()),
        // CockroachDB would commit what came before each change of a definition.
        ("autocommit_before_ddl", "off"),
    ]);
    let set = |(name, value): (&str, &str)| {
        format!(
            "SELECT set_config(name, {}, {in_transaction}) FROM pg_settings WHERE lower(name) = {}",
            quote_text(value),
            quote_text(&name.to_ascii_lowercase())
        )
    };
    settings.map(set).collect::<Vec<_>>().join("; ")
}

/// The statements that pin the settings for a session.
pub(super) fn pinned() -> String {
    let set = |(name, value): &(&str, &str)| format!("SET {name} = '{value}'");
    PINNED.iter().map(set).collect::<Vec<_>>().join(";\n")
}

/// The statement that tells the server which revision runs.
pub(super) fn label(set: &str, revision: &str) -> String {
    format!("{set} application_name = {};\n", quote_text(&format!("dbmigrate {revision}")))
}

/// The settings of a session that [`pinned`], [`pinned_known`] and [`label`] change.
fn changed() -> impl Iterator<Item = &'static str> {
    let others = ["application_name", "lock_timeout", "autocommit_before_ddl"];
    PINNED.iter().map(|(name, _)| *name).chain(others)
}

/// The settings that a session had.
pub(super) struct Saved(Vec<Value>);

impl Saved {
    /// Reads the settings that are changed.
    pub(super) fn read(conn: &mut dyn Connection) -> Result<Saved, DatabaseError> {
        let settings: Vec<_> =
            changed().map(|name| format!("current_setting('{name}', true)")).collect();
        let rows = conn.query(&format!("SELECT {}", settings.join(", ")), &[])?.rows;
        Ok(Saved(rows.into_iter().next().unwrap_or_default()))
    }

    /// The statements that restore them.
    pub(super) fn restoring(&self) -> String {
        let set = |(name, value)| format!("SET {name} = {}", Postgres.literal(value));
        let known = changed().zip(&self.0).filter(|(_, value)| **value != Value::Null);
        known.map(set).collect::<Vec<_>>().join(";\n")
    }
}

/// The advisory lock's key for a history. The server keeps the keys of each database apart.
pub(super) fn lock_key(history: &str) -> i64 {
    let hash = Hash::hash(format!("dbmigrate {history}").as_bytes());
    let [a, b, c, d, e, f, g, h, ..] = hash;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// The query for the process that holds the advisory lock with this key.
pub(super) fn lock_holder(key: i64) -> String {
    // The two halves of the key (the manual's chapter on `pg_locks`).
    let (high, low) = ((key as u64) >> 32, key as u64 & 0xffff_ffff);
    format!(
        "SELECT pid, application_name, query FROM pg_locks JOIN pg_stat_activity USING (pid)
         WHERE locktype = 'advisory' AND granted AND classid = {high} AND objid = {low}
             AND objsubid = 1
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
}

/// The query for a transaction of others that this statement may have waited for: the oldest one
/// that holds a lock on a table which the statement names, or else on any table.
pub(super) fn blocker(sql: &str) -> String {
    let names = POSTGRES.tokens(sql).iter().filter_map(Token::identifier).collect::<BTreeSet<_>>();
    let mut names: Vec<_> = names.iter().map(|name| quote_text(name)).collect();
    if names.is_empty() {
        names.push("NULL".to_owned());
    }
    format!(
        "SELECT pid, application_name, query FROM pg_stat_activity JOIN (
             SELECT pid, bool_or(relname IN ({})) AS is_named
             FROM pg_locks JOIN pg_class ON pg_class.oid = relation
             WHERE locktype = 'relation' AND granted AND relkind IN ('r', 'p')
                 AND relnamespace <> 'pg_catalog'::regnamespace
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
             GROUP BY pid) AS locks USING (pid)
         WHERE pid <> pg_backend_pid() ORDER BY is_named IS TRUE DESC, xact_start LIMIT 1",
        names.join(", ")
    )
}

/// A pooler is between this connection and the server.
pub(super) fn pooled() -> DatabaseError {
    let why = "a pooler gives the connection's statements to different sessions of the server";
    DatabaseError::of(ErrorKind::Pooled, why)
}

/// The names in a search path.
pub(super) fn path(text: &str) -> Vec<String> {
    let tokens = POSTGRES.significant(text);
    tokens.iter().filter_map(Token::identifier).map(|name| name.into_owned()).collect()
}

/// The first schema of a search path, if it isn't the connection's own because it doesn't exist or
/// the role can't use it: tables would be created in the next one.
pub(super) fn missing_schema(search_path: &str, own: &str) -> Option<String> {
    let first = path(search_path).into_iter().next()?;
    // Without a schema of that name, the role's own is another one on purpose.
    (first != own && first != "$user" && !first.starts_with("pg_")).then_some(first)
}

/// The first schema of the search path isn't there.
pub(super) fn no_schema(name: &str) -> DatabaseError {
    DatabaseError::new(format!(
        "the schema `{name}` is the first one of `search_path`, but it does not exist, or the role \
         has no right to use it"
    ))
}

/// The query for a connection's own schema, its search path, and for what stands in the way of a
/// run: `dsql` on Aurora DSQL, `standby`, or `setting` unless the session itself has made itself
/// read-only.
pub(super) const STANDING: &str = "\
SELECT current_schema()::text, current_setting('search_path'), CASE WHEN to_regclass('sys.jobs') IS NOT NULL THEN 'dsql'
    WHEN pg_is_in_recovery() THEN 'standby'
    WHEN EXISTS (SELECT FROM pg_settings WHERE name = 'default_transaction_read_only'
        AND setting = 'on' AND source <> 'session') THEN 'setting' END";

/// The connection can only read.
pub(super) fn unwritable(why: Unwritable) -> DatabaseError {
    let text = match why {
        Unwritable::Standby => {
            "the server is a standby, which follows another server and can't be written to"
        }
        Unwritable::Setting
        | Unwritable::Transaction
        | Unwritable::Session
        | Unwritable::Server => {
            "`default_transaction_read_only` is on, so the database is not to be written to"
        }
    };
    DatabaseError::of(ErrorKind::Unwritable(why), text)
}

/// Another connection holds the lock.
pub(super) fn busy() -> DatabaseError {
    DatabaseError::of(ErrorKind::Busy, "another process is migrating the database")
}
