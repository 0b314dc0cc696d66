//! `doctor`: what it finds, and that each of its hints helps.

use dbmigrate_tests::{Host, revision};

const MODEL: &str = "#[derive(dbmigrate_runtime::Model)]\npub struct User {\n    \
                     #[model(primary_key)]\n    pub id: i64,\n}\n";

/// The lines that aren't `ok`, with their hints.
fn found(host: &Host, args: &str, code: i32) -> String {
    let run = host.dbmigrate(&format!("doctor {args}"));
    assert_eq!(run.code, code, "{run}");
    let lines = run.stdout.lines().filter(|line| !line.starts_with("ok: "));
    host.plain(&lines.map(|line| format!("{line}\n")).collect::<String>()).replace("$HOST/", "")
}

#[test]
fn a_healthy_project_is_healthy() {
    let host = Host::library("doctor", MODEL);
    host.ok("init");
    host.ok("migrate -m user --upgrade");
    assert_eq!(found(&host, "", 0), "");
    let document = host.ok("doctor --format json").json();
    assert_eq!(document["healthy"], true, "{document}");
    let names: Vec<&str> = document["looks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|look| look["name"].as_str().unwrap())
        .collect();
    let all = [
        "toolchain",
        "package",
        "drivers",
        "cache",
        "settings",
        "models",
        "list",
        "revisions",
        "database",
        "version table",
        "rights",
    ];
    assert_eq!(names, all);
}

#[test]
fn what_is_missing_is_named_with_what_creates_it() {
    let host = Host::empty("doctor-nothing");
    let none = found(&host, "", 1);
    assert!(none.starts_with("wrong: package: no Cargo.toml in "), "{none}");

    let host = Host::library("doctor-missing", MODEL);
    let missing = found(&host, "", 1);
    let expected = "wrong: migrations: there is no directory `migrations`\n  hint: `cargo dbmigrate \
                    init` creates it\n";
    assert_eq!(missing, expected);
    host.ok("init");
    // The database is missing, which is no fault.
    let fresh = found(&host, "", 0);
    let expected = "note: database: sqlite:app.db, from migrations/dbmigrate.toml, does not exist \
                    yet\n  hint: `cargo dbmigrate upgrade` creates it\n";
    assert_eq!(fresh.replace("`migrations/dbmigrate.toml`", "migrations/dbmigrate.toml"), expected);
    host.ok("migrate -m user");
    host.ok("upgrade");
    assert_eq!(found(&host, "", 0), "");
}

#[test]
fn a_crate_that_does_not_compile_is_one_finding_of_several() {
    let host = Host::library("doctor-broken", MODEL);
    host.ok("init");
    host.ok("migrate -m user --upgrade");
    host.write("src/lib.rs", &format!("{MODEL}fn broken() {{ nonsense }}\n"));
    let text = revision("b200", &[], "bad", "op.nonsense();", "");
    host.write("migrations/versions/m_b200_bad.rs", &text);
    let found_now = found(&host, "", 1);
    for name in ["wrong: models: ", "wrong: list: ", "wrong: revisions: "] {
        assert!(found_now.contains(name), "{found_now}");
    }
    // The database is looked at nevertheless.
    let run = host.dbmigrate("doctor");
    assert!(run.stdout.contains("ok: database: ") && run.stdout.contains("ok: rights: "), "{run}");

    host.write("src/lib.rs", MODEL);
    std::fs::remove_file(host.dir.join("migrations/versions/m_b200_bad.rs")).unwrap();
    assert_eq!(found(&host, "", 0), "");
    host.write("migrations/dbmigrate.toml", "nonsense = 1\n");
    let settings = found(&host, "", 1);
    assert!(settings.contains("wrong: settings: failed to read the configuration"), "{settings}");
    host.write("migrations/dbmigrate.toml", "url = \"nonsense://x\"\n");
    let url = found(&host, "", 1);
    assert!(url.contains("wrong: database: "), "{url}");
    host.write("garbage.db", "this is no database, whatever its name says\n");
    host.write("migrations/dbmigrate.toml", "url = \"sqlite:garbage.db\"\n");
    let garbage = found(&host, "", 1);
    assert!(garbage.contains("the file is not an SQLite database"), "{garbage}");
}

#[test]
fn servers_say_what_the_user_may_do() {
    use dbmigrate_tests::servers;
    let name = "doctor::servers_say_what_the_user_may_do";
    for server in &servers::in_turn(name) {
        let mut host = Host::library("doctor-server", MODEL);
        host.ok("init");
        host.env("DATABASE_URL", &server.database());
        host.ok("migrate -m user --upgrade");
        assert_eq!(found(&host, "", 0), "");
        let run = host.ok("doctor");
        assert!(run.stdout.contains("ok: rights: "), "{run}");
    }
}

#[test]
fn missing_rights_are_named_with_what_grants_them() {
    use dbmigrate_runtime::mysql::prelude::Queryable as _;
    use dbmigrate_tests::servers;
    let name = "doctor::missing_rights_are_named_with_what_grants_them";
    for server in &servers::in_turn(name) {
        let field = "#[model(check(\"NOT (age = 5)\"))]\n    pub age: i64,\n}";
        let checked = MODEL.replace('}', field);
        let mut host = Host::library("doctor-rights", &checked);
        host.ok("init");
        let url = server.database();
        let (_, database) = url.rsplit_once('/').expect("a database");
        let administrate = |sql: &str| match server.dialect() {
            "postgres" => servers::client(&url).batch_execute(sql).unwrap(),
            _ => servers::mysql_client(&url).query_drop(sql).unwrap(),
        };
        let user = format!("may_read_{}", std::process::id());
        let is_postgres = server.dialect() == "postgres";
        // If several patterns match a database, only one counts.
        let pattern = format!("`{}`.*", database.replace('_', "\\_"));
        let setup = if is_postgres {
            vec![
                format!("CREATE ROLE {user} LOGIN"),
                "REVOKE CREATE ON SCHEMA public FROM PUBLIC".to_owned(),
            ]
        } else {
            vec![
                format!("CREATE USER '{user}'@'localhost'"),
                format!("GRANT SELECT, INSERT ON {pattern} TO '{user}'@'localhost'"),
            ]
        };
        setup.iter().for_each(|sql| administrate(sql));
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (_, place) = rest.split_once('@').expect("a user");
        host.env("DATABASE_URL", &format!("{scheme}://{user}@{place}"));
        let run = host.dbmigrate("doctor");
        let line = run.stdout.lines().skip_while(|line| !line.contains(": rights: ")).nth(1);
        let hint = line.and_then(|line| line.split_once("run `")).expect("a hint");
        let hint = hint.1.strip_suffix('`').expect("a statement");
        assert!(hint.starts_with("GRANT "), "{run}");
        let is_blind = run.stdout.contains(
            "SHOW VIEW, TRIGGER, except perhaps through a role; a change that breaks a view or a \
             trigger isn't stopped",
        );
        assert_eq!(is_blind, !is_postgres, "{run}");
        assert!(is_postgres || hint.contains(&format!(" ON {pattern} TO ")), "{run}");
        administrate(hint);
        let run = host.dbmigrate("doctor");
        assert!(run.stdout.contains("ok: rights: "), "{hint}: {run}");
        if !is_postgres {
            // What the server makes of a definition is read from a temporary table.
            let revoke = "REVOKE CREATE TEMPORARY TABLES";
            administrate(&format!("{revoke} ON {pattern} FROM '{user}'@'localhost'"));
            host.ok("migrate -m checked --upgrade");
            let run = host.ok("check");
            let said = "warning: not everything could be compared, since that needs a temporary \
                        table:\n  table `user` can't be compared: its expressions: Access denied";
            assert!(run.stderr.contains(said), "{run}");
        }
        if is_postgres {
            administrate(&format!("ALTER ROLE {user} SET search_path = nowhere"));
            let run = host.dbmigrate("doctor");
            let said =
                "wrong: rights: the user may use no schema of the search path, which is `nowhere`";
            assert!(run.stdout.contains(said), "{run}");
            administrate(&format!("DROP OWNED BY {user}"));
            administrate(&format!("DROP ROLE {user}"));
        } else {
            administrate(&format!("DROP USER '{user}'@'localhost'"));
        }
    }
}
