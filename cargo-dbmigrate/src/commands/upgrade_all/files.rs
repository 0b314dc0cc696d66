//! Finds the files that match patterns.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use glob::MatchOptions;

use crate::backup;
use crate::error::{Doing as _, Error, Result};

/// The extensions of databases in a directory; for others, a pattern is needed.
const ENDINGS: &[&str] = &["db", "sqlite", "sqlite3"];

/// The suffixes of files that SQLite keeps next to an open database.
const BESIDE: &[&str] = &["-journal", "-wal", "-shm"];

/// The same rules as in a shell.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The files, sorted and without duplicates, and the directories that could not be read.
#[derive(Debug, Default)]
pub struct Found {
    pub files: Vec<PathBuf>,
    pub unreadable: Vec<(PathBuf, Error)>,
}

/// Finds the files of all patterns.
///
/// # Errors
///
/// When a pattern is invalid or matches nothing. That is a mistake, which should be known before
/// any file is changed.
pub fn matching(patterns: &[String]) -> Result<Found> {
    let mut files = BTreeSet::new();
    let mut unreadable = Vec::new();
    for pattern in patterns {
        let path = Path::new(pattern);
        let found = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => in_directory(path)?,
            // The name may contain brackets.
            Ok(_) => Found { files: vec![path.to_owned()], ..Found::default() },
            Err(_) => of_pattern(pattern)?,
        };
        if found.files.is_empty() && found.unreadable.is_empty() {
            return Err(nothing(pattern));
        }
        files.extend(found.files);
        unreadable.extend(found.unreadable);
    }
    Ok(Found { files: files.into_iter().collect(), unreadable })
}

fn nothing(pattern: &str) -> Error {
    if Path::new(pattern).is_dir() {
        let endings = ENDINGS.join("`, `.");
        let message = format!("there is no database in the directory `{pattern}`");
        return Error::new(message).hint(format!(
            "in a directory, only files ending in `.{endings}` are taken; others need a pattern, \
             such as `{pattern}/*`"
        ));
    }
    let dir = std::env::current_dir().unwrap_or_default();
    Error::new(format!("no file matches `{pattern}`"))
        .hint(format!("it is relative to the working directory, `{}`", dir.display()))
}

fn in_directory(dir: &Path) -> Result<Found> {
    let doing = || format!("read the directory `{}`", dir.display());
    let mut found = Found::default();
    for entry in fs::read_dir(dir).doing(doing)? {
        let path = entry.doing(doing)?.path();
        let ending = path.extension().and_then(|extension| extension.to_str());
        let is_hidden =
            path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if ending.is_some_and(|ending| ENDINGS.contains(&ending)) && !is_hidden && !path.is_dir() {
            found.files.push(path);
        }
    }
    Ok(found)
}

fn of_pattern(pattern: &str) -> Result<Found> {
    let paths = glob::glob_with(pattern, OPTIONS).map_err(|err| {
        Error::new(format!("`{pattern}` is not a valid file pattern: {}", err.msg))
            .hint("`*` matches any part of a name, `?` one character, `**` any directories")
    })?;
    let mut found = Found::default();
    for path in paths {
        match path {
            Ok(path) if path.is_dir() || is_beside(&path) || backup::is_backup(&path) => {}
            Ok(path) => found.files.push(path),
            Err(err) => {
                let path = err.path().to_owned();
                let why = Error::new("failed to read it").cause(err.error());
                found.unreadable.push((path, why));
            }
        }
    }
    Ok(found)
}

/// Whether SQLite keeps this file next to an existing database.
fn is_beside(path: &Path) -> bool {
    let name = path.to_string_lossy();
    let of = BESIDE.iter().find_map(|suffix| name.strip_suffix(suffix));
    of.is_some_and(|name| Path::new(name).is_file())
}
