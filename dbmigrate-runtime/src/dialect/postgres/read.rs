//! Reads PostgreSQL's catalog.

use std::collections::BTreeSet;

use super::POSTGRES;
use super::assemble::{self, Assembled};
use super::existing;
use super::groups::LARGE;
use super::queries::{self, Named, Tables};
use super::rows::{self, ColumnRow, ConstraintRow, IndexRow, Relation};
use super::schemas;
use super::unsaid;
use super::views;
use crate::Value;
use crate::dialect::{
    Catalog, Existing, Facts, Object, ObjectKind, ObjectName, RowCount, Schemas, Shadow, Unsaid,
};
use crate::driver::{Connection, DatabaseError};
use crate::operations::Operation;
use crate::schema::Schema;
use crate::schema::qualified::bare;
use crate::sql::{Token, quote_text};

pub(super) fn version(conn: &mut dyn Connection) -> Result<u32, DatabaseError> {
    version_in(conn.query(&format!("SELECT {VERSION}"), &[])?.rows)
}

pub(super) fn version_in(rows: Vec<Vec<Value>>) -> Result<u32, DatabaseError> {
    match rows.into_iter().flatten().next() {
        Some(Value::Integer(version)) => Ok(u32::try_from(version).unwrap_or_default()),
        _ => Err(DatabaseError::new("the server doesn't tell its version")),
    }
}

/// What is known of a server.
pub(super) fn facts(conn: &mut dyn Connection) -> Result<Facts, DatabaseError> {
    let found = conn.query(queries::FACTS, &[])?.rows.into_iter().next();
    let Some([Value::Integer(version), one_definition, builds_later]) = found.as_deref() else {
        return Err(DatabaseError::new("the server doesn't tell its version"));
    };
    let version = u32::try_from(*version).unwrap_or_default();
    let is = |value: &Value| *value == Value::Bool(true);
    let (one_definition, builds_later) = (is(one_definition), is(builds_later));
    Ok(Facts { one_definition, builds_later, ..Facts::new(version, true) })
}

/// A hash of the definitions of the objects that a statement names.
pub(super) fn definitions(conn: &mut dyn Connection, sql: &str) -> Result<String, DatabaseError> {
    let tokens = POSTGRES.tokens(sql);
    let names: BTreeSet<_> = tokens.iter().filter_map(Token::identifier).collect();
    let elsewhere = POSTGRES
        .significant(sql)
        .windows(3)
        .filter_map(|parts| {
            let [schema, dot, name] = parts else { return None };
            let (schema, name) = (schema.identifier()?, name.identifier()?);
            dot.is_symbol(".").then(|| format!("{schema}.{name}"))
        })
        .collect();
    // Not every product has what tells one version of a definition from another.
    let Ok(found) = objects(conn, &elsewhere) else { return Ok(String::new()) };
    let is_named = |object: &&Object| {
        names.contains(bare(&object.name)) || names.contains(bare(&object.table))
    };
    let mut hash = hmac_sha256::Hash::new();
    for object in found.iter().filter(is_named) {
        let text = object.sql.as_deref().unwrap_or_default();
        hash.update(format!("{} {} {} {text}\0", object.kind, object.name, object.table));
    }
    Ok(hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

/// Whether a schema, or the connection's own if that is empty, has a table with this name.
pub(super) fn has_table(
    conn: &mut dyn Connection,
    schema: &str,
    name: &str,
) -> Result<bool, DatabaseError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace s \
               ON s.oid = c.relnamespace WHERE s.nspname = coalesce(nullif(?2, ''), current_schema()) \
               AND c.relname = ?1 AND c.relkind IN ('r', 'p'))";
    let rows = conn.query(sql, &[name.into(), schema.into()])?.rows;
    Ok(rows == [[Value::Bool(true)]])
}

/// Those of these tables that are large.
pub(super) fn large(
    conn: &mut dyn Connection,
    tables: &BTreeSet<String>,
) -> Result<BTreeSet<String>, DatabaseError> {
    if tables.is_empty() {
        return Ok(BTreeSet::new());
    }
    Ok(conn.query(&queries::large(tables, LARGE), &[])?.texts().collect())
}

/// The objects, with texts that change whenever a definition does.
pub(super) fn objects(
    conn: &mut dyn Connection,
    elsewhere: &BTreeSet<String>,
) -> Result<Vec<Object>, DatabaseError> {
    reading(conn, |conn, _| objects_with(conn, true, elsewhere))
}

fn objects_with(
    conn: &mut dyn Connection,
    versions: bool,
    elsewhere: &BTreeSet<String>,
) -> Result<Vec<Object>, DatabaseError> {
    let found = conn.query(&queries::objects(versions, elsewhere), &[])?;
    Ok(found.rows.into_iter().filter_map(rows::object).collect())
}

/// How many rows of the system's catalogs this transaction has changed so far. A rollback to a
/// savepoint doesn't lower the number.
pub(super) fn objects_version(conn: &mut dyn Connection) -> Result<Option<i64>, DatabaseError> {
    // Without a transaction, each statement counts from 0.
    if !conn.in_transaction() {
        return Ok(None);
    }
    let sql = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint \
               FROM pg_stat_xact_sys_tables WHERE current_setting('track_counts')::bool";
    Ok(match conn.query(sql, &[])?.rows.into_iter().flatten().next() {
        Some(Value::Integer(version)) => Some(version),
        _ => None,
    })
}

/// The tables of the connection's own schema, which is the first one of the search path, and these
/// of other ones.
pub(super) fn catalog(
    conn: &mut dyn Connection,
    only: Option<&BTreeSet<String>>,
    elsewhere: &BTreeSet<String>,
) -> Result<Catalog, DatabaseError> {
    reading(conn, |conn, version| {
        let Assembled { schema, beyond, unreadable } =
            tables(conn, Tables::Named(Named { only, elsewhere }), version)?;
        // Those that are about to be created or dropped are among the others.
        let names = elsewhere.iter().chain(only.into_iter().flatten()).cloned().collect();
        let objects = objects_with(conn, false, &names)?;
        let is_wanted = |object: &Object| only.is_none_or(|only| only.contains(&object.table));
        let is_other = |object: &&Object| match object.kind {
            ObjectKind::Table | ObjectKind::Index | ObjectKind::Partition => false,
            _ => !object.temporary && is_wanted(object),
        };
        let others = objects.iter().filter(is_other);
        let mut others: Vec<_> =
            others.map(|object| ObjectName::new(object.kind, &object.name)).collect();
        // Functions can differ in their arguments alone.
        others.dedup();
        Ok(Catalog { schema, unreadable, others, beyond, objects, ..Catalog::default() })
    })
}

/// These tables of the own schema, without the other objects.
pub(super) fn tables_alone(
    conn: &mut dyn Connection,
    names: &BTreeSet<String>,
) -> Result<Catalog, DatabaseError> {
    reading(conn, |conn, version| {
        let Assembled { schema, beyond, unreadable } =
            tables(conn, Tables::Named(Named::only(names)), version)?;
        Ok(Catalog { schema, beyond, unreadable, ..Catalog::default() })
    })
}

/// What the statements of these operations depend on.
pub(super) fn existing(
    conn: &mut dyn Connection,
    operations: &[Operation],
) -> Result<Existing, DatabaseError> {
    let mut existing = Existing::default();
    let (mut names, targets) = existing::of_constraints(operations);
    if !targets.is_empty() {
        names.extend(conn.query(&queries::referring(&targets), &[])?.texts());
    }
    if !names.is_empty() {
        existing.tables = Some(reading(conn, |conn, version| {
            Ok(tables(conn, Tables::Named(Named::only(&names)), version)?.schema)
        })?);
    }
    let keys = existing::of_keys(operations);
    if !keys.is_empty() {
        let found = conn.query(&queries::serial(&keys), &[])?;
        existing.serial = found.rows.into_iter().filter_map(rows::pair).collect();
    }
    let updated = existing::of_rows(operations);
    if !updated.is_empty() {
        let found = conn.query(&queries::triggers(&updated), &[])?;
        existing.triggers = found.rows.into_iter().filter_map(rows::trigger).collect();
    }
    let viewed = existing::of_views(operations);
    if !viewed.is_empty() {
        let reads = conn.query(&queries::views(&viewed), &[])?.rows;
        let reads: Vec<_> = reads.into_iter().map(rows::texts_of).collect();
        let parts = if reads.is_empty() {
            Vec::new()
        } else {
            conn.query(&queries::parts_of_views(&viewed), &[])?.rows
        };
        existing.views = Some(views::read(reads, parts.into_iter().map(rows::texts_of)));
    }
    let needed: BTreeSet<String> = schemas::needed(operations).map(str::to_owned).collect();
    if !needed.is_empty() {
        existing.schemas = Some(schemas_of(conn, &needed)?);
    }
    let used = existing::of_users(operations);
    if !used.is_empty() {
        let found = conn.query(&queries::users(&used), &[])?;
        existing.users = found.rows.into_iter().map(rows::texts_of).map(rows::user).collect();
    }
    Ok(existing)
}

/// What no model says and nothing is compared with.
pub(super) fn unsaid(conn: &mut dyn Connection) -> Result<Vec<Unsaid>, DatabaseError> {
    let version = version(conn)?;
    let read = |row| {
        let [table, text] = rows::texts_of(row);
        Some(Unsaid { table, text: text? })
    };
    let found = conn.query(&unsaid::all(version), &[])?;
    Ok(found.rows.into_iter().filter_map(read).collect())
}

/// Which of these schemas exist.
fn schemas_of(
    conn: &mut dyn Connection,
    needed: &BTreeSet<String>,
) -> Result<Schemas, DatabaseError> {
    let mut schemas = Schemas::default();
    for row in conn.query(&queries::schemas(needed), &[])?.rows {
        if let [name, Value::Text(role), Value::Text(database), may_create] = row.as_slice() {
            if let Value::Text(name) = name {
                schemas.names.insert(name.clone());
            }
            schemas.may_create = *may_create == Value::Bool(true);
            role.clone_into(&mut schemas.role);
            database.clone_into(&mut schemas.database);
        }
    }
    Ok(schemas)
}

/// The temporary tables of the session.
pub(super) fn temporary(conn: &mut dyn Connection) -> Result<Schema, DatabaseError> {
    let version = version(conn)?;
    Ok(tables(conn, Tables::Temporary, version)?.schema)
}

fn tables(
    conn: &mut dyn Connection,
    which: Tables<'_>,
    version: u32,
) -> Result<Assembled, DatabaseError> {
    let relations = relations(conn, which)?;
    if relations.is_empty() {
        return Ok(Assembled::default());
    }
    parts(conn, (which, relations), version)
}

pub(super) fn relations(
    conn: &mut dyn Connection,
    which: Tables<'_>,
) -> Result<Vec<Relation>, DatabaseError> {
    let found = conn.query(&queries::relations(which), &[])?;
    Ok(found.rows.into_iter().map(Relation::read).collect())
}

/// The tables of these relations, with all that belongs to them.
pub(super) fn parts(
    conn: &mut dyn Connection,
    (which, relations): (Tables<'_>, Vec<Relation>),
    version: u32,
) -> Result<Assembled, DatabaseError> {
    let mut ask = |sql: String| Ok(conn.query(&sql, &[])?.rows.into_iter());
    let oids: Vec<i64> = relations.iter().map(|relation| relation.oid).collect();
    let which = match which {
        Tables::Named(named) if named.only.is_some() => Tables::Found(named, &oids),
        which => which,
    };
    let rows = assemble::Rows {
        relations,
        columns: ask(queries::columns(which))?.map(ColumnRow::read).collect(),
        constraints: ask(queries::constraints(which, version))?.map(ConstraintRow::read).collect(),
        indexes: ask(queries::indexes(which, version))?.map(IndexRow::read).collect(),
    };
    Ok(assemble::assemble(rows))
}

/// The settings that the server's texts depend on. Compiling the queries takes longer than running
/// them.
const SETTINGS: [(&str, &str); 8] = [
    ("jit", "off"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("standard_conforming_strings", "on"),
    ("quote_all_identifiers", "off"),
];

/// The server's version as a number: 15.4 is `150_004`.
const VERSION: &str = "current_setting('server_version_num')::int";

/// Sets them until the end of the transaction, or of its part. Returns the server's version.
fn pin(conn: &mut dyn Connection) -> Result<u32, DatabaseError> {
    version_in(conn.query(&pinning(), &[])?.rows)
}

/// The same for a transaction that only reads the catalog.
fn pin_to_read(conn: &mut dyn Connection) -> Result<u32, DatabaseError> {
    version_in(conn.query(&format!("{}, {IN_ORDER}", pinning()), &[])?.rows)
}

pub(super) fn pinning() -> String {
    let set = |(name, value): (&str, &str)| format!("set_config('{name}', '{value}', true)");
    format!("SELECT {VERSION}, {}", SETTINGS.map(set).join(", "))
}

/// Has the server join tables in the order of a query. The queries of the catalog list theirs in
/// that order, and searching for another one takes longer than running them. This is not for a
/// transaction in which other SQL runs, too. CockroachDB doesn't have this setting.
const IN_ORDER: &str = "CASE WHEN version() NOT LIKE 'CockroachDB%' \
                        THEN set_config('join_collapse_limit', '1', true) END";

/// Reads in one transaction with fixed settings, given the server's version.
fn reading<T>(
    conn: &mut dyn Connection,
    read: impl FnOnce(&mut dyn Connection, u32) -> Result<T, DatabaseError>,
) -> Result<T, DatabaseError> {
    if conn.in_transaction() {
        let version = pin(conn)?;
        return read(conn, version);
    }
    conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", &[])?;
    let res = pin_to_read(conn).and_then(|version| read(conn, version));
    // The first error is the one to report.
    let end = conn.execute("ROLLBACK", &[]);
    let value = res?;
    end?;
    Ok(value)
}

/// Runs statements and rolls them back. The inner result is theirs; the outer error is that of the
/// connection.
pub(super) fn rolled_back<T>(
    conn: &mut dyn Connection,
    work: impl FnOnce(&mut dyn Connection) -> Result<T, DatabaseError>,
) -> Result<Result<T, DatabaseError>, DatabaseError> {
    let (begin, end): (_, &[&str]) = if conn.in_transaction() {
        let end = &["ROLLBACK TO SAVEPOINT dbmigrate_kept", "RELEASE SAVEPOINT dbmigrate_kept"];
        ("SAVEPOINT dbmigrate_kept", end)
    } else {
        ("BEGIN", &["ROLLBACK"])
    };
    conn.execute(begin, &[])?;
    let res = pin(conn).and_then(|_| work(conn));
    for sql in end {
        conn.execute(sql, &[])?;
    }
    Ok(res)
}

/// A temporary object hides a table of the same name. A table that isn't in the connection's own
/// schema may be found in another one of the search path, and one that is there may be hidden by
/// the system's.
pub(super) fn shadow(
    conn: &mut dyn Connection,
    tables: &BTreeSet<String>,
    expected: &Schema,
    objects: &[Object],
) -> Result<Option<Shadow>, DatabaseError> {
    let hides = |object: &&Object| {
        object.temporary
            && !matches!(object.kind, ObjectKind::Trigger | ObjectKind::Index)
            && tables.contains(&object.name)
    };
    if let Some(object) = objects.iter().find(hides) {
        return Ok(Some(Shadow::Temporary(object.name.clone())));
    }
    let is_here = |name: &str| {
        objects.iter().any(|object| object.kind == ObjectKind::Table && object.name == name)
    };
    let suspects: Vec<String> = tables
        .iter()
        .filter(|name| expected.table(name).is_some_and(|table| table.schema.is_none()))
        .filter(|name| !is_here(name) || name.starts_with("pg_"))
        .map(|name| format!("({})", quote_text(name)))
        .collect();
    if suspects.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT n.name, s.nspname FROM (VALUES {}) n (name) \
         JOIN pg_class c ON c.oid = to_regclass(quote_ident(n.name)) \
         JOIN pg_namespace s ON s.oid = c.relnamespace \
         WHERE s.nspname IS DISTINCT FROM current_schema() LIMIT 1",
        suspects.join(", ")
    );
    let found = conn.query(&sql, &[])?.rows.into_iter().next();
    Ok(match found.as_deref() {
        Some([Value::Text(name), Value::Text(schema)]) => Some(Shadow::Elsewhere {
            table: name.clone(),
            place: format!("the schema `{schema}`, which is on the search path,"),
        }),
        _ => None,
    })
}

/// How many rows a table has by the server's statistics; a small one without them is counted. The
/// name is quoted.
pub(super) fn rows_about(
    conn: &mut dyn Connection,
    table: &str,
) -> Result<Option<RowCount>, DatabaseError> {
    let name = quote_text(table);
    let known = conn.query(&queries::rows_about(&name), &[])?;
    if let Some(known) = RowCount::of(&known, true) {
        return Ok(Some(known));
    }
    // To count rows takes a lock, and a failure to get it would end the transaction.
    if conn.in_transaction() || conn.query(&queries::is_small(&name), &[])?.rows.is_empty() {
        return Ok(None);
    }
    let counted = conn.query(&format!("SELECT count(*) FROM {table}"), &[])?;
    Ok(RowCount::of(&counted, false))
}
