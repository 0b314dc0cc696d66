//! A part of `ALTER TABLE`, and a statement of several.

use std::collections::BTreeSet;

use super::class::Class;
use super::effect::Effect;

/// A part of `ALTER TABLE`.
pub(super) struct Clause {
    pub(super) sql: String,
    pub(super) class: Class,
    /// The names that it adds, changes or drops, or that have to be there.
    pub(super) names: Vec<String>,
    pub(super) effect: Effect,
}

impl Clause {
    pub(super) fn new(sql: String, class: Class, name: &str, effect: Effect) -> Clause {
        Clause { sql, class, names: vec![name.to_owned()], effect }
    }

    /// Adds names that the clause depends on.
    pub(super) fn with_names<'n>(mut self, names: impl IntoIterator<Item = &'n String>) -> Clause {
        self.names.extend(names.into_iter().cloned());
        self
    }
}

/// An `ALTER TABLE` to which later changes may be added.
pub(super) struct Alter {
    pub(super) table: String,
    pub(super) clauses: Vec<String>,
    pub(super) class: Class,
    pub(super) names: BTreeSet<String>,
    pub(super) effect: Effect,
    pub(super) reasons: Vec<String>,
}

/// The class of several changes that have to be in one statement.
pub(super) fn merged(classes: impl Iterator<Item = Class>) -> Option<Class> {
    classes.reduce(|a, b| {
        a.merged(b).unwrap_or(match (a, b) {
            (Class::Shared, _) | (_, Class::Shared) => Class::Shared,
            _ => Class::Open,
        })
    })
}
