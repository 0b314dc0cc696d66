//! A step in pieces: each is a transaction of its own, which also enters into the ledger how far the
//! step came. So a run after an interrupted one continues with the next piece, and no row is visited
//! twice or left out.

use crate::driver::{Connection, DatabaseError, Scope};
use crate::ledger::{self, Reached, Row};
use crate::operations::Batch;
use crate::{BatchRange, Db, Error, Value, trace};

use super::budget::Budget;
use super::groups::{Batched, Entry};
use super::revision::Run;
use super::{Executor, Piece};

impl Executor<'_> {
    /// Runs the pieces of a step that are not done yet, while the lock of [`Scope::Alone`] is held.
    pub(super) fn run_batches(
        &mut self,
        run: &Run<'_>,
        batched: Batched<'_>,
        entry: Entry<'_>,
        budget: &mut Budget,
    ) -> Result<(), Error> {
        let Batched { name, batch, .. } = batched;
        let id = &run.migration.revision.id;
        let ledger = ledger::beside(self.options.version_table());
        let unreadable = || Error::unreadable_piece(id, name);
        let mut reached = match entry.known.map(|row| row.before.as_str()) {
            None | Some("") => Reached::default(),
            Some(text) => Reached::read(text).ok_or_else(unreadable)?,
        };
        let mut is_there = entry.is_there;
        // The number is only shown as progress, so a failure doesn't matter.
        let rows = self.driver.dialect().rows_about(self.driver.as_connection(), &batch.table);
        let rows = rows.ok().flatten();
        let _span = trace::step(name);
        loop {
            let mut next = None;
            self.in_transaction_of(Scope::Piece, budget, |this| {
                next = this.next_piece(batch, &reached)?;
                let row = match &next {
                    None => entry.row.clone(),
                    Some(range) => {
                        this.run_piece(run, batched, range)?;
                        let reached =
                            Reached { n_pieces: range.number, last: Some(range.last.clone()) };
                        Row { is_done: false, before: reached.written(), ..entry.row.clone() }
                    }
                };
                ledger::enter(this.conn(), ledger, id, (&row, is_there))
            })?;
            is_there = true;
            budget.renew(self.options.lock_timeout);
            let Some(range) = next else { return Ok(()) };
            let piece = Piece { step: name, number: range.number, size: batch.size, rows };
            trace::piece_done(range.number);
            self.observer.piece(&piece);
            reached = Reached { n_pieces: range.number, last: Some(range.last) };
            if !self.options.batch_pause.is_zero() {
                std::thread::sleep(self.options.batch_pause);
            }
        }
    }

    /// The rows of the next piece; `None` after the last one.
    fn next_piece(
        &mut self,
        batch: &Batch,
        reached: &Reached,
    ) -> Result<Option<BatchRange>, Error> {
        let failed = |err| Error::database("find the rows of the next piece", err);
        let dialect = self.driver.dialect();
        let table = dialect.relation(&batch.table);
        let [column] = batch.columns.as_slice() else { return Ok(None) };
        let key = dialect.quote(column);
        let keys = format!("SELECT {key} FROM {table}");
        let conn = self.conn();
        let first = match &reached.last {
            None => one(conn, &format!("{keys} ORDER BY {key} LIMIT 1"), &[]),
            Some(last) => one(
                conn,
                &format!("{keys} WHERE {key} > ?1 ORDER BY {key} LIMIT 1"),
                std::slice::from_ref(last),
            ),
        };
        let Some(first) = first.map_err(failed)? else { return Ok(None) };
        let rest = format!("{keys} WHERE {key} >= ?1 ORDER BY {key}");
        let from = std::slice::from_ref(&first);
        let nth = format!("{rest} LIMIT 1 OFFSET {}", batch.size.saturating_sub(1));
        let last = match one(conn, &nth, from).map_err(failed)? {
            Some(last) => Some(last),
            None => one(conn, &format!("{rest} DESC LIMIT 1"), from).map_err(failed)?,
        };
        let number = reached.n_pieces + 1;
        Ok(last.map(|last| BatchRange { first, last, number }))
    }

    fn run_piece(
        &mut self,
        run: &Run<'_>,
        Batched { operation, name, batch }: Batched<'_>,
        range: &BatchRange,
    ) -> Result<(), Error> {
        let id = &run.migration.revision.id;
        let ended = || Err(Error::transaction_ended(id, &format!("step `{name}`")));
        // A step may end the transaction and begin another one; only this mark reveals that.
        self.mark()?;
        let mut db = Db::new(self.driver.as_connection(), &self.options.args);
        let res = self.steps.run_piece((run.migration, run.direction), operation, range, &mut db);
        let cause = res.as_ref().err().and_then(|err| db.cause(&err.to_string()));
        let cause = cause.cloned();
        let failed = |why: &str, cause: Option<&DatabaseError>| {
            Error::piece((id, name), (batch, range), why, cause)
        };
        if let Some(err) = db.lost() {
            return Err(failed(&err.to_string(), Some(&err)));
        }
        if let Err(err) = res {
            if !self.is_at_mark() {
                return ended();
            }
            return Err(failed(&err.to_string(), cause.as_ref()));
        }
        if !self.driver.in_transaction() || self.unmark().is_err() {
            return ended();
        }
        Ok(())
    }
}

/// The value that a query returns, if it returns a row.
fn one(
    conn: &mut dyn Connection,
    sql: &str,
    params: &[Value],
) -> Result<Option<Value>, DatabaseError> {
    Ok(conn.query(sql, params)?.rows.into_iter().next().and_then(|row| row.into_iter().next()))
}
