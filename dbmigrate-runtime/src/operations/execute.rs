//! Hand-written SQL, as plain text or as a reusable type that has a reverse.

use super::{Irreversible, Operation, reverse_all};
use crate::backend::Backend;
use crate::schema::Schema;

/// SQL that runs as it is written: one text for all databases, or one for each dialect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sql {
    /// The text for dialects without a text of their own.
    pub any: Option<String>,
    /// Texts by dialect: `sqlite`, `postgres`, `mysql`.
    pub by_dialect: Vec<(String, String)>,
}

impl Sql {
    /// SQL without any text yet.
    pub fn new() -> Sql {
        Sql::default()
    }

    /// The text for SQLite.
    #[must_use]
    pub fn sqlite(self, sql: &str) -> Sql {
        self.on(Backend::Sqlite, sql)
    }

    /// The text for PostgreSQL.
    #[must_use]
    pub fn postgres(self, sql: &str) -> Sql {
        self.on(Backend::Postgres, sql)
    }

    /// The text for MySQL and MariaDB.
    #[must_use]
    pub fn mysql(self, sql: &str) -> Sql {
        self.on(Backend::Mysql, sql)
    }

    fn on(mut self, backend: Backend, sql: &str) -> Sql {
        self.by_dialect.retain(|(dialect, _)| dialect != backend.name());
        self.by_dialect.push((backend.name().to_owned(), sql.to_owned()));
        self.by_dialect.sort();
        self
    }

    /// Whether there is nothing to run: no text, or only white space.
    pub fn is_empty(&self) -> bool {
        let texts = self.any.iter().chain(self.by_dialect.iter().map(|(_, text)| text));
        texts.into_iter().all(|text| text.trim().is_empty())
    }

    /// The text for this kind of database.
    #[doc(hidden)]
    pub fn text(&self, backend: Backend) -> Option<&str> {
        let is_own = |(dialect, _): &&(String, String)| dialect == backend.name();
        let own = self.by_dialect.iter().find(is_own).map(|(_, sql)| sql);
        own.or(self.any.as_ref()).map(String::as_str)
    }
}

impl From<&str> for Sql {
    fn from(sql: &str) -> Sql {
        Sql { any: Some(sql.to_owned()), by_dialect: Vec::new() }
    }
}

impl From<String> for Sql {
    fn from(sql: String) -> Sql {
        Sql { any: Some(sql), by_dialect: Vec::new() }
    }
}

/// Raw SQL, and its declared effect on the schema.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Execute {
    /// The SQL; several statements are allowed.
    pub sql: Sql,
    /// What it does, in a few words: ``create view `active_user` ``. Used in messages; not part of
    /// a checksum.
    pub name: Option<String>,
    /// The SQL that reverses it, used when a downgrade is derived; without a text if nothing has to
    /// be reversed. Not part of a checksum.
    pub reverse: Option<Sql>,
    /// Operations that change the schema as the SQL does.
    pub describes: Vec<Operation>,
}

/// The name of SQL without a name.
pub(crate) const UNNAMED: &str = "execute SQL";

/// The prefix of the name of a reversed operation.
const UNDO: &str = "undo ";

impl Execute {
    /// The operation that reverses this one, given the schema before it; `None` if nothing has to
    /// be done.
    pub(super) fn reversed(&self, before: &Schema) -> Result<Option<Execute>, Irreversible> {
        let Some(sql) = &self.reverse else {
            let why = "its SQL has no `reversed_by`";
            return Err(Operation::Execute(self.clone()).irreversible(why));
        };
        let describes = reverse_all(&self.describes, before)?;
        let name = self.name.as_deref().map(undo);
        Ok(Execute::back(sql, name, &self.sql, describes))
    }

    /// The operation that reverses SQL with this SQL; `None` if there is nothing to do.
    pub(super) fn back(
        sql: &Sql,
        name: Option<String>,
        there: &Sql,
        describes: Vec<Operation>,
    ) -> Option<Execute> {
        let sql = match (sql.is_empty(), describes.is_empty()) {
            (true, true) => return None,
            // Every database needs a text.
            (true, false) => Sql::from(""),
            (false, _) => sql.clone(),
        };
        Some(Execute { sql, name, reverse: Some(there.clone()), describes })
    }
}

/// ``undo create view `v` `` for ``create view `v` ``, and the other way round.
pub(super) fn undo(name: &str) -> String {
    name.strip_prefix(UNDO).map_or_else(|| format!("{UNDO}{name}"), str::to_owned)
}
