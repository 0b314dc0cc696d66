//! Which product a server is, its version, and the cluster that it is a part of.

use crate::backend::Backend;
use crate::driver::{MysqlFault, Unconnected};

/// A product that speaks MySQL's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// MySQL, and services that run it.
    Mysql,
    /// MariaDB.
    Mariadb,
    /// TiDB.
    Tidb,
    /// Vitess, as PlanetScale runs it.
    Vitess,
}

/// Servers that take each other's writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cluster {
    /// Galera: every node runs each change of a definition, in the same order.
    Galera,
    /// MySQL's Group Replication, where every member is written to.
    GroupReplication,
}

/// What a server says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The product.
    pub product: Product,
    /// Its version: three numbers.
    pub version: (u32, u32, u32),
    /// Its name and version, for messages.
    pub name: String,
    /// The cluster that it is a part of.
    pub cluster: Option<Cluster>,
}

/// The oldest supported versions.
const OLDEST_MYSQL: (u32, u32, u32) = (8, 0, 23);
const OLDEST_MARIADB: (u32, u32, u32) = (10, 6, 0);
/// The first with foreign keys that are enforced everywhere.
const OLDEST_TIDB: (u32, u32, u32) = (8, 5, 0);

impl Profile {
    /// Reads the answers to `VERSION()` and to `@@version_comment`.
    pub(super) fn of(version: &str, comment: &str) -> Profile {
        let has = |word: &str| version.contains(word) || comment.contains(word);
        let product = match () {
            () if has("TiDB") => Product::Tidb,
            () if has("Vitess") || has("PlanetScale") => Product::Vitess,
            () if has("MariaDB") => Product::Mariadb,
            () => Product::Mysql,
        };
        // TiDB says after which version of MySQL it behaves, and then its own.
        let own = version.split_once("TiDB-v").map_or(version, |(_, own)| own);
        let number = own.split('-').next().unwrap_or_default();
        let mut parts = number.split('.').map(|part| part.parse().ok());
        // A service's own text, as in `8.0.mysql_aurora.3.04.0`, is of a version that it keeps up.
        let mut part = || parts.next().flatten();
        let version = (part().unwrap_or(0), part().unwrap_or(0), part().unwrap_or(u32::MAX));
        let title = match product {
            Product::Mysql => "MySQL",
            Product::Mariadb => "MariaDB",
            Product::Tidb => "TiDB",
            Product::Vitess => "Vitess",
        };
        Profile { product, version, name: format!("{title} {number}"), cluster: None }
    }

    /// The kind of database that it is.
    pub fn backend(&self) -> Backend {
        match self.product {
            Product::Mariadb => Backend::Mariadb,
            Product::Mysql | Product::Tidb | Product::Vitess => Backend::Mysql,
        }
    }

    /// Whether it is the server that its dialect was made for, and not another product.
    pub(super) fn is_itself(&self) -> bool {
        matches!(self.product, Product::Mysql | Product::Mariadb)
    }

    /// Session settings that only this product has, each with its value as SQL.
    pub(super) fn own_settings(&self) -> &'static [(&'static str, &'static str)] {
        match (self.product, self.cluster) {
            // A change of a definition is made when its statement returns, and not some time later.
            (Product::Vitess, _) => &[("ddl_strategy", "'direct'")],
            // Every statement waits until the node has what others committed before: one that reads
            // (1), writes (2 and 4), or is `SHOW` (8).
            (_, Some(Cluster::Galera)) if self.isolates_snapshots() => {
                &[("wsrep_sync_wait", "15"), ("innodb_snapshot_isolation", "0")]
            }
            (_, Some(Cluster::Galera)) => &[("wsrep_sync_wait", "15")],
            _ if self.isolates_snapshots() => &[("innodb_snapshot_isolation", "0")],
            (Product::Mysql | Product::Mariadb | Product::Tidb, _) => &[],
        }
    }

    /// Whether a statement fails if it changes a row that others have changed since the transaction
    /// began, unless a setting turns that off. While a program writes, one statement for a whole
    /// table would never succeed. MySQL and older versions change the row as it is now.
    /// <https://mariadb.com/kb/en/innodb-system-variables/#innodb_snapshot_isolation>
    fn isolates_snapshots(&self) -> bool {
        self.product == Product::Mariadb && self.version >= (11, 6, 2)
    }

    /// The query that tells whether the server enforces checks, where they can be ignored.
    pub(super) fn enforces_checks(&self) -> Option<&'static str> {
        let asked = "SELECT @@GLOBAL.tidb_enable_check_constraint = 1";
        (self.product == Product::Tidb).then_some(asked)
    }

    /// The query that tells whether the server is part of a cluster whose nodes don't know each
    /// other's named locks.
    pub(super) fn in_cluster(&self) -> Option<(&'static str, Cluster)> {
        let members = "SELECT @@group_replication_single_primary_mode = 0 AND EXISTS (SELECT 1 \
                       FROM performance_schema.replication_group_members \
                       WHERE member_state <> 'OFFLINE')";
        match self.product {
            Product::Mysql => Some((members, Cluster::GroupReplication)),
            Product::Mariadb => Some(("SELECT @@wsrep_on", Cluster::Galera)),
            // The lock is tried out there.
            Product::Tidb | Product::Vitess => None,
        }
    }

    /// Why this server can't be migrated.
    pub(super) fn refusal(&self) -> Option<Unconnected> {
        let server = self.name.clone();
        let oldest = match self.product {
            Product::Mysql | Product::Vitess => OLDEST_MYSQL,
            Product::Mariadb => OLDEST_MARIADB,
            Product::Tidb => OLDEST_TIDB,
        };
        (self.version < oldest).then_some(Unconnected::Mysql(MysqlFault::TooOld { server }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_told_apart_and_old_versions_refused() {
        let cases = [
            ("9.7.4-2", "(Debian)", "Mysql, MySQL 9.7.4"),
            ("8.0.23", "MySQL Community Server - GPL", "Mysql, MySQL 8.0.23"),
            ("8.0.22", "MySQL Community Server - GPL", "Mysql, MySQL 8.0.22, too old"),
            ("5.7.44-log", "MySQL Community Server (GPL)", "Mysql, MySQL 5.7.44, too old"),
            ("8.0.mysql_aurora.3.04.0", "", "Mysql, MySQL 8.0.mysql_aurora.3.04.0"),
            ("10.11.19-MariaDB-0+deb12u1", "Debian 12", "Mariadb, MariaDB 10.11.19"),
            ("10.5.29-MariaDB", "mariadb.org", "Mariadb, MariaDB 10.5.29, too old"),
            ("8.0.11-TiDB-v8.5.0", "TiDB Server", "Tidb, TiDB 8.5.0"),
            ("8.0.11-TiDB-v7.5.1", "TiDB Server", "Tidb, TiDB 7.5.1, too old"),
            ("8.0.30-Vitess", "Version: 19.0.0", "Vitess, Vitess 8.0.30"),
        ];
        for (version, comment, expected) in cases {
            let profile = Profile::of(version, comment);
            let refusal = match profile.refusal() {
                Some(Unconnected::Mysql(MysqlFault::TooOld { .. })) => ", too old",
                Some(_) => ", unsupported",
                None => "",
            };
            assert_eq!(format!("{:?}, {}{refusal}", profile.product, profile.name), expected);
        }
    }
}
