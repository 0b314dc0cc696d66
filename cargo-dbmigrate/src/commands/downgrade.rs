//! `downgrade`: undoes revisions, and asks before rows are discarded.

use dbmigrate_runtime::driver::Driver;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::{Direction, Migrations};

use super::{Answer, upgrade};
use crate::cli::Downgrade;
use crate::connection::Database;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::History;
use crate::output;

pub fn run(cx: &Context, args: &Downgrade) -> Result<Answer> {
    if args.run.sql {
        return upgrade::write_script(cx, Direction::Downgrade, &args.revision, &args.run);
    }
    let database = Database::find(cx)?;
    let history = History::load(cx)?;
    let allow = args.allow_destructive;
    let ran = upgrade::downgrade(cx, &database, &history, &args.revision, &args.run, allow)?;
    cx.out.json("downgrade", serde_json::json!({ "ran": ran }));
    Ok(Answer::Done)
}

/// Asks, or fails, when tables or columns that these revisions drop hold rows.
pub fn confirm_losses(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    ids: &[String],
    allow_destructive: bool,
) -> Result<()> {
    if allow_destructive {
        return Ok(());
    }
    let losses = losses(driver, migrations, ids)?;
    if losses.is_empty() {
        return Ok(());
    }
    let what = losses.join(", ");
    let refused = |why: &str| {
        Err(Error::new(format!("the downgrade would discard rows of {what}{why}"))
            .hint("--allow-destructive discards them"))
    };
    if !output::is_interactive() {
        return refused("");
    }
    match confirm(&format!("This discards rows of {what}. Go on?")) {
        true => Ok(()),
        false => refused(", and was not confirmed"),
    }
}

/// Asks a yes or no question on standard error; anything but a yes is a no.
pub fn confirm(question: &str) -> bool {
    dialoguer::Confirm::new().with_prompt(question).default(false).interact().unwrap_or(false)
}

/// Tables and columns that hold something and that the way down drops.
fn losses(driver: &mut dyn Driver, migrations: &Migrations, ids: &[String]) -> Result<Vec<String>> {
    let mut losses = Vec::new();
    let operations =
        ids.iter().filter_map(|it| migrations.get(it)).flat_map(|it| &it.downgrade.operations);
    for operation in operations {
        let quote = |name: &str| driver.dialect().quote(name);
        let (sql, what) = match operation {
            Operation::DropTable { table } => {
                (format!("SELECT 1 FROM {} LIMIT 1", quote(table)), format!("table `{table}`"))
            }
            Operation::DropColumn { table, column } => (
                format!(
                    "SELECT 1 FROM {} WHERE {} IS NOT NULL LIMIT 1",
                    quote(table),
                    quote(column)
                ),
                format!("column `{table}.{column}`"),
            ),
            _ => continue,
        };
        // A table that an earlier revision of the way down makes isn't there yet.
        let found = driver.query(&sql, &[]);
        if found.is_ok_and(|it| !it.rows.is_empty()) && !losses.contains(&what) {
            losses.push(what);
        }
    }
    Ok(losses)
}
