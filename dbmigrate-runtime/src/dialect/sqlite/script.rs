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
    guard: |query| format!("INSERT INTO temp.dbmigrate_guard {query};\n"),
    changed_one: "SELECT 1 - changes()",
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
/// the carriage return would be lost. So such a text is written as its bytes.
fn exact(script: &str) -> String {
    const LINE_END: &str = "\r\n";
    if !script.contains(LINE_END) {
        return script.to_owned();
    }
    let spelled = |token: Token<'_>| match token.unquoted() {
        Some(text) if token.kind == Kind::Text && text.contains(LINE_END) => {
            let bytes = literal(&Value::Blob(text.into_owned().into_bytes()));
            // The parentheses are needed in a default.
            format!("(CAST({bytes} AS TEXT))")
        }
        _ => token.text.to_owned(),
    };
    LEXICON.tokens(script).into_iter().map(spelled).collect()
}
