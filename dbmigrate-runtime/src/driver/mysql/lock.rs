//! The lock that excludes other migrations of the same history: a named lock of the server, which
//! ends with the connection and outlives transactions and changes of definitions.

use super::{MysqlDriver, session};
use crate::Value;
use crate::driver::wait::patiently;
use crate::driver::{Connection as _, DatabaseError, Wait};

impl MysqlDriver<'_> {
    /// Takes the lock until [`unlock`](MysqlDriver::unlock).
    pub(super) fn lock(&mut self, wait: &mut Wait<'_>) -> Result<(), DatabaseError> {
        let holder = session::lock_holder(self.profile.backend(), &self.lock);
        let take = format!("SELECT GET_LOCK('{}', 0)", self.lock);
        let this = &*self;
        patiently(
            wait,
            || this.described(&holder),
            || match this.text_query(&take)?.rows.first().map(Vec::as_slice) {
                // Anything but a 1 is no lock.
                Some([Value::Integer(1)]) => Ok(()),
                Some([Value::Integer(0)]) => Err(session::busy()),
                Some([Value::Null]) => Err(session::unlockable("NULL")),
                _ => Err(session::unlockable("something else")),
            },
        )?;
        let is_own = format!("SELECT IS_USED_LOCK('{}') = CONNECTION_ID()", self.lock);
        if self.query(&is_own, &[])?.rows != [[Value::Integer(1)]] {
            self.unlock();
            return Err(session::pooled());
        }
        Ok(())
    }

    /// Releases the lock.
    pub(super) fn unlock(&mut self) {
        let _ = self.text_query(&format!("SELECT RELEASE_LOCK('{}')", self.lock));
    }
}
