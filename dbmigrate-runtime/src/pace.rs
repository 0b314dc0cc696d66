//! How much work a revision does on existing rows. If a run took long, the version table stores it,
//! and a plan estimates from it how long another revision will take.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::dialect::{RowCount, Statement, StatementKind, Task, Work};
use crate::driver::Connection;
use crate::operations::Operation;
use crate::schema::Schema;

/// The shortest time that is a useful measure: in a shorter one, little is spent on the rows.
pub(crate) const NOTICEABLE: Duration = Duration::from_millis(100);

/// How long a revision took, and what it had to do in that time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Took {
    pub(crate) duration: Duration,
    pub(crate) load: Option<Load>,
}

impl Took {
    /// What it had to do, if the time tells something about it.
    pub(crate) fn telling(&self) -> Option<Load> {
        self.load.filter(|_| self.duration >= NOTICEABLE)
    }
}

/// What a revision has to do to the rows of its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Load {
    /// The heaviest thing that it does.
    pub work: Work,
    /// The number of rows in the tables on which it does that.
    pub rows: i64,
}

/// The names by which the version table calls the kinds of work.
const NAMES: [(Work, &str); 4] = [
    (Work::Scan, "scan"),
    (Work::IndexBuild, "index"),
    (Work::Rows, "rows"),
    (Work::Rewrite, "rewrite"),
];

impl Load {
    /// The work that tasks do on existing rows. `None` if it doesn't depend on the number of rows,
    /// if the tasks do what nobody can estimate as well, such as a step, or if the database can't
    /// tell the number without much effort.
    pub(crate) fn of(conn: &mut dyn Connection, tasks: &[Task]) -> Option<Load> {
        let is_unknown = |task: &Task| match task {
            Task::Statement(statement) => statement.kind == StatementKind::Raw,
            Task::Step { .. } => true,
            Task::Guard(_) | Task::Note(_) | Task::Border | Task::Alone(_) => false,
        };
        if tasks.iter().any(is_unknown) {
            return None;
        }
        let statements = || tasks.iter().filter_map(Task::statement);
        let work = statements().map(work).max().filter(|work| *work > Work::None)?;
        let tables: BTreeSet<&str> = statements()
            .filter(|statement| self::work(statement) == work)
            .flat_map(tables)
            .collect();
        let mut rows = 0;
        for table in tables {
            rows += conn.dialect().rows_about(&mut *conn, table)?.n;
        }
        (rows > 0).then_some(Load { work, rows })
    }

    /// ``rewrite 3000``
    pub(crate) fn encode(self) -> Option<String> {
        let (_, name) = NAMES.iter().find(|(work, _)| *work == self.work)?;
        Some(format!("{name} {}", self.rows))
    }

    /// What [`encode`](Load::encode) wrote; `None` if a newer version wrote something else.
    pub(crate) fn decode(text: &str) -> Option<Load> {
        let (name, rows) = text.split_once(' ')?;
        let (work, _) = NAMES.iter().find(|(_, known)| *known == name)?;
        let rows = rows.parse().ok().filter(|rows| *rows > 0)?;
        Some(Load { work: *work, rows })
    }
}

/// How much a statement has to do.
fn work(statement: &Statement) -> Work {
    match (&statement.cost, statement.kind) {
        (Some(cost), _) => cost.work,
        (None, StatementKind::Rebuild) => Work::Rewrite,
        (None, StatementKind::Native | StatementKind::Raw) => Work::None,
    }
}

/// The tables whose rows a statement has to work on, as far as it says.
fn tables(statement: &Statement) -> Vec<&str> {
    let locked = statement.cost.iter().flat_map(|cost| &cost.locks);
    let rebuilt = statement.scratch.iter().map(|scratch| scratch.table.as_str());
    locked.map(|(table, _)| table.as_str()).chain(rebuilt).collect()
}

/// The tables that operations change, given the schema before them.
pub(crate) fn changed<'a>(schema: &Schema, operations: &'a [Operation]) -> BTreeSet<&'a str> {
    let tables = operations.iter().flat_map(Operation::tables);
    tables.filter(|table| schema.tables.contains_key(table)).collect()
}

/// The same with the numbers of their rows, as far as the database knows these without much effort.
pub(crate) fn row_counts<'a>(
    conn: &mut dyn Connection,
    schema: &Schema,
    operations: &'a [Operation],
) -> Vec<(&'a str, RowCount)> {
    let tables = changed(schema, operations).into_iter();
    tables
        .filter_map(|table| Some((table, conn.dialect().rows_about(&mut *conn, table)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_again() {
        for (work, _) in NAMES {
            let load = Load { work, rows: 3000 };
            assert_eq!(Load::decode(&load.encode().unwrap()), Some(load));
        }
        for text in ["", "rewrite", "rewrite 0", "rewrite many", "wash 3000"] {
            assert_eq!(Load::decode(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_that_is_too_short_tells_nothing() {
        let load = Load::decode("scan 3000");
        let took = |milliseconds| Took { duration: Duration::from_millis(milliseconds), load };
        assert_eq!(took(99).telling(), None);
        assert_eq!(took(100).telling(), load);
    }
}
