//! What undoing revisions discards: the rows of tables and the values of columns that they drop.

use std::collections::BTreeMap;

use crate::dialect::Dialect;
use crate::driver::{DatabaseError, Driver};
use crate::migration::Migrations;
use crate::operations::{Operation, Sql};
use crate::schema::{Column, Schema, Type};
use crate::{Error, Value};

/// A change of a column's type by an expression.
#[derive(Debug, Clone, Copy)]
pub struct Conversion<'a> {
    /// The name of the table.
    pub table: &'a str,
    /// The column before the change.
    pub was: &'a Column,
    /// The column after it.
    pub now: &'a Column,
    /// The expression for each dialect.
    pub using: &'a Sql,
    /// The database's dialect.
    pub dialect: &'static dyn Dialect,
}

/// Whether a conversion maps each value that rows may hold to one of its own, so that nothing is
/// lost. Without such a function, every value that an expression changes counts as lost.
pub type Keeps = fn(&Conversion<'_>) -> bool;

/// Descriptions of non-empty tables and columns that undoing the revisions drops, given the schema
/// before.
///
/// # Errors
///
/// When the rows can't be counted.
pub fn losses(
    driver: &mut dyn Driver,
    (migrations, ids): (&Migrations, &[String]),
    schema: Schema,
    keeps: Keeps,
) -> Result<Vec<String>, Error> {
    let recorded = ids.iter().filter_map(|id| migrations.get(id));
    let mut walk = Walk::new(schema, driver.dialect(), keeps);
    recorded.for_each(|migration| walk.operations(&migration.downgrade.operations));
    let mut losses = Vec::new();
    for dropped in walk.drops {
        match dropped.count(driver) {
            Ok(0) => {}
            Ok(n) => losses.push(format!("{} ({})", dropped.what, rows(n))),
            // What an earlier undone revision creates doesn't exist yet, and contains nothing. What
            // only the application provides can't be queried here.
            Err(err) if err.is_missing() || err.is_unregistered() => {}
            Err(err) => {
                return Err(Error::database(&format!("count the rows of {}", dropped.what), err));
            }
        }
    }
    losses.dedup();
    Ok(losses)
}

/// For each of these operations, by position, the number of rows that lose something, as far as a
/// database before the operations can tell. The schema is the one before them.
pub fn counts(
    driver: &mut dyn Driver,
    schema: &Schema,
    operations: &[Operation],
    keeps: Keeps,
) -> BTreeMap<usize, i64> {
    let mut walk = Walk::new(schema.clone(), driver.dialect(), keeps);
    let mut counts = BTreeMap::new();
    for (idx, operation) in operations.iter().enumerate() {
        walk.operations(std::slice::from_ref(operation));
        for dropped in walk.drops.drain(..) {
            counts.extend(dropped.count(driver).ok().map(|n| (idx, n)));
        }
    }
    counts
}

impl Dropped {
    /// The number of rows that lose a value.
    fn count(&self, driver: &mut dyn Driver) -> Result<i64, DatabaseError> {
        let dialect = driver.dialect();
        let table = dialect.relation(&self.table);
        let condition = match &self.lost {
            Lost::Rows => None,
            Lost::Values { column } => Some(format!("{} IS NOT NULL", dialect.quote(column))),
            Lost::Replaced { column, using } => {
                // Without an expression for this database, the run is refused.
                let Some(using) = using.text(dialect.backend()) else { return Ok(0) };
                let column = dialect.quote(column);
                Some(format!("{column} IS NOT NULL AND {column} IS DISTINCT FROM ({using}\n)"))
            }
            Lost::Misfits { column, from, to } => match dialect.misfit(column, from, to) {
                None => return Ok(0),
                condition => condition,
            },
        };
        count(driver, &table, condition.as_deref())
    }
}

/// The number of rows of a table (its name is already quoted) that satisfy a condition.
///
/// # Errors
///
/// The database's error.
pub fn count(
    driver: &mut dyn Driver,
    table: &str,
    condition: Option<&str>,
) -> Result<i64, DatabaseError> {
    let condition = condition.map_or(String::new(), |condition| format!(" WHERE {condition}"));
    let found = driver.query(&format!("SELECT count(*) FROM {table}{condition}"), &[])?;
    Ok(match found.rows.first().and_then(|row| row.first()) {
        Some(Value::Integer(n)) => *n,
        _ => 0,
    })
}

/// `1 row`
pub fn rows(n: i64) -> String {
    if n == 1 { "1 row".to_owned() } else { format!("{n} rows") }
}

/// Something that undoing revisions drops.
struct Dropped {
    table: String,
    lost: Lost,
    /// A description of both.
    what: String,
}

/// What is lost of a table.
enum Lost {
    Rows,
    Values {
        column: String,
    },
    /// Values that an expression replaces.
    Replaced {
        column: String,
        using: Sql,
    },
    /// Values that a new type can't hold.
    Misfits {
        column: String,
        from: Type,
        to: Type,
    },
}

/// Follows what undoing revisions drops, under the names before.
struct Walk {
    dialect: &'static dyn Dialect,
    keeps: Keeps,
    drops: Vec<Dropped>,
    /// The schema before the next operation.
    schema: Schema,
    /// The tables' names in the database, by their names after the operations so far.
    tables: BTreeMap<String, String>,
    /// The columns' names in the database, by the table's name there and the column's name after
    /// the operations so far.
    columns: BTreeMap<(String, String), String>,
}

impl Walk {
    fn new(schema: Schema, dialect: &'static dyn Dialect, keeps: Keeps) -> Walk {
        let (tables, columns) = (BTreeMap::new(), BTreeMap::new());
        Walk { dialect, keeps, drops: Vec::new(), schema, tables, columns }
    }

    fn table(&self, name: &str) -> String {
        self.tables.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    fn column(&self, table: &str, name: &str) -> String {
        let key = (self.table(table), name.to_owned());
        self.columns.get(&key).cloned().unwrap_or_else(|| name.to_owned())
    }

    fn operations(&mut self, operations: &[Operation]) {
        for operation in operations {
            self.operation(operation);
            // An operation that doesn't fit is reported elsewhere.
            let _ = operation.apply(&mut self.schema);
        }
    }

    fn operation(&mut self, operation: &Operation) {
        match operation {
            Operation::RenameTable { from, to } => {
                let was = self.table(from);
                self.tables.insert(to.clone(), was);
            }
            Operation::RenameColumn { table, from, to } => {
                let was = self.column(table, from);
                self.columns.insert((self.table(table), to.clone()), was);
            }
            Operation::DropTable { table } => {
                let what = format!("table `{table}`");
                self.drops.push(Dropped { table: self.table(table), lost: Lost::Rows, what });
            }
            Operation::DropColumn { table, column } => {
                let lost = Lost::Values { column: self.column(table, column) };
                self.drop_of_column(table, column, lost);
            }
            Operation::AlterColumn { table, column, change } => {
                let name_before = self.column(table, column);
                let was = self.schema.table(table).and_then(|table| table.find_column(column));
                if let Some(using) = &change.using {
                    let keeps_values = was.is_some_and(|was| {
                        let mut now = was.clone();
                        change.apply(&mut now);
                        let dialect = self.dialect;
                        (self.keeps)(&Conversion { table, was, now: &now, using, dialect })
                    });
                    if keeps_values {
                        return;
                    }
                    let lost = Lost::Replaced { column: name_before, using: using.clone() };
                    self.drop_of_column(table, column, lost);
                } else if let (Some(was), Some(to), Some(_)) = (was, &change.ty, &change.fill) {
                    let lost =
                        Lost::Misfits { column: name_before, from: was.ty.clone(), to: to.clone() };
                    self.drop_of_column(table, column, lost);
                }
            }
            Operation::Execute(execute) => {
                let before = self.schema.clone();
                self.operations(&execute.describes);
                self.schema = before;
            }
            Operation::CreateTable(_)
            | Operation::AlterTable { .. }
            | Operation::AddColumn { .. }
            | Operation::AddPrimaryKey { .. }
            | Operation::DropPrimaryKey { .. }
            | Operation::AddUnique { .. }
            | Operation::DropUnique { .. }
            | Operation::AddForeignKey { .. }
            | Operation::DropForeignKey { .. }
            | Operation::AddCheck { .. }
            | Operation::DropCheck { .. }
            | Operation::CreateIndex { .. }
            | Operation::DropIndex { .. }
            | Operation::RenameIndex { .. }
            | Operation::BulkInsert { .. }
            | Operation::Run(_)
            | Operation::Makes(_)
            | Operation::Drops(_) => {}
        }
    }

    fn drop_of_column(&mut self, table: &str, column: &str, lost: Lost) {
        let what = format!("column `{table}.{column}`");
        self.drops.push(Dropped { table: self.table(table), lost, what });
    }
}
