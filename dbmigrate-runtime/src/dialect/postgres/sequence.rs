//! The sequences of columns that generate their values.

use super::ddl;
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

/// Has the sequence of a key follow a change of the key's type. That of an identity column does so
/// by itself, that of a `serial` column does not.
pub(super) fn widened(table: &str, column: &str, ty: &str) -> String {
    let sequence =
        format!("pg_get_serial_sequence({}, {})", ddl::text(&quote(table)), ddl::text(column));
    format!(
        "DO $dbmigrate$ DECLARE own text := {sequence}; BEGIN \
         IF (SELECT seqtypid FROM pg_sequence WHERE seqrelid = own::regclass) <> '{ty}'::regtype \
         THEN EXECUTE 'ALTER SEQUENCE ' || own || ' AS {ty}'; END IF; END $dbmigrate$"
    )
}
