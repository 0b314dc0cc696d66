//! Queries that tell whether a statement has had its effect, for a run after an interrupted one.
//!
//! A statement is atomic, so one of its effects tells of all. Where none of these effects can tell,
//! the definitions before it do.

use super::flavor::text;

/// What a statement leaves in the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// The table is there, or not.
    Table(String, bool),
    /// The column is there, or not.
    Column(String, String, bool),
    /// The index is there, or not.
    Index(String, String, bool),
    /// The foreign key or check is there, or not.
    Constraint(String, String, bool),
    /// Nothing but another definition.
    Unseen,
}

impl Effect {
    /// What it is about, and whether that is there; `None` if only a definition can tell.
    pub(super) fn subject(&self) -> Option<(&str, bool)> {
        match self {
            Effect::Table(name, is_there)
            | Effect::Column(_, name, is_there)
            | Effect::Index(_, name, is_there)
            | Effect::Constraint(_, name, is_there) => Some((name, *is_there)),
            Effect::Unseen => None,
        }
    }

    /// A query that returns a row if the effect is there; `None` if only the definition of what the
    /// statement names can tell.
    pub(super) fn query(&self) -> Option<String> {
        let find = |from: &str, table: &str, column: &str, name: &str| {
            let own = if name.is_empty() {
                String::new()
            } else {
                format!(" AND {column} = {}", text(name))
            };
            format!(
                "SELECT 1 FROM information_schema.{from} WHERE table_schema = DATABASE() AND \
                 table_name = {}{own}",
                text(table)
            )
        };
        let (find, is_there) = match self {
            Effect::Table(table, is_there) => (find("tables", table, "", ""), is_there),
            Effect::Column(table, name, is_there) => {
                (find("columns", table, "column_name", name), is_there)
            }
            Effect::Index(table, name, is_there) => {
                (find("statistics", table, "index_name", name), is_there)
            }
            Effect::Constraint(table, name, is_there) => {
                (find("table_constraints", table, "constraint_name", name), is_there)
            }
            Effect::Unseen => return None,
        };
        Some(if *is_there {
            format!("{find} LIMIT 1")
        } else {
            format!("SELECT 1 FROM DUAL WHERE NOT EXISTS ({find})")
        })
    }
}
