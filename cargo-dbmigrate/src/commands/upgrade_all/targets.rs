//! The databases and schemas that the arguments name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::Path;

use glob::Pattern;

use super::files;
use crate::cli::Upgrade;
use crate::connection::{Database, Patience, Source};
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::paths;
use crate::url_source::backend;

/// One database, or one schema of a database.
#[derive(Debug, Clone)]
pub struct Target {
    /// The name for messages, without a password.
    pub name: String,
    pub database: Database,
    /// The schema, if it is one of several in a database.
    pub schema: Option<String>,
}

impl Target {
    fn of(name: String, database: Database) -> Target {
        Target { name, database, schema: None }
    }

    /// The name's key in a document.
    pub fn key(&self) -> &'static str {
        match (&self.schema, self.database.path()) {
            (Some(_), _) => "schema",
            (None, Some(_)) => "path",
            (None, None) => "url",
        }
    }
}

/// All targets, and those that are known to fail.
#[derive(Debug, Default)]
pub struct Found {
    pub targets: Vec<Target>,
    pub unreadable: Vec<(Target, Error)>,
}

/// What is upgraded, one of it.
pub fn thing(args: &Upgrade) -> &'static str {
    if args.schemas.is_empty() { "database" } else { "schema" }
}

/// What is upgraded, several of it.
pub fn things(args: &Upgrade) -> &'static str {
    if args.schemas.is_empty() { "databases" } else { "schemas" }
}

/// Finds what the arguments name.
///
/// # Errors
///
/// When an argument is invalid or matches nothing. That is a mistake, which should be known before
/// anything is changed.
pub fn find(cx: &Context, args: &Upgrade) -> Result<Found> {
    if args.schemas.is_empty() { databases(cx, &args.all) } else { schemas(cx, &args.schemas) }
}

/// Finds the databases of `--all`.
///
/// # Errors
///
/// As [`find`].
pub fn databases(cx: &Context, all: &[String]) -> Result<Found> {
    // By what was written, since two roles may have the same database.
    let mut by_url = BTreeMap::new();
    let mut patterns = Vec::new();
    for argument in all {
        if backend(argument).is_some() {
            let dir = std::env::current_dir().unwrap_or_default();
            by_url.insert(argument.clone(), of_url(cx, argument, Source::Pattern, &dir)?);
        } else if is_list(Path::new(argument)) {
            by_url.extend(listed(cx, Path::new(argument))?);
        } else {
            patterns.push(argument.clone());
        }
    }
    let files::Found { files, unreadable } = files::matching(&patterns)?;
    let of_file = |path: &Path| Target::of(path.display().to_string(), Database::file(path));
    let mut targets: Vec<Target> = files.iter().map(|path| of_file(path)).collect();
    targets.extend(by_url.into_values());
    // A file can have several names: a relative and an absolute one, a link, a URL.
    let mut seen = BTreeSet::new();
    targets
        .retain(|target| target.database.path().is_none_or(|path| seen.insert(paths::real(path))));
    let unreadable = unreadable.into_iter().map(|(path, err)| (of_file(&path), err)).collect();
    Ok(Found { targets, unreadable })
}

fn of_url(cx: &Context, url: &str, source: Source, dir: &Path) -> Result<Target> {
    let database = Database::of_url(cx, url, source, dir)?;
    Ok(Target::of(database.name(), database))
}

/// Whether a file is a text whose first entry is a URL. An SQLite file begins with other bytes.
fn is_list(path: &Path) -> bool {
    let mut start = Vec::new();
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let Some(file) = is_file.then(|| fs::File::open(path).ok()).flatten() else { return false };
    if file.take(64 * 1024).read_to_end(&mut start).is_err() {
        return false;
    }
    let text = String::from_utf8_lossy(&start);
    entries(&text).next().is_some_and(|(_, url)| backend(url).is_some())
}

/// The entries of a list with the numbers of their lines, without blank lines and comments.
fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // Editors on Windows start a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().map(str::trim).enumerate().map(|(idx, line)| (idx + 1, line));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// The databases of a list. Relative paths are relative to its directory.
fn listed(cx: &Context, path: &Path) -> Result<Vec<(String, Target)>> {
    let text = fs::read_to_string(path).doing(|| format!("read `{}`", path.display()))?;
    let dir = std::env::current_dir().unwrap_or_default().join(path);
    let dir = dir.parent().unwrap_or(Path::new(""));
    let mut targets = Vec::new();
    for (number, url) in entries(&text) {
        let source = Source::List(format!("{}:{number}", path.display()).into());
        if backend(url).is_none() {
            return Err(Error::new(format!("there is no database URL in {source}"))
                .hint("write one URL a line; a comment begins with `#`"));
        }
        targets.push((url.to_owned(), of_url(cx, url, source, dir)?));
    }
    Ok(targets)
}

/// The schemas of the project's database that match.
fn schemas(cx: &Context, patterns: &[String]) -> Result<Found> {
    let mut parsed = Vec::new();
    for pattern in patterns {
        parsed.push(Pattern::new(pattern).map_err(|err| {
            Error::new(format!("`{pattern}` is not a valid pattern: {}", err.msg))
                .hint("`*` matches any part of a name, `?` one character")
        })?);
    }
    let database = Database::find(cx)?;
    let existing = existing_schemas(cx, &database)?;
    let mut targets = BTreeMap::new();
    for pattern in parsed {
        let matching: Vec<_> = existing.iter().filter(|name| pattern.matches(name)).collect();
        if matching.is_empty() {
            let message = format!("no schema of `{}` matches `{pattern}`", database.name());
            return Err(Error::new(message).hint(
                "--schemas upgrades existing schemas; an application creates one with `CREATE \
                 SCHEMA`",
            ));
        }
        for name in matching {
            if let Some(database) = database.in_schema(name) {
                let schema = Some(name.clone());
                targets.insert(name.clone(), Target { name: name.clone(), database, schema });
            }
        }
    }
    Ok(Found { targets: targets.into_values().collect(), ..Found::default() })
}

/// The names of the schemas that a database has for tables of its users.
fn existing_schemas(cx: &Context, database: &Database) -> Result<Vec<String>> {
    if !database.has_schemas() {
        let message = format!("the database `{}` has no schemas", database.name());
        return Err(Error::new(message)
            .hint("--schemas is for PostgreSQL; --all upgrades several databases"));
    }
    let driver = database.open_to_read(Patience::reading(cx))?;
    let Some(mut driver) = driver else { return Ok(Vec::new()) };
    let found = driver.dialect().schemas(driver.as_connection());
    found.doing(|| "read the schemas of the database".to_owned())
}
