//! `plan`: what a run would do, in words.

use std::fs;

use dbmigrate_tests::servers::{self, Server};
use dbmigrate_tests::{Host, revision, sql};
use expect_test::expect;

/// The schema at a revision, as SQL, as JSON and as pictures.
#[test]
fn the_schema_is_printed_and_drawn_at_any_revision() {
    let host = host("pictures");
    let script = host.ok("schema --sql").stdout;
    sql(&host.dir.join("built.db"), &script);
    host.ok("upgrade");
    let run = host.ok("diff database migrations --url sqlite:built.db");
    assert!(run.stdout.is_empty() || run.stdout.contains("No "), "{run}");
    expect![[r#"
        CREATE TABLE "author" (
            "id" INTEGER NOT NULL CONSTRAINT "pk_author" PRIMARY KEY,
            "name" VARCHAR(100),
            "age" VARCHAR(10)
        );
    "#]]
    .assert_eq(&host.ok("schema a100").stdout);
    let document: serde_json::Value =
        serde_json::from_str(&host.ok("schema --json").stdout).expect("JSON");
    assert_eq!(document[0]["table"]["columns"][1]["name"], "name", "{document}");
    expect![[r#"
        erDiagram
            "author (changed)" {
                big_integer id PK
                string(100) name "changed"
                big_integer age "may be NULL, changed"
            }
    "#]]
    .assert_eq(&host.ok("erd --diff").stdout);
    let run = host.ok("erd --form svg --revision a100");
    assert!(run.stdout.starts_with("<svg ") && run.stdout.contains(">author<"), "{run}");
    assert!(host.ok("erd --form dot").stdout.starts_with("digraph schema {"));
    assert!(!host.fails("erd --revision nonsense").stderr.is_empty());
}

/// Two revisions: tables, and changes of them with a step.
fn host(name: &str) -> Host {
    let host = Host::library(name, "");
    host.ok("init --dialect sqlite --dialect postgres --dialect mysql --dialect mariadb");
    let tables = "op.create_table(Table::new(\"author\")\
        .column(Column::new(\"id\", Type::BigInteger).not_null())\
        .column(Column::new(\"name\", Type::String(100)))\
        .column(Column::new(\"age\", Type::String(10)))\
        .primary_key(\"pk_author\", [\"id\"]));";
    let changes = "op.run(\"tidy\", |_| Ok(()));\n    \
        op.alter_column(\"author\", \"name\", ColumnChange::new().not_null());\n    \
        op.alter_column(\"author\", \"age\", ColumnChange::new().ty(Type::BigInteger));\n    \
        op.create_index(\"author\", Index::new(\"ix_author_name\", [\"name\"]));\n    \
        op.execute(\"UPDATE author SET age = 0 WHERE age IS NULL\");";
    let back = "op.drop_column(\"author\", \"age\");";
    let drop = "op.drop_table(\"author\");";
    host.write("migrations/versions/m1.rs", &revision("a100", &[], "authors", tables, drop));
    host.write("migrations/versions/m2.rs", &revision("b200", &["a100"], "more", changes, back));
    host
}

fn shown(host: &Host, command: &str, code: i32) -> String {
    let run = host.dbmigrate(command);
    assert_eq!(run.code, code, "{run}");
    host.plain(&format!("$ {command}\n{}{}", run.stdout, run.errors()))
}

#[test]
fn a_plan_says_in_words_what_a_run_would_do() {
    let host = host("plan");
    let mut seen = shown(&host, "plan a100", 0);
    assert!(!host.dir.join("app.db").exists());
    host.ok("upgrade a100");
    let database = host.dir.join("app.db");
    sql(&database, "INSERT INTO author VALUES (1, 'Ada', '36'), (2, NULL, 'x')");
    let before = fs::read(&database).unwrap();
    seen += &shown(&host, "plan", 0);
    host.replace("migrations/versions/m2.rs", "op.run(\"tidy\", |_| Ok(()));\n", "");
    seen += &shown(&host, "upgrade --dry-run", 1);
    seen += &shown(&host, "plan base", 0);
    seen += &shown(&host, "downgrade --dry-run", 0);
    seen += &shown(&host, "plan a100:b200", 0);
    seen += &shown(&host, "plan a100", 0);
    seen += &shown(&host, "plan nonsense", 3);
    assert_eq!(fs::read(&database).unwrap(), before);
    expect![[r#"
        $ plan a100
        Upgrade of sqlite:$HOST/app.db: 1 revision, in one transaction

        upgrade <base> -> a100, authors
          create table `author`
        $ plan
        Upgrade of sqlite:$HOST/app.db: 1 revision, in one transaction

        upgrade a100 -> b200, more
          run step `tidy`
          stop if column `name` of table `author` can't become NOT NULL: it is NULL in some rows
          stop if some of the values in column `age` of table `author` do not fit the type `INTEGER`
          rebuild the table to alter column `name` of table `author`, alter column `age` of table `author`, create index `ix_author_name` on table `author`
          run SQL: UPDATE author SET age = 0 WHERE age IS NULL
          `author` has 2 rows
        $ upgrade --dry-run
        Upgrade of sqlite:$HOST/app.db: 1 revision, in one transaction

        upgrade a100 -> b200, more
          stop if column `name` of table `author` can't become NOT NULL: it is NULL in some rows
          stop if some of the values in column `age` of table `author` do not fit the type `INTEGER`
          rebuild the table to alter column `name` of table `author`, alter column `age` of table `author`, create index `ix_author_name` on table `author`
          run SQL: UPDATE author SET age = 0 WHERE age IS NULL
          `author` has 2 rows
          stops now: column `name` of table `author` can't become NOT NULL: it is NULL in 1 row(s)
          stops now: 1 of the values in column `age` of table `author` do not fit the type `INTEGER`
        $ plan base
        Downgrade of sqlite:$HOST/app.db: 1 revision, in one transaction

        downgrade a100 -> <base>, authors
          drop table `author`
          `author` has 2 rows
          drop table `author` discards 2 rows
        $ downgrade --dry-run
        Downgrade of sqlite:$HOST/app.db: 1 revision, in one transaction

        downgrade a100 -> <base>, authors
          drop table `author`
          `author` has 2 rows
          drop table `author` discards 2 rows
        $ plan a100:b200
        Upgrade of SQLite: 1 revision, in one transaction

        upgrade a100 -> b200, more
          stop if column `name` of table `author` can't become NOT NULL: it is NULL in some rows
          stop if some of the values in column `age` of table `author` do not fit the type `INTEGER`
          rebuild the table to alter column `name` of table `author`, alter column `age` of table `author`, create index `ix_author_name` on table `author`
          run SQL: UPDATE author SET age = 0 WHERE age IS NULL
        $ plan a100
        Nothing to do for sqlite:$HOST/app.db.
        $ plan nonsense
        error: no revision `nonsense` in this project
          hint: `cargo dbmigrate history` lists them
    "#]].assert_eq(&seen);
    let run = host.ok("plan b200:base");
    assert!(run.stdout.starts_with("Downgrade of SQLite: 2 revisions"), "{run}");
    let run = host.ok("plan -1 -v");
    assert!(run.stdout.contains("      DROP TABLE \"author\"\n"), "{run}");
    let document = host.dbmigrate("plan --format json").json();
    let of = |name: &str| document["plan"][0][name].clone();
    assert_eq!(of("id"), "b200");
    assert_eq!(of("tables"), serde_json::json!(["`author` has 2 rows"]));
    assert_eq!(of("stops").as_array().expect("a list").len(), 2, "{document}");
}

#[test]
fn a_plan_for_a_server_has_locks_work_and_cheap_row_counts() {
    let test = "a_plan_for_a_server_has_locks_work_and_cheap_row_counts";
    let postgres = servers::postgres(test).into_iter().rev().take(1);
    let servers: Vec<Server> = postgres.chain(servers::mysql(test)).collect();
    if servers.is_empty() {
        return;
    }
    let host = host("plan-servers");
    host.replace("migrations/versions/m2.rs", "op.run(\"tidy\", |_| Ok(()));\n", "");
    for server in servers {
        let url = server.database();
        host.ok(&format!("upgrade a100 --url {url}"));
        let rows = "INSERT INTO author VALUES (1, 'Ada', '36'), (2, NULL, '7')";
        let query = |sql: &str| {
            let played = server.play(&url, sql);
            assert!(played.is_ok, "{}", played.text);
        };
        if server.dialect() == "postgres" {
            let mut client = servers::client(&url);
            client.batch_execute(&format!("{rows}; ANALYZE author")).expect("rows");
        } else {
            query(&format!("{rows}; ANALYZE TABLE author;"));
        }
        let run = host.dbmigrate(&format!("plan base --url {url}"));
        assert!(run.stdout.contains("drop table `author` discards 2 rows"), "{run}");
        let run = host.dbmigrate(&format!("plan --url {url}"));
        assert_eq!(run.code, 1, "{run}");
        // On a busy machine, the earlier revision took long enough to be named.
        let is_slow = |line: &&str| line.contains(", which changed one of these tables, took ");
        let lines = run.stdout.lines().filter(|line| !is_slow(line));
        let shown: String = lines.map(|line| format!("{line}\n")).collect();
        let shown = shown.replace(&url, "URL");
        if server.dialect() == "postgres" {
            expect![[r#"
                Upgrade of URL: 1 revision, in one transaction

                upgrade a100 -> b200, more
                  stop if column `name` of table `author` can't become NOT NULL: it is NULL in some rows
                  alter column `name` of table `author`
                    locks `author` against reads and writes (ACCESS EXCLUSIVE), reads the whole table
                  stop if some of the values in column `age` of table `author` do not fit the type `bigint`
                  alter column `age` of table `author`
                    locks `author` against reads and writes (ACCESS EXCLUSIVE), rewrites the table and its indexes
                  create index `ix_author_name` on table `author`
                    locks `author` against writes (SHARE), builds an index
                  run SQL: UPDATE author SET age = 0 WHERE age IS NULL
                  `author` has about 2 rows
                  stops now: column `name` of table `author` can't become NOT NULL: it is NULL in 1 row(s)
            "#]]
            .assert_eq(&shown);
            // A large table is changed in several transactions, whose borders are shown.
            let mut client = servers::client(&url);
            let large = "ALTER TABLE author SET (fillfactor = 10)";
            let rows = "INSERT INTO author SELECT n, 'x', '7' FROM generate_series(3, 60000) n";
            let valid = "UPDATE author SET name = '-' WHERE name IS NULL";
            client.batch_execute(&format!("{large}; {rows}; {valid}; ANALYZE")).expect("rows");
            let verbose = host.ok(&format!("plan -v --url {url}")).stdout.replace(&url, "URL");
            expect![[r#"
                Upgrade of URL: 1 revision, in several transactions

                upgrade a100 -> b200, more
                  stop if some of the values in column `age` of table `author` do not fit the type `bigint`
                      SELECT count(*) FROM "author" WHERE "age" IS NOT NULL AND NOT (CASE WHEN "age" ~ '^(0|-?[1-9][0-9]*)$' THEN "age"::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE FALSE END) HAVING count(*) > 0
                  stop if column `name` of table `author` can't become NOT NULL: it is NULL in some rows
                      SELECT count(*) FROM "author" WHERE "name" IS NULL HAVING count(*) > 0
                  alter column `name` of table `author`
                    locks `author` against reads and writes (ACCESS EXCLUSIVE)
                      ALTER TABLE "author" ADD CONSTRAINT "dbmigrate_author_name_not_null" CHECK ("name" IS NOT NULL) NOT VALID
                  commit, and begin the next transaction
                  alter column `name` of table `author`
                    locks `author` against other changes of its definition (SHARE UPDATE EXCLUSIVE), reads the whole table
                      ALTER TABLE "author" VALIDATE CONSTRAINT "dbmigrate_author_name_not_null"
                  commit, and begin the next transaction
                  alter column `name` of table `author`
                    locks `author` against reads and writes (ACCESS EXCLUSIVE)
                      ALTER TABLE "author" ALTER COLUMN "name" SET NOT NULL
                    locks `author` against reads and writes (ACCESS EXCLUSIVE)
                      ALTER TABLE "author" DROP CONSTRAINT "dbmigrate_author_name_not_null"
                  stop if some of the values in column `age` of table `author` do not fit the type `bigint`
                      SELECT count(*) FROM "author" WHERE "age" IS NOT NULL AND NOT (CASE WHEN "age" ~ '^(0|-?[1-9][0-9]*)$' THEN "age"::numeric BETWEEN -9223372036854775808 AND 9223372036854775807 ELSE FALSE END) HAVING count(*) > 0
                  alter column `age` of table `author`
                    locks `author` against reads and writes (ACCESS EXCLUSIVE), rewrites the table and its indexes
                      ALTER TABLE "author" ALTER COLUMN "age" TYPE bigint USING "age"::bigint
                  create index `ix_author_name` on table `author`
                    locks `author` against writes (SHARE), builds an index
                      CREATE INDEX "ix_author_name" ON "author" ("name")
                  run SQL: UPDATE author SET age = 0 WHERE age IS NULL
                      UPDATE author SET age = 0 WHERE age IS NULL
                  `author` has about 60,000 rows
            "#]].assert_eq(&verbose);
            let document = host.ok(&format!("plan --format json --url {url}")).json();
            let tasks = document["plan"][0]["tasks"].as_array().expect("tasks");
            let borders = tasks.iter().filter(|task| task["border"] == true);
            let texts: Vec<&str> = borders.filter_map(|task| task["text"].as_str()).collect();
            assert_eq!(texts, ["commit, and begin the next transaction"; 2]);
            continue;
        }
        // What a copy keeps others from.
        let copied = match server.name.as_str() {
            "mariadb118" => "against other changes of its definition (ALGORITHM=COPY)",
            _ => "against writes (ALGORITHM=COPY)",
        };
        assert_eq!(shown.matches(copied).count(), 1, "{}: {run}", server.name);
        expect![[r#"
            Upgrade of URL: 1 revision, each statement commits by itself

            upgrade a100 -> b200, more
              stop if column `name` of table `author` can't become NOT NULL: it is NULL in some rows
              stop if some of the values in column `age` of table `author` do not fit the type `bigint`
              alter column `name` of table `author`, alter column `age` of table `author`
                locks `author` COPIED, rewrites the table and its indexes
              create index `ix_author_name` on table `author`
                locks `author` against other changes of its definition (LOCK=NONE), builds an index
              run SQL: UPDATE author SET age = 0 WHERE age IS NULL
              `author` has about 2 rows
              stops now: column `name` of table `author` can't become NOT NULL: it is NULL in 1 row(s)
        "#]]
        .assert_eq(&shown.replace(copied, "COPIED"));
    }
}

/// The schema as SQL of each kind of server builds the same tables there.
#[test]
fn the_schema_is_printed_for_each_server() {
    let mut host = host("schema-servers");
    for server in servers::in_turn("the_schema_is_printed_for_each_server") {
        let url = server.own_database();
        host.env("DATABASE_URL", &url);
        let script = host.ok("schema --sql").stdout;
        if server.dialect() == "postgres" {
            servers::client(&url).batch_execute(&script).expect(&script);
        } else {
            let played = server.play(&url, &script);
            assert!(played.is_ok, "{}\n{script}", played.text);
        }
        let run = host.ok("diff database migrations");
        assert!(run.stdout.is_empty() || run.stdout.contains("No "), "{run}\n{script}");
    }
}

/// On a cluster each change of a definition holds up the writes of all nodes.
#[test]
fn a_plan_for_a_cluster_says_that_all_nodes_wait() {
    let test = "a_plan_for_a_cluster_says_that_all_nodes_wait";
    let Some(node) = servers::galera(test).into_iter().next() else { return };
    let host = host("plan-cluster");
    let url = node.database();
    let plan = host.ok(&format!("plan a100 --url {url}"));
    expect![[r#"
        Upgrade of URL: 1 revision, each statement commits by itself

        upgrade <base> -> a100, authors
          create table `author`
            blocks all writes on all nodes of the cluster
    "#]]
    .assert_eq(&plan.stdout.replace(&url, "URL"));
    let lint = host.dbmigrate(&format!("lint --url {url}"));
    assert!(lint.stdout.contains("cluster-blocked"), "{lint}");
}

/// What a run would take is judged by a run that took long.
#[test]
fn a_plan_says_how_long_a_change_will_take() {
    let host = host("plan-time");
    // Nobody knows how much a step or SQL of one's own has to do.
    host.replace("migrations/versions/m2.rs", "op.run(\"tidy\", |_| Ok(()));\n", "");
    let update = "op.execute(\"UPDATE author SET age = 0 WHERE age IS NULL\");";
    host.replace("migrations/versions/m2.rs", update, "");
    let wider = "op.alter_column(\"author\", \"age\", ColumnChange::new().ty(Type::Text));";
    let back = "op.alter_column(\"author\", \"age\", ColumnChange::new().ty(Type::BigInteger));";
    host.write("migrations/versions/m3.rs", &revision("c300", &["b200"], "wider", wider, back));
    let test = "a_plan_says_how_long_a_change_will_take";
    let servers = servers::in_turn(test);
    let on_servers = servers.iter().map(|server| (server.database(), Some(server)));
    let file = ("sqlite:app.db".to_owned(), None);
    for (url, server) in std::iter::once(file).chain(on_servers) {
        let query = |sql: &str| match server {
            Some(server) if server.dialect() == "postgres" => {
                servers::client(&url).batch_execute(sql).expect("it runs");
            }
            Some(server) => {
                let played = server.play(&url, sql);
                assert!(played.is_ok, "{}", played.text);
            }
            None => dbmigrate_tests::sql(&host.dir.join("app.db"), sql),
        };
        host.ok(&format!("upgrade a100 --url {url}"));
        let mut rows = "INSERT INTO author VALUES (1, 'Ada', '36');".to_owned();
        for power in 0..19 {
            let n = 1 << power;
            rows += &format!("INSERT INTO author SELECT id + {n}, name, age FROM author;");
        }
        query(&rows);
        let analyze = || match server.map(Server::dialect) {
            Some("postgres") => query("ANALYZE author;"),
            Some(_) => query("ANALYZE TABLE author;"),
            None => {}
        };
        analyze();
        host.ok(&format!("upgrade b200 --url {url}"));
        // A table that was written again has no statistics on PostgreSQL.
        analyze();
        // As if it had taken twenty seconds.
        query("UPDATE dbmigrate_version SET milliseconds = 20000 WHERE id = 'b200';");
        let run = host.ok(&format!("plan --url {url}"));
        let time = run.stdout.lines().find_map(|line| line.trim().strip_prefix("takes about "));
        let (seconds, rest) = time.and_then(|time| time.split_once(" s (")).expect(&run.stdout);
        let rows = rest.strip_prefix("revision `b200` took 20.0 s for ").expect(rest);
        // The statistics of a server are a little off.
        let seconds: i64 = seconds.parse().expect("seconds");
        assert!((15..=25).contains(&seconds), "{run}");
        if server.is_none() {
            assert_eq!((seconds, rows), (20, "524,288 rows)"));
        }
    }
}
