//! A mark that tells whether a transaction is still the same one.

use super::Executor;
use crate::Error;
use crate::driver::{DatabaseError, Driver};

/// A savepoint that exists for as long as the transaction is the same one.
const MARK: &str = "dbmigrate_revision";

impl Executor<'_> {
    /// Marks the transaction.
    pub(super) fn mark(&mut self) -> Result<(), Error> {
        if !self.driver.has_savepoints() {
            return Ok(());
        }
        let sql = format!("SAVEPOINT {MARK}");
        self.driver.batch(&sql).map_err(|err| Error::database("mark the transaction", err))
    }

    /// Whether the transaction is still the marked one, after something failed in it.
    pub(super) fn is_at_mark(&mut self) -> bool {
        let is_same = |driver: &mut dyn Driver| {
            driver.batch(&format!("ROLLBACK TO SAVEPOINT {MARK}")).is_ok()
        };
        self.driver.in_transaction() && (!self.driver.has_savepoints() || is_same(self.driver))
    }

    /// Removes the mark; an error if the transaction isn't the marked one any more.
    pub(super) fn unmark(&mut self) -> Result<(), DatabaseError> {
        if self.driver.has_savepoints() {
            self.driver.batch(&format!("RELEASE SAVEPOINT {MARK}"))
        } else if self.driver.in_transaction() {
            Ok(())
        } else {
            Err(DatabaseError::new("the transaction has ended"))
        }
    }
}
