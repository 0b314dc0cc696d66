//! Invalid input gets a clear error, and nothing is lost, created or half applied.

use std::fs;

use dbmigrate_tests::{Host, Run, dump, sql};
use expect_test::{Expect, expect};

/// A host with hand-written migrations; its own crate is never built.
fn host(name: &str) -> Host {
    let host = Host::library(name, "");
    host.ok("init");
    host.write("migrations/versions/m1_user.rs", &revision("a1", &[], "user", USER));
    host
}

const USER: &str = "op.create_table(Table::new(\"user\").column(Column::new(\"id\", \
                    Type::BigInteger).not_null()).primary_key(\"pk_user\", [\"id\"]));";

/// A revision whose downgrade drops the table of the first one.
fn revision(id: &str, parents: &[&str], message: &str, upgrade: &str) -> String {
    dbmigrate_tests::revision(id, parents, message, upgrade, "op.drop_table(\"user\");")
}

#[track_caller]
fn check(host: &Host, run: &Run, expect: Expect) {
    assert_eq!(run.code, 3, "{run}");
    assert_eq!(run.stdout, "", "{run}");
    expect.assert_eq(&host.plain(&run.errors()));
}

#[test]
fn a_database_that_can_not_be_one_is_said_and_nothing_is_created() {
    let mut host = host("bad-database");
    let upgrade = |host: &Host, url: &str| host.dbmigrate(&format!("upgrade --url {url}"));
    // Compiles the runner first, so that the runs below print nothing about it.
    host.ok("heads");

    host.write("text.db", "this is no database, and long enough to be looked at as one\n");
    check(
        &host,
        &upgrade(&host, "sqlite:text.db"),
        expect![[r#"
        error: failed to open the database `$HOST/text.db`
          caused by: file is not a database
          hint: the file is not an SQLite database, or it is encrypted
    "#]],
    );
    assert!(host.read("text.db").starts_with("this is no database"));

    fs::create_dir(host.dir.join("dir.db")).unwrap();
    check(
        &host,
        &upgrade(&host, "sqlite:dir.db"),
        expect![[r#"
        error: failed to open the database `$HOST/dir.db`: it is a directory
          hint: correct the path in --url
    "#]],
    );

    check(
        &host,
        &upgrade(&host, "sqlite:no/such/app.db"),
        expect![[r#"
        error: failed to open the database `$HOST/no/such/app.db`: the directory `$HOST/no/such` does not exist
          hint: create it, or correct the path in --url
    "#]],
    );
    assert!(!host.dir.join("no").exists());

    check(
        &host,
        &upgrade(&host, "postgres://ada:secret@127.0.0.1:1/app"),
        expect![[r#"
            error: failed to connect to `postgres://ada@127.0.0.1:1/app`: nothing listens on `127.0.0.1:1`
              caused by: Connection refused (os error 111)
              hint: start the server, or correct the host and the port; the URL is from --url
        "#]],
    );
    check(
        &host,
        &upgrade(&host, "sqlite:app.db?mode=rw+x"),
        expect![[r#"
            error: the database URL has an unknown parameter or value at `mode`, in --url
              hint: use `?mode=rwc`, `?mode=rw` or `?mode=ro`
        "#]],
    );
    check(
        &host,
        &upgrade(&host, "sqlite:app.db?mode=ro"),
        expect![[r#"
        error: the database `$HOST/app.db` is opened read-only
          hint: remove `?mode=ro` from its URL, in --url
    "#]],
    );
    check(
        &host,
        &upgrade(&host, "sqlite:app.db?mode=rw"),
        expect![[r#"
            error: the database `$HOST/app.db` would have to be created
              hint: its URL says `?mode=rw`, in --url; `?mode=rwc` creates it
        "#]],
    );
    for url in [
        "postgres:ada:secret@example.org",
        "postgres://ada:secret@[::1/app",
        "sqlite3:x.db",
        "file:x.db?mode=ro",
    ] {
        let run = host.fails(&format!("upgrade --url {url}"));
        assert!(!run.stderr.contains("secret"), "{run}");
    }
    host.env("DATABASE_URL", "sqlite:");
    check(
        &host,
        &host.dbmigrate("upgrade"),
        expect![[r#"
        error: the database URL has no path, in the environment variable DATABASE_URL
          hint: use `sqlite:path/to/file.db`
    "#]],
    );
    host.env_remove("DATABASE_URL");
    host.write(".env", "DATABASE_URL=\"sqlite:app.db\nSECRET=x");
    let run = host.dbmigrate("upgrade");
    check(
        &host,
        &run,
        expect![[r#"
            error: failed to read `$HOST/.env:1`: this line is not `KEY=value`
              hint: put a value with spaces, `#` or `$` in single quotes; the line isn't shown, since it may contain a password
        "#]],
    );
    assert!(!run.stderr.contains("SECRET"), "{run}");
    fs::remove_file(host.dir.join(".env")).unwrap();
    let left = ["app.db", "app.db-wal", "app.db-journal"];
    assert!(left.iter().all(|text| !host.dir.join(text).exists()), "{:?}", host.list("."));

    // Commands that only read don't create anything either.
    for command in
        ["current", "history -i", "heads", "show", "check --no-database", "upgrade --sql"]
    {
        host.dbmigrate(command);
        assert!(!host.dir.join("app.db").exists(), "{command}");
    }
}

#[test]
fn where_the_database_is_depends_on_who_says_it() {
    let mut host = host("where");
    host.ok("heads");
    let find = |host: &Host, args: &str| {
        host.ok(&format!("upgrade {args}"));
        let mut found = Vec::new();
        for dir in [".", "sub"] {
            for name in host.list(dir).into_iter().filter(|text| text.ends_with(".db")) {
                fs::remove_file(host.dir.join(dir).join(&name)).unwrap();
                found.push(format!("{dir}/{name}"));
            }
        }
        found.join(" ")
    };
    fs::create_dir(host.dir.join("sub")).unwrap();
    assert_eq!(find(&host, ""), "./app.db");
    host.write(".env", "DATABASE_URL=sqlite:sub/dotenv.db\n");
    assert_eq!(find(&host, ""), "sub/dotenv.db");
    host.env("DATABASE_URL", "sqlite://sub/environment.db");
    assert_eq!(find(&host, ""), "sub/environment.db");
    assert_eq!(find(&host, "--url flag.db"), "./flag.db");
    let absolute = format!("--url \"sqlite:///{}/absolute.db?mode=rwc\"", host.dir.display());
    assert_eq!(find(&host, &absolute), "./absolute.db");
    // An upgrade in memory has no lasting effect, but is no error.
    host.ok("upgrade --url sqlite::memory:");
}

#[test]
fn a_revision_that_is_wrong_is_named_with_its_file() {
    let host = host("bad-revision");
    let versions = |name: &str| format!("migrations/versions/{name}.rs");
    let with = |name: &str, text: &str| {
        host.write(&versions(name), text);
        let run = host.dbmigrate("upgrade");
        fs::remove_file(host.dir.join(versions(name))).unwrap();
        run
    };
    check(
        &host,
        &with("m2", &revision("a1", &[], "twice", "")),
        expect![[r#"
        error: two revisions have the id `a1`: migrations/versions/m1_user.rs and migrations/versions/m2.rs
          hint: give one of them another id, in `REVISION` and in the file's name
    "#]],
    );
    check(
        &host,
        &with("m2", &revision("b2", &["nope"], "orphan", "")),
        expect![[r#"
        error: revision `b2` follows `nope`, which this project does not have, in migrations/versions/m2.rs
          hint: correct its `DOWN_REVISION`, or restore the missing file
    "#]],
    );
    check(
        &host,
        &with("m2", &revision("b2", &["b2"], "circle", "")),
        expect![[r#"
        error: revision `b2` follows itself, in migrations/versions/m2.rs
          hint: correct its `DOWN_REVISION`
    "#]],
    );
    let run = with("m2", &revision("b2", &["a1"], "panics", "panic!(\"not ready\");"));
    check(
        &host,
        &run,
        expect![[r#"
        error: the revision `migrations/versions/m2.rs` panicked while it was recorded: $HOST/migrations/versions/m2.rs:11:5: not ready
          hint: `upgrade` and `downgrade` only list operations; put what needs rows or may fail into a step, `op.run("name", |db| ...)`
    "#]],
    );
    let run = with("m2", &revision("b2", &["a1"], "broken", "op.create_tabel(1);"));
    assert_eq!(run.code, 3, "{run}");
    assert!(run.stderr.contains("migrations/versions/m2.rs:11:8"), "{run}");
    assert!(run.stderr.contains("no method named `create_tabel`"), "{run}");
    let run = with("m2", &revision("b2", &["a1"], "does not fit", "op.drop_table(\"nope\");"));
    check(
        &host,
        &run,
        expect![[r#"
        error: revision `b2`: cannot drop table `nope`: table `nope` does not exist
          hint: compare the revision with those before it
    "#]],
    );
    // Two heads.
    host.write(&versions("m3"), &revision("c3", &["a1"], "one", ""));
    check(
        &host,
        &with("m2", &revision("b2", &["a1"], "other", "")),
        expect![[r#"
            error: `head` means a single revision, but the history has 2 heads:
              b2  other, in migrations/versions/m2.rs
              c3  one, in migrations/versions/m3.rs
              hint: name one of them (`b2`, `c3`), use `heads` for all, or make one head of them: `cargo dbmigrate merge` joins them, `cargo dbmigrate rebase` puts one after the other
        "#]],
    );
    fs::remove_file(host.dir.join(versions("m3"))).unwrap();
    assert!(!host.dir.join("app.db").exists(), "nothing was begun");

    // What an editor or a merge leaves next to the files is not a revision.
    host.write("migrations/versions/.#m1_user.rs", "x");
    host.write("migrations/versions/m1_user.rs.orig", "x");
    fs::remove_file(host.dir.join("migrations/mod.rs")).unwrap();
    host.ok("upgrade");
    // Removing the invalid file is enough.
    assert_eq!(host.ok("upgrade").stdout, "");
}

#[test]
fn a_history_that_changed_after_it_was_applied_is_named() {
    let host = host("changed-history");
    host.ok("upgrade");
    let before = dump(&host.dir.join("app.db"));
    let first = host.read("migrations/versions/m1_user.rs");

    // A comment doesn't change what a revision does.
    host.write("migrations/versions/m1_user.rs", &format!("{first}\n// a comment\n"));
    host.ok("upgrade");
    host.replace("migrations/versions/m1_user.rs", "pk_user", "pk_users");
    check(
        &host,
        &host.dbmigrate("upgrade"),
        expect![[r#"
            error: revision `a1` was edited after it was applied to this database, in migrations/versions/m1_user.rs
              hint: revert the edit and put the change into a new revision; if the database already matches the edited revision, `cargo dbmigrate stamp current` accepts it
        "#]],
    );
    assert_eq!(dump(&host.dir.join("app.db")), before);
    host.write("migrations/versions/m1_user.rs", &first);

    sql(
        &host.dir.join("app.db"),
        "INSERT INTO dbmigrate_version SELECT 'deadbeef0000', 'a1', 'gone', checksum, format, \
         applied_at, milliseconds, tool_version, operations FROM dbmigrate_version",
    );
    check(
        &host,
        &host.dbmigrate("upgrade"),
        expect![[r#"
            error: revision `$ID1` (gone) is applied in the database, but this project does not have it
              hint: restore the revision's file, for example by updating to a newer version of the project; `cargo dbmigrate switch` takes back what another branch applied; if its changes are no longer in the database, `cargo dbmigrate stamp --purge a1` removes it from the version table
        "#]],
    );
    let run = host.ok("current");
    expect![[r#"
        a1 (head)
        $ID1 (unknown)
    "#]]
    .assert_eq(&host.plain(&run.stdout));
    check(
        &host,
        &host.dbmigrate("stamp head"),
        expect![[r#"
            error: revision `$ID1` (gone) is applied in the database, but this project does not have it
              hint: restore the revision's file, for example by updating to a newer version of the project; `cargo dbmigrate switch` takes back what another branch applied; if its changes are no longer in the database, `cargo dbmigrate stamp --purge a1` removes it from the version table
        "#]],
    );
    host.ok("stamp --purge a1");
    assert_eq!(host.ok("current").stdout, "a1 (head)\n");

    sql(
        &host.dir.join("app.db"),
        "UPDATE dbmigrate_version SET format = 99, tool_version = '9.0.0'",
    );
    check(
        &host,
        &host.dbmigrate("upgrade"),
        expect![[r#"
        error: revision `a1` was applied by dbmigrate 9.0.0, in format 99, which this version does not support
          hint: install that version: cargo install cargo-dbmigrate@9.0.0
    "#]],
    );
}

#[test]
fn tables_that_are_there_already_name_stamp_as_the_way() {
    let host = host("there-already");
    sql(&host.dir.join("app.db"), "CREATE TABLE user (id INTEGER PRIMARY KEY)");
    let before = dump(&host.dir.join("app.db"));
    host.ok("heads");
    let run = host.dbmigrate("upgrade");
    assert_eq!(run.code, 3, "{run}");
    expect![[r#"
        error: revision `a1` was rolled back: statement 1 of 1 failed: CREATE TABLE "user" (
            "id" INTEGER NOT NULL CONSTRAINT "pk_user" PRIMARY KEY
        )
          caused by: table "user" already exists
          hint: table `user` already exists: if the database was created without these migrations and matches them, `cargo dbmigrate stamp --verify a1` marks them as applied without running them
    "#]].assert_eq(&host.plain(&run.errors()));
    assert_eq!(dump(&host.dir.join("app.db")), before);
    host.ok("stamp a1");
    assert_eq!(host.ok("upgrade").stdout, "");
}

#[test]
fn settings_and_arguments_that_are_wrong_are_said() {
    let host = host("bad-settings");
    let config = host.read("migrations/dbmigrate.toml");
    let with = |from: &str, to: &str| {
        assert!(config.contains(from));
        host.write("migrations/dbmigrate.toml", &config.replacen(from, to, 1));
        let run = host.dbmigrate("heads");
        host.write("migrations/dbmigrate.toml", &config);
        run
    };
    check(
        &host,
        &with("url = \"sqlite:app.db\"", "url = "),
        expect![[r#"
        error: failed to read the configuration at $HOST/migrations/dbmigrate.toml:5:7: string values must be quoted, expected literal string
          hint: `cargo dbmigrate init` in an empty package writes a file with every key
    "#]],
    );
    check(
        &host,
        &with("url =", "uri ="),
        expect![[r#"
            error: failed to read the configuration at $HOST/migrations/dbmigrate.toml:5:1: unknown field `uri`, expected one of `url`, `dialects`, `package`, `lib`, `bin`, `features`, `all_features`, `default_features`, `profile`, `target`, `version_locations`, `recursive_version_locations`, `file_template`, `timezone`, `truncate_slug_length`, `module_template`, `version_table`, `version_table_schema`, `include`, `exclude`, `transaction`, `lock_timeout`, `batch_pause`, `backup`, `backups_kept`, `doc_comments`, `rewrite`, `shadow_url`, `lint`, `naming`, `post_write_hooks`, `dependencies`, `databases`
              hint: `cargo dbmigrate init` in an empty package writes a file with every key
        "#]],
    );
    check(
        &host,
        &with("features = []", "features = 1"),
        expect![[r#"
            error: failed to read the configuration at $HOST/migrations/dbmigrate.toml:16:12: invalid type: integer `1`, expected a sequence
              hint: `cargo dbmigrate init` in an empty package writes a file with every key
        "#]],
    );
    check(
        &host,
        &host.dbmigrate("heads -d nowhere"),
        expect![[r#"
        error: there is no migrations directory `nowhere`
          hint: `cargo dbmigrate init` creates it
    "#]],
    );
    check(
        &host,
        &host.dbmigrate("history -r foo"),
        expect![[r#"
        error: `foo` is not a range of revisions
          hint: a range is `from:to`; either side may be empty
    "#]],
    );
    check(
        &host,
        &host.dbmigrate("revision --rev-id a-b"),
        expect![[r#"
        error: `a-b` can't be a revision's id: `-`
          hint: an id consists of the letters A to Z and a to z, digits and `_`
    "#]],
    );
    check(
        &host,
        &host.dbmigrate("revision --rev-id a1"),
        expect![[r#"
        error: revision `a1` already exists, in migrations/versions/m1_user.rs
          hint: choose another id with --rev-id
    "#]],
    );
    check(
        &host,
        &host.dbmigrate("show nope"),
        expect![[r#"
        error: no revision `nope` in this project
          hint: `cargo dbmigrate history` lists them
    "#]],
    );
    check(
        &host,
        &host.dbmigrate("downgrade"),
        expect![[r#"
        error: the database `$HOST/app.db` does not exist
          hint: `cargo dbmigrate upgrade` creates it
    "#]],
    );
    assert_eq!(host.revisions(), ["migrations/versions/m1_user.rs"]);

    let run = host.dbmigrate("upgrad");
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("'upgrade'"), "{run}");
    assert_eq!(host.dbmigrate("upgrade -x novalue").code, 2);
    // A URL in the wrong place is no reason to show its password.
    let misplaced = "postgres://ada:secret@db/shop";
    for args in ["upgrade --ulr=URL", "URL", "upgrade URL", "diff URL models", "history -r URL"] {
        let run = host.dbmigrate(&args.replace("URL", misplaced));
        assert!(run.code >= 2, "{run}");
        assert!(!run.stderr.contains("secret"), "{args}: {run}");
    }
    let json = host.dbmigrate("show nope --format json");
    assert_eq!(json.code, 3);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["error"]["message"], "no revision `nope` in this project");
    assert_eq!(json["command"], "show");
}

/// What has a revision's name and can't be one is refused by name, before the compiler runs.
#[test]
fn what_can_not_be_a_revision_is_named() {
    let host = host("no-revision");
    host.ok("heads");
    let path = "migrations/versions/odd.rs";
    let file = host.dir.join(path);
    for (text, expect) in [
        (
            "",
            expect![[r#"
                error: the revision `migrations/versions/odd.rs` is empty
                  hint: delete it; `cargo dbmigrate revision -m TEXT` writes a new one
            "#]],
        ),
        (
            "\u{feff}// Nothing but a comment.\n",
            expect![[r#"
                error: the revision `migrations/versions/odd.rs` is empty
                  hint: delete it; `cargo dbmigrate revision -m TEXT` writes a new one
            "#]],
        ),
        (
            "pub fn helper() {}\n",
            expect![[r#"
                error: the revision `migrations/versions/odd.rs` has no `REVISION`
                  hint: if it is not a revision, delete it, or move it to the migrations directory, where `mod.rs` can include it for all revisions
            "#]],
        ),
    ] {
        host.write(path, text);
        check(&host, &host.dbmigrate("upgrade"), expect);
    }
    fs::write(&file, b"\xff\xfe/\0/\0").unwrap();
    check(
        &host,
        &host.dbmigrate("upgrade"),
        expect![[r#"
            error: the revision `migrations/versions/odd.rs` is not UTF-8 text
              hint: save it as UTF-8, or delete it if it is not a revision
        "#]],
    );
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    check(
        &host,
        &host.dbmigrate("upgrade"),
        expect![[r#"
            error: `migrations/versions/odd.rs` has the name of a revision file, but is a directory
              hint: move or rename it: here, what ends in `.rs` is a revision
        "#]],
    );
    fs::remove_dir(&file).unwrap();
    #[cfg(unix)]
    {
        let target = host.dir.join("elsewhere.rs");
        std::os::unix::fs::symlink(&target, &file).unwrap();
        check(
            &host,
            &host.dbmigrate("upgrade"),
            expect![[r#"
                error: the revision `migrations/versions/odd.rs` is a link to `$HOST/elsewhere.rs`, which does not exist
                  hint: restore that file, or delete the link
            "#]],
        );
        // A link to a revision is one, and an editor's lock is none.
        fs::write(&target, revision("b2", &["a1"], "linked", "")).unwrap();
        let lock = host.dir.join("migrations/versions/.#m1_user.rs");
        std::os::unix::fs::symlink("me@here:1", lock).unwrap();
        assert_eq!(host.ok("heads").stdout, "b2 (head)\n");
        fs::remove_file(&file).unwrap();
    }
    assert_eq!(host.ok("heads").stdout, "a1 (head)\n");
    assert!(!host.dir.join("app.db").exists());
}
