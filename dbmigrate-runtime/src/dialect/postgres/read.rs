//! Reads PostgreSQL's catalog.

use std::collections::BTreeSet;

use crate::Value;
use crate::dialect::{Catalog, Object, Refusal};
use crate::driver::{Connection, DatabaseError};
use crate::schema::Table;

/// The server's version as a number: 15.4 is `150_004`.
pub(super) fn version(conn: &mut dyn Connection) -> Result<u32, DatabaseError> {
    let sql = "SELECT current_setting('server_version_num')::int";
    match conn.query(sql, &[])?.rows.into_iter().flatten().next() {
        Some(Value::Integer(version)) => Ok(u32::try_from(version).unwrap_or_default()),
        _ => Err(DatabaseError::new("the server doesn't tell its version")),
    }
}

pub(super) fn has_table(conn: &mut dyn Connection, name: &str) -> Result<bool, DatabaseError> {
    let sql = "SELECT to_regclass(quote_ident(?1)) IS NOT NULL";
    let rows = conn.query(sql, &[name.into()])?.rows;
    Ok(rows == [[Value::Bool(true)]])
}

pub(super) fn objects(_conn: &mut dyn Connection) -> Result<Vec<Object>, DatabaseError> {
    todo!()
}

pub(super) fn catalog(
    _conn: &mut dyn Connection,
    _only: Option<&BTreeSet<String>>,
) -> Result<Catalog, DatabaseError> {
    todo!()
}

pub(super) fn as_kept(
    _conn: &mut dyn Connection,
    _tables: &[(&Table, Option<&Table>)],
) -> Result<Vec<Result<Table, Refusal>>, DatabaseError> {
    todo!()
}
