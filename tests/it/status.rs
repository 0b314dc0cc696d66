//! `status`, and `--all` of commands that only read.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use dbmigrate_tests::servers;
use dbmigrate_tests::{Host, revision, sql, tool};
use expect_test::expect;

const MODELS: &str = "#[derive(dbmigrate_runtime::Model)]\n\
    pub struct Post {\n    #[model(primary_key)]\n    pub id: i64,\n    pub title: String,\n}\n";

/// What a person sees, without times and versions.
fn screen(host: &Host, command: &str, code: i32) -> String {
    let run = host.dbmigrate(command);
    assert_eq!(run.code, code, "{run}");
    let text = format!("$ {command}\n{}", host.plain(&run.stdout));
    let lines = text.lines().map(|line| match (line.split_once(" ("), line.split_once("): ")) {
        (Some((id, rest)), Some((_, message))) if rest.contains(" ms, dbmigrate ") => {
            assert!(rest.contains(" UTC, "), "{line}");
            format!("{id} (WHEN): {message}")
        }
        _ if line.starts_with("Database ") => {
            let end = line.rfind(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or_default();
            let is_version = line[end + 1..].contains('.');
            if is_version { format!("{} VERSION", &line[..end]) } else { line.to_owned() }
        }
        _ => line.to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

#[test]
fn one_screen_says_where_a_database_stands() {
    let host = Host::library("status", MODELS);
    host.ok("init");
    let mut seen = screen(&host, "status", 1);
    assert!(!host.dir.join("app.db").exists());
    host.ok("migrate -m posts --rev-id a100");
    seen += &screen(&host, "status", 1);
    host.ok("upgrade");
    seen += &screen(&host, "status", 0);
    host.write("src/lib.rs", &MODELS.replace("title: String,", "title: String, pub body: String,"));
    host.ok("revision -m empty --rev-id b200");
    host.ok("revision -m last --rev-id c300");
    sql(&host.dir.join("app.db"), "ALTER TABLE post ADD COLUMN extra TEXT");
    seen += &screen(&host, "status -n 1", 1);
    host.write("src/lib.rs", "not Rust");
    let unknown = "INSERT INTO dbmigrate_version SELECT 'zzz', parents, 'of another branch', \
                   checksum, format, applied_at, milliseconds, tool_version, operations \
                   FROM dbmigrate_version";
    sql(&host.dir.join("app.db"), unknown);
    let lines =
        "UPDATE dbmigrate_version SET message = 'po' || char(10) || 'sts' WHERE id = 'a100'";
    sql(&host.dir.join("app.db"), lines);
    host.replace("migrations/mod.rs", "c300", "d400");
    seen += &screen(&host, "status", 3);
    let errors = host.plain(&host.dbmigrate("status").stderr);
    assert!(errors.contains("\n  hint: restore the revision's file"), "{errors}");
    host.write("src/lib.rs", MODELS);
    seen += &screen(&host, "status -n 0 --url sqlite::memory:", 1);
    seen += &screen(&host, "check --url sqlite::memory:", 1);
    expect![[r#"
        $ status
        Database   sqlite:$HOST/app.db, does not exist yet
        Head       there are no revisions yet
        Applied    0 of 0 revisions
        Pending    none
        Models     1 difference from the migrations
                   added table `post`
        $ status
        Database   sqlite:$HOST/app.db, does not exist yet
        Head       a100
        Applied    0 of 1 revision
        Pending    1 revision
                   a100: posts
        Models     agree with the migrations
        $ status
        Database   sqlite:$HOST/app.db, SQLite VERSION
        Head       a100
        Applied    1 of 1 revision
                   a100 (WHEN): posts
        Pending    none
        Models     agree with the migrations
        Schema     the database agrees with the applied revisions
        $ status -n 1
        Database   sqlite:$HOST/app.db, SQLite VERSION
        Head       c300
        Applied    1 of 3 revisions
                   a100 (WHEN): posts
        Pending    2 revisions
                   b200: empty
                   and 1 later
        Models     1 difference from the migrations
                   added column `post.body`
        Schema     1 difference from the applied revisions
                   column `post.extra` is not in the migrations
        $ status
        Database   sqlite:$HOST/app.db, SQLite VERSION
        Head       c300
        Applied    1 of 3 revisions
                   zzz (WHEN): of another branch (applied, file missing)
                   a100 (WHEN): po sts
        Pending    2 revisions
                   b200: empty
                   c300: last
        History    revision `zzz` (of another branch) is applied in the database, but this project does not have it
        Models     not compared: the package `status` does not compile
        Schema     1 difference from the applied revisions
                   column `post.extra` is not in the migrations
        mod.rs     its list does not match the files
        $ status -n 0 --url sqlite::memory:
        Database   sqlite::memory:, in memory, so each command finds an empty one
        Head       c300
        Applied    0 of 3 revisions
        Pending    3 revisions
        Models     agree with the migrations
        mod.rs     its list does not match the files
        $ check --url sqlite::memory:
        The list in migrations/mod.rs does not match the revision files:
          it lacks migrations/versions/m$DAY_$TIME_c300_last.rs
          it has `m$DAY_$TIME_d400_last;`, which has no file or is listed twice
        Models and migrations agree.
        The database is in memory, so each command finds an empty one, and it was not checked.
    "#]].assert_eq(&seen);
}

#[test]
fn many_databases_are_counted_and_the_odd_ones_listed() {
    let host = Host::library("status-all", MODELS);
    host.ok("init");
    host.ok("migrate -m posts --rev-id a100");
    host.ok("upgrade");
    host.ok("revision -m empty --rev-id b200");
    host.ok("upgrade --url behind.db a100");
    host.ok("upgrade");
    fs::create_dir(host.dir.join("tenants")).unwrap();
    for idx in 0..30 {
        fs::copy(host.dir.join("app.db"), host.dir.join(format!("tenants/t{idx:02}.db"))).unwrap();
    }
    let count = |command: &str, code| {
        let run = host.dbmigrate(command);
        assert_eq!(run.code, code, "{run}");
        host.plain(&format!("$ {command}\n{}{}", run.stdout, run.errors()))
    };
    let mut seen = count("status --all tenants", 0);
    fs::copy(host.dir.join("behind.db"), host.dir.join("tenants/t07.db")).unwrap();
    sql(&host.dir.join("tenants/t08.db"), "ALTER TABLE post ADD COLUMN extra TEXT");
    sql(&host.dir.join("tenants/t09.db"), "DELETE FROM dbmigrate_version");
    let edited = "UPDATE dbmigrate_version SET checksum = checksum || '0' WHERE id = 'a100'";
    sql(&host.dir.join("tenants/t06.db"), edited);
    seen += &count("status --all tenants", 1);
    seen += &count("check --all \"tenants/t0*.db\" --jobs 2", 1);
    seen += &count("current --all tenants sqlite:none.db", 0);
    // One file under several names is one database.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("t07.db", host.dir.join("tenants/link.db")).unwrap();
        let all = format!("./tenants/t07.db {}/tenants/t07.db", host.dir.display());
        let run = host.ok(&format!("current --all {all} sqlite:tenants/t07.db tenants/link.db"));
        assert!(run.stdout.starts_with("1 database\n"), "{run}");
        fs::remove_file(host.dir.join("tenants/link.db")).unwrap();
    }
    host.write("tenants/t10.db", "this is no database, whatever its name says\n");
    seen += &count("current --all tenants --check-heads", 3);
    seen += &count("check --all tenants", 3);
    assert!(!host.dir.join("none.db").exists());
    let n_files = fs::read_dir(host.dir.join("tenants")).unwrap().count();
    assert_eq!(n_files, 30, "nothing is created");
    expect![[r#"
        $ status --all tenants
        30 databases
          30  b200 (head)
        $ status --all tenants
        30 databases
          27  b200 (head)
           1  a100, 1 pending
           1  b200, a100 was edited
           1  no revision applied, 2 pending
        tenants/t06.db: b200, a100 was edited
        tenants/t07.db: a100, 1 pending
        tenants/t09.db: no revision applied, 2 pending
        $ check --all "tenants/t0*.db" --jobs 2
        10 databases
          6  b200 (head)
          1  a100, 1 pending
          1  b200 (head), 1 difference
          1  b200, a100 was edited
          1  no revision applied, 2 pending, 1 difference
        tenants/t06.db: b200, a100 was edited
        tenants/t07.db: a100, 1 pending
        tenants/t08.db: b200 (head), 1 difference
        tenants/t09.db: no revision applied, 2 pending, 1 difference
        $ current --all tenants sqlite:none.db
        31 databases
          27  b200 (head)
           1  a100, 1 pending
           1  b200, a100 was edited
           1  does not exist yet
           1  no revision applied, 2 pending
        $HOST/none.db: does not exist yet
        tenants/t06.db: b200, a100 was edited
        tenants/t07.db: a100, 1 pending
        tenants/t09.db: no revision applied, 2 pending
        $ current --all tenants --check-heads
        30 databases
          26  b200 (head)
           1  a100, 1 pending
           1  b200, a100 was edited
           1  failed
           1  no revision applied, 2 pending
        tenants/t06.db: b200, a100 was edited
        tenants/t07.db: a100, 1 pending
        tenants/t09.db: no revision applied, 2 pending
        error: tenants/t10.db: failed to open it: file is not a database
        $ check --all tenants
        30 databases
          25  b200 (head)
           1  a100, 1 pending
           1  b200 (head), 1 difference
           1  b200, a100 was edited
           1  failed
           1  no revision applied, 2 pending, 1 difference
        tenants/t06.db: b200, a100 was edited
        tenants/t07.db: a100, 1 pending
        tenants/t08.db: b200 (head), 1 difference
        tenants/t09.db: no revision applied, 2 pending, 1 difference
        error: tenants/t10.db: failed to open it: file is not a database
    "#]]
    .assert_eq(&seen);
    let run = host.dbmigrate("check --all tenants --no-database");
    assert_eq!(run.code, 2, "{run}");
}

/// A revision that waits in its middle until a file is there.
const WAITING: &str = "op.run(\"wait\", |_| {\n        \
    while !std::path::Path::new(env!(\"GO\")).exists() {\n            \
    std::thread::sleep(std::time::Duration::from_millis(10));\n        }\n        Ok(())\n    });";

#[test]
fn servers_say_who_migrates() {
    let test = "servers_say_who_migrates";
    let servers = servers::in_turn(test);
    if servers.is_empty() {
        return;
    }
    let mut host = Host::library("status-servers", "");
    host.ok("init --dialect sqlite --dialect postgres --dialect mysql --dialect mariadb");
    let go = host.dir.join("go").display().to_string();
    let table = "op.create_table(Table::new(\"item\")\
        .column(Column::new(\"id\", Type::BigInteger).not_null())\
        .primary_key(\"pk_item\", [\"id\"]));";
    let waiting = WAITING.replace("env!(\"GO\")", &format!("{go:?}"));
    let drop = "op.drop_table(\"item\");";
    host.write("migrations/versions/m1.rs", &revision("a100", &[], "items", table, drop));
    host.write("migrations/versions/m2.rs", &revision("b200", &["a100"], "wait", &waiting, ""));
    for server in servers {
        let url = server.database();
        host.env("DATABASE_URL", &url);
        let _ = fs::remove_file(&go);
        host.ok("upgrade a100");
        let mut upgrade = host.command(tool());
        upgrade.arg("upgrade").stdout(Stdio::null()).stderr(Stdio::null());
        let mut upgrade = upgrade.spawn().expect("it runs");
        let mut n_tries = 0;
        let run = loop {
            let run = host.dbmigrate("status");
            if run.stdout.contains("\nLock ") || n_tries == 500 {
                break run;
            }
            n_tries += 1;
            thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(run.code, 1, "{run}");
        let lock = run.stdout.lines().find(|line| line.starts_with("Lock ")).expect("a line");
        let holder = if server.dialect() == "postgres" { "process" } else { "connection" };
        assert!(lock.contains(holder) && lock.contains("holds a lock"), "{lock}");
        let json = host.dbmigrate("status --format json").json();
        let named = json["lock_holder"].as_str().unwrap_or_default();
        assert!(named.contains("holds a lock"), "{json}");
        fs::write(&go, "").unwrap();
        assert!(upgrade.wait().expect("it ends").success());
        let run = host.dbmigrate("status");
        assert!(!run.stdout.contains("\nLock "), "{run}");
        if server.dialect() == "postgres" {
            let secret = url.replacen("postgres@", "postgres:s3cret@", 1);
            let run = host.dbmigrate(&format!("status --url {secret}"));
            assert!(run.stdout.contains("postgres@") && !run.stdout.contains("s3cret"), "{run}");
            assert!(!run.errors().contains("s3cret"), "{run}");
        }
        let place = url.split_once('@').map_or(url.as_str(), |(_, place)| place);
        let first = run.stdout.lines().next().unwrap_or_default();
        assert!(first.contains(place), "{run}");
        let title = match server.dialect() {
            "postgres" => ", PostgreSQL ",
            "mariadb" => ", MariaDB ",
            _ => ", MySQL ",
        };
        assert!(first.contains(title), "{run}");
    }
}
