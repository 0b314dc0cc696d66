//! `required-column`.

use dbmigrate_runtime::operations::Operation;

use super::unwritten_column::is_demanding;

use crate::lint::rule::{Change, Fix, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "required-column",
    level: Level::Warn,
    is_for: every,
    finds: "A required column without a default, and without a value for existing rows, is added.",
    why: "It can't be added to a table that has rows.",
    instead: "give the column a default, or give existing rows a value with `.using(...)`",
    fix: Some(Fix::Divide),
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Operation::AddColumn { table, column, using, .. } = change.operation() else {
        return Vec::new();
    };
    if using.is_some() || change.old(table).is_none() || !is_demanding(column) {
        return Vec::new();
    }
    vec![format!("the upgrade stops if table `{table}` has rows, which would have no value in it")]
}
