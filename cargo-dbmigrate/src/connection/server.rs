//! A database on a server.

use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::driver::postgres::PostgresDriver;
use dbmigrate_runtime::engine::url::Server;

use super::Source;
use crate::error::{Error, Result};

/// A database on a server, not yet connected to.
#[derive(Debug, Clone)]
pub struct ServerDatabase {
    pub backend: Backend,
    pub server: Server,
}

impl ServerDatabase {
    /// Connects; `source` is where the URL was found.
    pub fn open(&self, source: &Source) -> Result<Box<dyn Driver>> {
        let failed = || Error::new(format!("failed to connect to `{}`", self.server.shown()));
        match self.backend {
            Backend::Postgres => match PostgresDriver::connect(&self.server) {
                Ok(driver) => Ok(Box::new(driver)),
                Err(err) => Err(failed().cause(err).hint(format!("the URL comes from {source}"))),
            },
            Backend::Sqlite | Backend::Mysql => {
                Err(failed().hint("this version has no driver for it"))
            }
        }
    }
}
