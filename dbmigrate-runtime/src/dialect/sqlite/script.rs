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
    },
    untried: "\
-- Whether views and triggers still work isn't tried here; `cargo dbmigrate upgrade` does.
",
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
};

/// The shell reads line by line, and takes `\r\n` for the end of a line even within a text, where
/// the carriage return would be lost. So such a text is written as its bytes, except for a message of
/// RAISE, which has to be a literal.
fn exact(script: &str) -> String {
    const LINE_END: &str = "\r\n";
    if !script.contains(LINE_END) {
        return script.to_owned();
    }
    let tokens = LEXICON.tokens(script);
    let spelled = |(idx, token): (usize, &Token<'_>)| match token.unquoted() {
        Some(text)
            if token.kind == Kind::Text && text.contains(LINE_END) && !raises(&tokens[..idx]) =>
        {
            let bytes = literal(&Value::Blob(text.into_owned().into_bytes()));
            // The parentheses are needed in a default.
            format!("(CAST({bytes} AS TEXT))")
        }
        _ => token.text.to_owned(),
    };
    tokens.iter().enumerate().map(spelled).collect()
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
