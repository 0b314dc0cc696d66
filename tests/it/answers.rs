//! Messages that name what they are about and what to do next.

use dbmigrate_tests::{Host, dump, repository, revision, sql};
use expect_test::expect;

/// A table with one column.
fn table(name: &str) -> String {
    format!(
        "op.create_table(Table::new({name:?})\
            .column(Column::new(\"id\", Type::BigInteger).not_null())\
            .primary_key(\"pk_{name}\", [\"id\"]));"
    )
}

fn host(name: &str) -> Host {
    let host = Host::library(name, "");
    host.ok("init");
    let module = revision("a100", &[], "t", &table("t"), "op.drop_table(\"t\");");
    host.write("migrations/versions/m1_t.rs", &module);
    host
}

/// With `-v` for all commands, and without it for those whose answer depends on the database.
#[test]
fn every_command_can_be_seen_to_talk_to_which_database() {
    let mut host = host("talks-to");
    let said = |host: &Host, args: &str| {
        let run = host.ok(args);
        host.plain(&format!("$ {args}\n{}{}", run.stdout, run.errors()))
    };
    let mut seen = String::new();
    for args in [
        "upgrade",
        "upgrade",
        "upgrade -q",
        "upgrade -v --url sqlite:other.db",
        "upgrade a100",
        "current",
        "current -q",
        "current --url sqlite:other.db?mode=ro",
        "history -i -v --url sqlite:other.db",
        "downgrade base -v",
        "downgrade base",
        "downgrade base -q",
        "stamp head -v",
        "ensure-version -v",
    ] {
        seen += &said(&host, args);
    }
    host.env("DATABASE_URL", "sqlite:env.db");
    seen += &said(&host, "upgrade -q");
    seen += &said(&host, "current");
    expect![[r#"
        $ upgrade
        Running upgrade <base> -> a100, t
        $ upgrade
        Nothing to upgrade: sqlite:$HOST/app.db is at a100
        $ upgrade -q
        $ upgrade -v --url sqlite:other.db
        Running upgrade <base> -> a100, t
        Database: sqlite:$HOST/other.db
        -- create table `t`
        CREATE TABLE "t" (
            "id" INTEGER NOT NULL CONSTRAINT "pk_t" PRIMARY KEY
        );
        $ upgrade a100
        Nothing to upgrade: sqlite:$HOST/app.db is at a100
        $ current
        a100 (head)
        Database: sqlite:$HOST/app.db
        $ current -q
        a100 (head)
        $ current --url sqlite:other.db?mode=ro
        a100 (head)
        Database: sqlite:$HOST/other.db
        $ history -i -v --url sqlite:other.db
        Rev: a100 (head) (current)
        Parent: <base>
        Path: migrations/versions/m1_t.rs

            t

        Database: sqlite:$HOST/other.db
        $ downgrade base -v
        Running downgrade a100 -> <base>, t
        Database: sqlite:$HOST/app.db
        -- drop table `t`
        DROP TABLE "t";
        $ downgrade base
        Nothing to downgrade: sqlite:$HOST/app.db has no revision applied
        $ downgrade base -q
        $ stamp head -v
        Running stamp_revision <base> -> a100
        Database: sqlite:$HOST/app.db
        $ ensure-version -v
        Database: sqlite:$HOST/app.db
        $ upgrade -q
        $ current
        a100 (head)
        Database: sqlite:$HOST/env.db
    "#]]
    .assert_eq(&seen);
    let run = host.dbmigrate("check");
    assert!(run.errors().contains(&format!("Database: sqlite:{}/env.db\n", host.dir.display())));
    assert!(!host.dbmigrate("check -q").errors().contains("Database"), "{run}");
    assert!(!host.dbmigrate("check --no-database").errors().contains("Database"), "{run}");
    // The JSON document contains it as well, including that of a failure.
    for args in ["current", "upgrade", "check", "downgrade nonsense"] {
        let run = host.dbmigrate(&format!("{args} --format json"));
        let url = format!("\"url\": \"sqlite:{}/env.db\"", host.dir.display());
        assert!(run.stdout.contains(&url), "{args}\n{run}");
    }
    // A password is never shown.
    for url in [
        "postgres://ada:s3cret@127.0.0.1:1/db",
        "sqlite:app.db?password=s3cret",
        "mysql://ada:s3cret@example.org",
    ] {
        for args in ["current -v", "upgrade -v", "current --format json"] {
            let run = host.fails(&format!("{args} --url {url}"));
            assert!(!format!("{run}").contains("s3cret"), "{run}");
        }
    }
}

#[test]
fn an_error_in_dot_env_names_its_line_and_a_byte_order_mark_is_taken() {
    let host = host("dot-env");
    host.write(".env", "\u{feff}DATABASE_URL=sqlite:bom.db\n");
    host.ok("upgrade");
    assert!(host.dir.join("bom.db").exists());
    let mut seen = String::new();
    for text in [
        "# comment\n\nTOKEN=a b\nDATABASE_URL=sqlite:x.db\n",
        "A=1\r\nB=2\r\ns3cret\r\n",
        "A='one\ntwo'\nB=\"open\n",
        "\u{feff}=1\n",
    ] {
        host.write(".env", text);
        let run = host.fails("current");
        assert!(!run.stderr.contains("s3cret"), "{run}");
        seen += run.stderr.lines().next().unwrap();
        seen += "\n";
    }
    for bytes in [&b"\xff\xfeA\0=\x001\0"[..], b"A=1\nDATABASE_URL=sqlite:\xe9.db\n"] {
        std::fs::write(host.dir.join(".env"), bytes).unwrap();
        seen += &host.fails("current").stderr;
    }
    expect![[r#"
        error: failed to read `$HOST/.env:3`: this line is not `KEY=value`
        error: failed to read `$HOST/.env:3`: this line is not `KEY=value`
        error: failed to read `$HOST/.env:3`: this line is not `KEY=value`
        error: failed to read `$HOST/.env:1`: this line is not `KEY=value`
        error: failed to read `$HOST/.env`: it is in UTF-16
          hint: save the file as UTF-8
        error: failed to read `$HOST/.env:2`: this line is not UTF-8
          hint: save the file as UTF-8
    "#]]
    .assert_eq(&host.plain(&seen));
    // A variable that can't be read isn't passed over for the next source.
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let url = std::ffi::OsStr::from_bytes(b"sqlite:\xe9.db");
        let mut command = host.command(dbmigrate_tests::tool());
        let run = dbmigrate_tests::Run::of(
            command.args(["dbmigrate", "current"]).env("DATABASE_URL", url),
        );
        expect![[r#"
            error: the environment variable DATABASE_URL is not UTF-8
              hint: set it to a URL in UTF-8, or unset it
        "#]]
        .assert_eq(&run.stderr);
    }
}

/// Lists only need the constants of the files.
#[test]
fn a_pending_revision_that_does_not_compile_does_not_block_lists() {
    let host = host("does-not-compile");
    host.ok("upgrade");
    let module = revision("b200", &["a100"], "half written", "op.create_tabel(", "");
    host.write("migrations/versions/m2_half.rs", &module);
    let mut seen = String::new();
    for args in [
        "history",
        "history -i -v",
        "current",
        "current --check-heads",
        "heads",
        "branches",
        "show a100",
        "show b200",
        "upgrade",
    ] {
        let run = host.dbmigrate(args);
        let says = |line: &&str| {
            ["warning: ", "  so only", "  hint"].iter().any(|text| line.starts_with(text))
        };
        let errors = run.stderr.lines().filter(|line| {
            says(line) || line.starts_with("error: the") || line.starts_with("error: what")
        });
        let errors: String = errors.map(|line| format!("{line}\n")).collect();
        seen += &format!("$ {args} ({})\n{}{errors}", run.code, run.stdout);
    }
    expect![[r#"
        $ history (0)
        a100 -> b200 (head), half written
        <base> -> a100, t
        warning: the revision `migrations/versions/m2_half.rs` does not compile
          so only the constants of `b200` are known
        $ history -i -v (0)
        Rev: b200 (head)
        Parent: a100
        Path: migrations/versions/m2_half.rs

            half written

        Rev: a100 (current)
        Parent: <base>
        Path: migrations/versions/m1_t.rs

            t

        warning: the revision `migrations/versions/m2_half.rs` does not compile
          so only the constants of `b200` are known
        $ current (0)
        a100
        warning: the revision `migrations/versions/m2_half.rs` does not compile
          so only the constants of `b200` are known
        $ current --check-heads (1)
        a100
        warning: the revision `migrations/versions/m2_half.rs` does not compile
          so only the constants of `b200` are known
        $ heads (0)
        b200 (head)
        warning: the revision `migrations/versions/m2_half.rs` does not compile
          so only the constants of `b200` are known
        $ branches (0)
        warning: the revision `migrations/versions/m2_half.rs` does not compile
          so only the constants of `b200` are known
        $ show a100 (0)
        Rev: a100
        Parent: <base>
        Path: migrations/versions/m1_t.rs

            t

        upgrade:
            create table `t`
        downgrade:
            drop table `t`
        warning: the revision `migrations/versions/m2_half.rs` does not compile
          so only the constants of `b200` are known
        $ show b200 (3)
        warning: the revision `migrations/versions/m2_half.rs` does not compile
          so only the constants of `b200` are known
        error: the operations of revision `b200` are not known: it does not compile
          hint: `cargo dbmigrate edit b200` opens it
        $ upgrade (3)
        error: the revision `migrations/versions/m2_half.rs` does not compile
    "#]]
    .assert_eq(&host.plain(&seen));
    // The same without any recordings.
    let fresh = self::host("does-not-compile-fresh");
    fresh.write("migrations/versions/m2_half.rs", &module);
    assert_eq!(fresh.ok("heads").stdout, "b200 (head)\n");
    // If the constants can't be read, there is nothing to list.
    host.replace(
        "migrations/versions/m2_half.rs",
        "REVISION: &str = \"b200\"",
        "REVISION: &str = ",
    );
    let run = host.fails("heads");
    assert!(run.stderr.contains("`migrations/versions/m2_half.rs` does not compile"), "{run}");
}

#[test]
fn what_the_application_registers_and_what_needs_no_transaction_is_said() {
    let host = Host::library("needs", "");
    host.ok("init");
    let mut seen = String::new();
    for text in [
        "CREATE VIRTUAL TABLE v USING spellfix1(x)",
        "CREATE TABLE x AS SELECT reading(1)",
        "CREATE TABLE y (a TEXT COLLATE de_DE); CREATE INDEX i ON y (a)",
        "VACUUM",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = OFF",
        "BEGIN",
        "COMMIT",
    ] {
        let module = revision("a100", &[], "t", &format!("op.execute({text:?});"), "");
        host.write("migrations/versions/m1.rs", &module);
        let run = host.dbmigrate("upgrade");
        seen += &format!("{}\n", run.errors());
    }
    expect![[r#"
        error: revision `a100` was rolled back: statement 1 of 1 failed: CREATE VIRTUAL TABLE v USING spellfix1(x)
          caused by: no such module: spellfix1
          hint: if the application registers it on its own connections, run the migrations on one of them: `migrations::migrator().upgrade(&mut conn)`

        error: revision `a100` was rolled back: statement 1 of 1 failed: CREATE TABLE x AS SELECT reading(1)
          caused by: no such function: reading
          hint: if the application registers it on its own connections, run the migrations on one of them: `migrations::migrator().upgrade(&mut conn)`

        error: revision `a100` was rolled back: statement 1 of 1 failed: CREATE TABLE y (a TEXT COLLATE de_DE); CREATE INDEX i ON y (a)
          caused by: no such collation sequence: de_DE
          hint: if the application registers it on its own connections, run the migrations on one of them: `migrations::migrator().upgrade(&mut conn)`

        error: revision `a100` was rolled back: statement 1 of 1 failed: VACUUM
          caused by: cannot VACUUM from within a transaction
          hint: a revision runs in a transaction: move this statement to a revision of its own with `op.no_transaction()`

        error: revision `a100` was rolled back: statement 1 of 1 failed: PRAGMA journal_mode = WAL
          caused by: the journal mode can't be changed within a transaction
          hint: a revision runs in a transaction: move this statement to a revision of its own with `op.no_transaction()`

        error: revision `a100` was rolled back: statement 1 of 1 failed: PRAGMA synchronous = OFF
          caused by: Safety level may not be changed inside a transaction
          hint: a revision runs in a transaction: move this statement to a revision of its own with `op.no_transaction()`

        error: revision `a100` was rolled back: statement 1 of 1 failed: BEGIN
          caused by: cannot start a transaction within a transaction
          hint: a revision runs in a transaction: move this statement to a revision of its own with `op.no_transaction()`

        error: revision `a100`: cannot execute SQL on SQLite: `COMMIT` would end the transaction that the revision runs in
          hint: remove BEGIN, COMMIT and ROLLBACK from the revision, or run it outside a transaction with `op.no_transaction()`

    "#]].assert_eq(&host.plain(&seen));
    // The hint works.
    let text = "op.no_transaction(); op.execute(\"VACUUM\");";
    host.write("migrations/versions/m1.rs", &revision("a100", &[], "t", text, ""));
    host.ok("upgrade");
    let text = "op.no_transaction(); op.execute(\"PRAGMA journal_mode = WAL\");";
    host.write("migrations/versions/m2.rs", &revision("b200", &["a100"], "t", text, ""));
    host.ok("upgrade");
}

#[test]
fn init_in_a_workspace_proposes_a_package_and_shows_the_line_that_it_wrote() {
    let host = Host::empty("init-workspace");
    host.write("Cargo.toml", "[workspace]\nmembers = [\"app\", \"core\"]\nresolver = \"2\"\n");
    for name in ["app", "core"] {
        let manifest =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
        host.write(&format!("{name}/Cargo.toml"), &manifest);
        host.write(&format!("{name}/src/lib.rs"), "");
    }
    let mut seen = String::new();
    let runtime = repository().join("dbmigrate-runtime");
    let with = format!("--runtime-path {}", runtime.display());
    let first = format!("init -p app {with}");
    for args in ["init", &first, "init", "init -p core --no-add", "current"] {
        let run = host.dbmigrate(args);
        seen += &format!("$ {args} ({})\n{}", run.code, run.errors());
    }
    // What was written is what is shown, however cargo changed the path.
    let manifest = host.read("app/Cargo.toml");
    let line = manifest.lines().find(|line| line.starts_with("dbmigrate-runtime")).unwrap();
    seen = host.plain(&seen.replace(line, "$LINE"));
    expect![[r#"
        $ init (3)
        error: no package of the workspace has a directory `migrations`
          hint: choose one with `-p`, as in `cargo dbmigrate init -p app`; there are `app`, `core`
        $ init -p app --runtime-path $REPOSITORY/dbmigrate-runtime (0)
        note: added to app/Cargo.toml: [dependencies]
          $LINE
        note: editors see the revisions once your crate includes them: `#[path = "../migrations/mod.rs"] mod migrations;`
        $ init (3)
        error: directory `migrations` already exists and is not empty
          hint: it belongs to the package `app`: choose another package with `-p`, or another directory with `-d`
        $ init -p core --no-add (0)
        note: add to the [dependencies] of core/Cargo.toml: dbmigrate-runtime = { version = "0.1.0" }
        note: editors see the revisions once your crate includes them: `#[path = "../migrations/mod.rs"] mod migrations;`
        $ current (3)
        error: several packages of the workspace have migrations
          hint: choose one with `-p`: `app`, `core`
    "#]].assert_eq(&seen);
}

/// A column without a type is specific to SQLite; the model declares it.
#[test]
fn a_column_without_a_type_can_be_adopted() {
    let model = "use dbmigrate_runtime::Model;\n\n#[derive(Model)]\npub struct Note {\n    \
        #[model(primary_key)]\n    pub id: i64,\n    #[model(type = raw(\"\"))]\n    \
        pub body: Option<String>,\n}\n";
    let host = Host::library("typeless", model);
    host.ok("init");
    let db = host.dir.join("app.db");
    sql(
        &db,
        "CREATE TABLE note (id INTEGER NOT NULL PRIMARY KEY, body); INSERT INTO note VALUES (1, 2)",
    );
    let run = host.ok("migrate --against database -m x");
    assert_eq!(run.stdout, "No changes in schema detected.\n", "{run}");
    host.ok("migrate -m note");
    let run = host.ok("stamp --verify head");
    assert_eq!(host.ok("check").code, 0, "{run}");
    assert!(dump(&db).contains("note: 1, 2\n"));
    // The revision creates the same column in a new database.
    host.ok("upgrade --url sqlite:new.db");
    host.ok("check --url sqlite:new.db");
    let text = dump(&host.dir.join("new.db"));
    let (_, created) = text.split_once("CREATE TABLE").unwrap();
    assert!(created.contains("\n    \"body\"\n)"), "{text}");
}
