//! What every command works with.

use crate::cli::Global;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::project::Project;

#[derive(Debug)]
pub struct Context {
    pub global: Global,
    pub out: Output,
    pub project: Project,
    pub config: Config,
}

impl Context {
    /// Finds the project and reads its configuration, without starting a process.
    pub fn new(global: Global, out: Output) -> Result<Context> {
        if let Some(name) = &global.database {
            return Err(Error::new(format!("there is no database `{name}`: a project has one"))
                .hint("several databases are for a later version; --url names another one"));
        }
        let project = Project::find(&global)?;
        let config = Config::read(&project.migrations_dir)?;
        Ok(Context { global, out, project, config })
    }
}
