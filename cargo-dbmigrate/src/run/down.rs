//! Undoing revisions, for the commands that do it.

use dbmigrate_runtime::Direction;
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::executor::Executor;
use dbmigrate_runtime::engine::{
    plan::{self, Route},
    version_table,
};

use super::losses::confirm_losses;
use super::{Progress, Ran, as_applied, nothing_to, options, stored_facts};
use crate::backup::Keeper;
use crate::cli::Run;
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::Result;
use crate::history::History;
use crate::runner::Steps;

/// The request to undo revisions.
pub struct Down<'a> {
    /// The identifier of the target.
    pub to: &'a str,
    pub run: &'a Run,
    pub allow_destructive: bool,
}

/// Undoes revisions down to a target.
pub fn downgrade(
    cx: &Context,
    database: &Database,
    history: &History,
    down: &Down<'_>,
) -> Result<Ran> {
    let mut keeper = Keeper::of(cx, database, down.run)?;
    let mut options = options(cx, down.run);
    if database.is_missing() {
        return Err(database.missing().hint("`cargo dbmigrate upgrade` creates it"));
    }
    let mut patience = Patience { out: cx.out, at_most: options.lock_timeout };
    let mut driver = patience.spend(|patience| database.open_to_write(patience))?;
    options.lock_timeout = patience.at_most;
    let applied = version_table::read(driver.as_connection(), options.version_table())?;
    let standing = history.standing(applied)?;
    let target = standing.target(Direction::Downgrade, down.to)?;
    let ids = standing.route(Direction::Downgrade, &target);
    let applied = &standing.view.applied;
    if ids.is_empty() {
        nothing_to(cx, "downgrade", database, &standing.view);
        return Ok(Ran::default());
    }
    let migrations = as_applied::migrations(cx, &mut *driver, &standing, &ids)?;
    let facts = stored_facts(&mut *driver)?;
    let direction = Direction::Downgrade;
    let route = Route { migrations: &migrations, direction, ids: &ids, applied };
    plan::plan(&route, driver.dialect(), &facts)?;
    confirm_losses(&mut *driver, &migrations, (applied, &ids), down.allow_destructive)?;
    keeper.note(driver.dialect().backend());
    let mut observer = Progress::keeping(cx.out, ids.len(), &mut keeper);
    let mut steps = Steps::new(cx);
    let mut executor = Executor {
        driver: &mut *driver as &mut dyn Driver,
        migrations: &migrations,
        options: &options,
        observer: &mut observer,
        steps: &mut steps,
    };
    let res = executor.run_to(Direction::Downgrade, &target);
    drop(observer);
    keeper.end(res).map(|(ids, backup)| Ran { ids, backup, ..Ran::default() })
}
