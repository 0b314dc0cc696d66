//! Hand-written SQL, as plain text or as a reusable type that has a reverse.

use super::{Irreversible, Operation, reverse_all};
use crate::schema::{Schema, Sql};

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
