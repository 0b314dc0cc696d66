//! Several databases in one project, each with its own history.

use dbmigrate_tests::{Host, dump, sql};
use expect_test::expect;

const USER: &str = "
use dbmigrate_runtime::Model;

#[derive(Model)]
pub struct User {
    #[model(primary_key)]
    pub id: i64,
}
";

const EVENT: &str = "
#[derive(Model)]
#[model(database = \"logs\")]
pub struct Event {
    #[model(primary_key)]
    pub id: i64,
    pub what: String,
}
";

#[test]
fn a_second_database_is_added_to_a_project_with_a_history() {
    let mut host = Host::library("databases", USER);
    host.ok("init");
    host.ok("migrate -m users");
    host.ok("upgrade");
    sql(&host.dir.join("app.db"), "INSERT INTO user VALUES (1)");
    let users = host.read(&host.revision("users"));

    host.write("src/lib.rs", &format!("{USER}{EVENT}"));
    expect![[r#"
        error: the model `databases::Event` at src/lib.rs:12 is in the database `logs`, but dbmigrate.toml has only `default`
          hint: `cargo dbmigrate init --database logs` adds it
    "#]]
    .assert_eq(&host.plain(&host.fails("migrate -m events").errors()));
    expect![[r#"
        Creating directory migrations/logs ... done
        Creating directory migrations/logs/versions ... done
        Generating migrations/logs/mod.rs ... done
        Adding database `logs` to migrations/dbmigrate.toml ... done
        Please edit the database connection in migrations/dbmigrate.toml before proceeding.
    "#]]
    .assert_eq(&host.ok("init --database logs").stdout);
    expect![[r#"
        Database `default`
        No changes in schema detected.
        Database `logs`
        Detected added table `event`
        Generating migrations/logs/versions/m$DAY_$TIME_$ID1_events.rs ... done
    "#]]
    .assert_eq(&host.plain(&host.ok("migrate -m events").stdout));
    // Existing files haven't changed.
    assert_eq!(host.read(&host.revision("users")), users);

    let behind = host.dbmigrate("current --check-heads");
    assert_eq!(behind.code, 1, "{behind}");
    expect![[r#"
        Database `default`
        Database `logs`
        Running upgrade <base> -> $ID1, events
    "#]]
    .assert_eq(&host.plain(&host.ok("upgrade").stdout));
    host.ok("check");
    // The answer is no if it is no for one of them.
    host.replace(
        "src/lib.rs",
        "pub what: String,",
        "pub what: String,\n    pub more: Option<i64>,",
    );
    let run = host.dbmigrate("check");
    assert!(run.code == 1 && run.stdout.contains("Detected added column `event.more`"), "{run}");
    host.write("src/lib.rs", &format!("{USER}{EVENT}"));
    let (app, logs) = (host.dir.join("app.db"), host.dir.join("logs.db"));
    assert!(dump(&app).contains("user: 1") && !dump(&app).contains("event"), "{}", dump(&app));
    assert!(dump(&logs).contains("\"event\"") && !dump(&logs).contains("user"), "{}", dump(&logs));
    let applied = |path| dump(path).matches("dbmigrate_version: ").count();
    assert_eq!((applied(&app), applied(&logs)), (1, 1), "{}", dump(&logs));

    expect![[r#"
        error: `downgrade` needs to know which database is meant
          hint: choose it with --database: `default`, `logs`, or `all`
    "#]]
    .assert_eq(&host.fails("downgrade").errors());
    expect![[r#"
        error: there is no database `log`, only `default`, `logs`
          hint: `cargo dbmigrate init --database log` adds it to dbmigrate.toml
    "#]]
    .assert_eq(&host.fails("current --database log").errors());
    expect![[r#"
        error: `show` works on one database, not on all of them
          hint: choose one with --database: `default`, `logs`
    "#]]
    .assert_eq(&host.fails("show head --database all").errors());
    expect![[r#"
        error: --url names one database, but the command is for several
          hint: choose which one it is with --database: `default`, `logs`
    "#]]
    .assert_eq(&host.fails("upgrade --url sqlite:other.db").errors());
    expect![[r#"
        Running downgrade $ID1 -> <base>, events
    "#]]
    .assert_eq(&host.plain(&host.ok("downgrade --database logs").stdout));
    // The other database contains a row, whose loss nobody confirmed; the first one is left as it
    // is.
    let refused = host.fails("downgrade base --database all");
    let said = refused.errors();
    assert!(said.contains("left unchanged: `logs`"), "{refused}");
    assert!(said.contains("error: database `default`: "), "{refused}");
    assert!(dump(&app).contains("user: 1"));
    host.ok("upgrade --database logs");
    host.ok("downgrade base --database all --allow-destructive");
    assert!(!dump(&app).contains("CREATE TABLE \"user\"") && !dump(&logs).contains("\"event\""));

    // Each database has its own variable.
    host.env("LOGS_DATABASE_URL", "sqlite:elsewhere.db");
    host.ok("upgrade --database logs");
    assert!(dump(&host.dir.join("elsewhere.db")).contains("\"event\""));
    assert!(!dump(&logs).contains("\"event\""));

    let json = host.ok("current --format json").stdout;
    let names: Vec<String> = serde_json::Deserializer::from_str(&json)
        .into_iter::<serde_json::Value>()
        .map(|found| found.unwrap()["database"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["default", "logs"], "{json}");
}

#[test]
fn the_databases_that_models_name_are_found() {
    let host = Host::library("multidb-models", &format!("{USER}{EVENT}"));
    host.ok("init --multidb");
    assert_eq!(host.list("migrations/logs"), [".gitattributes", "mod.rs", "versions"]);
    host.ok("migrate");
    // If there is no additional database yet, the message says how to add one.
    host.write("src/lib.rs", USER);
    let run = host.ok("init -d other --template multidb");
    assert!(run.stderr.contains("no model names a database yet"), "{run}");
    // A template with several databases is used as it is.
    let settings = "url = \"sqlite:a.db\"\n[databases.b]\nurl = \"sqlite:b.db\"\n";
    host.write("template/dbmigrate.toml", settings);
    host.ok("init -d third --template ./template");
    assert_eq!(host.list("third/b"), [".gitattributes", "mod.rs", "versions"]);
    assert_eq!(host.read("third/dbmigrate.toml"), settings);

    // Models can only be read once their derives exist.
    host.write("src/lib.rs", &format!("{USER}{EVENT}"));
    let manifest = host.read("Cargo.toml");
    let is_other = |text: &&str| !text.starts_with("dbmigrate-runtime");
    let without: String = manifest.split_inclusive('\n').filter(is_other).collect();
    host.write("Cargo.toml", &without);
    let run = host.ok("init -d fourth --multidb --no-add");
    assert!(run.stderr.contains("the models couldn't be read"), "{run}");
    let runtime = dbmigrate_tests::repository().join("dbmigrate-runtime");
    let path = runtime.display();
    let run = host.ok(&format!("init -d fifth --multidb --offline --runtime-path \"{path}\""));
    assert_eq!(host.list("fifth/logs"), [".gitattributes", "mod.rs", "versions"], "{run}");
    // The path is relative to the crate's sources.
    let note = "`#[path = \"../fifth/mod.rs\"] mod migrations;`, \
                `#[path = \"../fifth/logs/mod.rs\"] mod logs;`";
    assert!(run.stderr.contains(note), "{run}");
    let list = host.read("fifth/logs/mod.rs");
    let shown = "//! #[path = \"../fifth/logs/mod.rs\"]\n//! mod logs;\n";
    assert!(list.contains(shown) && list.contains("`logs::migrator()`"), "{list}");
    assert!(host.read("fifth/mod.rs").contains("\"../fifth/mod.rs\""));
    expect![[r#"
        error: directory `fifth` already exists and is not empty
          hint: `cargo dbmigrate init --database metrics` adds a database to the project
    "#]]
    .assert_eq(&host.fails("init -d fifth --multidb metrics").errors());
}

#[test]
fn several_databases_from_the_beginning() {
    let host = Host::library("multidb", &format!("{USER}{EVENT}"));
    host.ok("init --multidb logs metrics");
    assert_eq!(host.list("migrations/metrics"), [".gitattributes", "mod.rs", "versions"]);
    host.ok("migrate -m first");
    assert_eq!(host.list("migrations/versions").len(), 1);
    assert_eq!(host.list("migrations/logs/versions").len(), 1);
    assert_eq!(host.list("migrations/metrics/versions").len(), 0);
    // A program contains each history separately.
    host.write(
        "src/lib.rs",
        &format!(
            "#![deny(warnings)]\n{USER}{EVENT}\n\
             #[path = \"../migrations/mod.rs\"]\npub mod migrations;\n\
             #[path = \"../migrations/logs/mod.rs\"]\npub mod logs;\n\
             pub fn count() -> [usize; 2] {{\n    \
             [migrations::migrator().modules().len(), logs::migrator().modules().len()]\n}}\n"
        ),
    );
    host.ok("upgrade");
    host.ok("check");

    host.replace(
        "src/lib.rs",
        "pub what: String,",
        "#[model(references = User)]\n    pub user_id: i64,",
    );
    expect![[r#"
        error: database `logs`: the model `multidb::Event` at src/lib.rs:13 refers to `multidb::User` at src/lib.rs:6, which is in the database `default`
          hint: a foreign key can't refer to another database: keep the value without `references`, or put both models into one database
    "#]]
    .assert_eq(
        host.plain(&host.fails("migrate -m broken").errors()).split_inclusive('\n').skip(1).collect::<String>().as_str(),
    );

    host.replace("migrations/dbmigrate.toml", "\"sqlite:logs.db\"", "\"sqlite:app.db\"");
    expect![[r#"
        error: the databases `default` and `logs` have the same file `app.db` and the same `version_table`
          hint: give one of them another file, or a version table of its own
    "#]]
    .assert_eq(&host.fails("current").errors());
    host.replace("migrations/dbmigrate.toml", "\"sqlite:app.db\"\n\n[", "\"sqlite:logs.db\"\n\n[");
    // Directories that already belong to other databases.
    expect![[r#"
        error: the database `versions` can't have the directory `migrations/versions`: it belongs to another database
          hint: set another one with `directory = "..."` under `[databases.versions]` in dbmigrate.toml
    "#]]
    .assert_eq(&host.fails("init --database versions").errors());
    assert!(!host.read("migrations/dbmigrate.toml").contains("databases.versions"));
    expect![[r#"
        error: the names of the databases `LOGS` and `logs` differ only in case
          hint: rename one in $HOST/migrations/dbmigrate.toml
    "#]]
    .assert_eq(&host.plain(&host.fails("init --database LOGS").errors()));
    host.replace("src/lib.rs", "database = \"logs\"", "database = \"all\"");
    let run = host.fails("migrate -m broken");
    assert!(run.stderr.contains("`all` stands for all databases"), "{run}");
    for name in ["default", "all", "a-b", "1st", ""] {
        host.fails(&format!("init -d other --multidb \"{name}\""));
        assert!(!host.dir.join("other").exists(), "{name}");
    }
}
