//! PostgreSQL's errors, by their codes (the manual's appendix A).

use postgres::error::{DbError, ErrorPosition};

use crate::driver::{DatabaseError, ErrorKind, Missing, RowFault};

/// An error of a statement, with the place in it that the server names.
pub(super) fn error_in(sql: &str, err: &postgres::Error) -> DatabaseError {
    match err.as_db_error() {
        Some(err) => of_server(sql, err),
        None => DatabaseError::new(in_full(err)),
    }
}

/// A client's error with its causes.
pub(super) fn in_full(err: &dyn std::error::Error) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(&format!(": {cause_text}"));
        }
        source = cause.source();
    }
    text
}

fn of_server(sql: &str, err: &DbError) -> DatabaseError {
    let mut message = err.message().to_owned();
    if let Some(detail) = err.detail() {
        message.push_str(&format!(" ({})", detail.trim_end_matches('.')));
    }
    if let Some(ErrorPosition::Original(position)) = err.position() {
        message.push_str(&shown(sql, *position));
    }
    DatabaseError::of(kind(err), message)
}

/// The line of a statement with a character in it, counted from 1, and a mark below it; nothing
/// for a statement of one line that starts with it.
fn shown(sql: &str, position: u32) -> String {
    let before: String = sql.chars().take(position.saturating_sub(1) as usize).collect();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let Some(line) = sql[start..].lines().next() else { return String::new() };
    let number = before.matches('\n').count() + 1;
    let label = format!("line {number}: ");
    let indent = before[start..].chars().count() + label.len();
    format!("\n  {label}{line}\n  {:indent$}^", "")
}

fn kind(err: &DbError) -> ErrorKind {
    let named = || quoted(err.message()).unwrap_or_default().to_owned();
    let missing = |what| ErrorKind::Missing { what, name: named() };
    match err.code().code() {
        "55P03" | "40001" | "40P01" => ErrorKind::Busy,
        "25006" => ErrorKind::ReadOnly,
        "53100" => ErrorKind::Full,
        "58030" => ErrorKind::Io,
        "42P07" => ErrorKind::AlreadyExists(format!("relation `{}`", named())),
        "42710" => ErrorKind::AlreadyExists(format!("`{}`", named())),
        "42701" => ErrorKind::DuplicateColumn,
        "42P01" => missing(Missing::Table),
        "42703" => missing(Missing::Column),
        "42704" | "42883" => missing(Missing::Other),
        "23505" => ErrorKind::Row(RowFault::Duplicate),
        "23514" => ErrorKind::Row(RowFault::Check),
        code if code.starts_with("23") => ErrorKind::Row(RowFault::Other),
        code if code.starts_with("22") => ErrorKind::Row(RowFault::Type),
        "42830" => {
            let references = err.message().rsplit('"').nth(1).unwrap_or_default().to_owned();
            ErrorKind::KeyMismatch { references }
        }
        "25001" => ErrorKind::NotInTransaction,
        _ => ErrorKind::Other,
    }
}

/// The first name in a message of the server, in whose language a message may be.
fn quoted(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once(['"', '«', '„', '“'])?;
    rest.split(['"', '»', '“', '”']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_an_error_is_shown_below_its_line() {
        let sql = "CREATE TABLE t (\n    é text,\n    b nosuch\n)";
        let position = u32::try_from(sql.chars().take_while(|c| *c != 'n').count() + 1).unwrap();
        assert_eq!(shown(sql, position), "\n  line 3:     b nosuch\n                 ^");
        assert_eq!(shown("SELEC 1", 1), "\n  line 1: SELEC 1\n          ^");
        assert_eq!(shown("", 9), "");
    }
}
