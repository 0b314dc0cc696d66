//! `redundant-index`.

use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{Index, IndexColumn, IndexTerm};

use crate::lint::rule::{Change, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "redundant-index",
    level: Level::Warn,
    is_for: every,
    finds: "An index has the same first columns as another index or key of its table.",
    why: "Each change of a row has to keep both, and queries need only one.",
    instead: "drop the shorter index, or leave it out of the model",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Operation::CreateIndex { table, index } = change.operation() else { return Vec::new() };
    let Some(after) = change.revised.after.table(table) else { return Vec::new() };
    let Some(own) = plain(index).filter(|_| !index.unique) else { return Vec::new() };
    let of_keys = after.primary_key.iter().map(|key| (&key.name, key.columns.clone()));
    let of_uniques = after.uniques.iter().map(|unique| (&unique.name, unique.columns.clone()));
    let others = after.indexes.iter().filter(|other| other.name != index.name);
    let of_indexes = others.filter_map(|other| Some((&other.name, plain(other)?)));
    let mut all = of_keys.chain(of_uniques).chain(of_indexes);
    match all.find(|(_, columns)| columns.starts_with(&own)) {
        Some((name, _)) => vec![format!("`{name}` begins with the same columns")],
        None => Vec::new(),
    }
}

/// The columns of an index of all rows in which columns are ordered as usual.
fn plain(index: &Index) -> Option<Vec<String>> {
    let is_plain = index.filter.is_none() && index.using.is_none() && !index.is_exclusion();
    let column = |part: &IndexColumn| match &part.term {
        IndexTerm::Column(column) if *part == IndexColumn::new(column) => Some(column.clone()),
        IndexTerm::Column(_) | IndexTerm::Expression(_) => None,
    };
    index.columns.iter().map(column).collect::<Option<Vec<_>>>().filter(|_| is_plain)
}
