//! A run down, shared by the commands that have one.

use dbmigrate_runtime::Direction;
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::executor::Executor;
use dbmigrate_runtime::engine::revision::View;
use dbmigrate_runtime::engine::standing::Standing;
use dbmigrate_runtime::engine::{plan, version_table};

use super::losses::confirm_losses;
use super::{Progress, as_applied, nothing_to, options, stored_facts};
use crate::cli::Run;
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::History;
use crate::runner::Steps;

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
    let applied = version_table::read(driver.as_connection(), options.version_table())?;
    let standing = history.standing(applied)?;
    let target = standing.target(Direction::Downgrade, identifier)?;
    let ids = standing.route(Direction::Downgrade, &target);
    let Standing { rows: applied, view: View { of: history, applied: set, .. } } = standing;
    if ids.is_empty() {
        nothing_to(cx, "downgrade", database, &history, &set);
        return Ok(Vec::new());
    }
    let migrations = as_applied::migrations(cx, &mut *driver, &history, &applied, &set, &ids)?;
    let facts = stored_facts(&mut *driver)?;
    plan::plan(&migrations, Direction::Downgrade, &ids, &set, driver.dialect(), &facts)?;
    confirm_losses(&mut *driver, &migrations, (&set, &ids), allow_destructive)?;
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
