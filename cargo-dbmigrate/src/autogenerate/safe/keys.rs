//! Divides what depends on other parts of a difference: foreign keys on what makes their columns
//! unique, and unique columns on their being dropped.

use std::collections::BTreeSet;

use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{ForeignKey, IndexTerm, Table};

use super::constraint::Constraint;
use super::{Divider, Phase};

/// An index or a unique constraint that is dropped.
struct Dropped {
    /// What it is, in words, if it is unique.
    unique: Option<&'static str>,
    nulls_not_distinct: bool,
    columns: Vec<String>,
    expressions: Vec<String>,
}

impl Divider<'_> {
    /// A new table. Its foreign keys keep their order, so those after a late one are late as well.
    pub(super) fn create_table(&mut self, table: &Table) {
        let mut table = table.clone();
        let late = table.foreign_keys.iter().position(|key| self.is_late(&table.name, key));
        let late = table.foreign_keys.split_off(late.unwrap_or(table.foreign_keys.len()));
        let add = |foreign_key| Operation::AddForeignKey { table: table.name.clone(), foreign_key };
        self.late.extend(late.into_iter().map(add));
        self.push(Phase::Expand, Operation::CreateTable(table), None);
    }

    /// Whether a foreign key of a new table needs a key that is only added later, or follows such a
    /// foreign key.
    pub(super) fn is_late(&self, table: &str, foreign_key: &ForeignKey) -> bool {
        let is_of_table = |late: &Operation| match late {
            Operation::AddForeignKey { table: of, .. } => of == table,
            _ => false,
        };
        let follows_late = self.late.iter().any(is_of_table);
        self.new.contains(table) && (follows_late || self.becomes_key(foreign_key))
    }

    pub(super) fn add_late_keys(&mut self) {
        for operation in std::mem::take(&mut self.late) {
            let about = match &operation {
                Operation::AddForeignKey { foreign_key, .. } => {
                    Some(format!("`{}`", foreign_key.name))
                }
                _ => None,
            };
            self.push(Phase::Require, operation, about);
        }
    }

    /// Whether the difference makes the columns unique that a foreign key refers to.
    fn becomes_key(&self, foreign_key: &ForeignKey) -> bool {
        let ForeignKey { references_table, references_columns, .. } = foreign_key;
        let wanted: BTreeSet<&str> = references_columns.iter().map(String::as_str).collect();
        let is_key = |operation: &Operation| {
            let (table, columns): (_, BTreeSet<&str>) = match operation {
                Operation::AddUnique { table, unique } => {
                    (table, unique.columns.iter().map(String::as_str).collect())
                }
                Operation::AddPrimaryKey { table, primary_key } => {
                    (table, primary_key.columns.iter().map(String::as_str).collect())
                }
                Operation::CreateIndex { table, index } if index.unique => {
                    let columns = index.columns.iter().map(|column| match &column.term {
                        IndexTerm::Column(name) => name.as_str(),
                        IndexTerm::Expression(_) => "",
                    });
                    (table, columns.collect())
                }
                _ => return false,
            };
            table == references_table && columns == wanted
        };
        !self.new.contains(references_table) && self.operations.iter().any(is_key)
    }

    /// Whether an operation drops a constraint with a column that the difference drops as well.
    pub(super) fn loses_column(&self, drop: &Operation) -> bool {
        let own = drop.tables().first().and_then(|table| self.schema.table(table));
        let dropped = own.and_then(|own| Some((own, Constraint::dropped(drop, own)?)));
        let Some((own, constraint)) = dropped else { return false };
        let mentions = |text: &str, name: &str| self.mentions(text, name);
        self.operations.iter().any(|operation| match operation {
            Operation::DropColumn { table, column } if *table == own.name => {
                constraint.has_column(column, mentions)
            }
            _ => false,
        })
    }

    /// When an index or a unique constraint is dropped. If one of its columns is dropped too, only
    /// the previous release uses it. A unique one can only stay until then if the next release
    /// leaves such a column NULL, since no row with NULL is a duplicate.
    pub(super) fn phase_of_drop(&mut self, table: &str, name: &str) -> Phase {
        let Some(dropped) = self.dropped(table, name) else { return Phase::Expand };
        let Dropped { unique, nulls_not_distinct, columns, expressions } = &dropped;
        let gone: Vec<String> = (self.operations.iter())
            .filter_map(|operation| match operation {
                Operation::DropColumn { table: of, column } if of == table => Some(column.clone()),
                _ => None,
            })
            .collect();
        let mut gone_columns = columns.iter().filter(|column| gone.contains(column)).peekable();
        let is_mentioned =
            |column: &String| expressions.iter().any(|text| self.mentions(text, column));
        if gone_columns.peek().is_none() && !gone.iter().any(is_mentioned) {
            return Phase::Expand;
        }
        let is_left_null = gone_columns.any(|column| self.is_left_null(table, column));
        let can_stay = unique.is_none() || (is_left_null && !nulls_not_distinct);
        if can_stay && !self.is_created_again(name) {
            return Phase::Contract;
        }
        if let Some(what) = unique {
            self.unsafe_changes.push(format!("{what} `{name}` of `{table}` is dropped"));
        }
        Phase::Expand
    }

    fn dropped(&self, table: &str, name: &str) -> Option<Dropped> {
        let table = self.schema.table(table)?;
        if let Some(unique) = table.uniques.iter().find(|unique| unique.name == name) {
            return Some(Dropped {
                unique: Some("unique constraint"),
                nulls_not_distinct: unique.nulls_not_distinct,
                columns: unique.columns.clone(),
                expressions: Vec::new(),
            });
        }
        let index = table.find_index(name)?;
        let mut dropped = Dropped {
            unique: index.unique.then_some("unique index"),
            nulls_not_distinct: index.nulls_not_distinct,
            columns: Vec::new(),
            expressions: Vec::new(),
        };
        for column in &index.columns {
            match &column.term {
                IndexTerm::Column(name) => dropped.columns.push(name.clone()),
                IndexTerm::Expression(sql) => {
                    dropped.expressions.extend(sql.texts().map(str::to_owned));
                }
            }
        }
        Some(dropped)
    }

    /// Whether the name is needed again for another index or unique constraint.
    fn is_created_again(&self, name: &str) -> bool {
        self.operations.iter().any(|operation| match operation {
            Operation::CreateIndex { index, .. } => index.name == name,
            Operation::RenameIndex { to, .. } => to == name,
            Operation::AddUnique { unique, .. } => unique.name == name,
            _ => false,
        })
    }

    /// Whether rows of the next release have NULL in a column that is dropped, which they don't
    /// write.
    pub(super) fn is_left_null(&self, table: &str, column: &str) -> bool {
        let Some(table) = self.schema.table(table) else { return false };
        let key = table.primary_key.iter().flat_map(|key| &key.columns);
        let is_of_key = key.into_iter().any(|of_key| of_key == column);
        let Some(column) = table.find_column(column) else { return false };
        let has_value = column.default.is_some()
            || column.generated.is_some()
            || column.identity.is_some()
            || column.autoincrement.is_some();
        !has_value && !is_of_key
    }
}
