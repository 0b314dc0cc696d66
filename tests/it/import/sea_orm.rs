//! Histories of sea-orm-migration, which are Rust code.

use dbmigrate_tests::{Host, Run, servers, sql};
use expect_test::expect;

use super::remove_revisions;

pub const CARGO: &str = r#"[package]
name = "migration"
version = "0.1.0"
edition = "2024"

[dependencies]
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }

[dependencies.sea-orm-migration]
version = "1.1"
features = ["cli", "runtime-tokio-rustls", "sqlx-sqlite", "sqlx-postgres", "sqlx-mysql"]

[profile.dev]
debug = 0

[workspace]
"#;

pub const MAIN: &str = "#[tokio::main]\nasync fn main() {\n    \
                    sea_orm_migration::cli::run_cli(migration::Migrator).await;\n}\n";

/// A migration of these bodies.
fn module(up: &str, down: Option<&str>) -> String {
    let down = down.map_or_else(String::new, |down| {
        format!(
            "\n    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {{\n        \
             {down}\n    }}\n"
        )
    });
    format!(
        "use sea_orm_migration::{{prelude::*, schema::*}};\n\n#[derive(DeriveMigrationName)]\npub \
         struct Migration;\n\n#[async_trait::async_trait]\nimpl MigrationTrait for Migration \
         {{\n    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {{\n        \
         {up}\n    }}\n{down}}}\n"
    )
}

/// Writes the crate as `sea-orm-cli migrate init` does, with these modules.
fn write_crate(host: &Host, modules: &[(&str, String)]) {
    host.write("migration/Cargo.toml", CARGO);
    host.write("migration/src/main.rs", MAIN);
    // What takes minutes to compile is compiled once.
    let target = dbmigrate_tests::target_dir().join("sea-orm");
    host.write("migration/.cargo/config.toml", &format!("[build]\ntarget-dir = {target:?}\n"));
    let declared: String = modules.iter().map(|(name, _)| format!("mod {name};\n")).collect();
    let listed: String =
        modules.iter().map(|(name, _)| format!("Box::new({name}::Migration), ")).collect();
    host.write(
        "migration/src/lib.rs",
        &format!(
            "pub use sea_orm_migration::prelude::*;\n\n{declared}\npub struct \
             Migrator;\n\n#[async_trait::async_trait]\nimpl MigratorTrait for Migrator {{\n    \
             fn migrations() -> Vec<Box<dyn MigrationTrait>> {{\n        vec![{listed}]\n    \
             }}\n}}\n"
        ),
    );
    for (name, text) in modules {
        host.write(&format!("migration/src/{name}.rs"), text);
    }
}

fn history() -> Vec<(&'static str, String)> {
    let create = "manager.create_table(Table::create().table(Alias::new(\"user\")).if_not_exists()\
                  .col(pk_auto(Alias::new(\"id\"))).col(string_len_uniq(Alias::new(\"email\"), 100))\
                  .col(string_len_null(Alias::new(\"name\"), 50)).to_owned()).await";
    let drop = "manager.drop_table(Table::drop().table(Alias::new(\"user\")).to_owned()).await";
    let seed = "let insert = Query::insert().into_table(Alias::new(\"user\")).columns([Alias::new(\
                \"email\"), Alias::new(\"name\")]).values_panic([\"a@example.com; it's\".into(), \
                \"Ada\".into()]).to_owned();\n        manager.exec_stmt(insert).await?;\n        \
                manager.get_connection().execute_unprepared(\"CREATE VIEW emails AS SELECT email FROM \
                (SELECT 'a' AS email) AS e\").await?;\n        Ok(())";
    let unseed = "manager.get_connection().execute_unprepared(\"DROP VIEW emails\").await?;\n        \
                  manager.exec_stmt(Query::delete().from_table(Alias::new(\"user\")).to_owned()).await";
    let rename = "if manager.has_column(\"user\", \"name\").await? {\n        manager.alter_table(\
                  Table::alter().table(Alias::new(\"user\")).rename_column(Alias::new(\"name\"), \
                  Alias::new(\"nick\")).to_owned()).await?;\n        }\n        \
                  let db = manager.get_connection();\n        let sql = \"SELECT 1 AS n\";\n        \
                  db.query_one(sea_orm_migration::sea_orm::Statement::from_string(\
                  db.get_database_backend(), sql)).await?;\n        manager.alter_table(\
                  Table::alter().table(Alias::new(\"user\")).add_column(integer(Alias::new(\"likes\"))\
                  .default(0)).to_owned()).await";
    vec![
        ("m20220101_000001_create_user", module(create, Some(drop))),
        ("m20220102_000001_seed", module(seed, Some(unseed))),
        ("m20220103_000001_rename", module(rename, Some("todo!()"))),
    ]
}

/// Runs the crate's own program, as `sea-orm-cli migrate` does.
fn migrate(host: &Host, url: &str, args: &str) {
    let mut command = host.command("cargo");
    command.current_dir(host.dir.join("migration"));
    command.args(["run", "--quiet", "--"]).args(args.split(' ')).env("DATABASE_URL", url);
    let run = Run::of(&mut command);
    assert_eq!(run.code, 0, "{run}");
}

/// The real crate. It takes minutes to compile, so this is of the long mode.
#[test]
fn what_sea_orm_migrated_is_taken_over() {
    let name = "what_sea_orm_migrated_is_taken_over";
    if !dbmigrate_tests::is_long() {
        dbmigrate_tests::left_out(name, "DBMIGRATE_LONG=1");
        return;
    }
    let host = Host::library("import-sea-orm", "");
    write_crate(&host, &history());
    let file = host.dir.join("app.db");
    let mut databases = vec![("sqlite", format!("sqlite://{}?mode=rwc", file.display()), None)];
    for server in servers::postgres(name).into_iter().chain(servers::mysql(name)) {
        let shadow = format!(" --shadow-url {}", server.database());
        databases.push((server.dialect(), server.database(), Some(shadow)));
    }
    for (dialect, url, shadow) in databases {
        let shadow = shadow.unwrap_or_default();
        migrate(&host, &url, "up");
        host.ok(&format!("init -d {dialect} --dialect {dialect}"));
        let run = host.ok(&format!("-d {dialect} import sea-orm migration{shadow}"));
        assert_eq!(run.stdout, "Importing 3 migration(s) of sea-orm-migration ... done\n");
        // A query that changes nothing is no statement of the revision.
        let versions = host.list(&format!("{dialect}/versions"));
        let path = versions.iter().find(|path| path.ends_with("rename.rs")).unwrap();
        let text = host.read(&format!("{dialect}/versions/{path}"));
        assert!(text.contains("ADD COLUMN") && !text.contains("SELECT"), "{text}");
        assert!(text.contains("op.irreversible(\"it has no way back\")"), "{text}");
        let ours = url.replace("?mode=rwc", "");
        let run = host.ok(&format!("-d {dialect} stamp --from sea-orm --url {ours}"));
        assert!(run.stdout.contains("marking 3 revision(s) as applied, up to v20220103000001"));
        let run = host.dbmigrate(&format!("-d {dialect} check --url {ours}"));
        assert!(run.stdout.contains("The database agrees with the migrations.\n"), "{run}");
    }
    host.ok("-d sqlite upgrade --url sqlite:new.db");
    host.ok("-d sqlite downgrade v20220103000001 --url sqlite:new.db");

    // What can't be taken over is named, and nothing is written.
    let mut text = String::new();
    host.ok("init --dialect sqlite");
    let create = &history()[0].1;
    for (what, up, down) in [
        ("failing", "manager.get_connection().execute_unprepared(\"NONE\").await?; Ok(())", None),
        ("panicking", "panic!(\"never\")", None),
        (
            "failing on the way back",
            "Ok(())",
            Some("manager.get_connection().execute_unprepared(\"NONE\").await?; Ok(())"),
        ),
        ("not compiling", "none", None),
    ] {
        let modules = [
            ("m20220101_000001_create_user", create.clone()),
            ("m20220102_000001_other", module(up, down)),
        ];
        write_crate(&host, &modules);
        let run = host.fails("import sea-orm migration");
        let errors = run.errors();
        text += &format!("{what}\n{}", &errors[errors.find("error: f").unwrap_or(0)..]);
        assert_eq!(host.revisions(), Vec::<String>::new());
    }
    expect![[r#"
        failing
        Recording what the migrations do
        error: `migration/src/m20220102_000001_other.rs` fails
          caused by: Execution Error: error returned from database: (code: 1) near "NONE": syntax error
          hint: the migrations ran one after the other, beginning with an empty database: correct this one, and import again
        panicking
        Recording what the migrations do
        error: `migration/src/m20220102_000001_other.rs` fails
          caused by: it panicked: never
          hint: the migrations ran one after the other, beginning with an empty database: correct this one, and import again
        failing on the way back
        Recording what the migrations do
        error: the way back of `migration/src/m20220102_000001_other.rs` fails
          caused by: Execution Error: error returned from database: (code: 1) near "NONE": syntax error
          hint: it ran right after its migration: correct it, or remove it if there is no way back
        not compiling
        error: failed to compile the migrations of `migration`
          hint: the library of the crate needs `pub struct Migrator`, as `sea-orm-cli migrate init` writes it, and sea-orm-migration 1.0 or later
    "#]].assert_eq(&text);
}

/// Its table has names and no versions.
#[test]
fn what_sea_orm_recorded_is_read() {
    let host = Host::library("import-sea-orm-table", "");
    host.ok("init --dialect sqlite");
    let table = "CREATE TABLE a (id INTEGER PRIMARY KEY)";
    host.write("sql/20220101000001_a.sql", &format!("-- migrate:up\n{table};\n"));
    host.write("sql/20220102000001_b.sql", "-- migrate:up\nCREATE TABLE b (x);\n");
    host.ok("import dbmate sql");
    // As it creates it on SQLite.
    let records = "CREATE TABLE seaql_migrations ( version varchar NOT NULL PRIMARY KEY, applied_at \
                   bigint NOT NULL ); INSERT INTO seaql_migrations VALUES ";
    let first = "('m20220101_000001_create_a', 1795966582)";
    let second = "('m20220102_000001_create_b', 1795966582)";
    let tables = format!("{table}; CREATE TABLE b (x);");
    sql(&host.dir.join("app.db"), &format!("{tables}{records}{first}, {second}"));
    let run = host.ok("stamp --from sea-orm --drop --url sqlite:app.db");
    expect![[r#"
        Reading what sea-orm-migration has applied: marking 2 revision(s) as applied, up to v20220102000001
    "#]].assert_eq(&run.stdout);
    let mut text = String::new();
    for (what, rows) in [
        ("ahead", format!("{first}, {second}, ('m20220103_000001_c', 1)")),
        ("a gap", second.to_owned()),
    ] {
        let path = host.dir.join("wrong.db");
        let _ = std::fs::remove_file(&path);
        sql(&path, &format!("{tables}{records}{rows}"));
        let run = host.fails("stamp --from sea-orm --url sqlite:wrong.db");
        text += &format!("{what}\n{}", run.errors());
    }
    remove_revisions(&host);
    host.write("nothing/README.md", "");
    let run = host.fails("import sea-orm nothing");
    text += &format!("no crate\n{}", run.errors());
    expect![[r#"
        ahead
        error: sea-orm-migration has applied migration `m20220103_000001_c`, and no revision is from it
          hint: the database is ahead of the revisions: import the directory that has all of its migrations, or undo the later ones with sea-orm-migration
        a gap
        error: sea-orm-migration has not applied `v20220101000001`, in migrations/versions/m20220101_000001_v20220101000001_a.rs, but has applied revisions after it
          hint: apply it with sea-orm-migration first
        no crate
        error: `nothing` has no migrations of sea-orm-migration
          hint: give the directory of the crate `migration`
    "#]].assert_eq(&text);
}
