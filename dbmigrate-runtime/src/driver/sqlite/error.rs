//! rusqlite's errors, and what they mean.
//!
//! SQLite has one code for most that it refuses to compile, so that its words decide there; they
//! are read here and nowhere else.

use rusqlite::ErrorCode;

use crate::driver::{DatabaseError, ErrorKind};

/// As [`error`], without the statement's text, which some versions of rusqlite append to the
/// message (`... in SELECT nope at offset 7`) and whoever shows the error has anyway.
pub(super) fn error_in(sql: &str, err: rusqlite::Error) -> DatabaseError {
    classified(&err, without_statement(sql, &message(&err)))
}

pub(super) fn error(err: rusqlite::Error) -> DatabaseError {
    classified(&err, message(&err))
}

fn message(err: &rusqlite::Error) -> String {
    match err {
        rusqlite::Error::SqliteFailure(code, None) => code.to_string(),
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

fn without_statement(sql: &str, message: &str) -> String {
    let end = message.rsplit_once(" at offset ").and_then(|(text, offset)| {
        offset.parse::<i32>().ok()?;
        // Of several statements it is the text from the one that failed on.
        let is_sql = |(at, word): &(usize, &str)| sql.ends_with(&text[at + word.len()..]);
        text.match_indices(" in ").find(is_sql).map(|(at, _)| at)
    });
    message[..end.unwrap_or(message.len())].to_owned()
}

fn classified(err: &rusqlite::Error, mut message: String) -> DatabaseError {
    // What can't be compiled comes without a code.
    let Some(code) = err.sqlite_error() else {
        return DatabaseError::of(by_words(&message), message);
    };
    let kind = match code.extended_code {
        UNIQUE | PRIMARY_KEY => ErrorKind::Row { is_duplicate: true },
        _ => kind(code.code, &message),
    };
    if kind == ErrorKind::Io {
        // What failed is only in the number.
        message += &format!(" (code {})", code.extended_code);
    }
    DatabaseError::of(kind, message)
}

/// `SQLITE_CONSTRAINT_UNIQUE` and `SQLITE_CONSTRAINT_PRIMARYKEY` (sqlite.org, rescode.html).
const UNIQUE: i32 = 2067;
const PRIMARY_KEY: i32 = 1555;

fn kind(code: ErrorCode, message: &str) -> ErrorKind {
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => ErrorKind::Busy,
        ErrorCode::ReadOnly => ErrorKind::ReadOnly,
        ErrorCode::CannotOpen => ErrorKind::Unopenable,
        ErrorCode::DiskFull => ErrorKind::Full,
        ErrorCode::SystemIoFailure => ErrorKind::Io,
        ErrorCode::NotADatabase => ErrorKind::NotADatabase,
        ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch => {
            ErrorKind::Row { is_duplicate: false }
        }
        _ => by_words(message),
    }
}

fn by_words(message: &str) -> ErrorKind {
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let begins = |words: &[&str]| words.iter().any(|word| message.starts_with(word));
    if says(&["no such function", "unknown function", "no such collation", "no such module"]) {
        return ErrorKind::Unregistered;
    }
    // `table "user" already exists`, or `table user already exists` in older versions.
    let existing = message.strip_suffix(" already exists").and_then(|what| what.split_once(' '));
    if let Some((kind, name)) = existing {
        return ErrorKind::AlreadyExists(format!("{kind} `{}`", name.trim_matches('"')));
    }
    // VACUUM, BEGIN, `journal_mode`, `synchronous`, and in older versions ATTACH; a database that
    // was attached in a transaction can't be detached there.
    let within = ["within a transaction", "inside a transaction", "within transaction"];
    if says(&within) {
        return ErrorKind::NotInTransaction;
    }
    if says(&["cannot store"]) {
        return ErrorKind::Row { is_duplicate: false };
    }
    if begins(&["error in "]) {
        return ErrorKind::BrokenDependent;
    }
    if begins(&["no such "]) {
        return ErrorKind::Mismatched { is_missing: true };
    }
    if begins(&["duplicate column name"]) {
        return ErrorKind::Mismatched { is_missing: false };
    }
    ErrorKind::Other
}
