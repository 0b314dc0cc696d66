//! The sequences of columns that generate their values.

use super::ddl;
use crate::schema::naming;
use crate::schema::qualified::bare;
use crate::sql::quote;

/// Has a column's next generated value follow the largest one that it holds.
pub(super) fn continued(table: &str, column: &str) -> String {
    let sequence = format!(
        "pg_get_serial_sequence({}, {})::regclass",
        ddl::text(&ddl::relation(table)),
        ddl::text(column)
    );
    let (table, column) = (ddl::relation(table), quote(column));
    format!(
        "SELECT setval(own, most) FROM (SELECT {sequence} AS own, max({column}) AS most \
         FROM {table}) AS key WHERE most > coalesce(pg_sequence_last_value(own), 0)"
    )
}

/// Has the sequence of a key follow a change of the key's type. That of an identity column does so
/// by itself, that of a `serial` column does not.
pub(super) fn widened(table: &str, column: &str, ty: &str) -> String {
    let sequence = own(table, column);
    format!(
        "DO $dbmigrate$ DECLARE own text := {sequence}; BEGIN \
         IF (SELECT seqtypid FROM pg_sequence WHERE seqrelid = own::regclass) <> '{ty}'::regtype \
         THEN EXECUTE 'ALTER SEQUENCE ' || own || ' AS {ty}'; END IF; END $dbmigrate$"
    )
}

/// Makes a serial column an identity column with this clause, or one that generates nothing. Its
/// numbers go on after the last one, which a deleted row may have had.
pub(super) fn of_serial(table: &str, column: &str, identity: Option<&str>) -> String {
    let own = own(table, column);
    let alter = format!("ALTER TABLE {} ALTER COLUMN {}", ddl::relation(table), quote(column));
    let generate = identity.map_or(String::new(), |clause| {
        format!(
            " {alter} ADD {clause}; \
             IF last IS NOT NULL THEN PERFORM setval({own}, last); END IF;"
        )
    });
    format!(
        "DO $dbmigrate$ DECLARE own regclass := {own}; last bigint := pg_sequence_last_value(own); \
         BEGIN {alter} DROP DEFAULT; EXECUTE 'DROP SEQUENCE ' || own;{generate} END $dbmigrate$"
    )
}

/// Makes a column serial, which may be an identity column.
pub(super) fn to_serial(table: &str, column: &str, ty: &str) -> String {
    let own = own(table, column);
    let sequence = naming::limited(format!("{}_{column}_seq", bare(table)));
    let sequence = ddl::beside(table, &sequence);
    let alter = format!("ALTER TABLE {} ALTER COLUMN {}", ddl::relation(table), quote(column));
    let name = ddl::text(&sequence);
    format!(
        "DO $dbmigrate$ DECLARE last bigint := pg_sequence_last_value({own}::regclass); \
         BEGIN {alter} DROP IDENTITY IF EXISTS; \
         CREATE SEQUENCE {sequence} AS {ty} OWNED BY {}.{}; \
         {alter} SET DEFAULT nextval({name}); \
         IF last IS NOT NULL THEN PERFORM setval({name}, last); END IF; END $dbmigrate$",
        ddl::relation(table),
        quote(column)
    )
}

fn own(table: &str, column: &str) -> String {
    format!("pg_get_serial_sequence({}, {})", ddl::text(&ddl::relation(table)), ddl::text(column))
}
