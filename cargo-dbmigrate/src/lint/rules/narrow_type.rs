//! `narrow-type`.

use dbmigrate_runtime::schema::Type;

use crate::autogenerate::keeps;

use crate::lint::rule::{Change, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "narrow-type",
    level: Level::Warn,
    is_for: every,
    finds: "A column gets a type that can't hold every value of the previous one.",
    why: "Existing values that don't fit stop the upgrade, and a running program may still \
          write such values.",
    instead: "have the program write only values that fit, correct existing rows in an earlier \
              revision, and narrow the type then",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Some((old, to)) = change.altered() else { return Vec::new() };
    let (from, Some(to)) = (&old.ty, &to.ty) else { return Vec::new() };
    // The values of enumerations are compared by a rule of its own.
    let is_enumeration = matches!((from, to), (Type::Enum(..), Type::Enum(..)));
    if is_enumeration || keeps(from, to, change.revised.dialect) {
        return Vec::new();
    }
    vec![format!("not every value of the type `{from}` fits `{to}`")]
}
