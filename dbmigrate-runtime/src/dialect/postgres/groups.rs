//! What takes more than one transaction: constraints of large tables, whose rows are read while
//! others go on working, values of enumerations that are used at once, and concurrent indexes.

use std::collections::BTreeSet;

use super::planner::{Planner, Unvalidated};
use super::{POSTGRES, cost, ddl, guards, text_enum, types};
use crate::dialect::{Alone, Guard, Refusal, Remnant, StatementKind, Task, Uncommitted, Work};
use crate::operations::Operation;
use crate::schema::{Check, Column, ForeignKey, Index, IndexColumn, Table, Unique, naming};
use crate::sql::quote;

/// The number of bytes from which on a table is large. A smaller one is read within milliseconds,
/// and keeping the whole run in one transaction is worth more than they are.
pub(super) const LARGE: u64 = 16 << 20;

/// Whether an operation can take more than one transaction.
pub(super) fn may_take(operation: &Operation) -> bool {
    match operation {
        Operation::CreateIndex { index, .. } => index.concurrently,
        Operation::AlterColumn { change, .. } => {
            let is_enumeration = |ty| types::enumeration(ty).is_some();
            change.nullable == Some(false)
                || change.ty.as_ref().is_some_and(is_enumeration)
                || has_values(operation)
        }
        Operation::AddColumn { .. } => has_values(operation),
        Operation::AddForeignKey { .. }
        | Operation::AddCheck { .. }
        | Operation::AddUnique { .. } => true,
        Operation::Run(step) => step.batch.is_some(),
        _ => false,
    }
}

/// The tables whose rows operations have read, in a transaction of its own if they are large.
pub(super) fn validated(operations: &[Operation]) -> BTreeSet<String> {
    let table = |operation: &Operation| match operation {
        Operation::AddForeignKey { table, .. }
        | Operation::AddCheck { table, .. }
        | Operation::AddUnique { table, .. } => Some(table.clone()),
        Operation::AlterColumn { table, change, .. }
            if change.nullable == Some(false) || has_values(operation) =>
        {
            Some(table.clone())
        }
        Operation::AddColumn { table, .. } if has_values(operation) => Some(table.clone()),
        _ => None,
    };
    operations.iter().filter_map(table).collect()
}

/// Whether an operation gives a column a type with a check for its values.
fn has_values(operation: &Operation) -> bool {
    let ty = match operation {
        Operation::AddColumn { column, .. } => Some(&column.ty),
        Operation::AlterColumn { change, .. } => change.ty.as_ref(),
        _ => None,
    };
    ty.is_some_and(|ty| text_enum::values(ty).is_some())
}

/// The names of the tables and columns whose meaning, or whose values, these operations change;
/// `None` if that can't be known: values may depend on others, and on triggers.
fn changed(operations: &[Operation]) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    for operation in operations {
        match operation {
            Operation::CreateTable(table) => {
                if table.columns.iter().any(|column| types::enumeration(&column.ty).is_some()) {
                    return None;
                }
                names.push(table.bare_name());
            }
            Operation::DropTable { table } => names.extend(table.split('.')),
            Operation::RenameTable { from, to } | Operation::RenameColumn { from, to, .. } => {
                names.extend(from.split('.').chain(to.split('.')));
            }
            Operation::AddColumn { column, using: None, .. }
                if types::enumeration(&column.ty).is_none() =>
            {
                names.push(column.name.as_str());
            }
            Operation::AlterColumn { column, change, .. }
                if change.ty.is_none() && change.using.is_none() && change.fill.is_none() =>
            {
                names.push(column.as_str());
            }
            Operation::DropColumn { column, .. } => names.push(column.as_str()),
            Operation::AddColumn { .. }
            | Operation::AlterColumn { .. }
            | Operation::Execute(_)
            | Operation::BulkInsert { .. }
            | Operation::Run(_)
            | Operation::Makes(_)
            | Operation::Drops(_) => return None,
            Operation::AlterTable { .. }
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
            | Operation::RenameIndex { .. } => {}
        }
    }
    Some(names)
}

impl Planner<'_> {
    /// Adds a guard over rows that the change itself would find as well. If it stops the run, what
    /// earlier transactions committed stays, so it comes before everything else, unless earlier
    /// operations may change its rows.
    pub(super) fn guard_rows(&mut self, guard: Guard) {
        if self.is_early(&guard) {
            self.early.push(guard);
        } else {
            self.guard(guard);
        }
    }

    /// The same for values that the change would alter without a word: the guard comes both before
    /// everything else and before the change.
    pub(super) fn guard_values(&mut self, guard: Guard) {
        if self.is_early(&guard) {
            self.early.push(guard.clone());
        }
        self.guard(guard);
    }

    /// Whether something is committed before a guard, and its rows are the same before that.
    fn is_early(&self, guard: &Guard) -> bool {
        let commits = |task: &Task| {
            task.is_between_groups() || self.facts.one_definition && task.statement().is_some()
        };
        if !self.tasks.iter().any(commits) {
            return false;
        }
        let (current, n_before) = self.current;
        let has_own = self.tasks.iter().skip(n_before).any(|task| task.statement().is_some());
        let is_next = current == self.reached && !has_own;
        let n_operations = self.reached + usize::from(!is_next);
        let is_ahead = |idx: &usize| *idx >= n_operations;
        if self.done.iter().chain(self.settled.keys()).any(is_ahead) {
            return false;
        }
        let n_operations = n_operations.min(self.operations.len());
        changed(&self.operations[..n_operations])
            .is_some_and(|names| !names.iter().any(|name| POSTGRES.mentions(&guard.sql, name)))
    }

    /// Ends the transaction.
    pub(super) fn border(&mut self) {
        self.put_views_up();
        if self.tasks.last().is_some_and(|task| !task.is_between_groups()) {
            self.tasks.push(Task::Border);
        }
        self.begin_group();
    }

    /// What follows is in another transaction.
    pub(super) fn begin_group(&mut self) {
        self.has_changed_rows = false;
        self.checks_at_once = false;
        self.created.clear();
        self.uncommitted = Uncommitted::default();
    }

    /// Whether the rows of a table are compared with a new constraint in a transaction of its own.
    pub(super) fn is_validated_later(&self, table: &str) -> bool {
        self.facts.large.contains(table) && !self.created.contains(table)
    }

    pub(super) fn add_check(&mut self, idx: usize, table: &str, check: &Check) {
        let add = format!("ADD {}", ddl::check(check));
        if !self.is_validated_later(table) {
            self.alter(idx, table, &add, Work::Scan);
            return;
        }
        self.guard_rows(guards::check(table, check));
        self.alter(idx, table, &format!("{add} NOT VALID"), Work::None);
        self.validate_later(idx, table, &check.name, None);
    }

    /// Adds a unique constraint; to a large table with an index that is built while others write.
    /// One that replaces another is added in its transaction, so that one of them always holds.
    pub(super) fn add_unique(
        &mut self,
        idx: usize,
        table: &str,
        unique: &Unique,
    ) -> Result<(), Refusal> {
        let add = format!("ADD {}", self.ddl(idx).unique(unique)?);
        let is_replaced = self.operations[..idx].iter().any(|operation| {
            let drops = matches!(
                operation,
                Operation::DropUnique { .. }
                    | Operation::DropPrimaryKey { .. }
                    | Operation::DropIndex { .. }
            );
            drops && operation.tables().contains(&table)
        });
        // The index alone does not wait for the end of a transaction.
        let is_immediate = unique.deferrable.is_none() && !self.facts.one_definition;
        if is_replaced || !is_immediate || !self.is_validated_later(table) {
            self.alter(idx, table, &add, Work::IndexBuild);
            return Ok(());
        }
        let index = Index {
            name: unique.name.clone(),
            columns: unique.columns.iter().map(|column| IndexColumn::new(column)).collect(),
            unique: true,
            nulls_not_distinct: unique.nulls_not_distinct,
            include: unique.include.clone(),
            ..Index::default()
        };
        let sql = self.ddl(idx).create_index(table, &index)?;
        // No lock of an earlier operation is held meanwhile, and none of this one later.
        self.border();
        self.guard_rows(guards::unique(table, unique));
        self.build_concurrently(idx, table, &index, sql);
        let add = format!("ADD {}", ddl::unique_of_index(unique));
        self.alter(idx, table, &add, Work::None);
        self.border();
        Ok(())
    }

    pub(super) fn push_key(&mut self, idx: usize, table: &str, key: &ForeignKey) {
        let add = format!("ALTER TABLE {} ADD {}", ddl::relation(table), ddl::foreign_key(key));
        let referenced = key.references_table.as_str();
        // One that was only set aside comes back together with what it was set aside for.
        let is_new = matches!(&self.operations[idx], Operation::AddForeignKey { .. });
        if !is_new || !self.is_validated_later(table) {
            self.push(idx, add, Some(cost::foreign_key(table, referenced, Work::Scan)));
            return;
        }
        self.guard_rows(guards::foreign_key(table, key));
        let cost = cost::foreign_key(table, referenced, Work::None);
        self.push(idx, format!("{add} NOT VALID"), Some(cost));
        self.validate_later(idx, table, &key.name, Some(referenced));
    }

    fn validate_later(&mut self, idx: usize, table: &str, name: &str, references: Option<&str>) {
        self.unvalidated.push(Unvalidated {
            idx,
            table: table.to_owned(),
            name: name.to_owned(),
            references: references.map(str::to_owned),
        });
    }

    /// Has existing rows compared with the new constraints, if a later operation may change these.
    pub(super) fn validate_before(&mut self, idx: usize) {
        let operation = &self.operations[idx];
        let changes = matches!(
            operation,
            Operation::DropTable { .. }
                | Operation::RenameTable { .. }
                | Operation::DropColumn { .. }
                | Operation::RenameColumn { .. }
                | Operation::AlterColumn { .. }
                | Operation::DropForeignKey { .. }
                | Operation::DropCheck { .. }
                | Operation::DropPrimaryKey { .. }
                | Operation::DropUnique { .. }
        );
        let tables = operation.tables();
        let is_touched = |constraint: &Unvalidated| {
            let references = constraint.references.as_deref();
            tables.iter().any(|table| *table == constraint.table || Some(*table) == references)
        };
        if changes && self.unvalidated.iter().any(is_touched) {
            self.validate();
            self.border();
        }
    }

    /// Has existing rows compared with the new constraints, each in a transaction of its own.
    pub(super) fn validate(&mut self) {
        for constraint in std::mem::take(&mut self.unvalidated) {
            let Unvalidated { idx, table, name, references } = constraint;
            self.border();
            let of = ddl::relation(&table);
            let validate = format!("ALTER TABLE {of} VALIDATE CONSTRAINT {}", quote(&name));
            self.push(idx, validate, Some(cost::validate(&table, references.as_deref())));
        }
    }

    /// Proves that a column of a large table has no NULL, so that `SET NOT NULL` doesn't have to
    /// read the table while it is locked. Returns the name of the check that proves it.
    pub(super) fn prove_not_null(&mut self, idx: usize, table: &Table, column: &Column) -> String {
        let name =
            naming::limited(format!("dbmigrate_{}_{}_not_null", table.bare_name(), column.name));
        let condition = format!("{} IS NOT NULL", quote(&column.name));
        let add = format!("ADD {} NOT VALID", ddl::check(&Check::new(&name, &condition)));
        self.alter(idx, &table.name, &add, Work::None);
        self.validate_later(idx, &table.name, &name, None);
        self.validate();
        self.border();
        name
    }

    /// Adds a statement that builds an index while rows change, which no transaction can hold.
    pub(super) fn build_concurrently(
        &mut self,
        idx: usize,
        table: &str,
        index: &Index,
        sql: String,
    ) {
        let sql = sql.replacen(" INDEX ", " INDEX CONCURRENTLY ", 1);
        let Task::Statement(statement) = super::planner::task(
            &self.operations[idx],
            sql,
            StatementKind::Native,
            Some(cost::concurrent_index(table)),
        ) else {
            return;
        };
        let name = ddl::beside(table, &index.name);
        let found = |condition: &str| {
            let name = ddl::text(&name);
            format!("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass({name}) AND {condition}")
        };
        self.tasks.push(Task::Alone(Alone {
            statement,
            is_done: Some(found("indisvalid")),
            // PostgreSQL's manual, "Building Indexes Concurrently".
            remnant: Some(Remnant {
                is_left: found("NOT indisvalid"),
                removal: format!("DROP INDEX CONCURRENTLY {name}"),
            }),
        }));
        self.begin_group();
    }
}
