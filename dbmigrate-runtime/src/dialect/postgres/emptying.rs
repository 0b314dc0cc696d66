//! How the connection's own schema is emptied.
//!
//! One statement for all of it would need a lock for each object at once, and the server has room for
//! a few thousand of them. So each statement drops a few objects, and is a transaction of its own.

use std::collections::BTreeSet;

use super::{ddl, read};
use crate::Value;
use crate::driver::{Connection, DatabaseError};
use crate::schema::qualified::split;

/// How many objects a statement drops. A table has a few more, such as its indexes.
const AT_ONCE: usize = 50;

/// The objects of the connection's own schema, views before tables and partitions before their
/// tables; without those of extensions, and without the sequences of columns.
const OBJECTS: &str = "\
WITH own AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = current_schema()),
extended AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
SELECT kind, name FROM (
    SELECT CASE relkind WHEN 'm' THEN 1 WHEN 'v' THEN 2 WHEN 'S' THEN 5 WHEN 'f' THEN 4 ELSE 3 END
            AS place,
        CASE relkind WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'v' THEN 'VIEW'
            WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS kind,
        format('%I.%I', nspname, relname) AS name, relispartition AS is_part
    FROM pg_class AS c JOIN own ON own.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        AND NOT EXISTS (SELECT FROM extended
            WHERE classid = 'pg_class'::regclass AND objid = c.oid)
        AND NOT EXISTS (SELECT FROM pg_depend AS d
            WHERE relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid
                AND d.deptype IN ('a', 'i'))
    UNION ALL
    SELECT 6, 'ROUTINE',
        format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)), false
    FROM pg_proc AS p JOIN own ON own.oid = pronamespace
    WHERE NOT EXISTS (SELECT FROM extended
        WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
    UNION ALL
    SELECT 7, CASE typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END,
        format('%I.%I', nspname, typname), false
    FROM pg_type AS t JOIN own ON own.oid = typnamespace
        LEFT JOIN pg_class AS r ON r.oid = typrelid
    WHERE (typtype IN ('e', 'd', 'r') OR typtype = 'c' AND r.relkind = 'c')
        AND NOT EXISTS (SELECT FROM extended
            WHERE classid = 'pg_type'::regclass AND objid = t.oid)) AS found
ORDER BY place, is_part DESC, name";

/// The statements that drop everything and these tables of other schemas, each to be run in a
/// transaction of its own, and how many tables they drop. The schemas stay: others may use them.
pub(super) fn emptying(
    conn: &mut dyn Connection,
    elsewhere: &BTreeSet<String>,
) -> Result<(Vec<String>, usize), DatabaseError> {
    let mut statements = Vec::new();
    let mut objects: Vec<(String, String)> = Vec::new();
    let own = conn.query("SELECT current_schema()::text", &[])?.texts().next();
    for table in elsewhere {
        if let (Some(schema), name) = split(table) {
            // The own schema is emptied in any case.
            if own.as_deref() != Some(schema) && read::has_table(conn, schema, name)? {
                objects.push(("TABLE".to_owned(), ddl::relation(table)));
            }
        }
    }
    for row in conn.query(OBJECTS, &[])?.rows {
        if let [Value::Text(kind), Value::Text(name)] = row.as_slice() {
            objects.push((kind.clone(), name.clone()));
        }
    }
    let n_tables = objects.iter().filter(|(kind, _)| kind == "TABLE").count();
    let mut rest = objects.as_slice();
    while let Some((kind, _)) = rest.first() {
        let n_alike = rest.iter().take(AT_ONCE).take_while(|(other, _)| other == kind).count();
        let (alike, others) = rest.split_at(n_alike);
        let names: Vec<&str> = alike.iter().map(|(_, name)| name.as_str()).collect();
        // What depends on an earlier one is gone already.
        statements.push(format!("DROP {kind} IF EXISTS {} CASCADE", names.join(", ")));
        rest = others;
    }
    Ok((statements, n_tables))
}
