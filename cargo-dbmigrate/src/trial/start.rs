//! The database that a revision is tried on: what the migrations before it build.
//!
//! Steps aren't run, nor is SQL that reaches beyond the database: a trial must have no effect on
//! the world. Where the operations say all that the migrations do, tables are made from what the
//! replay gives; else the migrations run, and what came of it is kept in the target directory, so
//! that the next trial runs only what is new.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dbmigrate_runtime::driver::Driver;
use dbmigrate_runtime::driver::sqlite::{Mode, SqliteDriver};
use dbmigrate_runtime::executor::{Executor, Steps};
use dbmigrate_runtime::operations::{Operation, Recording};
use dbmigrate_runtime::revision::{Revision, Target};
use dbmigrate_runtime::schema::Schema;
use dbmigrate_runtime::sql::{self, Token};
use dbmigrate_runtime::{
    Db, Direction, Migration, Migrations, Options, StepResult, Value, version_table,
};

use super::missing::Missing;
use super::parts;
use crate::error::{Error, Result};

/// What stands for the migrations where the tables are made from the replay.
const REPLAYED: &str = "what_the_migrations_build";

/// A history that ran faster is not kept.
const WORTH_KEEPING: Duration = Duration::from_millis(30);

/// A database as the migrations before a revision leave it.
pub struct Start {
    driver: SqliteDriver<'static>,
    migrations: Vec<Migration>,
    /// What the revision follows there.
    parents: Vec<String>,
    options: Options,
    /// Tables that could not be made, and why.
    left_out: Vec<(String, String)>,
    copy: Option<Copy>,
}

/// The migrations that a revision follows.
pub struct History<'a> {
    pub migrations: &'a Migrations,
    /// The revisions that it follows and depends on.
    pub heads: &'a [String],
    pub version_table: &'a str,
    /// Where what they build may be kept.
    pub kept: &'a Path,
}

impl Start {
    /// The database that these migrations build; `schema` is what their replay gives.
    ///
    /// # Errors
    ///
    /// When there is no database in memory.
    pub fn of(history: &History<'_>, schema: &Schema) -> Result<Start> {
        let heads: Vec<&str> = history.heads.iter().map(String::as_str).collect();
        let ids = history.migrations.graph().with_ancestors(&heads);
        let before = || history.migrations.iter().filter(|it| ids.contains(&*it.revision.id));
        let is_said = before().all(|it| it.upgrade.operations.iter().all(is_typed));
        let stays_inside = !before().any(|it| reaches_outside(&it.upgrade.operations));
        if !is_said && stays_inside {
            if let Ok(start) = Start::run(history) {
                return Ok(start);
            }
        }
        Start::replayed(schema, history.version_table)
    }

    /// The tables of a schema, each made by itself: one that can't be made here is left out.
    ///
    /// # Errors
    ///
    /// When there is no database in memory.
    pub fn replayed(schema: &Schema, version_table: &str) -> Result<Start> {
        let mut driver = SqliteDriver::open_in_memory().map_err(failed)?;
        driver.batch("PRAGMA foreign_keys = OFF; BEGIN").map_err(failed)?;
        let mut left_out = Vec::new();
        for table in schema.tables.values() {
            driver.batch("SAVEPOINT dbmigrate_table").map_err(failed)?;
            if let Err(why) = parts::make(&mut driver, table) {
                driver.batch("ROLLBACK TO dbmigrate_table").map_err(failed)?;
                let why = match Missing::of(&why) {
                    Some(missing) => missing.said(),
                    None => format!("can't be made here ({why})"),
                };
                left_out.push((table.name.clone(), why));
            }
            driver.batch("RELEASE dbmigrate_table").map_err(failed)?;
        }
        driver.batch("COMMIT").map_err(failed)?;
        let operations = schema.tables.values().cloned().map(Operation::CreateTable).collect();
        let revision = Revision { id: REPLAYED.to_owned(), ..Revision::default() };
        let upgrade = Recording { operations, ..Recording::default() };
        let mut start = Start {
            driver,
            migrations: vec![Migration::new(revision, upgrade, Recording::default())],
            parents: vec![REPLAYED.to_owned()],
            options: options(version_table),
            left_out,
            copy: None,
        };
        let migrations = Migrations::new(start.migrations.clone())?;
        let target = Target::Revisions(start.parents.clone());
        let Start { driver, options, .. } = &mut start;
        let (observer, steps, migrations) = (&mut (), &mut NoSteps, &migrations);
        Executor { driver, migrations, options, observer, steps }.stamp(&target, false)?;
        Ok(start)
    }

    /// The database that the migrations make when they run.
    fn run(history: &History<'_>) -> Result<Start> {
        let options = options(history.version_table);
        let target = Target::Revisions(history.heads.to_vec());
        let (driver, copy) = match Copy::of(history, &options, &target) {
            Some(copied) => copied,
            None => {
                let mut driver = SqliteDriver::open_in_memory().map_err(failed)?;
                driver.batch("PRAGMA foreign_keys = OFF").map_err(failed)?;
                let began = Instant::now();
                run_to(&mut driver, history.migrations, &options, Direction::Upgrade, &target)?;
                if began.elapsed() > WORTH_KEEPING {
                    keep(&mut driver, history.kept);
                }
                (driver, None)
            }
        };
        Ok(Start {
            driver,
            migrations: history.migrations.every().cloned().collect(),
            parents: history.heads.to_vec(),
            options,
            left_out: Vec::new(),
            copy,
        })
    }

    /// The first table that the operations need and that could not be made, and why.
    pub fn left_out(&self, operations: &[Operation]) -> Option<(&str, &str)> {
        let mut needed = operations.iter().flat_map(Operation::tables);
        let found = needed.find_map(|name| self.left_out.iter().find(|(table, _)| table == name));
        found.map(|(table, why)| (table.as_str(), why.as_str()))
    }

    /// With the revision that is tried, after what is there.
    ///
    /// # Errors
    ///
    /// When the revision doesn't fit the others.
    pub fn with(self, mut migration: Migration) -> Result<Trying> {
        let id = migration.revision.id.clone();
        if self.parents == [REPLAYED] {
            migration.revision =
                Revision { id: id.clone(), parents: self.parents.clone(), ..Revision::default() };
        }
        let parents = migration.revision.parents.clone();
        let migrations = Migrations::new([self.migrations, vec![migration]].concat())?;
        let driver = Box::new(self.driver);
        Ok(Trying { driver, migrations, id, parents, options: self.options, _copy: self.copy })
    }
}

/// A database on which a revision goes up and down.
pub struct Trying {
    pub driver: Box<dyn Driver>,
    migrations: Migrations,
    id: String,
    parents: Vec<String>,
    options: Options,
    // After the connection, so that the file is closed when it goes.
    _copy: Option<Copy>,
}

impl Trying {
    /// Applies the revision, or undoes it.
    ///
    /// # Errors
    ///
    /// As [`Executor::run_to`].
    pub fn run(
        &mut self,
        direction: Direction,
    ) -> std::result::Result<(), dbmigrate_runtime::Error> {
        let target = match direction {
            Direction::Upgrade => Target::Revisions(vec![self.id.clone()]),
            Direction::Downgrade if self.parents.is_empty() => Target::Base,
            Direction::Downgrade => Target::Revisions(self.parents.clone()),
        };
        run_to(&mut *self.driver, &self.migrations, &self.options, direction, &target)
    }
}

/// Passes steps over: they are programs, which may do anything.
struct NoSteps;

impl Steps for NoSteps {
    fn run(&mut self, _: &Migration, _: Direction, _: usize, _: &mut Db<'_>) -> StepResult {
        Ok(())
    }
}

/// A copy of a kept database, which is gone when this is.
struct Copy(PathBuf);

impl Drop for Copy {
    fn drop(&mut self) {
        for end in ["", "-journal"] {
            let _ = fs::remove_file(format!("{}{end}", self.0.display()));
        }
    }
}

impl Copy {
    /// A copy of what is kept, brought to the target; nothing where that is something else.
    fn of(
        history: &History<'_>,
        options: &Options,
        target: &Target,
    ) -> Option<(SqliteDriver<'static>, Option<Copy>)> {
        let name = format!("trial-{}.db", std::process::id());
        let copy = Copy(history.kept.with_file_name(name));
        fs::copy(history.kept, &copy.0).ok()?;
        let mut driver = SqliteDriver::open(&copy.0, Mode::ReadWrite).ok()?;
        let settings = "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; \
                        PRAGMA foreign_keys = OFF";
        driver.batch(settings).ok()?;
        let applied = version_table::read(&mut driver, options.version_table()).ok()?;
        let wanted = history.migrations.graph().with_ancestors(&target.ids());
        let mut pending = wanted.clone();
        for row in &applied {
            if !pending.remove(row.id.as_str()) {
                return None;
            }
        }
        let stands_alone =
            |id: &&str| history.migrations.get(id).is_some_and(|it| it.upgrade.no_transaction);
        // Its lock would be a file.
        if pending.iter().any(stands_alone) {
            return None;
        }
        let began = Instant::now();
        // An edited revision fails here.
        run_to(&mut driver, history.migrations, options, Direction::Upgrade, target).ok()?;
        if began.elapsed() > WORTH_KEEPING {
            keep(&mut driver, history.kept);
        }
        Some((driver, Some(copy)))
    }
}

/// Keeps a database in the place of the one that was kept. Without it the next trial takes longer.
fn keep(driver: &mut SqliteDriver<'_>, path: &Path) {
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let Some(text) = temporary.to_str() else { return };
    let _ = fs::remove_file(&temporary);
    let kept = driver.execute("VACUUM INTO ?1", &[Value::Text(text.to_owned())]);
    if kept.is_err() || fs::rename(&temporary, path).is_err() {
        let _ = fs::remove_file(&temporary);
    }
}

fn failed(err: dbmigrate_runtime::driver::DatabaseError) -> Error {
    Error::new("failed to make a database in memory").cause(err)
}

fn options(version_table: &str) -> Options {
    Options { version_table: version_table.to_owned(), ..Options::default() }
}

/// Runs the migrations without their steps, and says nothing of it.
fn run_to(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    options: &Options,
    direction: Direction,
    target: &Target,
) -> std::result::Result<(), dbmigrate_runtime::Error> {
    let (observer, steps) = (&mut (), &mut NoSteps);
    let mut executor = Executor { driver, migrations, options, observer, steps };
    executor.run_to(direction, target).map(drop)
}

/// Whether replay knows all that the operation does to tables, views, triggers and rows.
fn is_typed(operation: &Operation) -> bool {
    !matches!(operation, Operation::Execute(_) | Operation::BulkInsert { .. })
}

/// Whether SQL of a person's own reads or writes other files than the database's.
fn reaches_outside(operations: &[Operation]) -> bool {
    operations.iter().any(|operation| {
        let Operation::Execute(execute) = operation else { return false };
        let Some(text) = execute.sql.text("sqlite") else { return false };
        let tokens = sql::tokens(text);
        let has = |word: &str| tokens.iter().any(|token: &Token<'_>| token.is_word(word));
        has("ATTACH") || has("load_extension") || (has("VACUUM") && has("INTO"))
    })
}
