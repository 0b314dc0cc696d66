//! The revision files: which directories contain them, and how `mod.rs` lists them.

pub mod constants;

use std::ffi::OsString;
use std::fs::{self, FileType};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::config::VERSIONS;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::paths::{self, clean, is_same};

/// The file of a revision module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionFile {
    /// The module's name: the file's name without its extension.
    pub module: String,
    pub path: PathBuf,
    /// The path in the list of `mod.rs`; `None` if the file is where a module with this name is
    /// expected.
    pub listed: Option<String>,
}

/// A directory of revision files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The directory as written in dbmigrate.toml, relative to the migrations directory.
    pub name: String,
    pub dir: PathBuf,
}

impl Location {
    /// Whether the path is this directory, given as in dbmigrate.toml or relative to the working
    /// directory.
    pub fn is_at(&self, path: &Path) -> bool {
        path.to_str() == Some(&self.name) || is_same(path, &self.dir)
    }
}

/// The directories of revision files, without duplicates.
///
/// # Errors
///
/// When `version_locations` is empty, or contains a path that other machines don't have.
pub fn locations(cx: &Context) -> Result<Vec<Location>> {
    let mut locations: Vec<Location> = Vec::new();
    for name in &cx.config.version_locations {
        if name.trim().is_empty() || Path::new(name).has_root() {
            let message =
                format!("`version_locations` names `{name}`, which is not a relative path");
            return Err(Error::new(message).hint(
                "its directories are relative to the migrations directory, so that they are the \
                 same on every machine",
            ));
        }
        let dir = clean(&cx.project.migrations_dir.join(name));
        match locations.iter().find(|location| is_same(&location.dir, &dir)) {
            None => locations.push(Location { name: name.clone(), dir }),
            Some(other) => cx.out.warning_once(format!(
                "`version_locations` names one directory twice, as `{}` and `{name}`; it counts once",
                other.name
            )),
        }
    }
    if locations.is_empty() {
        return Err(Error::new("`version_locations` names no directory").hint(format!(
            "remove the key from dbmigrate.toml to use the default, `[\"{VERSIONS}\"]`"
        )));
    }
    Ok(locations)
}

/// The revision files of all locations, sorted by name.
///
/// # Errors
///
/// When there is no migrations directory, when a name can't be a module's, when it is the name of
/// something else than a file, or when two files have the same name.
pub fn all(cx: &Context) -> Result<Vec<RevisionFile>> {
    all_with(cx, &[])
}

/// The same including files that are about to be written.
///
/// # Errors
///
/// Also when a new file has the same name as another one.
pub fn all_with(cx: &Context, new: &[PathBuf]) -> Result<Vec<RevisionFile>> {
    let dir = &cx.project.migrations_dir;
    if !dir.is_dir() {
        let message = format!("there is no migrations directory `{}`", cx.project.shown(dir));
        return Err(Error::new(message).hint(match &cx.database {
            None => "`cargo dbmigrate init` creates it".to_owned(),
            Some(name) => format!("`cargo dbmigrate init --database {name}` creates it"),
        }));
    }
    let mut found = Vec::new();
    for (dir, name) in new.iter().filter_map(|path| Some((path.parent()?, path.file_name()?))) {
        found.push(Found { dir: Rc::from(dir), name: name.to_owned(), kind: None });
    }
    for location in locations(cx)? {
        // Otherwise a typo would result in a history without revisions.
        if location.name != VERSIONS && !location.dir.exists() {
            cx.out.warning_once(format!(
                "`version_locations` names `{}`, but there is no directory `{}`",
                location.name,
                cx.project.shown(&location.dir)
            ));
        }
        walk(&location.dir, cx.config.recursive_version_locations, &mut found)?;
    }
    let default_dir = cx.project.migrations_dir.join(VERSIONS);
    let mut files = Vec::with_capacity(found.len());
    for found in &found {
        files.extend(revision_file(cx, &default_dir, found)?);
    }
    files.sort_by(|one, other| one.module.cmp(&other.module));
    for pair in files.windows(2) {
        let [one, two] = pair else { continue };
        // A location may be inside another one.
        if one.module == two.module && !is_same(&one.path, &two.path) {
            let (one, two) = (cx.project.shown(&one.path), cx.project.shown(&two.path));
            let message = format!("two revision files have the same name: {one} and {two}");
            return Err(Error::new(message).hint("rename one of them: the names become modules"));
        }
    }
    files.dedup_by(|later, kept| {
        let is_duplicate = later.module == kept.module;
        if is_duplicate {
            std::mem::swap(later, kept);
        }
        is_duplicate
    });
    Ok(files)
}

/// An entry of a directory.
struct Found {
    dir: Rc<Path>,
    name: OsString,
    /// `None` for a file that is about to be written.
    kind: Option<FileType>,
}

/// Adds the files of a directory and, if `deep` is set, of its subdirectories.
fn walk(dir: &Path, deep: bool, found: &mut Vec<Found>) -> Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        res => res.doing(|| format!("read `{}`", dir.display()))?,
    };
    let dir: Rc<Path> = Rc::from(dir);
    for entry in entries {
        let entry = entry.doing(|| format!("read `{}`", dir.display()))?;
        let kind = entry.file_type().doing(|| format!("read `{}`", entry.path().display()))?;
        // A link might lead back here.
        if deep && kind.is_dir() {
            walk(&entry.path(), deep, found)?;
        } else {
            found.push(Found { dir: Rc::clone(&dir), name: entry.file_name(), kind: Some(kind) });
        }
    }
    Ok(())
}

/// The file as a module; `None` if it isn't a revision. `default_dir` is the directory of modules
/// whose path isn't listed.
fn revision_file(cx: &Context, default_dir: &Path, found: &Found) -> Result<Option<RevisionFile>> {
    let Found { dir, name, kind } = found;
    let text = name.to_string_lossy();
    let Some((stem, extension)) = text.rsplit_once('.') else { return Ok(None) };
    // Editors leave files such as `.#name.rs`.
    let is_source = extension.eq_ignore_ascii_case("rs");
    if !is_source || stem.is_empty() || stem == "mod" || stem.starts_with('.') {
        return Ok(None);
    }
    let path = dir.join(name);
    if extension != "rs" {
        let message =
            format!("the name of `{}` is not that of a Rust file", cx.project.shown(&path));
        return Err(Error::new(message).hint("let it end in `.rs`"));
    }
    if !is_name(stem) {
        let message = format!("`{}` can't be a module's name", cx.project.shown(&path));
        return Err(Error::new(message)
            .hint("rename it: use letters, digits and `_`, and no digit at the beginning"));
    }
    if kind.is_some_and(|kind| !kind.is_file()) {
        refuse_no_file(cx, &path)?;
    }
    let listed =
        (&**dir != default_dir).then(|| paths::relative(&cx.project.migrations_dir, &path));
    Ok(Some(RevisionFile { module: stem.to_owned(), path, listed }))
}

/// Refuses what has a revision's name and is neither a file nor a link to one.
fn refuse_no_file(cx: &Context, path: &Path) -> Result<()> {
    let shown = cx.project.shown(path);
    let kind = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => return Ok(()),
        Ok(metadata) if metadata.is_dir() => "a directory",
        Ok(_) => "not a file",
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => {
            let to = fs::read_link(path).unwrap_or_default();
            let message = format!(
                "the revision `{shown}` is a link to `{}`, which does not exist",
                to.display()
            );
            return Err(Error::new(message).hint("restore that file, or delete the link"));
        }
        Err(err) => return Err(err).doing(|| format!("read `{shown}`")),
    };
    Err(Error::new(format!("`{shown}` has the name of a revision file, but is {kind}"))
        .hint("move or rename it: here, what ends in `.rs` is a revision"))
}

/// Whether a file's name can be the name of a module. The compiler reports keywords.
fn is_name(stem: &str) -> bool {
    let is_part = |c: char| c == '_' || c.is_alphanumeric();
    stem.chars().all(is_part) && !stem.starts_with(|c: char| c.is_ascii_digit())
}
