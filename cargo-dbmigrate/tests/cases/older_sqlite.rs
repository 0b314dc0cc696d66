//! A driver that reports another version of SQLite than it has, in order to test what is done for
//! older versions.

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::driver::{Connection, DatabaseError, Driver, Rows, Scope, Wait};

pub struct OlderSqlite {
    pub driver: SqliteDriver<'static>,
    /// The version to report, such as `3.35.0`, if it isn't the library's own.
    pub version: Option<&'static str>,
}

impl Connection for OlderSqlite {
    fn dialect(&self) -> &'static dyn Dialect {
        self.driver.dialect()
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        self.driver.execute(sql, params)
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Rows, DatabaseError> {
        let mut found = self.driver.query(sql, params)?;
        if let ("SELECT sqlite_version()", Some(version)) = (sql, self.version) {
            found.rows = vec![vec![Value::from(version)]];
        }
        Ok(found)
    }

    fn in_transaction(&self) -> bool {
        self.driver.in_transaction()
    }
}

impl Driver for OlderSqlite {
    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.driver.batch(sql)
    }

    fn prepare(&mut self, history: &str) -> Result<(), DatabaseError> {
        self.driver.prepare(history)
    }

    fn restore(&mut self) -> Result<(), DatabaseError> {
        self.driver.restore()
    }

    fn begin(&mut self, scope: Scope, wait: &mut Wait<'_>) -> Result<(), DatabaseError> {
        self.driver.begin(scope, wait)
    }

    fn commit(&mut self) -> Result<(), DatabaseError> {
        self.driver.commit()
    }

    fn rollback(&mut self) {
        self.driver.rollback();
    }

    fn release(&mut self) {
        self.driver.release();
    }
}
