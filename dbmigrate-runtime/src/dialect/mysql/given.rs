//! The values that columns get from expressions, looked at before anything changes.

use super::constant;
use super::flavor::{closed, quote};
use super::guards::{self, Source};
use super::planner::Planner;
use crate::dialect::Guard;
use crate::schema::{Column, ForeignKey, Table};

/// The values that a column gets.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) column: &'a Column,
    pub(super) value: &'a str,
    /// The rows that get one, if not all.
    pub(super) condition: Option<&'a str>,
    pub(super) is_required: bool,
}

impl Planner<'_> {
    /// Looks at values, which have to be there, fit the type, be unique where they have to be, and
    /// refer to rows where they have to.
    pub(super) fn guard_given(&mut self, table: &Table, given: Given<'_>) {
        let Given { column, value, condition, is_required } = given;
        let name = &table.name;
        let whole = match condition {
            Some(condition) => replacing(&column.name, condition, value),
            None => value.to_owned(),
        };
        if is_required {
            self.guard_existing(name, guards::given(name, &column.name, value, condition));
        }
        let fitting = guards::given_fitting(self.flavor, (name, column), value, condition);
        let computed = || guards::computed(name, &column.name, value, condition);
        self.guard_existing(name, fitting.unwrap_or_else(computed));
        for (what, columns) in unique_keys(table) {
            if columns.contains(&column.name) {
                let guard = guards::given_unique(name, &what, &columns, (&column.name, &whole));
                self.guard_existing(name, guard);
            }
        }
        for key in table.foreign_keys.iter().filter(|key| key.columns.contains(&column.name)) {
            let source = |name: &String| {
                if *name == column.name { Source::Value(whole.clone()) } else { Source::Column }
            };
            let sources: Vec<_> = key.columns.iter().map(source).collect();
            let is_own = key.references_table == *name;
            if !is_own {
                let guard = guards::foreign_key_of(
                    name,
                    key,
                    &sources,
                    self.is_empty(&key.references_table),
                );
                self.guard_existing(name, guard);
            }
        }
    }

    /// What finds values that occur more than once in columns that have to be unique, before new
    /// ones of them are there; `None` if there can be none.
    pub(super) fn unique_guard(
        &self,
        table: &str,
        what: &str,
        columns: &[String],
    ) -> Option<Guard> {
        let mut terms = Vec::new();
        for name in columns {
            match self.new_values.get(&(table.to_owned(), name.clone())) {
                None => terms.push(quote(name)),
                // NULL is not equal to itself.
                Some(None) => return None,
                Some(Some(value)) if constant::is_one(self.flavor, value) => {}
                // A default may be another one for each row.
                Some(Some(_)) => return Some(guards::unique(table, what, columns)),
            }
        }
        Some(guards::unique_terms(table, what, &terms))
    }

    /// Whether a table has no rows, since this plan has created it.
    fn is_empty(&self, table: &str) -> bool {
        self.created.contains(table) && !self.has_changed_rows
    }

    /// What finds rows that a new foreign key doesn't allow, before its own columns are there;
    /// `None` if there can be none.
    pub(super) fn key_guard(&self, table: &str, key: &ForeignKey) -> Option<Guard> {
        let target = &key.references_table;
        let source = |name: &String| {
            let value = self.new_values.get(&(table.to_owned(), name.clone()));
            value.map_or(Source::Column, |value| match value {
                Some(value) => Source::Value(value.clone()),
                None => Source::Null,
            })
        };
        let sources: Vec<_> = key.columns.iter().map(source).collect();
        if sources.contains(&Source::Null) {
            return None;
        }
        let is_new = |name: &String| self.new_values.contains_key(&(target.clone(), name.clone()));
        if target == table && key.references_columns.iter().any(is_new) {
            return Some(guards::foreign_key(table, key));
        }
        Some(guards::foreign_key_of(table, key, &sources, target != table && self.is_empty(target)))
    }
}

/// What all rows get if those that meet a condition get a value, and the others keep theirs.
pub(super) fn replacing(column: &str, condition: &str, value: &str) -> String {
    format!("CASE WHEN {condition} THEN ({}) ELSE {} END", closed(value), quote(column))
}

/// The unique keys of a table, with their names for messages.
fn unique_keys(table: &Table) -> Vec<(String, Vec<String>)> {
    let mut keys = Vec::new();
    if let Some(key) = &table.primary_key {
        keys.push((format!("primary key `{}`", key.name), key.columns.clone()));
    }
    for unique in &table.uniques {
        keys.push((format!("unique constraint `{}`", unique.name), unique.columns.clone()));
    }
    for index in table.indexes.iter().filter(|index| index.unique) {
        let columns = super::size::columns_of(index);
        if columns.len() == index.columns.len() {
            let columns = columns.into_iter().cloned().collect();
            keys.push((format!("index `{}`", index.name), columns));
        }
    }
    keys
}
