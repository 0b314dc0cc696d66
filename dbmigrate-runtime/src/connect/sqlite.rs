//! SQLite: rusqlite's connection, and a database file.

use rusqlite::Connection;

use super::{Connect, ConnectToRead, sealed};
use crate::Error;
use crate::driver::Driver;
use crate::driver::sqlite::SqliteDriver;
use crate::url::{Access, Location, Url};

impl Connect for &mut Connection {}

impl ConnectToRead for &mut Connection {}

impl ConnectToRead for &Connection {}

impl sealed::Connect for &mut Connection {
    fn with_driver<T>(
        self,
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

pub(super) fn open(url: &Url) -> Result<Box<dyn Driver>, Error> {
    let driver = match &url.location {
        Location::Memory => SqliteDriver::open_in_memory(),
        Location::File(path) => SqliteDriver::open(path, url.access.unwrap_or(Access::Create)),
    };
    Ok(Box::new(driver.map_err(|err| Error::database("open the database", err))?))
}
