//! What a GRANT has to name, so that it adds to the privileges that an account has.

use crate::Value;
use crate::dialect::quote_mysql;
use crate::driver::{Connection, DatabaseError};

/// The database, and the pattern by which the account has privileges on it already. Only the most
/// specific pattern counts (MySQL's manual, "Access Control, Stage 2: Request Verification").
pub(super) const GRANTED: &str = "SELECT DATABASE(), (SELECT table_schema \
    FROM information_schema.schema_privileges WHERE DATABASE() LIKE table_schema \
    ORDER BY CHAR_LENGTH(table_schema) DESC LIMIT 1)";

/// What follows `ON` in a GRANT for all tables of a database.
pub(super) fn target(database: &str, granted: Option<&str>) -> String {
    // Both are wildcards there (MySQL's manual, "GRANT Statement", "Database Privileges").
    let literal = || database.replace('_', "\\_").replace('%', "\\%");
    format!("{}.*", quote_mysql(&granted.map_or_else(literal, str::to_owned)))
}

/// What follows `ON` in a GRANT for all tables of the connection's database, such as
/// ``` `my\_app`.* ```; `None` without a database.
///
/// # Errors
///
/// The database's errors.
pub fn grant_target(conn: &mut dyn Connection) -> Result<Option<String>, DatabaseError> {
    let rows = conn.query(GRANTED, &[])?.rows;
    Ok(match rows.first().map(Vec::as_slice) {
        Some([Value::Text(database), Value::Text(granted)]) => {
            Some(target(database, Some(granted)))
        }
        Some([Value::Text(database), _]) => Some(target(database, None)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn wildcards_are_literal_unless_privileges_were_granted_on_a_pattern() {
        assert_eq!(target("my_app`%", None), r"`my\_app``\%`.*");
        assert_eq!(target("my_app", Some("my_app")), "`my_app`.*");
        assert_eq!(target("my_app", Some("my%")), "`my%`.*");
    }
}
