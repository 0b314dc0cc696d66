//! What a project's own function makes of the operations that autogenerate found.

use super::Operation;

/// A function that rewrites what `cargo dbmigrate migrate` found, before it is written into a
/// revision: it may leave operations out, replace, split and sort them, and add others.
///
/// It stands in the migrations directory, such as in `migrations/rewrite.rs`, which
/// `migrations/mod.rs` declares (`#[allow(dead_code)] mod rewrite;`, since a program has no use for
/// it), and dbmigrate.toml names it by its path from there: `rewrite = "rewrite::rewrite"`. One
/// after the other several rules are one function that calls the others.
///
/// The tool compiles and calls it where there are differences: in `migrate`, after the questions
/// are answered, and in `check`, where what rows get isn't known yet. What it returns has to fit
/// the schema as any revision has. What of it discards values needs a yes, as far as operations
/// say that they do, and the downgrade is derived from it: SQL says its way back with
/// [`reversed_by`](super::ExecuteHandle::reversed_by), or the revision can't be undone. A step
/// ([`Operations::run`](super::Operations::run)) is refused, as a function can't be written down.
///
/// What is left out is found again the next time, and left out again. What is added and no model
/// says, such as an index, is found the next time as something to drop: leave that out as well.
///
/// # Example
///
/// Tables are never dropped, columns of new tables are sorted, a table gets a trigger, and a
/// column that has to be filled is added in steps that don't lock it.
///
/// ```
/// use dbmigrate_runtime::prelude::*;
///
/// pub fn rewrite(found: Vec<Operation>) -> Vec<Operation> {
///     found.into_iter().flat_map(one).collect()
/// }
///
/// fn one(found: Operation) -> Vec<Operation> {
///     match found {
///         Operation::DropTable { .. } => Vec::new(),
///         Operation::CreateTable(mut table) => {
///             table.columns.sort_by(|a, b| a.name.cmp(&b.name));
///             let name = table.name.clone();
///             Operations::record(|op| {
///                 op.create_table(table);
///                 op.execute(format!(
///                     "CREATE TRIGGER {name}_log AFTER DELETE ON {name} BEGIN \
///                      INSERT INTO log VALUES ('{name}', old.id); END"
///                 ))
///                 .named(&format!("log what is deleted from `{name}`"))
///                 .reversed_by(format!("DROP TRIGGER {name}_log"));
///             })
///         }
///         Operation::AddColumn { table, mut column, using: Some(value), before: None }
///             if !column.nullable =>
///         {
///             let name = column.name.clone();
///             column.nullable = true;
///             Operations::record(|op| {
///                 op.add_column(&table, column);
///                 // Dropping the column takes the values back.
///                 op.execute(format!("UPDATE {table} SET {name} = {value}"))
///                     .reversed_by(Sql::new());
///                 op.alter_column(&table, &name, ColumnChange::new().not_null());
///             })
///         }
///         other => vec![other],
///     }
/// }
///
/// let found = Operations::record(|op| {
///     op.add_column("user", Column::new("age", Type::Integer).not_null()).using("0");
///     op.drop_table("old");
/// });
/// let written: Vec<String> = rewrite(found).iter().map(|item| item.to_string()).collect();
/// assert_eq!(
///     written,
///     [
///         "add column `age` to table `user`",
///         "execute SQL",
///         "alter column `age` of table `user`"
///     ]
/// );
/// # let table = Table::new("t").column(Column::new("id", Type::Integer));
/// # let written = rewrite(vec![Operation::CreateTable(table)]);
/// # assert_eq!(written[1].to_string(), "log what is deleted from `t`");
/// ```
pub type Rewrite = fn(Vec<Operation>) -> Vec<Operation>;
