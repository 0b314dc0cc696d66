//! The constraint that an operation drops.

use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{Check, ForeignKey, Table, Unique};

/// A constraint that an operation can drop.
pub enum Constraint<'a> {
    ForeignKey(&'a ForeignKey),
    Unique(&'a Unique),
    Check(&'a Check),
}

impl<'a> Constraint<'a> {
    /// The constraint that an operation drops from its table, as the table is before it.
    pub fn dropped(drop: &Operation, table: &'a Table) -> Option<Constraint<'a>> {
        match drop {
            Operation::DropForeignKey { name, .. } => {
                let key = table.foreign_keys.iter().find(|key| key.name == *name);
                key.map(Constraint::ForeignKey)
            }
            Operation::DropUnique { name, .. } => {
                let unique = table.uniques.iter().find(|unique| unique.name == *name);
                unique.map(Constraint::Unique)
            }
            Operation::DropCheck { name, .. } => {
                let check = table.checks.iter().find(|check| check.name == *name);
                check.map(Constraint::Check)
            }
            _ => None,
        }
    }

    /// Whether it is about a column, given whether an expression mentions the column.
    pub fn has_column(&self, column: &String, mentions: impl Fn(&str, &str) -> bool) -> bool {
        match self {
            Constraint::ForeignKey(key) => key.columns.contains(column),
            Constraint::Unique(unique) => unique.columns.contains(column),
            Constraint::Check(check) => mentions(&check.expression, column),
        }
    }
}
