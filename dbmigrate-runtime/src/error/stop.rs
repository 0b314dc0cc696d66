//! The end of a revision that fails.

use std::fmt;

/// A revision that fails, and what becomes of what it has done.
#[derive(Clone, Copy)]
pub(crate) struct Stop<'a> {
    /// Its id.
    pub(crate) revision: &'a str,
    pub(crate) rolled_back: bool,
    /// Whether the next run goes on after what is done, as the ledger says.
    pub(crate) is_continued: bool,
}

impl fmt::Display for Stop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let was = if self.rolled_back { "was rolled back" } else { "stopped halfway" };
        write!(f, "revision `{}` {was}", self.revision)
    }
}
