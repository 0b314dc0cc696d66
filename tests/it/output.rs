//! The appearance of results for people: drawings, colours and columns, and what programs get
//! instead.

use dbmigrate_tests::{Host, revision};
use expect_test::{Expect, expect};

/// Two branches, one of which depends on the other, and their merge; one branch is applied.
fn host(name: &str) -> Host {
    let host = Host::library(name, "");
    host.ok("init");
    let table = "op.create_table(Table::new(\"account\")\
        .column(Column::new(\"id\", Type::BigInteger).not_null())\
        .primary_key(\"pk_account\", [\"id\"]));";
    for (file, id, parents, message) in [
        ("m1", "a100", &[][..], "create account"),
        ("m2", "b200", &["a100"], "add cart"),
        ("m3", "c300", &["a100"], "add login"),
        ("m4", "d400", &["b200", "c300"], ""),
        ("m5", "e500", &["d400"], "add colour"),
        ("m6", "f600", &[], "log"),
    ] {
        let (upgrade, downgrade) = match id {
            "a100" => (table, "op.drop_table(\"account\");"),
            _ => ("let _ = op;", "let _ = op;"),
        };
        let mut module = revision(id, parents, message, upgrade, downgrade);
        if id == "f600" {
            module = module
                .replace("BRANCH_LABELS: &[&str] = &[]", "BRANCH_LABELS: &[&str] = &[\"logs\"]")
                .replace("DEPENDS_ON: &[&str] = &[]", "DEPENDS_ON: &[&str] = &[\"b200\"]");
        }
        host.write(&format!("migrations/versions/{file}.rs"), &module);
    }
    host.ok("upgrade c300");
    host
}

/// Compares the output, with its escape sequences written out.
#[track_caller]
fn check(host: &Host, command: &str, expect: Expect) {
    let run = host.dbmigrate(command);
    expect.assert_eq(&run.stdout.replace('\u{1b}', "ESC"));
}

#[test]
fn history_is_drawn_as_git_draws_it() {
    let host = host("drawn");
    check(
        &host,
        "history --graph",
        expect![[r#"
        * f600 (logs) (head) (depends on b200), log

        * e500 (head), add colour
        *   d400 (mergepoint), empty message
        |\
        | * c300, add login
        * | b200, add cart
        |/
        * a100 (branchpoint), create account
    "#]],
    );
    check(
        &host,
        "history --graph -i -r b200:d400",
        expect![[r#"
        *   d400 (mergepoint), empty message
        |\
        | * c300 (current), add login
        * b200, add cart
    "#]],
    );
    check(
        &host,
        "history --graph -v -r :d400",
        expect![[r#"
        *   Rev: d400 (mergepoint)
        |\  Merges: b200, c300
        | | Path: migrations/versions/m4.rs
        | |
        | |
        | |
        | * Rev: c300
        | | Parent: a100
        | | Path: migrations/versions/m3.rs
        | |
        | |     add login
        | |
        * | Rev: b200
        |/  Parent: a100
        |   Path: migrations/versions/m2.rs
        |
        |       add cart
        |
        * Rev: a100 (branchpoint)
          Parent: <base>
          Branches into: b200, c300
          Path: migrations/versions/m1.rs

              create account

    "#]],
    );
    check(
        &host,
        "history --graph --color always -r b200:",
        expect![[r#"
        * ESC[1mf600ESC[0mESC[33m (logs)ESC[0mESC[32m (head)ESC[0m (depends on b200), log

        * ESC[1me500ESC[0mESC[32m (head)ESC[0m, add colour
        *   ESC[1md400ESC[0m (mergepoint), empty message
        |\
        | * ESC[1mc300ESC[0m, add login
        * ESC[1mb200ESC[0m, add cart
    "#]],
    );
    // Output for programs is unchanged.
    let json = host.ok("history --format json").stdout;
    assert_eq!(host.ok("history --graph --format json").stdout, json);

    // Revisions that exist only in the database are drawn as well.
    host.ok("upgrade e500");
    std::fs::remove_file(host.dir.join("migrations/versions/m5.rs")).unwrap();
    check(
        &host,
        "history --graph",
        expect![[r#"
        * e500 (applied, file missing), add colour
        *   d400 (head) (mergepoint), empty message
        |\
        | * c300, add login
        | | * f600 (logs) (head) (depends on b200), log
        * | b200, add cart
        |/
        * a100 (branchpoint), create account
    "#]],
    );
}

#[test]
fn results_have_colours_and_columns_where_people_read_them() {
    let mut host = host("coloured");
    for (command, expect) in [
        (
            "history",
            expect![[r#"
            <base> -> ESC[1mf600ESC[0mESC[33m (logs)ESC[0mESC[32m (head)ESC[0m, log
            d400 -> ESC[1me500ESC[0mESC[32m (head)ESC[0m, add colour
            b200, c300 -> ESC[1md400ESC[0m (mergepoint), empty message
            a100 -> ESC[1mc300ESC[0m, add login
            a100 -> ESC[1mb200ESC[0m, add cart
            <base> -> ESC[1ma100ESC[0m (branchpoint), create account
        "#]],
        ),
        (
            "heads",
            expect![[r#"
            ESC[1me500ESC[0mESC[32m (head)ESC[0m
            ESC[1mf600ESC[0mESC[33m (logs)ESC[0mESC[32m (head)ESC[0m
        "#]],
        ),
        (
            "current",
            expect![[r#"
            ESC[1mc300ESC[0m
        "#]],
        ),
        (
            "branches",
            expect![[r#"
            ESC[1ma100ESC[0m (branchpoint)
                 -> ESC[1mb200ESC[0m, add cart
                 -> ESC[1mc300ESC[0m, add login
            <base>
                   -> ESC[1ma100ESC[0m (branchpoint), create account
                   -> ESC[1mf600ESC[0mESC[33m (logs)ESC[0mESC[32m (head)ESC[0m, log
        "#]],
        ),
        (
            "show f600",
            expect![[r#"
            Rev:             ESC[1mf600ESC[0mESC[33m (logs)ESC[0mESC[32m (head)ESC[0m
            Parent:          <base>
            Also depends on: b200
            Branch names:    logs
            Path:            migrations/versions/m6.rs

                log

            upgrade:
            downgrade:
        "#]],
        ),
        (
            "check",
            expect![[r#"
                ESC[33mThe list in migrations/mod.rs does not match the revision files:ESC[0m
                  it lacks migrations/versions/m1.rs
                  it lacks migrations/versions/m2.rs
                  it lacks migrations/versions/m3.rs
                  it lacks migrations/versions/m4.rs
                  it lacks migrations/versions/m5.rs
                  it lacks migrations/versions/m6.rs
                ESC[33mModels and migrations differ:ESC[0m
                  ESC[31mDetected removed table `account`ESC[0m
                ESC[33mThe database is behind: b200, d400, e500, f600 pending.ESC[0m
                ESC[32mThe database agrees with the migrations.ESC[0m
            "#]],
        ),
        (
            "diff base a100",
            expect![[r#"
            ESC[32madded table `account`ESC[0m
        "#]],
        ),
    ] {
        let plain = host.dbmigrate(command).stdout;
        assert!(!plain.contains('\u{1b}'), "{plain}");
        check(&host, &format!("{command} --color always"), expect);
    }
    for file in ["tenants/a.db", "tenants/with-a-long-name.db"] {
        host.write(file, "");
    }
    check(
        &host,
        "upgrade a100 --all tenants -j 1 --color always",
        expect![[r#"
        tenants/a.db:                ESC[32m1 revisionESC[0m
        tenants/with-a-long-name.db: ESC[32m1 revisionESC[0m
        2 databases: 0 unchanged, 2 upgraded, 0 failed
    "#]],
    );
    check(
        &host,
        "upgrade b200 --all tenants -j 1",
        expect![[r#"
        tenants/a.db: 1 revision
        tenants/with-a-long-name.db: 1 revision
        2 databases: 0 unchanged, 2 upgraded, 0 failed
    "#]],
    );
    host.env("NO_COLOR", "1");
    assert!(!host.ok("history").stdout.contains('\u{1b}'));
    assert!(!host.ok("history --color always --format json").stdout.contains('\u{1b}'));
}

/// `-v` lists complete entries; `show` accepts every identifier.
#[test]
fn lists_with_details_and_every_identifier_shown() {
    let host = host("identifiers");
    let mut seen = String::new();
    for command in ["current -v", "heads -v", "branches -v", "history -v -r current:current"] {
        let run = host.ok(command);
        seen +=
            &format!("$ {command}\n{}", run.stdout.replace(&*host.dir.to_string_lossy(), "$HOST"));
    }
    expect![[r#"
        $ current -v
        Current revision(s) for sqlite:$HOST/app.db:
        Rev: c300
        Parent: a100
        Path: migrations/versions/m3.rs

            add login

        $ heads -v
        Rev: e500 (head)
        Parent: d400
        Path: migrations/versions/m5.rs

            add colour

        Rev: f600 (logs) (head)
        Parent: <base>
        Also depends on: b200
        Branch names: logs
        Path: migrations/versions/m6.rs

            log

        $ branches -v
        Rev: a100 (branchpoint)
        Parent: <base>
        Branches into: b200, c300
        Path: migrations/versions/m1.rs

            create account

             -> b200, add cart
             -> c300, add login
        <base>
               -> a100 (branchpoint), create account
               -> f600 (logs) (head), log
        $ history -v -r current:current
        Rev: c300
        Parent: a100
        Path: migrations/versions/m3.rs

            add login

    "#]]
    .assert_eq(&seen);

    let mut shown = String::new();
    for identifier in [
        "a1",
        "current",
        "current-1",
        "-1",
        "+1",
        "heads",
        "head",
        "e500@head",
        "e500@head-1",
        "logs",
        "logs@head",
        "logs@base",
        "d400+1",
        "d400-1",
        "e500-1",
        "base",
    ] {
        let run = host.dbmigrate(&format!("show {identifier}"));
        let ids =
            run.stdout.lines().filter_map(|line| line.strip_prefix("Rev: ")).collect::<Vec<_>>();
        let said = run.stderr.lines().next().unwrap_or_default();
        shown += &format!("{identifier}: {}{said}\n", ids.join("; "));
    }
    expect![[r#"
        a1: a100 (branchpoint)
        current: c300
        current-1: a100 (branchpoint)
        -1: a100 (branchpoint)
        +1: d400 (mergepoint)
        heads: e500 (head); f600 (logs) (head)
        head: error: `head` means a single revision, but the history has 2 heads:
        e500@head: e500 (head)
        e500@head-1: d400 (mergepoint)
        logs: f600 (logs) (head)
        logs@head: f600 (logs) (head)
        logs@base: error: `logs@base` is before the first revision
        d400+1: e500 (head)
        d400-1: b200; c300
        e500-1: d400 (mergepoint)
        base: error: `base` is before the first revision
    "#]]
    .assert_eq(&shown);
}
