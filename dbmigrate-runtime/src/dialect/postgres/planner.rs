//! Translates operations to tasks, in order.
//!
//! Nearly every operation has a statement of its own. What differs from SQLite is that PostgreSQL
//! checks each statement at once: a foreign key to a table that a later operation creates, or an
//! index that a later operation drops, would make it fail. So an operation looks at the later ones,
//! and does what has to come first.

use std::collections::{BTreeMap, BTreeSet};

use super::aside::{Aside, Statements};
use super::ddl::{self, Ddl};
use super::views::Down;
use super::{aside, constant, cost, existing, guards, names, sequence};
use crate::backend::Backend;
use crate::dialect::{
    Cost, Facts, Guard, Plan, Refusal, Statement, StatementKind, Task, Uncommitted, Work,
};
use crate::folding::NameRules;
use crate::operations::Operation;
use crate::schema::{Column, Schema, Table, TableOption};
use crate::sql::quote;
use crate::written;

pub(super) fn plan(
    operations: &[Operation],
    schema: &mut Schema,
    facts: &Facts,
    rules: NameRules,
) -> Result<Plan, Refusal> {
    let mut planner = Planner::new(operations, schema, facts);
    for idx in 0..operations.len() {
        planner.take(idx, rules)?;
    }
    planner.finish()?;
    let Planner { early, tasks, uncommitted, .. } = planner;
    let tasks = early.into_iter().map(Task::Guard).chain(tasks).collect();
    Ok(Plan { tasks, taken: operations.len(), uncommitted })
}

/// What an operation did to the rows of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// Their expression, if there is one, has still to be applied.
    Open,
    /// They have their new values, and the column's default is still to be changed.
    Renamed,
    /// They have their new values, and the column has its new default.
    Given,
}

/// A constraint that existing rows still have to be compared with.
pub(super) struct Unvalidated {
    pub(super) idx: usize,
    pub(super) table: String,
    pub(super) name: String,
    pub(super) references: Option<String>,
}

pub(super) struct Planner<'a> {
    pub(super) operations: &'a [Operation],
    /// The schema after the current operation.
    pub(super) schema: &'a mut Schema,
    pub(super) facts: &'a Facts,
    pub(super) tasks: Vec<Task>,
    /// Guards that run before anything is committed.
    pub(super) early: Vec<Guard>,
    /// How many operations were taken before the last one.
    pub(super) reached: usize,
    /// The operation that is being planned, perhaps later than in its turn, and how many tasks there
    /// were before it.
    pub(super) current: (usize, usize),
    /// The operations whose work was done with an earlier one.
    pub(super) done: BTreeSet<usize>,
    /// The tables that this plan creates, which nobody else can see yet.
    pub(super) created: BTreeSet<String>,
    /// The constraints and indexes that the schema still has and the database lacks, each with its
    /// table.
    pub(super) absent: BTreeSet<(String, String)>,
    /// By table and name, the names in the database of constraints that have another one there.
    pub(super) other_names: BTreeMap<(String, String), String>,
    /// The names that tables had at the beginning, by their current ones.
    pub(super) names_before: BTreeMap<String, String>,
    /// The foreign keys that the schema has and that are created at the end, with their tables and
    /// the operation that needs them.
    pub(super) pending: Vec<(String, String, usize)>,
    /// By table, the column that generates its values as a key in the database, where it isn't the
    /// schema's.
    pub(super) generating: BTreeMap<String, Option<String>>,
    /// The values of each enumeration in the database.
    pub(super) enumerations: BTreeMap<String, Vec<String>>,
    /// The operations that wait for a column that their expression names.
    pub(super) postponed: Vec<usize>,
    /// By operation, its column as far as it was changed with an earlier operation.
    pub(super) settled: BTreeMap<usize, (Column, Rows)>,
    /// The column before the current change of it.
    pub(super) before_change: Option<Column>,
    /// Whether this plan may have inserted rows.
    has_inserted: bool,
    /// Whether rows were changed since deferred foreign keys were last checked.
    pub(super) has_changed_rows: bool,
    /// Whether deferred foreign keys are checked at once for now.
    pub(super) checks_at_once: bool,
    /// The constraints that existing rows still have to be compared with.
    pub(super) unvalidated: Vec<Unvalidated>,
    /// What the current transaction has added.
    pub(super) uncommitted: Uncommitted,
    /// The views that are dropped for now.
    pub(super) views_down: Vec<Down>,
    /// How much was noted in the schema before this plan.
    pub(super) n_written: usize,
}

impl<'a> Planner<'a> {
    fn new(operations: &'a [Operation], schema: &'a mut Schema, facts: &'a Facts) -> Planner<'a> {
        let n_written = schema.written.len();
        let mut planner = Planner {
            other_names: existing::other_names(schema, &facts.existing),
            names_before: BTreeMap::new(),
            operations,
            schema,
            facts,
            tasks: Vec::new(),
            early: Vec::new(),
            reached: 0,
            current: (0, 0),
            done: BTreeSet::new(),
            created: BTreeSet::new(),
            absent: BTreeSet::new(),
            pending: Vec::new(),
            generating: BTreeMap::new(),
            enumerations: BTreeMap::new(),
            postponed: Vec::new(),
            settled: BTreeMap::new(),
            before_change: None,
            has_inserted: false,
            has_changed_rows: false,
            checks_at_once: false,
            unvalidated: Vec::new(),
            uncommitted: Uncommitted::default(),
            views_down: Vec::new(),
            n_written,
        };
        planner.note_enumerations();
        planner
    }

    pub(super) fn ddl(&self, idx: usize) -> Ddl<'a> {
        Ddl { facts: self.facts, operation: &self.operations[idx] }
    }

    /// The operations after this one that no earlier one has done already.
    pub(super) fn later(&self, idx: usize) -> impl Iterator<Item = (usize, &'a Operation)> {
        let done = self.done.clone();
        let later = self.operations.iter().enumerate().skip(idx + 1);
        later.filter(move |(idx, _)| !done.contains(idx))
    }

    fn take(&mut self, idx: usize, rules: NameRules) -> Result<(), Refusal> {
        self.reached = idx;
        let operation = &self.operations[idx];
        if let Some(mistake) =
            written::in_operation(operation, self.schema, Backend::Postgres, rules)
        {
            return Err(Refusal::mistake(operation, Backend::Postgres, mistake));
        }
        if !matches!(operation, Operation::AlterColumn { .. }) {
            self.put_views_up();
        }
        let first = operation.tables().first().and_then(|name| self.schema.table(name)).cloned();
        names::look(operation, first.as_ref())?;
        operation.apply(self.schema).map_err(|err| Refusal {
            message: err.to_string(),
            hint: Some("compare the revision with those before it".to_owned()),
        })?;
        let may_generate = matches!(
            operation,
            Operation::AddPrimaryKey { .. }
                | Operation::DropPrimaryKey { .. }
                | Operation::AlterColumn { .. }
                | Operation::DropColumn { .. }
        );
        if let Some(before) = first.as_ref().filter(|_| may_generate) {
            let generating = self.generating(before);
            self.generating.insert(before.name.clone(), generating);
        }
        if self.waits_for_column(idx) {
            self.postponed.push(idx);
        } else if !self.done.contains(&idx) {
            self.operation(idx, first.as_ref())?;
        }
        if let Operation::AddColumn { .. } = operation {
            self.take_postponed()?;
        }
        self.settle_generating(idx)?;
        self.drop_enumerations(idx);
        Ok(())
    }

    /// Plans an operation, given its table before it.
    pub(super) fn operation(&mut self, idx: usize, before: Option<&Table>) -> Result<(), Refusal> {
        let operation = &self.operations[idx];
        self.validate_before(idx);
        self.current = (idx, self.tasks.len());
        match operation {
            Operation::CreateTable(table) => self.create_table(idx, table),
            Operation::DropTable { table } => self.drop_table(idx, table),
            Operation::RenameTable { from, to } => {
                self.rename_table(idx, from, to)?;
                self.rename_values(idx, before, to);
                Ok(())
            }
            Operation::AlterTable { table, change } => {
                if let Some(on) = change.options.get(&TableOption::Unlogged) {
                    let set = if *on { "SET UNLOGGED" } else { "SET LOGGED" };
                    self.alter(idx, table, set, Work::Rewrite);
                }
                if let Some(parameters) = &change.with {
                    let was = before.and_then(|table| table.with.as_deref());
                    for set in ddl::set_parameters(was, parameters.as_deref()) {
                        self.alter(idx, table, &set, Work::None);
                    }
                }
                if let Some(name) = &change.tablespace {
                    let set = match name {
                        Some(name) => format!("SET TABLESPACE {}", quote(name)),
                        None => "SET TABLESPACE pg_default".to_owned(),
                    };
                    self.alter(idx, table, &set, Work::Rewrite);
                }
                if let Some(comment) = &change.comment {
                    let sql = ddl::comment_on_table(table, comment.as_deref());
                    self.push(idx, sql, Some(cost::comment(table)));
                }
                Ok(())
            }
            Operation::AddColumn { table, column, using, .. } => {
                self.add_column(idx, table, column, using.as_deref())
            }
            Operation::DropColumn { table, column } => match before {
                Some(before) => self.drop_column(idx, before, table, column),
                None => Ok(()),
            },
            Operation::AlterColumn { column, change, .. } => {
                match before.and_then(|table| Some((table, table.find_column(column)?))) {
                    Some((table, was)) => {
                        if let Some(identity) = change.identity {
                            self.alter_identity(idx, table, was, identity)?;
                        }
                        self.alter_with_values(idx, table, was, change)
                    }
                    None => Ok(()),
                }
            }
            Operation::RenameColumn { table, from, to } => {
                let rename = format!("RENAME COLUMN {} TO {}", quote(from), quote(to));
                self.alter(idx, table, &rename, Work::None);
                self.rename_values(idx, before, table);
                if let Some(Some(name)) = self.generating.get_mut(table) {
                    if name == from {
                        to.clone_into(name);
                    }
                }
                Ok(())
            }
            Operation::AddPrimaryKey { table, primary_key } => {
                for name in &primary_key.columns {
                    let column = before.and_then(|table| table.find_column(name));
                    if let Some(column) = column.filter(|column| column.nullable) {
                        self.guard_rows(guards::not_null(table, name, Some(&column.ty)));
                    }
                }
                let add = format!("ADD {}", ddl::primary_key(primary_key));
                self.alter(idx, table, &add, Work::IndexBuild);
                Ok(())
            }
            Operation::DropPrimaryKey { table, name } => {
                self.refuse_used(idx, table, None)?;
                self.drop_primary_key(idx, before, table, name);
                Ok(())
            }
            Operation::AddUnique { table, unique } => self.add_unique(idx, table, unique),
            Operation::DropUnique { table, name } => {
                self.drop_unique(idx, before, table, name);
                Ok(())
            }
            Operation::AddForeignKey { table, foreign_key } => {
                self.add_foreign_key(idx, table, foreign_key);
                Ok(())
            }
            Operation::DropForeignKey { table, name } => {
                self.drop_foreign_key(idx, before, table, name);
                Ok(())
            }
            Operation::AddCheck { table, check } => {
                self.add_check(idx, table, check);
                Ok(())
            }
            Operation::DropCheck { table, name } => {
                self.drop_check(idx, before, table, name);
                Ok(())
            }
            Operation::CreateIndex { table, index } => {
                let sql = self.ddl(idx).create_index(table, index)?;
                if index.concurrently && !index.is_exclusion() && !self.created.contains(table) {
                    self.build_concurrently(idx, table, index, sql);
                } else {
                    self.push(idx, sql, Some(cost::of_index(table, index)));
                }
                Ok(())
            }
            Operation::DropIndex { table, name } => {
                self.set_aside_keys_over_index(idx, before, name);
                let Some(before) = before else { return Ok(()) };
                let sql = ddl::drop_index(before, name);
                self.push(idx, sql, Some(cost::alter(table, Work::None)));
                Ok(())
            }
            Operation::RenameIndex { table, from, to } => {
                let index = ddl::beside(table, from);
                let sql = format!("ALTER INDEX {index} RENAME TO {}", quote(to));
                self.push(idx, sql, None);
                Ok(())
            }
            Operation::Execute(statement) => match statement.sql.text(Backend::Postgres) {
                Some(sql) => {
                    self.before_rows(idx)?;
                    let (sql, kind) = (sql.to_owned(), StatementKind::Raw);
                    self.tasks.push(task(operation, sql, kind, None));
                    self.has_changed_rows = true;
                    // It may have created or dropped some.
                    self.note_enumerations();
                    Ok(())
                }
                None => Err(Refusal {
                    message: format!(
                        "cannot {operation} on PostgreSQL: it has no SQL for PostgreSQL"
                    ),
                    hint: Some("add one with `.postgres(\"...\")`; it may be empty".to_owned()),
                }),
            },
            Operation::BulkInsert { table, columns, rows } => {
                let Some(table) = self.schema.table(table).cloned() else { return Ok(()) };
                let table = &table;
                if let Some(why) = ddl::too_long(table, columns, rows) {
                    let hint = "shorten the text, or give the column a longer type first";
                    return Err(self.ddl(idx).refuse(&why, hint));
                }
                self.before_rows(idx)?;
                for sql in ddl::inserts(table, columns, rows) {
                    self.change_rows(idx, sql);
                }
                if let Some(key) = self.generating(table) {
                    if columns.contains(&key) {
                        let sql = sequence::continued(&table.name, &key);
                        self.tasks.push(task(operation, sql, StatementKind::Native, None));
                    }
                }
                Ok(())
            }
            Operation::Run(step) => {
                self.before_rows(idx)?;
                if step.batch.is_some() {
                    self.border();
                }
                let (name, batch) = (step.name.clone(), step.batch.clone());
                let is_batched = batch.is_some();
                self.tasks.push(Task::Step { operation: idx, name, batch });
                self.has_changed_rows = true;
                if is_batched {
                    self.border();
                }
                Ok(())
            }
            Operation::Makes(_) | Operation::Drops(_) => Ok(()),
        }
    }

    fn create_table(&mut self, idx: usize, table: &Table) -> Result<(), Refusal> {
        self.refuse_enumeration_named(idx, &table.name)?;
        self.provide_schema(idx, &table.name)?;
        for column in &table.columns {
            self.provide_enumeration(idx, &table.name, column)?;
        }
        let ddl = self.ddl(idx);
        let is_present = |target: &str| target == table.name || self.schema.table(target).is_some();
        let keys = &table.foreign_keys;
        let (present, missing): (Vec<_>, Vec<_>) =
            keys.iter().partition(|foreign_key| is_present(&foreign_key.references_table));
        let others = present.iter().map(|foreign_key| foreign_key.references_table.as_str());
        let others: BTreeSet<&str> =
            others.filter(|name| *name != table.name && !self.created.contains(*name)).collect();
        let sql = ddl.create_table(table, |foreign_key| {
            present.iter().any(|present| present.name == foreign_key.name)
        })?;
        self.created.insert(table.name.clone());
        self.push(idx, sql, cost::referenced(others));
        for foreign_key in missing {
            self.pending.push((table.name.clone(), foreign_key.name.clone(), idx));
        }
        for index in &table.indexes {
            let sql = self.ddl(idx).create_index(&table.name, index)?;
            self.push(idx, sql, Some(cost::of_index(&table.name, index)));
        }
        if let Some(comment) = &table.comment {
            let sql = ddl::comment_on_table(&table.name, Some(comment));
            self.push(idx, sql, Some(cost::comment(&table.name)));
        }
        for column in &table.columns {
            self.comment(idx, &table.name, column);
        }
        Ok(())
    }

    fn comment(&mut self, idx: usize, table: &str, column: &Column) {
        if let Some(comment) = &column.comment {
            let sql = ddl::comment_on_column(table, &column.name, Some(comment));
            self.push(idx, sql, Some(cost::comment(table)));
        }
    }

    fn drop_table(&mut self, idx: usize, table: &str) -> Result<(), Refusal> {
        self.free_of_keys(idx, table)?;
        self.push(
            idx,
            format!("DROP TABLE {}", ddl::relation(table)),
            Some(cost::alter(table, Work::None)),
        );
        self.created.remove(table);
        self.generating.remove(table);
        self.absent.retain(|(of, _)| of != table);
        self.pending.retain(|(of, ..)| of != table);
        Ok(())
    }

    fn add_column(
        &mut self,
        idx: usize,
        table: &str,
        column: &Column,
        using: Option<&str>,
    ) -> Result<(), Refusal> {
        let Some(after) = self.schema.table(table).cloned() else { return Ok(()) };
        self.provide_enumeration(idx, table, column)?;
        let ddl = self.ddl(idx);
        let generates = using.is_none() && self.will_generate(idx, &after, column);
        let Some(using) = using else {
            let has_default = ddl::default_of(column).is_some();
            let needs_value =
                !column.nullable && !has_default && column.generated.is_none() && !generates;
            if needs_value && self.may_have_rows(table) {
                self.guard_rows(guards::no_rows(table, &column.name));
            }
            let add = format!("ADD COLUMN {}", ddl.column(&after, column, generates)?);
            if let Some(old) = self.generating(&after).filter(|_| generates) {
                self.stop_generating(idx, table, &old);
            }
            self.alter(idx, table, &add, ddl::work_of_column(column, generates));
            if generates {
                self.generating.insert(table.to_owned(), Some(column.name.clone()));
            }
            self.add_values_of(idx, table, column);
            self.comment(idx, table, column);
            return Ok(());
        };
        self.guard_given(&after, column, using);
        if constant::is_constant(using, &column.ty) {
            self.add_with_constant(idx, &after, column, using)?;
        } else {
            let bare = Column { nullable: true, default: None, ..column.clone() };
            let add = format!("ADD COLUMN {}", ddl.column(&after, &bare, false)?);
            self.alter(idx, table, &add, Work::None);
            self.give(idx, table, column, using)?;
        }
        self.add_values_of(idx, table, column);
        self.comment(idx, table, column);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Refusal> {
        self.reached = self.operations.len();
        self.put_views_up();
        self.settle_all_generating()?;
        self.add_pending_keys()?;
        self.validate();
        Ok(())
    }

    /// The name that a table had at the beginning.
    pub(super) fn name_before<'b>(&'b self, table: &'b str) -> &'b str {
        self.names_before.get(table).map_or(table, String::as_str)
    }

    /// Sets dependents of a table's columns aside, and returns what creates them again.
    pub(super) fn set_aside(
        &mut self,
        idx: usize,
        changing: aside::Changing<'_>,
    ) -> Result<Statements, Refusal> {
        let Aside { down, up, keys_of } =
            aside::aside(&self.ddl(idx), changing, &self.absent, &self.other_names)?;
        let table = changing.table.name.as_str();
        let changed = changing.retyped.iter().chain(changing.replaced).copied();
        let changed: BTreeSet<&str> = changed.chain(keys_of.iter().map(String::as_str)).collect();
        for column in changed {
            self.take_views_down(idx, (table, column), false)?;
        }
        for column in &keys_of {
            self.set_aside_keys_of(idx, &changing.table.name, column);
        }
        self.push_all(idx, down);
        Ok(up)
    }

    pub(super) fn push_all(&mut self, idx: usize, statements: Statements) {
        for (sql, cost) in statements {
            self.push(idx, sql, Some(cost));
        }
    }

    pub(super) fn alter(&mut self, idx: usize, table: &str, change: &str, work: Work) {
        let sql = format!("ALTER TABLE {} {change}", ddl::relation(table));
        self.push(idx, sql, Some(cost::alter(table, work)));
    }

    /// Adds a statement that changes definitions.
    pub(super) fn push(&mut self, idx: usize, sql: String, cost: Option<Cost>) {
        self.check_deferred(idx);
        let cost = cost.and_then(|cost| self.seen(cost));
        self.tasks.push(task(&self.operations[idx], sql, StatementKind::Native, cost));
    }

    /// Adds a statement that changes rows.
    pub(super) fn change_rows(&mut self, idx: usize, sql: String) {
        let (operation, cost) = (&self.operations[idx], Some(cost::rows()));
        self.tasks.push(task(operation, sql, StatementKind::Native, cost));
        self.has_changed_rows = true;
    }

    pub(super) fn guard(&mut self, guard: Guard) {
        self.tasks.push(Task::Guard(guard));
    }

    /// Whether a table may have rows: it was there before, or this plan may have inserted some.
    pub(super) fn may_have_rows(&self, table: &str) -> bool {
        !self.created.contains(table) || self.has_inserted
    }

    /// What a statement costs others, who don't see the tables of this plan.
    fn seen(&self, mut cost: Cost) -> Option<Cost> {
        cost.locks.retain(|(table, _)| !self.created.contains(table));
        (!cost.locks.is_empty()).then_some(cost)
    }

    fn has_deferrable(&self) -> bool {
        let mut keys = self.schema.tables.values().flat_map(|table| &table.foreign_keys);
        keys.any(|foreign_key| foreign_key.deferrable.is_some())
    }

    /// Has deferred foreign keys checked: a table can't be changed while they wait for their check.
    fn check_deferred(&mut self, idx: usize) {
        if self.has_changed_rows && self.has_deferrable() {
            let sql = "SET CONSTRAINTS ALL IMMEDIATE".to_owned();
            self.tasks.push(task(&self.operations[idx], sql, StatementKind::Native, None));
            self.checks_at_once = true;
        }
        self.has_changed_rows = false;
    }

    /// Has foreign keys deferred again for what changes rows.
    fn before_rows(&mut self, idx: usize) -> Result<(), Refusal> {
        self.has_inserted = true;
        self.settle_all_generating()?;
        if !std::mem::take(&mut self.checks_at_once) {
            return Ok(());
        }
        let deferred = ddl::initially_deferred(self.schema, &self.pending);
        if !deferred.is_empty() {
            let sql = format!("SET CONSTRAINTS {} DEFERRED", deferred.join(", "));
            self.tasks.push(task(&self.operations[idx], sql, StatementKind::Native, None));
        }
        Ok(())
    }
}

pub(super) fn task(
    operation: &Operation,
    sql: String,
    kind: StatementKind,
    cost: Option<Cost>,
) -> Task {
    let reason = operation.to_string();
    Task::Statement(Statement { sql, reason, kind, scratch: None, cost })
}
