//! `rebuild`.

use dbmigrate_runtime::engine::dialect::{Statement, StatementKind};

use crate::lint::rule::{Change, Level, Look, Rule, servers};

pub const RULE: Rule = Rule {
    id: "rebuild",
    level: Level::Allow,
    is_for: |backend| !servers(backend),
    finds: "A table is rebuilt: created with its new definition, with all rows copied.",
    why: "It takes a time that grows with the table, in which nobody else can write, and \
          needs space for the table twice.",
    instead: "leave it at that for tables that fit into memory; for larger ones, plan the time",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let is_rebuild = |statement: &Statement| statement.kind == StatementKind::Rebuild;
    let tables = change.operation().tables();
    let is_old = tables.iter().any(|table| change.revised.is_old(table));
    if !is_old || !change.statements().any(is_rebuild) {
        return Vec::new();
    }
    vec!["the table is rebuilt".to_owned()]
}
