//! Printed scripts, run by the sqlite3 shell as people run them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dbmigrate_tests::{Host, Run, dump, has_sqlite_shell, revision};
use expect_test::expect;

/// A table with rows and references to them, followed by its rebuild, several SQL statements, and
/// an index.
fn host(name: &str) -> Host {
    let host = Host::library(name, "");
    host.ok("init");
    let write = |file: &str, text: String| {
        host.write(&format!("migrations/versions/{file}"), &text);
    };
    write(
        "m1_post.rs",
        revision(
            "a100",
            &[],
            "post",
            "op.create_table(Table::new(\"post\")\
             .column(Column::new(\"id\", Type::BigInteger).not_null())\
             .column(Column::new(\"title\", Type::Text).not_null())\
             .primary_key(\"pk_post\", [\"id\"]));\
             op.create_table(Table::new(\"comment\")\
             .column(Column::new(\"post_id\", Type::BigInteger))\
             .foreign_key(ForeignKey::new(\"fk\", [\"post_id\"], \"post\", [\"id\"])));",
            "op.drop_table(\"comment\"); op.drop_table(\"post\");",
        ),
    );
    write(
        "m2_slug.rs",
        revision(
            "b200",
            &["a100"],
            "slug",
            "op.add_column(\"post\", Column::new(\"slug\", Type::Text).not_null())\
             .using(\"title\");\
             op.add_unique(\"post\", Unique::new(\"uq_post_slug\", [\"slug\"]));",
            "op.drop_unique(\"post\", \"uq_post_slug\"); op.drop_column(\"post\", \"slug\");",
        ),
    );
    write(
        "m3_rest.rs",
        revision(
            "c300",
            &["b200"],
            "rest",
            "op.execute(\"UPDATE post SET title = upper(title) /* not closed\");\
             op.create_index(\"post\", Index::new(\"ix_post_title\", [\"title\"]));",
            "op.drop_index(\"post\", \"ix_post_title\");\
             op.execute(\"UPDATE post SET title = lower(title) -- to the end\");",
        ),
    );
    host
}

fn fill(db: &Path, rows: &str) {
    let text = format!("INSERT INTO post (id, title) VALUES {rows}; INSERT INTO comment SELECT 1");
    dbmigrate_tests::sql(db, &text);
}

/// How people pass a script to the shell.
#[derive(Debug, Clone, Copy)]
enum Way {
    Redirected,
    Piped,
    Read,
    Argument,
}

fn shell(db: &Path, script: &str, way: Way) -> Run {
    let file = db.with_extension("sql");
    fs::write(&file, script).unwrap();
    let mut command = Command::new("sqlite3");
    match way {
        Way::Redirected => command.arg(db).stdin(File::open(&file).unwrap()),
        Way::Piped => {
            command = Command::new("sh");
            command.args(["-c", "cat \"$1\" | sqlite3 \"$0\""]).arg(db).arg(&file)
        }
        Way::Read => command.arg(db).arg(format!(".read '{}'", file.display())),
        Way::Argument => command.arg(db).arg(script),
    };
    if !matches!(way, Way::Redirected) {
        command.stdin(Stdio::null());
    }
    Run::of(&mut command)
}

/// A copy of a database, for running a script.
fn copy(of: &Path) -> PathBuf {
    let to = of.with_extension("copy");
    fs::copy(of, &to).unwrap();
    to
}

/// The script with a failing statement before each of its statements, and at its end.
fn failing(script: &str) -> Vec<String> {
    let mut scripts = Vec::new();
    let starts = script.match_indices('\n').map(|(at, _)| at + 1);
    let is_statement = |at: &usize| {
        let before = script[..*at].trim_end();
        let rest = &script[*at..];
        let is_between = before.ends_with(';') || before.lines().last().is_some_and(is_comment);
        is_between && !rest.trim().is_empty() && !is_comment(rest)
    };
    for at in starts.filter(is_statement) {
        scripts.push(format!("{}SELECT no_such_column;\n{}", &script[..at], &script[at..]));
    }
    scripts
}

fn is_comment(line: &str) -> bool {
    line.starts_with("--")
}

/// Runs a script with a failure at each position, and then unchanged.
#[track_caller]
fn check(db: &Path, script: &str, after: &Path, states: &[String]) {
    let scripts = failing(script);
    assert!(scripts.len() > 3, "{script}");
    for (idx, script) in scripts.iter().enumerate() {
        let way = [Way::Redirected, Way::Piped, Way::Read][idx % 3];
        let copy = copy(db);
        let run = shell(&copy, script, way);
        assert_ne!(run.code, 0, "{script}\n{run}");
        assert!(states.contains(&dump(&copy)), "{script}\n{run}\n{}", dump(&copy));
    }
    let copy = copy(db);
    let run = shell(&copy, script, Way::Argument);
    let is_whole = run.code == 0 && dump(&copy) == dump(after);
    assert!(is_whole || run.code != 0 && dump(&copy) == dump(db), "{run}");
    let run = shell(&copy, script, Way::Redirected);
    assert_eq!((run.code, run.errors().as_str()), (0, ""), "{script}");
    assert_eq!(dump(&copy), dump(after), "{script}");
}

#[test]
fn a_script_that_fails_at_any_place_leaves_the_database_as_it_was() {
    if !has_sqlite_shell("a script that fails at any place leaves the database as it was") {
        return;
    }
    let host = host("shell");
    let db = host.dir.join("app.db");
    let up = host.dir.join("up.db");
    host.ok("upgrade a100");
    fill(&db, "(1, 'a'), (2, 'b')");
    fs::copy(&db, &up).unwrap();
    host.ok("upgrade head --url up.db");
    let (low, high) = (dump(&db), dump(&up));

    let script = host.ok("upgrade --sql").stdout;
    assert!(script.starts_with(".bail on\n-- For the sqlite3 shell"), "{script}");
    assert!(script.contains("/* not closed */;\n"), "{script}");
    check(&db, &script, &up, std::slice::from_ref(&low));

    // One transaction for each revision: the database is as after one of them.
    let middle = host.dir.join("middle.db");
    fs::copy(&db, &middle).unwrap();
    host.ok("upgrade b200 --url middle.db");
    let script = host.ok("upgrade --sql --transaction each").stdout;
    check(&db, &script, &up, &[low.clone(), dump(&middle), high.clone()]);

    let down = host.dir.join("down.db");
    fs::copy(&up, &down).unwrap();
    host.ok("downgrade a100 --allow-destructive --url down.db");
    let script = host.ok("downgrade --sql head:a100").stdout;
    check(&up, &script, &down, std::slice::from_ref(&high));
    // The second time there is nothing to undo, and no row is changed.
    let run = shell(&down, &script, Way::Redirected);
    assert_ne!(run.code, 0, "{run}");
    assert_eq!(dump(&down), low);

    let stamped = host.dir.join("stamped.db");
    fs::copy(&db, &stamped).unwrap();
    host.ok("stamp head --url stamped.db");
    let script = host.ok("stamp --sql head").stdout;
    check(&db, &script, &stamped, std::slice::from_ref(&low));
    let before = dump(&stamped);
    let run = shell(&stamped, &script, Way::Redirected);
    assert_eq!((run.code, dump(&stamped)), (0, before), "a second time it changes nothing: {run}");

    // The rows have no slug, and only the revision knows how to compute it.
    let script = host.ok("diff a100 b200 --sql").stdout;
    assert!(script.starts_with(".bail on\n"), "{script}");
    assert_ne!(shell(&db, &script, Way::Redirected).code, 0);
    assert_eq!(dump(&db), low);
    let script = host.ok("diff c300 a100 --sql").stdout;
    let moved = host.dir.join("moved.db");
    fs::copy(&up, &moved).unwrap();
    assert_eq!(shell(&moved, &script, Way::Redirected).code, 0);
    check(&up, &script, &moved, std::slice::from_ref(&high));
    assert!(host.ok("ensure-version --sql").stdout.starts_with(".bail on\n"));

    a_script_refuses_other_databases(&host, &up);
    rows_that_do_not_fit_stop_a_script(&host);
    a_stamp_takes_over_what_was_edited(&host, &up);
}

/// The database has to be where the script begins.
fn a_script_refuses_other_databases(host: &Host, up: &Path) {
    let script = host.ok("upgrade --sql b200:head").stdout;
    let low = host.dir.join("app.db");
    for db in [low.as_path(), up] {
        let before = dump(db);
        let run = shell(db, &script, Way::Redirected);
        assert_ne!(run.code, 0, "{run}");
        assert_eq!(dump(db), before);
    }
    // Any other client stops at the first line.
    let conn = rusqlite::Connection::open(&low).unwrap();
    let err = conn.execute_batch(&host.ok("upgrade --sql").stdout).unwrap_err();
    assert!(err.to_string().contains("near \".\": syntax error"), "{err}");
    assert!(conn.is_autocommit());
    let plain = host.ok("upgrade --sql=plain").stdout;
    let head: Vec<&str> = plain.lines().take(3).collect();
    expect![[r#"
        -- This script does not stop by itself. Run it with a client that stops at the first error and rolls
        -- back, such as `sqlite3 -bail app.db < script.sql`: one that goes on would drop tables whose rows were not copied.
        -- Whether views and triggers still work isn't tried here; `cargo dbmigrate upgrade` does."#]]
    .assert_eq(&head.join("\n"));
    conn.execute_batch(&plain).unwrap();
    assert_eq!(dump(&low), dump(up));
    for command in ["downgrade --sql=plain", "stamp --sql=plain base", "ensure-version --sql=plain"]
    {
        assert!(host.ok(command).stdout.starts_with("-- This script does not stop"), "{command}");
    }
    assert_eq!(host.dbmigrate("upgrade --sql=other").code, 2);
    let json: serde_json::Value =
        serde_json::from_str(&host.ok("downgrade --sql --format json").stdout).unwrap();
    assert_eq!(json["sql"].as_str().unwrap(), host.ok("downgrade --sql").stdout);
}

/// The failure that the shell must not ignore: the copy fails, and the table isn't dropped.
fn rows_that_do_not_fit_stop_a_script(host: &Host) {
    let db = host.dir.join("twice.db");
    host.ok("upgrade a100 --url twice.db");
    fill(&db, "(1, 'same'), (2, 'same')");
    let before = dump(&db);
    let script = host.ok("upgrade --sql --url twice.db").stdout;
    for way in [Way::Redirected, Way::Piped, Way::Read, Way::Argument] {
        let run = shell(&db, &script, way);
        assert_ne!(run.code, 0, "{way:?}: {run}");
        assert_eq!(dump(&db), before, "{way:?}");
    }
    // A commit that fails because another process is reading is an error as well.
    let reader = rusqlite::Connection::open(&db).unwrap();
    reader.execute_batch("DELETE FROM post WHERE id = 2; BEGIN").unwrap();
    let n: i64 = reader.query_row("SELECT count(*) FROM post", [], |row| row.get(0)).unwrap();
    assert_eq!(n, 1);
    let before = dump(&db);
    let run = shell(&db, &script, Way::Redirected);
    assert!(run.code != 0 && run.stderr.contains("locked"), "{run}");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(dump(&db), before);
    assert_eq!(shell(&db, &script, Way::Redirected).code, 0);
}

fn a_stamp_takes_over_what_was_edited(host: &Host, up: &Path) {
    host.replace("migrations/versions/m3_rest.rs", "ix_post_title\", [", "ix_other\", [");
    host.fails("upgrade --url up.db");
    let script = host.ok("stamp --sql current --url up.db").stdout;
    assert_eq!(shell(up, &script, Way::Redirected).code, 0, "{script}");
    host.ok("upgrade --url up.db");
}

/// The shell also changes line endings within a text, and escape sequences are only for terminals.
#[test]
fn a_script_has_every_character_of_a_text() {
    if !has_sqlite_shell("a script has every character of a text") {
        return;
    }
    let host = Host::library("script-texts", "");
    host.ok("init");
    let text = "one\r\ntwo'\r\n.exit\r\n/\r\ngo\r\n\r\u{1b}[31mred\u{1b}[0m \u{feff}\t\u{1F600}\0";
    let create = format!(
        "op.create_table(Table::new(\"note\")\
         .column(Column::new(\"id\", Type::BigInteger).not_null())\
         .column(Column::new(\"body\", Type::Text).default({text:?}))\
         .primary_key(\"pk_note\", [\"id\"]));\n    \
         op.execute(\"INSERT INTO note (id) VALUES (1)\");\n    \
         op.execute({:?});",
        format!(
            "INSERT INTO note VALUES (2, '{}')",
            text.trim_end_matches('\0').replace('\'', "''")
        )
    );
    host.write("migrations/versions/m1.rs", &revision("a100", &[], "texts", &create, ""));
    host.ok("upgrade --url run.db");
    let db = host.dir.join("app.db");
    let run = shell(&db, &host.ok("upgrade --sql").stdout, Way::Redirected);
    assert_eq!(run.code, 0, "{run}");
    let rows = |path: &Path| {
        let conn = rusqlite::Connection::open(path).unwrap();
        let sql = "SELECT group_concat(hex(body) || typeof(body)) FROM note";
        conn.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()
    };
    assert_eq!(rows(&db), rows(&host.dir.join("run.db")));
    // The new default is only another spelling of the old one.
    host.ok("stamp --verify head");
}

/// The shell ends a statement at a line of `go` or `/`, takes lines that begin with a period for its
/// own commands, and changes the ends of lines.
#[test]
fn a_script_has_every_line_of_a_statement() {
    if !has_sqlite_shell("a script has every line of a statement") {
        return;
    }
    let host = Host::library("script-lines", "");
    host.ok("init");
    let statements = [
        "/* a\n.exit\n# comment\ngo\n/\n*/ CREATE TABLE t (a INTEGER, b INTEGER, \"x\r\ny\" TEXT)",
        "INSERT INTO t VALUES (7, 2, '\r\ngo\r\n/\r\n'),\n(\n  .5\n,\n8\n\t/ -- half\n2, '\n/\n.exit')",
        "CREATE VIEW alias AS SELECT a FROM t\nGO\n;",
        "CREATE VIEW joined AS SELECT x.a FROM t AS x JOIN t\ngO -- why\n",
        "CREATE VIEW after_comment AS SELECT a FROM t -- why\r\n\r\n go /* why */ \r\n",
        "CREATE VIEW divided AS SELECT a\n/\nb AS q, a -- by\n/\n/* the other */\nb AS r FROM t",
        "CREATE VIEW windows AS\r\n  SELECT a,\r\n  b FROM t",
        "CREATE TRIGGER tr INSTEAD OF DELETE ON divided BEGIN\r\n  SELECT RAISE(ABORT, 'one\r\ntwo')\r\n\
         FROM t\r\ngo\r\n; SELECT old.q\n/\n2; END",
        "CREATE VIRTUAL TABLE words USING fts5(\n  body,\n  go\n)",
        "SELECT 1 -- to the end\n",
    ];
    let body: Vec<String> = statements.map(|text| format!("op.execute({text:?});")).to_vec();
    host.write(
        "migrations/versions/m1.rs",
        &revision("a100", &[], "lines", &body.join("\n    "), ""),
    );
    host.ok("upgrade --url run.db");
    let conn = |path: &str| rusqlite::Connection::open(host.dir.join(path)).unwrap();
    let all = |conn: &rusqlite::Connection, query: &str| -> Vec<String> {
        let mut rows = conn.prepare(query).unwrap();
        rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let run = conn("run.db");
    for (db, option) in [("app.db", "--sql"), ("plain.db", "--sql=plain")] {
        let script = host.ok(&format!("upgrade {option} --url {db}")).stdout;
        let shell = shell(&host.dir.join(db), &script, Way::Redirected);
        assert_eq!((shell.code, shell.errors().as_str()), (0, ""), "{script}");
        let conn = conn(db);
        for query in [
            "SELECT quote(a) || quote(b) || hex(\"x\r\ny\") FROM t",
            "SELECT quote(a) FROM alias",
            "SELECT quote(a) FROM joined",
            "SELECT quote(a) FROM after_comment",
            "SELECT quote(q) || quote(r) FROM divided",
        ] {
            let is_plain_name = option == "--sql=plain" && query.contains("x\r\ny");
            let here = if is_plain_name { query.replace('\r', "") } else { query.to_owned() };
            assert_eq!(all(&conn, &here), all(&run, query), "{query}\n{script}");
        }
        // A line that would end the statement is joined to the one before it.
        let texts = "SELECT replace(replace(replace(replace(sql, char(13), ''), char(10), ' '), \
                     '/**/', ''), '  ', ' ') FROM sqlite_schema WHERE name NOT LIKE '%version%'";
        assert_eq!(all(&conn, texts), all(&run, texts), "{script}");
        if option == "--sql" {
            let texts = "SELECT sql FROM sqlite_schema WHERE name IN ('t', 'windows')";
            assert_eq!(all(&conn, texts), all(&run, texts), "{script}");
            let raised = conn.execute("DELETE FROM divided", []).unwrap_err();
            assert_eq!(raised.to_string(), "one\r\ntwo");
        }
    }
}
