//! What no model says, and names that are no names in Rust.

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::servers::{self, client, mysql_client};
use dbmigrate_tests::{Host, sql};
use expect_test::expect;

#[test]
fn what_no_model_says_is_listed() {
    let host = Host::library("inspect-odd", "");
    let odd = r#"
        CREATE TABLE "2fast" (a INTEGER, b INTEGER, c TEXT UNIQUE, PRIMARY KEY (b, a));
        CREATE TABLE "Option" (id BIGINT PRIMARY KEY, "select" TEXT);
        CREATE TABLE user (id INTEGER PRIMARY KEY);
        CREATE TABLE users (
            id INTEGER PRIMARY KEY, "a b" TEXT, a_b TEXT, "self" INT, "fn" TEXT, "Größe" REAL,
            "x""y\z" TEXT DEFAULT 'it''s "q"
', n INTEGER DEFAULT -5, f REAL DEFAULT -1.5e10,
            h BLOB DEFAULT X'00ff', nil TEXT DEFAULT NULL, b BOOLEAN DEFAULT FALSE,
            made TEXT DEFAULT (datetime('now'))
        );
        CREATE TABLE refs (
            id INTEGER PRIMARY KEY, x INTEGER, y INTEGER, big INT REFERENCES "Option"(id),
            c TEXT REFERENCES "2fast"(c) ON UPDATE SET NULL,
            gone_id INTEGER REFERENCES gone(id),
            FOREIGN KEY (y, x) REFERENCES "2fast" (b, a) ON DELETE SET DEFAULT
        );
        CREATE TABLE checked (
            id INTEGER PRIMARY KEY ON CONFLICT REPLACE, u TEXT UNIQUE ON CONFLICT IGNORE,
            level INTEGER CHECK (level IN (1,2,3)), c TEXT CHECK (c <> 'a'),
            e TEXT NOT NULL CHECK (e IN ('X-1','x 1','X_1')), f TEXT CHECK (f IN ('a', ''))
        );"#;
    sql(&host.dir.join("app.db"), odd);
    let out = host.dir.join("src/lib.rs");
    std::fs::remove_file(&out).unwrap();
    host.ok(&format!("inspect --url sqlite:app.db --out {}", out.display()));
    expect![[r#"
        // These parts of the database are not in the models:
        //   foreign key on `gone_id` of table `refs`: there is no model of `gone`
        //   primary key of table `checked` has ON CONFLICT REPLACE
        //   unique constraint on `u` of table `checked` has ON CONFLICT IGNORE
        //   column `2fast.a` may be NULL, although it is in the primary key
        //   column `2fast.b` may be NULL, although it is in the primary key
        //   column `Option.id` may be NULL, although it is in the primary key

        use dbmigrate_runtime::{ColumnType, Model};

        #[derive(Model)]
        #[model(table = "2fast", primary_key(b, a))]
        pub struct T2fast {
            pub a: i64,
            pub b: i64,
            #[model(unique)]
            pub c: Option<String>,
        }

        #[derive(Model)]
        #[model(table = "Option")]
        pub struct Option_ {
            #[model(primary_key, type = raw("BIGINT"))]
            pub id: i64,
            pub select: Option<String>,
        }

        #[derive(ColumnType)]
        pub enum CheckedE {
            #[column_type(rename = "X-1")]
            X1,
            #[column_type(rename = "x 1")]
            X12,
            #[column_type(rename = "X_1")]
            X13,
        }

        #[derive(Model)]
        #[model(check("level IN (1,2,3)"), check("c <> 'a'"), check("f IN ('a', '')"))]
        pub struct Checked {
            #[model(primary_key)]
            pub id: i64,
            #[model(unique)]
            pub u: Option<String>,
            pub level: Option<i64>,
            pub c: Option<String>,
            pub e: CheckedE,
            pub f: Option<String>,
        }

        #[derive(Model)]
        #[model(
            table = "refs",
            foreign_key(columns(y, x), references = T2fast, on_delete = set_default)
        )]
        pub struct Ref {
            #[model(primary_key)]
            pub id: i64,
            pub x: Option<i64>,
            pub y: Option<i64>,
            #[model(references = Option_, type = raw("INT"))]
            pub big: Option<i64>,
            #[model(references = T2fast::c, on_update = set_null)]
            pub c: Option<String>,
            pub gone_id: Option<i64>,
        }

        #[derive(Model)]
        pub struct User {
            #[model(primary_key)]
            pub id: i64,
        }

        #[derive(Model)]
        #[model(table = "users")]
        pub struct User2 {
            #[model(primary_key)]
            pub id: i64,
            #[model(column = "a b")]
            pub a_b: Option<String>,
            #[model(column = "a_b")]
            pub a_b2: Option<String>,
            #[model(column = "self", type = raw("INT"))]
            pub self_: Option<i64>,
            pub r#fn: Option<String>,
            #[model(column = "Größe")]
            pub größe: Option<f64>,
            #[model(column = "x\"y\\z", default = "it's \"q\"\n")]
            pub x_y_z: Option<String>,
            #[model(default = -5)]
            pub n: Option<i64>,
            #[model(default = -15000000000.0)]
            pub f: Option<f64>,
            #[model(default = sql("X'00ff'"))]
            pub h: Option<Vec<u8>>,
            #[model(default = sql("NULL"))]
            pub nil: Option<String>,
            #[model(default = false)]
            pub b: Option<bool>,
            #[model(default = sql("CURRENT_TIMESTAMP"))]
            pub made: Option<String>,
        }
    "#]]
    .assert_eq(&host.read("src/lib.rs"));
    let run = host.cargo("check");
    assert!(run.code == 0 && !run.stderr.contains("warning"), "{run}");
    host.ok("init");
    let run = host.ok("diff database models --url sqlite:app.db");
    expect![[r#"
        changed column `2fast.a`: to NOT NULL
        changed column `2fast.b`: to NOT NULL
        changed column `Option.id`: to NOT NULL
        removed foreign key `fk_refs_gone_id_gone` on `refs`
        primary key of table `checked` has ON CONFLICT REPLACE, which a revision can't express
        unique constraint on `u` of table `checked` has ON CONFLICT IGNORE, which a revision can't express
    "#]].assert_eq(&run.stdout);
}

#[test]
fn what_no_model_says_of_a_server_is_listed() {
    let Some(server) = servers::postgres("what_no_model_says_of_a_server_is_listed").pop() else {
        return;
    };
    let host = Host::library("inspect-unsaid", "");
    let url = server.database();
    let tables = r#"
        CREATE TABLE numbered (id serial PRIMARY KEY, n serial);
        CREATE TABLE bare ();
        CREATE TABLE late (c circle, EXCLUDE USING gist (c WITH &&) DEFERRABLE, d bigint PRIMARY KEY DEFERRABLE);
        CREATE TABLE measured (id bigint, at date, v integer, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE measured_2024 PARTITION OF measured FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE TABLE measured_rest PARTITION OF measured DEFAULT PARTITION BY HASH (id);
        CREATE TABLE measured_rest_0 PARTITION OF measured_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE animals (id bigint PRIMARY KEY, name text NOT NULL CHECK (name <> ''));
        CREATE TABLE cats (lives integer DEFAULT 9) INHERITS (animals);
        CREATE SEQUENCE custom START 1000 INCREMENT 5 MINVALUE 10 MAXVALUE 5000 CYCLE CACHE 7;
        CREATE TABLE sequenced (id bigint PRIMARY KEY DEFAULT nextval('custom'));
        CREATE TABLE steps (
            id bigint GENERATED BY DEFAULT AS IDENTITY (START 100 INCREMENT 10) PRIMARY KEY,
            n integer GENERATED ALWAYS AS IDENTITY (MINVALUE 0 START 0)
        );
        CREATE TABLE secured (id bigint PRIMARY KEY, owner text);
        ALTER TABLE secured ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY own_rows ON secured USING (owner = current_user);
        CREATE RULE keep AS ON DELETE TO secured DO INSTEAD NOTHING;
        CREATE TABLE tuned (id bigint PRIMARY KEY, a text, b integer, c bytea)
            WITH (toast.autovacuum_enabled = off);
        ALTER TABLE tuned ALTER a SET STORAGE EXTERNAL, ALTER b SET STATISTICS 500,
            ALTER c SET (n_distinct = 5);
        CREATE INDEX by_b ON tuned (b);
        ALTER TABLE tuned CLUSTER ON by_b, REPLICA IDENTITY FULL;
        COMMENT ON INDEX by_b IS 'For reports';
        CREATE TABLE loose (id bigint PRIMARY KEY, a integer, b bigint);
        ALTER TABLE loose ADD CONSTRAINT is_positive CHECK (a > 0) NOT VALID;
        ALTER TABLE loose ADD CONSTRAINT to_itself FOREIGN KEY (b) REFERENCES loose NOT VALID;
        ALTER TABLE loose ADD CONSTRAINT is_small CHECK (a < 100) NO INHERIT;
        COMMENT ON CONSTRAINT is_small ON loose IS 'Why';
        CREATE TABLE pairs (a integer, b integer, PRIMARY KEY (a, b) INCLUDE (a));
        CREATE TABLE full_matches (a integer, b integer, FOREIGN KEY (a, b) REFERENCES pairs MATCH FULL);
        CREATE TYPE point2 AS (x integer, y integer);
        CREATE TABLE of_type OF point2;
        CREATE MATERIALIZED VIEW all_cats AS SELECT name FROM cats;
        CREATE SCHEMA shop;
        CREATE TYPE shop.state AS ENUM ('a', 'b');
        CREATE TABLE shop.orders (id bigint PRIMARY KEY, state shop.state);
        CREATE TABLE shop.users (id bigint PRIMARY KEY);
        CREATE SCHEMA "Other one";
        CREATE TABLE "Other one".users (id bigint PRIMARY KEY);
        CREATE TABLE buyers (id bigint PRIMARY KEY, user_id bigint REFERENCES shop.users, state shop.state);
        CREATE TABLE blank (id bigint PRIMARY KEY);
        COMMENT ON TABLE blank IS ' ';
        COMMENT ON COLUMN blank.id IS E'\n';"#;
    client(&url).batch_execute(tables).unwrap();
    let run = host.ok(&format!("inspect --url {url}"));
    expect![[r#"
        warning: the models leave out:
          foreign key on `user_id` of table `buyers`: there is no model of `shop.users`
          table `measured` is partitioned by RANGE (at)
          table `cats` inherits from animals
          table `secured` has row level security
          table `secured` forces row level security
          table `tuned` has REPLICA IDENTITY FULL
          table `of_type` is of the type point2
          column `steps.id` takes its values from a sequence with START 100, INCREMENT 10
          column `steps.n` takes its values from a sequence with START 0, MINVALUE 0
          table `late` has the exclusion constraint `late_c_excl`: EXCLUDE USING gist (c WITH &&) DEFERRABLE
          primary key `late_pkey` of table `late` is DEFERRABLE
          check `is_positive` of table `loose` is NOT VALID, so existing rows may violate the condition
          check `is_small` of table `loose` is NO INHERIT
          foreign key `to_itself` of table `loose` is NOT VALID, so existing rows may violate the condition
          primary key `pairs_pkey` of table `pairs` includes `a`
          foreign key `full_matches_a_b_fkey` of table `full_matches` is MATCH FULL
          column `numbered.n` takes its values from a sequence
          column `sequenced.id` takes its values from a sequence
          table `bare` has no columns
          table `blank` has a comment of white space alone
          column `blank.id` has a comment of white space alone
          sequence `custom`
          policy `own_rows`
          rule `keep`
          composite type `point2`
          materialized view `all_cats`
          column `buyers.state` has a type of the schema `shop`: `state`
          constraint `is_small` of table `loose` has a comment: Why
          table `measured` has the partition `measured_2024` FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
          table `measured` has the partition `measured_rest` DEFAULT
          table `measured_rest` has the partition `measured_rest_0` FOR VALUES WITH (modulus 2, remainder 0)
          column `tuned.a` has STORAGE EXTERNAL
          column `tuned.b` has STATISTICS 500
          column `tuned.c` has the options `n_distinct=5`
          index `by_b` of table `tuned` has a comment: For reports
          table `tuned` has the options `toast.autovacuum_enabled=off`
          table `tuned` is clustered on `by_b`
          schema `Other one` with 1 table, which needs `--tables "Other one.*"`
          schema `shop` with 2 tables, which needs `--tables "shop.*"`
    "#]].assert_eq(&run.errors());
}

/// What makes no difference to a table, and that MariaDB writes down all the same.
#[test]
fn what_mariadb_only_writes_down_is_listed() {
    let test = "what_mariadb_only_writes_down_is_listed";
    let mut servers = servers::mysql(test).into_iter();
    let Some(server) = servers.find(|server| server.dialect() == "mariadb") else { return };
    let host = Host::library("inspect-written-down", "");
    let url = server.database();
    let table = "CREATE TABLE odd (
        id int(5) NOT NULL AUTO_INCREMENT PRIMARY KEY, a tinyint(1) unsigned, b tinyint(1),
        c varchar(100), d text, e int(7) zerofill, f bigint(20),
        KEY by_a (a) USING HASH, UNIQUE KEY by_c (c) USING HASH, UNIQUE KEY by_d (d),
        KEY by_b (b) USING BTREE
    )";
    mysql_client(&url).query_drop(table).unwrap();
    let run = host.ok(&format!("inspect --url {url}"));
    expect![[r#"
        warning: the models leave out:
          index `by_b` of table `odd`, which has `USING BTREE`
          column `odd.id` is shown in a width of 5, as `int(5)`
          column `odd.a` is shown in a width of 1, as `tinyint(1) unsigned`
          index `by_c` of table `odd` is declared `USING HASH`
          index `by_a` of table `odd` is declared `USING HASH`
    "#]]
    .assert_eq(&run.errors());
}

/// Both kinds of servers have partitions, comments of indexes, events, and indexes and places that
/// only they understand. Where a counter stands is no part of a schema.
#[test]
fn what_no_model_says_of_mysql_is_listed() {
    let both = "CREATE TABLE measured (id bigint NOT NULL, at date NOT NULL, PRIMARY KEY (id, at))
            PARTITION BY RANGE (year(at)) (
                PARTITION earlier VALUES LESS THAN (2024), PARTITION later VALUES LESS THAN MAXVALUE
            );
        CREATE TABLE indexed (
            id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, a int, b int, KEY by_b (b) {hidden},
            KEY by_a (a) COMMENT 'For reports', place point {system} NOT NULL
        ) AUTO_INCREMENT = 1000;
        CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM indexed";
    let mut servers = servers::mysql("what_no_model_says_of_mysql_is_listed");
    servers.reverse();
    servers.dedup_by_key(|server| server.dialect());
    for server in servers {
        let host = Host::library(&format!("inspect-unsaid-{}", server.name), "");
        let url = server.database();
        let is_mariadb = server.dialect() == "mariadb";
        let (hidden, system, own) = if is_mariadb {
            let own = "CREATE TABLE kept (id bigint PRIMARY KEY, a int) WITH SYSTEM VERSIONING";
            ("IGNORED", "REF_SYSTEM_ID=4326", own)
        } else {
            ("INVISIBLE", "SRID 4326", "SELECT 1")
        };
        let text = both.replace("{hidden}", hidden).replace("{system}", system);
        for statement in text.split(';').chain([own]) {
            mysql_client(&url).query_drop(statement).unwrap();
        }
        let run = host.ok(&format!("inspect --url {url}"));
        if is_mariadb {
            expect![[r#"
                warning: the models leave out:
                  index `by_b` of table `indexed`, which has `IGNORED`
                  index `by_a` of table `indexed`, which has `COMMENT 'For reports'`
                  table `measured` has `PARTITION BY RANGE ( year ( "at" ) ) ( PARTITION "earlier" VALUES LESS THAN ( 2024 ) ENGINE = InnoDB , PARTITION "later" VALUES LESS THAN MAXVALUE ENGINE = InnoDB )`
                  table `kept` has `WITH SYSTEM VERSIONING`
                  event `nightly`
                  column `indexed.place` has REF_SYSTEM_ID=4326
            "#]].assert_eq(&run.errors());
        } else {
            expect![[r#"
                warning: the models leave out:
                  column `indexed.place` has `SRID 4326`
                  index `by_b` of table `indexed`, which has `INVISIBLE`
                  index `by_a` of table `indexed`, which has `COMMENT 'For reports'`
                  table `measured` has `PARTITION BY RANGE ( year ( "at" ) ) ( PARTITION earlier VALUES LESS THAN ( 2024 ) ENGINE = InnoDB , PARTITION later VALUES LESS THAN MAXVALUE ENGINE = InnoDB )`
                  event `nightly`
            "#]].assert_eq(&run.errors());
        }
    }
}
