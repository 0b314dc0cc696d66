//! Hand-written SQL: which of its statements commit by themselves.

use crate::sql::{Lexicon, Token};

/// The statements of a text, each with whether it only changes rows. A text with the body of a
/// routine is one statement, as is one that only changes rows.
pub(super) fn statements(lexicon: &'static Lexicon, sql: &str) -> Vec<(String, bool)> {
    let tokens = lexicon.tokens(sql);
    let is_of_rows = |word: &str| {
        let kept = ["SELECT", "SET", "DO"];
        lexicon.statements.of_rows.iter().chain(&kept).any(|known| known.eq_ignore_ascii_case(word))
    };
    let parts = tokens.split(|token| token.is_symbol(";"));
    let first = |part: &[Token<'_>]| {
        let token = part.iter().find(|token| token.is_significant())?;
        Some(is_of_rows(token.text))
    };
    let found: Vec<bool> = parts.clone().filter_map(first).collect();
    if found.iter().all(|is_of_rows| *is_of_rows) {
        return vec![(sql.to_owned(), true)];
    }
    if found.len() == 1 || has_body(&tokens) {
        return vec![(sql.to_owned(), false)];
    }
    parts
        .filter_map(|part| {
            let text: String = part.iter().map(|token| token.text).collect();
            Some((text.trim().to_owned(), first(part)?))
        })
        .collect()
}

/// Whether there is the body of a routine, in which semicolons don't end the statement.
pub(super) fn has_body(tokens: &[Token<'_>]) -> bool {
    tokens.iter().any(|token| token.is_word("BEGIN"))
        || tokens.split(|token| token.is_symbol(";")).any(creates_routine)
}

/// Whether a statement creates a trigger, a routine or an event. Its body may have semicolons without
/// `BEGIN`, as in `FOR EACH ROW IF ... THEN ...; END IF`.
fn creates_routine(statement: &[Token<'_>]) -> bool {
    let mut words = statement.iter().filter(|token| token.is_significant());
    if !words.next().is_some_and(|first| first.is_word("CREATE")) {
        return false;
    }
    let is_any = |token: &Token<'_>, known: &[&str]| known.iter().any(|word| token.is_word(word));
    let kinds = ["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"];
    let others = ["TABLE", "VIEW", "INDEX", "DATABASE", "SCHEMA", "USER", "SEQUENCE"];
    let kind = words.find(|token| is_any(token, &kinds) || is_any(token, &others));
    kind.is_some_and(|kind| is_any(kind, &kinds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::MYSQL;

    #[test]
    fn statements_that_commit_stand_alone() {
        let shown = |sql: &str| {
            let found = statements(&MYSQL, sql);
            let of = |(sql, is_of_rows): (String, bool)| {
                format!("{}: {sql}", if is_of_rows { "rows" } else { "alone" })
            };
            found.into_iter().map(of).collect::<Vec<_>>().join(" | ")
        };
        assert_eq!(
            shown("UPDATE t SET a = 1; DELETE FROM u"),
            "rows: UPDATE t SET a = 1; DELETE FROM u"
        );
        assert_eq!(
            shown("-- x\nalter table t ADD a INT;"),
            "alone: -- x\nalter table t ADD a INT;"
        );
        assert_eq!(
            shown("UPDATE t SET a = ';'; ALTER TABLE t DROP a; DROP TABLE u"),
            "rows: UPDATE t SET a = ';' | alone: ALTER TABLE t DROP a | alone: DROP TABLE u"
        );
        let body = "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN SET @a = 1; END";
        assert_eq!(shown(body), format!("alone: {body}"));
        let body = "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW IF NEW.a THEN SET @a = 1; \
                    END IF";
        assert_eq!(shown(body), format!("alone: {body}"));
        assert_eq!(
            shown("CREATE TABLE event (a INT); DROP TABLE u"),
            "alone: CREATE TABLE event (a INT) | alone: DROP TABLE u"
        );
        assert_eq!(shown(""), "rows: ");
    }
}
