//! What becomes of a revision that an earlier run left half applied, or half undone, and what may run
//! on such a database. The ledger says how far it came.

use std::collections::BTreeSet;

use super::{Executor, Options};
use crate::Error;
use crate::direction::Direction;
use crate::driver::Driver;
use crate::ledger::{self, Unfinished};

/// What becomes of a revision that an earlier run left half applied, or half undone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Halfway {
    /// It is continued after the last statement that is done. The run stops if a statement that was
    /// started, or is done, has changed since.
    #[default]
    Continue,
    /// It is continued after the last statement that is done, whatever the statements before it say
    /// now. A statement that was interrupted is taken for done if its effect is there, or if the
    /// database says that what it creates exists already.
    Resume,
    /// What is done of it is taken back, and it begins again. If something can't be taken back, the
    /// run stops before anything changes.
    Restart,
}

/// Refuses to call a database up to date while a revision is half done, where definitions commit by
/// themselves. Elsewhere that is rare, and not worth a query in each run.
///
/// # Errors
///
/// The revision that is half done, and the database's errors.
pub fn refuse_unfinished(
    driver: &mut dyn Driver,
    options: &Options,
    applied: &BTreeSet<String>,
) -> Result<(), Error> {
    let capabilities = driver.dialect().capabilities();
    if !capabilities.has_groups || !capabilities.commits_definitions {
        return Ok(());
    }
    let ledger = ledger::beside(options.version_table());
    let begun = ledger::unfinished(driver.as_connection(), ledger)?;
    refuse_others(&begun, applied, None)
}

/// Refuses a run that begins with another revision while one is half applied, or half undone.
pub(super) fn refuse_others(
    begun: &[Unfinished],
    applied: &BTreeSet<String>,
    first: Option<&String>,
) -> Result<(), Error> {
    let mut others = begun.iter().filter(|begun| begun.is_halfway()).map(|begun| &begun.revision);
    let other = others.find(|id| Some(*id) != first);
    other.map_or(Ok(()), |id| Err(Error::halfway(id, direction_of(id, applied))))
}

/// The ids of revisions of which groups are entered.
pub(super) fn ids(begun: &[Unfinished]) -> BTreeSet<String> {
    begun.iter().map(|begun| begun.revision.clone()).collect()
}

/// The direction in which a revision was being run that is half done.
fn direction_of(id: &str, applied: &BTreeSet<String>) -> Direction {
    if applied.contains(id) { Direction::Downgrade } else { Direction::Upgrade }
}

impl Executor<'_> {
    /// The revisions of which the ledger has some groups; `None` if it doesn't exist.
    pub(super) fn begun(&mut self) -> Result<Option<Vec<Unfinished>>, Error> {
        if !self.driver.dialect().capabilities().has_groups {
            return Ok(None);
        }
        let ledger = ledger::beside(self.options.version_table());
        ledger::begun(self.conn(), ledger)
    }
}
