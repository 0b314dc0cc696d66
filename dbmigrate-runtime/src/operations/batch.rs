//! A step that runs in pieces, each of them a range of a table's key in a transaction of its own.

use std::fmt;

use crate::{BatchRange, Db, StepResult};

/// The function of a batched step.
pub type BatchAction = fn(&mut Db<'_>, &BatchRange) -> StepResult;

/// How a step is divided into pieces.
#[derive(Clone)]
pub struct Batch {
    /// The table whose rows are divided.
    pub table: String,
    /// The column by whose values they are divided. Several are recorded, so that they can be
    /// refused by name.
    pub columns: Vec<String>,
    /// How many rows a piece has. It doesn't count for the checksum, so it can be changed.
    pub size: usize,
    /// The function, or `None` if only another process has it.
    pub action: Option<BatchAction>,
}

/// Functions don't count: comparing their addresses would be meaningless.
impl PartialEq for Batch {
    fn eq(&self, other: &Batch) -> bool {
        (&self.table, &self.columns, self.size) == (&other.table, &other.columns, other.size)
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("table", &self.table)
            .field("columns", &self.columns)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// ``in pieces of 1000 rows of `post` by `id` ``
impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, columns) = (&self.table, self.columns.join("`, `"));
        write!(f, "in pieces of {} rows of `{table}` by `{columns}`", self.size)
    }
}

/// The key by which a batched step is divided: `"post.id"`, or the table and the column as a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchKey {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
}

impl From<&str> for BatchKey {
    /// The column is what follows the last dot.
    fn from(key: &str) -> BatchKey {
        let (table, column) = key.rsplit_once('.').unwrap_or(("", key));
        BatchKey::from((table, column))
    }
}

impl From<(&str, &str)> for BatchKey {
    fn from((table, column): (&str, &str)) -> BatchKey {
        BatchKey::from((table, [column]))
    }
}

impl<const N: usize> From<(&str, [&str; N])> for BatchKey {
    fn from((table, columns): (&str, [&str; N])) -> BatchKey {
        BatchKey { table: table.to_owned(), columns: columns.map(str::to_owned).into() }
    }
}
