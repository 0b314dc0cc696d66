//! One revision: planned from the database's current state, run, and marked as applied.

use std::time::Instant;

use super::verify::Verification;
use super::{Applied, Executor};
use crate::dialect::{Facts, Guard, StatementKind, Task};
use crate::direction::Direction;
use crate::driver::{DatabaseError, ErrorKind};
use crate::error::{Remains, Stop};
use crate::migration::Migration;
use crate::pace::{Load, Took};
use crate::plan::Planner;
use crate::{Db, Error, trace, version_table};

/// A revision that is being run.
pub(super) struct Run<'a> {
    pub(super) migration: &'a Migration,
    pub(super) direction: Direction,
    pub(super) in_transaction: bool,
    /// Whether the ledger tells what of it is done.
    pub(super) is_continued: bool,
    /// Whether what an earlier run did of it is being taken back.
    pub(super) is_taken_back: bool,
    /// How many of its tasks are done.
    pub(super) n_run: usize,
    /// How many tasks it has, as far as this is known.
    pub(super) n_tasks: usize,
}

/// Where a revision is run.
pub(super) struct Place<'a> {
    pub(super) in_transaction: bool,
    /// What is known of the server, which doesn't change during a run.
    pub(super) server: &'a Facts,
    /// What its statements depend on, if that was just read.
    pub(super) known: Option<Facts>,
}

impl Run<'_> {
    /// How it ends if it fails now.
    pub(super) fn stop(&self) -> Stop<'_> {
        // A change that fails leaves nothing, so there is nothing to go on after the first one.
        let is_continued = self.is_continued && (self.n_run > 0 || self.is_taken_back);
        Stop {
            revision: &self.migration.revision.id,
            rolled_back: self.is_continued && !is_continued
                || self.in_transaction && !self.is_continued,
            is_continued,
        }
    }
}

impl Executor<'_> {
    /// Plans and runs one revision. Its statements may depend on what earlier revisions did to the
    /// database, so the facts are read again.
    pub(super) fn run_one<'a>(
        &mut self,
        migration: &'a Migration,
        planner: &mut Planner<'a>,
        Place { in_transaction, server, mut known }: Place<'_>,
        verification: &mut Verification,
    ) -> Result<(), Error> {
        if in_transaction != self.driver.in_transaction() {
            return Err(Error::transaction_lost(&migration.revision.id));
        }
        let direction = planner.direction();
        if direction == Direction::Upgrade {
            if let Some(applied) = planner.overtaken_by(migration) {
                self.observer.late(&migration.revision, applied);
            }
        }
        let id = &migration.revision.id;
        let operations = planner.operations(migration);
        let (mut taken, mut n_run, mut load) = (0, 0, None);
        let start = Instant::now();
        let _span = trace::revision(direction, &migration.revision);
        loop {
            let facts = match known.take() {
                Some(facts) => facts,
                None => self.facts_for(&operations[taken..], server)?,
            };
            let dialect = self.driver.dialect();
            let plan = planner.part(migration, taken, dialect, &facts)?;
            if taken == 0 {
                self.observer.running(direction, &migration.revision);
                self.driver.runs(id);
            }
            let n_tasks = n_run + plan.tasks.len();
            let is_continued = false;
            let run = Run {
                migration,
                direction,
                in_transaction,
                is_continued,
                is_taken_back: false,
                n_run,
                n_tasks,
            };
            n_run += plan.tasks.len();
            if direction == Direction::Upgrade {
                load = load.max(self.load(&plan.tasks)?);
            }
            self.run_tasks(&run, &plan.tasks, verification)?;
            verification.operations(&operations[taken..plan.taken]);
            taken = plan.taken;
            if taken >= operations.len() {
                break;
            }
        }
        planner.finish(migration)?;
        let table = self.options.version_table();
        let duration = start.elapsed();
        trace::revision_done(duration.as_millis());
        match direction {
            Direction::Upgrade => {
                let took = Took { duration, load };
                version_table::insert(self.conn(), table, migration, took)?;
            }
            Direction::Downgrade => version_table::delete(self.conn(), table, id)?,
        }
        if self.options.callbacks.is_empty() {
            return Ok(());
        }
        let heads = planner.heads();
        let applied = Applied { revision: &migration.revision, direction, heads: &heads, duration };
        let remains = if in_transaction { Remains::Nothing } else { Remains::All(direction) };
        self.call_back(&applied, remains, verification)
    }

    pub(super) fn run_tasks(
        &mut self,
        run: &Run<'_>,
        tasks: &[Task],
        verification: &mut Verification,
    ) -> Result<(), Error> {
        let Run { migration, direction, in_transaction, n_run, n_tasks, .. } = *run;
        let id = &migration.revision.id;
        // An opaque task may end the transaction and begin another one; only this mark reveals
        // that.
        let is_marked = in_transaction && tasks.iter().any(Task::is_opaque);
        if is_marked {
            self.mark()?;
        }
        for (idx, task) in tasks.iter().enumerate() {
            let ended = |what: &str| Err(Error::transaction_ended(id, what));
            let sql = match task {
                Task::Statement(statement) => Some(statement.sql.as_str()),
                Task::Guard(_)
                | Task::Note(_)
                | Task::Step { .. }
                | Task::Border
                | Task::Alone(_) => None,
            };
            if task.is_opaque() {
                verification.before_opaque(self.conn(), sql)?;
            }
            match task {
                Task::Statement(statement) => {
                    self.observer.statement(statement);
                    let _span = trace::statement(&statement.sql, self.driver.dialect().lexicon());
                    let refused = if in_transaction && statement.kind == StatementKind::Raw {
                        self.driver.dialect().refused_in_transaction(&statement.sql)
                    } else {
                        None
                    };
                    let res = match refused {
                        Some(why) => Err(DatabaseError::of(ErrorKind::NotInTransaction, why)),
                        None => self.driver.batch(&statement.sql),
                    };
                    if let Err(err) = res {
                        // Others got in the way, and the server has rolled the transaction back.
                        let is_conflict = run.is_continued && err.is_busy();
                        let is_known = is_conflict || err.is_of_disk();
                        if is_marked && !is_known && !self.is_at_mark() {
                            return ended(&format!("`{}`", statement.sql));
                        }
                        let place = (n_run + idx + 1, n_tasks);
                        let err = match &statement.scratch {
                            Some(scratch) => err.map(|message| scratch.named(message)),
                            None => err,
                        };
                        return Err(Error::statement(run.stop(), place, statement, err));
                    }
                    if statement.kind == StatementKind::Raw
                        && in_transaction != self.driver.in_transaction()
                    {
                        return ended(&format!("`{}`", statement.sql));
                    }
                }
                Task::Guard(guard) => self.guard(run.stop(), guard)?,
                Task::Note(_) | Task::Border => {}
                Task::Alone(alone) => {
                    let run = Run { in_transaction: false, n_run: n_run + idx, ..*run };
                    self.run_alone_statement(&run, alone, None)?;
                }
                // A piece would have no transaction of its own here; it is refused while planning.
                Task::Step { name, batch: Some(_), .. } => {
                    return Err(Error::step(run.stop(), name, "it runs in pieces", None));
                }
                Task::Step { operation, name, batch: None } => {
                    let _span = trace::step(name);
                    let mut db = Db::new(self.driver.as_connection(), &self.options.args);
                    let res = self.steps.run(migration, direction, *operation, &mut db);
                    let cause = res.as_ref().err().and_then(|err| db.cause(&err.to_string()));
                    let cause = cause.cloned();
                    if let Some(err) = db.lost() {
                        return Err(Error::step_lost(id, name, err));
                    }
                    if let Err(err) = res {
                        if is_marked && !self.is_at_mark() {
                            return ended(&format!("step `{name}`"));
                        }
                        let why = err.to_string();
                        return Err(Error::step(run.stop(), name, &why, cause.as_ref()));
                    }
                    if in_transaction != self.driver.in_transaction() {
                        return ended(&format!("step `{name}`"));
                    }
                }
            }
            if task.is_opaque() {
                verification.after_opaque(self.conn(), sql)?;
            }
        }
        let unmarked = if is_marked { self.unmark() } else { Ok(()) };
        unmarked.map_err(|err| {
            // Another node of a cluster got in the way after the last statement.
            if run.is_continued && err.is_busy() {
                Error::database("keep the changes of rows", err)
            } else {
                Error::transaction_ended(id, "SQL of its own")
            }
        })
    }

    /// How much work the tasks have to do on existing rows.
    pub(super) fn load(&mut self, tasks: &[Task]) -> Result<Option<Load>, Error> {
        let in_transaction = self.driver.in_transaction();
        match Load::read(self.conn(), tasks) {
            // Only a transaction that has ended is a reason to stop.
            Err(_) if !in_transaction => Ok(None),
            read => read.map_err(|err| Error::database("count existing rows", err)),
        }
    }

    fn guard(&mut self, stop: Stop<'_>, guard: &Guard) -> Result<(), Error> {
        let failed = |err| Error::unchecked(stop, &guard.sql, err);
        let rows = self.driver.query(&guard.sql, &[]).map_err(failed)?.rows;
        if let Some(n) = rows.into_iter().flatten().next() {
            return Err(Error::check(stop, &guard.failed(&n), guard.hint.as_deref()));
        }
        let Some(warning) = &guard.warning else { return Ok(()) };
        let dialect = self.driver.dialect();
        match dialect.warning(self.driver.as_connection()).map_err(failed)? {
            Some(text) => {
                let failure = warning.replace("{}", &text);
                Err(Error::check(stop, &failure, guard.hint.as_deref()))
            }
            None => Ok(()),
        }
    }
}
