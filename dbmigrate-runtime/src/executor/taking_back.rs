//! Taking back what an earlier run did of a revision, as far as the ledger says.

use super::Executor;
use super::budget::Budget;
use super::groups::{Entry, as_begun, groups, row, splittable};
use super::revision::Run;
use crate::Error;
use crate::dialect::{Alone, Dialect, Facts, Task};
use crate::direction::Direction;
use crate::ledger::{self, Row};
use crate::migration::Migration;
use crate::operations::{self, Operation};
use crate::plan::{self, Planner};
use crate::schema::Schema;

/// The SQL and steps among tasks, without what only looks at rows.
fn changes<'a>(tasks: &'a [Task]) -> Vec<&'a str> {
    let change = |task: &'a Task| match task {
        Task::Statement(statement) | Task::Alone(Alone { statement, .. }) => {
            Some(statement.sql.as_str())
        }
        Task::Step { name, .. } => Some(name.as_str()),
        Task::Guard(_) | Task::Note(_) | Task::Border => None,
    };
    tasks.iter().filter_map(change).collect()
}

/// How many of the operations have led to exactly these changes, and to no others.
fn n_operations(
    operations: &[Operation],
    done: &[&str],
    (schema, dialect, facts): (&Schema, &dyn Dialect, &Facts),
) -> Option<usize> {
    (0..=operations.len()).find(|n| {
        let planned = plan::tasks(&operations[..*n], &mut schema.clone(), dialect, facts);
        planned.is_ok_and(|tasks| changes(&tasks) == done)
    })
}

impl Executor<'_> {
    /// Takes back what an earlier run did of a revision, the last change first, and removes its rows
    /// from the ledger. The statements that do so are in the ledger as well, so that this can be
    /// continued after an interruption.
    pub(super) fn take_back<'a>(
        &mut self,
        migration: &'a Migration,
        planner: &Planner<'a>,
        known: &[Row],
        budget: &mut Budget,
    ) -> Result<(), Error> {
        let id = &migration.revision.id;
        let (direction, dialect) = (planner.direction(), self.driver.dialect());
        let refused = |why: &str| Err(Error::not_taken_back(id, direction, why));
        let operations = &planner.operations(migration);
        let operations = operations::resolve::settled(operations, dialect.backend());
        let mut before = planner.schema().clone();
        before.settle(dialect.backend());
        let server = self.facts()?;
        let facts = plan::replayed(&self.facts_for(&operations, &server)?);
        let changed: Vec<Row> = known.iter().filter(|row| row.number > 0).cloned().collect();
        let tasks_with = |facts: &Facts| {
            plan::tasks(&operations, &mut before.clone(), dialect, facts)
                .map_err(|err| Error::unplannable(id, err))
        };
        let facts = as_begun(facts, &splittable(&operations, dialect), &changed, tasks_with);
        let planned = tasks_with(&facts)?;
        let n_groups = groups(&planned).len();
        let ledger = ledger::beside(self.options.version_table());
        let is_begun = known.iter().any(|row| row.number < 0);
        let (mut done, mut undecided, mut unfinished) = (Vec::new(), Vec::new(), None);
        for (idx, tasks) in groups(&planned).into_iter().enumerate() {
            let row = row(idx, tasks);
            let Some(known) = known.iter().find(|known| known.number == row.number) else { break };
            let has_run = known.is_done || !known.is_failed && self.is_effective(tasks, known)?;
            if !known.is_done {
                undecided.push((row.clone(), has_run));
            }
            if !has_run {
                if let [Task::Alone(alone)] = tasks {
                    if known.hash != row.hash && !known.is_failed {
                        return Err(Error::edited_group(id, (direction, row.number, n_groups)));
                    }
                    unfinished = Some(alone);
                }
                break;
            }
            if known.hash != row.hash {
                return Err(Error::edited_group(id, (direction, row.number, n_groups)));
            }
            done.extend(changes(tasks));
        }
        let Some(n) = n_operations(&operations, &done, (&before, dialect, &facts)) else {
            return refused("the run was interrupted between the statements of one operation");
        };
        let operations = &operations[..n];
        let loses = |operation: &&Operation| {
            matches!(operation, Operation::DropTable { .. } | Operation::DropColumn { .. })
        };
        if let Some(operation) = operations.iter().find(loses) {
            return refused(&format!("{operation}: what it held is gone"));
        }
        let reversed = match operations::reverse_all(operations, &before) {
            Ok(reversed) => reversed,
            Err(err) => return refused(&format!("{}: {}", err.operation(), err.why())),
        };
        let mut after = before;
        for operation in operations {
            // It was planned above.
            let _ = operation.apply(&mut after);
        }
        let stable = plan::tasks(&reversed, &mut after.clone(), dialect, &facts)
            .map_err(|err| Error::unplannable(id, err))?;
        let facts = self.facts_for(&reversed, &server)?;
        let planned = plan::tasks(&reversed, &mut after, dialect, &facts)
            .map_err(|err| Error::unplannable(id, err))?;
        let (stable, planned) = (groups(&stable), groups(&planned));
        let mut run = Run {
            migration,
            direction: match direction {
                Direction::Upgrade => Direction::Downgrade,
                Direction::Downgrade => Direction::Upgrade,
            },
            in_transaction: true,
            is_continued: true,
            is_taken_back: true,
            n_run: 0,
            n_tasks: planned.iter().map(|tasks| tasks.len()).sum(),
        };
        self.observer.taking_back(direction, &migration.revision);
        if let Some(alone) = unfinished {
            self.repeated(budget, |this| this.remove_remnant(alone))?;
        }
        // Later nobody could tell any more, because taking back has effects too.
        for (row, has_run) in undecided.iter().filter(|_| !is_begun) {
            self.in_group(budget, |this| {
                let conn = this.conn();
                if *has_run {
                    ledger::enter(conn, ledger, id, (row, true))
                } else {
                    ledger::forget(conn, ledger, id, row.number)
                }
            })?;
        }
        self.driver.runs(id);
        for (idx, tasks) in planned.iter().enumerate() {
            let hashed = stable.get(idx).filter(|_| stable.len() == planned.len());
            let mut row = row(idx, hashed.unwrap_or(tasks));
            row.number = -row.number;
            self.run_group(&run, tasks, Entry::of(&row, known), budget)?;
            run.n_run += tasks.len();
        }
        // The rows are needed no longer; the table is.
        self.in_group(budget, |this| ledger::clear(this.conn(), ledger, id).map(std::mem::drop))
    }

    /// Whether a statement that was interrupted has had its effect.
    fn is_effective(&mut self, tasks: &[Task], known: &Row) -> Result<bool, Error> {
        match tasks {
            // A piece that is done has had an effect.
            [Task::Step { batch: Some(_), .. }] => Ok(!known.before.is_empty()),
            [Task::Alone(alone)] => {
                self.restore(&alone.statement.sql, &known.before)?;
                self.has_run(alone, &known.before)
            }
            _ => Ok(false),
        }
    }
}
