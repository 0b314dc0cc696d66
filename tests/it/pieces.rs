//! Steps that run in pieces: what the commands say of them, and where their revision may be.

use std::time::{Duration, Instant};

use dbmigrate_tests::servers;
use dbmigrate_tests::{Host, revision, sql};
use expect_test::expect;

const TABLE: &str = "op.create_table(
        Table::new(\"post\")
            .column(Column::new(\"id\", Type::BigInteger).not_null())
            .column(Column::new(\"title\", Type::String(50)).not_null())
            .column(Column::new(\"slug\", Type::String(50)))
            .primary_key(\"pk_post\", [\"id\"]),
    );";

/// Fails in the piece that the command's arguments name.
const SLUGS: &str = "op.run_batched(\"backfill slugs\", \"post.id\", 10, |db, range| {
        if db.arg(\"fail\") == Some(range.number.to_string().as_str()) {
            return Err(\"as asked\".into());
        }
        db.execute(\"UPDATE post SET slug = lower(title) WHERE id BETWEEN ?1 AND ?2\", range)?;
        Ok(())
    });";

fn host(name: &str) -> Host {
    let host = Host::library(name, "");
    host.ok("init");
    host.write("migrations/versions/m1.rs", &revision("a100", &[], "posts", TABLE, ""));
    let back = "op.run_batched(\"empty slugs\", \"post.id\", 20, |db, range| {
        db.execute(\"UPDATE post SET slug = NULL WHERE id BETWEEN ?1 AND ?2\", range)?;
        Ok(())
    });";
    host.write("migrations/versions/m2.rs", &revision("b200", &["a100"], "slugs", SLUGS, back));
    host
}

#[test]
fn commands_tell_how_far_a_step_came_and_continue_it() {
    let host = host("pieces");
    host.ok("upgrade a100");
    let db = host.dir.join("app.db");
    sql(
        &db,
        "INSERT INTO post (id, title) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 \
         FROM n WHERE i < 35) SELECT i, 'Post ' || i FROM n",
    );
    let text = host.ok("plan").stdout;
    expect![[r#"
        Upgrade of sqlite:$HOST/app.db: 1 revision, in several transactions

        upgrade a100 -> b200, slugs
          run step `backfill slugs` in pieces of 10 rows of `post` by `id`, each in a transaction of its own
    "#]].assert_eq(&host.plain(&text));

    // A script can't contain it, and stops there.
    let script = host.ok("upgrade --sql").stdout;
    assert!(script.contains("Step `backfill slugs` runs only in dbmigrate"), "{script}");

    let run = host.fails("upgrade -x fail=3");
    // How often the progress is told depends on the time.
    let errors = run.errors();
    let errors = errors.lines().skip_while(|line| !line.starts_with("error"));
    let errors: String = errors.map(|line| format!("{line}\n")).collect();
    expect![[r#"
        error: revision `b200` stopped: piece 3 of step `backfill slugs`, `id` from 21 to 30, was rolled back: as asked
          hint: 2 pieces are done and stay; correct the step or these rows, and run the command again, which continues with this piece
    "#]].assert_eq(&errors);
    expect![[r#"
        a100
        b200 (half applied: none of its statements is done, and it stands at statement 1, of which 2 pieces are done)
    "#]].assert_eq(&host.ok("current").stdout);
    assert!(host.dbmigrate("status -n 1").stdout.contains("2 pieces are done"), "status");

    // Two pieces are left, and there is a pause after each.
    let start = Instant::now();
    let run = host.ok("upgrade --batch-pause 200");
    assert!(start.elapsed() >= Duration::from_millis(400), "{:?}", start.elapsed());
    assert!(run.stderr.contains("step `backfill slugs`: piece 3"), "{run}");
    let continued = "Continuing at statement 1, where an earlier run stopped\n";
    assert!(run.stdout.ends_with(continued), "{run}");
    let conn = rusqlite::Connection::open(&db).unwrap();
    let n = |condition: &str| -> i64 {
        let query = format!("SELECT count(*) FROM post WHERE {condition}");
        conn.query_row(&query, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(n("slug = lower(title)"), 35);
    assert!(
        host.dbmigrate("check").stdout.contains("The database agrees"),
        "no table is left over"
    );
    // The pause is a setting as well.
    host.replace("migrations/dbmigrate.toml", "batch_pause = 0", "batch_pause = 200");
    let start = Instant::now();
    host.ok("downgrade a100");
    assert!(start.elapsed() >= Duration::from_millis(400), "{:?}", start.elapsed());
    assert_eq!(n("slug IS NULL"), 35);
}

/// What is before the step is committed first, and what comes after it has its own transaction.
#[test]
fn on_servers_other_operations_may_be_in_its_revision() {
    const KEY: &str = "op.create_table(
        Table::new(\"visit\")
            .column(Column::new(\"id\", Type::Uuid).not_null())
            .primary_key(\"pk_visit\", [\"id\"]),
    );";
    const COLUMN: &str = "op.add_column(\"visit\", Column::new(\"n\", Type::Integer));
    op.run_batched(\"count\", \"visit.id\", 7, |db, range| {
        if db.arg(\"fail\") == Some(range.number.to_string().as_str()) {
            return Err(\"as asked\".into());
        }
        let sql = \"UPDATE visit SET n = coalesce(n, 0) + 1 WHERE id BETWEEN ?1 AND ?2\";
        db.execute(sql, range)?;
        Ok(())
    });
    op.alter_column(\"visit\", \"n\", ColumnChange::new().not_null());";
    let test = "on_servers_other_operations_may_be_in_its_revision";
    for server in servers::in_turn(test) {
        let host = Host::library("pieces-on-servers", "");
        host.ok("init");
        host.write("migrations/versions/m1.rs", &revision("a100", &[], "visits", KEY, ""));
        host.write("migrations/versions/m2.rs", &revision("b200", &["a100"], "n", COLUMN, ""));
        let url = server.database();
        host.ok(&format!("upgrade a100 --url {url}"));
        let keys: Vec<String> = (0..30_u64).map(|n| format!("{:032x}", n * 0x9e37_79b9)).collect();
        if url.starts_with("postgres") {
            let mut client = servers::client(&url);
            for key in &keys {
                client.batch_execute(&format!("INSERT INTO visit VALUES ('{key}')")).unwrap();
            }
        } else {
            use dbmigrate_runtime::mysql::prelude::Queryable as _;
            let mut conn = servers::mysql_client(&url);
            for key in &keys {
                conn.query_drop(format!("INSERT INTO visit VALUES (x'{key}')")).unwrap();
            }
        }
        let run = host.fails(&format!("upgrade --url {url} -x fail=3"));
        assert!(run.stderr.contains("piece 3 of step `count`"), "{}: {run}", server.name);
        assert!(run.stderr.contains("2 pieces are done and stay"), "{}: {run}", server.name);
        let run = host.ok(&format!("current --url {url}"));
        assert!(run.stdout.contains("of which 2 pieces are done"), "{}: {run}", server.name);
        // Three pieces are left, and there is a pause after each.
        let start = Instant::now();
        host.ok(&format!("upgrade --url {url} --batch-pause 300"));
        assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
        let query = "SELECT count(*) FROM visit WHERE n = 1";
        let n: i64 = if url.starts_with("postgres") {
            servers::client(&url).query_one(query, &[]).unwrap().get(0)
        } else {
            use dbmigrate_runtime::mysql::prelude::Queryable as _;
            servers::mysql_client(&url).query_first(query).unwrap().unwrap()
        };
        assert_eq!(n, 30, "{}", server.name);
        assert!(host.ok(&format!("current --url {url}")).stdout.contains("(head)"));
    }
}
