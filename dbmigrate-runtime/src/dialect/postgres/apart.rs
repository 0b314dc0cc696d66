//! Servers whose transactions hold one change of a definition, and no changes of rows beside it.

use super::POSTGRES;
use crate::dialect::{Alone, Facts, Statement, StatementKind, Task};
use crate::sql::Token;

/// The words that statements begin with which change rows or settings, and no definition.
const ROWS: [&str; 15] = [
    "CALL", "COPY", "DELETE", "DO", "EXPLAIN", "INSERT", "LOCK", "MERGE", "RESET", "SELECT", "SET",
    "SHOW", "UPDATE", "VALUES", "WITH",
];

/// Puts each change of a definition outside of transactions.
pub(super) fn apart(tasks: Vec<Task>, facts: &Facts) -> Vec<Task> {
    let mut apart = Vec::new();
    for task in tasks {
        match task {
            Task::Statement(statement) => apart.extend(split(statement, facts)),
            Task::Alone(mut alone) if facts.builds_later => {
                alone.statement.sql = in_background(&alone.statement.sql);
                if let Some(remnant) = &mut alone.remnant {
                    remnant.removal = remnant.removal.replacen(" CONCURRENTLY", "", 1);
                }
                apart.push(Task::Alone(alone));
            }
            task => apart.push(task),
        }
    }
    apart
}

fn split(statement: Statement, facts: &Facts) -> Vec<Task> {
    let is_raw = statement.kind == StatementKind::Raw;
    if !is_raw && begins_with(&statement.sql, &["SET"]) {
        // Deferred constraints are checked at the end of each transaction.
        return Vec::new();
    }
    let parts = if is_raw { statements(&statement.sql) } else { vec![statement.sql.clone()] };
    if parts.iter().all(|sql| begins_with(sql, &ROWS)) {
        return vec![Task::Statement(statement)];
    }
    let task = |sql: String| {
        let part = Statement { sql, ..statement.clone() };
        if begins_with(&part.sql, &ROWS) {
            return Task::Statement(part);
        }
        let sql = if facts.builds_later { in_background(&part.sql) } else { part.sql };
        let statement = Statement { sql, ..part };
        Task::Alone(Alone { statement, is_done: None, remnant: None })
    };
    parts.into_iter().map(task).collect()
}

fn begins_with(sql: &str, words: &[&str]) -> bool {
    let tokens = POSTGRES.significant(sql);
    tokens.first().is_some_and(|token| words.iter().any(|word| token.is_word(word)))
}

/// The statement that has an index built in the background, as Aurora DSQL writes it.
fn in_background(sql: &str) -> String {
    let creates =
        ["CREATE INDEX ", "CREATE UNIQUE INDEX "].iter().any(|words| sql.starts_with(words));
    if creates {
        sql.replacen(" CONCURRENTLY", "", 1).replacen(" INDEX ", " INDEX ASYNC ", 1)
    } else {
        sql.to_owned()
    }
}

/// The statements of a text, one by one.
pub(crate) fn statements(sql: &str) -> Vec<String> {
    let tokens = POSTGRES.tokens(sql);
    // A routine with a body in SQL has semicolons inside.
    if tokens.iter().any(|token| token.is_word("ATOMIC")) {
        return vec![sql.to_owned()];
    }
    let statements = tokens.split(|token| token.is_symbol(";"));
    statements
        .filter(|tokens| tokens.iter().any(Token::is_significant))
        .map(|tokens| tokens.iter().map(|token| token.text).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_changed_outside_of_transactions_and_rows_inside() {
        let statement = |sql: &str, kind| {
            let (sql, reason) = (sql.to_owned(), String::new());
            Task::Statement(Statement { sql, reason, kind, scratch: None, cost: None })
        };
        let tasks = |kind, sql: &[&str]| sql.iter().map(|sql| statement(sql, kind)).collect();
        let native: Vec<Task> = tasks(
            StatementKind::Native,
            &[
                "CREATE TABLE \"a\" ()",
                "INSERT INTO \"a\" VALUES (1)",
                "SELECT setval('s', 1)",
                "SET CONSTRAINTS ALL IMMEDIATE",
                "CREATE UNIQUE INDEX \"i\" ON \"a\" (\"CONCURRENTLY\")",
            ],
        );
        let raw: Vec<Task> = tasks(
            StatementKind::Raw,
            &[
                "update a set b = 1; delete from a",
                "-- first\ncreate table b (); insert into b values (1)",
            ],
        );
        let facts = Facts { one_definition: true, builds_later: true, ..Facts::new(160_000, true) };
        let shown = |task: &Task| match task {
            Task::Statement(statement) => format!("inside: {}", statement.sql.trim()),
            Task::Alone(alone) => format!("outside: {}", alone.statement.sql.trim()),
            other => format!("{other:?}"),
        };
        let shown: Vec<_> =
            apart(native.into_iter().chain(raw).collect(), &facts).iter().map(shown).collect();
        assert_eq!(
            shown,
            [
                "outside: CREATE TABLE \"a\" ()",
                "inside: INSERT INTO \"a\" VALUES (1)",
                "inside: SELECT setval('s', 1)",
                "outside: CREATE UNIQUE INDEX ASYNC \"i\" ON \"a\" (\"CONCURRENTLY\")",
                "inside: update a set b = 1; delete from a",
                "outside: -- first\ncreate table b ()",
                "inside: insert into b values (1)",
            ]
        );
    }
}
