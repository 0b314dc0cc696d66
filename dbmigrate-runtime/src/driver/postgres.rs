//! PostgreSQL through the crate `postgres`, whose client blocks.

mod connecting;
mod error;
mod lock;
mod profile;
mod session;
mod settings;
mod system;
#[cfg(feature = "postgres-tls")]
mod tls;
mod value;
mod worker;

use std::cell::{Cell, RefCell};

use postgres::types::{ToSql, Type};
use postgres::{Client, SimpleQueryMessage};

use super::{
    Connection, DatabaseError, Driver, HOLDS_A_LOCK, Rows, Scope, Unconnected, Unwritable, Wait,
    bound,
};
use crate::Value;
use crate::dialect::{Dialect, POSTGRES, Postgres, statements};
use crate::server::Server;
use crate::sql::{Kind, first_word, is_one_of};
use error::{error_after, error_in};
use lock::Locking;
pub use profile::{Product, Profile};
use session::Saved;
use value::{Cell as ResultCell, Param};
pub(crate) use worker::{Worker, with_worker};

/// A driver with its own connection, or with a client that a program lent.
pub struct PostgresDriver<'a> {
    worker: Worker<'a>,
    /// Where it is, if the connection is its own.
    server: Option<Server>,
    profile: Option<Profile>,
    /// Whether a transaction is open; `None` if SQL ran that may have ended or begun one.
    is_open: Cell<Option<bool>>,
    /// The key of the advisory lock.
    key: i64,
    /// The settings of a session that works outside a transaction.
    saved: Option<Saved>,
    /// The statement that tells the server the revision, until it is sent with the next one.
    label: Cell<Option<String>>,
    /// How the lock is taken.
    locking: Locking,
    /// The connection whose transaction holds the lock of a row meanwhile.
    keeper: Option<Box<PostgresDriver<'static>>>,
    /// The last statement that others got in the way of.
    blocked: RefCell<String>,
}

impl std::fmt::Debug for PostgresDriver<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresDriver").finish_non_exhaustive()
    }
}

impl PostgresDriver<'static> {
    /// Connects to a server.
    ///
    /// # Errors
    ///
    /// When the server can't be reached, refuses the connection, or isn't supported. The error is
    /// of the kind [`ErrorKind::Unconnected`](crate::driver::ErrorKind::Unconnected).
    pub fn connect(server: &Server) -> Result<PostgresDriver<'static>, DatabaseError> {
        let own = server.clone();
        let driver = PostgresDriver::new(Worker::connect(move || connecting::connect(&own))?)?;
        let mut driver = PostgresDriver { server: Some(server.clone()), ..driver };
        driver.refuse_other_path()?;
        Ok(driver)
    }

    /// Refuses a connection that doesn't have the search path of its URL, because a pooler ignores
    /// it: everything would be done in another schema.
    fn refuse_other_path(&mut self) -> Result<(), DatabaseError> {
        let Some(wanted) = self.server.as_ref().and_then(Server::search_path) else {
            return Ok(());
        };
        let found = self.query("SHOW search_path", &[])?.texts().next().unwrap_or_default();
        if session::path(&found) == session::path(&wanted) {
            return Ok(());
        }
        Err(connecting::fault(Unconnected::OptionsLost))
    }

    /// Refuses a pooler, for what needs a session of its own. Nobody else uses the number.
    pub(crate) fn refuse_pooler(&mut self, number: u64) -> Result<(), DatabaseError> {
        let Some(server) = self.server.clone() else { return Ok(()) };
        let own = std::mem::replace(&mut self.key, session::lock_key(&number.to_string()));
        let is_taken = self.asks(&format!("SELECT pg_try_advisory_lock({})", self.key));
        let is_pooled = is_taken.and_then(|_| self.is_pooled(&server));
        self.unlock();
        self.key = own;
        if is_pooled? { Err(session::pooled()) } else { Ok(()) }
    }
}

impl<'a> PostgresDriver<'a> {
    /// A driver that works with a connection on a thread of its own.
    ///
    /// # Errors
    ///
    /// When the server isn't supported, or doesn't say what it is.
    pub(crate) fn new(worker: Worker<'a>) -> Result<PostgresDriver<'a>, DatabaseError> {
        let profile = worker.run(|client| match Profile::ask(client) {
            Ok(profile) => Ok(Some(profile)),
            // In a failed transaction, which the executor refuses.
            Err(err) if err.code().is_some_and(|code| code.code() == "25P02") => Ok(None),
            Err(err) => Err(error_in("", &err)),
        })?;
        if let Some(refusal) = profile.as_ref().and_then(Profile::refusal) {
            return Err(connecting::fault(refusal));
        }
        let key = session::lock_key("");
        let is_open = Cell::new(None);
        Ok(PostgresDriver {
            worker,
            server: None,
            profile,
            is_open,
            key,
            saved: None,
            label: Cell::new(None),
            locking: Locking::Unknown,
            keeper: None,
            blocked: RefCell::default(),
        })
    }

    /// Which product the server is; `None` in a failed transaction.
    pub fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    fn run<T: Send + 'static>(
        &self,
        sql: &str,
        work: impl FnOnce(&mut Client, &str) -> Result<T, postgres::Error> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.labelled()?;
        let owned = sql.to_owned();
        let res = self.worker.run(move |client| {
            let res = work(client, &owned);
            res.map_err(|err| error_in(&owned, &err))
        });
        self.ran(sql, &res);
        res
    }

    fn ran<T>(&self, sql: &str, res: &Result<T, DatabaseError>) {
        if may_change_transaction(sql) {
            self.is_open.set(transaction_after(sql).filter(|_| res.is_ok()));
        }
        if res.as_ref().is_err_and(DatabaseError::is_busy) {
            sql.clone_into(&mut self.blocked.borrow_mut());
        }
    }

    /// Runs statements of a transaction, together with the one that tells the revision.
    fn batch_inside(&self, sql: &str) -> Result<(), DatabaseError> {
        let label = self.label.take().unwrap_or_default();
        let owned = sql.to_owned();
        let res = self.worker.run(move |client| {
            let res = client.batch_execute(&format!("{label}{owned}"));
            res.map_err(|err| error_after(&label, &owned, &err))
        });
        self.ran(sql, &res);
        res
    }

    /// Tells the server the revision, if that is still to be done.
    fn labelled(&self) -> Result<(), DatabaseError> {
        let Some(label) = self.label.take() else { return Ok(()) };
        self.worker
            .run(move |client| client.batch_execute(&label).map_err(|err| error_in(&label, &err)))
    }

    fn typed<T: Send + 'static>(
        &self,
        sql: &str,
        params: &[Value],
        work: impl FnOnce(
            &mut Client,
            &str,
            &[(&(dyn ToSql + Sync), Type)],
        ) -> Result<T, postgres::Error>
        + Send
        + 'static,
    ) -> Result<T, DatabaseError> {
        let bound = bound(sql, params.len(), &POSTGRES)?;
        let params: Vec<Param> =
            bound.values.iter().map(|place| Param(params[*place].clone())).collect();
        self.run(&bound.sql, move |client, sql| {
            // The server infers the type of an unknown parameter from its place.
            let params: Vec<_> =
                params.iter().map(|param| (param as &(dyn ToSql + Sync), Type::UNKNOWN)).collect();
            work(client, sql, &params)
        })
    }

    /// Whether a pooler gives this connection's statements to more than one session of the server,
    /// judged by another connection to the same URL: it can take the lock that this one holds, or
    /// drives this one to another session while it is in a transaction.
    fn is_pooled(&self, server: &Server) -> Result<bool, DatabaseError> {
        let pid = "SELECT pg_backend_pid()";
        let own = self.described(pid);
        let mut other = PostgresDriver::connect(server)?;
        other.batch("BEGIN")?;
        let key = self.key;
        let has_lock = other.asks(&format!("SELECT pg_try_advisory_lock({key})"))?;
        if has_lock {
            other.asks(&format!("SELECT pg_advisory_unlock({key})"))?;
        }
        let is_moved = self.described(pid) != own;
        other.rollback();
        Ok(has_lock || is_moved)
    }

    /// The process that a query of [`session`] finds, in words.
    fn described(&self, sql: &str) -> Option<String> {
        let found = self.typed(sql, &[], |client, sql, params| client.query_typed(sql, params));
        let found = found.ok()?;
        let row = found.first()?;
        let text = |idx| row.try_get::<_, Option<String>>(idx).ok().flatten();
        let pid: i32 = row.try_get(0).ok()?;
        let (name, query) = (text(1).unwrap_or_default(), text(2).unwrap_or_default());
        // Those of another role are not shown.
        let query = query.strip_prefix("<insufficient privilege>").unwrap_or(&query);
        let query = query.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = if name.is_empty() { String::new() } else { format!(" (`{name}`)") };
        let doing = match query.char_indices().nth(80) {
            _ if query.is_empty() => String::new(),
            Some((end, _)) => format!(", whose last statement is `{}...`", &query[..end]),
            None => format!(", whose last statement is `{query}`"),
        };
        Some(format!("process {pid}{name}{HOLDS_A_LOCK}{doing}"))
    }

    fn product(&self) -> Product {
        self.profile.as_ref().map_or(Product::Postgres, |profile| profile.product)
    }

    fn begin_transaction(&self) -> Result<(), DatabaseError> {
        let sql = match self.product() {
            Product::Postgres => session::begin(),
            // Its transactions have one level of isolation.
            Product::Dsql => "BEGIN".to_owned(),
            _ => session::begin_known(),
        };
        self.run(&sql, |client, sql| client.batch_execute(sql))
    }

    fn asks(&self, sql: &str) -> Result<bool, DatabaseError> {
        let rows = self.typed(sql, &[], |client, sql, params| client.query_typed(sql, params))?;
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }
}

impl Connection for PostgresDriver<'_> {
    fn dialect(&self) -> &'static dyn Dialect {
        &Postgres
    }

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, DatabaseError> {
        self.typed(sql, params, |client, sql, params| client.execute_typed(sql, params))
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Rows, DatabaseError> {
        let found =
            self.typed(sql, params, |client, sql, params| client.query_typed(sql, params))?;
        let Some(first) = found.first() else { return Ok(Rows::default()) };
        let columns = first.columns().iter().map(|column| column.name().to_owned()).collect();
        let n_columns = first.len();
        let mut rows = Vec::with_capacity(found.len());
        for row in &found {
            let values = (0..n_columns).map(|idx| {
                let cell: Result<ResultCell, _> = row.try_get(idx);
                cell.map(|cell| cell.0).map_err(|_| value::unreadable(&row.columns()[idx]))
            });
            rows.push(values.collect::<Result<_, _>>()?);
        }
        Ok(Rows { columns, rows })
    }

    fn in_transaction(&self) -> bool {
        if let Some(is_open) = self.is_open.get() {
            return is_open;
        }
        // The first statement of a transaction begins with it, so a statement outside of one is
        // as old as its transaction: if it comes in a single message, since a prepared one gets a
        // new time with each message. In a failed transaction every statement fails.
        let sql = "SELECT now() <> statement_timestamp()";
        let found = self.run(sql, |client, sql| {
            let messages = client.simple_query(sql)?;
            Ok(messages.iter().any(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0) == Some("t"),
                _ => false,
            }))
        });
        let is_open = found.unwrap_or(true);
        self.is_open.set(Some(is_open));
        is_open
    }
}

impl Driver for PostgresDriver<'_> {
    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        if self.in_transaction() {
            return self.batch_inside(sql);
        }
        // Several statements in one message would be one transaction.
        for statement in statements(sql) {
            self.run(&statement, |client, statement| client.batch_execute(statement))?;
        }
        Ok(())
    }

    fn prepare(&mut self, history: &str) -> Result<(), DatabaseError> {
        let found = self.query(session::STANDING, &[])?.rows.into_iter().next();
        let Some([schema, path, why]) = found.as_deref() else { return Ok(()) };
        let text = |value: &Value| match value {
            Value::Text(text) => text.clone(),
            _ => String::new(),
        };
        if let Some(name) = session::missing_schema(&text(path), &text(schema)) {
            return Err(session::no_schema(&name));
        }
        // The same table has the same lock, whether or not its schema is written.
        let schema = match schema {
            Value::Text(schema) if history.starts_with('.') => schema.as_str(),
            _ => "",
        };
        self.key = session::lock_key(&format!("{schema}{history}"));
        let Value::Text(why) = why else { return Ok(()) };
        Err(match why.as_str() {
            "dsql" => {
                if let Some(profile) = &mut self.profile {
                    profile.product = Product::Dsql;
                }
                return Ok(());
            }
            "standby" => session::unwritable(Unwritable::Standby),
            _ => session::unwritable(Unwritable::Setting),
        })
    }

    fn restore(&mut self) -> Result<(), DatabaseError> {
        match self.saved.take() {
            Some(saved) => self.batch(&saved.restoring()),
            None => Ok(()),
        }
    }

    fn begin(&mut self, scope: Scope, wait: &mut Wait<'_>) -> Result<(), DatabaseError> {
        match scope {
            Scope::Transaction => self.begin_locked(wait)?,
            Scope::Group | Scope::Piece | Scope::Entry => self.begin_transaction()?,
            Scope::Alone => {
                let saved = Saved::read(self)?;
                self.lock(wait)?;
                self.saved = Some(saved);
                return match self.product() {
                    Product::Postgres => self.batch(&session::pinned()),
                    _ => self.batch(&session::pinned_known()),
                };
            }
        }
        self.is_open.set(Some(true));
        Ok(())
    }

    fn has_savepoints(&self) -> bool {
        self.product() != Product::Dsql
    }

    fn runs(&mut self, revision: &str) {
        if self.in_transaction() {
            self.label.set(Some(session::label("SET LOCAL", revision)));
        } else if self.saved.is_some() {
            // Nothing depends on it.
            let _ = self.batch(&session::label("SET", revision));
        }
    }

    fn commit(&mut self) -> Result<(), DatabaseError> {
        self.label.set(None);
        self.run("COMMIT", |client, sql| client.batch_execute(sql))?;
        self.is_open.set(Some(false));
        Ok(())
    }

    fn rollback(&mut self) {
        self.label.set(None);
        if self.in_transaction() {
            // A connection that is lost has been rolled back by the server.
            let _ = self.run("ROLLBACK", |client, sql| client.batch_execute(sql));
            self.is_open.set(Some(false));
        }
    }

    fn holder(&mut self, history: &str) -> Option<String> {
        // A server that can't be written to may be asked, too.
        let _ = self.prepare(history);
        self.lock_holder()
    }

    fn blocker(&mut self) -> Option<String> {
        let sql = session::blocker(&self.blocked.borrow());
        self.described(&sql)
    }

    fn release(&mut self) {
        if let Some(saved) = self.saved.take() {
            let _ = self.batch(&saved.restoring());
            self.unlock();
        }
    }
}

/// Whether a transaction is open after a statement that only begins or ends one; `None` for all
/// others.
fn transaction_after(sql: &str) -> Option<bool> {
    let tokens = POSTGRES.significant(sql);
    match tokens.as_slice() {
        [one] if one.is_word("COMMIT") || one.is_word("ROLLBACK") => Some(false),
        [first, rest @ ..] if first.is_word("BEGIN") => {
            (!rest.iter().any(|token| token.is_symbol(";"))).then_some(true)
        }
        _ => None,
    }
}

/// Whether SQL contains a word that begins or ends transactions. `END` is also that of a `CASE`, and
/// a query alone ends no transaction.
fn may_change_transaction(sql: &str) -> bool {
    const WORDS: [&str; 7] = ["ABORT", "BEGIN", "COMMIT", "END", "PREPARE", "ROLLBACK", "START"];
    // Most queries can be told without reading them whole.
    if first_word(sql).eq_ignore_ascii_case("SELECT") && !sql.contains(';') {
        return false;
    }
    let tokens = POSTGRES.significant(sql);
    let is_query = tokens.first().is_some_and(|first| first.is_word("SELECT"))
        && !tokens.iter().any(|token| token.is_symbol(";"));
    !is_query
        && tokens.iter().any(|token| token.kind == Kind::Word && is_one_of(token.text, &WORDS))
}

#[cfg(test)]
mod tests {
    use super::{may_change_transaction, transaction_after};

    #[test]
    fn only_a_statement_alone_tells_whether_a_transaction_is_open() {
        assert_eq!(transaction_after("-- now\nCOMMIT"), Some(false));
        assert_eq!(transaction_after("ROLLBACK"), Some(false));
        assert_eq!(
            transaction_after("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"),
            Some(true)
        );
        assert!(!may_change_transaction("SELECT CASE 1 WHEN 1 THEN 2 END"));
        assert!(may_change_transaction("SELECT CASE 1 WHEN 1 THEN 2 END; COMMIT"));
        for sql in [
            "BEGIN; COMMIT",
            "COMMIT AND CHAIN",
            "COMMIT; SELECT 1",
            "ROLLBACK TO SAVEPOINT a",
            "PREPARE TRANSACTION 'a'",
        ] {
            assert_eq!(
                (may_change_transaction(sql), transaction_after(sql)),
                (true, None),
                "{sql}"
            );
        }
    }
}
