//! `dbmigrate.toml`.

mod databases;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use cargo_metadata::semver::VersionReq;
use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::folding::NameRules;
use dbmigrate_runtime::engine::naming::{Convention, Templates};
use dbmigrate_runtime::engine::version_table::Name;
use serde::Deserialize;

pub use databases::{ALL, DEFAULT, Further, check_name};

use crate::cli::{self, BackupBefore, Transaction};
use crate::error::{Doing as _, Error, Result, toml_place};
use crate::scope::{Excluded, Included, Scope};

/// The file's name, in the migrations directory.
pub const FILE: &str = "dbmigrate.toml";

/// The directory of modules whose path `mod.rs` doesn't give.
pub const VERSIONS: &str = "versions";

/// The settings. `init` writes all of them with their defaults; see `scaffold`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The URL of the database.
    pub url: String,
    /// The kinds of databases that the history is for; empty for the one of the URL.
    #[serde(deserialize_with = "backends")]
    pub dialects: Vec<Backend>,
    /// The package that contains the models.
    pub package: Option<String>,
    /// Whether only the library's models are used.
    pub lib: bool,
    /// The binary whose models are used in addition to the library's.
    pub bin: Option<String>,
    pub features: Vec<String>,
    pub all_features: bool,
    pub default_features: bool,
    pub profile: Option<String>,
    pub target: Option<String>,
    /// The directories of revision files, relative to the migrations directory.
    pub version_locations: Vec<String>,
    /// Whether subdirectories are searched as well.
    pub recursive_version_locations: bool,
    /// The template for the names of revision files.
    pub file_template: String,
    /// The time zone of the times in revisions' names and headers.
    pub timezone: String,
    /// The maximum length of the message in a file name.
    pub truncate_slug_length: usize,
    /// The template for revision modules, in the migrations directory; empty for the built-in one.
    pub module_template: String,
    /// The version table's name.
    pub version_table: String,
    /// The schema of the version table; empty for the connection's own schema.
    pub version_table_schema: String,
    /// The tables that are compared; empty for all tables.
    pub include: Vec<Included>,
    /// What is left out of the comparison.
    pub exclude: Vec<Excluded>,
    /// Whether a run is one transaction, or each of its revisions.
    pub transaction: Transaction,
    /// For how many seconds to wait for another process's lock.
    pub lock_timeout: u64,
    /// For how many milliseconds to pause after each piece of a step in pieces.
    pub batch_pause: u64,
    /// Before which runs a backup of an SQLite file is made.
    pub backup: BackupBefore,
    /// How many backups of a file are kept.
    pub backups_kept: NonZeroUsize,
    /// Whether doc comments become the tables' and columns' comments.
    pub doc_comments: bool,
    /// The function that rewrites the operations of autogenerate; empty for none.
    pub rewrite: String,
    /// The URL of an empty database of a server, on which `verify` runs; empty for none.
    pub shadow_url: String,
    /// The levels of the rules of `lint`.
    pub lint: LintLevels,
    /// The names of constraints and indexes that a model doesn't name.
    pub naming: Naming,
    /// Commands to run on each revision file after it is written, in this order.
    pub post_write_hooks: Vec<Hook>,
    /// The migrations' own dependencies, as in a manifest.
    pub dependencies: toml::Table,
    /// Additional databases, by name.
    pub databases: BTreeMap<String, Further>,
}

const FIVE: NonZeroUsize = NonZeroUsize::new(5).expect("five is not zero");

/// A command that is run on a new file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// The hook's name; by default the first word of the command.
    pub name: Option<String>,
    /// The program and its arguments, in which `{path}` stands for the file.
    #[serde(deserialize_with = "command")]
    pub command: Vec<String>,
    /// The working directory, relative to the package's directory.
    #[serde(default)]
    pub cwd: String,
}

impl Hook {
    pub fn name(&self) -> &str {
        let program = || self.command.first().map_or("", String::as_str);
        self.name.as_deref().unwrap_or_else(program)
    }
}

/// The kinds of databases that this version supports, by their names.
fn backends<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<Backend>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    names.iter().map(|name| cli::dialect(name).map_err(serde::de::Error::custom)).collect()
}

/// A program and its arguments.
fn command<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<String>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    match words.first() {
        Some(program) if !program.is_empty() => Ok(words),
        _ => Err(serde::de::Error::custom("a command begins with the name of a program")),
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            url: "sqlite:app.db".to_owned(),
            dialects: Vec::new(),
            package: None,
            lib: false,
            bin: None,
            features: Vec::new(),
            all_features: false,
            default_features: true,
            profile: None,
            target: None,
            version_locations: vec![VERSIONS.to_owned()],
            recursive_version_locations: false,
            file_template: "m{year}{month}{day}_{hour}{minute}{second}_{rev}_{slug}".to_owned(),
            timezone: "UTC".to_owned(),
            truncate_slug_length: 40,
            module_template: String::new(),
            version_table: dbmigrate_runtime::engine::version_table::NAME.to_owned(),
            version_table_schema: String::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            transaction: Transaction::Run,
            lock_timeout: 60,
            batch_pause: 0,
            backup: BackupBefore::Never,
            backups_kept: FIVE,
            doc_comments: false,
            rewrite: String::new(),
            shadow_url: String::new(),
            lint: LintLevels::default(),
            naming: Naming::default(),
            post_write_hooks: Vec::new(),
            dependencies: toml::Table::new(),
            databases: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Reads the settings of a migrations directory; without a file, all of them have their
    /// defaults.
    pub fn read(migrations_dir: &Path) -> Result<Config> {
        let path = migrations_dir.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(Config::default()),
            res => res.doing(|| format!("read `{}`", path.display()))?,
        };
        Config::parse(&text, &path)
    }

    /// The version table's name, with its schema.
    pub fn version_table(&self) -> Name<'_> {
        Name { schema: &self.version_table_schema, table: &self.version_table }
    }

    /// What is compared and what is left out.
    pub fn scope(&self, names: NameRules) -> Scope {
        Scope { names, include: self.include.clone(), exclude: self.exclude.clone() }
    }

    /// Parses the text of the file at this path.
    ///
    /// # Errors
    ///
    /// Text that isn't TOML, an unknown key, and a name that no database can have.
    pub fn parse(text: &str, path: &Path) -> Result<Config> {
        let config: Config = toml::from_str(text).map_err(|err| {
            let place = toml_place(path, text, &err);
            let message = err.message();
            let name =
                message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
            let hint = match name {
                Some((name, _)) if keys().iter().any(|key| key == name) => {
                    format!("`{name}`{ABOVE}")
                }
                _ => "`cargo dbmigrate init` in an empty package writes a file with every key"
                    .to_owned(),
            };
            Error::new(format!("failed to read the configuration at {place}: {message}")).hint(hint)
        })?;
        databases::check(&config.databases, path)?;
        let further =
            config.databases.values().filter_map(|database| database.version_table.as_ref());
        if further.chain([&config.version_table]).any(|name| name.trim().is_empty()) {
            let message = format!("`version_table` is empty in `{}`", path.display());
            return Err(
                Error::new(message).hint("remove the key to use the default, `dbmigrate_version`")
            );
        }
        dependencies(&config.dependencies, path)?;
        Ok(config)
    }
}

/// The message about a key that was put into a table.
const ABOVE: &str = " is a top-level key: it belongs above the first table in brackets";

/// The top-level keys: serde lists them when it finds an unknown one.
fn keys() -> Vec<String> {
    let err =
        toml::from_str::<Config>("'' = 1").map_or_else(|err| err.to_string(), |_| String::new());
    let list = err.split_once("expected one of ").map_or("", |(_, text)| text);
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Fails if something listed as a dependency can't be one, such as a key at the end of the file.
fn dependencies(table: &toml::Table, path: &Path) -> Result<()> {
    let is_dependency = |value: &toml::Value| match value {
        toml::Value::String(version) => VersionReq::parse(version).is_ok(),
        value => value.is_table(),
    };
    let Some((name, value)) = table.iter().find(|(_, value)| !is_dependency(value)) else {
        return Ok(());
    };
    let message = format!(
        "`{name} = {value}` under `[dependencies]` of `{}` is not a dependency",
        path.display()
    );
    let is_key = keys().iter().any(|key| key == name);
    Err(Error::new(message).hint(if is_key {
        format!("`{name}`{ABOVE}")
    } else {
        "a dependency is a version, or a table, as in Cargo.toml".to_owned()
    }))
}

/// The table `lint`: the rules that have another level than their own. `lint` checks the names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LintLevels {
    pub deny: Vec<String>,
    pub warn: Vec<String>,
    pub allow: Vec<String>,
}

/// The table `naming`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "NamingKeys")]
pub struct Naming(pub Convention);

/// The keys of this table; a missing key has its default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NamingKeys {
    primary_key: Option<String>,
    unique: Option<String>,
    index: Option<String>,
    foreign_key: Option<String>,
    check: Option<String>,
}

impl TryFrom<NamingKeys> for Naming {
    type Error = String;

    fn try_from(keys: NamingKeys) -> std::result::Result<Naming, String> {
        let defaults = Templates::default();
        let templates = Templates {
            primary_key: keys.primary_key.unwrap_or(defaults.primary_key),
            unique: keys.unique.unwrap_or(defaults.unique),
            index: keys.index.unwrap_or(defaults.index),
            foreign_key: keys.foreign_key.unwrap_or(defaults.foreign_key),
            check: keys.check.unwrap_or(defaults.check),
        };
        Convention::new(templates).map(Naming).map_err(|why| format!("naming: {why}"))
    }
}

/// The file's path.
pub fn path(migrations_dir: &Path) -> PathBuf {
    migrations_dir.join(FILE)
}

#[cfg(test)]
mod tests;
