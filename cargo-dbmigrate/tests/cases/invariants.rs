//! What must be true of every case, whatever it is about.

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::Value;
use dbmigrate_runtime::engine::dialect::{Dialect, Object, ObjectKind};
use dbmigrate_runtime::engine::drift::Difference;
use dbmigrate_runtime::engine::driver::AsConnection as _;
use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::sql::NEUTRAL;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{Column, Schema, Table, TableOption};

use super::state::{Rows, SQLITE, State, is_internal, words};

/// Reports a violated invariant.
pub type Broken<'a> = &'a mut dyn FnMut(String);

/// What happens to the names of tables and columns in a revision's operations.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// By the name before; `None` if it was dropped.
    tables: BTreeMap<String, Option<String>>,
    /// By table and name before; without columns that were dropped or replaced.
    columns: BTreeMap<(String, String), String>,
    /// Tables whose rows may have been renumbered, by the name before.
    rekeyed: BTreeSet<String>,
    /// Tables in which decimal numbers may be texts before and numbers after, by the name before:
    /// STRICT tables have no type for decimals.
    retyped: BTreeSet<String>,
    /// Tables that start or stop generating keys, by the name before.
    recounted: BTreeSet<String>,
    renamed: bool,
}

impl Names {
    /// Follows the operations, starting from the schema before and all existing columns.
    pub fn new(state: &State, operations: &[Operation]) -> Names {
        let mut names = Names::default();
        for (table, rows) in &state.rows {
            names.tables.insert(table.clone(), Some(table.clone()));
            for column in &rows.columns {
                names.columns.insert((table.clone(), column.clone()), column.clone());
            }
        }
        operations.iter().for_each(|operation| names.follow(operation));
        names
    }

    fn follow(&mut self, operation: &Operation) {
        match operation {
            Operation::DropTable { table } => {
                if let Some(was) = self.was(table) {
                    self.columns.retain(|(column, _), _| *column != was);
                    self.tables.insert(was, None);
                }
            }
            Operation::RenameTable { from, to } => {
                self.renamed = true;
                if let Some(was) = self.was(from) {
                    self.tables.insert(was, Some(to.clone()));
                }
            }
            Operation::RenameColumn { table, from, to } => {
                self.renamed = true;
                if let Some(key) = self.column(table, from) {
                    self.columns.insert(key, to.clone());
                }
            }
            Operation::DropColumn { table, column } => {
                if let Some(key) = self.column(table, column) {
                    self.columns.remove(&key);
                }
            }
            Operation::AlterColumn { table, column, change } => {
                let is_other = change.fill.is_some()
                    || change.ty.is_some()
                    || change.using.is_some()
                    || change.generated.is_some();
                let key = self.column(table, column);
                if let Some(key) = key.filter(|_| is_other) {
                    self.columns.remove(&key);
                }
                // This may turn a key into an alias of the rowid.
                if change.autoincrement.is_some() || change.ty.is_some() {
                    self.recounted.extend(self.was(table));
                    self.rekeyed.extend(self.was(table));
                }
            }
            Operation::AddPrimaryKey { table, .. } | Operation::DropPrimaryKey { table, .. } => {
                let was = self.was(table);
                self.rekeyed.extend(was.clone());
                self.recounted.extend(was);
            }
            Operation::AlterTable { table, change } => {
                let was = self.was(table);
                self.rekeyed.extend(
                    was.clone().filter(|_| change.options.contains_key(&TableOption::WithoutRowid)),
                );
                self.retyped
                    .extend(was.filter(|_| change.options.contains_key(&TableOption::Strict)));
            }
            _ => {}
        }
    }

    /// The name before.
    fn was(&self, table: &str) -> Option<String> {
        let mut found = self.tables.iter();
        let is_it = |text: &String| text.eq_ignore_ascii_case(table);
        found.find(|(_, now)| now.as_ref().is_some_and(is_it)).map(|(was, _)| was.clone())
    }

    fn column(&self, table: &str, column: &str) -> Option<(String, String)> {
        let was = self.was(table)?;
        let is_it = |text: &String| text.eq_ignore_ascii_case(column);
        let mut of_table = self.columns.iter().filter(|((column, _), _)| *column == was);
        of_table.find(|(_, now)| is_it(now)).map(|(key, _)| key.clone())
    }

    /// The names after going there and back: what was kept has its old name again.
    fn there_and_back(&self) -> Names {
        let tables =
            self.tables.iter().map(|(was, now)| (was.clone(), now.as_ref().map(|_| was.clone())));
        let columns = self.columns.keys().map(|key| (key.clone(), key.1.clone()));
        Names { tables: tables.collect(), columns: columns.collect(), ..self.clone() }
    }

    /// A text with the current names of tables and columns.
    fn of_now(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (was, now) in &self.tables {
            if let Some(now) = now.as_ref().filter(|now| *now != was) {
                text = text.replace(&format!("`{was}`"), &format!("`{now}`"));
                text = text.replace(&format!("{was}:"), &format!("{now}:"));
            }
        }
        for ((_, was), now) in self.columns.iter().filter(|((_, was), now)| was != *now) {
            text = text.replace(&format!("`{was}`"), &format!("`{now}`"));
        }
        text
    }
}

/// The state before a run, and what happens to its names.
pub struct Invariants<'a> {
    pub names: &'a Names,
    pub before: &'a State,
    pub broken: Broken<'a>,
}

impl Invariants<'_> {
    /// The upgrade leads to the expected schema, and nothing else has changed.
    pub fn there(&mut self, after: &State, schemas: [&Schema; 2]) {
        let Invariants { names, before, .. } = *self;
        let drift: BTreeSet<String> =
            before.drift.iter().map(|drift| names.of_now(drift)).collect();
        for text in after.drift.difference(&drift) {
            self.broken(format!("does not lead there: {text}"));
        }
        for name in drift.difference(&after.drift).filter(|difference| is_left(names, difference)) {
            self.broken(format!("what others changed is gone: {name}"));
        }
        self.left(after);
        self.objects(after, schemas);
        self.rows(after);
    }

    /// The upgrade leads to the schema of the models, except for the names of constraints after a
    /// rename.
    pub fn models(&mut self, drift: &[Difference]) {
        let Invariants { names, before, .. } = *self;
        for name in words(drift).difference(&before.drift).filter(|_| !names.renamed) {
            self.broken(format!("does not lead to the models: {name}"));
        }
    }

    /// The downgrade restores the same objects, which work as before, and the rows that were kept.
    pub fn back(&mut self, back: &State, schema: &Schema, dialect: &'static dyn Dialect) {
        let Invariants { names, before, .. } = *self;
        let kept = |text: &&String| !matches!(names.tables.get(*text), Some(None));
        let comparing = dialect.comparing(&dialect.offline_facts());
        for name in before.found.schema.tables.keys().filter(kept) {
            let was = &before.found.schema.tables[name];
            match back.found.schema.tables.get(name) {
                None => self.broken(format!("does not lead back: table `{name}` is gone")),
                Some(now) => comparing
                    .differences(&settled(was, now, schema, dialect), now)
                    .iter()
                    .for_each(|difference| {
                        self.broken(format!("does not lead back: {name}: {difference}"))
                    }),
            }
        }
        for text in back.drift.difference(&before.drift) {
            self.broken(format!("does not lead back: {text}"));
        }
        self.left(back);
        let is_other =
            |object: &&Object| matches!(object.kind, ObjectKind::View | ObjectKind::Trigger);
        for kept in before.objects.iter().filter(is_other) {
            if matches!(names.tables.get(&kept.table), Some(None)) {
                continue;
            }
            let was = kept.sql.as_deref().unwrap_or_default();
            match back.object(kept.kind, &kept.name).and_then(|object| object.sql.as_deref()) {
                None => self
                    .broken(format!("does not lead back: {} `{}` is gone", kept.kind, kept.name)),
                Some(now) if names.renamed && NEUTRAL.same_expression(was, now) || was == now => {}
                Some(now) => self.broken(format!("does not lead back: {was}\n    is now {now}")),
            }
        }
        let names = &names.there_and_back();
        Invariants { names, before, broken: &mut *self.broken }.rows(back);
    }

    /// The run left nothing behind.
    fn left(&mut self, after: &State) {
        let before = self.before;
        let is_new = |object: &&Object| before.object(object.kind, &object.name).is_none();
        for object in after
            .objects
            .iter()
            .filter(is_new)
            .filter(|object| object.name.starts_with("dbmigrate_"))
        {
            self.broken(format!("{} `{}` is left", object.kind, object.name));
        }
        if before.settings != after.settings {
            self.broken(format!(
                "settings were {:?} and are {:?}",
                before.settings, after.settings
            ));
        }
        if before.integrity != after.integrity {
            self.broken(format!("the file is damaged: {:?}", after.integrity));
        }
        if before.violations.len() != after.violations.len() {
            self.broken(format!("rows refer to nothing: {:?}", after.violations));
        }
    }

    /// Objects that others made still exist with the same text, and nothing exists that the migrations
    /// don't build.
    fn objects(&mut self, after: &State, [was, now]: [&Schema; 2]) {
        let Invariants { names, before, .. } = *self;
        let is_ours = |schema: &Schema, object: &Object| {
            let is_it = |text: &String| text.eq_ignore_ascii_case(&object.name);
            match object.kind {
                ObjectKind::Table => schema.tables.keys().any(is_it),
                // A server has an index with the name of its constraint.
                ObjectKind::Index => schema.tables.values().any(|table| {
                    let indexes = table.indexes.iter().map(|index| &index.name);
                    let uniques = table.uniques.iter().map(|unique| &unique.name);
                    let key = table.primary_key.iter().map(|key| &key.name);
                    indexes.chain(uniques).chain(key).any(is_it)
                }),
                _ => false,
            }
        };
        for kept in before.objects.iter().filter(|object| !is_internal(&object.name)) {
            let is_gone = matches!(names.tables.get(&kept.table), Some(None));
            if is_ours(was, kept) || is_gone {
                continue;
            }
            match after.object(kept.kind, &kept.name) {
                None => self.broken(format!("{} `{}` of others is gone", kept.kind, kept.name)),
                Some(now) if names.renamed || kept.sql == now.sql => {}
                Some(now) => self.broken(format!("{:?}\n    is now {:?}", kept.sql, now.sql)),
            }
        }
        for object in after.objects.iter().filter(|object| !is_internal(&object.name)) {
            let was_there = before.object(object.kind, &object.name).is_some();
            if !is_ours(now, object) && !was_there {
                self.broken(format!(
                    "{} `{}` is there, and nothing made it",
                    object.kind, object.name
                ));
            }
            if is_ours(was, object) && !is_ours(now, object) {
                self.broken(format!("{} `{}` is still there", object.kind, object.name));
            }
        }
    }

    fn rows(&mut self, after: &State) {
        let Invariants { names, before, .. } = *self;
        let tables = before.rows.iter().filter(|(row, _)| !is_internal(row));
        for (name, was) in tables {
            let Some(Some(new_name)) = names.tables.get(name) else { continue };
            let found = after.rows.iter().find(|(row, _)| row.eq_ignore_ascii_case(new_name));
            let Some((_, now)) = found else {
                self.broken(format!("table `{name}` is gone"));
                continue;
            };
            let columns: Vec<(usize, usize)> = was
                .columns
                .iter()
                .enumerate()
                .filter_map(|(idx, column)| {
                    let new = names.columns.get(&(name.clone(), column.clone()))?;
                    let found =
                        now.columns.iter().position(|column| column.eq_ignore_ascii_case(new));
                    Some((idx, found?))
                })
                .collect();
            let missing = was.columns.iter().filter(|text| {
                let new = names.columns.get(&(name.clone(), (*text).clone()));
                new.is_some_and(|new| {
                    !now.columns.iter().any(|column| column.eq_ignore_ascii_case(new))
                })
            });
            missing
                .for_each(|missing| self.broken(format!("column `{missing}` of `{name}` is gone")));
            let by_number = !names.rekeyed.contains(name);
            let by = Comparison { by_number, as_numbers: names.retyped.contains(name) };
            let was = comparable(was, columns.iter().map(|column| column.0).collect(), by);
            let now = comparable(now, columns.iter().map(|column| column.1).collect(), by);
            if was != now {
                self.broken(format!("rows of `{name}` were {was:?}\n    and are {now:?}"));
            }
        }
        for (name, seq) in &before.sequence {
            let Some(Some(new_name)) = names.tables.get(name) else { continue };
            if names.recounted.contains(name) {
                continue;
            }
            if after.sequence.get(new_name).is_none_or(|sequence| sequence < seq) {
                self.broken(format!(
                    "the sequence of `{name}` was {seq} and is {:?}",
                    after.sequence
                ));
            }
        }
    }

    fn broken(&mut self, what: String) {
        (self.broken)(what);
    }
}

/// Whether a difference is about a table that still exists.
fn is_left(names: &Names, drift: &str) -> bool {
    let table = drift.split(':').next().unwrap_or_default();
    names.tables.values().flatten().any(|text| text == table)
}

/// The table with those of the other's columns that the migrations consider equal: a column that an
/// earlier version declared differently needn't be declared that way again.
fn settled(was: &Table, now: &Table, schema: &Schema, dialect: &'static dyn Dialect) -> Table {
    let mut settled = was.clone();
    let facts = SQLITE.offline_facts();
    let Some(expected) = schema.table(&was.name) else { return settled };
    if dialect != SQLITE as &dyn Dialect {
        return settled;
    }
    let mut driver = SqliteDriver::open_in_memory().unwrap();
    let mut stored = |actual: &Table| {
        let kept = driver.as_connection().as_kept(expected, Some(actual)).unwrap();
        kept.expect("it was created")
    };
    let (stored_was, stored_now) = (stored(was), stored(now));
    let comparing = SQLITE.comparing(&facts);
    let is_expected = |stored: &Table, column: &Column| {
        let expected = stored.find_column(&column.name);
        expected.is_some_and(|expected| comparing.same_column(expected, column))
    };
    for column in &mut settled.columns {
        let Some(now) = now.find_column(&column.name) else { continue };
        if is_expected(&stored_was, column) && is_expected(&stored_now, now) {
            *column = now.clone();
        }
    }
    settled
}

#[derive(Clone, Copy)]
struct Comparison {
    /// Whether rows are identified by their numbers.
    by_number: bool,
    /// Whether a text that is a number counts as that number.
    as_numbers: bool,
}

fn comparable(rows: &Rows, columns: Vec<usize>, by: Comparison) -> Vec<String> {
    let number = |value: &Value| match value {
        Value::Text(text) => text.parse::<f64>().ok(),
        Value::Integer(number) => number.to_string().parse().ok(),
        Value::Real(number) => Some(*number),
        _ => None,
    };
    let text = |value: &Value| match number(value).filter(|_| by.as_numbers) {
        Some(number) => number.to_string(),
        None => format!("{value:?}"),
    };
    let values = |row: &Vec<Value>| -> Vec<String> {
        columns.iter().map(|column| text(&row[*column])).collect()
    };
    let line = |(rowid, row): &(Option<i64>, Vec<Value>)| {
        let rowid =
            rowid.filter(|_| by.by_number).map_or(String::new(), |rowid| format!("{rowid}: "));
        rowid + &values(row).join(", ")
    };
    let mut lines: Vec<String> = rows.rows.iter().map(line).collect();
    lines.sort_unstable();
    lines
}
