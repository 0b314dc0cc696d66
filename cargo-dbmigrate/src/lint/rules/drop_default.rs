//! `drop-default`.

use dbmigrate_runtime::operations::Operation;

use crate::lint::rule::{Change, Fix, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "drop-default",
    level: Level::Warn,
    is_for: every,
    finds: "The default of a required column is removed.",
    why: "The inserts of a running program that leave the column out fail.",
    instead: "have the program write the column in one release, and remove the default in a \
              later one",
    fix: Some(Fix::Barrier { rows: None }),
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Operation::AlterColumn { table, column, change: to } = change.operation() else {
        return Vec::new();
    };
    let old = change.old(table).and_then(|table| table.find_column(column));
    let had_default = old.is_some_and(|old| old.default.is_some());
    let is_required = !to.nullable.unwrap_or(old.is_some_and(|old| old.nullable));
    if to.default != Some(None) || !had_default || !is_required {
        return Vec::new();
    }
    vec!["a running program's inserts that leave it out fail".to_owned()]
}
