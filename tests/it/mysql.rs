//! A person's session with MySQL and MariaDB, on each server that was started.

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::Host;
use dbmigrate_tests::revision;
use dbmigrate_tests::servers::{self, dump_mysql, mysql_client};
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
        mysql_client(&url).query_drop("CREATE TABLE part (a INT)").expect("a table");
        show("upgrade");
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
            error: revision `b200` stopped halfway: statement 3 of 5 failed: ALTER TABLE part ADD COLUMN b INT
              caused by: Table 'app.part' doesn't exist
              hint: the statements before this one have been applied: correct the cause and run the command again; it continues after them; with `--restart`, it takes them back first
            $ upgrade
            Running upgrade a100 -> b200, items
        "#]]
        .assert_eq(&seen);
        let whole = server.own_database();
        mysql_client(&whole).query_drop("CREATE TABLE part (a INT)").expect("a table");
        host.ok(&format!("upgrade --url {whole}"));
        assert_eq!(dump(&url), dump(&whole));
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
