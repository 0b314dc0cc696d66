//! Connecting to PostgreSQL: a client of the crate `postgres`, or a URL.

use std::time::Duration;

use postgres::Client;

use super::{Connect, ConnectToRead, sealed};
use crate::Error;
use crate::driver::postgres::{PostgresDriver, with_worker};
use crate::driver::{DatabaseError, Driver};
use crate::url::{Location, Url};

impl Connect for &mut Client {}

impl ConnectToRead for &mut Client {}

impl sealed::Connect for &mut Client {
    fn with_driver<T>(
        self,
        _: Duration,
        run: impl FnOnce(&mut dyn Driver) -> Result<T, Error>,
    ) -> Result<T, Error> {
        with_worker(self, |worker| run(&mut PostgresDriver::new(worker)))
    }
}

impl sealed::ConnectToRead for &mut Client {
    fn with_reader<T>(
        self,
        read: impl FnOnce(&mut dyn Driver) -> Result<T, Error>,
    ) -> Result<T, Error> {
        with_worker(self, |worker| read(&mut PostgresDriver::new(worker)))
    }
}

pub(super) fn open(url: &Url) -> Result<Box<dyn Driver>, Error> {
    let driver = match &url.location {
        Location::Server(server) => PostgresDriver::connect(server),
        Location::Memory | Location::File(_) => {
            Err(DatabaseError::new("a database of PostgreSQL is on a server"))
        }
    };
    let driver = driver.map_err(|err| Error::database("connect to the database", err))?;
    Ok(Box::new(driver))
}
