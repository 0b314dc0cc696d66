//! `inspect`: the models of an existing database build the same database again.

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
    assert!(!run.stderr.contains("warning"), "{run}\n{models}");
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
                #[model(default = "new")]
                pub state: String,
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
    CREATE VIEW everything AS SELECT 1 AS a";

#[test]
fn models_of_a_mysql_database_build_it_again() {
    use dbmigrate_runtime::mysql::prelude::Queryable as _;
    for server in servers::mysql("models_of_a_mysql_database_build_it_again") {
        let mut host = Host::library(&format!("inspect-{}", server.name), "");
        let (url, empty) = (server.database(), server.database());
        let statements = MYSQL.split(';');
        statements.for_each(|statement| mysql_client(&url).query_drop(statement).unwrap());
        let dialect = server.dialect();
        let models = rebuilt(&mut host, dialect, &url, &empty);
        for part in [
            "#[model(table = \"users\",",
            "pub id: u32,",
            "pub state: UserState,",
            "pub user_id: u32,",
            "    /// What's up\n",
            "//   view `everything`\n",
        ] {
            let found = models.replace("#[model(\n    table", "#[model(table");
            assert!(found.contains(part), "{part}: {models}");
        }
    }
}

#[test]
fn only_what_was_asked_for_is_written() {
    let mut host = Host::library("inspect-asked", "");
    sql(&host.dir.join("app.db"), SQLITE);
    host.env("DATABASE_URL", &format!("sqlite:{}", host.dir.join("app.db").display()));
    let run = host.ok("inspect --tables tags --tables \"*_tags\" --keep-names");
    expect![[r#"
        // These parts of the database are not in the models:
        //   foreign key on `post_id` of table `post_tags`: there is no model of `blog_posts`

        use dbmigrate_runtime::Model;

        #[derive(Model)]
        #[model(primary_key(post_id, tag), strict)]
        pub struct PostTags {
            pub post_id: i64,
            #[model(references = Tags)]
            pub tag: String,
        }

        #[derive(Model)]
        #[model(without_rowid)]
        pub struct Tags {
            #[model(primary_key)]
            pub name: String,
            pub weight: i64,
        }
    "#]]
    .assert_eq(&run.stdout);
    expect![[r#"
        warning: the models leave out:
          foreign key on `post_id` of table `post_tags`: there is no model of `blog_posts`
    "#]]
    .assert_eq(&run.stderr);

    let out = host.dir.join("src/models.rs");
    let run = host.ok(&format!("inspect --split --out {}", out.display()));
    expect![[r#"
        Generating src/models.rs ... done
        Generating src/models/blog_post.rs ... done
        Generating src/models/keyless.rs ... done
        Generating src/models/post_tag.rs ... done
        Generating src/models/tag.rs ... done
        Generating src/models/user.rs ... done
    "#]]
    .assert_eq(&run.stdout.replace(&host.dir.display().to_string(), "$DIR"));
    expect![[r#"
        // These parts of the database are not in the models:
        //   view `everyone`
        //   trigger `late`
        //   virtual table `search`

        mod blog_post;
        mod keyless;
        mod post_tag;
        mod tag;
        mod user;

        pub use blog_post::*;
        pub use keyless::*;
        pub use post_tag::*;
        pub use tag::*;
        pub use user::*;
    "#]]
    .assert_eq(&host.read("src/models.rs"));
    expect![[r#"
        use dbmigrate_runtime::Model;

        use super::{BlogPost, Tag};

        #[derive(Model)]
        #[model(table = "post_tags", primary_key(post_id, tag), strict)]
        pub struct PostTag {
            #[model(references = BlogPost)]
            pub post_id: i64,
            #[model(references = Tag)]
            pub tag: String,
        }
    "#]]
    .assert_eq(&host.read("src/models/post_tag.rs"));
    host.write("src/lib.rs", "pub mod models;\n");
    let run = host.cargo("check");
    assert!(run.code == 0 && !run.stderr.contains("warning"), "{run}");

    // A file of a person stays as it is.
    let run = host.fails(&format!("inspect --out {}", out.display()));
    expect![[r#"
        error: `src/models.rs` exists already
          hint: give the name of a new file with --out
    "#]]
    .assert_eq(&host.plain(&run.stderr));
    let run = host.fails("inspect --tables \"shop_*\"");
    expect![[r#"
        error: no table of `sqlite:$HOST/app.db` becomes a model
          hint: `shop_*` matches none
    "#]]
    .assert_eq(&host.plain(&run.stderr).replace(&host.dir.display().to_string(), "$DIR"));
    let run = host.fails("inspect --tables \"[\"");
    expect![[r#"
        error: `--tables [` is not a pattern: Pattern syntax error near position 0: invalid range pattern
    "#]].assert_eq(&host.plain(&run.stderr));
    let run = host.fails("inspect --url sqlite:none.db");
    expect![[r#"
        error: the database `$HOST/none.db` does not exist
    "#]]
    .assert_eq(&host.plain(&run.stderr));
    let json = host.ok("inspect --tables tags --format json").json();
    assert_eq!(json["models"][0]["struct"], "Tag");
    assert_eq!(json["models"][0]["table"], "tags");
}

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
    let tables = "CREATE TABLE numbered (id serial PRIMARY KEY, n serial);
        CREATE TABLE bare ();
        CREATE TABLE late (c circle, EXCLUDE USING gist (c WITH &&) DEFERRABLE);";
    client(&url).batch_execute(tables).unwrap();
    let run = host.ok(&format!("inspect --url {url}"));
    expect![[r#"
        warning: the models leave out:
          table `late` has the exclusion constraint `late_c_excl`: EXCLUDE USING gist (c WITH &&) DEFERRABLE
          column `numbered.n` takes its values from a sequence
          table `bare` has no columns
    "#]].assert_eq(&run.errors());
}

#[test]
fn what_models_lack_is_a_patch() {
    let models = "//! Models.\nuse dbmigrate_runtime::Model;\n\n/// Somebody.\n#[derive(Model)]\n\
                  #[model(table = \"users\")]\npub struct Account {\n    #[model(primary_key)]\n    pub id: i64\n}\n\n\
                  pub mod inner {\n    #[derive(dbmigrate_runtime::Model)]\n    \
                  #[model(table = \"tags\")]\n    pub struct Tag {\n        \
                  #[model(primary_key)]\n        pub name: String,\n    }\n}\n\npub struct Other;\n";
    let mut host = Host::library("inspect-update", "pub mod models;\n");
    host.write("src/models.rs", models);
    host.env("DATABASE_URL", &format!("sqlite:{}", host.dir.join("app.db").display()));
    let table = "CREATE TABLE users (id INTEGER PRIMARY KEY); CREATE TABLE tags (name TEXT NOT NULL PRIMARY KEY);";
    sql(&host.dir.join("app.db"), table);
    let run = host.ok("inspect --update");
    assert_eq!(run.stdout, "");
    assert_eq!(run.errors(), "the models have every table and column of the database\n");
    sql(
        &host.dir.join("app.db"),
        "ALTER TABLE users ADD COLUMN mood TEXT NOT NULL DEFAULT 'ok' CHECK (mood IN ('ok', 'sad'));
         ALTER TABLE tags ADD COLUMN user_id INTEGER REFERENCES users (id);
         CREATE TABLE posts (id INTEGER PRIMARY KEY, \"type\" TEXT, author INTEGER REFERENCES users);",
    );
    let run = host.ok("inspect --update");
    expect![[r#"
        --- a/src/models.rs
        +++ b/src/models.rs
        @@ -6,7 +6,9 @@
         #[model(table = "users")]
         pub struct Account {
             #[model(primary_key)]
        -    pub id: i64
        +    pub id: i64,
        +    #[model(default = "ok")]
        +    pub mood: AccountMood,
         }
        (blank)
         pub mod inner {
        @@ -15,7 +17,25 @@
             pub struct Tag {
                 #[model(primary_key)]
                 pub name: String,
        +        #[model(references = crate::models::Account)]
        +        pub user_id: Option<i64>,
             }
         }
        (blank)
         pub struct Other;
        +
        +#[derive(Model)]
        +#[model(table = "posts")]
        +pub struct Post {
        +    #[model(primary_key)]
        +    pub id: i64,
        +    pub r#type: Option<String>,
        +    #[model(references = crate::models::Account)]
        +    pub author: Option<i64>,
        +}
        +
        +#[derive(dbmigrate_runtime::ColumnType)]
        +pub enum AccountMood {
        +    Ok,
        +    Sad,
        +}
        the patch adds table `posts`, column `tags.user_id`, column `users.mood`; `git apply` takes it, and `diff models database` then lists what else differs
    "#]].assert_eq(&format!("{}{}", run.stdout, run.errors()).replace("\n \n", "\n(blank)\n"));
    assert_eq!(host.read("src/models.rs"), models);
    host.write("models.patch", &run.stdout);
    let mut git = host.command("git");
    let run = dbmigrate_tests::Run::of(git.args(["apply", "models.patch"]));
    assert_eq!(run.code, 0, "{run}");
    let run = host.cargo("check");
    assert!(run.code == 0 && !run.stderr.contains("warning"), "{run}");
    assert_eq!(host.ok("inspect --update").stdout, "");
    host.ok("init");
    assert_eq!(host.ok("diff models database").stdout, "No differences.\n");

    // New models in a file of their own.
    host.write("src/models.rs", models);
    let run = host.ok("inspect --update --tables posts --out src/posts.rs");
    expect![[r#"
        --- /dev/null
        +++ b/src/posts.rs
        @@ -0,0 +1,9 @@
        +#[derive(dbmigrate_runtime::Model)]
        +#[model(table = "posts")]
        +pub struct Post {
        +    #[model(primary_key)]
        +    pub id: i64,
        +    pub r#type: Option<String>,
        +    #[model(references = crate::models::Account)]
        +    pub author: Option<i64>,
        +}
    "#]]
    .assert_eq(&run.stdout);
    // A struct without lines for fields is left to a person.
    host.replace(
        "src/models.rs",
        "pub struct Account {\n    #[model(primary_key)]\n    pub id: i64\n}",
        "pub struct Account { #[model(primary_key)] pub id: i64 }",
    );
    let run = host.ok("inspect --update --tables users");
    assert_eq!(run.stdout, "");
    expect![[r#"
        warning: `inspect_update::models::Account` at src/models.rs:7 can't be extended by a patch; add these fields by hand:
            #[model(default = "ok")]
            pub mood: AccountMood,
    "#]]
    .assert_eq(&run.errors());
}
