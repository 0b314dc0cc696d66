//! The commands around `migrate` and `upgrade`, on a linear history.

use std::process::Command;

use dbmigrate_tests::{Host, Run, dump, revision, sql};
use expect_test::expect;

/// Three revisions: a table, a column, an index.
fn host(name: &str) -> Host {
    let host = Host::library(name, "");
    host.ok("init");
    let write =
        |file: &str, text: String| host.write(&format!("migrations/versions/{file}"), &text);
    write(
        "m1_user.rs",
        revision(
            "a100",
            &[],
            "user",
            "op.create_table(Table::new(\"user\")\
             .column(Column::new(\"id\", Type::BigInteger).not_null())\
             .column(Column::new(\"name\", Type::Text))\
             .primary_key(\"pk_user\", [\"id\"]));",
            "op.drop_table(\"user\");",
        ),
    );
    write(
        "m2_age.rs",
        revision(
            "b200",
            &["a100"],
            "age",
            "op.add_column(\"user\", Column::new(\"age\", Type::Integer));",
            "op.drop_column(\"user\", \"age\");",
        ),
    );
    write(
        "m3_index.rs",
        revision(
            "c300",
            &["b200"],
            "index",
            "op.create_index(\"user\", Index::new(\"ix_user_age\", [\"age\"]));",
            "op.drop_index(\"user\", \"ix_user_age\");",
        ),
    );
    host
}

#[test]
fn lists_and_marks() {
    let host = host("lists");
    host.ok("upgrade b200");
    assert_eq!(host.ok("heads").stdout, "c300 (head)\n");
    assert_eq!(host.ok("current").stdout, "b200\n");
    let run = host.dbmigrate("current --check-heads");
    assert_eq!(run.code, 1, "{run}");
    expect![[r#"
        b200 -> c300 (head), index
        a100 -> b200 (current), age
        <base> -> a100, user
    "#]]
    .assert_eq(&host.ok("history -i").stdout);
    expect![[r#"
        a100 -> b200, age
        <base> -> a100, user
    "#]]
    .assert_eq(&host.ok("history -r a100:current").stdout);
    expect![[r#"
        b200 -> c300 (head), index
        a100 -> b200, age
    "#]]
    .assert_eq(&host.ok("history -r b200:").stdout);
    expect![[r#"
        <base> -> a100, user
    "#]]
    .assert_eq(&host.ok("history -r :-1").stdout);
    expect![[r#"
        Rev: b200
        Parent: a100
        Path: migrations/versions/m2_age.rs

            age

        upgrade:
            add column `age` to table `user`
        downgrade:
            drop column `age` of table `user`
    "#]]
    .assert_eq(&host.ok("show b2").stdout);
    expect![[r#"
        Current revision(s) for sqlite:$HOST/app.db:
        Rev: b200
        Parent: a100
        Path: migrations/versions/m2_age.rs

            age

    "#]]
    .assert_eq(&host.ok("current -v").stdout.replace(&*host.dir.to_string_lossy(), "$HOST"));
    host.ok("upgrade +1");
    host.ok("current --check-heads");
    assert_eq!(host.ok("show head-2").stdout, host.ok("show a100").stdout);
}

#[test]
fn history_takes_every_range() {
    let host = host("ranges");
    let ids = |range: &str| {
        let run = host.ok(&format!("history -r {range}"));
        let id = |text: &str| {
            let id = text.split_whitespace().nth(2).unwrap_or_default();
            id.trim_end_matches(',').to_owned()
        };
        run.stdout.lines().map(id).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids("a100:+1"), "b200 a100");
    assert_eq!(ids("a100:+2"), "c300 b200 a100");
    assert_eq!(ids("-1:c300"), "c300 b200");
    assert_eq!(ids("-2:c3"), "c300 b200 a100");
    assert_eq!(ids("-5:c300"), "c300 b200 a100", "a beginning that is too far back");
    assert_eq!(ids("current:"), "c300 b200 a100", "nothing is applied");
    assert_eq!(ids(":"), "c300 b200 a100");
    assert_eq!(ids("c300-1:head"), "c300 b200");
    let run = host.fails("history -r a100:+5");
    assert!(run.stderr.contains("`a100+5` goes too far: there are only 2"), "{run}");
    let run = host.fails("history -r c300:a100");
    assert!(run.stderr.contains("`c300` does not come before `a100`"), "{run}");
    assert_eq!(host.ok("current -v").code, 0);
    assert!(!host.dir.join("app.db").exists(), "who only reads creates nothing");
    host.ok("ensure-version");
    host.ok("upgrade b200");
    assert_eq!(ids("current:"), "c300 b200");
    assert_eq!(ids(":current"), "b200 a100");
    assert_eq!(ids("-1:current"), "b200 a100");
    assert_eq!(ids("current-1:current"), "b200 a100");
}

#[test]
fn every_command_has_a_form_for_programs() {
    let host = host("json");
    let check = |command: &str| {
        let run = host.ok(&format!("{command} --format json"));
        let json = run.json();
        assert_eq!(json["version"], 1, "{run}");
        assert_eq!(json["command"], command.split(' ').next().unwrap(), "{run}");
        json
    };
    assert_eq!(check("heads")["heads"][0], "c300");
    assert_eq!(check("upgrade b200")["ran"], serde_json::json!(["a100", "b200"]));
    assert_eq!(check("current")["current"][0], "b200");
    assert_eq!(check("current")["at_head"], false);
    assert_eq!(check("history")["revisions"][0]["id"], "c300");
    assert_eq!(
        check("show c300")["revisions"][0]["upgrade"][0],
        "create index `ix_user_age` on table `user`"
    );
    assert_eq!(check("downgrade")["ran"], serde_json::json!(["b200"]));
    assert!(check("upgrade --sql")["sql"].as_str().unwrap().contains("ADD COLUMN"));
    assert_eq!(check("redo")["undone"], serde_json::json!(["a100"]));
    assert_eq!(check("reset --yes")["ran"].as_array().unwrap().len(), 3);
    assert_eq!(check("stamp b200")["revisions"], serde_json::json!(["b200"]));
    assert_eq!(check("revision -m empty --rev-id d400")["revision"], "d400");
    assert_eq!(check("undo")["revision"], "d400");
}

#[test]
fn an_empty_revision_is_written_and_taken_back() {
    let host = host("undo");
    let run = host.ok("revision -m \"by hand\" --rev-id d400");
    let path =
        host.revisions().into_iter().find(|revision| revision.contains("d400_by_hand")).unwrap();
    assert_eq!(run.stdout, format!("Generating {path} ... done\n"));
    assert!(host.read("migrations/mod.rs").contains("_d400_by_hand;"));
    let module = host.read(&path);
    assert!(module.contains("pub const DOWN_REVISION: &[&str] = &[\"c300\"];"), "{module}");
    assert!(module.contains("pub fn upgrade(op: &mut Operations) {}"), "{module}");
    assert!(!module.contains("###"), "{module}");

    // Nothing has been done with the revision, so it is removed, even if it doesn't compile.
    host.write(&path, &module.replace("{}", "{ nonsense"));
    assert_eq!(host.ok("undo").stdout, format!("Deleting {path} ... done\n"));
    assert!(!host.dir.join(&path).exists());
    assert!(!host.read("migrations/mod.rs").contains("by_hand"));
    host.ok("upgrade");
    let run = host.fails("undo");
    expect![[r#"
        error: revision `c300` is applied, so it stays
          hint: `cargo dbmigrate downgrade` undoes it first
    "#]]
    .assert_eq(&run.errors());
    assert_eq!(host.revisions().len(), 3);
}

#[test]
fn down_and_up_again_and_from_nothing() {
    let host = host("redo");
    let db = host.dir.join("app.db");
    host.ok("upgrade");
    sql(&db, "INSERT INTO user VALUES (1, 'ada', 36)");
    let before = dump(&db);
    assert_eq!(
        host.ok("redo").stdout,
        "Running downgrade c300 -> b200, index\nRunning upgrade b200 -> c300, index\n"
    );
    assert_eq!(dump(&db), before);
    let run = host.fails("redo -n 2");
    assert!(run.stderr.contains("column `user.age`"), "{run}");
    assert_eq!(dump(&db), before, "a refused redo changes nothing");
    host.ok("redo -n 2 --allow-destructive");
    assert!(dump(&db).contains("user: 1, \"ada\", NULL"), "{}", dump(&db));

    let run = host.fails("reset");
    expect![[r#"
        error: `$HOST/app.db` would be deleted with all its rows
          hint: --yes deletes it without asking
    "#]]
    .assert_eq(&host.plain(&run.errors()));
    assert!(db.exists());
    host.ok("reset --yes");
    assert!(!dump(&db).contains("user: "));
    assert_eq!(host.ok("current").stdout, "c300 (head)\n");
    host.write("other.db", "not a database, so it is nobody's to delete");
    host.fails("reset --yes --url other.db");
    assert!(host.dir.join("other.db").exists());
}

#[test]
fn a_way_down_asks_for_what_it_drops_under_another_name_or_by_sql() {
    let host = host("losses");
    host.ok("upgrade");
    let db = host.dir.join("app.db");
    sql(&db, "INSERT INTO user VALUES (1, 'ada', 36)");
    let before = dump(&db);
    let age = host.read("migrations/versions/m2_age.rs");
    let down = |text: &str| {
        let text = age.replace("op.drop_column(\"user\", \"age\");", text);
        host.write("migrations/versions/m2_age.rs", &text);
        let run = host.fails("downgrade a100");
        assert!(run.stderr.contains("the downgrade would discard"), "{run}");
        assert!(run.stderr.contains("(1 row)"), "{run}");
        assert_eq!(dump(&db), before);
    };
    down("op.rename_table(\"user\", \"person\"); op.drop_column(\"person\", \"age\");");
    down("op.rename_column(\"user\", \"age\", \"n\"); op.drop_column(\"user\", \"n\");");
    down("op.execute(\"DROP TABLE user\").describes(|op| op.drop_table(\"user\"));");
}

#[test]
fn nothing_is_deleted_before_it_is_known_that_the_rest_can_be_done() {
    let host = host("reset-refused");
    host.ok("upgrade");
    let db = host.dir.join("app.db");
    sql(&db, "INSERT INTO user VALUES (1, 'ada', 36)");
    host.fails("reset --yes --url sqlite:app.db?mode=rw");
    let unique = "op.no_transaction(); op.add_unique(\"user\", Unique::new(\"uq\", [\"name\"]));";
    host.write("migrations/versions/m4.rs", &revision("d400", &["c300"], "x", unique, ""));
    let run = host.fails("reset --yes");
    assert!(run.stderr.contains("needs a transaction"), "{run}");
    assert!(dump(&db).contains("\"ada\""));
    // Without the constants it isn't known which file is the newest.
    host.replace("migrations/versions/m4.rs", "&str = \"d400\"", "&str = ");
    let run = host.fails("undo");
    assert!(run.stderr.contains("`migrations/versions/m4.rs` has no `REVISION`"), "{run}");
    assert_eq!(host.revisions().len(), 4);
    host.write("migrations/versions/2027_x.rs", "");
    let run = host.fails("upgrade");
    assert!(run.stderr.contains("2027_x.rs` can't be a module's name"), "{run}");
    let run = host.fails("current --database reporting");
    assert!(run.stderr.contains("no database `reporting`"), "{run}");
}

#[test]
#[cfg(unix)]
fn a_reset_follows_links_and_a_failed_upgrade_leaves_no_new_file() {
    use std::os::unix::fs::symlink;

    let host = host("links");
    std::fs::create_dir(host.dir.join("data")).unwrap();
    symlink("data/real.db", host.dir.join("data-link.db")).unwrap();
    symlink("data-link.db", host.dir.join("app.db")).unwrap();
    // A link to a file that doesn't exist yet.
    host.ok("upgrade");
    let real = host.dir.join("data/real.db");
    sql(&real, "INSERT INTO user (id) VALUES (1)");
    let run = host.fails("reset");
    assert!(run.stderr.contains("data/real.db` would be deleted with all its rows"), "{run}");
    host.ok("reset --yes");
    for link in ["app.db", "data-link.db"] {
        assert!(host.dir.join(link).is_symlink(), "{link}");
    }
    assert!(!real.is_symlink());
    let rows = rusqlite::Connection::open(&real).unwrap();
    let rows = rows.query_row("SELECT count(*) FROM user", [], |row| row.get::<_, i64>(0));
    assert_eq!(rows, Ok(0));
    assert_eq!(dump(&real), dump(&host.dir.join("app.db")));
    assert_eq!(host.list("data"), ["real.db"]);
    // A second name of the file itself would keep the rows.
    let other = host.dir.join("data/other.db");
    std::fs::hard_link(&real, &other).unwrap();
    let run = host.fails("reset --yes");
    expect![[r#"
        error: `$HOST/data/real.db` is a hard link: the file has another name, under which the rows would stay
          hint: delete one of the names first; `downgrade base` and `upgrade` keep both
    "#]]
    .assert_eq(&host.plain(&run.errors()));
    assert_eq!(dump(&real), dump(&other));
    std::fs::remove_file(&other).unwrap();
    host.ok("reset --yes");

    // A failing run leaves no file that didn't exist before.
    let before = host.list(".");
    let fails = "op.execute(\"SELECT no_such_column\");";
    let text = revision("d400", &["c300"], "fails", fails, "");
    host.write("migrations/versions/m4_fails.rs", &text);
    for _ in 0..2 {
        let run = host.fails("upgrade --url new.db");
        assert!(run.stderr.contains("no such column: no_such_column"), "{run}");
        assert_eq!(host.list("."), before);
    }
    // Nor if each revision has its own transaction, or if none runs.
    host.replace(
        "migrations/versions/m1_user.rs",
        "op.create_table",
        "op.execute(\"SELECT no_such_column\");\n    op.create_table",
    );
    let run = host.fails("upgrade --url new.db --transaction each");
    assert!(run.stderr.contains("no such column: no_such_column"), "{run}");
    host.replace(
        "migrations/versions/m1_user.rs",
        "op.execute(\"SELECT no_such_column\");\n    ",
        "",
    );
    let settings = host.read("migrations/dbmigrate.toml");
    host.write("migrations/dbmigrate.toml", "version_table = \"sqlite_rows\"\n");
    for command in ["stamp c300", "ensure-version"] {
        let run = host.fails(&format!("{command} --url new.db"));
        assert!(run.stderr.contains("sqlite_rows"), "{run}");
    }
    host.write("migrations/dbmigrate.toml", &settings);
    assert_eq!(host.list("."), before);
    host.ok("upgrade c300 --url new.db");
    assert!(host.list(".").contains(&"new.db".to_owned()));
    assert_eq!(host.list(".").len(), before.len() + 1, "{:?}", host.list("."));
    assert_eq!(dump(&host.dir.join("new.db")), dump(&real));
}

#[test]
fn an_edited_revision_is_accepted_by_stamping_what_is_applied() {
    let host = host("accept");
    host.ok("upgrade");
    host.replace("migrations/versions/m1_user.rs", "pk_user", "pk_users");
    let run = host.fails("upgrade");
    assert!(run.stderr.contains("`cargo dbmigrate stamp current` accepts it"), "{run}");
    host.ok("stamp current");
    assert_eq!(host.ok("upgrade").stdout, "");
    assert_eq!(host.ok("current").stdout, "c300 (head)\n");
}

#[test]
fn the_script_does_what_the_run_does() {
    let host = host("script");
    let run = host.ok("upgrade --sql");
    assert!(!host.dir.join("app.db").exists());
    let by_script = host.dir.join("script.db");
    sql(&by_script, &run.stdout);
    host.ok("upgrade");
    assert_eq!(dump(&by_script), dump(&host.dir.join("app.db")));
    assert_eq!(host.ok("upgrade --sql").stdout, "", "nothing is pending");
    let run = host.ok("upgrade --sql :head");
    assert_eq!(run.stdout.matches("COMMIT;").count(), 1, "{run}");
    let run = host.ok("upgrade --sql :head --transaction each");
    assert_eq!(run.stdout.matches("COMMIT;").count(), 3, "{run}");
    let each = host.dir.join("each.db");
    sql(&each, &run.stdout);
    assert_eq!(dump(&each), dump(&host.dir.join("app.db")));

    let run = host.ok("downgrade --sql c300:a100");
    sql(&by_script, &run.stdout);
    host.ok("downgrade a100");
    assert_eq!(dump(&by_script), dump(&host.dir.join("app.db")));
    let run = host.ok("upgrade --sql a100:b200");
    sql(&by_script, &run.stdout);
    host.ok("upgrade b200");
    assert_eq!(dump(&by_script), dump(&host.dir.join("app.db")));
    let run = host.ok("stamp --sql head");
    sql(&by_script, &run.stdout);
    assert_eq!(host.ok("current --url script.db").stdout, "c300 (head)\n");
}

#[test]
fn a_revision_is_opened_in_the_editor() {
    let mut host = host("edit");
    let run = host.fails("edit");
    expect![[r#"
        error: no editor is set
          hint: set the environment variable EDITOR, for example to `vi`
    "#]]
    .assert_eq(&run.errors());
    host.env("EDITOR", "no-such-editor");
    let run = host.fails("edit");
    assert!(run.stderr.contains("failed to run the editor `no-such-editor`"), "{run}");
    // This includes a revision that doesn't compile.
    host.replace("migrations/versions/m3_index.rs", "op.create_index(", "op.creat_index(");
    host.env("EDITOR", "cat");
    assert!(host.ok("edit").stdout.contains("op.creat_index("));
    assert!(host.ok("edit a1").stdout.contains("REVISION: &str = \"a100\""));
    host.env("VISUAL", "cat");
    host.env("EDITOR", "no-such-editor");
    assert!(host.ok("edit b2").stdout.contains("b200"));
}

#[test]
fn a_write_ahead_log_and_its_readers_are_no_hindrance() {
    let host = host("wal");
    let db = host.dir.join("app.db");
    host.ok("upgrade a100");
    sql(&db, "PRAGMA journal_mode = WAL; INSERT INTO user VALUES (1, 'ada')");
    let reader = rusqlite::Connection::open(&db).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM user").unwrap();
    let count =
        || -> i64 { reader.query_row("SELECT count(*) FROM user", [], |row| row.get(0)).unwrap() };
    assert_eq!(count(), 1);
    host.ok("upgrade");
    assert_eq!(count(), 1, "a reader goes on reading");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(host.ok("current").stdout, "c300 (head)\n");
    assert!(dump(&db).contains("user: 1, \"ada\", NULL"), "{}", dump(&db));

    let writer = rusqlite::Connection::open(&db).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let run = host.fails("downgrade --lock-timeout 1");
    let waiting = "another process holds the database's lock; waiting for up to 1 seconds\n";
    assert!(run.errors().starts_with(waiting), "{run}");
    assert!(run.stderr.contains("another process held the database's lock for 1."), "{run}");
    assert!(run.stderr.contains("or wait longer with --lock-timeout"), "{run}");
}

#[test]
fn one_transaction_for_the_run_or_one_for_each() {
    let host = host("transactions");
    host.replace(
        "migrations/versions/m3_index.rs",
        "op.create_index(",
        "op.execute(\"SELECT nope\"); op.create_index(",
    );
    host.fails("upgrade");
    assert_eq!(host.ok("current").stdout, "");
    host.fails("upgrade --transaction each");
    assert_eq!(host.ok("current").stdout, "b200\n");
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_does_not_stop_the_work() {
    let host = host("pipe");
    host.ok("heads");
    let tool = dbmigrate_tests::tool().display();
    let shell = |script: &str| {
        let mut shell: Command = host.command("bash");
        shell.args(["-c", &script.replace("TOOL", &format!("'{tool}' dbmigrate"))]);
        Run::of(&mut shell)
    };
    let run = shell("TOOL upgrade --transaction each | true; exit ${PIPESTATUS[0]}");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
    assert_eq!(host.ok("current").stdout, "c300 (head)\n");
    let run = shell("TOOL reset --yes | true; exit ${PIPESTATUS[0]}");
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(host.ok("current").stdout, "c300 (head)\n");
    if std::path::Path::new("/dev/full").exists() {
        let run = shell("TOOL upgrade --sql base:head > /dev/full");
        assert_eq!(run.code, 3, "{run}");
        assert!(run.stderr.contains("failed to write to standard output"), "{run}");
    }
}

#[test]
fn a_database_that_another_process_has_to_itself_is_waited_for() {
    let host = host("exclusive");
    host.ok("upgrade b200");
    let other = rusqlite::Connection::open(host.dir.join("app.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let run = host.fails("upgrade --lock-timeout 1");
    expect![[r#"
        another process holds the database's lock; waiting for up to 1 seconds
        error: failed to open the database `$HOST/app.db`
          caused by: database is locked
          hint: another process holds its lock: let it finish, and run the command again
    "#]]
    .assert_eq(&host.plain(&run.errors()));
    std::thread::scope(|scope| {
        let upgrade = scope.spawn(|| host.ok("upgrade"));
        std::thread::sleep(std::time::Duration::from_millis(700));
        other.execute_batch("COMMIT").unwrap();
        assert!(upgrade.join().unwrap().stdout.contains("-> c300"));
    });
}

#[test]
fn a_script_takes_a_revision_without_transaction_out_of_it() {
    let host = host("script-alone");
    host.replace(
        "migrations/versions/m2_age.rs",
        "{\n    op.add_column",
        "{\n    op.no_transaction(); op.execute(\"VACUUM\"); op.add_column",
    );
    let run = host.ok("upgrade --sql");
    sql(&host.dir.join("script.db"), &run.stdout);
    host.ok("upgrade");
    assert_eq!(dump(&host.dir.join("script.db")), dump(&host.dir.join("app.db")));
}

#[test]
fn what_was_typed_wrong_changes_nothing_and_a_closed_pipe_is_quiet() {
    let host = host("quiet");
    assert_eq!(host.dbmigrate("upgrade --frob").code, 2);
    let run = host.ok("upgrade -q");
    assert_eq!(run.stdout, "", "{run}");
    let run = host.ok("downgrade -v -1");
    assert!(run.stderr.contains("DROP INDEX \"ix_user_age\";"), "{run}");
    let mut shell: Command = host.command("sh");
    let tool = dbmigrate_tests::tool().display();
    shell.args(["-c", &format!("'{tool}' dbmigrate history -v | head -n 1")]);
    let run = Run::of(&mut shell);
    let is_quiet = run.stderr.lines().all(|line| line.starts_with("Database: "));
    assert!(run.code == 0 && is_quiet, "{run}");
}
