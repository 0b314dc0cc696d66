//! That what is one database's isn't another one's as well.

use std::path::PathBuf;

use super::Context;
use crate::config::{self, Config, Further};
use crate::connection::Database;
use crate::error::{Error, Result};
use crate::files;
use crate::history::relative;
use crate::project::{MIGRATIONS, Project};

/// Fails where two of a project's databases have a directory of revisions in common, or are one.
///
/// # Errors
///
/// What they have in common, and what makes them differ.
pub fn check(one: &Context, other: &Context) -> Result<()> {
    let names = format!("the databases `{}` and `{}`", one.database_name(), other.database_name());
    if let Some(file) = same(one, other) {
        let message = format!("{names} have the same file `{file}` and the same `version_table`");
        return Err(Error::new(message)
            .hint("give one of them another file, or a version table of its own"));
    }
    let (ours, theirs) = (Directories::of(one)?, Directories::of(other)?);
    let own = &one.project.migrations_dir;
    let is_taken = theirs.all().any(|it| files::is_same(it, own));
    if let Some(name) = one.database.as_ref().filter(|_| is_taken) {
        let message = format!(
            "the database `{name}` can't have the directory `{}`: it is another one's",
            relative(one, own)
        );
        return Err(Error::new(message).hint(format!(
            "name another by `directory = \"...\"` under `[databases.{name}]` in dbmigrate.toml"
        )));
    }
    match ours.shared(&theirs).or_else(|| theirs.shared(&ours)) {
        None => Ok(()),
        Some(dir) => {
            let message = format!("{names} both have the revisions in `{}`", relative(one, dir));
            Err(Error::new(message).hint(
                "give each directories of its own, by `version_locations`, \
                 `recursive_version_locations` and `directory` in dbmigrate.toml",
            ))
        }
    }
}

/// Fails where the migrations directory is that of a further database, whose settings are in the
/// default one's.
///
/// # Errors
///
/// The database that it is of.
pub fn refuse_further(project: &Project) -> Result<()> {
    let own = &project.migrations_dir;
    if config::path(own).exists() {
        return Ok(());
    }
    let above = own.ancestors().skip(1).take_while(|it| it.starts_with(&project.package_dir));
    let usual = project.package_dir.join(MIGRATIONS);
    for dir in above.chain([usual.as_path()]).filter(|it| config::path(it).is_file()) {
        let databases = Config::read(dir)?.databases;
        let is_own = |name: &str, it: &Further| files::is_same(&dir.join(it.directory(name)), own);
        let Some((name, _)) = databases.iter().find(|(name, it)| is_own(name, it)) else {
            continue;
        };
        let (shown, dir) = (project.shown(own), project.shown(dir));
        let message = format!("`-d {shown}`: the settings of the database `{name}` are in `{dir}`");
        let instead = match dir.to_string() == MIGRATIONS {
            true => String::new(),
            false => format!("-d {dir} "),
        };
        return Err(Error::new(message).hint(format!("say `{instead}--database {name}` instead")));
    }
    Ok(())
}

/// The file that two databases are, with one version table. What isn't known of them is said where
/// it is needed.
fn same(one: &Context, other: &Context) -> Option<String> {
    let (ours, theirs) = (Database::locate(one).ok()?, Database::locate(other).ok()?);
    let path = ours.path()?;
    let is_same = one.config.version_table.eq_ignore_ascii_case(&other.config.version_table)
        && files::is_same(path, theirs.path()?);
    is_same.then(|| relative(one, &files::clean(path)))
}

/// Where a database's files are.
struct Directories {
    migrations: PathBuf,
    locations: Vec<PathBuf>,
    /// Whether what is in the locations counts as well.
    is_deep: bool,
}

impl Directories {
    fn of(cx: &Context) -> Result<Directories> {
        Ok(Directories {
            migrations: cx.project.migrations_dir.clone(),
            locations: files::locations(cx)?.into_iter().map(|it| it.dir).collect(),
            is_deep: cx.config.recursive_version_locations,
        })
    }

    fn all(&self) -> impl Iterator<Item = &PathBuf> {
        self.locations.iter().chain([&self.migrations])
    }

    /// A directory of theirs in which these files are looked for as well.
    fn shared<'a>(&self, theirs: &'a Directories) -> Option<&'a PathBuf> {
        let has = |location: &PathBuf, dir: &PathBuf| {
            files::is_same(location, dir)
                || self.is_deep && files::real(dir).starts_with(files::real(location))
        };
        theirs.all().find(|dir| self.locations.iter().any(|it| has(it, dir)))
    }
}
