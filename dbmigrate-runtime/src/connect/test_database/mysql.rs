//! A database for each test, built table by table as one that is migrated once.
//!
//! Neither MySQL nor MariaDB copies databases, but a table is created from its definition and filled
//! from another database in one statement each, which is much faster than many revisions are. A
//! history that makes more than tables is run for each database instead.
//!
//! Names of databases and locks are the server's own, so that processes agree on them. A test's
//! database belongs to the connection that holds its lock; without one, it is left over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::on_server::{Reach, Server, TEMPLATE, TEST, UNUSED_DAYS};
use super::{Template, key, random};
use crate::backend::Backend;
use crate::dialect::quote_mysql;
use crate::driver::mysql::MysqlDriver;
use crate::driver::{Connection as _, DatabaseError, Driver as _, MysqlFault, Unconnected};
use crate::server::with_database;
use crate::{Error, Value};

/// The table of a complete template, with the day on which it was last used.
const MARK: &str = "dbmigrate_used";

/// How long the template is waited for that another process makes, in seconds.
const MADE_WITHIN: u32 = 600;

/// The servers on which this process has dropped what others left over.
static CLEANED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The tables of the templates that this process has used, by server and name.
static READ: Mutex<BTreeMap<(String, String), Arc<Tables>>> = Mutex::new(BTreeMap::new());

/// How it is reached.
const REACH: Reach<MysqlDriver<'static>> = Reach {
    connect: MysqlDriver::connect,
    fallback: "information_schema",
    is_absent: |why| {
        matches!(
            why,
            Unconnected::Mysql(MysqlFault::NoDatabase { .. } | MysqlFault::NoRight { .. })
        )
    },
};

/// A database that is dropped when this is.
pub(super) struct TestServerDatabase {
    /// The connection that holds the lock.
    claim: Mutex<MysqlDriver<'static>>,
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
        let source = format!("{TEMPLATE}{}", key(&template.state));
        let tables = server.ensure_template(&source)?;
        let name = server.claim().map_err(|err| server.failed(err))?;
        let test_url = with_database(url, &name);
        server.driver.batch(&create(&name)).map_err(|err| server.failed(err))?;
        // From here on it is dropped if something fails.
        let Server { driver, shown, .. } = server;
        let mut test = TestServerDatabase { claim: Mutex::new(driver), name };
        match &*tables {
            Some(tables) => {
                let driver = test.claim.get_mut().unwrap_or_else(PoisonError::into_inner);
                build(driver, &test.name, &source, tables)
                    .map_err(|err| Error::test_database(&shown, None, err))?;
            }
            None => (template.migrate)(&test_url)?,
        }
        Ok((test, test_url))
    }
}

impl Drop for TestServerDatabase {
    fn drop(&mut self) {
        let driver = self.claim.get_mut().unwrap_or_else(PoisonError::into_inner);
        // If this fails, the next process drops it.
        let _ = drop_database(driver, &self.name);
    }
}

impl Server<'_, MysqlDriver<'static>> {
    fn failed(&mut self, err: DatabaseError) -> Error {
        let quoted = "SELECT CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@', \
                      QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))";
        let account = self.text(quoted, &[]).ok().flatten();
        let sql = account.map(|account| format!("GRANT ALL ON `dbmigrate\\_%`.* TO {account}"));
        Error::test_database(&self.shown, sql.as_deref(), err)
    }

    /// Makes the template if it isn't there, and returns its tables; `None` if there is more in it
    /// than tables.
    fn ensure_template(&mut self, name: &str) -> Result<Arc<Tables>, Error> {
        if !self.is_complete(name).map_err(|err| self.failed(err))? {
            let lock = lock_of(name);
            let sql = format!("SELECT GET_LOCK('{lock}', {MADE_WITHIN})");
            let taken = self.driver.query(&sql, &[]).map_err(|err| self.failed(err))?.rows;
            if taken != [[Value::Integer(1)]] {
                let why = "another process has been making the database for too long that it is \
                           built like";
                return Err(self.failed(DatabaseError::new(why)));
            }
            let res = match self.is_complete(name) {
                Ok(true) => Ok(()),
                Ok(false) => self.make_template(name),
                Err(err) => Err(self.failed(err)),
            };
            let _ = self.releases(&lock);
            res?;
        }
        // The same history has the same template, so it is read once.
        let known = (self.shown.clone(), name.to_owned());
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tables) = read.get(&known) {
            return Ok(Arc::clone(tables));
        }
        let tables = Arc::new(tables(&mut self.driver, name).map_err(|err| self.failed(err))?);
        read.insert(known, Arc::clone(&tables));
        Ok(tables)
    }

    /// Whether a template is complete. If so, it is marked, so that it isn't taken for one that
    /// nobody uses.
    fn is_complete(&mut self, name: &str) -> Result<bool, DatabaseError> {
        let sql = "SELECT 1 FROM information_schema.tables WHERE table_schema = ?1 AND \
                   table_name = ?2";
        if self.driver.query(sql, &[Value::from(name), Value::from(MARK)])?.rows.is_empty() {
            return Ok(false);
        }
        let mark = format!("UPDATE {name}.{MARK} SET day = UTC_DATE() WHERE day <> UTC_DATE()");
        self.driver.execute(&mark, &[])?;
        let is_marked = format!("SELECT 1 FROM {name}.{MARK}");
        Ok(!self.driver.query(&is_marked, &[])?.rows.is_empty())
    }

    fn make_template(&mut self, name: &str) -> Result<(), Error> {
        let made = drop_database(&mut self.driver, name)
            .and_then(|()| self.driver.batch(&create(name)))
            .map_err(|err| self.failed(err));
        let made = made.and_then(|()| (self.template.migrate)(&with_database(self.url, name)));
        let made = made.and_then(|()| {
            let marked = self
                .driver
                .batch(&format!("CREATE TABLE {name}.{MARK} (day DATE NOT NULL) ENGINE = InnoDB"))
                .and_then(|()| {
                    self.driver.batch(&format!("INSERT INTO {name}.{MARK} VALUES (UTC_DATE())"))
                });
            marked.map_err(|err| self.failed(err))
        });
        if made.is_err() {
            let _ = drop_database(&mut self.driver, name);
        }
        made
    }

    /// The name of a database that doesn't exist yet, with its lock.
    fn claim(&mut self) -> Result<String, DatabaseError> {
        loop {
            let name = format!("{TEST}{:016x}", random());
            let lock = lock_of(&name);
            if self.takes(&lock)? {
                let sql = "SELECT 1 FROM information_schema.schemata WHERE schema_name = ?1";
                if self.driver.query(sql, &[Value::from(name.as_str())])?.rows.is_empty() {
                    return Ok(name);
                }
                self.releases(&lock)?;
            }
        }
    }

    fn takes(&mut self, lock: &str) -> Result<bool, DatabaseError> {
        let answer = self.driver.query(&format!("SELECT GET_LOCK('{lock}', 0)"), &[])?;
        Ok(answer.rows == [[Value::Integer(1)]])
    }

    fn releases(&mut self, lock: &str) -> Result<(), DatabaseError> {
        self.driver.query(&format!("SELECT RELEASE_LOCK('{lock}')"), &[]).map(drop)
    }

    /// Drops the databases that killed processes left over, and the templates of old histories.
    fn clean(&mut self) -> Result<(), DatabaseError> {
        let mut cleaned = CLEANED.lock().unwrap_or_else(PoisonError::into_inner);
        if !cleaned.insert(self.shown.clone()) {
            return Ok(());
        }
        let sql = format!(
            "SELECT schema_name FROM information_schema.schemata \
             WHERE schema_name RLIKE '^({TEST}|{TEMPLATE})[0-9a-f]{{16}}$'"
        );
        let names: Vec<String> = self.driver.query(&sql, &[])?.texts().collect();
        for name in names {
            let lock = lock_of(&name);
            if !self.takes(&lock)? {
                continue;
            }
            let is_unused = name.starts_with(TEST) || self.is_unused(&name);
            if is_unused {
                let _ = drop_database(&mut self.driver, &name);
            }
            self.releases(&lock)?;
        }
        Ok(())
    }

    /// Whether nobody has used a template for days, or it was never completed.
    fn is_unused(&mut self, template: &str) -> bool {
        let sql = format!(
            "SELECT 1 FROM {template}.{MARK} \
             WHERE day >= UTC_DATE() - INTERVAL {UNUSED_DAYS} DAY"
        );
        match self.driver.query(&sql, &[]) {
            Ok(found) => found.rows.is_empty(),
            Err(err) => err.is_missing(),
        }
    }
}

/// The tables of a template; `None` if there is more in it than tables.
type Tables = Option<Vec<Table>>;

/// A table of a template.
struct Table {
    /// Its name in backticks.
    name: String,
    definition: String,
    /// Its columns that aren't generated, in backticks; empty if it has no rows.
    columns: Vec<String>,
}

/// The tables of a template; `None` if there is more in it than tables.
fn tables(driver: &mut MysqlDriver<'_>, template: &str) -> Result<Tables, DatabaseError> {
    let others = [
        "tables WHERE table_type <> 'BASE TABLE' AND table_schema",
        "triggers WHERE trigger_schema",
        "routines WHERE routine_schema",
        "events WHERE event_schema",
    ];
    for other in others {
        let sql = format!("SELECT 1 FROM information_schema.{other} = ?1 LIMIT 1");
        if !driver.query(&sql, &[Value::from(template)])?.rows.is_empty() {
            return Ok(None);
        }
    }
    let sql = "SELECT table_name FROM information_schema.tables \
               WHERE table_schema = ?1 AND table_name <> ?2 ORDER BY table_name";
    let names = driver.query(sql, &[Value::from(template), Value::from(MARK)])?;
    let mut tables = Vec::new();
    for name in names.texts() {
        let shown =
            driver.query(&format!("SHOW CREATE TABLE {template}.{}", quote_mysql(&name)), &[])?;
        let Some(Value::Text(definition)) = shown.rows.into_iter().flatten().nth(1) else {
            return Ok(None);
        };
        let has_rows = format!("SELECT 1 FROM {template}.{} LIMIT 1", quote_mysql(&name));
        if driver.query(&has_rows, &[])?.rows.is_empty() {
            tables.push(Table { name: quote_mysql(&name), definition, columns: Vec::new() });
            continue;
        }
        let sql = "SELECT column_name FROM information_schema.columns \
                   WHERE table_schema = ?1 AND table_name = ?2 \
                   AND COALESCE(generation_expression, '') = '' ORDER BY ordinal_position";
        let columns = driver.query(sql, &[Value::from(template), Value::from(name.as_str())])?;
        let columns = columns.texts().map(|column| quote_mysql(&column)).collect();
        tables.push(Table { name: quote_mysql(&name), definition, columns });
    }
    Ok(Some(tables))
}

/// Creates the tables in a database, with the rows that the template has.
fn build(
    driver: &mut MysqlDriver<'_>,
    name: &str,
    template: &str,
    tables: &[Table],
) -> Result<(), DatabaseError> {
    driver.batch(&format!("USE {name}"))?;
    // A table may refer to a later one.
    driver.batch("SET SESSION foreign_key_checks = 0")?;
    for table in tables {
        driver.batch(&table.definition)?;
        let Table { name, columns, .. } = table;
        if columns.is_empty() {
            continue;
        }
        let columns = columns.join(", ");
        driver.batch(&format!(
            "INSERT INTO {name} ({columns}) SELECT {columns} FROM {template}.{name}"
        ))?;
    }
    driver.batch("SET SESSION foreign_key_checks = 1")
}

fn create(name: &str) -> String {
    format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")
}

/// The lock of a test's database, or of a template while it is made.
fn lock_of(name: &str) -> String {
    format!("dbmigrate:{name}")
}

/// Drops a database, and ends the connections to it that a test may have left open, since the locks
/// of an open transaction would be in the way.
fn drop_database(driver: &mut MysqlDriver<'_>, name: &str) -> Result<(), DatabaseError> {
    let processes = match driver.profile().backend() {
        Backend::Mariadb => "information_schema.processlist",
        _ => "performance_schema.processlist",
    };
    let sql = format!("SELECT id FROM {processes} WHERE db = ?1 AND id <> CONNECTION_ID()");
    if let Ok(found) = driver.query(&sql, &[Value::from(name)]) {
        for id in found.rows.into_iter().flatten() {
            if let Value::Integer(id) = id {
                // It may have ended meanwhile.
                let _ = driver.batch(&format!("KILL {id}"));
            }
        }
    }
    driver.batch(&format!("DROP DATABASE IF EXISTS {name}"))
}
