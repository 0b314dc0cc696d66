//! The context that every command works with.

use std::sync::{Arc, OnceLock};

use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::dialect::{self, Dialect, Sqlite};
use dbmigrate_runtime::engine::folding::NameRules;
use dbmigrate_runtime::engine::record::ModelRecord;

use crate::cli::Global;
use crate::config::{self, Config, Further};
use crate::edits::Edits;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::paths;
use crate::project::{MIGRATIONS, Project};
use crate::scope::Scope;
use crate::url_source::{self, Lookup, Source};

/// A project from the point of view of one of its databases, with that database's directory, URL
/// and version table.
#[derive(Debug, Clone)]
pub struct Context {
    pub global: Global,
    pub out: Output,
    pub project: Project,
    pub config: Config,
    /// The database's name; `None` for the default one.
    pub database: Option<String>,
    /// The files that the command has written, for all databases.
    pub edits: Edits,
    /// The models of all databases, once they have been read.
    pub records: Arc<OnceLock<Vec<ModelRecord>>>,
    /// The database's URL and where it was found, once it has been looked up.
    found_url: OnceLock<(String, Source)>,
}

impl Context {
    /// Finds the project and reads its configuration, without starting a process. The context is
    /// that of the default database.
    pub fn new(global: Global, out: Output) -> Result<Context> {
        let project = Project::find(&global)?;
        refuse_further(&project)?;
        let config = Config::read(&project.migrations_dir)?;
        Ok(Context::of_project(global, out, project, config))
    }

    /// A project from the point of view of its default database.
    pub fn of_project(global: Global, out: Output, project: Project, config: Config) -> Context {
        Context {
            global,
            out,
            project,
            config,
            database: None,
            edits: Edits::default(),
            records: Arc::default(),
            found_url: OnceLock::new(),
        }
    }

    /// The same project from the point of view of one of its databases. This doesn't check that
    /// databases have nothing in common; [`databases::named`](crate::databases::named) does.
    ///
    /// # Errors
    ///
    /// When dbmigrate.toml has no database with this name.
    pub fn with_database(&self, name: &str) -> Result<Context> {
        if name == config::DEFAULT {
            return Ok(self.clone());
        }
        let Some(further) = self.config.databases.get(name) else {
            let message = format!("there is no database `{name}`, only {}", self.names());
            return Err(Error::new(message).hint(format!(
                "`cargo dbmigrate init --database {name}` adds it to dbmigrate.toml"
            )));
        };
        let directory = paths::clean(&self.project.config_dir.join(further.directory(name)));
        Ok(Context {
            project: self.project.with_migrations(&directory),
            config: self.config.of(further),
            database: Some(name.to_owned()),
            found_url: OnceLock::new(),
            ..self.clone()
        })
    }

    /// The same project from the point of view of its default database, to which `--url` doesn't
    /// apply.
    ///
    /// # Errors
    ///
    /// When the configuration can't be read.
    pub fn of_default(&self) -> Result<Context> {
        let mut default = Context { found_url: OnceLock::new(), ..self.clone() };
        default.global.url = None;
        if self.database.is_some() {
            default.database = None;
            default.config = Config::read(&self.project.config_dir)?;
            default.project = self.project.with_migrations(&self.project.config_dir);
        }
        Ok(default)
    }

    /// What the URL of the database is looked up in.
    pub fn lookup(&self) -> Lookup<'_> {
        let Context { global, project, config, database, .. } = self;
        Lookup { global, project, config, database: database.as_deref() }
    }

    /// The database's URL, and where it was found.
    ///
    /// # Errors
    ///
    /// When the environment or `.env` can't be read.
    pub fn url(&self) -> Result<(String, Source)> {
        if let Some(found) = self.found_url.get() {
            return Ok(found.clone());
        }
        let found = url_source::find_url(&self.lookup())?;
        Ok(self.found_url.get_or_init(|| found).clone())
    }

    /// The kind of database that the URL names. A URL that can't be found or read counts as one of
    /// the default kind: it fails once the database is needed.
    fn backend_of_url(&self) -> Backend {
        self.url().ok().and_then(|(url, _)| url_source::backend(&url)).unwrap_or_default()
    }

    /// The kinds of databases that the history is for: those of the setting `dialects`, or else
    /// that of the database's URL. This is the only place that decides it.
    pub fn backends(&self) -> Vec<Backend> {
        if self.config.dialects.is_empty() {
            vec![self.backend_of_url()]
        } else {
            self.config.dialects.clone()
        }
    }

    /// Whether new revisions are tried in memory, which only SQLite can do. On servers they are tried
    /// on a shadow database.
    pub fn has_trial(&self) -> bool {
        self.backends().contains(&Backend::Sqlite)
    }

    /// The dialects of the history's databases.
    pub fn dialects(&self) -> impl Iterator<Item = &'static dyn Dialect> {
        self.backends().into_iter().filter_map(dialect::of)
    }

    /// The dialect of the project's database: of the one at its URL if the history is for it, and
    /// else the first that the history is for.
    pub fn dialect(&self) -> &'static dyn Dialect {
        let (backends, own) = (self.backends(), self.backend_of_url());
        let named = backends.iter().find(|backend| **backend == own);
        let reached = || backends.iter().find(|backend| backend.is_reached_by(own));
        let first = named.or_else(reached).or(backends.first()).copied();
        first.and_then(dialect::of).unwrap_or(&Sqlite)
    }

    /// The dialects of the history's other databases.
    pub fn other_dialects(&self) -> Vec<&'static dyn Dialect> {
        let own = self.dialect().backend();
        self.dialects().filter(|dialect| dialect.backend() != own).collect()
    }

    /// What names can refer to in the project's database, as far as this is known without a
    /// connection.
    pub fn name_rules(&self) -> NameRules {
        self.dialect().names(&self.dialect().offline_facts())
    }

    /// What is compared and what is left out.
    pub fn scope(&self) -> Scope {
        self.config.scope(self.name_rules())
    }

    /// The names of all databases, in backticks.
    pub fn names(&self) -> String {
        let names = [config::DEFAULT].into_iter();
        let names = names.chain(self.config.databases.keys().map(String::as_str));
        format!("`{}`", names.collect::<Vec<_>>().join("`, `"))
    }

    /// The database's name, as used in `--database`.
    pub fn database_name(&self) -> &str {
        self.database.as_deref().unwrap_or(config::DEFAULT)
    }
}

/// Fails if the migrations directory belongs to an additional database, whose settings are in the
/// default database's dbmigrate.toml.
///
/// # Errors
///
/// Names the database that the directory belongs to.
fn refuse_further(project: &Project) -> Result<()> {
    let own = &project.migrations_dir;
    if config::path(own).exists() {
        return Ok(());
    }
    let above = own.ancestors().skip(1).take_while(|path| path.starts_with(&project.package_dir));
    let default_dir = project.package_dir.join(MIGRATIONS);
    for dir in above.chain([default_dir.as_path()]).filter(|dir| config::path(dir).is_file()) {
        let databases = Config::read(dir)?.databases;
        let is_own = |name: &str, candidate: &Further| {
            paths::is_same(&dir.join(candidate.directory(name)), own)
        };
        let Some((name, _)) = databases.iter().find(|(name, database)| is_own(name, database))
        else {
            continue;
        };
        let (shown, dir) = (project.shown(own), project.shown(dir));
        let message = format!("`-d {shown}`: the settings of the database `{name}` are in `{dir}`");
        let instead =
            if dir.to_string() == MIGRATIONS { String::new() } else { format!("-d {dir} ") };
        return Err(Error::new(message).hint(format!("use `{instead}--database {name}` instead")));
    }
    Ok(())
}
