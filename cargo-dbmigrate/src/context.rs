//! What every command works with.

use std::sync::{Arc, OnceLock};

use dbmigrate_runtime::record::ModelRecord;

use crate::cli::Global;
use crate::config::{self, Config, Further};
use crate::error::{Error, Result};
use crate::files;
use crate::output::Output;
use crate::project::Project;

/// A project as one of its databases sees it: with that one's directory, URL and version table.
#[derive(Debug, Clone)]
pub struct Context {
    pub global: Global,
    pub out: Output,
    pub project: Project,
    pub config: Config,
    /// The database's name; none for the default one.
    pub database: Option<String>,
    /// The models of all databases, once they were read.
    pub records: Arc<OnceLock<Vec<ModelRecord>>>,
}

impl Context {
    /// Finds the project and reads its configuration, without starting a process. It is the
    /// default database's.
    pub fn new(global: Global, out: Output) -> Result<Context> {
        let project = Project::find(&global)?;
        let config = Config::read(&project.migrations_dir)?;
        Ok(Context::of_project(global, out, project, config))
    }

    /// A project as its default database sees it.
    pub fn of_project(global: Global, out: Output, project: Project, config: Config) -> Context {
        Context { global, out, project, config, database: None, records: Arc::default() }
    }

    /// The same project as another of its databases sees it.
    ///
    /// # Errors
    ///
    /// When dbmigrate.toml has no database of that name, or what it says is another one's.
    pub fn of_database(&self, name: &str) -> Result<Context> {
        if name == config::DEFAULT {
            return Ok(self.clone());
        }
        let Some(it) = self.config.databases.get(name) else {
            let message = format!("there is no database `{name}`, only {}", self.names());
            return Err(Error::new(message).hint(format!(
                "`cargo dbmigrate init --database {name}` adds it to dbmigrate.toml"
            )));
        };
        let config = self.config.of(it);
        let table = |it: &Config| it.version_table.to_lowercase();
        let others = self.config.databases.iter().filter(|(other, _)| *other != name);
        let others = others.map(|(name, it)| (name.as_str(), self.config.of(it)));
        for (other, its) in others.chain([(config::DEFAULT, self.config.clone())]) {
            if its.url == config.url && table(&its) == table(&config) {
                let message = format!(
                    "the databases `{name}` and `{other}` have the same `url` and `version_table`"
                );
                return Err(Error::new(message)
                    .hint("give one of them another file, or a version table of its own"));
            }
        }
        let base = &self.project.migrations_dir;
        let dir = |name: &str, it: &Further| {
            files::clean(&base.join(it.directory.as_deref().unwrap_or(name.as_ref())))
        };
        let own = dir(name, it);
        let others = self.config.databases.iter().filter(|(other, _)| *other != name);
        let mut taken = others.map(|(name, it)| dir(name, it)).chain([files::clean(base)]);
        let locations = files::locations(self)?;
        if taken.any(|it| it == own) || locations.iter().any(|it| it.dir == own) {
            let message = format!(
                "the database `{name}` can't have the directory `{}`: it is another one's",
                crate::history::relative(self, &own)
            );
            return Err(Error::new(message).hint(format!(
                "name another by `directory = \"...\"` under `[databases.{name}]` in \
                 dbmigrate.toml"
            )));
        }
        Ok(Context {
            project: self.project.with_migrations(&own),
            config,
            database: Some(name.to_owned()),
            ..self.clone()
        })
    }

    /// The names of all databases, in quotes.
    pub fn names(&self) -> String {
        let names = [config::DEFAULT].into_iter();
        let names = names.chain(self.config.databases.keys().map(String::as_str));
        format!("`{}`", names.collect::<Vec<_>>().join("`, `"))
    }

    /// The database's name, as `--database` has it.
    pub fn database_name(&self) -> &str {
        self.database.as_deref().unwrap_or(config::DEFAULT)
    }
}
