//! `set-not-null`.

use crate::lint::rule::{Change, Fix, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "set-not-null",
    level: Level::Warn,
    is_for: every,
    finds: "A nullable column becomes required.",
    why: "Rows in which it is NULL stop the upgrade, and a running program that writes NULL fails.",
    instead: "have the program write a value in one release, then make the column required, \
              with `.fill(...)` for existing rows",
    fix: Some(Fix::Barrier { rows: Some("give existing rows a value with `.fill(...)`") }),
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Some((old, to)) = change.altered() else { return Vec::new() };
    if to.nullable != Some(false) || !old.nullable {
        return Vec::new();
    }
    let is_filled = to.fill.is_some() || to.using.is_some();
    let rows = (!is_filled).then_some("rows in which it is NULL stop the upgrade");
    let has_barrier = change.revised.has_barrier();
    let programs = (!has_barrier).then_some("a running program that writes NULL fails");
    let both: Vec<&str> = rows.into_iter().chain(programs).collect();
    if both.is_empty() { Vec::new() } else { vec![both.join(", and ")] }
}
