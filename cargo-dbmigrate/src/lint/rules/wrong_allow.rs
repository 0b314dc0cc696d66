//! `wrong-allow`.

use dbmigrate_runtime::engine::recording::Allowed;

use super::by_id;
use crate::lint::rule::{Found, Level, Look, Revised, Rule, every};

pub const RULE: Rule = Rule {
    id: "wrong-allow",
    level: Level::Warn,
    is_for: every,
    finds: "`op.allow` silences nothing: it names no rule, gives no reason, or has no operation \
            after it.",
    why: "What it was meant to silence is still reported, or nothing was found at all.",
    instead: "write `op.allow(\"rule\", \"reason\")` before the operation that it is about",
    fix: None,
    look: Look::AtRevision(look),
};

fn look(revised: &Revised<'_>) -> Vec<Found> {
    let upgrade = &revised.migration.upgrade;
    let wrong = |Allowed { operation, rule, reason }: &Allowed| {
        let is_last = *operation >= upgrade.operations.len();
        match by_id(rule).map(|rule| &rule.look) {
            None => Some(format!("`op.allow` names no rule: `{rule}`")),
            _ if reason.trim().is_empty() => {
                Some(format!("`op.allow` gives no reason for allowing `{rule}`"))
            }
            Some(Look::AtChange(_)) if is_last => {
                Some(format!("no operation follows the `op.allow` of `{rule}`"))
            }
            Some(Look::AtChange(_) | Look::AtRevision(_)) => None,
        }
    };
    upgrade.allowed.iter().filter_map(wrong).map(Found::from).collect()
}
