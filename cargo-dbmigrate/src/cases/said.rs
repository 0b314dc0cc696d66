//! A driver that says another version of SQLite than it has, so that the ways of older ones are
//! taken.

use std::collections::BTreeSet;
use std::time::Duration;

use dbmigrate_runtime::Value;
use dbmigrate_runtime::dialect::{Dialect, Facts, Introspected, StoredObject};
use dbmigrate_runtime::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::driver::{Broken, DatabaseError, Driver, Rows, Violation};

pub struct Said {
    pub driver: SqliteDriver<'static>,
    /// The version to say, if it isn't the library's own.
    pub version: Option<u32>,
}

impl Driver for Said {
    fn dialect(&self) -> &'static dyn Dialect {
        self.driver.dialect()
    }

    fn facts(&mut self) -> Result<Facts, DatabaseError> {
        let facts = self.driver.facts()?;
        Ok(Facts { version: self.version.unwrap_or(facts.version), ..facts })
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        self.driver.execute(sql, params)
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Rows, DatabaseError> {
        self.driver.query(sql, params)
    }

    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.driver.batch(sql)
    }

    fn in_transaction(&self) -> bool {
        self.driver.in_transaction()
    }

    fn prepare(&mut self) -> Result<(), DatabaseError> {
        self.driver.prepare()
    }

    fn restore(&mut self) -> Result<(), DatabaseError> {
        self.driver.restore()
    }

    fn begin(
        &mut self,
        wait: Duration,
        on_wait: &mut dyn FnMut(Duration),
    ) -> Result<(), DatabaseError> {
        self.driver.begin(wait, on_wait)
    }

    fn begin_alone(
        &mut self,
        wait: Duration,
        on_wait: &mut dyn FnMut(Duration),
    ) -> Result<(), DatabaseError> {
        self.driver.begin_alone(wait, on_wait)
    }

    fn end_alone(&mut self) {
        self.driver.end_alone();
    }

    fn commit(&mut self) -> Result<(), DatabaseError> {
        self.driver.commit()
    }

    fn rollback(&mut self) {
        self.driver.rollback();
    }

    fn objects(&mut self) -> Result<Vec<StoredObject>, DatabaseError> {
        self.driver.objects()
    }

    fn introspect(
        &mut self,
        only: Option<&BTreeSet<String>>,
    ) -> Result<Introspected, DatabaseError> {
        self.driver.introspect(only)
    }

    fn broken(&mut self, tables: &BTreeSet<String>) -> Result<Vec<Broken>, DatabaseError> {
        self.driver.broken(tables)
    }

    fn violations(&mut self) -> Result<Vec<Violation>, DatabaseError> {
        self.driver.violations()
    }
}
