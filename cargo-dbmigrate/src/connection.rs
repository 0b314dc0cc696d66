//! Finds the database of a command, and opens it.

use std::cell::Cell;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use dbmigrate_runtime::engine::driver::sqlite::{SqliteDriver, behind_links};
use dbmigrate_runtime::engine::driver::{Connection as _, DatabaseError, Driver, Wait};
use dbmigrate_runtime::engine::url::{Access, Location, Url};

use crate::config;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::output::Output;

/// Where the database's URL was found; relative paths start from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `--url`
    Flag,
    /// This environment variable.
    Environment(String),
    /// A `.env` file.
    DotEnv(PathBuf),
    /// `dbmigrate.toml`
    Config(PathBuf),
    /// A pattern of `--all`. Its messages already contain the file's name.
    Pattern,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Flag => f.write_str("--url"),
            Source::Pattern => f.write_str("--all"),
            Source::Environment(text) => write!(f, "the environment's {text}"),
            Source::DotEnv(path) | Source::Config(path) => write!(f, "`{}`", path.display()),
        }
    }
}

/// The database for a command, not yet opened.
#[derive(Debug, Clone)]
pub struct Database {
    pub source: Source,
    location: Option<PathBuf>,
    access: Option<Access>,
}

impl Database {
    /// Finds the database from `--url`, the environment, `.env` or dbmigrate.toml, and reports it
    /// as the one that the command uses.
    pub fn find(cx: &Context) -> Result<Database> {
        let database = Database::locate(cx)?;
        cx.out.talks_to(&database.url());
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
        let location = match url.location {
            Location::Memory => None,
            Location::File(path) => Some(base(cx, &source).join(path)),
        };
        Ok(Database { source, location, access: url.access })
    }

    /// A file that a pattern found.
    pub fn file(path: &Path) -> Database {
        let location = Some(path.to_owned());
        Database { source: Source::Pattern, location, access: Some(Access::ReadWrite) }
    }

    /// The name for messages. SQLite's URLs contain no password.
    pub fn name(&self) -> String {
        match &self.location {
            Some(path) => path.display().to_string(),
            None => ":memory:".to_owned(),
        }
    }

    /// The URL for messages, without a password. SQLite's URLs contain none.
    pub fn url(&self) -> String {
        format!("sqlite:{}", self.name())
    }

    /// The database's file; `None` if it is in memory.
    pub fn path(&self) -> Option<&Path> {
        self.location.as_deref()
    }

    /// Whether the file doesn't exist yet.
    pub fn is_missing(&self) -> bool {
        self.location.as_ref().is_none_or(|path| !path.exists())
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
        self.open(self.access.unwrap_or(Access::Create), patience.at_most, &mut on_wait)
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
        let name = self.name();
        let source = &self.source;
        match (self.access, wanted) {
            (Some(Access::ReadOnly), Access::ReadWrite | Access::Create) => {
                Err(Error::new(format!("the database `{name}` is opened to read only"))
                    .hint(format!("take `?mode=ro` out of its URL, in {source}")))
            }
            (Some(Access::ReadWrite), Access::Create) => {
                Err(Error::new(format!("the database `{name}` would have to be created"))
                    .hint(format!("its URL says `?mode=rw`, in {source}; `?mode=rwc` creates it")))
            }
            _ => Ok(()),
        }
    }

    fn open(
        &self,
        access: Access,
        at_most: Duration,
        on_wait: &mut dyn FnMut(Duration),
    ) -> Result<Box<dyn Driver>> {
        let doing = || match self.source {
            Source::Pattern => "failed to open it".to_owned(),
            _ => format!("failed to open the database `{}`", self.name()),
        };
        let Some(path) = &self.location else {
            let driver = SqliteDriver::open_in_memory();
            return driver.map(boxed).map_err(|err| Error::new(doing()).cause(err));
        };
        if path.is_dir() {
            return Err(Error::new(format!("{}: it is a directory", doing()))
                .hint(format!("correct the path in {}", self.source)));
        }
        let file = behind_links(path).unwrap_or_else(|| path.clone());
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
            let message =
                format!("{}: the directory `{}` does not exist", doing(), parent.display());
            return Err(Error::new(message)
                .hint(format!("create it, or correct the path in {}", self.source)));
        }
        let failed = |err: DatabaseError| {
            let hint = if err.is_not_a_database() {
                "the file is something else, or it is encrypted"
            } else if err.is_busy() {
                "another process holds its lock: let it finish, and run the command again"
            } else {
                "look at the permissions of the file and of its directory"
            };
            Error::new(doing()).cause(err).hint(hint)
        };
        let start = Instant::now();
        let driver = match access {
            Access::Create => SqliteDriver::create(path, &mut Wait { at_most, on_wait }),
            Access::ReadOnly | Access::ReadWrite => SqliteDriver::open(path, access),
        };
        let driver = driver.map_err(failed)?;
        let at_most = at_most.saturating_sub(start.elapsed());
        match first_use(driver, at_most, on_wait) {
            // A killed run left a journal, and rolling it back requires write access.
            Err(err) if err.is_read_only() && access == Access::ReadOnly => {
                let driver = SqliteDriver::open(path, Access::ReadWrite).map_err(failed)?;
                first_use(driver, at_most, on_wait).map_err(failed)
            }
            res => res.map_err(failed),
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

/// SQLite inspects the file on first use.
fn first_use(
    mut driver: SqliteDriver<'static>,
    at_most: Duration,
    on_wait: &mut dyn FnMut(Duration),
) -> std::result::Result<Box<dyn Driver>, DatabaseError> {
    let start = Instant::now();
    let mut is_told = false;
    driver.set_busy_timeout(Duration::from_millis(200))?;
    while let Err(err) = driver.query("PRAGMA schema_version", &[]) {
        if !err.is_busy() || start.elapsed() >= at_most {
            return Err(err);
        }
        if !is_told {
            on_wait(at_most);
            is_told = true;
        }
    }
    driver.set_busy_timeout(at_most)?;
    Ok(boxed(driver))
}

fn boxed(driver: SqliteDriver<'static>) -> Box<dyn Driver> {
    Box::new(driver)
}

/// The environment variable that contains the database's URL: `DATABASE_URL`, or
/// `NAME_DATABASE_URL` for an additional database.
pub fn variable(cx: &Context) -> String {
    match &cx.database {
        None => "DATABASE_URL".to_owned(),
        Some(name) => format!("{}_DATABASE_URL", name.to_uppercase()),
    }
}

fn find_url(cx: &Context) -> Result<(String, Source)> {
    if let Some(url) = &cx.global.url {
        return Ok((url.clone(), Source::Flag));
    }
    let variable = variable(cx);
    if let Some(url) = std::env::var(&variable).ok().filter(|url| !url.is_empty()) {
        return Ok((url, Source::Environment(variable)));
    }
    for dir in cx.project.package_dir.ancestors() {
        let path = dir.join(".env");
        if !path.is_file() {
            continue;
        }
        let text = std::fs::read_to_string(&path);
        let text = text.doing(|| format!("read `{}`", path.display()))?;
        // Editors on Windows start a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let n_read = Rc::new(Cell::new(0));
        let lines = Lines { rest: text.as_bytes(), n_read: Rc::clone(&n_read) };
        let mut n_done = 0;
        for entry in dotenvy::from_read_iter(lines) {
            let (key, value) = entry.map_err(|err| bad_dot_env(&path, text, n_done, &err))?;
            n_done = n_read.get();
            if key == variable && !value.is_empty() {
                return Ok((value, Source::DotEnv(path)));
            }
        }
        break;
    }
    let source = Source::Config(config::path(&cx.project.config_dir));
    Ok((cx.config.url.clone(), source))
}

/// A text that is read line by line and counts how far it was read.
struct Lines<'a> {
    rest: &'a [u8],
    n_read: Rc<Cell<usize>>,
}

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let line = self.rest.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let n = line.len().min(buffer.len());
        buffer[..n].copy_from_slice(&line[..n]);
        self.rest = &self.rest[n..];
        self.n_read.set(self.n_read.get() + usize::from(n == line.len()));
        Ok(n)
    }
}

/// An error with the line of a `.env` file at which an invalid entry starts, after `n_done` lines
/// that were read. The library's own error shows the line itself, which may contain a password.
fn bad_dot_env(path: &Path, text: &str, n_done: usize, err: &dotenvy::Error) -> Error {
    let dotenvy::Error::LineParse(..) = err else {
        return Error::new(format!("failed to read `{}`: {err}", path.display()));
    };
    let is_passed_over = |line: &&str| line.trim().is_empty() || line.trim().starts_with('#');
    let n_between = text.lines().skip(n_done).take_while(is_passed_over).count();
    let place = format!("{}:{}", path.display(), n_done + n_between + 1);
    Error::new(format!("failed to read `{place}`: this line is not `KEY=value`")).hint(
        "a value with spaces, `#` or `$` is put in single quotes; the line isn't shown since it may \
         hold a password",
    )
}

/// The directory that relative paths start from.
fn base(cx: &Context, source: &Source) -> PathBuf {
    match source {
        Source::Flag | Source::Environment(_) | Source::Pattern => {
            std::env::current_dir().unwrap_or_default()
        }
        Source::DotEnv(path) => path.parent().map(Path::to_owned).unwrap_or_default(),
        Source::Config(_) => cx.project.package_dir.clone(),
    }
}
