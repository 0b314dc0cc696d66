//! What a run down discards, and asking before it does.

use std::collections::BTreeMap;

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::Migrations;
use dbmigrate_runtime::engine::driver::{DatabaseError, Driver};
use dbmigrate_runtime::operations::Operation;

use crate::error::{Error, Result};
use crate::{output, prompt};

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
    let lines: Vec<_> = losses.iter().map(|loss| format!("\n  {loss}")).collect();
    let what = lines.concat();
    let message = format!("the downgrade would discard:{what}");
    if !output::is_interactive() {
        return Err(Error::new(message).hint("--allow-destructive discards them"));
    }
    match prompt::confirm(&format!("This discards:{what}\nGo on?"))? {
        true => Ok(()),
        false => Err(Error::new(format!("{message}\n  This was not confirmed."))
            .hint("--allow-destructive discards them")),
    }
}

/// Tables and columns that hold something and that the way down drops, in words.
fn losses(driver: &mut dyn Driver, migrations: &Migrations, ids: &[String]) -> Result<Vec<String>> {
    let recorded = ids.iter().filter_map(|it| migrations.get(it));
    let mut walk = Walk::default();
    recorded.for_each(|it| walk.operations(&it.downgrade.operations));
    let mut losses = Vec::new();
    for drop in walk.drops {
        match drop.count(driver) {
            Ok(0) => {}
            Ok(n) => losses.push(format!("{} ({})", drop.what, rows(n))),
            // What an earlier revision of the way down makes isn't there yet, and holds nothing.
            Err(err) if err.to_string().starts_with("no such ") => {}
            Err(err) => {
                let message = format!("failed to count the rows of {}", drop.what);
                return Err(Error::new(message).cause(err));
            }
        }
    }
    losses.dedup();
    Ok(losses)
}

/// `1 row`
pub fn rows(n: i64) -> String {
    if n == 1 { "1 row".to_owned() } else { format!("{n} rows") }
}

/// How many rows lose something by each of these operations, by its place, as far as a database
/// that they haven't run on can tell.
pub fn counts(driver: &mut dyn Driver, operations: &[Operation]) -> BTreeMap<usize, i64> {
    let mut walk = Walk::default();
    let mut counts = BTreeMap::new();
    for (idx, operation) in operations.iter().enumerate() {
        walk.operations(std::slice::from_ref(operation));
        // Which values an answer replaces depends on the new type.
        let is_filled = matches!(operation, Operation::AlterColumn { change, .. }
            if change.using.is_none());
        for drop in walk.drops.drain(..).filter(|_| !is_filled) {
            counts.extend(drop.count(driver).ok().map(|n| (idx, n)));
        }
    }
    counts
}

impl Drop {
    /// How many rows hold what goes.
    fn count(&self, driver: &mut dyn Driver) -> std::result::Result<i64, DatabaseError> {
        let quote = |name: &str| driver.dialect().quote(name);
        let column = self.column.as_deref().map(quote);
        let condition = match (&column, &self.using) {
            (None, _) => String::new(),
            (Some(column), None) => format!(" WHERE {column} IS NOT NULL"),
            (Some(column), Some(using)) => {
                format!(" WHERE {column} IS NOT NULL AND {column} IS NOT ({using}\n)")
            }
        };
        let sql = format!("SELECT count(*) FROM {}{condition}", quote(&self.table));
        let found = driver.query(&sql, &[])?;
        let first = found.rows.first().and_then(|row| row.first());
        Ok(match first {
            Some(Value::Integer(n)) => *n,
            _ => 0,
        })
    }
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
