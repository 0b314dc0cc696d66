//! Many databases of one history, upgraded several at a time.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::Error;
use crate::barriers::{self, Barrier};
use crate::connect::open;
use crate::direction::Direction;
use crate::driver::Driver;
use crate::executor::{Executor, Observer, Options, OwnSteps, Steps};
use crate::migration::Migrations;
use crate::migrator::Migrator;
use crate::standing::Standing;
use crate::url::{Location, Url};
use crate::version_table::{self, VersionRow};

/// What became of one of many databases.
#[derive(Debug)]
pub struct Upgraded {
    /// The database's URL without its password, the path of its file, or the name of the schema.
    pub database: String,
    /// The ids of the revisions that were applied, or why it failed.
    pub result: Result<Vec<String>, Error>,
}

/// Works on items, several at a time, and reports each result on the calling thread as soon as it is
/// there. Each of the threads has a worker of its own. Without a number of jobs there are as many as
/// processors. A panic of the work is the caller's, after the other threads have ended.
pub fn several<T: Sync, W, R: Send>(
    (items, n_jobs): (&[T], Option<NonZeroUsize>),
    worker: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &T) -> R + Sync,
    mut report: impl FnMut(&T, R),
) {
    let n_jobs = n_jobs.or_else(|| thread::available_parallelism().ok()).map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let take = |sender: mpsc::Sender<(usize, R)>| {
        let mut worker = worker();
        loop {
            let idx = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(idx) else { return };
            if sender.send((idx, work(&mut worker, item))).is_err() {
                return;
            }
        }
    };
    thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        let (take, mut threads) = (&take, Vec::new());
        for _ in 0..n_jobs.min(items.len()) {
            let sender = sender.clone();
            let thread = thread::Builder::new().name("dbmigrate".to_owned());
            match thread.spawn_scoped(scope, move || take(sender)) {
                Ok(thread) => threads.push(thread),
                // A process may be allowed no more threads.
                Err(_) => break,
            }
        }
        if threads.is_empty() {
            take(sender);
        } else {
            // Without this, the results wouldn't end with the last thread.
            drop(sender);
        }
        results.into_iter().for_each(|(idx, res)| report(&items[idx], res));
        for thread in threads {
            if let Err(panic) = thread.join() {
                resume_unwind(panic);
            }
        }
    });
}

/// Upgrades one database of a history after the other.
#[derive(Debug)]
pub struct Upgrader<'a> {
    migrations: &'a Migrations,
    options: &'a Options,
    identifier: &'a str,
    /// The version rows of the last database with nothing pending. Most databases have the same
    /// rows, and then nothing has to be computed again.
    settled: Option<Vec<VersionRow>>,
    /// The barriers that the last upgrade stopped before.
    barriers: Vec<Barrier>,
}

/// One of many databases.
#[derive(Debug, Clone, Copy)]
pub struct One<'a> {
    /// The schema, if it is one of several in a database: each has a version table of its own, and
    /// with it a lock of its own.
    pub schema: Option<&'a str>,
    /// When its work began; waiting until now counts for the lock's timeout.
    pub start: Instant,
}

impl<'a> Upgrader<'a> {
    /// Upgrades to the revision that an identifier names.
    pub fn new(
        migrations: &'a Migrations,
        options: &'a Options,
        identifier: &'a str,
    ) -> Upgrader<'a> {
        let barriers = Vec::new();
        Upgrader { migrations, options, identifier, settled: None, barriers }
    }

    /// The barriers that the last upgrade stopped before.
    pub fn barriers(&self) -> &[Barrier] {
        &self.barriers
    }

    /// Upgrades a database, and returns the ids of the revisions that were run.
    ///
    /// # Errors
    ///
    /// As [`Executor::run`].
    pub fn upgrade(
        &mut self,
        driver: &mut dyn Driver,
        one: One<'_>,
        observer: &mut dyn Observer,
        steps: &mut dyn Steps,
    ) -> Result<Vec<String>, Error> {
        let migrations = self.migrations;
        let lock_timeout = self.options.lock_timeout.saturating_sub(one.start.elapsed());
        let mut options = Options { lock_timeout, ..self.options.clone() };
        if let Some(schema) = one.schema {
            schema.clone_into(&mut options.version_table_schema);
        }
        let options = &options;
        self.barriers.clear();
        let applied = version_table::read(driver.as_connection(), options.version_table())?;
        if self.settled.as_ref() == Some(&applied) {
            return Ok(Vec::new());
        }
        let standing = Standing::of(migrations, applied)?;
        standing.check(options.allow_ahead)?;
        let target = standing.target(Direction::Upgrade, self.identifier)?;
        let reach = barriers::reach(driver.as_connection(), &standing, &target, options.passing())?;
        reach.refuse(self.identifier)?;
        self.barriers = reach.barriers;
        if reach.ids.is_empty() {
            // Another database may have begun what waits here.
            if self.barriers.is_empty() {
                self.settled = Some(standing.rows);
            }
            return Ok(Vec::new());
        }
        let mut executor = Executor { driver, migrations, options, observer, steps };
        executor.run_to(Direction::Upgrade, &target)
    }
}

/// A database or a schema, not opened yet.
struct Target {
    name: String,
    url: Url,
    schema: Option<String>,
}

impl Migrator {
    /// Applies all pending revisions to many databases, several at a time, and returns what became
    /// of each, in the order of the URLs. Each has a connection, a lock and a transaction of its
    /// own, and one that fails doesn't stop the others.
    ///
    /// [`Options::jobs`] says how many are upgraded at a time. The URLs may be of SQLite files and
    /// of servers; a missing file is created.
    ///
    /// # Errors
    ///
    /// When the revisions don't form a graph, and when a URL is invalid. Nothing has run then.
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use dbmigrate_runtime::{Migrator, Options};
    ///
    /// // In a program: `migrations::migrator()`.
    /// let migrator = Migrator::new(&[]);
    /// let dir = std::env::temp_dir().join(format!("customers-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// let urls = ["ada", "bob"].map(|name| format!("sqlite:{}/{name}.db", dir.display()));
    ///
    /// for customer in migrator.upgrade_all(&urls, &Options::default()).unwrap() {
    ///     match customer.result {
    ///         Ok(applied) => println!("{}: {} revisions", customer.database, applied.len()),
    ///         Err(err) => eprintln!("{}: {}", customer.database, err.report()),
    ///     }
    /// }
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # }
    /// ```
    pub fn upgrade_all<U: AsRef<str>>(
        &self,
        urls: impl IntoIterator<Item = U>,
        options: &Options,
    ) -> Result<Vec<Upgraded>, Error> {
        let target = |url: U| {
            let url = Url::parse(url.as_ref())?;
            Ok(Target { name: shown(&url.location), url, schema: None })
        };
        let targets: Vec<Target> = urls.into_iter().map(target).collect::<Result<_, Error>>()?;
        self.upgrade_targets(&targets, options)
    }

    /// The same as [`Migrator::upgrade_all`] for schemas of one database: those that exist and that
    /// the function wants, given their names. Each has a version table of its own, and unqualified
    /// names in the revisions are those of the schema.
    ///
    /// # Errors
    ///
    /// When the revisions don't form a graph, when a table names its schema and so exists only once,
    /// when the database can't be opened, and when it isn't PostgreSQL's. Nothing has run then.
    ///
    /// # Example
    ///
    /// ```
    /// use dbmigrate_runtime::{Error, Migrator, Options};
    ///
    /// fn upgrade_customers(migrator: Migrator, url: &str) -> Result<(), Error> {
    ///     let options = Options { jobs: std::num::NonZeroUsize::new(8), ..Options::default() };
    ///     let is_customer = |schema: &str| schema.starts_with("tenant_");
    ///     for customer in migrator.upgrade_schemas(url, is_customer, &options)? {
    ///         let applied = customer.result?;
    ///         println!("{}: applied {applied:?}", customer.database);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn upgrade_schemas(
        &self,
        url: &str,
        is_wanted: impl Fn(&str) -> bool,
        options: &Options,
    ) -> Result<Vec<Upgraded>, Error> {
        let url = Url::parse(url)?;
        let server = match &url.location {
            Location::Server(server) if url.backend.has_schemas() => server,
            location => return Err(Error::no_schemas(&shown(location))),
        };
        self.migrations()?.refuse_named_schemas()?;
        let mut driver = open(&url, Duration::ZERO)?;
        let failed = |err| Error::database("read the schemas of the database", err);
        let found = driver.dialect().schemas(driver.as_connection()).map_err(failed)?;
        drop(driver);
        let wanted = found.into_iter().filter(|name| is_wanted(name));
        let targets: Vec<Target> = wanted
            .map(|name| {
                let location = Location::Server(server.in_schema(&name));
                let url = Url { location, ..url.clone() };
                Target { url, schema: Some(name.clone()), name }
            })
            .collect();
        self.upgrade_targets(&targets, options)
    }

    fn upgrade_targets(
        &self,
        targets: &[Target],
        options: &Options,
    ) -> Result<Vec<Upgraded>, Error> {
        let migrations = self.migrations()?;
        let numbered: Vec<(usize, &Target)> = targets.iter().enumerate().collect();
        let mut results: Vec<Option<Result<Vec<String>, Error>>> =
            targets.iter().map(|_| None).collect();
        several(
            (&numbered, options.jobs),
            || Upgrader::new(&migrations, options, "head"),
            |upgrader, (_, target)| {
                let one = One { schema: target.schema.as_deref(), start: Instant::now() };
                let mut driver = open(&target.url, options.lock_timeout)?;
                upgrader.upgrade(&mut *driver, one, &mut (), &mut OwnSteps)
            },
            |(idx, _), res| results[*idx] = Some(res),
        );
        let upgraded = targets.iter().zip(results).filter_map(|(target, result)| {
            Some(Upgraded { database: target.name.clone(), result: result? })
        });
        Ok(upgraded.collect())
    }
}

/// A database in messages.
fn shown(location: &Location) -> String {
    match location {
        Location::Memory => ":memory:".to_owned(),
        Location::File(path) => path.display().to_string(),
        Location::Server(server) => server.shown(),
    }
}
