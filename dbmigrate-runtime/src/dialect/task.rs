//! What a plan does: tasks, as values.

use std::collections::BTreeSet;
use std::fmt;

use super::{Cost, Guard};
use crate::Value;
use crate::driver::Rows;
use crate::operations::{Batch, UNNAMED};

/// The tasks for a list of operations on one database.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The tasks, in order.
    pub tasks: Vec<Task>,
    /// How many operations the tasks cover. The others depend on the result of these tasks, so the
    /// facts have to be read again first.
    pub taken: usize,
    /// What the last transaction of the tasks adds.
    pub uncommitted: Uncommitted,
}

/// What a transaction adds that statements can't use before it is committed, on some databases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uncommitted {
    /// The enumerations that are new.
    pub enumerations: BTreeSet<String>,
    /// The values that were added to enumerations, each after the name of its enumeration.
    pub values: BTreeSet<(String, String)>,
}

impl Uncommitted {
    /// Adds what later tasks of the same transaction add.
    pub(crate) fn extend(&mut self, later: Uncommitted) {
        self.enumerations.extend(later.enumerations);
        self.values.extend(later.values);
    }
}

/// A single task of a plan.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Runs SQL.
    Statement(Statement),
    /// Runs a query, and fails if it returns a row.
    Guard(Guard),
    /// A remark about the plan for readers of a script.
    Note(String),
    /// Runs a step.
    Step {
        /// The step's position among the operations of its revision, counted from 0.
        operation: usize,
        /// The step's name.
        name: String,
        /// How it is divided, if it runs in pieces: it is then a group of its own.
        batch: Option<Batch>,
    },
    /// Ends a group: the tasks behind it run in a transaction of their own.
    Border,
    /// Runs a statement that can't be in a transaction, as a group of its own.
    Alone(Alone),
}

impl Task {
    /// The statement that the task runs, if it is one.
    pub fn statement(&self) -> Option<&Statement> {
        match self {
            Task::Statement(statement) => Some(statement),
            Task::Alone(alone) => Some(&alone.statement),
            Task::Guard(_) | Task::Note(_) | Task::Step { .. } | Task::Border => None,
        }
    }

    /// The task in words; `None` if it isn't worth a line of its own.
    pub fn text(&self) -> Option<String> {
        match self {
            Task::Statement(statement) => Some(statement.text()),
            Task::Alone(alone) => Some(alone.statement.text()),
            Task::Guard(guard) => Some(format!("stop if {}", guard.condition())),
            Task::Step { name, batch: Some(batch), .. } => {
                Some(format!("run step `{name}` {batch}, each in a transaction of its own"))
            }
            Task::Step { name, .. } => Some(format!("run step `{name}`")),
            Task::Border | Task::Note(_) => None,
        }
    }

    /// The SQL that the task runs.
    pub fn sql(&self) -> Option<&str> {
        match self {
            Task::Guard(guard) => Some(&guard.sql),
            task => task.statement().map(|statement| statement.sql.as_str()),
        }
    }

    /// What the task costs others, in words.
    pub fn cost(&self) -> Option<String> {
        let cost = self.statement()?.cost.as_ref()?;
        Some(cost.to_string()).filter(|text| !text.is_empty())
    }

    /// What a statement of a rebuild is for.
    fn rebuilt(&self) -> Option<&str> {
        match self {
            Task::Statement(statement) if statement.kind == StatementKind::Rebuild => {
                Some(&statement.reason)
            }
            _ => None,
        }
    }

    /// Whether the task at this position belongs to a rebuild, which proves its own copy.
    pub fn is_of_rebuild(tasks: &[Task], idx: usize) -> bool {
        let before = idx.checked_sub(1).and_then(|before| tasks.get(before)?.rebuilt());
        before.is_some() && before == tasks.get(idx + 1).and_then(Task::rebuilt)
    }

    /// Whether the task may change what the schema doesn't describe.
    pub fn is_opaque(&self) -> bool {
        match self {
            Task::Statement(statement) => statement.kind == StatementKind::Raw,
            Task::Step { .. } => true,
            Task::Guard(_) | Task::Note(_) | Task::Border | Task::Alone(_) => false,
        }
    }

    /// Whether the task is a group by itself.
    pub fn is_alone(&self) -> bool {
        matches!(self, Task::Alone(_) | Task::Step { batch: Some(_), .. })
    }

    /// Whether the task separates groups, so that its revision isn't one transaction.
    pub fn is_between_groups(&self) -> bool {
        match self {
            Task::Border | Task::Alone(_) | Task::Step { batch: Some(_), .. } => true,
            Task::Statement(_) | Task::Guard(_) | Task::Note(_) | Task::Step { .. } => false,
        }
    }
}

/// A statement outside a transaction, which may be interrupted in the middle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alone {
    /// The statement.
    pub statement: Statement,
    /// A query that returns a row if the statement has had its effect; `None` if the effect shows in
    /// the [definitions](super::Dialect::definitions) of what the statement names.
    pub is_done: Option<String>,
    /// What an interrupted statement leaves, if it leaves something.
    pub remnant: Option<Remnant>,
}

/// What an interrupted statement leaves, and how it is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remnant {
    /// A query that returns a row if it is there.
    pub is_left: String,
    /// The statement that removes it, which can't be in a transaction either.
    pub removal: String,
}

/// SQL, and the operation that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL, without a closing semicolon unless it is hand-written.
    pub sql: String,
    /// A description of the operation.
    pub reason: String,
    /// How the database makes the change.
    pub kind: StatementKind,
    /// The table that has a temporary name while the statement runs.
    pub scratch: Option<Scratch>,
    /// What the statement costs those who use the database meanwhile. `None` if it costs nobody
    /// anything, and on a database that has only one writer.
    pub cost: Option<Cost>,
}

impl Statement {
    /// What the statement does, in words.
    fn text(&self) -> String {
        match self.kind {
            StatementKind::Raw if self.given_name().is_none() => {
                let sql = self.sql.split_whitespace().collect::<Vec<_>>().join(" ");
                let shown: String = sql.chars().take(60).collect();
                let dots = if shown.len() < sql.len() { "..." } else { "" };
                format!("run SQL: {shown}{dots}")
            }
            StatementKind::Raw => format!("run SQL: {}", self.reason),
            StatementKind::Rebuild => format!("rebuild the table to {}", self.reason),
            StatementKind::Native => self.reason.clone(),
        }
    }

    /// The name that hand-written SQL has got in its revision.
    pub fn given_name(&self) -> Option<&str> {
        (self.kind == StatementKind::Raw && self.reason != UNNAMED).then_some(&self.reason)
    }
}

/// A table with a temporary name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scratch {
    /// The temporary name, which no user knows.
    pub name: String,
    /// The table's own name.
    pub table: String,
}

impl Scratch {
    /// A database's message with the table's own name.
    pub fn named(&self, message: &str) -> String {
        message.replace(&self.name, &self.table)
    }
}

/// How a database makes a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementKind {
    /// With a statement of its own.
    Native,
    /// By a rebuild: a new table gets the rows and then the name.
    Rebuild,
    /// With hand-written SQL, unchanged.
    Raw,
}

/// A number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowCount {
    /// The number.
    pub n: i64,
    /// Whether it is an estimate, such as the server's statistics.
    pub is_estimate: bool,
}

impl RowCount {
    /// A count that a query returns.
    pub(super) fn of(rows: &Rows, is_estimate: bool) -> Option<RowCount> {
        match rows.rows.first().map(Vec::as_slice) {
            Some([Value::Integer(n)]) if *n >= 0 => Some(RowCount { n: *n, is_estimate }),
            _ => None,
        }
    }
}

/// ``3,000 rows``, ``about 3,000 rows``
impl fmt::Display for RowCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.n.to_string();
        let mut grouped = String::new();
        for (idx, digit) in digits.chars().enumerate() {
            if idx > 0 && (digits.len() - idx) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        let about = if self.is_estimate { "about " } else { "" };
        let rows = if self.n == 1 { "row" } else { "rows" };
        write!(f, "{about}{grouped} {rows}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_rows_is_written_as_people_do() {
        let text = |n, is_estimate| RowCount { n, is_estimate }.to_string();
        assert_eq!(text(1, false), "1 row");
        assert_eq!(text(999, true), "about 999 rows");
        assert_eq!(text(1_234_567, true), "about 1,234,567 rows");
    }
}
