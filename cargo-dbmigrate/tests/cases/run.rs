//! Runs a case on a real database.

use std::collections::BTreeSet;
use std::path::PathBuf;

use dbmigrate_runtime::engine::dialect::{Dialect, Task};
use dbmigrate_runtime::engine::drift::Difference;
use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::driver::{AsConnection as _, Driver};
use dbmigrate_runtime::engine::executor::{Executor, OwnSteps};
use dbmigrate_runtime::engine::recording::{self, Recording};
use dbmigrate_runtime::engine::url::Access;
use dbmigrate_runtime::engine::{Migration, Migrations, plan, revision};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;
use dbmigrate_runtime::{Direction, Error, Options};

use super::case::Case;
use super::migrate::Revision;
use super::older_sqlite::OlderSqlite;
use super::state::{SQLITE, State, drift};

/// A way to run a case.
#[derive(Debug, Clone, Copy)]
pub struct Pass {
    pub name: &'static str,
    /// The version that SQLite pretends to have.
    version: Option<&'static str>,
    foreign_keys: bool,
    pub journal: &'static str,
}

/// Before and after the additions to `ALTER TABLE` in 3.53, each with foreign keys on and off. The
/// expected texts are those of the first pass.
pub const PASSES: [Pass; 4] = [
    Pass { name: "3.46.0", version: Some("3.46.0"), foreign_keys: true, journal: "DELETE" },
    Pass {
        name: "3.40.0, no foreign keys",
        version: Some("3.40.0"),
        foreign_keys: false,
        journal: "WAL",
    },
    Pass { name: "newest", version: None, foreign_keys: true, journal: "WAL" },
    Pass { name: "newest, no foreign keys", version: None, foreign_keys: false, journal: "DELETE" },
];

/// What a case changes: the schemas before and after, and the revisions that lead to them.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    pub schemas: [&'a Schema; 2],
    pub first: &'a [Operation],
    pub second: &'a Revision,
}

/// The results of a run.
pub struct Ran {
    pub dialect: &'static dyn Dialect,
    /// What the first revision leaves different from its schema; `None` if nothing ran before the
    /// second one, so that it is what differs before that.
    pub fresh: Option<BTreeSet<String>>,
    pub before: State,
    /// The upgrade's statements, or why there are none.
    pub sql: Result<String, String>,
    pub after: Taken,
    /// The differences from the models' own schema after the upgrade.
    pub from_models: Vec<Difference>,
    /// The result of the downgrade, if the upgrade succeeded.
    pub back: Option<Taken>,
}

/// The database after a run, or why the run was refused, with the database at that point.
pub type Taken = Result<State, Box<(Error, State)>>;

/// A database file that is removed at the end.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(format!("{}{end}", self.0.display()));
        }
    }
}

/// Applies the first revision, runs the others' SQL, and applies and undoes the second revision.
pub fn run(case: &Case, pass: Pass, change: Change<'_>) -> Ran {
    let Change { schemas: [before, models], first, second } = change;
    let name = format!("dbmigrate-case-{}-{}.db", case.name, std::process::id());
    let file = File(std::env::temp_dir().join(name));
    let path = file.0.clone();
    let _ = std::fs::remove_file(&path);
    let driver = SqliteDriver::open(&path, Access::Create).unwrap();
    let mut driver = OlderSqlite { driver, version: pass.version };
    let foreign_keys = u8::from(pass.foreign_keys);
    let pragmas = format!(
        "PRAGMA journal_mode = {}; PRAGMA synchronous = OFF; PRAGMA foreign_keys = {foreign_keys}",
        pass.journal
    );
    driver.batch(&pragmas).unwrap();
    let migrations = migrations(first, second);
    take(&mut driver, &migrations[0], Direction::Upgrade, "head").unwrap();
    let fresh = case.setup.as_ref().map(|_| State::of(&mut driver, before).drift);
    if let Some(setup) = &case.setup {
        driver.batch(setup).unwrap_or_else(|err| panic!("{}: the setup fails: {err}", case.name));
    }
    let state = State::of(&mut driver, before);
    let mut schema = before.clone();
    let sql = statements(&mut driver, &second.upgrade, &mut schema);
    let after = match take(&mut driver, &migrations[1], Direction::Upgrade, "head") {
        Ok(()) => Ok(State::of(&mut driver, &replayed(before, second))),
        Err(err) => Err(Box::new((err, State::of(&mut driver, before)))),
    };
    let from_models = after
        .as_ref()
        .map_or_else(|_| Vec::new(), |state: &State| drift(&mut driver, models, &state.found));
    let back = after.as_ref().ok().map(|_| {
        match take(&mut driver, &migrations[1], Direction::Downgrade, "before") {
            Ok(()) => Ok(State::of(&mut driver, before)),
            Err(err) => Err(Box::new((err, State::of(&mut driver, &replayed(before, second))))),
        }
    });
    drop(driver);
    drop(file);
    Ran { dialect: SQLITE, fresh, before: state, sql, after, from_models, back }
}

/// The schema after a revision.
pub fn replayed(before: &Schema, revision: &Revision) -> Schema {
    let mut schema = before.clone();
    for operation in &revision.upgrade {
        operation.apply(&mut schema).unwrap();
    }
    schema
}

/// The migrations with only the first revision, and with both.
pub fn migrations(first: &[Operation], second: &Revision) -> [Migrations; 2] {
    let migration = |id: &str, parents: &[&str], upgrade: &[Operation], downgrade: &[Operation]| {
        let parents = parents.iter().map(|parent| (*parent).to_owned()).collect();
        let revision =
            revision::Revision { id: id.to_owned(), parents, ..revision::Revision::default() };
        let recording = |operations: &[Operation]| Recording {
            operations: operations.to_vec(),
            ..Recording::default()
        };
        Migration::new(revision, recording(upgrade), recording(downgrade))
    };
    let before = migration("before", &[], first, &[]);
    let after = migration("after", &["before"], &second.upgrade, &second.downgrade);
    [vec![before.clone()], vec![before, after]].map(|found| Migrations::new(found).unwrap())
}

pub fn take(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    direction: Direction,
    to: &str,
) -> Result<(), Error> {
    let (options, observer, steps) = (&Options::default(), &mut (), &mut OwnSteps);
    Executor { driver, migrations, options, observer, steps }.run(direction, to).map(drop)
}

/// The statements of an upgrade as a script. If later statements depend on what is stored, the
/// earlier ones are run to find out, and rolled back.
fn statements(
    driver: &mut OlderSqlite,
    operations: &[Operation],
    schema: &mut Schema,
) -> Result<String, String> {
    let operations = recording::settled(operations, SQLITE.backend());
    schema.settle(SQLITE.backend());
    driver.prepare("").unwrap();
    driver.batch("BEGIN IMMEDIATE").unwrap();
    let mut text = String::new();
    let mut taken = 0;
    let res = loop {
        let facts = driver.as_connection().facts_with_objects().unwrap();
        let plan = match SQLITE.plan(&operations[taken..], schema, &facts) {
            Ok(plan) => plan,
            Err(err) => break Err(err.message),
        };
        plan.tasks.iter().for_each(|task| text += &line(task));
        taken += plan.taken;
        if taken >= operations.len() {
            break Ok(text);
        }
        for task in &plan.tasks {
            if let Task::Statement(statement) = task {
                driver
                    .batch(&statement.sql)
                    .unwrap_or_else(|err| panic!("{}: {err}", statement.sql));
            }
        }
    };
    driver.rollback();
    driver.restore().unwrap();
    res
}

pub fn line(task: &Task) -> String {
    match task {
        Task::Statement(statement) => format!("{};\n", statement.sql),
        Task::Guard(guard) => format!("-- must return no rows: {}\n", guard.sql),
        Task::Note(task) => format!("-- {task}\n"),
        Task::Border => "-- a new transaction\n".to_owned(),
        Task::Alone(alone) => format!("{};\n", alone.statement.sql),
        Task::Step { name, .. } => format!("-- step `{name}`\n"),
    }
}

/// Plans both directions without a database, and runs the plans on a database that nobody else has
/// touched. Returns the differences from the schema that each direction should lead to.
pub fn offline(first: &[Operation], revision: &Revision) -> Result<Vec<Difference>, String> {
    let mut driver = SqliteDriver::open_in_memory().unwrap();
    driver.batch("PRAGMA foreign_keys = OFF").unwrap();
    let mut schema = Schema::default();
    let mut drifted = Vec::new();
    for operations in [first, &revision.upgrade, &revision.downgrade] {
        let tasks = plan::offline(operations, &mut schema, SQLITE).map_err(|err| err.message)?;
        for task in tasks {
            if let Task::Statement(statement) = task {
                driver.batch(&statement.sql).map_err(|err| format!("{}: {err}", statement.sql))?;
            }
        }
        let found = driver.as_connection().catalog(None).unwrap();
        drifted.extend(drift(&mut driver, &schema, &found));
    }
    Ok(drifted)
}
