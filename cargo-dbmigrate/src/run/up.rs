//! Applying revisions, for the commands that do it.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::barriers::{self, Reach};
use dbmigrate_runtime::engine::executor::{self, Executor};
use dbmigrate_runtime::engine::revision::View;
use dbmigrate_runtime::engine::{
    Migrations,
    plan::{self, Route},
    recording, version_table, written,
};
use dbmigrate_runtime::{Barrier, Direction};

use super::{Progress, nothing_to, options};
use crate::backup::Keeper;
use crate::cli::Run;
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::Result;
use crate::history::History;
use crate::runner::Steps;

/// The request to apply revisions.
pub struct Up<'a> {
    /// The identifier of the target.
    pub to: &'a str,
    pub run: &'a Run,
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Ran {
    /// The revisions, in the order of the run.
    pub ids: Vec<String>,
    /// The backup that was made first, for messages.
    pub backup: Option<String>,
    /// The barriers that an upgrade stopped before.
    pub barriers: Vec<Barrier>,
}

/// Applies the revisions that a target needs. If nothing is pending, it only reads, and decodes no
/// operations.
pub fn upgrade(cx: &Context, database: &Database, history: &History, up: &Up<'_>) -> Result<Ran> {
    let mut keeper = Keeper::of(cx, database, up.run)?;
    let mut options = options(cx, up.run);
    let mut patience = Patience { out: cx.out, at_most: options.lock_timeout };
    let mut reader = patience.spend(|patience| database.open_to_read(patience))?;
    let rows = match &mut reader {
        Some(driver) => version_table::read(driver.as_connection(), options.version_table())?,
        None => Vec::new(),
    };
    let standing = history.standing(rows)?;
    standing.check(options.allow_ahead)?;
    standing.view.of.note_replaced(cx, &[up.to]);
    let target = standing.target(Direction::Upgrade, up.to)?;
    let reach = match &mut reader {
        Some(driver) => {
            barriers::reach(driver.as_connection(), &standing, &target, options.passing())?
        }
        None => barriers::offline(&*standing.view.of, &target, standing.applied(), &[]),
    };
    reach.refuse(up.to)?;
    let Reach { ids: pending, barriers, .. } = reach;
    if pending.is_empty() {
        if let Some(driver) = &mut reader {
            executor::refuse_unfinished(&mut **driver, &options, standing.applied())?;
        }
        nothing_to(cx, "upgrade", database, &standing.view);
        stopping(cx, up.to, &barriers);
        return Ok(Ran { barriers, ..Ran::default() });
    }
    drop(reader);
    let View { of: history, applied, .. } = standing.view;
    let migrations = history.migrations()?;
    warn_of_unknown_names(cx, &migrations, &applied, &pending)?;
    if database.is_missing() {
        // Refused before anything waits for another process that is creating the database.
        let facts = cx.dialect().offline_facts();
        let direction = Direction::Upgrade;
        let route = Route { migrations: &migrations, direction, ids: &pending, applied: &applied };
        plan::plan(&route, cx.dialect(), &facts)?;
        plan::refuse_mismatch_offline(&route, cx.dialect())?;
    }
    let mut driver = patience.spend(|patience| database.open_to_write(patience))?;
    options.lock_timeout = patience.at_most;
    keeper.note(driver.dialect().backend());
    let mut observer = Progress::keeping(cx.out, pending.len(), &mut keeper);
    let mut steps = Steps::new(cx);
    let mut executor = Executor {
        driver: &mut *driver,
        migrations: &migrations,
        options: &options,
        observer: &mut observer,
        steps: &mut steps,
    };
    // Relative identifiers are resolved now: `+1` means these revisions.
    let res = executor.run_to(Direction::Upgrade, &target);
    drop(observer);
    let (ids, backup) = keeper.end(res)?;
    stopping(cx, up.to, &barriers);
    Ok(Ran { ids, backup, barriers })
}

/// Reports where an upgrade stops.
fn stopping(cx: &Context, to: &str, barriers: &[Barrier]) {
    barriers.iter().for_each(|barrier| cx.out.done(barrier.stopping("cargo dbmigrate", to)));
}

/// Warns if a revision is about to create a check or the like with a double-quoted name that
/// matches no column, so that SQLite takes it for a text. The revision may have been applied
/// elsewhere, so it runs.
fn warn_of_unknown_names(
    cx: &Context,
    migrations: &Migrations,
    applied: &BTreeSet<String>,
    pending: &[String],
) -> Result<()> {
    let mut schema = migrations.replay(Some(applied))?;
    for migration in pending.iter().filter_map(|id| migrations.get(id)) {
        let backend = cx.dialect().backend();
        for operation in &recording::settled(&migration.upgrade.operations, backend) {
            if let Some(mistake) = written::kept_names(operation, &schema, cx.name_rules()) {
                let (id, message) = (&migration.revision.id, mistake.message);
                cx.out.warning(format!(
                    "revision `{id}`: {operation}: {message}; {} reads it as a string",
                    cx.dialect().backend()
                ));
            }
            // An operation that doesn't fit is reported when it is planned.
            let _ = operation.apply(&mut schema);
        }
    }
    Ok(())
}
