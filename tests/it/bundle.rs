//! `bundle`: an executable that contains the migrations, run where there is nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;

use dbmigrate_tests::servers::{self, Server};
use dbmigrate_tests::{Host, Run, dump, revision, sql, words};
use expect_test::expect;

const PETS: &str = "op.create_table(Table::new(\"pet\")\
     .column(Column::new(\"id\", Type::Integer).not_null())\
     .column(Column::new(\"name\", Type::Text)).primary_key(\"pk_pet\", [\"id\"]));";

const STEP: &str = "op.add_column(\"pet\", Column::new(\"slug\", Type::Text));\n    \
     op.run(\"fill slugs\", |db| {\n        \
     let prefix = db.arg(\"prefix\").unwrap_or(\"none\").to_owned();\n        \
     db.execute(\"UPDATE pet SET slug = ?1\", [prefix])?;\n        Ok(())\n    });";

fn host() -> Host {
    let mut host = Host::library("bundle", "");
    // Optimizing all crates takes minutes, and changes only the size and the speed.
    host.env("CARGO_PROFILE_RELEASE_LTO", "off");
    host.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    host.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    host.ok("init --dialect sqlite --dialect postgres --dialect mysql --dialect mariadb");
    let pets = revision("a100", &[], "pets", PETS, "op.drop_table(\"pet\");");
    host.write("migrations/versions/m1_pets.rs", &pets);
    let slugs = revision("b200", &["a100"], "slugs", STEP, "op.drop_column(\"pet\", \"slug\");");
    host.write("migrations/versions/m2_slugs.rs", &slugs);
    host
}

/// An executable alone in a directory, with no variables.
struct Alone {
    dir: PathBuf,
    executable: PathBuf,
}

impl Alone {
    fn new(host: &Host, executable: &Path) -> Alone {
        let dir = host.dir.join("alone");
        std::fs::create_dir_all(&dir).unwrap();
        let alone = dir.join("migrator");
        std::fs::copy(executable, &alone).unwrap();
        Alone { dir, executable: alone }
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(&self.executable);
        command.current_dir(&self.dir).env_clear().args(words(args));
        command
    }

    #[track_caller]
    fn ok(&self, args: &str) -> Run {
        let run = Run::of(&mut self.command(args));
        assert_eq!(run.code, 0, "{args}\n{run}");
        run
    }

    /// What it prints, with its exit code.
    fn told(&self, args: &str) -> String {
        let run = Run::of(&mut self.command(args));
        let place = self.dir.canonicalize().unwrap();
        let text = format!("$ migrator {args}\n{}{}", run.stdout, run.stderr);
        let text = text.replace(&place.display().to_string(), "$DIR");
        let text = text.replace(&self.dir.display().to_string(), "$DIR");
        without_version(&text) + &format!("[{}]\n", run.code)
    }
}

/// A text with placeholders for SQLite's version and for when revisions were applied.
fn without_version(text: &str) -> String {
    let plain = |line: &str| match (line.split_once(", SQLite "), line.split_once(" (20")) {
        (Some((before, _)), _) => format!("{before}, SQLite VERSION\n"),
        (None, Some((before, rest))) if rest.contains(" UTC, ") => {
            let (_, after) = rest.split_once(')').unwrap_or_default();
            format!("{before} (WHEN){after}\n")
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(plain).collect()
}

/// One host and one build; it links the C library in, so that it is the most demanding one.
#[test]
fn the_executable_runs_alone_on_every_database() {
    let host = host();
    let document = host.ok("bundle --static --out dist/migrator --format json").json();
    assert_eq!(document["static"], true, "{document}");
    assert_eq!(document["revisions"], 2, "{document}");
    let path = host.dir.join("dist/migrator");
    assert_eq!(document["bytes"], path.metadata().unwrap().len(), "{document}");
    let alone = Alone::new(&host, &path);
    on_a_file(&alone);
    what_is_wrong(&alone);
    for server in &servers::in_turn("bundle") {
        on_a_server(&alone, server);
    }
    a_changed_revision_is_built_again(&host);
}

fn on_a_file(alone: &Alone) {
    let url = "--url sqlite:app.db";
    let told = |args: &str| alone.told(&format!("{args} {url}"));
    expect![[r#"
        $ migrator status --url sqlite:app.db
        Database   sqlite:$DIR/app.db, does not exist yet
        Head       b200
        Applied    0 of 2 revisions
        Pending    2 revisions
                   a100: pets
                   b200: slugs
        [1]
        $ migrator upgrade a100 --url sqlite:app.db
        Running upgrade <base> -> a100, pets
        [0]
    "#]]
    .assert_eq(&(told("status") + &told("upgrade a100")));
    sql(&alone.dir.join("app.db"), "INSERT INTO pet VALUES (1, 'Rex')");
    expect![[r#"
        $ migrator plan --url sqlite:app.db
        Upgrade of sqlite:$DIR/app.db: 1 revision, in one transaction

        upgrade a100 -> b200, slugs
          add column `slug` to table `pet`
          run step `fill slugs`
          `pet` has 1 row
        [0]
        $ migrator upgrade -x prefix=dog --url sqlite:app.db
        Running upgrade a100 -> b200, slugs
        [0]
        $ migrator upgrade --url sqlite:app.db
        Nothing to upgrade: sqlite:$DIR/app.db is at b200
        [0]
        $ migrator current --check-heads --url sqlite:app.db
        b200 (head)
        Database: sqlite:$DIR/app.db
        [0]
        $ migrator history -i --url sqlite:app.db
        a100 -> b200 (head) (current), slugs
        <base> -> a100, pets
        [0]
        $ migrator downgrade --url sqlite:app.db
        error: the downgrade would discard:
          column `pet.slug` (1 row)
          hint: --allow-destructive discards them
        [3]
        $ migrator downgrade base --dry-run --url sqlite:app.db
        Downgrade of sqlite:$DIR/app.db: 2 revisions, in one transaction

        downgrade b200 -> a100, slugs
          drop column `slug` of table `pet`
          `pet` has 1 row
          drop column `slug` of table `pet` discards 1 row

        downgrade a100 -> <base>, pets
          drop table `pet`
          `pet` has 1 row
          drop table `pet` discards 1 row
        [0]
    "#]]
    .assert_eq(
        &[
            told("plan"),
            told("upgrade -x prefix=dog"),
            told("upgrade"),
            told("current --check-heads"),
            told("history -i"),
            told("downgrade"),
            told("downgrade base --dry-run"),
        ]
        .concat(),
    );
    assert!(
        dump(&alone.dir.join("app.db")).contains("'dog'") || {
            dump(&alone.dir.join("app.db")).contains("\"dog\"")
        }
    );
    let document = alone.ok(&format!("downgrade a100 --allow-destructive --format json {url}"));
    assert_eq!(document.json()["ran"], serde_json::json!(["b200"]), "{document}");
    let document = Run::of(&mut alone.command(&format!("status --format json {url}"))).json();
    assert_eq!(document["pending"], serde_json::json!(["b200"]), "{document}");
    assert_eq!(document["applied"][0]["id"], "a100", "{document}");
    assert_eq!(document["in_order"], false, "{document}");
    let version = alone.ok("--version").stdout;
    let schema = document["schema_hash"].as_str().unwrap();
    assert!(version.contains(&format!("schema {schema}\nrevisions 2\nheads b200\n")), "{version}");
}

fn what_is_wrong(alone: &Alone) {
    expect![[r#"
        $ migrator upgrade
        error: there is no database URL
          hint: set the environment variable DATABASE_URL, or pass --url
        [3]
        $ migrator upgrade --sql
        error: unexpected argument `--sql`

        For more information, try `$DIR/migrator --help`.
        [2]
        $ migrator upgrade --ulr=postgres://ada:secret@db/shop
        error: unexpected argument `--ulr=postgres://ada@db/shop`

        For more information, try `$DIR/migrator --help`.
        [2]
        $ migrator postgres://ada:secret@db/shop
        error: there is no command `postgres://ada@db/shop`

        For more information, try `$DIR/migrator --help`.
        [2]
        $ migrator upgrade nonsense --url sqlite:app.db
        error: no revision `nonsense` in this executable
          hint: `$DIR/migrator history` lists them
        [3]
        $ migrator upgrade --url sqlite:none/app.db
        error: failed to open the database `$DIR/none/app.db`: the directory `$DIR/none` does not exist
          hint: create it, or correct the path in --url
        [3]
        $ migrator upgrade --url sqlite:app.db?mode=ro
        error: the database `$DIR/app.db` is opened read-only
          hint: remove `?mode=ro` from its URL, in --url
        [3]
        $ migrator current --url oracle:app
        error: `oracle:` databases are not supported by this version, in --url
          hint: use `sqlite:path/to/file.db`, `postgres://user@host/database` or `mysql://user@host/database`
        [3]
        $ migrator downgrade --url sqlite:other.db
        error: the database `$DIR/other.db` does not exist
          hint: `$DIR/migrator upgrade` creates it
        [3]
    "#]]
    .assert_eq(&[
        alone.told("upgrade"),
        alone.told("upgrade --sql"),
        alone.told("upgrade --ulr=postgres://ada:secret@db/shop"),
        alone.told("postgres://ada:secret@db/shop"),
        alone.told("upgrade nonsense --url sqlite:app.db"),
        alone.told("upgrade --url sqlite:none/app.db"),
        alone.told("upgrade --url sqlite:app.db?mode=ro"),
        alone.told("current --url oracle:app"),
        alone.told("downgrade --url sqlite:other.db"),
    ]
    .concat());
}

fn on_a_server(alone: &Alone, server: &Server) {
    let url = server.database();
    let run = |args: &str| Run::of(alone.command(args).env("DATABASE_URL", &url));
    let plan = |args: &str| run(args).stdout.replace(&url, "URL");
    let planned = plan("plan");
    let pending = "upgrade <base> -> a100, pets\n  create table `pet`\n";
    assert!(planned.starts_with("Upgrade of URL: 2 revisions, "), "{planned}");
    assert!(planned.contains(pending), "{planned}");
    let upgraded = run("upgrade -x prefix=cat");
    assert_eq!(
        upgraded.stdout,
        "Running upgrade <base> -> a100, pets\nRunning upgrade a100 -> b200, slugs\n",
        "{upgraded}"
    );
    assert_eq!(upgraded.code, 0, "{upgraded}");
    let status = run("status");
    assert!(status.stdout.contains("the database agrees with the applied revisions"), "{status}");
    assert_eq!(status.code, 0, "{status}");
    assert_eq!(run("current").stdout, "b200 (head)\n");
    let back = plan("plan base");
    assert!(back.starts_with("Downgrade of URL: 2 revisions, "), "{back}");
    assert!(back.contains("downgrade b200 -> a100, slugs\n"), "{back}");
    let undone = run("downgrade base");
    assert_eq!(
        undone.stdout,
        "Running downgrade b200 -> a100, slugs\nRunning downgrade a100 -> <base>, pets\n",
        "{undone}"
    );
}

fn a_changed_revision_is_built_again(host: &Host) {
    let changed = STEP.replace("\"none\"", "\"nothing\"");
    let slugs = format!("op.barrier(\"release 1 names no slug\");\n    {changed}");
    let slugs = revision("b200", &["a100"], "slugs", &slugs, "op.drop_column(\"pet\", \"slug\");");
    host.write("migrations/versions/m2_slugs.rs", &slugs);
    host.ok("bundle --static --out dist/migrator");
    let alone = Alone::new(host, &host.dir.join("dist/migrator"));
    sql(&alone.dir.join("new.db"), "SELECT 1");
    alone.ok("upgrade a100 --url sqlite:new.db");
    sql(&alone.dir.join("new.db"), "INSERT INTO pet VALUES (1, 'Rex')");
    expect![[r#"
        $ migrator upgrade --url sqlite:new.db
        Stopping before b200, slugs: release 1 names no slug (once no program of the previous release is running, `$DIR/migrator upgrade --past-barriers` continues)
        Nothing to upgrade: sqlite:$DIR/new.db is at a100
        [0]
        $ migrator status --url sqlite:new.db
        Database   sqlite:$DIR/new.db, SQLite VERSION
        Head       b200
        Applied    1 of 2 revisions
                   a100 (WHEN): pets
        Pending    1 revision
                   b200: slugs (waits)
        Barrier    b200, slugs: release 1 names no slug
        Schema     the database agrees with the applied revisions
        [0]
        $ migrator current --check-heads --url sqlite:new.db
        a100
        Database: sqlite:$DIR/new.db
        an upgrade stops before b200, slugs: release 1 names no slug
        [0]
    "#]]
    .assert_eq(
        &["upgrade", "status", "current --check-heads"]
            .map(|command| alone.told(&format!("{command} --url sqlite:new.db")))
            .concat(),
    );
    for command in ["upgrade", "plan", "status", "current"] {
        let document = alone.ok(&format!("{command} --format json --url sqlite:new.db")).json();
        assert_eq!(document["barriers"][0]["id"], "b200", "{document}");
    }
    alone.ok("upgrade --past-barriers --url sqlite:new.db");
    assert!(dump(&alone.dir.join("new.db")).contains("nothing"));
    let failed = Run::of(&mut alone.command("status --url postgres://ada:secret@localhost:1/app"));
    let said = failed.stdout + &failed.stderr;
    assert!(!said.contains("secret") && said.contains("ada"), "{said}");
    // A person's own file is not overwritten.
    let refused = host.fails("bundle --out Cargo.toml");
    expect![[r#"
        error: `Cargo.toml` exists and is not a bundle
          hint: give another path with --out, or remove the file
    "#]]
    .assert_eq(&refused.errors());
    host.write("migrations/versions/m2_slugs.rs", "no Rust");
    let refused = host.fails("bundle");
    assert!(refused.stderr.contains("m2_slugs.rs"), "{refused}");
}
