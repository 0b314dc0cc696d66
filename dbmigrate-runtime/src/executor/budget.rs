//! The total time that a run may wait for other processes.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use super::{Executor, Observer};
use crate::driver::{Driver, Scope, Wait, Waiting};
use crate::{Error, trace};

/// Shorter waits are not reported.
const UNSAID: Duration = Duration::from_millis(200);

/// The time that a run may still wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    left: Duration,
    waited: Duration,
    n_retries: u32,
    /// When the work began that may have to be repeated.
    began: Instant,
}

impl Budget {
    pub(super) fn new(lock_timeout: Duration) -> Budget {
        let (waited, began) = (Duration::ZERO, Instant::now());
        Budget { left: lock_timeout, waited, n_retries: 0, began }
    }

    /// Begins anew: what was done is committed, and others may get in the way of the rest as well.
    pub(super) fn renew(&mut self, lock_timeout: Duration) {
        *self = Budget::new(lock_timeout);
    }

    /// Takes note that work begins which may have to be repeated.
    pub(super) fn begins(&mut self) {
        self.began = Instant::now();
    }

    fn spend(&mut self, time: Duration) {
        self.waited += time;
        self.left = self.left.saturating_sub(time);
    }

    /// Takes the lock, and waits at most for the remaining time.
    pub(super) fn begin(&mut self, executor: &mut Executor<'_>, scope: Scope) -> Result<(), Error> {
        let start = Instant::now();
        let observer = &mut *executor.observer;
        let mut on_wait = |waiting: &Waiting| {
            trace::waiting(waiting);
            observer.waiting(waiting);
        };
        let mut wait = Wait { at_most: self.left, on_wait: &mut on_wait };
        let res = executor.driver.begin(scope, &mut wait);
        self.spend(start.elapsed());
        self.begins();
        res.map_err(|err| {
            if err.is_busy() {
                Error::locked(self.waited.as_secs_f64(), err)
            } else {
                Error::database("take the database's lock", err)
            }
        })
    }

    /// Rolls back a transaction that others got in the way of, and pauses. `false` if the database
    /// doesn't repeat transactions, or if the time is up.
    ///
    /// The pauses differ at random, so that two runs that got in each other's way don't meet again.
    pub(super) fn retries(&mut self, executor: &mut Executor<'_>) -> bool {
        if !executor.driver.dialect().capabilities().repeats_transactions || self.left.is_zero() {
            return false;
        }
        let waited = self.began.elapsed().min(executor.driver.longest_wait());
        executor.driver.rollback();
        if self.n_retries == 0 {
            let holder = executor.driver.blocker();
            let waiting = Waiting { at_most: self.left, holder };
            trace::waiting(&waiting);
            executor.observer.waiting(&waiting);
        }
        let longest = Duration::from_millis(100 << self.n_retries.min(4));
        self.n_retries += 1;
        let random = RandomState::new().hash_one(self.n_retries) % 100;
        let pause = longest.mul_f64(0.5 + random as f64 / 200.0).min(self.left);
        std::thread::sleep(pause);
        self.spend(pause + waited);
        true
    }

    /// Commits. Without a write-ahead log a reader blocks the commit; the transaction then stays
    /// open, so that the commit can be retried.
    pub(super) fn commit(
        &mut self,
        driver: &mut dyn Driver,
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        let mut is_reported = false;
        let res = loop {
            match driver.commit() {
                Err(err) if err.is_busy() && driver.in_transaction() => {
                    if start.elapsed() >= self.left {
                        break Err(err);
                    }
                    if !is_reported && start.elapsed() > UNSAID {
                        let waiting = Waiting::at_most(self.left);
                        trace::waiting(&waiting);
                        observer.waiting(&waiting);
                        is_reported = true;
                    }
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(50));
                }
                res => break res,
            }
        };
        self.spend(start.elapsed());
        res.map_err(|err| {
            driver.rollback();
            if err.is_busy() {
                let advice = driver.dialect().commit_advice();
                Error::commit_locked(self.waited.as_secs_f64(), advice, err)
            } else {
                Error::database("commit the transaction, which was rolled back", err)
            }
        })
    }
}
