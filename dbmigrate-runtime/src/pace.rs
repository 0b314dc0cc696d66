//! What a revision has to do to the rows of a database, which a run leaves in the version table if it
//! took long: a plan estimates from it how long another one will take.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::dialect::{RowCount, StatementKind, Task, Work};
use crate::driver::Connection;
use crate::operations::Operation;
use crate::schema::Schema;

/// The shortest time that tells something: a shorter one is mostly spent on other things than rows.
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
    /// The number of rows in the tables that it changes.
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
    /// What tasks have to do for operations on a schema. `None` if that doesn't depend on the number
    /// of rows, or if the database doesn't know the number without much effort.
    pub(crate) fn of(
        conn: &mut dyn Connection,
        (schema, operations): (&Schema, &[Operation]),
        tasks: &[Task],
    ) -> Option<Load> {
        let work = heaviest(tasks)?;
        let counts = row_counts(conn, schema, operations);
        let rows = counts.iter().map(|(_, count)| count.n).sum();
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

/// The heaviest work of these tasks; `None` if none depends on the number of rows.
pub(crate) fn heaviest(tasks: &[Task]) -> Option<Work> {
    let works = tasks.iter().filter_map(Task::statement).map(|statement| {
        match (&statement.cost, statement.kind) {
            (Some(cost), _) => cost.work,
            (None, StatementKind::Rebuild) => Work::Rewrite,
            (None, StatementKind::Native | StatementKind::Raw) => Work::None,
        }
    });
    works.max().filter(|work| *work > Work::None)
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
