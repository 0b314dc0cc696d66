//! A person's session with PostgreSQL, on each server that was started.

use std::io::Write as _;
use std::process::{Command, Stdio};

use dbmigrate_tests::Host;
use dbmigrate_tests::servers::{self, client, dump};
use expect_test::expect;

pub(crate) const FIRST: &str = r#"
use dbmigrate_runtime::{ColumnType, Model};

#[derive(ColumnType)]
pub enum Mood { Happy, Sad }

#[derive(Model)]
pub struct Author {
    #[model(primary_key)]
    pub id: i64,
    #[model(length = 100, unique)]
    pub name: String,
    #[model(type = Decimal(10, 2), default = 0)]
    pub balance: f64,
    pub mood: Option<Mood>,
    #[model(default = now)]
    pub created_at: chrono::NaiveDateTime,
}

#[derive(Model)]
#[model(index(author_id, title))]
pub struct Post {
    #[model(primary_key)]
    pub id: i64,
    #[model(references = Author, on_delete = cascade)]
    pub author_id: i64,
    pub title: String,
    #[model(check("views >= 0"), default = 0)]
    pub views: i32,
    pub is_public: bool,
}
"#;

pub(crate) const SECOND: &str = r#"
use dbmigrate_runtime::{ColumnType, Model};

#[derive(ColumnType)]
pub enum Mood { Happy, Calm, Sad }

#[derive(Model)]
pub struct Author {
    #[model(primary_key)]
    pub id: i64,
    #[model(length = 120, unique)]
    pub name: String,
    #[model(type = Decimal(12, 2), default = 0)]
    pub balance: f64,
    pub mood: Option<Mood>,
    #[model(default = now)]
    pub created_at: chrono::NaiveDateTime,
}

#[derive(Model)]
#[model(index(author_id, title))]
pub struct Post {
    #[model(primary_key)]
    pub id: i64,
    #[model(references = Author, on_delete = cascade)]
    pub author_id: i64,
    pub title: String,
    #[model(check("views >= 0"), default = 0)]
    pub views: i64,
    pub is_public: bool,
    #[model(unique)]
    pub slug: String,
}
"#;

/// Runs a script in psql as a person does, and returns whether it succeeded.
fn psql(url: &str, script: &str) -> bool {
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", url]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut psql = psql.spawn().expect("psql is installed with the server");
    let mut stdin = psql.stdin.take().expect("it is a pipe");
    // It ends at the first failure, and then reads no more.
    let _ = stdin.write_all(script.as_bytes());
    drop(stdin);
    psql.wait().expect("it ends").success()
}

#[test]
fn the_same_commands_work_on_postgresql() {
    for server in servers::postgres("the_same_commands_work_on_postgresql") {
        let mut host = Host::library("postgres", FIRST);
        host.ok("init --dialect postgres");
        let settings = host.read("migrations/dbmigrate.toml");
        assert!(settings.contains("dialects = [\"postgres\"]"), "{settings}");
        assert!(settings.contains("url = \"postgres://localhost/"), "{settings}");
        let url = server.database();
        host.env("DATABASE_URL", &url);
        host.ok("migrate -m first");
        let script = host.ok("upgrade --sql").stdout;
        let run = host.ok("upgrade");
        expect![[r#"
            Running upgrade <base> -> $ID1, first
        "#]]
        .assert_eq(&host.plain(&run.stdout));
        expect![[r#"
            $ID1 (head)
        "#]]
        .assert_eq(&host.plain(&host.ok("current").stdout));
        let first = dump(&mut client(&url));
        let other = server.database();
        assert!(psql(&other, &script), "{script}");
        assert_eq!(dump(&mut client(&other)), first, "{script}");
        host.ok("check");
        host.ok("upgrade");

        let rows = "INSERT INTO author (name, balance, mood, created_at)
                        VALUES ('ada', 1.5, 'sad', '2026-01-02 03:04:05');
                    INSERT INTO post (author_id, title, is_public) VALUES (1, 'a', true), (1, 'b', false)";
        client(&url).batch_execute(rows).expect("rows");
        let before = dump(&mut client(&url));
        host.write("src/lib.rs", SECOND);
        let run = host.ok("migrate -m second --fill \"post.slug='post-' || id\"");
        expect![[r#"
            Detected changed column `author.name`: type to string(120)
            Detected changed column `author.balance`: type to decimal(12, 2)
            Detected changed column `author.mood`: type to enum mood(happy, calm, sad)
            Detected added column `post.slug`
            Detected changed column `post.views`: type to big integer
            Detected added unique constraint `uq_post_slug` on `post`
            Generating migrations/versions/m$DAY_$TIME_$ID1_second.rs ... done
        "#]]
        .assert_eq(&host.plain(&run.stdout));
        client(&other).batch_execute(rows).expect("rows");
        let script = host.ok("upgrade --sql head-1:head").stdout;
        host.ok("upgrade");
        host.ok("check");
        let after = dump(&mut client(&url));
        assert!(psql(&other, &script), "{script}");
        assert_eq!(dump(&mut client(&other)), after, "{script}");
        host.ok("downgrade --allow-destructive");
        assert_eq!(dump(&mut client(&url)), before);
        host.ok("upgrade");
        assert_eq!(dump(&mut client(&url)), after);
        host.ok("stamp --verify head");

        client(&url).batch_execute("ALTER TABLE post ALTER COLUMN title TYPE varchar(9)").unwrap();
        let run = host.dbmigrate("check");
        assert_eq!(run.code, 1, "{run:?}");
        expect![[r#"
            Models and migrations agree.
            The database is at the head.
            The database differs from the migrations:
              column `post.title` has the type `varchar(9)`, but `text` in the migrations
        "#]]
        .assert_eq(&host.plain(&run.stdout));
        assert!(psql(&url, "SELECT 1"));
        assert!(!psql(&url, &script), "a script that doesn't begin where the database is");
    }
}

/// 3000 tables take more locks than a transaction can have.
#[test]
fn a_database_with_many_tables_is_reset_on_postgresql() {
    // Thousands of tables take their time.
    let servers = servers::postgres("a_database_with_many_tables_is_reset_on_postgresql");
    for server in servers.into_iter().take(1) {
        let mut host = Host::library("postgres_reset", FIRST);
        host.ok("init --dialect postgres");
        let url = server.database();
        host.env("DATABASE_URL", &url);
        host.ok("migrate -m first");
        host.ok("upgrade");
        let first = dump(&mut client(&url));
        for nth in 0..30 {
            let create = format!(
                "DO $$ BEGIN FOR i IN {nth} * 100 .. {nth} * 100 + 99 LOOP EXECUTE format(
                     'CREATE TABLE t%s (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                      name text UNIQUE)', i); END LOOP; END $$"
            );
            client(&url).batch_execute(&create).expect("tables");
        }
        client(&url)
            .batch_execute(
                "CREATE VIEW v AS SELECT * FROM t0; CREATE MATERIALIZED VIEW m AS SELECT * FROM v;
                 CREATE SEQUENCE s; CREATE TYPE \"odd \"\"type\" AS (a int);
                 CREATE DOMAIN d AS text CHECK (VALUE <> '');
                 CREATE TABLE whole (a d, b int) PARTITION BY LIST (b);
                 CREATE TABLE part PARTITION OF whole FOR VALUES IN (1);
                 ALTER TABLE t1 ADD FOREIGN KEY (id) REFERENCES t2; CREATE EXTENSION citext;
                 CREATE FUNCTION f(a d, VARIADIC b int[]) RETURNS int LANGUAGE SQL AS 'SELECT 1';
                 CREATE SCHEMA other; CREATE TABLE other.kept (a int)",
            )
            .expect("objects");
        // The locks of all of them don't fit into the server's memory, which other tests need.
        let count = "SELECT count(*) + 2 * count(nullif(reltoastrelid, 0))
                     > current_setting('max_locks_per_transaction')::int
                     * current_setting('max_connections')::int FROM pg_class
                     WHERE relnamespace = 'public'::regnamespace";
        let is_too_many: bool = client(&url).query_one(count, &[]).expect("a count").get(0);
        assert!(is_too_many);

        let run = host.dbmigrate("reset");
        assert_eq!(run.code, 3, "{run:?}");
        let shown = host.plain(&run.stderr).replace(&url, "$URL");
        expect![[r#"
            error: `$URL` with 3005 table(s) and all their rows would be emptied
              hint: --yes empties it without asking
        "#]]
        .assert_eq(&shown);
        let run = host.ok("reset --yes");
        let shown = host.plain(&run.stdout).replace(&url, "$URL");
        expect![[r#"
            Emptying $URL ... done
            Running upgrade <base> -> $ID1, first
        "#]]
        .assert_eq(&shown);
        assert_eq!(dump(&mut client(&url)), first);
        let left = "SELECT (SELECT count(*) FROM pg_proc WHERE proname = 'f')
            + (SELECT count(*) FROM pg_type WHERE typname IN ('d', 'odd \"type'))
            + (SELECT count(*) FROM pg_class WHERE relname IN ('s', 'v', 'm', 'part'))";
        assert_eq!(client(&url).query_one(left, &[]).unwrap().get::<_, i64>(0), 0);
        client(&url).batch_execute("SELECT a::citext FROM other.kept").expect("they stay");
    }
}
