//! An SQLite database: a file, or in memory.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use dbmigrate_runtime::engine::driver::sqlite::{SqliteDriver, behind_links};
use dbmigrate_runtime::engine::driver::{Connection as _, DatabaseError, Driver, Wait, Waiting};
use dbmigrate_runtime::engine::url::Access;

use super::Source;
use crate::error::{Error, Result};

/// An SQLite database, not yet opened.
#[derive(Debug, Clone)]
pub struct DatabaseFile {
    /// Its file; `None` if it is in memory.
    pub path: Option<PathBuf>,
    /// The access that its URL allows.
    pub access: Option<Access>,
}

impl DatabaseFile {
    /// The database's name for messages.
    pub fn name(&self) -> String {
        match &self.path {
            Some(path) => path.display().to_string(),
            None => ":memory:".to_owned(),
        }
    }

    /// The file that SQLite opens and keeps its journals next to: a link leads to it, and stays when
    /// it is deleted.
    pub fn real_path(&self) -> Option<PathBuf> {
        self.path.as_ref().map(|path| behind_links(path).unwrap_or_else(|| path.clone()))
    }

    /// Whether the file doesn't exist yet.
    pub fn is_missing(&self) -> bool {
        self.path.as_ref().is_none_or(|path| !path.exists())
    }

    /// Fails if the URL doesn't allow this access.
    pub fn check_access(&self, wanted: Access, source: &Source) -> Result<()> {
        let name = self.name();
        match (self.access, wanted) {
            (Some(Access::ReadOnly), Access::ReadWrite | Access::Create) => {
                Err(Error::new(format!("the database `{name}` is opened read-only"))
                    .hint(format!("remove `?mode=ro` from its URL, in {source}")))
            }
            (Some(Access::ReadWrite), Access::Create) => {
                Err(Error::new(format!("the database `{name}` would have to be created"))
                    .hint(format!("its URL says `?mode=rw`, in {source}; `?mode=rwc` creates it")))
            }
            _ => Ok(()),
        }
    }

    /// Opens the database with this access; `source` is where its URL was found.
    pub fn open(
        &self,
        access: Access,
        source: &Source,
        wait: &mut Wait<'_>,
    ) -> Result<Box<dyn Driver>> {
        let doing = || match source {
            Source::Pattern => "failed to open it".to_owned(),
            _ => format!("failed to open the database `{}`", self.name()),
        };
        let (Some(path), Some(file)) = (&self.path, self.real_path()) else {
            let driver = SqliteDriver::open_in_memory();
            return driver.map(boxed).map_err(|err| Error::new(doing()).cause(err));
        };
        if path.is_dir() {
            return Err(Error::new(format!("{}: it is a directory", doing()))
                .hint(format!("correct the path in {source}")));
        }
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
            let message =
                format!("{}: the directory `{}` does not exist", doing(), parent.display());
            return Err(
                Error::new(message).hint(format!("create it, or correct the path in {source}"))
            );
        }
        let failed = |err: DatabaseError| {
            let hint = if err.is_not_a_database() {
                "the file is not an SQLite database, or it is encrypted"
            } else if err.is_busy() {
                "another process holds its lock: let it finish, and run the command again"
            } else {
                "check the permissions of the file and of its directory"
            };
            Error::new(doing()).cause(err).hint(hint)
        };
        let start = Instant::now();
        let driver = match access {
            Access::Create => SqliteDriver::create(path, wait),
            Access::ReadOnly | Access::ReadWrite => SqliteDriver::open(path, access),
        };
        let driver = driver.map_err(failed)?;
        wait.at_most = wait.at_most.saturating_sub(start.elapsed());
        match first_use(driver, wait) {
            // A killed run left a journal, and rolling it back requires write access.
            Err(err) if err.is_read_only() && access == Access::ReadOnly => {
                let driver = SqliteDriver::open(path, Access::ReadWrite).map_err(failed)?;
                first_use(driver, wait).map_err(failed)
            }
            res => res.map_err(failed),
        }
    }
}

/// SQLite inspects the file on first use.
fn first_use(
    mut driver: SqliteDriver<'static>,
    wait: &mut Wait<'_>,
) -> std::result::Result<Box<dyn Driver>, DatabaseError> {
    let start = Instant::now();
    let mut is_reported = false;
    driver.set_busy_timeout(Duration::from_millis(200))?;
    while let Err(err) = driver.query("PRAGMA schema_version", &[]) {
        if !err.is_busy() || start.elapsed() >= wait.at_most {
            return Err(err);
        }
        if !is_reported {
            (wait.on_wait)(&Waiting::at_most(wait.at_most));
            is_reported = true;
        }
    }
    driver.set_busy_timeout(wait.at_most)?;
    Ok(boxed(driver))
}

fn boxed(driver: SqliteDriver<'static>) -> Box<dyn Driver> {
    Box::new(driver)
}
