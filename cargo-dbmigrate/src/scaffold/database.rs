//! Adds a database to an existing project: its section and its directory.

use std::fs;

use super::{create_all, git_attributes, new_list};
use crate::config::{self, Config};
use crate::context::Context;
use crate::databases;
use crate::edits::Edit;
use crate::error::{Doing as _, Error, Result};

/// Adds a database to dbmigrate.toml if it is missing, and creates its migrations directory.
/// Returns the directory for messages.
///
/// # Errors
///
/// A name that no database can have, and a directory that isn't empty.
pub fn add(cx: &mut Context, name: &str) -> Result<String> {
    config::check_name(name)?;
    let path = config::path(&cx.project.config_dir);
    let text = fs::read_to_string(&path).doing(|| format!("read `{}`", path.display()))?;
    let is_new = !cx.config.databases.contains_key(name);
    let mut added = text.clone();
    if is_new {
        // A section can always be added at the end, whatever comes before it.
        let line_end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        added += &format!("{line_end}\n[databases.{name}]\nurl = \"sqlite:{name}.db\"\n");
        cx.config = Config::parse(&added, &path)?;
    }
    let database = databases::named(cx, name)?;
    let dir = &database.project.migrations_dir;
    let shown = cx.project.shown(dir).to_string();
    if dir.is_file() || dir.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        let message = format!("directory `{shown}` already exists and is not empty");
        return Err(Error::new(message).hint(format!(
            "set another one with `directory = \"...\"` under `[databases.{name}]` in \
             dbmigrate.toml"
        )));
    }
    let list = Edit::Create { path: dir.join("mod.rs"), bytes: new_list(&database).into_bytes() };
    create_all(cx, dir, &[list, git_attributes(dir)])?;
    if is_new {
        cx.edits.apply(&[Edit::Replace { path: path.clone(), bytes: added.into_bytes() }])?;
        cx.out.done(format!("Adding database `{name}` to {} ... done", cx.project.shown(&path)));
    }
    Ok(shown)
}
