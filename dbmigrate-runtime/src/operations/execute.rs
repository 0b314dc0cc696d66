//! Hand-written SQL, as plain text or as a reusable type that has a reverse.

use super::{Irreversible, Operation, Operations, reverse_all};
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
            let why = "its SQL says no way back with `reversed_by`";
            return Err(Operation::Execute(self.clone()).irreversible(why));
        };
        let describes = reverse_all(&self.describes, before)?;
        let name = self.name.as_deref().map(undo);
        Ok(Execute::back(sql, name, &self.sql, describes))
    }

    /// The operation that reverses SQL with this SQL; `None` if there is nothing to do.
    fn back(
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
fn undo(name: &str) -> String {
    name.strip_prefix(UNDO).map_or_else(|| format!("{UNDO}{name}"), str::to_owned)
}

/// A kind of operation of your own: SQL with a name and, optionally, a reverse.
///
/// Write a type that implements this trait once, in a module next to the migrations' `mod.rs`
/// (declared there: `pub mod views;`), and use it in revisions through `use
/// super::super::views::CreateView;`. A revision records it with [`Operations::invoke`] and
/// reverses it with [`Operations::revert`].
///
/// As with [`Operations::execute`], what is recorded is the SQL and the operations that it
/// describes. If the shared type changes either of them, every revision that uses the type changes,
/// and applied revisions then count as edited. So leave the type unchanged once it has been
/// applied, and pass whatever may vary as values. The name and the reverse may change freely.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::prelude::*;
///
/// // In `migrations/views.rs`:
/// pub struct CreateView {
///     pub name: &'static str,
///     pub select: &'static str,
/// }
///
/// impl CustomOperation for CreateView {
///     fn name(&self) -> String {
///         format!("create view `{}`", self.name)
///     }
///
///     fn sql(&self) -> Sql {
///         format!("CREATE VIEW {} AS {}", self.name, self.select).into()
///     }
///
///     fn reverse(&self) -> Option<Sql> {
///         Some(format!("DROP VIEW {}", self.name).into())
///     }
///
///     fn describes(&self, op: &mut Operations) {
///         op.makes_view(self.name);
///     }
/// }
///
/// // In a revision:
/// const ACTIVE: CreateView =
///     CreateView { name: "active_user", select: "SELECT * FROM user WHERE active" };
///
/// pub fn upgrade(op: &mut Operations) {
///     op.invoke(&ACTIVE);
/// }
///
/// pub fn downgrade(op: &mut Operations) {
///     op.revert(&ACTIVE);
/// }
/// # let record = |f: fn(&mut Operations)| Operations::record(f).remove(0).to_string();
/// # assert_eq!(record(upgrade), "create view `active_user`");
/// # assert_eq!(record(downgrade), "undo create view `active_user`");
/// ```
pub trait CustomOperation {
    /// What it does, in a few lower-case words, for plans, scripts and messages.
    fn name(&self) -> String;

    /// The SQL: one text for all databases, or one for each dialect.
    fn sql(&self) -> Sql;

    /// The SQL that reverses it: an empty [`Sql::new`] if nothing has to be done, and `None` if it
    /// can't be reversed. A revision that reverts it can't be undone then.
    fn reverse(&self) -> Option<Sql>;

    /// Records operations that change the schema as the SQL does, and declares which views,
    /// triggers and virtual tables it creates or drops ([`Operations::makes_view`] and the like),
    /// so that `check` reports them when they are missing. The operations don't run themselves. The
    /// default records nothing, which is right for SQL that only changes rows.
    fn describes(&self, op: &mut Operations) {
        let _ = op;
    }

    /// The same for the reverse. The default reverses those operations of [`describes`] that
    /// create, add or rename something. It can't know the definitions of what they drop or change,
    /// so override this method in that case.
    ///
    /// [`describes`]: CustomOperation::describes
    fn describes_reverse(&self, op: &mut Operations) {
        let described = Operations::record(|op| self.describes(op));
        let nothing = Schema::default();
        let reversed =
            described.iter().rev().filter_map(|operation| operation.reverse(&nothing).ok());
        reversed.flatten().for_each(|operation| op.push(operation));
    }
}

impl Operations {
    /// Runs an operation of your own; see [`CustomOperation`].
    pub fn invoke(&mut self, operation: &(impl CustomOperation + ?Sized)) {
        self.push(Operation::Execute(Execute {
            sql: operation.sql(),
            name: Some(operation.name()),
            reverse: operation.reverse(),
            describes: Operations::record(|op| operation.describes(op)),
        }));
    }

    /// Reverses an operation of your own. If it has no reverse, this direction becomes
    /// irreversible, which is known before anything runs; see [`CustomOperation`].
    pub fn revert(&mut self, operation: &(impl CustomOperation + ?Sized)) {
        let Some(sql) = operation.reverse() else {
            return self.irreversible(&format!("{} has no way back", operation.name()));
        };
        let describes = Operations::record(|op| operation.describes_reverse(op));
        let name = Some(undo(&operation.name()));
        if let Some(back) = Execute::back(&sql, name, &operation.sql(), describes) {
            self.push(Operation::Execute(back));
        }
    }
}
