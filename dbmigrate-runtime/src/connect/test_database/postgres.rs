//! A database for each test, copied on the server from one that is migrated once.
//!
//! Names of databases and advisory locks are the server's own, so that processes agree on them. A
//! test's database belongs to the connection that holds its lock; without one, it is left over.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::on_server::{Reach, Server, TEMPLATE, TEST, UNUSED_DAYS};
use super::{Template, key, random};
use crate::dialect::{Dialect as _, Postgres};
use crate::driver::postgres::PostgresDriver;
use crate::driver::{Connection as _, DatabaseError, Driver as _, ErrorKind, Unconnected};
use crate::server::with_database;
use crate::url::Location;
use crate::{Error, Value};

/// The first half of the advisory locks' keys: for a test's database, and for a template.
const OF_TEST: i32 = 0x6462_6d74;
const OF_TEMPLATE: i32 = 0x6462_6d54;

/// How long others may use a database that has to be alone for a moment. The server itself does
/// that: a session that ends takes a while.
const ALONE_WITHIN: Duration = Duration::from_secs(30);

/// The servers on which this process has dropped what others left over.
static CLEANED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// How it is reached.
const REACH: Reach<PostgresDriver<'static>> = Reach {
    connect: PostgresDriver::connect,
    fallback: "postgres",
    is_absent: |why| matches!(why, Unconnected::NoDatabase { .. }),
};

/// A database that is dropped when this is.
pub(super) struct TestServerDatabase {
    /// The connection that holds the lock.
    claim: Mutex<PostgresDriver<'static>>,
    name: String,
}

impl TestServerDatabase {
    /// Creates a database, and returns it with its URL.
    pub(super) fn create(
        template: &Template<'_>,
        url: &str,
    ) -> Result<(TestServerDatabase, String), Error> {
        let mut server = Server::connect(template, url, &REACH)?;
        server.clean().map_err(|err| server.failed(err))?;
        let name = server.template_name().map_err(|err| server.failed(err))?;
        let test = loop {
            server.ensure_template(&name)?;
            match server.copy(&name) {
                Ok(test) => break test,
                // Another process took it for one that nobody uses.
                Err(err) if err.is_missing() => {}
                Err(err) => return Err(server.failed(err)),
            }
        };
        let url = with_database(url, &test);
        let claim = Mutex::new(server.driver);
        Ok((TestServerDatabase { claim, name: test }, url))
    }
}

impl Drop for TestServerDatabase {
    fn drop(&mut self) {
        let driver = self.claim.get_mut().unwrap_or_else(PoisonError::into_inner);
        // If this fails, the next process drops it.
        let _ = drop_database(driver, &self.name);
    }
}

impl Server<'_, PostgresDriver<'static>> {
    fn failed(&mut self, err: DatabaseError) -> Error {
        let role = self.text("SELECT current_user::text", &[]).ok().flatten();
        let sql = role.map(|role| format!("ALTER ROLE {} CREATEDB", Postgres.quote(&role)));
        Error::test_database(&self.shown, sql.as_deref(), err)
    }

    /// The name of the template. Its contents belong to the role that migrated it, and may depend
    /// on the options of its sessions.
    fn template_name(&mut self) -> Result<String, DatabaseError> {
        let role = self.text("SELECT current_user::text", &[])?.unwrap_or_default();
        let Location::Server(server) = &self.template.url.location else {
            return Ok(String::new());
        };
        let options = server.get("options").unwrap_or_default();
        let text = format!("{role}\n{options}\n{}", self.template.state);
        Ok(format!("{TEMPLATE}{}", key(&text)))
    }

    fn exists(&mut self, name: &str) -> Result<bool, DatabaseError> {
        let sql = "SELECT datname::text FROM pg_database WHERE datname = ?1";
        Ok(self.text(sql, &[Value::from(name)])?.is_some())
    }

    /// Makes the template if it doesn't exist. It gets its name when it is complete.
    fn ensure_template(&mut self, name: &str) -> Result<(), Error> {
        let sql = "SELECT (shobj_description(oid, 'pg_database') = current_date::text)::text \
                   FROM pg_database WHERE datname = ?1";
        let found = self.driver.query(sql, &[Value::from(name)]).map_err(|err| self.failed(err))?;
        if let [is_marked_today] = found.rows.as_slice() {
            // A mark of today, so that it isn't taken for one that nobody uses.
            if *is_marked_today != [Value::from("true")] {
                // Another process may do the same at the same time.
                let _ = self.mark(name);
            }
            return Ok(());
        }
        // It only saves work: each name is given once.
        let lock = (OF_TEMPLATE, number_of(name));
        while !self.takes(lock).map_err(|err| self.failed(err))? {
            thread::sleep(Duration::from_millis(20));
        }
        let res = match self.exists(name) {
            Ok(true) => Ok(()),
            Ok(false) => self.make_template(name),
            Err(err) => Err(self.failed(err)),
        };
        let _ = self.releases(lock);
        res
    }

    fn make_template(&mut self, name: &str) -> Result<(), Error> {
        let building = self.claim().map_err(|err| self.failed(err))?;
        let res = self.create_as(&building, "").map_err(|err| self.failed(err));
        let res = res.and_then(|()| (self.template.migrate)(&with_database(self.url, &building)));
        let res = res.and_then(|()| {
            let res = self.mark(&building).and_then(|()| self.rename(&building, name));
            match res {
                // Another process was faster, from another database of the server.
                Err(err) if err.is_taken() => Ok(false),
                res => res.map(|()| true).map_err(|err| self.failed(err)),
            }
        });
        if !matches!(res, Ok(true)) {
            let _ = drop_database(&mut self.driver, &building);
        }
        let _ = self.releases(lock_of(&building));
        res.map(drop)
    }

    /// Writes today's date into the database's comment.
    fn mark(&mut self, name: &str) -> Result<(), DatabaseError> {
        let today = self.text("SELECT current_date::text", &[])?.unwrap_or_default();
        self.driver.batch(&format!("COMMENT ON DATABASE {name} IS '{today}'"))
    }

    fn rename(&mut self, name: &str, new: &str) -> Result<(), DatabaseError> {
        // With a connection to it, a database can't be copied.
        self.driver.batch(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"))?;
        self.alone(&format!("ALTER DATABASE {name} RENAME TO {new}"))
    }

    /// Creates a database for a test, and returns its name.
    fn copy(&mut self, template: &str) -> Result<String, DatabaseError> {
        let name = self.claim()?;
        let res = self.create_as(&name, &format!(" TEMPLATE {template}"));
        if res.is_err() {
            let _ = self.releases(lock_of(&name));
        }
        res.map(|()| name)
    }

    fn create_as(&mut self, name: &str, template: &str) -> Result<(), DatabaseError> {
        self.alone(&format!("CREATE DATABASE {name}{template}"))
    }

    /// Runs a statement that needs a database which nobody uses.
    fn alone(&mut self, sql: &str) -> Result<(), DatabaseError> {
        let start = Instant::now();
        loop {
            match self.driver.batch(sql) {
                Err(err) if *err.kind() == ErrorKind::InUse && start.elapsed() < ALONE_WITHIN => {
                    thread::sleep(Duration::from_millis(20));
                }
                res => return res,
            }
        }
    }

    /// The name of a database that doesn't exist yet, with its lock.
    fn claim(&mut self) -> Result<String, DatabaseError> {
        loop {
            let name = format!("{TEST}{:08x}", random() >> 32);
            if self.takes(lock_of(&name))? {
                if !self.exists(&name)? {
                    return Ok(name);
                }
                self.releases(lock_of(&name))?;
            }
        }
    }

    fn takes(&mut self, (class, number): (i32, i32)) -> Result<bool, DatabaseError> {
        let sql = format!("SELECT pg_try_advisory_lock({class}, {number})::text");
        Ok(self.text(&sql, &[])?.is_some_and(|answer| answer == "true"))
    }

    fn releases(&mut self, (class, number): (i32, i32)) -> Result<(), DatabaseError> {
        let sql = format!("SELECT pg_advisory_unlock({class}, {number})::text");
        self.driver.query(&sql, &[]).map(drop)
    }

    /// Drops the databases that killed processes left over, and the templates of old histories.
    fn clean(&mut self) -> Result<(), DatabaseError> {
        let mut cleaned = CLEANED.lock().unwrap_or_else(PoisonError::into_inner);
        if cleaned.contains(&self.shown) {
            return Ok(());
        }
        // A database whose lock is in another session would be dropped while it is used.
        self.driver.refuse_pooler(random())?;
        cleaned.insert(self.shown.clone());
        // The view shows the locks of all databases. A number is as in the server's own type.
        let tests = format!(
            "SELECT datname::text FROM pg_database
             WHERE datname ~ '^{TEST}[0-9a-f]{{8}}$' AND pg_get_userbyid(datdba) = current_user
                 AND NOT EXISTS (
                     SELECT FROM pg_locks
                     WHERE locktype = 'advisory' AND objsubid = 2 AND classid = {OF_TEST}
                         AND lpad(to_hex(objid::bigint), 8, '0') = right(datname, 8))"
        );
        for name in self.driver.query(&tests, &[])?.texts() {
            if self.takes(lock_of(&name))? {
                let _ = drop_database(&mut self.driver, &name);
                self.releases(lock_of(&name))?;
            }
        }
        let templates = format!(
            "SELECT datname::text FROM pg_database
             WHERE datname ~ '^{TEMPLATE}[0-9a-f]{{16}}$'
                 AND pg_get_userbyid(datdba) = current_user
                 AND shobj_description(oid, 'pg_database') < (current_date - {UNUSED_DAYS})::text"
        );
        for name in self.driver.query(&templates, &[])?.texts() {
            let _ = drop_database(&mut self.driver, &name);
        }
        Ok(())
    }
}

/// The lock of a test's database.
fn lock_of(name: &str) -> (i32, i32) {
    (OF_TEST, number_of(name))
}

/// The number of an advisory lock: the last eight digits of a database's name.
fn number_of(name: &str) -> i32 {
    u32::from_str_radix(&name[name.len() - 8..], 16).unwrap_or_default() as i32
}

/// Drops a database, and ends the connections to it that a test may have left open.
fn drop_database(driver: &mut PostgresDriver<'_>, name: &str) -> Result<(), DatabaseError> {
    driver.batch(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
}
