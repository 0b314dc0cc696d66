//! The databases of a project: finding one by name, and checking that they are separate.

mod separate;

use std::path::Path;

use crate::config;
use crate::connection::Database;
use crate::context::Context;
use crate::error::Result;
use crate::paths;

/// The project from the point of view of the database with this name.
///
/// # Errors
///
/// When dbmigrate.toml has no database with this name, or it has something in common with another
/// one.
pub fn named(cx: &Context, name: &str) -> Result<Context> {
    let one = cx.with_database(name)?;
    for other in others(cx, name)? {
        separate::check(&one, &other)?;
    }
    Ok(one)
}

/// The project from the point of view of each other database. `--url` doesn't apply to them.
fn others(cx: &Context, name: &str) -> Result<Vec<Context>> {
    if cx.config.databases.is_empty() {
        return Ok(Vec::new());
    }
    let default = cx.of_default()?;
    let names = [config::DEFAULT].into_iter();
    let names = names.chain(default.config.databases.keys().map(String::as_str));
    names.filter(|other| *other != name).map(|other| default.with_database(other)).collect()
}

/// The name of another database of the project in the same file, if there is one.
///
/// # Errors
///
/// When the file of a database can't be determined.
pub fn other_in(cx: &Context, file: &Path) -> Result<Option<String>> {
    for other in others(cx, cx.database_name())? {
        let database = Database::locate(&other)?;
        if database.path().is_some_and(|path| paths::is_same(path, file)) {
            return Ok(Some(other.database_name().to_owned()));
        }
    }
    Ok(None)
}
