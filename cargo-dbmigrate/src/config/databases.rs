//! The databases beside the default one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Config;
use crate::error::{Error, Result};

/// A database beside the default one, with a history of its own. What it doesn't say is as for the
/// default one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Further {
    pub url: String,
    /// Its migrations directory, from the one of the default database; by default its name.
    pub directory: Option<PathBuf>,
    pub version_table: Option<String>,
    pub version_locations: Option<Vec<String>>,
    /// The function is one of its own `mod.rs`.
    #[serde(default)]
    pub rewrite: String,
}

impl Further {
    /// Its migrations directory, given the name that it has.
    pub fn directory<'a>(&'a self, name: &'a str) -> &'a Path {
        self.directory.as_deref().unwrap_or(name.as_ref())
    }
}

impl Config {
    /// The settings of a further database.
    pub fn of(&self, further: &Further) -> Config {
        let mut config = self.clone();
        config.url.clone_from(&further.url);
        config.version_table = further.version_table.clone().unwrap_or(config.version_table);
        config.version_locations = further
            .version_locations
            .clone()
            .unwrap_or_else(|| Config::default().version_locations);
        config.rewrite.clone_from(&further.rewrite);
        config
    }
}

/// What `--database` calls the database that every project has.
pub const DEFAULT: &str = "default";

/// What `--database` calls all of them.
pub const ALL: &str = "all";

/// Fails where a database can't have that name: it stands in arguments, in the names of
/// directories and of environment variables.
pub fn check_name(name: &str) -> Result<()> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let message = match name {
        DEFAULT | ALL => format!("`{name}` can't be a further database's name: it has a meaning"),
        name if name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(is_word) =>
        {
            return Ok(());
        }
        _ => format!("`{name}` can't be a database's name"),
    };
    Err(Error::new(message).hint("it is made of letters, digits and `_`, and begins with a letter"))
}

/// Fails where a name can't be one, or two can't be told apart.
pub(super) fn check(databases: &BTreeMap<String, Further>, path: &Path) -> Result<()> {
    let mut names = BTreeMap::new();
    for name in databases.keys() {
        check_name(name)?;
        // Their variables would be the same.
        if let Some(other) = names.insert(name.to_lowercase(), name) {
            let message = format!("the databases `{other}` and `{name}` differ in case alone");
            return Err(Error::new(message).hint(format!("rename one in {}", path.display())));
        }
    }
    Ok(())
}
