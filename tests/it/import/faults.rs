//! Every layout with every kind of fault, on every kind of database that its tool knows.

use std::fmt::Write as _;

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, Server};
use dbmigrate_tests::{Host, Run, sql};
use expect_test::expect;

use super::recorded::{FIRST, SECOND};
use super::remove_revisions;

/// The layouts, each by its tool and whether its migrations have ways back.
const LAYOUTS: [(&str, bool); 9] = [
    ("diesel", true),
    ("sqlx", false),
    ("sqlx", true),
    ("refinery", false),
    ("rusqlite_migration", true),
    ("golang-migrate", true),
    ("goose", true),
    ("dbmate", true),
    ("flyway", true),
];

/// Tools whose migrations are programs, and whose tables are read like the others.
const PROGRAMS: [&str; 3] = ["sea-orm", "alembic", "django"];

/// A database on which a history is tried.
struct Place {
    dialect: &'static str,
    server: Option<Server>,
    /// `--shadow-url ...`, on a server.
    shadow: String,
}

impl Place {
    fn all(test: &str) -> Vec<Place> {
        // One of each kind: what differs between versions is in other tests.
        let mysql = servers::mysql(test).into_iter().take(1);
        let servers = servers::postgres(test).into_iter().take(1).chain(mysql);
        let on_server = |server: Server| Place {
            dialect: server.dialect(),
            shadow: format!(" --shadow-url {}", server.database()),
            server: Some(server),
        };
        let sqlite = Place { dialect: "sqlite", server: None, shadow: String::new() };
        std::iter::once(sqlite).chain(servers.map(on_server)).collect()
    }

    fn knows(&self, tool: &str) -> bool {
        tool != "rusqlite_migration" || self.dialect == "sqlite"
    }

    /// A database with these tables and rows; returns its URL.
    fn database(&self, host: &Host, text: &str) -> String {
        let Some(server) = &self.server else {
            let path = host.dir.join("app.db");
            let _ = std::fs::remove_file(&path);
            sql(&path, text);
            return "sqlite:app.db".to_owned();
        };
        let url = server.database();
        if self.dialect == "postgres" {
            servers::client(&url).batch_execute(text).unwrap();
        } else {
            let mut conn = servers::mysql_client(&url);
            for statement in text.split_inclusive(';').filter(|text| text.contains(' ')) {
                conn.query_drop(statement).unwrap();
            }
        }
        url
    }

    /// Whether a database has a version table.
    fn is_marked(&self, host: &Host, url: &str) -> bool {
        let name = "dbmigrate_version";
        let sql = format!(
            "SELECT count(*) FROM information_schema.tables WHERE table_name = '{name}' AND \
             table_schema = "
        );
        match self.dialect {
            "sqlite" => dbmigrate_tests::dump(&host.dir.join("app.db")).contains(name),
            "postgres" => {
                let row = servers::client(url).query_one(&format!("{sql}'public'"), &[]).unwrap();
                row.get::<_, i64>(0) > 0
            }
            _ => {
                let found = servers::mysql_client(url).query_first(format!("{sql}DATABASE()"));
                found.unwrap().is_some_and(|n: i64| n > 0)
            }
        }
    }
}

/// The file, or the files, of a migration in a tool's layout.
fn write(host: &Host, (tool, has_down): (&str, bool), [version, name, up]: [&str; 3]) {
    let down = if version == "1" { "DROP TABLE a;" } else { "DROP TABLE b;" };
    let pair = |up_file: String, down_file: String| {
        host.write(&format!("sql/{up_file}"), up);
        if has_down {
            host.write(&format!("sql/{down_file}"), down);
        }
    };
    match tool {
        "diesel" => pair(format!("{version}_{name}/up.sql"), format!("{version}_{name}/down.sql")),
        "rusqlite_migration" => {
            pair(format!("0{version}-{name}/up.sql"), format!("0{version}-{name}/down.sql"));
        }
        "sqlx" if !has_down => host.write(&format!("sql/{version}_{name}.sql"), up),
        "sqlx" | "golang-migrate" => {
            pair(format!("{version}_{name}.up.sql"), format!("{version}_{name}.down.sql"));
        }
        "refinery" => host.write(&format!("sql/V{version}__{name}.sql"), up),
        "flyway" => pair(format!("V{version}__{name}.sql"), format!("U{version}__{name}.sql")),
        "goose" => {
            let text = format!("-- +goose Up\n{up}\n-- +goose Down\n{down}\n");
            host.write(&format!("sql/{version}_{name}.sql"), &text);
        }
        "dbmate" => {
            let text = format!("-- migrate:up\n{up}\n-- migrate:down\n{down}\n");
            host.write(&format!("sql/{version}_{name}.sql"), &text);
        }
        other => panic!("{other}"),
    }
}

fn import(host: &Host, place: &Place, tool: &str) -> Run {
    host.dbmigrate(&format!("import {tool} sql{}", place.shadow))
}

#[test]
fn every_fault_of_every_layout_names_the_file_and_writes_nothing() {
    let mut shown = String::new();
    for place in Place::all("every_fault_of_every_layout_names_the_file_and_writes_nothing") {
        let host = Host::library(&format!("import-faults-{}", place.dialect), "");
        host.ok(&format!("init --dialect {}", place.dialect));
        let first = "CREATE TABLE a (id INTEGER PRIMARY KEY, t INTEGER);";
        let alone = match place.dialect {
            "sqlite" => Some("VACUUM;"),
            "postgres" => Some("CREATE INDEX CONCURRENTLY by_t ON a (t);"),
            // A transaction is no obstacle there: each definition commits by itself.
            _ => None,
        };
        for layout @ (tool, has_down) in LAYOUTS.into_iter().filter(|(tool, _)| place.knows(tool)) {
            let mut tried = |what: &str, second: [&str; 3]| {
                let _ = std::fs::remove_dir_all(host.dir.join("sql"));
                write(&host, layout, ["1", "a", first]);
                write(&host, layout, second);
                let run = import(&host, &place, tool);
                let n = if run.code == 0 { 2 } else { 0 };
                assert_eq!(host.revisions().len(), n, "{tool}: {what}: {run}");
                remove_revisions(&host);
                if place.dialect == "sqlite" {
                    let line = if run.code == 0 { "is taken over" } else { first_line(&run) };
                    let ways = if has_down { "" } else { " (no way back)" };
                    let _ = writeln!(shown, "{what}: {tool}{ways}: {line}");
                }
                run
            };
            let run = tried("a failing migration", ["2", "b", "ALTER TABLE none ADD x INTEGER;"]);
            assert_eq!(run.code, 3, "{tool}: {run}");
            assert!(first_line(&run).ends_with(" fails"), "{tool}: {run}");
            if let Some(alone) = alone {
                // Its way back fails, where its tool finds out by itself how to run it.
                let run = tried("only outside of a transaction", ["2", "b", alone]);
                assert_eq!(run.code, 3, "{tool}: {run}");
                let line = first_line(&run);
                assert!(
                    ["sql/2_b", "sql/02-b", "sql/V2__b", "sql/U2__b"]
                        .iter()
                        .any(|file| line.contains(file))
                );
            }
            // The rest is found without a database.
            if place.dialect != "sqlite" {
                continue;
            }
            // The tools skip numbers, except for the one that counts its migrations.
            let run = tried("a gap", ["3", "c", "CREATE TABLE b (id INTEGER PRIMARY KEY);"]);
            assert_eq!(run.code != 0, tool == "rusqlite_migration", "{tool}: {run}");
            let run = tried("two of one version", ["1", "b", "SELECT 1;"]);
            assert!(first_line(&run).starts_with("error: two migrations have"), "{tool}: {run}");
        }
    }
    expect![[r#"
        a failing migration: diesel: error: `sql/2_b/up.sql` fails
        only outside of a transaction: diesel: error: `sql/2_b/up.sql` fails
        a gap: diesel: is taken over
        two of one version: diesel: error: two migrations have version `1`: `sql/1_a/up.sql` and `sql/1_b/up.sql`
        a failing migration: sqlx (no way back): error: `sql/2_b.sql` fails
        only outside of a transaction: sqlx (no way back): error: `sql/2_b.sql` fails
        a gap: sqlx (no way back): is taken over
        two of one version: sqlx (no way back): error: two migrations have version `1`: `sql/1_a.sql` and `sql/1_b.sql`
        a failing migration: sqlx: error: `sql/2_b.up.sql` fails
        only outside of a transaction: sqlx: error: `sql/2_b.up.sql` fails
        a gap: sqlx: is taken over
        two of one version: sqlx: error: two migrations have version `1`: `sql/1_a.down.sql` and `sql/1_b.down.sql`
        a failing migration: refinery (no way back): error: `sql/V2__b.sql` fails
        only outside of a transaction: refinery (no way back): error: `sql/V2__b.sql` fails
        a gap: refinery (no way back): is taken over
        two of one version: refinery (no way back): error: two migrations have version `1`: `sql/V1__a.sql` and `sql/V1__b.sql`
        a failing migration: rusqlite_migration: error: `sql/02-b/up.sql` fails
        only outside of a transaction: rusqlite_migration: error: `sql/02-b/up.sql` fails
        a gap: rusqlite_migration: error: there is no migration 2: `sql/03-c/up.sql` comes next
        two of one version: rusqlite_migration: error: two migrations have version `01`: `sql/01-a/up.sql` and `sql/01-b/up.sql`
        a failing migration: golang-migrate: error: `sql/2_b.up.sql` fails
        only outside of a transaction: golang-migrate: error: `sql/2_b.down.sql` fails
        a gap: golang-migrate: is taken over
        two of one version: golang-migrate: error: two migrations have version `1`: `sql/1_a.down.sql` and `sql/1_b.down.sql`
        a failing migration: goose: error: `sql/2_b.sql` fails
        only outside of a transaction: goose: error: `sql/2_b.sql` fails
        a gap: goose: is taken over
        two of one version: goose: error: two migrations have version `1`: `sql/1_a.sql` and `sql/1_b.sql`
        a failing migration: dbmate: error: `sql/2_b.sql` fails
        only outside of a transaction: dbmate: error: `sql/2_b.sql` fails
        a gap: dbmate: is taken over
        two of one version: dbmate: error: two migrations have version `1`: `sql/1_a.sql` and `sql/1_b.sql`
        a failing migration: flyway: error: `sql/V2__b.sql` fails
        only outside of a transaction: flyway: error: `sql/U2__b.sql` fails
        a gap: flyway: is taken over
        two of one version: flyway: error: two migrations have version `1`: `sql/U1__a.sql` and `sql/U1__b.sql`
    "#]].assert_eq(&shown);
}

fn first_line(run: &Run) -> &str {
    run.stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default()
}

/// What a tool has recorded: that these versions are applied, the second with what is wrong with it.
fn records(tool: &str, place: &Place, versions: &[u32], what: &str) -> String {
    let blob = |hex: &str| match place.dialect {
        "postgres" => format!("'\\x{hex}'"),
        _ => format!("X'{hex}'"),
    };
    let checksum = |version: u32| -> String {
        let of_sqlx = [
            "9116cb978fa691b9f5821fa76c1c60bab69e7c445312d90fed79905549c61aec80d003fd25eb8583cd4d\
             9461a5772b84",
            "22c5de8d88b792f9c9c75c5f91f9b6c1979938ed573ee21130be237bccd45e01a0e25b655dc3db5e4c87\
             122a07e50c95",
        ];
        let known = match tool {
            "sqlx" => of_sqlx,
            "refinery" => ["4694577695106859334", "5226714967257075872"],
            _ => ["-1284508423", "-1768027445"],
        };
        let is_other = version == 3 || (what == "changed" && version == 2);
        let found = if is_other { "1234" } else { known[version as usize - 1] };
        if tool == "sqlx" { blob(found) } else { format!("'{found}'") }
    };
    let rows = |row: &dyn Fn(u32) -> String| -> String {
        versions.iter().map(|version| format!("({})", row(*version))).collect::<Vec<_>>().join(", ")
    };
    let last = versions.last().unwrap();
    let is_half = |version: u32| what == "halfway" && version == 2;
    let success = |version: u32| if is_half(version) { "FALSE" } else { "TRUE" };
    let plain = |table: &str, column: &str| {
        let rows = rows(&|version| format!("'{version}'"));
        format!("CREATE TABLE {table} ({column}); INSERT INTO {table} VALUES {rows};")
    };
    let bytes = if place.dialect == "postgres" { "BYTEA" } else { "BLOB" };
    match tool {
        "rusqlite_migration" => format!("PRAGMA user_version = {last};"),
        "golang-migrate" => format!(
            "CREATE TABLE schema_migrations (version BIGINT, dirty BOOLEAN); \
             INSERT INTO schema_migrations VALUES ({last}, {});",
            if is_half(*last) { "TRUE" } else { "FALSE" }
        ),
        "alembic" => format!(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL); \
             INSERT INTO alembic_version VALUES ('{last}');"
        ),
        "diesel" => plain("__diesel_schema_migrations", "version VARCHAR(50) PRIMARY KEY"),
        "dbmate" => plain("schema_migrations", "version VARCHAR(128) PRIMARY KEY"),
        "sea-orm" => plain("seaql_migrations", "version VARCHAR(255) PRIMARY KEY"),
        "goose" => format!(
            "CREATE TABLE goose_db_version (id INTEGER, version_id BIGINT, is_applied BOOLEAN); \
             INSERT INTO goose_db_version VALUES (0, 0, TRUE), {};",
            rows(&|version| format!("{version}, {version}, TRUE"))
        ),
        "sqlx" => format!(
            "CREATE TABLE _sqlx_migrations (version BIGINT, success BOOLEAN, checksum {bytes}); \
             INSERT INTO _sqlx_migrations VALUES {};",
            rows(&|version| format!("{version}, {}, {}", success(version), checksum(version)))
        ),
        "refinery" => format!(
            "CREATE TABLE refinery_schema_history (version INTEGER, checksum VARCHAR(255)); \
             INSERT INTO refinery_schema_history VALUES {};",
            rows(&|version| format!("{version}, {}", checksum(version)))
        ),
        "flyway" => format!(
            "CREATE TABLE flyway_schema_history (installed_rank INTEGER, version VARCHAR(50), \
             success BOOLEAN, checksum INTEGER, type VARCHAR(20), script VARCHAR(100)); \
             INSERT INTO flyway_schema_history VALUES {};",
            rows(&|version| {
                let checksum = checksum(version).replace('\'', "");
                let success = success(version);
                let is_begin = what == "baseline" && version == 1;
                let kind = if is_begin { "BASELINE" } else { "SQL" };
                let file = format!("V{version}__x.sql");
                format!("{version}, '{version}', {success}, {checksum}, '{kind}', '{file}'")
            })
        ),
        "django" => format!(
            "CREATE TABLE django_migrations (id INTEGER, app VARCHAR(255), name VARCHAR(255)); \
             INSERT INTO django_migrations VALUES {};",
            rows(&|version| format!("{version}, 'stock', '000{version}_x'"))
        ),
        other => panic!("{other}"),
    }
}

#[test]
fn every_fault_in_the_table_of_every_tool_is_named_and_nothing_is_marked() {
    let name = "every_fault_in_the_table_of_every_tool_is_named_and_nothing_is_marked";
    let mut shown = String::new();
    for place in Place::all(name) {
        let host = Host::library(&format!("import-table-{}", place.dialect), "");
        host.ok(&format!("init --dialect {}", place.dialect));
        for migration in [["1", "a", FIRST], ["2", "b_b", SECOND]] {
            write(&host, ("sqlx", false), migration);
        }
        host.ok(&format!("import sqlx sql{}", place.shadow));
        if place.server.is_some() {
            // Several databases, of which one is behind and one has another schema.
            let diesel = |versions| records("diesel", &place, versions, "");
            let urls = [
                place.database(&host, &format!("{FIRST}{SECOND}{}", diesel(&[1, 2]))),
                place.database(&host, &format!("{FIRST}{}", diesel(&[1]))),
                place.database(&host, &format!("{FIRST}{}", diesel(&[1, 2]))),
            ];
            host.write("urls.txt", &urls.map(|url| format!("{url}\n")).concat());
            let run = host.fails("stamp --from diesel --all urls.txt");
            let end = "3 databases: 0 stamped before, 2 stamped, 1 failed\n";
            assert!(run.stdout.ends_with(end), "{}: {run}", place.dialect);
            assert!(first_line(&run).contains("the database does not match revision"), "{run}");
            let run = host.fails("stamp --from diesel --all urls.txt --format json");
            assert_eq!((&run.json()["unchanged"], &run.json()["failed"]), (&2.into(), &1.into()));
        }
        let tools = LAYOUTS.map(|(tool, _)| tool).into_iter().chain(PROGRAMS);
        let mut tools: Vec<&str> = tools.filter(|tool| place.knows(tool)).collect();
        tools.dedup();
        for tool in tools {
            let [first, second] = match tool {
                "django" => ["vstock_0001_x", "vstock_0002_x"],
                _ => ["v1", "v2"],
            };
            if tool == "django" {
                // The same revisions as they would be imported from Django.
                for path in host.revisions() {
                    let text = host.read(&path);
                    let text = text.replace("\"v1\"", &format!("\"{first}\""));
                    host.write(&path, &text.replace("\"v2\"", &format!("\"{second}\"")));
                }
            }
            let mut stamped = |what: &str, versions: &[u32]| {
                let tables =
                    if versions == [1] { FIRST.to_owned() } else { format!("{FIRST}{SECOND}") };
                let records = records(tool, &place, versions, what);
                let url = place.database(&host, &format!("{tables}{records}"));
                let run = host.dbmigrate(&format!("stamp --from {tool} --url {url}"));
                assert_eq!(place.is_marked(&host, &url), run.code == 0, "{tool}: {what}: {run}");
                if place.dialect == "sqlite" {
                    let line = if run.code == 0 { run.stdout.trim_end() } else { first_line(&run) };
                    // Their names have the time of the import.
                    let [first, second] = [0, 1].map(|nth| host.revisions()[nth].clone());
                    let line = line.replace(&first, "the file of v1");
                    let line = line.replace(&second, "the file of v2");
                    let _ = writeln!(shown, "{what}: {line}");
                }
                run
            };
            // A database that is behind the directory is at an earlier revision.
            let run = stamped("behind", &[1]);
            let marked =
                format!("marking 1 revision(s) as applied, up to {first}; 1 revision pending\n");
            assert!(run.stdout.ends_with(&marked), "{tool} on {}: {run}", place.dialect);
            assert_eq!(stamped("ahead", &[1, 2, 3]).code, 3);
            // The others record no more than the last one, or how many there are.
            if !["golang-migrate", "alembic", "rusqlite_migration"].contains(&tool) {
                assert_eq!(stamped("a gap", &[2]).code, 3);
            }
            // Only these record what they ran.
            if ["sqlx", "refinery", "flyway"].contains(&tool) {
                assert_eq!(stamped("changed", &[1, 2]).code, 3);
            }
            // The others enter what succeeded.
            if ["sqlx", "golang-migrate", "flyway"].contains(&tool) {
                assert_eq!(stamped("halfway", &[1, 2]).code, 3);
            }
            if tool == "flyway" {
                assert_eq!(stamped("baseline", &[1, 2]).code, 3);
            }
        }
        remove_revisions(&host);
    }
    expect![[r#"
        behind: Reading what diesel has applied: marking 1 revision(s) as applied, up to v1; 1 revision pending
        ahead: error: diesel has applied migration `3`, and no revision is from it
        a gap: error: diesel has not applied `v1`, in the file of v1, but has applied revisions after it
        behind: Reading what sqlx has applied: marking 1 revision(s) as applied, up to v1; 1 revision pending
        ahead: error: sqlx has applied migration `3`, and no revision is from it
        a gap: error: sqlx has not applied `v1`, in the file of v1, but has applied revisions after it
        changed: error: sqlx applied migration `2` with another text than revision `v2` has, in the file of v2
        halfway: error: migration `2` of sqlx failed halfway in this database
        behind: Reading what refinery has applied: marking 1 revision(s) as applied, up to v1; 1 revision pending
        ahead: error: refinery has applied migration `3`, and no revision is from it
        a gap: error: refinery has not applied `v1`, in the file of v1, but has applied revisions after it
        changed: error: refinery applied migration `2` with another text than revision `v2` has, in the file of v2
        behind: Reading what rusqlite_migration has applied: marking 1 revision(s) as applied, up to v1; 1 revision pending
        ahead: error: rusqlite_migration has applied migration `3`, and no revision is from it
        behind: Reading what golang-migrate has applied: marking 1 revision(s) as applied, up to v1; 1 revision pending
        ahead: error: golang-migrate has applied migration `3`, and no revision is from it
        halfway: error: migration `2` of golang-migrate failed halfway in this database
        behind: Reading what goose has applied: marking 1 revision(s) as applied, up to v1; 1 revision pending
        ahead: error: goose has applied migration `3`, and no revision is from it
        a gap: error: goose has not applied `v1`, in the file of v1, but has applied revisions after it
        behind: Reading what dbmate has applied: marking 1 revision(s) as applied, up to v1; 1 revision pending
        ahead: error: dbmate has applied migration `3`, and no revision is from it
        a gap: error: dbmate has not applied `v1`, in the file of v1, but has applied revisions after it
        behind: Reading what Flyway has applied: marking 1 revision(s) as applied, up to v1; 1 revision pending
        ahead: error: Flyway has applied migration `3`, and no revision is from it
        a gap: error: Flyway has not applied `v1`, in the file of v1, but has applied revisions after it
        changed: error: Flyway applied migration `2` with another text than revision `v2` has, in the file of v2
        halfway: error: migration `2` of Flyway failed halfway in this database
        baseline: error: the database begins at baseline `1`
        behind: Reading what sea-orm-migration has applied: marking 1 revision(s) as applied, up to v1; 1 revision pending
        ahead: error: sea-orm-migration has applied migration `3`, and no revision is from it
        a gap: error: sea-orm-migration has not applied `v1`, in the file of v1, but has applied revisions after it
        behind: Reading what Alembic has applied: marking 1 revision(s) as applied, up to v1; 1 revision pending
        ahead: error: Alembic has applied migration `3`, and no revision is from it
        behind: Reading what Django has applied: marking 1 revision(s) as applied, up to vstock_0001_x; 1 revision pending
        ahead: error: Django has applied migration `stock.0003_x`, and no revision is from it
        a gap: error: Django has not applied `vstock_0001_x`, in the file of v1, but has applied revisions after it
    "#]].assert_eq(&shown);
}
