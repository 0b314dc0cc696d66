//! `rename-column`.

use dbmigrate_runtime::operations::Operation;

use crate::lint::rule::{Change, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "rename-column",
    level: Level::Warn,
    is_for: every,
    finds: "A column is renamed.",
    why: "A running program that uses the previous name fails until it is replaced.",
    instead: "keep the name with `#[model(column = \"...\")]`, or add a column, have both \
              written, and drop the previous one in a later release",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Operation::RenameColumn { table, .. } = change.operation() else { return Vec::new() };
    if change.old(table).is_none() {
        return Vec::new();
    }
    vec!["a running program that uses the previous name fails".to_owned()]
}
