//! Values that a key generates, and keys that are checked at the end of a transaction.

use super::ddl;
use crate::schema::{Deferrable, Schema};
use crate::sql::quote;

/// Has a column's next generated value follow the largest one that it holds.
pub(super) fn continued(table: &str, column: &str) -> String {
    let sequence = format!(
        "pg_get_serial_sequence({}, {})::regclass",
        ddl::text(&quote(table)),
        ddl::text(column)
    );
    let (table, column) = (quote(table), quote(column));
    format!(
        "SELECT setval(own, most) FROM (SELECT {sequence} AS own, max({column}) AS most \
         FROM {table}) AS key WHERE most > coalesce(pg_sequence_last_value(own), 0)"
    )
}

/// The names of the foreign keys that are checked at the end of a transaction.
pub(super) fn initially_deferred(
    schema: &Schema,
    pending: &[(String, String, usize)],
) -> Vec<String> {
    let mut names = Vec::new();
    for table in schema.tables.values() {
        for key in &table.foreign_keys {
            let is_pending =
                pending.iter().any(|(of, name, _)| *of == table.name && *name == key.name);
            if key.deferrable == Some(Deferrable::InitiallyDeferred) && !is_pending {
                names.push(key.name.clone());
            }
        }
    }
    names.sort();
    names.dedup();
    names
}
