//! `undescribed-sql`.

use dbmigrate_runtime::operations::Operation;

use super::words::sql_statements;

use crate::lint::rule::{Change, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "undescribed-sql",
    level: Level::Warn,
    is_for: every,
    finds: "SQL that creates, changes or drops something does not say what.",
    why: "Revisions are planned, compared and checked without it, so `check` reports a \
          difference, and the next `migrate` may contradict it.",
    instead: "add `.describes(|op| ...)` with the operations that it amounts to, or \
              `op.makes_view(...)` and the like",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Operation::Execute(execute) = change.operation() else { return Vec::new() };
    let operations = &change.revised.migration.upgrade.operations;
    let next = operations.get(change.step.position + 1);
    let is_declared = matches!(next, Some(Operation::Makes(_) | Operation::Drops(_)));
    if change.step.is_described || !execute.describes.is_empty() || is_declared {
        return Vec::new();
    }
    let statements = sql_statements(change);
    let mut found = statements.iter().filter_map(|words| match words.as_slice() {
        [verb, what, ..] => Some((verb.as_str(), what.as_str())),
        _ => None,
    });
    let found = found.find(|(verb, what)| DEFINES.contains(verb) && DEFINED.contains(what));
    let message = |(verb, what)| format!("its `{verb} {what}` is not described");
    found.map(message).into_iter().collect()
}

const DEFINES: &[&str] = &["CREATE", "ALTER", "DROP"];

/// What a schema or a declaration can represent.
const DEFINED: &[&str] =
    &["TABLE", "VIEW", "INDEX", "UNIQUE", "TRIGGER", "MATERIALIZED", "VIRTUAL"];
