//! What foreign keys did to rows while a tool migrated, and don't do while revisions run.

use std::collections::BTreeMap;

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::schema::{Schema, Table};
use indicatif::ProgressBar;

use super::tool;
use super::trying::{Revised, Trying};
use crate::error::Result;
use crate::snapshot::failed;

/// How many rows each table has, and how many of them refer to another row, by foreign key.
type Counts = BTreeMap<String, Vec<Value>>;

impl Trying<'_> {
    /// Whether foreign keys may change rows while the tool migrates, and not while revisions run.
    pub fn may_change_rows(&self) -> bool {
        tool::enforces_foreign_keys(self.tool) && self.cx.has_trial()
    }

    /// Says after which migration the rows are others as a revision, because its tool enforces
    /// foreign keys on SQLite and a run of revisions does not. `migrated` is by the revisions.
    ///
    /// # Errors
    ///
    /// The database's errors.
    pub(super) fn other_rows(
        &self,
        revised: &[Revised],
        schema: &Schema,
        (migrated, bar): (&mut dyn Driver, &ProgressBar),
    ) -> Result<Option<String>> {
        if !self.may_change_rows() {
            return Ok(None);
        }
        let mut original = self.empty()?;
        for one in revised {
            self.run_again(&mut *original, one)?;
            bar.inc(1);
        }
        if difference(&counts(&mut *original, schema)?, &counts(migrated, schema)?).is_none() {
            return Ok(None);
        }
        let (mut original, mut other) = (self.empty()?, self.scratch.empty()?);
        let mut terms = self.terms.fresh();
        for one in revised {
            self.run_again(&mut *original, one)?;
            self.run_again(&mut *other, one)?;
            let schema = terms.state(&mut *original)?.schema;
            let found = (counts(&mut *original, &schema)?, counts(&mut *other, &schema)?);
            if let Some((table, with, without)) = difference(&found.0, &found.1) {
                let (file, tool, id) = (one.foreign.up.file.display(), self.tool, &one.id);
                return Ok(Some(format!(
                    "`{file}` leaves {with} row(s) in `{table}` with {tool}, which enforces \
                     foreign keys while it migrates, and {without} as revision `{id}`, which runs \
                     without that: if new databases need the same rows, write the `DELETE` or \
                     `UPDATE` of the foreign key's action into the revision"
                )));
            }
        }
        Ok(None)
    }
}

/// The first table with other numbers, and how many rows it has in each.
fn difference(one: &Counts, other: &Counts) -> Option<(String, i64, i64)> {
    let rows = |counts: &Counts, table: &str| match counts.get(table).and_then(|row| row.first()) {
        Some(Value::Integer(n)) => *n,
        _ => 0,
    };
    let table = one.keys().find(|table| one.get(*table) != other.get(*table))?;
    Some((table.clone(), rows(one, table), rows(other, table)))
}

fn counts(driver: &mut dyn Driver, schema: &Schema) -> Result<Counts> {
    let dialect = driver.dialect();
    let query = |table: &Table| {
        let columns = table.foreign_keys.iter().flat_map(|key| &key.columns);
        let columns = columns.map(|column| format!(", count({})", dialect.quote(column)));
        let columns: String = columns.collect();
        format!("SELECT count(*){columns} FROM {}", dialect.quote(&table.name))
    };
    let mut counts = Counts::new();
    for table in schema.tables.values() {
        let rows = driver.as_connection().query(&query(table), &[]).map_err(failed)?.rows;
        counts.extend(rows.into_iter().next().map(|row| (table.name.clone(), row)));
    }
    Ok(counts)
}
