//! Renames that were said: by the model or by a flag, never guessed.

mod order;

use std::collections::BTreeMap;

use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::record::ModelRecord;
use dbmigrate_runtime::schema::{Schema, Table};

use super::Answers;
use crate::error::{Error, Result};
use order::{Names, Said};

/// The renames that `renamed_from` and `--rename` say and that aren't done yet, in an order in
/// which each can run. Names that differ in case alone are renames without a word.
///
/// # Errors
///
/// A flag that names nothing, and renames that exclude each other.
pub fn renames(
    from: &Schema,
    to: &Schema,
    records: &[ModelRecord],
    answers: &Answers,
) -> Result<Vec<Operation>> {
    let mut flags = Vec::new();
    for text in &answers.renames {
        flags.push(Flag::parse(text, from, to)?);
    }
    let managed = || records.iter().filter(|it| !it.unmanaged);

    let mut said: Vec<Said> = flags.iter().filter_map(Flag::table).collect();
    said.extend(
        managed().filter_map(|it| Some(Said::by_model(it.renamed_from.as_ref()?, &it.table.name))),
    );
    let names = Names {
        what: "table",
        prefix: String::new(),
        have: from.tables.keys().map(String::as_str).collect(),
        want: to.tables.keys().map(String::as_str).collect(),
        // SQLite finds that a table of the new name is there already: the same one.
        through_another_case: false,
    };
    let renamed = order::order(&names, said)?;
    let mut operations: Vec<Operation> = (renamed.steps.iter().cloned())
        .map(|(from, to)| Operation::RenameTable { from, to })
        .collect();

    let mut olds: BTreeMap<&str, &str> = BTreeMap::new();
    for table in to.tables.values() {
        let old = renamed.pairs.iter().find(|(_, new)| *new == table.name);
        let old = old.map_or(table.name.as_str(), |(old, _)| old);
        // A table whose name went to another is a new one.
        let is_its = old != table.name || !renamed.pairs.iter().any(|(it, _)| it == old);
        if is_its {
            olds.insert(&table.name, old);
        }
    }
    for flag in &flags {
        flag.check_column(from, &olds)?;
    }
    let mut of_table: BTreeMap<&str, Vec<&ModelRecord>> = BTreeMap::new();
    managed().for_each(|it| of_table.entry(&it.table.name).or_default().push(it));
    for (table, was) in &olds {
        let (Some(was), Some(now)) = (from.table(was), to.table(table)) else { continue };
        let mut said: Vec<Said> = flags.iter().filter_map(|it| it.column(table)).collect();
        for field in of_table.get(table).into_iter().flatten().flat_map(|it| &it.fields) {
            said.extend(field.renamed_from.iter().map(|old| Said::by_model(old, &field.column)));
        }
        let columns = |it: &'_ Table| -> Vec<String> {
            it.columns.iter().map(|it| it.name.clone()).collect()
        };
        let (have, want) = (columns(was), columns(now));
        let names = Names {
            what: "column",
            prefix: format!("{table}."),
            have: have.iter().map(String::as_str).collect(),
            want: want.iter().map(String::as_str).collect(),
            through_another_case: true,
        };
        let steps = order::order(&names, said)?.steps.into_iter();
        operations.extend(steps.map(|(from, to)| Operation::RenameColumn {
            table: (*table).to_owned(),
            from,
            to,
        }));
    }
    Ok(operations)
}

/// What a `--rename` names.
#[derive(Debug)]
enum Flag<'a> {
    Table { text: &'a str, old: &'a str, new: &'a str },
    Column { text: &'a str, old_table: &'a str, old: &'a str, table: &'a str, new: &'a str },
}

fn unknown(text: &str, what: String) -> Error {
    Error::new(format!("--rename {text}: {what}")).hint(
        "it is `old:new` for tables, `table.old:table.new` for columns, with the names in the \
         database",
    )
}

impl<'a> Flag<'a> {
    fn parse(text: &'a str, from: &Schema, to: &Schema) -> Result<Flag<'a>> {
        // A name may hold any character: the split that names something is the one that is meant.
        let splits = || text.match_indices(':').map(|(at, _)| (&text[..at], &text[at + 1..]));
        for (old, new) in splits() {
            if from.table(old).is_some() && to.table(new).is_some() {
                return Ok(Flag::Table { text, old, new });
            }
            let column = to.tables.values().find_map(|it| column_of(it, new));
            if let (Some((table, new)), Some((old_table, old))) = (column, split_column(old, from))
            {
                return Ok(Flag::Column { text, old_table, old, table, new });
            }
        }
        let (old, new) =
            splits().next().ok_or_else(|| unknown(text, "it has no `:`".to_owned()))?;
        Err(unknown(
            text,
            match (old.split_once('.'), new.split_once('.')) {
                (None, None) if from.table(old).is_none() => {
                    format!("the migrations build no table `{old}`")
                }
                (None, None) => format!("`{new}` is no new table of the models"),
                (Some(_), Some(_)) => {
                    let has = to.tables.values().any(|it| column_of(it, new).is_some());
                    if has {
                        format!("the migrations build no column `{old}`")
                    } else {
                        format!("the models have no column `{new}`")
                    }
                }
                _ => "one side is a table, the other a column".to_owned(),
            },
        ))
    }

    fn table(&self) -> Option<Said> {
        match self {
            Flag::Table { text, old, new } => Some(Said::by_flag(text, old, new)),
            Flag::Column { .. } => None,
        }
    }

    fn column(&self, of: &str) -> Option<Said> {
        match self {
            Flag::Column { text, old, table, new, .. } if *table == of => {
                Some(Said::by_flag(text, old, new))
            }
            _ => None,
        }
    }

    /// A column's old table is the new one, as it was called or as it is.
    fn check_column(&self, from: &Schema, olds: &BTreeMap<&str, &str>) -> Result<()> {
        let Flag::Column { text, old_table, old, table, .. } = self else { return Ok(()) };
        let was = olds.get(table).copied();
        let has = was.and_then(|it| from.table(it)?.find_column(old)).is_some();
        if has && (was == Some(*old_table) || table == old_table) {
            return Ok(());
        }
        Err(unknown(text, format!("the migrations build no column `{old_table}.{old}`")))
    }
}

/// The table and the column of `table.column`, if it is one of that table.
fn column_of<'a>(table: &Table, text: &'a str) -> Option<(&'a str, &'a str)> {
    let column = text.strip_prefix(table.name.as_str())?.strip_prefix('.')?;
    table.find_column(column)?;
    Some((&text[..table.name.len()], column))
}

/// The same where the table may be named as it is going to be.
fn split_column<'a>(text: &'a str, from: &Schema) -> Option<(&'a str, &'a str)> {
    let is_column = |column: &str| from.tables.values().any(|it| it.find_column(column).is_some());
    let mut splits = text.match_indices('.').map(|(at, _)| (&text[..at], &text[at + 1..]));
    splits.find(|(_, column)| is_column(column))
}
