//! Migrations inside a program: an application migrates its own database.

pub(crate) mod hash;
#[cfg(feature = "sqlite")]
mod in_memory;
mod known;
mod planning;
mod status;
mod waiting;

use std::time::Instant;

use crate::Error;
use crate::background::Background;
use crate::connect::test_database::{self, TestDatabase};
use crate::connect::{Connect, ConnectToRead};
use crate::direction::Direction;
use crate::executor::{Executor, Options, OwnSteps};
use crate::migration::{Migrations, Module};
use crate::room::with_room;
use known::Known;
pub use status::{AppliedRevision, Report, Status};

/// The migrations that a program contains; `migrations::migrator()` returns one.
///
/// It works on the application's own connection, or on the database that a URL or a path names: see
/// [`Connect`]. A connection with an open transaction is refused. The connection's settings are
/// restored afterwards.
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

impl Migrator {
    /// A migrator of these modules, in any order.
    pub const fn new(modules: &'static [Module]) -> Migrator {
        Migrator { modules }
    }

    /// The modules, as they were declared.
    pub fn modules(&self) -> &'static [Module] {
        self.modules
    }

    /// A hash of the revisions that this program has, regardless of their order; a program's
    /// `migrations::SCHEMA_HASH` is the same as a constant. A database that has just these applied
    /// has the same [`Status::schema_hash`].
    pub fn schema_hash(&self) -> String {
        hash::of_ids(self.modules.iter().map(|module| module.revision))
    }

    /// The migrations together with what they record.
    ///
    /// # Errors
    ///
    /// When the revisions don't form a graph.
    #[doc(hidden)]
    pub fn migrations(&self) -> Result<Migrations, Error> {
        let modules = self.modules;
        Migrations::new(with_room(|| modules.iter().map(Module::record).collect()))
    }

    /// Applies all pending revisions, and returns the ids of those that were applied. It stops before
    /// a revision with a barrier; [`Options::past_barriers`] applies that as well.
    ///
    /// Everything happens in one transaction: it succeeds, or the database is unchanged. Several
    /// processes may call this at the same time; each revision is applied once, and all calls
    /// succeed. The call blocks its thread for as long as the migrations take. Inside an async
    /// function, use [`Migrator::upgrade_async`].
    ///
    /// # Errors
    ///
    /// When the database can't be opened, or when a revision fails, was edited after it was
    /// applied, or is unknown to this program. [`Migrator::upgrade_with`] can allow a database that
    /// is ahead of the program.
    pub fn upgrade(&self, database: impl Connect) -> Result<Vec<String>, Error> {
        self.upgrade_with(database, "head", &Options::default())
    }

    /// Applies a revision and the pending revisions that it needs. Identifiers are the same as on
    /// the command line.
    ///
    /// # Errors
    ///
    /// As [`Migrator::upgrade`].
    pub fn upgrade_with(
        &self,
        database: impl Connect,
        identifier: &str,
        options: &Options,
    ) -> Result<Vec<String>, Error> {
        self.run(database, Direction::Upgrade, identifier, options)
    }

    /// Applies all pending revisions to the database of a URL such as `sqlite:app.db`; the same as
    /// [`Migrator::upgrade`] with the URL.
    ///
    /// # Errors
    ///
    /// As [`Migrator::upgrade`].
    pub fn upgrade_url(&self, url: &str) -> Result<Vec<String>, Error> {
        self.upgrade(url)
    }

    /// The same as [`Migrator::upgrade_url`] for an async function: it awaits the migrations, which
    /// run on a thread of their own, and holds up no other task. It works with every executor.
    ///
    /// # Errors
    ///
    /// As [`Migrator::upgrade`].
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// async fn migrate(url: &str) -> Result<(), dbmigrate_runtime::Error> {
    ///     let migrator = dbmigrate_runtime::Migrator::new(&[]);
    ///     let applied = migrator.upgrade_async(url).await?;
    ///     println!("applied {applied:?}");
    ///     Ok(())
    /// }
    /// # }
    /// ```
    pub fn upgrade_async(&self, url: &str) -> Background<Vec<String>> {
        let url = url.to_owned();
        self.spawn(move |migrator| migrator.upgrade(url))
    }

    /// Runs any work of the migrator on a thread of its own, for an async function that awaits it.
    /// A connection can be moved into the work.
    ///
    /// # Errors
    ///
    /// Those of the work.
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use dbmigrate_runtime::{Error, Migrator, Options};
    ///
    /// async fn migrate(migrator: Migrator, url: String) -> Result<Vec<String>, Error> {
    ///     let options = Options { version_table: "done".to_owned(), ..Options::default() };
    ///     migrator.spawn(move |migrator| migrator.upgrade_with(url, "head", &options)).await
    /// }
    /// # }
    /// ```
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl FnOnce(Migrator) -> Result<T, Error> + Send + 'static,
    ) -> Background<T> {
        let migrator = *self;
        Background::new(move || work(migrator))
    }

    /// Undoes the revisions that were applied after the given one, or all of them for `base`.
    /// Tables and columns that the revisions drop lose their data.
    ///
    /// # Errors
    ///
    /// When a revision can't be undone or fails; the database is then unchanged.
    pub fn downgrade(
        &self,
        database: impl Connect,
        identifier: &str,
    ) -> Result<Vec<String>, Error> {
        self.downgrade_with(database, identifier, &Options::default())
    }

    /// The same as [`Migrator::downgrade`] with options, such as another version table, or
    /// callbacks; see [`Options::on_apply`].
    ///
    /// # Errors
    ///
    /// As [`Migrator::downgrade`].
    pub fn downgrade_with(
        &self,
        database: impl Connect,
        identifier: &str,
        options: &Options,
    ) -> Result<Vec<String>, Error> {
        self.run(database, Direction::Downgrade, identifier, options)
    }

    /// How the database compares with these migrations. This takes one query (two if a revision waits
    /// at a barrier), changes nothing, and works on a read-only connection. A missing file counts as a
    /// database without revisions.
    ///
    /// # Errors
    ///
    /// The database's errors; when the revisions don't form a graph; and when the database has only
    /// some of the revisions that another one replaces, and this program doesn't contain them.
    pub fn status(&self, database: impl ConnectToRead) -> Result<Status, Error> {
        self.status_with(database, &Options::default())
    }

    /// The same as [`Migrator::status`] with options; only the version table's name and schema are
    /// used.
    ///
    /// # Errors
    ///
    /// As [`Migrator::status`].
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use dbmigrate_runtime::{Migrator, Options};
    ///
    /// let migrator = Migrator::new(&[]);
    /// let options = Options { version_table: "done".to_owned(), ..Options::default() };
    ///
    /// let mut conn = rusqlite::Connection::open_in_memory().unwrap();
    /// migrator.upgrade_with(&mut conn, "head", &options).unwrap();
    /// assert_eq!(migrator.status_with(&conn, &options).unwrap().pending, [""; 0]);
    /// # }
    /// ```
    pub fn status_with(
        &self,
        database: impl ConnectToRead,
        options: &Options,
    ) -> Result<Status, Error> {
        let known = Known::of(self.modules)?;
        database.with_reader(|driver| known.status(driver.as_connection(), options))
    }

    /// Whether nothing is pending, or only what waits at a barrier. A database that is ahead of this
    /// program counts as up to date, so that an old replica may start beside a new one.
    ///
    /// # Errors
    ///
    /// As [`Migrator::status`].
    pub fn is_up_to_date(&self, database: impl ConnectToRead) -> Result<bool, Error> {
        self.is_up_to_date_with(database, &Options::default())
    }

    /// The same as [`Migrator::is_up_to_date`] with options; only the version table's name and
    /// schema are used.
    ///
    /// # Errors
    ///
    /// As [`Migrator::status`].
    pub fn is_up_to_date_with(
        &self,
        database: impl ConnectToRead,
        options: &Options,
    ) -> Result<bool, Error> {
        Ok(self.status_with(database, options)?.is_up_to_date())
    }

    /// Creates a migrated database for one test, and drops it with the returned value.
    ///
    /// The URL says where to create it. With an `sqlite:` URL, the database is a file under the
    /// system's directory for temporary files. Otherwise it is created on the server of the URL, with
    /// the same user. The database that the URL names is left as it is and need not exist. The
    /// history is applied once to a template, which all tests and processes copy; a changed history
    /// gets a new template. Tests may run in parallel, each with a database of its own.
    ///
    /// MySQL and MariaDB copy no databases: there the tables of the template are created again with
    /// their rows, and a history that makes views, triggers or routines is run for each test.
    ///
    /// On a server, the user must be allowed to create databases (on PostgreSQL
    /// `ALTER ROLE ... CREATEDB`, on MySQL and MariaDB ``GRANT ALL ON `dbmigrate\_%`.* TO ...``), and
    /// the URL must be that of the server itself and not of a pooler. When the database is dropped,
    /// the server ends the connections that are still open. If a process is killed, its database
    /// remains until another process creates a test database. A template remains until it has not
    /// been used for a week.
    ///
    /// # Errors
    ///
    /// When the server can't be reached, when the role may not create databases, and as
    /// [`Migrator::upgrade`].
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use dbmigrate_runtime::Migrator;
    ///
    /// // In a program: `migrations::migrator()`, and the variable `DATABASE_URL`.
    /// let migrator = Migrator::new(&[]);
    /// let url = "sqlite:app.db";
    ///
    /// let database = migrator.test_database(url).unwrap();
    /// // A test connects to `database.url()`.
    /// assert!(migrator.is_up_to_date(database.url()).unwrap());
    ///
    /// let path = database.path().unwrap().to_owned();
    /// drop(database);
    /// assert!(!path.exists());
    /// # }
    /// ```
    ///
    /// An async test can await the call, so that other tasks run in the meantime:
    ///
    /// ```
    /// use dbmigrate_runtime::{Error, Migrator, TestDatabase};
    ///
    /// async fn database(migrator: Migrator, url: String) -> Result<TestDatabase, Error> {
    ///     migrator.spawn(move |migrator| migrator.test_database(&url)).await
    /// }
    /// ```
    pub fn test_database(&self, url: &str) -> Result<TestDatabase, Error> {
        self.test_database_with(url, &Options::default())
    }

    /// The same as [`Migrator::test_database`] with options, such as another version table.
    /// Callbacks are called when the template is created, and not for each database.
    ///
    /// # Errors
    ///
    /// As [`Migrator::test_database`].
    pub fn test_database_with(&self, url: &str, options: &Options) -> Result<TestDatabase, Error> {
        let migrate = |url: &str| self.upgrade_with(url, "head", options).map(drop);
        test_database::create(url, &self.migrations()?, options, &migrate)
    }

    fn run(
        &self,
        database: impl Connect,
        direction: Direction,
        identifier: &str,
        options: &Options,
    ) -> Result<Vec<String>, Error> {
        let migrations = &self.migrations()?;
        let start = Instant::now();
        database.with_driver(options.lock_timeout, |driver| {
            let (observer, steps) = (&mut (), &mut OwnSteps);
            let lock_timeout = options.lock_timeout.saturating_sub(start.elapsed());
            let options = &Options { lock_timeout, ..options.clone() };
            Executor { driver, migrations, options, observer, steps }.run(direction, identifier)
        })
    }
}
