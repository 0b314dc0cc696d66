//! `upgrade --all` and `--schemas`: migrates many databases, several at a time.
//!
//! The history is loaded, checked and decoded once. Each database has its own connection, transaction,
//! lock and verification, and can fail independently.

mod files;
pub mod report;
pub mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use dbmigrate_runtime::engine::dialect::Statement;
use dbmigrate_runtime::engine::driver::Waiting;
use dbmigrate_runtime::engine::executor::{self, Observer};
use dbmigrate_runtime::engine::many::{self, Upgrader};
use dbmigrate_runtime::engine::revision::Revision;
use dbmigrate_runtime::engine::{Migration, Migrations, plan, script};
use dbmigrate_runtime::{BatchRange, Db, Direction, Options, StepResult};

use super::Answer;
use crate::backup::Keeper;
use crate::cli::{Run, Upgrade};
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::history::History;
use crate::output;
use crate::run;
use crate::runner;
use report::{Done, Report};
use targets::Target;

pub fn run(cx: &Context, args: &Upgrade) -> Result<Answer> {
    let identifier = args.revision.as_str();
    let loaded = (!args.schemas.is_empty()).then(|| History::load(cx)).transpose()?;
    if let Some(history) = &loaded {
        history.migrations()?.refuse_named_schemas()?;
    }
    let found = targets::find(cx, args)?;
    let history = loaded.map_or_else(|| History::load(cx), Ok)?;
    check_identifier(&history, identifier)?;
    let migrations = history.migrations()?;
    let run = args.run();
    let options = run::options(cx, &run);
    let fleet = Fleet {
        cx,
        migrations: &migrations,
        options: &options,
        run: &run,
        identifier,
        starting: Mutex::default(),
        printed: Mutex::default(),
    };
    let n_targets = found.targets.len();
    let bar = run::bar(cx.out, n_targets, targets::things(args));
    output::keep_below(Some(bar.clone()));
    let mut report = Report::new(cx.out, (identifier, targets::thing(args)), &found.targets);
    for (target, err) in found.unreadable {
        report.add(&target, Err(err));
    }
    many::several(
        (&found.targets, args.jobs),
        || Worker::new(&fleet),
        Worker::upgrade,
        |target, res| {
            bar.inc(1);
            report.add(target, res);
        },
    );
    output::keep_below(None);
    bar.finish_and_clear();
    Ok(report.end())
}

/// Reports once what would fail for every database. Relative identifiers are resolved for each one.
fn check_identifier(history: &History, identifier: &str) -> Result<()> {
    if identifier.contains(['+', '-', '@']) || identifier == "current" {
        return Ok(());
    }
    match plan::upgrade_target(&history.graph, &BTreeSet::new(), identifier) {
        Err(_) if Path::new(identifier).exists() => {
            Err(Error::new(format!("`{identifier}` is a file, not a revision"))
                .hint("put the pattern of --all in quotes, so that the shell leaves it as it is"))
        }
        res => Ok(res.map(drop)?),
    }
}

/// The state that all workers share.
struct Fleet<'a> {
    cx: &'a Context,
    migrations: &'a Migrations,
    options: &'a Options,
    run: &'a Run,
    identifier: &'a str,
    /// Held while a runner is started, since the first one may have to be compiled.
    starting: Mutex<()>,
    /// Messages that were already printed; repeated for thousands of databases they would hide the
    /// rest.
    printed: Mutex<BTreeSet<String>>,
}

impl Fleet<'_> {
    /// Prints a message once, with the name of the first database that it concerns.
    fn note_once(&self, at: &Target, text: &str) {
        let mut printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        if printed.insert(text.to_owned()) {
            self.cx.out.note(format!("{}: {text}", at.name));
        }
    }
}

/// A worker's own state; it migrates one database at a time.
struct Worker<'a> {
    fleet: &'a Fleet<'a>,
    upgrader: Upgrader<'a>,
    steps: Steps<'a>,
}

impl<'a> Worker<'a> {
    fn new(fleet: &'a Fleet<'a>) -> Worker<'a> {
        let steps = Steps { own: runner::Steps::new(fleet.cx), starting: &fleet.starting };
        let upgrader = Upgrader::new(fleet.migrations, fleet.options, fleet.identifier);
        Worker { fleet, upgrader, steps }
    }

    fn upgrade(&mut self, at: &Target) -> Result<Done> {
        if let Some(path) = at.database.path() {
            // Opening a pipe would block until its other end is opened.
            if !fs::metadata(path).doing(|| "examine it".to_owned())?.is_file() {
                return Err(Error::new("it is not a file"));
            }
        }
        let mut keeper = Keeper::of(self.fleet.cx, &at.database, self.fleet.run)?.quiet();
        let mut observer = One { fleet: self.fleet, at, keeper: &mut keeper };
        let mut on_wait = |waiting: &Waiting| observer.waiting(waiting);
        let one = many::One { schema: at.schema.as_deref(), start: Instant::now() };
        let lock_timeout = self.fleet.options.lock_timeout;
        let mut driver = at.database.open_existing(lock_timeout, &mut on_wait)?;
        let res = self.upgrader.upgrade(&mut *driver, one, &mut observer, &mut self.steps);
        let (revisions, _) = keeper.end(res)?;
        let barriers = self.upgrader.barriers().to_vec();
        for barrier in &barriers {
            self.fleet.note_once(at, &format!("stopping before {barrier}"));
        }
        Ok(Done { revisions, barriers })
    }
}

/// Observes a run; its messages start with the target's name.
struct One<'a> {
    fleet: &'a Fleet<'a>,
    at: &'a Target,
    keeper: &'a mut Keeper,
}

impl Observer for One<'_> {
    fn begun(&mut self, direction: Direction, pending: &[&Migration]) -> StepResult {
        Ok(self.keeper.begun(direction, pending)?)
    }

    fn running(&mut self, direction: Direction, revision: &Revision) {
        let name = &self.at.name;
        self.fleet.cx.out.detail(format!("{name}: {}", script::running(direction, revision)));
    }

    fn continuing(&mut self, statement: usize) {
        let (name, text) = (&self.at.name, executor::continuing_text(statement));
        self.fleet.cx.out.detail(format!("{name}: {text}"));
    }

    fn statement(&mut self, statement: &Statement) {
        let (name, Statement { reason, sql, .. }) = (&self.at.name, statement);
        self.fleet.cx.out.detail(format!("{name}: -- {reason}\n{sql};"));
    }

    fn late(&mut self, revision: &Revision, applied: &Revision) {
        self.fleet.note_once(self.at, &executor::late_text(revision, applied));
    }

    fn waiting(&mut self, waiting: &Waiting) {
        self.fleet.cx.out.progress(format!("{}: {waiting}", self.at.name));
    }
}

/// Steps in a runner of this worker's own, so that workers don't wait for each other.
struct Steps<'a> {
    own: runner::Steps<'a>,
    starting: &'a Mutex<()>,
}

impl executor::Steps for Steps<'_> {
    fn prepare(&mut self, migrations: &[&Migration]) -> StepResult {
        let _held = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        self.own.prepare(migrations)
    }

    fn run(
        &mut self,
        migration: &Migration,
        direction: Direction,
        operation: usize,
        db: &mut Db<'_>,
    ) -> StepResult {
        self.own.run(migration, direction, operation, db)
    }

    fn run_piece(
        &mut self,
        recorded: (&Migration, Direction),
        operation: usize,
        range: &BatchRange,
        db: &mut Db<'_>,
    ) -> StepResult {
        self.own.run_piece(recorded, operation, range, db)
    }
}
