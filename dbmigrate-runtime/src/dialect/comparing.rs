//! Which spellings a database treats as equal, as plain data.

use crate::folding::Folding;
use crate::schema::Type;
use crate::sql::Lexicon;

/// How a database tells tables, columns and constraints apart. Comparing two tables needs only this
/// value, and neither the database nor its dialect.
#[derive(Debug, Clone, Copy)]
pub struct Comparing {
    /// When two names are the same.
    pub folding: Folding,
    /// The lexical rules for expressions.
    pub lexicon: &'static Lexicon,
    /// Whether checks that only differ in name are different. If a database identifies checks by
    /// their conditions, their names don't matter.
    pub names_checks: bool,
    /// Whether primary keys that only differ in name are different.
    pub names_primary_keys: bool,
    /// Whether no two tables of a schema can have an index of the same name.
    pub shares_index_names: bool,
    /// Whether the database keeps definitions to the letter.
    pub keeps_definitions: bool,
    /// Whether the time that models mean by `now` is the session's for every type.
    pub now_is_sessions: bool,
    /// Whether the database keeps comments.
    pub keeps_comments: bool,
    /// A type in the database's terms, for comparing and for messages.
    pub ty: fn(&Type) -> String,
    /// What a column is that generates its values, in messages.
    pub generates: &'static str,
    /// Normalises the SQL of a default, only for comparing.
    pub default: fn(&str) -> String,
}
