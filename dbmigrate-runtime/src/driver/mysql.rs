//! MySQL and MariaDB through the crate `mysql`, whose connection blocks.

mod connecting;
mod error;
mod lease;
mod lock;
mod profile;
mod rights;
mod session;
mod settings;
mod value;

use std::cell::{Cell, RefCell};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use mysql::prelude::Queryable as _;
use mysql::{Conn, Params, QueryResult};

use super::{
    Connection, DatabaseError, Driver, LOCK_TIMEOUT, MysqlFault, Rows, Scope, Unconnected, Wait,
    bound,
};
use crate::Value;
use crate::backend::Backend;
use crate::dialect::{self, Dialect, MARIADB, MYSQL};
use crate::server::Server;
use crate::sql::{first_word, is_one_of};
use error::{error, error_in};
use lease::Lease;
use lock::Locking;
pub use profile::{Cluster, Product, Profile};
pub use rights::{OWN, grant_target};

/// A connection of our own, or one that a program lent.
enum Client<'a> {
    Own(Box<Conn>),
    Lent(&'a mut Conn),
}

impl Deref for Client<'_> {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        match self {
            Client::Own(conn) => conn,
            Client::Lent(conn) => conn,
        }
    }
}

impl DerefMut for Client<'_> {
    fn deref_mut(&mut self) -> &mut Conn {
        match self {
            Client::Own(conn) => conn,
            Client::Lent(conn) => conn,
        }
    }
}

/// A driver with its own connection, or with one that a program lent.
pub struct MysqlDriver<'a> {
    client: RefCell<Client<'a>>,
    dialect: &'static dyn Dialect,
    profile: Profile,
    /// Whether a transaction is open; `None` if SQL ran that may have ended or begun one.
    is_open: Cell<Option<bool>>,
    /// How long statements wait for the rows of others, in seconds.
    row_lock_timeout: u64,
    /// The name of the lock.
    lock: String,
    /// What it is on this server.
    locking: Locking,
    /// What the lock is held for.
    held: Option<Scope>,
    /// Where further connections are opened; `None` for a connection that a program lent.
    server: Option<Server>,
    /// The lease, while it is held.
    lease: Option<Lease>,
    /// How long a lease lasts without being renewed.
    lasts: Duration,
    /// The schema of the version table, quoted and with a dot, if it is named.
    beside: String,
    /// The statement that restores the settings of a connection that a program lent.
    restoring: Option<String>,
    /// The last statement that others got in the way of.
    blocked: RefCell<String>,
    /// Why the transaction was rolled back while nothing ran, if the next statement is to say it.
    conflict: RefCell<Option<DatabaseError>>,
}

impl std::fmt::Debug for MysqlDriver<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MysqlDriver").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl MysqlDriver<'static> {
    /// Connects to a server.
    ///
    /// # Errors
    ///
    /// When the server can't be reached, refuses the connection, or isn't supported. The error is
    /// of the kind [`ErrorKind::Unconnected`](crate::driver::ErrorKind::Unconnected).
    pub fn connect(server: &Server) -> Result<MysqlDriver<'static>, DatabaseError> {
        let mut driver = MysqlDriver::new(Client::Own(Box::new(connecting::connect(server)?)))?;
        driver.server = Some(server.clone());
        Ok(driver)
    }
}

impl<'a> MysqlDriver<'a> {
    /// A driver for a connection that a program lent. Its settings are restored in the end.
    ///
    /// # Errors
    ///
    /// When the server isn't supported, or doesn't say what it is.
    pub(crate) fn lent(conn: &'a mut Conn) -> Result<MysqlDriver<'a>, DatabaseError> {
        MysqlDriver::new(Client::Lent(conn))
    }

    fn new(mut client: Client<'a>) -> Result<MysqlDriver<'a>, DatabaseError> {
        let failed = |err| error(&err);
        let asked = client.query_first("SELECT VERSION(), @@version_comment").map_err(failed)?;
        let (version, comment): (String, Option<String>) = asked.unwrap_or_default();
        let profile = Profile::of(&version, &comment.unwrap_or_default());
        if let Some(refusal) = profile.refusal() {
            return Err(connecting::fault(refusal));
        }
        let backend = profile.backend();
        let Some(dialect) = dialect::of(backend) else {
            let server = profile.name;
            let fault = Unconnected::Mysql(MysqlFault::Unsupported { server });
            return Err(connecting::fault(fault));
        };
        let is_lent = matches!(client, Client::Lent(_));
        let mut driver = MysqlDriver {
            client: RefCell::new(client),
            dialect,
            profile,
            is_open: Cell::new(None),
            row_lock_timeout: session::ROW_LOCK_TIMEOUT,
            lock: session::lock_name("", ""),
            locking: Locking::Unknown,
            held: None,
            server: None,
            lease: None,
            lasts: lease::LASTS,
            beside: String::new(),
            restoring: None,
            blocked: RefCell::default(),
            conflict: RefCell::default(),
        };
        driver.profile.cluster = driver.cluster();
        if is_lent {
            let own = driver.profile.own_settings();
            let saved = driver.text_query(&session::saving(backend, own))?.rows;
            let saved = saved.into_iter().next().unwrap_or_default();
            driver.restoring = Some(session::restoring(backend, own, &saved));
        }
        driver.pin()?;
        if !is_lent {
            driver.is_open.set(Some(false));
        }
        let enforces = driver.profile.enforces_checks().map(|sql| driver.text_query(sql));
        if enforces.transpose()?.is_some_and(|found| found.rows != [[Value::Integer(1)]]) {
            let server = driver.profile.name.clone();
            let fault = Unconnected::Mysql(MysqlFault::ChecksIgnored { server });
            return Err(connecting::fault(fault));
        }
        Ok(driver)
    }

    /// Pins the settings of the session.
    fn pin(&self) -> Result<(), DatabaseError> {
        let (backend, own) = (self.profile.backend(), self.profile.own_settings());
        if self.profile.is_itself() {
            let [names, settings] = session::pinning(backend, own);
            return self.text_query(&names).and_then(|_| self.text_query(&settings)).map(|_| ());
        }
        for (statement, may_fail) in session::pinning_known(backend, own) {
            let res = self.text_query(&statement);
            if !may_fail {
                res?;
            }
        }
        Ok(())
    }

    /// Which product the server is.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Excludes other processes as on a server whose named locks don't, by a lease that lasts so long
    /// without being renewed.
    pub fn lock_by_lease(&mut self, lasts: Duration) {
        self.locking = Locking::Lease;
        self.lasts = lasts;
    }

    /// The cluster that the server is a part of, as far as it says so.
    fn cluster(&self) -> Option<Cluster> {
        let (sql, cluster) = self.profile.in_cluster()?;
        // A server without the variable or the table is in no cluster.
        let rows = self.text_query(sql).ok()?.rows;
        (rows == [[Value::Integer(1)]]).then_some(cluster)
    }

    fn run<T>(
        &self,
        sql: &str,
        work: impl FnOnce(&mut Conn) -> mysql::Result<T>,
    ) -> Result<T, DatabaseError> {
        if let Some(err) = self.conflict.take() {
            self.is_open.set(None);
            return Err(err);
        }
        let ran = work(&mut self.client.borrow_mut());
        let target = |database: Option<&str>| {
            let granted = self.client.borrow_mut().query(rights::granted(database));
            let granted: Vec<(Option<String>, Option<String>)> = granted.ok()?;
            let patterns = granted.iter().filter_map(|(_, pattern)| pattern.as_deref());
            let (database, _) = granted.first()?;
            Some(rights::target(database.as_deref()?, patterns))
        };
        let res = ran.map_err(|err| error_in(&err, target));
        if may_change_transaction(sql) {
            self.is_open.set(None);
        }
        if res.as_ref().is_err_and(DatabaseError::is_busy) {
            sql.clone_into(&mut self.blocked.borrow_mut());
            // A deadlock rolls the transaction back.
            self.is_open.set(None);
        }
        res
    }

    /// Runs a query without parameters.
    fn text_query(&self, sql: &str) -> Result<Rows, DatabaseError> {
        self.run(sql, |conn| rows(conn.query_iter(sql)?))
    }

    fn with_params<T>(
        &self,
        sql: &str,
        params: &[Value],
        work: impl FnOnce(&mut Conn, &str, Params) -> mysql::Result<T>,
    ) -> Result<T, DatabaseError> {
        let lexicon = match self.profile.backend() {
            Backend::Mariadb => &MARIADB,
            _ => &MYSQL,
        };
        let bound = bound(sql, params.len(), lexicon)?;
        let values = bound.values.iter().map(|place| value::param(&params[*place])).collect();
        self.run(&bound.sql, |conn| work(conn, &bound.sql, Params::Positional(values)))
    }

    /// The connection that a query of [`session`] finds, in words.
    fn described(&self, sql: &str) -> Option<String> {
        session::described(self.text_query(sql).ok()?.rows.first()?)
    }

    /// Lets statements wait for the rows of others, but not longer than the run may wait.
    fn wait_for_rows(&mut self, at_most: Duration) {
        let seconds = at_most.as_secs().clamp(1, session::ROW_LOCK_TIMEOUT);
        if self.row_lock_timeout != seconds {
            // A product that doesn't know the setting waits as long as it likes.
            let _ = self.text_query(&format!("SET SESSION innodb_lock_wait_timeout = {seconds}"));
            self.row_lock_timeout = seconds;
        }
    }

    fn begin_transaction(&self) -> Result<(), DatabaseError> {
        self.text_query("START TRANSACTION READ WRITE")?;
        self.is_open.set(Some(true));
        Ok(())
    }

    /// Releases the lock of a transaction that has ended.
    fn ended(&mut self) {
        self.is_open.set(Some(false));
        if self.held == Some(Scope::Transaction) {
            self.unlock();
            self.held = None;
        }
        self.be_silent_outside();
    }
}

impl Connection for MysqlDriver<'_> {
    fn dialect(&self) -> &'static dyn Dialect {
        self.dialect
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        self.check_lease()?;
        if params.is_empty() {
            bound(sql, 0, &MYSQL)?;
            return self.run(sql, |conn| Ok(conn.query_iter(sql)?.affected_rows()));
        }
        self.with_params(sql, params, |conn, sql, params| {
            Ok(conn.exec_iter(sql, params)?.affected_rows())
        })
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Rows, DatabaseError> {
        self.check_lease()?;
        if params.is_empty() {
            bound(sql, 0, &MYSQL)?;
            return self.text_query(sql);
        }
        self.with_params(sql, params, |conn, sql, params| rows(conn.exec_iter(sql, params)?))
    }

    fn in_transaction(&self) -> bool {
        if let Some(is_open) = self.is_open.get() {
            return is_open;
        }
        let asked = match self.profile.backend() {
            Backend::Mariadb => self
                .text_query("SELECT @@in_transaction")
                .map(|found| found.rows == [[Value::Integer(1)]]),
            // Outside of a transaction, a savepoint is gone at once.
            _ if !self.profile.is_itself() => {
                let probe =
                    |sql: &str| self.text_query(&format!("{sql} SAVEPOINT dbmigrate_probe"));
                Ok(probe("").is_ok() && probe("RELEASE").is_ok())
            }
            // The server doesn't say it, but refuses this inside a transaction, by number 1568.
            _ => match self.client.borrow_mut().query_drop("SET TRANSACTION READ WRITE") {
                Err(mysql::Error::MySqlError(err)) if err.code == 1568 => Ok(true),
                res => res.map(|()| false).map_err(|err| error(&err)),
            },
        };
        let is_open = match asked {
            Ok(is_open) => is_open,
            // Another node of a cluster has just ended it.
            Err(err) if err.is_busy() => {
                self.conflict.replace(Some(err));
                true
            }
            Err(_) => false,
        };
        self.is_open.set(Some(is_open));
        is_open
    }
}

impl Driver for MysqlDriver<'_> {
    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        self.check_lease()?;
        // The server itself knows where a statement ends, also those with a body.
        self.run(sql, |conn| {
            let mut result = conn.query_iter(sql)?;
            while let Some(set) = result.iter() {
                for row in set {
                    row?;
                }
            }
            Ok(())
        })
    }

    fn prepare(&mut self, history: &str) -> Result<(), DatabaseError> {
        let database = self.text_query("SELECT DATABASE()")?.texts().next();
        let Some(database) = database else { return Err(session::no_database()) };
        // The same table has the same lock, whether or not its database is written.
        let (schema, _) = history.split_once('.').unwrap_or_default();
        let is_own = schema.is_empty();
        self.beside =
            if is_own { String::new() } else { format!("{}.", self.dialect.quote(schema)) };
        let database = if is_own { database.as_str() } else { "" };
        self.lock = session::lock_name(&format!("{database}{history}"), "");
        Ok(())
    }

    fn restore(&mut self) -> Result<(), DatabaseError> {
        Ok(())
    }

    fn begin(&mut self, scope: Scope, wait: &mut Wait<'_>) -> Result<(), DatabaseError> {
        if matches!(scope, Scope::Transaction | Scope::Alone) {
            self.lock(wait)?;
            self.held = Some(scope);
        }
        match scope {
            Scope::Alone => Ok(()),
            // A lease has to be renewed together with the work.
            Scope::Entry if self.lease.is_none() && self.is_open.get() == Some(false) => Ok(()),
            Scope::Transaction | Scope::Group | Scope::Piece | Scope::Entry => {
                self.renew()?;
                self.wait_for_rows(wait.at_most);
                self.be_silent_inside();
                self.begin_transaction()
            }
        }
    }

    fn longest_wait(&self) -> Duration {
        match self.is_open.get() {
            Some(false) => LOCK_TIMEOUT,
            _ => Duration::from_secs(self.row_lock_timeout),
        }
    }

    fn commit(&mut self) -> Result<(), DatabaseError> {
        self.renew()?;
        if self.is_open.get() != Some(false) {
            self.text_query("COMMIT")?;
        }
        self.ended();
        Ok(())
    }

    fn rollback(&mut self) {
        if self.conflict.take().is_some() {
            self.is_open.set(None);
        }
        if self.in_transaction() {
            // A connection that is lost has been rolled back by the server.
            let _ = self.text_query("ROLLBACK");
        }
        self.ended();
    }

    fn holder(&mut self, history: &str) -> Option<String> {
        self.prepare(history).ok()?;
        let by_name = session::lock_holder(self.profile.backend(), &self.lock);
        self.described(&by_name).or_else(|| self.holds_lease())
    }

    fn blocker(&mut self) -> Option<String> {
        let blocked = self.blocked.borrow().clone();
        let queries = session::blockers(self.profile.backend(), &blocked);
        queries.iter().find_map(|sql| self.described(sql))
    }

    fn release(&mut self) {
        if self.held.take().is_some() {
            self.unlock();
        }
    }
}

/// Restores the settings of a connection that a program lent.
impl Drop for MysqlDriver<'_> {
    fn drop(&mut self) {
        if let Some(restoring) = self.restoring.take() {
            let _ = self.client.borrow_mut().query_drop(restoring);
        }
    }
}

/// The first set of rows of a result.
fn rows<P: mysql::prelude::Protocol>(
    mut result: QueryResult<'_, '_, '_, P>,
) -> mysql::Result<Rows> {
    let Some(set) = result.iter() else { return Ok(Rows::default()) };
    let columns = set.columns().as_ref().to_vec();
    let names = columns.iter().map(|column| column.name_str().into_owned()).collect();
    let mut rows = Vec::new();
    for row in set {
        let values = row?.unwrap_raw();
        let cells = values
            .into_iter()
            .zip(&columns)
            .map(|(value, column)| value::cell(value.unwrap_or(mysql::Value::NULL), column));
        rows.push(cells.collect());
    }
    Ok(Rows { columns: names, rows })
}

/// Whether SQL may begin or end a transaction: all but rows and queries, since each change of a
/// definition commits.
fn may_change_transaction(sql: &str) -> bool {
    const KEEPING: [&str; 7] = ["SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "SHOW"];
    // There may be another statement behind it.
    !is_one_of(first_word(sql), &KEEPING) || sql.trim_end().trim_end_matches(';').contains(';')
}
