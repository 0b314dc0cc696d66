//! Operations that have to run earlier or later than they are written, and constraints that are
//! renamed where they would be dropped and added again.

use super::planner::Planner;
use super::{aside, cost, ddl, guards};
use crate::dialect::{POSTGRES, Refusal, Work};
use crate::operations::Operation;
use crate::schema::Table;
use crate::sql::quote;

impl Planner<'_> {
    /// Whether the expression of an operation names a column that a later operation adds.
    pub(super) fn waits_for_column(&self, idx: usize) -> bool {
        let (table, expressions) = match &self.operations[idx] {
            Operation::AddCheck { table, check } => (table, vec![check.expression.as_str()]),
            Operation::CreateIndex { table, index } => (table, aside::expressions(index).collect()),
            Operation::AddColumn { table, column, .. } => {
                (table, column.generated.iter().map(|own| own.expression.as_str()).collect())
            }
            _ => return false,
        };
        let Some(now) = self.schema.table(table) else { return false };
        let is_named = |name: &str| {
            expressions.iter().any(|expression| POSTGRES.names_column(expression, name))
        };
        !expressions.is_empty()
            && self.later(idx).any(|(_, operation)| {
                matches!(operation, Operation::AddColumn { table: other, column, .. }
                    if other == table
                        && now.find_column(&column.name).is_none()
                        && is_named(&column.name))
            })
    }

    pub(super) fn take_postponed(&mut self) -> Result<(), Refusal> {
        for idx in std::mem::take(&mut self.postponed) {
            if self.waits_for_column(idx) {
                self.postponed.push(idx);
            } else if !self.done.contains(&idx) {
                self.operation(idx, None)?;
            }
        }
        Ok(())
    }

    pub(super) fn drop_column(
        &mut self,
        idx: usize,
        before: &Table,
        table: &str,
        column: &str,
    ) -> Result<(), Refusal> {
        self.free_of_expressions(idx, before, column)?;
        self.take_views_down(idx, (table, column), true)?;
        self.drop_values_of(idx, before, column);
        if self.may_have_rows(table) {
            self.guard(guards::unused(table, column));
        }
        self.alter(idx, table, &format!("DROP COLUMN {}", quote(column)), Work::None);
        if self.generating(before).as_deref() == Some(column) {
            self.generating.insert(table.to_owned(), None);
        }
        Ok(())
    }

    pub(super) fn drop_check(
        &mut self,
        idx: usize,
        before: Option<&Table>,
        table: &str,
        name: &str,
    ) {
        let check = before.and_then(|table| table.checks.iter().find(|check| check.name == *name));
        let again = self.later(idx).find_map(|(later, operation)| match operation {
            Operation::AddCheck { table: other, check: new }
                if other == table && check.is_some_and(|was| was.expression == new.expression) =>
            {
                Some((later, new.name.as_str()))
            }
            _ => None,
        });
        self.drop_constraint_or_rename(idx, table, name, again);
    }

    /// Drops a constraint, or only renames it if a later operation adds the same one again.
    pub(super) fn drop_constraint_or_rename(
        &mut self,
        idx: usize,
        table: &str,
        name: &str,
        again: Option<(usize, &str)>,
    ) -> bool {
        let is_between = |operation: &Operation| {
            matches!(operation, Operation::RenameColumn { table: other, .. }
                | Operation::RenameTable { from: other, .. } if other == table)
        };
        let again =
            again.filter(|(later, _)| !self.operations[idx + 1..*later].iter().any(is_between));
        match again {
            Some((later, new)) => {
                self.done.insert(later);
                let name = &self.taken_name(table, name);
                if new != name {
                    let rename = format!("RENAME CONSTRAINT {} TO {}", quote(name), quote(new));
                    self.alter(idx, table, &rename, Work::None);
                }
                true
            }
            None => {
                let name = &self.taken_name(table, name);
                self.alter(idx, table, &format!("DROP CONSTRAINT {}", quote(name)), Work::None);
                false
            }
        }
    }

    /// Drops what is over a column, if later operations drop it anyway: the database would drop
    /// some of it without a word, and refuse to drop the rest.
    pub(super) fn free_of_expressions(
        &mut self,
        idx: usize,
        before: &Table,
        column: &str,
    ) -> Result<(), Refusal> {
        let names = |text: &str| POSTGRES.names_column(text, column);
        let table = before.name.as_str();
        for check in before.checks.iter().filter(|check| names(&check.expression)) {
            let drop = self.later(idx).find(|(_, operation)| {
                matches!(operation, Operation::DropCheck { table: other, name }
                    if other == table && *name == check.name)
            });
            self.drop_first(idx, drop, table, ("check", &check.name))?;
        }
        for index in &before.indexes {
            if !aside::expressions(index).any(names) {
                continue;
            }
            let drop = self.later(idx).find(|(_, operation)| {
                matches!(operation, Operation::DropIndex { table: other, name }
                    if other == table && *name == index.name)
            });
            self.drop_first(idx, drop, table, ("index", &index.name))?;
        }
        for other in &before.columns {
            let Some(generated) = &other.generated else { continue };
            if other.name == column || !names(&generated.expression) {
                continue;
            }
            let drop = self.later(idx).find(|(_, operation)| {
                matches!(operation, Operation::DropColumn { table: of, column }
                    if of == table && *column == other.name)
            });
            self.drop_first(idx, drop, table, ("column", &other.name))?;
        }
        Ok(())
    }

    /// Does a later operation that drops something now, or refuses if there is none.
    pub(super) fn drop_first(
        &mut self,
        idx: usize,
        drop: Option<(usize, &Operation)>,
        table: &str,
        (kind, name): (&str, &str),
    ) -> Result<(), Refusal> {
        let Some((later, operation)) = drop else {
            let hint = match kind {
                "index" => {
                    "drop the index first, in the same revision: with `op.drop_index`, or with \
                     `op.execute` if no revision created it"
                }
                "check" => "drop the check in the same revision",
                _ => "drop or change that column in the same revision",
            };
            return Err(self.ddl(idx).refuse(&format!("{kind} `{name}` uses it"), hint));
        };
        self.done.insert(later);
        match operation {
            Operation::DropCheck { name, .. } => {
                self.absent.insert((table.to_owned(), name.clone()));
                let drop = format!("DROP CONSTRAINT {}", quote(&self.taken_name(table, name)));
                self.alter(later, table, &drop, Work::None);
            }
            Operation::DropIndex { name, .. } => {
                self.absent.insert((table.to_owned(), name.clone()));
                let Some(own) = self.schema.table(table) else { return Ok(()) };
                let sql = ddl::drop_index(own, name);
                self.push(later, sql, Some(cost::alter(table, Work::None)));
            }
            Operation::DropColumn { column, .. } => {
                self.take_views_down(later, (table, column), true)?;
                let drop = format!("DROP COLUMN {}", quote(column));
                self.alter(later, table, &drop, Work::None);
            }
            _ => {}
        }
        Ok(())
    }

    /// The name in the database of a constraint that is dropped or renamed.
    pub(super) fn taken_name(&mut self, table: &str, name: &str) -> String {
        let own = self.other_names.remove(&(table.to_owned(), name.to_owned()));
        own.unwrap_or_else(|| name.to_owned())
    }
}
