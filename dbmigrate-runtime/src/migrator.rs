//! Migrations inside a program: the application migrates its own database.

use crate::Error;
use crate::migration::{Migrations, Module};

/// The migrations that a program carries; `migrations::migrator()` makes one.
///
/// With the feature `sqlite` it works on a connection of rusqlite. A connection inside an open
/// transaction is refused; the connection's settings are as before afterwards.
///
/// # Example
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use dbmigrate_runtime::{Migrator, Module};
///
/// // In a program: `#[path = "../migrations/mod.rs"] mod migrations;` and
/// // `migrations::migrator()`.
/// let migrator = Migrator::new(&[]);
///
/// let mut conn = rusqlite::Connection::open_in_memory().unwrap();
/// migrator.upgrade(&mut conn).unwrap();
/// assert!(migrator.is_up_to_date(&conn).unwrap());
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Migrator {
    modules: &'static [Module],
}

/// How a database stands to the migrations that a program carries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Ids of applied revisions, in the order of the history.
    pub applied: Vec<String>,
    /// Ids of revisions that the program has and the database doesn't, in the order in which they
    /// would run.
    pub pending: Vec<String>,
    /// Ids of applied revisions that the program doesn't have.
    pub unknown: Vec<String>,
}

impl Migrator {
    /// The migrations of these modules, in any order.
    pub const fn new(modules: &'static [Module]) -> Migrator {
        Migrator { modules }
    }

    /// The modules, as they were declared.
    pub fn modules(&self) -> &'static [Module] {
        self.modules
    }

    /// The migrations with what they record.
    ///
    /// # Errors
    ///
    /// When the revisions make no graph.
    pub fn migrations(&self) -> Result<Migrations, Error> {
        Migrations::new(self.modules.iter().map(Module::record).collect())
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::path::Path;

    use rusqlite::Connection;

    use super::{Migrator, Status};
    use crate::driver::Driver;
    use crate::driver::sqlite::{Mode, SqliteDriver};
    use crate::executor::{self, Executor, Options, OwnSteps};
    use crate::migration::Direction;
    use crate::revision::{Graph, Target, View};
    use crate::{Error, plan, version_table};

    impl Migrator {
        /// Applies what is pending, and returns the ids of the revisions that were applied.
        ///
        /// All of them in one transaction: it arrives, or the database is as before. Several
        /// processes may call it at once; each revision is applied once, and all of them succeed.
        ///
        /// # Errors
        ///
        /// When a revision fails, was edited after it was applied, or is unknown to this program;
        /// see [`Migrator::upgrade_with`] for a database that may be ahead.
        pub fn upgrade(&self, conn: &mut Connection) -> Result<Vec<String>, Error> {
            self.upgrade_with(conn, "head", &Options::default())
        }

        /// Applies what a revision needs and isn't applied; the identifiers are those of the
        /// command line.
        ///
        /// # Errors
        ///
        /// As [`Migrator::upgrade`].
        pub fn upgrade_with(
            &self,
            conn: &mut Connection,
            identifier: &str,
            options: &Options,
        ) -> Result<Vec<String>, Error> {
            self.run(&mut SqliteDriver::lent(conn), Direction::Upgrade, identifier, options)
        }

        /// Undoes what is applied behind a revision, `base` for everything. What the revisions
        /// drop can't be had back.
        ///
        /// # Errors
        ///
        /// When a revision can't be undone or fails; the database is then as before.
        pub fn downgrade(
            &self,
            conn: &mut Connection,
            identifier: &str,
        ) -> Result<Vec<String>, Error> {
            self.downgrade_with(conn, identifier, &Options::default())
        }

        /// The same with options, such as another version table, or callbacks; see
        /// [`Options::on_apply`].
        ///
        /// # Errors
        ///
        /// As [`Migrator::downgrade`].
        pub fn downgrade_with(
            &self,
            conn: &mut Connection,
            identifier: &str,
            options: &Options,
        ) -> Result<Vec<String>, Error> {
            self.run(&mut SqliteDriver::lent(conn), Direction::Downgrade, identifier, options)
        }

        /// Opens a database file, creates it if it is missing, and applies what is pending. Takes
        /// a path, or a URL such as `sqlite:app.db`, so it doesn't depend on the version of
        /// rusqlite that the application uses. It blocks: inside an async function it holds
        /// up the thread for as long as the migrations take.
        ///
        /// # Errors
        ///
        /// When the file can't be opened, and as [`Migrator::upgrade`].
        pub fn upgrade_url(&self, url: &str) -> Result<Vec<String>, Error> {
            let path = crate::url::sqlite_path(url)?;
            let open = match path {
                crate::url::Location::Memory => SqliteDriver::open_in_memory(),
                crate::url::Location::File { ref path, mode } => {
                    SqliteDriver::open(Path::new(path), mode.unwrap_or(Mode::Create))
                }
            };
            let mut driver = open.map_err(|err| Error::database("open the database", err))?;
            self.run(&mut driver, Direction::Upgrade, "head", &Options::default())
        }

        /// How the database stands to these migrations. Costs one query, changes nothing, and
        /// works on a connection that can only read.
        ///
        /// # Errors
        ///
        /// What the database says, when the revisions make no graph, and when the database is in the
        /// middle of revisions that one replaces and that this program doesn't have.
        pub fn status(&self, conn: &Connection) -> Result<Status, Error> {
            self.status_with(conn, &Options::default())
        }

        /// The same with options, of which the version table counts.
        ///
        /// # Errors
        ///
        /// As [`Migrator::status`].
        ///
        /// # Example
        ///
        /// ```
        /// use dbmigrate_runtime::{Migrator, Options};
        ///
        /// let migrator = Migrator::new(&[]);
        /// let options = Options { version_table: "done".to_owned(), ..Options::default() };
        ///
        /// let mut conn = rusqlite::Connection::open_in_memory().unwrap();
        /// migrator.upgrade_with(&mut conn, "head", &options).unwrap();
        /// assert_eq!(migrator.status_with(&conn, &options).unwrap().pending, [""; 0]);
        /// ```
        pub fn status_with(&self, conn: &Connection, options: &Options) -> Result<Status, Error> {
            let mut driver = SqliteDriver::reading(conn);
            let graph = Graph::new(self.modules.iter().map(|it| it.revision()).collect())?;
            let applied = version_table::read(&mut driver, options.version_table())?;
            let applied = executor::ids(&applied);
            let View { of: graph, applied, .. } = graph.view(applied)?;
            let heads = Target::Revisions(graph.heads().into_iter().map(str::to_owned).collect());
            let pending = plan::route(&graph, &applied, Direction::Upgrade, &heads);
            let (known, unknown): (Vec<_>, Vec<_>) =
                applied.into_iter().partition(|it| graph.get(it).is_some());
            let in_order = graph.revisions().iter().map(|it| it.id.clone());
            let applied = in_order.filter(|it| known.contains(it)).collect();
            Ok(Status { applied, pending, unknown })
        }

        /// Whether nothing is pending. A database that is ahead of this program counts as up to
        /// date, so that an old replica may start beside a new one.
        ///
        /// # Errors
        ///
        /// As [`Migrator::status`].
        pub fn is_up_to_date(&self, conn: &Connection) -> Result<bool, Error> {
            self.is_up_to_date_with(conn, &Options::default())
        }

        /// The same with options, of which the version table counts.
        ///
        /// # Errors
        ///
        /// As [`Migrator::status`].
        pub fn is_up_to_date_with(
            &self,
            conn: &Connection,
            options: &Options,
        ) -> Result<bool, Error> {
            Ok(self.status_with(conn, options)?.pending.is_empty())
        }

        fn run(
            &self,
            driver: &mut dyn Driver,
            direction: Direction,
            identifier: &str,
            options: &Options,
        ) -> Result<Vec<String>, Error> {
            let migrations = self.migrations()?;
            let (observer, steps) = (&mut (), &mut OwnSteps);
            let migrations = &migrations;
            Executor { driver, migrations, options, observer, steps }.run(direction, identifier)
        }
    }
}
