//! Which columns a foreign key can refer to in SQLite (sqlite.org, `foreignkeys.html`, section 3).

use crate::dialect::Referable;
use crate::folding::Folding;
use crate::schema::{Index, IndexColumn, IndexTerm, Table};

/// The keys and indexes that make these columns of a table unique. SQLite creates any foreign key,
/// and then fails whenever it has to follow one to columns that aren't unique.
pub(super) fn referable(table: &Table, columns: &[String]) -> Referable {
    // Without columns, the foreign key refers to the primary key.
    let by_primary_key = table
        .primary_key
        .as_ref()
        .is_some_and(|key| columns.is_empty() || same_columns(&key.columns, columns));
    let uniques = table.uniques.iter().filter(|unique| same_columns(&unique.columns, columns));
    let indexes = table.indexes.iter().filter(|index| {
        let by_columns = columns_in_their_collations(table, index);
        let fits = by_columns.is_some_and(|indexed| same_columns(&indexed, columns));
        index.unique && index.filter.is_none() && fits
    });
    let uniques = uniques.map(|unique| &unique.name).chain(indexes.map(|index| &index.name));
    Referable { by_primary_key, uniques: uniques.cloned().collect() }
}

/// The columns of an index that compares each of them with the column's own collation.
fn columns_in_their_collations(table: &Table, index: &Index) -> Option<Vec<String>> {
    let column = |indexed: &IndexColumn| match &indexed.term {
        IndexTerm::Column(name) => {
            let column = table.find_column(name)?;
            let own = column.collation.as_deref().unwrap_or("BINARY");
            let used = indexed.collation.as_deref().unwrap_or(own);
            Folding::ASCII.same(used, own).then(|| name.clone())
        }
        IndexTerm::Expression(_) => None,
    };
    index.columns.iter().map(column).collect()
}

/// Whether both have the same columns, in any order.
fn same_columns(one: &[String], other: &[String]) -> bool {
    let holds = |name: &String| one.iter().any(|own| Folding::ASCII.same(own, name));
    one.len() == other.len() && other.iter().all(holds)
}
