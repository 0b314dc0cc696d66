//! Constraints and indexes. All of them have names, so that they can be altered later.

use std::fmt;

use super::Sql;

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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unique {
    /// The constraint's name.
    pub name: String,
    /// The columns in order.
    pub columns: Vec<String>,
    /// Whether two rows with NULL in a column are duplicates, on databases that can do so.
    pub nulls_not_distinct: bool,
    /// Further columns that its index stores, on databases that can do so.
    pub include: Vec<String>,
    /// Whether the check can be deferred to the end of the transaction, on databases that can do
    /// so.
    pub deferrable: Option<Deferrable>,
}

impl Unique {
    /// A unique constraint over these columns.
    pub fn new<const N: usize>(name: &str, columns: [&str; N]) -> Unique {
        Unique { name: name.to_owned(), columns: owned(columns), ..Unique::default() }
    }

    /// Treats two rows with NULL in a column as duplicates, on PostgreSQL 15 and later.
    #[must_use]
    pub fn nulls_not_distinct(mut self) -> Unique {
        self.nulls_not_distinct = true;
        self
    }

    /// Stores further columns in the index, on PostgreSQL.
    #[must_use]
    pub fn include<const N: usize>(mut self, columns: [&str; N]) -> Unique {
        self.include = owned(columns);
        self
    }

    /// Allows the check to be deferred to the end of the transaction, on PostgreSQL.
    #[must_use]
    pub fn deferrable(mut self, deferrable: Deferrable) -> Unique {
        self.deferrable = Some(deferrable);
        self
    }

    /// Whether the constraint is only about its columns, as on every database.
    pub fn is_plain(&self) -> bool {
        !self.nulls_not_distinct && self.include.is_empty() && self.deferrable.is_none()
    }
}

/// A condition that every row satisfies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The constraint's name.
    pub name: String,
    /// The SQL expression.
    pub expression: Sql,
}

impl Check {
    /// A check over an SQL expression.
    pub fn new(name: &str, expression: impl Into<Sql>) -> Check {
        Check { name: name.to_owned(), expression: expression.into() }
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

/// When a deferrable constraint is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deferrable {
    /// At each statement, unless a transaction asks otherwise.
    InitiallyImmediate,
    /// At the end of the transaction.
    InitiallyDeferred,
}

/// An index that isn't a constraint, or an exclusion constraint, which is an index with operators.
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    /// The index's name.
    pub name: String,
    /// The indexed columns and expressions, in order.
    pub columns: Vec<IndexColumn>,
    /// Whether the indexed values are unique.
    pub unique: bool,
    /// The SQL condition of a partial index.
    pub filter: Option<Sql>,
    /// The method, such as `gin`, on databases that have several.
    pub using: Option<String>,
    /// Further columns that the index stores, on databases that can do so.
    pub include: Vec<String>,
    /// Whether two rows with NULL in a column of a unique index are duplicates, on databases that
    /// can do so.
    pub nulls_not_distinct: bool,
    /// Storage parameters as SQL, such as `fillfactor = 70`, on databases that have them.
    pub with: Option<String>,
    /// Whether the index is built while others write to the table, on databases that can do so.
    /// This is about the operation: it makes no difference to the index.
    pub concurrently: bool,
}

impl Index {
    /// An index over these columns.
    pub fn new<const N: usize>(name: &str, columns: [&str; N]) -> Index {
        Index {
            name: name.to_owned(),
            columns: columns.iter().map(|column| IndexColumn::new(column)).collect(),
            ..Index::default()
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

    /// Sets the method: such as `gin` on PostgreSQL, `fulltext` or `spatial` on MySQL and MariaDB.
    #[must_use]
    pub fn using(mut self, method: &str) -> Index {
        self.using = Some(method.to_owned());
        self
    }

    /// Stores further columns in the index, on PostgreSQL.
    #[must_use]
    pub fn include<const N: usize>(mut self, columns: [&str; N]) -> Index {
        self.include = owned(columns);
        self
    }

    /// Treats two rows with NULL in a column of a unique index as duplicates, on PostgreSQL 15 and
    /// later.
    #[must_use]
    pub fn nulls_not_distinct(mut self) -> Index {
        self.nulls_not_distinct = true;
        self
    }

    /// Sets storage parameters, such as `fillfactor = 70`, on PostgreSQL.
    #[must_use]
    pub fn with(mut self, parameters: &str) -> Index {
        self.with = Some(parameters.to_owned());
        self
    }

    /// Asks for an index that is built while others write to the table, on databases that can do
    /// so outside of a transaction.
    #[must_use]
    pub fn concurrently(mut self) -> Index {
        self.concurrently = true;
        self
    }

    /// Indexes only rows that satisfy an SQL condition.
    #[must_use]
    pub fn filter(mut self, condition: impl Into<Sql>) -> Index {
        self.filter = Some(condition.into());
        self
    }
}

/// The method of an index that doesn't name one.
pub(crate) const DEFAULT_METHOD: &str = "btree";

impl Index {
    /// Whether it is an exclusion constraint.
    pub fn is_exclusion(&self) -> bool {
        self.columns.iter().any(|column| column.operator.is_some())
    }

    /// The method, or else the one that databases choose.
    #[doc(hidden)]
    pub fn method(&self) -> &str {
        self.using.as_deref().unwrap_or(DEFAULT_METHOD)
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
    /// How many characters or bytes at the beginning of the values are indexed, if not all, on MySQL
    /// and MariaDB.
    pub prefix: Option<u32>,
    /// The operator class, if it isn't the type's own, on databases that have them.
    pub opclass: Option<String>,
    /// Where rows with NULL are sorted, on databases that have the choice.
    pub nulls: Option<Nulls>,
    /// The operator that must not hold between two rows, if the index is an exclusion constraint.
    pub operator: Option<String>,
}

/// Where an index sorts rows with NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// Before all others.
    First,
    /// After all others.
    Last,
}

/// What is indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexTerm {
    /// A column of the table.
    Column(String),
    /// An SQL expression.
    Expression(Sql),
}

impl IndexColumn {
    /// A column of the table.
    pub fn new(column: &str) -> IndexColumn {
        let term = IndexTerm::Column(column.to_owned());
        IndexColumn::of(term)
    }

    /// An SQL expression.
    pub fn expression(sql: impl Into<Sql>) -> IndexColumn {
        let term = IndexTerm::Expression(sql.into());
        IndexColumn::of(term)
    }

    fn of(term: IndexTerm) -> IndexColumn {
        IndexColumn {
            term,
            descending: false,
            collation: None,
            prefix: None,
            opclass: None,
            nulls: None,
            operator: None,
        }
    }

    /// Whether rows with NULL are before all others; by default they are in a descending order.
    #[doc(hidden)]
    pub fn has_nulls_first(&self) -> bool {
        self.nulls.map_or(self.descending, |nulls| nulls == Nulls::First)
    }

    /// Whether the term is all that is given.
    pub fn is_plain(&self) -> bool {
        *self == IndexColumn::of(self.term.clone())
    }

    /// Makes the index an exclusion constraint, on PostgreSQL: the operators of all columns must not
    /// hold between two rows.
    #[must_use]
    pub fn excludes(mut self, operator: &str) -> IndexColumn {
        self.operator = Some(operator.to_owned());
        self
    }

    /// Indexes only the beginning of the values, this many characters or bytes, on MySQL and
    /// MariaDB.
    #[must_use]
    pub fn prefix(mut self, length: u32) -> IndexColumn {
        self.prefix = Some(length);
        self
    }

    /// Sets the operator class, on PostgreSQL.
    #[must_use]
    pub fn opclass(mut self, opclass: &str) -> IndexColumn {
        self.opclass = Some(opclass.to_owned());
        self
    }

    /// Sorts rows with NULL before all others, on PostgreSQL.
    #[must_use]
    pub fn nulls_first(mut self) -> IndexColumn {
        self.nulls = Some(Nulls::First);
        self
    }

    /// Sorts rows with NULL after all others, on PostgreSQL.
    #[must_use]
    pub fn nulls_last(mut self) -> IndexColumn {
        self.nulls = Some(Nulls::Last);
        self
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
        if let Some(prefix) = self.prefix {
            write!(f, " prefix {prefix}")?;
        }
        if let Some(opclass) = &self.opclass {
            write!(f, " {opclass}")?;
        }
        if self.descending {
            f.write_str(" desc")?;
        }
        match self.nulls {
            None => {}
            Some(Nulls::First) => f.write_str(" nulls first")?,
            Some(Nulls::Last) => f.write_str(" nulls last")?,
        }
        if let Some(operator) = &self.operator {
            write!(f, " with {operator}")?;
        }
        Ok(())
    }
}
