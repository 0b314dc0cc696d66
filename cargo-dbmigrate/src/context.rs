//! What every command works with.

mod apart;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use dbmigrate_runtime::record::ModelRecord;

use crate::cli::Global;
use crate::config::{self, Config};
use crate::connection::Database;
use crate::edits::Edits;
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
    /// The files that the command has written, for all databases.
    pub edits: Edits,
    /// The models of all databases, once they were read.
    pub records: Arc<OnceLock<Vec<ModelRecord>>>,
}

impl Context {
    /// Finds the project and reads its configuration, without starting a process. It is the
    /// default database's.
    pub fn new(global: Global, out: Output) -> Result<Context> {
        let project = Project::find(&global)?;
        apart::refuse_further(&project)?;
        let config = Config::read(&project.migrations_dir)?;
        Ok(Context::of_project(global, out, project, config))
    }

    /// A project as its default database sees it.
    pub fn of_project(global: Global, out: Output, project: Project, config: Config) -> Context {
        Context {
            global,
            out,
            project,
            config,
            database: None,
            edits: Edits::default(),
            records: Arc::default(),
        }
    }

    /// The same project as one of its databases sees it.
    ///
    /// # Errors
    ///
    /// When dbmigrate.toml has no database of that name, or what it says is another one's.
    pub fn of_database(&self, name: &str) -> Result<Context> {
        let cx = self.unchecked(name)?;
        for other in self.others(name)? {
            apart::check(&cx, &other)?;
        }
        Ok(cx)
    }

    fn unchecked(&self, name: &str) -> Result<Context> {
        if name == config::DEFAULT {
            return Ok(self.clone());
        }
        let Some(it) = self.config.databases.get(name) else {
            let message = format!("there is no database `{name}`, only {}", self.names());
            return Err(Error::new(message).hint(format!(
                "`cargo dbmigrate init --database {name}` adds it to dbmigrate.toml"
            )));
        };
        let own = files::clean(&self.project.config_dir.join(it.directory(name)));
        Ok(Context {
            project: self.project.with_migrations(&own),
            config: self.config.of(it),
            database: Some(name.to_owned()),
            ..self.clone()
        })
    }

    /// The project as its databases other than that one see it. Of those no URL is given.
    fn others(&self, name: &str) -> Result<Vec<Context>> {
        if self.config.databases.is_empty() {
            return Ok(Vec::new());
        }
        let mut default = self.clone();
        default.global.url = None;
        if self.database.is_some() {
            default.database = None;
            default.config = Config::read(&self.project.config_dir)?;
            default.project = self.project.with_migrations(&self.project.config_dir);
        }
        let names = [config::DEFAULT].into_iter();
        let names = names.chain(default.config.databases.keys().map(String::as_str));
        names.filter(|it| *it != name).map(|it| default.unchecked(it)).collect()
    }

    /// The name of another of the project's databases that is in the same file, if there is one.
    ///
    /// # Errors
    ///
    /// When it can't be found out which file one of them is.
    pub fn other_in(&self, file: &Path) -> Result<Option<String>> {
        for other in self.others(self.database_name())? {
            let theirs = Database::locate(&other)?;
            if theirs.path().is_some_and(|it| files::is_same(it, file)) {
                return Ok(Some(other.database_name().to_owned()));
            }
        }
        Ok(None)
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
