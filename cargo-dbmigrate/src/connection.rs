//! Finds the database of a command, and opens it.

mod source;
mod sqlite;

use std::path::Path;
use std::time::{Duration, Instant};

use dbmigrate_runtime::engine::driver::{Driver, Wait};
use dbmigrate_runtime::engine::url::{Access, Location, Url};

use self::source::{base, find_url};
use self::sqlite::DatabaseFile;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::Output;

pub use self::source::{Source, variable};

/// The database for a command, not yet opened.
#[derive(Debug, Clone)]
pub struct Database {
    pub source: Source,
    file: DatabaseFile,
}

impl Database {
    /// Finds the database from `--url`, the environment, `.env` or dbmigrate.toml, and reports it
    /// as the one that the command uses.
    pub fn find(cx: &Context) -> Result<Database> {
        let database = Database::locate(cx)?;
        cx.out.set_url(&database.url());
        Ok(database)
    }

    /// The same for a database that is only compared with the one that the command uses.
    pub fn locate(cx: &Context) -> Result<Database> {
        // A file that can't contain the version table must not be created.
        cx.config.version_table().quoted(cx.dialect())?;
        let (url, source) = find_url(cx)?;
        let url = Url::parse(&url).map_err(|err| {
            let hint = dbmigrate_runtime::Error::hint(&err).map(str::to_owned);
            let err = Error::new(format!("{err}, in {source}"));
            hint.into_iter().fold(err, Error::hint)
        })?;
        let path = match url.location {
            Location::Memory => None,
            Location::File(path) => Some(base(cx, &source).join(path)),
        };
        Ok(Database { source, file: DatabaseFile { path, access: url.access } })
    }

    /// A file that a pattern found.
    pub fn file(path: &Path) -> Database {
        let file = DatabaseFile { path: Some(path.to_owned()), access: Some(Access::ReadWrite) };
        Database { source: Source::Pattern, file }
    }

    /// The name for messages. SQLite's URLs contain no password.
    pub fn name(&self) -> String {
        self.file.name()
    }

    /// The URL for messages, without a password. SQLite's URLs contain none.
    pub fn url(&self) -> String {
        format!("sqlite:{}", self.name())
    }

    /// The database's file; `None` if it is in memory.
    pub fn path(&self) -> Option<&Path> {
        self.file.path.as_deref()
    }

    /// Whether the file doesn't exist yet.
    pub fn is_missing(&self) -> bool {
        self.file.is_missing()
    }

    /// Opens the database for reading; `None` if the file doesn't exist yet.
    pub fn open_to_read(&self, patience: Patience) -> Result<Option<Box<dyn Driver>>> {
        if self.is_missing() {
            return Ok(None);
        }
        let mut on_wait = |at_most| patience.out.waiting(at_most);
        self.open(Access::ReadOnly, patience.at_most, &mut on_wait).map(Some)
    }

    /// Opens the database for writing. A missing file is created with the first commit; a missing
    /// directory is not.
    pub fn open_to_write(&self, patience: Patience) -> Result<Box<dyn Driver>> {
        self.check_access(Access::ReadWrite)?;
        if self.is_missing() {
            self.check_access(Access::Create)?;
        }
        let mut on_wait = |at_most| patience.out.waiting(at_most);
        self.open(self.file.access.unwrap_or(Access::Create), patience.at_most, &mut on_wait)
    }

    /// Opens an existing file for reading and writing, or only for reading if the URL allows no
    /// more; never creates a file.
    pub fn open_existing(
        &self,
        at_most: Duration,
        on_wait: &mut dyn FnMut(Duration),
    ) -> Result<Box<dyn Driver>> {
        self.open(Access::ReadWrite, at_most, on_wait)
    }

    /// Fails if the URL doesn't allow this access.
    pub fn check_access(&self, wanted: Access) -> Result<()> {
        self.file.check_access(wanted, &self.source)
    }

    fn open(
        &self,
        access: Access,
        at_most: Duration,
        on_wait: &mut dyn FnMut(Duration),
    ) -> Result<Box<dyn Driver>> {
        self.file.open(access, &self.source, &mut Wait { at_most, on_wait })
    }
}

/// How long to wait for another process that has locked the database.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Where waiting is reported.
    pub out: Output,
    pub at_most: Duration,
}

impl Patience {
    /// Opens a database, and subtracts the time that this waited from the time that remains for the
    /// rest of the command.
    pub fn spend<T>(&mut self, open: impl FnOnce(Patience) -> T) -> T {
        let start = Instant::now();
        let opened = open(*self);
        self.at_most = self.at_most.saturating_sub(start.elapsed());
        opened
    }

    /// The patience of commands that only read.
    pub fn reading(cx: &Context) -> Patience {
        Patience { out: cx.out, at_most: Duration::from_secs(5) }
    }
}
