//! Checks in the definition of a column, as MariaDB has them.
//!
//! They have no name by which they could be dropped: the column gets a definition without it.

use super::class::Class;
use super::clause::Clause;
use super::column::Definition;
use super::effect::Effect;
use super::flavor::quote;
use super::parse::ColumnPart;
use super::planner::Planner;
use crate::dialect::Refusal;
use crate::schema::{Check, Table};

impl Planner<'_> {
    /// Drops a check by its name.
    pub(super) fn drop_check(&self, table: &str, name: &str) -> Clause {
        let effect = Effect::Constraint(table.to_owned(), name.to_owned(), false);
        let sql = format!("DROP CONSTRAINT {}", quote(name));
        Clause::new(sql, Class::Instant, name, effect)
    }

    /// Drops a check of a column; `None` if the check is a constraint of the table.
    pub(super) fn drop_own_check(
        &mut self,
        idx: usize,
        after: &Table,
        check: &Check,
    ) -> Result<Option<Clause>, Refusal> {
        let Some(part) = self.column_with(&after.name, check) else { return Ok(None) };
        let column = part.name.clone();
        let own = match self.own(idx, &after.name, &column)? {
            Some(own) => own,
            // An earlier change has replaced the definition.
            None => match after.find_column(&column) {
                Some(column) => self.ddl(idx).definition(after, column)?,
                None => return Ok(None),
            },
        };
        let own = Definition { check: None, ..own };
        Ok(Some(self.modify_column(&after.name, &column, &own, Class::Instant)))
    }

    /// Whether a check is in the definition of this column.
    pub(super) fn has_own_check(&self, table: &str, column: &str, check: &Check) -> bool {
        let part = self.column_with(table, check);
        part.is_some_and(|part| part.name.eq_ignore_ascii_case(column))
    }

    /// The check in the definition of a column, if the table still has it.
    pub(super) fn own_check(&self, table: &Table, column: &str) -> Option<String> {
        let is_own = |check: &&Check| self.has_own_check(&table.name, column, check);
        table.checks.iter().find(is_own).map(|check| check.expression.to_string())
    }

    fn column_with(&self, table: &str, check: &Check) -> Option<&ColumnPart> {
        let parsed = self.existing(table)?;
        let is_it = |name: &str| name.eq_ignore_ascii_case(&check.name);
        if parsed.checks.iter().any(|constraint| is_it(&constraint.name)) {
            return None;
        }
        let lexicon = self.flavor.lexicon();
        let is_same = |own: &String| lexicon.same_expression(own, &check.expression);
        parsed.columns.iter().find(|part| part.definition.check.as_ref().is_some_and(is_same))
    }
}
