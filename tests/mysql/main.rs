//! Connections to MySQL and MariaDB: how they are opened, what they exchange, and who excludes whom,
//! on each server that was started.
#![cfg(unix)]

mod asynchronous;
mod classes;
mod connecting;
mod ledger;
mod imitation;
mod kept;
mod lease;
mod lent;
mod lock;
mod many;
mod rights;
mod size;
mod test_database;
mod tls;
mod profiles;
mod values;
mod waiting;
mod whole;

use std::sync::{Mutex, MutexGuard, PoisonError};

use dbmigrate_runtime::engine::dialect::{Flavor, Mysql};
use dbmigrate_runtime::engine::driver::mysql::MysqlDriver;
use dbmigrate_runtime::engine::url::{Location, Url};

/// Held by tests whose accounts lack some rights: one of these tests makes the server read-only for
/// such accounts.
fn writing() -> MutexGuard<'static, ()> {
    static WRITING: Mutex<()> = Mutex::new(());
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A driver for the database of a URL.
fn driver(url: &str) -> MysqlDriver<'static> {
    let url = Url::parse(url).expect("a URL");
    let Location::Server(server) = &url.location else { panic!("{url:?}") };
    MysqlDriver::connect(server).expect("the server is there")
}

/// The dialect of a server, by its name.
fn dialect(server: &str) -> Mysql {
    Mysql(if server.starts_with("mariadb") { Flavor::Mariadb } else { Flavor::Mysql })
}
