//! The catalog's queries about one table as prepared statements.
//!
//! Planning them takes several times as long as running them. A reader who asks again after each
//! statement of a history has the server plan them once.

use std::collections::BTreeSet;

use super::assemble::{self, Assembled};
use super::queries::{self, Named, Tables};
use super::read;
use super::rows::{ColumnRow, ConstraintRow, IndexRow, Relation};
use crate::Value;
use crate::dialect::Catalog;
use crate::driver::{Connection, DatabaseError};
use crate::schema::qualified::split;
use crate::sql::{quote, quote_text};

/// The prepared statements of the session. A pooler changes it between transactions.
const KNOWN: &str = "array_to_string(ARRAY(SELECT name FROM pg_prepared_statements \
                     WHERE name LIKE 'dbmigrate\\_%'), ',')";

/// Keeps the plan of a prepared statement, on servers that know how: they would plan it again for a
/// while, or always.
const ONE_PLAN: &str = "CASE WHEN current_setting('server_version_num')::int >= 120000 \
                        THEN set_config('plan_cache_mode', 'force_generic_plan', true) END";

/// These tables of the own schema, without the other objects, read inside the open transaction.
pub(super) fn tables_alone(
    conn: &mut dyn Connection,
    names: &BTreeSet<String>,
) -> Result<Catalog, DatabaseError> {
    let Assembled { schema, beyond, unreadable } = tables(conn, Named::only(names))?;
    Ok(Catalog { schema, beyond, unreadable, ..Catalog::default() })
}

fn tables(conn: &mut dyn Connection, named: Named<'_>) -> Result<Assembled, DatabaseError> {
    let found = conn.query(&format!("{}, {ONE_PLAN}, {KNOWN}", read::pinning()), &[])?.rows;
    let known = match found.first().and_then(|row| row.last()) {
        Some(Value::Text(names)) => names.split(',').map(str::to_owned).collect(),
        _ => BTreeSet::new(),
    };
    let version = read::version_in(found)?;
    let which = Tables::Named(named);
    let relations = match listed(named) {
        Some(names) => {
            let found = run(conn, &known, &queries::relations(Tables::Listed), ("name[]", &names))?;
            found.map(Relation::read).collect()
        }
        None => read::relations(conn, which)?,
    };
    let oid = match relations.as_slice() {
        [] => return Ok(Assembled::default()),
        [one] => one.oid,
        // One after the other would take longer.
        _ => return read::parts(conn, (which, relations), version),
    };
    let (given, oid) = (Tables::Given(named), oid.to_string());
    let mut ask = |sql: String| run(conn, &known, &sql, ("oid", &oid));
    let rows = assemble::Rows {
        relations,
        columns: ask(queries::columns(given))?.map(ColumnRow::read).collect(),
        constraints: ask(queries::constraints(given, version))?.map(ConstraintRow::read).collect(),
        indexes: ask(queries::indexes(given, version))?.map(IndexRow::read).collect(),
    };
    Ok(assemble::assemble(rows))
}

/// The names as an array, if all of them are in the own schema.
fn listed(named: Named<'_>) -> Option<String> {
    let names = named.only?.iter();
    let bare = names.map(|name| split(name).0.is_none().then(|| quote_text(name)));
    let bare: Option<Vec<String>> = bare.collect();
    Some(format!("ARRAY[{}]::name[]", bare?.join(", ")))
}

/// The rows of a query with this value, of this type. It is prepared if it isn't among the known
/// ones.
fn run(
    conn: &mut dyn Connection,
    known: &BTreeSet<String>,
    sql: &str,
    (ty, value): (&str, &str),
) -> Result<std::vec::IntoIter<Vec<Value>>, DatabaseError> {
    let name = name(sql);
    if !known.contains(&name) {
        // Inside a text, `$1` is not taken for a value of this statement.
        let prepare = quote_text(&format!("PREPARE {} ({ty}) AS {sql}", quote(&name)));
        conn.execute(&format!("DO {}", quote_text(&format!("BEGIN EXECUTE {prepare}; END"))), &[])?;
    }
    Ok(conn.query(&format!("EXECUTE {}({value})", quote(&name)), &[])?.rows.into_iter())
}

/// The name of a statement with this text: another version of this program may have another one.
fn name(sql: &str) -> String {
    let hash = hmac_sha256::Hash::hash(sql.as_bytes());
    let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("dbmigrate_{digits}")
}
