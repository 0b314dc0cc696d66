//! The lock that excludes other migrations of the same history.
//!
//! PostgreSQL has advisory locks. Some products that speak its protocol accept the functions and do
//! nothing, or lack them. There the lock is the lock of a row, which a transaction holds.

use super::{PostgresDriver, Product, session};
use crate::driver::wait::patiently;
use crate::driver::{DatabaseError, Driver as _, ErrorKind, LOCK_TABLE as TABLE, Missing, Wait};

/// How the lock is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locking {
    /// Not known yet.
    Unknown,
    /// By an advisory lock.
    Advisory,
    /// By the lock of a row.
    Row,
}

/// Whether this session holds an advisory lock, as the server shows it.
const IS_HELD: &str = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted \
                       AND pid = pg_backend_pid())";

impl PostgresDriver<'_> {
    /// Begins a transaction that holds the lock. The server releases it at the end of the
    /// transaction, whatever happens to the connection.
    pub(super) fn begin_locked(&mut self, wait: &mut Wait<'_>) -> Result<(), DatabaseError> {
        let key = self.key;
        if self.locking == Locking::Unknown && self.is_begun_by_advisory()? {
            return Ok(());
        }
        if self.locking == Locking::Row {
            self.provide_row()?;
        }
        let take = match self.locking {
            Locking::Row => row(key),
            Locking::Advisory | Locking::Unknown => {
                format!("SELECT pg_try_advisory_xact_lock({key})")
            }
        };
        let holder = || self.lock_holder();
        patiently(wait, holder, || {
            self.begin_transaction()?;
            let is_ours = self.asks(&take);
            if let Ok(true) = is_ours {
                return Ok(());
            }
            self.run("ROLLBACK", |client, sql| client.batch_execute(sql))?;
            is_ours.and(Err(session::busy()))
        })
    }

    /// Takes the lock until [`unlock`](PostgresDriver::unlock).
    pub(super) fn lock(&mut self, wait: &mut Wait<'_>) -> Result<(), DatabaseError> {
        let key = self.key;
        if self.locking == Locking::Unknown
            && self.may_lack_locks()
            && self.is_begun_by_advisory()?
        {
            self.run("ROLLBACK", |client, sql| client.batch_execute(sql))?;
        }
        if self.locking == Locking::Row {
            let Some(server) = &self.server else {
                let why = "this server has no advisory locks, and without a URL there is no second \
                           connection that could hold another lock";
                return Err(DatabaseError::of(ErrorKind::Unlockable, why));
            };
            let mut keeper = PostgresDriver::connect(server)?;
            keeper.key = key;
            keeper.locking = Locking::Row;
            keeper.begin_locked(wait)?;
            // A query's portal keeps its snapshot, for which a concurrent index would wait; the next
            // simple query closes it.
            keeper.run("SELECT 1", |client, sql| client.batch_execute(sql))?;
            self.keeper = Some(Box::new(keeper));
            return Ok(());
        }
        patiently(
            wait,
            || self.lock_holder(),
            || {
                if self.asks(&format!("SELECT pg_try_advisory_lock({key})"))? {
                    Ok(())
                } else {
                    Err(session::busy())
                }
            },
        )?;
        let is_pooled = match &self.server {
            Some(server) => self.is_pooled(server),
            None => Ok(false),
        };
        if !matches!(is_pooled, Ok(false)) {
            self.unlock();
            is_pooled?;
            return Err(session::pooled());
        }
        Ok(())
    }

    /// Whether the product is known to have no advisory locks, or none that hold.
    fn may_lack_locks(&self) -> bool {
        matches!(self.product(), Product::Cockroach | Product::Dsql)
    }

    pub(super) fn unlock(&mut self) {
        match self.keeper.take() {
            Some(mut keeper) => keeper.rollback(),
            None => {
                let _ = self.asks(&format!("SELECT pg_advisory_unlock({})", self.key));
            }
        }
    }

    /// Who holds the lock.
    pub(super) fn lock_holder(&self) -> Option<String> {
        self.described(&match self.locking {
            Locking::Row => session::blocker(TABLE),
            Locking::Advisory | Locking::Unknown => session::lock_holder(self.key),
        })
    }

    /// Finds out whether an advisory lock is one. Returns whether a transaction is open that holds it.
    fn is_begun_by_advisory(&mut self) -> Result<bool, DatabaseError> {
        self.begin_transaction()?;
        let is_taken = self.asks(&format!("SELECT pg_try_advisory_xact_lock({})", self.key));
        let locking = match is_taken {
            // Somebody else has it.
            Ok(false) => Ok(Locking::Advisory),
            Ok(true) if self.asks(IS_HELD)? => {
                self.locking = Locking::Advisory;
                return Ok(true);
            }
            Ok(true) => Ok(Locking::Row),
            Err(err) if matches!(err.kind(), ErrorKind::Missing { what: Missing::Other, .. }) => {
                Ok(Locking::Row)
            }
            Err(err) => Err(err),
        };
        self.run("ROLLBACK", |client, sql| client.batch_execute(sql))?;
        self.locking = locking?;
        Ok(false)
    }

    /// Creates the row whose lock is taken, unless it is there.
    fn provide_row(&mut self) -> Result<(), DatabaseError> {
        let key = self.key;
        let create = format!("CREATE TABLE IF NOT EXISTS {TABLE} (id bigint PRIMARY KEY)");
        let insert = format!("INSERT INTO {TABLE} (id) VALUES ({key}) ON CONFLICT (id) DO NOTHING");
        let mut n_tries = 0;
        loop {
            match self.batch(&format!("{create}; {insert}")) {
                // Others create it at the same moment.
                Err(err) if n_tries < 20 && (err.is_busy() || err.is_taken()) => n_tries += 1,
                res => return res,
            }
        }
    }
}

fn row(key: i64) -> String {
    format!("SELECT true FROM {TABLE} WHERE id = {key} FOR UPDATE NOWAIT")
}
