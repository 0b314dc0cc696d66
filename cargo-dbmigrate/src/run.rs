//! Runs in both directions and their scripts, for the commands that apply and undo revisions.

mod as_applied;
mod down;
mod loaded;
mod losses;
mod options;
mod progress;
mod script;
mod up;

use dbmigrate_runtime::engine::dialect::Facts;
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::revision::View;

pub use as_applied::needs_file;
pub use down::{Down, downgrade};
pub use loaded::{Loaded, Wanted, applied_at};
pub use losses::{confirm_losses, count, counts};
pub use options::options;
pub use progress::{Progress, bar};
pub use script::{facts_for_script, write_script};
pub use up::{Ran, Up, upgrade};

use crate::connection::Database;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::History;

/// Reports that a database already is at its target.
fn nothing_to(cx: &Context, what: &str, database: &Database, view: &View<'_, History>) {
    let at = match view.of.graph.current(&view.applied).as_slice() {
        [] => "has no revision applied".to_owned(),
        ids => format!("is at {}", ids.join(", ")),
    };
    cx.out.progress(format!("Nothing to {what}: {} {at}", database.url()));
}

/// The facts about a database that statements depend on.
pub fn stored_facts(driver: &mut dyn Driver) -> Result<Facts> {
    let failed = |err| Error::new("failed to read the stored definitions of the tables").cause(err);
    driver.as_connection().facts_with_objects().map_err(failed)
}
