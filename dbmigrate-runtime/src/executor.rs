//! The executor: migrates a database from its current state to a target, in transactions that
//! contain both the revisions' work and their version rows.

mod apart;
mod batches;
mod budget;
mod groups;
mod halfway;
mod mark;
mod observer;
mod on_apply;
mod revision;
mod steps;
mod taking_back;
mod verify;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use crate::barriers::Passing;
use crate::dialect::{Facts, Health, Violation};
use crate::direction::Direction;
use crate::driver::{Connection, DatabaseError, Driver, Scope};
use crate::migration::{Migration, Migrations};
use crate::operations::Operation;
use crate::pace::Took;
use crate::plan::{self, Planner, Route};
use crate::revision::{Target, View};
use crate::standing::{self, Standing};
use crate::{Error, barriers, ledger, trace, version_table};
use budget::Budget;
pub(crate) use groups::{groups, row};
pub use halfway::{Halfway, refuse_unfinished};
pub use observer::{Observer, Piece, continuing_text, late_text};
pub use on_apply::{Applied, Callbacks};
use revision::Place;
pub use steps::{OwnSteps, Steps};
use verify::Verification;

/// How migrations are run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether each revision gets its own transaction, instead of one transaction for the whole
    /// run.
    pub transaction_each: bool,
    /// How long the run may wait in total for other processes: for the lock, and for readers when
    /// it commits. In a step in pieces, the time starts anew with
    /// each piece.
    pub lock_timeout: Duration,
    /// Arguments for steps, given as `-x key=value`.
    pub args: Vec<(String, String)>,
    /// The version table's name.
    pub version_table: String,
    /// The schema of the version table; empty for the connection's own schema. SQLite accepts only
    /// `main` besides that, since a commit isn't always atomic across attached files.
    pub version_table_schema: String,
    /// Whether to upgrade a database that has applied revisions which the project lacks.
    pub allow_ahead: bool,
    /// Whether an upgrade applies revisions with a barrier as well, since no program of the previous
    /// release is running any more; see
    /// [`Operations::barrier`](crate::operations::Operations::barrier).
    pub past_barriers: bool,
    /// How many databases are upgraded at a time by [`Migrator::upgrade_all`] and
    /// [`Migrator::upgrade_schemas`]; by default, as many as there are processors.
    ///
    /// [`Migrator::upgrade_all`]: crate::Migrator::upgrade_all
    /// [`Migrator::upgrade_schemas`]: crate::Migrator::upgrade_schemas
    pub jobs: Option<NonZeroUsize>,
    /// What becomes of a revision that an earlier run left half applied, or half undone.
    pub halfway: Halfway,
    /// How long to pause after each piece of a step that runs in pieces, so that others get their
    /// turn; see [`Operations::run_batched`](crate::operations::Operations::run_batched).
    pub batch_pause: Duration,
    /// Functions that are called after each revision; see [`Options::on_apply`].
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
            past_barriers: false,
            jobs: None,
            halfway: Halfway::default(),
            batch_pause: Duration::ZERO,
            callbacks: Callbacks::default(),
        }
    }
}

impl Options {
    /// The version table with its schema.
    pub fn version_table(&self) -> version_table::Name<'_> {
        version_table::Name { schema: &self.version_table_schema, table: &self.version_table }
    }

    /// What decides whether an upgrade stops before a barrier.
    #[doc(hidden)]
    pub fn passing(&self) -> Passing<'_> {
        Passing { past_barriers: self.past_barriers, version_table: self.version_table() }
    }
}

/// What to do after a transaction.
enum Next {
    /// Nothing: the target is reached.
    Done,
    /// Run another transaction.
    More,
    /// Run this revision outside a transaction.
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
    /// Receives reports about the progress.
    pub observer: &'a mut dyn Observer,
    /// Runs the steps.
    pub steps: &'a mut dyn Steps,
}

impl std::fmt::Debug for Executor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor").field("options", &self.options).finish_non_exhaustive()
    }
}

impl<'m> Executor<'m> {
    /// Migrates the database to the target that an identifier names, and returns the ids of the
    /// revisions that were run, in order. If nothing is pending, it only reads. An upgrade stops
    /// before a barrier.
    ///
    /// # Errors
    ///
    /// Before anything runs: an unknown identifier, one that names a revision behind a barrier, an
    /// edited or unknown applied revision, a revision that can't be planned or undone. While it runs:
    /// an error of the database or of a step. The transaction is then rolled back, and the database
    /// is as it was before.
    pub fn run(&mut self, direction: Direction, identifier: &str) -> Result<Vec<String>, Error> {
        if self.driver.in_transaction() {
            return Err(Error::open_transaction());
        }
        // A relative identifier is resolved once, so that what others apply meanwhile doesn't shift
        // it.
        let standing = self.look()?;
        let target = standing.target(direction, identifier)?;
        if direction == Direction::Upgrade {
            let passing = self.options.passing();
            let reach = barriers::reach(self.conn(), &standing, &target, passing)?;
            reach.refuse(identifier)?;
        }
        self.run_to(direction, &target)
    }

    /// Same as [`Executor::run`], for a target that was already resolved.
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
        let mut pending = standing.route(direction, &here);
        let mut target = target.clone();
        if direction == Direction::Upgrade {
            plan::check_order(standing.graph(), standing.applied(), &pending, &here)?;
            // Decided once: a run that begins at the base doesn't stop when it has left it.
            let passing = self.options.passing();
            let reach = barriers::reach(self.conn(), &standing, &here, passing)?;
            if !reach.waiting.is_empty() {
                // Another process may have left the base meanwhile.
                reach.refuse("head")?;
                (target, pending) = (reach.target, reach.ids);
            }
        }
        let target = &target;
        let View { of: migrations, applied, .. } = standing.view;
        if pending.is_empty() {
            return refuse_unfinished(self.driver, self.options, &applied).map(|()| Vec::new());
        }
        let facts = self.facts()?;
        let route = Route { migrations: &migrations, direction, ids: &pending, applied: &applied };
        plan::plan(&route, self.driver.dialect(), &facts)?;
        refuse_mismatch(self.conn(), &route)?;
        // Compiling the program for the steps takes long, so it happens before the database is
        // locked.
        let pending: Vec<&Migration> = pending.iter().filter_map(|id| migrations.get(id)).collect();
        if pending.iter().any(|migration| migration.recording(direction).has_steps()) {
            self.steps.prepare(&pending).map_err(|err| Error::steps(&err.to_string()))?;
        }
        let _span = trace::run(direction, pending.len(), self.driver.dialect().backend().name());
        let res = self.prepared(|this| this.run_prepared(direction, target));
        trace::run_done(res.as_ref().ok().map(Vec::len));
        res
    }

    /// Marks the revisions that a target needs as applied, and the revisions that follow it as not
    /// applied, without running them; other branches stay unchanged. With `purge` the version table
    /// is emptied first, whatever it contains. Returns the ids that were marked as applied.
    ///
    /// # Errors
    ///
    /// An unknown target, an applied revision that the project doesn't have (unless `purge` is
    /// set), and the database's errors.
    pub fn stamp(&mut self, target: &Target, purge: bool) -> Result<Vec<String>, Error> {
        if self.driver.in_transaction() {
            return Err(Error::open_transaction());
        }
        self.prepared(|this| {
            let mut budget = Budget::new(this.options.lock_timeout);
            if this.runs_apart()? {
                this.provide_version_table(&mut budget)?;
            }
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
                version_table::insert(self.conn(), table, migration, Took::default())?;
                entered.push(migration.revision.id.clone());
            }
        }
        Ok(entered)
    }

    /// Creates the version table if it doesn't exist.
    ///
    /// # Errors
    ///
    /// The database's errors.
    pub fn ensure_version_table(&mut self) -> Result<(), Error> {
        if self.driver.in_transaction() {
            return Err(Error::open_transaction());
        }
        self.prepared(|this| {
            let mut budget = Budget::new(this.options.lock_timeout);
            if this.runs_apart()? {
                return this.provide_version_table(&mut budget);
            }
            budget.begin(this, Scope::Transaction)?;
            let table = this.options.version_table();
            let res = version_table::create(this.conn(), table);
            this.end(res, &mut budget)
        })
    }

    /// Where the database stands, compared with the project's revisions.
    fn look(&mut self) -> Result<Standing<'m, Migrations>, Error> {
        let (migrations, options) = (self.migrations, self.options);
        Standing::read(self.conn(), migrations, options.version_table(), options.allow_ahead)
    }

    /// Replaces the rows of replaced revisions by the row of the revision that replaces them.
    fn settle(&mut self, view: &View<'_, Migrations>) -> Result<(), Error> {
        let table = self.options.version_table();
        for (id, rows) in &view.counted {
            for row in rows {
                version_table::delete(self.conn(), table, row)?;
            }
            if let Some(migration) = view.of.get(id) {
                version_table::insert(self.conn(), table, migration, Took::default())?;
            }
        }
        Ok(())
    }

    fn facts(&mut self) -> Result<Facts, Error> {
        self.conn().facts().map_err(|err| Error::database("read the database's version", err))
    }

    fn conn(&mut self) -> &mut dyn Connection {
        self.driver.as_connection()
    }

    /// Prepares the connection, does the work, and restores the connection's settings, also on
    /// failure.
    fn prepared<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let failed = |err| Error::database("prepare the connection", err);
        let table = self.options.version_table();
        self.driver.prepare(&format!("{}.{}", table.schema, table.table)).map_err(failed)?;
        // A step may panic, and the caller may go on using its connection afterwards.
        let res = catch_unwind(AssertUnwindSafe(|| work(self)));
        self.driver.rollback();
        self.driver.release();
        let restored = self.driver.restore();
        let res = res.unwrap_or_else(|panic| resume_unwind(panic))?;
        restored.map_err(|err| Error::database("restore the connection's settings", err))?;
        Ok(res)
    }

    fn run_prepared(
        &mut self,
        direction: Direction,
        target: &Target,
    ) -> Result<Vec<String>, Error> {
        let mut done = Vec::new();
        let mut budget = Budget::new(self.options.lock_timeout);
        if self.runs_apart()? {
            return self.run_apart(direction, target, &mut budget);
        }
        loop {
            budget.begin(self, Scope::Transaction)?;
            let n_done = done.len();
            let res = self.run_begun(direction, target, &mut done);
            if res.as_ref().is_err_and(Error::is_transient) && budget.retries(self) {
                done.truncate(n_done);
                continue;
            }
            let next = match self.end(res, &mut budget) {
                // It came to light only at the end.
                Err(err) if err.is_transient() && budget.retries(self) => {
                    done.truncate(n_done);
                    continue;
                }
                next => next?,
            };
            match next {
                Next::Done => return Ok(done),
                Next::More => {}
                Next::Alone(id) => {
                    budget.begin(self, Scope::Alone)?;
                    let res = self.run_alone(direction, target, &id, &mut budget);
                    self.driver.release();
                    done.extend(res?.then_some(id));
                }
            }
        }
    }

    /// Runs a revision outside a transaction, under a lock of its own. Returns whether it was still
    /// pending.
    fn run_alone(
        &mut self,
        direction: Direction,
        target: &Target,
        id: &String,
        budget: &mut Budget,
    ) -> Result<bool, Error> {
        // Another process may have run it while this one waited for the lock.
        let standing = self.look()?;
        let target = standing.graph().translated(target);
        let pending = standing.route(direction, &target);
        let View { of: migrations, applied, .. } = standing.view;
        let Some(migration) = migrations.get(id).filter(|_| pending.first() == Some(id)) else {
            return Ok(false);
        };
        let facts = self.facts()?;
        let mut planner = Planner::new(&migrations, direction, applied)?;
        if !migration.recording(direction).no_transaction {
            let ledger = ledger::beside(self.options.version_table());
            let known = ledger::read(self.conn(), ledger, id)?;
            let known = (&facts, known);
            return self.run_groups(migration, &mut planner, known, budget).map(|()| true);
        }
        let before = self.violations()?;
        // Nothing can be rolled back, so there is nothing to verify either.
        let mut none = Verification::none(self.driver.dialect(), &facts);
        let place = Place { in_transaction: false, server: &facts, known: None };
        self.run_one(migration, &mut planner, place, &mut none)?;
        let new = new_violations(before, self.violations()?);
        if !new.is_empty() {
            return Err(Error::violations(&new, Some(id)));
        }
        Ok(true)
    }

    /// Runs the revisions of one transaction. What is pending is read again under the lock.
    fn run_begun(
        &mut self,
        direction: Direction,
        target: &Target,
        done: &mut Vec<String>,
    ) -> Result<Next, Error> {
        let standing = self.look()?;
        let target = &standing.graph().translated(target);
        let pending = standing.route(direction, target);
        let is_empty = standing.rows.is_empty();
        let view = standing.view;
        let (migrations, applied) = (&*view.of, &view.applied);
        let (dialect, facts) = (self.driver.dialect(), self.facts()?);
        let begun = self.begun()?.unwrap_or_default();
        halfway::refuse_others(&begun, applied, pending.first())?;
        let begun = halfway::ids(&begun);
        let stands_alone = |id: &String| {
            let migration = migrations.get(id);
            let is_alone = |migration: &Migration| migration.recording(direction).no_transaction;
            begun.contains(id) || migration.is_some_and(is_alone)
        };
        let mut ids: Vec<&String> = pending.iter().take_while(|id| !stands_alone(id)).collect();
        if self.options.transaction_each {
            ids.truncate(1);
        }
        let Some(first) = pending.first() else { return Ok(Next::Done) };
        if direction == Direction::Upgrade && done.is_empty() {
            plan::check_order(migrations.graph(), applied, &pending, target)?;
        }
        if done.is_empty() {
            plan::refuse_mistakes(migrations, direction, &pending, dialect)?;
        }
        if done.is_empty() {
            let pending: Vec<&Migration> =
                pending.iter().filter_map(|id| migrations.get(id)).collect();
            self.observer.begun(direction, &pending).map_err(|err| Error::begun(&*err))?;
        }
        if is_empty {
            let table = self.options.version_table();
            version_table::create(self.conn(), table)?;
        }
        self.settle(&view)?;
        if ids.is_empty() {
            return Ok(Next::Alone(first.clone()));
        }
        let all = pending.len();
        let mut planner = Planner::new(migrations, direction, applied.clone())?;
        let group: Vec<&Migration> = ids.into_iter().filter_map(|id| migrations.get(id)).collect();
        let operations = group.iter().flat_map(|migration| planner.operations(migration));
        let mut verification =
            Verification::begin(self.conn(), &facts, planner.schema(), operations)?;
        let mut n_run = 0;
        for migration in group {
            let known = self.facts_of_groups(migration, &planner, &facts)?;
            let takes_groups = match &known {
                Some(facts) => planner.takes_groups(migration, dialect, facts)?,
                None => false,
            };
            if takes_groups {
                if n_run == 0 {
                    return Ok(Next::Alone(first.clone()));
                }
                break;
            }
            if planner.must_commit(migration, dialect, &facts) {
                break;
            }
            let place = Place { in_transaction: true, server: &facts, known };
            self.run_one(migration, &mut planner, place, &mut verification)?;
            done.push(migration.revision.id.clone());
            n_run += 1;
        }
        verification.end(self.conn())?;
        Ok(if n_run == all { Next::Done } else { Next::More })
    }

    /// What decides whether a revision takes more than one transaction, or none, on the database as
    /// it is now; `None` if it takes one on any.
    fn facts_of_groups(
        &mut self,
        migration: &Migration,
        planner: &Planner<'_>,
        server: &Facts,
    ) -> Result<Option<Facts>, Error> {
        let dialect = self.driver.dialect();
        let operations = planner.operations(migration);
        if !operations.iter().any(|operation| dialect.may_take_groups(operation)) {
            return Ok(None);
        }
        self.facts_for(operations, server).map(Some)
    }

    /// What the statements of these operations depend on, besides what is known of the server.
    fn facts_for(&mut self, operations: &[Operation], server: &Facts) -> Result<Facts, Error> {
        let failed = |err| Error::database("read the stored definitions of the tables", err);
        self.driver.dialect().facts_for(self.conn(), operations, server).map_err(failed)
    }

    /// Commits after success and rolls back after a failure.
    fn end<T>(&mut self, res: Result<T, Error>, budget: &mut Budget) -> Result<T, Error> {
        match res {
            Ok(value) => budget.commit(self.driver, self.observer).map(|()| value),
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

/// Refuses a route that leaves a foreign key to columns that aren't unique. The database's own
/// tables and indexes are taken into account as well.
///
/// # Errors
///
/// The first such foreign key, and the database's errors.
pub fn refuse_mismatch(conn: &mut dyn Connection, route: &Route<'_>) -> Result<(), Error> {
    let mismatch = plan::mismatch(route, conn.dialect())?;
    let Some(mismatch) = mismatch else { return Ok(()) };
    let failed = |err| Error::database("read the existing tables", err);
    let found = conn.catalog(Some(&mismatch.tables())).map_err(failed)?;
    if mismatch.is_open(&found.schema) { Ok(()) } else { Err(mismatch.error()) }
}

fn health(conn: &mut dyn Connection, tables: &BTreeSet<String>) -> Result<Health, Error> {
    let failed = |err: DatabaseError| Error::database("check the foreign keys", err);
    conn.health(tables).map_err(failed)
}

/// The violations in `after` that aren't in `before`, counting duplicates.
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
