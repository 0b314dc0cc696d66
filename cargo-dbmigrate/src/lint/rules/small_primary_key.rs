//! `small-primary-key`.

use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Type;

use crate::lint::rule::{Change, Level, Look, Rule, servers};

pub const RULE: Rule = Rule {
    id: "small-primary-key",
    level: Level::Warn,
    is_for: servers,
    finds: "A table gets a primary key that generates integers of at most 32 bits.",
    why: "The numbers run out, and a wider type later means writing the table and all that \
          refer to it again. (SQLite generates 64 bits whatever the type says.)",
    instead: "use `i64`",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Operation::CreateTable(table) = change.operation() else { return Vec::new() };
    let Some(key) = table.generated_key() else { return Vec::new() };
    if matches!(key.ty, Type::BigInteger | Type::BigUnsigned) {
        return Vec::new();
    }
    vec![format!("its key `{}` runs out of numbers: its type is `{}`", key.name, key.ty)]
}
