//! `no-way-back`.

use dbmigrate_runtime::engine::Migration;
use dbmigrate_runtime::engine::recording::NO_WAY_BACK;

use crate::lint::rule::{Found, Level, Look, Revised, Rule, every};

pub const RULE: Rule = Rule {
    id: NO_WAY_BACK,
    level: Level::Warn,
    is_for: every,
    finds: "A revision can't be undone and doesn't say why.",
    why: "A deployment that goes wrong can't be taken back, and nobody knows whether that \
          was meant.",
    instead: "write `downgrade`, or say why there is none with `op.irreversible(\"...\")`",
    fix: None,
    look: Look::AtRevision(look),
};

fn look(revised: &Revised<'_>) -> Vec<Found> {
    let Migration { upgrade, downgrade, .. } = revised.migration;
    let message = match &downgrade.irreversible {
        Some(why) if why.trim().is_empty() => "`op.irreversible` gives no reason",
        Some(_) => return Vec::new(),
        None if upgrade.operations.is_empty() || !downgrade.operations.is_empty() => {
            return Vec::new();
        }
        None => "`downgrade` does nothing, so undoing the revision leaves its changes",
    };
    vec![Found::from(message.to_owned())]
}
