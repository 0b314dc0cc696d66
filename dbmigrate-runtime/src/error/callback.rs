//! Failures of callbacks.

use super::hint::hint_of;
use super::{Error, Kind};
use crate::direction::Direction;
use crate::driver::DatabaseError;

/// What becomes of a revision whose callback fails.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remains {
    /// Nothing: the callback is in its transaction.
    Nothing,
    /// Its statements, which were committed before; the next run goes on after them.
    Statements,
    /// All of it, since it ran outside a transaction.
    All(Direction),
}

impl Remains {
    fn words(self) -> &'static str {
        match self {
            Remains::Nothing => "was rolled back",
            Remains::Statements => "stopped halfway",
            Remains::All(Direction::Upgrade) => "stays applied",
            Remains::All(Direction::Downgrade) => "stays undone",
        }
    }
}

impl Error {
    pub(crate) fn callback(revision: &str, which: &str, why: &str, remains: Remains) -> Error {
        let was = remains.words();
        let message = format!("revision `{revision}` {was}: {which} after it failed: {why}");
        let err = Error::new(Kind::Other, message);
        match remains {
            Remains::Nothing => err,
            Remains::Statements => err.with_hint(
                "the statements of the revision have been applied: correct the cause and run the \
                 command again; it does not run them again, and calls the callback",
            ),
            Remains::All(_) => err.with_hint(
                "the revision runs outside a transaction, so it is not run again: do the work of \
                 the callback by hand",
            ),
        }
    }

    /// For a transaction that the database rolled back by itself, even if the callback ignored the
    /// error.
    pub(crate) fn callback_lost(
        revision: &str,
        which: &str,
        source: DatabaseError,
        remains: Remains,
    ) -> Error {
        let was = if remains == Remains::Statements { remains } else { Remains::Nothing }.words();
        let message = format!("revision `{revision}` {was}: {which} after it failed");
        let hint = hint_of(&source);
        Error::new(Kind::Other, message).with_source(source).maybe_hint(hint)
    }

    pub(crate) fn transaction_ended_by_callback(revision: &str, which: &str) -> Error {
        let message = format!(
            "{which} after revision `{revision}` ended the transaction it was called in; the \
             changes of this run so far may or may not be committed"
        );
        Error::new(Kind::Other, message).with_hint(
            "remove BEGIN, COMMIT and ROLLBACK from the callback, and look at the state of the \
             database with `cargo dbmigrate check`",
        )
    }

    /// For a revision that runs outside a transaction.
    pub(crate) fn transaction_left_by_callback(
        revision: &str,
        which: &str,
        done: Direction,
    ) -> Error {
        let stays = match done {
            Direction::Upgrade => "applied",
            Direction::Downgrade => "undone",
        };
        let message = format!(
            "{which} after revision `{revision}` left a transaction open, which was rolled back; \
             the revision stays {stays}"
        );
        Error::new(Kind::Other, message).with_hint(
            "remove BEGIN from the callback or end the transaction there, and do its work by hand: \
             the revision is not run again",
        )
    }
}
