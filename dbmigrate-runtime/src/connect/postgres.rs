//! Connecting to PostgreSQL: a client of the crate `postgres`, or a URL.

use std::time::Duration;

use postgres::Client;

use super::{Connect, ConnectToRead, sealed};
use crate::Error;
use crate::driver::Driver;
use crate::driver::postgres::{PostgresDriver, Worker, with_worker};
use crate::server::Server;

impl Connect for &mut Client {}

impl ConnectToRead for &mut Client {}

impl sealed::Connect for &mut Client {
    fn with_driver<T>(
        self,
        _: Duration,
        run: impl FnOnce(&mut dyn Driver) -> Result<T, Error>,
    ) -> Result<T, Error> {
        with_worker(self, |worker| run(&mut lent(worker)?))
    }
}

impl sealed::ConnectToRead for &mut Client {
    fn with_reader<T>(
        self,
        read: impl FnOnce(&mut dyn Driver) -> Result<T, Error>,
    ) -> Result<T, Error> {
        with_worker(self, |worker| read(&mut lent(worker)?))
    }
}

/// A driver for a client that a program lent.
fn lent(worker: Worker<'_>) -> Result<PostgresDriver<'_>, Error> {
    PostgresDriver::new(worker).map_err(Error::using)
}

pub(super) fn open_server(server: &Server) -> Result<Box<dyn Driver>, Error> {
    match PostgresDriver::connect(server) {
        Ok(driver) => Ok(Box::new(driver)),
        Err(err) => Err(Error::connecting(&server.shown(), err)),
    }
}
