//! `inspect`: the models of an existing database build the same database again.

mod asked;
mod crates;
mod enumerations;
mod left_out;
mod update;

use dbmigrate_tests::servers::{self, client, mysql_client};
use dbmigrate_tests::{Host, sql};
use expect_test::expect;
use postgres::SimpleQueryMessage;

/// Writes the models of a database into a package, builds an empty database from them, and compares
/// both with the tool. Returns the models.
fn rebuilt(host: &mut Host, dialect: &str, url: &str, empty: &str) -> String {
    std::fs::remove_file(host.dir.join("src/lib.rs")).unwrap();
    host.ok(&format!("inspect --url {url} --out {}", host.dir.join("src/lib.rs").display()));
    let models = host.read("src/lib.rs");
    let mut rustfmt = host.command("rustfmt");
    rustfmt.args(["--check", "--edition", "2021", "--config", "max_width=100", "src/lib.rs"]);
    let run = dbmigrate_tests::Run::of(&mut rustfmt);
    assert!(run.code == 0, "{run}");
    host.ok(&format!("init --dialect {dialect}"));
    let run = host.ok(&format!("migrate -m existing --url {empty}"));
    // What the rules of `lint` find is in other words.
    assert!(!run.stderr.contains("warning: "), "{run}\n{models}");
    host.ok(&format!("upgrade --url {empty}"));
    host.ok(&format!("check --url {empty}"));
    let run = host.ok(&format!("diff database models --url {url}"));
    assert_eq!(run.stdout, "No differences.\n", "{models}");
    host.ok(&format!("stamp --verify head --url {url}"));
    host.ok(&format!("check --url {url}"));
    models
}

const SQLITE: &str = "
    CREATE TABLE users (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        email VARCHAR(100) NOT NULL UNIQUE,
        \"type\" TEXT NOT NULL DEFAULT 'plain'
            CHECK (\"type\" IN ('plain', 'admin', 'super user')),
        createdAt DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
        active BOOLEAN NOT NULL DEFAULT 1,
        balance DECIMAL(10,2) DEFAULT 0,
        bio TEXT COLLATE NOCASE,
        avatar BLOB,
        score REAL NOT NULL DEFAULT 1.5,
        age INT CHECK (age > 0),
        \"odd name\" TEXT,
        born DATE,
        verified bool NOT NULL DEFAULT false,
        seen DateTime,
        left_at TIMESTAMP,
        any
    );
    CREATE TABLE blog_posts (
        id INTEGER PRIMARY KEY,
        author_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        parent_id INTEGER REFERENCES blog_posts,
        title TEXT NOT NULL DEFAULT ('a' || 'b'),
        slug TEXT GENERATED ALWAYS AS (lower(title)) VIRTUAL,
        CONSTRAINT short_title CHECK (length(title) < 100),
        UNIQUE (author_id, title)
    );
    CREATE INDEX by_title ON blog_posts (title COLLATE NOCASE DESC) WHERE title <> '';
    CREATE UNIQUE INDEX by_slug ON blog_posts (lower(slug));
    CREATE INDEX ix_blog_posts_parent_id ON blog_posts (parent_id);
    CREATE TABLE tags (name TEXT PRIMARY KEY, weight INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE post_tags (
        post_id INTEGER NOT NULL REFERENCES blog_posts(id),
        tag TEXT NOT NULL REFERENCES tags(name),
        PRIMARY KEY (post_id, tag)
    ) STRICT;
    CREATE TABLE keyless (a INTEGER, c NVARCHAR(10), d DOUBLE PRECISION, e BIGINT, f UUID);
    CREATE VIEW everyone AS SELECT * FROM users;
    CREATE TRIGGER late AFTER INSERT ON users BEGIN SELECT 1; END;
    CREATE VIRTUAL TABLE search USING fts5(body);";

#[test]
fn models_of_an_sqlite_file_build_it_again() {
    let mut host = Host::library("inspect-sqlite", "");
    sql(&host.dir.join("app.db"), SQLITE);
    let models = rebuilt(&mut host, "sqlite", "sqlite:app.db", "sqlite:empty.db");
    expect![[r#"
        // These parts of the database are not in the models:
        //   view `everyone`
        //   trigger `late`
        //   virtual table `search`

        use dbmigrate_runtime::{ColumnType, Model};

        #[derive(Model)]
        #[model(
            table = "blog_posts",
            unique(author_id, title),
            index(
                name = "by_title",
                columns(title collate "NOCASE" desc),
                where = "title <> ''"
            ),
            index(name = "by_slug", columns(sql("lower(slug)")), unique),
            check(name = "short_title", expr = "length(title) < 100")
        )]
        pub struct BlogPost {
            #[model(primary_key)]
            pub id: i64,
            #[model(references = User, on_delete = cascade)]
            pub author_id: i64,
            #[model(index, references = BlogPost)]
            pub parent_id: Option<i64>,
            #[model(default = sql("'a' || 'b'"))]
            pub title: String,
            #[model(generated("lower(title)", virtual))]
            pub slug: Option<String>,
        }

        #[derive(Model)]
        #[model(no_primary_key)]
        pub struct Keyless {
            pub a: Option<i64>,
            #[model(type = raw("NVARCHAR(10)"))]
            pub c: Option<String>,
            #[model(type = raw("DOUBLE PRECISION"))]
            pub d: Option<f64>,
            #[model(type = raw("BIGINT"))]
            pub e: Option<i64>,
            #[model(type = raw("UUID"))]
            pub f: Option<String>,
        }

        #[derive(Model)]
        #[model(table = "post_tags", primary_key(post_id, tag), strict)]
        pub struct PostTag {
            #[model(references = BlogPost)]
            pub post_id: i64,
            #[model(references = Tag)]
            pub tag: String,
        }

        #[derive(Model)]
        #[model(table = "tags", without_rowid)]
        pub struct Tag {
            #[model(primary_key)]
            pub name: String,
            pub weight: i64,
        }

        #[derive(ColumnType)]
        pub enum UserType {
            Plain,
            Admin,
            #[column_type(rename = "super user")]
            SuperUser,
        }

        #[derive(Model)]
        #[model(table = "users", check("age > 0"))]
        pub struct User {
            #[model(primary_key, autoincrement)]
            pub id: i64,
            #[model(unique, length = 100)]
            pub email: String,
            #[model(default = "plain")]
            pub r#type: UserType,
            #[model(column = "createdAt", default = now)]
            pub created_at: chrono::NaiveDateTime,
            #[model(default = true)]
            pub active: bool,
            #[model(type = Decimal(10, 2), default = 0)]
            pub balance: Option<String>,
            #[model(collate = "NOCASE")]
            pub bio: Option<String>,
            pub avatar: Option<Vec<u8>>,
            #[model(default = 1.5)]
            pub score: f64,
            #[model(type = raw("INT"))]
            pub age: Option<i64>,
            #[model(column = "odd name")]
            pub odd_name: Option<String>,
            pub born: Option<chrono::NaiveDate>,
            #[model(type = raw("bool"), default = false)]
            pub verified: bool,
            pub seen: Option<chrono::NaiveDateTime>,
            #[model(type = raw("TIMESTAMP"))]
            pub left_at: Option<chrono::DateTime<chrono::Utc>>,
            #[model(type = raw(""))]
            pub any: Option<String>,
        }
    "#]]
    .assert_eq(&models);
}

const POSTGRES: &str = r#"
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy');
    CREATE DOMAIN positive AS int CHECK (value > 0);
    CREATE TABLE accounts (
        id serial PRIMARY KEY,
        uid uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
        name varchar(100) NOT NULL DEFAULT 'x',
        code char(5),
        feeling mood NOT NULL DEFAULT 'ok',
        feelings mood[],
        state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'done')),
        phase varchar(20) CONSTRAINT known_phase CHECK (phase IN ('one', 'Two')),
        level text NOT NULL CONSTRAINT ck_accounts_level_values CHECK (level IN ('low', 'high')),
        amount numeric(12,2) NOT NULL DEFAULT 0,
        price numeric,
        small smallint, big bigint, r real, d double precision DEFAULT 1.5,
        born date, at time, made timestamp NOT NULL DEFAULT now(),
        seen timestamptz DEFAULT CURRENT_TIMESTAMP,
        doc jsonb DEFAULT '{}', doc2 json, data bytea, tags text[] NOT NULL DEFAULT '{}',
        codes varchar(10)[], nums int[],
        span tsrange, ip inet, pos positive, iv interval,
        flag boolean NOT NULL DEFAULT false,
        full_name text GENERATED ALWAYS AS (name || '!') STORED,
        CONSTRAINT positive CHECK (amount >= 0),
        EXCLUDE USING gist (span WITH &&)
    );
    COMMENT ON TABLE accounts IS 'People who pay';
    COMMENT ON COLUMN accounts.name IS E'What we call them\n(second line)';
    CREATE INDEX by_name ON accounts (lower(name) text_pattern_ops, name DESC NULLS LAST)
        INCLUDE (flag) WHERE flag;
    CREATE INDEX ON accounts USING gin (doc);
    CREATE UNIQUE INDEX one_name ON accounts (name) WITH (fillfactor=70);
    CREATE TABLE "Order Items" (
        "orderId" bigint GENERATED ALWAYS AS IDENTITY,
        account_id integer NOT NULL REFERENCES accounts ON DELETE CASCADE ON UPDATE RESTRICT
            DEFERRABLE INITIALLY DEFERRED,
        other bigint REFERENCES accounts(id),
        "type" text COLLATE "C",
        PRIMARY KEY ("orderId", account_id),
        UNIQUE ("type", account_id) DEFERRABLE
    );
    CREATE UNLOGGED TABLE cache (k text PRIMARY KEY, v text) WITH (fillfactor=50);
    CREATE VIEW everything AS SELECT * FROM cache;
    CREATE SEQUENCE numbers;
    CREATE TABLE a (id bigint PRIMARY KEY, b_id bigint);
    CREATE TABLE b (id bigint PRIMARY KEY, a_id bigint REFERENCES a);
    ALTER TABLE a ADD CONSTRAINT a_b FOREIGN KEY (b_id) REFERENCES b;"#;

/// The columns, constraints and indexes of all tables but this tool's own.
const POSTGRES_CATALOG: &str = "
    SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || ' ' || a.attnotnull || ' ' || a.attidentity::text || ' ' || a.attgenerated::text
        || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
        || ' ' || coalesce(col_description(c.oid, a.attnum), '')
        || ' ' || coalesce(c.reloptions::text, '') || c.relpersistence::text AS what
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0
        AND c.relname <> 'dbmigrate_version'
    UNION ALL
    SELECT conname || ' ON ' || conrelid::regclass || ': ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
        AND conname <> 'pk_dbmigrate_version'
    UNION ALL
    SELECT indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename <> 'dbmigrate_version'
    ORDER BY 1";

#[test]
fn models_of_a_postgresql_database_build_it_again() {
    for server in servers::postgres("models_of_a_postgresql_database_build_it_again") {
        let mut host = Host::library(&format!("inspect-{}", server.name), "");
        let (url, empty) = (server.database(), server.database());
        client(&url).batch_execute(POSTGRES).unwrap();
        // What no model says has to be there.
        let domain = "CREATE DOMAIN positive AS int CHECK (value > 0)";
        client(&empty).batch_execute(domain).unwrap();
        let models = rebuilt(&mut host, "postgres", &url, &empty);
        let catalog = |url: &str| -> Vec<String> {
            let found = client(url).simple_query(POSTGRES_CATALOG).unwrap();
            let rows = found.iter().filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            });
            rows.collect()
        };
        assert_eq!(catalog(&url), catalog(&empty));
        expect![[r#"
            // These parts of the database are not in the models:
            //   domain `positive`
            //   view `everything`
            //   sequence `numbers`

            use dbmigrate_runtime::{ColumnType, Model};

            #[derive(Model)]
            #[model(
                table = "Order Items",
                primary_key(name = "Order Items_pkey", columns("orderId", account_id)),
                unique(
                    name = "Order Items_type_account_id_key",
                    columns(type, account_id),
                    deferrable = "initially immediate"
                ),
                foreign_key(
                    name = "Order Items_account_id_fkey",
                    columns(account_id),
                    references = Account,
                    on_delete = cascade,
                    on_update = restrict,
                    deferrable = "initially deferred"
                ),
                foreign_key(name = "Order Items_other_fkey", columns(other), references = Account)
            )]
            pub struct OrderItem {
                #[model(column = "orderId", identity = always)]
                pub order_id: i64,
                pub account_id: i32,
                #[model(type = BigInteger)]
                pub other: Option<i32>,
                #[model(collate = "C")]
                pub r#type: Option<String>,
            }

            #[derive(Model)]
            #[model(
                primary_key(name = "a_pkey", columns(id)),
                foreign_key(name = "a_b", columns(b_id), references = B)
            )]
            pub struct A {
                #[model(autoincrement = false)]
                pub id: i64,
                pub b_id: Option<i64>,
            }

            #[derive(ColumnType)]
            pub enum Mood {
                Sad,
                Ok,
                #[column_type(rename = "very happy")]
                VeryHappy,
            }

            #[derive(ColumnType)]
            pub enum AccountState {
                New,
                Done,
            }

            #[derive(ColumnType)]
            pub enum AccountPhase {
                One,
                #[column_type(rename = "Two")]
                Two,
            }

            #[derive(ColumnType)]
            #[column_type(text)]
            pub enum AccountLevel {
                Low,
                High,
            }

            /// People who pay
            #[derive(Model)]
            #[model(
                table = "accounts",
                primary_key(name = "accounts_pkey", columns(id)),
                unique(name = "accounts_uid_key", columns(uid)),
                exclude(name = "accounts_span_excl", elements(span with "&&"), using = "gist"),
                index(name = "accounts_doc_idx", columns(doc), using = "gin"),
                index(
                    name = "by_name",
                    columns(sql("lower((name)::text)") opclass "text_pattern_ops", name desc nulls_last),
                    include(flag),
                    where = "flag"
                ),
                index(name = "one_name", columns(name), unique, with("fillfactor=70")),
                check(name = "accounts_state_check", expr = "state IN ('new', 'done')"),
                check(name = "known_phase", expr = "phase IN ('one', 'Two')"),
                check(name = "positive", expr = "amount >= (0)::numeric"),
                comment = "People who pay"
            )]
            pub struct Account {
                #[model(identity = serial)]
                pub id: i32,
                #[model(type = Uuid, default = sql("gen_random_uuid()"))]
                pub uid: Vec<u8>,
                /// What we call them
                /// (second line)
                #[model(
                    length = 100,
                    default = "x",
                    comment = "What we call them\n(second line)"
                )]
                pub name: String,
                #[model(type = raw("character(5)"))]
                pub code: Option<String>,
                #[model(default = "ok")]
                pub feeling: Mood,
                pub feelings: Option<Vec<Mood>>,
                #[model(type = Text, default = "new")]
                pub state: AccountState,
                #[model(type = String(20))]
                pub phase: Option<AccountPhase>,
                pub level: AccountLevel,
                #[model(type = Decimal(12, 2), default = 0)]
                pub amount: String,
                #[model(type = Numeric)]
                pub price: Option<String>,
                pub small: Option<i16>,
                pub big: Option<i64>,
                pub r: Option<f32>,
                #[model(default = 1.5)]
                pub d: Option<f64>,
                pub born: Option<chrono::NaiveDate>,
                pub at: Option<chrono::NaiveTime>,
                #[model(default = sql("now()"))]
                pub made: chrono::NaiveDateTime,
                #[model(default = now)]
                pub seen: Option<chrono::DateTime<chrono::Utc>>,
                #[model(type = Json, default = "{}")]
                pub doc: Option<String>,
                #[model(type = raw("json"))]
                pub doc2: Option<String>,
                pub data: Option<Vec<u8>>,
                #[model(default = "{}")]
                pub tags: Vec<String>,
                #[model(type = raw("varchar(10)[]"))]
                pub codes: Option<Vec<String>>,
                pub nums: Option<Vec<i32>>,
                #[model(type = raw("tsrange"))]
                pub span: Option<String>,
                #[model(type = raw("inet"))]
                pub ip: Option<String>,
                #[model(type = raw("positive"))]
                pub pos: Option<String>,
                #[model(type = raw("interval"))]
                pub iv: Option<String>,
                #[model(default = false)]
                pub flag: bool,
                #[model(generated("(name)::text || '!'::text", stored))]
                pub full_name: Option<String>,
            }

            #[derive(Model)]
            #[model(
                primary_key(name = "b_pkey", columns(id)),
                foreign_key(name = "b_a_id_fkey", columns(a_id), references = A)
            )]
            pub struct B {
                #[model(autoincrement = false)]
                pub id: i64,
                pub a_id: Option<i64>,
            }

            #[derive(Model)]
            #[model(
                primary_key(name = "cache_pkey", columns(k)),
                postgres(unlogged, with("fillfactor=50"))
            )]
            pub struct Cache {
                pub k: String,
                pub v: Option<String>,
            }
        "#]].assert_eq(&models);
    }
}

const MYSQL: &str = "
    CREATE TABLE users (
        id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
        email varchar(190) NOT NULL,
        state enum('new','done','x y') NOT NULL DEFAULT 'new',
        phase varchar(20) NOT NULL DEFAULT 'one' CHECK (phase IN ('one', 'Two')),
        shape text, CONSTRAINT known_shape CHECK (shape IN ('round', 'it''s')),
        flag tinyint(1) NOT NULL DEFAULT 0,
        tiny tinyint, small smallint unsigned, med mediumint, big bigint DEFAULT -5,
        ubig bigint unsigned, amount decimal(12,2) NOT NULL DEFAULT 0.00, f float, d double,
        code char(5), note text, longnote longtext, bin varbinary(20), blobby blob, lb longblob,
        born date, at time, made datetime NOT NULL DEFAULT CURRENT_TIMESTAMP, made6 datetime(6),
        doc json, y year, st set('a','b'),
        full_name varchar(200) GENERATED ALWAYS AS (concat(email,'!')) STORED,
        UNIQUE KEY uq_users_email (email),
        KEY by_made (made, born DESC),
        CONSTRAINT positive CHECK (amount >= 0)
    ) ENGINE=InnoDB COMMENT='People';
    CREATE TABLE posts (
        id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
        user_id int unsigned NOT NULL,
        title varchar(100) COLLATE utf8mb4_bin NOT NULL COMMENT 'What''s up',
        body mediumtext,
        KEY k_user (user_id),
        CONSTRAINT posts_ibfk_1 FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
    );
    CREATE TABLE tickets (
        id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
        level varchar(255) NOT NULL,
        CONSTRAINT ck_tickets_level_values CHECK (level IN ('low', 'high'))
    ) COLLATE {exact};
    CREATE VIEW everything AS SELECT 1 AS a";

#[test]
fn models_of_a_mysql_database_build_it_again() {
    use dbmigrate_runtime::mysql::prelude::Queryable as _;
    for server in servers::mysql_in_turn("models_of_a_mysql_database_build_it_again") {
        let mut host = Host::library(&format!("inspect-{}", server.name), "");
        let (url, empty) = (server.database(), server.database());
        let dialect = server.dialect();
        // The one that this tool gives to its tables.
        let exact = if dialect == "mariadb" { "utf8mb4_nopad_bin" } else { "utf8mb4_0900_bin" };
        let text = MYSQL.replace("{exact}", exact);
        let statements = text.split(';');
        statements.for_each(|statement| mysql_client(&url).query_drop(statement).unwrap());
        let models = rebuilt(&mut host, dialect, &url, &empty);
        for part in [
            "#[model(table = \"users\",",
            "pub id: u32,",
            "pub state: UserState,",
            "pub user_id: u32,",
            // What checks list: as a text with its own check, and as an enumeration of this tool.
            "    #[model(type = String(20), default = \"one\")]\n    pub phase: UserPhase,",
            "    #[model(type = raw(\"text\"))]\n    pub shape: Option<UserShape>,",
            "    #[column_type(rename = \"it's\")]\n",
            "name = \"known_shape\"",
            "\n#[derive(ColumnType)]\n#[column_type(text)]\npub enum TicketLevel {",
            "    pub level: TicketLevel,",
            "    /// What's up\n",
            "//   view `everything`\n",
        ] {
            let found = models.replace("#[model(\n    table", "#[model(table");
            assert!(found.contains(part), "{part}: {models}");
        }
    }
}

#[test]
fn checks_in_the_definitions_of_columns_can_be_dropped() {
    use dbmigrate_runtime::mysql::prelude::Queryable as _;
    let test = "checks_in_the_definitions_of_columns_can_be_dropped";
    let servers = servers::mysql(test);
    for server in servers.iter().filter(|server| server.name.starts_with("mariadb")) {
        let mut host = Host::library(&format!("inspect-checks-{}", server.name), "");
        let (url, empty) = (server.database(), server.database());
        let table = "CREATE TABLE t (id bigint NOT NULL PRIMARY KEY, a int COMMENT 'A' CHECK (a > 0), \
                     b varchar(5) DEFAULT 'x' CHECK (b <> ''), c int CHECK (c > a))";
        mysql_client(&url).query_drop(table).unwrap();
        let models = rebuilt(&mut host, server.dialect(), &url, &empty);
        // One goes, and one stays while its column changes.
        let changed = models
            .replace(r#"check("\"a\" > 0"), "#, "")
            .replace(r#"check("\"a\" > 0"),"#, "")
            .replace("length = 5", "length = 7");
        host.write("src/lib.rs", &changed);
        host.ok(&format!("migrate -m next --url {url}"));
        for url in [&url, &empty] {
            host.ok(&format!("upgrade --url {url}"));
            host.ok(&format!("check --url {url}"));
        }
        let create: Option<(String, String)> =
            mysql_client(&url).query_first("SHOW CREATE TABLE t").unwrap();
        let create = create.unwrap().1;
        for part in [
            "`a` int(11) DEFAULT NULL COMMENT 'A',",
            "`b` varchar(7) DEFAULT 'x' CHECK (`b` <> ''),",
            "`c` int(11) DEFAULT NULL CHECK (`c` > `a`),",
        ] {
            assert!(create.contains(part), "{part}: {create}");
        }
        host.ok(&format!("downgrade --url {url}"));
        host.ok(&format!("check --no-database --url {url}"));
    }
}
