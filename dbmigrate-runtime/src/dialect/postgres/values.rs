//! The checks of enumerations that are texts: added, dropped and renamed with their columns.

use super::planner::Planner;
use super::text_enum::check_of;
use crate::dialect::{Refusal, Work};
use crate::operations::ColumnChange;
use crate::schema::{Column, Table};
use crate::sql::quote;

impl Planner<'_> {
    /// Changes a column, and its check where that becomes another one.
    pub(super) fn alter_with_values(
        &mut self,
        idx: usize,
        table: &Table,
        was: &Column,
        change: &ColumnChange,
    ) -> Result<(), Refusal> {
        let mut to = was.clone();
        change.apply(&mut to);
        let (old, new) = (check_of(&table.name, was), check_of(&table.name, &to));
        // With a column that is replaced goes its check.
        let stays = old == new && was.generated == to.generated;
        if let Some(old) = old.filter(|_| !stays) {
            let name = self.taken_name(&table.name, &old.name);
            let drop = format!("DROP CONSTRAINT {}", quote(&name));
            self.alter(idx, &table.name, &drop, Work::None);
        }
        self.alter_column(idx, table, was, change)?;
        if let Some(new) = new.filter(|_| !stays) {
            self.add_check(idx, &table.name, &new);
        }
        Ok(())
    }

    /// Adds the check of a new column.
    pub(super) fn add_values_of(&mut self, idx: usize, table: &str, column: &Column) {
        if let Some(check) = check_of(table, column) {
            self.add_check(idx, table, &check);
        }
    }

    /// Drops the check of a column that is dropped. It would go along with the column, but then it
    /// couldn't be told from those that others have added.
    pub(super) fn drop_values_of(&mut self, idx: usize, table: &Table, column: &str) {
        let column = table.find_column(column);
        if let Some(check) = column.and_then(|column| check_of(&table.name, column)) {
            let name = self.taken_name(&table.name, &check.name);
            let drop = format!("DROP CONSTRAINT {}", quote(&name));
            self.alter(idx, &table.name, &drop, Work::None);
        }
    }

    /// Has the checks of a table's columns follow the new names of the table and its columns.
    /// `before` is the table with its earlier names.
    pub(super) fn rename_values(&mut self, idx: usize, before: Option<&Table>, table: &str) {
        let Some(before) = before else { return };
        let Some(after) = self.schema.table(table).cloned() else { return };
        for (was, now) in before.columns.iter().zip(&after.columns) {
            let (old, new) = (check_of(&before.name, was), check_of(table, now));
            if let (Some(old), Some(new)) = (old, new) {
                if old.name != new.name {
                    let (old, new) = (quote(&old.name), quote(&new.name));
                    let rename = format!("RENAME CONSTRAINT {old} TO {new}");
                    self.alter(idx, table, &rename, Work::None);
                }
            }
        }
    }
}
