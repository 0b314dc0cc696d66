//! Where a database stands in a history: read once, with everything that follows from it.

use std::collections::BTreeSet;

use crate::Error;
use crate::direction::Direction;
use crate::driver::Connection;
use crate::migration::Migrations;
use crate::plan;
use crate::revision::{Graph, GraphError, Target, View};
use crate::version_table::{self, Name, VersionRow};

/// The revisions that a database may have applied, with what is known about them.
pub trait History: Clone {
    /// The graph of the revisions.
    fn graph(&self) -> &Graph;

    /// The checksum of a revision's upgrade, if it is known.
    fn checksum(&self, id: &str) -> Option<&str>;

    /// Why an upgrade stops before a revision, if it does and that is known.
    fn barrier(&self, id: &str) -> Option<String>;

    /// The history from the point of view of a database with these version rows.
    ///
    /// # Errors
    ///
    /// When the database is at a revision whose file no longer exists.
    fn seen(&self, rows: BTreeSet<String>) -> Result<View<'_, Self>, GraphError>;
}

impl History for Graph {
    fn graph(&self) -> &Graph {
        self
    }

    fn checksum(&self, _id: &str) -> Option<&str> {
        None
    }

    fn barrier(&self, _id: &str) -> Option<String> {
        None
    }

    fn seen(&self, rows: BTreeSet<String>) -> Result<View<'_, Graph>, GraphError> {
        self.view(rows)
    }
}

impl History for Migrations {
    fn graph(&self) -> &Graph {
        self.graph()
    }

    fn checksum(&self, id: &str) -> Option<&str> {
        self.get(id).map(|migration| migration.checksum.as_str())
    }

    fn barrier(&self, id: &str) -> Option<String> {
        self.get(id)?.upgrade.barrier.clone()
    }

    fn seen(&self, rows: BTreeSet<String>) -> Result<View<'_, Migrations>, GraphError> {
        self.view(rows)
    }
}

/// Where a database stands in a history.
#[derive(Debug)]
pub struct Standing<'h, H: History> {
    /// The rows of its version table.
    pub rows: Vec<VersionRow>,
    /// The history from the database's point of view, and what is applied of it.
    pub view: View<'h, H>,
}

impl<'h, H: History> Standing<'h, H> {
    /// Where a database with these version rows stands. The rows aren't compared with the history
    /// yet.
    ///
    /// # Errors
    ///
    /// When the database is at a revision whose file no longer exists.
    pub fn of(history: &'h H, rows: Vec<VersionRow>) -> Result<Standing<'h, H>, GraphError> {
        let view = history.seen(ids(&rows))?;
        Ok(Standing { rows, view })
    }

    /// Reads the version table, and compares the applied revisions with the history.
    ///
    /// # Errors
    ///
    /// The database's errors, and as [`Standing::of`] and [`Standing::check`].
    pub fn read(
        conn: &mut dyn Connection,
        history: &'h H,
        version_table: Name<'_>,
        allow_ahead: bool,
    ) -> Result<Standing<'h, H>, Error> {
        let rows = version_table::read(conn, version_table)?;
        let standing = Standing::of(history, rows)?;
        standing.check(allow_ahead)?;
        Ok(standing)
    }

    /// Compares the applied revisions with the history. Rows that count as another revision are not
    /// compared.
    ///
    /// # Errors
    ///
    /// The first applied revision that was edited afterwards, or, unless `allow_ahead`, that the
    /// project doesn't have.
    pub fn check(&self, allow_ahead: bool) -> Result<(), Error> {
        let checksum = |id: &str| self.view.of.checksum(id);
        check_applied(self.graph(), checksum, &self.rows, allow_ahead)
    }

    /// The revisions from the database's point of view.
    pub fn graph(&self) -> &Graph {
        self.view.of.graph()
    }

    /// The ids of the applied revisions.
    pub fn applied(&self) -> &BTreeSet<String> {
        &self.view.applied
    }

    /// Resolves the target of an upgrade or a downgrade.
    ///
    /// # Errors
    ///
    /// When it names nothing, or nothing in that direction.
    pub fn target(&self, direction: Direction, identifier: &str) -> Result<Target, Error> {
        plan::target(self.graph(), self.applied(), direction, identifier)
    }

    /// The revisions between the applied ones and a target, in the order in which they run.
    pub fn route(&self, direction: Direction, target: &Target) -> Vec<String> {
        plan::route(self.graph(), self.applied(), direction, target)
    }
}

/// The ids of applied revisions.
pub fn ids(rows: &[VersionRow]) -> BTreeSet<String> {
    rows.iter().map(|row| row.id.clone()).collect()
}

/// Same as [`Standing::check`], with checksums from another source.
///
/// # Errors
///
/// As [`Standing::check`].
pub fn check_applied<'a>(
    graph: &Graph,
    checksum: impl Fn(&str) -> Option<&'a str>,
    rows: &[VersionRow],
    allow_ahead: bool,
) -> Result<(), Error> {
    for row in rows {
        match (graph.get(&row.id), checksum(&row.id)) {
            (Some(revision), Some(checksum)) if differs(checksum, &row.checksum) => {
                return Err(Error::edited(&row.id, &revision.file));
            }
            (Some(_), _) => {}
            (None, _) if allow_ahead || graph.find(&row.id).is_some() => {}
            (None, _) => {
                let known = graph.current(&ids(rows));
                return Err(Error::unknown_applied(&row.id, &row.message, &known));
            }
        }
    }
    Ok(())
}

/// Whether two checksums show that the operations differ. Checksums of different versions of the
/// encoding can't be compared.
fn differs(one: &str, other: &str) -> bool {
    one != other && one.split(':').next() == other.split(':').next()
}
