//! How a column's declared type affects the values that are stored in it.

use crate::schema::Column;

/// What a column does with values of other types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Affinity {
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
}

/// The affinity of a declared type (sqlite.org, `datatype3.html`, section 3.1).
pub(super) fn affinity(declared: &str) -> Affinity {
    let declared = declared.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    match () {
        () if has(&["INT"]) => Affinity::Integer,
        () if has(&["CHAR", "CLOB", "TEXT"]) => Affinity::Text,
        () if has(&["BLOB"]) || declared.is_empty() => Affinity::Blob,
        () if has(&["REAL", "FLOA", "DOUB"]) => Affinity::Real,
        () => Affinity::Numeric,
    }
}

/// What a column holds: its declared type for SQLite, and the column as readers see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored<'a> {
    pub declared: &'a str,
    pub column: &'a Column,
}

/// The type of a column before and after a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conversion<'a> {
    pub was: Stored<'a>,
    pub to: Stored<'a>,
    /// The version of SQLite.
    pub version: u32,
}
