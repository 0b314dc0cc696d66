//! What a [`Migrator`](crate::Migrator) can migrate: a connection, a URL, or a path.

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
pub(crate) mod test_database;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Error;
use crate::backend::Backend;
use crate::driver::Driver;
use crate::url::{Access, Location, Server, Url};

/// A database that a [`Migrator`](crate::Migrator) can migrate.
///
/// This is `&mut rusqlite::Connection` (with the feature `sqlite`), `&mut postgres::Client` (with
/// the feature `postgres`), `&mut mysql::Conn` (with the feature `mysql`), a URL such as
/// `sqlite:app.db`, `postgres://user@host/database` or `mysql://user@host/database`, or the path of
/// a file. A URL or a path is opened for the call and closed afterwards. A missing
/// file is created; if the call fails before it commits anything, no file remains. This trait can't
/// be implemented outside of this crate.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a database that can be migrated",
    note = "pass `&mut rusqlite::Connection`, `&mut postgres::Client` or `&mut mysql::Conn` (with \
            the feature `sqlite`, `postgres` or `mysql` of dbmigrate-runtime), a URL or a path",
    note = "for a pooled connection or another guard, pass `&mut *guard`"
)]
pub trait Connect: ConnectToRead + sealed::Connect {}

/// A database whose revisions a [`Migrator`](crate::Migrator) can query.
///
/// This is every database that can be migrated ([`Connect`]), and `&rusqlite::Connection`. A
/// missing file counts as a database without revisions, and is not created. This trait can't be
/// implemented outside of this crate.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a database whose revisions can be read",
    note = "pass `&rusqlite::Connection` (with the feature `sqlite` of dbmigrate-runtime), a URL \
            or a path",
    note = "for a pooled connection or another guard, pass `&*guard`"
)]
pub trait ConnectToRead: sealed::ConnectToRead {}

pub(crate) mod sealed {
    use std::time::Duration;

    use crate::Error;
    use crate::driver::Driver;

    pub trait Connect {
        /// Calls the function with a driver that can write. If the database has to be opened first,
        /// opening waits at most this long for another process that is creating the file.
        fn with_driver<T>(
            self,
            lock_timeout: Duration,
            run: impl FnOnce(&mut dyn Driver) -> Result<T, Error>,
        ) -> Result<T, Error>;
    }

    pub trait ConnectToRead {
        /// Calls the function with a driver that is only used for queries.
        fn with_reader<T>(
            self,
            read: impl FnOnce(&mut dyn Driver) -> Result<T, Error>,
        ) -> Result<T, Error>;

        /// Calls the function again and again, until it returns something. A database that is named
        /// is opened for each call, since it may not exist or not answer at first.
        fn attempt<T>(
            self,
            mut attempt: impl FnMut(Result<&mut dyn Driver, Error>) -> Option<Result<T, Error>>,
        ) -> Result<T, Error>
        where
            Self: Sized,
        {
            self.with_reader(|driver| {
                loop {
                    if let Some(res) = attempt(Ok(driver)) {
                        return res;
                    }
                }
            })
        }
    }
}

/// Implements both traits for a type that names a database.
macro_rules! named {
    ($($ty:ty: $url:expr;)*) => {
        $(impl Connect for $ty {}

        impl ConnectToRead for $ty {}

        impl sealed::Connect for $ty {
            fn with_driver<T>(
                self,
                lock_timeout: Duration,
                run: impl FnOnce(&mut dyn Driver) -> Result<T, Error>,
            ) -> Result<T, Error> {
                run(&mut *open(&$url(self)?, lock_timeout)?)
            }
        }

        impl sealed::ConnectToRead for $ty {
            fn with_reader<T>(
                self,
                read: impl FnOnce(&mut dyn Driver) -> Result<T, Error>,
            ) -> Result<T, Error> {
                read(&mut *open_to_read($url(self)?)?)
            }

            fn attempt<T>(
                self,
                mut attempt: impl FnMut(Result<&mut dyn Driver, Error>) -> Option<Result<T, Error>>,
            ) -> Result<T, Error> {
                let url = $url(self)?;
                loop {
                    let res = match open_to_read(url.clone()) {
                        Ok(mut driver) => attempt(Ok(&mut *driver)),
                        Err(err) => attempt(Err(err)),
                    };
                    if let Some(res) = res {
                        return res;
                    }
                }
            }
        })*
    };
}

named! {
    Url: same;
    &str: Url::parse;
    &String: |url: &str| Url::parse(url);
    String: |url: String| Url::parse(&url);
    &Path: file;
    &PathBuf: |path: &Path| file(path);
    PathBuf: |path: PathBuf| file(&path);
}

fn same(url: Url) -> Result<Url, Error> {
    Ok(url)
}

fn file(path: &Path) -> Result<Url, Error> {
    Ok(Url::file(path))
}

#[cfg_attr(not(feature = "sqlite"), allow(unused_variables, reason = "no driver waits"))]
pub(crate) fn open(url: &Url, lock_timeout: Duration) -> Result<Box<dyn Driver>, Error> {
    match (&url.location, url.backend) {
        (Location::Server(server), backend) => open_server(backend, server),
        #[cfg(feature = "sqlite")]
        (_, Backend::Sqlite) => sqlite::open(url, lock_timeout),
        (_, backend) => Err(Error::no_driver(backend)),
    }
}

/// Connects to the database on a server that a URL names.
///
/// # Errors
///
/// When the server can't be reached, refuses the connection, or isn't supported.
#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql")),
    allow(unused_variables, reason = "no driver connects")
)]
pub fn open_server(backend: Backend, server: &Server) -> Result<Box<dyn Driver>, Error> {
    match backend {
        #[cfg(feature = "postgres")]
        Backend::Postgres => postgres::open_server(server),
        #[cfg(feature = "mysql")]
        Backend::Mysql | Backend::Mariadb => mysql::open_server(server),
        backend => Err(Error::no_driver(backend)),
    }
}

/// Opens a database for queries only. The file may still be written to: SQLite has to roll back a
/// journal that a killed process left.
pub(crate) fn open_to_read(url: Url) -> Result<Box<dyn Driver>, Error> {
    let location = match url.location {
        Location::File(path) if !path.exists() => Location::Memory,
        location => location,
    };
    let url = Url { location, access: url.access.or(Some(Access::ReadWrite)), ..url };
    open(&url, Duration::ZERO)
}

#[cfg(test)]
#[cfg(not(feature = "sqlite"))]
#[test]
fn without_a_driver_the_feature_is_named() {
    let err = crate::Migrator::new(&[]).upgrade("sqlite:app.db").unwrap_err();
    assert_eq!(err.to_string(), "this program was built without a driver for SQLite");
    let hint = "enable the feature `sqlite` of `dbmigrate-runtime` in Cargo.toml";
    assert_eq!(err.hint(), Some(hint));
}
