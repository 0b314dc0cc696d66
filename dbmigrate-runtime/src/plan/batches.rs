//! Which steps can be run in pieces.

use crate::Error;
use crate::migration::Migration;
use crate::operations::recording::Recording;
use crate::operations::{Batch, Operation, Step};
use crate::schema::Schema;

/// Refuses batched steps that can't be divided, given the schema before the revision's operation at
/// this position.
///
/// # Errors
///
/// The first such step.
pub(super) fn refuse_indivisible(
    migration: &Migration,
    recording: &Recording,
    (from, schema): (usize, &Schema),
) -> Result<(), Error> {
    let operations = recording.operations.get(from..).unwrap_or_default();
    if !operations.iter().any(|operation| batch_of(operation).is_some()) {
        return Ok(());
    }
    let mut schema = schema.clone();
    for operation in operations {
        if let Some((name, batch)) = batch_of(operation) {
            let why = if recording.no_transaction {
                let hint = "remove `op.no_transaction()`: each piece is a transaction of its own";
                Some(("its revision runs outside of transactions".to_owned(), hint))
            } else {
                why_indivisible(batch, &schema)
            };
            if let Some((why, hint)) = why {
                return Err(Error::indivisible(&migration.revision.id, name, (&why, hint)));
            }
        }
        // What doesn't fit is refused by the dialect, in its words.
        let _ = operation.apply(&mut schema);
    }
    Ok(())
}

fn batch_of(operation: &Operation) -> Option<(&str, &Batch)> {
    match operation {
        Operation::Run(Step { name, batch: Some(batch), .. }) => Some((name, batch)),
        _ => None,
    }
}

fn why_indivisible(batch: &Batch, schema: &Schema) -> Option<(String, &'static str)> {
    let Batch { table: name, columns, size, .. } = batch;
    if *size == 0 {
        return Some(("its pieces have no rows".to_owned(), "give it a size of at least 1"));
    }
    let [column] = columns.as_slice() else {
        let hint = "divide it by one column, such as the first one of the key: rows with the same \
                    value are in the same piece";
        let columns = columns.join("`, `");
        return Some((format!("`{columns}` of table `{name}` is not one column"), hint));
    };
    let hint = "name a column of a table that the migrations create, as `\"table.column\"`";
    let Some(table) = schema.table(name) else {
        let why = format!("there is no table `{name}` at this point");
        return Some((why, hint));
    };
    let Some(found) = table.columns.iter().find(|found| found.name == *column) else {
        return Some((format!("table `{name}` has no column `{column}` at this point"), hint));
    };
    let is_key = table.primary_key.as_ref().is_some_and(|key| key.columns.contains(column));
    if found.nullable && !is_key {
        let why = format!("column `{name}.{column}` may be NULL, so some rows would be left out");
        return Some((why, "divide it by a column that is NOT NULL, such as the primary key"));
    }
    None
}
