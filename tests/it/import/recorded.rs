//! What the other tool recorded must correspond.

use dbmigrate_tests::{Host, sql};
use expect_test::expect;

use super::remove_revisions;

/// Two migrations, as sqlx and refinery recorded them with the checksums of these texts.
pub(super) const FIRST: &str =
    "-- x\nCREATE TABLE a (id INTEGER PRIMARY KEY, t TEXT NOT NULL);\n\n";
pub(super) const SECOND: &str = "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES \
                      a(id));\nCREATE INDEX bi ON b(a_id);";

const OF_SQLX: &str = "
    CREATE TABLE _sqlx_migrations (
        version BIGINT PRIMARY KEY,
        description TEXT NOT NULL,
        installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
        success BOOLEAN NOT NULL,
        checksum BLOB NOT NULL,
        execution_time BIGINT NOT NULL
    );
    INSERT INTO _sqlx_migrations VALUES (1, 'a', '2026-11-29 11:04:57', 1,
        X'9116cb978fa691b9f5821fa76c1c60bab69e7c445312d90fed79905549c61aec80d003fd25eb8583cd4d9461a5772b84',
        5716291);
    INSERT INTO _sqlx_migrations VALUES (2, 'b b', '2026-11-29 11:04:57', 1,
        X'22c5de8d88b792f9c9c75c5f91f9b6c1979938ed573ee21130be237bccd45e01a0e25b655dc3db5e4c87122a07e50c95',
        21081376);";

const OF_REFINERY: &str = "
    CREATE TABLE refinery_schema_history (
        version int4 PRIMARY KEY, name VARCHAR(255), applied_on VARCHAR(255), checksum VARCHAR(255));
    INSERT INTO refinery_schema_history VALUES
        (1, 'a', '2026-11-29T11:04:46.8Z', '4694577695106859334'),
        (2, 'b_b', '2026-11-29T11:04:46.8Z', '5226714967257075872');";

const OF_FLYWAY: &str = "
    CREATE TABLE flyway_schema_history (
        installed_rank INT NOT NULL PRIMARY KEY, version VARCHAR(50), description VARCHAR(200) NOT NULL,
        type VARCHAR(20) NOT NULL, script VARCHAR(1000) NOT NULL, checksum INT,
        installed_by VARCHAR(100) NOT NULL, installed_on TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
        execution_time INT NOT NULL, success BOOLEAN NOT NULL);
    INSERT INTO flyway_schema_history VALUES
        (1, '1', 'a', 'SQL', 'V1__a.sql', -1284508423, 'ada', '2026-11-29', 3, 1),
        (2, '2', 'b b', 'SQL', 'V2__b_b.sql', -1768027445, 'ada', '2026-11-29', 3, 1),
        (3, '2', 'b b', 'UNDO_SQL', 'U2__b_b.sql', 7, 'ada', '2026-11-29', 3, 1),
        (4, '2', 'b b', 'SQL', 'V2__b_b.sql', -1768027445, 'ada', '2026-11-29', 3, 1);";

#[test]
fn what_a_tool_recorded_must_correspond() {
    let host = Host::library("import-recorded", "");
    host.ok("init --dialect sqlite");
    let fresh = |tool: &str, records: &str, name: &str| {
        let path = host.dir.join(name);
        let _ = std::fs::remove_file(&path);
        sql(&path, &format!("{FIRST}{SECOND}{records}"));
        format!("stamp --from {tool} --url sqlite:{name}")
    };
    let tools = [
        ("sqlx", OF_SQLX, "_sqlx_migrations", ["1_a.sql", "2_b_b.sql"]),
        ("refinery", OF_REFINERY, "refinery_schema_history", ["V1__a.sql", "late/U2__b_b.sql"]),
        ("flyway", OF_FLYWAY, "flyway_schema_history", ["V1__a.sql", "V2__b_b.sql"]),
    ];
    for (tool, records, table, [first, second]) in tools {
        remove_revisions(&host);
        let dir = format!("of_{tool}");
        host.write(&format!("{dir}/{first}"), FIRST);
        host.write(&format!("{dir}/{second}"), SECOND);
        host.ok(&format!("import {tool} {dir}"));
        // refinery's `U` is a migration as well, which may come out of order.
        let last = host.read(&host.revisions()[1]);
        assert!(last.contains("    op.execute(\n        r\"CREATE TABLE b "), "{tool}: {last}");
        assert!(last.contains("    op.irreversible(\"it has no way back\");"), "{tool}: {last}");
        let run = host.ok(&fresh(tool, records, "app.db"));
        assert!(run.stdout.ends_with("marking 2 revision(s) as applied, up to v2\n"), "{run}");
        let run = host.ok(&format!("stamp --from {tool} --drop --url sqlite:app.db"));
        assert!(run.stdout.ends_with("the revisions are marked already\n"), "{run}");
        // Now there is nothing left of the other tool.
        let run = host.fails(&format!("stamp --from {tool} --url sqlite:app.db"));
        let name = if tool == "flyway" { "Flyway" } else { tool };
        assert_eq!(
            run.errors(),
            format!(
                "error: failed to read `{table}`, the table of {name}\n  caused by: no such \
                 table: {table}\n  hint: give the database that {name} migrated, for example with \
                 `--url`\n"
            )
        );
        // A migration that was changed after it was applied.
        let changed = format!("{records}\nUPDATE {table} SET checksum = 1 WHERE version = 2;");
        let run = host.fails(&fresh(tool, &changed, "changed.db"));
        let file = host.revisions()[1].clone();
        assert_eq!(
            run.errors(),
            format!(
                "error: {name} applied migration `2` with another text than revision `v2` has, in \
                 {file}\n  hint: if the database has the revision's schema all the same, mark it \
                 with `stamp --verify`\n"
            )
        );
        host.ok("stamp --verify v2 --url sqlite:changed.db");
    }
    let run =
        host.fails(&fresh("refinery", OF_REFINERY, "flyway.db").replace("refinery ", "flyway "));
    assert!(run.stderr.contains("failed to read `flyway_schema_history`"), "{run}");
    // The other ways in which a database doesn't fit; nothing is marked in any of them.
    remove_revisions(&host);
    host.ok("import refinery of_refinery");
    let mut text = String::new();
    for (what, records) in [
        ("ahead", "INSERT INTO refinery_schema_history VALUES (3, 'c', '', '1')"),
        ("with a gap", "DELETE FROM refinery_schema_history WHERE version = 1"),
        ("nothing applied", "DELETE FROM refinery_schema_history"),
        ("another schema", "DROP INDEX bi; ALTER TABLE a ADD COLUMN more TEXT"),
    ] {
        let run = host.fails(&fresh("refinery", &format!("{OF_REFINERY}{records};"), "app.db"));
        let errors = run.errors().replace(&host.revisions()[0], "the file of v1");
        text += &format!("{what}\n{errors}");
        assert_eq!(host.ok("current --url sqlite:app.db").stdout, "", "{what}");
    }
    host.ok(&fresh("refinery", OF_REFINERY, "app.db"));
    host.ok("stamp v1 --url sqlite:app.db");
    let run = host.fails("stamp --from refinery --url sqlite:app.db");
    text += &format!("marked as something else\n{}", run.errors());
    expect![[r#"
        ahead
        error: refinery has applied migration `3`, and no revision is from it
          hint: the database is ahead of the revisions: import the directory that has all of its migrations, or undo the later ones with refinery
        with a gap
        error: refinery has not applied `v1`, in the file of v1, but has applied revisions after it
          hint: apply it with refinery first
        nothing applied
        error: refinery has applied nothing in this database
          hint: `cargo dbmigrate upgrade` applies the revisions
        another schema
        error: the database does not match revision `v2`:
          column `a.more` is not in the migrations
          index `bi` of table `b` is missing from the database
          hint: bring it in line by hand; `stamp --verify REV` marks another revision if the database has its schema
        marked as something else
        error: the database is marked as being at v1, and refinery has it at v2
          hint: `stamp --verify REV` marks the revision whose schema the database has
    "#]].assert_eq(&text);

    // Many databases, each on its own.
    for n in 0..20 {
        fresh("refinery", OF_REFINERY, &format!("tenants_{n}.db"));
    }
    sql(&host.dir.join("tenants_7.db"), "ALTER TABLE a ADD COLUMN more TEXT");
    let run = host.fails("stamp --from refinery --all tenants_*.db");
    assert!(
        run.stdout.ends_with("20 databases: 0 stamped before, 19 stamped, 1 failed\n"),
        "{run}"
    );
    expect![[r#"
        error: tenants_7.db: the database does not match revision `v2`: column `a.more` is not in the migrations
          hint: bring it in line by hand; `stamp --verify REV` marks another revision if the database has its schema
    "#]].assert_eq(&run.errors());
    let run = host.fails("stamp --from refinery --all tenants_*.db --format json");
    let document = run.json();
    assert_eq!((&document["unchanged"], &document["failed"]), (&19.into(), &1.into()));
}

/// A `BEGIN` and `COMMIT` around all of a file aren't in the revision, and its checksum is of both.
#[test]
fn the_checksum_of_a_file_that_was_shortened_is_kept() {
    let host = Host::library("import-shortened", "");
    host.ok("init --dialect sqlite");
    host.write("sql/1_a.sql", "BEGIN;\nCREATE TABLE a (id INTEGER PRIMARY KEY);\nCOMMIT;\n");
    host.ok("import sqlx sql");
    let revision = host.read(&host.revisions()[0]);
    let found = revision.split("checksum of the file: ").nth(1).unwrap();
    let (checksum, rest) = found.split_once('\n').unwrap();
    assert!(rest.starts_with("CREATE TABLE a (id INTEGER PRIMARY KEY);"), "{revision}");
    let (table, _) = OF_SQLX.split_once("INSERT").unwrap();
    for (name, checksum, works) in [("same", checksum, true), ("other", "00", false)] {
        let path = host.dir.join(format!("{name}.db"));
        let row = format!("INSERT INTO _sqlx_migrations VALUES (1, 'a', '', 1, X'{checksum}', 1)");
        sql(&path, &format!("CREATE TABLE a (id INTEGER PRIMARY KEY);{table}{row}"));
        let run = host.dbmigrate(&format!("stamp --from sqlx --url sqlite:{name}.db"));
        assert_eq!(run.code == 0, works, "{run}");
    }
}
