//! Steps that run in pieces, each in a transaction of its own.
#![cfg(feature = "sqlite")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::rusqlite::Connection;
use dbmigrate_runtime::{Migrator, Module, Options};
use expect_test::expect;

const TABLE: Module = Module {
    revision: "a1",
    down_revision: &[],
    branch_labels: &[],
    depends_on: &[],
    replaces: &[],
    message: "",
    name: "a1",
    upgrade: |op| {
        op.create_table(
            Table::new("post")
                .column(Column::new("id", Type::BigInteger).not_null())
                .column(Column::new("code", Type::Text).not_null())
                .column(Column::new("note", Type::Text))
                .column(Column::new("n", Type::Integer).not_null().default(0))
                .primary_key("pk_post", ["id"]),
        );
        op.create_index("post", Index::new("ix_post_code", ["code"]));
    },
    downgrade: |op| op.drop_table("post"),
};

const fn step(upgrade: fn(&mut Operations)) -> Module {
    Module {
        revision: "b2",
        down_revision: &["a1"],
        name: "b2",
        upgrade,
        downgrade: |op| {
            op.run_batched("reset", "post.id", 4, |db, range| {
                db.execute("UPDATE post SET n = 0 WHERE id BETWEEN ?1 AND ?2", range)?;
                Ok(())
            });
        },
        ..TABLE
    }
}

fn database(migrator: Migrator, n: i64) -> Connection {
    let mut conn = Connection::open_in_memory().unwrap();
    migrator.upgrade_with(&mut conn, "a1", &Options::default()).unwrap();
    for id in 1..=n {
        // Keys with gaps, and codes that sort in another order.
        let sql = "INSERT INTO post (id, code) VALUES (?1, ?2)";
        conn.execute(sql, (id * 3, format!("{:02}'", (id * 7) % 50))).unwrap();
    }
    conn
}

/// How often each row was visited.
fn visits(conn: &Connection) -> Vec<i64> {
    let mut stmt = conn.prepare("SELECT n FROM post ORDER BY id").unwrap();
    stmt.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn has_ledger(conn: &Connection) -> bool {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'dbmigrate_step'";
    conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() == 1
}

#[test]
fn each_row_is_visited_once_by_a_number_or_a_text() {
    const BY_ID: Migrator = Migrator::new(&[
        TABLE,
        step(|op| {
            op.run_batched("count", "post.id", 10, |db, range| {
                let n =
                    db.execute("UPDATE post SET n = n + 1 WHERE id BETWEEN ?1 AND ?2", range)?;
                assert!(n <= 10 && range.first::<i64>()? <= range.last::<i64>()?);
                Ok(())
            });
        }),
    ]);
    const BY_CODE: Migrator = Migrator::new(&[
        TABLE,
        step(|op| {
            op.run_batched("count", ("post", "code"), 7, |db, range| {
                db.execute("UPDATE post SET n = n + 1 WHERE code BETWEEN ?1 AND ?2", range)?;
                Ok(())
            });
        }),
    ]);
    for migrator in [BY_ID, BY_CODE] {
        for n in [0, 1, 9, 10, 11, 43] {
            let mut conn = database(migrator, n);
            assert_eq!(migrator.upgrade(&mut conn).unwrap(), ["b2"]);
            assert!(visits(&conn).iter().all(|n| *n == 1), "{n}: {:?}", visits(&conn));
            assert!(!has_ledger(&conn), "the ledger is dropped when the revision is complete");
            assert_eq!(migrator.upgrade(&mut conn).unwrap(), [""; 0]);
            assert_eq!(migrator.downgrade(&mut conn, "a1").unwrap(), ["b2"]);
            assert!(visits(&conn).iter().all(|n| *n == 0));
        }
    }
}

/// In which piece the step fails; 0 if it doesn't.
static FAILS_IN: AtomicI64 = AtomicI64::new(0);

const FAILING: Migrator = Migrator::new(&[
    TABLE,
    step(|op| {
        op.run_batched("count", "post.id", 5, |db, range| {
            db.execute("UPDATE post SET n = n + 1 WHERE id BETWEEN ?1 AND ?2", range)?;
            match FAILS_IN.load(SeqCst) {
                fails if fails == range.number as i64 => Err("no more".into()),
                panics if panics == -(range.number as i64) => panic!("no more"),
                _ => Ok(()),
            }
        });
    }),
]);

#[test]
fn a_step_that_fails_or_panics_continues_with_the_same_piece() {
    let mut conn = database(FAILING, 43);
    FAILS_IN.store(3, SeqCst);
    let err = FAILING.upgrade(&mut conn).unwrap_err();
    expect![[r#"
        revision `b2` stopped: piece 3 of step `count`, `id` from 33 to 45, was rolled back: no more
          hint: 2 pieces are done and stay; correct the step or these rows, and run the command again, which continues with this piece"#]]
    .assert_eq(&err.report());
    assert_eq!(visits(&conn).iter().sum::<i64>(), 10);
    let report = FAILING.report(&conn, &Options::default()).unwrap();
    assert_eq!(
        report.unfinished,
        ["`b2` is half applied: none of its statements is done, and it stands at statement 1, \
             of which 2 pieces are done"]
    );
    FAILS_IN.store(-7, SeqCst);
    catch_unwind(AssertUnwindSafe(|| FAILING.upgrade(&mut conn))).unwrap_err();
    assert_eq!(visits(&conn).iter().sum::<i64>(), 30);
    // Rows that are inserted meanwhile come after the pieces that are done.
    conn.execute("INSERT INTO post (id, code) VALUES (1000, 'new')", []).unwrap();
    FAILS_IN.store(0, SeqCst);
    assert_eq!(FAILING.upgrade(&mut conn).unwrap(), ["b2"]);
    assert_eq!(visits(&conn), [1; 44]);
}

#[test]
fn foreign_keys_are_enforced_in_a_piece() {
    const MIGRATOR: Migrator = Migrator::new(&[
        TABLE,
        step(|op| {
            op.run_batched("refer", "post.id", 5, |db, _| {
                db.execute("INSERT INTO child VALUES (-1)", ())?;
                Ok(())
            });
        }),
    ]);
    let mut conn = database(MIGRATOR, 3);
    conn.execute_batch("CREATE TABLE child (post INTEGER REFERENCES post (id))").unwrap();
    let text = MIGRATOR.upgrade(&mut conn).unwrap_err().to_string();
    assert!(text.contains("FOREIGN KEY constraint failed"), "{text}");
    let n: i64 = conn.query_row("SELECT count(*) FROM child", [], |row| row.get(0)).unwrap();
    assert_eq!(n, 0);
}

#[test]
fn what_cant_be_divided_is_refused_before_anything_runs() {
    fn refusal(upgrade: fn(&mut Operations)) -> String {
        let modules = Box::leak(Box::new([TABLE, step(upgrade)]));
        let migrator = Migrator::new(modules);
        let mut conn = Connection::open_in_memory().unwrap();
        let text = migrator.upgrade(&mut conn).unwrap_err().report();
        assert_eq!(migrator.status(&conn).unwrap().applied, [""; 0]);
        text
    }
    let texts = [
        refusal(|op| op.run_batched("x", ("post", ["id", "code"]), 5, |_, _| Ok(()))),
        refusal(|op| op.run_batched("x", "post.id", 0, |_, _| Ok(()))),
        refusal(|op| op.run_batched("x", "id", 5, |_, _| Ok(()))),
        refusal(|op| op.run_batched("x", "post.nope", 5, |_, _| Ok(()))),
        refusal(|op| op.run_batched("x", "post.note", 5, |_, _| Ok(()))),
        refusal(|op| {
            op.no_transaction();
            op.run_batched("x", "post.id", 5, |_, _| Ok(()));
        }),
        refusal(|op| {
            op.add_column("post", Column::new("slug", Type::Text));
            op.run_batched("x", "post.id", 5, |_, _| Ok(()));
        }),
    ];
    expect![[r#"
        revision `b2`: step `x` can't be run in pieces: `id`, `code` of table `post` is not one column
          hint: divide it by one column, such as the first one of the key: rows with the same value are in the same piece
        revision `b2`: step `x` can't be run in pieces: its pieces have no rows
          hint: give it a size of at least 1
        revision `b2`: step `x` can't be run in pieces: there is no table `` at this point
          hint: name a column of a table that the migrations create, as `"table.column"`
        revision `b2`: step `x` can't be run in pieces: table `post` has no column `nope` at this point
          hint: name a column of a table that the migrations create, as `"table.column"`
        revision `b2`: step `x` can't be run in pieces: column `post.note` may be NULL, so some rows would be left out
          hint: divide it by a column that is NOT NULL, such as the primary key
        revision `b2`: step `x` can't be run in pieces: its revision runs outside of transactions
          hint: remove `op.no_transaction()`: each piece is a transaction of its own
        revision `b2`: cannot add column `slug` to table `post` in one revision with step `x`, which runs in pieces, on SQLite
          hint: put the step into a revision of its own"#]].assert_eq(&texts.join("\n"));
}

/// The piece that runs, and how many notes the last piece found.
static PIECE: AtomicI64 = AtomicI64::new(0);
static NOTES: AtomicI64 = AtomicI64::new(-1);

#[test]
fn another_writer_gets_in_between_two_pieces() {
    const SLOW: Migrator = Migrator::new(&[
        TABLE,
        step(|op| {
            op.run_batched("count", "post.id", 1, |db, range| {
                PIECE.store(range.number as i64, SeqCst);
                db.execute("UPDATE post SET n = n + 1 WHERE id BETWEEN ?1 AND ?2", range)?;
                let notes = db.query("SELECT 1 FROM note", ())?;
                NOTES.store(notes.len() as i64, SeqCst);
                Ok(())
            });
        }),
    ]);
    let dir = std::env::temp_dir().join(format!("dbmigrate-pieces-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("app.db");
    let mut conn = Connection::open(&file).unwrap();
    SLOW.upgrade_with(&mut conn, "a1", &Options::default()).unwrap();
    let rows = "CREATE TABLE note (text TEXT); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT \
                i + 1 FROM n WHERE i < 20) INSERT INTO post (id, code) SELECT i, i FROM n";
    conn.execute_batch(rows).unwrap();
    let writer = std::thread::spawn(move || {
        let conn = Connection::open(&file).unwrap();
        while PIECE.load(SeqCst) < 2 {
            std::thread::sleep(Duration::from_millis(1));
        }
        conn.execute("INSERT INTO note VALUES ('between')", ()).unwrap();
        PIECE.load(SeqCst)
    });
    let options = Options { batch_pause: Duration::from_millis(50), ..Options::default() };
    SLOW.upgrade_with(&mut conn, "heads", &options).unwrap();
    let piece = writer.join().unwrap();
    assert!((2..20).contains(&piece), "it was written after piece {piece}");
    assert_eq!(NOTES.load(SeqCst), 1, "the last piece sees it");
    assert!(visits(&conn).iter().all(|n| *n == 1));
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_plan_says_how_it_is_divided() {
    let conn = database(FAILING, 3);
    expect![[r#"
        Upgrade: 1 revision, in several transactions

        upgrade a1 -> b2
          run step `count` in pieces of 5 rows of `post` by `id`, each in a transaction of its own"#]].assert_eq(&FAILING.plan(&conn).unwrap().to_string());
}

#[test]
fn the_size_of_the_pieces_does_not_count_for_the_checksum() {
    const FIVE: Module = step(|op| op.run_batched("x", "post.id", 5, |_, _| Ok(())));
    const SIX: Module = step(|op| op.run_batched("x", "post.id", 6, |_, _| Ok(())));
    let mut conn = database(Migrator::new(&[TABLE, FIVE]), 12);
    Migrator::new(&[TABLE, FIVE]).upgrade(&mut conn).unwrap();
    assert_eq!(Migrator::new(&[TABLE, SIX]).upgrade(&mut conn).unwrap(), [""; 0]);
}
