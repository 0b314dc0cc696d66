//! `rebase`: which line is moved, what changes in its file, and what is refused.

use std::fs;

use dbmigrate_tests::{Host, dump, revision, sql};
use expect_test::expect;

use crate::branches::{self, play};

const ADD: &str = "op.add_column(\"t\", Column::new(\"$\", Type::Text));";
const DROP: &str = "op.drop_column(\"t\", \"$\");";

/// A table, and a column on each of two lines.
pub fn host(name: &str) -> Host {
    let host = branches::host(name);
    let table = "op.create_table(Table::new(\"t\")\
        .column(Column::new(\"id\", Type::BigInteger).not_null()).primary_key(\"pk_t\", [\"id\"]));";
    let module = revision("f1", &[], "first", table, "op.drop_table(\"t\");");
    host.write("migrations/versions/m_f1.rs", &module);
    for id in ["a1", "b1"] {
        write(&host, id, "f1", id);
    }
    write(&host, "a2", "a1", "a2");
    host
}

pub fn write(host: &Host, id: &str, parent: &str, column: &str) {
    let (up, down) = (ADD.replace('$', column), DROP.replace('$', column));
    let module = revision(id, &[parent], &format!("adds {column}"), &up, &down);
    host.write(&format!("migrations/versions/m_{id}.rs"), &module);
}

/// All files of the migrations.
fn files(host: &Host) -> Vec<(String, String)> {
    let mut files: Vec<_> =
        host.revisions().into_iter().map(|revision| (host.read(&revision), revision)).collect();
    files.push((host.read("migrations/mod.rs"), String::new()));
    files
}

#[test]
fn what_is_applied_says_which_line_moves() {
    let host = host("rebase");
    let before = files(&host);
    // Nothing is applied, so there is nothing to tell the lines apart.
    play(
        &host,
        &["rebase", "rebase --onto a2 --dry-run"],
        expect![[r#"
            $ cargo dbmigrate rebase
            error: none of these lines is applied, so either may move:
              a2  adds a2, in migrations/versions/m_a2.rs
              b1  adds b1, in migrations/versions/m_b1.rs
              hint: choose one:
                cargo dbmigrate rebase a1 --onto b1
                cargo dbmigrate rebase b1 --onto a2
            [3]
            $ cargo dbmigrate rebase --onto a2 --dry-run
            b1 would be moved after a2, in migrations/versions/m_b1.rs:
            -pub const DOWN_REVISION: &[&str] = &["f1"];
            +pub const DOWN_REVISION: &[&str] = &["a2"];
            note: this is based on what is applied in `$HOST/app.db`; if another database has one of these revisions applied, leave them in place and join the heads with `cargo dbmigrate merge` instead
        "#]],
    );
    assert_eq!(files(&host), before);
    assert!(!host.dir.join("app.db").exists());

    // The line that isn't applied.
    host.ok("upgrade b1");
    sql(&host.dir.join("app.db"), "INSERT INTO t (id, b1) VALUES (1, 'kept')");
    play(
        &host,
        &["rebase --dry-run --format json", "rebase b1"],
        expect![[r#"
            $ cargo dbmigrate rebase --dry-run --format json
            {
              "command": "rebase",
              "differences": [],
              "dry_run": true,
              "from": [
                "f1"
              ],
              "moved": [
                "a1",
                "a2"
              ],
              "onto": "b1",
              "path": "migrations/versions/m_a1.rs",
              "revision": "a1",
              "url": "sqlite:$HOST/app.db",
              "version": 1
            }
            note: this is based on what is applied in `$HOST/app.db`; if another database has one of these revisions applied, leave them in place and join the heads with `cargo dbmigrate merge` instead
            $ cargo dbmigrate rebase b1
            error: revision `b1` is applied, so it stays
              hint: join the heads with `cargo dbmigrate merge`; to move a line, undo it with `cargo dbmigrate downgrade b1@f1`, then rebase and upgrade
            [3]
        "#]],
    );
    assert_eq!(files(&host), before);
    play(
        &host,
        &["rebase", "rebase", "history", "upgrade"],
        expect![[r#"
        $ cargo dbmigrate rebase
        Rebasing a1, a2 onto b1
        Editing migrations/versions/m_a1.rs ... done
        note: this is based on what is applied in `$HOST/app.db`; if another database has one of these revisions applied, leave them in place and join the heads with `cargo dbmigrate merge` instead
        $ cargo dbmigrate rebase
        error: there is only one head, `a2`, so there is nothing to rebase
        [3]
        $ cargo dbmigrate history
        a1 -> a2 (head), adds a2
        b1 -> a1, adds a1
        f1 -> b1, adds b1
        <base> -> f1, first
        $ cargo dbmigrate upgrade
        Running upgrade b1 -> a1, adds a1
        Running upgrade a1 -> a2, adds a2
    "#]],
    );
    let mut after = before.clone();
    let at = after.iter().position(|pair| pair.1.ends_with("m_a1.rs")).unwrap();
    after[at].0 = after[at].0.replace("&[\"f1\"]", "&[\"b1\"]");
    assert_eq!(files(&host), after, "nothing else is edited");
    assert!(dump(&host.dir.join("app.db")).contains("t: 1, \"kept\", NULL, NULL\n"));
}

#[test]
fn what_can_not_follow_stays_and_is_named() {
    let host = host("rebase-refused");
    host.ok("upgrade a1");
    host.ok("upgrade b1");
    let before = files(&host);
    play(
        &host,
        &["rebase", "rebase a2 --onto f1", "rebase a2 --onto b1", "rebase f1", "rebase base"],
        expect![[r#"
            $ cargo dbmigrate rebase
            error: revisions `a1`, `b1` are applied, so they stay
              hint: join the heads with `cargo dbmigrate merge`; to move a line, undo it with `cargo dbmigrate downgrade a1@f1` or `cargo dbmigrate downgrade b1@f1`, then rebase and upgrade
            [3]
            $ cargo dbmigrate rebase a2 --onto f1
            error: revision `a2` already follows `f1`: nothing to rebase
            [3]
            $ cargo dbmigrate rebase a2 --onto b1
            error: revision `a1` is applied, so it stays
              hint: join the heads with `cargo dbmigrate merge`; to move a line, undo it with `cargo dbmigrate downgrade a1@f1`, then rebase and upgrade
            [3]
            $ cargo dbmigrate rebase f1
            error: all heads need revision `f1`, so it can't be moved after any of them
              hint: name a revision that is only on the line that is to move
            [3]
            $ cargo dbmigrate rebase base
            error: `base` is before the first revision
              hint: `cargo dbmigrate history` lists the revisions
            [3]
        "#]],
    );
    host.ok("downgrade a1@f1");
    // Both add the same column.
    write(&host, "a2", "a1", "b1");
    play(
        &host,
        &["rebase", "merge", "check --no-database"],
        expect![[r#"
            $ cargo dbmigrate rebase
            error: revision `a1` can't be moved after `b1`
              caused by: revision `a2` does not fit the revisions before it: cannot add column `b1` to table `t`: it already exists
              hint: if both lines make the same change, remove it from the pending one, then run the command again
            [3]
            $ cargo dbmigrate merge
            error: revisions `a2`, `b1` can't be joined
              caused by: revision `b1` does not fit the revisions before it: cannot add column `b1` to table `t`: it already exists
              hint: if both lines make the same change, remove it from the pending one, then run the command again
            [3]
            $ cargo dbmigrate check --no-database
            The list in migrations/mod.rs does not match the revision files:
              it lacks migrations/versions/m_a1.rs
              it lacks migrations/versions/m_a2.rs
              it lacks migrations/versions/m_b1.rs
              it lacks migrations/versions/m_f1.rs
            The history has 2 heads:
              a2  adds b1, in migrations/versions/m_a2.rs
              b1  adds b1, in migrations/versions/m_b1.rs
            `cargo dbmigrate migrate` brings it in line
            `cargo dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one after the other
            error: revision `b1` does not fit the revisions before it: cannot add column `b1` to table `t`: it already exists
              hint: compare its operations with those of the revisions before it
            [3]
        "#]],
    );
    write(&host, "a2", "a1", "a2");
    // The list of files is updated; nothing else is written.
    let revisions = |name: &[(String, String)]| name[..name.len() - 1].to_vec();
    assert_eq!(revisions(&files(&host)), revisions(&before));

    // A third head, and a branch that is meant to stay.
    write(&host, "c1", "f1", "c1");
    play(
        &host,
        &["rebase", "rebase c1"],
        expect![[r#"
            $ cargo dbmigrate rebase
            error: there are several lines that could move:
              a2  adds a2, in migrations/versions/m_a2.rs
              b1  adds b1, in migrations/versions/m_b1.rs
              c1  adds c1, in migrations/versions/m_c1.rs
              hint: choose which line to move after which head: `cargo dbmigrate rebase REV --onto REV`
            [3]
            $ cargo dbmigrate rebase c1
            error: there are several heads that `c1` could be moved after:
              a2  adds a2, in migrations/versions/m_a2.rs
              b1  adds b1, in migrations/versions/m_b1.rs
              hint: choose one:
                cargo dbmigrate rebase c1 --onto a2
                cargo dbmigrate rebase c1 --onto b1
            [3]
        "#]],
    );
    host.replace(
        "migrations/versions/m_c1.rs",
        "BRANCH_LABELS: &[&str] = &[]",
        "BRANCH_LABELS: &[&str] = &[\"net\"]",
    );
    play(
        &host,
        &["rebase --dry-run", "rebase net@head --onto b1"],
        expect![[r#"
        $ cargo dbmigrate rebase --dry-run
        a1, a2 would be moved after b1, in migrations/versions/m_a1.rs:
        -pub const DOWN_REVISION: &[&str] = &["f1"];
        +pub const DOWN_REVISION: &[&str] = &["b1"];
        note: this is based on what is applied in `$HOST/app.db`; if another database has one of these revisions applied, leave them in place and join the heads with `cargo dbmigrate merge` instead
        $ cargo dbmigrate rebase net@head --onto b1
        Rebasing c1 onto b1
        Editing migrations/versions/m_c1.rs ... done
        note: this is based on what is applied in `$HOST/app.db`; if another database has one of these revisions applied, leave them in place and join the heads with `cargo dbmigrate merge` instead
    "#]],
    );

    // Constants that somebody has written in another form.
    host.replace(
        "migrations/versions/m_a1.rs",
        "&[\"f1\"];",
        "PARENTS;\nconst PARENTS: &[&str] = &[\"f1\"];",
    );
    let run = host.fails("rebase a1 --onto c1");
    expect![[r#"
        error: the `DOWN_REVISION` of `migrations/versions/m_a1.rs` can't be edited
          hint: make it `&["c1"]` by hand
    "#]]
    .assert_eq(&run.errors());
    // A revision that doesn't compile can't be verified, so it isn't moved.
    host.replace("migrations/versions/m_a1.rs", "pub fn upgrade(", "pub fn upgrade((");
    host.fails("rebase a1 --onto c1");
    assert_eq!(fs::read_dir(host.dir.join("migrations/versions")).unwrap().count(), 5);
}

#[test]
fn another_order_may_build_something_else() {
    let host = host("rebase-order");
    for (id, parent, n) in [("a2", "a1", 10), ("b1", "f1", 20)] {
        let up = format!("op.alter_table(\"t\", TableChange::new().comment(Some(\"{n}\")));");
        let module = revision(id, &[parent], "a comment", &up, "");
        host.write(&format!("migrations/versions/m_{id}.rs"), &module);
    }
    play(
        &host,
        &["rebase a1 --dry-run", "rebase b1 --dry-run", "rebase a1 -q"],
        expect![[r#"
            $ cargo dbmigrate rebase a1 --dry-run
            a1, a2 would be moved after b1, in migrations/versions/m_a1.rs:
            -pub const DOWN_REVISION: &[&str] = &["f1"];
            +pub const DOWN_REVISION: &[&str] = &["b1"];
            warning: in the new order the migrations build a different schema:
              changed table `t`: comment
            `cargo dbmigrate check` checks whether the models agree
            note: this is based on what is applied in `$HOST/app.db`; if another database has one of these revisions applied, leave them in place and join the heads with `cargo dbmigrate merge` instead
            $ cargo dbmigrate rebase b1 --dry-run
            b1 would be moved after a2, in migrations/versions/m_b1.rs:
            -pub const DOWN_REVISION: &[&str] = &["f1"];
            +pub const DOWN_REVISION: &[&str] = &["a2"];
            note: this is based on what is applied in `$HOST/app.db`; if another database has one of these revisions applied, leave them in place and join the heads with `cargo dbmigrate merge` instead
            $ cargo dbmigrate rebase a1 -q
            warning: in the new order the migrations build a different schema:
              changed table `t`: comment
            `cargo dbmigrate check` checks whether the models agree
        "#]],
    );
}
