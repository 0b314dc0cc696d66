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
    /// The columns that it needs, which may be new in the same statement.
    pub(super) needs: Vec<String>,
    /// Whether it adds a column of its name.
    pub(super) is_new_column: bool,
    pub(super) effect: Effect,
}

impl Clause {
    pub(super) fn new(sql: String, class: Class, name: &str, effect: Effect) -> Clause {
        let names = vec![name.to_owned()];
        Clause { sql, class, names, needs: Vec::new(), is_new_column: false, effect }
    }

    /// Adds columns that the clause needs.
    pub(super) fn with_needs<'n>(mut self, needs: impl IntoIterator<Item = &'n String>) -> Clause {
        self.needs.extend(needs.into_iter().cloned());
        self
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
    pub(super) clauses: Vec<Clause>,
    pub(super) class: Class,
    pub(super) names: BTreeSet<String>,
    /// The columns that are new in it.
    pub(super) new_columns: BTreeSet<String>,
    pub(super) reasons: Vec<Reason>,
}

/// A change that a statement makes.
pub(super) struct Reason {
    pub(super) text: String,
    /// The operation that it is a part of, in words.
    pub(super) operation: String,
    pub(super) class: Class,
}

impl Alter {
    /// What tells that the whole statement has run.
    ///
    /// What one clause drops and another one adds again is there before and after.
    pub(super) fn effect(&self) -> Effect {
        let is_lasting = |clause: &&Clause| {
            let Some((name, is_there)) = clause.effect.subject() else { return false };
            let is_reversed = |other: &Clause| {
                let same = other.effect.subject() == Some((name, is_there));
                !same && other.names.iter().any(|named| named.eq_ignore_ascii_case(name))
            };
            !self.clauses.iter().any(is_reversed)
        };
        let lasting = self.clauses.iter().find(is_lasting);
        lasting.map_or(Effect::Unseen, |clause| clause.effect.clone())
    }
}

/// The class of several changes that have to be in one statement.
pub(super) fn merged(classes: impl Iterator<Item = Class>) -> Option<Class> {
    classes.reduce(|a, b| {
        a.merged(b).unwrap_or(match a.max(b) {
            class @ (Class::NoCopy | Class::Shared) if a.min(b) != Class::Virtual => class,
            _ => Class::Open,
        })
    })
}
