//! A database's tables as plain data, without SQL and without a database.
//!
//! Every other part of dbmigrate describes tables with these types, which know nothing of
//! operations, dialects or connections. Two schemas that are equal describe the same tables.

mod column;
mod constraint;
pub(crate) mod naming;
mod option;
pub(crate) mod qualified;
pub(crate) mod resolve;
mod sql;
mod tables;

pub use column::{Column, DefaultValue, Generated, Identity, Type};
pub(crate) use constraint::DEFAULT_METHOD;
pub use constraint::{
    Check, Deferrable, ForeignKey, Index, IndexColumn, IndexTerm, Nulls, PrimaryKey,
    ReferentialAction, Unique,
};
pub use option::{TableOption, TableOptions};
pub use sql::Sql;
pub use tables::Tables;

/// A set of tables, by name.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    /// The tables in the order of their names.
    pub tables: Tables,
    /// The hand-written SQL that may have created views, and what happened to the tables since.
    pub(crate) written: Vec<Written>,
}

/// Something that happened to a schema and that its tables don't show.
#[derive(Debug, Clone)]
pub(crate) enum Written {
    /// Hand-written SQL ran.
    Sql(Sql),
    /// The table got another name than this one.
    RenamedTable(String),
    /// The column of the table got another name than this one.
    RenamedColumn(String, String),
    /// The table got this column.
    AddedColumn(String, String),
}

/// Compares the tables.
impl PartialEq for Schema {
    fn eq(&self, other: &Schema) -> bool {
        self.tables == other.tables
    }
}

impl Schema {
    /// A schema of these tables; of two tables with the same name the later one is kept.
    pub fn from_tables(tables: impl IntoIterator<Item = Table>) -> Schema {
        let tables = tables.into_iter().map(|table| (table.name.clone(), table)).collect();
        Schema { tables, written: Vec::new() }
    }

    /// The table with this name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }
}

/// A table: its columns in order, its constraints, and its indexes.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::schema::{Column, Table, Type};
///
/// let user = Table::new("user")
///     .column(Column::new("id", Type::BigInteger).not_null())
///     .column(Column::new("email", Type::String(120)).not_null())
///     .primary_key("pk_user", ["id"])
///     .unique("uq_user_email", ["email"]);
/// assert_eq!(user.columns.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The table's name, unquoted: `billing.invoice` if it is in the schema `billing`.
    pub name: String,
    /// The schema, on PostgreSQL; without one, the table is in the connection's own.
    pub schema: Option<String>,
    /// The columns in their order.
    pub columns: Vec<Column>,
    /// The primary key.
    pub primary_key: Option<PrimaryKey>,
    /// Unique constraints.
    pub uniques: Vec<Unique>,
    /// Foreign keys to other tables or to this one.
    pub foreign_keys: Vec<ForeignKey>,
    /// Check constraints.
    pub checks: Vec<Check>,
    /// Indexes that aren't constraints.
    pub indexes: Vec<Index>,
    /// The options of the table, on databases that have them.
    pub options: TableOptions,
    /// Storage parameters as SQL, such as `fillfactor = 70`, on PostgreSQL.
    pub with: Option<String>,
    /// The tablespace, on PostgreSQL.
    pub tablespace: Option<String>,
    /// The storage engine, on MySQL and MariaDB.
    pub engine: Option<String>,
    /// The character set of texts, on MySQL and MariaDB.
    pub charset: Option<String>,
    /// The collation of texts, on MySQL and MariaDB.
    pub collation: Option<String>,
    /// The table's comment, on databases that have them.
    pub comment: Option<String>,
}

impl Table {
    /// A table without columns.
    pub fn new(name: impl Into<String>) -> Table {
        Table {
            name: name.into(),
            schema: None,
            columns: Vec::new(),
            primary_key: None,
            uniques: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            indexes: Vec::new(),
            options: TableOptions::default(),
            with: None,
            tablespace: None,
            engine: None,
            charset: None,
            collation: None,
            comment: None,
        }
    }

    /// Adds a column at the end.
    #[must_use]
    pub fn column(mut self, column: Column) -> Table {
        self.columns.push(column);
        self
    }

    /// Sets the primary key.
    #[must_use]
    pub fn primary_key<const N: usize>(mut self, name: &str, columns: [&str; N]) -> Table {
        self.primary_key = Some(PrimaryKey::new(name, columns));
        self
    }

    /// Adds a unique constraint.
    #[must_use]
    pub fn unique<const N: usize>(mut self, name: &str, columns: [&str; N]) -> Table {
        self.uniques.push(Unique::new(name, columns));
        self
    }

    /// Adds a unique constraint with further properties.
    #[must_use]
    pub fn unique_constraint(mut self, unique: Unique) -> Table {
        self.uniques.push(unique);
        self
    }

    /// Adds a foreign key.
    #[must_use]
    pub fn foreign_key(mut self, foreign_key: ForeignKey) -> Table {
        self.foreign_keys.push(foreign_key);
        self
    }

    /// Adds a check constraint over an SQL expression.
    #[must_use]
    pub fn check(mut self, name: &str, expression: impl Into<Sql>) -> Table {
        self.checks.push(Check::new(name, expression));
        self
    }

    /// Makes it a `STRICT` table on SQLite.
    #[must_use]
    pub fn strict(mut self) -> Table {
        self.options.set(TableOption::Strict, true);
        self
    }

    /// Makes it a `WITHOUT ROWID` table on SQLite.
    #[must_use]
    pub fn without_rowid(mut self) -> Table {
        self.options.set(TableOption::WithoutRowid, true);
        self
    }

    /// Makes it an `UNLOGGED` table on PostgreSQL: faster, and empty after a crash.
    #[must_use]
    pub fn unlogged(mut self) -> Table {
        self.options.set(TableOption::Unlogged, true);
        self
    }

    /// Sets storage parameters, such as `fillfactor = 70`, on PostgreSQL.
    #[must_use]
    pub fn with(mut self, parameters: &str) -> Table {
        self.with = Some(parameters.to_owned());
        self
    }

    /// Sets the tablespace, on PostgreSQL.
    #[must_use]
    pub fn tablespace(mut self, name: &str) -> Table {
        self.tablespace = Some(name.to_owned());
        self
    }

    /// Sets the storage engine, on MySQL and MariaDB; without one, it is InnoDB.
    #[must_use]
    pub fn engine(mut self, name: &str) -> Table {
        self.engine = Some(name.to_owned());
        self
    }

    /// Sets the character set of texts, on MySQL and MariaDB; without one, it is `utf8mb4`.
    #[must_use]
    pub fn charset(mut self, name: &str) -> Table {
        self.charset = Some(name.to_owned());
        self
    }

    /// Sets the collation of texts, on MySQL and MariaDB; without one, texts are compared exactly.
    #[must_use]
    pub fn collate(mut self, collation: &str) -> Table {
        self.collation = Some(collation.to_owned());
        self
    }

    /// Sets the comment.
    #[must_use]
    pub fn comment(mut self, comment: &str) -> Table {
        self.comment = Some(comment.to_owned());
        self
    }

    /// Whether the table has this option.
    pub fn has(&self, option: TableOption) -> bool {
        self.options.has(option)
    }

    /// The column with this name.
    pub fn find_column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The index with this name.
    pub fn find_index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == name)
    }

    /// The column that generates its own values: the only column of the primary key, if it is an
    /// integer and its [`Column::autoincrement`] isn't `Some(false)`.
    pub fn generated_key(&self) -> Option<&Column> {
        let key = self.primary_key.as_ref()?;
        let [name] = key.columns.as_slice() else { return None };
        let column = self.find_column(name)?;
        (column.ty.is_integer() && column.autoincrement != Some(false)).then_some(column)
    }
}
