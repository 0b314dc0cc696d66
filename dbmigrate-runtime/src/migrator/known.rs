//! What a program knows of its revisions without recording them all.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Status;
use crate::Error;
use crate::driver::Connection;
use crate::executor::Options;
use crate::migration::Module;
use crate::revision::{Graph, GraphError, View};
use crate::room::with_room;
use crate::standing::History;
use crate::version_table;

/// The revisions of a program. A revision is recorded only to find its barrier, and only when that
/// is needed.
#[derive(Debug, Clone)]
pub struct Known {
    graph: Graph,
    modules: &'static [Module],
}

impl Known {
    /// # Errors
    ///
    /// When the revisions don't form a graph.
    pub fn of(modules: &'static [Module]) -> Result<Known, Error> {
        let graph = Graph::new(modules.iter().map(Module::revision).collect())?;
        Ok(Known { graph, modules })
    }

    /// How a database compares with them.
    ///
    /// # Errors
    ///
    /// The database's errors, and when its revisions don't fit these.
    pub fn status(&self, conn: &mut dyn Connection, options: &Options) -> Result<Status, Error> {
        let rows = version_table::read(conn, options.version_table())?;
        Status::of(conn, self, rows, options)
    }
}

impl History for Known {
    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn checksum(&self, _id: &str) -> Option<&str> {
        None
    }

    fn barrier(&self, id: &str) -> Option<String> {
        let module = self.modules.iter().find(|module| module.revision == id)?;
        with_room(|| module.record()).upgrade.barrier
    }

    fn seen(&self, rows: BTreeSet<String>) -> Result<View<'_, Known>, GraphError> {
        let View { of, applied, counted } = self.graph.view(rows)?;
        let of = match of {
            Cow::Borrowed(_) => Cow::Borrowed(self),
            Cow::Owned(graph) => Cow::Owned(Known { graph, modules: self.modules }),
        };
        Ok(View { of, applied, counted })
    }
}
