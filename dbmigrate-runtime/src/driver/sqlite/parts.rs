//! Long texts in parts, because for each statement rusqlite has SQLite copy all that follows it.

use crate::dialect::{Dialect as _, Sqlite};
use crate::sql::Token;

/// How long a part is, unless a statement is longer.
const LONG: usize = 64 * 1024;

/// The text in parts, each of which ends with a statement.
pub(super) fn parts(sql: &str) -> Vec<&str> {
    parts_of(sql, LONG)
}

fn parts_of(sql: &str, long: usize) -> Vec<&str> {
    if sql.len() <= long {
        return vec![sql];
    }
    let tokens = Sqlite.lexicon().significant(sql);
    let (mut parts, mut start, mut first) = (Vec::new(), 0, 0);
    for (at, token) in tokens.iter().enumerate() {
        if !token.is_symbol(";") || !ends(&tokens[first..=at]) {
            continue;
        }
        first = at + 1;
        if token.end() - start >= long {
            parts.push(&sql[start..token.end()]);
            start = token.end();
        }
    }
    parts.push(&sql[start..]);
    parts
}

/// Whether a statement ends with the last of its tokens, a semicolon. A trigger has others inside.
fn ends(statement: &[Token<'_>]) -> bool {
    let is_trigger = statement.first().is_some_and(|first| first.is_word("CREATE"))
        && statement.iter().take(3).any(|token| token.is_word("TRIGGER"));
    let is_end = |[before, end, _]: &[Token<'_>; 3]| before.is_symbol(";") && end.is_word("END");
    !is_trigger || statement.last_chunk().is_some_and(is_end)
}

#[cfg(test)]
mod tests {
    use super::parts_of;

    #[test]
    fn a_part_ends_with_a_statement() {
        let sql = "CREATE TABLE a (t); -- ;\nINSERT INTO a VALUES (';');\nCREATE TEMP TRIGGER t AFTER \
                   INSERT ON a BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; DELETE FROM a; END;\nDROP \
                   TABLE a;\n-- end";
        let parts = parts_of(sql, 10);
        assert_eq!(
            parts,
            [
                "CREATE TABLE a (t);",
                " -- ;\nINSERT INTO a VALUES (';');",
                "\nCREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; \
                 DELETE FROM a; END;",
                "\nDROP TABLE a;",
                "\n-- end",
            ]
        );
        assert_eq!(parts.concat(), sql);
        assert_eq!(parts_of(sql, 1000), [sql]);
        assert_eq!(parts_of("", 0), [""]);
    }
}
