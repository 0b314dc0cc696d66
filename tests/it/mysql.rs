//! A person's session with MySQL and MariaDB, on each server that was started.

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::Host;
use dbmigrate_tests::revision;
use dbmigrate_tests::servers::{self, Server, dump_mysql, mysql_client};
use dbmigrate_tests::starting::mysql::Installed;
use dbmigrate_tests::starting::place::Place;
use expect_test::expect;

use crate::postgres::{FIRST, SECOND};

fn dump(url: &str) -> String {
    dump_mysql(&mut mysql_client(url))
}

#[test]
fn the_same_commands_work_on_mysql_and_mariadb() {
    for server in servers::mysql("the_same_commands_work_on_mysql_and_mariadb") {
        let dialect = server.name.trim_end_matches(|c: char| c.is_ascii_digit());
        let mut host = Host::library(&format!("mysql_{}", server.name), FIRST);
        host.ok(&format!("init --dialect {dialect}"));
        let url = server.own_database();
        host.env("DATABASE_URL", &url);
        host.ok("migrate -m first");
        let offline = host.ok("upgrade --sql base:head").stdout;
        let script = host.ok("upgrade --sql").stdout;
        host.ok("upgrade");
        host.ok("check");
        let first = dump(&url);
        for script in [&offline, &script] {
            let other = server.own_database();
            let played = server.play(&other, script);
            assert!(played.is_ok, "{played:?}\n{script}");
            assert_eq!(dump(&other), first, "{script}");
        }
        let other = server.own_database();
        assert!(server.play(&other, &script).is_ok);

        let rows = [
            "INSERT INTO author (name, balance, mood, created_at)
                 VALUES ('ada', 1.5, 'sad', '2026-01-02 03:04:05')",
            "INSERT INTO post (author_id, title, is_public) VALUES (1, 'a', true), (1, 'b', false)",
        ];
        let fill = |url: &str| {
            rows.iter().for_each(|sql| mysql_client(url).query_drop(sql).expect("rows"));
        };
        fill(&url);
        fill(&other);
        let before = dump(&url);
        host.write(
            "src/lib.rs",
            &SECOND.replace("#[model(unique)]", "#[model(unique, length = 100)]"),
        );
        host.ok("migrate -m second --fill \"post.slug='post-' || id\"");
        let script = host.ok("upgrade --sql head-1:head").stdout;
        // What it asserts of the changes of existing tables, and what these cost others.
        for said in ["ALGORITHM=INSTANT", "LOCK=NONE", "ALGORITHM=COPY", "-- locks `post` against "]
        {
            assert!(script.contains(said), "{said}: {script}");
        }
        host.ok("upgrade");
        host.ok("check");
        let after = dump(&url);
        let played = server.play(&other, &script);
        assert!(played.is_ok, "{played:?}\n{script}");
        assert_eq!(dump(&other), after, "{script}");
        let down = host.ok("downgrade --sql head:head-1").stdout;
        host.ok("downgrade --allow-destructive");
        assert_eq!(dump(&url), before);
        let played = server.play(&other, &down);
        assert!(played.is_ok, "{played:?}\n{down}");
        assert_eq!(dump(&other), before, "{down}");
        host.ok("upgrade");
        assert_eq!(dump(&url), after);
        host.ok("stamp --verify head");
        // A script that doesn't begin where the database is changes nothing.
        let played = server.play(&url, &script);
        assert!(!played.is_ok && played.text.contains("already applied"), "{played:?}");
        assert_eq!(dump(&url), after);
        let played = server.play(&other, &down);
        assert!(!played.is_ok && played.text.contains("the database is not at"), "{played:?}");
        assert_eq!(dump(&other), before);
    }
}

/// Texts, bodies and comments that a client reads in its own way.
#[test]
fn a_client_reads_each_statement_as_it_is() {
    for server in servers::mysql("a_client_reads_each_statement_as_it_is") {
        let mut host = Host::library(&format!("mysql_texts_{}", server.name), "");
        host.ok("init --dialect mysql --dialect mariadb");
        let url = server.own_database();
        host.env("DATABASE_URL", &url);
        let table = "op.create_table(Table::new(\"t\")\
            .column(Column::new(\"id\", Type::BigInteger).not_null())\
            .column(Column::new(\"text\", Type::Text).default(\"a\\r\\nb\"))\
            .primary_key(\"pk_t\", [\"id\"]));\n\
            op.bulk_insert(\"t\", [\"id\", \"text\"])\
            .row((1, \"it's; \\\\ \\\"x\\\" `y` \\0 \\r\\n -- no\\ndelimiter //\\n# é \\t\\u{1a}\"))\
            .row((2, \"\\\\\\r\"));";
        let body = "op.execute(\"CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW BEGIN\\n\
            IF NEW.id = 7 THEN SET NEW.id = 70; END IF; SET NEW.text = concat(NEW.text, ';$$');\
            \\nEND\");\n\
            op.execute(\"INSERT INTO t (id, text) VALUES (7, 'seven\\\\\\r'); \
            UPDATE t SET text = 'x;y' WHERE id = 2 -- the last;\");\n\
            op.execute(\"/* a ; b */ ALTER TABLE t ADD COLUMN n INT DEFAULT 3\");";
        host.write("migrations/versions/m1.rs", &revision("a100", &[], "t; 'x", table, ""));
        host.write("migrations/versions/m2.rs", &revision("b200", &["a100"], "tr", body, ""));
        let script = host.ok("upgrade --sql base:head").stdout;
        host.ok("upgrade");
        let other = server.own_database();
        let played = server.play(&other, &script);
        assert!(played.is_ok, "{played:?}\n{script}");
        assert_eq!(dump(&other), dump(&url), "{script}");
    }
}

#[test]
fn rows_that_do_not_fit_stop_a_script_before_it_changes_anything() {
    let name = "mysql::rows_that_do_not_fit_stop_a_script_before_it_changes_anything";
    for server in servers::mysql_in_turn(name) {
        let mut host = Host::library(&format!("mysql_rows_{}", server.name), "");
        host.ok("init --dialect mysql --dialect mariadb");
        let url = server.own_database();
        host.env("DATABASE_URL", &url);
        let table = "op.create_table(Table::new(\"item\")\
            .column(Column::new(\"id\", Type::BigInteger).not_null())\
            .column(Column::new(\"name\", Type::String(100)).not_null())\
            .primary_key(\"pk_item\", [\"id\"]));";
        let work = "op.add_column(\"item\", Column::new(\"c\", Type::Integer));\n\
            op.add_unique(\"item\", Unique::new(\"uq_item_name\", [\"name\"]));";
        host.write("migrations/versions/m1.rs", &revision("a100", &[], "items", table, ""));
        host.write("migrations/versions/m2.rs", &revision("b200", &["a100"], "unique", work, ""));
        host.ok("upgrade a100");
        let mut client = mysql_client(&url);
        client.query_drop("INSERT INTO item VALUES (1, 'same'), (2, 'same')").expect("rows");
        let (script, before) = (host.ok("upgrade --sql").stdout, dump(&url));
        let played = server.play(&url, &script);
        assert!(!played.is_ok, "{played:?}");
        let said = "unique constraint `uq_item_name` can't be added to table `item`";
        assert!(played.text.contains(said), "{played:?}");
        assert_eq!(dump(&url), before);
        client.query_drop("UPDATE item SET name = 'other' WHERE id = 2").expect("a row");
        let played = server.play(&url, &script);
        assert!(played.is_ok, "{played:?}");
        assert!(host.ok("current").stdout.starts_with("b200 (head)"));
    }
}

#[test]
fn a_script_that_fails_halfway_is_continued_by_a_run() {
    for server in servers::mysql("a_script_that_fails_halfway_is_continued_by_a_run") {
        let mut host = Host::library(&format!("mysql_half_{}", server.name), "");
        host.ok("init --dialect mysql --dialect mariadb");
        let url = server.own_database();
        host.env("DATABASE_URL", &url);
        let work = "op.create_table(Table::new(\"item\")\
            .column(Column::new(\"id\", Type::BigInteger).not_null())\
            .column(Column::new(\"name\", Type::String(100)).not_null())\
            .primary_key(\"pk_item\", [\"id\"]));\n\
            op.bulk_insert(\"item\", [\"id\", \"name\"]).row((1, \"one\")).row((2, \"two\"));\n\
            op.execute(\"ALTER TABLE part ADD COLUMN b INT\");\n\
            op.execute(\"UPDATE item SET name = 'changed' WHERE id = 2\");\n\
            op.add_column(\"item\", Column::new(\"c\", Type::Integer));";
        let other = "op.create_table(Table::new(\"other\")\
            .column(Column::new(\"id\", Type::BigInteger).not_null())\
            .primary_key(\"pk_other\", [\"id\"]));";
        host.write("migrations/versions/m1.rs", &revision("a100", &[], "other", other, ""));
        host.write("migrations/versions/m2.rs", &revision("b200", &["a100"], "items", work, ""));
        let script = host.ok("upgrade --sql base:head").stdout;
        let played = server.play(&url, &script);
        assert!(!played.is_ok && played.text.contains("part' doesn't exist"), "{played:?}");
        let (_, database) = url.rsplit_once('/').expect("a database");
        let mut seen = String::new();
        let mut show = |args: &str| {
            let run = host.dbmigrate(args);
            let text = host.plain(&format!("$ {args}\n{}{}", run.stdout, run.errors()));
            seen += &text.replace(&url, "URL").replace(database, "app");
        };
        show("current");
        // The same script stops before it changes anything.
        let before = dump(&url);
        let played = server.play(&url, &script);
        assert!(!played.is_ok && played.text.contains("half done"), "{played:?}");
        assert_eq!(dump(&url), before);
        show("upgrade --sql");
        show("upgrade");
        show("show b200");
        mysql_client(&url).query_drop("CREATE TABLE part (a INT)").expect("a table");
        // What is done was edited.
        let edited = work.replace("\"two\"", "\"2\"");
        host.write("migrations/versions/m2.rs", &revision("b200", &["a100"], "items", &edited, ""));
        show("upgrade");
        show("upgrade --resume");
        expect![[r#"
            $ current
            a100
            b200 (half applied: 2 of its statements are done, and it stands at statement 3)
            Database: URL
            $ upgrade --sql
            error: revision `b200` is half applied: an earlier run stopped in it, so no other revision can run
              hint: `cargo dbmigrate upgrade b200` continues it; with `--restart`, what is done of it is taken back first
            $ upgrade
            Running upgrade a100 -> b200, items
            Continuing at statement 3, where an earlier run stopped
            error: revision `b200` stopped halfway: statement 3 of 5 failed: ALTER TABLE part ADD COLUMN b INT
              caused by: Table 'app.part' doesn't exist
              hint: the statements before this one have been applied: correct the cause and run the command again; it continues after them; with `--restart`, it takes them back first
            $ show b200
            Rev: b200 (head)
            Parent: a100
            Path: migrations/versions/m2.rs

                items

            half applied: 2 of its statements are done, and it stands at statement 3: Table 'app.part' doesn't exist
            upgrade:
                create table `item`
                insert 2 rows into table `item`
                execute SQL
                execute SQL
                add column `c` to table `item`
            downgrade:
            $ upgrade
            Running upgrade a100 -> b200, items
            error: revision `b200` can't be continued: part 2 of 5 has changed since it was started
              hint: restore the revision as it was when the run was interrupted, and run the command again; `cargo dbmigrate upgrade --resume` continues after the last part that is done, whatever the parts before it say now; `cargo dbmigrate upgrade --restart` takes back what is done, once the revision is restored
            $ upgrade --resume
            Running upgrade a100 -> b200, items
            Continuing at statement 3, where an earlier run stopped
        "#]]
        .assert_eq(&seen);
        let whole = server.own_database();
        mysql_client(&whole).query_drop("CREATE TABLE part (a INT)").expect("a table");
        host.write("migrations/versions/m2.rs", &revision("b200", &["a100"], "items", work, ""));
        host.ok(&format!("upgrade --url {whole}"));
        assert_eq!(dump(&url), dump(&whole));

        // What is done of it is taken back.
        let restarted = server.own_database();
        let (_, database) = restarted.rsplit_once('/').expect("a database");
        host.fails(&format!("upgrade --url {restarted}"));
        mysql_client(&restarted).query_drop("CREATE TABLE part (a INT)").expect("a table");
        let run = host.ok(&format!("upgrade --restart --url {restarted}"));
        expect![[r#"
            Taking back the half-done upgrade b200
            Running upgrade a100 -> b200, items
        "#]]
        .assert_eq(&run.stdout.replace(database, "app"));
        assert_eq!(dump(&restarted), dump(&whole));
    }
}

/// A script and a run exclude each other.
#[test]
fn a_script_and_a_run_exclude_each_other() {
    for server in servers::mysql("a_script_and_a_run_exclude_each_other") {
        let mut host = Host::library(&format!("mysql_lock_{}", server.name), "");
        host.ok("init --dialect mysql --dialect mariadb");
        let url = server.own_database();
        host.env("DATABASE_URL", &url);
        let table = "op.create_table(Table::new(\"t\")\
            .column(Column::new(\"id\", Type::BigInteger).not_null())\
            .primary_key(\"pk_t\", [\"id\"]));";
        host.write("migrations/versions/m1.rs", &revision("a100", &[], "t", table, ""));
        let script = host.ok("upgrade --sql base:head").stdout;
        let sleeping = script.replacen("CREATE TABLE", "DO sleep(3);\nCREATE TABLE", 1);
        std::thread::scope(|scope| {
            let playing = scope.spawn(|| server.play(&url, &sleeping));
            std::thread::sleep(std::time::Duration::from_secs(1));
            let run = host.fails("upgrade --lock-timeout 0");
            assert!(run.errors().contains("another process is migrating"), "{run}");
            assert!(playing.join().expect("it ends").is_ok);
        });
        assert_eq!(host.ok("current -q").stdout, "a100 (head)\n");
    }
}

/// MariaDB has indexes over columns only, so an index over an expression needs one of its own.
#[test]
fn an_index_over_an_expression_is_the_same_to_everybody_on_mariadb() {
    let servers = servers::mysql("an_index_over_an_expression_is_the_same_to_everybody_on_mariadb");
    let mut servers = servers.into_iter().filter(|server| server.name.starts_with("mariadb"));
    let Some(first) = servers.next() else { return };
    let mut host = Host::library(
        "mysql_hidden",
        "#[derive(dbmigrate_runtime::Model)]
        #[model(index(name = \"ix_person_email\", columns(sql(\"lower(email)\")), unique))]
        pub struct Person {
            #[model(primary_key)]
            pub id: i64,
            #[model(length = 120)]
            pub email: String,
        }",
    );
    host.ok("init --dialect mariadb");
    let up = "op.create_table(Table::new(\"person\")\
        .column(Column::new(\"id\", Type::BigInteger).not_null())\
        .column(Column::new(\"email\", Type::String(100)).not_null())\
        .primary_key(\"pk_person\", [\"id\"]));";
    let down = "op.drop_table(\"person\");";
    host.write("migrations/versions/m1.rs", &revision("a100", &[], "first", up, down));
    let up = "op.create_index(\"person\", Index::new(\"ix_person_email\", []).unique()\
        .column(IndexColumn::expression(\"lower(email)\")));";
    let down = "op.drop_index(\"person\", \"ix_person_email\");";
    host.write("migrations/versions/m2.rs", &revision("b200", &["a100"], "index", up, down));
    let up = "op.alter_column(\"person\", \"email\", ColumnChange::new().ty(Type::String(120)));";
    let down = "op.alter_column(\"person\", \"email\", ColumnChange::new().ty(Type::String(100)));";
    host.write("migrations/versions/m3.rs", &revision("c300", &["b200"], "longer", up, down));
    let session = |server: &servers::Server, host: &mut Host| {
        let url = server.own_database();
        host.env("DATABASE_URL", &url);
        let (_, database) = url.rsplit_once('/').expect("a database");
        let mut seen = String::new();
        let mut show = |args: &str| {
            let run = host.dbmigrate(args);
            let text = host.plain(&format!("$ {args}\n{}{}", run.stdout, run.errors()));
            // How many rows a table has is estimated.
            let lines = text.lines().filter(|line| !line.contains(" has about "));
            let text = lines.map(|line| format!("{line}\n")).collect::<String>();
            seen += &text.replace(&url, "URL").replace(database, "app");
        };
        show("upgrade a100");
        let mut client = mysql_client(&url);
        client.query_drop("INSERT INTO person VALUES (1, 'Ada@x'), (2, 'ADA@x')").expect("rows");
        show("upgrade");
        client.query_drop("DELETE FROM person WHERE id = 2").expect("rows");
        show("plan");
        show("upgrade -v");
        show("check");
        show("diff");
        show("inspect");
        show("stamp --verify head");
        // A program that knows nothing of the column.
        client.query_drop("INSERT INTO person VALUES (3, 'Bob@x')").expect("a row");
        let rows: Vec<(i64, String)> =
            client.query("SELECT * FROM person ORDER BY id").expect("rows");
        assert_eq!(rows, [(1, "Ada@x".to_owned()), (3, "Bob@x".to_owned())]);
        assert!(client.query_drop("INSERT INTO person (email) VALUES ('ADA@x')").is_err());
        show("downgrade base --allow-destructive -v");
        seen
    };
    let seen = session(&first, &mut host);
    expect![[r#"
        $ upgrade a100
        Running upgrade <base> -> a100, first
        $ upgrade
        Running upgrade a100 -> b200, index
        error: revision `b200` was rolled back: index `ix_person_email` can't be added to table `person`: 1 value(s) occur in more than one row
          hint: correct these rows first, in the same revision or an earlier one
        $ plan
        Upgrade of URL: 2 revisions, each statement commits by itself

        upgrade a100 -> b200, index
          stop if index `ix_person_email` can't be added to table `person`: some values occur in more than one row
          add the invisible column `dbmigrate_ix_person_email_1` for index `ix_person_email` (MariaDB has no indexes over expressions)
            locks `person` against other changes of its definition (ALGORITHM=INSTANT)
          create index `ix_person_email` on table `person`
            locks `person` against other changes of its definition (LOCK=NONE), builds an index

        upgrade b200 -> c300, longer
          change the invisible column `dbmigrate_ix_person_email_1` of index `ix_person_email`, alter column `email` of table `person`
            locks `person` against writes (ALGORITHM=COPY), rewrites the table and its indexes
        $ upgrade -v
        Running upgrade a100 -> b200, index
        Running upgrade b200 -> c300, longer
        Database: URL
        -- add the invisible column `dbmigrate_ix_person_email_1` for index `ix_person_email` (MariaDB has no indexes over expressions)
        ALTER TABLE `person` ADD COLUMN `dbmigrate_ix_person_email_1` varchar(100) GENERATED ALWAYS AS (lower(email)) VIRTUAL INVISIBLE COMMENT 'for an index over an expression, by dbmigrate', ALGORITHM=INSTANT;
        -- create index `ix_person_email` on table `person`
        ALTER TABLE `person` ADD UNIQUE KEY `ix_person_email` (`dbmigrate_ix_person_email_1`), ALGORITHM=NOCOPY, LOCK=NONE;
        -- change the invisible column `dbmigrate_ix_person_email_1` of index `ix_person_email`, alter column `email` of table `person`
        ALTER TABLE `person`
            MODIFY COLUMN `dbmigrate_ix_person_email_1` varchar(120) GENERATED ALWAYS AS (lcase("email")) VIRTUAL INVISIBLE COMMENT 'for an index over an expression, by dbmigrate',
            MODIFY COLUMN `email` varchar(120) NOT NULL, ALGORITHM=COPY;
        $ check
        The list in migrations/mod.rs does not match the revision files:
          it lacks migrations/versions/m1.rs
          it lacks migrations/versions/m2.rs
          it lacks migrations/versions/m3.rs
        Models and migrations agree.
        The database is at the head.
        The database agrees with the migrations.
        `cargo dbmigrate migrate` brings it in line
        Database: URL
        warning[rewrite-locks]: revision `c300`: alter column `email` of table `person`: all who write to table `person` wait until it is written again (ALGORITHM=COPY)
          in migrations/versions/m3.rs, on MariaDB
          hint: add a column of the new kind, fill it in batches while both are written, and drop the previous one in a later release
        $ diff
        No differences.
        $ inspect
        use dbmigrate_runtime::Model;

        #[derive(Model)]
        #[model(
            index(name = "ix_person_email", columns(sql("lcase(\"email\")")), unique)
        )]
        pub struct Person {
            #[model(primary_key)]
            pub id: i64,
            #[model(length = 120)]
            pub email: String,
        }
        $ stamp --verify head
        Running stamp_revision c300 -> c300
        $ downgrade base --allow-destructive -v
        Running downgrade c300 -> b200, longer
        Running downgrade b200 -> a100, index
        Running downgrade a100 -> <base>, first
        Database: URL
        -- change the invisible column `dbmigrate_ix_person_email_1` of index `ix_person_email`, alter column `email` of table `person`
        ALTER TABLE `person`
            MODIFY COLUMN `dbmigrate_ix_person_email_1` varchar(100) GENERATED ALWAYS AS (lcase("email")) VIRTUAL INVISIBLE COMMENT 'for an index over an expression, by dbmigrate',
            MODIFY COLUMN `email` varchar(100) NOT NULL, ALGORITHM=COPY;
        -- drop index `ix_person_email` of table `person`
        ALTER TABLE `person` DROP INDEX `ix_person_email`, ALGORITHM=NOCOPY, LOCK=NONE;
        -- drop its invisible column `dbmigrate_ix_person_email_1`
        ALTER TABLE `person` DROP COLUMN `dbmigrate_ix_person_email_1`, ALGORITHM=INSTANT;
        -- drop table `person`
        DROP TABLE `person`;
    "#]].assert_eq(&seen);
    // Others write while a newer MariaDB copies a table.
    let warning = seen.find("warning[rewrite-locks]").expect("a warning");
    let end = seen.find("$ diff").expect("a command");
    let online = seen.replace(&seen[warning..end], "").replace(
        "against writes (ALGORITHM=COPY)",
        "against other changes of its definition (ALGORITHM=COPY)",
    );
    for server in servers {
        let expected = if server.name == "mariadb118" { &online } else { &seen };
        assert_eq!(session(&server, &mut host), *expected, "{}", server.name);
    }
}

/// Without a server, `dialects` in dbmigrate.toml says which of the two it is.
#[test]
fn offline_the_setting_tells_mariadb_from_mysql() {
    let table = "op.create_table(Table::new(\"item\")\
        .column(Column::new(\"id\", Type::Uuid).not_null()).primary_key(\"pk_item\", [\"id\"]));";
    for (dialect, end) in
        [("mariadb", "COLLATE=utf8mb4_nopad_bin;"), ("mysql", "COLLATE=utf8mb4_0900_bin;")]
    {
        let host = Host::library(&format!("offline_{dialect}"), "");
        host.ok(&format!("init --dialect {dialect}"));
        host.write("migrations/versions/m1.rs", &revision("a100", &[], "items", table, ""));
        for url in ["", " --url mysql://localhost/app"] {
            let run = host.ok(&format!("upgrade --sql base:head{url}"));
            assert!(run.stdout.contains(end), "{dialect}{url}: {run}");
        }
    }
    for server in servers::mysql_in_turn("offline_the_setting_tells_mariadb_from_mysql") {
        let (dialect, other) = match server.dialect() {
            "mariadb" => ("MariaDB", "mysql"),
            _ => ("MySQL", "mariadb"),
        };
        let host = Host::library(&format!("offline_{}", server.name), "");
        host.ok(&format!("init --dialect {other}"));
        host.write("migrations/versions/m1.rs", &revision("a100", &[], "items", table, ""));
        let run = host.fails(&format!("upgrade --url {}", server.database()));
        assert!(run.stderr.contains(dialect) && run.stderr.contains("dialects"), "{run}");
    }
}

/// A server that writes names of tables in lower case, as on Windows.
#[test]
fn tables_are_found_where_the_server_writes_their_names_in_lower_case() {
    let test = "tables_are_found_where_the_server_writes_their_names_in_lower_case";
    let is_there = |server: &Server| server.name == "mariadb1011";
    let Some(server) = servers::mysql(test).into_iter().find(is_there) else { return };
    let place = Place::new().expect("a directory");
    let own = Installed::new(&place, &server.name).expect("a name").expect("it is initialized");
    let running = own.run_with(&["--lower-case-table-names=1".to_owned()]).expect("it runs");
    let url = running.url.replace("/mysql", "/app");
    mysql_client(&running.url).query_drop("CREATE DATABASE app").expect("a database");
    let models = "#[derive(dbmigrate_runtime::Model)]
#[model(table = \"Author\")]
pub struct Author {
    #[model(primary_key)]
    pub id: i64,
}

#[derive(dbmigrate_runtime::Model)]
#[model(table = \"Post\")]
pub struct Post {
    #[model(primary_key)]
    pub id: i64,
    #[model(references = Author)]
    pub author_id: i64,
}
";
    let mut host = Host::library("mysql-folding", models);
    host.ok("init --dialect mariadb");
    host.env("DATABASE_URL", &url);
    let host = host;
    let step = |what: &str| {
        host.ok(&format!("migrate -m {what} --upgrade"));
        host.ok("check");
        let run = host.ok("migrate --dry-run");
        assert!(run.stdout.contains("No changes"), "{what}: {run}");
    };
    step("tables");
    let wider =
        models.replace("author_id: i64,", "author_id: i64,\n    #[model(index)]\n    pub n: i32,");
    host.write("src/lib.rs", &wider.replace("pub n", "#[model(default = 7)]\n    pub n"));
    step("column");
    let renamed = "#[model(table = \"Article\", renamed_from = \"Post\")]";
    let text = wider.replace("#[model(table = \"Post\")]", renamed);
    host.write("src/lib.rs", &text.replace("pub n", "#[model(default = 7)]\n    pub n"));
    step("renamed");
    host.ok("downgrade base --allow-destructive");
    host.ok("upgrade");
    host.ok("check");
    let tables: Vec<String> = mysql_client(&url).query("SHOW TABLES").expect("tables");
    assert!(tables.contains(&"article".to_owned()), "{tables:?}");
}
