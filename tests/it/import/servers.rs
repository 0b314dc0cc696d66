//! Histories of servers.

use dbmigrate_tests::Host;
use dbmigrate_tests::servers::{self, Server};

use super::remove_revisions;

/// The SQL of a history for a server.
fn history_of(server: &Server) -> [(&'static str, &'static str); 4] {
    if server.name.starts_with("postgres") {
        [
            (
                "CREATE TYPE mood AS ENUM ('sad', 'ok');\nCREATE TABLE users (id bigint GENERATED \
                 BY DEFAULT AS IDENTITY PRIMARY KEY, email varchar(100) NOT NULL UNIQUE, mood mood \
                 NOT NULL DEFAULT 'ok', tags text[], data jsonb, phase varchar(9) CHECK (phase \
                 IN ('a', 'b')));\nCREATE TABLE tickets (id bigint PRIMARY KEY, level text CONSTRAINT \
                 ck_tickets_level_values CHECK (level IN ('low', 'high')));",
                "DROP TABLE tickets;\nDROP TABLE users;\nDROP TYPE mood;",
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
                 datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), phase varchar(9) CHECK \
                 (phase IN ('a', 'b')), UNIQUE KEY by_email (email)) \
                 ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;\nCREATE TABLE tickets \
                 (id bigint PRIMARY KEY, level varchar(255), CONSTRAINT ck_tickets_level_values \
                 CHECK (level IN ('low', 'high'))) COLLATE={exact};",
                "DROP TABLE tickets;\nDROP TABLE users;",
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

/// The collation that this tool gives to its tables.
fn exact(server: &Server) -> &'static str {
    if server.dialect() == "mariadb" { "utf8mb4_nopad_bin" } else { "utf8mb4_0900_bin" }
}

#[test]
fn a_history_of_a_server_is_tried_on_an_empty_database() {
    let name = "a_history_of_a_server_is_tried_on_an_empty_database";
    for server in servers::in_turn(name) {
        let host = Host::library(&format!("import-{}", server.name), "");
        let dialect = server.dialect();
        host.ok(&format!("init --dialect {dialect}"));
        for (n, (up, down)) in history_of(&server).into_iter().enumerate() {
            let up = up.replace("{exact}", exact(&server));
            host.write(&format!("sql/{n}_change.up.sql"), &up);
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
        let models = host.read("src/models.rs");
        let level = "#[column_type(text)]\npub enum TicketLevel {";
        assert!(models.contains(level) && models.contains("Option<UserPhase>"), "{models}");
        let run = host.dbmigrate(&format!("check --url {url}"));
        assert_eq!(run.code, 0, "{}: {run}\n{}", server.name, host.read(&host.revisions()[0]));
        // The next revision has exactly what the models change, and the one after it nothing.
        let title = host.read("src/models.rs");
        let title = title.lines().find(|line| line.contains("pub title: ")).expect("the field");
        host.replace("src/models.rs", title, &format!("{title}\n    pub stars: Option<i32>,"));
        let run = host.ok("migrate -m stars");
        let (found, written) = run.stdout.split_once('\n').unwrap();
        assert_eq!(found, "Detected added column `posts.stars`", "{}: {run}", server.name);
        assert_eq!(written.lines().count(), 1, "{}: {run}", server.name);
        host.ok(&format!("upgrade --url {url}"));
        let run = host.ok("migrate -m nothing");
        assert_eq!(run.stdout, "No changes in schema detected.\n");
        host.ok(&format!("downgrade base --allow-destructive --url {url}"));
        remove_revisions(&host);
        let run = host.fails(&format!("import golang-migrate sql --shadow-url {url}"));
        assert!(run.stderr.contains("of --shadow-url is not empty"), "{run}");
        // The same history as other tools have it.
        for tool in ["diesel", "refinery", "sqlx"] {
            let url = server.database();
            for (n, (up, down)) in history_of(&server).into_iter().enumerate() {
                let up = up.replace("{exact}", exact(&server));
                match tool {
                    "refinery" => host.write(&format!("refinery/V{n}__change.sql"), &up),
                    "diesel" => {
                        host.write(&format!("diesel/{n}_change/up.sql"), &up);
                        host.write(&format!("diesel/{n}_change/down.sql"), down);
                    }
                    _ => {
                        host.write(&format!("sqlx/{n}_change.up.sql"), &up);
                        host.write(&format!("sqlx/{n}_change.down.sql"), down);
                    }
                }
            }
            host.ok(&format!("import {tool} {tool} --shadow-url {shadow}"));
            host.ok(&format!("upgrade --url {url}"));
            let run = host.dbmigrate(&format!("check --url {url}"));
            let end = "The database agrees with the migrations.\n";
            assert!(run.stdout.ends_with(end), "{tool} on {}: {run}", server.name);
            if tool != "refinery" {
                host.ok(&format!("downgrade base --allow-destructive --url {url}"));
            }
            remove_revisions(&host);
        }
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

/// What only runs outside of a transaction is told in another way by each tool, or found out.
#[test]
fn what_runs_alone_on_a_server_runs_alone_as_a_revision() {
    let name = "what_runs_alone_on_a_server_runs_alone_as_a_revision";
    for server in servers::postgres_in_turn(name) {
        let host = Host::library(&format!("import-alone-{}", server.name), "");
        host.ok("init --dialect postgres");
        let (shadow, url) = (server.database(), server.database());
        let table = "CREATE TABLE a (id int PRIMARY KEY, t text);\n";
        let index = "CREATE INDEX CONCURRENTLY by_t ON a (t);\n";
        let back = "DROP INDEX CONCURRENTLY by_t;\n";
        let settings = "executeInTransaction=false\n";
        let no = "-- no-transaction\n";
        let down = "-- migrate:down transaction:false\n";
        for (tool, files) in [
            (
                "golang-migrate",
                vec![
                    ("1_a.up.sql", table.to_owned()),
                    ("2_b.up.sql", index.to_owned()),
                    ("2_b.down.sql", back.to_owned()),
                ],
            ),
            (
                "goose",
                vec![
                    ("1_a.sql", format!("-- +goose Up\n{table}")),
                    (
                        "2_b.sql",
                        format!(
                            "-- +goose NO TRANSACTION\n-- +goose Up\n{index}-- +goose Down\n{back}"
                        ),
                    ),
                ],
            ),
            (
                "dbmate",
                vec![
                    ("1_a.sql", format!("-- migrate:up\n{table}")),
                    ("2_b.sql", format!("-- migrate:up transaction:false\n{index}{down}{back}")),
                ],
            ),
            (
                "flyway",
                vec![
                    ("V1__a.sql", table.to_owned()),
                    ("V2__b.sql", index.to_owned()),
                    ("V2__b.sql.conf", settings.to_owned()),
                    ("U2__b.sql", back.to_owned()),
                    ("V3__c.sql", index.replace("by_t", "also_by_t")),
                    ("U3__c.sql", back.replace("by_t", "also_by_t")),
                ],
            ),
            (
                "sqlx",
                vec![
                    ("1_a.sql", table.to_owned()),
                    ("2_b.up.sql", format!("{no}{index}")),
                    ("2_b.down.sql", format!("{no}{back}")),
                ],
            ),
        ] {
            for (file, text) in files {
                host.write(&format!("{tool}/{file}"), &text);
            }
            host.ok(&format!("import {tool} {tool} --shadow-url {shadow}"));
            let text = host.read(&host.revisions()[1]);
            assert!(text.contains("    op.no_transaction();\n    op.execute("), "{tool}: {text}");
            host.ok(&format!("upgrade --url {url}"));
            host.ok(&format!("downgrade v1 --url {url}"));
            remove_revisions(&host);
            servers::client(&url).batch_execute("DROP TABLE a, dbmigrate_version").unwrap();
        }
        // refinery has no way to say it.
        host.write("refinery/V1__a.sql", table);
        host.write("refinery/V2__b.sql", index);
        let run = host.fails(&format!("import refinery refinery --shadow-url {shadow}"));
        assert!(run.stderr.starts_with("error: `refinery/V2__b.sql` fails\n"), "{run}");
        assert_eq!(host.revisions(), Vec::<String>::new());
    }
}

/// Flyway reads the lines of MySQL's client.
#[test]
fn the_delimiters_of_the_client_of_mysql_are_understood() {
    for server in servers::mysql_in_turn("the_delimiters_of_the_client_of_mysql_are_understood") {
        let host = Host::library(&format!("import-delimiter-{}", server.name), "");
        host.ok(&format!("init --dialect {}", server.dialect()));
        let (shadow, url) = (server.database(), server.database());
        let text = "CREATE TABLE a (id int PRIMARY KEY, t varchar(20));\nDELIMITER $$\nCREATE \
                    TRIGGER trimmed BEFORE INSERT ON a FOR EACH ROW BEGIN\n  SET NEW.t = \
                    trim(NEW.t);\n  SET NEW.t = concat(NEW.t, '$$');\nEND$$\nDELIMITER ;\nINSERT \
                    INTO a VALUES (1, ' x ');\n";
        host.write("sql/V1__a.sql", text);
        host.ok(&format!("import flyway sql --shadow-url {shadow}"));
        host.ok(&format!("upgrade --url {url}"));
        let run = host.dbmigrate(&format!("check --url {url}"));
        assert!(run.stdout.ends_with("The database agrees with the migrations.\n"), "{run}");
    }
}

/// A tool's table can be in a schema of its own.
#[test]
fn the_table_of_a_tool_in_another_schema_is_named() {
    let name = "the_table_of_a_tool_in_another_schema_is_named";
    for server in servers::postgres_in_turn(name) {
        let host = Host::library(&format!("import-elsewhere-{}", server.name), "");
        host.ok("init --dialect postgres");
        host.write("sql/1_a.up.sql", "CREATE TABLE a (x int PRIMARY KEY);\n");
        host.ok(&format!("import golang-migrate sql --shadow-url {}", server.database()));
        let url = server.database();
        let text = "CREATE TABLE a (x int PRIMARY KEY); CREATE SCHEMA ops; CREATE TABLE \
                    ops.schema_migrations (version bigint, dirty bool); INSERT INTO \
                    ops.schema_migrations VALUES (1, false)";
        servers::client(&url).batch_execute(text).unwrap();
        let run = host.fails(&format!("stamp --from golang-migrate --url {url}"));
        let hint = "hint: give its name with the schema: `--table ops.schema_migrations`\n";
        assert!(run.stderr.ends_with(hint), "{run}");
        let table = "--table ops.schema_migrations --drop";
        let run = host.ok(&format!("stamp --from golang-migrate {table} --url {url}"));
        assert!(run.stdout.contains("marking 1 revision(s) as applied, up to v1"), "{run}");
    }
}
