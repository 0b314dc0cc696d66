//! `rewrite-locks`.

use dbmigrate_runtime::engine::dialect::{Blocks, Work};

use super::volatile_default::is_volatile;
use super::words::waiting;

use crate::lint::rule::{Change, Level, Look, Rule, servers};

pub const RULE: Rule = Rule {
    id: "rewrite-locks",
    level: Level::Warn,
    is_for: servers,
    finds: "A table and its indexes are written again while others wait.",
    why: "How long that takes grows with the table, which meanwhile needs its space twice.",
    instead: "add a column of the new kind, fill it in batches while both are written, and \
              drop the previous one in a later release",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    // That has a rule of its own.
    if is_volatile(change) {
        return Vec::new();
    }
    let rewrites = change.costs_to_others(Work::Rewrite);
    let mut locks = rewrites.flat_map(|cost| &cost.locks);
    let locked =
        locks.find(|(table, lock)| lock.blocks >= Blocks::Writes && change.revised.is_old(table));
    let Some((table, lock)) = locked else { return Vec::new() };
    let until = if lock.name == AT_MOST {
        "if the server has to write it again".to_owned()
    } else {
        format!("until it is written again ({})", lock.name)
    };
    vec![format!("{} {until}", waiting(lock.blocks, table))]
}

/// The name of a lock that depends on more than the operation.
const AT_MOST: &str = "at most";
