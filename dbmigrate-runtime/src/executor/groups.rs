//! A revision that takes several transactions, or statements outside of any.
//!
//! Each group of its tasks is entered into the ledger together with its work, so that a run after an
//! interrupted one continues behind the last group that is done.

use std::collections::BTreeSet;
use std::time::Instant;

use super::budget::Budget;
use super::revision::Run;
use super::verify::{self, Verification};
use super::{Applied, Executor, Halfway, Scope};
use crate::Error;
use crate::dialect::{Alone, Dialect, Facts, Task};
use crate::direction::Direction;
use crate::driver::{DatabaseError, ErrorKind};
use crate::error::Remains;
use crate::ledger::{self, Reached, Row};
use crate::migration::Migration;
use crate::operations::{Batch, Operation};
use crate::pace::Took;
use crate::plan::{self, Planner};
use crate::{trace, version_table};

/// Splits tasks at their borders; a statement that stands alone is a group of its own.
pub(crate) fn groups(tasks: &[Task]) -> Vec<&[Task]> {
    let mut groups = Vec::new();
    let mut start = 0;
    for (idx, task) in tasks.iter().enumerate() {
        if !task.is_between_groups() {
            continue;
        }
        groups.push(&tasks[start..idx]);
        if task.is_alone() {
            groups.push(&tasks[idx..=idx]);
        }
        start = idx + 1;
    }
    groups.push(&tasks[start..]);
    groups.retain(|group| !group.is_empty());
    groups
}

/// A hash of what a group does.
fn hash(tasks: &[Task]) -> String {
    let mut hash = hmac_sha256::Hash::new();
    for task in tasks {
        hash.update(match task {
            Task::Statement(statement) => &statement.sql,
            Task::Guard(guard) => &guard.sql,
            Task::Step { name, .. } => name,
            Task::Alone(alone) => &alone.statement.sql,
            Task::Note(_) | Task::Border => continue,
        });
        hash.update([0]);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The row of the group at this position.
pub(crate) fn row(idx: usize, tasks: &[Task]) -> Row {
    let number = idx as i64 + 1;
    Row { number, hash: hash(tasks), is_done: true, before: String::new(), is_failed: false }
}

/// A group's place in the ledger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    /// What an earlier run left of it, unless that failed and so did nothing.
    pub(super) known: Option<&'a Row>,
    /// What is entered.
    pub(super) row: &'a Row,
    /// Whether the ledger has a row of this number.
    pub(super) is_there: bool,
    /// Whether the end of the revision says as well that a statement is done, and follows at once.
    pub(super) is_entered_at_end: bool,
}

impl<'a> Entry<'a> {
    /// The place of a group among the rows that an earlier run left.
    pub(super) fn of(row: &'a Row, left: &'a [Row]) -> Entry<'a> {
        let there = left.iter().find(|known| known.number == row.number);
        Entry {
            known: there.filter(|known| !known.is_failed),
            row,
            is_there: there.is_some(),
            is_entered_at_end: false,
        }
    }
}

/// A batched step, at its place among the operations of a revision.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batched<'a> {
    pub(super) operation: usize,
    pub(super) name: &'a str,
    pub(super) batch: &'a Batch,
}

/// How many tables may have been large or not when an earlier run began, in all combinations.
const MAX_TABLES: usize = 8;

/// The tables that operations may change in several groups.
pub(super) fn splittable<'a>(
    operations: &'a [Operation],
    dialect: &dyn Dialect,
) -> BTreeSet<&'a str> {
    let several = operations.iter().filter(|operation| dialect.may_take_groups(operation));
    several.flat_map(Operation::tables).collect()
}

/// The facts with which an earlier run has planned the groups that are done. A table may have become
/// large since, or have stopped being so.
pub(super) fn as_begun(
    facts: Facts,
    tables: &BTreeSet<&str>,
    done: &[Row],
    tasks_with: impl Fn(&Facts) -> Result<Vec<Task>, Error>,
) -> Facts {
    if done.is_empty() {
        return facts;
    }
    let n_tables = tables.len().min(MAX_TABLES);
    // Beyond the first tables, all that can be tried is that the others are as they are now.
    let (tried, others): (Vec<_>, Vec<_>) =
        tables.iter().enumerate().partition(|(idx, _)| *idx < n_tables);
    let is_large = |table: &&str| facts.large.contains(*table);
    let kept = others.into_iter().map(|(_, table)| table).filter(|table| is_large(table));
    let kept: Vec<String> = kept.map(|table| (*table).to_owned()).collect();
    let combination = |bits: u32| {
        let large = tried.iter().filter(|(idx, _)| bits & (1 << idx) != 0);
        let large = large.map(|(_, table)| (**table).to_owned()).chain(kept.iter().cloned());
        Facts { large: large.collect(), ..facts.clone() }
    };
    let mut candidates = std::iter::once(facts.clone()).chain((0..1 << n_tables).map(combination));
    let is_as_begun = |facts: &&Facts| {
        let Ok(tasks) = tasks_with(facts) else { return false };
        let rows: Vec<Row> =
            groups(&tasks).iter().enumerate().map(|(idx, tasks)| row(idx, tasks)).collect();
        let is_known = |known: &Row| {
            rows.iter().any(|row| row.number == known.number && row.hash == known.hash)
        };
        done.iter().all(is_known)
    };
    candidates.find(|facts| is_as_begun(&facts)).unwrap_or(facts)
}

impl Executor<'_> {
    /// Runs a pending revision group by group, while the lock of [`Scope::Alone`] is held. `known`
    /// are its rows in the ledger; `None` if that doesn't exist.
    pub(super) fn run_groups<'a>(
        &mut self,
        migration: &'a Migration,
        planner: &mut Planner<'a>,
        (server, known): (&Facts, Option<Vec<Row>>),
        budget: &mut Budget,
    ) -> Result<(), Error> {
        let id = &migration.revision.id;
        let direction = planner.direction();
        let dialect = self.driver.dialect();
        let ledger = ledger::beside(self.options.version_table());
        let is_missing = known.is_none();
        let mut done = known.unwrap_or_default();
        let is_taken_back = done.iter().any(|row| row.number < 0);
        if is_taken_back || self.options.halfway == Halfway::Restart && !done.is_empty() {
            self.take_back(migration, planner, &done, budget)?;
            done.clear();
        }
        let operations = planner.operations(migration);
        let facts = self.facts_for(operations, server)?;
        if dialect.capabilities().commits_definitions {
            verify::unhidden(self.conn(), planner.schema(), operations, &facts.existing)?;
        }
        let tasks_with = |facts: &Facts| Ok(planner.clone().next(migration, dialect, facts)?.tasks);
        let facts = as_begun(facts, &splittable(operations, dialect), &done, tasks_with);
        let begun = (!done.is_empty()).then(|| planner.clone());
        // The plan may be that one anyway.
        let is_stable = facts == plan::replayed(&facts);
        let stable =
            if is_stable { Vec::new() } else { self.replayed_groups(migration, planner, &facts)? };
        let planned = planner.next(migration, dialect, &facts)?;
        // The time of an interrupted run isn't known.
        let is_measured = direction == Direction::Upgrade && done.is_empty();
        let load = if is_measured { self.load(&planned.tasks)? } else { None };
        self.observer.running(direction, &migration.revision);
        let _span = trace::revision(direction, &migration.revision);
        self.driver.runs(id);
        let start = Instant::now();
        if is_missing {
            self.repeated(budget, |this| ledger::create(this.conn(), ledger))?;
        }
        let groups = groups(&planned.tasks);
        let is_continued = dialect.capabilities().commits_definitions;
        let n_tasks = match groups.iter().map(|tasks| tasks.len()).sum() {
            // There are borders around each statement there.
            n_tasks if is_continued => n_tasks,
            _ => planned.tasks.len(),
        };
        let mut run = Run {
            migration,
            direction,
            in_transaction: true,
            is_continued,
            is_taken_back: false,
            n_run: 0,
            n_tasks,
        };
        // A callback may fail, when nothing else would say that the last statement is done.
        let is_entered_at_end = self.options.callbacks.is_empty();
        // A first statement that failed has left nothing.
        let has_begun = |row: &Row| !row.is_failed || Reached::read(&row.before).is_some();
        let mut is_to_be_said = done.iter().any(has_begun);
        for (idx, tasks) in groups.iter().enumerate() {
            let hashed = stable.get(idx).filter(|_| stable.len() == groups.len());
            let row = row(idx, hashed.map_or(*tasks, Vec::as_slice));
            let mut entry = Entry::of(&row, &done);
            let is_edited = match entry.known {
                Some(known)
                    if known.hash != row.hash && self.options.halfway != Halfway::Resume =>
                {
                    // A script may have been written without the version of the server.
                    let offline = dialect.offline_facts();
                    let written = match &begun {
                        Some(begun) => self.replayed_groups(migration, begun, &offline)?,
                        None => Vec::new(),
                    };
                    written.get(idx).is_none_or(|tasks| known.hash != hash(tasks))
                }
                _ => false,
            };
            if is_edited {
                let named = (direction, row.number, groups.len());
                return Err(Error::edited_group(id, named));
            }
            if is_to_be_said && !entry.known.is_some_and(|known| known.is_done) {
                self.observer.continuing(idx + 1);
                is_to_be_said = false;
            }
            entry.is_entered_at_end = is_entered_at_end && idx + 1 == groups.len();
            self.run_group(&run, tasks, entry, budget)?;
            run.n_run += tasks.len();
        }
        let table = self.options.version_table();
        let mut is_empty = false;
        self.in_group(budget, |this| {
            let conn = this.conn();
            match direction {
                Direction::Upgrade => {
                    let took = Took { duration: start.elapsed(), load };
                    version_table::insert(conn, table, migration, took)?;
                }
                Direction::Downgrade => version_table::delete(conn, table, id)?,
            }
            is_empty = ledger::clear(this.conn(), ledger, id)?;
            if is_empty && !facts.one_definition {
                ledger::drop(this.conn(), ledger)?;
            }
            if this.options.callbacks.is_empty() {
                return Ok(());
            }
            let (revision, duration) = (&migration.revision, start.elapsed());
            let applied = Applied { revision, direction, heads: &planner.heads(), duration };
            this.call_back(&applied, Remains::Statements, &mut Verification::none(dialect, &facts))
        })?;
        if is_empty && facts.one_definition {
            self.repeated(budget, |this| ledger::drop(this.conn(), ledger))?;
        }
        trace::revision_done(start.elapsed().as_millis());
        Ok(())
    }

    /// Runs a group of tasks, and enters it into the ledger.
    pub(super) fn run_group(
        &mut self,
        run: &Run<'_>,
        tasks: &[Task],
        entry: Entry<'_>,
        budget: &mut Budget,
    ) -> Result<(), Error> {
        if entry.known.is_some_and(|known| known.is_done) {
            return Ok(());
        }
        match tasks {
            [Task::Alone(alone)] => {
                let run = Run { in_transaction: false, ..*run };
                return self.run_alone_group(&run, alone, entry, budget);
            }
            [Task::Step { operation, name, batch: Some(batch) }] => {
                let batched = Batched { operation: *operation, name, batch };
                return self.run_batches(run, batched, entry, budget);
            }
            _ => {}
        }
        let ledger = ledger::beside(self.options.version_table());
        let facts = self.facts()?;
        self.in_group(budget, |this| {
            let mut none = Verification::none(this.driver.dialect(), &facts);
            this.run_tasks(run, tasks, &mut none)?;
            let id = &run.migration.revision.id;
            ledger::enter(this.conn(), ledger, id, (entry.row, entry.is_there))
        })
    }

    /// Runs a statement outside a transaction, and enters it into the ledger before and after.
    fn run_alone_group(
        &mut self,
        run: &Run<'_>,
        alone: &Alone,
        Entry { known, row, is_there, is_entered_at_end }: Entry<'_>,
        budget: &mut Budget,
    ) -> Result<(), Error> {
        let ledger = ledger::beside(self.options.version_table());
        let id = &run.migration.revision.id;
        // Of another statement only a query tells whether this one has had its effect.
        let known = known.filter(|known| known.hash == row.hash || alone.is_done.is_some());
        let before = match (known, &alone.is_done) {
            (Some(known), _) => known.before.clone(),
            (None, Some(_)) => self.at_risk(&alone.statement.sql)?,
            (None, None) => self.definitions(&alone.statement.sql)?,
        };
        let started = Row { is_done: false, before, ..row.clone() };
        self.in_transaction_of(Scope::Entry, budget, |this| {
            ledger::enter(this.conn(), ledger, id, (&started, is_there))
        })?;
        let mut was_started = known.is_some();
        loop {
            budget.begins();
            let res = self.run_alone_statement(run, alone, was_started.then_some(&*started.before));
            // A change of a definition that fails leaves nothing behind.
            let may_repeat = alone.is_done.is_none() || run.is_continued;
            match res {
                Err(err) if may_repeat && err.is_transient() && budget.retries(self) => {
                    was_started = true;
                }
                Err(err) => {
                    if run.is_continued {
                        let source = std::error::Error::source(&err);
                        let why = source.map_or_else(|| err.to_string(), ToString::to_string);
                        // The statement's own error says more than one of this.
                        let _ = ledger::enter_error(self.conn(), ledger, id, (row.number, &why));
                    }
                    return Err(err);
                }
                Ok(()) => break,
            }
        }
        if is_entered_at_end {
            return Ok(());
        }
        self.in_transaction_of(Scope::Entry, budget, |this| {
            ledger::enter(this.conn(), ledger, id, (row, true))
        })
    }

    fn definitions(&mut self, sql: &str) -> Result<String, Error> {
        let failed = |err| Error::database("read the definitions that a statement changes", err);
        self.driver.dialect().definitions(self.driver.as_connection(), sql).map_err(failed)
    }

    fn at_risk(&mut self, sql: &str) -> Result<String, Error> {
        let failed = |err| Error::database("read the definitions that a statement changes", err);
        self.driver.dialect().at_risk(self.driver.as_connection(), sql).map_err(failed)
    }

    /// Creates again what the server lost, if it stopped in the middle of this statement.
    pub(super) fn restore(&mut self, sql: &str, before: &str) -> Result<(), Error> {
        let failed =
            |err| Error::database("create again what the server lost when it stopped", err);
        let lost = self.driver.dialect().lost(self.driver.as_connection(), sql, before);
        for sql in lost.map_err(failed)? {
            self.driver.batch(&sql).map_err(failed)?;
        }
        Ok(())
    }

    /// Repeats work outside a transaction while others get in the way.
    pub(super) fn repeated(
        &mut self,
        budget: &mut Budget,
        mut work: impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        loop {
            budget.begins();
            match work(self) {
                Err(err) if err.is_transient() && budget.retries(self) => {}
                res => return res,
            }
        }
    }

    /// The groups of a revision on a database that is as the migrations build it, where each change
    /// of a definition is one: what they hash to doesn't depend on how far the revision has come.
    /// Empty on other databases.
    fn replayed_groups<'a>(
        &self,
        migration: &'a Migration,
        planner: &Planner<'a>,
        facts: &Facts,
    ) -> Result<Vec<Vec<Task>>, Error> {
        let dialect = self.driver.dialect();
        if !dialect.capabilities().commits_definitions && !facts.one_definition {
            return Ok(Vec::new());
        }
        let planned = planner.clone().next(migration, dialect, &plan::replayed(facts))?;
        Ok(groups(&planned.tasks).into_iter().map(<[Task]>::to_vec).collect())
    }

    /// Runs work in a transaction, and repeats it while others get in the way.
    pub(super) fn in_group(
        &mut self,
        budget: &mut Budget,
        work: impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.in_transaction_of(Scope::Group, budget, work)
    }

    pub(super) fn in_transaction_of(
        &mut self,
        scope: Scope,
        budget: &mut Budget,
        mut work: impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        loop {
            budget.begin(self, scope)?;
            let res = work(self);
            if res.as_ref().is_err_and(Error::is_transient) && budget.retries(self) {
                continue;
            }
            match self.end(res, budget) {
                Err(err) if err.is_transient() && budget.retries(self) => {}
                res => return res,
            }
        }
    }

    /// Whether a statement that was interrupted, with these definitions before, has had its effect.
    pub(super) fn has_run(&mut self, alone: &Alone, before: &str) -> Result<bool, Error> {
        let failed = |err| Error::database("look at what an interrupted statement left", err);
        match &alone.is_done {
            Some(query) => Ok(!self.driver.query(query, &[]).map_err(failed)?.rows.is_empty()),
            // It is run again, and fails if it has had its effect.
            None if before == ledger::BY_A_SCRIPT => Ok(false),
            None => Ok(self.definitions(&alone.statement.sql)? != before),
        }
    }

    /// Removes what a statement left behind when it failed or was interrupted.
    pub(super) fn remove_remnant(&mut self, alone: &Alone) -> Result<(), Error> {
        let failed = |err| Error::database("look at what an interrupted statement left", err);
        let Some(remnant) = &alone.remnant else { return Ok(()) };
        if self.driver.query(&remnant.is_left, &[]).map_err(failed)?.rows.is_empty() {
            return Ok(());
        }
        let failed = |err| Error::database("remove what an interrupted statement left", err);
        self.driver.batch(&remnant.removal).map_err(failed)
    }

    /// Runs a statement outside a transaction. If an earlier run has started it, with these
    /// definitions before, it is not run again where it has had its effect, and what it left in the
    /// middle is removed first.
    pub(super) fn run_alone_statement(
        &mut self,
        run: &Run<'_>,
        alone: &Alone,
        started: Option<&str>,
    ) -> Result<(), Error> {
        if let Some(before) = started {
            self.restore(&alone.statement.sql, before)?;
            if self.has_run(alone, before)? {
                return Ok(());
            }
            self.remove_remnant(alone)?;
        }
        self.observer.statement(&alone.statement);
        let _span = trace::statement(&alone.statement.sql, self.driver.dialect().lexicon());
        let place = (run.n_run + 1, run.n_tasks);
        let res = self.driver.batch(&alone.statement.sql);
        let is_taken_for_done = started.is_some() && self.options.halfway == Halfway::Resume;
        let exists = |err: &DatabaseError| matches!(err.kind(), ErrorKind::AlreadyExists(_));
        if is_taken_for_done && res.as_ref().is_err_and(exists) {
            return Ok(());
        }
        res.map_err(|err| Error::statement(run.stop(), place, &alone.statement, err))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{Statement, StatementKind};

    #[test]
    fn what_an_interrupted_run_took_for_large_is_found_out() {
        let statement = |text: String| {
            let (reason, kind) = (String::new(), StatementKind::Native);
            Task::Statement(Statement { sql: text, reason, kind, scratch: None, cost: None })
        };
        let tables = BTreeSet::from(["a", "b", "c"]);
        let tasks_with = |facts: &Facts| {
            let is_large = |table: &&str| facts.large.contains(*table);
            let mut tasks: Vec<Task> = tables
                .iter()
                .map(|table| statement(format!("add to {table}, {}", is_large(table))))
                .collect();
            for table in tables.iter().filter(|table| is_large(table)) {
                tasks.extend([Task::Border, statement(format!("validate {table}"))]);
            }
            Ok(tasks)
        };
        let large = |names: &[&str]| Facts {
            large: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Facts::new(1, true)
        };
        let begun = large(&["a", "c"]);
        let tasks = tasks_with(&begun).unwrap();
        let all = groups(&tasks);
        let done: Vec<Row> =
            all.iter().take(2).enumerate().map(|(idx, tasks)| row(idx, tasks)).collect();
        for now in [large(&[]), large(&["b"]), large(&["a", "b", "c"]), begun.clone()] {
            assert_eq!(as_begun(now, &tables, &done, tasks_with), begun);
        }
        // What was begun by another revision's text is left to the comparison of the hashes.
        let other = vec![Row { hash: "x".to_owned(), ..done[0].clone() }];
        assert_eq!(as_begun(large(&["b"]), &tables, &other, tasks_with), large(&["b"]));
    }
}
