//! Finds the database of a command, and opens it.

mod server;
mod sqlite;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::driver::{Driver, Wait, Waiting};
use dbmigrate_runtime::engine::url::{Access, Location, Url};

use self::server::ServerDatabase;
use self::sqlite::DatabaseFile;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::Output;
pub use crate::url_source::Source;
use crate::url_source::base;

/// The database for a command, not yet opened.
#[derive(Debug, Clone)]
pub struct Database {
    pub source: Source,
    place: Place,
}

/// Where a database is.
#[derive(Debug, Clone)]
enum Place {
    /// In an SQLite file, or in memory.
    File(DatabaseFile),
    /// On a server.
    Server(ServerDatabase),
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
        let (url, source) = cx.url()?;
        let dir = base(&cx.lookup(), &source);
        Database::of_url(cx, &url, source, &dir)
    }

    /// The database of a URL that was found at `source`. A relative path is relative to `dir`.
    pub fn of_url(cx: &Context, url: &str, source: Source, dir: &Path) -> Result<Database> {
        let url = Url::parse(url).map_err(|err| {
            let hint = dbmigrate_runtime::Error::hint(&err).map(str::to_owned);
            let err = Error::new(format!("{err}, in {source}"));
            hint.into_iter().fold(err, Error::hint)
        })?;
        let backends = &cx.config.dialects;
        let is_reached = |backend: &Backend| backend.is_reached_by(url.backend);
        if !backends.is_empty() && !backends.iter().any(is_reached) {
            let message =
                format!("the history isn't for {}, which the URL in {source} is for", url.backend);
            let place = config::path(&cx.project.config_dir);
            return Err(Error::new(message).hint(format!(
                "add \"{}\" to `dialects` in `{}`, or give the URL of another database",
                url.backend.name(),
                cx.project.shown(&place)
            )));
        }
        let file = |path| Place::File(DatabaseFile { path, access: url.access });
        let place = match url.location {
            Location::Memory => file(None),
            Location::File(path) => file(Some(dir.join(path))),
            Location::Server(server) => {
                let history = cx.config.dialects.clone();
                Place::Server(ServerDatabase { backend: url.backend, server, history })
            }
        };
        Ok(Database { source, place })
    }

    /// A file that a pattern found.
    pub fn file(path: &Path) -> Database {
        let file = DatabaseFile { path: Some(path.to_owned()), access: Some(Access::ReadWrite) };
        Database { source: Source::Pattern, place: Place::File(file) }
    }

    /// Whether the database can have several schemas.
    pub fn has_schemas(&self) -> bool {
        matches!(&self.place, Place::Server(database) if database.backend.has_schemas())
    }

    /// The same database, where unqualified names are those of a schema; `None` if it has no
    /// schemas, as a file.
    pub fn in_schema(&self, schema: &str) -> Option<Database> {
        let Place::Server(database) = &self.place else { return None };
        let server = database.server.in_schema(schema);
        let place = Place::Server(ServerDatabase { server, ..database.clone() });
        Some(Database { source: self.source.clone(), place })
    }

    /// The name for messages, without a password.
    pub fn name(&self) -> String {
        match &self.place {
            Place::File(file) => file.name(),
            Place::Server(database) => database.server.shown(),
        }
    }

    /// The URL for messages, without a password.
    pub fn url(&self) -> String {
        match &self.place {
            Place::File(file) => format!("sqlite:{}", file.name()),
            Place::Server(database) => database.server.shown(),
        }
    }

    /// The database's file; `None` if it is in memory or on a server.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(file) => file.path.as_deref(),
            Place::Server(_) => None,
        }
    }

    /// The same behind all links: deleting it leaves the links as they are.
    pub fn real_path(&self) -> Option<PathBuf> {
        match &self.place {
            Place::File(file) => file.real_path(),
            Place::Server(_) => None,
        }
    }

    /// The backend that its URL names; `None` if it isn't on a server.
    pub fn server_kind(&self) -> Option<Backend> {
        match &self.place {
            Place::File(_) => None,
            Place::Server(database) => Some(database.backend),
        }
    }

    /// Whether the database is on a server.
    pub fn is_on_server(&self) -> bool {
        matches!(self.place, Place::Server(_))
    }

    /// Whether the database is in memory, so that each command finds an empty one.
    pub fn is_in_memory(&self) -> bool {
        matches!(&self.place, Place::File(file) if file.path.is_none())
    }

    /// What is said of a database that can't be read, since nothing has created it.
    pub fn missing_text(&self) -> &'static str {
        if self.is_in_memory() {
            "in memory, so each command finds an empty one"
        } else {
            "does not exist yet"
        }
    }

    /// Whether the file doesn't exist yet. A database on a server has to exist.
    pub fn is_missing(&self) -> bool {
        match &self.place {
            Place::File(file) => file.is_missing(),
            Place::Server(_) => false,
        }
    }

    /// The error of a command that needs a database that exists.
    pub fn missing(&self) -> Error {
        Error::new(format!("the database `{}` does not exist", self.name()))
    }

    /// Opens the database for reading; `None` if the file doesn't exist yet.
    pub fn open_to_read(&self, patience: Patience) -> Result<Option<Box<dyn Driver>>> {
        if self.is_missing() {
            return Ok(None);
        }
        let mut on_wait = |waiting: &Waiting| patience.out.waiting(waiting);
        self.open(Access::ReadOnly, patience.at_most, &mut on_wait).map(Some)
    }

    /// Opens the database for writing. A missing file is created with the first commit; a missing
    /// directory is not.
    pub fn open_to_write(&self, patience: Patience) -> Result<Box<dyn Driver>> {
        self.check_access(Access::ReadWrite)?;
        if self.is_missing() {
            self.check_access(Access::Create)?;
        }
        let mut on_wait = |waiting: &Waiting| patience.out.waiting(waiting);
        let access = match &self.place {
            Place::File(file) => file.access.unwrap_or(Access::Create),
            Place::Server(_) => Access::ReadWrite,
        };
        self.open(access, patience.at_most, &mut on_wait)
    }

    /// Opens an existing file for reading and writing, or only for reading if the URL allows no
    /// more; never creates a file.
    pub fn open_existing(
        &self,
        at_most: Duration,
        on_wait: &mut dyn FnMut(&Waiting),
    ) -> Result<Box<dyn Driver>> {
        self.open(Access::ReadWrite, at_most, on_wait)
    }

    /// Fails if the URL doesn't allow this access.
    pub fn check_access(&self, wanted: Access) -> Result<()> {
        match &self.place {
            Place::File(file) => file.check_access(wanted, &self.source),
            Place::Server(_) => Ok(()),
        }
    }

    fn open(
        &self,
        access: Access,
        at_most: Duration,
        on_wait: &mut dyn FnMut(&Waiting),
    ) -> Result<Box<dyn Driver>> {
        match &self.place {
            Place::File(file) => file.open(access, &self.source, &mut Wait { at_most, on_wait }),
            Place::Server(database) => database.open(&self.source),
        }
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
