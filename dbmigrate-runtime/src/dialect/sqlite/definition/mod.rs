//! `CREATE TABLE` and `CREATE INDEX` as SQLite keeps them: their parts, each with its own text.
//!
//! A table can be written again with some parts changed, and the others, comments and all, are
//! what they were. The grammar is that of SQLite's parser (`parse.y`), which takes more than its
//! documentation says; what it doesn't take is an error here too.

mod comments;
mod cursor;
mod edit;
mod index;
mod parse;

use crate::schema::{Deferrable, ReferentialAction, TableOption, TableOptions};

pub(crate) use index::IndexDefinition;

/// A `CREATE TABLE` statement, in parts whose texts are kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Definition {
    /// The table's name, unquoted.
    pub name: String,
    /// The columns in their order.
    pub columns: Vec<ColumnItem>,
    /// The constraints that come after the columns.
    pub constraints: Vec<ConstraintItem>,
    /// What stands after the closing parenthesis: `STRICT`, `WITHOUT ROWID`.
    pub options: TableOptions,
    /// A comment between the table's name and the opening parenthesis, with its white space.
    open: String,
    /// What stands between the last item and the closing parenthesis.
    close: String,
    /// What stands after the closing parenthesis.
    tail: String,
    /// The options as the tail has them.
    tail_options: TableOptions,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ColumnItem {
    /// The name, unquoted.
    pub name: String,
    /// The type's words as they are written, with single spaces between them; empty for none.
    pub ty: String,
    /// What is said of the column behind its type.
    pub clauses: Vec<Clause>,
    written: Written,
    text: String,
    layout: Layout,
}

/// What a column's text holds beside its clauses.
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

/// Something that is said of one column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clause {
    /// The constraint's name, unquoted.
    pub name: Option<String>,
    /// What is said.
    pub kind: ClauseKind,
    /// As it is written, with `CONSTRAINT` and the name.
    pub text: String,
    /// White space and comments before it.
    lead: String,
}

/// What is said of one column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ClauseKind {
    /// The column is the primary key.
    PrimaryKey {
        /// Whether it is sorted from high to low; it is no alias of the rowid then.
        descending: bool,
        /// Whether a value is never used again.
        autoincrement: bool,
        /// The word behind `ON CONFLICT`.
        conflict: Option<String>,
    },
    /// `NOT NULL`.
    NotNull {
        /// The word behind `ON CONFLICT`.
        conflict: Option<String>,
    },
    /// `NULL`, which says nothing.
    Null,
    /// `UNIQUE`.
    Unique {
        /// The word behind `ON CONFLICT`.
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
    /// A constraint's name with no constraint behind it, which SQLite takes and ignores.
    OnlyName,
}

/// Where a foreign key goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The table referred to.
    pub table: String,
    /// Its columns; none for its primary key.
    pub columns: Vec<String>,
    /// What a delete there does here.
    pub on_delete: ReferentialAction,
    /// What a change of the key there does here.
    pub on_update: ReferentialAction,
    /// Whether the check can wait.
    pub deferrable: Option<Deferrable>,
}

/// A constraint of the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConstraintItem {
    /// The constraint's name, unquoted.
    pub name: Option<String>,
    /// What it says.
    pub kind: ConstraintKind,
    text: String,
    layout: Layout,
}

/// What a constraint of the table says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ConstraintKind {
    /// The primary key.
    PrimaryKey {
        /// Its columns.
        columns: Vec<KeyColumn>,
        /// Whether a value is never used again.
        autoincrement: bool,
        /// The word behind `ON CONFLICT`.
        conflict: Option<String>,
    },
    /// Columns whose values together occur once.
    Unique {
        /// The columns.
        columns: Vec<KeyColumn>,
        /// The word behind `ON CONFLICT`.
        conflict: Option<String>,
    },
    /// A check: the expression without the parentheses that belong to `CHECK`.
    Check(String),
    /// A foreign key.
    ForeignKey {
        /// The columns here.
        columns: Vec<String>,
        /// Where they go.
        reference: Reference,
    },
    /// A constraint's name with no constraint behind it, which SQLite takes and ignores.
    OnlyName,
}

/// A column of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyColumn {
    /// The column.
    pub name: String,
    /// The collation, where it isn't the column's own.
    pub collation: Option<String>,
    /// Whether it is sorted from high to low.
    pub descending: bool,
}

/// White space and comments around an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Layout {
    /// Before the item; an item that was added has none of its own.
    lead: Option<String>,
    /// Behind the item, before the comma.
    after: String,
    /// Behind the comma, to the end of the line: a comment on this item.
    trailing: String,
}

#[cfg(test)]
pub(super) mod tests;

/// ` STRICT, WITHOUT ROWID`: what stands after the closing parenthesis, or nothing.
pub(crate) fn table_options(options: &TableOptions) -> String {
    let words = options.iter().map(|option| match option {
        TableOption::Strict => "STRICT",
        TableOption::WithoutRowid => "WITHOUT ROWID",
    });
    let words: Vec<&str> = words.collect();
    if words.is_empty() { String::new() } else { format!(" {}", words.join(", ")) }
}
