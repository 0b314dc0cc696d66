//! The settings of additional databases.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Config;
use crate::error::{Error, Result};

/// An additional database, with a history of its own. Settings that it doesn't have are those of
/// the default database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Further {
    pub url: String,
    /// Its migrations directory, relative to that of the default database; by default its name.
    pub directory: Option<PathBuf>,
    pub version_table: Option<String>,
    pub version_locations: Option<Vec<String>>,
    /// A function in its own `mod.rs`.
    #[serde(default)]
    pub rewrite: String,
    #[serde(default)]
    pub shadow_url: String,
}

impl Further {
    /// Its migrations directory, given its name.
    pub fn directory<'a>(&'a self, name: &'a str) -> &'a Path {
        self.directory.as_deref().unwrap_or(name.as_ref())
    }
}

impl Config {
    /// The settings of an additional database.
    pub fn of(&self, further: &Further) -> Config {
        let mut config = self.clone();
        config.url.clone_from(&further.url);
        config.version_table = further.version_table.clone().unwrap_or(config.version_table);
        config.version_locations = further
            .version_locations
            .clone()
            .unwrap_or_else(|| Config::default().version_locations);
        config.rewrite.clone_from(&further.rewrite);
        config.shadow_url.clone_from(&further.shadow_url);
        config
    }
}

/// The name in `--database` of the database that every project has.
pub const DEFAULT: &str = "default";

/// The name in `--database` for all databases.
pub const ALL: &str = "all";

/// Fails if a database can't have this name, which appears in arguments, and in the names of
/// directories and environment variables.
pub fn check_name(name: &str) -> Result<()> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let message = match name {
        DEFAULT | ALL => {
            format!("`{name}` can't be the name of a further database: it is reserved")
        }
        name if name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(is_word) =>
        {
            return Ok(());
        }
        _ => format!("`{name}` can't be the name of a database"),
    };
    Err(Error::new(message)
        .hint("a name consists of letters, digits and `_`, and begins with a letter"))
}

/// Fails if a name is invalid, or if two names can't be told apart.
pub(super) fn check(databases: &BTreeMap<String, Further>, path: &Path) -> Result<()> {
    let mut names = BTreeMap::new();
    for name in databases.keys() {
        check_name(name)?;
        // The names of their environment variables would be the same.
        if let Some(other) = names.insert(name.to_lowercase(), name) {
            let message =
                format!("the names of the databases `{other}` and `{name}` differ only in case");
            return Err(Error::new(message).hint(format!("rename one in {}", path.display())));
        }
    }
    Ok(())
}
