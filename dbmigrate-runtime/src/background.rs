//! Migrating without holding up an asynchronous program.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use crate::Error;

/// Work on a thread of its own that a program can await; see
/// [`Migrator::spawn`](crate::Migrator::spawn).
///
/// This is a plain [`Future`], for every executor. The work starts when the future is first polled.
/// It goes on if the future is dropped after that, since a migration that stops halfway helps
/// nobody.
#[must_use = "the work starts when this future is awaited"]
pub struct Background<T> {
    work: Option<Work<T>>,
    shared: Arc<Mutex<Shared<T>>>,
}

type Work<T> = Box<dyn FnOnce() -> Result<T, Error> + Send>;

/// What the thread and the future have in common.
struct Shared<T> {
    outcome: Option<thread::Result<Result<T, Error>>>,
    waker: Option<Waker>,
}

impl<T: Send + 'static> Background<T> {
    pub(crate) fn new(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Background<T> {
        let shared = Shared { outcome: None, waker: None };
        Background { work: Some(Box::new(work)), shared: Arc::new(Mutex::new(shared)) }
    }
}

impl<T: Send + 'static> Future for Background<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, Error>> {
        let this = &mut *self;
        {
            let mut shared = this.shared.lock().unwrap_or_else(PoisonError::into_inner);
            match shared.outcome.take() {
                Some(Ok(res)) => return Poll::Ready(res),
                // A step of a revision panicked, and does so here as in a call that blocks.
                Some(Err(panic)) => resume_unwind(panic),
                None => shared.waker = Some(cx.waker().clone()),
            }
        }
        let Some(work) = this.work.take() else { return Poll::Pending };
        let shared = Arc::clone(&this.shared);
        let run = move || {
            let outcome = catch_unwind(AssertUnwindSafe(work));
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            shared.outcome = Some(outcome);
            let waker = shared.waker.take();
            drop(shared);
            waker.into_iter().for_each(Waker::wake);
        };
        let started = thread::Builder::new().name("dbmigrate".to_owned()).spawn(run);
        match started {
            Ok(_) => Poll::Pending,
            Err(err) => Poll::Ready(Err(Error::thread(&err))),
        }
    }
}

impl<T> fmt::Debug for Background<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background")
            .field("is_started", &self.work.is_none())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::task::Wake;

    use super::*;

    /// The smallest executor: it waits for the waker.
    fn block_on<T: Send + 'static>(mut future: Background<T>) -> (Result<T, Error>, usize) {
        struct Woken(thread::Thread);
        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Waker::from(Arc::new(Woken(thread::current())));
        let mut n_polls = 0;
        loop {
            n_polls += 1;
            match Pin::new(&mut future).poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(res) => return (res, n_polls),
                Poll::Pending => thread::park(),
            }
        }
    }

    #[test]
    fn the_result_arrives_without_polling_in_between() {
        let (go, ready) = channel();
        let future = Background::new(move || {
            ready.recv().unwrap();
            Ok(7)
        });
        let sender = thread::spawn(move || {
            thread::sleep(std::time::Duration::from_millis(50));
            go.send(()).unwrap();
        });
        let (res, n_polls) = block_on(future);
        assert_eq!(res.unwrap(), 7);
        // A thread may be unparked once for no reason.
        assert!(n_polls <= 3, "{n_polls}");
        sender.join().unwrap();
    }

    #[test]
    fn nothing_starts_before_the_first_poll_and_all_ends_after_it() {
        let (done, was_done) = channel();
        let never = done.clone();
        drop(Background::new(move || {
            never.send("never").unwrap();
            Ok(())
        }));
        let mut future = Background::new(move || {
            done.send("done").unwrap();
            Ok(())
        });
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut future).poll(&mut cx).is_pending());
        drop(future);
        assert_eq!(was_done.recv(), Ok("done"));
    }

    #[test]
    fn a_panic_is_that_of_the_work() {
        let future: Background<()> = Background::new(|| std::panic::panic_any("from a step"));
        let panic = catch_unwind(AssertUnwindSafe(|| block_on(future))).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"from a step"));
    }
}
