//! `import` and `stamp --from`: the history of another tool, taken over.

use dbmigrate_tests::servers::{self, Server};
use dbmigrate_tests::{Host, sorted, sql};
use expect_test::expect;

/// A history: version, name, the SQL that applies it, and the SQL that undoes it.
const HISTORY: [(u32, &str, &str, &str); 4] = [
    (
        1,
        "create_users",
        "-- The users.\nCREATE TABLE users (\n    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,\n    \
         email VARCHAR(100) NOT NULL UNIQUE,\n    role TEXT NOT NULL DEFAULT 'member' CHECK (role IN \
         ('member', 'admin'))\n);\n",
        "DROP TABLE users;\n",
    ),
    (
        2,
        "create_posts",
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users \
         (id) ON DELETE CASCADE, title TEXT);\nCREATE VIEW titles AS SELECT title FROM posts;\n\
         CREATE TRIGGER trimmed AFTER INSERT ON posts BEGIN UPDATE posts SET title = trim(title); \
         END;\n",
        "DROP VIEW titles;\nDROP TABLE posts;\n",
    ),
    (
        3,
        "add_somebody",
        "INSERT INTO users (email) VALUES ('a@example.com; b');\n",
        "DELETE FROM users;\n",
    ),
    (
        4,
        "rebuild_posts",
        "CREATE TABLE new_posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users \
         (id) ON DELETE CASCADE, title TEXT NOT NULL DEFAULT '', score REAL);\nINSERT INTO \
         new_posts (id, user_id, title) SELECT id, user_id, coalesce(title, '') FROM posts;\nDROP \
         VIEW titles;\nDROP TABLE posts;\nALTER TABLE new_posts RENAME TO posts;\nCREATE INDEX \
         posts_by_title ON posts (title);\n",
        "DROP INDEX posts_by_title;\n",
    ),
];

/// Writes the history as a tool's users have it.
fn write_history(host: &Host, tool: &str) {
    let _ = std::fs::remove_dir_all(host.dir.join("sql"));
    for (n, name, up, down) in HISTORY {
        let version = format!("2024010{n}120000");
        match tool {
            "diesel" => {
                let dir = format!("sql/2024-01-0{n}-120000_{name}");
                host.write(&format!("{dir}/up.sql"), up);
                host.write(&format!("{dir}/down.sql"), down);
            }
            "sqlx" => {
                host.write(&format!("sql/{version}_{name}.up.sql"), up);
                host.write(&format!("sql/{version}_{name}.down.sql"), down);
            }
            "refinery" => host.write(&format!("sql/V{n}__{name}.sql"), up),
            "rusqlite_migration" => {
                host.write(&format!("sql/0{n}-{name}/up.sql"), up);
                host.write(&format!("sql/0{n}-{name}/down.sql"), down);
            }
            "golang-migrate" => {
                let wrapped = |sql: &str| format!("BEGIN;\n{sql}COMMIT;\n");
                host.write(&format!("sql/{version}_{name}.up.sql"), &wrapped(up));
                host.write(&format!("sql/{version}_{name}.down.sql"), &wrapped(down));
            }
            "goose" => {
                let text = format!(
                    "-- +goose Up\n-- +goose StatementBegin\n{up}-- +goose StatementEnd\n\n\
                     -- +goose Down\n{down}"
                );
                host.write(&format!("sql/{version}_{name}.sql"), &text);
            }
            "dbmate" => {
                let text = format!("-- migrate:up\n{up}\n-- migrate:down\n{down}");
                host.write(&format!("sql/{version}_{name}.sql"), &text);
            }
            "flyway" => {
                host.write(&format!("sql/V{n}__{name}.sql"), up);
                host.write(&format!("sql/U{n}__{name}.sql"), down);
            }
            other => panic!("{other}"),
        }
    }
}

fn remove_revisions(host: &Host) {
    for revision in host.revisions() {
        std::fs::remove_file(host.dir.join(revision)).unwrap();
    }
}

/// What a tool leaves in a database of which it has applied the first `n` migrations.
fn record(tool: &str, n: usize) -> String {
    let versions = HISTORY.iter().take(n).map(|(n, ..)| format!("2024010{n}120000"));
    let rows = |columns: &str| -> String {
        let rows = versions.clone().map(|version| format!("({})", columns.replace("{}", &version)));
        rows.collect::<Vec<_>>().join(", ")
    };
    match tool {
        "diesel" => format!(
            "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
             run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
             INSERT INTO __diesel_schema_migrations (version) VALUES {}",
            rows("'{}'")
        ),
        "golang-migrate" => format!(
            "CREATE TABLE schema_migrations (version uint64, dirty bool);
             INSERT INTO schema_migrations VALUES ({}, 0)",
            versions.clone().next_back().unwrap()
        ),
        "goose" => format!(
            "CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id \
             INTEGER NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP);
             INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), {rows};
             INSERT INTO goose_db_version (version_id, is_applied) VALUES (20240104120000, 1), \
             (20240104120000, 0)",
            rows = rows("{}, 1")
        ),
        "dbmate" => format!(
            "CREATE TABLE schema_migrations (version varchar(128) primary key);
             INSERT INTO schema_migrations VALUES {}",
            rows("'{}'")
        ),
        "rusqlite_migration" => format!("PRAGMA user_version = {n}"),
        other => panic!("{other}"),
    }
}

#[test]
fn the_history_of_each_tool_becomes_the_same_revisions() {
    let host = Host::library("import-tools", "");
    host.ok("init --dialect sqlite");
    let mut first = None;
    for tool in ["diesel", "sqlx", "golang-migrate", "goose", "dbmate"] {
        write_history(&host, tool);
        let run = host.ok(&format!("import {tool} sql"));
        assert!(run.stdout.ends_with(&format!("Importing 4 migration(s) of {tool} ... done\n")));
        let found: Vec<String> = host.revisions().iter().map(|path| host.read(path)).collect();
        assert_eq!(
            host.revisions()[0],
            "migrations/versions/m20240101_120000_v20240101120000_create_users.rs"
        );
        assert_eq!(*first.get_or_insert_with(|| found.clone()), found, "{tool}");
        // Each tool's own records are read, and only what it has applied is marked.
        if tool != "sqlx" {
            let path = host.dir.join(format!("{tool}.db"));
            let applied: String = HISTORY.iter().take(3).map(|(_, _, up, _)| *up).collect();
            sql(&path, &(applied + &record(tool, 3)));
            let run = host.ok(&format!("stamp --from {tool} --url sqlite:{tool}.db"));
            assert_eq!(
                run.stdout,
                format!(
                    "Reading what {tool} has applied: marking 3 revision(s) as applied, up to \
                     v20240103120000\n"
                )
            );
            host.ok(&format!("upgrade --url sqlite:{tool}.db"));
            let run = host.dbmigrate(&format!("check --url sqlite:{tool}.db"));
            assert!(run.stdout.ends_with("The database agrees with the migrations.\n"), "{run}");
        }
        if tool != "dbmate" {
            remove_revisions(&host);
        }
    }
    let run = host.fails("import dbmate sql");
    expect![[r#"
        error: the project has 4 revision(s) already, such as `migrations/versions/m20240101_120000_v20240101120000_create_users.rs`, and an import begins a history
          hint: import into a directory of its own: `init -d DIR`, then `import` with `-d DIR`
    "#]]
    .assert_eq(&run.errors());
    expect![[r#"
        //! rebuild posts
        //!
        //! Revision ID: v20240104120000
        //! Revises: v20240103120000
        //! Create Date: 2024-01-04 12:00:00 UTC

        use dbmigrate_runtime::prelude::*;

        // revision identifiers, used by dbmigrate.
        pub const REVISION: &str = "v20240104120000";
        pub const DOWN_REVISION: &[&str] = &["v20240103120000"];
        pub const BRANCH_LABELS: &[&str] = &[];
        pub const DEPENDS_ON: &[&str] = &[];

        pub fn upgrade(op: &mut Operations) {
            op.execute(
                r"CREATE TABLE new_posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, title TEXT NOT NULL DEFAULT '', score REAL);
        INSERT INTO new_posts (id, user_id, title) SELECT id, user_id, coalesce(title, '') FROM posts;
        DROP VIEW titles;
        DROP TABLE posts;
        ALTER TABLE new_posts RENAME TO posts;
        CREATE INDEX posts_by_title ON posts (title);",
            )
            .describes(|op| {
                op.drops_trigger("trimmed", "posts");
                op.drops_view("titles");
                op.add_column("posts", Column::new("score", Type::Double));
                op.alter_column("posts", "title", ColumnChange::new().not_null().default(""));
                op.create_index("posts", Index::new("posts_by_title", ["title"]));
            });
        }

        pub fn downgrade(op: &mut Operations) {
            op.irreversible(
                "its way back does not restore what was there before: added column `posts.score`, changed column `posts.title`: to NOT NULL, default, trigger `trimmed` is gone, view `titles` is gone",
            );
            op.execute("DROP INDEX posts_by_title;").describes(|op| {
                op.drop_index("posts", "posts_by_title");
            });
        }
    "#]].assert_eq(&first.unwrap()[3]);
    // Afterwards it is an ordinary project: models that say what the history builds are no change.
    host.ok("upgrade --url sqlite:new.db");
    let out = host.dir.join("src/models.rs");
    host.ok(&format!("inspect --url sqlite:new.db --out {}", out.display()));
    host.write("src/lib.rs", "pub mod models;\n");
    let run = host.ok("check --url sqlite:new.db");
    expect![[r#"
        Models and migrations agree.
        The database is at the head.
        The database agrees with the migrations.
    "#]]
    .assert_eq(&run.stdout);
    host.replace(
        "src/models.rs",
        "    pub title: String,\n",
        "    pub title: String,\n    pub subtitle: Option<String>,\n",
    );
    let run = host.ok("migrate -m subtitle");
    assert!(run.stdout.starts_with("Detected added column `posts.subtitle`\n"), "{run}");
    host.ok("upgrade --url sqlite:new.db");
    host.ok("check --url sqlite:new.db");
    // The way back ends where the other tool's own does not lead back.
    let run = host.fails("downgrade base --url sqlite:new.db");
    expect![[r#"
        error: revision `v20240104120000` can't be undone: its way back does not restore what was there before: added column `posts.score`, changed column `posts.title`: to NOT NULL, default, trigger `trimmed` is gone, view `titles` is gone
          hint: restore a backup, or write a new revision that makes the changes you need
    "#]].assert_eq(&run.errors());
}

/// Two migrations, as sqlx and refinery recorded them with the checksums of these texts.
const FIRST: &str = "-- x\nCREATE TABLE a (id INTEGER PRIMARY KEY, t TEXT NOT NULL);\n\n";
const SECOND: &str = "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES \
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
        ("refinery", OF_REFINERY, "refinery_schema_history", ["V1__a.sql", "V2__b_b.sql"]),
        ("flyway", OF_FLYWAY, "flyway_schema_history", ["V1__a.sql", "V2__b_b.sql"]),
    ];
    for (tool, records, table, [first, second]) in tools {
        remove_revisions(&host);
        let dir = format!("of_{tool}");
        host.write(&format!("{dir}/{first}"), FIRST);
        host.write(&format!("{dir}/{second}"), SECOND);
        host.ok(&format!("import {tool} {dir}"));
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
        text += &format!("{what}\n{}", run.errors());
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
        error: refinery has not applied `v1`, but has applied revisions after it
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

#[test]
fn a_directory_that_cannot_be_taken_over_is_named_and_nothing_is_written() {
    let host = Host::library("import-bad", "");
    host.ok("init --dialect sqlite");
    let mut text = String::new();
    let mut tried = |what: &str, tool: &str, files: &[(&str, &str)]| {
        let _ = std::fs::remove_dir_all(host.dir.join("sql"));
        std::fs::create_dir_all(host.dir.join("sql")).unwrap();
        files.iter().for_each(|(file, sql)| host.write(&format!("sql/{file}"), sql));
        let run = host.fails(&format!("import {tool} sql"));
        text += &format!("{what}\n{}", host.plain(&run.errors()));
        assert_eq!(host.revisions(), Vec::<String>::new(), "{what}");
    };
    let table = "CREATE TABLE a (id INTEGER PRIMARY KEY);";
    tried("empty", "sqlx", &[("README.md", "none")]);
    tried("another naming", "sqlx", &[("users.sql", table)]);
    tried("two of one version", "sqlx", &[("1_a.sql", table), ("01_b.sql", table)]);
    tried("only the way back", "sqlx", &[("1_a.down.sql", "DROP TABLE a")]);
    tried("a program", "refinery", &[("V1__a.rs", "")]);
    tried("a gap", "rusqlite_migration", &[("01-a/up.sql", table), ("03-b/up.sql", "SELECT 1")]);
    tried("placeholders", "flyway", &[("V1__a.sql", "CREATE TABLE ${name} (a)")]);
    tried("notes", "goose", &[("1_a.sql", "-- +goose ENVSUB ON\n-- +goose Up\nSELECT 1;")]);
    tried("no section", "dbmate", &[("1_a.sql", table)]);
    tried("a failing one", "sqlx", &[("1_a.sql", table), ("2_b.sql", "ALTER TABLE b ADD c;")]);
    let wrong = [("1_a.up.sql", table), ("1_a.down.sql", "DROP TABLE b;")];
    tried("a failing way back", "sqlx", &wrong);
    tried("alone", "sqlx", &[("1_a.sql", table), ("2_b.sql", "VACUUM;")]);
    tried("ends its transaction", "sqlx", &[("1_a.sql", "SELECT 1; COMMIT; SELECT 2;")]);
    tried("a parameter", "sqlx", &[("1_a.sql", &format!("{table} INSERT INTO a VALUES (?);"))]);
    let attached = "ATTACH 'other.db' AS other; CREATE TABLE other.made (x);";
    tried("another file", "sqlx", &[("1_a.sql", &format!("-- no-transaction\n{attached}"))]);
    tried("settings", "diesel", &[("1_a/up.sql", table), ("1_a/metadata.toml", "run_in_")]);
    assert!(!host.dir.join("other.db").exists());
    let run = host.fails("import sqlx nowhere");
    text += &format!("no directory\n{}", run.errors());
    expect![[r#"
        empty
        error: `sql` has no migrations of sqlx
          hint: they are named `VERSION_NAME.sql`, or `VERSION_NAME.up.sql`
        another naming
        error: `sql/users.sql` is not named like a migration of sqlx
          hint: sqlx names its migrations `VERSION_NAME.sql`, or `VERSION_NAME.up.sql`: rename the file, or move it away
        two of one version
        error: two migrations have version `1`: `sql/01_b.sql` and `sql/1_a.sql`
          hint: give one of them another version, as the tool itself requires
        only the way back
        error: `sql/1_a.down.sql` undoes version `1`, and no file applies it
          hint: restore the missing file, or remove this one
        a program
        error: `sql/V1__a.rs` can't be taken over: it is a program, and only SQL can be taken over
          hint: put the SQL that it runs into a file in its place, and import again
        a gap
        error: there is no migration 2: `sql/03-b/up.sql` comes next
          hint: the numbers count from 1 without a gap
        placeholders
        error: `sql/V1__a.sql` has placeholders (`${...}`)
          hint: replace them by their values, and import again
        notes
        error: `sql/1_a.sql` has `-- +goose ENVSUB ON`, which is unknown
          hint: replace it by what it stands for, and import again
        no section
        error: `sql/1_a.sql` is not named like a migration of dbmate
          hint: dbmate names its migrations `VERSION_NAME.sql` with `-- migrate:up`: rename the file, or move it away
        a failing one
        error: `sql/2_b.sql` fails
          caused by: no such table: b
          hint: the files ran one after the other, beginning with an empty database: correct this one, and import again
        a failing way back
        error: `sql/1_a.down.sql` fails
          caused by: no such table: b
          hint: it ran right after its migration: correct it, or remove it if there is no way back
        alone
        error: `sql/2_b.sql` fails
          caused by: cannot VACUUM from within a transaction
          hint: if it runs outside of a transaction, say so: `-- no-transaction` as the first line
        ends its transaction
        error: `sql/1_a.sql` ends the transaction that it runs in
          hint: remove `COMMIT` or `ROLLBACK` from it, and import again
        a parameter
        error: `sql/1_a.sql` can't be taken over as it stands
          caused by: revision `v1`: cannot execute SQL on SQLite: the placeholder `?` in `INSERT INTO a VALUES (?)` has no value
          hint: write the value itself, or bind it in a step: `op.run("...", |db| { db.execute("... ?1 ...", [value])?; Ok(()) })`
        another file
        error: `sql/1_a.sql` reaches outside of the database: `-- no-transaction ATTACH 'other.db' AS other`
          hint: the history is tried before it is taken over: move this out of the file
        settings
        error: failed to read sql/1_a/metadata.toml:1:8
          caused by: key with no value, expected `=`
        no directory
        error: failed to read the directory `nowhere`: No such file or directory (os error 2)
    "#]].assert_eq(&text);
    // What runs alone is taken over as such.
    let _ = std::fs::remove_dir_all(host.dir.join("sql"));
    host.write("sql/1_a.sql", table);
    host.write("sql/2_b.sql", "-- no-transaction\nVACUUM;\n");
    host.ok("import sqlx sql");
    let text = host.read(&host.revisions()[1]);
    assert!(text.contains("    op.no_transaction();\n    op.execute("), "{text}");
    host.ok("upgrade");
    assert_eq!(host.ok("current").stdout, "v2 (head)\n");
}

/// The SQL of a history for a server.
fn history_of(server: &Server) -> [(&'static str, &'static str); 4] {
    if server.name.starts_with("postgres") {
        [
            (
                "CREATE TYPE mood AS ENUM ('sad', 'ok');\nCREATE TABLE users (id bigint GENERATED \
                 BY DEFAULT AS IDENTITY PRIMARY KEY, email varchar(100) NOT NULL UNIQUE, mood mood \
                 NOT NULL DEFAULT 'ok', tags text[], data jsonb);",
                "DROP TABLE users;\nDROP TYPE mood;",
            ),
            (
                "CREATE TABLE posts (id serial PRIMARY KEY, user_id bigint NOT NULL REFERENCES \
                 users ON DELETE CASCADE, title text);\nCREATE FUNCTION trimmed() RETURNS trigger \
                 LANGUAGE plpgsql AS $$ BEGIN NEW.title := trim(NEW.title); RETURN NEW; END \
                 $$;\nCREATE TRIGGER trimmed BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION \
                 trimmed();\nCREATE VIEW titles AS SELECT title FROM posts;",
                "DROP VIEW titles;\nDROP TABLE posts;\nDROP FUNCTION trimmed;",
            ),
            ("INSERT INTO users (email) VALUES ('a@example.com; b');", "DELETE FROM users;"),
            (
                "ALTER TABLE posts ADD COLUMN score double precision;\nCREATE INDEX posts_by_title ON \
              posts (lower(title)) WHERE title <> '';",
                "DROP INDEX posts_by_title;\nALTER TABLE posts DROP COLUMN score;",
            ),
        ]
    } else {
        [
            (
                "CREATE TABLE users (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, email \
                 varchar(100) NOT NULL, mood enum('sad','ok') NOT NULL DEFAULT 'ok', created \
                 datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), UNIQUE KEY by_email (email)) \
                 ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;",
                "DROP TABLE users;",
            ),
            (
                "CREATE TABLE posts (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id bigint \
                 unsigned NOT NULL, title varchar(200), KEY by_user (user_id), CONSTRAINT \
                 posts_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE) DEFAULT \
                 CHARSET=utf8mb4 COLLATE=utf8mb4_bin;\nCREATE VIEW titles AS SELECT title FROM \
                 posts;",
                "DROP VIEW titles;\nDROP TABLE posts;",
            ),
            ("INSERT INTO users (email) VALUES ('a@example.com; b');", "DELETE FROM users;"),
            (
                "ALTER TABLE posts ADD COLUMN score double, ADD KEY by_title (title);\nALTER TABLE \
                 users MODIFY mood enum('sad','ok','fine') NOT NULL DEFAULT 'ok';",
                "ALTER TABLE users MODIFY mood enum('sad','ok') NOT NULL DEFAULT 'ok';\nALTER \
                 TABLE posts DROP KEY by_title, DROP COLUMN score;",
            ),
        ]
    }
}

#[test]
fn a_history_of_a_server_is_tried_on_an_empty_database() {
    let name = "a_history_of_a_server_is_tried_on_an_empty_database";
    let all = servers::postgres(name).into_iter().chain(servers::mysql(name));
    for server in all {
        let host = Host::library(&format!("import-{}", server.name), "");
        let dialect = server.dialect();
        host.ok(&format!("init --dialect {dialect}"));
        for (n, (up, down)) in history_of(&server).into_iter().enumerate() {
            host.write(&format!("sql/{n}_change.up.sql"), up);
            host.write(&format!("sql/{n}_change.down.sql"), down);
        }
        let run = host.fails("import golang-migrate sql");
        assert!(
            run.stderr.contains("hint: create one, and give its URL with --shadow-url"),
            "{run}"
        );
        let (shadow, url) = (server.database(), server.database());
        host.ok(&format!("import golang-migrate sql --shadow-url {shadow}"));
        // It is empty again.
        let run = host.fails(&format!("import golang-migrate sql --shadow-url {shadow}"));
        assert!(run.stderr.contains("the project has 4 revision(s) already"), "{run}");
        remove_revisions(&host);
        host.ok(&format!("import golang-migrate sql --shadow-url {shadow}"));
        host.ok(&format!("upgrade --url {url}"));
        let out = host.dir.join("src/models.rs");
        host.ok(&format!("inspect --url {url} --out {}", out.display()));
        host.write("src/lib.rs", "pub mod models;\n");
        let run = host.dbmigrate(&format!("check --url {url}"));
        assert_eq!(run.code, 0, "{}: {run}\n{}", server.name, host.read(&host.revisions()[0]));
        host.ok(&format!("downgrade base --allow-destructive --url {url}"));
        remove_revisions(&host);
        let run = host.fails(&format!("import golang-migrate sql --shadow-url {url}"));
        assert!(run.stderr.contains("of --shadow-url is not empty"), "{run}");
        if dialect != "postgres" {
            continue;
        }
        // What no table shows: another schema, and the body of a function.
        let function = |n: u8| {
            format!("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT {n}';")
        };
        host.write("pg/1_f.up.sql", &format!("CREATE SCHEMA other;\n{}", function(1)));
        host.write("pg/1_f.down.sql", "DROP FUNCTION f; DROP SCHEMA other;");
        host.write("pg/2_f.up.sql", &function(2));
        host.write("pg/2_f.down.sql", "SELECT 1;");
        for _ in 0..2 {
            let run = host.ok(&format!("import golang-migrate pg --shadow-url {shadow}"));
            let expected = "does not restore what was there before: function f() is another";
            assert!(run.stderr.contains(expected), "{run}");
            remove_revisions(&host);
        }
    }
}

#[test]
fn a_database_that_exists_is_adopted_in_one_command() {
    let host =
        Host::binary("adopt", "//! An application.\n#![allow(unused_imports)]\n\nfn main() {}\n");
    let table = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE);
                 CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES
                 users (id), state TEXT NOT NULL CHECK (state IN ('draft', 'published')));
                 INSERT INTO users (email) VALUES ('a@example.com')";
    sql(&host.dir.join("app.db"), table);
    for n in 0..10 {
        sql(&host.dir.join(format!("tenants_{n}.db")), table);
    }
    sql(&host.dir.join("tenants_7.db"), "DROP TABLE posts");
    host.ok("init");
    let run = host.fails("adopt --url sqlite:nothing.db");
    expect![[r#"
        error: the database `$HOST/nothing.db` does not exist
    "#]]
    .assert_eq(&host.plain(&run.errors()));
    assert!(!host.dir.join("src/models.rs").exists());

    let run = host.fails("adopt --all tenants_*.db");
    let text = format!("{}{}", host.plain(&sorted(&run.stdout)), host.plain(&run.errors()));
    expect![[r#"
        10 databases: 0 stamped before, 9 stamped, 1 failed
        Detected added table `posts`
        Detected added table `users`
        Generating migrations/versions/m$DAY_$TIME_$ID1_existing_schema.rs ... done
        Generating src/models.rs ... done
        Marking revision $ID1 as applied in sqlite:$HOST/app.db ... done
        Models and migrations agree.
        The database agrees with the migrations.
        The database is at the head.
        tenants_0.db: 1 revision
        tenants_1.db: 1 revision
        tenants_2.db: 1 revision
        tenants_3.db: 1 revision
        tenants_4.db: 1 revision
        tenants_5.db: 1 revision
        tenants_6.db: 1 revision
        tenants_8.db: 1 revision
        tenants_9.db: 1 revision
        note: added to src/main.rs: `mod models;`
        Database: sqlite:$HOST/app.db
        error: tenants_7.db: the database does not match revision `$ID1`: table `posts` is missing from the database
          hint: bring it in line by hand; `stamp --verify REV` marks another revision if the database has its schema
    "#]].assert_eq(&text);
    expect![[r#"
        //! An application.
        #![allow(unused_imports)]

        mod models;

        fn main() {}
    "#]]
    .assert_eq(&host.read("src/main.rs"));
    let revision = host.revision("existing_schema");
    assert!(
        host.read(&revision)
            .contains("    op.irreversible(\"its tables were there before the history began\");\n")
    );
    let run = host.cargo("check");
    assert!(run.code == 0 && !run.stderr.contains("warning"), "{run}");

    // Again, nothing changes, except that the remaining database has been put right.
    sql(
        &host.dir.join("tenants_7.db"),
        table[table.find("CREATE TABLE posts").unwrap()..].split(";\n").next().unwrap(),
    );
    let before = [host.read("src/main.rs"), host.read("src/models.rs"), host.read(&revision)];
    let run = host.ok("adopt --all tenants_*.db");
    expect![[r#"
        10 databases: 9 stamped before, 1 stamped, 0 failed
        Models and migrations agree.
        Models, migrations, version table and database agree.
        The database agrees with the migrations.
        The database is at the head.
        tenants_7.db: 1 revision
    "#]]
    .assert_eq(&sorted(&run.stdout));
    assert_eq!(
        before,
        [host.read("src/main.rs"), host.read("src/models.rs"), host.read(&revision)]
    );
    assert_eq!(host.revisions().len(), 1);

    // Models that exist stay as they are, and what they lack is a difference.
    host.replace(
        "src/models.rs",
        "    pub email: String,\n",
        "    pub email: String,\n    pub name: Option<String>,\n",
    );
    let run = host.dbmigrate("adopt");
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stdout.starts_with("Models and migrations differ:\n"), "{run}");
    let run = host.fails("downgrade base --allow-destructive");
    expect![[r#"
        error: revision `$ID1` can't be undone: its tables were there before the history began
          hint: restore a backup, or write a new revision that makes the changes you need
    "#]]
    .assert_eq(&host.plain(&run.errors()));

    // A file that the crate doesn't include.
    let host = Host::library("adopt-elsewhere", "");
    sql(&host.dir.join("app.db"), table);
    host.ok("init");
    let run = host.fails("adopt --out src/db/models.rs");
    expect![[r#"
        error: `src/db/models.rs` would not be a part of the crate
          hint: write it with `inspect --out`, include it with `mod models;` beside it, and run `adopt` again
    "#]]
    .assert_eq(&host.plain(&run.errors()));
}

/// Runs another program, which has to succeed.
#[track_caller]
fn works(host: &Host, dir: &str, line: &str) {
    let mut words = line.split(' ');
    let mut command = host.command(words.next().unwrap());
    command.current_dir(host.dir.join(dir)).args(words);
    // A path is what diesel takes for SQLite.
    let scheme = if line.starts_with("diesel") { "" } else { "sqlite:" };
    command.env("DATABASE_URL", format!("{scheme}{}", host.dir.join("app.db").display()));
    let run = dbmigrate_tests::Run::of(&mut command);
    assert_eq!(run.code, 0, "{line}\n{run}");
}

/// The tools themselves migrate a database, and their history is taken over with it.
#[test]
fn what_the_real_tools_did_is_taken_over() {
    let host = Host::library("import-real", "");
    host.ok("init --dialect sqlite");
    let app = host.dir.join("app.db");
    let tools = ["diesel", "sqlx", "refinery", "dbmate", "alembic", "django-admin"];
    for program in tools {
        let found = std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).exists()));
        if !found {
            dbmigrate_tests::left_out("what_the_real_tools_did_is_taken_over", program);
            continue;
        }
        remove_revisions(&host);
        let _ = std::fs::remove_file(&app);
        let _ = std::fs::remove_dir_all(host.dir.join("sql"));
        let (tool, dir) = match program {
            "alembic" => ("alembic", "sql"),
            "django-admin" => ("django", "sql/shop"),
            program => (program, "sql"),
        };
        match program {
            "alembic" => {
                std::fs::create_dir(host.dir.join("sql")).unwrap();
                works(&host, "sql", "alembic init .");
                let ini = host.read("sql/alembic.ini");
                let url = format!("sqlalchemy.url = sqlite:///{}", app.display());
                let lines = ini.lines().map(|line| {
                    if line.starts_with("sqlalchemy.url") { url.as_str() } else { line }
                });
                host.write(
                    "sql/alembic.ini",
                    &lines.map(|line| format!("{line}\n")).collect::<String>(),
                );
                host.write(
                    "sql/versions/a1_users.py",
                    "\"\"\"create users\n\nCreate Date: 2024-01-01 12:00:00\n\"\"\"\n\
                     from alembic import op\nimport sqlalchemy as sa\nrevision = 'a1'\n\
                     down_revision = None\n\ndef upgrade():\n    op.create_table('users', \
                     sa.Column('id', sa.Integer, primary_key=True), sa.Column('email', \
                     sa.String(50), nullable=False, unique=True))\n\ndef downgrade():\n    \
                     op.drop_table('users')\n",
                );
                host.write(
                    "sql/versions/b2_bio.py",
                    "\"\"\"add bio\n\nCreate Date: 2024-01-02 12:00:00\n\"\"\"\n\
                     from alembic import op\nimport sqlalchemy as sa\nrevision = 'b2'\n\
                     down_revision = 'a1'\n\ndef upgrade():\n    op.add_column('users', \
                     sa.Column('bio', sa.Text))\n\ndef downgrade():\n    op.drop_column('users', \
                     'bio')\n",
                );
                works(&host, "sql", "alembic upgrade head");
            }
            "django-admin" => {
                std::fs::create_dir(host.dir.join("sql")).unwrap();
                works(&host, "sql", "django-admin startproject shop");
                works(&host, "sql/shop", "python3 manage.py migrate");
                std::fs::rename(host.dir.join("sql/shop/db.sqlite3"), &app).unwrap();
            }
            program => {
                write_history(&host, program);
                let text = format!("[main]\ndb_type = \"Sqlite\"\ndb_path = {:?}\n", app);
                host.write("refinery.toml", &text);
                std::fs::write(&app, "").unwrap();
                let config = host.dir.join("refinery.toml");
                works(
                    &host,
                    "",
                    &match program {
                        "diesel" => "diesel migration run --migration-dir sql".to_owned(),
                        "sqlx" => "sqlx migrate run --source sql".to_owned(),
                        "refinery" => format!("refinery migrate -c {} -p sql", config.display()),
                        _ => "dbmate -d sql --no-dump-schema up".to_owned(),
                    },
                );
            }
        }
        host.ok(&format!("import {tool} {dir}"));
        let n = host.revisions().len();
        let run = host.ok(&format!("stamp --from {tool} --drop"));
        assert!(run.stdout.contains(&format!("marking {n} revision(s)")), "{program}: {run}");
        let run = host.dbmigrate("check");
        assert!(
            run.stdout.ends_with(
                "The database is at the head.\nThe database agrees with the migrations.\n"
            ),
            "{program}: {run}"
        );
        let run = host.ok("upgrade --url sqlite:new.db");
        assert!(run.stdout.lines().count() >= n, "{program}: {run}");
        std::fs::remove_file(host.dir.join("new.db")).unwrap();
    }
}

#[test]
fn settings_names_and_definitions_are_respected() {
    let host = Host::library("import-settings", "");
    host.ok("init --dialect sqlite");
    // What is left out is created by the SQL, and not described.
    host.replace("migrations/dbmigrate.toml", "exclude = []", "exclude = [\"b\"]");
    host.write("sql/1_a.up.sql", "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (x);");
    host.write("sql/1_a.down.sql", "DROP TABLE a; DROP TABLE b;");
    // A rename puts names into quotes, which is no other view.
    host.write("sql/2_v.up.sql", "CREATE VIEW v AS SELECT id FROM a;");
    host.write("sql/2_v.down.sql", "DROP VIEW v;");
    host.write("sql/3_r.up.sql", "ALTER TABLE a RENAME COLUMN id TO number;");
    host.write("sql/3_r.down.sql", "ALTER TABLE a RENAME COLUMN number TO id;");
    // The same name, and another definition.
    host.write("sql/4_w.up.sql", "DROP VIEW v; CREATE VIEW v AS SELECT number + 1 AS id FROM a;");
    host.write("sql/4_w.down.sql", "SELECT 1;");
    let run = host.ok("import sqlx sql");
    expect![[r#"
        warning: revision `v4` can't be undone: its way back does not restore what was there before: view `v` is another
        `stamp --from sqlx` marks them as applied in a database that sqlx migrated, and `upgrade` builds a new one
    "#]].assert_eq(&run.errors());
    host.ok("upgrade");
    let run = host.dbmigrate("check");
    assert!(run.stdout.ends_with("The database agrees with the migrations.\n"), "{run}");
}
