//! `step-under-lock`.

use dbmigrate_runtime::engine::dialect::{Blocks, Task, Work};
use dbmigrate_runtime::operations::Operation;

use crate::lint::rule::{Found, Level, Look, Revised, Rule, Step, postgres};

pub const RULE: Rule = Rule {
    id: "step-under-lock",
    level: Level::Warn,
    is_for: postgres,
    finds: "A step, or a change of rows, runs in a transaction that has locked a table against \
            reads and writes.",
    why: "Others wait for as long as it takes.",
    instead: "put it into a revision of its own, before or after, and run with `--transaction each`",
    fix: None,
    look: Look::AtRevision(look),
};

fn look(revised: &Revised<'_>) -> Vec<Found> {
    let mut locked: Option<&str> = None;
    let mut found = Vec::new();
    if !revised.has_old() {
        return found;
    }
    for task in revised.tasks().iter().flatten() {
        if task.is_between_groups() {
            locked = None;
        }
        let cost = task.statement().and_then(|statement| statement.cost.as_ref());
        let is_of = |work| cost.is_some_and(|cost| cost.work == work);
        if let Some(table) = locked {
            let position = match task {
                Task::Step { operation, .. } => Some(*operation),
                Task::Statement(statement) if is_of(Work::Rows) => {
                    let mut steps = revised.steps.iter().filter(|step| has_table(step));
                    steps.find(|step| step.is_made_by(statement)).map(|step| step.position)
                }
                _ => None,
            };
            let message = format!("others wait for table `{table}`, which is locked before it");
            found.extend(position.map(|_| Found { position, message, hint: None }));
        }
        let mut locks = cost.into_iter().flat_map(|cost| &cost.locks);
        let exclusive = locks
            .find(|(table, lock)| lock.blocks == Blocks::ReadsAndWrites && revised.is_old(table));
        locked = locked.or(exclusive.map(|(table, _)| table.as_str()));
    }
    found
}

/// Whether a step changes a table that is older than the revision, and not only adds rows.
fn has_table(step: &Step) -> bool {
    !step.old.is_empty() && !matches!(step.operation, Operation::BulkInsert { .. })
}
