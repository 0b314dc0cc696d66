//! `dbmigrate.toml`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Doing as _, Error, Result, toml_place};

/// The file's name, in the migrations directory.
pub const FILE: &str = "dbmigrate.toml";

/// The keys. `init` writes all of them with their defaults; see `scaffold`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The database.
    pub url: String,
    /// The package of the models.
    pub package: Option<String>,
    /// Whether only the library's models count.
    pub lib: bool,
    /// The binary whose models count beside the library's.
    pub bin: Option<String>,
    pub features: Vec<String>,
    pub all_features: bool,
    pub default_features: bool,
    pub profile: Option<String>,
    pub target: Option<String>,
    /// The template of revisions' file names.
    pub file_template: String,
    /// How long a message's part of a file name may be.
    pub truncate_slug_length: usize,
    /// The version table's name.
    pub version_table: String,
    /// Whether doc comments become the tables' and columns' comments.
    pub doc_comments: bool,
    /// Dependencies of the migrations themselves, as in a manifest.
    pub dependencies: toml::Table,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            url: "sqlite:app.db".to_owned(),
            package: None,
            lib: false,
            bin: None,
            features: Vec::new(),
            all_features: false,
            default_features: true,
            profile: None,
            target: None,
            file_template: "m{year}{month}{day}_{hour}{minute}{second}_{rev}_{slug}".to_owned(),
            truncate_slug_length: 40,
            version_table: dbmigrate_runtime::version_table::NAME.to_owned(),
            doc_comments: false,
            dependencies: toml::Table::new(),
        }
    }
}

impl Config {
    /// Reads the file of a migrations directory; all defaults where there is none.
    pub fn read(migrations_dir: &Path) -> Result<Config> {
        let path = migrations_dir.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(Config::default()),
            res => res.doing(|| format!("read `{}`", path.display()))?,
        };
        Config::parse(&text, &path)
    }

    fn parse(text: &str, path: &Path) -> Result<Config> {
        toml::from_str(text).map_err(|err| {
            let place = toml_place(path, text, &err);
            Error::new(format!("failed to read the configuration at {place}: {}", err.message()))
                .hint("`cargo dbmigrate init` in an empty package writes a file with every key")
        })
    }
}

/// The file's path, for messages.
pub fn path(migrations_dir: &Path) -> PathBuf {
    migrations_dir.join(FILE)
}
