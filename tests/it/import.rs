//! `import` and `stamp --from`: the history of another tool, taken over.

mod faults;
mod outside;
mod programs;
mod real;
mod recorded;
mod refused;
pub mod sea_orm;
mod servers;

use dbmigrate_tests::{Host, sql};
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
                     v20240103120000; 1 revision pending\n"
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
    assert!(run.stdout.starts_with("Detected added column `posts.subtitle`\nGener"), "{run}");
    let run = host.ok("migrate -m nothing");
    assert_eq!(run.stdout, "No changes in schema detected.\n");
    host.ok("upgrade --url sqlite:new.db");
    host.ok("check --url sqlite:new.db");
    // The way back ends where the other tool's own does not lead back.
    let run = host.fails("downgrade base --url sqlite:new.db");
    expect![[r#"
        error: revision `v20240104120000` can't be undone: its way back does not restore what was there before: added column `posts.score`, changed column `posts.title`: to NOT NULL, default, trigger `trimmed` is gone, view `titles` is gone
          hint: restore a backup, or write a new revision that makes the changes you need
    "#]].assert_eq(&run.errors());
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

#[test]
fn rows_that_only_enforced_foreign_keys_change_are_said() {
    let host = Host::library("import-enforced", "");
    host.ok("init --dialect sqlite");
    host.write(
        "sql/1_a.sql",
        "CREATE TABLE p (id INTEGER PRIMARY KEY);\nCREATE TABLE c (p_id INTEGER REFERENCES p (id) \
         ON DELETE CASCADE, at TEXT DEFAULT CURRENT_TIMESTAMP);\nINSERT INTO p VALUES (1), \
         (2);\nINSERT INTO c (p_id) VALUES (1), (2);",
    );
    host.write("sql/2_b.sql", "DELETE FROM p WHERE id = 1;");
    host.write("sql/3_c.sql", "INSERT INTO p VALUES (1); DELETE FROM c WHERE p_id = 1;");
    // In the end the rows are the same again.
    let run = host.ok("import sqlx sql");
    assert!(!run.stderr.contains("foreign keys"), "{run}");
    remove_revisions(&host);
    host.write("sql/3_c.sql", "INSERT INTO p VALUES (1);");
    let run = host.ok("import sqlx sql");
    expect![[r#"
        warning: `sql/2_b.sql` leaves 1 row(s) in `c` with sqlx, which enforces foreign keys while it migrates, and 2 as revision `v2`, which runs without that: if new databases need the same rows, write the `DELETE` or `UPDATE` of the foreign key's action into the revision
        note: 3 migration(s) without a way back: their revisions can't be undone
        `stamp --from sqlx` marks them as applied in a database that sqlx migrated, and `upgrade` builds a new one
    "#]].assert_eq(&run.errors());
    // goose doesn't enforce them either.
    remove_revisions(&host);
    for file in ["1_a", "2_b", "3_c"] {
        let text = host.read(&format!("sql/{file}.sql"));
        host.write(&format!("goose/{file}.sql"), &format!("-- +goose Up\n{text}"));
    }
    let run = host.ok("import goose goose");
    assert!(!run.stderr.contains("foreign keys"), "{run}");
}

#[test]
fn a_long_import_shows_its_progress_at_a_terminal() {
    let host = Host::library("import-progress", "");
    host.ok("init --dialect sqlite");
    host.write("sql/1_a.sql", "CREATE TABLE a (id INTEGER PRIMARY KEY);");
    host.write(
        "sql/2_b.sql",
        "INSERT INTO a WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \
         6000000) SELECT i FROM n;",
    );
    let mut session = super::questions::at_terminal(&host, "import sqlx sql --dry-run");
    session.exp_string("1 of 2 migrations tried").unwrap();
    session.exp_string("of 6 runs that prove them").unwrap();
    session.exp_eof().unwrap();
    // Until it is dropped, its thread keeps reading in a busy loop.
    drop(session);
    let run = host.ok("import sqlx sql --dry-run");
    assert!(!run.stderr.contains(" of 2 "), "{run}");
}
