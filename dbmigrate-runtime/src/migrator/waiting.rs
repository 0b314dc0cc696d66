//! Programs that don't migrate their database, and start once somebody else has.

use std::time::{Duration, Instant};

use super::known::Known;
use super::{Migrator, Status};
use crate::background::Background;
use crate::connect::ConnectToRead;
use crate::driver::Driver;
use crate::executor::Options;
use crate::{Error, trace};

/// The first and the longest pause between two looks at the database.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

impl Migrator {
    /// Checks that nothing is pending, with one query. A database that is ahead of this program
    /// counts as up to date, and so does one where only revisions behind a barrier are pending.
    ///
    /// # Errors
    ///
    /// When revisions are pending: the error names them ([`Error::is_behind`]). Otherwise as
    /// [`Migrator::status`].
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use dbmigrate_runtime::Migrator;
    ///
    /// // In a program: `migrations::migrator()`.
    /// let migrator = Migrator::new(&[]);
    ///
    /// let conn = rusqlite::Connection::open_in_memory().unwrap();
    /// migrator.require_up_to_date(&conn).unwrap();
    /// # }
    /// ```
    pub fn require_up_to_date(&self, database: impl ConnectToRead) -> Result<(), Error> {
        self.wait_until_up_to_date(database, Duration::ZERO)
    }

    /// Waits until nothing is pending, because another instance of the program, or a deployment
    /// step, migrates the database. A database that doesn't exist yet, or a server that doesn't
    /// answer yet, is waited for as well if it is named by a URL or a path.
    ///
    /// This blocks the thread; in an async function, use
    /// [`Migrator::wait_until_up_to_date_async`].
    ///
    /// # Errors
    ///
    /// When the time is up: the error names the revisions that are pending
    /// ([`Error::is_behind`]), and who migrates the database if somebody does and the database can
    /// tell; or it is the error of the last attempt to connect. Errors that don't pass, such as a
    /// wrong password, are returned at once.
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use std::time::Duration;
    ///
    /// use dbmigrate_runtime::Migrator;
    ///
    /// // In a program: `migrations::migrator()`.
    /// let migrator = Migrator::new(&[]);
    /// migrator.wait_until_up_to_date("sqlite::memory:", Duration::from_secs(60)).unwrap();
    /// # }
    /// ```
    pub fn wait_until_up_to_date(
        &self,
        database: impl ConnectToRead,
        timeout: Duration,
    ) -> Result<(), Error> {
        self.wait_until_up_to_date_with(database, timeout, &Options::default())
    }

    /// The same as [`Migrator::wait_until_up_to_date`] with options; only the version table's name
    /// and schema are used.
    ///
    /// # Errors
    ///
    /// As [`Migrator::wait_until_up_to_date`].
    pub fn wait_until_up_to_date_with(
        &self,
        database: impl ConnectToRead,
        timeout: Duration,
        options: &Options,
    ) -> Result<(), Error> {
        let known = Known::of(self.modules)?;
        let start = Instant::now();
        let (mut pause, longest) = PAUSES;
        let mut is_reported = false;
        database.attempt(|driver| {
            let left = timeout.saturating_sub(start.elapsed());
            let waited = (!timeout.is_zero()).then(|| start.elapsed());
            match driver.and_then(|driver| look(driver, &known, options).map(|at| (driver, at))) {
                Ok((_, status)) if status.is_up_to_date() => return Some(Ok(())),
                Ok((driver, status)) if left.is_zero() => {
                    let table = options.version_table();
                    let holder = driver.holder(&format!("{}.{}", table.schema, table.table));
                    return Some(Err(Error::behind(&status.lacking(), waited, holder.as_deref())));
                }
                Ok((_, status)) if !is_reported => {
                    trace::waits_for_others(&status.pending);
                    is_reported = true;
                }
                Ok(_) => {}
                Err(err) if left.is_zero() || !err.may_pass() => return Some(Err(err)),
                Err(_) => {}
            }
            std::thread::sleep(pause.min(left));
            pause = (pause * 2).min(longest);
            None
        })
    }

    /// The same as [`Migrator::wait_until_up_to_date`] for an async function: it waits on a thread
    /// of its own, and holds up no other task. It works with every executor.
    ///
    /// # Errors
    ///
    /// As [`Migrator::wait_until_up_to_date`].
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use dbmigrate_runtime::{Error, Migrator};
    ///
    /// async fn start(migrator: Migrator, url: &str) -> Result<(), Error> {
    ///     migrator.wait_until_up_to_date_async(url, Duration::from_secs(60)).await
    /// }
    /// ```
    pub fn wait_until_up_to_date_async(&self, url: &str, timeout: Duration) -> Background<()> {
        let url = url.to_owned();
        self.spawn(move |migrator| migrator.wait_until_up_to_date(url, timeout))
    }
}

fn look(driver: &mut dyn Driver, known: &Known, options: &Options) -> Result<Status, Error> {
    // The transaction would see the same version rows for ever.
    if driver.in_transaction() {
        return Err(Error::open_transaction());
    }
    known.status(driver.as_connection(), options)
}
