//! Checks that databases don't have directories or files in common.

use std::path::PathBuf;

use crate::connection::Database;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::{paths, revision_files};

/// Fails if two databases of a project have a directory of revisions in common, or are the same
/// database.
///
/// # Errors
///
/// What they have in common, and how to separate them.
pub fn check(one: &Context, other: &Context) -> Result<()> {
    let names = format!("the databases `{}` and `{}`", one.database_name(), other.database_name());
    if let Some(file) = same(one, other) {
        let message = format!("{names} have the same file `{file}` and the same `version_table`");
        return Err(Error::new(message)
            .hint("give one of them another file, or a version table of its own"));
    }
    let (ours, theirs) = (Directories::of(one)?, Directories::of(other)?);
    let own = &one.project.migrations_dir;
    let is_taken = theirs.all().any(|path| paths::is_same(path, own));
    if let Some(name) = one.database.as_ref().filter(|_| is_taken) {
        let message = format!(
            "the database `{name}` can't have the directory `{}`: it belongs to another database",
            one.project.shown(own)
        );
        return Err(Error::new(message).hint(format!(
            "set another one with `directory = \"...\"` under `[databases.{name}]` in \
             dbmigrate.toml"
        )));
    }
    match ours.shared(&theirs).or_else(|| theirs.shared(&ours)) {
        None => Ok(()),
        Some(dir) => {
            let message =
                format!("{names} both have the revisions in `{}`", one.project.shown(dir));
            Err(Error::new(message).hint(
                "give each its own directories with `version_locations`, \
                 `recursive_version_locations` and `directory` in dbmigrate.toml",
            ))
        }
    }
}

/// The file, if both databases are in the same file and have the same version table. A database
/// that can't be located is reported when it is used.
fn same(one: &Context, other: &Context) -> Option<String> {
    let (ours, theirs) = (Database::locate(one).ok()?, Database::locate(other).ok()?);
    let path = ours.path()?;
    let is_same =
        one.name_rules().folding.same_table(&one.config.version_table, &other.config.version_table)
            && paths::is_same(path, theirs.path()?);
    is_same.then(|| one.project.shown(&paths::clean(path)).to_string())
}

/// The directories of a database's files.
struct Directories {
    migrations: PathBuf,
    locations: Vec<PathBuf>,
    /// Whether subdirectories are searched as well.
    is_deep: bool,
}

impl Directories {
    fn of(cx: &Context) -> Result<Directories> {
        Ok(Directories {
            migrations: cx.project.migrations_dir.clone(),
            locations: revision_files::locations(cx)?
                .into_iter()
                .map(|location| location.dir)
                .collect(),
            is_deep: cx.config.recursive_version_locations,
        })
    }

    fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.locations.iter().chain([&self.migrations])
    }

    /// The first directory of the other database that also belongs to this one.
    fn shared<'a>(&self, theirs: &'a Directories) -> Option<&'a PathBuf> {
        let has = |location: &PathBuf, dir: &PathBuf| {
            paths::is_same(location, dir)
                || self.is_deep && paths::real(dir).starts_with(paths::real(location))
        };
        theirs.all().find(|dir| self.locations.iter().any(|path| has(path, dir)))
    }
}
