//! `drop-column`.

use dbmigrate_runtime::operations::Operation;

use crate::lint::rule::{Change, Fix, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "drop-column",
    level: Level::Warn,
    is_for: every,
    finds: "A column is dropped.",
    why: "Its values are lost, and a running program that reads or writes it fails.",
    instead: "remove the field in one release, with the column nullable or with a default, and \
              drop the column in a later one",
    fix: Some(Fix::Barrier { rows: None }),
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Operation::DropColumn { table, column } = change.operation() else { return Vec::new() };
    let old = change.old(table).and_then(|table| table.find_column(column));
    let Some(old) = old.filter(|old| old.generated.is_none()) else { return Vec::new() };
    let is_written = !old.nullable && old.default.is_none();
    let uses = if is_written { "uses it" } else { "reads it" };
    vec![format!("its values are lost, and a running program that {uses} fails")]
}
