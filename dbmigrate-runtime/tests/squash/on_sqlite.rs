//! What runs on databases that have some, all or none of the replaced revisions.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use dbmigrate_runtime::engine::driver::Waiting;
use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::executor::{Executor, Observer, OwnSteps};
use dbmigrate_runtime::engine::recording::Recording;
use dbmigrate_runtime::engine::revision::{Revision, Target};
use dbmigrate_runtime::engine::url::Access;
use dbmigrate_runtime::engine::{Migration, Migrations};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Direction, Error, Migrator, Module, Options};
use expect_test::expect;
use rusqlite::Connection;

use super::revisions;

/// Each revision creates a table named after its id; one that replaces others creates theirs.
fn migrations(text: &str) -> Migrations {
    Migrations::new(revisions(text).into_iter().map(migration).collect()).unwrap()
}

fn migration(revision: Revision) -> Migration {
    let mut tables: Vec<String> = revision.replaced().map(str::to_owned).collect();
    tables.retain(|table| table != "s");
    if tables.is_empty() {
        tables.push(revision.id.clone());
    }
    let create = |name: &String| {
        Operation::CreateTable(Table::new(name).column(Column::new("n", Type::Integer)))
    };
    let drop = |name: &String| Operation::DropTable { table: name.clone() };
    let recording = |operations| Recording { operations, ..Recording::default() };
    let up = recording(tables.iter().map(create).collect());
    let down = recording(tables.iter().rev().map(drop).collect());
    Migration::new(revision, up, down)
}

const OLD: &str = "z a<z b<a c<b d<c";
const NEW: &str = "z a<z b<a c<b d<c s<z=a,b,c e<d";
const LATER: &str = "z d<s s<z=a,b,c e<d";

fn run(
    conn: &mut Connection,
    migrations: &Migrations,
    direction: Direction,
    to: &str,
) -> Result<String, Error> {
    let mut driver = SqliteDriver::lent(conn);
    let (options, observer, steps) = (&Options::default(), &mut (), &mut OwnSteps);
    let mut executor = Executor { driver: &mut driver, migrations, options, observer, steps };
    Ok(executor.run(direction, to)?.join(" "))
}

fn up(conn: &mut Connection, text: &str, to: &str) -> Result<String, Error> {
    run(conn, &migrations(text), Direction::Upgrade, to)
}

fn down(conn: &mut Connection, text: &str, to: &str) -> Result<String, Error> {
    run(conn, &migrations(text), Direction::Downgrade, to)
}

/// The version rows and the tables.
fn state(conn: &mut Connection) -> String {
    let query = |conn: &Connection, sql: &str| -> String {
        let mut statement = conn.prepare(sql).unwrap();
        let ids = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        ids.map(|found| found.unwrap()).collect::<Vec<_>>().join(" ")
    };
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' \
                  AND name <> 'dbmigrate_version' ORDER BY name";
    let rows = query(conn, "SELECT id FROM dbmigrate_version ORDER BY id");
    format!("{rows} | {}", query(conn, tables))
}

#[test]
fn new_databases_run_one_and_others_go_on_where_they_are() {
    let mut conns = [(); 4].map(|()| Connection::open_in_memory().unwrap());
    let [new, middle, end, last] = &mut conns;
    up(middle, OLD, "a").unwrap();
    up(end, OLD, "c").unwrap();
    up(last, OLD, "d").unwrap();
    assert_eq!(up(last, "z a<z b<a c<b d<c s<z=a,b,c", "head").unwrap(), "");
    assert_eq!(up(new, NEW, "head").unwrap(), "z s d e");
    assert_eq!(up(middle, NEW, "+1").unwrap(), "b");
    assert_eq!(up(middle, NEW, "s").unwrap(), "c");
    assert_eq!(up(middle, NEW, "head").unwrap(), "d e");
    assert_eq!(up(end, NEW, "s").unwrap(), "");
    assert_eq!(up(end, NEW, "head").unwrap(), "d e");
    assert_eq!(up(last, NEW, "head").unwrap(), "e");
    assert_eq!(state(new), "d e s z | a b c d e z");
    for connection in [&mut *middle, end, last] {
        assert_eq!(state(connection), "a b c d e z | a b c d e z");
    }
    // Undone in the same way in which each was applied.
    let err = down(new, NEW, "b").unwrap_err();
    expect![[r#"
        revision `b` was replaced by `s` and can no longer be targeted, in s.rs
          hint: the nearest targets are `z` and `s`"#]]
    .assert_eq(&err.report());
    assert_eq!(down(new, NEW, "c").unwrap(), "e d");
    assert_eq!(down(new, NEW, "z").unwrap(), "s");
    assert_eq!(state(new), "z | z");
    assert_eq!(down(middle, NEW, "b").unwrap(), "e d c");
    assert_eq!(down(end, NEW, "s").unwrap(), "e d");
    assert_eq!(down(end, NEW, "-1").unwrap(), "c");
    assert_eq!(down(last, NEW, "base").unwrap(), "e d c b a z");
    assert_eq!(up(last, NEW, "c").unwrap(), "z s");
}

#[test]
fn without_the_old_files_the_rows_are_replaced_when_something_runs() {
    let mut conns = [(); 4].map(|()| Connection::open_in_memory().unwrap());
    let [up_from, down_from, half, new] = &mut conns;
    up(up_from, OLD, "d").unwrap();
    up(down_from, OLD, "d").unwrap();
    up(half, OLD, "b").unwrap();
    // If nothing is pending, it only reads.
    assert_eq!(up(up_from, LATER, "d").unwrap(), "");
    assert_eq!(state(up_from), "a b c d z | a b c d z");
    assert_eq!(up(up_from, LATER, "head").unwrap(), "e");
    assert_eq!(state(up_from), "d e s z | a b c d e z");
    assert_eq!(down(down_from, LATER, "z").unwrap(), "d s");
    assert_eq!(state(down_from), "z | z");
    for direction in [Direction::Upgrade, Direction::Downgrade] {
        let err = run(half, &migrations(LATER), direction, "z").unwrap_err();
        assert!(err.to_string().contains("has `a`, `b`, and lacks `c`"), "{err}");
    }
    assert_eq!(state(half), "a b z | a b z");
    up(new, LATER, "head").unwrap();
    assert_eq!(state(new), "d e s z | a b c d e z");
}

fn stamp(conn: &mut Connection, text: &str, id: &str) -> Result<String, Error> {
    let mut driver = SqliteDriver::lent(conn);
    let (options, observer, steps) = (&Options::default(), &mut (), &mut OwnSteps);
    let migrations = &migrations(text);
    let mut executor = Executor { driver: &mut driver, migrations, options, observer, steps };
    let target = Target::Revisions(vec![id.to_owned()]);
    Ok(executor.stamp(&target, false)?.join(" "))
}

#[test]
fn a_stamp_says_what_the_database_is() {
    let mut conn = Connection::open_in_memory().unwrap();
    up(&mut conn, OLD, "b").unwrap();
    let err = stamp(&mut conn, LATER, "z").unwrap_err();
    assert!(
        err.to_string().contains("only some of the revisions that `s` replaces are applied"),
        "{err}"
    );
    assert_eq!(stamp(&mut conn, LATER, "s").unwrap(), "s");
    assert_eq!(state(&mut conn), "s z | a b z");
    let mut conn = Connection::open_in_memory().unwrap();
    up(&mut conn, OLD, "d").unwrap();
    assert_eq!(stamp(&mut conn, LATER, "d").unwrap(), "");
    assert_eq!(state(&mut conn), "d s z | a b c d z");
    let mut conn = Connection::open_in_memory().unwrap();
    assert_eq!(stamp(&mut conn, NEW, "b").unwrap(), "z a b");
    assert_eq!(stamp(&mut conn, NEW, "s").unwrap(), "c");
    assert_eq!(stamp(&mut conn, NEW, "z").unwrap(), "");
    assert_eq!(stamp(&mut conn, NEW, "s").unwrap(), "s");
}

/// Runs something while the executor waits for the lock, as another process would.
struct Other<'a> {
    holder: &'a RefCell<Option<Connection>>,
    path: &'a Path,
    ran: Vec<String>,
    to: &'static str,
}

impl Observer for Other<'_> {
    fn waiting(&mut self, _: &Waiting) {
        if let Some(holder) = self.holder.take() {
            holder.execute_batch("ROLLBACK").unwrap();
            let mut conn = Connection::open(self.path).unwrap();
            up(&mut conn, OLD, self.to).unwrap();
        }
    }

    fn running(&mut self, _: Direction, revision: &Revision) {
        self.ran.push(revision.id.clone());
    }
}

fn file(name: &str) -> PathBuf {
    let name = format!("dbmigrate-squash-{name}-{}.db", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    path
}

#[test]
fn an_older_program_may_be_faster_on_a_new_database() {
    for (to, ran) in [("d", "e"), ("b", "c d e"), ("z", "s d e")] {
        let path = file(to);
        // Nothing exists when the newer program first looks.
        let holder = Connection::open(&path).unwrap();
        holder.execute_batch("BEGIN IMMEDIATE").unwrap();
        let holder = RefCell::new(Some(holder));
        let mut observer = Other { holder: &holder, path: &path, ran: Vec::new(), to };
        let mut driver = SqliteDriver::open(&path, Access::Create).unwrap();
        let (options, steps) = (&Options::default(), &mut OwnSteps);
        let migrations = &migrations(NEW);
        let mut executor =
            Executor { driver: &mut driver, migrations, options, observer: &mut observer, steps };
        executor.run(Direction::Upgrade, "head").unwrap();
        assert!(holder.borrow().is_none(), "it did not wait");
        assert_eq!(observer.ran.join(" "), ran);
        let mut conn = Connection::open(&path).unwrap();
        assert!(state(&mut conn).ends_with("| a b c d e z"), "{}", state(&mut conn));
        // The older program now sees a newer database, and changes nothing.
        let err = up(&mut conn, OLD, "head").unwrap_err();
        assert!(err.is_ahead(), "{err}");
        std::fs::remove_file(&path).unwrap();
    }
}

const fn module(
    name: &'static str,
    down_revision: &'static [&'static str],
    replaces: &'static [&'static str],
    upgrade: fn(&mut Operations),
) -> Module {
    Module {
        name,
        revision: name,
        down_revision,
        branch_labels: &[],
        depends_on: &[],
        replaces,
        message: "",
        upgrade,
        downgrade: |_| {},
    }
}

const A: Module = module("a", &[], &[], |op| op.create_table(Table::new("a").column(n())));
const B: Module = module("b", &["a"], &[], |op| {
    op.add_column("a", b()).before("n");
});
const S: Module =
    module("s", &[], &["a", "b"], |op| op.create_table(Table::new("a").column(b()).column(n())));

fn n() -> Column {
    Column::new("n", Type::Integer)
}

fn b() -> Column {
    Column::new("b", Type::Integer)
}

#[test]
fn a_program_knows_where_each_of_its_databases_stands() {
    static OLD: &[Module] = &[A, B];
    static BOTH: &[Module] = &[A, B, S];
    static LATER: &[Module] = &[S];
    let (old, both, later) = (Migrator::new(OLD), Migrator::new(BOTH), Migrator::new(LATER));
    let status = |migrator: Migrator, conn: &Connection| {
        let status = migrator.status(conn).unwrap();
        assert_eq!(status.pending.is_empty(), migrator.is_up_to_date(conn).unwrap());
        format!(
            "{} | {} | {}",
            status.applied.join(" "),
            status.pending.join(" "),
            status.unknown.join(" ")
        )
    };
    let mut conn = Connection::open_in_memory().unwrap();
    assert_eq!(status(both, &conn), " | s | ");
    old.upgrade_with(&mut conn, "a", &Options::default()).unwrap();
    assert_eq!(status(both, &conn), "a | b | ");
    assert!(later.status(&conn).is_err() && later.upgrade(&mut conn).is_err());
    old.upgrade(&mut conn).unwrap();
    assert_eq!(status(both, &conn), "a b |  | ");
    assert_eq!(both.upgrade(&mut conn).unwrap(), [""; 0]);
    assert_eq!(status(later, &conn), "s |  | ");
    assert_eq!(later.upgrade(&mut conn).unwrap(), [""; 0]);
    assert_eq!(state(&mut conn), "a b | a");
    assert_eq!(later.downgrade(&mut conn, "base").unwrap(), ["s"]);
    let mut conn = Connection::open_in_memory().unwrap();
    assert_eq!(both.upgrade(&mut conn).unwrap(), ["s"]);
    assert_eq!(status(both, &conn), "s |  | ");
    assert_eq!(status(old, &conn), " | a b | s");
}
