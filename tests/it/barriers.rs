//! Revisions with a barrier, which an upgrade stops before.

use std::fs;

use dbmigrate_tests::{Host, revision, servers, sql};
use expect_test::expect;

const MODELS: &str = "#[derive(dbmigrate_runtime::Model)]\n\
    pub struct Customer {\n    #[model(primary_key)]\n    pub id: i64,\n}\n";

/// A project whose second of three revisions has a barrier.
fn project(name: &str) -> Host {
    let host = Host::library(name, MODELS);
    host.ok("init");
    let key = "Column::new(\"id\", Type::BigInteger).not_null()";
    let name = "Column::new(\"name\", Type::Text)";
    let files = [
        revision(
            "a100",
            &[],
            "first",
            &format!(
                "op.create_table(Table::new(\"customer\").column({key}).column({name})\
                 .primary_key(\"pk_customer\", [\"id\"]));"
            ),
            "op.drop_table(\"customer\");",
        ),
        revision(
            "b200",
            &["a100"],
            "drop name",
            "op.barrier(\"release 1 reads `name`\");\n    op.drop_column(\"customer\", \"name\");",
            &format!("op.add_column(\"customer\", {name});"),
        ),
        revision("c300", &["b200"], "last", "op.barrier(\"release 2 reads it\");", ""),
    ];
    for (text, file) in files.iter().zip(["ma_first", "mb_drop_name", "mc_last"]) {
        host.write(&format!("migrations/versions/{file}.rs"), text);
    }
    host.ok("migrate");
    host
}

fn shown(host: &Host, args: &str, code: i32) -> String {
    let run = host.dbmigrate(args);
    assert_eq!(run.code, code, "{run}");
    format!("$ {args}\n{}", host.plain(&run.stdout))
}

#[test]
fn each_command_says_what_waits() {
    let host = project("barriers");
    // At the base, no program can use anything.
    let run = host.ok("upgrade");
    assert_eq!(run.stdout.lines().count(), 3, "{run}");
    host.ok("downgrade a100 --allow-destructive");

    let mut seen = shown(&host, "upgrade", 0);
    seen += &shown(&host, "plan", 0);
    seen += &shown(&host, "plan --past-barriers", 0);
    seen += &shown(&host, "check", 0);
    seen += &shown(&host, "current --check-heads", 0);
    seen += &shown(&host, "upgrade --all app.db", 0);
    seen += &shown(&host, "status --all app.db", 0);
    expect![[r#"
        $ upgrade
        Stopping before b200, drop name: release 1 reads `name` (once no program of the previous release is running, `cargo dbmigrate upgrade --past-barriers` continues)
        $ plan
        Nothing to do for sqlite:$HOST/app.db.

        stops before b200, drop name: release 1 reads `name`
        $ plan --past-barriers
        Upgrade of sqlite:$HOST/app.db: 2 revisions, in one transaction

        upgrade a100 -> b200, drop name
          drop column `name` of table `customer`
          `customer` has 0 rows

        upgrade b200 -> c300, last
          nothing but its version row
        $ check
        Models and migrations agree.
        The database is up to date, except for revisions that wait.
        An upgrade stops before b200, drop name: release 1 reads `name`
        The database agrees with the migrations.
        $ current --check-heads
        a100
        $ upgrade --all app.db
        1 database: 1 at head, 0 upgraded, 0 failed
        $ status --all app.db
        1 database
          1  a100, 2 pending at a barrier
    "#]].assert_eq(&seen);
    let status = host.ok("status").stdout;
    assert!(status.contains("c300: last (waits)"), "{status}");
    assert!(status.contains("\nBarrier    b200, drop name: release 1 reads `name`\n"), "{status}");
    let notes = host.ok("upgrade --all app.db").stderr;
    assert!(notes.contains("stopping before b200, drop name: release 1 reads `name`"), "{notes}");
    let script = host.ok("upgrade --sql");
    assert_eq!(script.stdout, "", "{script}");
    assert!(script.stderr.contains("the script stops before b200"), "{script}");
    // A range itself says what is meant.
    let script = host.ok("upgrade a100:head --sql");
    let comment = "-- There is a barrier before it: release 1 reads `name`\n";
    assert!(script.stdout.contains(comment), "{script}");

    for command in ["upgrade", "plan", "check", "current", "status"] {
        let json = host.ok(&format!("{command} --format json")).json();
        let barriers = serde_json::json!([
            { "id": "b200", "message": "drop name", "reason": "release 1 reads `name`" }
        ]);
        assert_eq!(json["barriers"], barriers, "{command}");
    }
    let json = host.ok("upgrade --all app.db --format json").json();
    assert_eq!(json["databases"][0]["barriers"][0]["id"], "b200");
    let text = host.ok("show b200");
    assert!(text.stdout.contains("\n    barrier: release 1 reads `name`\n"), "{text}");
    let json = host.ok("show b200 --format json").json();
    assert_eq!(json["revisions"][0]["barrier"], "release 1 reads `name`");
    let json = host.ok("status --format json").json();
    assert_eq!(json["waiting"], serde_json::json!(["b200", "c300"]));
    let json = host.ok("status --all app.db --format json").json();
    assert_eq!(json["databases"][0]["n_waiting"], 2);

    let run = host.fails("upgrade b200");
    expect![[r#"
        error: cannot upgrade to `b200`: there is a barrier before b200, drop name: release 1 reads `name`
          hint: nothing was applied; once no program of the previous release is running, `cargo dbmigrate upgrade b200 --past-barriers` applies it, or `Options::past_barriers` in a program; `cargo dbmigrate upgrade` applies what comes before the barrier
    "#]].assert_eq(&run.stderr);
    assert!(host.ok("current").stdout.starts_with("a100"), "nothing was applied");
    let seen = shown(&host, "upgrade --past-barriers", 0) + &shown(&host, "current", 0);
    expect![[r#"
        $ upgrade --past-barriers
        Running upgrade a100 -> b200, drop name
        Running upgrade b200 -> c300, last
        $ current
        c300 (head)
    "#]]
    .assert_eq(&seen);
    // A revision that is applied again has already passed its barrier.
    host.ok("redo -n 2 --allow-destructive");
    host.ok("verify");
}

#[test]
fn what_has_no_barrier_is_not_left_out_silently() {
    let host = project("barrier-held-back");
    host.replace("migrations/versions/mc_last.rs", "op.barrier(\"release 2 reads it\");", "");
    host.ok("upgrade a100");
    let run = host.fails("upgrade");
    expect![[r#"
        error: cannot upgrade to `head`: revision `c300` follows a barrier, the one before b200, drop name: release 1 reads `name`
          hint: nothing was applied; once no program of the previous release is running, `cargo dbmigrate upgrade --past-barriers` applies both, or `Options::past_barriers` in a program; if `c300` can wait as well, give it an `op.barrier(...)` of its own
    "#]].assert_eq(&run.stderr);
    host.fails("upgrade --all app.db");
    let mut seen = shown(&host, "check", 1);
    seen += &shown(&host, "current --check-heads", 1);
    seen += &shown(&host, "status --all app.db", 1);
    expect![[r#"
        $ check
        Models and migrations agree.
        The database is behind: c300 pending.
        An upgrade stops before b200, drop name: release 1 reads `name`
        The database agrees with the migrations.
        $ current --check-heads
        a100
        $ status --all app.db
        1 database
          1  a100, 2 pending
    "#]]
    .assert_eq(&seen);
    let status = host.dbmigrate("status");
    assert_eq!(status.code, 1, "{status}");
    assert!(status.stdout.contains("c300: last\n"), "{status}");
    host.ok("upgrade --past-barriers");
    host.ok("current --check-heads");
}

#[test]
fn a_barrier_can_be_added_and_removed_before_its_revision_is_applied() {
    let host = project("barrier-edited");
    host.ok("upgrade a100");
    let path = "migrations/versions/mb_drop_name.rs";
    let text = host.read(path);
    host.replace(path, "op.barrier(\"release 1 reads `name`\");\n", "\n");
    host.ok("upgrade b200");
    // It is not part of the checksum.
    fs::write(host.dir.join(path), text).unwrap();
    host.ok("upgrade --past-barriers");
    assert!(host.ok("current").stdout.contains("c300 (head)"));
}

#[test]
fn a_new_revision_is_applied_by_the_command_that_writes_it() {
    let host = project("barrier-development");
    host.ok("upgrade a100");
    host.write(
        "src/lib.rs",
        &MODELS.replace("id: i64,", "id: i64,\n    pub city: Option<String>,"),
    );
    let run = host.ok("migrate -m city --upgrade");
    assert_eq!(run.stdout.matches("Running upgrade").count(), 3, "{run}");
    sql(&host.dir.join("app.db"), "SELECT city FROM customer");
}

#[test]
fn a_revision_that_was_begun_has_passed_its_barrier() {
    for server in servers::mysql_in_turn("a_revision_that_was_begun_has_passed_its_barrier") {
        let host = Host::library("barrier-begun", MODELS);
        host.ok(&format!("init --dialect {}", server.dialect()));
        let url = server.own_database();
        let table = |name: &str| {
            format!(
                "op.create_table(Table::new({name:?})\
                 .column(Column::new(\"id\", Type::BigInteger).not_null()));"
            )
        };
        let first = revision("a100", &[], "first", &table("one"), "op.drop_table(\"one\");");
        let broken = format!(
            "op.barrier(\"release 1 reads `one`\");\n    {}\n    \
             op.execute(\"SELECT * FROM broken\");",
            table("two")
        );
        let second = revision("b200", &["a100"], "second", &broken, "");
        host.write("migrations/versions/ma_first.rs", &first);
        host.write("migrations/versions/mb_second.rs", &second);
        host.ok(&format!("upgrade a100 --url {url}"));
        assert!(host.ok(&format!("upgrade --url {url}")).stdout.contains("Stopping before b200"));
        // A run whose first statement fails passes no barrier for the next one.
        let path = "migrations/versions/mb_second.rs";
        let barrier = "op.barrier(\"release 1 reads `one`\");";
        let failing = format!("{barrier}\n    op.execute(\"SELECT * FROM missing\");");
        host.replace(path, barrier, &failing);
        host.fails(&format!("upgrade --past-barriers --url {url}"));
        assert!(host.ok(&format!("upgrade --url {url}")).stdout.contains("Stopping before b200"));
        host.ok(&format!("current --check-heads --url {url}"));
        host.ok(&format!("downgrade base --allow-destructive --url {url}"));
        host.ok(&format!("upgrade a100 --url {url}"));
        host.replace(path, &failing, barrier);
        host.fails(&format!("upgrade --past-barriers --url {url}"));
        host.replace("migrations/versions/mb_second.rs", "SELECT * FROM broken", "DO 1");
        host.ok(&format!("upgrade --url {url}"));
        assert!(host.ok(&format!("current --url {url}")).stdout.contains("b200 (head)"));
    }
}
