//! What to do about a failure, by what the database says of it.

use crate::dialect::{Route, Statement};
use crate::driver::DatabaseError;

/// What to do about something that no statement is to blame for.
pub(super) fn hint_of(source: &DatabaseError) -> Option<&'static str> {
    match source {
        it if it.is_read_only() || it.is_unopenable() => {
            Some("look at the permissions of the database file and of its directory")
        }
        it if it.is_not_a_database() => Some("the file is something else, or it is encrypted"),
        it if it.is_full() => {
            Some("make space on the disk that the database is on, and run the command again")
        }
        it if it.is_io() => Some("look at the disk that the database is on, and run it again"),
        _ => None,
    }
}

/// What to do about a statement that failed, by what the database says of it.
pub(super) fn hint_of_statement(statement: &Statement, said: &str) -> Option<String> {
    let sql = &statement.sql;
    let is_rebuild = statement.route == Route::Rebuild;
    let begins = |words: &[&str]| words.iter().any(|it| sql.starts_with(it));
    let says = |words: &[&str]| words.iter().any(|it| said.contains(it));
    if is_of_application(said) {
        return Some(OF_APPLICATION.to_owned());
    }
    let is_change = is_rebuild || begins(&["ALTER TABLE", "CREATE UNIQUE INDEX"]);
    if is_change && says(&["constraint failed", "cannot store", "datatype mismatch"]) {
        return Some(format!(
            "rows that are there already don't allow to {}: correct them before, in a step of the \
             revision",
            statement.reason
        ));
    }
    if said.starts_with("error in ") {
        return Some(
            "SQLite reads all views and triggers for this change: repair or drop the one that it \
             names"
                .to_owned(),
        );
    }
    let lacks = ["no such column", "no such table", "no such index", "duplicate column name"];
    if statement.route != Route::Raw
        && lacks.iter().any(|it| said.starts_with(it))
        && !begins(&["CREATE"])
    {
        return Some(
            "where the revision's own SQL expressions are right, the database isn't what the \
             migrations build: `cargo dbmigrate check` shows where"
                .to_owned(),
        );
    }
    let again = ["CREATE INDEX", "CREATE UNIQUE INDEX", "CREATE TRIGGER", "CREATE TEMP"];
    if is_rebuild && again.iter().any(|it| sql.to_ascii_uppercase().starts_with(it)) {
        return Some(
            "it was there before and doesn't fit the table any more: drop it with \
             `op.execute(\"DROP ...\")` before the change"
                .to_owned(),
        );
    }
    None
}

/// Whether a database lacks what an application registers on its own connections: a function, a
/// collation, or the module of a virtual table.
pub(super) fn is_of_application(said: &str) -> bool {
    let lacks = ["no such function", "unknown function", "no such collation", "no such module"];
    lacks.iter().any(|words| said.contains(words))
}

pub(super) const OF_APPLICATION: &str = "where the application registers it on its own connections, run the \
                              migrations there: `migrations::migrator().upgrade(&mut conn)`";

/// How SQLite refuses what can't be done in a transaction: VACUUM, BEGIN, `journal_mode`,
/// `synchronous`, and in older versions ATTACH; a database that was attached in one can't be
/// detached there.
pub(super) const WITHIN_TRANSACTION: [&str; 4] = [
    "from within a transaction",
    "within a transaction",
    "inside a transaction",
    "within transaction",
];

pub(super) const ALONE: &str = "a revision runs in a transaction: put this statement into a revision of its \
                     own that has `op.no_transaction()`";
