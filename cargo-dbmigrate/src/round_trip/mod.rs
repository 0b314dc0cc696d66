//! Runs revisions up, down and up again on a scratch database with rows, and compares what is there
//! at each step. A trial does the same with a revision that isn't written yet, and few rows.

mod fill;
mod lost;
mod state;
mod values;

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::driver::{DatabaseError, Driver};
use dbmigrate_runtime::engine::executor::Steps;
use dbmigrate_runtime::engine::recording;
use dbmigrate_runtime::engine::revision::{Revision, Target};
use dbmigrate_runtime::engine::{Migration, Migrations};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;
use dbmigrate_runtime::{Direction, Options};

use crate::error::{Error, Result};
use crate::trial;
use fill::{Filler, Wanted};
use lost::lost;
pub use state::Scope;
use state::{Lost, State};

/// Revisions on their way on a scratch database.
pub struct Trip<'a> {
    pub driver: Box<dyn Driver>,
    /// The revisions one after the other.
    pub migrations: Migrations,
    pub options: Options,
    pub steps: Box<dyn Steps + 'a>,
    pub scope: Scope,
    /// What the revisions before the next one build.
    pub schema: Schema,
    /// Whether rows are made up, since the database is not a copy.
    pub is_filled: bool,
    /// Numbers the values of rows that have to differ.
    pub counter: u64,
}

/// What became of one revision.
#[derive(Debug, Default)]
pub struct Outcome {
    /// With how many rows it was undone and applied again.
    pub n_rows: usize,
    /// Why it wasn't undone, if it wasn't.
    pub irreversible: Option<String>,
    /// What stays open.
    pub notes: Vec<String>,
    /// What is wrong with it.
    pub fault: Option<Fault>,
}

/// What is wrong with a revision.
#[derive(Debug)]
pub struct Fault {
    /// ``after its downgrade, the schema is not what it was before``
    pub what: String,
    /// The differences, or why it failed.
    pub lines: Vec<String>,
}

impl Fault {
    fn of(what: &str, err: &dbmigrate_runtime::Error) -> Fault {
        let err = Error::from(err);
        let lines = err.to_string().lines().map(|line| line.trim_start().to_owned()).collect();
        Fault { what: what.to_owned(), lines }
    }

    /// What caused the failure, in a line.
    fn why(&self) -> &str {
        let mut lines = self.lines.iter();
        let cause = lines.find_map(|line| line.strip_prefix("caused by: "));
        cause.or(self.lines.first().map(String::as_str)).unwrap_or_default()
    }
}

/// The same revisions as one line in this order, so that each one can be undone alone.
///
/// # Errors
///
/// When one of them is not among the migrations.
pub fn in_a_line(migrations: &Migrations, ids: &[String]) -> Result<Migrations> {
    let mut line: Vec<Migration> = Vec::new();
    for migration in ids.iter().filter_map(|id| migrations.get(id)) {
        let parents = line.last().map(|before| before.revision.id.clone()).into_iter().collect();
        let Revision { id, message, file, .. } = migration.revision.clone();
        let revision = Revision { id, message, file, parents, ..Revision::default() };
        line.push(Migration { revision, ..migration.clone() });
    }
    Ok(Migrations::new(line)?)
}

impl Trip<'_> {
    /// Applies a revision, undoes it and applies it again, first with the rows that are there and
    /// then with rows for what it has changed.
    ///
    /// # Errors
    ///
    /// The database's errors, except those of the revision.
    pub fn revision(&mut self, id: &str) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let Some(migration) = self.migrations.get(id).cloned() else { return Ok(outcome) };
        let backend = self.driver.dialect().backend();
        let upgrade = recording::settled(&migration.upgrade.operations, backend);
        let downgrade = recording::settled(&migration.downgrade.operations, backend);
        let tables = touched(&[&upgrade, &downgrade]);
        let before = self.read(tables.as_ref())?;
        if let Err(err) = self.run(id, Direction::Upgrade) {
            let first = Fault::of("its upgrade fails", &err);
            if !self.is_filled || before.n_rows() == 0 && self.is_empty()? {
                return Ok(Outcome { fault: Some(first), ..outcome });
            }
            fill::empty(&mut *self.driver, &self.schema).map_err(failed)?;
            if let Err(err) = self.run(id, Direction::Upgrade) {
                let fault = Some(Fault::of("its upgrade fails", &err));
                return Ok(Outcome { fault, ..outcome });
            }
            let note = "its upgrade stops on rows that were valid before it";
            outcome.notes.push(format!("{note}: {}", first.why()));
            self.apply(&upgrade)?;
            let all = self.schema.tables.keys().map(|table| (table.to_owned(), None)).collect();
            self.fill(&all, &mut outcome)?;
            return self.back_and_forth(&migration, (&upgrade, &downgrade), outcome);
        }
        outcome.n_rows = before.n_rows();
        if let Some(why) = &migration.downgrade.irreversible {
            outcome.irreversible = Some(why.clone());
            self.apply(&upgrade)?;
            self.fill(&wanted(&upgrade, &self.schema), &mut outcome)?;
            return Ok(outcome);
        }
        let after = self.read(tables.as_ref())?;
        if let Err(err) = self.run(id, Direction::Downgrade) {
            let fault = Some(Fault::of("its downgrade fails right after its upgrade", &err));
            return Ok(Outcome { fault, ..outcome });
        }
        let back = self.read(tables.as_ref())?;
        let lost_up = lost(&upgrade);
        outcome.fault = compared("after its downgrade", (&before, &back), &lost_up);
        if outcome.fault.is_some() {
            return Ok(outcome);
        }
        note_lost(&lost_up, &before, &mut outcome);
        if let Err(err) = self.run(id, Direction::Upgrade) {
            let fault = Some(Fault::of("its upgrade fails after its downgrade", &err));
            return Ok(Outcome { fault, ..outcome });
        }
        let again = self.read(tables.as_ref())?;
        outcome.fault = compared("when it is applied again", (&after, &again), &lost(&downgrade));
        self.apply(&upgrade)?;
        if outcome.fault.is_some() || !self.is_filled {
            return Ok(outcome);
        }
        self.fill(&wanted(&upgrade, &self.schema), &mut outcome)?;
        self.back_and_forth(&migration, (&upgrade, &downgrade), outcome)
    }

    /// Only applies a revision, and makes rows for what it has changed. Returns why that fails, if it
    /// does.
    ///
    /// # Errors
    ///
    /// As [`Trip::revision`].
    pub fn pass(&mut self, id: &str) -> Result<Option<Fault>> {
        let Some(migration) = self.migrations.get(id).cloned() else { return Ok(None) };
        let backend = self.driver.dialect().backend();
        let upgrade = recording::settled(&migration.upgrade.operations, backend);
        if self.run(id, Direction::Upgrade).is_err() {
            fill::empty(&mut *self.driver, &self.schema).map_err(failed)?;
            if let Err(err) = self.run(id, Direction::Upgrade) {
                return Ok(Some(Fault::of("its upgrade fails", &err)));
            }
        }
        self.apply(&upgrade)?;
        self.fill(&wanted(&upgrade, &self.schema), &mut Outcome::default())?;
        Ok(None)
    }

    /// Undoes an applied revision with rows for what it has changed, and applies it again.
    fn back_and_forth(
        &mut self,
        migration: &Migration,
        (upgrade, downgrade): (&[Operation], &[Operation]),
        mut outcome: Outcome,
    ) -> Result<Outcome> {
        let id = &migration.revision.id;
        let tables = touched(&[upgrade, downgrade]);
        if let Some(why) = &migration.downgrade.irreversible {
            outcome.irreversible = Some(why.clone());
            return Ok(outcome);
        }
        let with_rows = self.read(tables.as_ref())?;
        outcome.n_rows = outcome.n_rows.max(with_rows.n_rows());
        if let Err(err) = self.run(id, Direction::Downgrade) {
            // What the revision has made possible need not fit what was there before it.
            let why = Fault::of("", &err).lines.into_iter().next().unwrap_or_default();
            outcome
                .notes
                .push(format!("its downgrade stops on rows that it makes possible: {why}"));
            return Ok(outcome);
        }
        if let Err(err) = self.run(id, Direction::Upgrade) {
            let fault = Fault::of("its upgrade fails on rows that its downgrade left", &err);
            return Ok(Outcome { fault: Some(fault), ..outcome });
        }
        let again = self.read(tables.as_ref())?;
        let lost = lost(downgrade);
        outcome.fault = compared("when it is applied again", (&with_rows, &again), &lost);
        // What the downgrade has discarded is filled again, for the revisions that follow.
        if outcome.fault.is_none() {
            self.fill(&wanted(upgrade, &self.schema), &mut outcome)?;
        }
        Ok(outcome)
    }

    fn run(
        &mut self,
        id: &str,
        direction: Direction,
    ) -> std::result::Result<(), dbmigrate_runtime::Error> {
        let parents = self.migrations.get(id).map(|one| one.revision.parents.clone());
        let target = match (direction, parents.unwrap_or_default()) {
            (Direction::Upgrade, _) => Target::Revisions(vec![id.to_owned()]),
            (Direction::Downgrade, parents) if parents.is_empty() => Target::Base,
            (Direction::Downgrade, parents) => Target::Revisions(parents),
        };
        let Trip { driver, migrations, options, steps, .. } = self;
        trial::run_with(&mut **driver, migrations, options, (direction, &target), &mut **steps)
    }

    fn read(&mut self, tables: Option<&BTreeSet<String>>) -> Result<State> {
        State::read(&mut *self.driver, &self.scope, tables).map_err(failed)
    }

    /// Whether no table has a row.
    fn is_empty(&mut self) -> Result<bool> {
        Ok(self.read(None)?.n_rows() == 0)
    }

    /// Replays operations that have run.
    fn apply(&mut self, operations: &[Operation]) -> Result<()> {
        recording::replay(&mut self.schema, operations)
            .map_err(|err| Error::new(err.to_string()))?;
        self.schema.settle(self.driver.dialect().backend());
        Ok(())
    }

    /// Makes rows with the edges of these columns.
    fn fill(&mut self, wanted: &Wanted, outcome: &mut Outcome) -> Result<()> {
        if !self.is_filled {
            return Ok(());
        }
        let Trip { driver, schema, counter, .. } = self;
        let mut filler = Filler { driver: &mut **driver, schema, counter };
        let (_, without) = filler.fill(wanted).map_err(failed)?;
        for table in without {
            let note = format!("no row could be made up for table `{table}`");
            if !outcome.notes.contains(&note) {
                outcome.notes.push(note);
            }
        }
        Ok(())
    }
}

/// The tables that operations name; `None` if they may change others, too.
fn touched(directions: &[&[Operation]]) -> Option<BTreeSet<String>> {
    let mut tables = BTreeSet::new();
    for operation in directions.iter().flat_map(|operations| operations.iter()) {
        match operation {
            Operation::Execute(_) | Operation::Run(_) => return None,
            Operation::BulkInsert { table, .. } => {
                tables.insert(table.clone());
            }
            _ => tables.extend(operation.tables().into_iter().map(str::to_owned)),
        }
    }
    Some(tables)
}

/// The tables and columns that operations have created or changed, under their names afterwards.
fn wanted(operations: &[Operation], after: &Schema) -> Wanted {
    let mut wanted = Wanted::new();
    for operation in operations.iter().flat_map(Operation::as_described) {
        let (table, column) = match operation {
            Operation::CreateTable(table) => {
                wanted.insert(table.name.clone(), None);
                continue;
            }
            Operation::RenameTable { from, to } => {
                if let Some(columns) = wanted.remove(from) {
                    wanted.insert(to.clone(), columns);
                }
                continue;
            }
            Operation::AddColumn { table, column, .. } => (table, &column.name),
            Operation::AlterColumn { table, column, .. } => (table, column),
            Operation::RenameColumn { table, to, .. } => (table, to),
            _ => continue,
        };
        if let Some(columns) = wanted.entry(table.clone()).or_insert_with(|| Some(BTreeSet::new()))
        {
            columns.insert(column.clone());
        }
    }
    wanted.retain(|table, _| after.table(table).is_some());
    wanted
}

/// The fault if two states differ that should be the same.
fn compared(when: &str, (one, other): (&State, &State), lost: &Lost) -> Option<Fault> {
    let lines = one.schema_differences(other);
    if !lines.is_empty() {
        let what = format!("{when}, the schema is not what it was before");
        return Some(Fault { what, lines });
    }
    let lines = one.row_differences(other, lost);
    let what = format!("{when}, rows are not what they were before");
    (!lines.is_empty()).then_some(Fault { what, lines })
}

/// Says what an upgrade discards, since that wasn't compared.
fn note_lost(lost: &Lost, before: &State, outcome: &mut Outcome) {
    if before.n_rows() == 0 {
        return;
    }
    let columns = lost.columns.iter().map(|(table, column)| format!("`{table}.{column}`"));
    let all = lost.tables.iter().map(|table| format!("`{table}`")).chain(columns);
    let all: Vec<String> = all.collect();
    if !all.is_empty() {
        let note = format!(
            "its upgrade discards the values of {}, which no downgrade brings back",
            all.join(", ")
        );
        outcome.notes.push(note);
    }
}

fn failed(err: DatabaseError) -> Error {
    Error::new("failed to compare the scratch database").cause(err)
}
