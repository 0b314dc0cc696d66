//! A project's own function that rewrites the operations which autogenerate found.

use super::Operation;

/// A function that rewrites the operations which `cargo dbmigrate migrate` found, before they are
/// written into a revision: it may omit, replace, split and sort operations, and add others.
///
/// The function is part of the migrations directory, for example in `migrations/rewrite.rs`, which
/// `migrations/mod.rs` declares (`#[allow(dead_code)] mod rewrite;`, since a program doesn't use
/// it). dbmigrate.toml names it by its path from there: `rewrite = "rewrite::rewrite"`. To combine
/// several rules, write a function that calls one after the other.
///
/// The tool compiles and calls the function if there are differences: in `migrate`, after all
/// questions are answered, and in `check`, where the values for existing rows aren't known yet. The
/// result has to fit the schema, as every revision does. Operations in the result that discard
/// values need confirmation. The downgrade is derived from the result: SQL needs
/// [`reversed_by`](super::ExecuteHandle::reversed_by), or else the revision can't be undone. A step
/// ([`Operations::run`](super::Operations::run)) is refused, as a function can't be written into a
/// revision.
///
/// An omitted difference is found, and omitted, every time. An added object that isn't in any
/// model, such as an index, is found the next time as something to drop: omit that operation as
/// well.
///
/// # Example
///
/// This function never drops tables, sorts the columns of new tables, adds a trigger to them, and
/// adds a required column in several steps that don't lock the table.
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
///                 // Dropping the column also removes the values.
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
