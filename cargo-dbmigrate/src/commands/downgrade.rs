//! `downgrade`: undoes revisions, and asks before rows are discarded.

use std::collections::BTreeMap;

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
    let recorded = ids.iter().filter_map(|it| migrations.get(it));
    let mut walk = Walk::default();
    recorded.for_each(|it| walk.operations(&it.downgrade.operations));
    let mut losses = Vec::new();
    for (table, column, what) in walk.drops {
        let quote = |name: &str| driver.dialect().quote(name);
        let table_sql = quote(&table);
        let sql = match &column {
            None => format!("SELECT 1 FROM {table_sql} LIMIT 1"),
            Some(it) => {
                format!("SELECT 1 FROM {table_sql} WHERE {} IS NOT NULL LIMIT 1", quote(it))
            }
        };
        match driver.query(&sql, &[]) {
            Ok(it) if it.rows.is_empty() => {}
            Ok(_) => losses.push(what),
            // What an earlier revision of the way down makes isn't there yet, and holds nothing.
            Err(err) if err.to_string().starts_with("no such ") => {}
            Err(err) => {
                return Err(Error::new(format!("failed to look for rows of {what}")).cause(err));
            }
        }
    }
    losses.dedup();
    Ok(losses)
}

/// What a way down drops, by the names that it has before.
#[derive(Default)]
struct Walk {
    /// Table, column if it isn't the whole table, and both in words.
    drops: Vec<(String, Option<String>, String)>,
    /// Present names of tables by the names of today.
    tables: BTreeMap<String, String>,
    /// Present names of columns by table and name of today.
    columns: BTreeMap<(String, String), String>,
}

impl Walk {
    fn table(&self, name: &str) -> String {
        self.tables.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    fn column(&self, table: &str, name: &str) -> String {
        let key = (self.table(table), name.to_owned());
        self.columns.get(&key).cloned().unwrap_or_else(|| name.to_owned())
    }

    fn operations(&mut self, operations: &[Operation]) {
        for operation in operations {
            match operation {
                Operation::RenameTable { from, to } => {
                    let was = self.table(from);
                    self.tables.insert(to.clone(), was);
                }
                Operation::RenameColumn { table, from, to } => {
                    let was = self.column(table, from);
                    self.columns.insert((self.table(table), to.clone()), was);
                }
                Operation::DropTable { table } => {
                    self.drops.push((self.table(table), None, format!("table `{table}`")));
                }
                Operation::DropColumn { table, column } => {
                    let name = self.column(table, column);
                    let what = format!("column `{table}.{column}`");
                    self.drops.push((self.table(table), Some(name), what));
                }
                Operation::Execute(it) => self.operations(&it.describes),
                _ => {}
            }
        }
    }
}
