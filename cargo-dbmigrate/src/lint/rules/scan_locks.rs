//! `scan-locks`.

use dbmigrate_runtime::engine::dialect::{Blocks, Work};

use super::words::waiting;

use crate::lint::rule::{Change, Level, Look, Rule, postgres};

pub const RULE: Rule = Rule {
    id: "scan-locks",
    level: Level::Warn,
    is_for: postgres,
    finds: "A table is read while others wait.",
    why: "How long that takes grows with the table.",
    instead: "make the change at a time when nobody uses the table, or in the steps that the \
              page of your database shows",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let scans = change.costs_to_others(Work::Scan);
    let mut locks = scans.flat_map(|cost| &cost.locks);
    let locked =
        locks.find(|(table, lock)| lock.blocks >= Blocks::Writes && change.revised.is_old(table));
    let Some((table, lock)) = locked else { return Vec::new() };
    vec![format!("{} until all of its rows are read ({})", waiting(lock.blocks, table), lock.name)]
}
