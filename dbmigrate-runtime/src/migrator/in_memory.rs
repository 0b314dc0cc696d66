//! A migrated database in memory for one test.

use rusqlite::Connection;

use super::Migrator;
use crate::Error;
use crate::connect::test_database::memory;

impl Migrator {
    /// Creates a migrated SQLite database in memory for one test.
    ///
    /// The history is applied once in each process; each call copies the result page by page, which
    /// takes some tens of microseconds for twenty tables. Nothing that a test does to its database
    /// is seen by another one. The connection has the settings of a new one: SQLite enforces foreign
    /// keys only after `PRAGMA foreign_keys = ON`.
    ///
    /// The history runs on a connection of its own, without the functions and collations that an
    /// application registers on its connections.
    ///
    /// # Errors
    ///
    /// As [`Migrator::upgrade`].
    ///
    /// # Example
    ///
    /// ```
    /// use dbmigrate_runtime::Migrator;
    ///
    /// // In a program: `migrations::migrator()`.
    /// let migrator = Migrator::new(&[]);
    ///
    /// let conn = migrator.in_memory().unwrap();
    /// assert!(migrator.is_up_to_date(&conn).unwrap());
    /// ```
    pub fn in_memory(&self) -> Result<Connection, Error> {
        memory::create(self.modules, |conn| self.upgrade(conn).map(drop))
    }
}
