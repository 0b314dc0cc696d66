//! `drop-not-null`.

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
    let Some((old, to)) = change.altered() else { return Vec::new() };
    if to.nullable != Some(true) || old.nullable || change.revised.has_barrier() {
        return Vec::new();
    }
    vec!["a running program that does not expect NULL fails on rows in which it is NULL".to_owned()]
}
