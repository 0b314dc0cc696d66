//! Scripts for the sqlite3 shell.

use super::ddl::literal;
use super::lexicon::LEXICON;
use crate::Value;
use crate::dialect::script::{Script, Shell};
use crate::sql::{Kind, Token};

pub(super) const SCRIPT: Script = Script {
    shell: Shell {
        name: "sqlite3",
        stop: ".bail on",
        run: "sqlite3 app.db < script.sql",
        run_stopping: "sqlite3 -bail app.db < script.sql",
        going_on: "would drop tables whose rows were not copied",
        exact,
        lines,
    },
    untried: "\
-- Whether views and triggers still work isn't tried here; `cargo dbmigrate upgrade` does.
",
    session: "",
    lock: |_| String::new(),
    // SQLite ignores this pragma inside a transaction.
    begin: "PRAGMA foreign_keys = OFF;\nBEGIN IMMEDIATE;\n\n",
    begin_rows: "BEGIN IMMEDIATE;\n",
    prepare: "\
-- Guard table: inserting anything but 0 fails.
CREATE TEMP TABLE dbmigrate_guard (n CONSTRAINT nothing_wrong CHECK (n = 0));
CREATE TEMP TABLE dbmigrate_violations AS SELECT \"table\", rowid AS n, parent
    FROM pragma_foreign_key_check;

",
    guard: |query, _| format!("INSERT INTO temp.dbmigrate_guard {query};\n"),
    changing_one: |statement, _| {
        format!("{statement};\nINSERT INTO temp.dbmigrate_guard SELECT 1 - changes();\n")
    },
    fails: "VALUES (1)",
    check_keys: "\
-- Abort if this introduced foreign key violations.
INSERT INTO temp.dbmigrate_guard SELECT count(*) FROM (
    SELECT \"table\", rowid, parent FROM pragma_foreign_key_check
    EXCEPT SELECT * FROM temp.dbmigrate_violations);
",
    clean_up: "\
DROP TABLE temp.dbmigrate_guard;
DROP TABLE temp.dbmigrate_violations;
",
    commit: "COMMIT;\n",
    whole: |statement| format!("{statement};\n"),
};

const LINE_END: &str = "\r\n";

/// The shell reads line by line. It takes `\r\n` for the end of a line even within a text, where the
/// carriage return would be lost: such a text is written as its bytes, except for a message of
/// RAISE, which has to be a literal. And a line that consists of `go` or `/` ends a statement.
fn exact(script: &str) -> String {
    let tokens = LEXICON.tokens(script);
    let mut text = String::with_capacity(script.len());
    for (idx, token) in tokens.iter().enumerate() {
        let (before, after) = (&tokens[..idx], &tokens[idx + 1..]);
        if token.kind == Kind::Space && token.text.contains('\n') && terminates(after) {
            if before.last().is_some_and(Token::is_line_comment) {
                text.push_str(token.text);
                text.push_str("/**/");
            } else {
                text.push_str(&token.text.replace(['\r', '\n'], " "));
            }
            continue;
        }
        match token.unquoted() {
            Some(content)
                if token.kind == Kind::Text && content.contains(LINE_END) && !raises(before) =>
            {
                let bytes = literal(&Value::Blob(content.into_owned().into_bytes()));
                // The parentheses are needed in a default.
                text.extend(["(CAST(", &bytes, " AS TEXT))"]);
            }
            _ => text.push_str(token.text),
        }
    }
    text
}

/// Whether a line that begins with these tokens is a terminator to the shell: `go` or `/`, with
/// nothing but white space and comments behind it.
fn terminates(tokens: &[Token<'_>]) -> bool {
    let Some((first, rest)) = tokens.split_first() else { return false };
    let is_alone = || {
        let mut of_line = rest.iter().take_while(|token| !token.text.contains('\n'));
        !of_line.any(Token::is_significant)
    };
    (first.is_word("go") || first.is_symbol("/")) && is_alone()
}

/// The shell removes one carriage return before the end of a line, so that it reads this as the
/// script was: in names, messages of RAISE, and the white space of a view's text.
fn lines(script: &str) -> String {
    script.replace(LINE_END, "\r\r\n")
}

/// Whether the tokens end with `RAISE(ABORT,` or the like, which a message follows.
fn raises(before: &[Token<'_>]) -> bool {
    let mut before = before.iter().rev().filter(|token| token.is_significant());
    before.next().is_some_and(|comma| comma.is_symbol(","))
        && before.next().is_some_and(|action| action.kind == Kind::Word)
        && before.next().is_some_and(|open| open.is_symbol("("))
        && before.next().is_some_and(|function| function.is_word("RAISE"))
}

#[cfg(test)]
mod tests {
    use super::exact;

    #[test]
    fn a_text_with_a_line_end_is_spelled_unless_it_has_to_be_a_literal() {
        let raise = "CREATE TRIGGER g BEFORE DELETE ON t BEGIN \
                     SELECT raise ( ABORT, /* why */ 'a\r\nb'); END;";
        assert_eq!(exact(raise), raise);
        let row = "INSERT INTO t VALUES (f(x, 'c\r\nd'));";
        let spelled = "INSERT INTO t VALUES (f(x, (CAST(X'630D0A64' AS TEXT))));";
        assert_eq!(exact(&format!("{raise}\n{row}")), format!("{raise}\n{spelled}"));
    }
}
