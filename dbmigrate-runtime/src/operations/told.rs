//! What SQL of a person or a step makes that a schema has no place for, as it is told.

use super::{Operation, Operations, OtherObject};
use crate::folding::Folding;

/// What SQL or a step makes and drops beside tables. Nothing of it runs.
///
/// These belong into [`ExecuteHandle::describes`](super::ExecuteHandle::describes) and
/// [`CustomOperation::describes`](super::CustomOperation::describes), or after an
/// [`Operations::run`]. What is told of is looked for by `check`: a view that is gone is a
/// difference then, and one that is there isn't listed as unknown. It is no part of a checksum, so
/// that it can be added to a revision that is applied.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::prelude::*;
///
/// let mut op = Operations::new();
/// op.execute("CREATE VIEW active AS SELECT * FROM user WHERE active")
///     .reversed_by("DROP VIEW active")
///     .describes(|op| op.makes_view("active"));
/// ```
impl Operations {
    /// Says that a view is made.
    pub fn makes_view(&mut self, name: &str) {
        self.push(Operation::Makes(OtherObject::new("view", name)));
    }

    /// Says that a view is dropped.
    pub fn drops_view(&mut self, name: &str) {
        self.push(Operation::Drops(OtherObject::new("view", name)));
    }

    /// Says that a trigger is made. It goes when its table is dropped.
    pub fn makes_trigger(&mut self, name: &str, table: &str) {
        let trigger = OtherObject::new("trigger", name);
        self.push(Operation::Makes(OtherObject { table: Some(table.to_owned()), ..trigger }));
    }

    /// Says that a trigger is dropped.
    pub fn drops_trigger(&mut self, name: &str, table: &str) {
        let trigger = OtherObject::new("trigger", name);
        self.push(Operation::Drops(OtherObject { table: Some(table.to_owned()), ..trigger }));
    }

    /// Says that a virtual table of SQLite is made, with the tables that it keeps its content in.
    pub fn makes_virtual_table(&mut self, name: &str) {
        self.push(Operation::Makes(OtherObject::new("virtual table", name)));
    }

    /// Says that a virtual table of SQLite is dropped.
    pub fn drops_virtual_table(&mut self, name: &str) {
        self.push(Operation::Drops(OtherObject::new("virtual table", name)));
    }
}

impl OtherObject {
    /// An object of this kind that goes with no table.
    pub fn new(kind: &str, name: &str) -> OtherObject {
        OtherObject { kind: kind.to_owned(), name: name.to_owned(), table: None }
    }

    /// Whether it is the other one, on a database that compares names so.
    pub fn is(&self, other: &OtherObject, folding: Folding) -> bool {
        self.kind == other.kind && folding.same_table(&self.name, &other.name)
    }
}
