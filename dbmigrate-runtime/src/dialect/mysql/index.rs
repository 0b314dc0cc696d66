//! What is special about an index.

use super::flavor::Flavor;
use super::types::{Storage, storage};
use crate::schema::{Index, IndexColumn, IndexTerm, Table};

/// The word for an index that finds words.
pub(super) const FULLTEXT: &str = "FULLTEXT ";
/// The word for an index that finds places.
pub(super) const SPATIAL: &str = "SPATIAL ";

/// The word for an index of a kind of its own.
pub(super) fn special(index: &Index) -> Option<&'static str> {
    let method = index.using.as_deref()?;
    [("fulltext", FULLTEXT), ("spatial", SPATIAL)]
        .into_iter()
        .find(|(name, _)| method.eq_ignore_ascii_case(name))
        .map(|(_, word)| word)
}

/// How much of a column's values an index contains; `None` if all, or as much as fits.
pub(super) fn prefix(flavor: Flavor, table: &Table, key: &IndexColumn) -> Option<u32> {
    let IndexTerm::Column(name) = &key.term else { return None };
    let length = table.find_column(name).map(|column| storage(flavor, &column.ty));
    key.prefix.filter(|prefix| match length {
        Some(Storage::Text(length) | Storage::Bytes(length)) => *prefix < length,
        _ => true,
    })
}
