//! The indexes that foreign keys need.
//!
//! A server creates an index for a foreign key that has none, under the key's name, and drops it
//! silently when another index can serve. So that every index is known, it is always written, and
//! created or dropped when the table's other keys change.

use std::collections::BTreeSet;

use super::flavor::{quote, quoted};
use crate::schema::{ForeignKey, Index, IndexTerm, Table};

/// The foreign keys of a table that no other key of it serves.
pub(super) fn without_index(table: &Table) -> impl Iterator<Item = &ForeignKey> {
    let mut own: Vec<&ForeignKey> = Vec::new();
    for foreign_key in &table.foreign_keys {
        let is_served = serves(table, &foreign_key.columns)
            || own.iter().any(|other| other.columns.starts_with(&foreign_key.columns));
        if !is_served {
            own.push(foreign_key);
        }
    }
    own.into_iter()
}

/// Whether a key of the table begins with these columns.
pub(super) fn serves(table: &Table, columns: &[String]) -> bool {
    let begins = |names: &[String]| names.starts_with(columns);
    let by_key = table.primary_key.as_ref().is_some_and(|key| begins(&key.columns));
    let by_unique = table.uniques.iter().any(|unique| begins(&unique.columns));
    by_key || by_unique || table.indexes.iter().any(|index| begins(&plain_columns(index)))
}

/// The columns at the beginning of an index that a foreign key can use.
fn plain_columns(index: &Index) -> Vec<String> {
    if super::index::special(index).is_some() {
        return Vec::new();
    }
    let columns = index.columns.iter().map(|key| match &key.term {
        IndexTerm::Column(name) if !key.descending && key.prefix.is_none() => Some(name.clone()),
        IndexTerm::Column(_) | IndexTerm::Expression(_) => None,
    });
    columns.map_while(|name| name).collect()
}

/// The clause of the index for a foreign key.
pub(super) fn own_index(foreign_key: &ForeignKey) -> String {
    format!("KEY {} ({})", quote(&foreign_key.name), quoted(&foreign_key.columns))
}

/// The names of the indexes that a table has only for its foreign keys.
pub(super) fn own_names(table: &Table) -> BTreeSet<String> {
    without_index(table).map(|foreign_key| foreign_key.name.clone()).collect()
}
