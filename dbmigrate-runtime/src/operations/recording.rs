//! What a revision records, and its effect on a schema.

use super::{Operation, ReplayError};
use crate::schema::Schema;

/// What `upgrade` or `downgrade` of one module recorded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recording {
    /// The operations in order.
    pub operations: Vec<Operation>,
    /// Whether the revision runs outside a transaction, alone.
    pub no_transaction: bool,
    /// Why the direction can't be run, if it can't.
    pub irreversible: Option<String>,
    /// Why an upgrade stops before the revision, if it does. It is not part of a checksum.
    pub barrier: Option<String>,
    /// What `lint` is not to report. It has no effect on a run, and is not part of a checksum.
    pub allowed: Vec<Allowed>,
}

/// The rule of `lint` about a downgrade that does nothing.
pub const NO_WAY_BACK: &str = "no-way-back";

/// A rule of `lint` that is silenced at one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The operation's position.
    pub operation: usize,
    /// The rule's id.
    pub rule: String,
    /// Why what it finds is fine here.
    pub reason: String,
}

impl Recording {
    /// Whether a step is among the operations.
    pub fn has_steps(&self) -> bool {
        self.operations.iter().any(|operation| matches!(operation, Operation::Run(_)))
    }

    /// Whether the upgrade says that a downgrade that does nothing is meant.
    pub(crate) fn means_no_way_back(&self) -> bool {
        let is_reason = |allowed: &Allowed| !allowed.reason.trim().is_empty();
        self.allowed.iter().any(|allowed| allowed.rule == NO_WAY_BACK && is_reason(allowed))
    }
}

/// Replays operations on a schema.
///
/// # Errors
///
/// The first operation that doesn't fit the schema. The schema then contains the effect of the
/// operations before it.
pub fn replay(schema: &mut Schema, operations: &[Operation]) -> Result<(), ReplayError> {
    operations.iter().try_for_each(|operation| operation.apply(schema))
}
