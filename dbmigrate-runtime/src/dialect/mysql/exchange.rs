//! Columns that take the place of others.

use super::alter::{Altered, primary_key};
use super::class::{self, Class};
use super::clause::Clause;
use super::column::Definition;
use super::effect::Effect;
use super::flavor::quote;
use super::limits::Limits;
use super::planner::Planner;
use super::text_enum;
use crate::dialect::Refusal;
use crate::schema::{Column, IndexTerm, Table, naming};

impl Planner<'_> {
    /// Gives a column another definition and other values at once: a new column takes its place.
    pub(super) fn swap(
        &mut self,
        idx: usize,
        altered: &Altered<'_>,
        value: &str,
    ) -> Result<(), Refusal> {
        let Altered { after, to, into, target, .. } = altered;
        let table = &after.name;
        let scratch = naming::limited(format!("dbmigrate_new_{}", to.name));
        let bare = Definition {
            nullable: true,
            default: None,
            on_update: None,
            auto_increment: false,
            comment: None,
            invisible: false,
            check: None,
            ..target.clone()
        };
        // Both columns are there for a while.
        let mut both = (*after).clone();
        both.columns.push(Column { name: scratch.clone(), ..(*to).clone() });
        self.ddl(idx).has_room(&both)?;
        self.set_keys_aside(idx, table, &to.name);
        let sql = format!("ADD COLUMN {} {}", quote(&scratch), bare.sql());
        let effect = Effect::Column(table.clone(), scratch.clone(), true);
        let class = class::add_column(self.flavor, self.facts, &bare, true);
        let class = self.limits_of(altered).of_column(self.flavor, class, false);
        self.alter(idx, table, vec![Clause::new(sql, class, &scratch, effect)]);
        self.update(idx, (after, &scratch), value, None)?;
        let definition = Definition { nullable: into.nullable, ..target.clone() };
        self.set_own(table, &to.name, &definition);
        let sql = format!(
            "CHANGE COLUMN {} {} {}{}",
            quote(&scratch),
            quote(&to.name),
            definition.sql(),
            place_or_last(after, &to.name)
        );
        let effect = Effect::Column(table.clone(), scratch.clone(), false);
        let change = Clause::new(sql, self.exchange_class(altered, &definition), &scratch, effect);
        self.exchange(idx, altered, change)
    }

    /// Replaces a column by a generated one.
    pub(super) fn replace(&mut self, idx: usize, altered: &Altered<'_>) -> Result<(), Refusal> {
        let Altered { after, to, target, .. } = altered;
        let sql = format!(
            "ADD COLUMN {} {}{}",
            quote(&to.name),
            target.sql(),
            place_or_last(after, &to.name)
        );
        self.set_own(&after.name, &to.name, target);
        let class = self.exchange_class(altered, target);
        let add = Clause::new(sql, class, &to.name, Effect::Unseen);
        self.exchange(idx, altered, add)
    }

    /// What the table has before the exchange and after it.
    fn limits_of(&self, altered: &Altered<'_>) -> Limits {
        let mut limits = self.limits(&altered.after.name);
        limits.extend(Limits::of(self.flavor, altered.before));
        limits
    }

    /// The class of a column that takes the place of the altered one.
    fn exchange_class(&self, altered: &Altered<'_>, to: &Definition) -> Class {
        let class = class::exchange(self.flavor, self.facts, &altered.own, to);
        let limits = self.limits_of(altered);
        limits.of_rebuild(self.flavor, limits.of_column(self.flavor, class, false))
    }

    /// Drops a column and puts another one in its place, in one statement, with all that uses it.
    fn exchange(
        &mut self,
        idx: usize,
        altered: &Altered<'_>,
        mut change: Clause,
    ) -> Result<(), Refusal> {
        let Altered { before, after, to, .. } = altered;
        let (table, column) = (&after.name, &to.name);
        let ddl = self.ddl(idx);
        let mut down = Vec::new();
        let mut up = Vec::new();
        let clause = |sql: String, name: &str, class| Clause::new(sql, class, name, Effect::Unseen);
        for unique in before.uniques.iter().filter(|unique| unique.columns.contains(column)) {
            down.push(self.set_index_aside(idx, table, &unique.name)?);
            let class = self.unique_class(after, &unique.columns);
            up.push(clause(format!("ADD {}", ddl.unique(after, unique)?), &unique.name, class));
        }
        let names = |index: &crate::schema::Index| {
            index.columns.iter().any(|key| match &key.term {
                IndexTerm::Column(name) => name == column,
                IndexTerm::Expression(expression) => {
                    self.flavor.lexicon().mentions(expression, column)
                }
            })
        };
        let indexes: Vec<_> = before.indexes.iter().filter(|index| names(index)).collect();
        for index in indexes {
            down.push(self.set_index_aside(idx, table, &index.name)?);
            let class = self.index_again_class(after, index);
            up.push(clause(format!("ADD {}", ddl.index(after, index)?), &index.name, class));
        }
        for key in super::keys::without_index(after) {
            if key.columns.contains(column) {
                down.push(self.drop_index(table, &key.name));
                let add = format!("ADD {}", super::keys::own_index(key));
                up.push(clause(add, &key.name, Class::NoCopy));
            }
        }
        let mut checks = before.checks.clone();
        checks.extend(text_enum::checks(before));
        checks.retain(|check| self.names(&check.expression, column));
        let mut new = after.checks.clone();
        new.extend(text_enum::checks(after));
        for check in &checks {
            if self.has_own_check(table, column, check) {
                continue;
            }
            down.push(match self.drop_own_check(idx, after, check)? {
                Some(own) => own,
                None => self.set_check_aside(idx, table, &check.name)?,
            });
        }
        for check in new.iter().filter(|check| self.names(&check.expression, column)) {
            let add = format!("ADD {}", super::ddl::check(check));
            up.push(clause(add, &check.name, Class::Copy));
        }
        let in_key = before.primary_key.as_ref().filter(|key| key.columns.contains(column));
        if in_key.is_some() {
            down.push(clause("DROP PRIMARY KEY".to_owned(), "PRIMARY", Class::Open));
            up.insert(0, primary_key(table, after, Class::Open));
        }
        // What is computed from the column can't be without it.
        for other in before.columns.iter().filter(|other| other.name != *column) {
            let Some(generated) = &other.generated else { continue };
            if !self.names(&generated.expression, column) {
                continue;
            }
            let Some(is) = after.find_column(&other.name) else { continue };
            up.push(self.recomputed(idx, [before, after], [other, is])?);
        }
        if !(down.is_empty() && up.is_empty()) {
            let class = change.class.max(Class::Rebuild);
            change.class = self.limits_of(altered).of_rebuild(self.flavor, class);
        }
        let mut clauses = down;
        clauses.push(clause(format!("DROP COLUMN {}", quote(column)), column, Class::Instant));
        clauses.push(change);
        clauses.extend(up);
        self.flush();
        self.alter(idx, table, clauses);
        self.flush();
        Ok(())
    }
}

/// Where a column is, after others were dropped and added.
fn place_or_last(table: &Table, column: &str) -> String {
    let position = table.columns.iter().position(|other| other.name == column);
    match position {
        Some(0) => " FIRST".to_owned(),
        Some(at) => format!(" AFTER {}", quote(&table.columns[at - 1].name)),
        None => String::new(),
    }
}
