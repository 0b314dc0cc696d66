//! `refused`.

use crate::lint::rule::{Found, Level, Look, Revised, Rule, every};

pub const RULE: Rule = Rule {
    id: "refused",
    level: Level::Deny,
    is_for: every,
    finds: "An upgrade refuses the revision.",
    why: "It can't be applied to this kind of database.",
    instead: "correct the revision, or leave the database out of `dialects` in dbmigrate.toml",
    fix: None,
    look: Look::AtRevision(look),
};

fn look(revised: &Revised<'_>) -> Vec<Found> {
    // A database that has run it didn't refuse it.
    if revised.is_applied {
        return Vec::new();
    }
    let Err(refusal) = revised.tasks() else { return Vec::new() };
    let message = format!("an upgrade refuses it: {}", refusal.message);
    vec![Found { position: None, message, hint: refusal.hint.clone() }]
}
