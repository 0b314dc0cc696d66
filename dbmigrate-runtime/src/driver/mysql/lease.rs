//! A lease: a row that says which process may migrate, and until when, for servers whose named locks
//! don't exclude others, such as the nodes of a cluster. The time is the server's.
//!
//! A connection of its own renews it while the process works. When it has expired, another process
//! takes it over, with a higher token. The process that lost it stops before its next statement:
//!
//! - Each transaction renews the lease before it commits, so with a lower token it is rolled back.
//! - Outside of transactions, the server closes a session that is silent for half of the lease.
//! - A session that is still there on the same server is ended by the process that takes over. It is
//!   found by a named lock, which it holds for as long as it lives.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use mysql::prelude::Queryable as _;

use super::{MysqlDriver, connecting, session};
use crate::Value;
use crate::driver::wait::patiently;
use crate::driver::{DatabaseError, ErrorKind, LOCK_TABLE, Wait};
use crate::server::Server;
use crate::sql::quote_text;

/// How long a lease lasts without being renewed.
pub(super) const LASTS: Duration = Duration::from_secs(30);

/// How long a session may be silent in a transaction, where a step may compute something, in
/// seconds.
const SILENCE_IN_STEPS: u64 = 28_800;

/// A lease that this process holds.
pub(super) struct Lease {
    row: Row,
    token: i64,
    keeper: Keeper,
}

/// The row of a lease.
#[derive(Debug, Clone)]
struct Row {
    /// The table, quoted.
    table: String,
    /// The name of the lock that it stands for.
    lock: String,
    lasts: Duration,
}

impl Row {
    fn create(&self) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {} (id VARCHAR(64) NOT NULL PRIMARY KEY, \
             owner VARCHAR(255) NOT NULL, token BIGINT NOT NULL, \
             renewed_at DATETIME(6) NOT NULL, expires_at DATETIME(6) NOT NULL) \
             ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
            self.table
        )
    }

    fn insert(&self) -> String {
        let Row { table, lock, .. } = self;
        let now = "UTC_TIMESTAMP(6)";
        format!(
            "INSERT INTO {table} (id, owner, token, renewed_at, expires_at) \
             VALUES ('{lock}', '', 0, {now}, {now})"
        )
    }

    fn find(&self) -> String {
        format!("SELECT 1 FROM {} WHERE id = '{}'", self.table, self.lock)
    }

    fn token(&self) -> String {
        format!("SELECT token FROM {} WHERE id = '{}'", self.table, self.lock)
    }

    fn take(&self) -> String {
        let Row { table, lock, .. } = self;
        let owner = quote_text(&format!(" (process {})", std::process::id()));
        format!(
            "UPDATE {table} SET owner = CONCAT(USER(), {owner}), token = token + 1, {} \
             WHERE id = '{lock}' AND expires_at <= UTC_TIMESTAMP(6)",
            self.renewed()
        )
    }

    fn renew(&self, token: i64) -> String {
        let Row { table, lock, .. } = self;
        let renewed = self.renewed();
        format!("UPDATE {table} SET {renewed} WHERE id = '{lock}' AND token = {token}")
    }

    fn renewed(&self) -> String {
        format!(
            "renewed_at = UTC_TIMESTAMP(6), expires_at = UTC_TIMESTAMP(6) + INTERVAL {} MICROSECOND",
            self.lasts.as_micros()
        )
    }

    fn release(&self, token: i64) -> String {
        let Row { table, lock, .. } = self;
        let now = "UTC_TIMESTAMP(6)";
        format!("UPDATE {table} SET expires_at = {now} WHERE id = '{lock}' AND token = {token}")
    }

    fn holder(&self) -> String {
        let Row { table, lock, .. } = self;
        format!(
            "SELECT owner, TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), expires_at) + 1 \
             FROM {table} WHERE id = '{lock}' AND expires_at > UTC_TIMESTAMP(6)"
        )
    }

    /// The named lock that tells the session of the lease with this token.
    fn session(&self, token: i64) -> String {
        format!("{}:{token}", self.lock)
    }
}

/// Renews a lease on a thread of its own, until it is dropped or the lease is lost.
struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    is_over: Mutex<bool>,
    over: Condvar,
    is_lost: AtomicBool,
}

impl Shared {
    /// Waits; `false` at the end of the lease.
    fn pauses(&self, pause: Duration) -> bool {
        let is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.over.wait_timeout_while(is_over, pause, |is_over| !*is_over);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Keeper {
    fn start(server: &Server, renew: String, lasts: Duration) -> Result<Keeper, DatabaseError> {
        let mut conn = Some(connecting::connect(server)?);
        let (shared, server) = (Arc::new(Shared::default()), server.clone());
        let theirs = Arc::clone(&shared);
        let work = move || {
            let mut pause = lasts / 3;
            while theirs.pauses(pause) {
                // The next renewal, or the worker itself, notices if this one can't be made.
                let open = conn.take().map_or_else(|| connecting::connect(&server).ok(), Some);
                pause = lasts / 10;
                let Some(mut open) = open else { continue };
                if open.query_drop(&renew).is_err() {
                    continue;
                }
                if open.affected_rows() == 0 {
                    theirs.is_lost.store(true, Ordering::Relaxed);
                    return;
                }
                (conn, pause) = (Some(open), lasts / 3);
            }
        };
        let thread = Builder::new().name("dbmigrate lease".to_owned()).spawn(work);
        let thread = thread.map_err(|err| DatabaseError::new(err.to_string()))?;
        Ok(Keeper { shared, thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        *self.shared.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.shared.over.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl MysqlDriver<'_> {
    /// Takes the lease, and has it renewed until [`give_back`](MysqlDriver::give_back).
    pub(super) fn take_lease(&mut self, wait: &mut Wait<'_>) -> Result<(), DatabaseError> {
        let Some(server) = self.server.clone() else {
            let why = "the server's named locks don't exclude its other nodes, and without a URL \
                       there is no second connection that could renew a lease";
            return Err(DatabaseError::of(ErrorKind::Unlockable, why));
        };
        let row = self.row();
        self.provide(&row)?;
        let this = &*self;
        let holder = || this.lease_holder(&row);
        let token = patiently(wait, holder, || this.try_lease(&row))?;
        let keeper = match Keeper::start(&server, row.renew(token), row.lasts) {
            Ok(keeper) => keeper,
            Err(err) => {
                let _ = self.text_query(&row.release(token));
                return Err(err);
            }
        };
        self.lease = Some(Lease { row, token, keeper });
        let res = self.end_former_session();
        if res.is_err() {
            self.give_back();
        }
        self.be_silent_outside();
        // Otherwise a transaction could not renew what was renewed since its first query. Versions
        // that lack the setting behave so.
        let _ = self.text_query("SET SESSION innodb_snapshot_isolation = 0");
        res
    }

    /// The row of the lease for the history.
    fn row(&self) -> Row {
        let table = format!("{}{}", self.beside, self.dialect.quote(LOCK_TABLE));
        Row { table, lock: self.lock.clone(), lasts: self.lasts }
    }

    /// Creates the row, unless it is there.
    fn provide(&self, row: &Row) -> Result<(), DatabaseError> {
        let mut n_tries = 0;
        loop {
            let res = match self.text_query(&row.find()) {
                Ok(found) if !found.rows.is_empty() => return Ok(()),
                Ok(_) => self.text_query(&row.insert()),
                Err(err) if err.is_missing() => self.text_query(&row.create()),
                Err(err) => Err(err),
            };
            match res {
                // Others create it at the same moment.
                Err(err) if n_tries < 20 && (err.is_busy() || err.is_taken()) => n_tries += 1,
                res => res.map(std::mem::drop)?,
            }
        }
    }

    /// Takes the lease if it has expired, and returns its token.
    fn try_lease(&self, row: &Row) -> Result<i64, DatabaseError> {
        let res = self.begin_transaction().and_then(|()| {
            if self.changes(&row.take())? == 0 {
                return Err(session::busy());
            }
            let found = self.text_query(&row.token())?;
            self.text_query("COMMIT")?;
            match found.rows.first().map(Vec::as_slice) {
                Some([Value::Integer(token)]) => Ok(*token),
                _ => Err(lost()),
            }
        });
        if res.is_err() {
            // A connection that is lost has been rolled back by the server.
            let _ = self.text_query("ROLLBACK");
        }
        self.is_open.set(Some(false));
        res
    }

    /// Who holds the lease of the history now.
    pub(super) fn holds_lease(&self) -> Option<String> {
        self.lease_holder(&self.row())
    }

    /// Who holds the lease.
    fn lease_holder(&self, row: &Row) -> Option<String> {
        let found = self.text_query(&row.holder()).ok()?;
        let [Value::Text(owner), Value::Integer(seconds)] = found.rows.first()?.as_slice() else {
            return None;
        };
        Some(format!(
            "`{owner}` holds the lease in `{LOCK_TABLE}`, which expires in {seconds} seconds \
             unless it is renewed"
        ))
    }

    /// Ends the session of the lease before this one if it is still there, as after a takeover, and
    /// marks the own one.
    fn end_former_session(&self) -> Result<(), DatabaseError> {
        let Some(Lease { row, token, .. }) = &self.lease else { return Ok(()) };
        // Where there are no named locks, no session can be told by one either.
        let _ = self.text_query(&format!("SELECT GET_LOCK('{}', 0)", row.session(*token)));
        let former = format!("SELECT IS_USED_LOCK('{}')", row.session(token - 1));
        let start = Instant::now();
        while let Ok(found) = self.text_query(&former) {
            let Some([Value::Integer(id)]) = found.rows.first().map(Vec::as_slice) else { break };
            if start.elapsed() > row.lasts {
                return Err(session::busy());
            }
            // It may have ended meanwhile.
            let _ = self.text_query(&format!("KILL {id}"));
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Renews the lease, inside a transaction to guard what it commits.
    pub(super) fn renew(&self) -> Result<(), DatabaseError> {
        let Some(lease) = &self.lease else { return Ok(()) };
        self.check_lease()?;
        match self.changes(&lease.row.renew(lease.token))? {
            0 => Err(lost()),
            _ => Ok(()),
        }
    }

    /// Fails if the lease is known to be lost.
    pub(super) fn check_lease(&self) -> Result<(), DatabaseError> {
        match &self.lease {
            Some(lease) if lease.keeper.shared.is_lost.load(Ordering::Relaxed) => Err(lost()),
            _ => Ok(()),
        }
    }

    /// Gives the lease back. Returns whether there was one.
    pub(super) fn give_back(&mut self) -> bool {
        let Some(Lease { row, token, keeper }) = self.lease.take() else { return false };
        // Not renewed after it is released.
        drop(keeper);
        let _ = self.text_query(&row.release(token));
        let _ = self.text_query(&format!("SELECT RELEASE_LOCK('{}')", row.session(token)));
        self.be_silent_for(SILENCE_IN_STEPS);
        true
    }

    /// Has the server close the session when it is silent for half of the lease.
    pub(super) fn be_silent_outside(&self) {
        if let Some(lease) = &self.lease {
            self.be_silent_for((lease.row.lasts / 2).as_secs().max(1));
        }
    }

    /// Lets a step of a transaction compute for long.
    pub(super) fn be_silent_inside(&self) {
        if self.lease.is_some() {
            self.be_silent_for(SILENCE_IN_STEPS);
        }
    }

    fn be_silent_for(&self, seconds: u64) {
        // A proxy may not know the setting, and closes sessions as it likes.
        let _ = self.text_query(&format!("SET SESSION wait_timeout = {seconds}"));
    }

    /// Runs a statement and returns how many rows it found to change.
    fn changes(&self, sql: &str) -> Result<u64, DatabaseError> {
        self.run(sql, |conn| Ok(conn.query_iter(sql)?.affected_rows()))
    }
}

fn lost() -> DatabaseError {
    let why = "another process took over the lease, which this one had not renewed in time";
    DatabaseError::of(ErrorKind::LeaseLost, why)
}
