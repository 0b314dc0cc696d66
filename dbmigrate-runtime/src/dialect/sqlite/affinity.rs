//! How a column's declared type affects the values that are stored in it.

use super::super::Facts;
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
    let is_in = |word: &&str| {
        let mut parts = declared.as_bytes().windows(word.len());
        parts.any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    let has = |words: &[&str]| words.iter().any(is_in);
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
    pub server: Server,
}

/// What SQLite can tell of values, as far as its versions differ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Server {
    pub version: u32,
    pub has_json: bool,
}

impl Server {
    pub(super) fn of(facts: &Facts) -> Server {
        Server { version: facts.version, has_json: facts.has_json }
    }
}

/// Most of SQLite's functions see the end of a text in the character 0, and readers don't.
pub(super) fn has_no_nul(c: &str) -> String {
    format!("instr({c}, char(0)) = 0")
}
