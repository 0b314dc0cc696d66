//! `upgrade --all`: migrates every matching SQLite file, several at a time.
//!
//! The history is loaded, checked and decoded once. Each file has its own connection, transaction,
//! lock and verification, and can fail independently.

mod files;
mod report;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Instant;

use dbmigrate_runtime::engine::driver::Waiting;
use std::{fs, thread};

use dbmigrate_runtime::engine::dialect::Statement;
use dbmigrate_runtime::engine::executor::{self, Executor, Observer};
use dbmigrate_runtime::engine::revision::Revision;
use dbmigrate_runtime::engine::standing::Standing;
use dbmigrate_runtime::engine::version_table::{self, VersionRow};
use dbmigrate_runtime::engine::{Migration, Migrations, plan, script};
use dbmigrate_runtime::{Db, Direction, Options, StepResult};

use super::Answer;
use crate::cli::Upgrade;
use crate::connection::Database;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::history::History;
use crate::output;
use crate::run;
use crate::runner;
use report::Report;

pub fn run(cx: &Context, args: &Upgrade) -> Result<Answer> {
    let identifier = args.revision.as_str();
    let found = files::matching(&args.all)?;
    let history = History::load(cx)?;
    check_identifier(&history, identifier)?;
    let migrations = history.migrations()?;
    let options = run::options(cx, &args.run);
    let fleet = Fleet {
        cx,
        migrations: &migrations,
        options: &options,
        identifier,
        starting: Mutex::default(),
        printed: Mutex::default(),
    };
    let n_files = found.files.len();
    let n_jobs = args.jobs.or(thread::available_parallelism().ok()).map_or(1, usize::from);
    let bar = run::bar(cx.out, n_files, "databases");
    output::keep_below(Some(bar.clone()));
    let mut report = Report::new(cx.out, identifier, &found.files);
    for (path, err) in found.unreadable {
        report.add(&path, Err(err));
    }
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        let (fleet, next, files) = (&fleet, &next, &found.files);
        for _ in 0..n_jobs.min(n_files) {
            let sender = sender.clone();
            scope.spawn(move || fleet.work(next, files, &sender));
        }
        // Without this, the results wouldn't end with the last worker.
        drop(sender);
        for (path, res) in results {
            bar.inc(1);
            report.add(path, res);
        }
    });
    output::keep_below(None);
    bar.finish_and_clear();
    Ok(report.end())
}

/// Reports once what would fail for every file. Relative identifiers are resolved for each file.
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
    identifier: &'a str,
    /// Held while a runner is started, since the first one may have to be compiled.
    starting: Mutex<()>,
    /// Messages that were already printed; repeated for thousands of files they would hide the
    /// rest.
    printed: Mutex<BTreeSet<String>>,
}

impl<'a> Fleet<'a> {
    /// Takes one file after the other until none is left.
    fn work(
        &self,
        next: &AtomicUsize,
        files: &'a [PathBuf],
        sender: &mpsc::Sender<(&'a Path, Result<Vec<String>>)>,
    ) {
        let steps = Steps { own: runner::Steps::new(self.cx), starting: &self.starting };
        let mut worker = Worker { fleet: self, steps, settled: None };
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let res = worker.upgrade(path);
            if sender.send((path, res)).is_err() {
                return;
            }
        }
    }
}

/// A worker's own state; it migrates one file at a time.
struct Worker<'a> {
    fleet: &'a Fleet<'a>,
    steps: Steps<'a>,
    /// The version rows of the last file with nothing pending. Most files have the same rows, and
    /// then nothing has to be computed again.
    settled: Option<Vec<VersionRow>>,
}

impl Worker<'_> {
    /// Upgrades a file and returns the ids of the revisions that were run.
    fn upgrade(&mut self, path: &Path) -> Result<Vec<String>> {
        let Fleet { migrations, options, identifier, .. } = *self.fleet;
        // Opening a pipe would block until its other end is opened.
        if !fs::metadata(path).doing(|| "examine it".to_owned())?.is_file() {
            return Err(Error::new("it is not a file"));
        }
        let mut observer = File { fleet: self.fleet, path };
        let mut on_wait = |waiting: &Waiting| observer.waiting(waiting);
        let database = Database::file(path);
        let start = Instant::now();
        let mut driver = database.open_existing(options.lock_timeout, &mut on_wait)?;
        let left = options.lock_timeout.saturating_sub(start.elapsed());
        let options = &Options { lock_timeout: left, ..options.clone() };
        let applied = version_table::read(driver.as_connection(), options.version_table())?;
        if self.settled.as_ref() == Some(&applied) {
            return Ok(Vec::new());
        }
        let standing = Standing::of(migrations, applied)?;
        standing.check(options.allow_ahead)?;
        let target = standing.target(Direction::Upgrade, identifier)?;
        if standing.route(Direction::Upgrade, &target).is_empty() {
            self.settled = Some(standing.rows);
            return Ok(Vec::new());
        }
        let mut executor = Executor {
            driver: &mut *driver,
            migrations,
            options,
            observer: &mut observer,
            steps: &mut self.steps,
        };
        Ok(executor.run_to(Direction::Upgrade, &target)?)
    }
}

/// Observes a run; its messages start with the file's name.
struct File<'a> {
    fleet: &'a Fleet<'a>,
    path: &'a Path,
}

impl Observer for File<'_> {
    fn running(&mut self, direction: Direction, revision: &Revision) {
        let path = self.path.display();
        self.fleet.cx.out.detail(format!("{path}: {}", script::running(direction, revision)));
    }

    fn statement(&mut self, statement: &Statement) {
        let (path, Statement { reason, sql, .. }) = (self.path.display(), statement);
        self.fleet.cx.out.detail(format!("{path}: -- {reason}\n{sql};"));
    }

    fn late(&mut self, revision: &Revision, applied: &Revision) {
        let text = run::late(revision, applied);
        let mut printed = self.fleet.printed.lock().unwrap_or_else(PoisonError::into_inner);
        if printed.insert(text.clone()) {
            self.fleet.cx.out.note(format!("{}: {text}", self.path.display()));
        }
    }

    fn waiting(&mut self, waiting: &Waiting) {
        let (path, text) = (self.path.display(), output::waiting_text(waiting));
        self.fleet.cx.out.progress(format!("{path}: {text}"));
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
}
