//! `rename-table`.

use dbmigrate_runtime::operations::Operation;

use crate::lint::rule::{Change, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "rename-table",
    level: Level::Warn,
    is_for: every,
    finds: "A table is renamed.",
    why: "A running program that uses the previous name fails until it is replaced.",
    instead: "keep the name with `#[model(table = \"...\")]`, or create a view with the \
              previous name for the time of the deployment",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Operation::RenameTable { from, .. } = change.operation() else { return Vec::new() };
    if change.old(from).is_none() {
        return Vec::new();
    }
    vec!["a running program that uses the previous name fails".to_owned()]
}
