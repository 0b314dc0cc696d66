//! `check-on-rows`.

use dbmigrate_runtime::operations::Operation;

use crate::lint::rule::{Change, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "check-on-rows",
    level: Level::Warn,
    is_for: every,
    finds: "A check is added to an existing table.",
    why: "Rows that violate it stop the upgrade, and a running program that writes such \
          rows fails.",
    instead: "find the rows that violate it and correct them in an earlier revision",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Operation::AddCheck { table, .. } = change.operation() else { return Vec::new() };
    if change.old(table).is_none() {
        return Vec::new();
    }
    vec![format!("rows of table `{table}` that violate it stop the upgrade")]
}
