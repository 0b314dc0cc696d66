//! PostgreSQL: read from its catalog, in its own words.

use std::collections::BTreeSet;

use dbmigrate_tests::servers::{self, client};

use super::{Pair, Schema, Words, assert_same};

const WORDS: Words = Words {
    id: "id BIGSERIAL PRIMARY KEY",
    reference: "BIGINT",
    moment: "TIMESTAMPTZ",
    booleans: ["false", "true"],
    quote: "\"",
};

/// What all schemas contain, except for this tool's own table.
const CATALOG: &str = "
    WITH tables AS (
        SELECT c.*, n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
        WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
            AND relname NOT LIKE '%dbmigrate_version%' AND NOT EXISTS (
                SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e'
            )
    )
    SELECT concat_ws(' | ', 'table', nspname, relname, relpersistence, reloptions, relrowsecurity,
        (SELECT spcname FROM pg_tablespace AS s WHERE s.oid = reltablespace),
        obj_description(oid, 'pg_class'), relreplident)
    FROM tables WHERE relkind = 'r'
    UNION ALL
    SELECT concat_ws(' | ', 'column', nspname, relname,
        row_number() OVER (PARTITION BY attrelid ORDER BY attnum), attname,
        format_type(atttypid, atttypmod), attnotnull, 'identity', attidentity, attgenerated,
        'default', pg_get_expr(adbin, adrelid), 'collation', attcollation::regcollation,
        'comment', col_description(c.oid, attnum))
    FROM tables AS c JOIN pg_attribute AS a ON attrelid = c.oid
        LEFT JOIN pg_attrdef ON adrelid = c.oid AND adnum = attnum
    WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT concat_ws(' | ', 'constraint', nspname, relname, conname, convalidated,
        pg_get_constraintdef(k.oid))
    FROM tables AS c JOIN pg_constraint AS k ON conrelid = c.oid
    WHERE relkind = 'r' AND contype <> 'n'
    UNION ALL
    SELECT concat_ws(' | ', 'index', nspname, relname, pg_get_indexdef(oid), reloptions)
    FROM tables WHERE relkind = 'i'
    UNION ALL
    SELECT concat_ws(' | ', 'sequence', nspname, relname, format_type(seqtypid, NULL), seqstart,
        seqincrement, seqmin, seqmax, seqcycle)
    FROM tables AS c JOIN pg_sequence ON seqrelid = c.oid
        JOIN pg_depend ON objid = c.oid AND deptype IN ('a', 'i')
    UNION ALL
    SELECT concat_ws(' | ', 'enumeration', nspname, typname, (
        SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum
        WHERE enumtypid = t.oid
    ))
    FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = typnamespace
    WHERE typtype = 'e'";

#[test]
fn schemas_of_postgresql_are_built_again() {
    built_again("schemas_of_postgresql_are_built_again", &["shared", "postgres"], "");
}

#[test]
fn several_schemas_of_a_postgresql_database_are_built_again() {
    let test = "several_schemas_of_a_postgresql_database_are_built_again";
    built_again(test, &["postgres-schemas"], "--tables \"*\" --tables \"*.*\"");
}

fn built_again(test: &str, directories: &[&str], tables: &str) {
    for server in servers::postgres(test) {
        let version = server.name.trim_start_matches("postgres").parse().unwrap();
        let schemas = Schema::all(directories, &WORDS, version);
        let (url, empty) = (server.database(), server.database());
        for schema in &schemas {
            client(&empty).batch_execute(&schema.needed).unwrap();
            let all = format!("{}{}", schema.needed, schema.tables);
            client(&url).batch_execute(&all).unwrap_or_else(|err| panic!("{err:?}"));
        }
        let before = read(&url);
        let name = format!("{}-{}", server.name, directories.concat());
        let pair = Pair { name: &name, dialect: "postgres", url: &url, empty: &empty, tables };
        pair.rebuild(&schemas);
        assert_same(&before, &read(&empty));
    }
}

fn read(url: &str) -> BTreeSet<String> {
    let rows = client(url).query(CATALOG, &[]).unwrap();
    rows.iter().map(|row| in_one_way(row.get(0))).collect()
}

/// What the server prints as it was written, of words that are the same to it: `now()` is
/// `CURRENT_TIMESTAMP`, and letter case doesn't matter in names of time zones (9.9.5 and 8.5.3 of
/// the manual).
fn in_one_way(text: &str) -> String {
    text.replace("CURRENT_TIMESTAMP", "now()").replace("'utc'", "'UTC'")
}
