//! What the database stores about a revision whose file is missing or edited.

use std::fs;

use dbmigrate_tests::{Host, dump, revision, sql};
use expect_test::expect;

const USER: &str = "op.create_table(Table::new(\"user\").column(Column::new(\"id\", \
                    Type::BigInteger).not_null()).primary_key(\"pk_user\", [\"id\"]));";

const AGE: &str = "op.add_column(\"user\", Column::new(\"age\", Type::Integer));";

/// Two revisions, applied.
fn host(name: &str) -> Host {
    let host = Host::library(name, "");
    host.ok("init");
    let user = revision("a1", &[], "user", USER, "op.drop_table(\"user\");");
    host.write("migrations/versions/m1.rs", &user);
    let age = revision("b2", &["a1"], "age of users", AGE, "op.drop_column(\"user\", \"age\");");
    host.write("migrations/versions/m2.rs", &age);
    host.ok("upgrade");
    host
}

/// The text without the time, which it contains only once.
fn plain(text: &str) -> String {
    let line =
        |text: &str| match text.strip_prefix("Applied: ").and_then(|rest| rest.split_once(' ')) {
            Some((_, by)) => format!("Applied: $TIME {by}\n"),
            None => format!("{text}\n"),
        };
    text.lines().map(line).collect()
}

#[test]
fn an_applied_revision_whose_file_is_gone_is_told_from_the_database() {
    let host = host("gone");
    fs::remove_file(host.dir.join("migrations/versions/m2.rs")).unwrap();
    expect![[r#"
        a1 -> b2 (applied, file missing), age of users
        <base> -> a1 (head), user
    "#]]
    .assert_eq(&host.ok("history").stdout);
    expect![[r#"
        Rev: b2 (applied, file missing)
        Parent: a1
        Applied: $TIME by dbmigrate 0.1.0

            age of users

        upgrade:
            add column `age` to table `user`
    "#]]
    .assert_eq(&plain(&host.ok("show b").stdout));
    assert!(
        host.ok("history -v").stdout.starts_with("Rev: b2 (applied, file missing)\nParent: a1")
    );
    let json = |command: &str| -> serde_json::Value {
        serde_json::from_str(&host.ok(&format!("{command} --format json")).stdout).unwrap()
    };
    let show = &json("show b2")["revisions"][0];
    assert_eq!(show["upgrade"][0], "add column `age` to table `user`");
    assert!(show["path"].is_null());
    let history = json("history");
    assert_eq!(history["revisions"][0]["id"], "b2");
    assert_eq!(history["revisions"][0]["tool_version"], "0.1.0");

    sql(
        &host.dir.join("app.db"),
        "UPDATE dbmigrate_version SET format = 99, tool_version = '9.0.0' WHERE id = 'b2'",
    );
    let said = host.ok("show b2").stdout;
    let newer = "upgrade:\n    revision `b2` was applied by dbmigrate 9.0.0, in format 99, which \
                 this version does not support\n";
    assert!(said.ends_with(newer), "{said}");
    // Nothing is created to find out.
    fs::remove_file(host.dir.join("app.db")).unwrap();
    assert_eq!(host.ok("history").stdout, "<base> -> a1 (head), user\n");
    host.fails("show b2");
    assert!(!host.dir.join("app.db").exists());
}

#[test]
fn format_and_comments_are_no_edit_and_a_renamed_step_is() {
    let host = host("no-edit");
    let step = "op.run(\"fill\", |db| { db.execute(\"UPDATE user SET age = 1\", ())?; Ok(()) });";
    let with = |upgrade: &str| {
        let text = revision("c3", &["b2"], "fill", upgrade, "");
        host.write("migrations/versions/m3.rs", &text);
    };
    with(step);
    host.ok("upgrade");
    with(&step.replace("; ", ";\n\n        // a comment\n        "));
    host.ok("upgrade");
    with(&step.replace("age = 1", "age = 2"));
    host.ok("upgrade");
    with(&step.replace("fill", "fill ages"));
    let run = host.fails("upgrade");
    assert!(run.stderr.contains("revision `c3` was edited after it was applied"), "{run}");
}

#[test]
fn a_revision_that_is_being_written_is_done_again_as_it_is_now() {
    let host = host("rewritten");
    let db = host.dir.join("app.db");
    host.replace("migrations/versions/m2.rs", "Type::Integer", "Type::Text");
    host.replace(
        "migrations/versions/m2.rs",
        "drop_column(\"user\", \"age\")",
        "drop_table(\"x\")",
    );
    expect![[r#"
        Rev: b2 (head)
        Parent: a1
        Path: migrations/versions/m2.rs

            age of users

        upgrade:
            add column `age` to table `user`
        downgrade:
            drop table `x`
        Applied: $TIME by dbmigrate 0.1.0
        edited since; what it did in this database:
            add column `age` to table `user`
    "#]]
    .assert_eq(&plain(&host.ok("show b2").stdout));
    assert!(!host.ok("show a1").stdout.contains("edited"));
    let run = host.ok("redo");
    expect![[r#"
        note: revision `b2` was edited after it was applied; what was applied is undone, not what the file says now
    "#]]
    .assert_eq(&run.errors());
    expect![[r#"
        Running downgrade b2 -> a1, age of users
        Running upgrade a1 -> b2, age of users
    "#]]
    .assert_eq(&run.stdout);
    assert!(dump(&db).contains("\"age\" TEXT"), "{}", dump(&db));
    // An older revision that was edited and isn't undone is still refused.
    host.replace("migrations/versions/m1.rs", "pk_user", "pk_users");
    let run = host.fails("redo");
    assert!(run.stderr.contains("revision `a1` was edited after it was applied"), "{run}");
    host.replace("migrations/versions/m1.rs", "pk_users", "pk_user");

    let step = "op.run(\"fill\", |_| Ok(()));";
    host.write("migrations/versions/m3.rs", &revision("c3", &["b2"], "fill", step, ""));
    host.ok("upgrade");
    host.replace("migrations/versions/m3.rs", "\"fill\"", "\"fill all\"");
    let before = dump(&db);
    let run = host.fails("redo");
    expect![[r#"
        error: revision `c3` was edited after it was applied, and what was applied can't be reversed automatically
          caused by: cannot undo `run step `fill``: it is not known what the step does
          hint: revert the edit, and downgrade before you edit it
    "#]].assert_eq(&run.errors());
    assert_eq!(dump(&db), before);
}

#[test]
fn a_late_revision_is_refused_and_one_of_a_merged_branch_is_told_of() {
    let host = host("late");
    let before = dump(&host.dir.join("app.db"));
    host.write("migrations/versions/m1_late.rs", &revision("a5", &["a1"], "late", "", ""));
    host.replace("migrations/versions/m2.rs", "&[\"a1\"]", "&[\"a5\"]");
    expect![[r#"
        error: revision `a5` (late) is pending, but its successor `b2` is already applied, in migrations/versions/m1_late.rs
          hint: to run it now: `cargo dbmigrate upgrade a5`; to run it last: replace it in the `DOWN_REVISION` of `b2` with its own `DOWN_REVISION`, and set that to the head; if the database already has its changes: `cargo dbmigrate stamp current` marks it as applied
    "#]]
    .assert_eq(&host.fails("upgrade").errors());
    assert_eq!(host.fails("upgrade --sql").errors(), host.fails("upgrade").errors());
    let run = host.dbmigrate("check");
    assert_eq!(run.code, 1, "{run}");
    expect![[r#"
        The list in migrations/mod.rs does not match the revision files:
          it lacks migrations/versions/m1.rs
          it lacks migrations/versions/m1_late.rs
          it lacks migrations/versions/m2.rs
        Models and migrations differ:
          Detected removed table `user`
        The database is behind: a5 pending.
        revision `a5` (late) is pending, but its successor `b2` is already applied, in migrations/versions/m1_late.rs
        The database agrees with the migrations.
    "#]]
    .assert_eq(&run.stdout);
    assert_eq!(dump(&host.dir.join("app.db")), before);

    // Each of the ways that the hint names leads to a database with nothing pending.
    let copy = |name: &str| {
        fs::copy(host.dir.join("app.db"), host.dir.join(name)).unwrap();
    };
    ["now.db", "stamped.db", "last.db"].into_iter().for_each(copy);
    host.ok("upgrade a5 --url sqlite:now.db");
    host.ok("stamp current --url sqlite:stamped.db");
    for name in ["now", "stamped"] {
        let run = host.ok(&format!("upgrade --url sqlite:{name}.db"));
        assert!(run.stderr.contains("Nothing to upgrade"), "{run}");
        assert_eq!(host.ok(&format!("current --url sqlite:{name}.db")).stdout, "b2 (head)\n");
    }
    host.replace("migrations/versions/m2.rs", "&[\"a5\"]", "&[\"a1\"]");
    host.replace("migrations/versions/m1_late.rs", "&[\"a1\"]", "&[\"b2\"]");
    let run = host.ok("upgrade --url sqlite:last.db");
    assert!(run.stdout.contains("b2 -> a5, late"), "{run}");
    assert_eq!(host.ok("current --url sqlite:last.db").stdout, "a5 (head)\n");
    host.replace("migrations/versions/m1_late.rs", "&[\"b2\"]", "&[\"a1\"]");

    host.write("migrations/versions/m3.rs", &revision("c3", &["a5", "b2"], "merge", "", ""));
    let run = host.ok("upgrade");
    expect![[r#"
        note: revision `a5` runs after `b2`, which comes after it in the history and is already applied; on a new database it runs before it
    "#]]
    .assert_eq(&run.errors());
    assert_eq!(host.ok("current").stdout, "c3 (head) (mergepoint)\n");
}
