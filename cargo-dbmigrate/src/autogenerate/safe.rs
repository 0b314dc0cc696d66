//! Divides a difference into revisions that running programs survive: what the next release needs
//! is added first, and existing rows get literals. Once the previous release is gone, values of
//! other columns are copied, what it may have violated is required, and what only it used is
//! dropped.

mod alter;
mod constraint;
mod fill;
mod keys;

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::recording::Allowed;
use dbmigrate_runtime::engine::{Backend, recording};
use dbmigrate_runtime::operations::{ColumnChange, Operation, Sql};
use dbmigrate_runtime::schema::{Column, Schema};

pub use constraint::Constraint;

use super::{Changes, Commented};
use crate::error::{Error, Result};

/// The rule of `lint` about columns that become nullable.
pub const DROP_NOT_NULL: &str = "drop-not-null";

/// The rule of `lint` about constraints that are dropped.
pub const DROP_CONSTRAINT: &str = "drop-constraint";

/// When a part of a difference can be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// While the previous release is still running.
    Expand,
    /// The same, for existing rows that get a literal.
    Fill,
    /// For existing rows that get a value of other columns, once no program changes those any more
    /// without the new one.
    Copy,
    /// Once no program violates what it requires any more.
    Require,
    /// Once no program uses what it drops any more.
    Contract,
}

impl Phase {
    /// The word in the message of its revision.
    pub fn word(self) -> &'static str {
        match self {
            Phase::Expand => "expand",
            Phase::Fill => "fill",
            Phase::Copy => "copy",
            Phase::Require => "require",
            Phase::Contract => "contract",
        }
    }

    /// Whether it only gives existing rows their values.
    pub fn is_of_rows(self) -> bool {
        matches!(self, Phase::Fill | Phase::Copy)
    }

    /// Why an upgrade stops before it, given what it is about.
    fn barrier(self, about: &[String]) -> Option<String> {
        let about = about.join(", ");
        match self {
            Phase::Expand | Phase::Fill => None,
            Phase::Copy => {
                Some(format!("programs of the previous release may change what is copied: {about}"))
            }
            Phase::Require => Some(format!(
                "programs of the previous release may violate what it requires: {about}"
            )),
            Phase::Contract => {
                Some(format!("programs of the previous release may use what it drops: {about}"))
            }
        }
    }
}

/// A part of a difference, for a revision of its own.
#[derive(Debug)]
pub struct Part {
    pub phase: Phase,
    pub upgrade: Commented,
}

impl Part {
    /// The way back, given the schema before it.
    ///
    /// # Errors
    ///
    /// When it can't be expressed.
    pub fn way_back(
        &self,
        before: &Schema,
        dialect: &'static dyn Dialect,
        others: &[&'static dyn Dialect],
    ) -> Result<Commented> {
        if self.phase.is_of_rows() {
            // Filled values stay, or go with their column.
            return Ok(Commented::default());
        }
        super::way_back(&self.upgrade.operations, before, dialect, others)
    }
}

/// A difference in parts.
#[derive(Debug)]
pub struct Divided {
    /// In the order in which they run; at least one.
    pub parts: Vec<Part>,
    /// What running programs don't survive, whatever the order.
    pub unsafe_changes: Vec<String>,
}

impl Divided {
    /// Whether every part can wait until the previous release is gone. One that only makes columns
    /// optional can wait with the part that drops them.
    pub fn can_wait(&self) -> bool {
        let operations = || self.parts.iter().flat_map(|part| &part.upgrade.operations);
        let is_dropped = |table: &String, column: &String| {
            let drop = Operation::DropColumn { table: table.clone(), column: column.clone() };
            operations().any(|operation| *operation == drop)
        };
        let relaxing = ColumnChange::new().nullable();
        let relaxes = |operation: &Operation| match operation {
            Operation::AlterColumn { table, column, change } => {
                *change == relaxing && is_dropped(table, column)
            }
            _ => false,
        };
        self.parts.iter().all(|part| match part.phase {
            Phase::Copy | Phase::Require | Phase::Contract => true,
            Phase::Expand | Phase::Fill => part.upgrade.operations.iter().all(relaxes),
        })
    }
}

/// Divides a difference, given the schema before it.
///
/// # Errors
///
/// Operations that replay doesn't see through, and parts that would not lead to the same schema.
pub fn divide(
    changes: &Changes,
    before: &Schema,
    dialects: &[&'static dyn Dialect],
) -> Result<Divided> {
    let mut operations = changes.operations.clone();
    if let Some(opaque) = operations.iter().find(|operation| !operation.is_schema_change()) {
        let message = format!("the revision can't be divided, since it contains `{opaque}`");
        return Err(Error::new(message));
    }
    let new: BTreeSet<String> = (operations.iter())
        .filter_map(|operation| match operation {
            Operation::CreateTable(table) => Some(table.name.clone()),
            _ => None,
        })
        .collect();
    let is_built_later = dialects.iter().any(|dialect| dialect.backend() == Backend::Postgres);
    for operation in operations.iter_mut().filter(|_| is_built_later) {
        if let Operation::CreateIndex { table, index } = operation {
            index.concurrently |= !new.contains(table) && !index.is_exclusion();
        }
    }
    let mut divider = Divider {
        dialects,
        new,
        operations: &operations,
        schema: before.clone(),
        parts: BTreeMap::new(),
        late: Vec::new(),
        unsafe_changes: Vec::new(),
    };
    for (idx, operation) in operations.iter().enumerate() {
        let loss = changes.losses.get(&idx).map(|loss| format!("This {loss}."));
        divider.take(operation, loss);
        operation.apply(&mut divider.schema).map_err(|err| Error::new(err.to_string()))?;
    }
    divider.add_late_keys();
    let Divider { parts, unsafe_changes, schema: after, .. } = divider;
    let mut replayed = before.clone();
    for part in parts.values() {
        let res = recording::replay(&mut replayed, &part.upgrade.operations);
        res.map_err(|err| indivisible(&err.to_string()))?;
    }
    if replayed != after {
        return Err(indivisible("the parts would not give the same schema"));
    }
    let parts = parts.into_iter().map(|(phase, part)| {
        let barrier = phase.barrier(&part.about);
        Part { phase, upgrade: Commented { barrier, ..part.upgrade } }
    });
    Ok(Divided { parts: parts.collect(), unsafe_changes })
}

fn indivisible(why: &str) -> Error {
    Error::new(format!("the revision can't be divided: {why}"))
}

/// A part that is being put together.
#[derive(Debug, Default)]
struct Growing {
    upgrade: Commented,
    /// What a barrier before it is about.
    about: Vec<String>,
}

struct Divider<'a> {
    dialects: &'a [&'static dyn Dialect],
    /// The tables that the difference creates.
    new: BTreeSet<String>,
    /// All operations.
    operations: &'a [Operation],
    /// The schema before the next operation.
    schema: Schema,
    parts: BTreeMap<Phase, Growing>,
    /// Foreign keys of new tables that need what is only required later.
    late: Vec<Operation>,
    unsafe_changes: Vec<String>,
}

impl Divider<'_> {
    fn push(&mut self, phase: Phase, operation: Operation, about: Option<String>) {
        let part = self.parts.entry(phase).or_default();
        part.upgrade.operations.push(operation);
        part.about.extend(about);
    }

    /// Puts an operation into the part where it belongs, or pieces of it into several.
    fn take(&mut self, operation: &Operation, loss: Option<String>) {
        let whole = operation.clone();
        let required = |what: String| (Phase::Require, Some(what));
        let (phase, about) = match operation {
            Operation::AddColumn { table, column, using, before } => {
                let using = using.as_ref();
                return self.add_column((table, column), using, before.as_deref(), whole);
            }
            Operation::AlterColumn { table, column, change } => {
                return self.alter_column((table, column), change, loss);
            }
            Operation::DropColumn { table, column } => {
                self.relax(table, column);
                (Phase::Contract, Some(format!("column `{table}.{column}`")))
            }
            Operation::DropTable { table } => (Phase::Contract, Some(format!("table `{table}`"))),
            Operation::DropIndex { table, name } | Operation::DropUnique { table, name } => {
                (self.phase_of_drop(table, name), None)
            }
            Operation::CreateTable(table) => return self.create_table(table),
            Operation::AddForeignKey { table, foreign_key } if self.is_late(table, foreign_key) => {
                self.late.push(whole);
                return;
            }
            Operation::AddUnique { table, .. }
            | Operation::AddForeignKey { table, .. }
            | Operation::AddCheck { table, .. }
            | Operation::CreateIndex { table, .. }
                if self.new.contains(table) =>
            {
                (Phase::Expand, None)
            }
            Operation::AddUnique { unique, .. } => required(format!("`{}`", unique.name)),
            Operation::AddForeignKey { foreign_key, .. } => {
                required(format!("`{}`", foreign_key.name))
            }
            Operation::AddCheck { check, .. } => required(format!("`{}`", check.name)),
            Operation::CreateIndex { index, .. } if index.unique => {
                required(format!("`{}`", index.name))
            }
            Operation::DropPrimaryKey { .. } => (Phase::Require, None),
            Operation::AddPrimaryKey { table, primary_key } => {
                self.unsafe_changes.push(format!("the primary key of `{table}` changes"));
                required(format!("`{}`", primary_key.name))
            }
            Operation::RenameTable { from, to } => {
                self.unsafe_changes.push(format!("table `{from}` is renamed to `{to}`"));
                (Phase::Expand, None)
            }
            Operation::RenameColumn { table, from, to } => {
                let text = format!("column `{table}.{from}` is renamed to `{to}`");
                self.unsafe_changes.push(text);
                (Phase::Expand, None)
            }
            Operation::AlterTable { .. }
            | Operation::DropForeignKey { .. }
            | Operation::DropCheck { .. }
            | Operation::CreateIndex { .. }
            | Operation::RenameIndex { .. }
            | Operation::Execute(_)
            | Operation::BulkInsert { .. }
            | Operation::Run(_)
            | Operation::Makes(_)
            | Operation::Drops(_) => (Phase::Expand, None),
        };
        self.comment(phase, loss);
        if phase == Phase::Expand && self.loses_column(operation) {
            let why = "a column that it is about is dropped in a later revision";
            self.allow(phase, DROP_CONSTRAINT, why);
        }
        self.push(phase, whole, about);
    }

    /// Makes a column that is dropped later optional, since the next release does not write it.
    fn relax(&mut self, table: &str, column: &str) {
        let found = self.schema.table(table).and_then(|table| table.find_column(column));
        let is_required = found.is_some_and(|column| !column.nullable);
        if is_required && self.is_left_null(table, column) {
            let change = ColumnChange::new().nullable();
            let (table, column) = (table.to_owned(), column.to_owned());
            let why = "the next release does not write it, and a program of the previous one finds \
                       NULL in such rows until it is gone";
            self.allow(Phase::Expand, DROP_NOT_NULL, why);
            self.push(Phase::Expand, Operation::AlterColumn { table, column, change }, None);
        }
    }

    /// Says in a part why `lint` need not report its next operation.
    fn allow(&mut self, phase: Phase, rule: &str, reason: &str) {
        let part = self.parts.entry(phase).or_default();
        let operation = part.upgrade.operations.len();
        let (rule, reason) = (rule.to_owned(), reason.to_owned());
        part.upgrade.allowed.push(Allowed { operation, rule, reason });
    }

    /// A new column may be NULL at first. `whole` is its operation.
    fn add_column(
        &mut self,
        (table, column): (&str, &Column),
        using: Option<&Sql>,
        before: Option<&str>,
        whole: Operation,
    ) {
        let name = &column.name;
        let has_value =
            column.default.is_some() || column.generated.is_some() || column.identity.is_some();
        let is_of_key = self.operations.iter().any(|operation| {
            matches!(operation, Operation::AddPrimaryKey { table: of, primary_key }
                if of == table && primary_key.columns.contains(name))
        });
        if is_of_key || has_value || (column.nullable && using.is_none()) {
            self.warn_of_copy(table, name, using);
            return self.push(Phase::Expand, whole, None);
        }
        let fill = using.and_then(|using| self.fill(table, name, using));
        if column.nullable && fill.is_none() {
            self.warn_of_copy(table, name, using);
            return self.push(Phase::Expand, whole, None);
        }
        let add = Operation::AddColumn {
            table: table.to_owned(),
            column: Column { nullable: true, ..column.clone() },
            using: None,
            before: before.map(str::to_owned),
        };
        self.push(Phase::Expand, add, None);
        self.push_fill(fill);
        if !column.nullable {
            self.require(table, name, using);
        }
    }

    /// Makes a column required; `fill` is for rows that are still NULL.
    fn require(&mut self, table: &str, column: &str, fill: Option<&Sql>) {
        let change = ColumnChange { fill: fill.cloned(), ..ColumnChange::new().not_null() };
        let about = format!("column `{table}.{column}`");
        let (table, column) = (table.to_owned(), column.to_owned());
        self.push(Phase::Require, Operation::AlterColumn { table, column, change }, Some(about));
    }
}

#[cfg(test)]
mod tests;
