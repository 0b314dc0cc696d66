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
use crate::{output, prompt};

pub fn run(cx: &Context, args: &Downgrade) -> Result<Answer> {
    if let Some(client) = args.run.script.client() {
        let run = (&args.run, client);
        return upgrade::write_script(cx, Direction::Downgrade, &args.revision, run);
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
    match prompt::confirm(&format!("This discards rows of {what}. Go on?"))? {
        true => Ok(()),
        false => refused(", and was not confirmed"),
    }
}

/// Tables and columns that hold something and that the way down drops.
fn losses(driver: &mut dyn Driver, migrations: &Migrations, ids: &[String]) -> Result<Vec<String>> {
    let recorded = ids.iter().filter_map(|it| migrations.get(it));
    let mut walk = Walk::default();
    recorded.for_each(|it| walk.operations(&it.downgrade.operations));
    let mut losses = Vec::new();
    for Drop { table, column, using, what } in walk.drops {
        let quote = |name: &str| driver.dialect().quote(name);
        let column = column.as_deref().map(quote);
        let condition = match (&column, &using) {
            (None, _) => String::new(),
            (Some(it), None) => format!(" WHERE {it} IS NOT NULL"),
            (Some(it), Some(using)) => {
                format!(" WHERE {it} IS NOT NULL AND {it} IS NOT ({using}\n)")
            }
        };
        let sql = format!("SELECT 1 FROM {}{condition} LIMIT 1", quote(&table));
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

/// Something that a way down drops.
struct Drop {
    table: String,
    /// The column, if it isn't the whole table.
    column: Option<String>,
    /// What its rows get instead of what they hold, if the column itself stays.
    using: Option<String>,
    /// Both in words.
    what: String,
}

/// What a way down drops, by the names that it has before.
#[derive(Default)]
struct Walk {
    drops: Vec<Drop>,
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
                    let what = format!("table `{table}`");
                    let table = self.table(table);
                    self.drops.push(Drop { table, column: None, using: None, what });
                }
                Operation::DropColumn { table, column } => {
                    let what = format!("column `{table}.{column}`");
                    let column = Some(self.column(table, column));
                    self.drops.push(Drop { table: self.table(table), column, using: None, what });
                }
                Operation::AlterColumn { table, column, change }
                    if change.using.is_some() || change.fill.is_some() =>
                {
                    let what = format!("column `{table}.{column}`");
                    let given = change.using.clone().or_else(|| change.fill.clone());
                    let (using, column) = (given, Some(self.column(table, column)));
                    self.drops.push(Drop { table: self.table(table), column, using, what });
                }
                Operation::Execute(it) => self.operations(&it.describes),
                _ => {}
            }
        }
    }
}
