//! Operations that reverse other operations.

use std::fmt;

use super::{ColumnChange, Operation, TableChange};
use crate::schema::{Column, Schema, Table};

/// An operation that can't be reversed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Irreversible {
    operation: String,
    why: String,
}

impl Irreversible {
    /// A description of the operation.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Why it can't be reversed.
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl fmt::Display for Irreversible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot undo `{}`: {}", self.operation, self.why)
    }
}

impl std::error::Error for Irreversible {}

/// The operations that reverse `operations`, given the schema before them. Rows that are inserted
/// into a table that the operations create are dropped with the table.
///
/// # Errors
///
/// When an operation can't be reversed, or doesn't fit the schema that it is applied to.
pub fn reverse_all(
    operations: &[Operation],
    before: &Schema,
) -> Result<Vec<Operation>, Irreversible> {
    let mut schema = before.clone();
    let mut reversed = Vec::new();
    let renames =
        operations.iter().any(|operation| matches!(operation, Operation::RenameTable { .. }));
    for operation in operations {
        match operation {
            // The table is new, so its rows are dropped with it.
            Operation::BulkInsert { table, .. } if before.table(table).is_none() && !renames => {}
            other => reversed.push(other.reverse(&schema)?),
        }
        operation.apply(&mut schema).map_err(|err| operation.irreversible(&err.to_string()))?;
    }
    Ok(reversed.into_iter().rev().flatten().collect())
}

impl Operation {
    /// The operations that reverse this one, given the schema before it, from which the definitions
    /// of dropped objects are taken.
    ///
    /// # Errors
    ///
    /// No reverse can be derived for raw SQL that doesn't declare one, for inserted rows, and for
    /// steps.
    pub fn reverse(&self, before: &Schema) -> Result<Vec<Operation>, Irreversible> {
        let gone = || self.irreversible("the schema before it has no such object");
        let reversed = match self {
            Operation::CreateTable(table) => Operation::DropTable { table: table.name.clone() },
            Operation::DropTable { table } => {
                return Ok(recreate(before.table(table).ok_or_else(gone)?));
            }
            Operation::RenameTable { from, to } => {
                Operation::RenameTable { from: to.clone(), to: from.clone() }
            }
            Operation::AlterTable { table, change } => {
                let was = before.table(table).ok_or_else(gone)?;
                let change = TableChange {
                    options: (change.options.keys())
                        .map(|option| (*option, was.has(*option)))
                        .collect(),
                    with: change.with.as_ref().map(|_| was.with.clone()),
                    tablespace: change.tablespace.as_ref().map(|_| was.tablespace.clone()),
                    engine: change.engine.as_ref().map(|_| was.engine.clone()),
                    charset: change.charset.as_ref().map(|_| was.charset.clone()),
                    collation: change.collation.as_ref().map(|_| was.collation.clone()),
                    comment: change.comment.as_ref().map(|_| was.comment.clone()),
                };
                Operation::AlterTable { table: table.clone(), change }
            }
            Operation::AddColumn { table, column, .. } => {
                Operation::DropColumn { table: table.clone(), column: column.name.clone() }
            }
            Operation::DropColumn { table, column } => {
                let columns = before.table(table).map_or(&[][..], |table| &table.columns);
                let was = columns
                    .iter()
                    .position(|candidate| candidate.name == *column)
                    .ok_or_else(gone)?;
                let next = columns.get(was + 1).map(|column| column.name.clone());
                let (table, column) = (table.clone(), columns[was].clone());
                Operation::AddColumn { table, column, using: None, before: next }
            }
            Operation::AlterColumn { table, column, change } => {
                let was = before.table(table).and_then(|table| table.find_column(column));
                let change = change.reverse(was.ok_or_else(gone)?);
                Operation::AlterColumn { table: table.clone(), column: column.clone(), change }
            }
            Operation::RenameColumn { table, from, to } => {
                Operation::RenameColumn { table: table.clone(), from: to.clone(), to: from.clone() }
            }
            Operation::AddPrimaryKey { table, primary_key } => {
                Operation::DropPrimaryKey { table: table.clone(), name: primary_key.name.clone() }
            }
            Operation::DropPrimaryKey { table, name } => {
                let was = before.table(table).and_then(|table| table.primary_key.as_ref());
                let primary_key =
                    was.filter(|primary_key| primary_key.name == *name).ok_or_else(gone)?.clone();
                Operation::AddPrimaryKey { table: table.clone(), primary_key }
            }
            Operation::AddUnique { table, unique } => {
                Operation::DropUnique { table: table.clone(), name: unique.name.clone() }
            }
            Operation::DropUnique { table, name } => {
                let was = before.table(table).map(|table| table.uniques.iter());
                let was = was.and_then(|mut uniques| uniques.find(|unique| unique.name == *name));
                let unique = was.ok_or_else(gone)?.clone();
                Operation::AddUnique { table: table.clone(), unique }
            }
            Operation::AddForeignKey { table, foreign_key } => {
                Operation::DropForeignKey { table: table.clone(), name: foreign_key.name.clone() }
            }
            Operation::DropForeignKey { table, name } => {
                let was = before.table(table).map(|table| table.foreign_keys.iter());
                let was = was.and_then(|mut keys| keys.find(|key| key.name == *name));
                let foreign_key = was.ok_or_else(gone)?.clone();
                Operation::AddForeignKey { table: table.clone(), foreign_key }
            }
            Operation::AddCheck { table, check } => {
                Operation::DropCheck { table: table.clone(), name: check.name.clone() }
            }
            Operation::DropCheck { table, name } => {
                let was = before.table(table).map(|table| table.checks.iter());
                let was = was.and_then(|mut checks| checks.find(|check| check.name == *name));
                let check = was.ok_or_else(gone)?.clone();
                Operation::AddCheck { table: table.clone(), check }
            }
            Operation::CreateIndex { table, index } => {
                Operation::DropIndex { table: table.clone(), name: index.name.clone() }
            }
            Operation::DropIndex { table, name } => {
                let was = before.table(table).and_then(|table| table.find_index(name));
                let index = was.ok_or_else(gone)?.clone();
                Operation::CreateIndex { table: table.clone(), index }
            }
            Operation::RenameIndex { table, from, to } => {
                Operation::RenameIndex { table: table.clone(), from: to.clone(), to: from.clone() }
            }
            Operation::Execute(statement) => {
                return Ok(statement
                    .reversed(before)?
                    .map(Operation::Execute)
                    .into_iter()
                    .collect());
            }
            Operation::BulkInsert { .. } => {
                return Err(self.irreversible("it is not known which rows to delete"));
            }
            Operation::Makes(other_object) => Operation::Drops(other_object.clone()),
            Operation::Drops(other_object) => Operation::Makes(other_object.clone()),
            Operation::Run(_) => {
                return Err(self.irreversible("it is not known what the step does"));
            }
        };
        Ok(vec![reversed])
    }

    /// Whether nothing in the operation says how to reverse it, whatever the schema before it is.
    pub(crate) fn hides_way_back(&self) -> bool {
        match self {
            Operation::Execute(execute) => execute.reverse.is_none(),
            Operation::BulkInsert { .. } | Operation::Run(_) => true,
            _ => false,
        }
    }

    pub(super) fn irreversible(&self, why: &str) -> Irreversible {
        Irreversible { operation: self.to_string(), why: why.to_owned() }
    }
}

/// Creates a dropped table again, with separate operations for its indexes.
fn recreate(table: &Table) -> Vec<Operation> {
    let bare = Table { indexes: Vec::new(), ..table.clone() };
    let indexes = table
        .indexes
        .iter()
        .map(|index| Operation::CreateIndex { table: table.name.clone(), index: index.clone() });
    [Operation::CreateTable(bare)].into_iter().chain(indexes).collect()
}

impl ColumnChange {
    fn reverse(&self, was: &Column) -> ColumnChange {
        ColumnChange {
            ty: self.ty.as_ref().map(|_| was.ty.clone()),
            nullable: self.nullable.map(|_| was.nullable),
            default: self.default.as_ref().map(|_| was.default.clone()),
            autoincrement: self.autoincrement.map(|_| was.autoincrement),
            identity: self.identity.map(|_| was.identity),
            generated: self.generated.as_ref().map(|_| was.generated.clone()),
            collation: self.collation.as_ref().map(|_| was.collation.clone()),
            charset: self.charset.as_ref().map(|_| was.charset.clone()),
            on_update_now: self.on_update_now.map(|_| was.on_update_now),
            invisible: self.invisible.map(|_| was.invisible),
            comment: self.comment.as_ref().map(|_| was.comment.clone()),
            using: None,
            fill: None,
        }
    }
}
