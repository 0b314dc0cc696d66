//! Statements that change more than the database that they run in.

use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::sql::{Kind, Token};

/// Words after which a name of MySQL that has two parts is `DATABASE.TABLE`.
const BEFORE_TABLES: [&str; 12] = [
    "CALL",
    "EVENT",
    "EXISTS",
    "FUNCTION",
    "PROCEDURE",
    "REFERENCES",
    "RENAME",
    "SEQUENCE",
    "TABLE",
    "TABLES",
    "TRIGGER",
    "VIEW",
];

/// Words between the verb of a statement about rows and its table.
const MODIFIERS: [&str; 5] = ["DELAYED", "HIGH_PRIORITY", "IGNORE", "LOW_PRIORITY", "QUICK"];

/// Verbs of statements that list tables, up to one of [`AFTER_TABLES`].
const OF_TABLES: [&str; 6] = ["DELETE", "DROP", "LOCK", "RENAME", "TRUNCATE", "UPDATE"];
const AFTER_TABLES: [&str; 3] = ["ORDER", "SET", "WHERE"];
const OTHER_VERBS: [&str; 6] = ["ALTER", "CREATE", "INSERT", "LOAD", "REPLACE", "SELECT"];

/// Functions of PostgreSQL that reach files, other databases or other connections.
const FUNCTIONS: [&str; 9] = [
    "DBLINK",
    "DBLINK_CONNECT",
    "DBLINK_EXEC",
    "LO_EXPORT",
    "PG_CANCEL_BACKEND",
    "PG_FILE_WRITE",
    "PG_RELOAD_CONF",
    "PG_ROTATE_LOGFILE",
    "PG_TERMINATE_BACKEND",
];

/// The first statement that changes more than the database that it runs in, which is called `own`:
/// another file, another database, or the whole server.
pub fn reaches_outside(dialect: &dyn Dialect, own: &str, sql: &str) -> Option<String> {
    let tokens = dialect.lexicon().significant(sql);
    let mut statements = tokens.split(|token| token.is_symbol(";"));
    let outside = statements.find(|statement| is_outside(dialect, own, statement))?;
    let (start, end) = (outside.first()?.start, outside.last()?.end());
    Some(sql[start..end].to_owned())
}

/// The beginning of a statement on one line, for messages.
pub fn beginning(statement: &str) -> String {
    let words: Vec<&str> = statement.split_whitespace().collect();
    words.join(" ").chars().take(60).collect()
}

/// Whether SQL drops the schema that it runs in.
pub(super) fn drops_schema(dialect: &dyn Dialect, own: &str, sql: &str) -> bool {
    let tokens = dialect.lexicon().significant(sql);
    let mut statements = tokens.split(|token| token.is_symbol(";"));
    dialect.backend() == Backend::Postgres
        && statements.any(|statement| {
            let mut names = statement.iter().filter_map(Token::identifier);
            begins(statement, &["DROP", "SCHEMA"]) && names.any(|name| name == own)
        })
}

fn is_outside(dialect: &dyn Dialect, own: &str, statement: &[Token<'_>]) -> bool {
    let has = |word: &str| statement.iter().any(|token| token.is_word(word));
    if of_server(dialect.backend(), statement) || has("LOAD_EXTENSION") {
        return true;
    }
    match dialect.backend() {
        Backend::Postgres => of_postgres(statement) || runs_text(dialect, own, statement, &["DO"]),
        backend if backend.is_mysql_like() => {
            of_mysql(statement)
                || names_other(own, statement)
                || runs_text(dialect, own, statement, &["PREPARE", "EXECUTE", "SET"])
        }
        _ => begins(statement, &["ATTACH"]) || (begins(statement, &["VACUUM"]) && has("INTO")),
    }
}

/// Whether a text in a statement that runs it reaches outside.
fn runs_text(dialect: &dyn Dialect, own: &str, statement: &[Token<'_>], verbs: &[&str]) -> bool {
    let mut texts = statement.iter().filter(|token| token.kind == Kind::Text);
    verbs.iter().any(|verb| begins(statement, &[verb]))
        && texts.any(|token| {
            let inside = content(token.text);
            // The statement is somewhere in the body of a block.
            let tokens = dialect.lexicon().significant(inside);
            (0..tokens.len()).any(|at| of_server(dialect.backend(), &tokens[at..]))
                || reaches_outside(dialect, own, inside).is_some()
                || runs_text_of_block(dialect, own, &tokens)
        })
}

/// Whether a block of PostgreSQL has such a text after its `EXECUTE`.
fn runs_text_of_block(dialect: &dyn Dialect, own: &str, block: &[Token<'_>]) -> bool {
    let mut statements = block.split(|token| token.is_symbol(";"));
    statements.any(|statement| {
        let at = statement.iter().position(|token| token.is_word("EXECUTE"));
        at.is_some_and(|at| runs_text(dialect, own, &statement[at..], &["EXECUTE"]))
    })
}

/// A literal's text without its quotes.
fn content(literal: &str) -> &str {
    let quote = match literal.strip_prefix('$').and_then(|rest| rest.find('$')) {
        Some(end) => &literal[..end + 2],
        None => literal.get(..1).unwrap_or_default(),
    };
    let inside = literal.strip_prefix(quote).unwrap_or(literal);
    inside.strip_suffix(quote).unwrap_or(inside)
}

fn begins(statement: &[Token<'_>], words: &[&str]) -> bool {
    let mut tokens = statement.iter();
    words.iter().all(|word| tokens.next().is_some_and(|token| token.is_word(word)))
}

/// Whether a statement is about an object of the whole server.
fn of_server(backend: Backend, statement: &[Token<'_>]) -> bool {
    let [verb, kind, ..] = statement else { return false };
    if !["ALTER", "CREATE", "DROP"].iter().any(|word| verb.is_word(word)) {
        return false;
    }
    let of_server = ["DATABASE", "ROLE", "USER", "TABLESPACE", "SYSTEM"];
    let of_kind = match backend {
        Backend::Postgres => &["GROUP", "SUBSCRIPTION"][..],
        backend if backend.is_mysql_like() => &["SCHEMA", "SERVER", "INSTANCE", "RESOURCE"],
        _ => &[],
    };
    of_server.iter().chain(of_kind).any(|word| kind.is_word(word))
}

fn of_postgres(statement: &[Token<'_>]) -> bool {
    let has = |word: &str| statement.iter().any(|token| token.is_word(word));
    // `GRANT ... ON` is about an object, and without it about roles.
    let of_roles = (begins(statement, &["GRANT"]) || begins(statement, &["REVOKE"]))
        && (!has("ON") || has("DATABASE") || has("TABLESPACE") || has("PARAMETER"));
    let of_comment = ["DATABASE", "ROLE", "TABLESPACE", "SUBSCRIPTION"];
    let of_file = || {
        let ends = |pair: &[Token<'_>]| {
            (pair[0].is_word("FROM") || pair[0].is_word("TO"))
                && (pair[1].kind == Kind::Text || pair[1].is_word("PROGRAM"))
        };
        statement.windows(2).any(ends)
    };
    let calls = |function: &&str| {
        statement.windows(2).any(|pair| pair[0].is_word(function) && pair[1].is_symbol("("))
    };
    of_roles
        || of_comment.iter().any(|kind| begins(statement, &["COMMENT", "ON", kind]))
        || (begins(statement, &["COPY"]) && of_file())
        || begins(statement, &["DROP", "OWNED"])
        || begins(statement, &["REASSIGN", "OWNED"])
        || FUNCTIONS.iter().any(calls)
}

fn of_mysql(statement: &[Token<'_>]) -> bool {
    const VERBS: [&str; 15] = [
        "BACKUP",
        "CHANGE",
        "CLONE",
        "FLUSH",
        "GRANT",
        "INSTALL",
        "KILL",
        "PURGE",
        "RESET",
        "RESTART",
        "REVOKE",
        "SHUTDOWN",
        "STOP",
        "UNINSTALL",
        "USE",
    ];
    let has = |word: &str| statement.iter().any(|token| token.is_word(word));
    let of_all = ["GLOBAL", "PERSIST", "PERSIST_ONLY"];
    let sets = || {
        statement.windows(2).any(|pair| {
            let is_global = of_all.iter().any(|word| pair[1].is_word(word));
            is_global && (pair[0].is_word("SET") || pair[0].is_symbol(","))
        }) || statement.iter().any(|token| {
            let name = token.text.to_ascii_lowercase();
            name.starts_with("@@global") || name.starts_with("@@persist")
        })
    };
    VERBS.iter().any(|verb| begins(statement, &[verb]))
        || (begins(statement, &["START"]) && !has("TRANSACTION"))
        || has("OUTFILE")
        || has("DUMPFILE")
        || has("SONAME")
        || (begins(statement, &["SET"]) && sets())
}

/// Whether a statement, or one in its body, changes a table of another database.
fn names_other(own: &str, statement: &[Token<'_>]) -> bool {
    let is_any = |token: &Token<'_>, words: &[&str]| words.iter().any(|word| token.is_word(word));
    // The verb whose tables may follow, and what it has had to do with so far.
    let (mut verb, mut makes_part, mut depth) = (None, false, 0_usize);
    for (at, token) in statement.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| &statement[before]);
        let is_after = |words: &[&str]| before.is_some_and(|token| is_any(token, words));
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
        }
        let is_name =
            |at: usize| statement.get(at).is_some_and(|token| token.identifier().is_some());
        let is_pair = is_name(at)
            && is_name(at + 2)
            && statement[at + 1].is_symbol(".")
            && !before.is_some_and(|token| token.is_symbol("."));
        if is_pair {
            let is_own = token.identifier().is_some_and(|name| name.eq_ignore_ascii_case(own));
            let of = |words: &[&str]| verb.is_some_and(|verb: &Token<'_>| is_any(verb, words));
            let is_listed = is_after(&["FROM", "JOIN", "USING"])
                || before.is_some_and(|token| token.is_symbol(","));
            let is_table = is_after(&BEFORE_TABLES)
                || (is_after(&["INTO"]) && of(&["INSERT", "REPLACE", "LOAD"]))
                || (is_after(&["DELETE", "INSERT", "REPLACE", "TRUNCATE", "UPDATE"])
                    && before.map(|token| token.start) == verb.map(|token| token.start))
                || (is_after(&MODIFIERS) && of(&["INSERT", "REPLACE", "UPDATE", "DELETE"]))
                || (is_after(&["TO"]) && of(&["RENAME"]))
                || (is_after(&["ON"]) && makes_part && depth == 0)
                || (is_listed && of(&OF_TABLES) && depth == 0);
            if is_table && !is_own {
                return true;
            }
            continue;
        }
        if token.kind != Kind::Word || before.is_some_and(|token| token.is_symbol(".")) {
            continue;
        }
        let is_verb = is_any(token, &OF_TABLES) || is_any(token, &OTHER_VERBS);
        if is_any(token, &AFTER_TABLES) {
            verb = None;
        } else if is_verb && !is_after(&["AFTER", "BEFORE", "FOR", "KEY", "ON", "OR"]) {
            (verb, makes_part) = (Some(token), false);
        } else if is_any(token, &["INDEX", "TRIGGER"]) {
            makes_part = verb.is_some_and(|verb| is_any(verb, &["CREATE", "DROP"]));
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use dbmigrate_runtime::engine::dialect;

    use super::*;

    fn outside(backend: Backend, sql: &str) -> Option<String> {
        reaches_outside(dialect::of(backend).unwrap(), "own", sql)
    }

    #[test]
    fn other_files_are_found() {
        let outside = |sql: &str| outside(Backend::Sqlite, sql);
        assert_eq!(outside("A; ATTACH 'x.db' AS x;").as_deref(), Some("ATTACH 'x.db' AS x"));
        assert_eq!(outside("VACUUM INTO 'copy.db'").as_deref(), Some("VACUUM INTO 'copy.db'"));
        assert_eq!(outside("CREATE DATABASE other").as_deref(), Some("CREATE DATABASE other"));
        assert!(outside("CREATE TABLE a AS SELECT load_extension('x')").is_some());
        for sql in ["CREATE TABLE role (a)", "VACUUM", "INSERT INTO a VALUES ('ATTACH x')"] {
            assert_eq!(outside(sql), None, "{sql}");
        }
    }

    #[test]
    fn what_belongs_to_the_whole_server_is_found() {
        for sql in [
            "GRANT admin TO ada",
            "COMMENT ON DATABASE own IS 'x'",
            "COPY a TO '/tmp/a'",
            "COPY a FROM PROGRAM 'ls'",
            "DROP OWNED BY ada",
            "DO $$ BEGIN CREATE ROLE ada; END $$",
            "DO $do$ BEGIN IF true THEN EXECUTE 'DROP DATABASE other'; END IF; END $do$",
            "SELECT pg_terminate_backend(7)",
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
        ] {
            assert!(outside(Backend::Postgres, sql).is_some(), "{sql}");
        }
        for sql in [
            "GRANT SELECT ON a TO ada",
            "COPY a FROM stdin",
            "COMMENT ON TABLE a IS 'x'",
            "DO $$ BEGIN EXECUTE 'ALTER TABLE a ADD COLUMN role text'; END $$",
            "CREATE SCHEMA other",
            "CREATE EXTENSION dblink",
            "INSERT INTO other.a VALUES ('DROP ROLE ada')",
        ] {
            assert_eq!(outside(Backend::Postgres, sql), None, "{sql}");
        }
        for sql in [
            "SHUTDOWN",
            "SET GLOBAL max_connections = 1",
            "SET @@global.max_connections = 1",
            "SET a = 1, PERSIST b = 2",
            "GRANT SELECT ON own.* TO ada",
            "SELECT 1 INTO OUTFILE '/tmp/a'",
            "FLUSH TABLES WITH READ LOCK",
            "START REPLICA",
            "CREATE FUNCTION f RETURNS STRING SONAME 'f.so'",
            "USE other",
        ] {
            assert!(outside(Backend::Mariadb, sql).is_some(), "{sql}");
            assert!(outside(Backend::Mysql, sql).is_some(), "{sql}");
        }
    }

    #[test]
    fn changes_of_another_database_are_found() {
        for sql in [
            "CREATE TABLE other.a (x int)",
            "CREATE TABLE IF NOT EXISTS `other`.`a` (x int)",
            "DROP TABLE IF EXISTS a, other.b",
            "/*!40000 DROP TABLE other.a */",
            "ALTER TABLE other.a ADD x int",
            "ALTER TABLE a RENAME TO other.a",
            "RENAME TABLE a TO b, c TO other.c",
            "TRUNCATE other.a",
            "INSERT INTO other.a VALUES (1)",
            "INSERT IGNORE other.a VALUES (1)",
            "REPLACE INTO other.a VALUES (1)",
            "LOAD DATA INFILE 'x' INTO TABLE other.a",
            "UPDATE other.a SET x = 1",
            "UPDATE a JOIN other.b ON a.id = b.id SET b.x = 1",
            "DELETE FROM other.a",
            "DELETE b FROM a, other.b",
            "CREATE INDEX i ON other.a (x)",
            "CREATE TABLE a (x int, FOREIGN KEY (x) REFERENCES other.b (id))",
            "CREATE PROCEDURE p() INSERT INTO other.a VALUES (1)",
            "CREATE TRIGGER t AFTER UPDATE ON a FOR EACH ROW BEGIN SELECT 1; DELETE FROM other.a; END",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM other.a",
            "PREPARE s FROM 'DROP TABLE other.a'",
            "SET @sql = 'DROP TABLE other.a'",
            "EXECUTE IMMEDIATE 'CREATE DATABASE other'",
            "CALL other.p()",
        ] {
            assert!(outside(Backend::Mariadb, sql).is_some(), "{sql}");
            assert!(outside(Backend::Mysql, sql).is_some(), "{sql}");
        }
        for sql in [
            "CREATE TABLE own.a (x int)",
            "UPDATE a SET a.x = 1, a.y = a.x WHERE a.x = 2",
            "UPDATE a JOIN b ON a.id = b.id SET a.x = b.x",
            "UPDATE a SET y = EXTRACT(YEAR FROM a.d)",
            "DELETE FROM a ORDER BY a.x, a.y LIMIT 1",
            "DELETE a.* FROM a JOIN b ON b.id = a.id WHERE b.x = 1",
            "INSERT INTO a SELECT b.x, c.y FROM b JOIN c ON c.id = b.id ON DUPLICATE KEY UPDATE a.x = b.x",
            "CREATE VIEW v AS SELECT a.x, b.y FROM a JOIN b ON b.id = a.id",
            "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.x = trim(NEW.x)",
            "CREATE TABLE a (x int) SELECT b.x FROM b",
            "SELECT * FROM information_schema.tables",
            "CREATE TABLE copy LIKE other.a",
            "START TRANSACTION",
            "SET FOREIGN_KEY_CHECKS = 0",
        ] {
            assert_eq!(outside(Backend::Mariadb, sql), None, "{sql}");
            assert_eq!(outside(Backend::Mysql, sql), None, "{sql}");
        }
    }
}
