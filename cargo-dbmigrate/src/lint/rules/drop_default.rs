//! `drop-default`.

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
    let Some((old, to)) = change.altered() else { return Vec::new() };
    let is_required = !to.nullable.unwrap_or(old.nullable);
    if to.default != Some(None) || old.default.is_none() || !is_required {
        return Vec::new();
    }
    vec!["a running program's inserts that leave it out fail".to_owned()]
}
