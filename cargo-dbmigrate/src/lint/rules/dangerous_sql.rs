//! `dangerous-sql`.

use dbmigrate_runtime::engine::Backend;

use super::words::sql_statements;

use crate::lint::rule::{Change, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "dangerous-sql",
    level: Level::Warn,
    is_for: every,
    finds: "SQL discards what no plan names, or locks a table for long: `TRUNCATE`, `DROP SCHEMA`, \
            `DROP DATABASE` or `DROP TYPE`; on PostgreSQL also `VACUUM FULL`, `CLUSTER`, and \
            `REINDEX` or `DETACH PARTITION` without `CONCURRENTLY`.",
    why: "An upgrade asks nobody before it discards rows by SQL, and a plan says nothing about the \
          locks of SQL.",
    instead: "drop tables and columns by operations, delete rows in a step that runs in pieces, \
              and do maintenance of tables outside of revisions",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let is_postgres = change.revised.dialect.backend() == Backend::Postgres;
    let statements = sql_statements(change);
    let message = |words: &Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        discarding(&words).map(|what| format!("its `{what}` discards what no plan names")).or_else(
            || {
                let what = locking(&words).filter(|_| is_postgres)?;
                Some(format!("its `{what}` locks a table for as long as it takes"))
            },
        )
    };
    statements.iter().find_map(message).into_iter().collect()
}

/// The beginning of a statement that discards.
fn discarding(words: &[&str]) -> Option<String> {
    match words {
        ["TRUNCATE", ..] => Some("TRUNCATE".to_owned()),
        ["DROP", what @ ("SCHEMA" | "DATABASE" | "TYPE"), ..] => Some(format!("DROP {what}")),
        _ => None,
    }
}

/// The words of a statement of PostgreSQL that keeps others out.
fn locking(words: &[&str]) -> Option<&'static str> {
    let has = |word: &str| words.contains(&word);
    match words {
        ["VACUUM", "FULL", ..] => Some("VACUUM FULL"),
        ["VACUUM", "(", ..] if has("FULL") => Some("VACUUM FULL"),
        ["CLUSTER", ..] => Some("CLUSTER"),
        ["REINDEX", ..] if !has("CONCURRENTLY") => Some("REINDEX"),
        ["ALTER", "TABLE", rest @ ..] => {
            let is_detached = rest.windows(2).any(|pair| pair == ["DETACH", "PARTITION"]);
            (is_detached && !has("CONCURRENTLY")).then_some("DETACH PARTITION")
        }
        _ => None,
    }
}
