//! What PostgreSQL tells of functions, views and the like, beyond their names.

use std::collections::BTreeMap;

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::driver::{Connection, DatabaseError};

/// The sequence of a column is a part of its table.
const OF_POSTGRES: &str = "
    SELECT 'function ' || p.oid::regprocedure::text, pg_get_functiondef(p.oid) FROM pg_proc AS p
    WHERE p.pronamespace = current_schema()::regnamespace AND p.prokind IN ('f', 'p')
    UNION ALL
    SELECT 'view ' || c.relname, pg_get_viewdef(c.oid) FROM pg_class AS c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('v', 'm')
    UNION ALL
    SELECT 'trigger ' || t.tgname || ' on ' || t.tgrelid::regclass::text, pg_get_triggerdef(t.oid)
    FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal
    UNION ALL
    SELECT 'domain ' || t.typname, concat_ws(' ', format_type(t.typbasetype, t.typtypmod),
        t.typnotnull::text, t.typdefault, (SELECT string_agg(pg_get_constraintdef(k.oid), ' '
        ORDER BY k.conname) FROM pg_constraint AS k WHERE k.contypid = t.oid))
    FROM pg_type AS t WHERE t.typnamespace = current_schema()::regnamespace AND t.typtype = 'd'
    UNION ALL
    SELECT 'sequence ' || c.relname, concat_ws(' ', s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
        s.seqcache, s.seqcycle::text)
    FROM pg_sequence AS s JOIN pg_class AS c ON c.oid = s.seqrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND NOT EXISTS (SELECT FROM pg_depend AS d
        JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        LEFT JOIN pg_attrdef AS v ON v.adrelid = a.attrelid AND v.adnum = a.attnum
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
        AND d.refclassid = 'pg_class'::regclass AND (d.deptype = 'i' OR d.deptype = 'a'
        AND pg_get_expr(v.adbin, v.adrelid) = format('nextval(%L::regclass)', c.oid::regclass)))";

/// What emptying a database leaves: statements that drop it, in the order of their texts. An event
/// trigger may fail the others.
const LEFT_BY_POSTGRES: &str = "
    SELECT format('DROP EVENT TRIGGER %I', evtname), '' FROM pg_event_trigger
    UNION ALL
    SELECT format('DROP EXTENSION %I CASCADE', extname), '' FROM pg_extension
    WHERE extname <> 'plpgsql'
    UNION ALL
    SELECT format('SELECT lo_unlink(%s)', oid), '' FROM pg_largeobject_metadata
    UNION ALL
    SELECT format('DROP SCHEMA %I CASCADE', nspname), '' FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
        AND nspname IS DISTINCT FROM current_schema()";

const LEFT_BY_MYSQL: &str = "
    SELECT concat('DROP EVENT `', replace(event_name, '`', '``'), '`'), ''
    FROM information_schema.events WHERE event_schema = DATABASE()";

/// The definitions by kind and name; other catalogs have them.
///
/// # Errors
///
/// The database's errors.
pub(super) fn definitions(
    conn: &mut dyn Connection,
) -> Result<BTreeMap<String, String>, DatabaseError> {
    rows(conn, OF_POSTGRES, "")
}

/// The statements that drop what emptying leaves: extensions, other schemas, events.
///
/// # Errors
///
/// The database's errors.
pub(super) fn left_over(conn: &mut dyn Connection) -> Result<Vec<String>, DatabaseError> {
    Ok(rows(conn, LEFT_BY_POSTGRES, LEFT_BY_MYSQL)?.into_keys().collect())
}

/// The schema of PostgreSQL or the database of MySQL in which statements create and find tables;
/// empty if there is none, or no other one.
///
/// # Errors
///
/// The database's errors.
pub fn own_schema(conn: &mut dyn Connection) -> Result<String, DatabaseError> {
    let found = rows(conn, "SELECT current_schema(), ''", "SELECT DATABASE(), ''")?;
    Ok(found.into_keys().next().unwrap_or_default())
}

fn rows(
    conn: &mut dyn Connection,
    of_postgres: &str,
    of_mysql: &str,
) -> Result<BTreeMap<String, String>, DatabaseError> {
    let backend = conn.dialect().backend();
    let sql = match backend {
        Backend::Postgres => of_postgres,
        backend if backend.is_mysql_like() => of_mysql,
        _ => "",
    };
    if sql.is_empty() {
        return Ok(BTreeMap::new());
    }
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    };
    let rows = conn.query(sql, &[])?.rows;
    let pair = |row: &Vec<Value>| Some((text(row.first()?), text(row.get(1)?)));
    Ok(rows.iter().filter_map(pair).collect())
}
