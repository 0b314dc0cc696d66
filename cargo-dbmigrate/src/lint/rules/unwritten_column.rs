//! `unwritten-column`.

use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Column;

use crate::lint::rule::{Change, Fix, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "unwritten-column",
    level: Level::Warn,
    is_for: every,
    finds: "A required column without a default is added.",
    why: "A running program does not know the column, so its inserts fail.",
    instead: "give the column a default, or add it as nullable and make it required in a later \
              release",
    fix: Some(Fix::Divide),
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Operation::AddColumn { table, column, .. } = change.operation() else { return Vec::new() };
    if change.old(table).is_none() || !is_demanding(column) {
        return Vec::new();
    }
    vec!["a running program does not write it, so its inserts fail".to_owned()]
}

/// Whether each new row has to give the column a value.
pub fn is_demanding(column: &Column) -> bool {
    let is_given = column.default.is_some()
        || column.generated.is_some()
        || column.identity.is_some()
        || column.autoincrement == Some(true);
    !column.nullable && !is_given
}
