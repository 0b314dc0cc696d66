//! `drop-not-null`.

use dbmigrate_runtime::operations::Operation;

use crate::autogenerate::safe::DROP_NOT_NULL;
use crate::lint::rule::{Change, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: DROP_NOT_NULL,
    level: Level::Warn,
    is_for: every,
    finds: "A required column becomes nullable.",
    why: "A running program that does not expect NULL fails on rows in which it is NULL.",
    instead: "have the program read the column as an `Option` in one release, and make it \
              nullable in a later one, behind `op.barrier(...)`",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Operation::AlterColumn { table, column, change: to } = change.operation() else {
        return Vec::new();
    };
    let old = change.old(table).and_then(|table| table.find_column(column));
    let was_required = old.is_some_and(|old| !old.nullable);
    if to.nullable != Some(true) || !was_required || change.revised.has_barrier() {
        return Vec::new();
    }
    vec!["a running program that does not expect NULL fails on rows in which it is NULL".to_owned()]
}
