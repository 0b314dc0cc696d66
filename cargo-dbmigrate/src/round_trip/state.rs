//! What a database contains at one point: its schema, and the rows of some tables.

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::dialect::{Catalog, Comparing, ObjectKind};
use dbmigrate_runtime::engine::driver::{DatabaseError, Driver};

/// How many rows of a table are shown.
const SHOWN: usize = 3;

/// How long a value is shown.
const WIDTH: usize = 60;

/// What was read of a database.
pub struct State {
    catalog: Catalog,
    comparing: Comparing,
    rows: BTreeMap<String, Rows>,
}

/// The rows of a table.
struct Rows {
    columns: Vec<String>,
    /// The columns of its primary key.
    key: Vec<String>,
    rows: Vec<Vec<Value>>,
}

/// What is read, and what is not compared.
#[derive(Debug, Default)]
pub struct Scope {
    /// This tool's own tables.
    pub own: BTreeSet<String>,
    /// Tables in other schemas that the history names.
    pub elsewhere: BTreeSet<String>,
}

impl State {
    /// Reads a database, with the rows of these tables; of all without any.
    ///
    /// # Errors
    ///
    /// The database's errors.
    pub fn read(
        driver: &mut dyn Driver,
        scope: &Scope,
        tables: Option<&BTreeSet<String>>,
    ) -> Result<State, DatabaseError> {
        let conn = driver.as_connection();
        let mut catalog = conn.catalog_with(None, &scope.elsewhere)?;
        let comparing = conn.dialect().comparing(&conn.facts()?);
        let is_own =
            |name: &str| scope.own.iter().any(|own| comparing.folding.same_table(own, name));
        catalog.schema.tables.retain(|name, _| !is_own(name));
        let mut rows = BTreeMap::new();
        for table in catalog.schema.tables.values() {
            let is_wanted = |name: &String| comparing.folding.same_table(name, &table.name);
            if tables.is_some_and(|tables| !tables.iter().any(is_wanted)) {
                continue;
            }
            let columns: Vec<String> =
                table.columns.iter().map(|column| column.name.clone()).collect();
            if columns.is_empty() {
                continue;
            }
            let sql = super::fill::query_of(conn.dialect(), &table.name, &columns);
            let found = conn.query(&sql, &[])?.rows;
            let key = table.primary_key.iter().flat_map(|key| key.columns.clone()).collect();
            rows.insert(table.name.clone(), Rows { columns, key, rows: found });
        }
        Ok(State { catalog, comparing, rows })
    }

    /// How many rows were read.
    pub fn n_rows(&self) -> usize {
        self.rows.values().map(|rows| rows.rows.len()).sum()
    }

    /// How the schema of another state differs from this one, in words.
    pub fn schema_differences(&self, other: &State) -> Vec<String> {
        let (before, after) = (&self.catalog.schema.tables, &other.catalog.schema.tables);
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let mut differences = Vec::new();
        for name in names {
            match (before.get(name), after.get(name)) {
                (Some(before), Some(after)) => {
                    let found = self.comparing.differences(before, after);
                    differences.extend(found.iter().map(ToString::to_string));
                }
                (Some(_), None) => differences.push(format!("table `{name}` is gone")),
                (None, _) => differences.push(format!("table `{name}` is left")),
            }
        }
        let (before, after) = (self.objects(), other.objects());
        let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        for key @ (kind, name) in keys {
            let what = match (before.get(key), after.get(key)) {
                (Some(before), Some(after)) if before == after => continue,
                (Some(_), Some(_)) => "is another",
                (Some(_), None) => "is gone",
                (None, _) => "is left",
            };
            differences.push(format!("{kind} `{name}` {what}"));
        }
        differences
    }

    /// Views and the like, each with its tokens: a rename puts names into quotes.
    fn objects(&self) -> BTreeMap<(ObjectKind, String), Vec<String>> {
        let others = self.catalog.others.iter();
        let others = others.filter(|other| other.kind != ObjectKind::ShadowTable);
        let text = |kind: ObjectKind, name: &str| {
            let mut objects = self.catalog.objects.iter();
            let object = objects.find(|object| object.kind == kind && object.name == name);
            let sql = object.and_then(|object| object.sql.as_deref()).unwrap_or_default();
            let tokens = self.comparing.lexicon.significant(sql);
            let token = tokens.iter().map(|token| match token.identifier() {
                Some(name) => name.to_lowercase(),
                None => token.text.to_owned(),
            });
            token.collect()
        };
        others
            .map(|other| ((other.kind, other.name.clone()), text(other.kind, &other.name)))
            .collect()
    }

    /// How the rows of another state differ from those of this one, in words. Tables and columns
    /// that are not to be compared are left out.
    pub fn row_differences(&self, other: &State, lost: &Lost) -> Vec<String> {
        let mut differences = Vec::new();
        for (name, before) in &self.rows {
            let Some(after) = other.rows.get(name) else { continue };
            if !lost.tables.contains(name) {
                let has_key = !before.key.is_empty();
                let has = |columns: &BTreeSet<(String, String)>, column: &str| {
                    columns.contains(&(name.clone(), column.to_owned()))
                };
                // Without a key, rows are found only by their values.
                let is_lost = |column: &str| {
                    has(&lost.columns, column) || (!has_key && has(&lost.nulls, column))
                };
                let loses_null = |column: &str| has(&lost.nulls, column);
                differences.extend(before.differences(after, name, (&is_lost, &loses_null)));
            }
        }
        differences
    }
}

/// What a direction of a revision discards, so that the other one can't bring it back.
#[derive(Debug, Default)]
pub struct Lost {
    pub tables: BTreeSet<String>,
    pub columns: BTreeSet<(String, String)>,
    /// Columns in which a value replaces NULL.
    pub nulls: BTreeSet<(String, String)>,
}

/// Answers a question about a column, given its name.
type OfColumn<'a> = &'a dyn Fn(&str) -> bool;

impl Rows {
    fn differences(
        &self,
        other: &Rows,
        table: &str,
        (lost, loses_null): (OfColumn<'_>, OfColumn<'_>),
    ) -> Vec<String> {
        let columns: Vec<&String> = self.columns.iter().filter(|column| !lost(column)).collect();
        let columns: Vec<&String> =
            columns.into_iter().filter(|column| other.columns.contains(column)).collect();
        let (mut before, mut after) = (self.only(&columns), other.only(&columns));
        remove_equal(&mut before, &mut after);
        let key: Vec<usize> = (self.key.iter())
            .filter_map(|name| columns.iter().position(|one| *one == name))
            .collect();
        let has_key = !key.is_empty() && key.len() == self.key.len();
        let key_of = |row: &Vec<Value>| {
            let values: Vec<&Value> = key.iter().map(|idx| &row[*idx]).collect();
            format!("{values:?}")
        };
        let mut now: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        if has_key {
            now.extend(after.iter().map(|row| (key_of(row), row.clone())));
        }
        let all: Vec<usize> = (0..columns.len()).collect();
        let mut lines = Vec::new();
        for row in &before {
            let Some(now) = now.remove(&key_of(row)) else {
                let row = named(&columns, row, if has_key { &key } else { &all });
                lines.push(format!("table `{table}` has lost a row: {row}"));
                continue;
            };
            let is_changed = |idx: &&usize| {
                let (was, is) = (&row[**idx], &now[**idx]);
                let is_lost = *was == Value::Null && loses_null(columns[**idx]);
                !is_lost && !is_equal(was, is)
            };
            let changed = all.iter().filter(is_changed).map(|idx| {
                let (was, is) = (short(&row[*idx]), short(&now[*idx]));
                format!("`{}` was {was} and is {is}", columns[*idx])
            });
            let changed: Vec<String> = changed.collect();
            if changed.is_empty() {
                continue;
            }
            let row = named(&columns, row, &key);
            lines.push(format!("table `{table}`, row {row}: {}", changed.join(", ")));
        }
        let extra = after.iter().filter(|row| !has_key || now.contains_key(&key_of(row)));
        for row in extra {
            let row = named(&columns, row, if has_key { &key } else { &all });
            lines.push(format!("table `{table}` has one row more: {row}"));
        }
        let n_more = lines.len().saturating_sub(SHOWN);
        lines.truncate(SHOWN);
        if n_more > 0 {
            lines.push(format!("table `{table}`: {n_more} more rows differ"));
        }
        lines
    }

    /// The rows with only these columns.
    fn only(&self, columns: &[&String]) -> Vec<Vec<Value>> {
        let places: Vec<usize> = columns
            .iter()
            .filter_map(|name| self.columns.iter().position(|one| one == *name))
            .collect();
        let only = |row: &Vec<Value>| places.iter().map(|idx| row[*idx].clone()).collect();
        self.rows.iter().map(only).collect()
    }
}

/// Removes the rows that are in both, as often as they are.
fn remove_equal(before: &mut Vec<Vec<Value>>, after: &mut Vec<Vec<Value>>) {
    let text = |row: &Vec<Value>| format!("{row:?}");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    after.iter().for_each(|row| *counts.entry(text(row)).or_default() += 1);
    let mut same: BTreeMap<String, usize> = BTreeMap::new();
    let mut is_new = |row: &Vec<Value>| {
        let text = text(row);
        match counts.get_mut(&text).filter(|n| **n > 0) {
            Some(n) => {
                *n -= 1;
                *same.entry(text).or_default() += 1;
                false
            }
            None => true,
        }
    };
    before.retain(|row| is_new(row));
    after.retain(|row| match same.get_mut(&text(row)).filter(|n| **n > 0) {
        Some(n) => {
            *n -= 1;
            false
        }
        None => true,
    });
}

/// Whether two values are the same, also if they are no numbers.
fn is_equal(one: &Value, other: &Value) -> bool {
    format!("{one:?}") == format!("{other:?}")
}

/// Some values of a row, with the names of their columns.
fn named(columns: &[&String], row: &[Value], places: &[usize]) -> String {
    let values = places.iter().map(|idx| format!("`{}` = {}", columns[*idx], short(&row[*idx])));
    values.collect::<Vec<_>>().join(", ")
}

/// A value, cut where it is long.
fn short(value: &Value) -> String {
    let text = value.to_string().replace(char::is_control, " ");
    match text.char_indices().nth(WIDTH) {
        None => text,
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}
