//! The database of a command.

use std::env::VarError;
use std::path::Path;

use super::Settings;
use super::arguments::Arguments;
use super::output::Failure;
use crate::backend::Backend;
use crate::connect;
use crate::driver::Driver;
use crate::executor::Options;
use crate::url::{Access, Location, Url};
use crate::version_table::{self, VersionRow};

/// A database, not yet opened.
pub struct Database {
    pub url: Url,
    /// Where its URL was found.
    source: String,
    /// The kinds of databases that the history is for.
    backends: &'static [&'static str],
}

impl Database {
    /// Finds the database by `--url` or the environment.
    pub fn find(arguments: &Arguments, settings: &Settings) -> Result<Database, Failure> {
        let Settings { variable, backends, .. } = *settings;
        let (text, source) = match (&arguments.url, std::env::var(variable)) {
            (Some(url), _) => (url.clone(), "--url".to_owned()),
            (None, Ok(url)) if !url.is_empty() => {
                (url, format!("the environment variable {variable}"))
            }
            (None, Ok(_) | Err(VarError::NotPresent)) => {
                let hint = format!("set the environment variable {variable}, or pass --url");
                return Err(Failure::new("there is no database URL", hint));
            }
            (None, Err(VarError::NotUnicode(_))) => {
                let message = format!("the environment variable {variable} is not UTF-8");
                return Err(Failure::new(message, "set it to a URL in UTF-8"));
            }
        };
        let mut url = Url::parse(&text).map_err(|err| {
            let failure = Failure::from(err);
            Failure { message: format!("{}, in {source}", failure.message), ..failure }
        })?;
        if let Location::File(path) = &url.location {
            let dir = std::env::current_dir().unwrap_or_default();
            url.location = Location::File(dir.join(path));
        }
        let database = Database { url, source, backends };
        let named = database.url.backend;
        if !database.supported().any(|backend| backend.is_reached_by(named)) {
            return Err(database.not_for(named));
        }
        Ok(database)
    }

    fn supported(&self) -> impl Iterator<Item = Backend> {
        self.backends.iter().filter_map(|name| Backend::by_name(name))
    }

    fn not_for(&self, backend: Backend) -> Failure {
        let message = format!("this executable isn't for {backend}, which {} names", self.source);
        let names: Vec<_> = self.supported().map(Backend::title).collect();
        let hint = format!(
            "it is for {}; `dialects` in dbmigrate.toml lists the databases that it is built for",
            names.join(", ")
        );
        Failure::new(message, hint)
    }

    /// The URL without its password.
    pub fn shown(&self) -> String {
        match &self.url.location {
            Location::Memory => "sqlite::memory:".to_owned(),
            Location::File(path) => format!("sqlite:{}", path.display()),
            Location::Server(server) => server.shown(),
        }
    }

    /// The name for messages: the path of a file.
    pub fn name(&self) -> String {
        match &self.url.location {
            Location::Memory => ":memory:".to_owned(),
            Location::File(path) => path.display().to_string(),
            Location::Server(server) => server.shown(),
        }
    }

    /// Whether the file doesn't exist yet. A database on a server has to exist.
    pub fn is_missing(&self) -> bool {
        match &self.url.location {
            Location::Memory => true,
            Location::File(path) => !path.exists(),
            Location::Server(_) => false,
        }
    }

    /// Opens the database for reading; `None` if the file doesn't exist yet.
    pub fn open_to_read(&self) -> Result<Option<Box<dyn Driver>>, Failure> {
        if self.is_missing() {
            return Ok(None);
        }
        self.refuse_directory()?;
        let driver = connect::open_to_read(self.url.clone()).map_err(|err| self.failed(err))?;
        self.checked(driver).map(Some)
    }

    /// Opens the database for writing. A missing file is created with the first commit.
    pub fn open_to_write(&self, options: &Options) -> Result<Box<dyn Driver>, Failure> {
        if let Location::File(path) = &self.url.location {
            let name = path.display();
            if self.url.access == Some(Access::ReadOnly) {
                let message = format!("the database `{name}` is opened read-only");
                let hint = format!("remove `?mode=ro` from its URL, in {}", self.source);
                return Err(Failure::new(message, hint));
            }
            self.refuse_directory()?;
            let dir = path.parent().unwrap_or(Path::new("/"));
            if !dir.is_dir() {
                let message = format!(
                    "failed to open the database `{name}`: the directory `{}` does not exist",
                    dir.display()
                );
                let hint = format!("create it, or correct the path in {}", self.source);
                return Err(Failure::new(message, hint));
            }
        }
        let driver = connect::open(&self.url, options.lock_timeout);
        self.checked(driver.map_err(|err| self.failed(err))?)
    }

    fn refuse_directory(&self) -> Result<(), Failure> {
        match &self.url.location {
            Location::File(path) if path.is_dir() => {
                let name = path.display();
                let message = format!("failed to open the database `{name}`: it is a directory");
                Err(Failure::new(message, format!("correct the path in {}", self.source)))
            }
            _ => Ok(()),
        }
    }

    fn failed(&self, err: crate::Error) -> Failure {
        let failure = Failure::from(err);
        let place = format!("the URL is from {}", self.source);
        let hint = failure.hint.map_or(place.clone(), |hint| format!("{hint}; {place}"));
        Failure { hint: Some(hint), ..failure }
    }

    /// Only the server itself tells MySQL from MariaDB.
    fn checked(&self, driver: Box<dyn Driver>) -> Result<Box<dyn Driver>, Failure> {
        let found = driver.dialect().backend();
        if self.supported().any(|backend| backend == found) {
            Ok(driver)
        } else {
            Err(self.not_for(found))
        }
    }
}

/// The version rows; none if the database doesn't exist yet.
pub fn rows(
    reader: Option<&mut (dyn Driver + '_)>,
    options: &Options,
) -> Result<Vec<VersionRow>, Failure> {
    match reader {
        Some(driver) => Ok(version_table::read(driver.as_connection(), options.version_table())?),
        None => Ok(Vec::new()),
    }
}
