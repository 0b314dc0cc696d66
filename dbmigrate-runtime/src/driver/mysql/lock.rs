//! The lock that excludes other migrations of the same history.
//!
//! It is a named lock of the server, which ends with the connection and outlives transactions and
//! changes of definitions. The nodes of a cluster don't know each other's, and a proxy may lead each
//! connection to another server; there it is a [lease](super::lease).

use mysql::prelude::Queryable as _;

use super::{MysqlDriver, connecting, session};
use crate::Value;
use crate::driver::wait::patiently;
use crate::driver::{Connection as _, DatabaseError, ErrorKind, Wait};
use crate::server::Server;

/// How the lock is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locking {
    /// Not known yet.
    Unknown,
    /// By a named lock.
    Named,
    /// By a lease.
    Lease,
}

impl MysqlDriver<'_> {
    /// Takes the lock until [`unlock`](MysqlDriver::unlock).
    pub(super) fn lock(&mut self, wait: &mut Wait<'_>) -> Result<(), DatabaseError> {
        if self.locking == Locking::Unknown && self.profile.cluster.is_some() {
            self.locking = Locking::Lease;
        }
        if self.locking == Locking::Lease {
            return self.take_lease(wait);
        }
        let res = self.lock_by_name(wait);
        let Some(server) = self.server.clone().filter(|_| self.locking == Locking::Unknown) else {
            return res;
        };
        let is_lock = match res {
            Ok(()) => self.excludes_others(&server),
            Err(err) if *err.kind() == ErrorKind::Unlockable => Ok(false),
            Err(err) => return Err(err),
        };
        if let Ok(true) = is_lock {
            self.locking = Locking::Named;
            return Ok(());
        }
        self.unlock();
        is_lock?;
        self.locking = Locking::Lease;
        self.take_lease(wait)
    }

    fn lock_by_name(&mut self, wait: &mut Wait<'_>) -> Result<(), DatabaseError> {
        let holder = session::lock_holder(self.profile.backend(), &self.lock);
        let take = format!("SELECT GET_LOCK('{}', 0)", self.lock);
        let this = &*self;
        patiently(
            wait,
            || this.described(&holder),
            || match this.text_query(&take) {
                Ok(found) => match found.rows.first().map(Vec::as_slice) {
                    // Anything but a 1 is no lock.
                    Some([Value::Integer(1)]) => Ok(()),
                    Some([Value::Integer(0)]) => Err(session::busy()),
                    Some([Value::Null]) => Err(session::unlockable("`GET_LOCK` answered NULL")),
                    _ => Err(session::unlockable("`GET_LOCK` answered something else")),
                },
                // It has no such function, or doesn't support it.
                Err(err) if err.is_missing() || *err.kind() == ErrorKind::Unlockable => {
                    Err(session::unlockable(&err.to_string()))
                }
                Err(err) => Err(err),
            },
        )?;
        let is_own = format!("SELECT IS_USED_LOCK('{}') = CONNECTION_ID()", self.lock);
        match self.query(&is_own, &[]) {
            Ok(found) if found.rows == [[Value::Integer(1)]] => Ok(()),
            // Which session has a lock can't be asked everywhere.
            Err(err) if err.is_missing() => {
                self.unlock();
                Err(session::unlockable(&err.to_string()))
            }
            res => {
                self.unlock();
                res.and(Err(session::pooled()))
            }
        }
    }

    /// Whether another connection can't take the lock while this one has it.
    fn excludes_others(&self, server: &Server) -> Result<bool, DatabaseError> {
        let mut other = connecting::connect(server)?;
        let take = format!("SELECT GET_LOCK('{}', 0)", self.lock);
        let taken: Result<Option<Option<i64>>, _> = other.query_first(take);
        Ok(matches!(taken, Ok(Some(Some(0)))))
    }

    /// Releases the lock.
    pub(super) fn unlock(&mut self) {
        if !self.give_back() {
            let _ = self.text_query(&format!("SELECT RELEASE_LOCK('{}')", self.lock));
        }
    }
}
