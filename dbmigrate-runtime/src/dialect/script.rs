//! The building blocks of an SQL script, for a database's own shell.

/// The parts of a script that depend on the database. Each text ends with a line break.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    /// The shell that scripts are written for.
    pub shell: Shell,
    /// What a run checks but a script doesn't, as comments.
    pub untried: &'static str,
    /// The settings of the client's session, before any transaction.
    pub session: &'static str,
    /// A query that takes the lock of a run until the client ends, and returns 0 if it did; empty if
    /// there is none. The history is the version table, with the schema that was written.
    pub lock: fn(history: &str) -> String,
    /// Begins a transaction that may change tables.
    pub begin: &'static str,
    /// Begins a transaction that only changes rows.
    pub begin_rows: &'static str,
    /// Creates what the guards need.
    pub prepare: &'static str,
    /// A statement that fails with this message if the only number in a query's result isn't 0;
    /// `{}` in the message stands for the number.
    pub guard: fn(query: &str, failure: &str) -> String,
    /// A statement that changes rows, and fails with this message unless it changes exactly one.
    pub changing_one: fn(statement: &str, failure: &str) -> String,
    /// A query that returns a number other than 0, for what a script can't do.
    pub fails: &'static str,
    /// Fails if the transaction introduced foreign key violations.
    pub check_keys: &'static str,
    /// Drops what the guards needed.
    pub clean_up: &'static str,
    /// Ends a transaction.
    pub commit: &'static str,
    /// A statement with what ends it.
    pub whole: fn(statement: &str) -> String,
}

/// A database's own shell.
#[derive(Debug, Clone, Copy)]
pub struct Shell {
    /// Its name.
    pub name: &'static str,
    /// The line that makes the shell stop at the first error. It is an error in other clients.
    pub stop: &'static str,
    /// How to run a script with the shell.
    pub run: &'static str,
    /// How to run a script without that line so that it stops at the first error.
    pub run_stopping: &'static str,
    /// What a client would do that went on after an error.
    pub going_on: &'static str,
    /// Rewrites a script so that the shell reads each of its statements and texts unchanged. Every
    /// other client reads the same.
    pub exact: fn(script: &str) -> String,
    /// Rewrites a script so that the shell reads each of its lines unchanged. Other clients don't.
    pub lines: fn(script: &str) -> String,
}
