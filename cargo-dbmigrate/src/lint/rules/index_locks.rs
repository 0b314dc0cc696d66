//! `index-locks`.

use dbmigrate_runtime::engine::dialect::{Blocks, Work};

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
    let builds = change.costs_to_others(Work::IndexBuild);
    let mut locks = builds.flat_map(|cost| &cost.locks);
    let locked =
        locks.find(|(table, lock)| lock.blocks >= Blocks::Writes && change.revised.is_old(table));
    let Some((table, lock)) = locked else { return Vec::new() };
    vec![format!("{} until the index is built ({})", waiting(lock.blocks, table), lock.name)]
}
