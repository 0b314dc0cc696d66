//! Migrations that would change more than the database on which they are tried.

use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_tests::Host;
use dbmigrate_tests::servers::{self, Server};

use super::remove_revisions;

/// Imports one migration, which has to fail; returns the first line of the error.
fn refused(host: &Host, shadow: &str, sql: &str) -> String {
    host.write("sql/1_a.sql", &format!("CREATE TABLE a (x int);\n{sql};\n"));
    let run = host.fails(&format!("import sqlx sql --shadow-url {shadow}"));
    assert_eq!(host.revisions(), Vec::<String>::new(), "{sql}");
    let line = run.stderr.lines().find(|line| line.starts_with("error: "));
    line.unwrap_or_default().to_owned()
}

fn host(server: &Server) -> Host {
    let host = Host::library(&format!("import-outside-{}", server.name), "");
    host.ok(&format!("init --dialect {}", server.dialect()));
    host
}

#[test]
fn other_databases_of_a_server_of_mysql_stay_as_they_are() {
    for server in servers::mysql_in_turn("other_databases_of_a_server_of_mysql_stay_as_they_are") {
        let host = host(&server);
        let (shadow, other) = (server.database(), server.database());
        let mut conn = servers::mysql_client(&other);
        conn.query_drop("CREATE TABLE kept (x int PRIMARY KEY)").unwrap();
        conn.query_drop("INSERT INTO kept VALUES (1)").unwrap();
        let before = servers::dump_mysql(&mut conn);
        let name = other.rsplit('/').next().unwrap();
        for sql in [
            "DROP TABLE IF EXISTS {}.kept",
            "/*!40000 DROP TABLE {}.kept */",
            "CREATE PROCEDURE p() DELETE FROM {}.kept",
            "PREPARE s FROM 'DROP TABLE {}.kept'",
            "USE {}",
        ] {
            let sql = sql.replace("{}", name);
            let line = refused(&host, &shadow, &sql);
            let outside = "error: `sql/1_a.sql` reaches outside of the database on line 2: `";
            assert!(line.starts_with(outside), "{sql}: {line}");
        }
        assert_eq!(servers::dump_mysql(&mut conn), before);
        // What only looks like it is tried, and the database is empty after all of this.
        let sql = format!("CREATE TABLE {name} (kept int);\nUPDATE {name} SET {name}.kept = 1;\n");
        host.write("sql/1_a.sql", &sql);
        host.ok(&format!("import sqlx sql --shadow-url {shadow}"));
    }
}

#[test]
fn what_is_beside_a_database_of_postgres_stays_as_it_is() {
    for server in servers::postgres_in_turn("what_is_beside_a_database_of_postgres_stays_as_it_is")
    {
        let host = host(&server);
        let shadow = server.database();
        for sql in [
            "GRANT pg_monitor TO CURRENT_USER",
            "COPY a TO '/tmp/dbmigrate-copied'",
            "DO $$ BEGIN EXECUTE 'CREATE ROLE dbmigrate_made'; END $$",
        ] {
            let line = refused(&host, &shadow, sql);
            let outside = "error: `sql/1_a.sql` reaches outside of the database on line 2: `";
            assert!(line.starts_with(outside), "{sql}: {line}");
        }
        for (sql, what) in [
            ("\\connect shop", "a command of psql on line 2: `\\connect shop;`"),
            ("COPY a FROM stdin", "rows for psql on line 2: `COPY a FROM stdin;`"),
        ] {
            assert_eq!(refused(&host, &shadow, sql), format!("error: `sql/1_a.sql` has {what}"));
        }
        // A dump begins in this way.
        let path = "SELECT pg_catalog.set_config('search_path', '', false)";
        let lost = "error: `sql/1_a.sql` leaves the session without its schema `public`";
        for sql in [path, "CREATE SCHEMA other; SET search_path TO other"] {
            assert_eq!(refused(&host, &shadow, sql), lost);
        }
        let line = refused(&host, &shadow, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
        assert_eq!(line, "error: `sql/1_a.sql` drops the schema `public`, in which it runs");
        // The database is emptied of what is in no schema, also where that is in the way.
        let hidden = "DO $$ BEGIN EXECUTE 'DROP SC' || 'HEMA public CASCADE'; END $$";
        host.write("sql/1_a.sql", hidden);
        host.fails(&format!("import sqlx sql --shadow-url {shadow}"));
        host.write(
            "sql/1_a.sql",
            "SELECT lo_create(4711);\nCREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'no'; END $$;\nCREATE EVENT TRIGGER never ON ddl_command_start \
             EXECUTE FUNCTION no();\n",
        );
        host.ok(&format!("import sqlx sql --shadow-url {shadow}"));
        remove_revisions(&host);
        host.write(
            "sql/1_a.sql",
            &format!("{path};\nCREATE TABLE public.a (x int);\nRESET search_path;"),
        );
        host.ok(&format!("import sqlx sql --shadow-url {shadow}"));
    }
}
