//! The list that a migration's functions append to.

use super::{ColumnChange, Execute, Operation, Recording, Sql, Step, TableChange};
use crate::schema::{Check, Column, ForeignKey, Index, PrimaryKey, Table, Unique};
use crate::{Db, IntoValues, StepResult};

/// The list of operations that a migration's `upgrade` or `downgrade` records.
///
/// No method touches a database: each appends a plain value, and the list is planned, printed or
/// run afterwards. What a migration records must not depend on the environment, the clock or
/// arguments, since recordings are kept; what has to look at live rows is a step
/// ([`Operations::run`]).
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::prelude::*;
///
/// let mut op = Operations::new();
/// op.add_column("user", Column::new("active", Type::Boolean).not_null().default(true));
/// op.create_index("user", Index::new("ix_user_active", ["active"]));
///
/// let operations = op.into_operations();
/// assert_eq!(operations[0].to_string(), "add column `active` to table `user`");
/// ```
#[derive(Debug, Default)]
pub struct Operations {
    recording: Recording,
}

impl Operations {
    /// An empty list.
    pub fn new() -> Operations {
        Operations::default()
    }

    /// What was recorded.
    #[doc(hidden)]
    pub fn finish(self) -> Recording {
        self.recording
    }

    /// The operations that were recorded.
    pub fn into_operations(self) -> Vec<Operation> {
        self.recording.operations
    }

    /// The operations that a function records.
    ///
    /// # Example
    ///
    /// ```
    /// use dbmigrate_runtime::prelude::*;
    ///
    /// let operations = Operations::record(|op| op.drop_table("old"));
    /// assert_eq!(operations, [Operation::DropTable { table: "old".to_owned() }]);
    /// ```
    pub fn record(record: impl FnOnce(&mut Operations)) -> Vec<Operation> {
        let mut op = Operations::new();
        record(&mut op);
        op.into_operations()
    }

    /// Appends an operation.
    pub fn push(&mut self, operation: Operation) {
        self.recording.operations.push(operation);
    }

    /// Creates a table with its constraints and indexes.
    pub fn create_table(&mut self, table: Table) {
        self.push(Operation::CreateTable(table));
    }

    /// Drops a table, its rows and its indexes. Its rows can't be had back.
    pub fn drop_table(&mut self, table: &str) {
        self.push(Operation::DropTable { table: table.to_owned() });
    }

    /// Renames a table. Rows stay; foreign keys that refer to it follow.
    pub fn rename_table(&mut self, from: &str, to: &str) {
        self.push(Operation::RenameTable { from: from.to_owned(), to: to.to_owned() });
    }

    /// Changes what is said of a table as a whole.
    pub fn alter_table(&mut self, table: &str, change: TableChange) {
        self.push(Operation::AlterTable { table: table.to_owned(), change });
    }

    /// Adds a column behind the others. Rows that are there take its default, or `NULL`, or what
    /// [`AddColumnHandle::using`] says; a column that refuses `NULL` and has neither default nor
    /// expression can't be added to a table that has rows.
    ///
    /// # Example
    ///
    /// ```
    /// use dbmigrate_runtime::prelude::*;
    ///
    /// let mut op = Operations::new();
    /// op.add_column("user", Column::new("login", Type::Text).not_null()).using("lower(email)");
    /// ```
    pub fn add_column(&mut self, table: &str, column: Column) -> AddColumnHandle<'_> {
        let table = table.to_owned();
        self.push(Operation::AddColumn { table, column, using: None, before: None });
        match self.recording.operations.last_mut() {
            Some(Operation::AddColumn { using, before, .. }) => AddColumnHandle { using, before },
            _ => unreachable!("the operation was pushed just before"),
        }
    }

    /// Drops a column. Its values can't be had back.
    pub fn drop_column(&mut self, table: &str, column: &str) {
        self.push(Operation::DropColumn { table: table.to_owned(), column: column.to_owned() });
    }

    /// Changes a column's type, nullability, default or other facts; the values stay, unless
    /// [`ColumnChange::using`] gives others.
    pub fn alter_column(&mut self, table: &str, column: &str, change: ColumnChange) {
        let (table, column) = (table.to_owned(), column.to_owned());
        self.push(Operation::AlterColumn { table, column, change });
    }

    /// Renames a column. Values stay; keys, constraints and indexes follow.
    pub fn rename_column(&mut self, table: &str, from: &str, to: &str) {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.push(Operation::RenameColumn { table: table.to_owned(), from, to });
    }

    /// Adds a primary key to a table that has none.
    pub fn add_primary_key(&mut self, table: &str, primary_key: PrimaryKey) {
        self.push(Operation::AddPrimaryKey { table: table.to_owned(), primary_key });
    }

    /// Drops a table's primary key; the columns stay.
    pub fn drop_primary_key(&mut self, table: &str, name: &str) {
        self.push(Operation::DropPrimaryKey { table: table.to_owned(), name: name.to_owned() });
    }

    /// Adds a unique constraint. Rows that are equal in its columns make it fail.
    pub fn add_unique(&mut self, table: &str, unique: Unique) {
        self.push(Operation::AddUnique { table: table.to_owned(), unique });
    }

    /// Drops a unique constraint.
    pub fn drop_unique(&mut self, table: &str, name: &str) {
        self.push(Operation::DropUnique { table: table.to_owned(), name: name.to_owned() });
    }

    /// Adds a foreign key. Rows that refer to nothing make it fail.
    pub fn add_foreign_key(&mut self, table: &str, foreign_key: ForeignKey) {
        self.push(Operation::AddForeignKey { table: table.to_owned(), foreign_key });
    }

    /// Drops a foreign key; the columns stay.
    pub fn drop_foreign_key(&mut self, table: &str, name: &str) {
        self.push(Operation::DropForeignKey { table: table.to_owned(), name: name.to_owned() });
    }

    /// Adds a check constraint. Rows that break it make it fail.
    pub fn add_check(&mut self, table: &str, check: Check) {
        self.push(Operation::AddCheck { table: table.to_owned(), check });
    }

    /// Drops a check constraint.
    pub fn drop_check(&mut self, table: &str, name: &str) {
        self.push(Operation::DropCheck { table: table.to_owned(), name: name.to_owned() });
    }

    /// Creates an index. For a unique one, rows that are equal in it make it fail.
    pub fn create_index(&mut self, table: &str, index: Index) {
        self.push(Operation::CreateIndex { table: table.to_owned(), index });
    }

    /// Drops an index.
    pub fn drop_index(&mut self, table: &str, name: &str) {
        self.push(Operation::DropIndex { table: table.to_owned(), name: name.to_owned() });
    }

    /// Renames an index.
    pub fn rename_index(&mut self, table: &str, from: &str, to: &str) {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.push(Operation::RenameIndex { table: table.to_owned(), from, to });
    }

    /// Runs SQL as it is written: one text for all databases, or [`Sql`] with one for each.
    ///
    /// It runs inside the revision's transaction and must not end it. Replay can't see what SQL
    /// does; [`ExecuteHandle::describes`] tells it.
    ///
    /// A placeholder (`?`, `?1`, `:name`, `@name`, `$name`) is refused before anything runs, since
    /// no value is bound to it here; [`Operations::run`] can bind values. Write a text in single
    /// quotes: SQLite takes a name in double quotes that no column has for a text, and in SQL of
    /// your own nothing can tell that from a mistake.
    ///
    /// # Example
    ///
    /// ```
    /// use dbmigrate_runtime::prelude::*;
    ///
    /// let mut op = Operations::new();
    /// op.execute("UPDATE user SET active = 1");
    /// op.execute(Sql::new().sqlite("SELECT 1").postgres("SELECT 2"));
    /// op.execute("CREATE TABLE log (line TEXT)").describes(|op| {
    ///     op.create_table(Table::new("log").column(Column::new("line", Type::Text)));
    /// });
    /// op.execute("CREATE VIEW v AS SELECT 1").named("create view `v`").reversed_by("DROP VIEW v");
    /// ```
    pub fn execute(&mut self, sql: impl Into<Sql>) -> ExecuteHandle<'_> {
        self.push(Operation::Execute(Execute { sql: sql.into(), ..Execute::default() }));
        match self.recording.operations.last_mut() {
            Some(Operation::Execute(last_mut)) => ExecuteHandle { execute: last_mut },
            _ => unreachable!("the operation was pushed just before"),
        }
    }

    /// Inserts rows; add them with [`BulkInsertHandle::row`]. Without any it does nothing.
    ///
    /// # Example
    ///
    /// ```
    /// use dbmigrate_runtime::prelude::*;
    ///
    /// let mut op = Operations::new();
    /// op.bulk_insert("role", ["id", "name"]).row((1, "admin")).row((2, "member"));
    /// ```
    pub fn bulk_insert<const N: usize>(
        &mut self,
        table: &str,
        columns: [&str; N],
    ) -> BulkInsertHandle<'_> {
        let columns = columns.map(str::to_owned).into();
        self.push(Operation::BulkInsert { table: table.to_owned(), columns, rows: Vec::new() });
        match self.recording.operations.last_mut() {
            Some(Operation::BulkInsert { rows, .. }) => BulkInsertHandle { rows },
            _ => unreachable!("the operation was pushed just before"),
        }
    }

    /// Runs a step over live rows at this place, inside the revision's transaction.
    ///
    /// The function captures nothing; it sees the database through [`Db`]. If it fails, the whole
    /// run is rolled back. The name stands for the step in checksums and messages.
    ///
    /// # Example
    ///
    /// ```
    /// use dbmigrate_runtime::prelude::*;
    ///
    /// let mut op = Operations::new();
    /// op.run("backfill slugs", |db| {
    ///     for row in db.query("SELECT id, title FROM post", ())? {
    ///         let (id, title): (i64, String) = (row.get("id")?, row.get("title")?);
    ///         let slug = title.to_lowercase().replace(' ', "-");
    ///         db.execute("UPDATE post SET slug = ?1 WHERE id = ?2", (slug, id))?;
    ///     }
    ///     Ok(())
    /// });
    /// ```
    pub fn run(&mut self, name: &str, step: fn(&mut Db<'_>) -> StepResult) {
        self.push(Operation::Run(Step { name: name.to_owned(), action: Some(step) }));
    }

    /// Takes the revision out of the run's transaction: it runs alone, each statement for itself.
    /// A failure leaves what was done before it, and no lock keeps two upgrades at once from both
    /// running it: it has to be such that twice does no harm.
    pub fn no_transaction(&mut self) {
        self.recording.no_transaction = true;
    }

    /// Says that this direction can't be taken, and why. Known before anything runs.
    pub fn irreversible(&mut self, why: &str) {
        self.recording.irreversible = Some(why.to_owned());
    }
}

/// Takes what rows that are there get in a new column, and where it stands.
#[derive(Debug)]
pub struct AddColumnHandle<'a> {
    using: &'a mut Option<String>,
    before: &'a mut Option<String>,
}

impl AddColumnHandle<'_> {
    /// Gives the rows that are there the value of an SQL expression instead of the default. It
    /// sees each row as it is before the operation.
    pub fn using(self, expression: &str) -> Self {
        *self.using = Some(expression.to_owned());
        self
    }

    /// Puts the column before another one instead of behind all. SQLite makes the table anew for
    /// it; a database that can't puts it behind all.
    pub fn before(self, column: &str) -> Self {
        *self.before = Some(column.to_owned());
        self
    }
}

/// Tells what raw SQL does, and what takes it back.
#[derive(Debug)]
pub struct ExecuteHandle<'a> {
    execute: &'a mut Execute,
}

impl ExecuteHandle<'_> {
    /// Records operations that do to the schema what the SQL does; they themselves don't run. Views
    /// and the like have no place in a schema: [`Operations::makes_view`] tells of them. It comes
    /// last.
    pub fn describes(self, record: impl FnOnce(&mut Operations)) {
        self.execute.describes = Operations::record(record);
    }

    /// Says in a few words what the SQL does, for plans, scripts and messages.
    pub fn named(self, name: &str) -> Self {
        self.execute.name = Some(name.to_owned());
        self
    }

    /// Says what takes it back, for whoever derives a way back: `redo` of a revision that was
    /// edited after it was applied, and `migrate` where a
    /// [rewriting function](super::Rewrite) puts it in. A `downgrade` that you write says it by itself. An empty [`Sql::new`] says that
    /// there is nothing to do.
    pub fn reversed_by(self, sql: impl Into<Sql>) -> Self {
        self.execute.reverse = Some(sql.into());
        self
    }
}

/// Takes the rows of a bulk insert.
#[derive(Debug)]
pub struct BulkInsertHandle<'a> {
    rows: &'a mut Vec<Vec<crate::Value>>,
}

impl BulkInsertHandle<'_> {
    /// Adds a row: a tuple, an array or a vector of values in the order of the columns.
    pub fn row(self, row: impl IntoValues) -> Self {
        self.rows.push(row.into_values());
        self
    }
}
