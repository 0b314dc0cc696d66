//! Finds the URL of a command's database: `--url`, the environment, `.env`, dbmigrate.toml.

use std::cell::Cell;
use std::env::VarError;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::string::FromUtf8Error;

use dbmigrate_runtime::engine::Backend;

use crate::cli::Global;
use crate::config::{self, Config};
use crate::error::{Doing as _, Error, Result};
use crate::project::Project;

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
    /// A file with a list of URLs.
    List(PathBuf),
    /// `--shadow-url`
    Shadow,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Flag => f.write_str("--url"),
            Source::Pattern => f.write_str("--all"),
            Source::Shadow => f.write_str("--shadow-url"),
            Source::Environment(name) => write!(f, "the environment variable {name}"),
            Source::DotEnv(path) | Source::Config(path) | Source::List(path) => {
                write!(f, "`{}`", path.display())
            }
        }
    }
}

/// What a URL is looked up in.
#[derive(Debug, Clone, Copy)]
pub struct Lookup<'a> {
    pub global: &'a Global,
    pub project: &'a Project,
    pub config: &'a Config,
    /// The database's name; `None` for the default one.
    pub database: Option<&'a str>,
}

/// The environment variable that contains the database's URL: `DATABASE_URL`, or
/// `NAME_DATABASE_URL` for an additional database.
pub fn variable(lookup: &Lookup<'_>) -> String {
    match lookup.database {
        None => "DATABASE_URL".to_owned(),
        Some(name) => format!("{}_DATABASE_URL", name.to_uppercase()),
    }
}

/// The database's URL, and where it was found.
pub fn find_url(lookup: &Lookup<'_>) -> Result<(String, Source)> {
    if let Some(url) = &lookup.global.url {
        return Ok((url.clone(), Source::Flag));
    }
    if let Some(found) = in_environment(lookup, variable(lookup))? {
        return Ok(found);
    }
    let source = Source::Config(config::path(&lookup.project.config_dir));
    Ok((lookup.config.url.clone(), source))
}

/// The environment variable that contains the URL of the empty database on which a history is
/// tried.
pub fn shadow_variable(lookup: &Lookup<'_>) -> String {
    match lookup.database {
        None => "DATABASE_SHADOW_URL".to_owned(),
        Some(name) => format!("{}_DATABASE_SHADOW_URL", name.to_uppercase()),
    }
}

/// The URL of the empty database on which a history is tried, if one is given: by `--shadow-url`,
/// the environment, `.env` or dbmigrate.toml.
pub fn find_shadow_url(
    lookup: &Lookup<'_>,
    flag: Option<&str>,
) -> Result<Option<(String, Source)>> {
    if let Some(url) = flag {
        return Ok(Some((url.to_owned(), Source::Shadow)));
    }
    if let Some(found) = in_environment(lookup, shadow_variable(lookup))? {
        return Ok(Some(found));
    }
    let source = Source::Config(config::path(&lookup.project.config_dir));
    let url = lookup.config.shadow_url.clone();
    Ok(Some((url, source)).filter(|(url, _)| !url.is_empty()))
}

/// The URL in this environment variable, or in the nearest `.env` above the package.
fn in_environment(lookup: &Lookup<'_>, variable: String) -> Result<Option<(String, Source)>> {
    match std::env::var(&variable) {
        Ok(url) if !url.is_empty() => return Ok(Some((url, Source::Environment(variable)))),
        Ok(_) | Err(VarError::NotPresent) => {}
        // Another database than the named one must not be used in silence.
        Err(VarError::NotUnicode(_)) => {
            let message = format!("the environment variable {variable} is not UTF-8");
            return Err(Error::new(message).hint("set it to a URL in UTF-8, or unset it"));
        }
    }
    for dir in lookup.project.package_dir.ancestors() {
        let path = dir.join(".env");
        if !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(&path).doing(|| format!("read `{}`", path.display()))?;
        let text = String::from_utf8(bytes).map_err(|err| not_utf8(&path, &err))?;
        // Editors on Windows start a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let n_read = Rc::new(Cell::new(0));
        let lines = Lines { rest: text.as_bytes(), n_read: Rc::clone(&n_read) };
        let mut n_done = 0;
        for entry in dotenvy::from_read_iter(lines) {
            let (key, value) = entry.map_err(|err| bad_dot_env(&path, text, n_done, &err))?;
            n_done = n_read.get();
            if key == variable && !value.is_empty() {
                return Ok(Some((value, Source::DotEnv(path))));
            }
        }
        break;
    }
    Ok(None)
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

/// An error for a `.env` file in another encoding. Some shells on Windows write UTF-16, which begins
/// with a mark; for other encodings, the error names the line.
fn not_utf8(path: &Path, err: &FromUtf8Error) -> Error {
    let bytes = err.as_bytes();
    let path = path.display();
    let message = if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        format!("failed to read `{path}`: it is in UTF-16")
    } else {
        let valid = &bytes[..err.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("failed to read `{path}:{line}`: this line is not UTF-8")
    };
    Error::new(message).hint("save the file as UTF-8")
}

/// An error with the line of a `.env` file at which an invalid entry starts, after `n_done` lines
/// that were read. The library's own error shows the line itself, which may contain a password.
fn bad_dot_env(path: &Path, text: &str, n_done: usize, err: &dotenvy::Error) -> Error {
    let dotenvy::Error::LineParse(..) = err else {
        return Error::new(format!("failed to read `{}`: {err}", path.display()));
    };
    let is_skipped = |line: &&str| line.trim().is_empty() || line.trim().starts_with('#');
    let n_between = text.lines().skip(n_done).take_while(is_skipped).count();
    let place = format!("{}:{}", path.display(), n_done + n_between + 1);
    Error::new(format!("failed to read `{place}`: this line is not `KEY=value`")).hint(
        "put a value with spaces, `#` or `$` in single quotes; the line isn't shown, since it may \
         contain a password",
    )
}

/// The directory that relative paths start from.
pub fn base(lookup: &Lookup<'_>, source: &Source) -> PathBuf {
    match source {
        Source::Flag | Source::Environment(_) | Source::Pattern | Source::Shadow => {
            std::env::current_dir().unwrap_or_default()
        }
        Source::DotEnv(path) | Source::List(path) => {
            path.parent().map(Path::to_owned).unwrap_or_default()
        }
        Source::Config(_) => lookup.project.package_dir.clone(),
    }
}

/// The kind of database that a URL names by its scheme.
pub fn backend(url: &str) -> Option<Backend> {
    url.split_once(':').and_then(|(scheme, _)| Backend::by_scheme(scheme))
}
