//! Operations: changes of a schema as plain values.
//!
//! A migration's `upgrade` and `downgrade` append operations to a list ([`Operations`]). The same
//! list is replayed on a [`Schema`](crate::schema::Schema), reversed, printed, encoded for a
//! checksum, or translated to statements by a dialect. An operation is about tables and contains no
//! SQL of its own.

mod apply;
mod batch;
mod change;
pub(crate) mod codec;
mod custom;
mod execute;
mod json;
mod recorder;
pub(crate) mod recording;
pub(crate) mod reverse;
pub(crate) mod resolve;
mod rewrite;
mod declared;

use std::fmt;

pub use apply::ReplayError;
pub use batch::{Batch, BatchAction, BatchKey};
pub use change::{ColumnChange, TableChange};
pub(crate) use codec::{FORMAT, checksum, decode, encode};
pub(crate) use codec::{decode_values, encode_values};
pub use custom::CustomOperation;
pub use execute::Execute;
pub(crate) use execute::UNNAMED;
pub(crate) use json::Json;
pub use recorder::{
    AddColumnHandle, BulkInsertHandle, CreateIndexHandle, ExecuteHandle, Operations,
};
pub(crate) use recording::{Allowed, Recording, replay};
pub use reverse::Irreversible;
pub(crate) use reverse::reverse_all;
pub use rewrite::Rewrite;

pub use crate::schema::Sql;

use crate::schema::{Check, Column, ForeignKey, Index, PrimaryKey, Table, Unique};
use crate::{Db, StepResult, Value};

/// One change of a schema or of its rows.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum Operation {
    /// Creates a table with its constraints and indexes.
    CreateTable(Table),
    /// Drops a table with its rows and indexes. The rows are lost.
    DropTable {
        /// The table's name.
        table: String,
    },
    /// Renames a table; foreign keys that refer to it follow.
    RenameTable {
        /// The previous name.
        from: String,
        /// The new name.
        to: String,
    },
    /// Changes the options or the comment of a table.
    AlterTable {
        /// The table's name.
        table: String,
        /// What changes.
        change: TableChange,
    },
    /// Adds a column: as the last one, or before another one.
    AddColumn {
        /// The table's name.
        table: String,
        /// The new column.
        column: Column,
        /// An SQL expression for the value in existing rows.
        using: Option<Sql>,
        /// The column to insert it before, on databases that can do so.
        before: Option<String>,
    },
    /// Drops a column. Its values are lost.
    DropColumn {
        /// The table's name.
        table: String,
        /// The column's name.
        column: String,
    },
    /// Changes a column's type, nullability, default or other properties.
    AlterColumn {
        /// The table's name.
        table: String,
        /// The column's name.
        column: String,
        /// What changes.
        change: ColumnChange,
    },
    /// Renames a column; keys, constraints and indexes follow.
    RenameColumn {
        /// The table's name.
        table: String,
        /// The previous name.
        from: String,
        /// The new name.
        to: String,
    },
    /// Adds a primary key to a table that has none.
    AddPrimaryKey {
        /// The table's name.
        table: String,
        /// The new key.
        primary_key: PrimaryKey,
    },
    /// Drops a table's primary key.
    DropPrimaryKey {
        /// The table's name.
        table: String,
        /// The constraint's name.
        name: String,
    },
    /// Adds a unique constraint.
    AddUnique {
        /// The table's name.
        table: String,
        /// The new constraint.
        unique: Unique,
    },
    /// Drops a unique constraint.
    DropUnique {
        /// The table's name.
        table: String,
        /// The constraint's name.
        name: String,
    },
    /// Adds a foreign key.
    AddForeignKey {
        /// The table's name.
        table: String,
        /// The new constraint.
        foreign_key: ForeignKey,
    },
    /// Drops a foreign key.
    DropForeignKey {
        /// The table's name.
        table: String,
        /// The constraint's name.
        name: String,
    },
    /// Adds a check constraint.
    AddCheck {
        /// The table's name.
        table: String,
        /// The new constraint.
        check: Check,
    },
    /// Drops a check constraint.
    DropCheck {
        /// The table's name.
        table: String,
        /// The constraint's name.
        name: String,
    },
    /// Creates an index.
    CreateIndex {
        /// The table's name.
        table: String,
        /// The new index.
        index: Index,
    },
    /// Drops an index.
    DropIndex {
        /// The table's name.
        table: String,
        /// The index's name.
        name: String,
    },
    /// Renames an index.
    RenameIndex {
        /// The table's name.
        table: String,
        /// The previous name.
        from: String,
        /// The new name.
        to: String,
    },
    /// Runs SQL as it is written.
    Execute(Execute),
    /// Inserts rows.
    BulkInsert {
        /// The table's name.
        table: String,
        /// The columns that the rows have values for.
        columns: Vec<String>,
        /// The rows, each with as many values as there are columns.
        rows: Vec<Vec<Value>>,
    },
    /// Runs a program's step over live rows.
    Run(Step),
    /// Declares that SQL or a step creates an object that a schema can't represent. Runs nothing.
    Makes(OtherObject),
    /// Declares that SQL or a step drops such an object. Runs nothing.
    Drops(OtherObject),
}

/// An object in a database that a schema can't represent, such as a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherObject {
    /// Its kind: `view`, `trigger`, `virtual table`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The table whose drop also drops the object.
    pub table: Option<String>,
}

/// A step at its position among the operations.
#[derive(Clone)]
pub struct Step {
    /// What the step does, in a few words. The name represents the step in checksums.
    pub name: String,
    /// The function, or `None` if only another process has it, or if the step runs in pieces.
    pub action: Option<fn(&mut Db<'_>) -> StepResult>,
    /// How the step is divided, if it runs in pieces.
    pub batch: Option<Batch>,
}

/// Steps are equal if their names and their pieces are: comparing the addresses of functions would
/// be meaningless.
impl PartialEq for Step {
    fn eq(&self, other: &Step) -> bool {
        (&self.name, &self.batch) == (&other.name, &other.batch)
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step")
            .field("name", &self.name)
            .field("batch", &self.batch)
            .finish_non_exhaustive()
    }
}

impl Operation {
    /// The expression that the values of existing rows come from.
    pub(crate) fn row_expression(&self) -> Option<&str> {
        match self {
            Operation::AddColumn { using, .. } => using.as_deref(),
            Operation::AlterColumn { change, .. } => {
                change.using.as_deref().or(change.fill.as_deref())
            }
            Operation::CreateTable(_)
            | Operation::DropTable { .. }
            | Operation::RenameTable { .. }
            | Operation::AlterTable { .. }
            | Operation::DropColumn { .. }
            | Operation::RenameColumn { .. }
            | Operation::AddPrimaryKey { .. }
            | Operation::DropPrimaryKey { .. }
            | Operation::AddUnique { .. }
            | Operation::DropUnique { .. }
            | Operation::AddForeignKey { .. }
            | Operation::DropForeignKey { .. }
            | Operation::AddCheck { .. }
            | Operation::DropCheck { .. }
            | Operation::CreateIndex { .. }
            | Operation::DropIndex { .. }
            | Operation::RenameIndex { .. }
            | Operation::Execute(_)
            | Operation::BulkInsert { .. }
            | Operation::Run(_)
            | Operation::Makes(_)
            | Operation::Drops(_) => None,
        }
    }

    /// Whether the operation changes tables, columns, constraints or indexes and nothing else, so
    /// that replaying it on a schema shows everything that it does.
    pub fn is_schema_change(&self) -> bool {
        !self.tables().is_empty()
    }

    /// The operation itself, or the operations that its SQL is declared to be equivalent to.
    pub fn as_described(&self) -> &[Operation] {
        match self {
            Operation::Execute(execute) => &execute.describes,
            other => std::slice::from_ref(other),
        }
    }

    /// The tables that the operation itself changes, including both names of a renamed table. Empty
    /// if SQL, rows or a step may change any table.
    pub fn tables(&self) -> Vec<&str> {
        match self {
            Operation::CreateTable(table) => vec![&table.name],
            Operation::RenameTable { from, to } => vec![from, to],
            Operation::DropTable { table }
            | Operation::AlterTable { table, .. }
            | Operation::AddColumn { table, .. }
            | Operation::DropColumn { table, .. }
            | Operation::AlterColumn { table, .. }
            | Operation::RenameColumn { table, .. }
            | Operation::AddPrimaryKey { table, .. }
            | Operation::DropPrimaryKey { table, .. }
            | Operation::AddUnique { table, .. }
            | Operation::DropUnique { table, .. }
            | Operation::AddForeignKey { table, .. }
            | Operation::DropForeignKey { table, .. }
            | Operation::AddCheck { table, .. }
            | Operation::DropCheck { table, .. }
            | Operation::CreateIndex { table, .. }
            | Operation::DropIndex { table, .. }
            | Operation::RenameIndex { table, .. } => vec![table],
            Operation::Execute(_)
            | Operation::BulkInsert { .. }
            | Operation::Run(_)
            | Operation::Makes(_)
            | Operation::Drops(_) => Vec::new(),
        }
    }
}

/// Describes the operation in plain words.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::CreateTable(table) => write!(f, "create table `{}`", table.name),
            Operation::DropTable { table } => write!(f, "drop table `{table}`"),
            Operation::RenameTable { from, to } => write!(f, "rename table `{from}` to `{to}`"),
            Operation::AlterTable { table, .. } => write!(f, "alter table `{table}`"),
            Operation::AddColumn { table, column, .. } => {
                write!(f, "add column `{}` to table `{table}`", column.name)
            }
            Operation::DropColumn { table, column } => {
                write!(f, "drop column `{column}` of table `{table}`")
            }
            Operation::AlterColumn { table, column, .. } => {
                write!(f, "alter column `{column}` of table `{table}`")
            }
            Operation::RenameColumn { table, from, to } => {
                write!(f, "rename column `{from}` of table `{table}` to `{to}`")
            }
            Operation::AddPrimaryKey { table, primary_key } => {
                write!(f, "add primary key `{}` to table `{table}`", primary_key.name)
            }
            Operation::DropPrimaryKey { table, name } => {
                write!(f, "drop primary key `{name}` of table `{table}`")
            }
            Operation::AddUnique { table, unique } => {
                write!(f, "add unique constraint `{}` to table `{table}`", unique.name)
            }
            Operation::DropUnique { table, name } => {
                write!(f, "drop unique constraint `{name}` of table `{table}`")
            }
            Operation::AddForeignKey { table, foreign_key } => {
                write!(f, "add foreign key `{}` to table `{table}`", foreign_key.name)
            }
            Operation::DropForeignKey { table, name } => {
                write!(f, "drop foreign key `{name}` of table `{table}`")
            }
            Operation::AddCheck { table, check } => {
                write!(f, "add check `{}` to table `{table}`", check.name)
            }
            Operation::DropCheck { table, name } => {
                write!(f, "drop check `{name}` of table `{table}`")
            }
            Operation::CreateIndex { table, index } if index.is_exclusion() => {
                write!(f, "add exclusion constraint `{}` to table `{table}`", index.name)
            }
            Operation::CreateIndex { table, index } => {
                write!(f, "create index `{}` on table `{table}`", index.name)
            }
            Operation::DropIndex { table, name } => {
                write!(f, "drop index `{name}` of table `{table}`")
            }
            Operation::RenameIndex { table, from, to } => {
                write!(f, "rename index `{from}` of table `{table}` to `{to}`")
            }
            Operation::Execute(statement) => {
                f.write_str(statement.name.as_deref().unwrap_or(UNNAMED))
            }
            Operation::BulkInsert { table, rows, .. } => match rows.len() {
                1 => write!(f, "insert 1 row into table `{table}`"),
                n => write!(f, "insert {n} rows into table `{table}`"),
            },
            Operation::Run(Step { name, batch: Some(batch), .. }) => {
                write!(f, "run step `{name}` {batch}")
            }
            Operation::Run(step) => write!(f, "run step `{}`", step.name),
            Operation::Makes(object) => {
                write!(f, "note that {} `{}` is created", object.kind, object.name)
            }
            Operation::Drops(object) => {
                write!(f, "note that {} `{}` is dropped", object.kind, object.name)
            }
        }
    }
}
