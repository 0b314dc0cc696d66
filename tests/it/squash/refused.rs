//! What can't be squashed is reported with the reason, and nothing is written.

use std::fs;

use dbmigrate_tests::revision;
use expect_test::expect;

use super::{host, play};

/// A history with two branches, squashed in ways that don't work, and in one that does.
#[test]
fn what_can_not_be_squashed_says_why() {
    let host = host("unsquashed");
    let module = |id: &str, parent: &[&str], up: &str, down: &str| {
        let text = revision(id, parent, "more", up, down);
        host.write(&format!("migrations/versions/m_{id}.rs"), &text);
    };
    module("f6", &["e5"], "op.run(\"fill\", |_| Ok(()));", "op.run(\"empty\", |_| Ok(()));");
    module("g7", &["f6"], "op.no_transaction();\n    op.execute(\"VACUUM\");", "");
    module("h8", &["g7"], "", "op.irreversible(\"it is gone\");");
    module("x9", &["c3"], "", "");
    let versions = host.list("migrations/versions");
    play(
        &host,
        &[
            "squash",
            "squash :h8",
            "squash :x9",
            "squash x9:h8",
            "squash d4:d4",
            "squash base",
            "squash d4:e5 --rev-id b2",
            "squash d4:nope",
            "squash h8:d4",
            "squash d4:h8",
            "squash d4:f6",
            "squash e5:f6 --dry-run",
        ],
        expect![[r#"
            $ cargo dbmigrate squash
            error: `head` means a single revision, but the history has 2 heads:
              h8  more, in migrations/versions/m_h8.rs
              x9  more, in migrations/versions/m_x9.rs
              hint: name one of them (`h8`, `x9`), use `heads` for all, or make one head of them: `cargo dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one after the other
            [3]
            $ cargo dbmigrate squash :h8
            error: revision `x9` in migrations/versions/m_x9.rs follows `c3` in migrations/versions/m_c3.rs, which is in the middle of the range
              hint: squash up to `c3`, or from a revision after it: others can only follow the last revision of a range
            [3]
            $ cargo dbmigrate squash :x9
            error: revision `d4` in migrations/versions/m_d4.rs follows `c3` in migrations/versions/m_c3.rs, which is in the middle of the range
              hint: squash up to `c3`, or from a revision after it: others can only follow the last revision of a range
            [3]
            $ cargo dbmigrate squash x9:h8
            error: revision `h8` does not follow `x9`
              hint: a range goes from an older revision to one that follows it
            [3]
            $ cargo dbmigrate squash d4:d4
            error: `d4:d4` is only one revision, `d4`
              hint: a squash replaces two or more revisions; `from:to` includes both ends
            [3]
            $ cargo dbmigrate squash base
            error: `base` ends before the first revision
              hint: `cargo dbmigrate history` lists the revisions
            [3]
            $ cargo dbmigrate squash d4:e5 --rev-id b2
            error: revision `b2` already exists, in migrations/versions/m_b2.rs
              hint: choose another id with --rev-id
            [3]
            $ cargo dbmigrate squash d4:nope
            error: no revision `nope` in this project
              hint: `cargo dbmigrate history` lists them
            [3]
            $ cargo dbmigrate squash h8:d4
            error: revision `d4` does not follow `h8`
              hint: a range goes from an older revision to one that follows it
            [3]
            $ cargo dbmigrate squash d4:h8
            error: revision `g7` runs outside a transaction, in migrations/versions/m_g7.rs
              hint: squash the revisions before it and those after it: it stays a revision of its own
            [3]
            $ cargo dbmigrate squash d4:f6
            error: steps are functions in their files and can't be moved:
              step `fill` of revision `f6`
              step `empty` of revision `f6`
              in migrations/versions/m_f6.rs
              hint: squash only up to `e5`, before them, or pass --elide-steps to omit them, which is right if a new database has no rows for them
            [3]
            $ cargo dbmigrate squash e5:f6 --dry-run
            error: steps are functions in their files and can't be moved:
              step `fill` of revision `f6`
              step `empty` of revision `f6`
              in migrations/versions/m_f6.rs
              hint: leave these revisions out of the range, or pass --elide-steps to omit them, which is right if a new database has no rows for them
            [3]
        "#]],
    );
    assert_eq!(host.list("migrations/versions"), versions);
    // A revision that runs late can't be in the middle, and neither can one that comes later.
    let run = host.ok("squash d4:f6 --elide-steps --rev-id 5aaa --format json");
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let steps = ["step `fill` of revision `f6`", "step `empty` of revision `f6`"];
    assert_eq!(json["left_out"], serde_json::json!(steps), "{run}");
    module("y9", &["d4"], "", "");
    play(
        &host,
        &["heads", "edit y9"],
        expect![[r#"
        $ cargo dbmigrate heads
        error: revision `y9` follows `d4`, which `5aaa` in migrations/versions/m_5aaa.rs replaces together with what follows it, in migrations/versions/m_y9.rs
          hint: make it follow `f6`, or delete the file of `5aaa` if no database has it applied
        [3]
        $ cargo dbmigrate edit y9
        error: no editor is set
          hint: set the environment variable EDITOR, for example to `vi`
        [3]
    "#]],
    );
    fs::remove_file(host.dir.join("migrations/versions/m_y9.rs")).unwrap();
    let text = host.read("migrations/versions/m_5aaa.rs");
    let (_, functions) = text.split_once("pub const REPLACES").unwrap();
    expect![[r#"
        : &[&str] = &["d4", "e5", "f6"];

        pub fn upgrade(op: &mut Operations) {
            op.execute("INSERT INTO user (id, name) VALUES (1, 'root')");
            op.create_table(
                Table::new("post")
                    .column(Column::new("id", Type::BigInteger).not_null())
                    .primary_key("pk_post", ["id"]),
            );
            // Left out: step `fill` of revision `f6`.
        }

        pub fn downgrade(op: &mut Operations) {
            // Left out: step `empty` of revision `f6`.
            op.drop_table("post");
            op.execute("DELETE FROM user WHERE id = 1");
        }
    "#]]
    .assert_eq(functions);
    play(
        &host,
        &["heads", "upgrade h8", "current"],
        expect![[r#"
            $ cargo dbmigrate heads
            h8 (head)
            x9 (head)
            $ cargo dbmigrate upgrade h8
            Running upgrade <base> -> a1, user
            Running upgrade a1 -> b2, email
            Running upgrade b2 -> c3, name
            Running upgrade c3 -> 5aaa, squash d4 to f6
            Running upgrade 5aaa -> g7, more
            Running upgrade g7 -> h8, more
            $ cargo dbmigrate current
            h8 (head)
            Database: sqlite:$HOST/app.db
        "#]],
    );

    // What can't be undone still can't be undone afterwards.
    let text = revision("i10", &["h8"], "last", "op.drop_table(\"post\");", "");
    host.write("migrations/versions/m_i10.rs", &text);
    let run = host.ok("squash h8:i10 --dry-run --format json --rev-id 6bbb");
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["replaces"], serde_json::json!(["h8", "i10"]));
    assert!(
        json["path"].is_null()
            && !host.revisions().iter().any(|revision| revision.contains("6bbb"))
    );
    let (_, functions) = json["module"].as_str().unwrap().split_once("pub fn upgrade").unwrap();
    expect![[r#"
        (op: &mut Operations) {
            op.drop_table("post");
        }

        pub fn downgrade(op: &mut Operations) {
            op.irreversible("revision h8: it is gone");
        }
    "#]]
    .assert_eq(functions);
}
