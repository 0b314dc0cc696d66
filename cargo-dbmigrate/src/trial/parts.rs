//! Finds the part of a table that SQLite refuses, by trying each part on a table that has no other.

use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::dialect::{Sqlite, Task};
use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::driver::{self, DatabaseError, DefinitionFault, Driver, ErrorKind};
use dbmigrate_runtime::engine::plan;
use dbmigrate_runtime::engine::sql;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{
    Column, DefaultValue, Index, IndexTerm, Schema, Table, TableOption, Type,
};

use super::missing::Missing;
use super::{Trial, rows};

/// The kind of database that revisions are tried on.
pub const BACKEND: Backend = Backend::Sqlite;

/// A part of a table, and SQLite's error about it.
pub struct Part {
    /// ``the check `ck_user_age` (`age > 0`)``
    pub what: String,
    /// The column that declares it, if one does.
    pub column: Option<String>,
    /// SQLite's error.
    pub why: DatabaseError,
}

/// A part, with a table that has no other part.
struct Alone {
    what: String,
    column: Option<String>,
    table: Table,
}

/// The first part of the table that SQLite refuses.
pub fn refused(table: &Table, trial: &Trial<'_>) -> Option<Part> {
    first(table, Some(trial), |why| Missing::of(why).is_none())
}

/// The part of the table that uses what is missing.
pub fn using(table: &Table, missing: &Missing) -> Option<Part> {
    first(table, None, |why| Missing::of(why).as_ref() == Some(missing))
}

fn first(
    table: &Table,
    trial: Option<&Trial<'_>>,
    wanted: impl Fn(&DatabaseError) -> bool,
) -> Option<Part> {
    alone(table, trial).into_iter().find_map(|Alone { what, column, table }| {
        let why = attempt(&table).err().filter(|why| wanted(why))?;
        Some(Part { what, column, why })
    })
}

/// Creates the table and evaluates its expressions for a row.
fn attempt(table: &Table) -> Result<(), DatabaseError> {
    let mut driver = SqliteDriver::open_in_memory()?;
    make(&mut driver, table)?;
    match rows::try_insert(&mut driver, table) {
        Err(why) if rows::is_of_definition(&why) || Missing::of(&why).is_some() => Err(why),
        _ => Ok(()),
    }
}

/// Creates a table with its indexes.
pub fn make(driver: &mut dyn Driver, table: &Table) -> Result<(), DatabaseError> {
    let facts = driver.as_connection().facts()?;
    let create = [Operation::CreateTable(table.clone())];
    let tasks = plan::tasks(&create, &mut Schema::default(), &Sqlite, &facts);
    for task in tasks.map_err(|refusal| DatabaseError::new(refusal.message))? {
        if let Task::Statement(statement) = task {
            driver.batch(&statement.sql)?;
        }
    }
    Ok(())
}

/// The table with only the names and types of its columns.
pub fn bare(table: &Table) -> Table {
    let bare = |column: &Column| Column::new(&column.name, column.ty.clone());
    Table { columns: table.columns.iter().map(bare).collect(), ..Table::new(&table.name) }
}

/// The parts of a table, each alone.
fn alone(table: &Table, trial: Option<&Trial<'_>>) -> Vec<Alone> {
    let bare = bare(table);
    let mut parts = vec![part("the columns".to_owned(), None, bare.clone())];
    for (idx, column) in table.columns.iter().enumerate() {
        let with = |change: &dyn Fn(&mut Column)| {
            let mut table = bare.clone();
            change(&mut table.columns[idx]);
            table
        };
        let mut add = |what: String, table| {
            parts.push(part(what, Some(column.name.clone()), table));
        };
        if table.has(TableOption::Strict) {
            let mut strict = bare.clone();
            strict.options.set(TableOption::Strict, true);
            let others = strict.columns.iter_mut().filter(|other| other.name != column.name);
            others.for_each(|column| column.ty = Type::raw("ANY"));
            let what = format!("the type of column `{}` in a STRICT table", column.name);
            add(what, strict.clone());
            if column.default.is_some() {
                strict.columns[idx].default.clone_from(&column.default);
                add(default(column), strict);
            }
        }
        if column.default.is_some() {
            add(default(column), with(&|bare| bare.default.clone_from(&column.default)));
        }
        if let Some(generated) = &column.generated {
            let what =
                format!("the generated column `{}` (`{}`)", column.name, generated.expression);
            add(what, with(&|bare| bare.generated.clone_from(&column.generated)));
        }
        if column.collation.is_some() {
            let what = format!("the collation of column `{}`", column.name);
            let mut table = with(&|bare| bare.collation.clone_from(&column.collation));
            // SQLite only looks up a collation when something is sorted by it.
            table = table.unique("dbmigrate_collation", [column.name.as_str()]);
            add(what, table);
        }
    }
    parts.extend(generated_together(table, &bare));
    parts.extend(constraints(table, &bare, trial));
    if table.has(TableOption::WithoutRowid) {
        let mut without = bare.clone();
        without.primary_key.clone_from(&table.primary_key);
        without.options.set(TableOption::WithoutRowid, true);
        parts.push(part("WITHOUT ROWID".to_owned(), None, without));
    }
    for index in &table.indexes {
        let kind = if index.is_exclusion() { "exclusion constraint" } else { "index" };
        let what = format!("the {kind} `{}`", index.name);
        let indexed = Table { indexes: vec![index.clone()], ..bare.clone() };
        parts.push(part(what, column_of_index(index), indexed));
    }
    parts
}

fn part(what: String, column: Option<String>, table: Table) -> Alone {
    Alone { what, column, table }
}

fn default(column: &Column) -> String {
    let text = column.default.as_ref().map_or(String::new(), DefaultValue::to_string);
    format!("the default `{text}` of column `{}`", column.name)
}

/// Generated columns that depend on each other.
fn generated_together(table: &Table, bare: &Table) -> Option<Alone> {
    let mut together = bare.clone();
    for (column, original) in together.columns.iter_mut().zip(&table.columns) {
        column.generated.clone_from(&original.generated);
    }
    let generated = table.columns.iter().filter(|column| column.generated.is_some());
    let names: Vec<&str> = generated.map(|column| column.name.as_str()).collect();
    let last = names.last()?;
    let what = format!("the generated columns `{}`", names.join("`, `"));
    Some(part(what, Some((*last).to_owned()), together))
}

fn constraints(table: &Table, bare: &Table, trial: Option<&Trial<'_>>) -> Vec<Alone> {
    let single = |columns: &[String]| match columns {
        [column] => Some(column.clone()),
        _ => None,
    };
    let mut parts = Vec::new();
    for check in &table.checks {
        // A check of a field is named after its column.
        let is_of = |column: &&Column| {
            let naming = trial.map(|trial| &trial.models.naming);
            naming.is_some_and(|naming| naming.check(table.bare_name(), &column.name) == check.name)
        };
        let column = table.columns.iter().find(is_of).map(|column| column.name.clone());
        let what = format!("the check `{}` (`{}`)", check.name, check.expression);
        parts.push(part(what, column, Table { checks: vec![check.clone()], ..bare.clone() }));
    }
    if let Some(key) = &table.primary_key {
        let keyed = Table { primary_key: Some(key.clone()), ..bare.clone() };
        parts.push(part("the primary key".to_owned(), single(&key.columns), keyed));
    }
    for unique in &table.uniques {
        let what = format!("the unique constraint `{}`", unique.name);
        let table = Table { uniques: vec![unique.clone()], ..bare.clone() };
        parts.push(part(what, single(&unique.columns), table));
    }
    for key in &table.foreign_keys {
        let what = format!("the foreign key `{}`", key.name);
        let table = Table { foreign_keys: vec![key.clone()], ..bare.clone() };
        parts.push(part(what, single(&key.columns), table));
    }
    parts
}

fn column_of_index(index: &Index) -> Option<String> {
    match index.columns.as_slice() {
        [column] if index.filter.is_none() => match &column.term {
            IndexTerm::Column(name) => Some(name.clone()),
            IndexTerm::Expression(_) => None,
        },
        _ => None,
    }
}

impl Part {
    /// What to do about it.
    pub fn hint(&self, table: &Table) -> Option<String> {
        hint(&self.why, table)
    }
}

/// What to do about SQLite's error in a table's expression.
pub fn hint(why: &DatabaseError, table: &Table) -> Option<String> {
    let fault = match why.kind() {
        ErrorKind::Missing { what: driver::Missing::Column, name } => {
            return Some(columns_hint(name, table));
        }
        ErrorKind::Definition(fault) => fault,
        _ => return None,
    };
    let hint = match fault {
        DefinitionFault::Subquery => {
            "the expression can only use its own row's columns: what depends on other rows is for \
             a trigger or for the application"
        }
        DefinitionFault::Aggregate => {
            "the expression is computed for each row alone: what depends on other rows is for a \
             trigger or for the application"
        }
        DefinitionFault::VariableDefault => {
            "a default can't use other columns, subqueries or parameters: write a constant or a \
             function call, or have the application set the value"
        }
        DefinitionFault::GeneratedLoop => {
            "a generated column can't depend on itself, directly or through others: make one of \
             them an ordinary column"
        }
        DefinitionFault::NotDeterministic => {
            "the expression has to be deterministic: compare with the clock or a random number in \
             the application or in a trigger"
        }
        DefinitionFault::Type => {
            "a STRICT table takes the types INT, INTEGER, REAL, TEXT, BLOB and ANY only: choose \
             one of them in `#[model(type = ...)]`, or remove `strict`"
        }
        DefinitionFault::Syntax => {
            "correct the SQL expression in the attribute; strings are in single quotes"
        }
    };
    Some(hint.to_owned())
}

/// Suggestions for a name that no column has.
pub fn columns_hint(name: &str, table: &Table) -> String {
    let name = name.rsplit('.').next().unwrap_or(name).trim_matches(['"', '`', '[', ']']);
    let lower = name.to_lowercase();
    let distance = |column: &str| strsim::damerau_levenshtein(&column.to_lowercase(), &lower);
    let names = || table.columns.iter().map(|column| column.name.as_str());
    let nearest = names().min_by_key(|column| distance(column));
    let nearest = nearest.filter(|column| distance(column) <= 1 + lower.chars().count() / 4);
    let quoted = sql::quote(name).replace('"', "'");
    match nearest {
        Some(column) => format!("did you mean the column `{column}`? A string is written {quoted}"),
        None => {
            let names: Vec<&str> = names().collect();
            format!(
                "the columns of `{}` are `{}`; a string is written {quoted}",
                table.name,
                names.join("`, `")
            )
        }
    }
}
