//! The two directions of a migration.

/// The direction in which a revision is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The revision is applied.
    Upgrade,
    /// The revision is undone.
    Downgrade,
}
