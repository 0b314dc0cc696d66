//! The two directions of a migration.

/// The direction in which a revision is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The revision is applied.
    Upgrade,
    /// The revision is undone.
    Downgrade,
}

impl Direction {
    /// The command that runs revisions in this direction: `upgrade` or `downgrade`.
    #[doc(hidden)]
    pub const fn name(self) -> &'static str {
        match self {
            Direction::Upgrade => "upgrade",
            Direction::Downgrade => "downgrade",
        }
    }
}
