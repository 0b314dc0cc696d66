//! What the catalog has beside the tables, and no model and no comparison is about.

use super::queries::{OWN, not_of_extension};

/// The tables of other schemas, with their schemas.
pub(super) fn tables_elsewhere() -> String {
    format!(
        "SELECT s.nspname || '.' || c.relname FROM pg_class c \
         JOIN pg_namespace s ON s.oid = c.relnamespace \
         WHERE {} AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND {} ORDER BY 1",
        IS_ELSEWHERE,
        not_of_extension("pg_class", "c.oid")
    )
}

/// The condition for the row `s` of `pg_namespace` to be another schema of a user.
const IS_ELSEWHERE: &str =
    "s.nspname <> current_schema() AND s.nspname !~ '^pg_' AND s.nspname <> 'information_schema'";

/// The table `c` as a model names it.
fn table() -> String {
    format!(
        "CASE WHEN c.relnamespace = {OWN} THEN c.relname::text ELSE (SELECT sn.nspname || '.' || \
         c.relname FROM pg_namespace sn WHERE sn.oid = c.relnamespace) END"
    )
}

/// All of it: each text with the table that it is about, if it is about one.
pub(super) fn all(version: u32) -> String {
    let parts = of_columns(version).into_iter().chain(of_tables()).chain(of_database());
    let parts: Vec<String> = parts.collect();
    format!("{} ORDER BY 1 NULLS LAST, 2", parts.join(" UNION ALL "))
}

/// How values are stored and sampled, and types and collations of other schemas.
fn of_columns(version: u32) -> Vec<String> {
    let table = table();
    let of_column = |text: &str, condition: &str| {
        format!(
            "SELECT {table}, 'column `' || {table} || '.' || a.attname || '` ' || {text} \
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 \
             AND NOT a.attisdropped JOIN pg_type t ON t.oid = a.atttypid \
             JOIN pg_type y ON y.oid = CASE WHEN t.typelem <> 0 AND t.typcategory = 'A' \
               THEN t.typelem ELSE t.oid END \
             JOIN pg_namespace s ON s.oid = y.typnamespace \
             LEFT JOIN pg_collation o ON o.oid = a.attcollation \
             LEFT JOIN pg_namespace os ON os.oid = o.collnamespace \
             WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND {condition}"
        )
    };
    let mut parts = vec![
        of_column(
            "'has STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' \
             WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END",
            "a.attstorage <> t.typstorage",
        ),
        of_column("'has STATISTICS ' || a.attstattarget", "a.attstattarget >= 0"),
        of_column(
            "'has the options `' || (SELECT string_agg(own.option, ', ') \
             FROM unnest(a.attoptions) own (option) WHERE own.option LIKE 'n_distinct%') || '`'",
            "array_to_string(a.attoptions, ',') LIKE '%n_distinct%'",
        ),
        of_column(
            "'has a type of the schema `' || s.nspname || '`: `' || y.typname || '`'",
            &format!("{IS_ELSEWHERE} AND {}", not_of_extension("pg_type", "y.oid")),
        ),
        of_column(
            "'has a collation of the schema `' || os.nspname || '`: `' || o.collname || '`'",
            "os.nspname <> current_schema() AND os.nspname <> 'pg_catalog'",
        ),
    ];
    if version >= 140_000 {
        let text = "'has COMPRESSION ' || CASE a.attcompression WHEN 'l' THEN 'lz4' \
                    ELSE 'pglz' END";
        parts.push(of_column(text, "a.attcompression <> ''"));
    }
    parts
}

/// How tables are stored, their partitions, and comments on their parts.
fn of_tables() -> Vec<String> {
    let table = table();
    vec![
        format!(
            "SELECT {table}, 'table `' || {table} || '` has the options `toast.' || \
             array_to_string(x.reloptions, ', toast.') || '`' \
             FROM pg_class c JOIN pg_class x ON x.oid = c.reltoastrelid \
             WHERE c.relkind IN ('r', 'p') AND x.reloptions IS NOT NULL"
        ),
        format!(
            "SELECT {table}, 'table `' || {table} || '` is clustered on `' || x.relname || '`' \
             FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisclustered \
             JOIN pg_class x ON x.oid = i.indexrelid WHERE c.relkind = 'r'"
        ),
        format!(
            "SELECT {table}, 'table `' || {table} || '` has the partition `' || x.relname || '` ' \
             || pg_get_expr(x.relpartbound, x.oid) \
             FROM pg_class c JOIN pg_inherits h ON h.inhparent = c.oid \
             JOIN pg_class x ON x.oid = h.inhrelid WHERE c.relkind = 'p' AND x.relispartition"
        ),
        format!(
            "SELECT {table}, 'index `' || x.relname || '` of table `' || {table} || \
             '` has a comment: ' || d.description FROM pg_class c \
             JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid \
             JOIN pg_description d ON d.objoid = x.oid AND d.classoid = 'pg_class'::regclass \
             WHERE c.relkind IN ('r', 'p')"
        ),
        format!(
            "SELECT {table}, 'constraint `' || n.conname || '` of table `' || {table} || \
             '` has a comment: ' || d.description FROM pg_class c \
             JOIN pg_constraint n ON n.conrelid = c.oid \
             JOIN pg_description d ON d.objoid = n.oid AND d.classoid = 'pg_constraint'::regclass \
             WHERE c.relkind IN ('r', 'p')"
        ),
    ]
}

/// Objects of the database, and of the own schema.
fn of_database() -> Vec<String> {
    let named = |kind: &str, name: &str, from: &str| {
        format!("SELECT NULL::text, '{kind} `' || {name} || '`' FROM {from}")
    };
    let in_own = |catalog: &str, column: &str| {
        format!("{catalog} o WHERE o.{column} = {OWN} AND {}", not_of_extension(catalog, "o.oid"))
    };
    let of_none =
        |catalog: &str| format!("{catalog} o WHERE {}", not_of_extension(catalog, "o.oid"));
    let commented = |kind: &str, name: &str, catalog: &str, condition: &str| {
        format!(
            "SELECT NULL::text, '{kind} `' || {name} || '` has a comment: ' || d.description \
             FROM {catalog} o JOIN pg_description d ON d.objoid = o.oid \
             AND d.classoid = '{catalog}'::regclass AND d.objsubid = 0 WHERE {condition}"
        )
    };
    vec![
        commented(
            "enumeration",
            "o.typname",
            "pg_type",
            &format!("o.typnamespace = {OWN} AND o.typtype = 'e'"),
        ),
        // Each database comes with a comment on this one.
        commented(
            "schema",
            "o.nspname",
            "pg_namespace",
            &format!("o.oid = {OWN} AND d.description <> 'standard public schema'"),
        ),
        // They are often granted on all tables alike.
        "SELECT NULL::text, 'privileges on ' || count(*) || CASE count(*) WHEN 1 THEN ' table' \
         ELSE ' tables' END FROM pg_class c WHERE c.relkind IN ('r', 'p') \
         AND c.relnamespace = current_schema()::regnamespace AND (c.relacl IS NOT NULL \
         OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid \
         AND a.attacl IS NOT NULL)) HAVING count(*) > 0"
            .to_owned(),
        named("event trigger", "o.evtname", &of_none("pg_event_trigger")),
        named("publication", "o.pubname", "pg_publication o"),
        named(
            "subscription",
            "o.subname",
            "pg_subscription o WHERE o.subdbid = (SELECT d.oid FROM pg_database d \
             WHERE d.datname = current_database())",
        ),
        named("foreign server", "o.srvname", &of_none("pg_foreign_server")),
        named("operator", "o.oprname", &in_own("pg_operator", "oprnamespace")),
        named("operator class", "o.opcname", &in_own("pg_opclass", "opcnamespace")),
        named("text search configuration", "o.cfgname", &in_own("pg_ts_config", "cfgnamespace")),
        named("text search dictionary", "o.dictname", &in_own("pg_ts_dict", "dictnamespace")),
    ]
}
