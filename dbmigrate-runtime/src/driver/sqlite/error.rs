//! Converts rusqlite's errors, and determines their kinds.
//!
//! SQLite has a single code for most statements that it refuses to compile, so the kind is
//! determined by the message in these cases. Nothing else interprets SQLite's messages.

use rusqlite::ErrorCode;

use crate::driver::{DatabaseError, DefinitionFault, ErrorKind, Missing, Registered, RowFault};

/// The same as [`error`], but without the statement's text, which some versions of rusqlite append
/// to the message (`... in SELECT nope at offset 7`) and which callers show anyway.
pub(super) fn error_in(sql: &str, err: rusqlite::Error) -> DatabaseError {
    classified(&err, without_statement(sql, &message(&err)))
}

pub(crate) fn error(err: rusqlite::Error) -> DatabaseError {
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
        // For several statements, the appended text starts at the one that failed.
        let is_sql = |(at, word): &(usize, &str)| sql.ends_with(&text[at + word.len()..]);
        text.match_indices(" in ").find(is_sql).map(|(at, _)| at)
    });
    message[..end.unwrap_or(message.len())].to_owned()
}

fn classified(err: &rusqlite::Error, mut message: String) -> DatabaseError {
    // Errors in compiling a statement come without a code.
    let Some(code) = err.sqlite_error() else {
        return DatabaseError::of(by_words(&message), message);
    };
    let kind = match code.extended_code {
        UNIQUE | PRIMARY_KEY => ErrorKind::Row(RowFault::Duplicate),
        CHECK => ErrorKind::Row(RowFault::Check),
        DATATYPE => ErrorKind::Row(RowFault::Type),
        _ => kind(code.code, &message),
    };
    if kind == ErrorKind::Io {
        // Only the extended code says what failed.
        message += &format!(" (code {})", code.extended_code);
    }
    DatabaseError::of(kind, message)
}

/// `SQLITE_CONSTRAINT_UNIQUE`, `_PRIMARYKEY`, `_CHECK` and `_DATATYPE` (sqlite.org, rescode.html).
const UNIQUE: i32 = 2067;
const PRIMARY_KEY: i32 = 1555;
const CHECK: i32 = 275;
const DATATYPE: i32 = 3091;

fn kind(code: ErrorCode, message: &str) -> ErrorKind {
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => ErrorKind::Busy,
        ErrorCode::ReadOnly => ErrorKind::ReadOnly,
        ErrorCode::CannotOpen => ErrorKind::Unopenable,
        ErrorCode::DiskFull => ErrorKind::Full,
        ErrorCode::SystemIoFailure => ErrorKind::Io,
        ErrorCode::NotADatabase => ErrorKind::NotADatabase,
        ErrorCode::TypeMismatch => ErrorKind::Row(RowFault::Type),
        ErrorCode::ConstraintViolation => ErrorKind::Row(RowFault::Other),
        _ => by_words(message),
    }
}

/// The kind of the missing object, by the words before its name.
const MISSING: [(&str, Missing); 4] = [
    ("no such table: ", Missing::Table),
    ("no such view: ", Missing::Table),
    ("no such column: ", Missing::Column),
    ("no such ", Missing::Other),
];

/// The kind of the unregistered object, by the words before its name.
const UNREGISTERED: [(&str, Registered); 4] = [
    ("no such function: ", Registered::Function),
    ("unknown function: ", Registered::Function),
    ("no such collation sequence: ", Registered::Collation),
    ("no such module: ", Registered::Module),
];

/// Why something isn't allowed in a table, by words in the message.
const DEFINITIONS: [(&str, DefinitionFault); 12] = [
    ("subqueries prohibited", DefinitionFault::Subquery),
    ("misuse of aggregate", DefinitionFault::Aggregate),
    ("misuse of window function", DefinitionFault::Aggregate),
    ("default value of column", DefinitionFault::VariableDefault),
    ("generated column loop", DefinitionFault::GeneratedLoop),
    ("non-deterministic", DefinitionFault::NotDeterministic),
    ("unable to use function", DefinitionFault::NotDeterministic),
    ("unknown datatype", DefinitionFault::Type),
    ("missing datatype", DefinitionFault::Type),
    ("syntax error", DefinitionFault::Syntax),
    ("incomplete input", DefinitionFault::Syntax),
    ("unrecognized token", DefinitionFault::Syntax),
];

fn by_words(message: &str) -> ErrorKind {
    let unregistered = UNREGISTERED.iter().find_map(|(words, what)| {
        let (_, rest) = message.split_once(words)?;
        Some(ErrorKind::Unregistered { what: *what, name: name_at(rest) })
    });
    if let Some(kind) = unregistered {
        return kind;
    }
    // `table "user" already exists`, or `table user already exists` in older versions.
    let existing = message.strip_suffix(" already exists").and_then(|what| what.split_once(' '));
    if let Some((kind, name)) = existing {
        return ErrorKind::AlreadyExists(format!("{kind} `{}`", name.trim_matches('"')));
    }
    // VACUUM, BEGIN, `journal_mode`, `synchronous`, and ATTACH in older versions. A database that
    // was attached in a transaction can't be detached in the same one.
    let within = ["within a transaction", "inside a transaction", "within transaction"];
    if within.iter().any(|words| message.contains(words)) {
        return ErrorKind::NotInTransaction;
    }
    if message.contains("cannot store") {
        return ErrorKind::Row(RowFault::Type);
    }
    // `error in view v: no such column: a`
    if message.starts_with("error in ") {
        return ErrorKind::BrokenDependent;
    }
    let missing = MISSING.iter().find_map(|(words, what)| {
        let name = message.strip_prefix(words)?;
        // `no such column: "a" - should this be a string literal in single-quotes?`
        let name = name.split_once(" - should this be").map_or(name, |(name, _)| name);
        Some(ErrorKind::Missing { what: *what, name: name.to_owned() })
    });
    if let Some(kind) = missing {
        return kind;
    }
    if message.starts_with("duplicate column name") {
        return ErrorKind::DuplicateColumn;
    }
    // `foreign key mismatch - "post" referencing "user"`
    let mismatch = message.strip_prefix("foreign key mismatch - ");
    if let Some((_, references)) = mismatch.and_then(|tables| tables.rsplit_once(" referencing ")) {
        let references = references.trim_matches('"').to_owned();
        return ErrorKind::KeyMismatch { references };
    }
    let fault = DEFINITIONS.iter().find(|(words, _)| message.contains(words));
    fault.map_or(ErrorKind::Other, |(_, fault)| ErrorKind::Definition(*fault))
}

/// The name at the beginning of the rest of a message.
fn name_at(text: &str) -> String {
    let is_end = |char: char| char.is_whitespace() || matches!(char, '(' | ')' | ',' | '\'');
    text.split(is_end).next().unwrap_or_default().trim_matches(['"', '`']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::Driver as _;
    use crate::driver::sqlite::SqliteDriver;

    /// The kind of the error for the last statement of the SQL.
    fn kind(sql: &str) -> ErrorKind {
        let mut driver = SqliteDriver::open_in_memory().unwrap();
        let (before, last) = sql.rsplit_once("; ").unwrap_or(("", sql));
        driver.batch(before).unwrap();
        driver.batch(last).expect_err(sql).kind().clone()
    }

    #[test]
    fn what_is_not_there_is_named() {
        let missing = |what, name: &str| ErrorKind::Missing { what, name: name.to_owned() };
        assert_eq!(kind("SELECT * FROM main.nope"), missing(Missing::Table, "main.nope"));
        assert_eq!(kind("DROP VIEW nope"), missing(Missing::Table, "nope"));
        assert_eq!(kind("SELECT a b FROM (SELECT 1)"), missing(Missing::Column, "a"));
        assert_eq!(kind("DROP INDEX nope"), missing(Missing::Other, "index: nope"));
        let unregistered =
            |what, name: &str| ErrorKind::Unregistered { what, name: name.to_owned() };
        let function = Registered::Function;
        assert_eq!(kind("SELECT lenght('a')"), unregistered(function, "lenght"));
        let in_index = "CREATE TABLE t (a); CREATE INDEX i ON t (slug(a))";
        assert_eq!(kind(in_index), unregistered(function, "slug"));
        let collation = "CREATE TABLE t (a COLLATE de UNIQUE)";
        assert_eq!(kind(collation), unregistered(Registered::Collation, "de"));
        let module = "CREATE VIRTUAL TABLE t USING nope(a)";
        assert_eq!(kind(module), unregistered(Registered::Module, "nope"));
    }

    #[test]
    fn a_row_or_a_definition_that_does_not_fit_says_why() {
        let rows = [
            ("CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1), (1)", RowFault::Duplicate),
            ("CREATE TABLE t (a CHECK (a > 0)); INSERT INTO t VALUES (0)", RowFault::Check),
            ("CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES ('x')", RowFault::Type),
            ("CREATE TABLE t (a INT) STRICT; INSERT INTO t VALUES ('x')", RowFault::Type),
            ("CREATE TABLE t (a NOT NULL); INSERT INTO t VALUES (NULL)", RowFault::Other),
        ];
        for (sql, fault) in rows {
            assert_eq!(kind(sql), ErrorKind::Row(fault), "{sql}");
        }
        let definitions = [
            ("CREATE TABLE t (a CHECK (a > (SELECT 1)))", DefinitionFault::Subquery),
            ("CREATE TABLE t (a); CREATE INDEX i ON t (sum(a))", DefinitionFault::Aggregate),
            ("CREATE TABLE t (a, b DEFAULT (a))", DefinitionFault::VariableDefault),
            ("CREATE TABLE t (n, a AS (b), b AS (a))", DefinitionFault::GeneratedLoop),
            (
                "CREATE TABLE t (a); CREATE INDEX i ON t (random())",
                DefinitionFault::NotDeterministic,
            ),
            ("CREATE TABLE t (a JSON) STRICT", DefinitionFault::Type),
            ("CREATE TABLE t (a) STRICT", DefinitionFault::Type),
            ("CREATE TABLE t (a CHECK (a > ))", DefinitionFault::Syntax),
            ("CREATE TABLE t (a", DefinitionFault::Syntax),
            ("CREATE TABLE t (a CHECK (a = 'x))", DefinitionFault::Syntax),
        ];
        for (sql, fault) in definitions {
            assert_eq!(kind(sql), ErrorKind::Definition(fault), "{sql}");
        }
        let mismatch = "CREATE TABLE user (id); CREATE TABLE post (id REFERENCES user (id)); \
                        PRAGMA foreign_keys = ON; INSERT INTO post VALUES (1)";
        assert_eq!(kind(mismatch), ErrorKind::KeyMismatch { references: "user".to_owned() });
    }
}
