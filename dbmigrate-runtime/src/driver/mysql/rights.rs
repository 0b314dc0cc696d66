//! What a GRANT has to name to add to an account's privileges.

use crate::Value;
use crate::dialect::quote_mysql;
use crate::driver::{Connection, DatabaseError};
use crate::sql::quote_text;

/// A condition for the account's own rows in the tables of `information_schema` with a `grantee`.
pub const OWN: &str = "grantee = CONCAT('''', SUBSTRING(CURRENT_USER(), 1, \
    CHAR_LENGTH(CURRENT_USER()) - CHAR_LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1), \
    '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')";

/// A query for the name of a database, the connection's own unless one is given, with each pattern
/// by which the account has privileges on it.
pub(super) fn granted(database: Option<&str>) -> String {
    let name = database.map_or_else(|| "DATABASE()".to_owned(), quote_text);
    format!(
        "SELECT DISTINCT {name}, table_schema FROM (SELECT 1) AS one \
         LEFT JOIN information_schema.schema_privileges ON {name} LIKE table_schema AND {OWN}"
    )
}

/// Where the first wildcard of a pattern is; a pattern without one comes after all others.
fn first_wildcard(pattern: &str) -> usize {
    let mut is_escaped = false;
    let wildcard = pattern.bytes().position(|byte| {
        let is_wildcard = !is_escaped && matches!(byte, b'_' | b'%');
        is_escaped = !is_escaped && byte == b'\\';
        is_wildcard
    });
    wildcard.unwrap_or(usize::MAX)
}

/// What follows `ON` in a GRANT for all tables of a database. Of the patterns by which an account has
/// privileges on it, only the most specific one counts (MySQL's manual, "Access Control, Stage 2:
/// Request Verification").
pub(super) fn target<'a>(database: &str, granted: impl IntoIterator<Item = &'a str>) -> String {
    let pattern = granted.into_iter().max_by_key(|pattern| first_wildcard(pattern));
    // `_` and `%` are wildcards in a GRANT (MySQL's manual, "GRANT Statement", "Database
    // Privileges").
    let literal = || database.replace('_', "\\_").replace('%', "\\%");
    format!("{}.*", quote_mysql(&pattern.map_or_else(literal, str::to_owned)))
}

/// What follows `ON` in a GRANT for all tables of the connection's database, such as
/// ``` `my\_app`.* ```; `None` without a database.
///
/// # Errors
///
/// The database's errors.
pub fn grant_target(conn: &mut dyn Connection) -> Result<Option<String>, DatabaseError> {
    let rows = conn.query(&granted(None), &[])?.rows;
    let Some([Value::Text(database), _]) = rows.first().map(Vec::as_slice) else {
        return Ok(None);
    };
    let patterns = rows.iter().filter_map(|row| match row.as_slice() {
        [_, Value::Text(pattern)] => Some(pattern.as_str()),
        _ => None,
    });
    Ok(Some(target(database, patterns)))
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn wildcards_are_literal_unless_privileges_were_granted_on_a_pattern() {
        assert_eq!(target("my_app`%", []), r"`my\_app``\%`.*");
        assert_eq!(target("my_app", ["my_app"]), "`my_app`.*");
        assert_eq!(target("my_app", ["my%", "m%"]), "`my%`.*");
        assert_eq!(target("my_app", ["my_app", r"my\_%"]), r"`my\_%`.*");
        assert_eq!(target("my_app", [r"my\_app", r"my\_%"]), r"`my\_app`.*");
    }
}
