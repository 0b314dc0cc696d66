//! The thread that a client works on.
//!
//! The crate `postgres` runs a small asynchronous runtime for each call, and panics inside another
//! one. A thread of its own is never inside one, so that migrations can be run in an async main.

use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use postgres::Client;

use crate::driver::DatabaseError;

type Job<'a> = Box<dyn FnOnce(&mut Client) + Send + 'a>;

/// A thread that does what it is given with a client, one job after the other.
pub(crate) struct Worker<'a> {
    jobs: Option<Sender<Job<'static>>>,
    /// The thread, if it isn't the scope's.
    thread: Option<JoinHandle<()>>,
    lent: std::marker::PhantomData<&'a mut Client>,
}

impl Worker<'static> {
    /// Starts a thread that connects.
    ///
    /// # Errors
    ///
    /// The connection's error.
    pub(crate) fn connect(
        connect: impl FnOnce() -> Result<Client, DatabaseError> + Send + 'static,
    ) -> Result<Worker<'static>, DatabaseError> {
        let (jobs, todo) = channel::<Job<'static>>();
        let (connected, reply) = channel();
        let thread = thread::Builder::new()
            .name("dbmigrate-postgres".to_owned())
            .spawn(move || match connect() {
                Ok(mut client) => {
                    let _ = connected.send(Ok(()));
                    todo.into_iter().for_each(|job| job(&mut client));
                    let _ = client.close();
                }
                Err(err) => {
                    let _ = connected.send(Err(err));
                }
            })
            .map_err(|err| DatabaseError::new(format!("no thread can be started: {err}")))?;
        let worker =
            Worker { jobs: Some(jobs), thread: Some(thread), lent: std::marker::PhantomData };
        reply.recv().unwrap_or_else(|_| Err(stopped())).map(|()| worker)
    }
}

impl Worker<'_> {
    /// Does one job, and waits for its result.
    ///
    /// # Errors
    ///
    /// The job's error, or that the thread has stopped.
    pub(super) fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Client) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let (done, reply) = channel();
        let job: Job<'static> = Box::new(move |client| {
            let _ = done.send(job(client));
        });
        match &self.jobs {
            Some(jobs) if jobs.send(job).is_ok() => reply.recv().unwrap_or_else(|_| Err(stopped())),
            Some(_) | None => Err(stopped()),
        }
    }
}

/// Calls the function with a worker that uses a client which a program lent.
pub(crate) fn with_worker<T>(client: &mut Client, work: impl FnOnce(Worker<'_>) -> T) -> T {
    let (jobs, todo) = channel::<Job<'static>>();
    thread::scope(|scope| {
        scope.spawn(move || todo.into_iter().for_each(|job| job(client)));
        work(Worker { jobs: Some(jobs), thread: None, lent: std::marker::PhantomData })
    })
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        // Without a sender the thread ends, which closes the connection.
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn stopped() -> DatabaseError {
    DatabaseError::new("the thread of the database's connection has stopped")
}
