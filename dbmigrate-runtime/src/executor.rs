//! The executor: takes a database from where it is to a target, in transactions that hold the
//! revisions' work and their version rows together.

mod budget;
mod on_apply;
mod revision;
mod verify;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use crate::dialect::{Facts, Health, Statement, Violation};
use crate::driver::{Connection, DatabaseError, Driver, Scope};
use crate::migration::{Direction, Migration, Migrations};
use crate::operations::Operation;
use crate::plan::{self, Planner};
use crate::revision::{Revision, Target, View};
use crate::standing::{self, Standing};
use crate::version_table;
use crate::{Db, Error, StepResult};
use budget::Budget;
pub use on_apply::{Applied, Callbacks};
use verify::Verification;

/// How a run is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether each revision has a transaction of its own, instead of one for the run.
    pub transaction_each: bool,
    /// How long to wait for other processes at most: for the lock, and at a commit for readers, all
    /// waits of the run taken together.
    pub lock_timeout: Duration,
    /// What `-x key=value` gave, for steps.
    pub args: Vec<(String, String)>,
    /// The version table's name.
    pub version_table: String,
    /// The schema that the version table is in; empty is the connection's own. SQLite takes only
    /// `main` beside it, since a row in an attached file isn't always committed with the work.
    pub version_table_schema: String,
    /// Whether an upgrade is allowed on a database that has revisions which the project lacks.
    pub allow_ahead: bool,
    /// What is called after each revision; see [`Options::on_apply`].
    pub callbacks: Callbacks,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            transaction_each: false,
            lock_timeout: Duration::from_secs(60),
            args: Vec::new(),
            version_table: version_table::NAME.to_owned(),
            version_table_schema: String::new(),
            allow_ahead: false,
            callbacks: Callbacks::default(),
        }
    }
}

impl Options {
    /// The version table with its schema.
    pub fn version_table(&self) -> version_table::Name<'_> {
        version_table::Name { schema: &self.version_table_schema, table: &self.version_table }
    }
}

/// Is told what a run does while it does it.
pub trait Observer {
    /// A revision begins.
    fn running(&mut self, direction: Direction, revision: &Revision) {
        let _ = (direction, revision);
    }

    /// A statement is about to run.
    fn statement(&mut self, statement: &Statement) {
        let _ = statement;
    }

    /// A revision is about to run after one that comes after it in the history, as happens when
    /// branches are merged; on a new database they run the other way round.
    fn late(&mut self, revision: &Revision, applied: &Revision) {
        let _ = (revision, applied);
    }

    /// Another process holds the lock, or reads what is to be committed; the run waits that long
    /// at most.
    fn waiting(&mut self, at_most: Duration) {
        let _ = at_most;
    }
}

impl Observer for () {}

/// Runs the steps of migrations.
pub trait Steps {
    /// Gets ready to run the steps of these migrations, before anything is locked.
    ///
    /// # Errors
    ///
    /// When they can't be run.
    fn prepare(&mut self, migrations: &[&Migration]) -> StepResult {
        let _ = migrations;
        Ok(())
    }

    /// Runs the step at that place among the recording's operations.
    ///
    /// # Errors
    ///
    /// Whatever the step returns.
    fn run(
        &mut self,
        migration: &Migration,
        direction: Direction,
        operation: usize,
        db: &mut Db<'_>,
    ) -> StepResult;
}

/// Steps whose functions are in this program.
#[derive(Debug)]
pub struct OwnSteps;

impl Steps for OwnSteps {
    fn run(
        &mut self,
        migration: &Migration,
        direction: Direction,
        operation: usize,
        db: &mut Db<'_>,
    ) -> StepResult {
        match migration.recording(direction).operations.get(operation) {
            Some(Operation::Run(step)) => match step.action {
                Some(action) => action(db),
                None => Err("its function is in another program".into()),
            },
            _ => Err("no step is recorded at its place".into()),
        }
    }
}

/// What follows a transaction.
enum Next {
    /// Nothing.
    Done,
    /// Another one.
    More,
    /// This revision, outside a transaction.
    Alone(String),
}

/// A connection with the migrations to run on it.
pub struct Executor<'a> {
    /// The connection.
    pub driver: &'a mut dyn Driver,
    /// The project's migrations.
    pub migrations: &'a Migrations,
    /// How runs are made.
    pub options: &'a Options,
    /// Is told what happens.
    pub observer: &'a mut dyn Observer,
    /// Runs steps.
    pub steps: &'a mut dyn Steps,
}

impl std::fmt::Debug for Executor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("options", &self.options).finish_non_exhaustive()
    }
}

impl<'m> Executor<'m> {
    /// Takes the database to where an identifier says, and returns the ids of the revisions that
    /// were run, in order. With nothing to do it only reads.
    ///
    /// # Errors
    ///
    /// Before anything runs: an unknown identifier, an edited or unknown applied revision, a
    /// revision that can't be planned or undone. While it runs: what the database or a step says;
    /// the transaction is then rolled back, and the database is as it was before it.
    pub fn run(&mut self, direction: Direction, identifier: &str) -> Result<Vec<String>, Error> {
        if self.driver.in_transaction() {
            return Err(Error::open_transaction());
        }
        // Relative identifiers are counted once: what others apply meanwhile doesn't shift them.
        let target = self.look()?.target(direction, identifier)?;
        self.run_to(direction, &target)
    }

    /// The same where it is known what the identifier names.
    ///
    /// # Errors
    ///
    /// As [`Executor::run`].
    pub fn run_to(&mut self, direction: Direction, target: &Target) -> Result<Vec<String>, Error> {
        if self.driver.in_transaction() {
            return Err(Error::open_transaction());
        }
        let standing = self.look()?;
        let here = standing.graph().translated(target);
        let pending = standing.route(direction, &here);
        let View { of: migrations, applied, .. } = standing.view;
        let graph = migrations.graph();
        if pending.is_empty() {
            return Ok(Vec::new());
        }
        if direction == Direction::Upgrade {
            plan::check_order(graph, &applied, &pending, &here)?;
        }
        let facts = self.facts()?;
        plan::plan(&migrations, direction, &pending, &applied, self.driver.dialect(), &facts)?;
        refuse_mismatch(self.conn(), &migrations, direction, &pending, &applied)?;
        // A program that has to be compiled for a step isn't compiled under the lock.
        let is_step = |operation: &Operation| matches!(operation, Operation::Run(_));
        let pending: Vec<&Migration> =
            pending.iter().filter_map(|pending| migrations.get(pending)).collect();
        if pending
            .iter()
            .any(|migration| migration.recording(direction).operations.iter().any(is_step))
        {
            self.steps.prepare(&pending).map_err(|err| Error::steps(&err.to_string()))?;
        }
        self.prepared(|this| this.run_prepared(direction, target))
    }

    /// Enters the revisions that a target needs as applied, and takes out those that follow it,
    /// without running them; other branches stay. `purge` first empties the version table, whatever
    /// it holds. Returns the ids entered.
    ///
    /// # Errors
    ///
    /// An unknown target, an applied revision that the project doesn't have unless `purge`, and
    /// what the database says.
    pub fn stamp(&mut self, target: &Target, purge: bool) -> Result<Vec<String>, Error> {
        if self.driver.in_transaction() {
            return Err(Error::open_transaction());
        }
        self.prepared(|this| {
            let mut budget = Budget::new(this.options.lock_timeout);
            budget.begin(this, Scope::Transaction)?;
            let res = this.stamp_begun(target, purge);
            this.end(res, &mut budget)
        })
    }

    fn stamp_begun(&mut self, target: &Target, purge: bool) -> Result<Vec<String>, Error> {
        let options = self.options;
        let table = options.version_table();
        version_table::create(self.conn(), table)?;
        if purge {
            version_table::clear(self.conn(), table)?;
        }
        let applied = standing::ids(&version_table::read(self.conn(), table)?);
        let view = self.migrations.view_to_stamp(applied, target)?;
        self.settle(&view)?;
        let applied = version_table::read(self.conn(), table)?;
        let migrations = &view.of;
        let graph = migrations.graph();
        let target = &graph.translated(target);
        standing::check_applied(graph, |_| None, &applied, self.options.allow_ahead)?;
        let wanted = graph.with_ancestors(&target.ids());
        let stays = plan::stamped(graph, &view.applied, target);
        let current = |migration: &Migration| {
            let row = applied.iter().find(|row| row.id == migration.revision.id);
            row.is_some_and(|row| row.checksum == migration.checksum)
        };
        for row in &applied {
            let is_stale = migrations.get(&row.id).is_some_and(|migration| !current(migration));
            if !stays.contains(&row.id) || (wanted.contains(row.id.as_str()) && is_stale) {
                version_table::delete(self.conn(), table, &row.id)?;
            }
        }
        let mut entered = Vec::new();
        for migration in migrations.iter() {
            if wanted.contains(migration.revision.id.as_str()) && !current(migration) {
                let operations = &migration.upgrade.operations;
                let conn = self.conn();
                version_table::insert(
                    conn,
                    table,
                    &migration.revision,
                    operations,
                    Duration::ZERO,
                )?;
                entered.push(migration.revision.id.clone());
            }
        }
        Ok(entered)
    }

    /// Creates the version table, if it isn't there.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub fn ensure_version_table(&mut self) -> Result<(), Error> {
        if self.driver.in_transaction() {
            return Err(Error::open_transaction());
        }
        self.prepared(|this| {
            let mut budget = Budget::new(this.options.lock_timeout);
            budget.begin(this, Scope::Transaction)?;
            let table = this.options.version_table();
            let res = version_table::create(this.conn(), table);
            this.end(res, &mut budget)
        })
    }

    /// Where the database stands, compared with what the project has.
    fn look(&mut self) -> Result<Standing<'m, Migrations>, Error> {
        let (migrations, options) = (self.migrations, self.options);
        Standing::read(self.conn(), migrations, options.version_table(), options.allow_ahead)
    }

    /// Enters what rows count as in the place of these rows.
    fn settle(&mut self, view: &View<'_, Migrations>) -> Result<(), Error> {
        let table = self.options.version_table();
        for (id, rows) in &view.counted {
            for row in rows {
                version_table::delete(self.conn(), table, row)?;
            }
            if let Some(Migration { revision, upgrade, .. }) = view.of.get(id) {
                let operations = &upgrade.operations;
                let conn = self.conn();
                version_table::insert(conn, table, revision, operations, Duration::ZERO)?;
            }
        }
        Ok(())
    }

    fn facts(&mut self) -> Result<Facts, Error> {
        self.conn().facts().map_err(|err| Error::database("ask the database's version", err))
    }

    fn conn(&mut self) -> &mut dyn Connection {
        self.driver.as_connection()
    }

    /// Makes the connection ready, works, and puts it back, also after a failure.
    fn prepared<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let failed = |err| Error::database("make the connection ready", err);
        self.driver.prepare().map_err(failed)?;
        // A step may panic, and the connection may be a program's that goes on with it.
        let res = catch_unwind(AssertUnwindSafe(|| work(self)));
        self.driver.rollback();
        self.driver.release();
        let restored = self.driver.restore();
        let res = res.unwrap_or_else(|panic| resume_unwind(panic))?;
        restored.map_err(|err| Error::database("put the connection's settings back", err))?;
        Ok(res)
    }

    fn run_prepared(
        &mut self,
        direction: Direction,
        target: &Target,
    ) -> Result<Vec<String>, Error> {
        let mut done = Vec::new();
        let mut budget = Budget::new(self.options.lock_timeout);
        loop {
            budget.begin(self, Scope::Transaction)?;
            let res = self.run_begun(direction, target, &mut done);
            match self.end(res, &mut budget)? {
                Next::Done => return Ok(done),
                Next::More => {}
                Next::Alone(id) => {
                    budget.begin(self, Scope::Alone)?;
                    let res = self.run_alone(direction, target, &id);
                    self.driver.release();
                    done.extend(res?.then_some(id));
                }
            }
        }
    }

    /// A revision outside a transaction, under a lock of its own; whether it still was to be run.
    fn run_alone(
        &mut self,
        direction: Direction,
        target: &Target,
        id: &String,
    ) -> Result<bool, Error> {
        // Another process may have run it while this one waited.
        let standing = self.look()?;
        let target = standing.graph().translated(target);
        let pending = standing.route(direction, &target);
        let View { of: migrations, applied, .. } = standing.view;
        let Some(migration) = migrations.get(id).filter(|_| pending.first() == Some(id)) else {
            return Ok(false);
        };
        let before = self.violations()?;
        let mut planner = Planner::new(&migrations, direction, applied)?;
        // There is nothing to roll back.
        let facts = self.facts()?;
        let mut none = Verification::none(self.driver.dialect(), &facts);
        self.run_one(direction, migration, &mut planner, false, &mut none)?;
        let new = new_violations(before, self.violations()?);
        if !new.is_empty() {
            return Err(Error::violations(&new, Some(id)));
        }
        Ok(true)
    }

    /// One transaction's revisions. What is pending is asked again, under the lock.
    fn run_begun(
        &mut self,
        direction: Direction,
        target: &Target,
        done: &mut Vec<String>,
    ) -> Result<Next, Error> {
        let standing = self.look()?;
        let target = &standing.graph().translated(target);
        let pending = standing.route(direction, target);
        let view = standing.view;
        let (migrations, set) = (&*view.of, &view.applied);
        let stands_alone = |id: &String| {
            migrations
                .get(id)
                .is_some_and(|migration| migration.recording(direction).no_transaction)
        };
        let mut group: Vec<String> =
            pending.iter().take_while(|pending| !stands_alone(pending)).cloned().collect();
        if self.options.transaction_each {
            group.truncate(1);
        }
        let Some(first) = pending.first() else { return Ok(Next::Done) };
        if direction == Direction::Upgrade && done.is_empty() {
            plan::check_order(migrations.graph(), set, &pending, target)?;
        }
        if done.is_empty() {
            let dialect = self.driver.dialect();
            plan::refuse_placeholders(migrations, direction, &pending, dialect)?;
        }
        let table = self.options.version_table();
        version_table::create(self.conn(), table)?;
        self.settle(&view)?;
        if group.is_empty() {
            return Ok(Next::Alone(first.clone()));
        }
        let next = if group.len() == pending.len() { Next::Done } else { Next::More };
        let mut planner = Planner::new(migrations, direction, set.clone())?;
        let group: Vec<&Migration> =
            group.iter().filter_map(|group| migrations.get(group)).collect();
        let operations = group.iter().flat_map(|migration| planner.operations(migration));
        let facts = self.facts()?;
        let mut verification =
            Verification::begin(self.conn(), &facts, planner.schema(), operations)?;
        for migration in group {
            self.run_one(direction, migration, &mut planner, true, &mut verification)?;
            done.push(migration.revision.id.clone());
        }
        verification.end(self.conn())?;
        Ok(next)
    }

    /// Commits what succeeded, rolls back what didn't.
    fn end<T>(&mut self, res: Result<T, Error>, budget: &mut Budget) -> Result<T, Error> {
        match res {
            Ok(res) => budget.commit(self.driver, self.observer).map(|()| res),
            Err(err) => {
                self.driver.rollback();
                Err(err)
            }
        }
    }

    fn violations(&mut self) -> Result<Vec<Violation>, Error> {
        health(self.conn(), &BTreeSet::new()).map(|health| health.violations)
    }
}

/// Refuses a route that leaves a foreign key to columns that aren't unique in this database, whose
/// own tables and indexes count as well.
///
/// # Errors
///
/// The first such foreign key, and what the database says.
pub fn refuse_mismatch(
    conn: &mut dyn Connection,
    migrations: &Migrations,
    direction: Direction,
    ids: &[String],
    applied: &BTreeSet<String>,
) -> Result<(), Error> {
    let mismatch = plan::mismatch(migrations, direction, ids, applied, conn.dialect())?;
    let Some(mismatch) = mismatch else { return Ok(()) };
    let failed = |err| Error::database("look at the tables that are there", err);
    let found = conn.catalog(Some(&mismatch.tables())).map_err(failed)?;
    if mismatch.is_open(&found.schema) { Ok(()) } else { Err(mismatch.error()) }
}

fn health(conn: &mut dyn Connection, tables: &BTreeSet<String>) -> Result<Health, Error> {
    let failed = |err: DatabaseError| Error::database("check the foreign keys", err);
    conn.health(tables).map_err(failed)
}

/// Those after that weren't there before, each as often as it is new.
fn new_violations(mut before: Vec<Violation>, mut after: Vec<Violation>) -> Vec<Violation> {
    before.sort();
    after.sort();
    let mut before = before.into_iter().peekable();
    after.retain(|violation| {
        while before.next_if(|was| was < violation).is_some() {}
        before.next_if(|was| was == violation).is_none()
    });
    after
}
