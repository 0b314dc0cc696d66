//! `CREATE TABLE` and `CREATE INDEX` as SQLite stores them: their parts, each with its own text.
//!
//! A table can be written again with some parts changed, while all other parts keep their text,
//! including comments. The grammar is that of SQLite's parser (`parse.y`), which accepts more than
//! its documentation says; what SQLite rejects is an error here too.

mod comments;
mod cursor;
mod edit;
mod index;
mod parse;
mod trivia;

use crate::backend::Backend;
use crate::schema::{Deferrable, ReferentialAction, TableOption, TableOptions};

pub(crate) use index::IndexDefinition;

/// A parsed `CREATE TABLE` statement that preserves its text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Definition {
    /// The table's name, unquoted.
    pub name: String,
    /// The columns in their order.
    pub columns: Vec<ColumnItem>,
    /// The constraints that come after the columns.
    pub constraints: Vec<ConstraintItem>,
    /// The options after the closing parenthesis: `STRICT`, `WITHOUT ROWID`.
    pub options: TableOptions,
    /// A comment between the table's name and the opening parenthesis, with its white space.
    open: String,
    /// The text between the last item and the closing parenthesis.
    close: String,
    /// The text after the closing parenthesis.
    tail: String,
    /// The options in `tail`.
    tail_options: TableOptions,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ColumnItem {
    /// The name, unquoted.
    pub name: String,
    /// The type as it is written, with single spaces between its words; empty if there is none.
    pub ty: String,
    /// The clauses after the type, such as constraints and the default.
    pub clauses: Vec<Clause>,
    written: Written,
    text: String,
    layout: Layout,
}

/// The parts of a column's text other than its clauses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Written {
    /// The name with its quotes.
    name: String,
    /// White space and comments before the type.
    type_lead: String,
    /// The type with the comments in it.
    ty: String,
    /// Comments after the last clause, left by a clause that was removed.
    end: String,
}

/// A clause of a column's definition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clause {
    /// The constraint's name, unquoted.
    pub name: Option<String>,
    /// The kind of clause.
    pub kind: ClauseKind,
    /// The text as it is written, with `CONSTRAINT` and the name.
    pub text: String,
    /// White space and comments before the clause.
    lead: String,
}

/// The kind of a column's clause.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ClauseKind {
    /// The column is the primary key.
    PrimaryKey {
        /// Whether it is in descending order; such a key is not an alias of the rowid.
        descending: bool,
        /// Whether values are never reused.
        autoincrement: bool,
        /// The word after `ON CONFLICT`.
        conflict: Option<String>,
    },
    /// `NOT NULL`.
    NotNull {
        /// The word after `ON CONFLICT`.
        conflict: Option<String>,
    },
    /// `NULL`, which has no effect.
    Null,
    /// `UNIQUE`.
    Unique {
        /// The word after `ON CONFLICT`.
        conflict: Option<String>,
    },
    /// A check: the expression without the parentheses that belong to `CHECK`.
    Check(String),
    /// A default as it is written, with parentheses if it has any.
    Default(String),
    /// A collation's name, unquoted.
    Collate(String),
    /// A foreign key.
    References(Reference),
    /// The column is computed.
    Generated {
        /// The expression without the parentheses that belong to `AS`.
        expression: String,
        /// Whether the result is stored.
        stored: bool,
    },
    /// A constraint's name without a constraint, which SQLite accepts and ignores.
    OnlyName,
}

/// The target of a foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The referenced table.
    pub table: String,
    /// The referenced columns; empty for the table's primary key.
    pub columns: Vec<String>,
    /// What happens to this table's rows when a referenced row is deleted.
    pub on_delete: ReferentialAction,
    /// What happens to this table's rows when a referenced key changes.
    pub on_update: ReferentialAction,
    /// Whether the check can be deferred.
    pub deferrable: Option<Deferrable>,
}

/// A constraint of the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConstraintItem {
    /// The constraint's name, unquoted.
    pub name: Option<String>,
    /// The kind of constraint.
    pub kind: ConstraintKind,
    text: String,
    layout: Layout,
}

/// The kind of a table's constraint.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ConstraintKind {
    /// The primary key.
    PrimaryKey {
        /// Its columns.
        columns: Vec<KeyColumn>,
        /// Whether values are never reused.
        autoincrement: bool,
        /// The word after `ON CONFLICT`.
        conflict: Option<String>,
    },
    /// Columns whose combined values are unique.
    Unique {
        /// The columns.
        columns: Vec<KeyColumn>,
        /// The word after `ON CONFLICT`.
        conflict: Option<String>,
    },
    /// A check: the expression without the parentheses that belong to `CHECK`.
    Check(String),
    /// A foreign key.
    ForeignKey {
        /// The referring columns.
        columns: Vec<String>,
        /// The target.
        reference: Reference,
    },
    /// A constraint's name without a constraint, which SQLite accepts and ignores.
    OnlyName,
}

/// A column of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyColumn {
    /// The column.
    pub name: String,
    /// The collation, if it isn't the column's own.
    pub collation: Option<String>,
    /// Whether it is in descending order.
    pub descending: bool,
}

/// White space and comments around an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Layout {
    /// Before the item; `None` for an item that was added.
    lead: Option<String>,
    /// After the item, before the comma.
    after: String,
    /// After the comma, up to the end of the line: a comment about this item.
    trailing: String,
}

#[cfg(test)]
pub(super) mod tests;

/// The text after the closing parenthesis, such as ` STRICT, WITHOUT ROWID`, or an empty text.
pub(crate) fn table_options(options: &TableOptions) -> String {
    let own = options.iter().filter(|option| option.backend() == Backend::Sqlite);
    let words: Vec<&str> = own.map(TableOption::words).collect();
    if words.is_empty() { String::new() } else { format!(" {}", words.join(", ")) }
}
