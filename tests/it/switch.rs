//! `switch`: the database follows git from branch to branch.

use std::process::Command;

use dbmigrate_tests::{Host, dump, revision, sql};
use expect_test::expect;

/// Runs git in the host, without the settings of the machine.
#[track_caller]
pub(super) fn git(host: &Host, args: &[&str]) -> String {
    let mut git = host.command("git");
    git.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]).args(args);
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = git.output().expect("git runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {text}");
    text
}

fn table(name: &str) -> String {
    format!(
        "op.create_table(Table::new({name:?}).column(Column::new(\"id\", Type::Integer).not_null())\
         .primary_key(\"pk_{name}\", [\"id\"]));"
    )
}

/// A project in a repository: `main` has `a100`, the branch `toys` adds `b200` with these
/// operations, and the branch `cats` adds `c300`. The branch `toys` is applied and checked out.
pub(super) fn host(name: &str, url: Option<&str>, operations: &str) -> Host {
    host_with(name, url, (operations, ""))
}

/// The same, with a downgrade of the branch `toys` as well.
pub(super) fn host_with(name: &str, url: Option<&str>, (up, down): (&str, &str)) -> Host {
    let mut host = Host::library(name, "");
    host.ok("init");
    if let Some(url) = url {
        host.env("DATABASE_URL", url);
    }
    let write = |host: &Host, id: &str, parents: &[&str], (up, down): (&str, &str), slug: &str| {
        let text = revision(id, parents, slug, up, down);
        host.write(&format!("migrations/versions/m_{id}_{slug}.rs"), &text);
    };
    host.write(".gitignore", "*.db*\n");
    write(&host, "a100", &[], (&table("pet"), ""), "pets");
    git(&host, &["init", "--initial-branch=main"]);
    git(&host, &["add", "."]);
    git(&host, &["commit", "-m", "pets"]);
    git(&host, &["switch", "-c", "cats"]);
    write(&host, "c300", &["a100"], (&table("cat"), ""), "cats");
    git(&host, &["add", "."]);
    git(&host, &["commit", "-m", "cats"]);
    git(&host, &["switch", "main"]);
    git(&host, &["switch", "-c", "toys"]);
    write(&host, "b200", &["a100"], (up, down), "toys");
    git(&host, &["add", "."]);
    git(&host, &["commit", "-m", "toys"]);
    host.ok("upgrade");
    host
}

/// The operations of a branch whose way back needs values: a dropped column, and rows.
pub(super) fn toys() -> String {
    format!(
        "{} op.add_column(\"pet\", Column::new(\"name\", Type::Text));\n    op.execute(Sql::new()\
         .sqlite(\"SELECT 1\").postgres(\"SELECT 1\").mysql(\"SELECT 1\")).reversed_by(\"SELECT 2\");",
        table("toy")
    )
}

/// Follows git from the branch `toys` to the branch `cats`.
#[track_caller]
fn switch_to_cats(host: &Host) {
    git(host, &["switch", "cats"]);
    expect![[r#"
        Running downgrade b200 -> a100, toys
        Running upgrade a100 -> c300, cats
    "#]]
    .assert_eq(&host.ok("switch").stdout);
    assert_eq!(host.ok("current").stdout, "c300 (head)\n");
    let checked = host.dbmigrate("check").stdout;
    assert!(checked.contains("The database agrees with the migrations."), "{checked}");
}

#[test]
fn the_database_follows_git() {
    let host = host("switch", None, &toys());
    let database = host.dir.join("app.db");
    sql(&database, "INSERT INTO pet VALUES (1, NULL)");
    switch_to_cats(&host);
    // Nothing to do.
    let again = host.ok("switch");
    assert!(again.stdout.is_empty() && again.stderr.contains("Nothing to upgrade"), "{again}");
    git(&host, &["switch", "main"]);
    let document = host.ok("switch --format json").json();
    assert_eq!(document["undone"], serde_json::json!(["c300"]), "{document}");
    assert_eq!(document["ran"], serde_json::json!([]), "{document}");
    git(&host, &["switch", "toys"]);
    assert_eq!(host.ok("switch").stdout, "Running upgrade a100 -> b200, toys\n");
}

#[test]
fn what_is_lost_is_asked_and_what_comes_is_shown() {
    let host = host("switch-losses", None, &toys());
    let database = host.dir.join("app.db");
    sql(&database, "INSERT INTO toy VALUES (1)");
    git(&host, &["switch", "cats"]);
    let before = dump(&database);
    expect![[r#"
        Downgrade of sqlite:$HOST/app.db: 1 revision, in one transaction

        downgrade b200 -> a100, toys
          run SQL: SELECT 2
          drop column `name` of table `pet`
          drop table `toy`
          `pet` has 0 rows
          `toy` has 1 row
          drop table `toy` discards 1 row

        Upgrade of sqlite:$HOST/app.db: 1 revision, in one transaction

        upgrade a100 -> c300, cats
          create table `cat`
    "#]]
    .assert_eq(&host.plain(&host.ok("switch --dry-run").stdout));
    expect![[r#"
        error: the downgrade would discard:
          table `toy` (1 row)
          hint: --allow-destructive discards them
    "#]]
    .assert_eq(&host.plain(&host.fails("switch").errors()));
    assert_eq!(dump(&database), before);
    expect![[r#"
        Copying app.db to app.db.backup-1 ... done
        Running downgrade b200 -> a100, toys
        Running upgrade a100 -> c300, cats
    "#]]
    .assert_eq(&host.plain(&host.ok("switch --allow-destructive --backup").stdout));
    assert!(!host.dir.join("app.db.backup-2").exists());
    assert_eq!(dump(&host.dir.join("app.db.backup-1")), before);
}

#[test]
fn what_can_not_be_taken_back_is_refused_with_its_branch() {
    let host = host("switch-refused", None, "op.execute(\"CREATE TABLE raw (a)\");");
    let database = host.dir.join("app.db");
    let before = dump(&database);
    git(&host, &["switch", "cats"]);
    expect![[r#"
        error: the database has revisions that no file of this branch describes, and some can't be taken back:
          b200, toys: `execute SQL` can't be reversed: its SQL has no `reversed_by`; its file is on the branch `toys`
          hint: nothing was changed: `git switch toys`, undo them there with `cargo dbmigrate downgrade a100`, and come back
    "#]].assert_eq(&host.plain(&host.fails("switch").errors()));
    assert_eq!(dump(&database), before);
    // Without git nobody knows a branch.
    std::fs::remove_dir_all(host.dir.join(".git")).unwrap();
    expect![[r#"
        error: the database has revisions that no file of this branch describes, and some can't be taken back:
          b200, toys: `execute SQL` can't be reversed: its SQL has no `reversed_by`
          hint: nothing was changed: bring their files back, undo them there with `cargo dbmigrate downgrade a100`, and come back
    "#]].assert_eq(&host.plain(&host.fails("switch").errors()));
    assert_eq!(dump(&database), before);
}

/// SQL without a reverse of its own, and the downgrade that a person wrote for it.
const BY_HAND: (&str, &str) = (
    "op.execute(\"CREATE VIEW pets AS SELECT id FROM pet\");\n    op.bulk_insert(\"pet\", [\"id\"])\
     .row((7,));",
    "op.execute(\"DELETE FROM pet WHERE id = 7\");\n    op.execute(\"DROP VIEW pets\");",
);

#[test]
fn a_downgrade_that_a_person_wrote_is_taken_from_the_database() {
    let host = host_with("switch-by-hand", None, BY_HAND);
    let database = host.dir.join("app.db");
    sql(&database, "INSERT INTO pet VALUES (1)");
    git(&host, &["switch", "cats"]);
    expect![[r#"
        upgrade:
            execute SQL
            insert 1 row into table `pet`
        downgrade:
            execute SQL
            execute SQL
    "#]]
    .assert_eq(host.ok("show b200").stdout.split_once("toys\n\n").unwrap().1);
    expect![[r#"
        Downgrade of sqlite:$HOST/app.db: 1 revision, in one transaction

        downgrade b200 -> a100, toys
          run SQL: DELETE FROM pet WHERE id = 7
          run SQL: DROP VIEW pets

        Upgrade of sqlite:$HOST/app.db: 1 revision, in one transaction

        upgrade a100 -> c300, cats
          create table `cat`
    "#]]
    .assert_eq(&host.plain(&host.ok("switch --dry-run").stdout));
    git(&host, &["switch", "toys"]);
    switch_to_cats(&host);
    let after = dump(&database);
    assert!(after.contains("pet: 1\n"), "{after}");
    assert!(!after.contains("VIEW") && !after.contains("pet: 7"), "{after}");
}

#[test]
fn a_downgrade_that_only_its_file_can_run_is_refused() {
    let up = "op.execute(\"CREATE VIEW pets AS SELECT id FROM pet\");";
    let downs = [
        "op.run(\"tidy\", |_db| Ok(()));\n    op.execute(\"DROP VIEW pets\");",
        "op.irreversible(\"the readers of pets can't live without it\");",
    ];
    let error = |(name, down): (&str, &str)| {
        let host = host_with(name, None, (up, down));
        let before = dump(&host.dir.join("app.db"));
        git(&host, &["switch", "cats"]);
        let errors = host.plain(&host.fails("switch").errors());
        assert_eq!(dump(&host.dir.join("app.db")), before);
        errors
    };
    expect![[r#"
        error: the database has revisions that no file of this branch describes, and some can't be taken back:
          b200, toys: its downgrade runs the step `tidy`, whose code is in its file; its file is on the branch `toys`
          hint: nothing was changed: `git switch toys`, undo them there with `cargo dbmigrate downgrade a100`, and come back
    "#]]
    .assert_eq(&error(("switch-step-back", downs[0])));
    expect![[r#"
        error: the database has revisions that no file of this branch describes, and some can't be taken back:
          b200, toys: the readers of pets can't live without it; its file is on the branch `toys`
          hint: nothing was changed: `git switch toys`, undo them there with `cargo dbmigrate downgrade a100`, and come back
    "#]]
    .assert_eq(&error(("switch-no-way-back", downs[1])));
}

#[test]
fn a_step_that_leaves_nothing_to_undo_is_taken_back() {
    let fill = "op.allow(\"no-way-back\", \"filled values stay\");\n    \
                op.run(\"fill\", |_db| Ok(()));";
    let host = host("switch-fill", None, fill);
    git(&host, &["switch", "cats"]);
    let shown = host.ok("show b200").stdout;
    assert!(shown.ends_with("upgrade:\n    run step `fill`\ndowngrade:\n"), "{shown}");
    git(&host, &["switch", "toys"]);
    switch_to_cats(&host);
}

#[test]
fn a_step_and_an_edited_revision_are_refused() {
    let host = host("switch-step", None, "op.run(\"fill\", |_db| Ok(()));");
    git(&host, &["switch", "cats"]);
    let errors = host.fails("switch").errors();
    assert!(errors.contains("its file is on the branch `toys`"), "{errors}");
    git(&host, &["switch", "toys"]);
    host.replace(
        "migrations/versions/m_a100_pets.rs",
        "\"id\", Type::Integer",
        "\"id\", Type::Text",
    );
    let errors = host.fails("switch").errors();
    assert!(errors.contains("`a100`") && errors.contains("edited"), "{errors}");
}

#[test]
fn a_git_hook_follows_and_never_breaks_a_checkout() {
    let host = host("switch-hook", None, &toys());
    let hook = host.dir.join(".git/hooks/post-checkout");
    assert!(!hook.exists(), "`init` alone writes none");
    let plain = Host::library("switch-no-hook", "");
    assert!(plain.command("git").args(["init", "--quiet"]).status().unwrap().success());
    plain.ok("init");
    assert!(!plain.dir.join(".git/hooks/post-checkout").exists(), "`init` alone writes none");
    expect![[r#"
        Generating .git/hooks/post-checkout ... done
    "#]]
    .assert_eq(&host.plain(&host.ok("init --git-hooks").stdout));
    // The second time there is nothing to do.
    host.ok("init --git-hooks");
    let dir = dbmigrate_tests::tool().parent().unwrap();
    let path = std::env::join_paths(
        [dir.to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let switch = |branch: &str| {
        let mut git: Command = host.command("git");
        git.args(["switch", branch]).env("PATH", path.as_ref().unwrap());
        git.env("GIT_CONFIG_GLOBAL", "/dev/null");
        let output = git.output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (is_ok, text) = switch("cats");
    assert!(is_ok, "{text}");
    assert_eq!(host.ok("current").stdout, "c300 (head)\n", "{text}");
    // Rows would be lost: the checkout is done, and the database stays.
    sql(&host.dir.join("app.db"), "INSERT INTO cat VALUES (1)");
    let (is_ok, text) = switch("main");
    assert!(is_ok && text.contains("the downgrade would discard"), "{text}");
    assert_eq!(host.ok("current").stdout, "a100 (head)\nc300 (unknown)\n");
    // Somebody's own hook stays.
    std::fs::write(&hook, "#!/bin/sh\necho mine\n").unwrap();
    expect![[r#"
        error: the hook `.git/hooks/post-checkout` already exists and is left as it is
          hint: add this line to it: `(cd '.' && cargo dbmigrate switch </dev/null) || true`
    "#]]
    .assert_eq(&host.plain(&host.fails("init --git-hooks").errors()));
    assert_eq!(std::fs::read_to_string(&hook).unwrap(), "#!/bin/sh\necho mine\n");
}

#[test]
fn a_server_follows_as_well() {
    use dbmigrate_tests::servers;
    let name = "switch::a_server_follows_as_well";
    for server in &servers::in_turn(name) {
        let url = server.database();
        let host = host("switch-server", Some(&url), &toys());
        switch_to_cats(&host);
        let url = server.database();
        let host = host_with("switch-server-by-hand", Some(&url), BY_HAND);
        switch_to_cats(&host);
    }
}
