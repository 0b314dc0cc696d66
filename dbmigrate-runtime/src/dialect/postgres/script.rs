//! Scripts for psql.

use super::ddl::text;
use crate::dialect::script::{Script, Shell};

pub(super) const SCRIPT: Script = Script {
    shell: Shell {
        name: "psql",
        stop: "\\set ON_ERROR_STOP on",
        run: "psql -X -f script.sql \"$DATABASE_URL\"",
        run_stopping: "psql -X -v ON_ERROR_STOP=1 -f script.sql \"$DATABASE_URL\"",
        going_on: "would run later transactions without the earlier ones",
        exact: |script| script.to_owned(),
        lines: |script| script.to_owned(),
    },
    untried: "",
    session: "",
    lock: |_| String::new(),
    begin: "\
BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO';
SET LOCAL standard_conforming_strings = on;

",
    begin_rows: "BEGIN;\nSET LOCAL standard_conforming_strings = on;\n",
    prepare: "",
    guard,
    changing_one,
    fails: FAILS,
    check_keys: "\
-- Abort if this introduced foreign key violations.
SET CONSTRAINTS ALL IMMEDIATE;
",
    clean_up: "",
    commit: "COMMIT;\n",
    whole: |statement| format!("{statement};\n"),
};

const FAILS: &str = "VALUES (1)";

fn guard(query: &str, failure: &str) -> String {
    if query == FAILS {
        return block(&format!("BEGIN RAISE EXCEPTION USING MESSAGE = {}; END", text(failure)));
    }
    // The number is in the message.
    let parts: Vec<_> = failure.split("{}").map(text).collect();
    let message = parts.join(" || found || ");
    block(&format!(
        "\nDECLARE found text;\nBEGIN\n    \
         FOR found IN\n        {query}\n    LOOP\n        \
         IF found NOT IN ('0', 'false') THEN\n            \
         RAISE EXCEPTION USING MESSAGE = {message};\n        \
         END IF;\n    END LOOP;\nEND\n"
    ))
}

fn changing_one(statement: &str, failure: &str) -> String {
    block(&format!(
        "\nBEGIN\n    {statement};\n    IF NOT FOUND THEN\n        \
         RAISE EXCEPTION USING MESSAGE = {};\n    END IF;\nEND\n",
        text(failure)
    ))
}

/// A block between marks that it doesn't contain itself.
fn block(body: &str) -> String {
    let mut mark = "$dbmigrate$".to_owned();
    while body.contains(&mark) {
        mark.insert(mark.len() - 1, '_');
    }
    let space = if body.starts_with('\n') { "" } else { " " };
    format!("DO {mark}{space}{body}{space}{mark};\n")
}
