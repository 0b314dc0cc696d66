//! Checks values that are known in advance: fills for existing rows, and defaults.
//!
//! A value that the column's type can't hold, or that the column's own checks forbid, fails for
//! every existing row.

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::dialect::{Dialect as _, Sqlite};
use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::driver::{
    self, Connection as _, DatabaseError, Driver as _, ErrorKind,
};
use dbmigrate_runtime::engine::sql::{Kind, quote};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{
    Column, DefaultValue, Index, IndexTerm, Schema, Table, TableOption,
};

use super::missing::Missing;
use super::{Trial, parts};
use crate::autogenerate;
use crate::error::{Error, Result};

/// Refuses values that fit no row. Returns what could not be tried, and what fits only a single
/// row.
pub fn check(trial: &Trial<'_>, after: &Schema) -> Result<Vec<String>> {
    let mut untried = Vec::new();
    for operation in trial.upgrade {
        match operation {
            Operation::AddColumn { table, column, using, .. } => {
                let given = using.as_ref().and_then(|sql| sql.text(Backend::Sqlite));
                untried.extend(fill(trial, after, (table, &column.name), given)?);
                default(trial, after.table(table), &column.name)?;
                if using.is_none() {
                    untried.extend(repeated(trial, after.table(table), &column.name, None));
                }
            }
            Operation::AlterColumn { table, column, change } => {
                let given = change.using.as_ref().and_then(|sql| sql.text(Backend::Sqlite));
                untried.extend(fill(trial, after, (table, column), given)?);
                if change.default.is_some() || change.ty.is_some() {
                    default(trial, after.table(table), column)?;
                }
            }
            Operation::CreateTable(table) => {
                for column in &table.columns {
                    default(trial, after.table(&table.name), &column.name)?;
                }
            }
            Operation::AddCheck { table, check } => {
                let Some(table) = after.table(table) else { continue };
                let is_mentioned =
                    |column: &&Column| Sqlite.lexicon().mentions(&check.expression, &column.name);
                for column in table.columns.iter().filter(is_mentioned) {
                    default(trial, Some(table), &column.name)?;
                }
            }
            Operation::DropTable { .. }
            | Operation::RenameTable { .. }
            | Operation::AlterTable { .. }
            | Operation::DropColumn { .. }
            | Operation::RenameColumn { .. }
            | Operation::AddPrimaryKey { .. }
            | Operation::DropPrimaryKey { .. }
            | Operation::AddUnique { .. }
            | Operation::DropUnique { .. }
            | Operation::AddForeignKey { .. }
            | Operation::DropForeignKey { .. }
            | Operation::DropCheck { .. }
            | Operation::CreateIndex { .. }
            | Operation::DropIndex { .. }
            | Operation::RenameIndex { .. }
            | Operation::Execute(_)
            | Operation::BulkInsert { .. }
            | Operation::Run(_)
            | Operation::Makes(_)
            | Operation::Drops(_) => {}
        }
    }
    Ok(untried)
}

/// The result of evaluating an expression on a table of its own.
enum Computed {
    /// The value doesn't depend on a column.
    Constant,
    /// The value depends on a column.
    OfRow,
    Refused(DatabaseError),
}

/// Checks the fill for existing rows. Returns what could not be tried, or what fits only one row.
fn fill(
    trial: &Trial<'_>,
    after: &Schema,
    (table, column): (&str, &str),
    using: Option<&str>,
) -> Result<Option<String>> {
    let Some(using) = using else { return Ok(None) };
    let Some(now) = after.table(table) else { return Ok(None) };
    let Some(target) = now.find_column(column) else { return Ok(None) };
    let answer = autogenerate::answer(trial.fills, (table, column), &Sqlite);
    let flag = answer.map(|(nth, expression)| (format!("--fill {}", trial.fills[nth]), expression));
    let (whose, expression) =
        flag.unwrap_or_else(|| (format!("what existing rows get in `{table}.{column}`"), using));
    // The table before the change, under its current names.
    let was = before(trial, table, now);
    let refused = |why: &str, hint: Option<String>| {
        let place = trial.place(table, Some(column));
        let err = Error::new(format!("{whose}: {why}, for {place}"));
        Error::hint(err, hint.unwrap_or_else(|| super::HINT.to_owned()))
    };
    match computed(expression, &was, after) {
        Computed::OfRow => Ok(None),
        Computed::Refused(why) => match Missing::of(&why) {
            Some(missing) => Ok(Some(missing.describe(&whose))),
            None => Err(refused(&why.to_string(), parts::hint(&why, &was))),
        },
        Computed::Constant => match fits(now, target, Some(expression)) {
            Ok(()) => Ok(repeated(trial, Some(now), column, Some(expression))),
            Err(why) => Err(refused(&why, Some(advice(target)))),
        },
    }
}

/// Warns that two rows can't have the same value or default, since the column is unique by itself;
/// this is tried with two rows. It is only a warning, since a table with one row accepts the value.
fn repeated(
    trial: &Trial<'_>,
    table: Option<&Table>,
    column: &str,
    value: Option<&str>,
) -> Option<String> {
    let table = table?;
    let column = table.find_column(column)?;
    let is_own = |columns: &[String]| matches!(columns, [only] if *only == column.name);
    let key = table.primary_key.iter().map(|key| &key.columns);
    let uniques = table.uniques.iter().map(|unique| &unique.columns);
    let is_own_index = |index: &&Index| {
        let [only] = &index.columns[..] else { return false };
        let is_column = matches!(&only.term, IndexTerm::Column(name) if *name == column.name);
        index.unique && index.filter.is_none() && is_column
    };
    let is_unique = key.chain(uniques).any(|columns| is_own(columns))
        || table.indexes.iter().any(|index| is_own_index(&index));
    let default = column.default.as_ref();
    if !is_unique || column.generated.is_some() || (value.is_none() && default.is_none()) {
        return None;
    }
    let name = column.name.as_str();
    let alone = Table { columns: vec![column.clone()], ..Table::new(&table.name) };
    let mut driver = SqliteDriver::open_in_memory().ok()?;
    parts::make(&mut driver, &alone.unique("dbmigrate_repeated", [name])).ok()?;
    let (into, quoted) = (quote(&table.name), quote(name));
    let insert = match value {
        Some(value) => format!("INSERT INTO {into} ({quoted}) VALUES ({})", closed(value)),
        None => format!("INSERT INTO {into} DEFAULT VALUES"),
    };
    driver.batch(&insert).ok()?;
    if !driver.batch(&insert).err()?.is_duplicate() {
        return None;
    }
    let what = match value {
        Some(value) => format!("`{value}`"),
        None => format!("the default `{}`", default?),
    };
    let place = trial.place(&table.name, Some(name));
    Some(format!(
        "{what} is the same for all rows, but {place} is unique: the upgrade fails if two or more \
         rows of `{}` get it",
        table.name
    ))
}

/// The table on which the expression is evaluated: as it was before, under the names that the
/// operations give before any other change.
fn before(trial: &Trial<'_>, table: &str, now: &Table) -> Table {
    let mut schema = trial.before.clone();
    for operation in trial.upgrade {
        let is_rename =
            matches!(operation, Operation::RenameTable { .. } | Operation::RenameColumn { .. });
        if is_rename {
            let _ = operation.apply(&mut schema);
        }
    }
    schema.table(table).unwrap_or(now).clone()
}

fn computed(expression: &str, table: &Table, tables: &Schema) -> Computed {
    let Ok(mut driver) = SqliteDriver::open_in_memory() else { return Computed::OfRow };
    let select = format!("SELECT ({})", closed(expression));
    // Without a table, SQLite takes a double-quoted name for a text.
    let has_quoted_name =
        Sqlite.lexicon().tokens(expression).iter().any(|token| token.kind == Kind::Quoted);
    if !has_quoted_name && driver.query(&select, &[]).is_ok() {
        return Computed::Constant;
    }
    if parts::make(&mut driver, &parts::bare(table)).is_err() {
        return Computed::OfRow;
    }
    match driver.query(&format!("{select} FROM {}", quote(&table.name)), &[]) {
        Ok(_) => Computed::OfRow,
        // The database that the revision will run on has the other tables of the migrations.
        Err(err) if asks_for(&err, tables) => Computed::OfRow,
        Err(err) => Computed::Refused(err),
    }
}

/// Whether what is missing is one of these tables.
fn asks_for(why: &DatabaseError, tables: &Schema) -> bool {
    match why.kind() {
        ErrorKind::Missing { what: driver::Missing::Table, name } => {
            tables.tables.keys().any(|table| table.eq_ignore_ascii_case(name))
        }
        _ => false,
    }
}

/// The default of a column.
fn default(trial: &Trial<'_>, table: Option<&Table>, column: &str) -> Result<()> {
    let Some(table) = table else { return Ok(()) };
    let Some(column) = table.find_column(column) else { return Ok(()) };
    let Some(default) = &column.default else { return Ok(()) };
    // NULL is what a row gets without a default as well.
    if column.generated.is_some() || *default == DefaultValue::Literal(Value::Null) {
        return Ok(());
    }
    match fits(table, column, None) {
        Ok(()) => Ok(()),
        Err(why) => {
            let place = trial.place(&table.name, Some(&column.name));
            let message = format!("the default `{default}` of {place} can't be stored: {why}");
            Err(Error::new(message).hint("give the column a default that it can hold"))
        }
    }
}

/// Whether the column can hold a value, or its default, according to its type and to the checks on
/// it alone. What can't be determined counts as fitting.
fn fits(table: &Table, column: &Column, value: Option<&str>) -> std::result::Result<(), String> {
    let Ok(mut driver) = SqliteDriver::open_in_memory() else { return Ok(()) };
    let is_own = |expression: &str| {
        let others = table.columns.iter().filter(|candidate| candidate.name != column.name);
        others.into_iter().all(|column| !Sqlite.lexicon().mentions(expression, &column.name))
    };
    let column = Column { collation: None, generated: None, ..column.clone() };
    let checks = table.checks.iter().filter(|check| is_own(&check.expression)).cloned();
    let mut alone = Table {
        columns: vec![column.clone()],
        options: table.options.iter().filter(|option| *option == TableOption::Strict).collect(),
        checks: Vec::new(),
        ..Table::new(&table.name)
    };
    for check in checks {
        let with = Table { checks: vec![check], ..alone.clone() };
        let is_made = SqliteDriver::open_in_memory()
            .is_ok_and(|mut driver| parts::make(&mut driver, &with).is_ok());
        // A check that can't be created is refused, or skipped, separately.
        if is_made {
            alone.checks.extend(with.checks);
        }
    }
    if parts::make(&mut driver, &alone).is_err() {
        return Ok(());
    }
    let (into, name) = (quote(&table.name), quote(&column.name));
    let insert = match value {
        Some(value) => format!("INSERT INTO {into} ({name}) VALUES ({})", closed(value)),
        None => format!("INSERT INTO {into} DEFAULT VALUES"),
    };
    match driver.batch(&insert) {
        // The value is refused, and not the statement itself.
        Err(err) if err.is_of_row() => return Err(err.to_string()),
        Err(_) => return Ok(()),
        Ok(()) => {}
    }
    let Some(read) = Sqlite.reads(table, &column) else { return Ok(()) };
    let query = format!(
        "SELECT typeof({name}), quote({name}) FROM {into} WHERE {name} IS NOT NULL AND NOT ({read})"
    );
    match driver.query(&query, &[]) {
        Ok(found) => match found.rows.into_iter().next().as_deref() {
            Some([Value::Text(kind), Value::Text(value)]) => Err(format!(
                "the value {value}, of SQLite's type {kind}, can't be read as {}",
                column.ty
            )),
            _ => Ok(()),
        },
        Err(_) => Ok(()),
    }
}

fn advice(column: &Column) -> String {
    let neutral = crate::autogenerate::neutral(column, &Sqlite);
    let null = if column.nullable { "" } else { " and that is not NULL" };
    format!("give a value that the column can hold{null}, such as {neutral}")
}

/// An expression that other SQL can follow: a comment at its end must not hide what follows.
fn closed(expression: &str) -> String {
    let end = if expression.contains("--") { "\n" } else { "" };
    format!("{expression}{end}")
}

#[cfg(test)]
mod tests {
    use dbmigrate_runtime::schema::Type;

    use super::*;

    #[test]
    fn an_expression_may_ask_other_tables() {
        let table = Table::new("order").column(Column::new("id", Type::BigInteger));
        let user = Table::new("user").column(Column::new("id", Type::BigInteger));
        let tables = Schema::from_tables([table.clone(), user]);
        let computed = |expression| computed(expression, &table, &tables);
        let of_row = |expression| matches!(computed(expression), Computed::OfRow);
        assert!(of_row("(SELECT min(id) FROM \"user\")"));
        assert!(of_row("(SELECT min(id) FROM user WHERE user.id > \"order\".id)"));
        assert!(matches!(computed("(SELECT 1)"), Computed::Constant));
        assert!(matches!(computed("nothing"), Computed::Refused(_)));
        assert!(matches!(computed("(SELECT n FROM nowhere)"), Computed::Refused(_)));
    }
}
