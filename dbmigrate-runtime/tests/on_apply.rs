//! Callbacks after each revision of a program's own run: in its transaction, in order, and without
//! leaving anything half done.
#![cfg(feature = "sqlite")]

mod modules;

use std::sync::{Arc, Mutex};

use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Applied, Error, Migrator, Module, Options};
use expect_test::{Expect, expect};
use modules::module;
use rusqlite::Connection;

/// `a`, followed by the two branches `b` and `c`.
static FORK: &[Module] = &[
    module(
        "a",
        &[],
        |op| op.create_table(Table::new("user").column(Column::new("id", Type::Integer))),
        |op| op.drop_table("user"),
    ),
    module(
        "b",
        &["a"],
        |op| {
            op.add_column("user", Column::new("name", Type::Text));
        },
        |op| op.drop_column("user", "name"),
    ),
    module("c", &["a"], |_| {}, |_| {}),
];

/// The last revision runs outside a transaction.
static ALONE: &[Module] = &[
    module("a", &[], |_| {}, |_| {}),
    module(
        "b",
        &["a"],
        |op| {
            op.no_transaction();
            op.execute("VACUUM");
        },
        |op| op.no_transaction(),
    ),
];

fn memory() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("CREATE TABLE audit (line TEXT)").unwrap();
    conn
}

fn lines(conn: &Connection) -> Vec<String> {
    let mut stmt = conn.prepare("SELECT line FROM audit ORDER BY rowid").unwrap();
    stmt.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn write(db: &mut Db<'_>, line: &str) -> StepResult {
    db.execute("INSERT INTO audit (line) VALUES (?1)", (line,))?;
    Ok(())
}

/// Stores what the callback is told, and what the version table contains at that point.
fn audit(applied: &Applied<'_>, db: &mut Db<'_>) -> StepResult {
    let mut entered = Vec::new();
    for row in db.query("SELECT id FROM dbmigrate_version ORDER BY id", ())? {
        entered.push(row.get::<String>("id")?);
    }
    let (direction, id) = (applied.direction, &applied.revision.id);
    let (heads, entered) = (applied.heads.join(","), entered.join(","));
    assert!(applied.duration.as_secs() < 60);
    write(db, &format!("{direction:?} {id}: heads {heads}, entered {entered}"))
}

#[track_caller]
fn fails(res: Result<Vec<String>, Error>, expect: Expect) {
    expect.assert_eq(&res.unwrap_err().report());
}

#[test]
fn each_revision_is_told_in_its_transaction_and_in_order() {
    let migrator = Migrator::new(FORK);
    let mut conn = memory();
    let options = Options::default().on_apply(audit).on_apply(|applied, db| {
        let who = db.arg("who").unwrap_or("nobody").to_owned();
        write(db, &format!("{who} after {}", applied.revision.id))
    });
    let options = Options { args: vec![("who".into(), "ada".into())], ..options };
    migrator.upgrade_with(&mut conn, "heads", &options).unwrap();
    migrator.downgrade_with(&mut conn, "a", &options.clone()).unwrap();
    assert_eq!(
        lines(&conn),
        [
            "Upgrade a: heads a, entered a",
            "ada after a",
            "Upgrade b: heads b, entered a,b",
            "ada after b",
            "Upgrade c: heads b,c, entered a,b,c",
            "ada after c",
            "Downgrade c: heads b, entered a,b",
            "ada after c",
            "Downgrade b: heads a, entered a",
            "ada after b",
        ]
    );
    // If nothing is pending, nothing is called.
    migrator.upgrade_with(&mut conn, "a", &options).unwrap();
    assert_eq!(lines(&conn).len(), 10);
    assert!(format!("{options:?}").contains("Callbacks { n: 2"), "{options:?}");
}

#[test]
fn a_failure_rolls_the_run_back_and_names_the_revision() {
    let migrator = Migrator::new(FORK);
    let mut conn = memory();
    let fail = |applied: &Applied<'_>, db: &mut Db<'_>| {
        write(db, "lost")?;
        match applied.revision.id.as_str() {
            "b" => Err("the auditor is out".into()),
            _ => Ok(()),
        }
    };
    fails(
        migrator.upgrade_with(&mut conn, "b", &Options::default().on_apply(fail)),
        expect!["revision `b` was rolled back: the callback after it failed: the auditor is out"],
    );
    assert!(lines(&conn).is_empty());
    assert_eq!(migrator.status(&conn).unwrap().applied, [""; 0]);
    // Each revision has its own transaction, so the first one stays, with its line.
    let options = Options { transaction_each: true, ..Options::default() };
    let options = options.on_apply(|_, _| Ok(())).on_apply(fail);
    fails(
        migrator.upgrade_with(&mut conn, "b", &options),
        expect![
            "revision `b` was rolled back: callback 2 of 2 after it failed: the auditor is out"
        ],
    );
    assert_eq!(lines(&conn), ["lost"]);
    assert_eq!(migrator.status(&conn).unwrap().applied, ["a"]);
    // The rows that a callback writes are checked at the end like all others.
    conn.execute_batch("CREATE TABLE p (id INTEGER PRIMARY KEY)").unwrap();
    conn.execute_batch("CREATE TABLE log (who INTEGER REFERENCES p (id))").unwrap();
    let orphan = Options::default().on_apply(|_, db| {
        db.execute("INSERT INTO log VALUES (7)", ())?;
        Ok(())
    });
    let err = migrator.upgrade_with(&mut conn, "b", &orphan).unwrap_err();
    assert!(err.to_string().contains("log"), "{err}");
    assert_eq!(migrator.status(&conn).unwrap().applied, ["a"]);
}

#[test]
fn a_panic_leaves_the_connection_usable() {
    let migrator = Migrator::new(FORK);
    let mut conn = memory();
    let options = Options::default().on_apply(|_, _| panic!("not today"));
    let run = std::panic::AssertUnwindSafe(|| migrator.upgrade_with(&mut conn, "a", &options));
    std::panic::catch_unwind(run).unwrap_err();
    assert!(conn.is_autocommit());
    assert_eq!(migrator.upgrade_with(&mut conn, "a", &Options::default()).unwrap(), ["a"]);
}

#[test]
fn a_callback_that_ends_the_transaction_is_an_error() {
    let migrator = Migrator::new(FORK);
    for sql in ["COMMIT", "ROLLBACK", "COMMIT; BEGIN"] {
        let mut conn = memory();
        let options = Options::default().on_apply(move |_, db| {
            for text in sql.split(';') {
                db.execute(text, ())?;
            }
            Ok(())
        });
        let err = migrator.upgrade_with(&mut conn, "b", &options).unwrap_err();
        assert!(err.to_string().contains("ended the transaction it was called in"), "{err}");
        assert!(conn.is_autocommit(), "{sql}");
    }
    let options = Options::default().on_apply(|_, db| {
        db.execute("COMMIT", ())?;
        Err("and more".into())
    });
    fails(
        migrator.upgrade_with(&mut memory(), "b", &options),
        expect![[r#"
            the callback after revision `a` ended the transaction it was called in; the changes of this run so far may or may not be committed
              hint: remove BEGIN, COMMIT and ROLLBACK from the callback, and look at the state of the database with `cargo dbmigrate check`"#]],
    );
}

#[test]
fn a_callback_outside_a_transaction_that_leaves_one_open_is_an_error() {
    let options = Options::default().on_apply(|applied, db| {
        if applied.revision.id == "b" {
            db.execute("BEGIN", ())?;
        }
        Ok(())
    });
    let mut conn = memory();
    let alone = Migrator::new(ALONE);
    fails(
        alone.upgrade_with(&mut conn, "b", &options),
        expect![[r#"
        the callback after revision `b` left a transaction open, which was rolled back; the revision stays applied
          hint: remove BEGIN from the callback or end the transaction there, and do its work by hand: the revision is not run again"#]],
    );
    assert!(conn.is_autocommit());
    assert_eq!(alone.upgrade_with(&mut conn, "b", &Options::default()).unwrap(), [""; 0]);
}

#[test]
fn what_a_callback_makes_is_its_own_affair() {
    let migrator = Migrator::new(FORK);
    let mut conn = memory();
    let options = Options::default().on_apply(|applied, db| {
        let id = &applied.revision.id;
        db.execute(&format!("CREATE TABLE of_{id} (n)"), ())?;
        db.execute(&format!("CREATE VIEW view_{id} AS SELECT n FROM of_{id}"), ())?;
        // This includes a table that the run itself changes.
        db.execute(&format!("CREATE INDEX ix_{id} ON user (id)"), ())?;
        Ok(())
    });
    assert_eq!(migrator.upgrade_with(&mut conn, "heads", &options).unwrap(), ["a", "b", "c"]);
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name GLOB '*_[abc]'";
    assert_eq!(conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 9);
}

#[test]
fn outside_a_transaction_the_revision_stays() {
    let path = std::env::temp_dir().join(format!("dbmigrate-on-apply-{}.db", std::process::id()));
    let mut conn = Connection::open(&path).unwrap();
    conn.execute_batch("CREATE TABLE audit (line TEXT)").unwrap();
    let migrator = Migrator::new(ALONE);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = seen.clone();
    let options = Options::default().on_apply(move |applied, db| {
        told.lock().unwrap().push(applied.revision.id.clone());
        write(db, "kept")?;
        match applied.revision.id.as_str() {
            "b" => Err("no".into()),
            _ => Ok(()),
        }
    });
    fails(
        migrator.upgrade_with(&mut conn, "head", &options),
        expect![[r#"
            revision `b` stays applied: the callback after it failed: no
              hint: the revision runs outside a transaction, so it is not run again: do the work of the callback by hand"#]],
    );
    assert_eq!(migrator.status(&conn).unwrap().applied, ["a", "b"]);
    fails(
        migrator.downgrade_with(&mut conn, "a", &options),
        expect![[r#"
            revision `b` stays undone: the callback after it failed: no
              hint: the revision runs outside a transaction, so it is not run again: do the work of the callback by hand"#]],
    );
    assert_eq!(migrator.status(&conn).unwrap().applied, ["a"]);
    assert_eq!(lines(&conn), ["kept", "kept", "kept"]);
    assert_eq!(*seen.lock().unwrap(), ["a", "b", "b"]);
    drop(conn);
    std::fs::remove_file(path).unwrap();
}
