//! The runtime together with a host's other dependencies.

use std::fs;

use dbmigrate_tests::servers::Server;
use dbmigrate_tests::{Host, repository, servers};
use expect_test::expect;

/// A package with these dependencies and the runtime with its driver of SQLite.
fn resolve(name: &str, dependencies: &str) -> Host {
    resolve_with(name, "\"sqlite\"", dependencies)
}

/// The same with these features of the runtime.
fn resolve_with(name: &str, features: &str, dependencies: &str) -> Host {
    let host = Host::empty(name);
    let runtime = repository().join("dbmigrate-runtime");
    host.write(
        "Cargo.toml",
        &format!(
            "[package]\nname = \"host\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n\n\
             [dependencies]\n\
             dbmigrate-runtime = {{ path = {runtime:?}, features = [{features}] }}\n{dependencies}\n"
        ),
    );
    host.write("src/lib.rs", "");
    let run = host.cargo("generate-lockfile --quiet");
    assert_eq!(run.code, 0, "{dependencies}\n{run}");
    host
}

/// SQLite can be linked only once, so a dependency graph has one rusqlite and one libsqlite3-sys.
#[test]
fn a_lock_file_resolves_beside_every_database_crate() {
    for (name, dependencies) in [
        ("sqlx08", "sqlx = { version = \"0.8\", features = [\"sqlite\", \"runtime-tokio\"] }"),
        ("sqlx08-postgres", "sqlx = { version = \"0.8\", features = [\"postgres\", \"chrono\"] }"),
        ("sqlx09", "sqlx = { version = \"0.9\", features = [\"sqlite\", \"runtime-tokio\"] }"),
        ("diesel", "diesel = { version = \"2.3\", features = [\"sqlite\"] }"),
        (
            "sea-orm1",
            "sea-orm = { version = \"1\", features = [\"sqlx-sqlite\", \"runtime-tokio\"] }",
        ),
        (
            "sea-orm2",
            "sea-orm = { version = \"2\", features = [\"sqlx-sqlite\", \"runtime-tokio\"] }",
        ),
        ("rusqlite-old", "rusqlite = { version = \"0.32\", features = [\"bundled\"] }"),
        ("rusqlite-any", "rusqlite = { version = \"*\", features = [\"bundled\"] }"),
        ("nothing", ""),
    ] {
        let host = resolve(name, dependencies);
        let lock = host.read("Cargo.lock");
        let n_of = |name: &str| lock.matches(&format!("name = \"{name}\"\n")).count();
        assert_eq!(n_of("libsqlite3-sys"), 1, "{name}");
        assert_eq!(n_of("rusqlite"), 1, "{name}");
    }
}

/// Two versions may use the same libsqlite3-sys, and then cargo accepts both.
#[test]
fn two_versions_of_rusqlite_are_named_with_the_command_that_makes_them_one() {
    let host = resolve("rusqlite-two", "rusqlite = \"=0.42.0\"");
    let locked = host.read("Cargo.lock");
    assert_eq!(locked.matches("name = \"rusqlite\"\n").count(), 2, "{locked}");
    let newer = locked.rsplit("name = \"rusqlite\"\nversion = \"").next().unwrap();
    let newer = newer.split('"').next().unwrap();
    let warning = format!(
        "warning: `host` uses rusqlite 0.42.0, but dbmigrate-runtime is built with rusqlite \
         {newer} and does not accept the connections of the other version; `cargo update -p \
         rusqlite@{newer} --precise 0.42.0` makes them the same\n"
    );
    let run = host.ok("init");
    assert!(run.stderr.contains(&warning), "{run}");
    let run = host.dbmigrate("check --no-database");
    assert!(run.stderr.contains(&warning), "{run}");
    let hint = run.stderr.split("`cargo ").nth(1).and_then(|part| part.split('`').next()).unwrap();
    assert_eq!(host.cargo(hint).code, 0, "{hint}");
    assert_eq!(host.read("Cargo.lock").matches("name = \"rusqlite\"\n").count(), 1);
    let run = host.dbmigrate("check --no-database");
    assert!(!run.stderr.contains("rusqlite"), "{run}");
}

/// The runtime accepts one version of each, so no lock file can help.
#[test]
fn other_versions_of_the_drivers_of_servers_are_named() {
    let of = |postgres: &str, mysql: &str| {
        format!(
            "postgres = {{ version = \"{postgres}\", default-features = false }}\n\
             mysql = {{ version = \"{mysql}\", default-features = false, features = [\"minimal\"] }}"
        )
    };
    let features = "\"postgres\", \"mysql\"";
    let host = resolve_with("drivers-two", features, &of("0.17", "25"));
    // Without migrations, nothing is built.
    let drivers = |host: &Host| {
        let run = host.dbmigrate("doctor");
        let lines = run.stdout.lines().skip_while(|line| !line.contains(": drivers: "));
        let lines = lines.take_while(|line| !line.contains(": cache: "));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    expect![[r#"
        wrong: drivers: `host` uses postgres 0.17.5, but dbmigrate-runtime is built with postgres 0.19.14 and does not accept the connections of the other version
          hint: let `host` use postgres 0.19.14, or pass URLs and no connections
        wrong: drivers: `host` uses mysql 25.0.1, but dbmigrate-runtime is built with mysql 26.0.1 and does not accept the connections of the other version
          hint: let `host` use mysql 26.0.1, or pass URLs and no connections
    "#]].assert_eq(&drivers(&host));
    let host = resolve_with("drivers-one", features, &of("0.19", "26"));
    assert_eq!(drivers(&host), "ok: drivers: the package has one version of each at most\n");
}

#[test]
fn a_host_that_only_derives_compiles_a_handful_of_crates_and_no_c() {
    let host = Host::empty("only-derives");
    let runtime = repository().join("dbmigrate-runtime");
    host.write(
        "Cargo.toml",
        &format!(
            "[package]\nname = \"host\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n\n\
             [dependencies]\ndbmigrate-runtime = {{ path = {runtime:?} }}\n"
        ),
    );
    host.lock();
    host.write("src/lib.rs", "");
    let run = host.cargo("tree --prefix none --no-dedupe --edges normal,build");
    assert_eq!(run.code, 0, "{run}");
    let mut crates: Vec<&str> = run
        .stdout
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|next| *next != "host")
        .collect();
    crates.sort_unstable();
    crates.dedup();
    assert_eq!(
        crates,
        [
            "dbmigrate-derive",
            "dbmigrate-runtime",
            "hmac-sha256",
            "proc-macro2",
            "quote",
            "syn",
            "unicode-ident",
        ]
    );
}

/// A copy of an example. The examples are independent packages, each with its own lock file.
fn example(name: &str) -> Host {
    let host = Host::empty(name);
    let example = repository().join("examples").join(name);
    let mut paths = vec![example.clone()];
    while let Some(dir) = paths.pop() {
        for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.strip_prefix(&example).unwrap().display().to_string();
            if entry.is_dir() && !name.starts_with("target") {
                paths.push(entry);
            } else if entry.is_file() && !name.contains(".db") {
                let runtime = repository().join("dbmigrate-runtime").display().to_string();
                let text = fs::read_to_string(&entry).unwrap();
                host.write(&name, &text.replace("../../dbmigrate-runtime", &runtime));
            }
        }
    }
    host
}

/// All databases are only tried with servers: the example compiles more than all other hosts.
#[test]
fn the_web_example_passes_its_tests_on_each_database() {
    let test = "the_web_example_passes_its_tests_on_each_database";
    let (postgres, mysql) = (servers::postgres(test), servers::mysql(test));
    let Some(server) = postgres.first() else { return };
    let mut host = example("web");
    host.ok("check --no-database");
    let url = server.database();
    let mariadb = mysql.iter().find(|server| server.name.starts_with("mariadb"));
    let mariadb = mariadb.map(Server::database);
    for url in [None, mariadb.as_deref(), Some(url.as_str())] {
        url.into_iter().for_each(|url| host.env("DATABASE_URL", url));
        let run = host.cargo("test --quiet --locked");
        assert_eq!(run.code, 0, "{run}");
        assert!(run.stdout.contains("3 passed"), "{run}");
        // Its build has migrated the database, which no test has written to.
        host.ok("current --check-heads");
    }
    let rows = servers::client(&url).query("SELECT FROM item", &[]).expect("a table");
    assert!(rows.is_empty());

    // A query that doesn't fit the migrated server doesn't compile.
    host.replace(
        "src/main.rs",
        "SET done = true WHERE id = $1",
        "SET finished = true WHERE id = $1",
    );
    let run = host.cargo("check --locked");
    assert_ne!(run.code, 0, "{run}");
    assert!(run.stderr.contains("finished"), "{run}");
}

#[test]
fn the_embedding_example_passes_its_tests() {
    let host = example("embedded");
    let run = host.cargo("test --quiet --locked");
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.contains("3 passed"), "{run}");
    // Its migrations match its models, and the tool and the program agree on them.
    host.ok("check --no-database");
    let run = host.cargo("run --quiet");
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(host.ok("upgrade").stdout, "");
    host.ok("current --check-heads");
    host.ok("downgrade base");
    let run = host.cargo("run --quiet -- --check");
    assert_ne!(run.code, 0, "{run}");
    assert!(run.stderr.contains("the database is behind"), "{run}");
}
