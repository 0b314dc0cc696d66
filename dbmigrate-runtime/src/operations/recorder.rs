//! The list that the functions of a migration append to.

use super::{
    Allowed, Batch, BatchAction, BatchKey, ColumnChange, Execute, Operation, Recording, Sql, Step,
    TableChange,
};
use crate::schema::{Check, Column, ForeignKey, Index, PrimaryKey, Table, Unique};
use crate::{Db, IntoValues, StepResult};

/// The list of operations that a migration's `upgrade` or `downgrade` records.
///
/// No method touches a database: each appends a plain value, and the list is planned, printed or
/// run afterwards. What a migration records must not depend on the environment, the clock or
/// arguments, since recordings are cached. Use a step ([`Operations::run`]) for what depends on
/// existing rows.
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

    /// Drops a table, its rows and its indexes. The rows are lost.
    pub fn drop_table(&mut self, table: &str) {
        self.push(Operation::DropTable { table: table.to_owned() });
    }

    /// Renames a table. Rows are kept; foreign keys that refer to it follow.
    pub fn rename_table(&mut self, from: &str, to: &str) {
        self.push(Operation::RenameTable { from: from.to_owned(), to: to.to_owned() });
    }

    /// Changes the options or the comment of a table. Rows are kept.
    pub fn alter_table(&mut self, table: &str, change: TableChange) {
        self.push(Operation::AlterTable { table: table.to_owned(), change });
    }

    /// Adds a column after the others. Existing rows get the value of [`AddColumnHandle::using`],
    /// or else the column's default, or else `NULL`. A required column without a default or an
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

    /// Drops a column. Its values are lost.
    pub fn drop_column(&mut self, table: &str, column: &str) {
        self.push(Operation::DropColumn { table: table.to_owned(), column: column.to_owned() });
    }

    /// Changes a column's type, nullability, default or other properties. Existing values are kept,
    /// converted to the new type if necessary, unless [`ColumnChange::using`] replaces them.
    pub fn alter_column(&mut self, table: &str, column: &str, change: ColumnChange) {
        let (table, column) = (table.to_owned(), column.to_owned());
        self.push(Operation::AlterColumn { table, column, change });
    }

    /// Renames a column. Values are kept; keys, constraints and indexes follow.
    pub fn rename_column(&mut self, table: &str, from: &str, to: &str) {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.push(Operation::RenameColumn { table: table.to_owned(), from, to });
    }

    /// Adds a primary key to a table that has none.
    pub fn add_primary_key(&mut self, table: &str, primary_key: PrimaryKey) {
        self.push(Operation::AddPrimaryKey { table: table.to_owned(), primary_key });
    }

    /// Drops a table's primary key; its columns are kept.
    pub fn drop_primary_key(&mut self, table: &str, name: &str) {
        self.push(Operation::DropPrimaryKey { table: table.to_owned(), name: name.to_owned() });
    }

    /// Adds a unique constraint. It fails if existing rows have equal values in its columns.
    pub fn add_unique(&mut self, table: &str, unique: Unique) {
        self.push(Operation::AddUnique { table: table.to_owned(), unique });
    }

    /// Drops a unique constraint.
    pub fn drop_unique(&mut self, table: &str, name: &str) {
        self.push(Operation::DropUnique { table: table.to_owned(), name: name.to_owned() });
    }

    /// Adds a foreign key. It fails if existing rows refer to rows that don't exist.
    pub fn add_foreign_key(&mut self, table: &str, foreign_key: ForeignKey) {
        self.push(Operation::AddForeignKey { table: table.to_owned(), foreign_key });
    }

    /// Drops a foreign key; its columns are kept.
    pub fn drop_foreign_key(&mut self, table: &str, name: &str) {
        self.push(Operation::DropForeignKey { table: table.to_owned(), name: name.to_owned() });
    }

    /// Adds a check constraint. It fails if existing rows violate the condition.
    pub fn add_check(&mut self, table: &str, check: Check) {
        self.push(Operation::AddCheck { table: table.to_owned(), check });
    }

    /// Drops a check constraint.
    pub fn drop_check(&mut self, table: &str, name: &str) {
        self.push(Operation::DropCheck { table: table.to_owned(), name: name.to_owned() });
    }

    /// Creates an index. A unique index fails if existing rows have equal values in it.
    ///
    /// # Example
    ///
    /// ```
    /// use dbmigrate_runtime::prelude::*;
    ///
    /// let mut op = Operations::new();
    /// op.create_index("user", Index::new("ix_user_name", ["name"])).concurrently();
    /// ```
    pub fn create_index(&mut self, table: &str, index: Index) -> CreateIndexHandle<'_> {
        self.push(Operation::CreateIndex { table: table.to_owned(), index });
        match self.recording.operations.last_mut() {
            Some(Operation::CreateIndex { index, .. }) => CreateIndexHandle { index },
            _ => unreachable!("the operation was pushed just before"),
        }
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

    /// Runs SQL as it is written: one text for all databases, or [`Sql`] with one for each dialect.
    ///
    /// The SQL runs inside the revision's transaction and must not end it. Replay can't know what
    /// SQL does; declare its effect with [`ExecuteHandle::describes`].
    ///
    /// A placeholder (`?`, `?1`, `:name`, `@name`, `$name`) is refused before anything runs, since
    /// no value is bound to it here; [`Operations::run`] can bind values. Write texts in single
    /// quotes: SQLite takes a double-quoted name that matches no column for a text, and in
    /// hand-written SQL nothing can tell that from a mistake.
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
            Some(Operation::Execute(execute)) => ExecuteHandle { execute },
            _ => unreachable!("the operation was pushed just before"),
        }
    }

    /// Inserts rows, which are added with [`BulkInsertHandle::row`]. Does nothing without rows.
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

    /// Runs a step over existing rows at this position, inside the revision's transaction.
    ///
    /// The function can't capture anything; it accesses the database through [`Db`]. If it fails,
    /// the whole run is rolled back. The name represents the step in checksums and messages.
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
        let (name, action) = (name.to_owned(), Some(step));
        self.push(Operation::Run(Step { name, action, batch: None }));
    }

    /// Runs a step over the rows of a table in pieces of this many rows, each in a transaction of
    /// its own, for tables that one transaction must not hold.
    ///
    /// The key is a column that is NOT NULL, such as `"post.id"`; it should have an index. Rows with
    /// the same value are in the same piece, and the pieces are in the order of the key. The function
    /// gets the range of each piece, both ends included. How far the step came is committed together
    /// with the piece's rows, so a run after an interrupted or failed one continues with the next
    /// piece: no row is visited twice or left out. Rows that are inserted meanwhile are visited if
    /// their key comes after the piece that is running.
    ///
    /// A revision with such a step takes several transactions, outside of the run's: what is before
    /// the step is committed first, and what comes after it runs in a transaction of its own. If it
    /// fails, the pieces that are done stay. On SQLite, its revision must have no other operations
    /// than such steps. Foreign keys are enforced, on SQLite too.
    ///
    /// # Example
    ///
    /// ```
    /// use dbmigrate_runtime::prelude::*;
    ///
    /// let mut op = Operations::new();
    /// op.run_batched("backfill slugs", "post.id", 1000, |db, range| {
    ///     let sql = "UPDATE post SET slug = lower(title) WHERE id BETWEEN ?1 AND ?2";
    ///     db.execute(sql, range)?;
    ///     Ok(())
    /// });
    /// ```
    pub fn run_batched(
        &mut self,
        name: &str,
        by: impl Into<BatchKey>,
        size: usize,
        step: BatchAction,
    ) {
        let BatchKey { table, columns } = by.into();
        let batch = Batch { table, columns, size, action: Some(step) };
        let step = Step { name: name.to_owned(), action: None, batch: Some(batch) };
        self.push(Operation::Run(step));
    }

    /// Runs the revision outside the run's transaction, by itself, with each statement committed
    /// separately. It runs under a lock of its own. If it fails, what was done before the failure
    /// remains, so running it twice must do no harm.
    pub fn no_transaction(&mut self) {
        self.recording.no_transaction = true;
    }

    /// Makes an upgrade stop before this revision, and says why: programs of the previous release
    /// may still be running, and use what the revision drops.
    ///
    /// The upgrade of a deployment then applies what comes before the revision, succeeds, and
    /// reports the revision that waits. Once none of those programs is running any more, `cargo
    /// dbmigrate upgrade --past-barriers` applies it, or
    /// [`Options::past_barriers`](crate::Options::past_barriers) in a program. A revision that
    /// follows it and has no barrier of its own makes the upgrade fail, since the next release may
    /// need it. A database without any revision has no programs yet, so nothing waits there. A
    /// downgrade ignores barriers.
    ///
    /// A barrier belongs in `upgrade`. It is not part of the revision's checksum.
    ///
    /// # Example
    ///
    /// ```
    /// use dbmigrate_runtime::prelude::*;
    ///
    /// pub fn upgrade(op: &mut Operations) {
    ///     op.barrier("release 3 still reads `customer.name`");
    ///     op.drop_column("customer", "name");
    /// }
    /// # assert_eq!(Operations::record(upgrade).len(), 1);
    /// ```
    pub fn barrier(&mut self, reason: &str) {
        self.recording.barrier = Some(reason.to_owned());
    }

    /// Has `cargo dbmigrate lint` not report what this rule finds in the next operation, and says why
    /// that is fine here. What a rule finds in the whole revision is silenced by a call anywhere in
    /// it. A run does not depend on it, and it is not part of a checksum, so it can be added to a
    /// revision that is already applied.
    ///
    /// # Example
    ///
    /// ```
    /// use dbmigrate_runtime::prelude::*;
    ///
    /// pub fn upgrade(op: &mut Operations) {
    ///     op.allow("drop-table", "no program has used it since May");
    ///     op.drop_table("visit");
    /// }
    /// # assert_eq!(Operations::record(upgrade).len(), 1);
    /// ```
    pub fn allow(&mut self, rule: &str, reason: &str) {
        self.recording.allowed.push(Allowed {
            operation: self.recording.operations.len(),
            rule: rule.to_owned(),
            reason: reason.to_owned(),
        });
    }

    /// Declares that this direction can't be run, and why. This is known before anything runs.
    pub fn irreversible(&mut self, why: &str) {
        self.recording.irreversible = Some(why.to_owned());
    }
}

/// Sets the value of a new column in existing rows, and its position.
#[derive(Debug)]
pub struct AddColumnHandle<'a> {
    using: &'a mut Option<Sql>,
    before: &'a mut Option<String>,
}

impl AddColumnHandle<'_> {
    /// Gives existing rows the value of an SQL expression instead of the default. The expression
    /// sees each row as it is before the operation.
    pub fn using(self, expression: impl Into<Sql>) -> Self {
        *self.using = Some(expression.into());
        self
    }

    /// Inserts the column before another one instead of after all others. SQLite rebuilds the table
    /// for this; a database that can't do it adds the column at the end.
    pub fn before(self, column: &str) -> Self {
        *self.before = Some(column.to_owned());
        self
    }
}

/// Says how an index is created.
#[derive(Debug)]
pub struct CreateIndexHandle<'a> {
    index: &'a mut Index,
}

impl CreateIndexHandle<'_> {
    /// Builds the index while other sessions write to the table, as [`Index::concurrently`] does.
    pub fn concurrently(self) -> Self {
        self.index.concurrently = true;
        self
    }
}

/// Declares what raw SQL does, and what reverses it.
#[derive(Debug)]
pub struct ExecuteHandle<'a> {
    execute: &'a mut Execute,
}

impl ExecuteHandle<'_> {
    /// Records operations that change the schema as the SQL does; they don't run themselves. Views
    /// and the like aren't part of a schema: declare them with [`Operations::makes_view`]. Call
    /// this last.
    pub fn describes(self, record: impl FnOnce(&mut Operations)) {
        self.execute.describes = Operations::record(record);
    }

    /// Describes the SQL in a few words, for plans, scripts and messages.
    pub fn named(self, name: &str) -> Self {
        self.execute.name = Some(name.to_owned());
        self
    }

    /// Declares the SQL that reverses this one. It is used where a downgrade is derived: by `redo`
    /// for a revision that was edited after it was applied, and by `migrate` if a [rewriting
    /// function](super::Rewrite) adds the SQL. A hand-written `downgrade` doesn't need it. An empty
    /// [`Sql::new`] means that nothing has to be reversed.
    pub fn reversed_by(self, sql: impl Into<Sql>) -> Self {
        self.execute.reverse = Some(sql.into());
        self
    }
}

/// Adds the rows of a bulk insert.
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
