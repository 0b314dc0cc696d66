//! What the databases of tests have in common on all servers.

use super::Template;
use crate::driver::{DatabaseError, Driver, ErrorKind, Unconnected};
use crate::server::{self, with_database};
use crate::url::{Location, Url};
use crate::{Error, Value};

/// The beginning of the names of the tests' databases; hexadecimal digits follow.
pub(super) const TEST: &str = "dbmigrate_test_";

/// The beginning of the names of the databases that they are made from; a key follows.
pub(super) const TEMPLATE: &str = "dbmigrate_template_";

/// After how many days a template that nobody uses is dropped.
pub(super) const UNUSED_DAYS: u32 = 7;

/// A server on which databases are made.
pub(super) struct Server<'a, D> {
    pub(super) template: &'a Template<'a>,
    pub(super) url: &'a str,
    /// Without a password.
    pub(super) shown: String,
    pub(super) driver: D,
}

/// How a driver reaches a server on which the named database need not exist.
pub(super) struct Reach<D> {
    pub(super) connect: fn(&server::Server) -> Result<D, DatabaseError>,
    /// A database that each server has.
    pub(super) fallback: &'static str,
    /// Whether the named database is missing.
    pub(super) is_absent: fn(&Unconnected) -> bool,
}

impl<'a, D: Driver> Server<'a, D> {
    /// Connects to the database that the URL names, or to one that each server has if it doesn't
    /// exist.
    pub(super) fn connect(
        template: &'a Template<'a>,
        url: &'a str,
        reach: &Reach<D>,
    ) -> Result<Server<'a, D>, Error> {
        let Location::Server(server) = &template.url.location else {
            let title = template.url.backend.title();
            let err = DatabaseError::new(format!("a database of {title} is on a server"));
            return Err(Error::database("connect to the database", err));
        };
        let shown = server.shown();
        let driver = (reach.connect)(server).or_else(|err| {
            let ErrorKind::Unconnected(why) = err.kind() else { return Err(err) };
            if !(reach.is_absent)(why) {
                return Err(err);
            }
            match Url::parse(&with_database(url, reach.fallback)).map(|url| url.location) {
                Ok(Location::Server(server)) => (reach.connect)(&server).map_err(|_| err),
                _ => Err(err),
            }
        });
        let driver = driver.map_err(|err| Error::connecting(&shown, err))?;
        Ok(Server { template, url, shown, driver })
    }

    /// The first value of a query, as text.
    pub(super) fn text(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> Result<Option<String>, DatabaseError> {
        Ok(self.driver.query(sql, params)?.texts().next())
    }
}
