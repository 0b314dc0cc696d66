//! What a run did is compared with what its operations say, before it is committed.
//!
//! Only what this run's own operations touched is compared, and what was different before stays
//! out of it. Objects that SQL of a person or a step changed are left out from there on.

use std::collections::{BTreeMap, BTreeSet};

use crate::Error;
use crate::dialect::{Facts, StoredObject};
use crate::drift::{Difference, differences};
use crate::driver::{Broken, DatabaseError, Driver, Violation};
use crate::operations::Operation;
use crate::schema::Schema;

/// The state of the tables that a run touches, followed through its operations.
pub(super) struct Verification {
    facts: Facts,
    /// The tables touched, as the operations so far make them.
    expected: Schema,
    /// Their names at the beginning, and now.
    names: BTreeSet<String>,
    /// What was different before, by today's names.
    before: Vec<Difference>,
    broken: Vec<Broken>,
    /// Views and triggers with what they are on and their texts.
    others: BTreeMap<(String, String), (String, String)>,
    /// Tables that opaque work has changed, in lower case.
    left_out: BTreeSet<String>,
    renames: Vec<(String, String)>,
    /// Whether texts of other objects may change along.
    has_renamed: bool,
    /// The objects before opaque work.
    snapshot: Vec<StoredObject>,
    is_on: bool,
}

fn failed(err: DatabaseError) -> Error {
    Error::database("compare the database with the revisions", err)
}

impl Verification {
    /// Compares nothing.
    pub(super) fn none() -> Verification {
        Verification {
            facts: Facts { version: 0, objects: None },
            expected: Schema::default(),
            names: BTreeSet::new(),
            before: Vec::new(),
            broken: Vec::new(),
            others: BTreeMap::new(),
            left_out: BTreeSet::new(),
            renames: Vec::new(),
            has_renamed: false,
            snapshot: Vec::new(),
            is_on: false,
        }
    }

    /// Looks at the tables that the operations touch, before they run.
    pub(super) fn begin<'a>(
        driver: &mut dyn Driver,
        facts: Facts,
        schema: &Schema,
        operations: impl Iterator<Item = &'a Operation>,
    ) -> Result<Verification, Error> {
        let names: BTreeSet<String> = operations.flat_map(tables).map(str::to_owned).collect();
        let there = names.iter().filter_map(|it| schema.table(it)).cloned();
        let mut verification = Verification {
            facts,
            expected: Schema::from_tables(there),
            names,
            ..Verification::none()
        };
        verification.is_on = !verification.names.is_empty();
        if !verification.is_on {
            return Ok(verification);
        }
        let objects = driver.objects().map_err(failed)?;
        let hides = |it: &&StoredObject| {
            let is_it = |name: &String| name.eq_ignore_ascii_case(&it.name);
            it.temporary && it.kind != "trigger" && verification.names.iter().any(is_it)
        };
        if let Some(it) = objects.iter().find(hides) {
            return Err(Error::hidden(&it.name));
        }
        verification.before = verification.differences(driver)?;
        verification.broken = driver.broken(&verification.names).map_err(failed)?;
        verification.others = others(&objects);
        Ok(verification)
    }

    fn differences(&self, driver: &mut dyn Driver) -> Result<Vec<Difference>, Error> {
        let found = driver.introspect(Some(&self.names)).map_err(failed)?;
        let mut different = Vec::new();
        for name in self.names.iter().filter(|it| !self.is_left_out(it)) {
            let is_it = |it: &&String| it.eq_ignore_ascii_case(name);
            let actual = found.schema.tables.keys().find(is_it).map(|it| &found.schema.tables[it]);
            match (self.expected.table(name), actual) {
                (Some(expected), Some(actual)) => {
                    let stored = driver.dialect().as_stored(expected, &self.facts);
                    let Ok(expected) = stored else { continue };
                    different.extend(differences(&expected, actual));
                }
                (Some(_), None) => different.push(whole(name, "is missing from the database")),
                // Of another letter case it may be the table under its new name.
                (None, Some(_)) if self.expected.tables.keys().any(|it| is_it(&it)) => {}
                (None, Some(_)) => different.push(whole(name, "is still in the database")),
                (None, None) => {}
            }
        }
        Ok(different)
    }

    /// Follows operations that were run.
    pub(super) fn operations(&mut self, operations: &[Operation]) {
        if !self.is_on {
            return;
        }
        for operation in operations {
            match operation {
                Operation::RenameTable { from, to } => {
                    self.has_renamed = true;
                    self.renames.push((from.clone(), to.clone()));
                    for it in &mut self.before {
                        rename(it, from, to);
                        if it.table == *from {
                            to.clone_into(&mut it.table);
                        }
                    }
                    if self.is_left_out(from) {
                        self.leave_out([to.as_str()].into_iter());
                    }
                }
                Operation::RenameColumn { table, from, to } => {
                    self.has_renamed = true;
                    for it in &mut self.before {
                        let is_it = it.table == *table || it.object.contains(&ticked(table));
                        if is_it {
                            rename(it, from, to);
                        }
                        if it.table == *table && it.column.as_ref() == Some(from) {
                            it.column = Some(to.clone());
                        }
                    }
                }
                // What SQL says of itself is not held against it.
                Operation::Execute(it) => {
                    self.leave_out(it.describes.iter().flat_map(tables));
                }
                _ => {}
            }
            // What doesn't fit was an error when it was planned.
            let _ = operation.apply(&mut self.expected);
        }
    }

    fn leave_out<'a>(&mut self, tables: impl Iterator<Item = &'a str>) {
        self.left_out.extend(tables.map(str::to_ascii_lowercase));
    }

    fn is_left_out(&self, table: &str) -> bool {
        self.left_out.contains(&table.to_ascii_lowercase())
    }

    pub(super) fn before_opaque(&mut self, driver: &mut dyn Driver) -> Result<(), Error> {
        if self.is_on {
            self.snapshot = driver.objects().map_err(failed)?;
        }
        Ok(())
    }

    pub(super) fn after_opaque(&mut self, driver: &mut dyn Driver) -> Result<(), Error> {
        if !self.is_on {
            return Ok(());
        }
        let objects = driver.objects().map_err(failed)?;
        if objects == self.snapshot {
            return Ok(());
        }
        let changed = |one: &[StoredObject], other: &[StoredObject]| {
            let gone = one.iter().filter(|it| !other.contains(it));
            gone.map(|it| it.table.clone()).collect::<Vec<_>>()
        };
        let (gone, new) = (changed(&self.snapshot, &objects), changed(&objects, &self.snapshot));
        self.leave_out(gone.iter().chain(&new).map(String::as_str));
        self.others = others(&objects);
        Ok(())
    }

    /// Violations that were there before, by today's names of their tables.
    pub(super) fn renamed(&self, mut violations: Vec<Violation>) -> Vec<Violation> {
        for (from, to) in &self.renames {
            for it in &mut violations {
                for name in [&mut it.table, &mut it.references] {
                    if name == from {
                        to.clone_into(name);
                    }
                }
            }
        }
        violations
    }

    /// Compares, after all operations.
    pub(super) fn end(&self, driver: &mut dyn Driver) -> Result<(), Error> {
        if !self.is_on {
            return Ok(());
        }
        let mut new: Vec<String> = self
            .differences(driver)?
            .into_iter()
            .filter(|it| !self.before.contains(it))
            .map(|it| it.to_string())
            .collect();
        let broken = driver.broken(&self.names).map_err(failed)?;
        let was = |it: &Broken| {
            self.broken.iter().any(|was| (&was.kind, &was.name) == (&it.kind, &it.name))
        };
        let broken: Vec<_> = broken.into_iter().filter(|it| !was(it)).collect();
        if !broken.is_empty() {
            return Err(Error::broken(&broken));
        }
        let others = others(&driver.objects().map_err(failed)?);
        for ((kind, name), (table, text)) in &self.others {
            let is_dropped = self.names.contains(table) && self.expected.table(table).is_none();
            match others.get(&(kind.clone(), name.clone())) {
                Some((_, now)) if self.has_renamed || now == text => {}
                Some(_) => new.push(format!("{kind} `{name}` is not what it was")),
                None if is_dropped => {}
                None => new.push(format!("{kind} `{name}` is gone")),
            }
        }
        if new.is_empty() { Ok(()) } else { Err(Error::verification(&new)) }
    }
}

fn ticked(name: &str) -> String {
    format!("`{name}`")
}

/// Renames what a difference says in words.
fn rename(difference: &mut Difference, from: &str, to: &str) {
    let (from, to) = (ticked(from), ticked(to));
    difference.object = difference.object.replace(&from, &to);
    difference.text = difference.text.replace(&from, &to);
}

fn whole(table: &str, text: &str) -> Difference {
    let (object, text) = (String::new(), text.to_owned());
    Difference { table: table.to_owned(), column: None, object, text }
}

fn others(objects: &[StoredObject]) -> BTreeMap<(String, String), (String, String)> {
    let others = objects.iter().filter(|it| it.kind == "view" || it.kind == "trigger");
    let entry = |it: &StoredObject| {
        let text = it.sql.clone().unwrap_or_default();
        ((it.kind.clone(), it.name.clone()), (it.table.clone(), text))
    };
    others.map(entry).collect()
}

/// The tables that an operation names as its own.
fn tables(operation: &Operation) -> Vec<&str> {
    match operation {
        Operation::CreateTable(it) => vec![&it.name],
        Operation::RenameTable { from, to } => vec![from, to],
        Operation::DropTable { table }
        | Operation::AlterTable { table, .. }
        | Operation::AddColumn { table, .. }
        | Operation::DropColumn { table, .. }
        | Operation::AlterColumn { table, .. }
        | Operation::RenameColumn { table, .. }
        | Operation::AddPrimaryKey { table, .. }
        | Operation::DropPrimaryKey { table, .. }
        | Operation::AddUnique { table, .. }
        | Operation::DropUnique { table, .. }
        | Operation::AddForeignKey { table, .. }
        | Operation::DropForeignKey { table, .. }
        | Operation::AddCheck { table, .. }
        | Operation::DropCheck { table, .. }
        | Operation::CreateIndex { table, .. }
        | Operation::DropIndex { table, .. }
        | Operation::RenameIndex { table, .. } => vec![table],
        Operation::Execute(_) | Operation::BulkInsert { .. } | Operation::Run(_) => Vec::new(),
    }
}
