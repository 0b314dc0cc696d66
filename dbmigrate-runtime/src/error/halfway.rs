//! Errors about a revision that an earlier run left half applied, or half undone.

use super::{Error, Kind};
use crate::direction::Direction;

/// The command that runs revisions in this direction.
fn command(direction: Direction) -> &'static str {
    match direction {
        Direction::Upgrade => "cargo dbmigrate upgrade",
        Direction::Downgrade => "cargo dbmigrate downgrade",
    }
}

impl Error {
    /// For a part of a revision, by its number and of how many, that was edited after it was run.
    pub(crate) fn edited_group(
        revision: &str,
        (direction, number, n_groups): (Direction, i64, usize),
    ) -> Error {
        let message = format!(
            "revision `{revision}` can't be continued: part {number} of {n_groups} has changed \
             since it was started"
        );
        let command = command(direction);
        Error::new(Kind::Edited, message).with_hint(format!(
            "restore the revision as it was when the run was interrupted, and run the command \
             again; `{command} --resume` continues after the last part that is done, whatever the \
             parts before it say now; `{command} --restart` takes back what is done, once the \
             revision is restored"
        ))
    }

    /// For a run that would begin with another revision.
    pub(crate) fn halfway(revision: &str, direction: Direction) -> Error {
        let what = match direction {
            Direction::Upgrade => "half applied",
            Direction::Downgrade => "half undone",
        };
        let command = command(direction);
        let target = match direction {
            Direction::Upgrade => revision,
            Direction::Downgrade => "-1",
        };
        let message = format!(
            "revision `{revision}` is {what}: an earlier run stopped in it, so no other revision \
             can run"
        );
        Error::new(Kind::Other, message).with_hint(format!(
            "`{command} {target}` continues it; with `--restart`, what is done of it is taken \
             back first"
        ))
    }

    /// For what can't be taken back of a revision.
    pub(crate) fn not_taken_back(revision: &str, direction: Direction, why: &str) -> Error {
        let message = format!("what is done of revision `{revision}` can't be taken back: {why}");
        let command = command(direction);
        Error::new(Kind::Other, message)
            .with_hint(format!("nothing was changed; `{command} --resume` continues the revision"))
    }
}
