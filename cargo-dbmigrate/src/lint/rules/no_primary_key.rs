//! `no-primary-key`.

use dbmigrate_runtime::operations::Operation;

use crate::lint::rule::{Change, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "no-primary-key",
    level: Level::Warn,
    is_for: every,
    finds: "A table without a primary key is created.",
    why: "Its rows can't be told apart, and replication and tools that copy tables need a key.",
    instead: "add a primary key",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Operation::CreateTable(table) = change.operation() else { return Vec::new() };
    let after = change.revised.after.table(&table.name);
    if table.primary_key.is_some() || after.is_some_and(|after| after.primary_key.is_some()) {
        return Vec::new();
    }
    vec!["it has no primary key".to_owned()]
}
