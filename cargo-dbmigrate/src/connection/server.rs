//! A database on a server.

use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::url::Server;
use dbmigrate_runtime::engine::{Backend, open_server};

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
        open_server(self.backend, &self.server).map_err(|err| {
            let err = Error::from(err);
            let hint = err.get_hint().map_or(String::new(), |hint| format!("{hint}; "));
            err.hint(format!("{hint}the URL is from {source}"))
        })
    }
}
