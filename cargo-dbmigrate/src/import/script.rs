//! The SQL of another tool's migration, as a revision runs it.

use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::sql::{Kind, Lexicon, Token};

/// The text without the `BEGIN` and `COMMIT` around all of it: a revision has its own transaction.
/// Everything else stays as it is.
pub fn without_transaction(lexicon: &'static Lexicon, sql: &str) -> String {
    let tokens = lexicon.tokens(sql);
    let statements: Vec<&[Token<'_>]> = tokens
        .split_inclusive(|token| token.is_symbol(";"))
        .filter(|statement| statement.iter().any(Token::is_significant))
        .collect();
    let (Some(first), Some(last)) = (statements.first(), statements.last()) else {
        return sql.to_owned();
    };
    if !begins(first) || !commits(last) {
        return sql.to_owned();
    }
    let span = |statement: &[Token<'_>]| {
        let significant = || statement.iter().filter(|token| token.is_significant());
        let start = significant().next().map_or(0, |token| token.start);
        let end = significant().next_back().map_or(start, Token::end);
        start..end
    };
    let (first, last) = (span(first), span(last));
    let (before, inside) = (&sql[..first.start], &sql[first.end..last.start]);
    // The line of the first statement goes away with it.
    let inside = inside.strip_prefix('\n').unwrap_or(inside);
    format!("{before}{inside}{}", &sql[last.end..])
}

/// The text as a server takes it, without the lines `DELIMITER` of MySQL's client: each statement
/// ends with `;`, also one that has others in its body.
pub fn without_delimiters(dialect: &dyn Dialect, sql: &str) -> String {
    let delimiter = |line: &str| {
        let (word, rest) = line.trim().split_once(char::is_whitespace)?;
        word.eq_ignore_ascii_case("DELIMITER").then(|| rest.trim().to_owned())
    };
    if !dialect.backend().is_mysql_like() || !sql.lines().any(|line| delimiter(line).is_some()) {
        return sql.to_owned();
    }
    let mut text = String::new();
    let mut current = ";".to_owned();
    // What a quote, a comment or nothing is open with.
    let mut open: Option<&str> = None;
    for line in sql.split_inclusive('\n') {
        if let (None, Some(other)) = (open, delimiter(line)) {
            current = other;
            continue;
        }
        let mut rest = line;
        while let Some(sign) = rest.chars().next() {
            let mut n = sign.len_utf8();
            match open {
                Some(end) if rest.starts_with(end) => {
                    n = end.len();
                    open = None;
                }
                Some("'" | "\"") if sign == '\\' => {
                    n += rest[n..].chars().next().map_or(0, char::len_utf8);
                }
                Some(_) => {}
                None if rest.starts_with(&*current) => {
                    text.push(';');
                    rest = &rest[current.len()..];
                    continue;
                }
                None if sign == '#' || rest.starts_with("-- ") => n = rest.len(),
                None if rest.starts_with("/*") => open = Some("*/"),
                None => open = ["'", "\"", "`"].into_iter().find(|quote| rest.starts_with(quote)),
            }
            text.push_str(&rest[..n]);
            rest = &rest[n..];
        }
    }
    text
}

/// Whether there is a statement in the text.
pub fn has_statements(lexicon: &'static Lexicon, sql: &str) -> bool {
    lexicon.tokens(sql).iter().any(|token| token.is_significant() && !token.is_symbol(";"))
}

/// The words of a statement in upper case; `None` if there is anything else in it.
pub(super) fn words(statement: &[Token<'_>]) -> Option<Vec<String>> {
    let significant = statement.iter().filter(|token| token.is_significant());
    let words = significant.filter(|token| !token.is_symbol(";"));
    words.map(|token| (token.kind == Kind::Word).then(|| token.text.to_ascii_uppercase())).collect()
}

fn begins(statement: &[Token<'_>]) -> bool {
    let Some(words) = words(statement) else { return false };
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["BEGIN"] | ["START", "TRANSACTION"] => true,
        ["BEGIN", kind] => {
            ["TRANSACTION", "WORK", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"].contains(kind)
        }
        ["BEGIN", kind, "TRANSACTION"] => ["DEFERRED", "IMMEDIATE", "EXCLUSIVE"].contains(kind),
        _ => false,
    }
}

fn commits(statement: &[Token<'_>]) -> bool {
    let Some(words) = words(statement) else { return false };
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [word] => ["COMMIT", "END"].contains(word),
        [word, kind] => ["COMMIT", "END"].contains(word) && ["TRANSACTION", "WORK"].contains(kind),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use dbmigrate_runtime::engine::Backend;
    use dbmigrate_runtime::engine::dialect::Sqlite;

    use super::*;

    #[test]
    fn the_delimiters_of_a_client_become_ends() {
        let text = "A;\nDELIMITER $$\nCREATE TRIGGER t BEGIN\n  X '$$;'; -- $$\nEND$$\nB $$\n\
                    delimiter ;\nC;\n";
        let expected = "A;\nCREATE TRIGGER t BEGIN\n  X '$$;'; -- $$\nEND;\nB ;\nC;\n";
        let mariadb = dbmigrate_runtime::engine::dialect::of(Backend::Mariadb).unwrap();
        assert_eq!(without_delimiters(mariadb, text), expected);
        assert_eq!(without_delimiters(&Sqlite, text), text);
    }

    #[test]
    fn only_a_transaction_around_everything_is_left_out() {
        let left = |sql: &str| without_transaction(Sqlite.lexicon(), sql);
        assert_eq!(left("-- a\nBEGIN;\nA;\nB;\nCOMMIT;\n"), "-- a\nA;\nB;\n\n");
        assert_eq!(left("begin transaction; A; end transaction"), " A; ");
        for sql in [
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END;",
            "A;\nB;\n",
            "BEGIN; A;",
            "A; COMMIT;",
            "",
        ] {
            assert_eq!(left(sql), sql);
        }
    }
}
