//! `index-locks`.

use dbmigrate_runtime::engine::dialect::{Blocks, Work};
use dbmigrate_runtime::operations::Operation;

use super::words::waiting;

use crate::lint::rule::{Change, Fix, Level, Look, Rule, servers};

pub const RULE: Rule = Rule {
    id: "index-locks",
    level: Level::Warn,
    is_for: servers,
    finds: "An index of an existing table is built while others wait.",
    why: "How long that takes grows with the table.",
    instead: "on PostgreSQL build it with `.concurrently()`, a unique one too; elsewhere at a \
              time when nobody writes",
    fix: Some(Fix::Concurrently),
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    match change.operation() {
        // These have a rule of their own.
        Operation::CreateIndex { index, .. } if index.is_exclusion() => Vec::new(),
        _ => built(change).into_iter().collect(),
    }
}

/// Who waits until the index is built, if anybody does.
pub fn built(change: &Change<'_>) -> Option<String> {
    let builds = change.costs_to_others(Work::IndexBuild);
    let mut locks = builds.flat_map(|cost| &cost.locks);
    let (table, lock) = locks
        .find(|(table, lock)| lock.blocks >= Blocks::Writes && change.revised.is_old(table))?;
    Some(format!("{} until the index is built ({})", waiting(lock.blocks, table), lock.name))
}
