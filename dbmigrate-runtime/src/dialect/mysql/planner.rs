//! Translates operations to tasks, in order.
//!
//! Each change of a definition commits by itself, so it is a task outside of transactions, with a
//! query that tells whether it has happened. Changes of one table are one statement where that
//! makes none of them more expensive.

use std::collections::{BTreeMap, BTreeSet};

use super::class::{self, Class};
use super::clause::{Alter, Clause};
use super::ddl::{self, Ddl};
use super::effect::Effect;
use super::flavor::{Flavor, closed, quote, text};
use super::limits::{self, Limits};
use super::parse::Parsed;
use super::{guards, hidden, names, raw, size, text_enum};
use crate::dialect::{
    Alone, Facts, Guard, Plan, Refusal, Statement, StatementKind, Task, Uncommitted,
};
use crate::folding::NameRules;
use crate::operations::Operation;
use crate::schema::{Check, ForeignKey, Index, IndexTerm, Schema, Table};
use crate::written;

pub(super) fn plan(
    flavor: Flavor,
    operations: &[Operation],
    schema: &mut Schema,
    facts: &Facts,
    rules: NameRules,
) -> Result<Plan, Refusal> {
    let Some(run) = hidden::operations(flavor, operations, schema, rules)? else {
        return planned(Planner::new(flavor, operations, schema, facts), rules);
    };
    let hidden::Run { operations: lowered, mut before } = run;
    let own: Vec<Operation> = lowered.iter().map(|part| part.operation.clone()).collect();
    let parts: Vec<_> = lowered
        .into_iter()
        .map(|part| Part { of: part.of, operation: &operations[part.of], reason: part.reason })
        .collect();
    let mut planner = Planner::new(flavor, &own, &mut before, facts);
    planner.parts = &parts;
    let mut plan = planned(planner, rules)?;
    for task in &mut plan.tasks {
        if let Task::Step { operation, .. } = task {
            *operation = parts[*operation].of;
        }
    }
    plan.taken = operations.len();
    Ok(plan)
}

/// What an operation is a part of, where an operation is planned in several.
pub(super) struct Part<'a> {
    of: usize,
    operation: &'a Operation,
    reason: Option<String>,
}

fn planned(mut planner: Planner<'_>, rules: NameRules) -> Result<Plan, Refusal> {
    let operations = planner.operations;
    planner.look_at_tables();
    for idx in 0..operations.len() {
        planner.take(idx, rules)?;
    }
    planner.add_pending()?;
    planner.flush();
    let Planner { guards, tasks, .. } = planner;
    let tasks = guards.into_iter().map(Task::Guard).chain(tasks).collect();
    Ok(Plan { tasks, taken: operations.len(), uncommitted: Uncommitted::default() })
}

/// A foreign key that the schema has and the database lacks for now.
pub(super) struct Pending {
    pub(super) table: String,
    pub(super) name: String,
    /// The operation that needs it.
    pub(super) idx: usize,
}

pub(super) struct Planner<'a> {
    pub(super) flavor: Flavor,
    pub(super) operations: &'a [Operation],
    /// What each of them is a part of; empty if each is planned as it is.
    parts: &'a [Part<'a>],
    /// The schema after the current operation.
    pub(super) schema: &'a mut Schema,
    pub(super) facts: &'a Facts,
    /// What is looked at before anything changes.
    guards: Vec<Guard>,
    pub(super) tasks: Vec<Task>,
    /// The statement that changes are added to.
    pub(super) open: Option<Alter>,
    /// The tables that this plan creates, which nobody else uses yet.
    pub(super) created: BTreeSet<String>,
    /// The foreign keys that the schema still has and the database lacks, with their tables.
    pub(super) absent: BTreeSet<(String, String)>,
    /// The foreign keys that are created at the end.
    pub(super) pending: Vec<Pending>,
    /// The names of everything that was changed so far, in lower case.
    pub(super) touched: BTreeSet<String>,
    /// What tables had before that makes changes more expensive.
    pub(super) limits: BTreeMap<String, Limits>,
    /// The tables that the database has, as it defines them, by their names in this plan.
    pub(super) definitions: BTreeMap<String, Parsed>,
    /// The indexes that were dropped, with their tables.
    dropped: Vec<(String, String)>,
    /// Whether rows may have changed so far.
    pub(super) has_changed_rows: bool,
    /// What existing rows get in the columns that this plan adds, by table and column; `None` for
    /// NULL.
    pub(super) new_values: BTreeMap<(String, String), Option<String>>,
}

impl<'a> Planner<'a> {
    fn new(
        flavor: Flavor,
        operations: &'a [Operation],
        schema: &'a mut Schema,
        facts: &'a Facts,
    ) -> Planner<'a> {
        Planner {
            flavor,
            operations,
            parts: &[],
            schema,
            facts,
            guards: Vec::new(),
            tasks: Vec::new(),
            open: None,
            created: BTreeSet::new(),
            absent: BTreeSet::new(),
            pending: Vec::new(),
            touched: BTreeSet::new(),
            limits: BTreeMap::new(),
            definitions: BTreeMap::new(),
            dropped: Vec::new(),
            has_changed_rows: false,
            new_values: BTreeMap::new(),
        }
    }

    pub(super) fn ddl(&self, idx: usize) -> Ddl<'a> {
        Ddl { flavor: self.flavor, facts: self.facts, operation: self.named(idx) }
    }

    /// The operation as the revision has it.
    pub(super) fn named(&self, idx: usize) -> &'a Operation {
        self.parts.get(idx).map_or(&self.operations[idx], |part| part.operation)
    }

    /// Why a statement is in the plan.
    pub(super) fn reason(&self, idx: usize) -> String {
        let own = self.parts.get(idx).and_then(|part| part.reason.clone());
        own.unwrap_or_else(|| self.named(idx).to_string())
    }

    fn take(&mut self, idx: usize, rules: NameRules) -> Result<(), Refusal> {
        let operation = &self.operations[idx];
        let backend = self.flavor.backend();
        // The whole of which these are parts has been looked at.
        if self.parts.is_empty() {
            if let Some(mistake) = written::in_operation(operation, self.schema, backend, rules) {
                return Err(Refusal::mistake(operation, backend, mistake));
            }
            names::look(self.flavor, operation)?;
        }
        let before = operation.tables().first().and_then(|name| self.schema.table(name)).cloned();
        operation.apply(self.schema).map_err(|err| Refusal {
            message: err.to_string(),
            hint: Some("compare the revision with those before it".to_owned()),
        })?;
        self.operation(idx, before.as_ref())
    }

    /// Plans an operation, given its table before it.
    fn operation(&mut self, idx: usize, before: Option<&Table>) -> Result<(), Refusal> {
        let operation = &self.operations[idx];
        let named = operation.tables().last().map(|name| (*name).to_owned());
        let after = named.as_ref().and_then(|name| self.schema.table(name)).cloned();
        let grows = matches!(
            operation,
            Operation::CreateTable(_)
                | Operation::AddColumn { .. }
                | Operation::AlterColumn { .. }
                | Operation::CreateIndex { .. }
                | Operation::AddUnique { .. }
                | Operation::AddForeignKey { .. }
        );
        if let Some(after) = after.as_ref().filter(|_| grows) {
            self.ddl(idx).has_room(after)?;
        }
        if let Some(before) = before {
            self.can_be_altered(idx, &before.name)?;
        }
        match (operation, before, after.as_ref()) {
            (Operation::CreateTable(table), ..) => self.create_table(idx, table),
            (Operation::DropTable { table }, ..) => self.drop_table(idx, table),
            (Operation::RenameTable { from, to }, Some(before), Some(after)) => {
                self.rename_table(idx, [before, after], from, to);
                Ok(())
            }
            (Operation::AlterTable { table, change }, ..) => {
                if let Some(comment) = &change.comment {
                    let comment = text(comment.as_deref().unwrap_or_default());
                    let class = class::small(self.flavor);
                    let sql = format!("COMMENT={comment}");
                    self.alter(idx, table, vec![Clause::new(sql, class, "", Effect::Unseen)]);
                }
                match (before, after.as_ref()) {
                    (Some(before), Some(after)) => self.alter_options(idx, [before, after]),
                    _ => Ok(()),
                }
            }
            (Operation::AddColumn { table, column, using, .. }, _, Some(after)) => {
                self.add_column(idx, (table, after), column, using.as_deref())
            }
            (Operation::DropColumn { table, column }, Some(before), _) => {
                self.drop_column(idx, before, table, column);
                Ok(())
            }
            (Operation::AlterColumn { column, change, .. }, Some(before), Some(after)) => {
                self.alter_column(idx, [before, after], column, change)
            }
            (Operation::RenameColumn { from, to, .. }, Some(before), Some(after)) => {
                self.rename_column(idx, [before, after], from, to)
            }
            (
                Operation::AddPrimaryKey { .. } | Operation::DropPrimaryKey { .. },
                Some(before),
                Some(after),
            ) => self.change_primary_key(idx, [before, after]),
            (Operation::AddUnique { table, unique }, Some(before), Some(after)) => {
                let add = format!("ADD {}", self.ddl(idx).unique(after, unique)?);
                let what = format!("unique constraint `{}`", unique.name);
                if let Some(guard) = self.unique_guard(table, &what, &unique.columns) {
                    self.guard(guard);
                }
                let class = self.unique_class(after, &unique.columns);
                let effect = Effect::Index(table.clone(), unique.name.clone(), true);
                let clause =
                    Clause::new(add, class, &unique.name, effect).with_needs(&unique.columns);
                self.with_own_indexes(idx, [before, after], vec![clause]);
                Ok(())
            }
            (Operation::DropUnique { name, .. }, Some(before), Some(after))
            | (Operation::DropIndex { name, .. }, Some(before), Some(after)) => {
                let mut clause = self.drop_index(&after.name, name);
                let is_over_expression = |index: &Index| {
                    let mut terms = index.columns.iter().map(|key| &key.term);
                    index.name == *name
                        && index.unique
                        && terms.any(|term| matches!(term, IndexTerm::Expression(_)))
                };
                if before.indexes.iter().any(is_over_expression) {
                    clause.class = Class::Copy;
                } else if limits::is_order(before, name) {
                    clause.class = Class::Open;
                }
                self.with_own_indexes(idx, [before, after], vec![clause]);
                Ok(())
            }
            (Operation::AddForeignKey { table, foreign_key }, Some(before), Some(after)) => {
                self.add_foreign_key(idx, [before, after], table, foreign_key)
            }
            (Operation::DropForeignKey { table, name }, Some(before), Some(after)) => {
                self.drop_foreign_key(idx, [before, after], table, name);
                Ok(())
            }
            (Operation::AddCheck { table, check }, _, Some(after)) => {
                self.ddl(idx).can_be_checked(after, check)?;
                self.guard(guards::check(table, check));
                let clause = self.add_check(table, check);
                self.alter(idx, table, vec![clause]);
                Ok(())
            }
            (Operation::DropCheck { table, name }, before, after) => {
                let check = before.into_iter().flat_map(|before| &before.checks);
                let clause = match (check.into_iter().find(|check| check.name == *name), after) {
                    (Some(check), Some(after)) => self.drop_own_check(idx, after, check)?,
                    _ => None,
                };
                let clause = clause.unwrap_or_else(|| self.drop_check(table, name));
                self.alter(idx, table, vec![clause]);
                Ok(())
            }
            (Operation::CreateIndex { index, .. }, Some(before), Some(after)) => {
                let clause = self.create_index(idx, after, index)?;
                self.with_own_indexes(idx, [before, after], vec![clause]);
                Ok(())
            }
            (Operation::RenameIndex { table, from, to }, ..) => {
                let sql = format!("RENAME INDEX {} TO {}", quote(from), quote(to));
                let effect = Effect::Index(table.clone(), to.clone(), true);
                let clause = Clause::new(sql, class::small(self.flavor), to, effect);
                self.alter(idx, table, vec![clause.with_names([from])]);
                Ok(())
            }
            (Operation::Execute(statement), ..) => self.execute(idx, statement),
            (Operation::BulkInsert { columns, rows, .. }, ..) => {
                let Operation::BulkInsert { table, .. } = operation else { return Ok(()) };
                let Some(table) = self.schema.table(table).cloned() else { return Ok(()) };
                for sql in ddl::inserts(self.flavor, &table, columns, rows) {
                    self.change_rows(idx, sql);
                }
                Ok(())
            }
            (Operation::Run(step), ..) => {
                self.flush();
                // Its transaction has nothing else in it.
                self.border();
                let (name, batch) = (step.name.clone(), step.batch.clone());
                self.tasks.push(Task::Step { operation: idx, name, batch });
                self.border();
                self.has_changed_rows = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Ends a transaction that has something to do.
    fn border(&mut self) {
        if self.tasks.last().is_some_and(|task| !task.is_between_groups()) {
            self.tasks.push(Task::Border);
        }
    }

    fn execute(
        &mut self,
        idx: usize,
        statement: &crate::operations::Execute,
    ) -> Result<(), Refusal> {
        let title = self.flavor.title();
        let Some(sql) = statement.sql.text(self.flavor.backend()) else {
            return Err(Refusal {
                message: format!(
                    "cannot {} on {title}: it has no SQL for {title}",
                    self.named(idx)
                ),
                hint: Some("add one with `.mysql(\"...\")`; it may be empty".to_owned()),
            });
        };
        self.flush();
        self.border();
        let reason = self.reason(idx);
        for (sql, is_of_rows) in raw::statements(self.flavor.lexicon(), sql) {
            let (reason, kind) = (reason.clone(), StatementKind::Raw);
            let mut statement = Statement { sql, reason, kind, scratch: None, cost: None };
            if is_of_rows {
                self.tasks.push(Task::Statement(statement));
                continue;
            }
            // It commits by itself.
            self.outdate(&statement.sql);
            statement.cost = class::of_definition(None, self.facts);
            self.tasks.push(Task::Alone(Alone { statement, is_done: None, remnant: None }));
        }
        self.border();
        self.has_changed_rows = true;
        Ok(())
    }

    fn create_table(&mut self, idx: usize, table: &Table) -> Result<(), Refusal> {
        self.flush();
        let is_present = |foreign_key: &ForeignKey| {
            let target = &foreign_key.references_table;
            *target == table.name || self.schema.table(target).is_some()
        };
        for index in &table.indexes {
            self.look_at_index(idx, index)?;
        }
        let sql = self.ddl(idx).create_table(table, is_present)?;
        let missing = table.foreign_keys.iter().filter(|foreign_key| !is_present(foreign_key));
        let missing: Vec<Pending> = missing
            .map(|foreign_key| Pending {
                table: table.name.clone(),
                name: foreign_key.name.clone(),
                idx,
            })
            .collect();
        for pending in &missing {
            let foreign_key = table.foreign_keys.iter().find(|key| key.name == pending.name);
            foreign_key.map_or(Ok(String::new()), |key| self.ddl(idx).foreign_key(table, key))?;
        }
        self.pending.extend(missing);
        self.created.insert(table.name.clone());
        self.touched.insert(table.name.to_lowercase());
        let effect = Effect::Table(table.name.clone(), true);
        self.define(idx, sql, effect, None);
        Ok(())
    }

    fn drop_table(&mut self, idx: usize, table: &str) -> Result<(), Refusal> {
        self.flush();
        let of_others: Vec<(String, String)> = self
            .schema
            .tables
            .values()
            .flat_map(|other| other.foreign_keys.iter().map(move |key| (&other.name, key)))
            .filter(|(_, key)| key.references_table == table)
            .map(|(other, key)| (other.clone(), key.name.clone()))
            .filter(|place| !self.absent.contains(place) && !self.is_pending(place))
            .collect();
        for (other, name) in of_others {
            let goes = self.operations[idx..].iter().any(|later| match later {
                Operation::DropTable { table } => *table == other,
                Operation::DropForeignKey { table, name: key } => *table == other && *key == name,
                _ => false,
            });
            if !goes {
                let why = format!("foreign key `{name}` of table `{other}` refers to it");
                return Err(self.ddl(idx).refuse(&why, "drop that foreign key first"));
            }
            let clause = self.drop_key(&other, &name);
            self.alter(idx, &other, vec![clause]);
            self.flush();
            self.absent.insert((other, name));
        }
        self.guard_views(idx, table, None);
        let cost = (!self.created.contains(table)).then(|| class::of_table(table));
        let sql = format!("DROP TABLE {}", quote(table));
        self.define(idx, sql, Effect::Table(table.to_owned(), false), cost);
        self.created.remove(table);
        self.touched.insert(table.to_lowercase());
        self.absent.retain(|(of, _)| of != table);
        self.pending.retain(|pending| pending.table != table);
        Ok(())
    }

    pub(super) fn is_pending(&self, (table, name): &(String, String)) -> bool {
        self.pending.iter().any(|pending| pending.table == *table && pending.name == *name)
    }

    fn rename_table(&mut self, idx: usize, [before, after]: [&Table; 2], from: &str, to: &str) {
        self.guard_views(idx, from, None);
        let cost = (!self.created.contains(from)).then(|| class::of_table(from));
        let sql = format!("RENAME TABLE {} TO {}", quote(from), quote(to));
        self.define(idx, sql, Effect::Table(to.to_owned(), true), cost);
        if self.created.remove(from) {
            self.created.insert(to.to_owned());
        }
        if let Some(limits) = self.limits.remove(from) {
            self.limits.insert(to.to_owned(), limits);
        }
        if let Some(changed) = self.definitions.remove(from) {
            self.definitions.insert(to.to_owned(), changed);
        }
        self.touched.extend([from.to_lowercase(), to.to_lowercase()]);
        let renamed = |(table, name): (String, String)| {
            (if table == from { to.to_owned() } else { table }, name)
        };
        self.absent = std::mem::take(&mut self.absent).into_iter().map(renamed).collect();
        for pending in self.pending.iter_mut().filter(|pending| pending.table == from) {
            to.clone_into(&mut pending.table);
        }
        // The checks of enumerations are named after their table.
        let clauses = self.changed_value_checks(before, after);
        self.alter(idx, to, clauses);
    }

    /// Drops the checks of enumerations that a table no longer has, and adds the new ones.
    pub(super) fn changed_value_checks(&self, before: &Table, after: &Table) -> Vec<Clause> {
        let (was, is): (Vec<_>, Vec<_>) =
            (text_enum::checks(before).collect(), text_enum::checks(after).collect());
        let gone = was.iter().filter(|check| !is.contains(check));
        let mut clauses: Vec<_> =
            gone.map(|check| self.drop_check(&after.name, &check.name)).collect();
        let new = is.iter().filter(|check| !was.contains(check));
        clauses.extend(new.map(|check| self.add_check(&after.name, check)));
        clauses
    }

    /// Refuses what is not as it seems on this version.
    fn look_at_index(&self, idx: usize, index: &Index) -> Result<(), Refusal> {
        if self.ddl(idx).can_descend(index) {
            return Ok(());
        }
        let why = format!(
            "index `{}` has a column in descending order, which MariaDB ignores before 10.8",
            index.name
        );
        Err(self
            .ddl(idx)
            .refuse(&why, "remove `desc`: the server can scan an ascending index backwards"))
    }

    fn create_index(
        &mut self,
        idx: usize,
        table: &Table,
        index: &Index,
    ) -> Result<Clause, Refusal> {
        self.look_at_index(idx, index)?;
        let add = format!("ADD {}", self.ddl(idx).index(table, index)?);
        let columns: Vec<String> = size::columns_of(index).into_iter().cloned().collect();
        if index.unique {
            let what = format!("index `{}`", index.name);
            let terms = index.columns.iter().map(|key| {
                let term = match &key.term {
                    IndexTerm::Expression(expression) => format!("({})", closed(expression)),
                    IndexTerm::Column(name) => {
                        let own = table.find_column(name).and_then(hidden::expression);
                        own.map_or_else(|| quote(name), |own| format!("({})", closed(own)))
                    }
                };
                key.prefix.map_or_else(|| term.clone(), |length| format!("left({term}, {length})"))
            });
            self.guard(guards::unique_terms(&table.name, &what, &terms.collect::<Vec<_>>()));
        }
        let class = self.index_class(table, index);
        let effect = Effect::Index(table.name.clone(), index.name.clone(), true);
        let clause = Clause::new(add, class, &index.name, effect).with_needs(&columns);
        // One statement adds one of them.
        let is_special = super::index::special(index).is_some();
        let clause = if is_special { clause.with_names([&"FULLTEXT".to_owned()]) } else { clause };
        // An expression may name any column.
        let all: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        Ok(if columns.len() < index.columns.len() { clause.with_names(&all) } else { clause })
    }

    pub(super) fn drop_index(&mut self, table: &str, name: &str) -> Clause {
        self.dropped.push((table.to_owned(), name.to_owned()));
        let effect = Effect::Index(table.to_owned(), name.to_owned(), false);
        Clause::new(format!("DROP INDEX {}", quote(name)), Class::NoCopy, name, effect)
    }

    pub(super) fn add_check(&self, table: &str, check: &Check) -> Clause {
        let sql = format!("ADD {}", ddl::check(check));
        let effect = Effect::Constraint(table.to_owned(), check.name.clone(), true);
        let clause = Clause::new(sql, Class::Copy, &check.name, effect);
        let columns = self.schema.table(table).map(|table| &table.columns);
        let names = columns.into_iter().flatten().map(|column| &column.name);
        let lexicon = self.flavor.lexicon();
        let named: Vec<String> =
            names.filter(|name| lexicon.mentions(&check.expression, name)).cloned().collect();
        clause.with_needs(&named)
    }

    /// Adds a query that must find nothing: before everything else if nothing that it is about has
    /// changed by then.
    pub(super) fn guard(&mut self, guard: Guard) {
        let lexicon = self.flavor.lexicon();
        let mentions = |name: &String| lexicon.mentions(&guard.sql, name);
        let is_free = !self.has_changed_rows && !self.touched.iter().any(mentions);
        if is_free {
            self.guards.push(guard);
            return;
        }
        // A column that the statement itself adds can't be looked at before.
        let open = self.open.as_ref();
        if open.is_some_and(|open| open.new_columns.iter().any(mentions)) {
            return;
        }
        if open.is_some_and(|open| open.names.iter().any(mentions)) {
            self.flush();
        }
        self.tasks.push(Task::Guard(guard));
    }

    /// Adds a guard over the rows of a table, unless they can only be those of this plan.
    pub(super) fn guard_existing(&mut self, table: &str, guard: Guard) {
        if !self.created.contains(table) || self.has_changed_rows {
            self.guard(guard);
        }
    }

    /// Looks for views that the change would break.
    pub(super) fn guard_views(&mut self, idx: usize, table: &str, column: Option<&str>) {
        if !self.created.contains(table) {
            let what = self.named(idx).to_string();
            self.guard(guards::no_view(&what, table, column));
            self.guard(guards::no_trigger(&what, table, column));
        }
    }

    /// Looks for indexes that nobody knows of.
    pub(super) fn guard_indexes(&mut self, before: &Table, column: &str) {
        if !self.created.contains(&before.name) {
            let dropped = self.dropped.iter().filter(|(table, _)| *table == before.name);
            let mut known: Vec<String> = dropped.map(|(_, name)| name.clone()).collect();
            known.sort();
            self.guard(guards::unused(&before.name, column, &known));
        }
    }
}
