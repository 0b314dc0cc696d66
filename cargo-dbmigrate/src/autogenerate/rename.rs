//! Renames that a model or a flag declares; they are never guessed.

mod order;

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::engine::folding::Folding;
use dbmigrate_runtime::engine::record::ModelRecord;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{Column, Schema, Table};

use super::Answers;
use crate::error::{Error, Result};
use order::{Declared, Names};

/// The two schemas between which things are renamed.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// The compared part of the schema that the migrations build.
    pub from: &'a Schema,
    /// The compared part of the models' schema.
    pub to: &'a Schema,
    /// The complete schema that the migrations build.
    pub all_from: &'a Schema,
    /// The complete schema of the models.
    pub all_to: &'a Schema,
    /// When two names are the same to the database.
    pub folding: Folding,
}

/// The renames that have to be done, and those in models that can't be done.
#[derive(Debug, Default)]
pub struct Renames {
    /// The renames, in an order in which each can run.
    pub operations: Vec<Operation>,
    /// Declarations in models that name something that doesn't exist.
    pub unknown: Vec<Unknown>,
    /// Warnings about declarations in models that a flag overrules.
    pub overruled: Vec<String>,
}

/// A `renamed_from` with a name that the migrations don't build.
#[derive(Debug)]
pub struct Unknown {
    /// The declaration with its location, and what doesn't exist.
    pub message: String,
    /// The table, if it is new: it may turn out to be a renamed one.
    pub new_table: Option<String>,
    /// A name that may have been intended.
    similar: Option<String>,
    old: String,
    new: String,
}

/// The renames that `renamed_from` and `--rename` declare and that aren't done yet. Names that
/// differ only in case are renamed without a declaration.
///
/// # Errors
///
/// A flag that names nothing, renames that contradict each other, and declarations that can't be
/// followed.
pub fn renames(sides: Sides<'_>, records: &[ModelRecord], answers: &Answers) -> Result<Renames> {
    let Sides { from, to, all_from, all_to, folding } = sides;
    let mut flags = Vec::new();
    for text in &answers.renames {
        flags.push(Flag::parse(text, &sides)?);
    }
    refuse_unmanaged(records)?;
    let managed = || records.iter().filter(|record| !record.unmanaged);

    let mut declared: Vec<Declared> = flags.iter().filter_map(Flag::table).collect();
    declared.extend(managed().filter_map(|record| {
        let old = record.renamed_from.as_ref()?;
        Some(Declared::by_model(&place(record, record.line), old, &record.table.name))
    }));
    let tables = |of: &'_ Schema| -> Vec<String> { of.tables.keys().cloned().collect() };
    let have = Listed { compared: tables(from), all: tables(all_from) };
    let want = Listed { compared: tables(to), all: tables(all_to) };
    let names = Names {
        what: "table",
        prefix: String::new(),
        have: have.compared(),
        want: want.compared(),
        have_left_out: have.left_out(),
        want_left_out: want.left_out(),
        case: folding.tables,
        // If names of tables fold, a table with the new name already exists: it is the same table.
        through_another_case: false,
    };
    let renamed = order::order(&names, declared)?;
    let operations = (renamed.steps.iter().cloned())
        .map(|(from, to)| Operation::RenameTable { from, to })
        .collect();
    let mut renames = Renames { operations, overruled: renamed.overruled, ..Renames::default() };
    renames.unknown.extend(renamed.unknown.iter().map(|declared| Unknown {
        message: format!(
            "{}: the migrations have no table `{}`",
            declared.instruction(),
            declared.old
        ),
        new_table: None,
        similar: similar(&declared.old, all_from.tables.keys()),
        old: declared.old.clone(),
        new: declared.new.clone(),
    }));

    let mut olds: BTreeMap<&str, &str> = BTreeMap::new();
    for table in all_to.tables.values() {
        let old = renamed.pairs.iter().find(|(_, new)| *new == table.name);
        let old = old.map_or(table.name.as_str(), |(old, _)| old);
        // If a table's name went to another table, the one that has the name now is new.
        let is_renamed_or_kept =
            old != table.name || !renamed.pairs.iter().any(|(pair, _)| pair == old);
        if is_renamed_or_kept {
            olds.insert(&table.name, old);
        }
    }
    for flag in &flags {
        flag.check_column(from, &olds)?;
    }
    let mut of_table: BTreeMap<&str, Vec<&ModelRecord>> = BTreeMap::new();
    managed().for_each(|record| of_table.entry(&record.table.name).or_default().push(record));
    for (table, all_now) in &all_to.tables {
        let was_called = olds.get(table.as_str());
        let all_was = was_called.and_then(|was| all_from.table(was));
        let was = was_called.and_then(|was| from.table(was));
        let now = to.table(table);
        let mut declared: Vec<Declared> =
            flags.iter().filter_map(|flag| flag.column(table)).collect();
        for record in of_table.get(table.as_str()).into_iter().flatten() {
            let fields = record.fields.iter();
            declared.extend(fields.filter_map(|field| {
                let old = field.renamed_from.as_ref()?;
                Some(Declared::by_model(&place(record, field.line), old, &field.column))
            }));
        }
        let stays =
            |column: &Column| now.is_some_and(|now| now.find_column(&column.name).is_some());
        if declared.is_empty() && was.is_none_or(|was| was.columns.iter().all(stays)) {
            continue;
        }
        let columns = |of: Option<&'_ Table>| -> Vec<String> {
            let columns = of.into_iter().flat_map(|table| &table.columns);
            columns.map(|column| column.name.clone()).collect()
        };
        let have = Listed { compared: columns(was), all: columns(all_was) };
        let want = Listed { compared: columns(now), all: columns(Some(all_now)) };
        let names = Names {
            what: "column",
            prefix: format!("{table}."),
            have: have.compared(),
            want: want.compared(),
            have_left_out: have.left_out(),
            want_left_out: want.left_out(),
            case: folding.others,
            through_another_case: true,
        };
        let renamed = order::order(&names, declared)?;
        renames.overruled.extend(renamed.overruled);
        let steps = renamed.steps.into_iter();
        renames.operations.extend(steps.map(|(from, to)| Operation::RenameColumn {
            table: table.clone(),
            from,
            to,
        }));
        renames.unknown.extend(renamed.unknown.iter().map(|declared| Unknown {
            message: match all_was {
                Some(_) => format!(
                    "{}: the migrations have no column `{table}.{}`",
                    declared.instruction(),
                    declared.old
                ),
                None => format!("{}: the table `{table}` is new", declared.instruction()),
            },
            new_table: all_was.is_none().then(|| table.clone()),
            similar: similar(&declared.old, columns(all_was).iter()),
            old: declared.old.clone(),
            new: declared.new.clone(),
        }));
    }
    // A column that several models share is renamed where the old one exists, and new elsewhere.
    let is_done = |unknown: &Unknown| {
        unknown.new_table.is_some()
            && records
                .iter()
                .filter(|record| Some(&record.table.name) != unknown.new_table.as_ref())
                .filter(|record| all_from.table(&record.table.name).is_some())
                .flat_map(|record| &record.fields)
                .any(|field| {
                    field.renamed_from.as_ref() == Some(&unknown.old) && field.column == unknown.new
                })
    };
    renames.unknown.retain(|unknown| !is_done(unknown));
    Ok(renames)
}

/// Fails if models name something that doesn't exist, with one error for all of them. If all of
/// them are in new tables, this only fails if `of_new` is set.
pub fn refuse_unknown(unknown: &[Unknown], of_new: bool) -> Result<()> {
    if !of_new && unknown.iter().all(|unknown| unknown.new_table.is_some()) {
        return Ok(());
    }
    let refused: Vec<&Unknown> = unknown.iter().collect();
    let similar = refused.iter().find_map(|unknown| unknown.similar.as_ref());
    let message = match refused.as_slice() {
        [] => return Ok(()),
        [one] => one.message.clone(),
        all => {
            let lines: Vec<_> = all.iter().map(|one| format!("\n  {}", one.message)).collect();
            format!("the models rename tables or columns that do not exist:{}", lines.concat())
        }
    };
    let error = Error::new(message);
    Err(match similar {
        Some(name) => error.hint(format!(
            "did you mean `{name}`? Otherwise remove `renamed_from`: what is new had no previous \
             name"
        )),
        None => error.hint("remove `renamed_from`: what is new had no previous name"),
    })
}

/// Models that are only described are never renamed.
fn refuse_unmanaged(records: &[ModelRecord]) -> Result<()> {
    for record in records.iter().filter(|record| record.unmanaged) {
        let of_fields = record.fields.iter().map(|field| (&field.renamed_from, field.line));
        let mut all = [(&record.renamed_from, record.line)].into_iter().chain(of_fields);
        if let Some((Some(old), line)) = all.find(|(old, _)| old.is_some()) {
            let declared = Declared::by_model(&place(record, line), old, "");
            return Err(Error::new(format!(
                "{}: the model is `unmanaged`, so nothing is renamed in its table `{}`",
                declared.instruction(),
                record.table.name
            ))
            .hint("remove `renamed_from` or `unmanaged` from the model"));
        }
    }
    Ok(())
}

/// `src/models.rs:10`
fn place(record: &ModelRecord, line: u32) -> String {
    match line {
        0 => format!("`{}` in {}", record.path, record.file),
        line => format!("{}:{line}", record.file),
    }
}

fn similar<'a>(name: &str, names: impl Iterator<Item = &'a String>) -> Option<String> {
    let likeness = |other: &String| (strsim::jaro_winkler(name, other) * 1000.0) as usize;
    names.filter(|other| likeness(other) > 800).max_by_key(|other| likeness(other)).cloned()
}

/// The names on one side: the compared ones, and all of them.
struct Listed {
    compared: Vec<String>,
    all: Vec<String>,
}

impl Listed {
    fn compared(&self) -> BTreeSet<&str> {
        self.compared.iter().map(String::as_str).collect()
    }

    fn left_out(&self) -> BTreeSet<&str> {
        let compared = self.compared();
        self.all.iter().map(String::as_str).filter(|name| !compared.contains(name)).collect()
    }
}

/// What a `--rename` names.
#[derive(Debug)]
enum Flag<'a> {
    Table { text: &'a str, old: &'a str, new: &'a str },
    Column { text: &'a str, old_table: &'a str, old: &'a str, table: &'a str, new: &'a str },
}

fn unknown(text: &str, what: String) -> Error {
    Error::new(format!("--rename {text}: {what}")).hint(
        "the form is `old:new` for tables, `table.old:table.new` for columns, with the names in \
         the database",
    )
}

impl<'a> Flag<'a> {
    fn parse(text: &'a str, sides: &Sides<'_>) -> Result<Flag<'a>> {
        let Sides { from, to, all_from, all_to, .. } = *sides;
        if let Some(flag) = Flag::find(text, from, to) {
            return Ok(flag);
        }
        if Flag::find(text, all_from, all_to).is_some() {
            let what = "`include` or `exclude` leaves one of them out of the comparison, so it \
                        can't be renamed";
            return Err(Error::new(format!("--rename {text}: {what}")).hint(
                "have `include` and `exclude` in dbmigrate.toml cover it, or rename it by hand",
            ));
        }
        let (old, new) =
            splits(text).next().ok_or_else(|| unknown(text, "it has no `:`".to_owned()))?;
        Err(unknown(
            text,
            match (old.split_once('.'), new.split_once('.')) {
                (None, None) if from.table(old).is_none() => {
                    format!("the migrations have no table `{old}`")
                }
                (None, None) => format!("`{new}` is not a new table of the models"),
                (Some(_), Some(_)) => {
                    let has = to.tables.values().any(|table| column_of(table, new).is_some());
                    if has {
                        format!("the migrations have no column `{old}`")
                    } else {
                        format!("the models have no column `{new}`")
                    }
                }
                _ => "one side is a table, the other a column".to_owned(),
            },
        ))
    }

    /// What the flag names in these schemas. A name may contain any character, so the split that
    /// names something existing is the intended one.
    fn find(text: &'a str, from: &Schema, to: &Schema) -> Option<Flag<'a>> {
        splits(text).find_map(|(old, new)| {
            if from.table(old).is_some() && to.table(new).is_some() {
                return Some(Flag::Table { text, old, new });
            }
            let (table, new) = to.tables.values().find_map(|table| column_of(table, new))?;
            let (old_table, old) = split_column(old, from)?;
            Some(Flag::Column { text, old_table, old, table, new })
        })
    }

    fn table(&self) -> Option<Declared> {
        match self {
            Flag::Table { text, old, new } => Some(Declared::by_flag(text, old, new)),
            Flag::Column { .. } => None,
        }
    }

    fn column(&self, of: &str) -> Option<Declared> {
        match self {
            Flag::Column { text, old, table, new, .. } if *table == of => {
                Some(Declared::by_flag(text, old, new))
            }
            _ => None,
        }
    }

    /// Checks that a column's old table is the same as its new table, before or after the table's
    /// own rename.
    fn check_column(&self, from: &Schema, olds: &BTreeMap<&str, &str>) -> Result<()> {
        let Flag::Column { text, old_table, old, table, .. } = self else { return Ok(()) };
        let was = olds.get(table).copied();
        let has = was.and_then(|was| from.table(was)?.find_column(old)).is_some();
        if has && (was == Some(*old_table) || table == old_table) {
            return Ok(());
        }
        Err(unknown(text, format!("the migrations have no column `{old_table}.{old}`")))
    }
}

/// All ways to split a text at a colon.
fn splits(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices(':').map(|(at, _)| (&text[..at], &text[at + 1..]))
}

/// The table and the column of `table.column`, if the column is in that table.
fn column_of<'a>(table: &Table, text: &'a str) -> Option<(&'a str, &'a str)> {
    let column = text.strip_prefix(table.name.as_str())?.strip_prefix('.')?;
    table.find_column(column)?;
    Some((&text[..table.name.len()], column))
}

/// The same if the text may contain the table's new name.
fn split_column<'a>(text: &'a str, from: &Schema) -> Option<(&'a str, &'a str)> {
    let is_column =
        |column: &str| from.tables.values().any(|table| table.find_column(column).is_some());
    let mut splits = text.match_indices('.').map(|(at, _)| (&text[..at], &text[at + 1..]));
    splits.find(|(_, column)| is_column(column))
}
