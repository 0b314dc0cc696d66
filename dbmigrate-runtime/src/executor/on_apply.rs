//! Callbacks that a program has called after each revision, in the revision's transaction.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::verify::Verification;
use super::{Executor, Options};
use crate::direction::Direction;
use crate::error::Remains;
use crate::revision::Revision;
use crate::{Db, Error, StepResult};

/// A revision that has just been run, as a callback of [`Options::on_apply`] sees it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Applied<'a> {
    /// The revision.
    pub revision: &'a Revision,
    /// Whether it was applied or undone.
    pub direction: Direction,
    /// The heads of the applied revisions, in the order of the history. Revisions that this program
    /// doesn't have are not included.
    pub heads: &'a [&'a str],
    /// How long the revision took.
    pub duration: Duration,
}

type Callback = Arc<dyn Fn(&Applied<'_>, &mut Db<'_>) -> StepResult + Send + Sync>;

/// The callbacks of a run, in the order in which they are called.
#[derive(Clone, Default)]
pub struct Callbacks {
    callbacks: Vec<Callback>,
}

impl Callbacks {
    /// Whether there are no callbacks.
    pub(crate) fn is_empty(&self) -> bool {
        self.callbacks.is_empty()
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks").field("n", &self.callbacks.len()).finish_non_exhaustive()
    }
}

impl Options {
    /// Registers a function that is called after each revision that is applied or undone, when the
    /// version table is up to date and within the same transaction: what the function does is
    /// committed with the revision or not at all. May be called several times; the callbacks run in
    /// the order of registration.
    ///
    /// A callback may do whatever a step may do, and like a step it must not end the transaction.
    /// If it fails, the whole run is rolled back; a revision outside a transaction stays applied or
    /// undone. On MySQL and MariaDB, where each change of a definition is committed by itself, that
    /// transaction only marks the revision as applied: if the callback fails, the revision is half
    /// applied, and the next run calls it again. Rows that the callback writes are included in the
    /// checks at the end of the run. `stamp` runs no revision and so calls nothing, and the command-line tool has no callbacks:
    /// changes that every database needs belong in a revision.
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use dbmigrate_runtime::{Direction, Migrator, Options};
    ///
    /// let options = Options::default().on_apply(|applied, db| {
    ///     let what = match applied.direction {
    ///         Direction::Upgrade => "applied",
    ///         Direction::Downgrade => "undone",
    ///     };
    ///     let id = applied.revision.id.as_str();
    ///     let heads = applied.heads.join(", ");
    ///     db.execute("INSERT INTO audit (id, what, heads) VALUES (?1, ?2, ?3)", (id, what, heads))?;
    ///     Ok(())
    /// });
    ///
    /// // In a program: `migrations::migrator()`.
    /// let migrator = Migrator::new(&[]);
    /// let mut conn = rusqlite::Connection::open_in_memory().unwrap();
    /// conn.execute_batch("CREATE TABLE audit (id TEXT, what TEXT, heads TEXT)").unwrap();
    /// migrator.upgrade_with(&mut conn, "head", &options).unwrap();
    /// migrator.downgrade_with(&mut conn, "base", &options).unwrap();
    /// # }
    /// ```
    #[must_use]
    pub fn on_apply(
        mut self,
        callback: impl Fn(&Applied<'_>, &mut Db<'_>) -> StepResult + Send + Sync + 'static,
    ) -> Options {
        self.callbacks.callbacks.push(Arc::new(callback));
        self
    }
}

impl Executor<'_> {
    /// Calls the callbacks. Like steps, they may change anything, so their work is treated as
    /// opaque.
    pub(super) fn call_back(
        &mut self,
        applied: &Applied<'_>,
        remains: Remains,
        verification: &mut Verification,
    ) -> Result<(), Error> {
        let in_transaction = !matches!(remains, Remains::All(_));
        let id = &applied.revision.id;
        let callbacks = &self.options.callbacks.callbacks;
        let is_marked = in_transaction;
        if is_marked {
            self.mark()?;
        }
        for (idx, callback) in callbacks.iter().enumerate() {
            let which = match callbacks.len() {
                1 => "the callback".to_owned(),
                n => format!("callback {} of {n}", idx + 1),
            };
            verification.before_opaque(self.conn(), None)?;
            let mut db = Db::new(self.driver.as_connection(), &self.options.args);
            let res = callback(applied, &mut db);
            if let Some(err) = db.lost() {
                return Err(Error::callback_lost(id, &which, err, remains));
            }
            if let Err(err) = res {
                if is_marked && !self.is_at_mark() {
                    return Err(Error::transaction_ended_by_callback(id, &which));
                }
                return Err(Error::callback(id, &which, &err.to_string(), remains));
            }
            if !in_transaction && self.driver.in_transaction() {
                return Err(Error::transaction_left_by_callback(id, &which, applied.direction));
            }
            if in_transaction && !self.driver.in_transaction() {
                return Err(Error::transaction_ended_by_callback(id, &which));
            }
            verification.after_opaque(self.conn(), None)?;
        }
        if is_marked && self.unmark().is_err() {
            return Err(Error::transaction_ended_by_callback(id, "a callback"));
        }
        Ok(())
    }
}
