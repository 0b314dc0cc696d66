//! What one database reads alike, as plain data.

use crate::folding::Folding;
use crate::sql::Lexicon;

/// How a database tells tables, columns and constraints apart. What compares two tables takes it
/// along, so it needs neither the database nor its dialect.
#[derive(Debug, Clone, Copy)]
pub struct Comparing {
    /// When two names are the same.
    pub folding: Folding,
    /// How expressions are read.
    pub lexicon: &'static Lexicon,
    /// Whether a check that is the same but for its name differs. Where a database knows checks
    /// by their conditions, their names are a matter of taste.
    pub names_checks: bool,
    /// A default's SQL in one of the ways to write it, for comparing alone.
    pub default: fn(&str) -> String,
}
