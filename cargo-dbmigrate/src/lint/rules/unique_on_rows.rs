//! `unique-on-rows`.

use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{Index, IndexColumn, IndexTerm};

use crate::lint::rule::{Change, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "unique-on-rows",
    level: Level::Warn,
    is_for: every,
    finds: "Existing columns become unique.",
    why: "Rows with the same values stop the upgrade, and a running program that writes \
          such values fails.",
    instead: "find the repeated values and correct them in an earlier revision",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let (table, columns) = match change.operation() {
        Operation::AddUnique { table, unique } => (table, unique.columns.clone()),
        Operation::AddPrimaryKey { table, primary_key } => (table, primary_key.columns.clone()),
        Operation::CreateIndex { table, index } if index.unique => (table, columns(index)),
        _ => return Vec::new(),
    };
    let before = &change.revised.before;
    let had = |column: &String| {
        before.table(table).is_some_and(|before| before.find_column(column).is_some())
    };
    // Rows have no value of their own in a new column.
    if change.old(table).is_none() || !columns.iter().all(had) {
        return Vec::new();
    }
    vec![format!("rows of table `{table}` with the same values stop the upgrade")]
}

/// The columns of an index, without its expressions.
fn columns(index: &Index) -> Vec<String> {
    let column = |part: &IndexColumn| match &part.term {
        IndexTerm::Column(column) => Some(column.clone()),
        IndexTerm::Expression(_) => None,
    };
    index.columns.iter().filter_map(column).collect()
}
