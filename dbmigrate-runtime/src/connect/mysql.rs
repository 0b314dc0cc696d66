//! Connecting to MySQL or MariaDB: a connection of the crate `mysql`, or a URL.

use std::time::Duration;

use mysql::Conn;

use super::{Connect, ConnectToRead, sealed};
use crate::Error;
use crate::driver::Driver;
use crate::driver::mysql::MysqlDriver;
use crate::server::Server;

impl Connect for &mut Conn {}

impl ConnectToRead for &mut Conn {}

impl sealed::Connect for &mut Conn {
    fn with_driver<T>(
        self,
        _: Duration,
        run: impl FnOnce(&mut dyn Driver) -> Result<T, Error>,
    ) -> Result<T, Error> {
        run(&mut MysqlDriver::lent(self).map_err(Error::using)?)
    }
}

impl sealed::ConnectToRead for &mut Conn {
    fn with_reader<T>(
        self,
        read: impl FnOnce(&mut dyn Driver) -> Result<T, Error>,
    ) -> Result<T, Error> {
        read(&mut MysqlDriver::lent(self).map_err(Error::using)?)
    }
}

pub(super) fn open_server(server: &Server) -> Result<Box<dyn Driver>, Error> {
    match MysqlDriver::connect(server) {
        Ok(driver) => Ok(Box::new(driver)),
        Err(err) => Err(Error::connecting(&server.shown(), err)),
    }
}
