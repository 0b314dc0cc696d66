//! `enum-value-removed`.

use dbmigrate_runtime::schema::Type;

use crate::lint::rule::{Change, Fix, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "enum-value-removed",
    level: Level::Warn,
    is_for: every,
    finds: "A value of an enumeration is removed.",
    why: "Rows that have the value stop the upgrade, and a running program that writes or \
          reads the value fails.",
    instead: "stop writing the value in one release, give its rows another value, and remove \
              it in a later release",
    fix: Some(Fix::Barrier {
        rows: Some("give these rows another value in an earlier revision, or with `.using(...)`"),
    }),
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Some((old, to)) = change.altered() else { return Vec::new() };
    let (Type::Enum(_, was), Some(Type::Enum(_, is))) = (&old.ty, &to.ty) else {
        return Vec::new();
    };
    let gone: Vec<&str> =
        was.iter().filter(|value| !is.contains(value)).map(String::as_str).collect();
    let (value, is) = match gone.as_slice() {
        [] => return Vec::new(),
        [_] => ("value", "is"),
        _ => ("values", "are"),
    };
    let gone = gone.join("`, `");
    if !change.revised.has_barrier() {
        return vec![format!("the {value} `{gone}` {is} removed")];
    }
    if to.using.is_some() || to.fill.is_some() {
        return Vec::new();
    }
    vec![format!("rows with the {value} `{gone}` stop the upgrade")]
}
