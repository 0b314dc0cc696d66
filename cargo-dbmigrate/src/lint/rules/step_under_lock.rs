//! `step-under-lock`.

use dbmigrate_runtime::engine::dialect::{Blocks, Task};

use crate::lint::rule::{Found, Level, Look, Revised, Rule, postgres};

pub const RULE: Rule = Rule {
    id: "step-under-lock",
    level: Level::Warn,
    is_for: postgres,
    finds: "A step runs in a transaction that has locked a table against reads and writes.",
    why: "Others wait for as long as the step takes.",
    instead: "put the step into a revision of its own, before or after, and run with \
              `--transaction each`",
    look: Look::AtRevision(look),
};

fn look(revised: &Revised<'_>) -> Vec<Found> {
    let mut locked: Option<&str> = None;
    let mut found = Vec::new();
    for task in revised.tasks.iter().flatten() {
        if task.is_between_groups() {
            locked = None;
        }
        if let (Task::Step { operation, .. }, Some(table)) = (task, locked) {
            let message = format!("others wait for table `{table}`, which is locked before it");
            found.push(Found { position: Some(*operation), message, hint: None });
        }
        let cost = task.statement().and_then(|statement| statement.cost.as_ref());
        let mut locks = cost.into_iter().flat_map(|cost| &cost.locks);
        let exclusive = locks
            .find(|(table, lock)| lock.blocks == Blocks::ReadsAndWrites && revised.is_old(table));
        locked = locked.or(exclusive.map(|(table, _)| table.as_str()));
    }
    found
}
