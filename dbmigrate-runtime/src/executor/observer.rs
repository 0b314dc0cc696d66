//! What a run reports to its caller.

use crate::StepResult;
use crate::dialect::{RowCount, Statement};
use crate::direction::Direction;
use crate::driver::Waiting;
use crate::migration::Migration;
use crate::revision::Revision;

/// A piece of a batched step that is done.
#[derive(Debug)]
pub struct Piece<'a> {
    /// The step's name.
    pub step: &'a str,
    /// The number of the piece, counted from 1.
    pub number: u64,
    /// How many rows a piece has.
    pub size: usize,
    /// How many rows the table has, as far as the database knows without reading all of them.
    pub rows: Option<RowCount>,
}

/// ``step `backfill slugs`: piece 3 of about 10 is done``
impl std::fmt::Display for Piece<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Piece { step, number, size, rows } = self;
        write!(f, "step `{step}`: piece {number}")?;
        if let Some(count) = rows {
            let n = u64::try_from(count.n).unwrap_or_default().div_ceil(*size as u64);
            write!(f, " of about {}", n.max(*number))?;
        }
        f.write_str(" is done")
    }
}

/// Receives reports about the progress of a run.
pub trait Observer {
    /// The run's first transaction has begun, nothing has changed yet, and these revisions are
    /// pending. Called again if the transaction is repeated, and never if the run is made apart.
    ///
    /// # Errors
    ///
    /// If this fails, nothing is run.
    fn begun(&mut self, direction: Direction, pending: &[&Migration]) -> StepResult {
        let _ = (direction, pending);
        Ok(())
    }

    /// A revision is about to run.
    fn running(&mut self, direction: Direction, revision: &Revision) {
        let _ = (direction, revision);
    }

    /// The revision that is running was begun by an earlier run, and goes on at this statement,
    /// counted from 1.
    fn continuing(&mut self, statement: usize) {
        let _ = statement;
    }

    /// What an earlier run did of a revision, in this direction, is about to be taken back.
    fn taking_back(&mut self, direction: Direction, revision: &Revision) {
        let _ = (direction, revision);
    }

    /// A statement is about to run.
    fn statement(&mut self, statement: &Statement) {
        let _ = statement;
    }

    /// A piece of a step is committed.
    fn piece(&mut self, piece: &Piece<'_>) {
        let _ = piece;
    }

    /// A revision is about to run although `applied`, which comes after it in the history, was
    /// applied earlier. This happens when branches are merged; a new database runs them in the
    /// other order.
    fn late(&mut self, revision: &Revision, applied: &Revision) {
        let _ = (revision, applied);
    }

    /// Another process holds the lock, or is reading while the run wants to commit.
    fn waiting(&mut self, waiting: &Waiting) {
        let _ = waiting;
    }
}

impl Observer for () {}

/// The message about a revision that an earlier run began; see [`Observer::continuing`].
pub fn continuing_text(statement: usize) -> String {
    format!("Continuing at statement {statement}, where an earlier run stopped")
}

/// The message about a revision that runs out of order; see [`Observer::late`].
pub fn late_text(revision: &Revision, applied: &Revision) -> String {
    format!(
        "revision `{}` runs after `{}`, which comes after it in the history and is already \
         applied; on a new database it runs before it",
        revision.id, applied.id
    )
}
