//! The databases of a project: one of them by its name, and that each has what is its own.

mod separate;

use std::path::Path;

use crate::config::{self, Config};
use crate::connection::Database;
use crate::context::Context;
use crate::error::Result;
use crate::paths;

/// The project as the database of that name sees it.
///
/// # Errors
///
/// When dbmigrate.toml has no database of that name, or it has something in common with another.
pub fn named(cx: &Context, name: &str) -> Result<Context> {
    let one = cx.with_database(name)?;
    for other in others(cx, name)? {
        separate::check(&one, &other)?;
    }
    Ok(one)
}

/// The project as its databases other than that one see it. `--url` is of none of them.
fn others(cx: &Context, name: &str) -> Result<Vec<Context>> {
    if cx.config.databases.is_empty() {
        return Ok(Vec::new());
    }
    let mut default = cx.clone();
    default.global.url = None;
    if cx.database.is_some() {
        default.database = None;
        default.config = Config::read(&cx.project.config_dir)?;
        default.project = cx.project.with_migrations(&cx.project.config_dir);
    }
    let names = [config::DEFAULT].into_iter();
    let names = names.chain(default.config.databases.keys().map(String::as_str));
    names.filter(|other| *other != name).map(|other| default.with_database(other)).collect()
}

/// The name of another of the project's databases that is in the same file, if there is one.
///
/// # Errors
///
/// When it can't be found out which file one of them is.
pub fn other_in(cx: &Context, file: &Path) -> Result<Option<String>> {
    for other in others(cx, cx.database_name())? {
        let database = Database::locate(&other)?;
        if database.path().is_some_and(|path| paths::is_same(path, file)) {
            return Ok(Some(other.database_name().to_owned()));
        }
    }
    Ok(None)
}
