//! What the rules say about locks is true: on real servers the locks are held, and others wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::Migration;
use dbmigrate_runtime::engine::dialect::{
    Blocks, Dialect as _, Facts, Lock, Postgres, Statement, Task, Work,
};
use dbmigrate_runtime::engine::driver::postgres::PostgresDriver;
use dbmigrate_runtime::engine::driver::{AsConnection as _, Connection as _, Driver as _};
use dbmigrate_runtime::engine::plan;
use dbmigrate_runtime::engine::url::{Location, Url};
use dbmigrate_runtime::schema::Schema;

use crate::cases::postgres::servers;

/// Two sessions in a database of their own.
struct Sessions {
    migrates: PostgresDriver<'static>,
    works: PostgresDriver<'static>,
}

impl Sessions {
    fn new(url: &str) -> Sessions {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let nth = COUNT.fetch_add(1, Ordering::Relaxed);
        let database = format!("lint_{}_{nth}", std::process::id());
        let (server, _) = url.rsplit_once('/').expect("a URL names a database");
        let create = format!("CREATE DATABASE {database} TEMPLATE template0");
        connect(url).batch(&create).unwrap();
        let url = format!("{server}/{database}");
        Sessions { migrates: connect(&url), works: connect(&url) }
    }
}

fn connect(url: &str) -> PostgresDriver<'static> {
    match Url::parse(url).unwrap().location {
        Location::Server(server) => PostgresDriver::connect(&server).unwrap(),
        other => panic!("{other:?} is not on a server"),
    }
}

/// Compares what the statements of a revision claim with what a server does, on each server.
pub fn check(migrations: &[Migration], say: &mut dyn FnMut(String)) -> usize {
    let [before, upgrade] = migrations else { panic!("two revisions") };
    // Each statement commits by itself, so no lock is left to look at.
    if upgrade.upgrade.no_transaction {
        return 0;
    }
    let operations = &upgrade.upgrade.operations;
    let mut n_checked = 0;
    for (name, url) in servers() {
        let mut sessions = Sessions::new(url);
        let facts = sessions.migrates.as_connection().facts().unwrap();
        let mut schema = Schema::default();
        let before = &before.upgrade.operations;
        let before = plan::tasks(before, &mut schema, &Postgres, &facts).unwrap();
        let facts = Facts { large: schema.tables.keys().cloned().collect(), ..facts };
        let Ok(tasks) = plan::tasks(operations, &mut schema, &Postgres, &facts) else { continue };
        for task in &before {
            if let Task::Statement(statement) = task {
                sessions.migrates.batch(&statement.sql).unwrap();
            }
        }
        let old: BTreeSet<String> = files(&mut sessions).into_keys().collect();
        let mut say = |text: String| say(format!("{name}: {text}"));
        for group in tasks.split(|task| *task == Task::Border) {
            sessions.migrates.batch("BEGIN").unwrap();
            let mut strongest = BTreeMap::new();
            for task in group {
                // What can't be in a transaction ends it.
                if let Task::Alone(alone) = task {
                    sessions.migrates.batch("COMMIT").unwrap();
                    sessions.migrates.batch(&alone.statement.sql).unwrap();
                    sessions.migrates.batch("BEGIN").unwrap();
                    strongest.clear();
                }
                let Task::Statement(statement) = task else { continue };
                let files_before = files(&mut sessions);
                if let Err(err) = sessions.migrates.batch(&statement.sql) {
                    say(format!("`{}` fails: {err}", statement.sql));
                    return n_checked;
                }
                let is_said = statement.cost.as_ref().map(|cost| cost.work == Work::Rewrite);
                let is_new = |(id, file): (&String, &String)| {
                    old.contains(id) && files_before.get(id).is_some_and(|before| before != file)
                };
                let is_rewritten = files(&mut sessions).iter().any(is_new);
                if let Some(is_said) = is_said.filter(|is_said| *is_said != is_rewritten) {
                    let sql = &statement.sql;
                    say(format!(
                        "`{sql}`: is said to rewrite the table: {is_said}; rewrites it: {is_rewritten}"
                    ));
                }
                for (table, lock) in locks(statement) {
                    let id = id(&mut sessions, table);
                    let Some(id) = id.filter(|id| old.contains(id)) else { continue };
                    let known = known(&mut sessions, &id);
                    let blocks = strongest.entry(id).or_insert(lock.blocks);
                    *blocks = lock.blocks.max(*blocks);
                    n_checked += 1;
                    let why = wrong(&mut sessions, &known, (lock.name, *blocks));
                    why.into_iter().for_each(|why| say(format!("`{}`: {why}", statement.sql)));
                }
            }
            sessions.migrates.batch("COMMIT").unwrap();
        }
    }
    n_checked
}

/// The files that contain the rows of tables, by the ids of these: another one after the table was
/// rewritten.
fn files(sessions: &mut Sessions) -> BTreeMap<String, String> {
    let sql = "SELECT oid::text, relfilenode::text FROM pg_class WHERE relkind = 'r' \
               AND relnamespace = current_schema()::regnamespace";
    let rows = sessions.migrates.query(sql, &[]).unwrap().rows;
    let file = |row: Vec<Value>| match <[Value; 2]>::try_from(row) {
        Ok([Value::Text(id), Value::Text(file)]) => Some((id, file)),
        _ => None,
    };
    rows.into_iter().filter_map(file).collect()
}

/// The id of a table; it stays when the table is renamed.
fn id(sessions: &mut Sessions, table: &str) -> Option<String> {
    let name = Value::from(Postgres.quote(table));
    let sql = "SELECT to_regclass(?1)::oid::text";
    sessions.migrates.query(sql, &[name]).unwrap().texts().next()
}

/// The name by which others know a table, which is the previous one until a commit.
fn known(sessions: &mut Sessions, id: &str) -> String {
    let sql = "SELECT relname::text FROM pg_class WHERE oid = ?1::oid";
    let names = sessions.works.query(sql, &[Value::from(id)]).unwrap();
    names.texts().next().expect("others know an old table")
}

/// The locks that a statement is said to take.
fn locks(statement: &Statement) -> impl Iterator<Item = &(String, Lock)> {
    statement.cost.iter().flat_map(|cost| &cost.locks)
}

/// What is wrong with a claim: the lock is held, and keeps out whom those so far keep out.
fn wrong(sessions: &mut Sessions, table: &str, (name, blocks): (&str, Blocks)) -> Vec<String> {
    let mut wrong = Vec::new();
    let held = held(sessions, table);
    if !held.contains(name) {
        wrong.push(format!("{name} is not held on `{table}`, but {held:?}"));
    }
    // The locks that every reader and every writer takes.
    for (mode, waits) in [
        ("ACCESS SHARE", blocks == Blocks::ReadsAndWrites),
        ("ROW EXCLUSIVE", blocks >= Blocks::Writes),
    ] {
        if waits_for(sessions, table, mode) != waits {
            wrong.push(format!("{mode} on `{table}`: that it waits is not {waits}"));
        }
    }
    wrong
}

/// The locks that the other session holds on a table, as statements name them.
fn held(sessions: &mut Sessions, table: &str) -> BTreeSet<String> {
    let sql = "SELECT mode FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation \
               WHERE l.granted AND l.pid <> pg_backend_pid() AND c.relname = ?1";
    let rows = sessions.works.query(sql, &[Value::from(table)]).unwrap().rows;
    let words = |mode: &str| {
        let mut words = String::new();
        for c in mode.trim_end_matches("Lock").chars() {
            if c.is_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.push(c.to_ascii_uppercase());
        }
        words
    };
    let mode = |row: &Vec<Value>| match row.first() {
        Some(Value::Text(mode)) => words(mode),
        other => panic!("{other:?} is not a mode"),
    };
    rows.iter().map(mode).collect()
}

/// Whether somebody who wants this lock has to wait.
fn waits_for(sessions: &mut Sessions, table: &str, mode: &str) -> bool {
    let lock = format!("LOCK TABLE {} IN {mode} MODE", Postgres.quote(table));
    sessions.works.batch("BEGIN; SET LOCAL lock_timeout = '50ms'").unwrap();
    let waits = sessions.works.batch(&lock).is_err();
    sessions.works.batch("ROLLBACK").unwrap();
    waits
}
