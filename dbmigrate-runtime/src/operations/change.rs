//! The changes of a table's or a column's properties.

use std::collections::BTreeMap;

use crate::Value;
use crate::schema::{DefaultValue, Generated, Identity, Sql, TableOption, Type};

/// The changes of an [`Operation::AlterTable`](super::Operation::AlterTable); what is `None` stays
/// as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableChange {
    /// The options that the table gains or loses.
    pub options: BTreeMap<TableOption, bool>,
    /// Sets or removes the storage parameters.
    pub with: Option<Option<String>>,
    /// Sets the tablespace, or moves the table to the default one.
    pub tablespace: Option<Option<String>>,
    /// Sets the storage engine, or returns to InnoDB.
    pub engine: Option<Option<String>>,
    /// Sets the character set of texts, or returns to `utf8mb4`.
    pub charset: Option<Option<String>>,
    /// Sets the collation of texts, or returns to the one that compares them exactly.
    pub collation: Option<Option<String>>,
    /// Sets or removes the comment.
    pub comment: Option<Option<String>>,
}

impl TableChange {
    /// No changes yet.
    pub fn new() -> TableChange {
        TableChange::default()
    }

    /// Adds the option to the table, or removes it.
    #[must_use]
    pub fn option(mut self, option: TableOption, on: bool) -> TableChange {
        self.options.insert(option, on);
        self
    }

    /// Makes the table `STRICT` or not `STRICT`, on SQLite.
    #[must_use]
    pub fn strict(self, on: bool) -> TableChange {
        self.option(TableOption::Strict, on)
    }

    /// Makes the table `WITHOUT ROWID` or a normal table, on SQLite.
    #[must_use]
    pub fn without_rowid(self, on: bool) -> TableChange {
        self.option(TableOption::WithoutRowid, on)
    }

    /// Makes the table `UNLOGGED` or a normal table, on PostgreSQL.
    #[must_use]
    pub fn unlogged(self, on: bool) -> TableChange {
        self.option(TableOption::Unlogged, on)
    }

    /// Sets or removes the storage parameters, on PostgreSQL.
    #[must_use]
    pub fn with(mut self, parameters: Option<&str>) -> TableChange {
        self.with = Some(parameters.map(str::to_owned));
        self
    }

    /// Sets the tablespace, or moves the table to the default one, on PostgreSQL.
    #[must_use]
    pub fn tablespace(mut self, name: Option<&str>) -> TableChange {
        self.tablespace = Some(name.map(str::to_owned));
        self
    }

    /// Sets the storage engine, or returns to InnoDB, on MySQL and MariaDB.
    #[must_use]
    pub fn engine(mut self, name: Option<&str>) -> TableChange {
        self.engine = Some(name.map(str::to_owned));
        self
    }

    /// Sets the character set of texts, or returns to `utf8mb4`, on MySQL and MariaDB. The texts of
    /// columns without one of their own are converted.
    #[must_use]
    pub fn charset(mut self, name: Option<&str>) -> TableChange {
        self.charset = Some(name.map(str::to_owned));
        self
    }

    /// Sets the collation of texts, or returns to the one that compares them exactly, on MySQL and
    /// MariaDB.
    #[must_use]
    pub fn collate(mut self, collation: Option<&str>) -> TableChange {
        self.collation = Some(collation.map(str::to_owned));
        self
    }

    /// Sets or removes the comment.
    #[must_use]
    pub fn comment(mut self, comment: Option<&str>) -> TableChange {
        self.comment = Some(comment.map(str::to_owned));
        self
    }
}

/// The changes of an [`Operation::AlterColumn`](super::Operation::AlterColumn); what is `None` stays
/// as it is.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::operations::ColumnChange;
/// use dbmigrate_runtime::schema::Type;
///
/// let change = ColumnChange::new().ty(Type::Text).not_null();
/// assert_eq!(change.nullable, Some(false));
/// assert_eq!(change.default, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ColumnChange {
    /// The new type.
    pub ty: Option<Type>,
    /// Whether `NULL` is allowed from now on.
    pub nullable: Option<bool>,
    /// The new default; `Some(None)` removes it.
    pub default: Option<Option<DefaultValue>>,
    /// How an integer key generates its values; see
    /// [`Column::autoincrement`](struct@crate::schema::Column).
    pub autoincrement: Option<Option<bool>>,
    /// How the column generates its values on PostgreSQL; see
    /// [`Column::identity`](struct@crate::schema::Column).
    pub identity: Option<Option<Identity>>,
    /// The new generated expression; `Some(None)` makes the column an ordinary one.
    pub generated: Option<Option<Generated>>,
    /// The new collation; `Some(None)` removes it.
    pub collation: Option<Option<String>>,
    /// The new character set on MySQL and MariaDB; `Some(None)` removes it.
    pub charset: Option<Option<String>>,
    /// Whether each change of a row sets the column to the current time, on MySQL and MariaDB.
    pub on_update_now: Option<bool>,
    /// Whether `SELECT *` leaves the column out, on MySQL and MariaDB.
    pub invisible: Option<bool>,
    /// The new comment; `Some(None)` removes it.
    pub comment: Option<Option<String>>,
    /// An SQL expression for the value in existing rows.
    pub using: Option<Sql>,
    /// An SQL expression for only those existing rows whose value the changed column can't hold.
    pub fill: Option<Sql>,
}

impl ColumnChange {
    /// No changes yet.
    pub fn new() -> ColumnChange {
        Default::default()
    }

    /// Changes the type. The database converts existing values.
    #[must_use]
    pub fn ty(mut self, ty: Type) -> ColumnChange {
        self.ty = Some(ty);
        self
    }

    /// Allows `NULL`.
    #[must_use]
    pub fn nullable(mut self) -> ColumnChange {
        self.nullable = Some(true);
        self
    }

    /// Makes the column required. The operation fails if existing rows contain `NULL`.
    #[must_use]
    pub fn not_null(mut self) -> ColumnChange {
        self.nullable = Some(false);
        self
    }

    /// Sets the default of the column. Existing rows keep their values.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> ColumnChange {
        self.default = Some(Some(DefaultValue::Literal(value.into())));
        self
    }

    /// Sets the time of the insert as the default. Existing rows keep their values.
    #[must_use]
    pub fn default_now(mut self) -> ColumnChange {
        self.default = Some(Some(DefaultValue::Now));
        self
    }

    /// Sets an SQL expression as the default. Existing rows keep their values.
    #[must_use]
    pub fn default_sql(mut self, expression: impl Into<Sql>) -> ColumnChange {
        self.default = Some(Some(DefaultValue::Sql(expression.into())));
        self
    }

    /// Removes the default.
    #[must_use]
    pub fn no_default(mut self) -> ColumnChange {
        self.default = Some(None);
        self
    }

    /// Sets how an integer key generates its values; `None` is the dialect's default.
    #[must_use]
    pub fn autoincrement(mut self, on: Option<bool>) -> ColumnChange {
        self.autoincrement = Some(on);
        self
    }

    /// Sets how the column generates its values on PostgreSQL; `None` is the default.
    #[must_use]
    pub fn identity(mut self, identity: Option<Identity>) -> ColumnChange {
        self.identity = Some(identity);
        self
    }

    /// Computes the column from an SQL expression and stores the result.
    #[must_use]
    pub fn generated_stored(mut self, expression: impl Into<Sql>) -> ColumnChange {
        self.generated = Some(Some(Generated { expression: expression.into(), stored: true }));
        self
    }

    /// Computes the column from an SQL expression whenever it is read.
    #[must_use]
    pub fn generated_virtual(mut self, expression: impl Into<Sql>) -> ColumnChange {
        self.generated = Some(Some(Generated { expression: expression.into(), stored: false }));
        self
    }

    /// Makes a generated column an ordinary one.
    #[must_use]
    pub fn not_generated(mut self) -> ColumnChange {
        self.generated = Some(None);
        self
    }

    /// Sets or removes the collation.
    #[must_use]
    pub fn collate(mut self, collation: Option<&str>) -> ColumnChange {
        self.collation = Some(collation.map(str::to_owned));
        self
    }

    /// Sets or removes the character set, on MySQL and MariaDB.
    #[must_use]
    pub fn charset(mut self, name: Option<&str>) -> ColumnChange {
        self.charset = Some(name.map(str::to_owned));
        self
    }

    /// Sets the column to the current time whenever its row changes, or no longer, on MySQL and
    /// MariaDB.
    #[must_use]
    pub fn on_update_now(mut self, on: bool) -> ColumnChange {
        self.on_update_now = Some(on);
        self
    }

    /// Leaves the column out of `SELECT *`, or no longer, on MySQL and MariaDB.
    #[must_use]
    pub fn invisible(mut self, on: bool) -> ColumnChange {
        self.invisible = Some(on);
        self
    }

    /// Sets or removes the comment.
    #[must_use]
    pub fn comment(mut self, comment: Option<&str>) -> ColumnChange {
        self.comment = Some(comment.map(str::to_owned));
        self
    }

    /// Gives existing rows the value of an SQL expression, which sees each row as it is before the
    /// operation. The expression isn't part of the schema. A double-quoted name has to be a column;
    /// write texts in single quotes. [`Sql`] has one expression for each database.
    ///
    /// # Example
    ///
    /// ```
    /// use dbmigrate_runtime::operations::{ColumnChange, Sql};
    ///
    /// let change = ColumnChange::new().not_null().using("coalesce(\"nick\", \"name\")");
    /// assert!(change.using.is_some());
    ///
    /// let id = Sql::new().sqlite("randomblob(16)").postgres("gen_random_uuid()");
    /// let change = ColumnChange::new().not_null().using(id);
    /// assert!(change.using.is_some());
    /// ```
    #[must_use]
    pub fn using(mut self, expression: impl Into<Sql>) -> ColumnChange {
        self.using = Some(expression.into());
        self
    }

    /// Gives the value of an SQL expression to those existing rows whose value the changed column
    /// can't hold: NULL if the column becomes required, or a value that doesn't fit the new type.
    /// All other rows keep their values. Has no effect together with
    /// [`using`](ColumnChange::using), which is for all rows.
    ///
    /// # Example
    ///
    /// ```
    /// use dbmigrate_runtime::operations::ColumnChange;
    /// use dbmigrate_runtime::schema::Type;
    ///
    /// // The text '7' becomes the number 7, and 'seven' becomes 0.
    /// let change = ColumnChange::new().ty(Type::Integer).fill("0");
    /// assert!(change.fill.is_some());
    /// ```
    #[must_use]
    pub fn fill(mut self, expression: impl Into<Sql>) -> ColumnChange {
        self.fill = Some(expression.into());
        self
    }
}
