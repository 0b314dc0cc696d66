//! Scratch databases, on which a history is tried.

use std::collections::BTreeSet;
use std::path::Path;

use dbmigrate_runtime::engine::driver::{Connection, DatabaseError, Driver};

use super::definitions::{left_over, own_schema};
use crate::connection::{Database, Patience, Source};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::snapshot::failed;
use crate::trial::{in_file, in_memory};
use crate::url_source;

const FOR_SERVERS: &str = "--shadow-url is for servers: SQLite has databases in memory";

/// Where scratch databases come from.
pub enum Scratch<'a> {
    /// SQLite has them in memory.
    Memory,
    /// An empty database of a server, which is emptied again.
    Server {
        cx: &'a Context,
        database: Database,
        /// The tables in other schemas that a history creates.
        elsewhere: BTreeSet<String>,
        /// The schema of PostgreSQL, or the database of MySQL, that statements work in.
        own: String,
        /// The statements that would drop the event triggers that a server's provider has in each
        /// database.
        kept: Vec<String>,
    },
}

impl<'a> Scratch<'a> {
    /// The scratch database of this URL, or one in memory.
    ///
    /// # Errors
    ///
    /// A server without a URL, and a database that isn't empty.
    pub fn of(cx: &'a Context, shadow_url: Option<(String, Source)>) -> Result<Scratch<'a>> {
        let Some((url, source)) = shadow_url else {
            if cx.has_trial() {
                return Ok(Scratch::Memory);
            }
            let message =
                format!("trying the history needs an empty database of {}", cx.dialect().backend());
            let variable = url_source::shadow_variable(&cx.lookup());
            return Err(Error::new(message).hint(format!(
                "create one, and give its URL with --shadow-url, or in the environment variable \
                 {variable}; it is emptied afterwards"
            )));
        };
        if cx.has_trial() {
            return Err(Error::new(FOR_SERVERS));
        }
        Scratch::on_server(cx, (&url, source), BTreeSet::new())
    }

    /// The scratch database of this URL on a server. `elsewhere` are the tables in other schemas
    /// that a history creates.
    ///
    /// # Errors
    ///
    /// A database that isn't empty, and one that isn't on a server.
    pub fn on_server(
        cx: &'a Context,
        (url, source): (&str, Source),
        elsewhere: BTreeSet<String>,
    ) -> Result<Scratch<'a>> {
        let dir = std::env::current_dir().unwrap_or_default();
        let database = Database::of_url(cx, url, source, &dir)?;
        if !database.is_on_server() {
            return Err(Error::new(FOR_SERVERS));
        }
        let mut driver = database.open_to_write(Patience::reading(cx))?;
        let conn = driver.as_connection();
        let own = own_schema(conn).map_err(failed)?;
        let left_over = left_over(conn).map_err(failed)?;
        let is_kept = |drop: &String| drop.starts_with("DROP EVENT TRIGGER ");
        let (kept, left_over): (Vec<_>, Vec<_>) = left_over.into_iter().partition(is_kept);
        if !left_over.is_empty() || !tables_and_more(conn, &elsewhere).map_err(failed)?.is_empty() {
            let (url, source) = (database.url(), &database.source);
            let message = format!("the database `{url}` of {source} is not empty");
            return Err(Error::new(message).hint("give the URL of one that is"));
        }
        Ok(Scratch::Server { cx, database, elsewhere, own, kept })
    }

    /// The schema of PostgreSQL, or the database of MySQL, that statements work in; empty on SQLite.
    pub fn own(&self) -> &str {
        match self {
            Scratch::Memory => "",
            Scratch::Server { own, .. } => own,
        }
    }

    /// The kind of database, for messages; where it is, without a password.
    pub fn place(&self) -> Option<String> {
        match self {
            Scratch::Memory => None,
            Scratch::Server { database, .. } => Some(database.url()),
        }
    }

    /// The database that another program has migrated: the file, or that of the server.
    ///
    /// # Errors
    ///
    /// When it can't be opened.
    pub fn opened(&self, file: &Path) -> Result<Box<dyn Driver>> {
        match self {
            Scratch::Memory => in_file(file),
            Scratch::Server { cx, database, .. } => database.open_to_write(Patience::reading(cx)),
        }
    }

    /// An empty database.
    pub fn empty(&self) -> Result<Box<dyn Driver>> {
        match self {
            Scratch::Memory => in_memory(),
            Scratch::Server { cx, database, elsewhere, own, kept } => {
                let mut driver = database.open_to_write(Patience::reading(cx))?;
                let failed_to_empty =
                    |err| Error::new(format!("failed to empty `{}`", database.url())).cause(err);
                if own_schema(driver.as_connection()).map_err(failed)? != *own {
                    let create = format!("CREATE SCHEMA {}", driver.dialect().quote(own));
                    driver.batch(&create).map_err(failed_to_empty)?;
                }
                // An extension takes its functions with it.
                let left_over = left_over(driver.as_connection()).map_err(failed)?;
                for statement in left_over.iter().filter(|drop| !kept.contains(drop)) {
                    driver.batch(statement).map_err(failed_to_empty)?;
                }
                let tables = tables_and_more(driver.as_connection(), elsewhere);
                for statement in &tables.map_err(failed)? {
                    driver.batch(statement).map_err(failed_to_empty)?;
                }
                Ok(driver)
            }
        }
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        if let Scratch::Server { cx, .. } = &*self {
            if let Err(err) = self.empty() {
                cx.out.warning(format!("the shadow database is not empty again: {err}"));
            }
        }
    }
}

/// The statements that empty the connection's own schema, and drop these tables of others.
fn tables_and_more(
    conn: &mut dyn Connection,
    elsewhere: &BTreeSet<String>,
) -> std::result::Result<Vec<String>, DatabaseError> {
    let dialect = conn.dialect();
    Ok(dialect.emptying(conn, elsewhere)?.0)
}
