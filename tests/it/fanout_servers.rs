//! `upgrade --all` with URLs, and `upgrade --schemas`, on each server that was started.

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, client, mysql_client};
use dbmigrate_tests::{Host, revision, sorted};
use expect_test::expect;

/// Two revisions: a table, and a step that fills a new column.
fn host(name: &str) -> Host {
    let host = Host::library(name, "");
    host.ok("init --dialect postgres --dialect sqlite");
    let user = "op.create_table(Table::new(\"user\")\
        .column(Column::new(\"id\", Type::BigInteger).not_null())\
        .column(Column::new(\"name\", Type::Text).not_null())\
        .primary_key(\"pk_user\", [\"id\"]));";
    let slug = "op.add_column(\"user\", Column::new(\"slug\", Type::Text));\n    \
        op.run(\"fill\", |db| {\n        \
        db.execute(\"UPDATE \\\"user\\\" SET slug = lower(name)\", ())?;\n        Ok(())\n    });";
    host.write("migrations/versions/m1.rs", &revision("a100", &[], "user", user, ""));
    host.write("migrations/versions/m2.rs", &revision("b200", &["a100"], "slug", slug, ""));
    host
}

/// The texts of a query's first column.
fn texts(url: &str, sql: &str) -> Vec<String> {
    client(url).query(sql, &[]).expect(sql).iter().map(|row| row.get(0)).collect()
}

#[test]
fn urls_and_lists_of_urls_are_upgraded_like_files() {
    for server in servers::postgres_in_turn("urls_and_lists_of_urls_are_upgraded_like_files") {
        let host = host("fan-urls");
        let urls = [server.database(), server.database(), server.database()];
        // The server asks for no password, so that any will do.
        let secret =
            |url: &str| url.replace("postgres://postgres@", "postgres://postgres:s3cr%40t@");
        let plain = |text: &str| {
            let mut text = sorted(text);
            for (nth, url) in urls.iter().enumerate() {
                text = text.replace(url.as_str(), &format!("URL{nth}"));
            }
            assert!(!text.contains("s3cr"), "{text}");
            text
        };
        host.ok(&format!("upgrade a100 --url {}", urls[1]));
        client(&urls[1])
            .batch_execute(
                "INSERT INTO \"user\" VALUES (1, 'Ada'); ALTER TABLE \"user\" ADD slug int",
            )
            .expect("rows");
        let list = format!(
            "# customers\n\n{}\n  {}\npostgres://postgres:s3cr%40t@127.0.0.1:1/gone\nsqlite:c.db\n",
            secret(&urls[0]),
            secret(&urls[1])
        );
        host.write("lists/customers.txt", &list);
        host.write("lists/c.db", "");
        let all = format!("upgrade --jobs 3 --all lists/customers.txt --all {}", secret(&urls[2]));
        let run = host.fails(&all);
        let c = host.dir.join("lists/c.db").display().to_string();
        expect![[r#"
            5 databases: 0 at head, 3 upgraded, 2 failed
            C: 2 revisions
            URL0: 2 revisions
            URL2: 2 revisions
        "#]]
        .assert_eq(&sorted(&plain(&run.stdout).replace(&c, "C")));
        let errors = plain(&run.errors());
        assert!(errors.contains("error: URL1: revision `b200` was rolled back: "), "{errors}");
        let gone = "error: postgres://postgres@127.0.0.1:1/gone: failed to connect to ";
        assert!(errors.contains(gone), "{errors}");

        client(&urls[1]).batch_execute("ALTER TABLE \"user\" DROP slug").expect("dropped");
        let run = host.fails(&format!("{all} --format json"));
        let document = run.json();
        plain(&run.stdout);
        let databases = document["databases"].as_array().expect("a list");
        let of = |url: &str| databases.iter().find(|value| value["url"] == url).expect(url);
        assert_eq!(of(&urls[1])["ran"], serde_json::json!(["b200"]));
        assert_eq!(of(&urls[2])["ran"], serde_json::json!([]));
        assert!(databases.iter().any(|value| value["path"] == c.as_str()), "{run}");
        assert_eq!((&document["unchanged"], &document["failed"]), (&3.into(), &1.into()));
        assert_eq!(texts(&urls[1], "SELECT slug FROM \"user\""), ["ada"]);

        // The same databases, looked at.
        let looked = ["status", "current", "check"].map(|command| {
            plain(&host.dbmigrate(&format!("{command} --all lists/customers.txt")).stdout)
        });
        expect![[r#"
              1  failed
              3  b200 (head)
            4 databases
            --
              1  failed
              3  b200 (head)
            4 databases
            --
              1  failed
              3  b200 (head)
            4 databases
        "#]]
        .assert_eq(&looked.join("--\n"));

        // Mistakes are said before anything is done.
        let fresh = server.database();
        let check = |list: &str, text: &str| {
            host.write("lists/wrong.txt", &format!("{}\n{list}\n", secret(&fresh)));
            let run = host.fails("upgrade --all lists/wrong.txt");
            assert!(run.stderr.contains(text) && !run.stderr.contains("s3cr"), "{run}");
            assert_eq!(
                texts(&fresh, "SELECT relname::text FROM pg_class WHERE relname = 'user'"),
                [""; 0]
            );
        };
        check("ada:s3cr@host", "there is no database URL in `lists/wrong.txt:2`");
        check("postgres://ada:s3cr@h/x?nope=1", "in `lists/wrong.txt:2`");
        check("mysql://ada:s3cr@h/x", "in `lists/wrong.txt:2`");
    }
}

#[test]
fn each_schema_is_upgraded_with_a_version_table_of_its_own() {
    for server in
        servers::postgres_in_turn("each_schema_is_upgraded_with_a_version_table_of_its_own")
    {
        let mut host = host("fan-schemas");
        let url = server.database();
        host.env("DATABASE_URL", &url);
        client(&url)
            .batch_execute(
                "CREATE SCHEMA tenant_a; CREATE SCHEMA tenant_b; CREATE SCHEMA \"tenant C\";
                 CREATE SCHEMA other; CREATE TABLE \"user\" (id text);
                 CREATE TABLE tenant_b.\"user\" (id text)",
            )
            .expect("schemas");
        let run = host.fails("upgrade --schemas \"tenant*\" --jobs 3");
        expect![[r#"
            3 schemas: 0 at head, 2 upgraded, 1 failed
            tenant C: 2 revisions
            tenant_a: 2 revisions
        "#]]
        .assert_eq(&sorted(&run.stdout));
        assert!(run.stderr.contains("error: tenant_b: revision `a100` was rolled back: "), "{run}");
        client(&url).batch_execute("DROP TABLE tenant_b.\"user\"").expect("dropped");
        let run = host.ok("upgrade --schemas \"tenant*\" --format json");
        let document = run.json();
        assert_eq!(document["databases"][2]["schema"], "tenant_b", "{run}");
        assert_eq!(document["databases"][2]["ran"], serde_json::json!(["a100", "b200"]));
        assert_eq!((&document["unchanged"], &document["upgraded"]), (&2.into(), &1.into()));
        let tables = "SELECT table_schema || '.' || table_name FROM information_schema.tables \
                      WHERE table_name IN ('user', 'dbmigrate_version')";
        assert_eq!(
            sorted(&texts(&url, tables).join("\n")).lines().collect::<Vec<_>>(),
            [
                "public.user",
                "tenant C.dbmigrate_version",
                "tenant C.user",
                "tenant_a.dbmigrate_version",
                "tenant_a.user",
                "tenant_b.dbmigrate_version",
                "tenant_b.user"
            ]
        );

        // One that is locked doesn't hold up the others, and is the same as by its URL.
        let separator = if url.contains('?') { '&' } else { '?' };
        let in_schema = format!("{url}{separator}options=-csearch_path%3Dtenant_a");
        assert_eq!(host.ok(&format!("current --url {in_schema}")).stdout, "b200 (head)\n");
        host.write(
            "migrations/versions/m3.rs",
            &revision(
                "c300",
                &["b200"],
                "age",
                "op.add_column(\"user\", Column::new(\"age\", Type::Integer));",
                "",
            ),
        );
        let mut blocker = client(&url);
        blocker.batch_execute("BEGIN; LOCK TABLE tenant_a.\"user\"").expect("locked");
        let run = host.fails("upgrade --schemas \"tenant*\" --jobs 3 --lock-timeout 2");
        assert!(run.stdout.contains("3 schemas: 0 at head, 2 upgraded, 1 failed"), "{run}");
        assert!(run.stderr.contains("error: tenant_a: "), "{run}");
        blocker.batch_execute("ROLLBACK").expect("unlocked");
        host.ok("upgrade --schemas tenant_a --schemas \"*_b\"");

        let check = |args: &str, text: &str| {
            let run = host.fails(&format!("upgrade {args}"));
            assert!(run.stderr.contains(text), "{run}");
        };
        check("--schemas \"customer_*\"", "matches `customer_*`");
        check("--schemas \"tenant***\"", "`tenant***` is not a valid pattern");
        check("--schemas x --url sqlite:app.db", "has no schemas");
        let run = host.dbmigrate("upgrade --schemas x --all y");
        assert_eq!(run.code, 2, "{run}");
    }
}

/// A pooler with transaction pooling doesn't keep a search path.
#[test]
fn schemas_are_not_upgraded_through_a_pooler() {
    let Some(server) = servers::pgbouncer("schemas_are_not_upgraded_through_a_pooler") else {
        return;
    };
    let host = host("fan-pooler");
    let url = server.database();
    client(&url).batch_execute("CREATE SCHEMA tenant_a").expect("a schema");
    let run = host.fails(&format!("upgrade --schemas tenant_* --url {url}"));
    let errors = run.errors().replace(&url, "URL");
    expect![[r#"
        error: tenant_a: failed to connect to `URL`: a pooler is between here and the server, and does not pass on the `options` of the connection, such as `search_path`: unsupported startup parameter: options
          hint: use the URL of the server itself instead of the pooler's, for example with `--url`; the URL is from --url
    "#]].assert_eq(&errors);
    let sql = "SELECT count(*)::text FROM pg_class WHERE relname IN ('user', 'dbmigrate_version')";
    assert_eq!(texts(&url, sql), ["0"]);
}

#[test]
fn databases_of_mysql_are_upgraded_and_reset_like_others() {
    for server in servers::mysql_in_turn("databases_of_mysql_are_upgraded_and_reset_like_others") {
        let host = Host::library(&format!("fan-{}", server.name), "");
        host.ok(&format!("init --dialect {}", server.dialect()));
        let user = "op.create_table(Table::new(\"user\")\
            .column(Column::new(\"id\", Type::BigInteger).not_null())\
            .column(Column::new(\"name\", Type::String(50)).not_null())\
            .primary_key(\"pk_user\", [\"id\"]));";
        let slug = "op.add_column(\"user\", Column::new(\"slug\", Type::String(50)));\n    \
            op.run(\"fill\", |db| {\n        \
            db.execute(\"UPDATE user SET slug = lower(name)\", ())?;\n        Ok(())\n    });";
        host.write("migrations/versions/m1.rs", &revision("a100", &[], "user", user, ""));
        host.write("migrations/versions/m2.rs", &revision("b200", &["a100"], "slug", slug, ""));
        let urls = [server.database(), server.database(), server.database()];
        let secret = |url: &str| url.replace("mysql://root@", "mysql://root:s3cr%40t@");
        host.ok(&format!("upgrade a100 --url {}", urls[1]));
        let mut conn = mysql_client(&urls[1]);
        conn.query_drop("INSERT INTO user VALUES (1, 'Ada')").unwrap();
        conn.query_drop("ALTER TABLE user ADD slug int").unwrap();
        host.write("customers.txt", &format!("{}\n{}\n", urls[0], urls[1]));
        let all = format!("upgrade --jobs 3 --all customers.txt --all {}", urls[2]);
        let run = host.fails(&all);
        assert!(
            run.stdout.ends_with("3 databases: 0 at head, 2 upgraded, 1 failed\n"),
            "{}: {run}",
            server.name
        );
        assert!(run.stderr.contains(&format!("error: {}: ", urls[1])), "{run}");
        let run =
            host.fails(&format!("upgrade --all {}", secret(&urls[2]).replace("/test_", "/gone_")));
        assert!(!run.to_string().contains("s3cr"), "{run}");
        conn.query_drop("ALTER TABLE user DROP slug").unwrap();
        let run = host.ok(&format!("{all} --format json"));
        let document = run.json();
        assert_eq!(
            (&document["unchanged"], &document["upgraded"]),
            (&2.into(), &1.into()),
            "{run}"
        );
        let slugs: Vec<String> = conn.query("SELECT slug FROM user").unwrap();
        assert_eq!(slugs, ["ada"]);

        // A reset asks first, and empties everything in the database.
        conn.query_drop("CREATE VIEW names AS SELECT name FROM user").unwrap();
        conn.query_drop("CREATE TABLE child (id bigint, FOREIGN KEY (id) REFERENCES user (id))")
            .unwrap();
        let run = host.fails(&format!("reset --url {}", urls[1]));
        let asked = run.errors().replace(&urls[1], "URL");
        assert!(
            asked.contains("would be emptied\n  hint: --yes empties it without asking"),
            "{asked}"
        );
        host.ok(&format!("reset --yes --url {}", urls[1]));
        let rows: Vec<i64> = conn.query("SELECT count(*) FROM user").unwrap();
        assert_eq!(rows, [0]);
        let tables: Vec<String> = conn.query("SHOW TABLES").unwrap();
        assert_eq!(tables, ["dbmigrate_step", "dbmigrate_version", "user"]);
    }
}
