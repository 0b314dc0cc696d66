//! Branches, as in the chapter about them in Alembic's tutorial, with this tool.

use dbmigrate_tests::Host;
use expect_test::{Expect, expect};

/// Runs the commands one after the other and compares their output.
#[track_caller]
pub fn play(host: &Host, commands: &[&str], expect: Expect) {
    let mut seen = String::new();
    for command in commands {
        let run = host.dbmigrate(command);
        seen += &format!("$ cargo dbmigrate {command}\n{}{}", run.stdout, run.errors());
        if run.code != 0 {
            seen += &format!("[{}]\n", run.code);
        }
    }
    let lines = seen.lines().map(|line| match line.split_once("Create Date: ") {
        Some((before, _)) => format!("{before}Create Date: $CREATED\n"),
        None => format!("{line}\n"),
    });
    expect.assert_eq(&host.plain(&lines.collect::<String>()));
}

/// A host whose revision files are sorted by id, however fast they are written.
pub fn host(name: &str) -> Host {
    let host = Host::library(name, "");
    host.ok("init");
    let template = "\"m{year}{month}{day}_{hour}{minute}{second}_{rev}_{slug}\"";
    host.replace("migrations/dbmigrate.toml", template, "\"m_{rev}_{slug}\"");
    host
}

#[test]
fn the_chapter_on_branches() {
    let host = host("branches");

    // Two developers.
    play(
        &host,
        &[
            "revision -m \"create account table\" --rev-id 1975ea83b7",
            "revision -m \"add shopping cart table\" --rev-id 27c6a30d7c",
            "revision -m \"add another account column\" --rev-id ae1027a6ac --head 1975",
            "revision -m \"add another account column\" --rev-id ae1027a6ac --head 1975 --splice",
            "heads",
            "branches -v",
            "upgrade",
            "check --no-database",
            "revision -m \"on which one\"",
            "downgrade -1",
        ],
        expect![[r#"
            $ cargo dbmigrate revision -m "create account table" --rev-id 1975ea83b7
            Generating migrations/versions/m_1975ea83b7_create_account_table.rs ... done
            $ cargo dbmigrate revision -m "add shopping cart table" --rev-id 27c6a30d7c
            Generating migrations/versions/m_27c6a30d7c_add_shopping_cart_table.rs ... done
            $ cargo dbmigrate revision -m "add another account column" --rev-id ae1027a6ac --head 1975
            error: revision `1975ea83b7` is not a head, since others follow it:
              27c6a30d7c  add shopping cart table, in migrations/versions/m_27c6a30d7c_add_shopping_cart_table.rs
              hint: --splice lets the new one follow it too, which begins a branch
            [3]
            $ cargo dbmigrate revision -m "add another account column" --rev-id ae1027a6ac --head 1975 --splice
            Generating migrations/versions/m_ae1027a6ac_add_another_account_column.rs ... done
            $ cargo dbmigrate heads
            27c6a30d7c (head)
            ae1027a6ac (head)
            $ cargo dbmigrate branches -v
            Rev: 1975ea83b7 (branchpoint)
            Parent: <base>
            Branches into: 27c6a30d7c, ae1027a6ac
            Path: migrations/versions/m_1975ea83b7_create_account_table.rs

                create account table

                Revision ID: 1975ea83b7
                Revises: <base>
                Create Date: $CREATED

                       -> 27c6a30d7c (head), add shopping cart table
                       -> ae1027a6ac (head), add another account column
            $ cargo dbmigrate upgrade
            error: `head` means a single revision, but the history has 2 heads:
              27c6a30d7c  add shopping cart table, in migrations/versions/m_27c6a30d7c_add_shopping_cart_table.rs
              ae1027a6ac  add another account column, in migrations/versions/m_ae1027a6ac_add_another_account_column.rs
              hint: name one of them (`27c6a30d7c`, `ae1027a6ac`), use `heads` for all, or make one head of them: `cargo dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one after the other
            [3]
            $ cargo dbmigrate check --no-database
            The history has 2 heads:
              27c6a30d7c  add shopping cart table, in migrations/versions/m_27c6a30d7c_add_shopping_cart_table.rs
              ae1027a6ac  add another account column, in migrations/versions/m_ae1027a6ac_add_another_account_column.rs
            The package has no models, and the migrations no tables: nothing to compare.
            `cargo dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one after the other
            [1]
            $ cargo dbmigrate revision -m "on which one"
            error: a new revision follows one revision, but the history has 2 heads:
              27c6a30d7c  add shopping cart table, in migrations/versions/m_27c6a30d7c_add_shopping_cart_table.rs
              ae1027a6ac  add another account column, in migrations/versions/m_ae1027a6ac_add_another_account_column.rs
              hint: choose one with --head (`base` for none of them), or make one head of them: `cargo dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one after the other
            [3]
            $ cargo dbmigrate downgrade -1
            error: the database `$HOST/app.db` does not exist
              hint: `cargo dbmigrate upgrade` creates it
            [3]
        "#]],
    );
    // After a merge.
    play(
        &host,
        &[
            "merge ae1027 27c6a -m \"merge ae1 and 27c\" --rev-id 53fffde5ad",
            "merge",
            "history",
            "show head",
            "upgrade ae1027",
            "upgrade +1",
            "current",
            "upgrade 27c6",
            "current",
            "current --check-heads",
            "upgrade head",
            "current --check-heads",
            "downgrade -1",
            "downgrade -1",
            "downgrade ae10@-1",
            "downgrade base",
            "undo",
            "heads",
        ],
        expect![[r#"
            $ cargo dbmigrate merge ae1027 27c6a -m "merge ae1 and 27c" --rev-id 53fffde5ad
            Generating migrations/versions/m_53fffde5ad_merge_ae1_and_27c.rs ... done
            $ cargo dbmigrate merge
            error: there is only one head, `53fffde5ad`, so there is nothing to merge
            [3]
            $ cargo dbmigrate history
            ae1027a6ac, 27c6a30d7c -> 53fffde5ad (head) (mergepoint), merge ae1 and 27c
            1975ea83b7 -> ae1027a6ac, add another account column
            1975ea83b7 -> 27c6a30d7c, add shopping cart table
            <base> -> 1975ea83b7 (branchpoint), create account table
            $ cargo dbmigrate show head
            Rev: 53fffde5ad (head) (mergepoint)
            Merges: ae1027a6ac, 27c6a30d7c
            Path: migrations/versions/m_53fffde5ad_merge_ae1_and_27c.rs

                merge ae1 and 27c

                Revision ID: 53fffde5ad
                Revises: ae1027a6ac, 27c6a30d7c
                Create Date: $CREATED

            upgrade:
            downgrade:
            $ cargo dbmigrate upgrade ae1027
            Running upgrade <base> -> 1975ea83b7, create account table
            Running upgrade 1975ea83b7 -> ae1027a6ac, add another account column
            $ cargo dbmigrate upgrade +1
            Running upgrade 1975ea83b7 -> 27c6a30d7c, add shopping cart table
            Running upgrade ae1027a6ac, 27c6a30d7c -> 53fffde5ad, merge ae1 and 27c
            note: revision `27c6a30d7c` runs after `ae1027a6ac`, which comes after it in the history and is already applied; on a new database it runs before it
            $ cargo dbmigrate current
            53fffde5ad (head) (mergepoint)
            Database: sqlite:$HOST/app.db
            $ cargo dbmigrate upgrade 27c6
            Nothing to upgrade: sqlite:$HOST/app.db is at 53fffde5ad
            $ cargo dbmigrate current
            53fffde5ad (head) (mergepoint)
            Database: sqlite:$HOST/app.db
            $ cargo dbmigrate current --check-heads
            53fffde5ad (head) (mergepoint)
            Database: sqlite:$HOST/app.db
            $ cargo dbmigrate upgrade head
            Nothing to upgrade: sqlite:$HOST/app.db is at 53fffde5ad
            $ cargo dbmigrate current --check-heads
            53fffde5ad (head) (mergepoint)
            Database: sqlite:$HOST/app.db
            $ cargo dbmigrate downgrade -1
            Running downgrade 53fffde5ad -> ae1027a6ac, 27c6a30d7c, merge ae1 and 27c
            $ cargo dbmigrate downgrade -1
            error: `-1` names several revisions:
              27c6a30d7c  add shopping cart table, in migrations/versions/m_27c6a30d7c_add_shopping_cart_table.rs
              ae1027a6ac  add another account column, in migrations/versions/m_ae1027a6ac_add_another_account_column.rs
              hint: count from one of them: `27c6a30d7c@-1`, `ae1027a6ac@-1`
            [3]
            $ cargo dbmigrate downgrade ae10@-1
            Running downgrade ae1027a6ac -> 1975ea83b7, add another account column
            $ cargo dbmigrate downgrade base
            Running downgrade 27c6a30d7c -> 1975ea83b7, add shopping cart table
            Running downgrade 1975ea83b7 -> <base>, create account table
            $ cargo dbmigrate undo
            Deleting migrations/versions/m_53fffde5ad_merge_ae1_and_27c.rs ... done
            $ cargo dbmigrate heads
            27c6a30d7c (head)
            ae1027a6ac (head)
        "#]],
    );
    // Branches that are meant to stay separate, one of them with a base of its own.
    play(
        &host,
        &[
            "revision -m \"a label\" --rev-id c0ffee0001 --head 27c6 --branch-label shoppingcart",
            "revision -m \"create networking branch\" --rev-id 3cac04ae87 --head base \
             --branch-label networking",
            "revision -m \"add ip number table\" --rev-id 109ec7d132 --head networking@head",
            "revision -m \"again\" --head networking@head --branch-label shoppingcart",
            "revision -m \"again\" --head ae10 --rev-id 109ec7d132",
            "branches",
            "heads",
            "history -r networking@base:networking@head",
            "history -r 1975:networking@head",
            "upgrade networking@head",
            "upgrade shoppingcart@+1",
            "upgrade shoppingcart@+1",
            "current",
            "history -i",
            "downgrade networking@-1",
            "downgrade networking@base",
            "upgrade heads",
            "upgrade nope@head",
            "upgrade networking@c0ff",
        ],
        expect![[r#"
            $ cargo dbmigrate revision -m "a label" --rev-id c0ffee0001 --head 27c6 --branch-label shoppingcart
            Generating migrations/versions/m_c0ffee0001_a_label.rs ... done
            $ cargo dbmigrate revision -m "create networking branch" --rev-id 3cac04ae87 --head base --branch-label networking
            Generating migrations/versions/m_3cac04ae87_create_networking_branch.rs ... done
            $ cargo dbmigrate revision -m "add ip number table" --rev-id 109ec7d132 --head networking@head
            Generating migrations/versions/m_109ec7d132_add_ip_number_table.rs ... done
            $ cargo dbmigrate revision -m "again" --head networking@head --branch-label shoppingcart
            error: `shoppingcart` is already the branch label of revision `c0ffee0001`, in migrations/versions/m_c0ffee0001_a_label.rs
              hint: choose another with --branch-label
            [3]
            $ cargo dbmigrate revision -m "again" --head ae10 --rev-id 109ec7d132
            error: revision `109ec7d132` already exists, in migrations/versions/m_109ec7d132_add_ip_number_table.rs
              hint: choose another id with --rev-id
            [3]
            $ cargo dbmigrate branches
            1975ea83b7 (branchpoint)
                       -> 27c6a30d7c (shoppingcart), add shopping cart table
                       -> ae1027a6ac (head), add another account column
            <base>
                   -> 1975ea83b7 (branchpoint), create account table
                   -> 3cac04ae87 (networking), create networking branch
            $ cargo dbmigrate heads
            109ec7d132 (networking) (head)
            ae1027a6ac (head)
            c0ffee0001 (shoppingcart) (head)
            $ cargo dbmigrate history -r networking@base:networking@head
            3cac04ae87 -> 109ec7d132 (networking) (head), add ip number table
            <base> -> 3cac04ae87 (networking), create networking branch
            $ cargo dbmigrate history -r 1975:networking@head
            error: revision `1975ea83b7` does not come before `109ec7d132`
              hint: a range goes from an older revision to one that follows it
            [3]
            $ cargo dbmigrate upgrade networking@head
            Running upgrade <base> -> 3cac04ae87, create networking branch
            Running upgrade 3cac04ae87 -> 109ec7d132, add ip number table
            $ cargo dbmigrate upgrade shoppingcart@+1
            Running upgrade <base> -> 1975ea83b7, create account table
            $ cargo dbmigrate upgrade shoppingcart@+1
            Running upgrade 1975ea83b7 -> 27c6a30d7c, add shopping cart table
            $ cargo dbmigrate current
            27c6a30d7c (shoppingcart)
            109ec7d132 (networking) (head)
            Database: sqlite:$HOST/app.db
            $ cargo dbmigrate history -i
            27c6a30d7c -> c0ffee0001 (shoppingcart) (head), a label
            1975ea83b7 -> ae1027a6ac (head), add another account column
            3cac04ae87 -> 109ec7d132 (networking) (head) (current), add ip number table
            <base> -> 3cac04ae87 (networking), create networking branch
            1975ea83b7 -> 27c6a30d7c (shoppingcart) (current), add shopping cart table
            <base> -> 1975ea83b7 (branchpoint), create account table
            $ cargo dbmigrate downgrade networking@-1
            Running downgrade 109ec7d132 -> 3cac04ae87, add ip number table
            $ cargo dbmigrate downgrade networking@base
            Running downgrade 3cac04ae87 -> <base>, create networking branch
            $ cargo dbmigrate upgrade heads
            Running upgrade <base> -> 3cac04ae87, create networking branch
            Running upgrade 3cac04ae87 -> 109ec7d132, add ip number table
            Running upgrade 1975ea83b7 -> ae1027a6ac, add another account column
            Running upgrade 27c6a30d7c -> c0ffee0001, a label
            $ cargo dbmigrate upgrade nope@head
            error: no branch `nope` in this project
              hint: the branch labels are `networking`, `shoppingcart`
            [3]
            $ cargo dbmigrate upgrade networking@c0ff
            error: revision `c0ffee0001` is not on the branch `networking`
              hint: `cargo dbmigrate history -r networking@base:networking@heads` lists those that are
            [3]
        "#]],
    );
    // A dependency.
    play(
        &host,
        &[
            "revision -m \"add ip account table\" --rev-id 2a95102259 --head networking@head \
             --depends-on nope",
            "revision -m \"add ip account table\" --rev-id 2a95102259 --head networking@head \
             --depends-on c0ff",
            "revision -m \"more\" --rev-id d00d000001 --head networking@head \
             --depends-on shoppingcart --depends-on ae10",
            "heads",
            "heads --resolve-dependencies",
            "check --no-database",
            "show networking@head",
            "downgrade base",
            "upgrade networking@head",
            "current",
            "current --check-heads",
            "downgrade networking@base",
            "current",
        ],
        expect![[r#"
            $ cargo dbmigrate revision -m "add ip account table" --rev-id 2a95102259 --head networking@head --depends-on nope
            error: no revision `nope` in this project
              hint: `cargo dbmigrate history` lists them
            [3]
            $ cargo dbmigrate revision -m "add ip account table" --rev-id 2a95102259 --head networking@head --depends-on c0ff
            Generating migrations/versions/m_2a95102259_add_ip_account_table.rs ... done
            $ cargo dbmigrate revision -m "more" --rev-id d00d000001 --head networking@head --depends-on shoppingcart --depends-on ae10
            Generating migrations/versions/m_d00d000001_more.rs ... done
            note: revision `c0ffee0001` comes before the new one anyway, so it is omitted from its dependencies
            $ cargo dbmigrate heads
            ae1027a6ac (effective head)
            c0ffee0001 (shoppingcart) (effective head)
            d00d000001 (networking) (head)
            $ cargo dbmigrate heads --resolve-dependencies
            d00d000001 (networking) (head)
            $ cargo dbmigrate check --no-database
            The package has no models, and the migrations no tables: nothing to compare.
            $ cargo dbmigrate show networking@head
            Rev: d00d000001 (networking) (head)
            Parent: 2a95102259
            Also depends on: ae1027a6ac
            Branch names: networking
            Path: migrations/versions/m_d00d000001_more.rs

                more

                Revision ID: d00d000001
                Revises: 2a95102259
                Create Date: $CREATED

            upgrade:
            downgrade:
            $ cargo dbmigrate downgrade base
            Running downgrade c0ffee0001 -> 27c6a30d7c, a label
            Running downgrade ae1027a6ac -> 1975ea83b7, add another account column
            Running downgrade 109ec7d132 -> 3cac04ae87, add ip number table
            Running downgrade 3cac04ae87 -> <base>, create networking branch
            Running downgrade 27c6a30d7c -> 1975ea83b7, add shopping cart table
            Running downgrade 1975ea83b7 -> <base>, create account table
            $ cargo dbmigrate upgrade networking@head
            Running upgrade <base> -> 1975ea83b7, create account table
            Running upgrade 1975ea83b7 -> 27c6a30d7c, add shopping cart table
            Running upgrade <base> -> 3cac04ae87, create networking branch
            Running upgrade 3cac04ae87 -> 109ec7d132, add ip number table
            Running upgrade 1975ea83b7 -> ae1027a6ac, add another account column
            Running upgrade 27c6a30d7c -> c0ffee0001, a label
            Running upgrade 109ec7d132 -> 2a95102259, add ip account table
            Running upgrade 2a95102259 -> d00d000001, more
            $ cargo dbmigrate current
            ae1027a6ac (effective head)
            c0ffee0001 (shoppingcart) (effective head)
            d00d000001 (networking) (head)
            Database: sqlite:$HOST/app.db
            $ cargo dbmigrate current --check-heads
            ae1027a6ac (effective head)
            c0ffee0001 (shoppingcart) (effective head)
            d00d000001 (networking) (head)
            Database: sqlite:$HOST/app.db
            $ cargo dbmigrate downgrade networking@base
            Running downgrade d00d000001 -> 2a95102259, more
            Running downgrade 2a95102259 -> 109ec7d132, add ip account table
            Running downgrade 109ec7d132 -> 3cac04ae87, add ip number table
            Running downgrade 3cac04ae87 -> <base>, create networking branch
            $ cargo dbmigrate current
            ae1027a6ac (effective head)
            c0ffee0001 (shoppingcart) (effective head)
            Database: sqlite:$HOST/app.db
        "#]],
    );
    assert!(!host.read("migrations/mod.rs").contains("<<<<"));
}

#[test]
fn stamps_and_scripts_of_branches() {
    let host = host("branch-stamps");
    for (id, more) in [
        ("a100", ""),
        ("b200", "--branch-label left"),
        ("c300", "--head a100 --splice --branch-label right"),
        ("n900", "--head base --depends-on left"),
    ] {
        host.ok(&format!("revision -m {id} --rev-id {id} {more}"));
    }
    play(
        &host,
        &[
            "ensure-version --sql",
            "ensure-version",
            "ensure-version",
            "current",
            "stamp b200 c300",
            "stamp left right",
            "stamp left@a100",
            "stamp base",
            "stamp b2 right",
            "stamp head",
            "stamp heads",
            "stamp base c300",
            "stamp --purge a100",
            "downgrade +1",
            "upgrade -1",
            "upgrade a100:c300",
        ],
        expect![[r#"
            $ cargo dbmigrate ensure-version --sql
            .bail on
            -- For the sqlite3 shell, as in `sqlite3 app.db < script.sql`: it stops at the first error, and rolls back.
            -- Do not paste this into an interactive shell, which goes on after an error. Other clients: `--sql=plain`.
            CREATE TABLE IF NOT EXISTS "dbmigrate_version" (
                "id" VARCHAR(255) NOT NULL,
                "parents" TEXT NOT NULL,
                "message" TEXT NOT NULL,
                "checksum" TEXT NOT NULL,
                "format" INTEGER NOT NULL,
                "applied_at" TEXT NOT NULL,
                "milliseconds" INTEGER NOT NULL,
                "tool_version" TEXT NOT NULL,
                "operations" TEXT NOT NULL,
                CONSTRAINT "pk_dbmigrate_version" PRIMARY KEY ("id")
            );
            $ cargo dbmigrate ensure-version
            $ cargo dbmigrate ensure-version
            $ cargo dbmigrate current
            Database: sqlite:$HOST/app.db
            $ cargo dbmigrate stamp b200 c300
            Running stamp_revision <base> -> b200, c300
            $ cargo dbmigrate stamp left right
            Running stamp_revision b200, c300 -> b200, c300
            $ cargo dbmigrate stamp left@a100
            Running stamp_revision b200, c300 -> c300
            $ cargo dbmigrate stamp base
            Running stamp_revision c300 -> <base>
            $ cargo dbmigrate stamp b2 right
            Running stamp_revision <base> -> b200, c300
            $ cargo dbmigrate stamp head
            error: `head` means a single revision, but the history has 3 heads:
              b200 (left)  b200, in migrations/versions/m_b200_b200.rs
              c300 (right)  c300, in migrations/versions/m_c300_c300.rs
              n900  n900, in migrations/versions/m_n900_n900.rs
              hint: name one of them (`left@head`, `right@head`, `n900`), use `heads` for all, or make one head of them: `cargo dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one after the other
            [3]
            $ cargo dbmigrate stamp heads
            Running stamp_revision b200, c300 -> b200, c300, n900
            $ cargo dbmigrate stamp base c300
            error: `base` can't be combined with other revisions
              hint: pass it alone
            [3]
            $ cargo dbmigrate stamp --purge a100
            Running stamp_revision b200, c300, n900 -> a100
            $ cargo dbmigrate downgrade +1
            error: cannot downgrade to `+1`
              hint: to go forward, use `cargo dbmigrate upgrade +1`
            [3]
            $ cargo dbmigrate upgrade -1
            error: cannot upgrade to `-1`
              hint: to go back, use `cargo dbmigrate downgrade -1`
            [3]
            $ cargo dbmigrate upgrade a100:c300
            error: `a100:c300` is a range, but a single revision is expected
              hint: ranges are for `history -r`, `plan` and `squash`, and for --sql of `upgrade`, `downgrade` and `stamp`
            [3]
        "#]],
    );
    // The hint names exactly the commands that accept a range.
    for accepting in [
        "history -r a100:c300",
        "upgrade a100:c300 --sql",
        "downgrade c300:a100 --sql",
        "stamp a100:c300 --sql",
    ] {
        host.ok(accepting);
    }
    // This range can't be squashed, since `b200` needs its middle.
    let run = host.fails("squash a100:c300 --dry-run");
    assert!(run.stderr.contains("in the middle of the range"), "{run}");
    for refusing in ["downgrade", "stamp", "show", "edit", "undo", "diff", "merge", "rebase"] {
        let run = host.fails(&format!("{refusing} a100:c300"));
        assert!(run.stderr.contains("hint: ranges are for"), "{refusing}\n{run}");
    }
    let check = |args: &str, expect: &str| {
        let run = host.ok(&format!("{args} --sql"));
        let mut seen = Vec::new();
        for line in run.stdout.lines().filter(|line| line.contains("\"dbmigrate_version\"")) {
            let id = line.split('\'').nth(1).unwrap_or_default();
            match line.split(' ').next() {
                Some("INSERT") => seen.push(format!("+{id}")),
                Some("DELETE") => seen.push(format!("-{id}")),
                Some("CREATE") => seen.push("table".to_owned()),
                _ => {}
            }
        }
        assert_eq!(seen.join(" "), expect, "{args}\n{run}");
    };
    assert_eq!(host.dbmigrate("stamp --purge --sql head").code, 2);
    check("stamp a100:left", "table +b200");
    check("stamp left:a100", "table -b200");
    check("stamp :heads", "table +a100 +b200 +c300 +n900");
    check("stamp heads:left@a100", "table -b200 -n900");
    check("upgrade :n900", "table +a100 +b200 +n900");
    check("upgrade a100:right@+1", "+c300");
    check("upgrade a100:n900", "+b200 +n900");
    check("downgrade left:-1", "-b200");
    check("stamp b2:base", "table -a100 -b200");
    check("downgrade :a100", "-n900 -c300 -b200");
    check("downgrade n900:n900@base", "-n900");
}

#[test]
fn every_command_takes_a_branch_and_has_a_form_for_programs() {
    let mut host = host("branch-json");
    let json = |host: &Host, command: &str| -> serde_json::Value {
        let run = host.ok(&format!("{command} --format json"));
        serde_json::from_str(&run.stdout).unwrap_or_else(|err| panic!("{err}\n{run}"))
    };
    json(&host, "revision -m a --rev-id a100");
    let value = json(&host, "revision -m b --rev-id b200 --branch-label left");
    assert_eq!(value["branch_labels"][0], "left");
    let spliced = json(&host, "revision -m c --rev-id c300 --head a1 --splice --depends-on b2");
    assert_eq!(spliced["depends_on"][0], "b200");
    assert_eq!(spliced["parents"][0], "a100");
    let heads = json(&host, "heads");
    assert_eq!(heads["heads"], serde_json::json!(["b200", "c300"]));
    assert_eq!(heads["effective_heads"], serde_json::json!(["b200"]));
    let resolved = json(&host, "heads --resolve-dependencies");
    assert_eq!(resolved["heads"], serde_json::json!(["c300"]));
    let branches = json(&host, "branches");
    assert_eq!(branches["branch_points"][0]["branches"][0]["labels"][0], "left");
    assert_eq!(json(&host, "show left@head")["revisions"][0]["id"], "b200");
    assert_eq!(json(&host, "history -r left:")["revisions"].as_array().unwrap().len(), 2);
    assert_eq!(json(&host, "upgrade left@head")["ran"], serde_json::json!(["a100", "b200"]));
    assert_eq!(json(&host, "show left@current")["revisions"][0]["id"], "b200");
    assert_eq!(json(&host, "stamp c300")["revisions"], serde_json::json!(["c300"]));
    assert_eq!(json(&host, "ensure-version")["table"], "dbmigrate_version");
    assert_eq!(json(&host, "diff a100 left@head")["differences"], serde_json::json!([]));
    host.env("EDITOR", "cat");
    for name in ["left", "left@head", "b2", "left@-0", "c3-0", "heads"] {
        assert!(host.ok(&format!("edit {name}")).stdout.contains("pub fn upgrade"), "{name}");
    }
    let run = host.fails("edit base");
    assert!(run.stderr.contains("`base` is before the first revision"), "{run}");
    // A history that isn't a graph can be corrected in the editor.
    let file = host.revision("c");
    host.replace(&file, "&[\"b200\"]", "&[\"nope\"]");
    assert!(host.ok("edit c3").stdout.contains("nope"));
    let run = host.fails("edit head");
    assert!(run.stderr.contains("depends on `nope`, which this project does not have"), "{run}");
    host.replace(&file, "&[\"nope\"]", "&[\"b200\"]");
    let merged = json(&host, "merge --rev-id d400");
    assert_eq!(merged["parents"], serde_json::json!(["b200", "c300"]));
    assert_eq!(json(&host, "undo")["revision"], "d400");
}
