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
    /// The kinds of databases that the history is for; empty if its settings don't say.
    pub history: Vec<Backend>,
}

impl ServerDatabase {
    /// Connects; `source` is where the URL was found.
    pub fn open(&self, source: &Source) -> Result<Box<dyn Driver>> {
        let driver = open_server(self.backend, &self.server).map_err(|err| {
            let err = Error::from(err);
            let hint = err.get_hint().map_or(String::new(), |hint| format!("{hint}; "));
            err.hint(format!("{hint}the URL is from {source}"))
        })?;
        // Only the server itself tells MySQL from MariaDB.
        let found = driver.dialect().backend();
        if !self.history.is_empty() && !self.history.contains(&found) {
            let shown = self.server.shown();
            let message =
                format!("the history isn't for {found}, which the server of `{shown}` is");
            return Err(Error::new(message).hint(format!(
                "add \"{}\" to `dialects` in dbmigrate.toml, or give the URL of another database \
                 than in {source}",
                found.name()
            )));
        }
        Ok(driver)
    }
}
