//! `undescribed-sql`.

use dbmigrate_runtime::engine::sql::Token;
use dbmigrate_runtime::operations::Operation;

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
    let dialect = change.revised.dialect;
    let sql = execute.sql.text(dialect.backend()).unwrap_or_default();
    let tokens = dialect.lexicon().tokens(sql);
    let tokens: Vec<&Token<'_>> = tokens.iter().filter(|token| token.is_significant()).collect();
    let statements = tokens.split(|token| token.is_symbol(";"));
    let mut found = statements.filter(|words| {
        words.first().is_some_and(|first| DEFINES.iter().any(|word| first.is_word(word)))
            && words.get(1).is_some_and(|what| DEFINED.iter().any(|word| what.is_word(word)))
    });
    match found.next() {
        Some([verb, what, ..]) => vec![format!(
            "its `{} {}` is not described",
            verb.text.to_uppercase(),
            what.text.to_uppercase()
        )],
        _ => Vec::new(),
    }
}

const DEFINES: &[&str] = &["CREATE", "ALTER", "DROP"];

/// What a schema or a declaration can represent.
const DEFINED: &[&str] =
    &["TABLE", "VIEW", "INDEX", "UNIQUE", "TRIGGER", "MATERIALIZED", "VIRTUAL"];
