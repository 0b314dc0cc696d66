//! Connecting to SQLite: a rusqlite connection, or a database file.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::{Connect, ConnectToRead, sealed};
use crate::Error;
use crate::driver::sqlite::SqliteDriver;
use crate::driver::{DatabaseError, Driver, Wait};
use crate::url::{Access, Location, Url};

impl Connect for &mut Connection {}

impl ConnectToRead for &mut Connection {}

impl ConnectToRead for &Connection {}

impl sealed::Connect for &mut Connection {
    fn with_driver<T>(
        self,
        _: Duration,
        run: impl FnOnce(&mut dyn Driver) -> Result<T, Error>,
    ) -> Result<T, Error> {
        run(&mut SqliteDriver::lent(self))
    }
}

impl sealed::ConnectToRead for &mut Connection {
    fn with_reader<T>(
        self,
        read: impl FnOnce(&mut dyn Driver) -> Result<T, Error>,
    ) -> Result<T, Error> {
        read(&mut SqliteDriver::reading(self))
    }
}

impl sealed::ConnectToRead for &Connection {
    fn with_reader<T>(
        self,
        read: impl FnOnce(&mut dyn Driver) -> Result<T, Error>,
    ) -> Result<T, Error> {
        read(&mut SqliteDriver::reading(self))
    }
}

pub(super) fn open(url: &Url, lock_timeout: Duration) -> Result<Box<dyn Driver>, Error> {
    let start = Instant::now();
    let driver = match &url.location {
        Location::Memory => SqliteDriver::open_in_memory(),
        Location::File(path) => match url.access {
            None | Some(Access::Create) => {
                let mut wait = Wait { at_most: lock_timeout, on_wait: &mut |_| {} };
                SqliteDriver::create(path, &mut wait)
            }
            Some(access) => SqliteDriver::open(path, access),
        },
        Location::Server(_) => Err(DatabaseError::new("a database of SQLite is a file")),
    };
    let driver = driver.map_err(|err| {
        if err.is_busy() {
            Error::locked(start.elapsed().as_secs_f64(), err)
        } else {
            Error::database("open the database", err)
        }
    });
    Ok(Box::new(driver?))
}
