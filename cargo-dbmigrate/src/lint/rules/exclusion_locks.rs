//! `exclusion-locks`.

use dbmigrate_runtime::operations::Operation;

use super::index_locks::built;

use crate::lint::rule::{Change, Level, Look, Rule, postgres};

pub const RULE: Rule = Rule {
    id: "exclusion-locks",
    level: Level::Warn,
    is_for: postgres,
    finds: "An exclusion constraint is added to an existing table.",
    why: "Its index is built while nobody can read or write the table, and how long that takes \
          grows with the table.",
    instead: "add it at a time when nobody uses the table, or to a new table into which the rows \
              are copied in batches: PostgreSQL builds no exclusion constraint concurrently, and \
              doesn't make one from an index that exists",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    match change.operation() {
        Operation::CreateIndex { index, .. } if index.is_exclusion() => {
            built(change).into_iter().collect()
        }
        _ => Vec::new(),
    }
}
