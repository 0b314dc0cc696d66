//! Hints for failures, chosen by the kind of the database's error.

use crate::dialect::{Statement, StatementKind};
use crate::driver::{DatabaseError, ErrorKind};

/// What to do about a failure that no single statement caused.
pub(super) fn hint_of(source: &DatabaseError) -> Option<&'static str> {
    match source {
        database_error if database_error.is_read_only() || database_error.is_unopenable() => {
            Some("look at the permissions of the database file and of its directory")
        }
        database_error if database_error.is_not_a_database() => {
            Some("the file is something else, or it is encrypted")
        }
        database_error if database_error.is_full() => {
            Some("make space on the disk that the database is on, and run the command again")
        }
        database_error if database_error.is_io() => {
            Some("look at the disk that the database is on, and run it again")
        }
        _ => None,
    }
}

/// What to do about a failed statement, given the kind of its error.
pub(super) fn hint_of_statement(statement: &Statement, kind: &ErrorKind) -> Option<String> {
    let sql = &statement.sql;
    let is_rebuild = statement.kind == StatementKind::Rebuild;
    let begins = |words: &[&str]| words.iter().any(|word| sql.starts_with(word));
    if matches!(kind, ErrorKind::Unregistered { .. }) {
        return Some(UNREGISTERED.to_owned());
    }
    let is_change = is_rebuild || begins(&["ALTER TABLE", "CREATE UNIQUE INDEX"]);
    if is_change && matches!(kind, ErrorKind::Row(_)) {
        return Some(format!(
            "rows that are there already don't allow to {}: correct them before, in a step of the \
             revision",
            statement.reason
        ));
    }
    if *kind == ErrorKind::BrokenDependent {
        return Some(
            "SQLite reads all views and triggers for this change: repair or drop the one that it \
             names"
                .to_owned(),
        );
    }
    if statement.kind != StatementKind::Raw
        && matches!(kind, ErrorKind::Missing { .. } | ErrorKind::DuplicateColumn)
        && !begins(&["CREATE"])
    {
        return Some(
            "where the revision's own SQL expressions are right, the database isn't what the \
             migrations build: `cargo dbmigrate check` shows where"
                .to_owned(),
        );
    }
    let again = ["CREATE INDEX", "CREATE UNIQUE INDEX", "CREATE TRIGGER", "CREATE TEMP"];
    if is_rebuild && again.iter().any(|text| sql.to_ascii_uppercase().starts_with(text)) {
        return Some(
            "it was there before and doesn't fit the table any more: drop it with \
             `op.execute(\"DROP ...\")` before the change"
                .to_owned(),
        );
    }
    None
}

pub(super) const UNREGISTERED: &str = "where the application registers it on its own connections, run \
                     the migrations there: `migrations::migrator().upgrade(&mut conn)`";

pub(super) const ALONE: &str = "a revision runs in a transaction: put this statement into a revision of its \
                     own that has `op.no_transaction()`";
