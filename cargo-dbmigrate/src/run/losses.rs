//! The confirmation for what undoing revisions discards.

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::engine::Migrations;
use dbmigrate_runtime::engine::driver::Driver;
pub use dbmigrate_runtime::engine::losses::count;
use dbmigrate_runtime::engine::losses::{self, Conversion};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;

use crate::autogenerate::Need;
use crate::error::{Error, Result};
use crate::{output, prompt};

/// Asks for confirmation, or fails, if tables or columns that these revisions drop contain rows.
pub fn confirm_losses(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    (applied, ids): (&BTreeSet<String>, &[String]),
    allow_destructive: bool,
) -> Result<()> {
    if allow_destructive {
        return Ok(());
    }
    let before = migrations.replay(Some(applied))?;
    let losses = losses::losses(driver, (migrations, ids), before, renames_values)?;
    if losses.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = losses.iter().map(|loss| format!("\n  {loss}")).collect();
    let what = lines.concat();
    let message = format!("the downgrade would discard:{what}");
    if !output::is_interactive() {
        return Err(Error::new(message).hint("--allow-destructive discards them"));
    }
    if prompt::confirm(&format!("This discards:{what}\nContinue?"))? {
        return Ok(());
    }
    let message = format!("{message}\n  This was not confirmed.");
    Err(Error::new(message).hint("--allow-destructive discards them"))
}

/// For each of these operations, by position, the number of rows that lose something, as far as a
/// database before the operations can tell. The schema is the one before them.
pub fn counts(
    driver: &mut dyn Driver,
    schema: &Schema,
    operations: &[Operation],
) -> BTreeMap<usize, i64> {
    losses::counts(driver, schema, operations, renames_values)
}

fn renames_values(conversion: &Conversion<'_>) -> bool {
    let Conversion { table, was, now, using, dialect } = *conversion;
    Need::of_change(table, was, now, dialect).renames_values(using)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
    use dbmigrate_runtime::operations::{ColumnChange, Operations};
    use dbmigrate_runtime::schema::{Column, Table, Type};

    #[test]
    fn a_mapping_of_each_value_to_one_of_its_own_discards_nothing() {
        let status = Type::enumeration("s", ["sketch", "archived"]);
        let schema = Schema::from_tables([Table::new("d").column(Column::new("s", status))]);
        let mut driver = SqliteDriver::open_in_memory().unwrap();
        driver.batch("CREATE TABLE d (s); INSERT INTO d VALUES ('sketch'), ('archived')").unwrap();
        let mut lost = |using: &str| {
            let back = Type::enumeration("s", ["draft", "gone"]);
            let change = ColumnChange::new().ty(back).using(using);
            let operations = Operations::record(|op: &mut Operations| {
                op.alter_column("d", "s", change);
            });
            counts(&mut driver, &schema, &operations).get(&0).copied()
        };
        let one_to_one = "CASE s WHEN 'sketch' THEN 'draft' WHEN 'archived' THEN 'gone' ELSE s END";
        assert_eq!(lost(one_to_one), None);
        assert_eq!(lost("iif(s = 'sketch', 'draft', 'gone')"), None);
        assert_eq!(lost("coalesce(CASE s WHEN 'sketch' THEN 'draft' END, 'draft')"), Some(2));
        assert_eq!(lost("'draft'"), Some(2));
    }
}
