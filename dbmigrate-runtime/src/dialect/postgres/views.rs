//! Views that hand-written SQL of the migrations created: they are dropped before a column that
//! they read changes, and created again after it, with the SQL that created them.
//!
//! What depends on what is read from the catalog. Without a database, the texts decide.

use super::ddl;
use crate::backend::Backend;
use crate::dialect::{Guard, POSTGRES, Read, ViewName, Views};
use crate::schema::Written;
use crate::schema::qualified::bare;
use crate::sql::{Token, quote_text};

/// A view that SQL creates.
#[derive(Debug, Clone)]
pub(super) struct Created {
    pub(super) name: ViewName,
    pub(super) is_materialized: bool,
}

/// Views that were created together.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) views: Vec<Created>,
    pub(super) sql: String,
    /// The position of the SQL among all that was written.
    pub(super) at: usize,
    /// Why the SQL can't create them again.
    pub(super) obstacle: Option<String>,
}

impl Unit {
    pub(super) fn has(&self, name: &ViewName) -> bool {
        self.views.iter().any(|view| view.name == *name)
    }

    pub(super) fn mentions(&self, other: &Unit) -> bool {
        other.views.iter().any(|view| POSTGRES.mentions(&self.sql, &view.name.name))
    }

    pub(super) fn reads(&self, table: &str, column: &str) -> bool {
        POSTGRES.mentions(&self.sql, bare(table))
            && (POSTGRES.names_column(&self.sql, column) || selects_all(&self.sql))
    }

    fn hinder(&mut self, why: impl FnOnce() -> String) {
        self.obstacle.get_or_insert_with(why);
    }
}

/// Views that are dropped for now.
#[derive(Debug)]
pub(super) struct Down {
    pub(super) unit: Unit,
    /// The operation that they are dropped for.
    pub(super) idx: usize,
    /// Whether a column that they select is dropped.
    pub(super) is_other_query: bool,
}

fn selects_all(sql: &str) -> bool {
    let tokens = POSTGRES.significant(sql);
    tokens.windows(2).any(|pair| {
        let may_precede = ["SELECT", "DISTINCT", "ALL"].iter().any(|word| pair[0].is_word(word));
        pair[1].is_symbol("*") && (may_precede || pair[0].is_symbol(",") || pair[0].is_symbol("."))
    })
}

/// A statement as far as it is about views.
enum About {
    Creates(Created),
    /// It belongs to a view, and changes nothing else.
    Completes,
    Drops(Vec<ViewName>),
    Other,
}

fn about(statement: &[Token<'_>]) -> About {
    let [first, rest @ ..] = statement else { return About::Completes };
    let position = rest.iter().position(|token| token.is_word("VIEW"));
    let (head, name) = match position {
        Some(position) => (&rest[..position], &rest[position + 1..]),
        None => (rest, &[][..]),
    };
    let head_is =
        |words: &[&str]| head.iter().all(|token| words.iter().any(|word| token.is_word(word)));
    let is_of_words = ["COMMENT", "GRANT", "REVOKE"].iter().any(|word| first.is_word(word));
    let is_view = position.is_some() && head_is(&["OR", "REPLACE", "MATERIALIZED", "RECURSIVE"]);
    let is_materialized = head.iter().any(|token| token.is_word("MATERIALIZED"));
    if first.is_word("CREATE") && is_view {
        return match names(name).into_iter().next() {
            Some(name) => About::Creates(Created { name, is_materialized }),
            None => About::Other,
        };
    }
    if first.is_word("DROP") && is_view {
        return About::Drops(names(name));
    }
    let is_index = first.is_word("CREATE")
        && rest.iter().take(2).any(|token| token.is_word("INDEX"))
        && !rest.iter().any(|token| token.is_word("CONCURRENTLY"));
    let alters = (first.is_word("ALTER") || first.is_word("REFRESH")) && is_view;
    if is_of_words || is_index || alters { About::Completes } else { About::Other }
}

/// The names at the beginning of some tokens, with commas between them.
fn names(tokens: &[Token<'_>]) -> Vec<ViewName> {
    let is_condition =
        |token: &&Token<'_>| ["IF", "NOT", "EXISTS"].iter().any(|word| token.is_word(word));
    let n_words = tokens.iter().take_while(is_condition).count();
    let mut names = Vec::new();
    for part in tokens[n_words..].split(|token| token.is_symbol(",")) {
        match part {
            [schema, dot, name, ..] if dot.is_symbol(".") => {
                let schema = schema.identifier().map(|schema| schema.into_owned());
                names.extend(
                    name.identifier().map(|name| ViewName { schema, name: name.into_owned() }),
                );
            }
            [name, ..] => {
                let name = name.identifier().map(|name| name.into_owned());
                names.extend(name.map(|name| ViewName { schema: None, name }));
            }
            [] => {}
        }
    }
    names
}

/// The views that the migrations created, in the order in which they did.
pub(super) fn units(written: &[Written]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for (at, written) in written.iter().enumerate() {
        match written {
            Written::Sql(sql) => {
                if let Some(sql) = sql.text(Backend::Postgres) {
                    ran(&mut units, sql, at);
                }
            }
            Written::RenamedTable(from) => {
                for unit in units.iter_mut().filter(|unit| POSTGRES.mentions(&unit.sql, bare(from)))
                {
                    unit.hinder(|| {
                        format!("its SQL names table `{from}`, which was renamed since")
                    });
                }
            }
            Written::RenamedColumn(table, from) => {
                let names = |unit: &&mut Unit| {
                    POSTGRES.mentions(&unit.sql, bare(table)) && POSTGRES.mentions(&unit.sql, from)
                };
                for unit in units.iter_mut().filter(names) {
                    unit.hinder(|| {
                        format!(
                            "its SQL names column `{from}` of table `{table}`, which was renamed \
                             since"
                        )
                    });
                }
            }
            Written::AddedColumn(table, column) => {
                let selects = |unit: &&mut Unit| {
                    POSTGRES.mentions(&unit.sql, bare(table)) && selects_all(&unit.sql)
                };
                for unit in units.iter_mut().filter(selects) {
                    unit.hinder(|| {
                        format!(
                            "its SQL selects all columns with `*`, and column `{column}` was added \
                             to table `{table}` since"
                        )
                    });
                }
            }
        }
    }
    units
}

/// Follows SQL that ran.
fn ran(units: &mut Vec<Unit>, sql: &str, at: usize) {
    let tokens = POSTGRES.significant(sql);
    let mut views: Vec<Created> = Vec::new();
    let mut is_other = false;
    for statement in tokens.split(|token| token.is_symbol(";")) {
        let about = about(statement);
        let gone = match &about {
            About::Creates(created) => std::slice::from_ref(&created.name),
            About::Drops(names) => names.as_slice(),
            About::Completes | About::Other => &[],
        };
        for name in gone {
            units.retain(|unit| unit.views.len() > 1 || !unit.has(name));
            for unit in units.iter_mut().filter(|unit| unit.has(name)) {
                let name = name.shown();
                unit.hinder(|| {
                    format!("its SQL also creates view `{name}`, which other SQL changed since")
                });
            }
            views.retain(|view| view.name != *name);
        }
        match about {
            About::Creates(created) => views.push(created),
            About::Completes => {
                let is_of = |unit: &&mut Unit| {
                    let mut names = unit.views.iter().map(|view| &view.name.name);
                    names.any(|name| statement.iter().any(|token| token.is_name(name)))
                };
                for unit in units.iter_mut().filter(is_of) {
                    unit.hinder(|| {
                        let [first, .., last] = statement else { return String::new() };
                        let sql = &sql[first.start..last.end()];
                        format!(
                            "what belongs to it comes from other SQL of the migrations: `{sql}`"
                        )
                    });
                }
            }
            About::Other => is_other = true,
            About::Drops(_) => is_other = true,
        }
    }
    let last = tokens.iter().rfind(|token| !token.is_symbol(";"));
    let (Some(first), Some(last)) = (tokens.first(), last) else { return };
    if views.is_empty() {
        return;
    }
    let other = || "the SQL that created it does more than create views".to_owned();
    units.push(Unit {
        views,
        sql: sql[first.start..last.end()].to_owned(),
        at,
        obstacle: is_other.then(other),
    });
}

/// Those first that others mention.
pub(super) fn in_order(mut units: Vec<Down>) -> Vec<Down> {
    let mut ordered = Vec::new();
    while !units.is_empty() {
        let is_first = |down: &Down| {
            let mut others = units.iter().filter(|other| other.unit.at != down.unit.at);
            !others.any(|other| down.unit.mentions(&other.unit))
        };
        let first = units.iter().position(is_first).unwrap_or(0);
        ordered.push(units.remove(first));
    }
    ordered
}

pub(super) const HINT: &str = "drop the view before the change and create it again after it, in the same \
                    revision, with `op.execute`";

/// The views from the rows of their queries.
pub(super) fn read(
    reads: impl IntoIterator<Item = [Option<String>; 5]>,
    parts: impl IntoIterator<Item = [Option<String>; 4]>,
) -> Views {
    let name = |schema, name: Option<String>| ViewName { schema, name: name.unwrap_or_default() };
    let reads = reads.into_iter().map(|[of, view, in_schema, source, column]| Read {
        view: name(of, view),
        source: name(in_schema, source),
        column,
    });
    let parts = parts.into_iter().map(|[of, view, label, detail]| {
        (name(of, view), label.unwrap_or_default(), detail.unwrap_or_default())
    });
    Views { reads: reads.collect(), parts: parts.collect() }
}

/// The condition that a view that was created again has everything that it had.
pub(super) fn kept(views: &Views, view: &ViewName, is_other_query: bool) -> Option<Guard> {
    let mut had = views
        .parts
        .iter()
        .filter(|(of, label, _)| of == view && !(is_other_query && label == QUERY));
    let row = |(_, label, detail): &(ViewName, String, String)| {
        format!("({}, {})", ddl::text(label), ddl::text(detail))
    };
    let first = had.next().map(row)?;
    let rows: Vec<String> = std::iter::once(first).chain(had.map(row)).collect();
    let now = parts(&format!("v.oid = to_regclass({})", quote_text(&view.sql())));
    Some(Guard {
        sql: format!(
            "SELECT string_agg(had.label, ', ') FROM (VALUES {}) AS had (label, detail) \
             WHERE NOT EXISTS (SELECT FROM ({now}) AS has \
             WHERE has.label = had.label AND has.detail = had.detail) HAVING count(*) > 0",
            rows.join(", ")
        ),
        failure: format!(
            "view `{}` would be created again without what the database has and the SQL that \
             created it lacks: {{}}",
            view.shown()
        ),
        hint: Some(HINT.to_owned()),
        warning: None,
    })
}

/// The part of a view that is its query.
const QUERY: &str = "its query";

/// What belongs to a view, under the condition for the row `v` of `pg_class`: schema, name, label
/// and detail. Types and quotes don't count in a query, because the type of a column changes.
pub(super) fn parts(condition: &str) -> String {
    let column = |catalog: &str, number: &str| {
        format!("JOIN pg_attribute a ON a.attrelid = {catalog} AND a.attnum = {number}")
    };
    let casts = r#"::([a-z_0-9]+\.)?("[^"]+"|[a-z_0-9]+)( varying| precision)?(\([0-9, ]+\))?( with(out)? time zone)?(\[\])*|[\s()'']"#;
    format!(
        "SELECT CASE WHEN n.nspname <> current_schema() THEN n.nspname END::text AS of, \
         v.relname::text AS view, p.label, p.detail FROM pg_class v \
         JOIN pg_namespace n ON n.oid = v.relnamespace CROSS JOIN LATERAL (\
         SELECT '{QUERY}', regexp_replace(pg_get_viewdef(v.oid), '{casts}', '', 'g') \
         UNION ALL SELECT 'the owner ' || pg_get_userbyid(v.relowner), '' \
         UNION ALL SELECT 'its rows', '' WHERE v.relkind = 'm' AND v.relispopulated \
         UNION ALL SELECT 'the option ' || o, '' FROM unnest(v.reloptions) o \
         UNION ALL SELECT format('the privilege %s of %s', x.privilege_type, \
         CASE x.grantee WHEN 0 THEN 'everybody' ELSE pg_get_userbyid(x.grantee) END), \
         x.is_grantable::text FROM aclexplode(v.relacl) x \
         UNION ALL SELECT format('the privilege %s of %s on column %s', x.privilege_type, \
         CASE x.grantee WHEN 0 THEN 'everybody' ELSE pg_get_userbyid(x.grantee) END, a.attname), \
         x.is_grantable::text \
         FROM pg_attribute a, aclexplode(a.attacl) x WHERE a.attrelid = v.oid AND a.attnum > 0 \
         UNION ALL SELECT COALESCE('the comment on column ' || a.attname, 'the comment'), \
         d.description FROM pg_description d LEFT {} \
         WHERE d.classoid = 'pg_class'::regclass AND d.objoid = v.oid \
         UNION ALL SELECT 'the default of column ' || a.attname, '' \
         FROM pg_attrdef f {} WHERE f.adrelid = v.oid \
         UNION ALL SELECT 'the index ' || x.relname, '' FROM pg_index i \
         JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = v.oid \
         UNION ALL SELECT 'the trigger ' || t.tgname, '' FROM pg_trigger t \
         WHERE t.tgrelid = v.oid AND NOT t.tgisinternal \
         UNION ALL SELECT 'the rule ' || r.rulename, '' FROM pg_rewrite r \
         WHERE r.ev_class = v.oid AND r.rulename <> '_RETURN' \
         UNION ALL SELECT 'the statistics ' || s.stxname, '' FROM pg_statistic_ext s \
         WHERE s.stxrelid = v.oid\
         ) AS p (label, detail) WHERE {condition}",
        column("d.objoid", "d.objsubid AND d.objsubid > 0"),
        column("f.adrelid", "f.adnum"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sql: &[&str]) -> Vec<Written> {
        sql.iter().map(|sql| Written::Sql((*sql).into())).collect()
    }

    #[test]
    fn views_are_those_that_statements_create_and_do_not_drop() {
        let units = units(&written(&[
            "create or replace view a as select 1; comment on view a is 'x';",
            "CREATE MATERIALIZED VIEW IF NOT EXISTS s.\"B\" AS SELECT * FROM a",
            "CREATE VIEW c AS SELECT 1; CREATE VIEW d AS SELECT 2",
            "DROP VIEW IF EXISTS a, c CASCADE",
            "CREATE TABLE t (a int); CREATE VIEW e AS SELECT a FROM t",
            "CREATE TEMPORARY VIEW f AS SELECT 1",
        ]));
        let shown: Vec<String> = units
            .iter()
            .map(|unit| {
                let names: Vec<_> = unit.views.iter().map(|view| view.name.shown()).collect();
                format!("{} {:?}", names.join(", "), unit.obstacle)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "s.B None",
                "c, d Some(\"its SQL also creates view `c`, which other SQL changed since\")",
                "e Some(\"the SQL that created it does more than create views\")",
            ]
        );
    }

    #[test]
    fn all_columns_are_not_a_product() {
        for sql in ["SELECT * FROM t", "SELECT t.* FROM t", "SELECT a, * FROM t"] {
            assert!(selects_all(sql), "{sql}");
        }
        for sql in ["SELECT a * 2 FROM t", "SELECT count(*) FROM t"] {
            assert!(!selects_all(sql), "{sql}");
        }
    }
}
