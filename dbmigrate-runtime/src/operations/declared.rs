//! Declarations of objects that SQL or a step creates and that a schema can't represent.

use super::{Operation, Operations, OtherObject};
use crate::folding::Folding;

/// Declarations of what SQL or a step creates and drops besides tables. They run nothing.
///
/// Use these methods in [`ExecuteHandle::describes`](super::ExecuteHandle::describes) and
/// [`CustomOperation::describes`](super::CustomOperation::describes), or after an
/// [`Operations::run`]. `check` looks for declared objects: a missing view is then a difference,
/// and an existing one isn't listed as unknown. Declarations are not part of a checksum, so they
/// can be added to a revision that is already applied.
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
    /// Declares that a view is created.
    pub fn makes_view(&mut self, name: &str) {
        self.push(Operation::Makes(OtherObject::new("view", name)));
    }

    /// Declares that a view is dropped.
    pub fn drops_view(&mut self, name: &str) {
        self.push(Operation::Drops(OtherObject::new("view", name)));
    }

    /// Declares that a materialized view is created on PostgreSQL.
    pub fn makes_materialized_view(&mut self, name: &str) {
        self.push(Operation::Makes(OtherObject::new("materialized view", name)));
    }

    /// Declares that a materialized view is dropped on PostgreSQL.
    pub fn drops_materialized_view(&mut self, name: &str) {
        self.push(Operation::Drops(OtherObject::new("materialized view", name)));
    }

    /// Declares that a trigger is created. It is dropped with its table.
    pub fn makes_trigger(&mut self, name: &str, table: &str) {
        let trigger = OtherObject::new("trigger", name);
        self.push(Operation::Makes(OtherObject { table: Some(table.to_owned()), ..trigger }));
    }

    /// Declares that a trigger is dropped.
    pub fn drops_trigger(&mut self, name: &str, table: &str) {
        let trigger = OtherObject::new("trigger", name);
        self.push(Operation::Drops(OtherObject { table: Some(table.to_owned()), ..trigger }));
    }

    /// Declares that a virtual table is created on SQLite, including its shadow tables.
    pub fn makes_virtual_table(&mut self, name: &str) {
        self.push(Operation::Makes(OtherObject::new("virtual table", name)));
    }

    /// Declares that a virtual table is dropped on SQLite.
    pub fn drops_virtual_table(&mut self, name: &str) {
        self.push(Operation::Drops(OtherObject::new("virtual table", name)));
    }
}

impl OtherObject {
    /// An object of this kind that doesn't belong to a table.
    pub fn new(kind: &str, name: &str) -> OtherObject {
        OtherObject { kind: kind.to_owned(), name: name.to_owned(), table: None }
    }

    /// Whether both are the same object, for a database with this folding of names.
    pub fn is(&self, other: &OtherObject, folding: Folding) -> bool {
        self.kind == other.kind && folding.same_table(&self.name, &other.name)
    }
}
