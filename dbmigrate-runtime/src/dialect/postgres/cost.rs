//! What statements cost: locks and work as they were observed on versions 10 to 18.

use crate::dialect::{Blocks, Cost, Lock, Work};
use crate::schema::Index;

const ACCESS_EXCLUSIVE: Lock = Lock { name: "ACCESS EXCLUSIVE", blocks: Blocks::ReadsAndWrites };
const SHARE_ROW_EXCLUSIVE: Lock = Lock { name: "SHARE ROW EXCLUSIVE", blocks: Blocks::Writes };
const SHARE: Lock = Lock { name: "SHARE", blocks: Blocks::Writes };
const SHARE_UPDATE_EXCLUSIVE: Lock =
    Lock { name: "SHARE UPDATE EXCLUSIVE", blocks: Blocks::Definitions };
const ROW_SHARE: Lock = Lock { name: "ROW SHARE", blocks: Blocks::Definitions };

fn of(table: &str, lock: Lock, work: Work) -> Cost {
    Cost::new(vec![(table.to_owned(), lock)], work)
}

/// `ALTER TABLE`, unless it is a case of its own.
pub(super) fn alter(table: &str, work: Work) -> Cost {
    of(table, ACCESS_EXCLUSIVE, work)
}

/// `ALTER TABLE` that excludes readers of two tables.
pub(super) fn alter_both(table: &str, other: &str) -> Cost {
    let mut cost = alter(table, Work::None);
    if other != table {
        cost.locks.push((other.to_owned(), ACCESS_EXCLUSIVE));
    }
    cost
}

/// `VALIDATE CONSTRAINT`, of a foreign key if there is a table that it refers to.
pub(super) fn validate(table: &str, referenced: Option<&str>) -> Cost {
    let mut cost = of(table, SHARE_UPDATE_EXCLUSIVE, Work::Scan);
    let other = referenced.filter(|other| *other != table);
    cost.locks.extend(other.map(|other| (other.to_owned(), ROW_SHARE)));
    cost
}

/// Adding a foreign key.
pub(super) fn foreign_key(table: &str, referenced: &str, work: Work) -> Cost {
    let mut cost = of(table, SHARE_ROW_EXCLUSIVE, work);
    if referenced != table {
        cost.locks.push((referenced.to_owned(), SHARE_ROW_EXCLUSIVE));
    }
    cost
}

/// `CREATE TABLE` with foreign keys.
pub(super) fn referenced<'a>(tables: impl IntoIterator<Item = &'a str>) -> Option<Cost> {
    let locks: Vec<_> =
        tables.into_iter().map(|table| (table.to_owned(), SHARE_ROW_EXCLUSIVE)).collect();
    (!locks.is_empty()).then_some(Cost::new(locks, Work::None))
}

/// `CREATE INDEX`.
pub(super) fn index(table: &str) -> Cost {
    of(table, SHARE, Work::IndexBuild)
}

/// The same, or that of an exclusion constraint.
pub(super) fn of_index(table: &str, definition: &Index) -> Cost {
    if definition.is_exclusion() { alter(table, Work::IndexBuild) } else { index(table) }
}

/// `CREATE INDEX CONCURRENTLY`, which also waits for the transactions that are open.
pub(super) fn concurrent_index(table: &str) -> Cost {
    of(table, SHARE_UPDATE_EXCLUSIVE, Work::IndexBuild)
}

/// `COMMENT ON`.
pub(super) fn comment(table: &str) -> Cost {
    of(table, SHARE_UPDATE_EXCLUSIVE, Work::None)
}

/// Statements that change rows, whose locks exclude only other changes of the same rows.
pub(super) fn rows() -> Cost {
    Cost::new(Vec::new(), Work::Rows)
}
