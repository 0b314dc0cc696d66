//! `volatile-default`.

use dbmigrate_runtime::engine::dialect::Work;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::DefaultValue;

use crate::lint::rule::{Change, Level, Look, Rule, postgres};

pub const RULE: Rule = Rule {
    id: "volatile-default",
    level: Level::Warn,
    is_for: postgres,
    finds: "A column whose default differs from row to row is added.",
    why: "PostgreSQL writes the whole table again to give each row its value, and everybody waits.",
    instead: "add the column as nullable, set the default in a later operation, and fill \
              existing rows in batches",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let tables = change.operation().tables();
    match tables.first() {
        Some(table) if is_volatile(change) => {
            vec![format!("each row of table `{table}` gets a value of its own")]
        }
        _ => Vec::new(),
    }
}

/// Whether PostgreSQL writes an existing table again because of the default of a new column.
pub fn is_volatile(change: &Change<'_>) -> bool {
    let Operation::AddColumn { table, column, using: None, .. } = change.operation() else {
        return false;
    };
    change.old(table).is_some()
        && postgres(change.revised.dialect.backend())
        && matches!(column.default, Some(DefaultValue::Sql(_)))
        && change.costs().any(|cost| cost.work == Work::Rewrite)
}
