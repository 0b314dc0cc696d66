//! The queries of the catalog: a fixed number of them for any number of tables.
//!
//! Names in a list are quoted by the server and separated by commas, so that they can be split
//! again.

use std::collections::BTreeSet;

use crate::schema::qualified::split;
use crate::sql::quote_text;

/// Which tables are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tables<'a> {
    Named(Named<'a>),
    /// The same, once it is known which ones these are: the server finds them faster.
    Found(Named<'a>, &'a [i64]),
    /// The same for the one table that a prepared statement is given.
    Given(Named<'a>),
    /// Tables of the own schema, by the names that a prepared statement is given.
    Listed,
    /// The temporary tables of the session.
    Temporary,
}

/// Tables by name: `schema.table`, or a bare name in the connection's own schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    /// Only these, or all of the own schema.
    pub(super) only: Option<&'a BTreeSet<String>>,
    /// The known tables of other schemas. They are read if there is no other choice, and called by
    /// both names in any case.
    pub(super) elsewhere: &'a BTreeSet<String>,
}

static NONE: BTreeSet<String> = BTreeSet::new();

impl Named<'_> {
    pub(super) fn only(tables: &BTreeSet<String>) -> Named<'_> {
        Named { only: Some(tables), elsewhere: &NONE }
    }

    /// The condition for the row of `pg_class` with this alias to be one of the tables.
    fn has(self, alias: &str) -> String {
        let own = format!("{alias}.relnamespace = {OWN}");
        let Some(only) = self.only else {
            return match among(alias, self.elsewhere.iter()) {
                Some(elsewhere) => format!("({own} OR {elsewhere})"),
                None => own,
            };
        };
        let names = only.iter().filter(|name| split(name).0.is_none());
        let names: Vec<String> = names.map(|name| quote_text(name)).collect();
        // A list can't be empty.
        let names = if names.is_empty() { "NULL".to_owned() } else { names.join(", ") };
        let own = format!("{own} AND {alias}.relname IN ({names})");
        match among(alias, only.iter()) {
            Some(elsewhere) => format!("({own} OR {elsewhere})"),
            None => own,
        }
    }

    /// The expression for the table's name.
    fn name(self, alias: &str) -> String {
        let known = self.elsewhere.iter().chain(self.only.into_iter().flatten());
        match among(alias, known) {
            Some(is_known) => format!(
                "CASE WHEN {is_known} THEN {} ELSE {alias}.relname::text END",
                with_schema(alias, "relname")
            ),
            None => format!("{alias}.relname::text"),
        }
    }

    /// The expression for the schema of the table, if its name begins with it.
    fn schema(self, alias: &str) -> String {
        let known = self.elsewhere.iter().chain(self.only.into_iter().flatten());
        among(alias, known).map_or("NULL::text".to_owned(), |is_known| {
            format!("CASE WHEN {is_known} THEN {} END", schema_of(alias))
        })
    }
}

fn schema_of(alias: &str) -> String {
    format!("(SELECT sn.nspname::text FROM pg_namespace sn WHERE sn.oid = {alias}.relnamespace)")
}

fn with_schema(alias: &str, column: &str) -> String {
    format!("{} || '.' || {alias}.{column}", schema_of(alias))
}

/// The condition for the row of `pg_class` with this alias to be one of these tables with a schema,
/// if there are any.
fn among<'a>(alias: &str, tables: impl Iterator<Item = &'a String>) -> Option<String> {
    let pairs = tables.filter_map(|name| match split(name) {
        (Some(schema), table) => Some(format!("({}, {})", quote_text(schema), quote_text(table))),
        (None, _) => None,
    });
    let pairs: Vec<String> = pairs.collect();
    (!pairs.is_empty()).then(|| {
        format!(
            "({alias}.relnamespace, {alias}.relname) IN (SELECT sn.oid, v.name::name \
             FROM (VALUES {}) v (schema, name) JOIN pg_namespace sn ON sn.nspname = v.schema)",
            pairs.join(", ")
        )
    })
}

/// The schema in which statements create and find tables.
pub(super) const OWN: &str =
    "(SELECT s.oid FROM pg_namespace s WHERE s.nspname = current_schema())";

/// The condition for the row `c` of `pg_class`. What belongs to an extension is left out, and a
/// partition is a part of its table.
fn condition(tables: Tables<'_>) -> String {
    match tables {
        Tables::Named(named) => format!(
            "{} AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND {}",
            named.has("c"),
            not_of_extension("pg_class", "c.oid")
        ),
        Tables::Found(_, oids) => {
            let oids: Vec<String> = oids.iter().map(ToString::to_string).collect();
            format!("c.oid IN ({})", oids.join(", "))
        }
        Tables::Given(_) => "c.oid = $1".to_owned(),
        Tables::Listed => format!(
            "c.relnamespace = {OWN} AND c.relname = ANY ($1) AND c.relkind IN ('r', 'p') \
             AND NOT c.relispartition AND {}",
            not_of_extension("pg_class", "c.oid")
        ),
        Tables::Temporary => {
            "c.relnamespace = pg_my_temp_schema() AND c.relkind IN ('r', 'p')".to_owned()
        }
    }
}

impl<'a> Tables<'a> {
    fn named(self) -> Named<'a> {
        match self {
            Tables::Named(named) | Tables::Found(named, _) | Tables::Given(named) => named,
            Tables::Temporary | Tables::Listed => Named { only: None, elsewhere: &NONE },
        }
    }
}

/// The condition for an object that doesn't belong to an extension.
pub(super) fn not_of_extension(catalog: &str, oid: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = '{catalog}'::regclass \
         AND e.objid = {oid} AND e.deptype = 'e')"
    )
}

/// The tables themselves; see [`Relation`](super::rows::Relation).
pub(super) fn relations(tables: Tables<'_>) -> String {
    format!(
        "SELECT c.oid::bigint, {}, {}, c.relpersistence::text, \
         array_to_string(c.reloptions, ', '), des.description, \
         CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END, \
         c.relrowsecurity, c.relforcerowsecurity, c.relreplident::text, ts.spcname, \
         CASE WHEN am.amname <> 'heap' THEN am.amname END, \
         (SELECT string_agg(quote_ident(p.relname), ', ' ORDER BY i.inhseqno) FROM pg_inherits i \
          JOIN pg_class p ON p.oid = i.inhparent WHERE i.inhrelid = c.oid), \
         CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END \
         FROM pg_class c \
         LEFT JOIN pg_description des ON des.objoid = c.oid \
           AND des.classoid = 'pg_class'::regclass AND des.objsubid = 0 \
         LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace \
         LEFT JOIN pg_am am ON am.oid = c.relam \
         WHERE {} ORDER BY c.oid",
        tables.named().name("c"),
        tables.named().schema("c"),
        condition(tables)
    )
}

/// Their columns; see [`ColumnRow`](super::rows::ColumnRow).
pub(super) fn columns(tables: Tables<'_>) -> String {
    format!(
        "SELECT a.attrelid::bigint, a.attnum::int, a.attname, format_type(a.atttypid, a.atttypmod), \
         a.attnotnull, a.attidentity::text, a.attgenerated::text, \
         pg_get_expr(d.adbin, d.adrelid), \
         CASE WHEN a.attcollation <> t.typcollation THEN \
           (SELECT CASE WHEN pg_collation_is_visible(o.oid) THEN o.collname::text \
            ELSE on_.nspname || '.' || o.collname END \
            FROM pg_collation o JOIN pg_namespace on_ ON on_.oid = o.collnamespace \
            WHERE o.oid = a.attcollation) END, \
         des.description, \
         CASE WHEN et.typtype = 'e' AND pg_type_is_visible(et.oid) THEN et.typname END, \
         CASE WHEN et.typtype = 'e' THEN \
           (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder) \
            FROM pg_enum e WHERE e.enumtypid = et.oid) END, \
         t.typcategory = 'A', \
         COALESCE(pg_get_expr(d.adbin, d.adrelid) \
           = format('nextval(%L::regclass)', seq.name), false), \
         CASE WHEN seq.oid IS NOT NULL THEN concat_ws(', ', \
           CASE WHEN sq.seqstart <> 1 THEN 'START ' || sq.seqstart END, \
           CASE WHEN sq.seqincrement <> 1 THEN 'INCREMENT ' || sq.seqincrement END, \
           CASE WHEN sq.seqmin <> 1 THEN 'MINVALUE ' || sq.seqmin END, \
           CASE WHEN sq.seqmax <> CASE a.atttypid WHEN 'int2'::regtype THEN 32767 \
             WHEN 'int4'::regtype THEN 2147483647 ELSE 9223372036854775807 END \
             THEN 'MAXVALUE ' || sq.seqmax END, \
           CASE WHEN sq.seqcache <> 1 THEN 'CACHE ' || sq.seqcache END, \
           CASE WHEN sq.seqcycle THEN 'CYCLE' END) END \
         FROM pg_class c \
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         JOIN pg_type t ON t.oid = a.atttypid \
         JOIN pg_type et ON et.oid = CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 \
           THEN t.typelem ELSE t.oid END \
         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         LEFT JOIN pg_description des ON des.objoid = a.attrelid \
           AND des.classoid = 'pg_class'::regclass AND des.objsubid = a.attnum \
         LEFT JOIN (SELECT sd.refobjid, sd.refobjsubid, sd.deptype, sc.oid, \
             sc.oid::regclass::text AS name \
           FROM pg_depend sd JOIN pg_class sc ON sc.oid = sd.objid AND sc.relkind = 'S' \
           WHERE sd.classid = 'pg_class'::regclass AND sd.refclassid = 'pg_class'::regclass \
             AND sd.deptype IN ('a', 'i')) seq \
           ON seq.refobjid = a.attrelid AND seq.refobjsubid = a.attnum \
           AND seq.deptype = CASE WHEN a.attidentity = '' THEN 'a' ELSE 'i' END::\"char\" \
         LEFT JOIN pg_sequence sq ON sq.seqrelid = seq.oid \
         WHERE {} ORDER BY a.attrelid, a.attnum",
        condition(tables)
    )
}

/// Their constraints; see [`ConstraintRow`](super::rows::ConstraintRow). From version 18 on, each
/// NOT NULL is a constraint as well; only those are read that differ from a plain NOT NULL.
pub(super) fn constraints(tables: Tables<'_>, version: u32) -> String {
    let delete_columns = if version >= 150_000 {
        "(SELECT string_agg(quote_ident(b.attname), ',' ORDER BY b.attnum) FROM pg_attribute b \
          WHERE b.attrelid = n.conrelid AND b.attnum = ANY (n.confdelsetcols))"
    } else {
        "NULL::text"
    };
    let named = tables.named();
    let target = match among("r", named.elsewhere.iter().chain(named.only.into_iter().flatten())) {
        Some(is_known) => format!("WHEN {is_known} THEN rn.nspname || '.' || r.relname "),
        None => String::new(),
    };
    let (enforced, period) =
        if version >= 180_000 { ("n.conenforced", "n.conperiod") } else { ("true", "false") };
    format!(
        "SELECT n.conrelid::bigint, n.conname, n.contype::text, n.condeferrable, n.condeferred, \
         n.convalidated, n.connoinherit, {enforced}, {period}, \
         (SELECT string_agg(quote_ident(b.attname), ',' ORDER BY k.place) \
          FROM unnest(n.conkey) WITH ORDINALITY k (num, place) \
          JOIN pg_attribute b ON b.attrelid = n.conrelid AND b.attnum = k.num), \
         CASE WHEN n.contype = 'f' THEN (SELECT \
           CASE {target}WHEN r.relnamespace = {OWN} THEN r.relname::text \
           ELSE rn.nspname || '.' || r.relname END \
           FROM pg_class r JOIN pg_namespace rn ON rn.oid = r.relnamespace \
           WHERE r.oid = n.confrelid) END, \
         CASE WHEN n.contype = 'f' THEN \
           (SELECT string_agg(quote_ident(b.attname), ',' ORDER BY k.place) \
            FROM unnest(n.confkey) WITH ORDINALITY k (num, place) \
            JOIN pg_attribute b ON b.attrelid = n.confrelid AND b.attnum = k.num) END, \
         n.confupdtype::text, n.confdeltype::text, n.confmatchtype::text, {delete_columns}, \
         CASE WHEN n.contype = 'c' THEN pg_get_expr(n.conbin, n.conrelid) \
           WHEN n.contype = 'x' THEN pg_get_constraintdef(n.oid) END, \
         n.conindid::bigint, \
         CASE WHEN n.contype = 'x' THEN \
           (SELECT string_agg(CASE WHEN pg_operator_is_visible(o.oid) THEN o.oprname::text \
              ELSE format('OPERATOR(%I.%s)', os.nspname, o.oprname) END, ',' ORDER BY k.place) \
            FROM unnest(n.conexclop) WITH ORDINALITY k (operator, place) \
            JOIN pg_operator o ON o.oid = k.operator \
            JOIN pg_namespace os ON os.oid = o.oprnamespace) END \
         FROM pg_class c JOIN pg_constraint n ON n.conrelid = c.oid \
         WHERE {} AND n.contype IN ('p', 'u', 'f', 'c', 'x', 'n') \
         AND (n.contype <> 'n' OR NOT n.convalidated OR n.connoinherit) \
         ORDER BY n.conrelid, n.conname",
        condition(tables)
    )
}

/// The keys of their indexes, one row for each; see [`IndexRow`](super::rows::IndexRow).
pub(super) fn indexes(tables: Tables<'_>, version: u32) -> String {
    let nulls = if version >= 150_000 { "i.indnullsnotdistinct" } else { "false" };
    format!(
        "SELECT i.indrelid::bigint, i.indexrelid::bigint, x.relname, am.amname, i.indisunique, \
         i.indisvalid AND i.indisready, {nulls}, \
         EXISTS (SELECT 1 FROM pg_constraint o WHERE o.conindid = i.indexrelid \
           AND o.conrelid = i.indrelid AND o.contype IN ('p', 'u', 'x')), \
         pg_get_expr(i.indpred, i.indrelid), array_to_string(x.reloptions, ', '), ts.spcname, \
         k.num <= i.indnkeyatts, a.attname, \
         CASE WHEN i.indkey[k.num - 1] = 0 THEN pg_get_indexdef(i.indexrelid, k.num, false) END, \
         CASE WHEN k.num <= i.indnkeyatts THEN i.indoption[k.num - 1]::int ELSE 0 END, \
         CASE WHEN NOT oc.opcdefault THEN oc.opcname END, \
         CASE WHEN k.num <= i.indnkeyatts AND i.indcollation[k.num - 1] <> a.attcollation THEN \
           (SELECT CASE WHEN pg_collation_is_visible(o.oid) THEN o.collname::text \
            ELSE on_.nspname || '.' || o.collname END \
            FROM pg_collation o JOIN pg_namespace on_ ON on_.oid = o.collnamespace \
            WHERE o.oid = i.indcollation[k.num - 1]) END, \
         CASE WHEN k.num <= i.indnkeyatts AND i.indkey[k.num - 1] = 0 \
           AND i.indcollation[k.num - 1] NOT IN (0, 'pg_catalog.\"default\"'::regcollation) \
           THEN pg_get_indexdef(i.indexrelid) END \
         FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid \
         JOIN pg_class x ON x.oid = i.indexrelid \
         JOIN pg_am am ON am.oid = x.relam \
         LEFT JOIN pg_tablespace ts ON ts.oid = x.reltablespace \
         CROSS JOIN LATERAL generate_series(1, i.indnatts::int) k (num) \
         LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.num - 1] \
           AND i.indkey[k.num - 1] <> 0 \
         LEFT JOIN pg_opclass oc ON k.num <= i.indnkeyatts AND oc.oid = i.indclass[k.num - 1] \
         WHERE {} ORDER BY i.indrelid, x.relname, k.num",
        condition(tables)
    )
}

/// Those of these tables that have at least this many bytes.
pub(super) fn large(tables: &BTreeSet<String>, least: u64) -> String {
    let tables = Named::only(tables);
    format!(
        "SELECT {} FROM pg_class c WHERE {} AND c.relkind = 'r' \
         AND pg_relation_size(c.oid) >= {least}",
        tables.name("c"),
        tables.has("c")
    )
}

/// The tables with foreign keys to these, in any schema.
pub(super) fn referring(targets: &BTreeSet<String>) -> String {
    format!(
        "SELECT DISTINCT CASE WHEN c.relnamespace = {OWN} THEN c.relname::text ELSE {} END \
         FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
         JOIN pg_class r ON r.oid = k.confrelid WHERE k.contype = 'f' AND {}",
        with_schema("c", "relname"),
        Named::only(targets).has("r")
    )
}

/// The columns of these tables that own a sequence and aren't identity columns, with their tables.
pub(super) fn serial(tables: &BTreeSet<String>) -> String {
    let tables = Named::only(tables);
    format!(
        "SELECT {}, a.attname::text FROM pg_depend d \
         JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' \
         JOIN pg_class c ON c.oid = d.refobjid \
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid \
         WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass \
         AND d.deptype = 'a' AND a.attidentity = '' AND {}",
        tables.name("c"),
        tables.has("c")
    )
}

/// The views over these tables and over such views, as the relation `over`: the view, what it
/// selects from, and the number of the column.
fn over(tables: &BTreeSet<String>) -> String {
    format!(
        "WITH RECURSIVE reads AS (SELECT DISTINCT r.ev_class AS view, d.refobjid AS source, \
         d.refobjsubid AS num FROM pg_rewrite r JOIN pg_depend d \
         ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid \
         AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class \
         JOIN pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm')), \
         over AS (SELECT reads.* FROM reads JOIN pg_class c ON c.oid = reads.source \
         WHERE {} \
         UNION SELECT reads.* FROM reads JOIN over ON reads.source = over.view)",
        Named::only(tables).has("c")
    )
}

/// The views over these tables and over such views, each with what it selects from. A schema is
/// NULL if it is the connection's own.
pub(super) fn views(tables: &BTreeSet<String>) -> String {
    let schema = |alias: &str| {
        format!("CASE WHEN {alias}.nspname <> current_schema() THEN {alias}.nspname END::text")
    };
    format!(
        "{} SELECT {}, v.relname::text, {}, s.relname::text, a.attname::text FROM over \
         JOIN pg_class v ON v.oid = over.view JOIN pg_namespace n ON n.oid = v.relnamespace \
         JOIN pg_class s ON s.oid = over.source JOIN pg_namespace m ON m.oid = s.relnamespace \
         LEFT JOIN pg_attribute a ON a.attrelid = over.source AND a.attnum = over.num \
         AND over.num > 0 ORDER BY v.oid, s.oid, over.num",
        over(tables),
        schema("n"),
        schema("m")
    )
}

/// What belongs to these views.
pub(super) fn parts_of_views(tables: &BTreeSet<String>) -> String {
    let parts = super::views::parts("v.oid IN (SELECT view FROM over)");
    format!("{} {parts}", over(tables))
}

/// What the server refuses to change a column of these tables for, besides views: triggers,
/// policies, functions and publications; and the views that need a primary key. See
/// [`user`](super::rows::user).
pub(super) fn users(tables: &BTreeSet<String>) -> String {
    let tables = Named::only(tables);
    let (name, has) = (tables.name("c"), tables.has("c"));
    format!(
        "SELECT {name}, a.attname::text, pg_describe_object(d.classid, d.objid, 0), \
         coalesce(g.tgname, p.polname, f.proname, b.pubname)::text \
         FROM pg_class c JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass \
         AND d.refobjid = c.oid AND d.refobjsubid > 0 \
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid \
         LEFT JOIN pg_trigger g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid \
         LEFT JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid \
         LEFT JOIN pg_proc f ON d.classid = 'pg_proc'::regclass AND f.oid = d.objid \
         LEFT JOIN pg_publication_rel r ON d.classid = 'pg_publication_rel'::regclass \
         AND r.oid = d.objid LEFT JOIN pg_publication b ON b.oid = r.prpubid \
         WHERE {has} AND d.classid IN ('pg_trigger'::regclass, \
         'pg_policy'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass) \
         UNION SELECT {name}, NULL, pg_describe_object('pg_class'::regclass, v.oid, 0), \
         v.relname::text FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid \
         JOIN pg_depend d ON d.refclassid = 'pg_constraint'::regclass AND d.refobjid = k.oid \
         AND d.classid = 'pg_rewrite'::regclass JOIN pg_rewrite r ON r.oid = d.objid \
         JOIN pg_class v ON v.oid = r.ev_class \
         WHERE k.contype = 'p' AND {has} ORDER BY 1, 2, 3"
    )
}

/// The enabled triggers of these tables that run when a row is updated; see
/// [`trigger`](super::rows::trigger).
pub(super) fn triggers(tables: &BTreeSet<String>) -> String {
    // The bits are those of `TRIGGER_TYPE_UPDATE`.
    let tables = Named::only(tables);
    format!(
        "SELECT {}, t.tgname::text, t.tgenabled = 'A' \
         FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal \
         AND t.tgenabled IN ('O', 'A') AND t.tgtype::int & 16 <> 0 \
         AND {} ORDER BY t.tgname",
        tables.name("c"),
        tables.has("c")
    )
}

/// Which of these schemas exist, and whether the connection's role may create others: one row each,
/// and one for no schema.
pub(super) fn schemas(names: &BTreeSet<String>) -> String {
    let names: Vec<String> = names.iter().map(|name| quote_text(name)).collect();
    format!(
        "SELECT nspname::text, current_user::text, current_database()::text, \
         has_database_privilege(current_database(), 'CREATE') \
         FROM (SELECT NULL::name AS nspname UNION ALL SELECT n.nspname FROM pg_namespace n \
         WHERE n.nspname IN ({})) AS found",
        names.join(", ")
    )
}

/// The schemas for tables of users, in the order of their names.
pub(super) const SCHEMAS: &str = "\
SELECT nspname::text FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY nspname";

/// The server's version as a number; whether its transactions hold one change of a definition only,
/// as those of Aurora DSQL and CockroachDB; whether it builds indexes in the background.
pub(super) const FACTS: &str = "\
SELECT current_setting('server_version_num')::int,
    to_regclass('sys.jobs') IS NOT NULL OR version() LIKE 'CockroachDB%',
    EXISTS (SELECT FROM pg_attribute
        WHERE attrelid = to_regclass('sys.jobs') AND attname = 'job_id')";

/// All objects of the own schema, these tables of others, and the temporary objects of the session;
/// see
/// [`object`](super::rows::object). With `versions`, a table's text changes whenever its definition
/// does, and so does an index's.
pub(super) fn objects(versions: bool, elsewhere: &BTreeSet<String>) -> String {
    let known = Named { only: None, elsewhere };
    let table_name = known.name("c");
    let (table, index) = if versions {
        (
            "concat_ws(' ', c.relpersistence, c.reloptions, c.relreplident, c.relrowsecurity, \
             c.relforcerowsecurity, \
             (SELECT md5(string_agg(concat(v.xmin, v.ctid), ',' ORDER BY v.attnum)) \
              FROM pg_attribute v WHERE v.attrelid = c.oid), \
             (SELECT md5(string_agg(concat(v.xmin, v.ctid), ',' ORDER BY v.oid)) \
              FROM pg_attrdef v WHERE v.adrelid = c.oid), \
             (SELECT md5(string_agg(concat(v.xmin, v.ctid), ',' ORDER BY v.oid)) \
              FROM pg_constraint v WHERE v.conrelid = c.oid), \
             (SELECT md5(string_agg(concat(v.xmin, v.ctid), ',' ORDER BY v.objsubid)) \
              FROM pg_description v WHERE v.objoid = c.oid \
              AND v.classoid = 'pg_class'::regclass), \
             (SELECT md5(string_agg(concat(v.xmin, v.ctid), ',' ORDER BY v.oid)) \
              FROM pg_attribute va JOIN pg_type vt ON vt.oid = va.atttypid \
              JOIN pg_enum v ON v.enumtypid IN (vt.oid, vt.typelem) WHERE va.attrelid = c.oid))",
            "concat_ws(' ', i.xmin, i.ctid, x.reloptions)",
        )
    } else {
        ("NULL::text", "NULL::text")
    };
    let in_schema = || {
        let elsewhere = among("c", elsewhere.iter());
        let elsewhere = elsewhere.map_or(String::new(), |known| format!(" OR {known}"));
        format!("(c.relnamespace IN ({OWN}, pg_my_temp_schema()){elsewhere})")
    };
    let temporary = |oid: &str| format!("{oid} = pg_my_temp_schema()");
    let parts = [
        // Tables and what is named like them. The table of a partition is the partitioned table.
        format!(
            "SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' \
               WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence' \
               WHEN 'c' THEN 'composite type' \
               ELSE CASE WHEN c.relispartition THEN 'partition' ELSE 'table' END END, \
             {table_name}, \
             CASE WHEN c.relispartition THEN COALESCE((SELECT p.relname FROM pg_inherits h \
               JOIN pg_class p ON p.oid = h.inhparent WHERE h.inhrelid = c.oid), c.relname)::text \
               ELSE {table_name} END, \
             CASE WHEN c.relkind = 'v' \
               THEN format('CREATE VIEW %I AS %s', c.relname, pg_get_viewdef(c.oid)) \
               WHEN c.relkind = 'm' THEN \
               format('CREATE MATERIALIZED VIEW %I AS %s', c.relname, pg_get_viewdef(c.oid)) \
               WHEN c.relkind IN ('r', 'p') THEN {table} END, {}, c.oid::bigint \
             FROM pg_class c WHERE {} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') \
             AND (c.relkind <> 'S' OR NOT EXISTS (SELECT 1 FROM pg_depend sd \
               WHERE sd.classid = 'pg_class'::regclass AND sd.objid = c.oid \
               AND sd.refclassid = 'pg_class'::regclass AND sd.deptype IN ('a', 'i'))) AND {}",
            temporary("c.relnamespace"),
            in_schema(),
            not_of_extension("pg_class", "c.oid"),
        ),
        format!(
            "SELECT 'index', x.relname::text, {table_name}, {index}, {}, x.oid::bigint \
             FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid \
             JOIN pg_class c ON c.oid = i.indrelid WHERE {} AND NOT x.relispartition AND {}",
            temporary("c.relnamespace"),
            in_schema(),
            not_of_extension("pg_class", "c.oid"),
        ),
        format!(
            "SELECT 'trigger', t.tgname::text, {table_name}, pg_get_triggerdef(t.oid), {}, \
             t.oid::bigint FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid \
             WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND {}",
            temporary("c.relnamespace"),
            in_schema(),
        ),
        format!(
            "SELECT 'policy', o.polname::text, {table_name}, NULL, false, o.oid::bigint \
             FROM pg_policy o JOIN pg_class c ON c.oid = o.polrelid WHERE {}",
            known.has("c")
        ),
        format!(
            "SELECT 'rule', r.rulename::text, {table_name}, NULL, false, r.oid::bigint \
             FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class \
             WHERE r.rulename <> '_RETURN' AND {}",
            known.has("c")
        ),
        // The constructors of a range belong to its type.
        format!(
            "SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' \
               ELSE 'function' END, p.proname::text, p.proname::text, NULL, false, p.oid::bigint \
             FROM pg_proc p WHERE p.pronamespace = {OWN} AND {} AND NOT EXISTS (SELECT 1 \
               FROM pg_depend pd WHERE pd.classid = 'pg_proc'::regclass AND pd.objid = p.oid \
               AND pd.refclassid = 'pg_type'::regclass AND pd.deptype = 'i')",
            not_of_extension("pg_proc", "p.oid"),
        ),
        // The type of a column belongs to its table.
        format!(
            "SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, t.typname::text, \
             t.typname::text, NULL, false, t.oid::bigint FROM pg_type t \
             WHERE t.typnamespace = {OWN} AND t.typtype IN ('e', 'd', 'r') AND {} \
             AND (t.typtype <> 'e' OR NOT EXISTS (SELECT 1 FROM pg_depend u \
               WHERE u.refclassid = 'pg_type'::regclass AND u.refobjid IN (t.oid, t.typarray) \
               AND u.classid = 'pg_class'::regclass))",
            not_of_extension("pg_type", "t.oid"),
        ),
        format!(
            "SELECT 'statistics', s.stxname::text, {table_name}, NULL, false, s.oid::bigint \
             FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid \
             WHERE s.stxnamespace = {OWN}"
        ),
        format!(
            "SELECT 'collation', o.collname::text, o.collname::text, NULL, false, o.oid::bigint \
             FROM pg_collation o WHERE o.collnamespace = {OWN} AND {}",
            not_of_extension("pg_collation", "o.oid"),
        ),
        "SELECT 'extension', x.extname::text, x.extname::text, NULL, false, x.oid::bigint \
         FROM pg_extension x WHERE x.extname <> 'plpgsql'"
            .to_owned(),
    ];
    format!("{} ORDER BY 6", parts.join(" UNION ALL "))
}

/// The query for the number of rows by the statistics; negative where there are none. The name is a
/// literal.
pub(super) fn rows_about(name: &str) -> String {
    format!("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass({name})")
}

/// The query that returns a row if a table is small enough to be counted.
pub(super) fn is_small(name: &str) -> String {
    format!(
        "SELECT 1 FROM pg_class WHERE oid = to_regclass({name}) AND pg_relation_size(oid) < 16777216"
    )
}
