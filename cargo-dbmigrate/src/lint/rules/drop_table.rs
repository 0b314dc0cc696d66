//! `drop-table`.

use dbmigrate_runtime::operations::Operation;

use crate::lint::rule::{Change, Fix, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "drop-table",
    level: Level::Warn,
    is_for: every,
    finds: "A table is dropped.",
    why: "Its rows are lost, and a running program that uses it fails.",
    instead: "stop using the table in one release and drop it in a later one, after a backup",
    fix: Some(Fix::Barrier { rows: None }),
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Operation::DropTable { table } = change.operation() else { return Vec::new() };
    if change.old(table).is_none() {
        return Vec::new();
    }
    vec!["its rows are lost, and a running program that uses it fails".to_owned()]
}
