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
    if !have_rows(change, table, &columns) {
        return Vec::new();
    }
    vec![format!("rows of table `{table}` with the same values stop the upgrade")]
}

/// Whether existing rows have values of their own in these columns: in a new column, they have none.
pub fn have_rows(change: &Change<'_>, table: &str, columns: &[String]) -> bool {
    let before = &change.revised.before;
    let had = |column: &String| {
        before.table(table).is_some_and(|before| before.find_column(column).is_some())
    };
    change.old(table).is_some() && columns.iter().all(had)
}

/// The columns of an index, without its expressions.
pub fn columns(index: &Index) -> Vec<String> {
    let column = |part: &IndexColumn| match &part.term {
        IndexTerm::Column(column) => Some(column.clone()),
        IndexTerm::Expression(_) => None,
    };
    index.columns.iter().filter_map(column).collect()
}
