//! The database as a migration's step sees it.

use std::fmt;

use crate::backend::Backend;
use crate::driver::{Connection, DatabaseError, Rows};
use crate::{FromValue, IntoValues, Value};

/// What a step returns. Any error stops the run, and everything that the run did is rolled back.
pub type StepResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Where the statements of a step go: to a connection, or to the process that has one.
pub(crate) trait Session {
    fn backend(&self) -> Backend;
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError>;
    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Rows, DatabaseError>;
    fn in_transaction(&self) -> bool;
}

impl Session for &mut dyn Connection {
    fn backend(&self) -> Backend {
        self.dialect().backend()
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        Connection::execute(&mut **self, sql, params)
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Rows, DatabaseError> {
        Connection::query(&mut **self, sql, params)
    }

    fn in_transaction(&self) -> bool {
        Connection::in_transaction(&**self)
    }
}

/// The database as a step sees it, inside the revision's open transaction.
///
/// It behaves the same in the command-line tool, where statements travel to the process that holds
/// the connection, and in a program that migrates its own database.
pub struct Db<'a> {
    session: Box<dyn Session + 'a>,
    args: &'a [(String, String)],
    /// The error of the last statement that failed.
    failed: Option<DatabaseError>,
    /// Why the database ended the transaction. Once this is set, no further statement may run.
    lost: Option<DatabaseError>,
}

impl fmt::Debug for Db<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db").field("dialect", &self.dialect()).finish_non_exhaustive()
    }
}

impl<'a> Db<'a> {
    pub(crate) fn new(conn: &'a mut dyn Connection, args: &'a [(String, String)]) -> Db<'a> {
        Db::over(conn, args)
    }

    pub(crate) fn over(session: impl Session + 'a, args: &'a [(String, String)]) -> Db<'a> {
        Db { session: Box::new(session), args, failed: None, lost: None }
    }

    /// Why the database rolled the transaction back by itself, if it did.
    pub(crate) fn lost(self) -> Option<DatabaseError> {
        self.lost
    }

    /// The error of the last failed statement, if the step's own error repeats it as the reason.
    pub(crate) fn cause(&self, why: &str) -> Option<&DatabaseError> {
        self.failed.as_ref().filter(|err| why.contains(&err.to_string()))
    }

    fn ask<T>(
        &mut self,
        ask: impl FnOnce(&mut dyn Session) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        if let Some(err) = &self.lost {
            return Err(err.clone());
        }
        let in_transaction = self.session.in_transaction();
        let res = ask(&mut *self.session);
        self.failed = res.as_ref().err().cloned().or(self.failed.take());
        if let (Err(err), true) = (&res, in_transaction && !self.session.in_transaction()) {
            self.lost = Some(err.clone());
        }
        res
    }

    /// Runs one statement and returns how many rows it changed.
    ///
    /// `?1` in the statement is the first value, on every database. A number may occur more than
    /// once, and in any order.
    ///
    /// # Errors
    ///
    /// The database's error. The failed statement has no effect; a step that handles the error and
    /// returns `Ok` keeps what its other statements did.
    pub fn execute(&mut self, sql: &str, params: impl IntoValues) -> Result<u64, DatabaseError> {
        self.ask(|session| session.execute(sql, &params.into_values()))
    }

    /// Runs one query and returns all its rows. `?1` is the first value, `?2` the second one, and
    /// so on.
    ///
    /// # Errors
    ///
    /// The database's error.
    pub fn query(&mut self, sql: &str, params: impl IntoValues) -> Result<Vec<Row>, DatabaseError> {
        let rows = self.ask(|session| session.query(sql, &params.into_values()))?;
        let columns: std::sync::Arc<[String]> = rows.columns.into();
        let row = |values| Row { columns: columns.clone(), values };
        Ok(rows.rows.into_iter().map(row).collect())
    }

    #[cfg(feature = "runner")]
    pub(crate) fn args(&self) -> &[(String, String)] {
        self.args
    }

    #[cfg(feature = "runner")]
    pub(crate) fn query_rows(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> Result<Rows, DatabaseError> {
        self.ask(|session| session.query(sql, params))
    }

    /// The name of the database's dialect: `sqlite`, `postgres` or `mysql`.
    pub fn dialect(&self) -> &'static str {
        self.session.backend().name()
    }

    /// The value of an argument that the command was given as `-x key=value`.
    pub fn arg(&self, key: &str) -> Option<&str> {
        self.args.iter().rev().find(|(arg, _)| arg == key).map(|(_, value)| value.as_str())
    }
}

/// The rows of one piece of a batched step: those whose key is between two values, both included.
///
/// A reference to it stands for both values where a statement takes parameters:
/// `db.execute("... WHERE id BETWEEN ?1 AND ?2", range)`.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchRange {
    /// The smallest key of the piece.
    pub first: Value,
    /// The largest key of the piece.
    pub last: Value,
    /// The number of the piece, counted from 1.
    pub number: u64,
}

impl BatchRange {
    /// The smallest key as a Rust value.
    ///
    /// # Errors
    ///
    /// When the key doesn't fit the type.
    pub fn first<T: FromValue>(&self) -> Result<T, DatabaseError> {
        as_type(&self.first)
    }

    /// The largest key as a Rust value.
    ///
    /// # Errors
    ///
    /// When the key doesn't fit the type.
    pub fn last<T: FromValue>(&self) -> Result<T, DatabaseError> {
        as_type(&self.last)
    }
}

fn as_type<T: FromValue>(value: &Value) -> Result<T, DatabaseError> {
    let message = || format!("the key is {value}, expected {}", T::EXPECTED);
    T::from_value(value).ok_or_else(|| DatabaseError::new(message()))
}

impl crate::value::sealed::IntoValues for &BatchRange {
    fn into_values(self) -> Vec<Value> {
        vec![self.first.clone(), self.last.clone()]
    }
}

/// A row of a query's result.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    columns: std::sync::Arc<[String]>,
    values: Vec<Value>,
}

impl Row {
    /// The value of a column, given its name or its position counted from 0.
    ///
    /// # Errors
    ///
    /// When there is no such column, or its value doesn't fit the type.
    pub fn get<T: FromValue>(&self, column: impl ColumnRef) -> Result<T, DatabaseError> {
        let idx = column.find(&self.columns).ok_or_else(|| {
            let columns = self.columns.join("`, `");
            DatabaseError::new(format!("the row has no column {column}; it has `{columns}`"))
        })?;
        T::from_value(&self.values[idx]).ok_or_else(|| {
            let (name, value) = (&self.columns[idx], &self.values[idx]);
            DatabaseError::new(format!("column `{name}` is {value}, expected {}", T::EXPECTED))
        })
    }

    /// The values in the order of the columns.
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}

/// A column of a [`Row`]: its name, or its position counted from 0.
///
/// This trait can't be implemented outside of this crate.
pub trait ColumnRef: fmt::Display + sealed::Find {}

impl ColumnRef for &str {}

impl ColumnRef for usize {}

mod sealed {
    pub trait Find {
        /// The position of the column in this list.
        fn find(&self, columns: &[String]) -> Option<usize>;
    }
}

impl sealed::Find for &str {
    fn find(&self, columns: &[String]) -> Option<usize> {
        columns.iter().position(|column| column == self)
    }
}

impl sealed::Find for usize {
    fn find(&self, columns: &[String]) -> Option<usize> {
        (*self < columns.len()).then_some(*self)
    }
}
