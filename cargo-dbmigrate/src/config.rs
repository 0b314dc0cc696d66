//! `dbmigrate.toml`.

mod databases;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cargo_metadata::semver::VersionReq;
use dbmigrate_runtime::engine::folding::NameRules;
use dbmigrate_runtime::engine::naming::{Convention, Templates};
use dbmigrate_runtime::engine::version_table::Name;
use serde::Deserialize;

pub use databases::{ALL, DEFAULT, Further, check_name};

use crate::cli::Transaction;
use crate::error::{Doing as _, Error, Result, toml_place};
use crate::scope::{Excluded, Included, Scope};

/// The file's name, in the migrations directory.
pub const FILE: &str = "dbmigrate.toml";

/// The directory in which a module is looked for whose path `mod.rs` doesn't name.
pub const VERSIONS: &str = "versions";

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
    /// The directories of revision files, from the migrations directory.
    pub version_locations: Vec<String>,
    /// Whether the directories in them count as well.
    pub recursive_version_locations: bool,
    /// The template of revisions' file names.
    pub file_template: String,
    /// The zone of the times in revisions' names and headers.
    pub timezone: String,
    /// How long a message's part of a file name may be.
    pub truncate_slug_length: usize,
    /// The template of revisions' modules, in the migrations directory; the built-in one without.
    pub module_template: String,
    /// The version table's name.
    pub version_table: String,
    /// The schema that it is in; empty is the connection's own.
    pub version_table_schema: String,
    /// The tables that are compared; none means all.
    pub include: Vec<Included>,
    /// What isn't compared.
    pub exclude: Vec<Excluded>,
    /// Whether a run is one transaction, or each of its revisions.
    pub transaction: Transaction,
    /// For how many seconds another process's lock is waited for.
    pub lock_timeout: u64,
    /// Whether doc comments become the tables' and columns' comments.
    pub doc_comments: bool,
    /// The function that rewrites what autogenerate found, none if it is empty.
    pub rewrite: String,
    /// The names of constraints and indexes that a model doesn't name.
    pub naming: Naming,
    /// What runs on each revision file after it is written, in this order.
    pub post_write_hooks: Vec<Hook>,
    /// Dependencies of the migrations themselves, as in a manifest.
    pub dependencies: toml::Table,
    /// Further databases, by name.
    pub databases: BTreeMap<String, Further>,
}

/// A command that runs on a new file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// What it is called; the command's first word without.
    pub name: Option<String>,
    /// The program and its arguments, in which `{path}` is the file.
    #[serde(deserialize_with = "command")]
    pub command: Vec<String>,
    /// Where it runs, from the package's directory.
    #[serde(default)]
    pub cwd: String,
}

impl Hook {
    pub fn name(&self) -> &str {
        let program = || self.command.first().map_or("", String::as_str);
        self.name.as_deref().unwrap_or_else(program)
    }
}

/// A program and its arguments.
fn command<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<String>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    match words.first() {
        Some(program) if !program.is_empty() => Ok(words),
        _ => Err(serde::de::Error::custom("a command begins with a program's name")),
    }
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
            doc_comments: false,
            rewrite: String::new(),
            naming: Naming::default(),
            post_write_hooks: Vec::new(),
            dependencies: toml::Table::new(),
            databases: BTreeMap::new(),
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

    /// The version table with its schema.
    pub fn version_table(&self) -> Name<'_> {
        Name { schema: &self.version_table_schema, table: &self.version_table }
    }

    /// What is compared and what is left out.
    pub fn scope(&self, names: NameRules) -> Scope {
        Scope { names, include: self.include.clone(), exclude: self.exclude.clone() }
    }

    /// Reads the text of the file at this path.
    ///
    /// # Errors
    ///
    /// What isn't TOML, an unknown key, and a name that no database can have.
    pub fn parse(text: &str, path: &Path) -> Result<Config> {
        let config: Config = toml::from_str(text).map_err(|err| {
            let place = toml_place(path, text, &err);
            let message = err.message();
            let name =
                message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
            let hint = match name {
                Some((name, _)) if keys().iter().any(|text| text == name) => {
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
        if further.chain([&config.version_table]).any(|text| text.trim().is_empty()) {
            let message = format!("`version_table` is empty in `{}`", path.display());
            return Err(Error::new(message)
                .hint("without the key it is the default one, `dbmigrate_version`"));
        }
        dependencies(&config.dependencies, path)?;
        Ok(config)
    }
}

/// What is said of a key that was put into a table.
const ABOVE: &str = " is a key of the file itself: it stands above the first line in brackets";

/// The keys of the file itself: serde names them where it finds another one.
fn keys() -> Vec<String> {
    let err =
        toml::from_str::<Config>("'' = 1").map_or_else(|err| err.to_string(), |_| String::new());
    let list = err.split_once("expected one of ").map_or("", |(_, text)| text);
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Fails where what is listed as a dependency can't be one, such as a key at the file's end.
fn dependencies(table: &toml::Table, path: &Path) -> Result<()> {
    let is_dependency = |value: &toml::Value| match value {
        toml::Value::String(version) => VersionReq::parse(version).is_ok(),
        value => value.is_table(),
    };
    let Some((name, value)) = table.iter().find(|(_, value)| !is_dependency(value)) else {
        return Ok(());
    };
    let message = format!(
        "`{name} = {value}` under `[dependencies]` of `{}` names no dependency",
        path.display()
    );
    let is_key = keys().iter().any(|text| text == name);
    Err(Error::new(message).hint(if is_key {
        format!("`{name}`{ABOVE}")
    } else {
        "a dependency is a version, or a table, as in Cargo.toml".to_owned()
    }))
}

/// The table `naming`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "NamingKeys")]
pub struct Naming(pub Convention);

/// Its keys; what isn't there is as it always was.
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
        let usual = Templates::default();
        let templates = Templates {
            primary_key: keys.primary_key.unwrap_or(usual.primary_key),
            unique: keys.unique.unwrap_or(usual.unique),
            index: keys.index.unwrap_or(usual.index),
            foreign_key: keys.foreign_key.unwrap_or(usual.foreign_key),
            check: keys.check.unwrap_or(usual.check),
        };
        Convention::new(templates).map(Naming).map_err(|why| format!("naming: {why}"))
    }
}

/// The file's path, for messages.
pub fn path(migrations_dir: &Path) -> PathBuf {
    migrations_dir.join(FILE)
}

#[cfg(test)]
mod tests;
