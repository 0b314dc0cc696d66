//! `upgrade --all`: many database files at once.

use std::fs;
use std::path::Path;

use dbmigrate_tests::{Host, dump, revision, sorted, sql};
use expect_test::expect;
use rusqlite::Connection;

/// Two revisions: a table, and a step that fills a new column.
fn host(name: &str) -> Host {
    let host = Host::library(name, "");
    host.ok("init");
    let user = "op.create_table(Table::new(\"user\")\
        .column(Column::new(\"id\", Type::BigInteger).not_null())\
        .column(Column::new(\"name\", Type::Text).not_null())\
        .primary_key(\"pk_user\", [\"id\"]));";
    let slug = "op.add_column(\"user\", Column::new(\"slug\", Type::Text));\n    \
        op.run(\"fill\", |db| {\n        \
        if db.query(\"SELECT 1 FROM user WHERE name = 'abort'\", ())?.len() > 0 {\n            \
        std::process::abort();\n        }\n        \
        let mark = db.arg(\"mark\").unwrap_or(\"\").to_owned();\n        \
        db.execute(\"UPDATE user SET slug = lower(name) || ?1\", (mark,))?;\n        \
        Ok(())\n    });";
    host.write("migrations/versions/m1.rs", &revision("a100", &[], "user", user, ""));
    host.write("migrations/versions/m2.rs", &revision("b200", &["a100"], "slug", slug, ""));
    host.write("tenants/new.db", "");
    host
}

/// This many files with one user each, at the first revision.
fn tenants(host: &Host, n: usize) {
    host.ok("upgrade a100 --url first.db");
    for idx in 0..n {
        let path = host.dir.join(format!("tenants/t{idx:02}.db"));
        fs::copy(host.dir.join("first.db"), &path).unwrap();
        sql(&path, &format!("INSERT INTO user VALUES ({idx}, 'Ada{idx}')"));
    }
}

fn last(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

#[test]
fn every_file_is_upgraded_with_its_rows_and_again_nothing_is_left_to_do() {
    let host = host("fan");
    tenants(&host, 30);
    let run = host.ok("upgrade --all \"tenants/*.db\" --jobs 4 -x mark=!");
    assert_eq!(run.errors(), "");
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 32, "{run}");
    assert!(lines.contains(&"tenants/new.db: 2 revisions"), "{run}");
    assert!(lines.contains(&"tenants/t29.db: 1 revision"), "{run}");
    assert_eq!(last(&run.stdout), "31 databases: 0 at head, 31 upgraded, 0 failed");
    for idx in 0..30 {
        let dump = dump(&host.dir.join(format!("tenants/t{idx:02}.db")));
        assert!(dump.contains(&format!("user: {idx}, \"Ada{idx}\", \"ada{idx}!\"")), "{dump}");
    }
    let before = fs::metadata(host.dir.join("tenants/t00.db")).unwrap().modified().unwrap();
    let run = host.ok("upgrade --all tenants --jobs 3");
    assert_eq!(run.stdout, "31 databases: 31 at head, 0 upgraded, 0 failed\n");
    assert_eq!(fs::metadata(host.dir.join("tenants/t00.db")).unwrap().modified().unwrap(), before);
    assert_eq!(host.list("tenants").len(), 31, "{:?}", host.list("tenants"));
    assert!(!host.dir.join("app.db").exists());
    assert_eq!(host.ok("upgrade -q --all tenants").stdout, "");
}

#[test]
fn a_file_that_fails_does_not_stop_the_others() {
    let host = host("fan-broken");
    tenants(&host, 8);
    host.write("tenants/text.db", &"not a database\n".repeat(100));
    sql(&host.dir.join("tenants/t01.db"), "UPDATE user SET name = 'abort'");
    sql(&host.dir.join("tenants/t02.db"), "ALTER TABLE user ADD COLUMN slug");
    sql(&host.dir.join("tenants/t03.db"), "UPDATE dbmigrate_version SET checksum = '1:ff'");
    sql(&host.dir.join("tenants/t04.db"), "UPDATE dbmigrate_version SET id = 'gone'");
    let locked = Connection::open(host.dir.join("tenants/t05.db")).unwrap();
    locked.execute_batch("BEGIN IMMEDIATE").unwrap();
    fs::create_dir(host.dir.join("tenants/directory.db")).unwrap();
    let before = dump(&host.dir.join("tenants/t02.db"));

    let failing = "upgrade --all \"tenants/*\" --lock-timeout 1";
    let run = host.fails(failing);
    expect![[r#"
        10 databases: 0 at head, 4 upgraded, 6 failed
        tenants/new.db: 2 revisions
        tenants/t00.db: 1 revision
        tenants/t06.db: 1 revision
        tenants/t07.db: 1 revision
    "#]]
    .assert_eq(&sorted(&run.stdout));
    assert!(
        run.stderr.contains("is not a database\n  hint: the file is not an SQLite database"),
        "{run}"
    );
    let errors = run.errors();
    let is_hint = |text: &&str| text.starts_with("  hint: ");
    assert_eq!(errors.lines().filter(is_hint).count(), 5, "{run}");
    let lines: Vec<&str> = errors.lines().filter(|line| !is_hint(line)).collect();
    expect![[r#"
        error: tenants/t01.db: revision `b200` was rolled back: step `fill` failed: its program ended before it finished
        error: tenants/t02.db: revision `b200` was rolled back: statement 1 of 2 failed: ALTER TABLE "user" ADD COLUMN "slug" TEXT: duplicate column name: slug
        error: tenants/t03.db: revision `a100` was edited after it was applied to this database, in migrations/versions/m1.rs
        error: tenants/t04.db: revision `gone` (user) is applied in the database, but this project does not have it
        error: tenants/t05.db: another process held the database's lock for 1.0 s: database is locked
        error: tenants/text.db: failed to open it: file is not a database
        tenants/t05.db: another process holds the database's lock; waiting for up to 1 seconds
    "#]].assert_eq(&sorted(&lines.join("\n")));
    assert_eq!(dump(&host.dir.join("tenants/t02.db")), before);

    locked.execute_batch("ROLLBACK").unwrap();
    let run = host.fails(&format!("{failing} --format json"));
    let document = run.json();
    assert_eq!(document["version"], 1);
    assert_eq!(document["command"], "upgrade");
    let databases = document["databases"].as_array().unwrap();
    let of = |name: &str| databases.iter().find(|value| value["path"] == name).unwrap();
    assert_eq!(databases.len(), 10, "{run}");
    assert_eq!(of("tenants/t05.db")["ran"], serde_json::json!(["b200"]));
    assert_eq!(of("tenants/t06.db")["ran"], serde_json::json!([]));
    assert!(of("tenants/t03.db")["error"]["message"].as_str().unwrap().contains("edited"));
    assert_eq!((&document["unchanged"], &document["upgraded"]), (&4.into(), &1.into()));
    assert_eq!(document["failed"], 5);
}

#[test]
fn what_matches_nothing_or_is_no_revision_is_said_before_anything_is_done() {
    let host = host("fan-none");
    let check = |args: &str, text: &str| {
        let run = host.fails(&format!("upgrade {args}"));
        assert!(run.stderr.contains(text), "{run}");
        assert_eq!(run.stdout, "");
        assert_eq!(fs::metadata(host.dir.join("tenants/new.db")).unwrap().len(), 0);
    };
    check("--all tenants --all \"customers/*.db\"", "error: no file matches `customers/*.db`");
    check("--all tenants/none.db", "error: no file matches `tenants/none.db`");
    check("--all src", "error: there is no database in the directory `src`");
    check("--all \"tenants/***\"", "error: `tenants/***` is not a valid file pattern");
    check("--all tenants c300", "error: no revision `c300` in this project");
    check("--all tenants base", "cannot upgrade to `base`");
    check("--all tenants tenants/new.db", "put the pattern of --all in quotes");
    let misused = |args: &str, text: &str| {
        let run = host.dbmigrate(args);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains(text), "{run}");
    };
    misused("upgrade --all tenants --sql", "cannot be used with '--sql[=<FOR>]'");
    misused("upgrade --all tenants --url x.db", "cannot be used with '--url <URL>'");
    misused("--url x.db upgrade --all tenants", "cannot be used with '--url <URL>'");
    misused("upgrade --jobs 2", "--all <PATTERN>");
    misused("upgrade --all tenants --jobs 0", "invalid value '0'");
}

#[test]
fn a_revision_other_than_the_head_and_one_counted_from_each_file() {
    let host = host("fan-counted");
    host.ok("upgrade a100 --url tenants/first.db");
    let run = host.ok("upgrade --all tenants a1");
    expect![[r#"
        2 databases: 1 unchanged, 1 upgraded, 0 failed
        tenants/new.db: 1 revision
    "#]]
    .assert_eq(&sorted(&run.stdout));
    host.ok("upgrade +1 --url tenants/first.db");
    let run = host.fails("upgrade --all tenants +1");
    assert!(run.stdout.contains("tenants/new.db: 1 revision\n"), "{run}");
    assert!(run.stderr.contains("error: tenants/first.db: `+1` goes too far"), "{run}");
}

/// A pattern matches what it matches in a shell, except for SQLite's files next to a database.
#[test]
fn files_in_use_and_files_with_strange_names() {
    let host = host("fan-names");
    host.write("tenants/.hidden.db", "");
    host.write("tenants/deep/[x] y.db", "");
    let open = Connection::open(host.dir.join("tenants/wal.db")).unwrap();
    open.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x)").unwrap();
    let run =
        host.ok("upgrade --all \"tenants/*\" --all tenants/new.db --all \"tenants/deep/[x] y.db\"");
    expect![[r#"
        3 databases: 0 at head, 3 upgraded, 0 failed
        tenants/deep/[x] y.db: 2 revisions
        tenants/new.db: 2 revisions
        tenants/wal.db: 2 revisions
    "#]]
    .assert_eq(&sorted(&run.stdout));
    drop(open);
    // Only reading a file leaves nothing next to it.
    let run = host.ok("upgrade --all \"**/*.db\"");
    assert_eq!(run.stdout, "3 databases: 3 at head, 0 upgraded, 0 failed\n");
    assert_eq!(host.list("tenants"), [".hidden.db", "deep", "new.db", "wal.db"]);
    let is_empty = |path: &Path| fs::metadata(path).unwrap().len() == 0;
    assert!(is_empty(&host.dir.join("tenants/.hidden.db")));
}

#[test]
fn a_file_that_can_only_be_read_is_no_trouble_at_the_head() {
    let host = host("fan-read-only");
    tenants(&host, 2);
    host.ok("upgrade --url tenants/t00.db");
    for name in ["t00", "t01"] {
        // Made read-only by its header, since permissions don't restrict the superuser: a version
        // of the format that may be read but not written (sqlite.org/fileformat.html).
        let path = host.dir.join(format!("tenants/{name}.db"));
        let mut bytes = fs::read(&path).unwrap();
        bytes[18] = 3;
        fs::write(&path, bytes).unwrap();
    }
    let run = host.fails("upgrade --all \"tenants/t*.db\"");
    assert_eq!(run.stdout, "2 databases: 1 at head, 0 upgraded, 1 failed\n", "{run}");
    let line = "error: tenants/t01.db: ";
    assert!(run.stderr.starts_with(line) && run.stderr.contains("readonly database"), "{run}");
}
