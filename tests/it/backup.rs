//! Backups of SQLite files before a run, and `restore`.

use std::fs;
use std::path::PathBuf;

use dbmigrate_tests::{Host, dump, revision, servers, sql};
use expect_test::expect;

fn host(name: &str) -> Host {
    host_after(name, "init")
}

fn host_after(name: &str, init: &str) -> Host {
    let host = Host::library(name, "");
    host.ok(init);
    let create = "op.execute(\"CREATE TABLE pet (name TEXT)\");";
    let text = revision("a100", &[], "pets", create, "op.execute(\"DROP TABLE pet\");");
    host.write("migrations/versions/m1_pets.rs", &text);
    host
}

fn second(host: &Host, upgrade: &str) {
    let text = revision("b200", &["a100"], "more", upgrade, "op.drop_table(\"toy\");");
    host.write("migrations/versions/m2_more.rs", &text);
}

const TOY: &str =
    "op.create_table(Table::new(\"toy\").column(Column::new(\"id\", Type::Integer)));";

fn database(host: &Host) -> PathBuf {
    host.dir.join("app.db")
}

/// The files of the database, without the directories.
fn files(host: &Host) -> Vec<String> {
    let mut names: Vec<String> =
        host.list("").into_iter().filter(|name| name.contains("app.db")).collect();
    names.sort();
    names
}

/// The text with paths relative to the host.
fn shown(host: &Host, text: &str) -> String {
    host.plain(text).replace("$HOST/", "")
}

#[test]
fn a_backup_is_made_before_a_run_and_restored() {
    let host = host("backup");
    // Nothing exists that could be copied.
    assert_eq!(host.ok("upgrade --backup").stdout, "Running upgrade <base> -> a100, pets\n");
    assert_eq!(files(&host), ["app.db"]);
    assert_eq!(shown(&host, &host.ok("restore").stderr), "`sqlite:app.db` has no backup\n");
    sql(&database(&host), "INSERT INTO pet VALUES ('Rex')");
    let before = dump(&database(&host));

    second(&host, &format!("{TOY} op.execute(\"DELETE FROM pet\");"));
    expect![[r#"
        Copying app.db to app.db.backup-1 ... done
        Running upgrade a100 -> b200, more
    "#]]
    .assert_eq(&shown(&host, &host.ok("upgrade --backup").stdout));
    assert_eq!(files(&host), ["app.db", "app.db.backup-1"]);
    assert_eq!(dump(&host.dir.join("app.db.backup-1")), before);
    let after = dump(&database(&host));
    assert_ne!(before, after);
    // Nothing to do, nothing to copy.
    host.ok("upgrade --backup");
    assert_eq!(files(&host), ["app.db", "app.db.backup-1"]);

    let listed = host.ok("restore").stdout;
    assert!(listed.starts_with("1: 20") && listed.contains("UTC, at a100, "), "{listed}");
    let refused = shown(&host, &host.fails("restore 1").errors());
    let (first, rest) = refused.split_once(" (20").unwrap();
    assert_eq!(first, "error: this would replace `app.db` with backup 1");
    let rest = rest.split_once(" UTC").unwrap().1;
    expect![[r#"
        , at a100)
          hint: --yes replaces it; what the file holds now becomes a backup
    "#]]
    .assert_eq(rest);
    assert_eq!(dump(&database(&host)), after);

    expect![[r#"
        Copying app.db to app.db.backup-2 ... done
        Restoring app.db from app.db.backup-1 ... done
    "#]]
    .assert_eq(&shown(&host, &host.ok("restore 1 --yes").stdout));
    assert_eq!(dump(&database(&host)), before);
    assert_eq!(dump(&host.dir.join("app.db.backup-2")), after);
    assert_eq!(host.ok("current").stdout, "a100\n");

    let document = host.ok("restore last --yes --format json").json();
    let paths = (document["restored"].as_str(), document["kept"].as_str());
    assert_eq!(paths, (Some("app.db.backup-2"), Some("app.db.backup-3")));
    let listed = host.ok("restore --format json").json();
    assert_eq!(listed["backups"][0]["path"], "app.db.backup-3", "{listed}");
    assert_eq!(dump(&database(&host)), after);

    // A missing database is created from its backup.
    fs::remove_file(database(&host)).unwrap();
    host.ok("restore 1");
    assert_eq!(dump(&database(&host)), before);
    expect![[r#"
        error: `app.db` has no backup 7
          hint: `cargo dbmigrate restore` lists the backups
    "#]]
    .assert_eq(&shown(&host, &host.fails("restore 7").errors()));
}

#[test]
fn the_settings_say_before_which_runs_and_how_many_are_kept() {
    let host = host("backup-settings");
    host.ok("upgrade");
    host.replace("migrations/dbmigrate.toml", "backup = \"never\"", "backup = \"destructive\"");
    host.replace("migrations/dbmigrate.toml", "backups_kept = 5", "backups_kept = 2");
    second(&host, TOY);
    assert_eq!(host.ok("upgrade").stdout, "Running upgrade a100 -> b200, more\n");
    for n in 1..=3 {
        host.ok("downgrade --allow-destructive");
        let name = format!("app.db.backup-{n}");
        assert!(files(&host).contains(&name), "{:?}", files(&host));
        host.ok("upgrade");
    }
    assert_eq!(files(&host), ["app.db", "app.db.backup-2", "app.db.backup-3"]);
    // The one that is restored is never the one that makes room.
    host.ok("restore 2 --yes");
    assert_eq!(files(&host), ["app.db", "app.db.backup-2", "app.db.backup-3", "app.db.backup-4"]);
    host.ok("downgrade --allow-destructive --no-backup");
    assert!(!files(&host).contains(&"app.db.backup-5".to_owned()));
    host.ok("upgrade");
    host.ok("reset --yes");
    expect!["app.db app.db.backup-4 app.db.backup-5"].assert_eq(&files(&host).join(" "));
    host.replace("migrations/dbmigrate.toml", "backups_kept = 2", "backups_kept = 0");
    let errors = host.fails("restore").errors();
    assert!(errors.contains("expected a nonzero"), "{errors}");
}

#[test]
fn a_run_that_fails_keeps_a_backup_only_if_it_changed_something() {
    let host = host("backup-failure");
    host.ok("upgrade");
    second(&host, "op.execute(\"INSERT INTO pet VALUES ('x')\"); op.execute(\"SELECT nonsense\");");
    let failed = host.fails("upgrade --backup");
    assert!(failed.errors().contains("was rolled back"), "{}", failed.errors());
    assert_eq!(files(&host), ["app.db"]);
    let alone = "op.no_transaction(); op.execute(\"INSERT INTO pet VALUES ('x')\"); \
                 op.execute(\"SELECT nonsense\");";
    second(&host, alone);
    let failed = host.fails("upgrade --backup");
    let note = "note: the database as it was before is in `app.db.backup-1`; `cargo dbmigrate \
                restore last` brings it back";
    assert!(shown(&host, &failed.stderr).contains(note), "{}", failed.stderr);
    host.ok("restore 1 --yes");
    assert!(!dump(&database(&host)).contains("\"x\""));
}

#[test]
fn the_documents_of_redo_and_reset_name_their_backup() {
    let host = host("backup-documents");
    host.ok("upgrade");
    host.replace("migrations/dbmigrate.toml", "backup = \"never\"", "backup = \"always\"");
    let document = host.ok("redo --allow-destructive --format json").json();
    assert_eq!(document["backup"], "app.db.backup-1", "{document}");
    let document = host.ok("reset --yes --format json").json();
    assert_eq!(document["backup"], "app.db.backup-2", "{document}");
    assert_eq!(files(&host), ["app.db", "app.db.backup-1", "app.db.backup-2"]);
}

#[test]
fn a_write_ahead_log_is_part_of_a_backup() {
    let host = host("backup-wal");
    host.ok("upgrade");
    sql(&database(&host), "PRAGMA journal_mode = WAL");
    // What a program has committed is still in its log.
    let program = rusqlite::Connection::open(database(&host)).unwrap();
    program.execute_batch("PRAGMA wal_autocheckpoint = 0; INSERT INTO pet VALUES ('Rex')").unwrap();
    second(&host, TOY);
    host.ok("upgrade --backup");
    assert!(dump(&host.dir.join("app.db.backup-1")).contains("Rex"));
    // Listing leaves nothing behind.
    host.ok("restore");
    let kept = ["app.db", "app.db-shm", "app.db-wal", "app.db.backup-1"];
    let names: Vec<String> =
        files(&host).into_iter().filter(|name| !name.starts_with("app.db.backup-1-")).collect();
    assert_eq!(names, kept);
    host.replace("migrations/dbmigrate.toml", "lock_timeout = 60", "lock_timeout = 1");
    expect![[r#"
        another process holds the database's lock; waiting for up to 1 seconds
        error: failed to lock `app.db`
          caused by: database is locked
          hint: another process is migrating the database or has it open: let it finish or stop it, and run the command again
    "#]]
    .assert_eq(&shown(&host, &host.fails("restore 1 --yes").stderr));
    drop(program);
    host.ok("restore 1 --yes");
    assert_eq!(host.ok("current").stdout, "a100\n");
    let mode: String = rusqlite::Connection::open(database(&host))
        .and_then(|conn| conn.query_row("PRAGMA journal_mode", [], |row| row.get(0)))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn a_database_that_is_being_read_is_not_replaced() {
    let host = host("backup-read");
    host.ok("upgrade");
    second(&host, TOY);
    let document = host.ok("upgrade --backup --format json").json();
    assert_eq!(document["backup"], "app.db.backup-1", "{document}");
    host.replace("migrations/dbmigrate.toml", "lock_timeout = 60", "lock_timeout = 1");
    // Without a write-ahead log, having the file open is harmless.
    let program = rusqlite::Connection::open(database(&host)).unwrap();
    program.execute_batch("BEGIN; SELECT count(*) FROM pet").unwrap();
    expect![[r#"
        another process holds the database's lock; waiting for up to 1 seconds
        error: failed to lock `app.db`
          caused by: database is locked
          hint: another process is migrating the database or has it open: let it finish or stop it, and run the command again
    "#]]
    .assert_eq(&shown(&host, &host.fails("restore 1 --yes").errors()));
    program.execute_batch("COMMIT").unwrap();
    host.ok("restore 1 --yes");
    assert_eq!(host.ok("current").stdout, "a100\n");
}

/// It has to bring back what was there before both of its runs.
#[test]
fn redo_makes_one_backup() {
    let host = host("backup-redo");
    host.ok("upgrade");
    host.replace("migrations/dbmigrate.toml", "backup = \"never\"", "backup = \"always\"");
    sql(&database(&host), "INSERT INTO pet VALUES ('Rex')");
    let before = dump(&database(&host));
    host.ok("redo --allow-destructive");
    assert_eq!(files(&host), ["app.db", "app.db.backup-1"]);
    assert_eq!(dump(&host.dir.join("app.db.backup-1")), before);
}

#[test]
fn a_backup_is_refused_where_it_can_not_be_made() {
    let host = host("backup-refused");
    expect![[r#"
        error: `postgres://localhost/app` is on a server, and only SQLite files can be backed up
          hint: `pg_dump --format=custom --file=app.dump URL` makes a backup, and `pg_restore --clean --if-exists --create --exit-on-error --dbname=postgres app.dump` drops the database and restores it
    "#]]
    .assert_eq(&host.fails("upgrade --backup --url postgres://localhost/app").errors());
    let on_mysql = host.fails("restore --url mysql://localhost/app").errors();
    assert!(on_mysql.contains("`mysqldump --set-gtid-purged=OFF --single"), "{on_mysql}");
    let on_mariadb = host.fails("restore --url mariadb://localhost/app").errors();
    assert!(on_mariadb.contains("`mariadb-dump --single"), "{on_mariadb}");
    let in_memory = host.fails("upgrade --backup --url sqlite::memory:").errors();
    assert!(in_memory.contains("is in memory, and only files can be backed up"), "{in_memory}");

    host.ok("upgrade");
    second(&host, TOY);
    fs::write(host.dir.join("app.db.backup-1"), "no database").unwrap();
    host.ok("upgrade --backup");
    assert_eq!(files(&host), ["app.db", "app.db.backup-1", "app.db.backup-2"]);
    expect![[r#"
        error: failed to read the backup `app.db.backup-1`
          caused by: file is not a database
          hint: nothing was changed; restore another backup
    "#]]
    .assert_eq(&shown(&host, &host.fails("restore 1 --yes").errors()));
    let listed = host.ok("restore").stdout;
    assert!(listed.contains("1: ") && listed.contains("at a100"), "{listed}");
    let listed = host.ok("restore --format json").json();
    // Nothing is said to be unchanged, since a list changes nothing.
    expect![[r#"{"causes":["file is not a database"],"hint":"the file is not an SQLite database, or it is encrypted","message":"failed to read what the applied revisions did"}"#]]
    .assert_eq(&listed["backups"][1]["error"].to_string());
    fs::write(database(&host), "no database, whatever its name says").unwrap();
    expect![[r#"
        error: failed to lock `app.db`
          caused by: file is not a database
          hint: the file is not an SQLite database: move it away, and run the command again
    "#]]
    .assert_eq(&shown(&host, &host.fails("restore 2 --yes").errors()));
}

/// The setting can't be honoured there, but that doesn't fail the run.
#[test]
fn a_run_on_a_server_names_the_server_s_own_tool() {
    let servers = servers::in_turn("a_run_on_a_server_names_the_server_s_own_tool");
    if servers.is_empty() {
        return;
    }
    let dialects = "init --dialect postgres --dialect mysql --dialect mariadb";
    let host = host_after("backup-servers", dialects);
    host.replace("migrations/dbmigrate.toml", "backup = \"never\"", "backup = \"always\"");
    for server in servers {
        let tool = match (server.dialect(), server.name.starts_with("mariadb")) {
            ("postgres", _) => "`pg_dump --format=custom --file=app.dump URL`",
            (_, true) => "`mariadb-dump --single-transaction",
            (_, false) => "`mysqldump --set-gtid-purged=OFF",
        };
        let run = host.ok(&format!("upgrade --url {}", server.database()));
        let note = format!("note: a database on a server gets no backup; {tool}");
        assert!(run.stderr.contains(&note), "{run}");
    }
}

/// The copy has the rights of the original, and nothing of an interrupted one is left.
#[test]
#[cfg(unix)]
fn a_backup_is_as_private_as_the_database() {
    use std::os::unix::fs::PermissionsExt as _;
    let host = host("backup-private");
    host.ok("upgrade");
    fs::set_permissions(database(&host), fs::Permissions::from_mode(0o640)).unwrap();
    host.write("app.db.backup-0123456789abcdef.tmp", "half");
    second(&host, TOY);
    host.ok("upgrade --backup");
    assert_eq!(files(&host), ["app.db", "app.db.backup-1"]);
    let mode = fs::metadata(host.dir.join("app.db.backup-1")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn each_of_many_files_gets_its_own_backup() {
    let host = host("backup-many");
    for name in ["ada", "bob"] {
        fs::create_dir_all(host.dir.join("tenants")).unwrap();
        host.ok(&format!("upgrade --url sqlite:tenants/{name}.db"));
    }
    second(&host, TOY);
    let run = host.ok("upgrade --all tenants/* --backup");
    assert!(run.stdout.contains("2 databases"), "{}", run.stdout);
    let names = ["ada.db", "ada.db.backup-1", "bob.db", "bob.db.backup-1"];
    assert_eq!(host.list("tenants"), names);
    // A pattern doesn't take backups for databases.
    let run = host.ok("upgrade --all tenants/*");
    assert!(run.stdout.contains("2 databases"), "{}", run.stdout);

    // No number is left for another backup of one of them.
    let text = revision("c300", &["b200"], "last", "op.execute(\"DELETE FROM pet\");", "");
    host.write("migrations/versions/m3_last.rs", &text);
    host.write(&format!("tenants/ada.db.backup-{}", u64::MAX), "");
    let run = host.fails("upgrade --all tenants/* --backup --jobs 1");
    expect![[r#"
        error: tenants/ada.db: failed to copy `tenants/ada.db` to `tenants/ada.db.backup-18446744073709551615`: File exists (os error 17)
          hint: nothing was run
    "#]]
    .assert_eq(&shown(&host, &run.stderr));
    assert!(run.stdout.contains("1 upgraded"), "{}", run.stdout);
    let document = host.fails("upgrade --all tenants/* --backup --format json").json();
    let error = document["databases"][0]["error"].to_string();
    expect![[r#"{"causes":["File exists (os error 17)"],"hint":"nothing was run","message":"failed to copy `tenants/ada.db` to `tenants/ada.db.backup-18446744073709551615`"}"#]]
    .assert_eq(&shown(&host, &error));
}
