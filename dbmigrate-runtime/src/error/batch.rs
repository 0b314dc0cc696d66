//! Errors about steps that run in pieces.

use super::hint::UNREGISTERED;
use super::{Error, Kind};
use crate::BatchRange;
use crate::dialect::Refusal;
use crate::driver::{DatabaseError, ErrorKind};
use crate::operations::Batch;

impl Error {
    /// For a piece that failed, and whose transaction was rolled back.
    pub(crate) fn piece(
        (revision, step): (&str, &str),
        (batch, range): (&Batch, &BatchRange),
        why: &str,
        cause: Option<&DatabaseError>,
    ) -> Error {
        let BatchRange { first, last, number } = range;
        let column = batch.columns.join("`, `");
        let message = format!(
            "revision `{revision}` stopped: piece {number} of step `{step}`, `{column}` from {first} \
             to {last}, was rolled back: {why}"
        );
        let hint = match cause.map(DatabaseError::kind) {
            Some(ErrorKind::Unregistered { .. }) => UNREGISTERED.to_owned(),
            _ => match number - 1 {
                0 => "no piece is done; correct the step or these rows, and run the command again"
                    .to_owned(),
                n => format!(
                    "{n} {} done and stay; correct the step or these rows, and run the command \
                     again, which continues with this piece",
                    if n == 1 { "piece is" } else { "pieces are" }
                ),
            },
        };
        let mut err = Error::new(Kind::Other, message).with_hint(hint);
        err.inner.is_transient = cause.is_some_and(DatabaseError::is_busy);
        err
    }

    pub(crate) fn unreadable_piece(revision: &str, step: &str) -> Error {
        let message = format!(
            "revision `{revision}` can't be continued: the ledger does not say how far step \
             `{step}` came"
        );
        Error::new(Kind::Other, message).with_hint(
            "if the step may visit rows twice, delete its row from the table `dbmigrate_step`, and \
             run the command again",
        )
    }

    /// A batched step that can't be divided, or that is at a place where it can't be.
    pub(crate) fn indivisible(revision: &str, step: &str, (why, hint): (&str, &str)) -> Error {
        let message = format!("step `{step}` can't be run in pieces: {why}");
        Error::unplannable(revision, Refusal { message, hint: Some(hint.to_owned()) })
    }
}
