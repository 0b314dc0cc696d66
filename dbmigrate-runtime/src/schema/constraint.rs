//! Constraints and indexes. All of them have names, so that they can be altered later.

use std::fmt;

fn owned<const N: usize>(columns: [&str; N]) -> Vec<String> {
    columns.map(str::to_owned).into()
}

/// The columns that identify a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrimaryKey {
    /// The constraint's name.
    pub name: String,
    /// The columns in the key's order.
    pub columns: Vec<String>,
}

impl PrimaryKey {
    /// A primary key over these columns.
    pub fn new<const N: usize>(name: &str, columns: [&str; N]) -> PrimaryKey {
        PrimaryKey { name: name.to_owned(), columns: owned(columns) }
    }
}

/// Columns whose combined values are unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// The constraint's name.
    pub name: String,
    /// The columns in order.
    pub columns: Vec<String>,
}

impl Unique {
    /// A unique constraint over these columns.
    pub fn new<const N: usize>(name: &str, columns: [&str; N]) -> Unique {
        Unique { name: name.to_owned(), columns: owned(columns) }
    }
}

/// A condition that every row satisfies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The constraint's name.
    pub name: String,
    /// The SQL expression.
    pub expression: String,
}

impl Check {
    /// A check over an SQL expression.
    pub fn new(name: &str, expression: &str) -> Check {
        Check { name: name.to_owned(), expression: expression.to_owned() }
    }
}

/// Columns that refer to a row of another table, or of the same one.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::schema::{ReferentialAction, ForeignKey};
///
/// let author = ForeignKey::new("fk_post_author_id_user", ["author_id"], "user", ["id"])
///     .on_delete(ReferentialAction::Cascade);
/// assert_eq!(author.references_table, "user");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: String,
    /// The columns of this table.
    pub columns: Vec<String>,
    /// The table that is referred to.
    pub references_table: String,
    /// The columns of that table, as many as on this side.
    pub references_columns: Vec<String>,
    /// What happens to this table's rows when a referenced row is deleted.
    pub on_delete: ReferentialAction,
    /// What happens to this table's rows when a referenced key changes.
    pub on_update: ReferentialAction,
    /// Whether the check can be deferred to the end of the transaction.
    pub deferrable: Option<Deferrable>,
}

impl ForeignKey {
    /// A foreign key from these columns to those of a table.
    pub fn new<const N: usize>(
        name: &str,
        columns: [&str; N],
        references_table: &str,
        references_columns: [&str; N],
    ) -> ForeignKey {
        ForeignKey {
            name: name.to_owned(),
            columns: owned(columns),
            references_table: references_table.to_owned(),
            references_columns: owned(references_columns),
            on_delete: ReferentialAction::NoAction,
            on_update: ReferentialAction::NoAction,
            deferrable: None,
        }
    }

    /// Sets what happens when a referenced row is deleted.
    #[must_use]
    pub fn on_delete(mut self, action: ReferentialAction) -> ForeignKey {
        self.on_delete = action;
        self
    }

    /// Sets what happens when a referenced key changes.
    #[must_use]
    pub fn on_update(mut self, action: ReferentialAction) -> ForeignKey {
        self.on_update = action;
        self
    }

    /// Allows the check to be deferred to the end of the transaction.
    #[must_use]
    pub fn deferrable(mut self, deferrable: Deferrable) -> ForeignKey {
        self.deferrable = Some(deferrable);
        self
    }
}

/// What happens to a row whose foreign key loses its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReferentialAction {
    /// The change is refused at the end of the statement or transaction.
    #[default]
    NoAction,
    /// The change is refused at once.
    Restrict,
    /// The row is deleted, or gets the new key.
    Cascade,
    /// The columns become `NULL`.
    SetNull,
    /// The columns are set to their defaults.
    SetDefault,
}

impl ReferentialAction {
    /// The action in SQL, the same in every supported database.
    pub fn sql(self) -> &'static str {
        match self {
            ReferentialAction::NoAction => "NO ACTION",
            ReferentialAction::Restrict => "RESTRICT",
            ReferentialAction::Cascade => "CASCADE",
            ReferentialAction::SetNull => "SET NULL",
            ReferentialAction::SetDefault => "SET DEFAULT",
        }
    }
}

/// When a deferrable foreign key is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deferrable {
    /// At each statement, unless a transaction asks otherwise.
    InitiallyImmediate,
    /// At the end of the transaction.
    InitiallyDeferred,
}

/// An index that isn't a constraint.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::schema::{Index, IndexColumn};
///
/// let recent = Index::new("ix_post_recent", ["author_id"])
///     .column(IndexColumn::new("created_at").desc())
///     .filter("deleted_at IS NULL");
/// assert_eq!(recent.columns.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The index's name.
    pub name: String,
    /// The indexed columns and expressions, in order.
    pub columns: Vec<IndexColumn>,
    /// Whether the indexed values are unique.
    pub unique: bool,
    /// The SQL condition of a partial index.
    pub filter: Option<String>,
}

impl Index {
    /// An index over these columns.
    pub fn new<const N: usize>(name: &str, columns: [&str; N]) -> Index {
        Index {
            name: name.to_owned(),
            columns: columns.iter().map(|column| IndexColumn::new(column)).collect(),
            unique: false,
            filter: None,
        }
    }

    /// Adds a column or an expression at the end.
    #[must_use]
    pub fn column(mut self, column: IndexColumn) -> Index {
        self.columns.push(column);
        self
    }

    /// The same index under another name.
    #[must_use]
    pub fn renamed(&self, name: &str) -> Index {
        Index { name: name.to_owned(), ..self.clone() }
    }

    /// Makes the index unique.
    #[must_use]
    pub fn unique(mut self) -> Index {
        self.unique = true;
        self
    }

    /// Indexes only rows that satisfy an SQL condition.
    #[must_use]
    pub fn filter(mut self, condition: &str) -> Index {
        self.filter = Some(condition.to_owned());
        self
    }
}

/// One column or expression of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexColumn {
    /// What is indexed.
    pub term: IndexTerm,
    /// Whether it is sorted in descending order.
    pub descending: bool,
    /// The collation, if it isn't the column's own.
    pub collation: Option<String>,
}

/// What is indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexTerm {
    /// A column of the table.
    Column(String),
    /// An SQL expression.
    Expression(String),
}

impl IndexColumn {
    /// A column of the table.
    pub fn new(column: &str) -> IndexColumn {
        let term = IndexTerm::Column(column.to_owned());
        IndexColumn { term, descending: false, collation: None }
    }

    /// An SQL expression.
    pub fn expression(sql: &str) -> IndexColumn {
        let term = IndexTerm::Expression(sql.to_owned());
        IndexColumn { term, descending: false, collation: None }
    }

    /// Sorts in descending order.
    #[must_use]
    pub fn desc(mut self) -> IndexColumn {
        self.descending = true;
        self
    }

    /// Sets the collation.
    #[must_use]
    pub fn collate(mut self, collation: &str) -> IndexColumn {
        self.collation = Some(collation.to_owned());
        self
    }
}

impl fmt::Display for IndexColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.term {
            IndexTerm::Column(term) => f.write_str(term)?,
            IndexTerm::Expression(term) => write!(f, "({term})")?,
        }
        if let Some(collation) = &self.collation {
            write!(f, " collate {collation}")?;
        }
        if self.descending {
            f.write_str(" desc")?;
        }
        Ok(())
    }
}
