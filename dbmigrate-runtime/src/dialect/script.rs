//! What a script of SQL is made of, as one database's own shell takes it.

/// The parts of a script that are a database's own. Each text ends its line.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    /// The shell that scripts are written for.
    pub shell: Shell,
    /// What a run tries and a script doesn't, as comments.
    pub untried: &'static str,
    /// Begins a transaction that may change tables.
    pub begin: &'static str,
    /// Begins a transaction that changes rows alone.
    pub begin_rows: &'static str,
    /// Makes what the guards need.
    pub prepare: &'static str,
    /// A statement that fails where a query's one number isn't 0.
    pub guard: fn(query: &str) -> String,
    /// A query of 0 where the statement before it changed one row.
    pub changed_one: &'static str,
    /// A query of a number that isn't 0, for what a script can't do.
    pub fails: &'static str,
    /// Fails where the transaction introduced foreign key violations.
    pub check_keys: &'static str,
    /// Drops what the guards needed.
    pub clean_up: &'static str,
    /// Ends a transaction.
    pub commit: &'static str,
}

/// A database's own shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shell {
    /// Its name.
    pub name: &'static str,
    /// The line by which a script has it stop at the first error. Other clients take it for an
    /// error.
    pub stop: &'static str,
    /// How a script is run by it.
    pub run: &'static str,
    /// How a script without that line is run so that it stops.
    pub run_stopping: &'static str,
}
