//! The revision files: which directories contain them, and how `mod.rs` lists them.

pub mod constants;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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
        path.to_str() == Some(&self.name)
            || std::path::absolute(path).is_ok_and(|path| is_same(&clean(&path), &self.dir))
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
            let message = format!("`version_locations` names `{name}`, which is no relative path");
            return Err(Error::new(message)
                .hint("its directories are named from the migrations directory, for everyone"));
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
        return Err(Error::new("`version_locations` names no directory")
            .hint(format!("without the key in dbmigrate.toml it is `[\"{VERSIONS}\"]`")));
    }
    Ok(locations)
}

/// The revision files of all locations, sorted by name.
///
/// # Errors
///
/// When there is no migrations directory, when a name can't be a module's, or when two files have
/// the same name.
pub fn all(cx: &Context) -> Result<Vec<RevisionFile>> {
    all_with(cx, None)
}

/// The same including a file that is about to be written.
///
/// # Errors
///
/// Also when the new file has the same name as another one.
pub fn all_with(cx: &Context, new: Option<&Path>) -> Result<Vec<RevisionFile>> {
    let dir = &cx.project.migrations_dir;
    if !dir.is_dir() {
        let message = format!("no migrations directory `{}`", cx.project.shown(dir));
        return Err(Error::new(message).hint(match &cx.database {
            None => "`cargo dbmigrate init` creates it".to_owned(),
            Some(name) => format!("`cargo dbmigrate init --database {name}` creates it"),
        }));
    }
    let mut found: Vec<PathBuf> = new.into_iter().map(Path::to_owned).collect();
    for location in locations(cx)? {
        // Otherwise a typo would result in a history without revisions.
        if !location.dir.exists() && location.name != VERSIONS {
            cx.out.warning_once(format!(
                "`version_locations` names `{}`, and there is no directory `{}`",
                location.name,
                cx.project.shown(&location.dir)
            ));
        }
        walk(&location.dir, cx.config.recursive_version_locations, &mut found)?;
    }
    let mut files: BTreeMap<String, RevisionFile> = BTreeMap::new();
    for path in found {
        let Some(file) = revision_file(cx, path)? else { continue };
        let Some(other) = files.insert(file.module.clone(), file.clone()) else { continue };
        // A location may be inside another one.
        if !is_same(&other.path, &file.path) {
            let (one, two) = (cx.project.shown(&other.path), cx.project.shown(&file.path));
            let message = format!("two revision files have the same name: {one} and {two}");
            return Err(Error::new(message).hint("rename one of them: they become modules"));
        }
    }
    Ok(files.into_values().collect())
}

/// Adds the files of a directory and, if `deep` is set, of its subdirectories.
fn walk(dir: &Path, deep: bool, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = match std::fs::read_dir(dir) {
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        res => res.doing(|| format!("read `{}`", dir.display()))?,
    };
    for entry in entries {
        let entry = entry.doing(|| format!("read `{}`", dir.display()))?;
        // A link might lead back here.
        if deep && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&entry.path(), deep, found)?;
        } else {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// The file as a module; `None` if it isn't a revision.
fn revision_file(cx: &Context, path: PathBuf) -> Result<Option<RevisionFile>> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.as_ref();
    // Editors leave files such as `.#name.rs`.
    let is_source = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("rs"));
    if !is_source || stem == "mod" || stem.starts_with('.') {
        return Ok(None);
    }
    if path.extension().is_some_and(|extension| extension != "rs") {
        let message = format!("`{}` is no Rust file by its name", cx.project.shown(&path));
        return Err(Error::new(message).hint("let it end in `.rs`"));
    }
    if !is_name(stem) {
        let message = format!("`{}` can't be a module's name", cx.project.shown(&path));
        return Err(Error::new(message)
            .hint("rename it: letters, digits and `_`, with no digit at the beginning"));
    }
    let module = stem.to_owned();
    let dir = &cx.project.migrations_dir;
    let listed = match path.parent() {
        Some(path) if path == dir.join(VERSIONS) => None,
        _ => Some(paths::relative(dir, &path)),
    };
    Ok(Some(RevisionFile { module, path, listed }))
}

/// Whether a file's name can be the name of a module. The compiler reports keywords.
fn is_name(stem: &str) -> bool {
    let is_part = |c: char| c == '_' || c.is_alphanumeric();
    stem.chars().all(is_part) && !stem.starts_with(|c: char| c.is_ascii_digit())
}
