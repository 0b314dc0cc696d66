//! `upgrade`: applies revisions.

use std::collections::BTreeSet;
use std::time::Duration;

use dbmigrate_runtime::dialect::{Dialect as _, Facts, Sqlite, Statement};
use dbmigrate_runtime::driver::Driver;
use dbmigrate_runtime::executor::{self, Executor, Observer};
use dbmigrate_runtime::revision::{Range, Revision, Target};
use dbmigrate_runtime::script::Client;
use dbmigrate_runtime::{Direction, Migrations, Options, plan, script, version_table, written};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Answer, as_applied};
use crate::cli::{Run, Transaction, Upgrade};
use crate::config;
use crate::connection::{self, Database, Patience, Source};
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::history::{self, History};
use crate::output::Output;
use crate::project;
use crate::revision_files;
use crate::runner::Steps;

pub fn run(cx: &Context, args: &Upgrade) -> Result<Answer> {
    if let Some(client) = args.run.script.client() {
        return write_script(cx, Direction::Upgrade, &args.revision, (&args.run, client));
    }
    let database = Database::find(cx)?;
    build_script_hints(cx, &database)?;
    let history = History::load(cx)?;
    let ran = upgrade(cx, &database, &history, &args.revision, &args.run)?;
    cx.out.json("upgrade", serde_json::json!({ "ran": ran }));
    Ok(Answer::Done)
}

/// Applies what a revision needs; with nothing to do it only reads, and decodes no operations.
pub fn upgrade(
    cx: &Context,
    database: &Database,
    history: &History,
    identifier: &str,
    args: &Run,
) -> Result<Vec<String>> {
    let mut options = options(cx, args);
    let mut patience = Patience { out: cx.out, at_most: options.lock_timeout };
    let mut reader = patience.spend(|patience| database.open_to_read(patience))?;
    let applied = match &mut reader {
        Some(driver) => version_table::read(&mut **driver, options.version_table())?,
        None => Vec::new(),
    };
    drop(reader);
    let (history, set) = history.at(executor::ids(&applied))?;
    executor::check_applied(
        &history.graph,
        |id| history.checksum(id),
        &applied,
        options.allow_ahead,
    )?;
    history.note_replaced(cx, &[identifier]);
    let target = plan::upgrade_target(&history.graph, &set, identifier)?;
    let pending = plan::route(&history.graph, &set, Direction::Upgrade, &target);
    if pending.is_empty() {
        nothing_to(cx, "upgrade", database, &history, &set);
        return Ok(Vec::new());
    }
    let migrations = history.migrations()?;
    warn_of_texts(cx, &migrations, &set, &pending)?;
    if database.is_missing() {
        // Else a plan that fails would leave an empty file behind.
        let facts = Sqlite.offline_facts();
        plan::plan(&migrations, Direction::Upgrade, &pending, &set, &Sqlite, &facts)?;
        plan::refuse_mismatch_if_new(&migrations, Direction::Upgrade, &pending, &set)?;
    }
    // Where a run commits before its end, what it committed stays after a failure.
    let stands_alone = |id: &String| migrations.get(id).is_some_and(|it| it.upgrade.no_transaction);
    let is_one_commit = !options.transaction_each && !pending.iter().any(stands_alone);
    let fresh =
        if is_one_commit { patience.spend(|patience| database.fresh(patience))? } else { None };
    if let Some(fresh) = fresh {
        options.lock_timeout = patience.at_most;
        let place = Place { database: &database.at(fresh.path()), options: &options, patience };
        let ran = run_at(cx, place, &migrations, (&target, pending.len()))?;
        let failed = || format!("give the database the name `{}`", database.name());
        if fresh.publish().doing(failed)? {
            return Ok(ran);
        }
        // Another program has made one meanwhile, which may be anything.
    }
    let place = Place { database, options: &options, patience };
    run_at(cx, place, &migrations, (&target, pending.len()))
}

/// Where and how an upgrade runs.
struct Place<'a> {
    database: &'a Database,
    options: &'a Options,
    patience: Patience,
}

/// What is relative to the database is resolved by now: `+1` means these revisions.
fn run_at(
    cx: &Context,
    place: Place<'_>,
    migrations: &Migrations,
    (target, n_pending): (&Target, usize),
) -> Result<Vec<String>> {
    let Place { database, options, mut patience } = place;
    let mut driver = patience.spend(|patience| database.open_to_write(patience))?;
    let options = &Options { lock_timeout: patience.at_most, ..options.clone() };
    let mut observer = Progress::new(cx.out, n_pending);
    let mut steps = Steps::new(cx);
    let mut executor = Executor {
        driver: &mut *driver,
        migrations,
        options,
        observer: &mut observer,
        steps: &mut steps,
    };
    Ok(executor.run_to(Direction::Upgrade, target)?)
}

/// Says where a revision is about to make a check or the like in which a name in double quotes is
/// no column, so that SQLite takes it for a text. It may have been applied elsewhere, so it runs.
fn warn_of_texts(
    cx: &Context,
    migrations: &Migrations,
    applied: &BTreeSet<String>,
    pending: &[String],
) -> Result<()> {
    let mut schema = migrations.replay(Some(applied))?;
    for migration in pending.iter().filter_map(|id| migrations.get(id)) {
        for operation in &migration.upgrade.operations {
            if let Some(mistake) = written::kept_names(operation, &schema) {
                let (id, message) = (&migration.revision.id, mistake.message);
                cx.out.warning(format!(
                    "revision `{id}`: {operation}: {message}; SQLite reads it as a text"
                ));
            }
            // One that doesn't fit has its error where it is planned.
            let _ = operation.apply(&mut schema);
        }
    }
    Ok(())
}

/// Says that a database is where it is to be.
fn nothing_to(
    cx: &Context,
    what: &str,
    database: &Database,
    history: &History,
    applied: &BTreeSet<String>,
) {
    let at = match history.graph.current(applied).as_slice() {
        [] => "has no revision applied".to_owned(),
        ids => format!("is at {}", ids.join(", ")),
    };
    cx.out.progress(format!("Nothing to {what}: {} {at}", database.url()));
}

/// The executor's options of these arguments, and of the settings where they say nothing.
pub fn options(cx: &Context, args: &Run) -> Options {
    Options {
        transaction_each: args.transaction.unwrap_or(cx.config.transaction) == Transaction::Each,
        lock_timeout: Duration::from_secs(args.lock_timeout.unwrap_or(cx.config.lock_timeout)),
        args: args.args.clone(),
        version_table: cx.config.version_table.clone(),
        version_table_schema: cx.config.version_table_schema.clone(),
        allow_ahead: false,
        ..Options::default()
    }
}

/// Prints the statements that a run would make. With a range it needs no database.
pub fn write_script(
    cx: &Context,
    direction: Direction,
    identifier: &str,
    (args, client): (&Run, Client),
) -> Result<Answer> {
    let history = History::load(cx)?;
    let mut facts = Sqlite.offline_facts();
    let (history, rows, applied, to) = match Range::parse(identifier) {
        Some(range) => {
            let (from, to) = match direction {
                Direction::Upgrade => ("base", "head"),
                Direction::Downgrade => ("heads", "base"),
            };
            let from = range.from.as_deref().unwrap_or(from);
            let (history, applied) = applied_at(cx, &history, from)?;
            (history, applied.clone(), applied, range.to.unwrap_or_else(|| to.to_owned()))
        }
        None => {
            let database = Database::find(cx)?;
            let applied = history::applied(cx, &database)?;
            if let Some(mut driver) = database.open_to_read(Patience::reading(cx))? {
                facts = for_a_script(stored_facts(&mut *driver)?);
            }
            let rows = executor::ids(&applied);
            let (history, set) = history.at(rows.clone())?;
            executor::check_applied(&history.graph, |id| history.checksum(id), &applied, false)?;
            (history.into_owned(), rows, set, identifier.to_owned())
        }
    };
    history.note_replaced(cx, &[&to]);
    let graph = &history.graph;
    let target = match direction {
        Direction::Upgrade => plan::upgrade_target(graph, &applied, &to)?,
        Direction::Downgrade => plan::downgrade_target(graph, &applied, &to)?,
    };
    let ids = plan::route(graph, &applied, direction, &target);
    if direction == Direction::Upgrade {
        plan::check_order(graph, &applied, &ids, &target)?;
    }
    let migrations = history.migrations()?;
    let options = options(cx, args);
    let (text, steps) =
        script::script(&migrations, direction, &ids, &rows, &Sqlite, &facts, &options)?;
    for step in steps {
        cx.out.warning(format!(
            "step `{step}` is a function and is not in the script; only `cargo dbmigrate` runs it"
        ));
    }
    let text = script::for_client(&text, &Sqlite, client);
    cx.out.text(&text);
    let name = match direction {
        Direction::Upgrade => "upgrade",
        Direction::Downgrade => "downgrade",
    };
    cx.out.json(name, serde_json::json!({ "sql": text, "revisions": ids }));
    Ok(Answer::Done)
}

/// The history of a database that is at this revision, and what is applied in it.
pub fn applied_at(
    cx: &Context,
    history: &History,
    identifier: &str,
) -> Result<(History, BTreeSet<String>)> {
    let history = history.naming(&[identifier])?;
    let (history, applied) = history.to_understand(cx, &[identifier])?;
    let target = history.graph.target(identifier, applied.as_ref())?;
    let before = history.graph.with_ancestors(&target.ids());
    let before = before.into_iter().map(str::to_owned).collect();
    Ok((history.into_owned(), before))
}

/// What statements depend on in a database.
fn stored_facts(driver: &mut dyn Driver) -> Result<Facts> {
    let failed = |err| Error::new("failed to read what is stored of the tables").cause(err);
    driver.as_connection().facts_with_objects().map_err(failed)
}

/// A script may be run by an older SQLite than the one that is compiled in here.
pub fn for_a_script(facts: Facts) -> Facts {
    Facts { version: facts.version.min(Sqlite.offline_facts().version), ..facts }
}

/// In a build script cargo is told what the database depends on; never the database itself, or
/// the package would be built anew each time.
fn build_script_hints(cx: &Context, database: &Database) -> Result<()> {
    if !project::in_build_script() || cx.out.is_json() {
        return Ok(());
    }
    let dir = &cx.project.migrations_dir;
    cx.out.line(format!("cargo:rerun-if-changed={}", dir.display()));
    for it in revision_files::locations(cx)?.iter().filter(|it| !it.dir.starts_with(dir)) {
        cx.out.line(format!("cargo:rerun-if-changed={}", it.dir.display()));
    }
    if !cx.project.config_dir.starts_with(dir) {
        let settings = config::path(&cx.project.config_dir);
        cx.out.line(format!("cargo:rerun-if-changed={}", settings.display()));
    }
    let dotenv = match &database.source {
        Source::DotEnv(path) => path.clone(),
        _ => cx.project.package_dir.join(".env"),
    };
    if dotenv.exists() {
        cx.out.line(format!("cargo:rerun-if-changed={}", dotenv.display()));
    }
    cx.out.line(format!("cargo:rerun-if-env-changed={}", connection::variable(cx)));
    Ok(())
}

/// Says what a run does, and shows a bar when it takes long and somebody is looking.
pub struct Progress {
    out: Output,
    bar: ProgressBar,
}

/// A run that is over by then shows no bar.
const PATIENCE: Duration = Duration::from_secs(1);

impl Progress {
    pub fn new(out: Output, n_revisions: usize) -> Progress {
        let bar = bar(out, n_revisions, "revisions");
        Progress { out, bar }
    }
}

/// What is said of a revision that runs late.
pub fn late(revision: &Revision, applied: &Revision) -> String {
    format!(
        "revision `{}` runs after `{}`, which comes after it in the history and is applied \
         already; on a new database it runs before",
        revision.id, applied.id
    )
}

/// A bar over so many things, shown once it has taken a while.
pub fn bar(out: Output, n: usize, things: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(n as u64), ProgressDrawTarget::hidden());
    if n > 0 && !out.quiet && crate::output::is_interactive() {
        let template = format!("{{spinner}} {{bar:30}} {{pos}} of {{len}} {things}, {{elapsed}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        let bar = bar.clone();
        std::thread::spawn(move || {
            std::thread::sleep(PATIENCE);
            if !bar.is_finished() {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(Duration::from_millis(100));
            }
        });
    }
    bar
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Progress {
    fn running(&mut self, direction: Direction, revision: &Revision) {
        self.bar.suspend(|| self.out.done(script::running(direction, revision)));
        self.bar.inc(1);
    }

    fn statement(&mut self, statement: &Statement) {
        self.bar
            .suspend(|| self.out.detail(format!("-- {}\n{};", statement.reason, statement.sql)));
    }

    fn late(&mut self, revision: &Revision, applied: &Revision) {
        self.bar.suspend(|| self.out.note(late(revision, applied)));
    }

    fn waiting(&mut self, at_most: Duration) {
        self.bar.suspend(|| self.out.waiting(at_most));
    }
}

/// A run down, shared by the commands that have one.
pub fn downgrade(
    cx: &Context,
    database: &Database,
    history: &History,
    identifier: &str,
    args: &Run,
    allow_destructive: bool,
) -> Result<Vec<String>> {
    let mut options = options(cx, args);
    if database.is_missing() {
        let message = format!("the database `{}` does not exist", database.name());
        return Err(Error::new(message).hint("`cargo dbmigrate upgrade` creates it"));
    }
    let mut patience = Patience { out: cx.out, at_most: options.lock_timeout };
    let mut driver = patience.spend(|patience| database.open_to_write(patience))?;
    options.lock_timeout = patience.at_most;
    let applied = version_table::read(&mut *driver, options.version_table())?;
    let (history, set) = history.at(executor::ids(&applied))?;
    let target = plan::downgrade_target(&history.graph, &set, identifier)?;
    let ids = plan::route(&history.graph, &set, Direction::Downgrade, &target);
    if ids.is_empty() {
        nothing_to(cx, "downgrade", database, &history, &set);
        return Ok(Vec::new());
    }
    let migrations = as_applied::migrations(cx, &mut *driver, &history, &applied, &set, &ids)?;
    let facts = stored_facts(&mut *driver)?;
    plan::plan(&migrations, Direction::Downgrade, &ids, &set, driver.dialect(), &facts)?;
    super::downgrade::confirm_losses(&mut *driver, &migrations, &ids, allow_destructive)?;
    let mut observer = Progress::new(cx.out, ids.len());
    let mut steps = Steps::new(cx);
    let mut executor = Executor {
        driver: &mut *driver as &mut dyn Driver,
        migrations: &migrations,
        options: &options,
        observer: &mut observer,
        steps: &mut steps,
    };
    Ok(executor.run_to(Direction::Downgrade, &target)?)
}
