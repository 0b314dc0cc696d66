//! The settings of a session, and the lock that excludes other migrations.

use hmac_sha256::Hash;

use crate::Value;
use crate::dialect::{Dialect as _, Postgres};
use crate::driver::{Connection, DatabaseError, ErrorKind, LOCK_TIMEOUT};

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

/// The statements that pin the settings for a session.
pub(super) fn pinned() -> String {
    let set = |(name, value): &(&str, &str)| format!("SET {name} = '{value}'");
    PINNED.iter().map(set).collect::<Vec<_>>().join(";\n")
}

/// The settings that a session had.
pub(super) struct Saved(Vec<Value>);

impl Saved {
    /// Reads the settings that [`pinned`] changes.
    pub(super) fn read(conn: &mut dyn Connection) -> Result<Saved, DatabaseError> {
        let setting = |(name, _): &(&str, &str)| format!("current_setting('{name}')");
        let settings: Vec<_> = PINNED.iter().map(setting).collect();
        let rows = conn.query(&format!("SELECT {}", settings.join(", ")), &[])?.rows;
        Ok(Saved(rows.into_iter().next().unwrap_or_default()))
    }

    /// The statements that restore them.
    pub(super) fn restoring(&self) -> String {
        let set = |((name, _), value): (&(&str, &str), &Value)| {
            format!("SET {name} = {}", Postgres.literal(value))
        };
        PINNED.iter().zip(&self.0).map(set).collect::<Vec<_>>().join(";\n")
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

/// The query for the oldest transaction of others that holds a lock on a table.
pub(super) const BLOCKER: &str = "\
SELECT pid, application_name, query FROM pg_stat_activity AS activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND EXISTS (
    SELECT FROM pg_locks JOIN pg_class ON pg_class.oid = relation
    WHERE pg_locks.pid = activity.pid AND locktype = 'relation' AND granted AND relkind IN ('r', 'p')
        AND relnamespace <> 'pg_catalog'::regnamespace)
ORDER BY xact_start LIMIT 1";

/// A pooler is between this connection and the server.
pub(super) fn pooled() -> DatabaseError {
    let why = "a pooler gives the connection's statements to different sessions of the server";
    DatabaseError::of(ErrorKind::Pooled, why)
}

/// Another connection holds the lock.
pub(super) fn busy() -> DatabaseError {
    DatabaseError::of(ErrorKind::Busy, "another process is migrating the database")
}
