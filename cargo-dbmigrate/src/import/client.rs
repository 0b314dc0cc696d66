//! What only the client of a database understands, and no database.

use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::sql::{Kind, Token};

const OF_CLIENT: &str = "only that program understands it: take the line out, or put the SQL that \
                         it stands for in its place";
const AS_INSERT: &str = "only psql sends them: write the rows as `INSERT`, as `pg_dump --inserts` \
                         does";
const AS_END: &str = "take the line out, and end each statement with `;`";

/// What a script has for a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ForClient<'a> {
    pub(super) what: &'static str,
    /// Its text, up to the end of the line.
    pub(super) text: &'a str,
    /// Where it begins in the script.
    pub(super) start: usize,
    pub(super) hint: &'static str,
}

/// The first thing in a script that is for a client.
pub(super) fn for_client<'a>(dialect: &dyn Dialect, sql: &'a str) -> Option<ForClient<'a>> {
    let tokens = dialect.lexicon().significant(sql);
    (0..tokens.len()).find_map(|at| {
        let (what, hint) = meaning(dialect.backend(), sql, &tokens, at)?;
        let start = tokens[at].start;
        let text = sql[start..].lines().next().unwrap_or_default().trim_end();
        Some(ForClient { what, text, start, hint })
    })
}

/// What the token at this place begins for a client, and what to do with it.
fn meaning(
    backend: Backend,
    sql: &str,
    tokens: &[Token<'_>],
    at: usize,
) -> Option<(&'static str, &'static str)> {
    let token = &tokens[at];
    let is_mysql = backend.is_mysql_like();
    let client = match backend {
        Backend::Postgres => "a command of psql",
        Backend::Sqlite => "a command of the sqlite3 shell",
        _ => "a command of MySQL's client",
    };
    let line_start = sql[..token.start].rfind('\n').map_or(0, |end| end + 1);
    let begins_line = sql[line_start..token.start].trim().is_empty();
    let begins_statement = at == 0 || tokens[at - 1].is_symbol(";");
    let next = tokens.get(at + 1);
    let ends_line = next.is_none_or(|next| sql[token.end()..next.start].contains('\n'));
    if token.kind == Kind::Symbol && token.text.starts_with('\\') {
        // `\N` is NULL on MariaDB.
        let is_end = || next.is_some_and(|next| next.is_word("G") && next.start == token.end());
        return (!is_mysql || begins_line || is_end()).then_some((client, OF_CLIENT));
    }
    if !begins_line {
        return None;
    }
    if token.is_word("GO") && ends_line {
        const VERBS: [&str; 8] =
            ["ALTER", "CREATE", "DELETE", "DROP", "EXEC", "GO", "INSERT", "UPDATE"];
        let is_verb = |next: &Token<'_>| VERBS.iter().any(|verb| next.is_word(verb));
        return next.is_none_or(is_verb).then_some(("a separator of SQL Server's clients", AS_END));
    }
    // It changes what ends a statement, so that it can stand anywhere.
    if token.is_word("DELIMITER") && !is_mysql && !ends_line {
        return Some(("a command of MySQL's client", AS_END));
    }
    if !begins_statement {
        return None;
    }
    if token.is_word("COPY") && backend == Backend::Postgres {
        let rest = tokens[at..].split(|token| token.is_symbol(";")).next()?;
        let is_read =
            rest.windows(2).any(|pair| pair[0].is_word("FROM") && pair[1].is_word("STDIN"));
        return is_read.then_some(("rows for psql", AS_INSERT));
    }
    let is_dot_command = backend == Backend::Sqlite && token.is_symbol(".");
    let is_source = is_mysql && token.is_word("SOURCE") && !ends_line;
    (is_dot_command || is_source).then_some((client, OF_CLIENT))
}

#[cfg(test)]
mod tests {
    use dbmigrate_runtime::engine::dialect;

    use super::*;

    #[test]
    fn what_is_for_a_client_is_found_with_its_line() {
        let found = |backend: Backend, sql: &str| {
            let found = for_client(dialect::of(backend).unwrap(), sql)?;
            let line = 1 + sql[..found.start].matches('\n').count();
            Some(format!("{line}: {}: {}", found.what, found.text))
        };
        for (backend, sql, expected) in [
            (Backend::Postgres, "A;\n\\connect shop\r\nB;", "2: a command of psql: \\connect shop"),
            (Backend::Postgres, "\\c shop", "1: a command of psql: \\c shop"),
            (Backend::Postgres, "SELECT 1 \\gexec", "1: a command of psql: \\gexec"),
            (
                Backend::Postgres,
                "A;\n-- rows\nCOPY public.a (x) FROM stdin;\n1\tit's\n\\.\n",
                "3: rows for psql: COPY public.a (x) FROM stdin;",
            ),
            (Backend::Sqlite, "A\nGO\nCREATE x", "2: a separator of SQL Server's clients: GO"),
            (Backend::Postgres, "A;\n go\n", "2: a separator of SQL Server's clients: go"),
            (Backend::Sqlite, "DELIMITER $$\nA$$", "1: a command of MySQL's client: DELIMITER $$"),
            (
                Backend::Sqlite,
                "A;\n.read b.sql\n",
                "2: a command of the sqlite3 shell: .read b.sql",
            ),
            (Backend::Mariadb, "source b.sql;", "1: a command of MySQL's client: source b.sql;"),
            (Backend::Mysql, "SELECT 1\\G", "1: a command of MySQL's client: \\G"),
        ] {
            assert_eq!(found(backend, sql).as_deref(), Some(expected), "{sql}");
        }
        for (backend, sql) in [
            (Backend::Postgres, "SELECT E'\\\\c', $$\n\\c\n$$ -- \\c\n/*\n\\c */"),
            (Backend::Postgres, "COPY a FROM '/tmp/a'; COPY a TO stdout"),
            (Backend::Postgres, "SELECT\ngo\nFROM a; SELECT delimiter\nFROM a"),
            (Backend::Sqlite, "SELECT a\n.b FROM a"),
            (Backend::Mariadb, "DELIMITER //\nA//\nDELIMITER ;\nINSERT INTO a VALUES (\\N)"),
            (Backend::Mariadb, "SELECT source FROM a"),
        ] {
            assert_eq!(found(backend, sql), None, "{sql}");
        }
    }
}
