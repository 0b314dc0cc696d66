//! How much work a revision does on existing rows. If a run took long, the version table stores it,
//! and a plan estimates from it how long another revision will take.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::dialect::{RowCount, Statement, StatementKind, Task, Work};
use crate::driver::{Connection, DatabaseError};

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
    /// The work that tasks do on existing rows, given the number of rows in a table. `None` if it
    /// doesn't depend on that number, if the tasks do what nobody can estimate as well, such as a
    /// step, or if a number isn't known.
    ///
    /// # Errors
    ///
    /// Those of `rows_of`.
    pub(crate) fn of(
        tasks: &[Task],
        mut rows_of: impl FnMut(&str) -> Result<Option<RowCount>, DatabaseError>,
    ) -> Result<Option<Load>, DatabaseError> {
        if tasks.iter().any(Task::is_opaque) {
            return Ok(None);
        }
        let statements = || tasks.iter().filter_map(Task::statement);
        let heaviest = statements().map(work).max();
        let Some(work) = heaviest.filter(|work| *work > Work::None) else { return Ok(None) };
        let concerned = statements().filter(|statement| self::work(statement) == work);
        let mut rows = 0;
        for table in concerned.flat_map(tables).collect::<BTreeSet<_>>() {
            let Some(count) = rows_of(table)? else { return Ok(None) };
            rows += count.n;
        }
        Ok((rows > 0).then_some(Load { work, rows }))
    }

    /// The same, as far as the database can tell the numbers without much effort.
    ///
    /// # Errors
    ///
    /// The database's errors; after one, the transaction may have been rolled back.
    pub(crate) fn read(
        conn: &mut dyn Connection,
        tasks: &[Task],
    ) -> Result<Option<Load>, DatabaseError> {
        let dialect = conn.dialect();
        Load::of(tasks, |table| dialect.rows_about(&mut *conn, table))
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
