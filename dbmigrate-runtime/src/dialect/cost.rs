//! What a statement costs those who use the database while it runs.

use std::fmt;

/// The locks and the work of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// The tables that are locked until the end of the transaction, with their locks.
    pub locks: Vec<(String, Lock)>,
    /// What the statement does besides a change of the catalog.
    pub work: Work,
    /// Whether nothing is committed on any node of the cluster meanwhile.
    pub blocks_cluster: bool,
    /// The operations that make the statement cost this, in words, if it makes others as well that
    /// would cost less; otherwise empty.
    pub causes: Vec<String>,
}

impl Cost {
    /// The locks and the work of a statement on a single server.
    pub(super) const fn new(locks: Vec<(String, Lock)>, work: Work) -> Cost {
        Cost { locks, work, blocks_cluster: false, causes: Vec::new() }
    }
}

/// A lock on a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    /// The database's name for it, such as `ACCESS EXCLUSIVE`.
    pub name: &'static str,
    /// What has to wait for it.
    pub blocks: Blocks,
}

/// What has to wait for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blocks {
    /// Only other changes of the table's definition.
    Definitions,
    /// Everything that changes rows.
    Writes,
    /// Everything that reads or changes rows.
    ReadsAndWrites,
}

/// How much a statement has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// It changes only the catalog, however large the table is.
    None,
    /// It reads the whole table.
    Scan,
    /// It builds an index.
    IndexBuild,
    /// It changes rows.
    Rows,
    /// It writes the table and all of its indexes again.
    Rewrite,
}

/// ``locks `user` against reads and writes (ACCESS EXCLUSIVE), rewrites the table``
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (table, Lock { name, blocks }) in &self.locks {
            let against = match blocks {
                Blocks::Definitions => "other changes of its definition",
                Blocks::Writes => "writes",
                Blocks::ReadsAndWrites => "reads and writes",
            };
            parts.push(format!("locks `{table}` against {against} ({name})"));
        }
        let work = match self.work {
            Work::None => None,
            Work::Scan => Some("reads the whole table"),
            Work::IndexBuild => Some("builds an index"),
            Work::Rows => Some("changes rows"),
            Work::Rewrite => Some("rewrites the table and its indexes"),
        };
        parts.extend(work.map(str::to_owned));
        if self.blocks_cluster {
            parts.push("blocks all writes on all nodes of the cluster".to_owned());
        }
        f.write_str(&parts.join(", "))
    }
}
