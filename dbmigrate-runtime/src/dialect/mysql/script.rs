//! Scripts for the clients `mysql` and `mariadb`.

use super::flavor::text;
use crate::dialect::script::{Script, Shell};

/// SQL of revisions means what it means on other databases, values that don't fit are errors, also
/// in tables without transactions, and a 0 for a generated key is a 0.
macro_rules! sql_mode {
    () => {
        "ANSI_QUOTES,PIPES_AS_CONCAT,STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,\
         NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION"
    };
}

#[cfg(feature = "mysql")]
impl super::Mysql {
    /// The `sql_mode` of sessions and scripts.
    pub(crate) const SQL_MODE: &'static str = sql_mode!();
}

/// The settings of a session that statements depend on.
macro_rules! settings {
    () => {
        concat!(
            "SET SESSION sql_mode = '",
            sql_mode!(),
            "';\n\
             SET SESSION time_zone = '+00:00';\n\
             SET NAMES utf8mb4;\n"
        )
    };
}

const UNTRIED: &str = "\
-- Each change of a table is committed by itself: if one fails, those before it stay.
";

pub(super) const MYSQL: Script = Script {
    guard: |query, failure| guard(query, failure, NO_TABLE),
    changing_one: |statement, failure| changing_one(statement, failure, NO_TABLE),
    ..script("mysql", "mysql DATABASE < script.sql")
};

pub(super) const MARIADB: Script = script("mariadb", "mariadb DATABASE < script.sql");

const fn script(name: &'static str, run: &'static str) -> Script {
    Script {
        shell: Shell {
            name,
            // The clients stop at the first error unless they are told to go on.
            stop: "",
            run,
            run_stopping: run,
            going_on: "would run later statements without the earlier ones",
            exact: |script| script.to_owned(),
            lines: |script| script.to_owned(),
        },
        untried: UNTRIED,
        begin: concat!(settings!(), "START TRANSACTION;\n\n"),
        begin_rows: concat!(settings!(), "START TRANSACTION;\n"),
        prepare: "",
        guard: |query, failure| guard(query, failure, SIGNAL),
        changing_one: |statement, failure| changing_one(statement, failure, SIGNAL),
        fails: FAILS,
        check_keys: "",
        clean_up: "",
        commit: "COMMIT;\n",
    }
}

const FAILS: &str = "SELECT 1";

/// The statement that fails with a message, before and behind the message as a variable.
type Failing = (&'static str, &'static str);

const SIGNAL: Failing = ("'SIGNAL SQLSTATE ''45000'' SET MESSAGE_TEXT = ', quote(", ")");

/// MySQL prepares no SIGNAL, so the message is the name of a table that doesn't exist.
const NO_TABLE: Failing = ("'SELECT 1 FROM `', replace(", ", '`', ''''), '`'");

/// Outside of a procedure, no statement fails on purpose. So one is prepared that fails if the query
/// has found something.
fn guard(query: &str, failure: &str, (before, behind): Failing) -> String {
    let parts: Vec<_> = failure.split("{}").map(text).collect();
    let message = match parts.as_slice() {
        [part] => part.clone(),
        parts => format!("concat({})", parts.join(", @dbmigrate_found, ")),
    };
    format!(
        "SET @dbmigrate_found = (\n    {query}\n);\n\
         SET @dbmigrate_guard = if(coalesce(@dbmigrate_found, '0') = '0', 'DO 0', \
         concat({before}{message}{behind}));\n\
         PREPARE dbmigrate_guard FROM @dbmigrate_guard;\n\
         EXECUTE dbmigrate_guard;\n\
         DEALLOCATE PREPARE dbmigrate_guard;\n"
    )
}

fn changing_one(statement: &str, failure: &str, failing: Failing) -> String {
    format!("{statement};\n{}", guard("SELECT ROW_COUNT() <> 1", failure, failing))
}
