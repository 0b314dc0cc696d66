//! A mark that tells whether a transaction is still the same one.

use super::Executor;
use crate::Error;

/// A savepoint that exists for as long as the transaction is the same one.
const MARK: &str = "dbmigrate_revision";

impl Executor<'_> {
    /// Marks the transaction.
    pub(super) fn mark(&mut self) -> Result<(), Error> {
        let sql = format!("SAVEPOINT {MARK}");
        self.driver.batch(&sql).map_err(|err| Error::database("mark the transaction", err))
    }

    /// Whether the transaction is still the marked one, after something failed in it.
    pub(super) fn is_at_mark(&mut self) -> bool {
        self.driver.in_transaction()
            && self.driver.batch(&format!("ROLLBACK TO SAVEPOINT {MARK}")).is_ok()
    }

    /// Removes the mark; `false` if the transaction isn't the marked one any more.
    pub(super) fn unmark(&mut self) -> bool {
        self.driver.batch(&format!("RELEASE SAVEPOINT {MARK}")).is_ok()
    }
}
