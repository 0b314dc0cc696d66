//! The database that a revision is tried on: what the migrations before it build.
//!
//! Neither steps nor SQL that reaches outside the database are run: a trial must not have outside
//! effects. If the operations describe everything that the migrations do, tables are created from
//! the replayed schema. Otherwise the migrations are run. Either result is kept in the target
//! directory, so that the next trial only runs what is new.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dbmigrate_runtime::engine::dialect::{Dialect as _, Sqlite};
use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::driver::{AsConnection as _, Connection as _, Driver};
use dbmigrate_runtime::engine::executor::{Executor, Observer, Steps};
use dbmigrate_runtime::engine::recording::Recording;
use dbmigrate_runtime::engine::revision::{Revision, Target};
use dbmigrate_runtime::engine::sql::Token;
use dbmigrate_runtime::engine::url::Access;
use dbmigrate_runtime::engine::{Migration, Migrations, version_table};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;
use dbmigrate_runtime::{BatchRange, Db, Direction, Options, StepResult, Value};

use super::missing::Missing;
use super::parts;
use crate::error::{Error, Result};

/// Stands in for the migrations if tables are created from the replayed schema.
const REPLAYED: &str = "what_the_migrations_build";

/// The result of a history that runs faster is not kept.
const WORTH_KEEPING: Duration = Duration::from_millis(30);

/// A database as the migrations before a revision leave it.
pub struct Start {
    driver: SqliteDriver<'static>,
    migrations: Vec<Migration>,
    /// The revisions that the tried one follows there.
    parents: Vec<String>,
    options: Options,
    /// Tables that could not be created, and why.
    left_out: Vec<(String, String)>,
    copy: Option<Copy>,
}

/// The migrations that a revision follows.
pub struct History<'a> {
    pub migrations: &'a Migrations,
    /// The revisions that it follows and depends on.
    pub heads: &'a [String],
    pub version_table: &'a str,
    /// Where the resulting database may be kept. SQLite's version is added to the name.
    pub kept: &'a Path,
}

impl History<'_> {
    /// The kept database for this version of SQLite, since others may give a different result.
    fn kept(&self, how: &str) -> Option<PathBuf> {
        let facts = SqliteDriver::open_in_memory().ok()?.as_connection().facts().ok()?;
        Some(self.kept.with_extension(format!("{how}sqlite-{}.db", facts.version)))
    }

    fn target(&self) -> Target {
        Target::Revisions(self.heads.to_vec())
    }

    fn options(&self) -> Options {
        options(self.version_table)
    }

    /// Runs the history up to its heads.
    fn run(&self, driver: &mut dyn Driver) -> std::result::Result<(), dbmigrate_runtime::Error> {
        let end = (Direction::Upgrade, &self.target());
        run_to(driver, self.migrations, &self.options(), end, &mut ())
    }
}

impl Start {
    /// The database that these migrations build; `schema` is the replayed schema.
    ///
    /// # Errors
    ///
    /// When no database in memory can be opened.
    pub fn of(history: &History<'_>, schema: &Schema) -> Result<Start> {
        let heads: Vec<&str> = history.heads.iter().map(String::as_str).collect();
        let ids = history.migrations.graph().with_ancestors(&heads);
        let before =
            || history.migrations.iter().filter(|migration| ids.contains(&*migration.revision.id));
        let is_replayable =
            before().all(|migration| migration.upgrade.operations.iter().all(is_known_to_replay));
        let stays_inside =
            !before().any(|migration| reaches_outside(&migration.upgrade.operations));
        if !is_replayable && stays_inside {
            if let Ok(start) = Start::run(history) {
                return Ok(start);
            }
        }
        Start::replayed_or_kept(schema, history.version_table, history.kept("replayed-"))
    }

    /// The tables of a schema, each created separately; a table that can't be created here is left
    /// out.
    ///
    /// # Errors
    ///
    /// When no database in memory can be opened.
    pub fn replayed(schema: &Schema, version_table: &str) -> Result<Start> {
        Start::replayed_or_kept(schema, version_table, None)
    }

    /// The same, from the kept database if it was created from the same schema.
    fn replayed_or_kept(
        schema: &Schema,
        version_table: &str,
        kept: Option<PathBuf>,
    ) -> Result<Start> {
        let operations = schema.tables.values().cloned().map(Operation::CreateTable).collect();
        let revision = Revision { id: REPLAYED.to_owned(), ..Revision::default() };
        let upgrade = Recording { operations, ..Recording::default() };
        let migration = Migration::new(revision, upgrade, Recording::default());
        let options = options(version_table);
        let copied = kept.as_deref().and_then(|kept| {
            let (copy, mut driver) = Copy::open(kept)?;
            let rows = version_table::read(&mut driver, options.version_table()).ok()?;
            let is_same = matches!(&rows[..], [row] if row.checksum == migration.checksum);
            is_same.then_some((driver, copy))
        });
        if let Some((driver, copy)) = copied {
            return Ok(Start {
                driver,
                migrations: vec![migration],
                parents: vec![REPLAYED.to_owned()],
                options,
                left_out: Vec::new(),
                copy: Some(copy),
            });
        }
        let began = Instant::now();
        let mut driver = SqliteDriver::open_in_memory().map_err(failed)?;
        driver.batch("PRAGMA foreign_keys = OFF; BEGIN").map_err(failed)?;
        let mut left_out = Vec::new();
        for table in schema.tables.values() {
            driver.batch("SAVEPOINT dbmigrate_table").map_err(failed)?;
            if let Err(why) = parts::make(&mut driver, table) {
                driver.batch("ROLLBACK TO dbmigrate_table").map_err(failed)?;
                let why = match Missing::of(&why) {
                    Some(missing) => missing.reason(),
                    None => format!("can't be created here ({why})"),
                };
                left_out.push((table.name.clone(), why));
            }
            driver.batch("RELEASE dbmigrate_table").map_err(failed)?;
        }
        driver.batch("COMMIT").map_err(failed)?;
        let mut start = Start {
            driver,
            migrations: vec![migration],
            parents: vec![REPLAYED.to_owned()],
            options,
            left_out,
            copy: None,
        };
        let migrations = Migrations::new(start.migrations.clone())?;
        let target = Target::Revisions(start.parents.clone());
        let Start { driver, options, .. } = &mut start;
        let (observer, steps, migrations) = (&mut (), &mut NoSteps, &migrations);
        Executor { driver, migrations, options, observer, steps }.stamp(&target, false)?;
        if let Some(kept) = kept.filter(|_| start.left_out.is_empty()) {
            if began.elapsed() > WORTH_KEEPING {
                keep(&mut start.driver, &kept);
            }
        }
        Ok(start)
    }

    /// The database that the migrations build when they run.
    fn run(history: &History<'_>) -> Result<Start> {
        let kept = history.kept("");
        let copied = kept.as_deref().and_then(|kept| Copy::of(history, kept));
        let (driver, copy) = match copied {
            Some(copied) => copied,
            None => {
                let mut driver = SqliteDriver::open_in_memory().map_err(failed)?;
                driver.batch("PRAGMA foreign_keys = OFF").map_err(failed)?;
                let began = Instant::now();
                history.run(&mut driver)?;
                if let Some(kept) = kept.filter(|_| began.elapsed() > WORTH_KEEPING) {
                    keep(&mut driver, &kept);
                }
                (driver, None)
            }
        };
        Ok(Start {
            driver,
            migrations: history.migrations.every().cloned().collect(),
            parents: history.heads.to_vec(),
            options: history.options(),
            left_out: Vec::new(),
            copy,
        })
    }

    /// The first table that the operations need and that could not be created, and why.
    pub fn left_out(&self, operations: &[Operation]) -> Option<(&str, &str)> {
        let mut needed = operations.iter().flat_map(Operation::tables);
        let found = needed.find_map(|name| self.left_out.iter().find(|(table, _)| table == name));
        found.map(|(table, why)| (table.as_str(), why.as_str()))
    }

    /// Adds the revision to try.
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

/// A database on which a revision is applied and undone.
pub struct Trying {
    pub driver: Box<dyn Driver>,
    migrations: Migrations,
    id: String,
    parents: Vec<String>,
    options: Options,
    // Dropped after the connection, so that the file is closed when it is removed.
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
        run_to(&mut *self.driver, &self.migrations, &self.options, (direction, &target), &mut ())
    }
}

/// Skips steps, since they are programs that may do anything.
pub struct NoSteps;

impl Steps for NoSteps {
    fn run(&mut self, _: &Migration, _: Direction, _: usize, _: &mut Db<'_>) -> StepResult {
        Ok(())
    }

    fn run_piece(
        &mut self,
        _: (&Migration, Direction),
        _: usize,
        _: &BatchRange,
        _: &mut Db<'_>,
    ) -> StepResult {
        Ok(())
    }
}

/// A copy of a kept database; dropping this removes it.
struct Copy(PathBuf);

impl Drop for Copy {
    fn drop(&mut self) {
        for end in ["", "-journal"] {
            let _ = fs::remove_file(format!("{}{end}", self.0.display()));
        }
    }
}

impl Copy {
    /// Copies a kept database and opens the copy, which has to be closed before it is removed.
    fn open(kept: &Path) -> Option<(Copy, SqliteDriver<'static>)> {
        let name = format!("trial-{}.db", std::process::id());
        let copy = Copy(kept.with_file_name(name));
        fs::copy(kept, &copy.0).ok()?;
        let mut driver = SqliteDriver::open(&copy.0, Access::ReadWrite).ok()?;
        let settings = "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; \
                        PRAGMA foreign_keys = OFF";
        driver.batch(settings).ok()?;
        Some((copy, driver))
    }

    /// A copy of the kept database, migrated to the history's heads; `None` if it belongs to another
    /// history.
    fn of(history: &History<'_>, kept: &Path) -> Option<(SqliteDriver<'static>, Option<Copy>)> {
        let (copy, mut driver) = Copy::open(kept)?;
        let options = history.options();
        let applied = version_table::read(&mut driver, options.version_table()).ok()?;
        let target = history.target();
        let wanted = history.migrations.graph().with_ancestors(&target.ids());
        let mut pending = wanted.clone();
        for row in &applied {
            if !pending.remove(row.id.as_str()) {
                return None;
            }
        }
        let stands_alone = |id: &&str| {
            history.migrations.get(id).is_some_and(|migration| migration.upgrade.no_transaction)
        };
        // The lock of such a revision would be a file.
        if pending.iter().any(stands_alone) {
            return None;
        }
        let began = Instant::now();
        // This fails for a revision that was edited.
        history.run(&mut driver).ok()?;
        if began.elapsed() > WORTH_KEEPING {
            keep(&mut driver, kept);
        }
        Some((driver, Some(copy)))
    }
}

/// Replaces the kept database. If that fails, the next trial only takes longer.
fn keep(driver: &mut SqliteDriver<'_>, path: &Path) {
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let Some(text) = temporary.to_str() else { return };
    let _ = fs::remove_file(&temporary);
    let kept = driver.execute("VACUUM INTO ?1", &[Value::Text(text.to_owned())]);
    if kept.is_err() || fs::rename(&temporary, path).is_err() {
        let _ = fs::remove_file(&temporary);
    }
}

fn failed(err: dbmigrate_runtime::engine::driver::DatabaseError) -> Error {
    Error::new("failed to create an in-memory database").cause(err)
}

fn options(version_table: &str) -> Options {
    let version_table = version_table.to_owned();
    Options { version_table, past_barriers: true, ..Options::default() }
}

/// An empty database in memory, without foreign keys being enforced.
///
/// # Errors
///
/// When it can't be opened.
pub fn in_memory() -> Result<Box<dyn Driver>> {
    let mut driver = SqliteDriver::open_in_memory().map_err(failed)?;
    driver.batch("PRAGMA foreign_keys = OFF").map_err(failed)?;
    Ok(Box::new(driver))
}

/// A database in a file, without foreign keys being enforced.
///
/// # Errors
///
/// When it can't be opened.
pub fn in_file(path: &Path) -> Result<Box<dyn Driver>> {
    let driver = SqliteDriver::open(path, Access::ReadWrite);
    let mut driver = driver
        .map_err(|err| Error::new(format!("failed to open `{}`", path.display())).cause(err))?;
    driver.batch("PRAGMA foreign_keys = OFF").map_err(failed)?;
    Ok(Box::new(driver))
}

/// Has the database enforce foreign keys.
///
/// # Errors
///
/// The database's errors.
pub fn enforce_foreign_keys(driver: &mut dyn Driver) -> Result<()> {
    driver.batch("PRAGMA foreign_keys = ON").map_err(failed)
}

/// Whether rows refer to rows that don't exist.
///
/// # Errors
///
/// The database's errors.
pub fn has_violations(driver: &mut dyn Driver) -> Result<bool> {
    let found = driver.as_connection().query("PRAGMA foreign_key_check", &[]);
    Ok(!found.map_err(failed)?.rows.is_empty())
}

/// Runs migrations without their steps; only the observer hears of it.
///
/// # Errors
///
/// As [`Executor::run_to`].
pub fn run_observed(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    version_table: &str,
    end: (Direction, &Target),
    observer: &mut dyn Observer,
) -> std::result::Result<(), dbmigrate_runtime::Error> {
    run_to(driver, migrations, &options(version_table), end, observer)
}

/// Runs migrations with their steps.
///
/// # Errors
///
/// As [`Executor::run_to`].
pub fn run_with(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    options: &Options,
    (direction, target): (Direction, &Target),
    steps: &mut dyn Steps,
) -> std::result::Result<(), dbmigrate_runtime::Error> {
    let observer = &mut ();
    let mut executor = Executor { driver, migrations, options, observer, steps };
    executor.run_to(direction, target).map(drop)
}

fn run_to(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    options: &Options,
    (direction, target): (Direction, &Target),
    observer: &mut dyn Observer,
) -> std::result::Result<(), dbmigrate_runtime::Error> {
    let steps = &mut NoSteps;
    let mut executor = Executor { driver, migrations, options, observer, steps };
    executor.run_to(direction, target).map(drop)
}

/// Whether replay shows everything that a trial would run of the operation: steps aren't run, and
/// declarations run nothing.
fn is_known_to_replay(operation: &Operation) -> bool {
    operation.is_schema_change()
        || matches!(operation, Operation::Run(_) | Operation::Makes(_) | Operation::Drops(_))
}

/// Whether hand-written SQL reads or writes files other than the database's.
pub fn reaches_outside(operations: &[Operation]) -> bool {
    operations.iter().any(|operation| {
        let Operation::Execute(execute) = operation else { return false };
        let Some(text) = execute.sql.text(parts::BACKEND) else { return false };
        let tokens = Sqlite.lexicon().tokens(text);
        let has = |word: &str| tokens.iter().any(|token: &Token<'_>| token.is_word(word));
        has("ATTACH") || has("load_extension") || (has("VACUUM") && has("INTO"))
    })
}

#[cfg(test)]
mod tests {
    use dbmigrate_runtime::operations::Operations;
    use dbmigrate_runtime::schema::{Column, Table, Type};

    use super::*;

    /// A statement that takes long enough for its result to be kept.
    const LONG: &str = "CREATE TABLE a AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 \
                        FROM n LIMIT 300000) SELECT sum(i) AS i FROM n";

    /// Revisions `r0`, `r1`, ..., each with one statement.
    fn migrations(statements: &[&str]) -> Migrations {
        let migration = |(idx, sql): (usize, &&str)| {
            let mut op = Operations::new();
            op.execute(*sql);
            let parents = idx.checked_sub(1).map(|before| format!("r{before}"));
            let revision = Revision {
                id: format!("r{idx}"),
                parents: parents.into_iter().collect(),
                ..Revision::default()
            };
            Migration::new(revision, op.finish(), Recording::default())
        };
        Migrations::new(statements.iter().enumerate().map(migration).collect()).unwrap()
    }

    /// The tables and views of the database on which the next revision would be tried.
    fn built(dir: &Path, statements: &[&str]) -> Vec<String> {
        let migrations = migrations(statements);
        let heads = [format!("r{}", statements.len() - 1)];
        let (version_table, kept) = ("dbmigrate_version", &dir.join("tried-1.2.3.db"));
        let history = History { migrations: &migrations, heads: &heads, version_table, kept };
        let mut start = Start::of(&history, &Schema::default()).unwrap();
        let names = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') \
                     AND name NOT LIKE 'dbmigrate%' ORDER BY name";
        let rows = start.driver.query(names, &[]).unwrap().rows;
        rows.into_iter().map(|row| format!("{}", row[0])).collect()
    }

    #[test]
    fn the_kept_tables_are_used_until_the_schema_is_another() {
        let dir = std::env::temp_dir().join(format!("dbmigrate-tables-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let kept = dir.join("tried.db");
        let table = |n: usize| {
            let name = format!("t{n}");
            let column = Column::new("id", Type::BigInteger).not_null();
            (name.clone(), Table::new(&name).column(column))
        };
        // So many that they take long enough to be kept.
        let mut schema = Schema::default();
        schema.tables.extend((0..1000).map(table));
        let n_tables = |schema: &Schema| {
            let start = Start::replayed_or_kept(schema, "version", Some(kept.clone())).unwrap();
            let is_kept = start.copy.is_some();
            let mut trying = start.driver;
            let count = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 't%'";
            let rows = trying.query(count, &[]).unwrap().rows;
            (rows[0][0].clone(), is_kept)
        };
        assert_eq!(n_tables(&schema), (Value::Integer(1000), false));
        assert_eq!(n_tables(&schema), (Value::Integer(1000), true));
        schema.tables.extend([table(1000)]);
        assert_eq!(n_tables(&schema), (Value::Integer(1001), false));
        assert_eq!(n_tables(&schema), (Value::Integer(1001), true));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn the_kept_database_is_used_until_a_revision_in_it_is_another() {
        let dir = std::env::temp_dir().join(format!("dbmigrate-kept-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let files = || -> Vec<PathBuf> {
            fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect()
        };
        let plain = built(&dir, &[LONG]);
        // Exactly one file is kept, whose name contains the versions of the tool and of SQLite.
        let [kept] = &files()[..] else { panic!("{:?}", files()) };
        let name = kept.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("tried-1.2.3.sqlite-3"), "{name}");
        let mark = |path: &Path| {
            let mut driver = SqliteDriver::open(path, Access::ReadWrite).unwrap();
            driver.batch("CREATE VIEW mark AS SELECT 1").unwrap();
        };
        mark(kept);
        let n_marked = |names: &[String]| names.iter().filter(|name| name.contains("mark")).count();
        assert_eq!((plain.len(), n_marked(&plain)), (1, 0));

        // A copy is used, only new revisions run, and no copy remains.
        let again = built(&dir, &[LONG]);
        assert_eq!((again.len(), n_marked(&again)), (2, 1));
        let more = built(&dir, &[LONG, "CREATE VIEW b AS SELECT i FROM a"]);
        assert_eq!((more.len(), n_marked(&more)), (3, 1));
        assert_eq!(files().len(), 1);

        // A revision that was edited, one that was removed, and a file that isn't a database.
        let edited = LONG.replace("AS i FROM n", "AS i, 1 AS j FROM n");
        let names = built(&dir, &[&edited]);
        assert_eq!((names.len(), n_marked(&names)), (1, 0));
        assert_eq!(built(&dir, &[&edited, LONG.replace(" a ", " c ").as_str()]).len(), 2);
        mark(kept);
        assert_eq!(n_marked(&built(&dir, &[&edited])), 0);
        fs::write(kept, "no database").unwrap();
        assert_eq!(built(&dir, &[&edited]).len(), 1);
        assert_eq!(files().len(), 1);
        fs::remove_dir_all(&dir).unwrap();
    }
}
