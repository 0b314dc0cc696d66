//! `verify`: revisions run up, down and up again with rows, on a scratch database.

use dbmigrate_tests::servers;
use dbmigrate_tests::{Host, dump, revision, sql};
use expect_test::expect;

/// What a command prints, with its exit code.
fn said(host: &Host, command: &str) -> String {
    let run = host.dbmigrate(command);
    let (stdout, stderr) = (host.plain(&run.stdout), host.plain(&run.errors()));
    format!("$ {command} => {}\n{stdout}{stderr}", run.code)
}

fn write(host: &Host, id: &str, parents: &[&str], [upgrade, downgrade]: [&str; 2]) {
    let path = format!("migrations/versions/m_{id}.rs");
    host.write(&path, &revision(id, parents, id, upgrade, downgrade));
}

/// A table with a column of each type, a check, a unique column, and one that refers to another.
const TABLES: &str = r#"op.create_table(Table::new("author")
        .column(Column::new("id", Type::BigInteger).not_null())
        .column(Column::new("email", Type::String(120)).not_null())
        .primary_key("pk_author", ["id"])
        .unique("uq_author_email", ["email"]));
    op.create_table(Table::new("post")
        .column(Column::new("id", Type::BigInteger).not_null())
        .column(Column::new("author_id", Type::BigInteger).not_null())
        .column(Column::new("title", Type::String(20)).not_null())
        .column(Column::new("body", Type::Text))
        .column(Column::new("stars", Type::SmallInteger).not_null())
        .column(Column::new("price", Type::Decimal(8, 2)))
        .column(Column::new("rating", Type::Double))
        .column(Column::new("is_open", Type::Boolean).not_null())
        .column(Column::new("day", Type::Date))
        .column(Column::new("at", Type::Timestamp))
        .column(Column::new("key", Type::Uuid))
        .column(Column::new("more", Type::Json))
        .column(Column::new("bytes", Type::Binary))
        .primary_key("pk_post", ["id"])
        .check("ck_post_stars", "stars BETWEEN 1 AND 5")
        .foreign_key(ForeignKey::new("fk_post_author_id_author", ["author_id"], "author", ["id"])));
    op.create_index("post", Index::new("ix_post_author_id", ["author_id"]));"#;

const NO_TABLES: &str = "op.drop_table(\"post\");\n    op.drop_table(\"author\");";

fn host(name: &str) -> Host {
    let host = Host::library(name, "");
    host.ok("init");
    write(&host, "a100", &[], [TABLES, NO_TABLES]);
    host
}

#[test]
fn what_does_not_come_back_is_named_with_its_rows() {
    let host = host("verify");
    let mut seen = said(&host, "verify");
    assert!(!host.dir.join("app.db").exists());
    // The downgrade of the type loses what isn't a number, and that of the rename works.
    write(
        &host,
        "b200",
        &["a100"],
        [
            "op.rename_column(\"post\", \"body\", \"text\");\n    op.add_column(\"post\", \
         Column::new(\"slug\", Type::String(20)).not_null().default(\"-\"));",
            "op.drop_column(\"post\", \"slug\");\n    op.rename_column(\"post\", \"text\", \"body\");",
        ],
    );
    write(
        &host,
        "c300",
        &["b200"],
        [
            "op.drop_column(\"post\", \"rating\");",
            "op.add_column(\"post\", Column::new(\"rating\", Type::Double));",
        ],
    );
    write(
        &host,
        "d400",
        &["c300"],
        ["op.drop_table(\"post\");", "op.irreversible(\"it is gone\");"],
    );
    seen += &said(&host, "verify");
    seen += &said(&host, "verify c300:d400");
    seen += &said(&host, "verify b200");
    // A downgrade that forgets an index, one that changes rows, and one that fails.
    for [upgrade, downgrade] in [
        ["op.drop_index(\"post\", \"ix_post_author_id\");", "let _ = op;"],
        [
            "op.execute(\"UPDATE post SET text = upper(text)\");",
            "op.execute(\"UPDATE post SET text = NULL WHERE id = 2\");",
        ],
        [
            "op.execute(\"DELETE FROM post WHERE id = 3\");",
            "op.execute(\"DELETE FROM post WHERE id > 5\");",
        ],
        [
            "op.add_unique(\"post\", Unique::new(\"uq_post_title\", [\"title\"]));",
            "op.drop_unique(\"post\", \"uq_post_title\");",
        ],
        [
            "op.execute(\"CREATE VIEW titles AS SELECT title FROM post\");",
            "op.execute(\"DROP VIEW title\");",
        ],
        ["op.run(\"count\", |_| { std::fs::write(\"ran\", \"\")?; Ok(()) });", ""],
        ["op.execute(\"ATTACH 'other.db' AS other\");", ""],
    ] {
        write(&host, "c300", &["b200"], [upgrade, downgrade]);
        write(&host, "d400", &["c300"], ["", ""]);
        seen += &said(&host, "verify c300");
    }
    seen += &said(&host, "verify c300:");
    assert!(!host.dir.join("ran").exists() && !host.dir.join("other.db").exists());
    expect![[r#"
        $ verify => 0
        a100, a100: up, down and up again, with 41 rows
        1 of 1 revision went up, down and up again on SQLite in memory.
        $ verify => 0
        a100, a100: up, down and up again, with 41 rows
        b200, b200: up, down and up again, with 45 rows
        c300, c300: up, down and up again, with 54 rows
        d400, d400: up only, since it can't be undone: it is gone
        3 of 4 revisions went up, down and up again on SQLite in memory.
        note: revision `c300`: its upgrade discards the values of `post.rating`, which no downgrade brings back
        $ verify c300:d400 => 0
        d400, d400: up only, since it can't be undone: it is gone
        0 of 1 revision went up, down and up again on SQLite in memory.
        $ verify b200 => 0
        b200, b200: up, down and up again, with 45 rows
        1 of 1 revision went up, down and up again on SQLite in memory.
        $ verify c300 => 1
        c300, c300: does not come back
          after its downgrade, the schema is not what it was before:
            index `ix_post_author_id` of table `post` is missing from the database
          in migrations/versions/m_c300.rs
        0 of 1 revision went up, down and up again on SQLite in memory.
        $ verify c300 => 1
        c300, c300: does not come back
          after its downgrade, rows are not what they were before:
            table `post`, row `id` = 1: `text` was 'x' and is 'X'
            table `post`, row `id` = 2: `text` was 'x' and is NULL
            table `post`, row `id` = 3: `text` was 'x' and is 'X'
            table `post`: 36 more rows differ
          in migrations/versions/m_c300.rs
        0 of 1 revision went up, down and up again on SQLite in memory.
        $ verify c300 => 1
        c300, c300: does not come back
          after its downgrade, rows are not what they were before:
            table `post` has lost a row: `id` = 3
            table `post` has lost a row: `id` = 6
            table `post` has lost a row: `id` = 7
            table `post`: 38 more rows differ
          in migrations/versions/m_c300.rs
        0 of 1 revision went up, down and up again on SQLite in memory.
        $ verify c300 => 0
        c300, c300: up, down and up again, with 40 rows
        1 of 1 revision went up, down and up again on SQLite in memory.
        note: revision `c300`: its upgrade stops on rows that were valid before it: UNIQUE constraint failed: post.title
        $ verify c300 => 1
        c300, c300: does not come back
          its downgrade fails right after its upgrade:
            revision `c300` was rolled back: statement 1 of 1 failed: DROP VIEW title
            caused by: no such view: title
          in migrations/versions/m_c300.rs
        0 of 1 revision went up, down and up again on SQLite in memory.
        $ verify c300 => 0
        c300, c300: up, down and up again, with 50 rows
        1 of 1 revision went up, down and up again on SQLite in memory.
        note: revision `c300`: its steps were not run; --run-steps runs them
        $ verify c300 => 1
        0 of 1 revision went up, down and up again on SQLite in memory.
        warning: revision `c300` was not run, since it reaches outside of the database: `ATTACH 'other.db' AS other`
        $ verify c300: => 1
        0 of 1 revision went up, down and up again on SQLite in memory.
        warning: revision `c300` was not run, since it reaches outside of the database: `ATTACH 'other.db' AS other`, and so were not the 1 revision after it
    "#]].assert_eq(&seen);
}

#[test]
fn steps_run_only_if_that_is_asked_for() {
    let host = host("verify-steps");
    let step = "op.run(\"shout\", |db| { \
        db.execute(\"UPDATE post SET body = upper(body)\", ())?; Ok(()) });";
    write(&host, "b200", &["a100"], [step, ""]);
    let quiet = host.ok("verify b200");
    assert!(quiet.stderr.contains("its steps were not run; --run-steps runs them"), "{quiet}");
    let run = host.dbmigrate("verify b200 --run-steps");
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.contains("`body` was 'x' and is 'X'"), "{run}");
}

#[test]
fn the_rows_of_a_copy_are_used_and_its_file_is_only_read() {
    let host = host("verify-copy");
    host.ok("upgrade");
    let db = host.dir.join("app.db");
    sql(&db, "INSERT INTO author VALUES (1, 'a@b.example'), (7, 'c@d.example');");
    let before = dump(&db);
    let mut seen = said(&host, "verify --copy app.db");
    let name = "op.add_column(\"author\", \
        Column::new(\"name\", Type::Text).not_null().default(\"-\"));";
    write(&host, "b200", &["a100"], [name, "op.drop_column(\"author\", \"name\");"]);
    let lower = "op.execute(\"UPDATE author SET email = 'x' WHERE id = 7\");";
    write(&host, "c300", &["b200"], [lower, ""]);
    let check = "op.add_check(\"author\", Check::new(\"ck_author_id\", \"id < 5\"));";
    seen += &said(&host, "verify --copy app.db");
    write(&host, "c300", &["b200"], [check, "op.drop_check(\"author\", \"ck_author_id\");"]);
    seen += &said(&host, "verify --copy app.db");
    seen += &said(&host, "verify --copy none.db");
    assert_eq!(dump(&db), before);
    let left = host.list("target/dbmigrate");
    assert!(left.iter().all(|path| !path.contains("verify-")), "{left:?}");
    expect![[r#"
        $ verify --copy app.db => 0
        There is no revision to verify on a copy of app.db.
        $ verify --copy app.db => 1
        b200, b200: up, down and up again, with 2 rows
        c300, c300: does not come back
          after its downgrade, rows are not what they were before:
            table `author`, row `id` = 7: `email` was 'c@d.example' and is 'x'
          in migrations/versions/m_c300.rs
        1 of 2 revisions went up, down and up again on a copy of app.db.
        $ verify --copy app.db => 1
        b200, b200: up, down and up again, with 2 rows
        c300, c300: does not come back
          its upgrade fails:
            revision `c300` was rolled back: statement 2 of 7 failed: INSERT OR ABORT INTO "dbmigrate_new_author" ("id", "email", "name") SELECT "id", "email", "name" FROM "author"
            caused by: CHECK constraint failed: ck_author_id
            hint: existing rows conflict with this change (add check `ck_author_id` to table `author`): correct them first, in a step of the revision
          in migrations/versions/m_c300.rs
        1 of 2 revisions went up, down and up again on a copy of app.db.
        $ verify --copy none.db => 3
        error: the database `none.db` does not exist
          hint: --copy takes the path of an SQLite file
    "#]].assert_eq(&seen);
}

/// A file whose tables need what only the application has: a function, and a collation. Rows of a
/// table without a key keep their numbers.
#[test]
fn a_copy_has_what_only_the_application_can_use() {
    let host = host("verify-copy-of-application");
    let members =
        "op.create_table(Table::new(\"member\").column(Column::new(\"name\", Type::Text)));";
    write(&host, "b200", &["a100"], [members, "op.drop_table(\"member\");"]);
    host.ok("upgrade");
    sql(
        &host.dir.join("app.db"),
        "INSERT INTO member (rowid, name) VALUES (3, 'Ada'), (7, 'Grace');
         CREATE TABLE note (id INTEGER PRIMARY KEY, title TEXT COLLATE nocase, body TEXT);
         CREATE INDEX ix_note_body ON note (lower(body));
         CREATE INDEX ix_note_title ON note (title);
         INSERT INTO note VALUES (1, 'One', 'a');
         PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(replace(sql, 'nocase', 'german'), 'lower', 'slug');",
    );
    let third = "op.execute(\"UPDATE member SET name = 'x' WHERE rowid = 7\");";
    write(&host, "c300", &["b200"], [third, ""]);
    expect![[r#"
        $ verify --copy app.db => 1
        c300, c300: does not come back
          after its downgrade, rows are not what they were before:
            table `member` has lost a row: `name` = 'Grace'
            table `member` has one row more: `name` = 'x'
          in migrations/versions/m_c300.rs
        0 of 1 revision went up, down and up again on a copy of app.db.
    "#]]
    .assert_eq(&said(&host, "verify --copy app.db"));
}

/// Each server verifies the same history, on an empty database that is empty again.
#[test]
fn a_server_needs_an_empty_database_and_empties_it_again() {
    let test = "a_server_needs_an_empty_database_and_empties_it_again";
    let servers = servers::in_turn(test);
    if servers.is_empty() {
        return;
    }
    let mut host = host("verify-servers");
    host.replace(
        "migrations/dbmigrate.toml",
        "dialects = []",
        "dialects = [\"postgres\", \"mysql\", \"mariadb\"]",
    );
    write(
        &host,
        "b200",
        &["a100"],
        [
            "op.rename_column(\"post\", \"body\", \"text\");\n    op.add_column(\"post\", \
         Column::new(\"slug\", Type::String(20)).not_null().default(\"-\"));",
            "op.drop_column(\"post\", \"slug\");\n    op.rename_column(\"post\", \"text\", \"body\");",
        ],
    );
    let bad = "op.execute(\"UPDATE post SET title = 'same'\");";
    write(&host, "c300", &["b200"], [bad, ""]);
    let fails = host.fails("verify");
    assert!(fails.errors().contains("needs an empty database of"), "{fails}");
    for server in servers {
        let url = server.database();
        let run = host.dbmigrate(&format!("verify --shadow-url {url}"));
        assert_eq!(run.code, 1, "{}: {run}", server.name);
        let n_rows = |id: &str| {
            let line = run.stdout.lines().find(|line| line.starts_with(id)).expect("a line");
            let (_, rest) = line.split_once("up again, with ").expect("it came back");
            rest.split(' ').next().and_then(|n| n.parse::<usize>().ok()).expect("a number")
        };
        assert!(n_rows("a100") > 30 && n_rows("b200") > 30, "{}: {run}", server.name);
        assert!(run.stdout.contains("`title` was 'x' and is 'same'"), "{}: {run}", server.name);
        assert!(run.stdout.contains("2 of 3 revisions went up"), "{}: {run}", server.name);
        let secret = url.split_once(":secret@").map_or("no password", |_| "secret");
        assert!(!run.stdout.contains(secret), "{run}");
        // It is empty again, and one that isn't is refused.
        host.env("DATABASE_SHADOW_URL", &url);
        let run = host.ok("verify a100");
        assert!(run.stdout.contains("a100"), "{}: {run}", server.name);
        host.env_remove("DATABASE_SHADOW_URL");
        host.ok(&format!("upgrade a100 --url {url}"));
        let fails = host.fails(&format!("verify a100 --shadow-url {url}"));
        assert!(fails.errors().contains("is not empty"), "{}: {fails}", server.name);
    }
}

/// A downgrade that spoils rows on one edge alone is found out.
#[test]
fn what_only_happens_at_an_edge_is_named() {
    let host = host("verify-edges");
    let spoils = [
        ("body", "UPDATE post SET body = 'none' WHERE body IS NULL"),
        ("title", "UPDATE post SET title = substr(title, 1, 19) WHERE length(title) = 20"),
        ("title", "UPDATE post SET title = 'plain' WHERE title GLOB '*[^ -~]*'"),
        ("body", "UPDATE post SET body = substr(body, 1, 9999) WHERE length(body) >= 10000"),
        ("price", "UPDATE post SET price = 0 WHERE price < -999999"),
        ("rating", "UPDATE post SET rating = 0 WHERE abs(rating) > 1e308"),
        ("day", "UPDATE post SET day = '2100-01-01' WHERE day > '2100-01-01'"),
        ("bytes", "UPDATE post SET bytes = NULL WHERE length(bytes) = 0"),
    ];
    for (column, spoil) in spoils {
        let steps = [
            "op.drop_index(\"post\", \"ix_post_author_id\");".to_owned(),
            format!(
                "op.create_index(\"post\", Index::new(\"ix_post_author_id\", [\"author_id\"]));\n    \
             op.execute(\"{spoil}\");"
            ),
        ];
        write(&host, "b200", &["a100"], [&steps[0], &steps[1]]);
        let run = host.dbmigrate("verify b200");
        assert_eq!(run.code, 1, "{spoil}: {run}");
        assert!(run.stdout.contains("b200, b200: does not come back"), "{spoil}: {run}");
        assert!(run.stdout.contains(column), "{spoil}: {run}");
    }
}
