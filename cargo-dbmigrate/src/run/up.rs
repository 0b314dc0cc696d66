//! A run up, shared by the commands that have one.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::executor::Executor;
use dbmigrate_runtime::engine::revision::{Target, View};
use dbmigrate_runtime::engine::{Migrations, plan, version_table, written};
use dbmigrate_runtime::{Direction, Options};

use super::{Progress, nothing_to, options};
use crate::cli::Run;
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::{Doing as _, Result};
use crate::history::History;
use crate::runner::Steps;

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
        Some(driver) => version_table::read(driver.as_connection(), options.version_table())?,
        None => Vec::new(),
    };
    drop(reader);
    let standing = history.standing(applied)?;
    standing.check(options.allow_ahead)?;
    standing.view.of.note_replaced(cx, &[identifier]);
    let target = standing.target(Direction::Upgrade, identifier)?;
    let pending = standing.route(Direction::Upgrade, &target);
    let View { of: history, applied: set, .. } = standing.view;
    if pending.is_empty() {
        nothing_to(cx, "upgrade", database, &history, &set);
        return Ok(Vec::new());
    }
    let migrations = history.migrations()?;
    warn_of_texts(cx, &migrations, &set, &pending)?;
    if database.is_missing() {
        // Else a plan that fails would leave an empty file behind.
        let facts = cx.dialect().offline_facts();
        plan::plan(&migrations, Direction::Upgrade, &pending, &set, cx.dialect(), &facts)?;
        plan::refuse_mismatch_if_new(
            &migrations,
            Direction::Upgrade,
            &pending,
            &set,
            cx.dialect(),
        )?;
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
