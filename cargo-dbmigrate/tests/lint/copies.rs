//! What the rules say about copies of tables is true: MySQL and MariaDB themselves refuse to make
//! such a change while others write.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use dbmigrate_runtime::engine::Migration;
use dbmigrate_runtime::engine::dialect::{Blocks, Dialect, Statement, StatementKind, Task};
use dbmigrate_runtime::engine::driver::mysql::MysqlDriver;
use dbmigrate_runtime::engine::driver::{AsConnection as _, Connection as _, Driver as _};
use dbmigrate_runtime::engine::plan;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;

use super::Case;
use crate::cases::mysql::{connect, servers};

/// Compares what the statements of a revision claim with what a server does, on each server.
pub fn check(case: &Case, migrations: &[Migration], say: &mut dyn FnMut(String)) -> usize {
    let [before, upgrade] = migrations else { panic!("two revisions") };
    let mut n_checked = 0;
    for (name, url) in servers() {
        let mut driver = database(url);
        let dialect: &'static dyn Dialect = driver.dialect();
        if !case.is_for(dialect.backend()) {
            continue;
        }
        let facts = driver.as_connection().facts().unwrap();
        let mut schema = Schema::default();
        let before = &before.upgrade.operations;
        let before = plan::tasks(before, &mut schema, dialect, &facts).unwrap();
        for statement in before.iter().filter_map(statement) {
            driver.batch(&statement.sql).unwrap();
        }
        let mut old: BTreeSet<String> = schema.tables.keys().cloned().collect();
        let operations = &upgrade.upgrade.operations;
        for operation in operations {
            match operation {
                Operation::RenameTable { from, to } if old.contains(from) => {
                    old.insert(to.clone());
                }
                _ => {}
            }
        }
        let Ok(tasks) = plan::tasks(operations, &mut schema, dialect, &facts) else { continue };
        for statement in tasks.iter().filter_map(statement) {
            if is_exclusive(statement, &old) {
                n_checked += 1;
                let sql = statement.sql.trim_end_matches(", LOCK=SHARED");
                match driver.batch(&format!("{sql}, LOCK=NONE")) {
                    Err(err) if err.to_string().contains("LOCK=NONE is not supported") => {}
                    res => say(format!("{name}: others can write during `{sql}`: {res:?}")),
                }
            }
            if let Err(err) = driver.batch(&statement.sql) {
                say(format!("{name}: `{}` fails: {err}", statement.sql));
                break;
            }
        }
    }
    n_checked
}

/// Whether the statement is said to keep out those who write to an existing table, in a way that it
/// asserts.
fn is_exclusive(statement: &Statement, old: &BTreeSet<String>) -> bool {
    let mut locks = statement.cost.iter().flat_map(|cost| &cost.locks);
    locks.any(|(table, lock)| {
        lock.blocks == Blocks::Writes && statement.sql.ends_with(lock.name) && old.contains(table)
    })
}

/// The statement of a task, unless it is hand-written.
fn statement(task: &Task) -> Option<&Statement> {
    task.statement().filter(|statement| statement.kind != StatementKind::Raw)
}

fn database(url: &str) -> MysqlDriver<'static> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let nth = COUNT.fetch_add(1, Ordering::Relaxed);
    let database = format!("lint_{}_{nth}", std::process::id());
    let (server, _) = url.rsplit_once('/').expect("a URL names a database");
    connect(url).batch(&format!("CREATE DATABASE {database}")).unwrap();
    connect(&format!("{server}/{database}"))
}
