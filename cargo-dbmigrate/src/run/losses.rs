//! What a run down discards, and asking before it does.

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::Migrations;
use dbmigrate_runtime::engine::driver::{DatabaseError, Driver};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{Schema, Type};

use crate::autogenerate::rows;
use crate::error::{Error, Result};
use crate::{output, prompt};

/// Asks, or fails, when tables or columns that these revisions drop hold rows.
pub fn confirm_losses(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    (applied, ids): (&BTreeSet<String>, &[String]),
    allow_destructive: bool,
) -> Result<()> {
    if allow_destructive {
        return Ok(());
    }
    let losses = losses(driver, migrations, migrations.replay(Some(applied))?, ids)?;
    if losses.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = losses.iter().map(|loss| format!("\n  {loss}")).collect();
    let what = lines.concat();
    let message = format!("the downgrade would discard:{what}");
    if !output::is_interactive() {
        return Err(Error::new(message).hint("--allow-destructive discards them"));
    }
    if prompt::confirm(&format!("This discards:{what}\nGo on?"))? {
        return Ok(());
    }
    let message = format!("{message}\n  This was not confirmed.");
    Err(Error::new(message).hint("--allow-destructive discards them"))
}

/// Tables and columns that hold something and that the way down drops, in words.
fn losses(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    schema: Schema,
    ids: &[String],
) -> Result<Vec<String>> {
    let recorded = ids.iter().filter_map(|text| migrations.get(text));
    let mut walk = Walk { schema, ..Walk::default() };
    recorded.for_each(|migration| walk.operations(&migration.downgrade.operations));
    let mut losses = Vec::new();
    for drop in walk.drops {
        match drop.count(driver) {
            Ok(0) => {}
            Ok(n) => losses.push(format!("{} ({})", drop.what, rows(n))),
            // What an earlier revision of the way down makes isn't there yet, and holds nothing; what
            // only the application has can't be asked here.
            Err(err) if err.is_missing() || err.is_unregistered() => {}
            Err(err) => {
                let message = format!("failed to count the rows of {}", drop.what);
                return Err(Error::new(message).cause(err));
            }
        }
    }
    losses.dedup();
    Ok(losses)
}

/// How many rows lose something by each of these operations, by its place, as far as a database
/// that they haven't run on can tell. The schema is the one before them.
pub fn counts(
    driver: &mut dyn Driver,
    schema: &Schema,
    operations: &[Operation],
) -> BTreeMap<usize, i64> {
    let mut walk = Walk { schema: schema.clone(), ..Walk::default() };
    let mut counts = BTreeMap::new();
    for (idx, operation) in operations.iter().enumerate() {
        walk.operations(std::slice::from_ref(operation));
        for drop in walk.drops.drain(..) {
            counts.extend(drop.count(driver).ok().map(|n| (idx, n)));
        }
    }
    counts
}

impl Drop {
    /// How many rows hold what goes.
    fn count(&self, driver: &mut dyn Driver) -> std::result::Result<i64, DatabaseError> {
        let dialect = driver.dialect();
        let table = dialect.quote(&self.table);
        let condition = match &self.lost {
            Lost::Rows => None,
            Lost::Values { column } => Some(format!("{} IS NOT NULL", dialect.quote(column))),
            Lost::Replaced { column, using } => {
                let column = dialect.quote(column);
                Some(format!("{column} IS NOT NULL AND {column} IS NOT ({using}\n)"))
            }
            Lost::Misfits { column, from, to } => match dialect.misfit(column, from, to) {
                None => return Ok(0),
                condition => condition,
            },
        };
        count(driver, &table, condition.as_deref())
    }
}

/// How many rows of a table, as it is quoted, meet a condition.
pub fn count(
    driver: &mut dyn Driver,
    table: &str,
    condition: Option<&str>,
) -> std::result::Result<i64, DatabaseError> {
    let condition = condition.map_or(String::new(), |condition| format!(" WHERE {condition}"));
    let found = driver.query(&format!("SELECT count(*) FROM {table}{condition}"), &[])?;
    Ok(match found.rows.first().and_then(|row| row.first()) {
        Some(Value::Integer(n)) => *n,
        _ => 0,
    })
}

/// Something that a way down drops.
struct Drop {
    table: String,
    lost: Lost,
    /// Both in words.
    what: String,
}

/// What of a table is lost.
enum Lost {
    Rows,
    Values {
        column: String,
    },
    /// Values for which an expression gives another.
    Replaced {
        column: String,
        using: String,
    },
    /// Values that a new type doesn't hold.
    Misfits {
        column: String,
        from: Type,
        to: Type,
    },
}

/// What a way down drops, by the names that it has before.
#[derive(Default)]
struct Walk {
    drops: Vec<Drop>,
    /// What is there before the next operation.
    schema: Schema,
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
            self.operation(operation);
            // One that doesn't fit has its error elsewhere.
            let _ = operation.apply(&mut self.schema);
        }
    }

    fn operation(&mut self, operation: &Operation) {
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
                self.drops.push(Drop { table: self.table(table), lost: Lost::Rows, what });
            }
            Operation::DropColumn { table, column } => {
                let lost = Lost::Values { column: self.column(table, column) };
                self.drop_of_column(table, column, lost);
            }
            Operation::AlterColumn { table, column, change } => {
                let own = self.column(table, column);
                let was = self.schema.table(table).and_then(|table| table.find_column(column));
                if let Some(using) = &change.using {
                    let lost = Lost::Replaced { column: own, using: using.clone() };
                    self.drop_of_column(table, column, lost);
                } else if let (Some(was), Some(to), Some(_)) = (was, &change.ty, &change.fill) {
                    let lost = Lost::Misfits { column: own, from: was.ty.clone(), to: to.clone() };
                    self.drop_of_column(table, column, lost);
                }
            }
            Operation::Execute(operation) => {
                let before = self.schema.clone();
                self.operations(&operation.describes);
                self.schema = before;
            }
            Operation::CreateTable(_)
            | Operation::AlterTable { .. }
            | Operation::AddColumn { .. }
            | Operation::AddPrimaryKey { .. }
            | Operation::DropPrimaryKey { .. }
            | Operation::AddUnique { .. }
            | Operation::DropUnique { .. }
            | Operation::AddForeignKey { .. }
            | Operation::DropForeignKey { .. }
            | Operation::AddCheck { .. }
            | Operation::DropCheck { .. }
            | Operation::CreateIndex { .. }
            | Operation::DropIndex { .. }
            | Operation::RenameIndex { .. }
            | Operation::BulkInsert { .. }
            | Operation::Run(_)
            | Operation::Makes(_)
            | Operation::Drops(_) => {}
        }
    }

    fn drop_of_column(&mut self, table: &str, column: &str, lost: Lost) {
        let what = format!("column `{table}.{column}`");
        self.drops.push(Drop { table: self.table(table), lost, what });
    }
}
