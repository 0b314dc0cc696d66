//! Statements as real databases contain them, each compared with SQLite's own interpretation.

use super::*;

use crate::dialect::sqlite::lexicon::LEXICON;
#[cfg(feature = "sqlite")]
use crate::driver::{Connection as _, Driver as _, sqlite::SqliteDriver};

/// Statements that SQLite accepts. Each table is called `t`, and refers at most to `p` and itself.
pub(in super::super) const STATEMENTS: &[&str] = &[
    "CREATE TABLE t (a)",
    "create table t(a,b,c);",
    "CREATE TABLE \"t\" (\"a\" INTEGER NOT NULL)",
    "CREATE TABLE [t] ([a b] INT, `c``d` TEXT, \"e\"\"f\" BLOB)",
    "CREATE TABLE 't' ('a' 'INT' DEFAULT 'x', 'b c')",
    "CREATE TABLE IF NOT EXISTS main.t (a INT)",
    "CREATE TABLE main . 't' (a INT)",
    "CREATE TEMP TABLE temp.t (a INT)",
    "CREATE TEMPORARY TABLE IF NOT EXISTS t (a INT)",
    "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(50) NOT NULL DEFAULT '')",
    "CREATE TABLE t (id INTEGER PRIMARY KEY DESC, b INT)",
    "CREATE TABLE t (id INTEGER PRIMARY KEY ASC ON CONFLICT REPLACE AUTOINCREMENT)",
    "CREATE TABLE t (id INTEGER NOT NULL, PRIMARY KEY (id AUTOINCREMENT))",
    "CREATE TABLE t (id \"INTEGER\" PRIMARY KEY)",
    "CREATE TABLE t (id BIGINT PRIMARY KEY, n INTEGER UNSIGNED)",
    "CREATE TABLE t (id INTEGER UNSIGNED PRIMARY KEY)",
    "CREATE TABLE t (a TEXT, b TEXT, PRIMARY KEY (b DESC, a COLLATE NOCASE) ON CONFLICT IGNORE)",
    "CREATE TABLE t (a varchar[10], b BLOB SUB_TYPE TEXT, c UNSIGNED BIG INT, d DOUBLE PRECISION)",
    "CREATE TABLE t (a DECIMAL ( 10 , 2 ), b FLOAT(+1, -2.5e3), c \"my type\", d x [y] `z` 'w')",
    "CREATE TABLE t (a тип, б \"größe in cm\", 名前 文字(5), \u{a0}x INT)",
    "CREATE TABLE t (\"reply-to\" TEXT, \"Order Details\" INT, type TEXT, mod INT, fn INT, macro)",
    "CREATE TABLE t (key TEXT, action INT, \"desc\" INT, asc INT, 'if' INT, no, replace, left JSON)",
    "CREATE TABLE t (generated, always generated, stored virtual, b generated AS (stored))",
    "CREATE TABLE t (generated INT, always INT GENERATED ALWAYS AS (generated + 1) STORED, z)",
    "CREATE TABLE t (a, b AS (a || 'x'), c TEXT GENERATED ALWAYS AS (upper(a)) VIRTUAL NOT NULL)",
    "CREATE TABLE t (a, b AS (json_extract(a, '$.b')) UNIQUE, c INT NOT NULL AS ((a)) STORED)",
    "CREATE TABLE t (a INTEGER DEFAULT '0', b INT DEFAULT \"\", c BOOL DEFAULT FALSE, d DEFAULT tRuE)",
    "CREATE TABLE t (a DEFAULT -1, b DEFAULT +1.5, c DEFAULT - 0x1F, d DEFAULT .5e-3, e DEFAULT 1)",
    "CREATE TABLE t (a DEFAULT NULL, b DEFAULT x'00ff', c DEFAULT X'', d DEFAULT 'it''s')",
    "CREATE TABLE t (a DEFAULT CURRENT_TIMESTAMP, b DEFAULT current_date NOT NULL, c DEFAULT word)",
    "CREATE TABLE t (a DEFAULT (strftime('%s', 'now')), b DEFAULT ((1)), c DEFAULT ( - (1) ) NULL)",
    "CREATE TABLE t (a TEXT DEFAULT ('(' || ')' -- )\n || /* ( */ 'a'), b)",
    "CREATE TABLE t (a TEXT DEFAULT (\n  'one' ||\n  'two'\n) NOT NULL, b)",
    "CREATE TABLE t (a TEXT COLLATE NOCASE, b TEXT COLLATE \"RTRIM\" UNIQUE, c COLLATE 'binary')",
    "CREATE TABLE t (a INT NOT NULL ON CONFLICT FAIL UNIQUE ON CONFLICT REPLACE NULL)",
    "CREATE TABLE t (a INT NULL ON CONFLICT ROLLBACK DEFAULT 1 DEFAULT 2)",
    "CREATE TABLE t (a INT CONSTRAINT n NOT NULL CONSTRAINT [c d] CHECK (a > 0) CHECK (a < 9))",
    "CREATE TABLE t (a INT CONSTRAINT x, b INT CONSTRAINT y CONSTRAINT z UNIQUE)",
    "CREATE TABLE t (a INT CONSTRAINT 'text' CHECK (a IN (1, 2, (3))), b)",
    "CREATE TABLE t (a INT CHECK (a > abs(-1)) , b INT)",
    "CREATE TABLE t (a INT REFERENCES p, b INT REFERENCES \"p\" (\"id\") ON DELETE CASCADE)",
    "CREATE TABLE t (a REFERENCES p (id) ON UPDATE SET NULL ON DELETE SET DEFAULT ON INSERT CASCADE)",
    "CREATE TABLE t (a REFERENCES p MATCH FULL ON DELETE RESTRICT MATCH \"SIMPLE\" ON UPDATE NO ACTION)",
    "CREATE TABLE t (a REFERENCES p DEFERRABLE, b REFERENCES p NOT DEFERRABLE INITIALLY IMMEDIATE)",
    "CREATE TABLE t (a REFERENCES p DEFERRABLE INITIALLY DEFERRED NOT NULL, b INT)",
    "CREATE TABLE t (a REFERENCES p NOT NULL CONSTRAINT d DEFERRABLE INITIALLY DEFERRED UNIQUE)",
    "CREATE TABLE t (a REFERENCES p DEFERRABLE INITIALLY IMMEDIATE NOT DEFERRABLE)",
    "CREATE TABLE t (a INT REFERENCES nowhere (x), b INT REFERENCES T (a) UNIQUE)",
    "CREATE TABLE t (a, b, FOREIGN KEY (a, b) REFERENCES p (x, y) ON DELETE SET NULL)",
    "CREATE TABLE t (a, CONSTRAINT fk FOREIGN KEY (A) REFERENCES P DEFERRABLE INITIALLY DEFERRED)",
    "CREATE TABLE t (a, b, UNIQUE (a, b), CONSTRAINT u UNIQUE (b DESC, a) ON CONFLICT ABORT)",
    "CREATE TABLE t (a, b, UNIQUE ((a)), UNIQUE ('b' COLLATE nocase DESC), UNIQUE (\"a\", [b]))",
    "CREATE TABLE t (a, b, CHECK (a > b) ON CONFLICT IGNORE, CONSTRAINT c CHECK ((a) <> (b)))",
    "CREATE TABLE t (a INT, CONSTRAINT x)",
    "CREATE TABLE t (a INT, CONSTRAINT x, CONSTRAINT y CONSTRAINT z UNIQUE (a))",
    "CREATE TABLE t (k TEXT PRIMARY KEY, v) WITHOUT ROWID",
    "CREATE TABLE t (k TEXT, v INT, PRIMARY KEY (k)) without rowid, strict",
    "CREATE TABLE t (a INT, b ANY) STRICT -- end",
    "CREATE TABLE t (a INT PRIMARY KEY) STRICT, /* and */ WITHOUT /* no */ ROWID,strict ;",
    "CREATE TABLE t (a INT PRIMARY KEY), STRICT;;",
    "CREATE TABLE t (a INT) -- the end",
    "CREATE TABLE t (a INT) /* the end",
    "CREATE TABLE t ( -- all\n  a INT, -- first\n  -- second:\n  b INT /* two */ , /* three */ c INT -- last\n)",
    "CREATE TABLE t (\n    a INT -- one\n  , b INT -- two\n  , UNIQUE (a) -- three\n)",
    "CREATE TABLE t (\r\n\ta INT, -- one\r\n\tb INT\r\n)",
    "/* before */ CREATE /**/ TABLE--x\nt--y\n(--z\na--a\nINT--b\nNOT--c\nNULL--d\n,b)",
    "CREATE TABLE t (a INT CHECK (a > 0 -- positive\n), b INT DEFAULT (1 /* one */) -- done\n)",
    "CREATE TABLE t (a TEXT CHECK (a NOT IN ('--', '/*', ';', ')', '''')), b)",
    "CREATE TABLE t (a \"\", \"\" INT)",
    "CREATE TABLE t(a INT,b INT,PRIMARY KEY(a),FOREIGN KEY(b)REFERENCES p(id),CHECK(b>0))",
    "CREATE TABLE t (a timestamp with time zone DEFAULT CURRENT_TIMESTAMP, b character varying(10))",
];

/// More such statements, which contain something that isn't reproduced exactly.
const UNTIDY: &[&str] = &[
    "CREATE TABLE t (a, b, UNIQUE (a) CHECK (b) CONSTRAINT x CONSTRAINT y PRIMARY KEY (b))",
    "CREATE TABLE t (a, b, UNIQUE (a) -- one\n UNIQUE (b) -- two\n FOREIGN KEY (a) REFERENCES p -- x\n)",
];

#[track_caller]
fn parse(sql: &str) -> Definition {
    Definition::parse(sql).unwrap_or_else(|err| panic!("{sql}\n{err}"))
}

/// Checks what must hold for every definition: its own text parses to the same definition.
#[track_caller]
fn check_again(sql: &str, definition: &Definition) {
    let text = definition.text(&definition.name);
    let again = parse(&text);
    assert_eq!(again.text(&definition.name), text, "{sql}");
    let meaning = |definition: &Definition| {
        let columns = definition.columns.iter().map(|column_item| {
            (column_item.name.clone(), column_item.ty.clone(), column_item.clauses.clone())
        });
        let constraints = definition
            .constraints
            .iter()
            .map(|constraint| (constraint.name.clone(), constraint.kind.clone()));
        let columns: Vec<_> = columns.collect();
        (columns, constraints.collect::<Vec<_>>(), definition.options.clone())
    };
    assert_eq!(meaning(&again), meaning(definition), "{sql}\n{text}");
    for column in &definition.columns {
        let alone =
            ColumnItem::new(column.text()).unwrap_or_else(|err| panic!("{}\n{err}", column.text()));
        assert_eq!((&alone.clauses, &alone.ty), (&column.clauses, &column.ty));
        // The rewritten definition must have the same meaning.
        let mut rewritten = column.clone();
        rewritten.set_type(&column.ty);
        let rewritten = ColumnItem::new(rewritten.text())
            .unwrap_or_else(|err| panic!("{}\n{err}", rewritten.text()));
        let kinds = |column_item: &ColumnItem| {
            column_item.clauses.iter().map(|clause| clause.kind.clone()).collect::<Vec<_>>()
        };
        assert_eq!((kinds(&rewritten), &rewritten.ty), (kinds(column), &column.ty));
    }
    for constraint in &definition.constraints {
        let alone = ConstraintItem::new(constraint.text()).unwrap();
        assert_eq!((&alone.name, &alone.kind), (&constraint.name, &constraint.kind));
    }
}

#[test]
fn what_was_not_changed_is_written_back_byte_for_byte() {
    for sql in STATEMENTS {
        let definition = parse(sql);
        check_again(sql, &definition);
        assert_eq!(definition.name, "t", "{sql}");
        let text = definition.text("new");
        let all = LEXICON.tokens(sql);
        let open = all.iter().find(|token| token.is_symbol("(")).unwrap();
        let body = sql[open.start..].trim_end_matches(';').trim_end();
        let text = text.strip_prefix("CREATE TABLE \"new\"").unwrap();
        let open = LEXICON.tokens(text).iter().find(|token| token.is_symbol("(")).unwrap().start;
        let text = &text[open..];
        assert!(text.starts_with(body), "{sql}\n{text}");
        assert!(["", "\n", "*/"].contains(&&text[body.len()..]), "{sql}\n{text}");
    }
    for sql in UNTIDY {
        check_again(sql, &parse(sql));
    }
}

/// SQLite's facts about the table `t` after the statement has run, or its error.
#[cfg(feature = "sqlite")]
fn facts_of(sql: &str) -> Result<Vec<String>, String> {
    let mut driver = SqliteDriver::open_in_memory().unwrap();
    driver.batch("CREATE TABLE p (id INTEGER PRIMARY KEY, x, y, UNIQUE (x, y))").unwrap();
    // Only one statement, since a batch continues after a semicolon.
    driver.execute(sql, &[]).map_err(|err| err.to_string())?;
    let queries = [
        "SELECT * FROM pragma_table_xinfo('t')",
        "SELECT * FROM pragma_foreign_key_list('t') ORDER BY 1, 2",
        "SELECT l.*, i.* FROM pragma_index_list('t') l, pragma_index_xinfo(l.name) i ORDER BY 1, 7",
        "SELECT ncol, wr, strict FROM pragma_table_list WHERE name = 't'",
        "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'",
    ];
    Ok(queries
        .iter()
        .map(|query| format!("{:?}", driver.query(query, &[]).unwrap().rows))
        .collect())
}

#[cfg(feature = "sqlite")]
#[test]
fn the_table_that_is_written_is_the_one_that_was_read() {
    for sql in STATEMENTS.iter().chain(UNTIDY) {
        let expected = facts_of(sql).unwrap_or_else(|err| panic!("{sql}\n{err}"));
        let definition = parse(sql);
        let text = definition.text("t");
        assert_eq!(facts_of(&text).as_ref(), Ok(&expected), "{sql}\n{text}");
        // The same check with every column's text rewritten.
        let mut rewritten = definition.clone();
        for column in &mut rewritten.columns {
            let ty = column.ty.clone();
            column.set_type(&ty);
        }
        let text = rewritten.text("t");
        let without_space = |texts: &[String]| texts.concat().replace(' ', "");
        let found = facts_of(&text).unwrap_or_else(|err| panic!("{sql}\n{text}\n{err}"));
        assert_eq!(without_space(&found), without_space(&expected), "{sql}\n{text}");
    }
}

/// Every prefix of every statement, and every statement with one of its tokens removed or doubled.
fn mutations() -> Vec<String> {
    let mut out = Vec::new();
    for sql in STATEMENTS.iter().chain(UNTIDY) {
        let ends = sql.char_indices().map(|(char_index, _)| char_index);
        out.extend(ends.map(|end| sql[..end].to_owned()));
        for token in LEXICON.tokens(sql) {
            out.push(format!("{}{}", &sql[..token.start], &sql[token.end()..]));
            out.push(format!("{}{} {}", &sql[..token.end()], token.text, &sql[token.end()..]));
        }
    }
    out
}

#[test]
fn a_mutilated_statement_is_an_error_or_is_read_again_from_its_own_text() {
    for sql in mutations() {
        if let Ok(definition) = Definition::parse(&sql) {
            check_again(&sql, &definition);
        }
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn a_mutilated_statement_that_sqlite_takes_is_read_and_written_as_sqlite_reads_it() {
    for sql in mutations() {
        let Ok(expected) = facts_of(&sql) else { continue };
        match Definition::parse(&sql) {
            Ok(definition) if definition.name == "t" => {
                let text = definition.text("t");
                assert_eq!(facts_of(&text).as_ref(), Ok(&expected), "{sql}\n{text}");
            }
            Ok(_) => {}
            // SQLite then uses the last foreign key of the table, even if it belongs to another
            // column.
            Err(err) => assert!(err.starts_with("expected a foreign key"), "{sql}\n{err}"),
        }
    }
}

/// Every edit that a rebuild makes, by name. None of them changes the column `a` or the table's
/// key.
type Change = fn(&mut Definition);
const EDITS: &[(&str, Change)] = &[
    ("drop NOT NULL", |definition| {
        definition.columns[1]
            .remove_clauses(|clause| matches!(clause.kind, ClauseKind::NotNull { .. }));
    }),
    ("drop NOT NULL and set it again", |definition| {
        definition.columns[1]
            .remove_clauses(|clause| matches!(clause.kind, ClauseKind::NotNull { .. }));
        definition.columns[1].push_clause("NOT NULL").unwrap();
    }),
    ("drop a default", |definition| {
        definition.columns[1]
            .remove_clauses(|clause| matches!(clause.kind, ClauseKind::Default(_)));
    }),
    ("drop all clauses", |definition| definition.columns[1].remove_clauses(|_| true)),
    ("change the type", |definition| definition.columns[1].set_type("VARCHAR(9)")),
    ("take the type away", |definition| definition.columns[1].set_type("")),
    ("add a clause", |definition| definition.columns[1].push_clause("UNIQUE").unwrap()),
    ("add a column", |definition| definition.insert_column(2, ColumnItem::new("new INT").unwrap())),
    ("add a first column", |definition| {
        definition.insert_column(0, ColumnItem::new("new INT").unwrap())
    }),
    ("change the options", |definition| {
        definition.options.set(TableOption::Strict, !definition.options.has(TableOption::Strict))
    }),
];

#[test]
fn a_comment_at_any_place_survives_every_edit_of_a_column() {
    const SQL: &str = "CREATE TABLE t (a INT, b TEXT NOT NULL DEFAULT 'x' COLLATE NOCASE, c INT, \
                       UNIQUE (a), CONSTRAINT k CHECK (c > 0)) WITHOUT ROWID";
    let name_end = SQL.find("t (").unwrap() + 1;
    let gaps =
        LEXICON.tokens(SQL).into_iter().map(|token| token.end()).filter(|end| *end >= name_end);
    for gap in gaps {
        for comment in [
            "/* (kept, */",
            "/* (kept,\nto the\n\nend */",
            " -- (kept,\n",
            "\n\n  -- (kept,\n\n  ",
            "--(kept,\r\n",
        ] {
            let sql = format!("{}{comment}{}", &SQL[..gap], &SQL[gap..]);
            for (name, edit) in EDITS {
                let mut definition = parse(&sql);
                edit(&mut definition);
                let text = definition.text("t");
                assert_eq!(text.matches("(kept,").count(), 1, "{name}: {sql}\n{text}");
                let again = parse(&text);
                let kinds = |definition: &Definition| {
                    let columns = definition.columns.iter();
                    let columns = columns.map(|column_item| {
                        (
                            column_item.name.clone(),
                            column_item.ty.clone(),
                            column_item.clauses.len(),
                        )
                    });
                    (
                        columns.collect::<Vec<_>>(),
                        definition.constraints.len(),
                        definition.options.clone(),
                    )
                };
                assert_eq!(kinds(&again), kinds(&definition), "{name}: {sql}\n{text}");
            }
        }
    }
}

#[test]
fn what_is_removed_takes_only_its_own_comments() {
    const SQL: &str = "CREATE TABLE t -- kept 1
( -- kept 2
  -- own a
  a INT, -- own a
  -- kept 3

  -- own b
  b INT /* own b */, -- own b
  c INT, x INT, d INT, -- kept 4
  /* own e */ e INT, /* kept 5 */ f INT -- kept 6
  -- kept 6b
  , g INT -- own g
  -- kept 7, (

  , CONSTRAINT k UNIQUE (f) -- own k
  , CONSTRAINT l CHECK (f > 0) -- own l
  -- kept 8
) -- kept 9";
    // A comment is removed with its item, in whatever order items are removed.
    let orders: [&[&str]; 4] = [
        &["a", "b", "c", "d", "e", "g", "k", "l"],
        &["l", "k", "g", "e", "d", "c", "b", "a"],
        &["d", "k", "a", "g", "l", "b", "e", "c"],
        &["g", "l", "e", "k", "b", "d", "a", "c"],
    ];
    let spread = SQL.replace("-- kept 2", "/* kept 2\n\n in lines */");
    let spread = spread.replace("-- kept 4", "/* kept 4\n */");
    for (sql, order) in [SQL, &spread].into_iter().flat_map(|sql| orders.map(|order| (sql, order)))
    {
        let mut definition = parse(sql);
        for name in order {
            match definition.columns.iter().position(|column| column.name == *name) {
                Some(idx) => definition.remove_column(idx),
                None => {
                    let is_it =
                        |constraint: &ConstraintItem| constraint.name.as_deref() == Some(name);
                    assert!(definition.remove_constraints(is_it), "{name}");
                }
            }
            let text = definition.text("t");
            assert_eq!(text.matches("kept").count(), 10, "{order:?}, {name}:\n{text}");
            assert_eq!(text.matches(&format!("own {name}")).count(), 0, "{name}:\n{text}");
            let _ = parse(&text);
        }
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn sqlites_own_statements_are_used_where_they_lose_no_comment() {
    const SQL: &str = "CREATE TABLE t (a INT, b INT NOT NULL DEFAULT 1, c INT, d INT, \
                       CONSTRAINT k CHECK (b > 0))";
    const LAST: &str = "CREATE TABLE t (a INT, c INT, b INT NOT NULL, d INT)";
    let drop_column = |name: &'static str| {
        move |definition: &Definition| {
            let idx = definition.columns.iter().position(|column| column.name == name).unwrap();
            definition.drop_column_loses_comments(idx)
        }
    };
    let drop_not_null = |definition: &Definition| {
        let idx = definition.columns.iter().position(|column| column.name == "b").unwrap();
        let is_not_null = |clause: &Clause| matches!(clause.kind, ClauseKind::NotNull { .. });
        definition.drop_clause_loses_comments(idx, is_not_null)
    };
    let (drop_c, drop_d) = (drop_column("c"), drop_column("d"));
    type Loses<'a> = &'a dyn Fn(&Definition) -> bool;
    let statements: [(&str, Loses<'_>); 4] = [
        ("ALTER TABLE t ALTER COLUMN b DROP NOT NULL", &drop_not_null),
        ("ALTER TABLE t DROP CONSTRAINT k", &|new_definition| {
            new_definition.drop_constraint_loses_comments("k")
        }),
        ("ALTER TABLE t DROP COLUMN c", &drop_c),
        ("ALTER TABLE t DROP COLUMN d", &drop_d),
    ];
    let mut used = 0;
    for sql in [SQL, LAST] {
        let from = sql.find('(').unwrap();
        for gap in LEXICON
            .tokens(sql)
            .into_iter()
            .map(|token| token.end())
            .filter(|end| *end > from && *end < sql.len())
        {
            for comment in [" /* about all */ ", " -- about all\n", "\n-- about all\n\n"] {
                let sql = format!("{}{comment}{}", &sql[..gap], &sql[gap..]);
                let definition = parse(&sql);
                for (statement, loses) in statements {
                    let mut driver = SqliteDriver::open_in_memory().unwrap();
                    driver.execute(&sql, &[]).unwrap();
                    if loses(&definition) || driver.execute(statement, &[]).is_err() {
                        continue;
                    }
                    let stored = "SELECT sql FROM sqlite_schema WHERE name = 't'";
                    let stored = format!("{:?}", driver.query(stored, &[]).unwrap().rows);
                    // A comment next to the removed item belongs to it and is removed.
                    let mut rebuilt = definition.clone();
                    if let Some(column) = statement.strip_prefix("ALTER TABLE t DROP COLUMN ") {
                        let idx = rebuilt
                            .columns
                            .iter()
                            .position(|column_item| column_item.name == column);
                        rebuilt.remove_column(idx.unwrap());
                    }
                    if statement.contains("CONSTRAINT k") {
                        rebuilt.remove_constraints(|constraint| constraint.name.is_some());
                    }
                    let is_kept = rebuilt.text("t").contains("about all");
                    assert!(
                        !is_kept || stored.contains("about all"),
                        "{statement}: {sql}\n{stored}"
                    );
                    used += 1;
                }
            }
        }
    }
    assert!(used > 100, "{used}");
}
