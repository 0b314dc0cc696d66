//! Values for existing rows that a change would leave without a value, or with one that no longer
//! fits.

mod mapping;
mod need;

use std::collections::BTreeMap;

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::sql;
use dbmigrate_runtime::engine::written;
use dbmigrate_runtime::operations::{Operation, Sql};
use dbmigrate_runtime::schema::{Column, DefaultValue, Schema, Table, Type};

use super::convert;
use crate::error::{Error, Result};
use crate::models::Models;
pub use convert::neutral;
pub use mapping::Mapping;
pub use need::{Held, Need, Why, literal, rows};

/// Writes the answers into the operations, and returns the questions that remain. `from` is the
/// schema before the operations, `to` the one after. The questions are those of the project's
/// database, and what only another database has to be told; other databases get an expression of
/// their own where the same one won't do.
pub fn fill(
    operations: &mut [Operation],
    schemas: (&Schema, &Schema),
    fills: &[String],
    (dialect, others): (&'static dyn Dialect, &[&'static dyn Dialect]),
) -> Filled {
    let plain = operations.to_vec();
    let mut filled = fill_for(operations, schemas, fills, dialect);
    for other in others {
        let mut own = plain.clone();
        let Filled { used, open, lossy } = fill_for(&mut own, schemas, fills, *other);
        filled.used.iter_mut().zip(used).for_each(|(is_used, own)| *is_used |= own);
        // The project's database has judged the answers for all.
        let is_for_other = |operation: &Operation| {
            let (Operation::AddColumn { table, column: Column { name, .. }, .. }
            | Operation::AlterColumn { table, column: name, .. }) = operation
            else {
                return false;
            };
            let found = answer(fills, (table, name), *other);
            let prefix = format!("{}:", other.backend().name());
            found.is_some_and(|(nth, _)| fills[nth].starts_with(&prefix))
        };
        for (idx, rows) in lossy {
            if is_for_other(&plain[idx]) {
                filled.lossy.entry(idx).or_insert(rows);
            }
        }
        for need in open {
            let is_same = |asked: &Need| {
                (&asked.table, &asked.column.name) == (&need.table, &need.column.name)
            };
            if !filled.open.iter().any(is_same) && need.is_certain() {
                filled.open.push(Need { is_of_one: true, ..need });
            }
        }
        merge((operations, dialect), (&own, *other));
    }
    filled
}

/// Adds the expressions of another database, where they aren't the same.
pub fn merge(
    (operations, dialect): (&mut [Operation], &dyn Dialect),
    (others, other): (&[Operation], &dyn Dialect),
) {
    for (operation, of_other) in operations.iter_mut().zip(others) {
        match (operation, of_other) {
            (Operation::AddColumn { using, .. }, Operation::AddColumn { using: own, .. }) => {
                merge_sql((using, dialect), (own, other), None);
            }
            (
                Operation::AlterColumn { change, column, .. },
                Operation::AlterColumn { change: own, .. },
            ) => {
                let kept = sql::quote(column);
                merge_sql((&mut change.using, dialect), (&own.using, other), Some(&kept));
                merge_sql((&mut change.fill, dialect), (&own.fill, other), Some(&kept));
            }
            _ => {}
        }
    }
}

/// `kept` is the expression by which rows keep their values, for a database that needs none while
/// another one does.
fn merge_sql(
    (sql, dialect): (&mut Option<Sql>, &dyn Dialect),
    (own, other): (&Option<Sql>, &dyn Dialect),
    kept: Option<&str>,
) {
    let kept = kept.map(Sql::from);
    let own = match own {
        // What is written for each database by itself is written for all of them.
        None if sql.as_ref().is_some_and(|sql| sql.any.is_none()) => &kept,
        own => own,
    };
    if own.is_some() && sql.is_none() {
        *sql = kept.clone();
    }
    let (Some(sql), Some(own)) = (sql, own) else { return };
    let (Some(text), Some(own)) =
        (sql.text(dialect.backend()), own.text(other.backend()).map(str::to_owned))
    else {
        return;
    };
    if text == own && sql.any.is_some() {
        return;
    }
    let mut by_dialect = vec![(dialect.backend().name().to_owned(), text.to_owned())];
    let is_other = |(name, _): &&(String, String)| *name != dialect.backend().name();
    by_dialect.extend(sql.by_dialect.iter().filter(is_other).cloned());
    by_dialect.push((other.backend().name().to_owned(), own));
    by_dialect.sort();
    *sql = Sql { any: None, by_dialect };
}

/// The answer for a column, and which one it is: the one for this database, or else the one for
/// all. An answer for one database begins with its name, `postgres:table.column=...`.
pub fn answer<'a>(
    fills: &'a [String],
    (table, column): (&str, &str),
    dialect: &dyn Dialect,
) -> Option<(usize, &'a str)> {
    let find = |key: String| {
        let mut found = fills.iter().enumerate();
        found.find_map(|(nth, fill)| Some((nth, fill.strip_prefix(&key)?.trim())))
    };
    find(format!("{}:{table}.{column}=", dialect.backend().name()))
        .or_else(|| find(format!("{table}.{column}=")))
}

fn fill_for(
    operations: &mut [Operation],
    (from, to): (&Schema, &Schema),
    fills: &[String],
    dialect: &'static dyn Dialect,
) -> Filled {
    let mut filled =
        Filled { open: Vec::new(), used: vec![false; fills.len()], lossy: BTreeMap::new() };
    for (idx, operation) in operations.iter_mut().enumerate() {
        let Some((need, slots)) = need(operation, (from, to), dialect) else { continue };
        let found = answer(fills, (&need.table, &need.column.name), dialect);
        let Some((nth, expression)) = found else {
            if need.why.is_empty() {
                *slots.using = need.using(None).map(Sql::from);
            } else {
                filled.open.push(need);
            }
            continue;
        };
        filled.used[nth] = true;
        match (slots.fill, need.fill(expression)) {
            (Some(slot), Some(fill)) => *slot = Some(Sql::from(fill)),
            _ => *slots.using = need.using(Some(expression)).map(Sql::from),
        }
        if need.is_lossy(expression) {
            filled.lossy.insert(idx, need.loss(expression));
        }
    }
    filled
}

/// Checks that an answer's expression can be part of a statement.
///
/// # Errors
///
/// An expression that is empty, is incomplete, or ends the statement.
pub fn check(answer: &str, models: &Models) -> Result<()> {
    let (column, expression) = answer.split_once('=').unwrap_or((answer, ""));
    let backend = column.split_once(':').and_then(|(name, _)| Backend::by_name(name));
    let backend = backend.unwrap_or(models.dialect.backend());
    let mut dialects = models.others.iter().chain([&models.dialect]);
    let Some(dialect) = dialects.find(|dialect| dialect.backend() == backend) else {
        let message = format!("--fill {answer}: the history is not for {backend}");
        return Err(Error::new(message).hint(format!(
            "add \"{}\" to `dialects` in dbmigrate.toml, or leave the answer out",
            backend.name()
        )));
    };
    let lexicon = dialect.lexicon();
    let all = lexicon.tokens(expression);
    let tokens: Vec<_> = all.iter().filter(|token| token.is_significant()).collect();
    let is_closed = all.iter().all(|token| token.is_closed()) && sql::is_balanced(&all);
    let why = match () {
        () if tokens.is_empty() => "it has no expression",
        () if !is_closed => "a quote or a parenthesis is not closed",
        () if tokens.iter().any(|token| token.is_symbol(";")) => "it is more than one expression",
        () => return Ok(()),
    };
    Err(Error::new(format!("--fill {answer}: {why}"))
        .hint("the form is `table.column=EXPRESSION`, with strings in single quotes"))
}

/// An expression that other SQL can follow: a comment at its end must not hide what follows.
pub fn closed(expression: &str) -> String {
    let has_comment = expression.contains("--") || expression.contains('#');
    if has_comment { format!("({expression}\n)") } else { expression.to_owned() }
}

/// Fails if an answer would do something else than was intended; see [`written`]. At its operation,
/// rows have the columns that the earlier operations leave.
pub fn refuse_mistakes(
    operations: &[Operation],
    migrations: &Schema,
    fills: &[String],
    dialect: &dyn Dialect,
) -> Result<()> {
    let names = dialect.names(&dialect.offline_facts());
    let mut before = migrations.clone();
    for operation in operations {
        let (table, column) = match operation {
            Operation::AddColumn { table, column, .. } => (table, &column.name),
            Operation::AlterColumn { table, column, .. } => (table, column),
            _ => {
                // An operation that doesn't fit is reported elsewhere.
                let _ = operation.apply(&mut before);
                continue;
            }
        };
        let own = answer(fills, (table, column), dialect).zip(before.table(table));
        let mistake = own.and_then(|((nth, expression), table)| {
            Some((&fills[nth], written::in_expression(expression, table, &before, names)?))
        });
        if let Some((fill, mistake)) = mistake {
            let message = format!("--fill {fill}: {}", mistake.message);
            return Err(Error::new(message).hint(mistake.hint));
        }
        let _ = operation.apply(&mut before);
    }
    Ok(())
}

/// Fails if it can't be told whether an answer names its column, and so which rows it is for. `from`
/// is the schema before the operations, `to` the one after.
pub fn refuse_unclear(
    operations: &[Operation],
    (from, to): (&Schema, &Schema),
    fills: &[String],
    dialect: &'static dyn Dialect,
) -> Result<()> {
    let is_known = |name: &str| {
        let mut tables = from.tables.keys().chain(to.tables.keys());
        tables.any(|table| dialect.names(&dialect.offline_facts()).folding.same_table(table, name))
    };
    for operation in operations {
        let mut operation = operation.clone();
        let Some((need, _)) = need(&mut operation, (from, to), dialect) else { continue };
        let column = (need.table.as_str(), need.column.name.as_str());
        let Some((nth, expression)) = answer(fills, column, dialect) else { continue };
        let Some(source) = need.unclear_source(expression, is_known) else { continue };
        let (table, column) = column;
        let message = format!(
            "--fill {}: `{column}` may be a column of `{source}` or of `{table}`",
            fills[nth]
        );
        return Err(Error::new(message).hint(format!(
            "write `{source}.{column}` or `{table}.{column}`: an expression that names the rows' \
             own column is for all rows, any other one only for those that need a value"
        )));
    }
    Ok(())
}

/// The result of writing the answers into the operations.
#[derive(Debug)]
pub struct Filled {
    pub open: Vec<Need>,
    used: Vec<bool>,
    /// Operations after which rows may hold different values, each with a description of those
    /// rows.
    pub lossy: BTreeMap<usize, String>,
}

impl Filled {
    /// Fails if an answer doesn't belong to any question.
    pub fn refuse_unused(&self, fills: &[String]) -> Result<()> {
        let Some(nth) = self.used.iter().position(|is_used| !is_used) else { return Ok(()) };
        let text = &fills[nth];
        let again =
            fills[..nth].iter().any(|fill| fill.split('=').next() == text.split('=').next());
        let why = if again {
            "the column already has an answer"
        } else {
            "no existing rows need a value there"
        };
        Err(Error::new(format!("--fill {text}: {why}")).hint(
            "the form is `table.column=EXPRESSION`, with the names of the models, for a column \
             that is new and NOT NULL, becomes NOT NULL, or gets a type that may not hold its \
             values",
        ))
    }
}

/// Where an answer is written: as the value of all rows, or only of those that need one.
struct Slots<'a> {
    using: &'a mut Option<Sql>,
    fill: Option<&'a mut Option<Sql>>,
}

/// What the operation needs, and where the answer is written.
fn need<'a>(
    operation: &'a mut Operation,
    (from, to): (&Schema, &Schema),
    dialect: &'static dyn Dialect,
) -> Option<(Need, Slots<'a>)> {
    match operation {
        Operation::AddColumn { table, column, using, .. } => {
            let key = to.table(table).and_then(|table| table.generated_key());
            let is_numbered = key.is_some_and(|key| key.name == column.name);
            if is_numbered || column.generated.is_some() {
                return None;
            }
            // Other new columns may get a value; these have to.
            let why = if lacks_value(column) { vec![Why::New] } else { Vec::new() };
            let (table, column) = (table.clone(), column.clone());
            let tables = Vec::new();
            let need = Need {
                table,
                column,
                was: None,
                null: None,
                why,
                tables,
                dialect,
                is_of_one: false,
            };
            Some((need, Slots { using, fill: None }))
        }
        Operation::AlterColumn { table, column, change } => {
            let was = from.table(table)?.find_column(column)?;
            let now = to.table(table)?.find_column(column)?;
            if now.generated.is_some() {
                return None;
            }
            let has_it = |table: &&Table| table.find_column(column).is_some();
            let tables = to.tables.values().filter(has_it).map(|table| table.name.clone());
            let need =
                Need { tables: tables.collect(), ..Need::of_change(table, was, now, dialect) };
            let asks = need.null.is_some() || !need.why.is_empty();
            asks.then_some((need, Slots { using: &mut change.using, fill: Some(&mut change.fill) }))
        }
        _ => None,
    }
}

/// Whether existing rows would have no value in a new column that requires one.
pub fn lacks_value(column: &Column) -> bool {
    !column.nullable
        && column.generated.is_none()
        && matches!(column.default, None | Some(DefaultValue::Literal(Value::Null)))
}

/// A default that is a literal, as SQL.
pub fn default_literal(column: &Column, dialect: &dyn Dialect) -> Option<String> {
    let value = column.default.as_ref()?.literal_of(&column.ty)?;
    (value != Value::Null).then(|| dialect.literal_of(&value, &column.ty))
}

impl Need {
    /// What a change of a column needs, which is often nothing.
    pub fn of_change(
        table: &str,
        was: &Column,
        now: &Column,
        dialect: &'static dyn Dialect,
    ) -> Need {
        let mut why = Vec::new();
        let mut null = None;
        if was.nullable && !now.nullable {
            null = default_literal(now, dialect);
            if null.is_none() {
                why.push(Why::NotNull);
            }
        }
        if !convert::keeps(&was.ty, &now.ty, dialect) {
            why.push(match &now.ty {
                Type::Enum(..) => Why::Values,
                _ => Why::Narrower,
            });
        }
        let (table, was) = (table.to_owned(), Some(was.clone()));
        let (column, tables) = (now.clone(), Vec::new());
        Need { table, column, was, null, why, tables, dialect, is_of_one: false }
    }

    /// Whether rows may hold different values after this answer.
    pub fn is_lossy(&self, expression: &str) -> bool {
        let is_itself =
            self.dialect.lexicon().same_expression(expression, &sql::quote(&self.column.name));
        let converts = self.why.iter().any(|why| matches!(why, Why::Values | Why::Narrower));
        converts && !is_itself && !self.fills_null(expression) && !self.renames_values(expression)
    }
}
