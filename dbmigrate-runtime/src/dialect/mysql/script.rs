//! Scripts for the clients `mysql` and `mariadb`.

use super::MYSQL as LEXICON;
use super::flavor::text;
use super::raw;
use crate::dialect::script::{Script, Shell};
use crate::sql::{Kind, Token};

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
const SESSION: &str = concat!(
    "SET SESSION sql_mode = '",
    sql_mode!(),
    "';\n\
     SET SESSION time_zone = '+00:00';\n\
     SET NAMES utf8mb4;\n\n"
);

const UNTRIED: &str = "\
-- Each change of a definition is committed by itself: if a statement fails, those before it stay, and
-- the ledger says which ones they are. `cargo dbmigrate upgrade` or `downgrade` continues after them.
";

pub(super) const MYSQL: Script = Script {
    guard: guard_of_mysql,
    changing_one: |statement, failure| changing_one(statement, failure, guard_of_mysql),
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
            exact,
            lines: |script| script.to_owned(),
        },
        untried: UNTRIED,
        session: SESSION,
        lock,
        begin: BEGIN,
        begin_rows: BEGIN,
        prepare: "",
        guard: guard_of_mariadb,
        changing_one: |statement, failure| changing_one(statement, failure, guard_of_mariadb),
        fails: FAILS,
        check_keys: "",
        clean_up: "",
        commit: "COMMIT;\n",
        whole,
    }
}

const BEGIN: &str = "START TRANSACTION;\n";

const FAILS: &str = "SELECT 1";

/// The message as an expression, and the query's number in a variable.
fn found(query: &str, failure: &str) -> (String, String) {
    let parts: Vec<_> = failure.split("{}").map(text).collect();
    let message = match parts.as_slice() {
        [part] => part.clone(),
        parts => format!("concat({})", parts.join(", @dbmigrate_found, ")),
    };
    (format!("SET @dbmigrate_found = (\n    {query}\n);\n"), message)
}

/// What is no UUID is an error that quotes it. MySQL prepares no SIGNAL.
fn guard_of_mysql(query: &str, failure: &str) -> String {
    let (found, message) = found(query, failure);
    format!(
        "{found}DO uuid_to_bin(if(coalesce(@dbmigrate_found, '0') = '0', uuid(), {message}));\n"
    )
}

/// Outside of a procedure, no statement fails on purpose. So one is prepared that fails if the query
/// has found something.
fn guard_of_mariadb(query: &str, failure: &str) -> String {
    let (found, message) = found(query, failure);
    format!(
        "{found}SET @dbmigrate_guard = if(coalesce(@dbmigrate_found, '0') = '0', 'DO 0', \
         concat('SIGNAL SQLSTATE ''45000'' SET MESSAGE_TEXT = ', quote({message})));\n\
         PREPARE dbmigrate_guard FROM @dbmigrate_guard;\n\
         EXECUTE dbmigrate_guard;\n\
         DEALLOCATE PREPARE dbmigrate_guard;\n"
    )
}

fn changing_one(statement: &str, failure: &str, guard: fn(&str, &str) -> String) -> String {
    format!("{statement};\n{}", guard("SELECT ROW_COUNT() <> 1", failure))
}

/// The lock that a run takes, named as the driver names it. It ends with the client.
fn lock(history: &str) -> String {
    // The same table has the same lock, whether or not its database is written.
    let database = if history.starts_with('.') { "database(), " } else { "" };
    let name = format!("concat({database}{}, char(0))", text(history));
    format!(
        "SELECT coalesce(get_lock(concat('dbmigrate:', left(sha2({name}, 256), 40)), 10), 0) <> 1"
    )
}

/// The clients end a statement at a semicolon, also inside the body of a trigger.
fn whole(statement: &str) -> String {
    let tokens = LEXICON.tokens(statement);
    if !raw::has_body(&tokens) || !tokens.iter().any(|token| token.is_symbol(";")) {
        return format!("{statement};\n");
    }
    let mut mark = "$$".to_owned();
    while statement.contains(&mark) {
        mark.push('$');
    }
    format!("DELIMITER {mark}\n{statement}{mark}\nDELIMITER ;\n")
}

/// The clients read the two characters at the end of a line as one, and refuse the character 0.
fn exact(script: &str) -> String {
    if !script.contains(['\r', '\0']) {
        return script.to_owned();
    }
    let escaped = |token: &Token<'_>| {
        let mut text = String::with_capacity(token.text.len());
        let mut follows_backslash = false;
        for c in token.text.chars() {
            let letter = match c {
                '\r' => 'r',
                '\0' => '0',
                c => c,
            };
            if letter != c && !follows_backslash {
                text.push('\\');
            }
            text.push(letter);
            follows_backslash = c == '\\' && !follows_backslash;
        }
        text
    };
    let tokens = LEXICON.tokens(script);
    let exact = tokens.iter().map(|token| match token.kind {
        Kind::Text => escaped(token),
        _ => token.text.to_owned(),
    });
    exact.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_statement_for_the_client() {
        let body = "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW IF NEW.a THEN SET @a = 1; \
                    END IF";
        assert_eq!(whole(body), format!("DELIMITER $$\n{body}$$\nDELIMITER ;\n"));
        assert_eq!(whole("CREATE TABLE event (a INT)"), "CREATE TABLE event (a INT);\n");
    }
}
