//! Databases for the tests of an application: migrated, empty otherwise, and one for each test.

#[cfg(feature = "sqlite")]
pub(crate) mod memory;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod on_server;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use hmac_sha256::Hash;

use crate::Error;
use crate::executor::Options;
use crate::migration::Migrations;
use crate::url::Url;

/// A migrated database for one test, which is dropped with this value; see
/// [`Migrator::test_database`](crate::Migrator::test_database).
///
/// If the process is killed, the database remains until a later process makes a test database.
pub struct TestDatabase {
    url: String,
    path: Option<PathBuf>,
    /// Drops the database.
    _kept: Kept,
}

enum Kept {
    #[cfg(feature = "sqlite")]
    File(#[expect(dead_code, reason = "it is there to be dropped")] sqlite::TestFile),
    #[cfg(feature = "postgres")]
    OnServer(
        #[expect(dead_code, reason = "it is there to be dropped")] postgres::TestServerDatabase,
    ),
    #[cfg(feature = "mysql")]
    OnMysql(
        #[expect(dead_code, reason = "it is there to be dropped")] Box<mysql::TestServerDatabase>,
    ),
}

impl TestDatabase {
    /// The database's URL, which contains what the given URL contains, a password included.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path of an SQLite file; `None` on a server.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

/// Leaves the URL out, since it may contain a password.
impl fmt::Debug for TestDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestDatabase").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What the databases of a history are made from.
#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(dead_code, reason = "unused")
)]
struct Template<'a> {
    /// The database that the program's URL names; only its server is used.
    url: &'a Url,
    /// Which state of the history it is, and what else its contents depend on.
    state: String,
    /// Migrates the database of a URL.
    migrate: &'a dyn Fn(&str) -> Result<(), Error>,
}

/// Creates a migrated database beside the one that a URL names, which isn't used itself.
pub(crate) fn create(
    url: &str,
    migrations: &Migrations,
    options: &Options,
    migrate: &dyn Fn(&str) -> Result<(), Error>,
) -> Result<TestDatabase, Error> {
    let parsed = Url::parse(url)?;
    let template = Template { url: &parsed, state: state(migrations, options), migrate };
    match parsed.backend {
        #[cfg(feature = "sqlite")]
        crate::backend::Backend::Sqlite => sqlite::TestFile::create(&template).map(|file| {
            let path = file.path();
            let url = sqlite::url(&path);
            TestDatabase { url, path: Some(path), _kept: Kept::File(file) }
        }),
        #[cfg(feature = "postgres")]
        crate::backend::Backend::Postgres => {
            let (database, url) = postgres::TestServerDatabase::create(&template, url)?;
            Ok(TestDatabase { url, path: None, _kept: Kept::OnServer(database) })
        }
        #[cfg(feature = "mysql")]
        crate::backend::Backend::Mysql | crate::backend::Backend::Mariadb => {
            let (database, url) = mysql::TestServerDatabase::create(&template, url)?;
            Ok(TestDatabase { url, path: None, _kept: Kept::OnMysql(Box::new(database)) })
        }
        #[allow(unreachable_patterns, reason = "all drivers may be there")]
        backend => {
            let _ = (&template.url, &template.state, template.migrate);
            Err(Error::no_driver(backend))
        }
    }
}

/// A text for everything that the contents of a migrated database depend on.
fn state(migrations: &Migrations, options: &Options) -> String {
    let mut text = format!("{}\n{:?}\n", env!("CARGO_PKG_VERSION"), options.version_table());
    for migration in migrations.iter() {
        text += &format!("{} {}\n", migration.revision.id, migration.checksum);
    }
    // The checksum of a step is that of its name, so another program may do something else.
    let has_steps = migrations.iter().any(|migration| migration.upgrade.has_steps());
    if has_steps || !options.callbacks.is_empty() {
        text += &format!("{:?}\n{:?}\n", options.args, this_program());
    }
    text
}

/// The program's file and when it was compiled.
fn this_program() -> Option<(PathBuf, Option<u128>)> {
    let path = std::env::current_exe().ok()?;
    let modified = std::fs::metadata(&path).and_then(|metadata| metadata.modified()).ok();
    let modified = modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    Some((path, modified.map(|since| since.as_nanos())))
}

/// The first digits of a text's hash.
#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql")),
    allow(dead_code, reason = "for servers")
)]
fn key(text: &str) -> String {
    let hash = Hash::hash(text.as_bytes());
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A number that no other call has returned, in this process or another one.
#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql")),
    allow(dead_code, reason = "unused")
)]
fn random() -> u64 {
    RandomState::new().hash_one((std::process::id(), std::time::SystemTime::now()))
}
