//! Compares the result of a run with its operations, before the commit.
//!
//! Only what this run's own operations touched is compared, and differences that existed before the
//! run are ignored. Objects that hand-written SQL or a step changed are not compared from then on.

use std::collections::{BTreeMap, BTreeSet};

use crate::Error;
use crate::dialect::{
    Broken, Catalog, Comparing, Dialect, Existing, Facts, Health, Object, ObjectKind, Shadow,
    Violation, ViolationKind,
};
use crate::drift::{Difference, DifferenceKind};
use crate::driver::{Connection, DatabaseError};
use crate::operations::Operation;
use crate::schema::{Schema, Table};

/// Refuses to run operations on a connection whose temporary tables hide theirs. `existing` is what
/// was read for them.
pub(super) fn unhidden(
    conn: &mut dyn Connection,
    schema: &Schema,
    operations: &[Operation],
    existing: &Existing,
) -> Result<(), Error> {
    let renames = operations.iter().any(|operation| {
        let is_rename = |operation: &Operation| matches!(operation, Operation::RenameTable { .. });
        operation.as_described().iter().any(is_rename)
    });
    // Otherwise a definition may be that of a table which has this name only afterwards.
    let definitions = if renames { &[] } else { existing.definitions.as_slice() };
    let definition = |table: &String| {
        definitions.iter().find(|(name, _)| name == table).map(|(_, sql)| sql.clone())
    };
    let names = operations.iter().flat_map(Operation::tables);
    let names: BTreeSet<String> =
        names.filter(|name| schema.table(name).is_some()).map(str::to_owned).collect();
    let of_name = |name: &String| Object {
        kind: ObjectKind::Table,
        name: name.clone(),
        table: name.clone(),
        sql: definition(name),
        temporary: false,
    };
    let objects: Vec<Object> = names.iter().map(of_name).collect();
    match conn.dialect().shadow(conn, &names, schema, &objects).map_err(failed)? {
        Some(Shadow::Temporary(name)) => Err(Error::hidden(&name)),
        Some(Shadow::Elsewhere { table, place }) => Err(Error::elsewhere(&table, &place)),
        None => Ok(()),
    }
}

/// Identifies an object: its kind, its name, and whether it is temporary.
type Key = (ObjectKind, String, bool);

/// The tables that a run touches, followed through its operations.
pub(super) struct Verification {
    dialect: &'static dyn Dialect,
    comparing: Comparing,
    /// The touched tables, as the operations so far define them.
    expected: Schema,
    /// Their names at the start, in between, and now.
    names: BTreeSet<String>,
    /// The tables that are in a schema of their own choice, which foreign keys may refer to.
    elsewhere: BTreeSet<String>,
    /// The names, folded.
    touched: BTreeSet<String>,
    /// The differences before the run, under the tables' current names.
    before: Vec<Difference>,
    health: Health,
    /// The objects that a run leaves unchanged: views, triggers, and tables that it doesn't touch.
    others: BTreeMap<Key, Object>,
    /// Tables that opaque work changed, folded.
    left_out: BTreeSet<String>,
    /// Tables that are dropped, folded.
    dropped: BTreeSet<String>,
    renames: Vec<(String, String)>,
    /// Tables whose rows may have been renumbered, folded.
    renumbered: BTreeSet<String>,
    /// Whether the texts of other objects may change because something was renamed.
    has_renamed: bool,
    /// The objects before opaque work.
    snapshot: Vec<Object>,
    snapshot_version: Option<i64>,
}

fn failed(err: DatabaseError) -> Error {
    Error::database("compare the database with the revisions", err)
}

impl Verification {
    /// A verification that compares nothing.
    pub(super) fn none(dialect: &'static dyn Dialect, facts: &Facts) -> Verification {
        Verification {
            dialect,
            comparing: dialect.comparing(facts),
            expected: Schema::default(),
            names: BTreeSet::new(),
            elsewhere: BTreeSet::new(),
            touched: BTreeSet::new(),
            before: Vec::new(),
            health: Health::default(),
            others: BTreeMap::new(),
            left_out: BTreeSet::new(),
            dropped: BTreeSet::new(),
            renames: Vec::new(),
            renumbered: BTreeSet::new(),
            has_renamed: false,
            snapshot: Vec::new(),
            snapshot_version: None,
        }
    }

    /// Whether anything is compared.
    fn compares(&self) -> bool {
        !self.names.is_empty()
    }

    /// A table's folded name.
    fn folded(&self, table: &str) -> String {
        self.comparing.folding.folded_table(table)
    }

    /// Reads the tables that the operations will touch, before they run.
    pub(super) fn begin<'a>(
        conn: &mut dyn Connection,
        facts: &Facts,
        schema: &Schema,
        operations: impl Iterator<Item = &'a Operation>,
    ) -> Result<Verification, Error> {
        let names: BTreeSet<String> =
            operations.flat_map(Operation::tables).map(str::to_owned).collect();
        let dialect = conn.dialect();
        let comparing = dialect.comparing(facts);
        let health = super::health(conn, &names)?;
        if names.is_empty() {
            return Ok(Verification { health, ..Verification::none(dialect, facts) });
        }
        let elsewhere = schema.qualified().map(str::to_owned).collect();
        let found = conn.catalog_with(Some(&names), &elsewhere).map_err(failed)?;
        match dialect.shadow(conn, &names, schema, &found.objects).map_err(failed)? {
            Some(Shadow::Temporary(name)) => return Err(Error::hidden(&name)),
            Some(Shadow::Elsewhere { table, place }) => {
                return Err(Error::elsewhere(&table, &place));
            }
            None => {}
        }
        let none = Verification::none(dialect, facts);
        let there = names.iter().filter_map(|name| schema.table(name)).cloned();
        let mut verification = Verification {
            health,
            expected: Schema::from_tables(there),
            touched: names.iter().map(|name| comparing.folding.folded_table(name)).collect(),
            names,
            elsewhere,
            ..none
        };
        verification.before = verification.differences(conn, &found)?;
        verification.others = verification.others(dialect, &found.objects);
        Ok(verification)
    }

    fn differences(
        &self,
        conn: &mut dyn Connection,
        found: &Catalog,
    ) -> Result<Vec<Difference>, Error> {
        if !self.compares() {
            return Ok(Vec::new());
        }
        let folded = |name: &str| self.folded(name);
        let actual: BTreeMap<String, &Table> =
            found.schema.tables.values().map(|table| (folded(&table.name), table)).collect();
        let expected: BTreeSet<String> =
            self.expected.tables.keys().map(|name| folded(name)).collect();
        let compared = || self.names.iter().filter(|name| !self.left_out.contains(&folded(name)));
        let both = |name: &String| {
            let expected = self.expected.table(name)?;
            Some((expected, actual.get(&folded(name)).copied()?))
        };
        let asked: Vec<_> =
            compared().filter_map(both).map(|(table, actual)| (table, Some(actual))).collect();
        let kept = conn.all_as_kept(&asked).map_err(failed)?;
        let mut kept = kept.into_iter();
        let mut different = Vec::new();
        for name in compared() {
            match (self.expected.table(name), actual.get(&folded(name))) {
                (Some(_), Some(actual)) => {
                    let Some(Ok(expected)) = kept.next() else { continue };
                    different.extend(self.comparing.differences(&expected.table, actual));
                }
                (Some(_), None) => {
                    different.push(match found.why_unreadable(name, self.comparing.folding) {
                        Some(why) => Difference::unreadable(name, why),
                        None => Difference::missing(name),
                    });
                }
                // If only the letter case differs, this may be the table under its new name.
                (None, Some(_)) if expected.contains(&folded(name)) => {}
                (None, Some(_)) => {
                    different.push(Difference::of_table(name, DifferenceKind::StillThere));
                }
                (None, None) => {}
            }
        }
        Ok(different)
    }

    /// Takes into account operations that were run.
    pub(super) fn operations(&mut self, operations: &[Operation]) {
        let folding = self.comparing.folding;
        for operation in operations {
            operation.as_described().iter().for_each(|operation| self.rows(operation));
            if !self.compares() {
                continue;
            }
            match operation {
                Operation::RenameTable { from, to } => {
                    self.has_renamed = true;
                    self.before.iter_mut().filter(|difference| difference.table == *from).for_each(
                        |difference| {
                            to.clone_into(&mut difference.table);
                        },
                    );
                    if self.left_out.contains(&folding.folded_table(from)) {
                        self.left_out.insert(folding.folded_table(to));
                    }
                }
                Operation::RenameColumn { table, from, to } => {
                    self.has_renamed = true;
                    let of_table =
                        self.before.iter_mut().filter(|difference| difference.table == *table);
                    of_table.for_each(|difference| difference.rename_column(from, to));
                }
                Operation::DropTable { table } => {
                    self.dropped.insert(folding.folded_table(table));
                }
                // What SQL declares about itself is not enforced.
                Operation::Execute(operation) => {
                    let described = operation.describes.iter().flat_map(Operation::tables);
                    self.left_out.extend(described.map(|name| folding.folded_table(name)));
                }
                Operation::CreateTable(_)
                | Operation::AlterTable { .. }
                | Operation::AddColumn { .. }
                | Operation::DropColumn { .. }
                | Operation::AlterColumn { .. }
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
            // An operation that doesn't fit was already reported when it was planned.
            let _ = operation.apply(&mut self.expected);
        }
    }

    /// Follows the names of tables and the numbers of their rows.
    fn rows(&mut self, operation: &Operation) {
        if let Operation::RenameTable { from, to } = operation {
            self.renames.push((from.clone(), to.clone()));
            if self.renumbered.contains(&self.folded(from)) {
                self.renumbered.insert(self.folded(to));
            }
        }
        if self.dialect.renumbers_rows(operation, &self.expected) {
            let tables: Vec<String> =
                operation.tables().into_iter().map(|name| self.folded(name)).collect();
            self.renumbered.extend(tables);
        }
    }

    /// Whether opaque work (this SQL, or a step) may change what is compared.
    fn watches(&self, sql: Option<&str>) -> bool {
        self.compares() && sql.is_none_or(|sql| self.dialect.lexicon().may_change_objects(sql))
    }

    /// Reads the current objects before opaque work: this SQL, or a step.
    pub(super) fn before_opaque(
        &mut self,
        conn: &mut dyn Connection,
        sql: Option<&str>,
    ) -> Result<(), Error> {
        if !self.watches(sql) {
            return Ok(());
        }
        let version = conn.dialect().objects_version(conn).map_err(failed)?;
        if version.is_none() || version != self.snapshot_version {
            self.snapshot = conn.objects_with(&self.names).map_err(failed)?;
            self.snapshot_version = version;
        }
        Ok(())
    }

    /// Accepts what opaque work changed as intended.
    pub(super) fn after_opaque(
        &mut self,
        conn: &mut dyn Connection,
        sql: Option<&str>,
    ) -> Result<(), Error> {
        if !self.watches(sql) {
            return Ok(());
        }
        let version = conn.dialect().objects_version(conn).map_err(failed)?;
        if version.is_some() && version == self.snapshot_version {
            return Ok(());
        }
        self.snapshot_version = version;
        let objects = conn.objects_with(&self.names).map_err(failed)?;
        let snapshot = std::mem::take(&mut self.snapshot);
        let (was, is) = (by_key(&snapshot), by_key(&objects));
        let gone = was.iter().filter(|(key, object)| is.get(*key) != Some(*object));
        let new = is.iter().filter(|(key, object)| was.get(*key) != Some(*object));
        for (key, object) in gone.chain(new) {
            // A trigger is not part of its table.
            if object.kind != ObjectKind::Trigger {
                self.left_out.insert(self.comparing.folding.folded_table(&object.table));
            }
            self.others.remove(key);
        }
        let others = self.others(conn.dialect(), &objects);
        self.others
            .extend(others.into_iter().filter(|(key, object)| was.get(key) != Some(&object)));
        self.snapshot = objects;
        Ok(())
    }

    /// Violations from before the run, under their tables' current names.
    fn renamed(&self, mut violations: Vec<Violation>) -> Vec<Violation> {
        for (from, to) in &self.renames {
            for violation in &mut violations {
                for name in [&mut violation.table, &mut violation.references] {
                    if name == from {
                        to.clone_into(name);
                    }
                }
            }
        }
        self.without_numbers(violations)
    }

    /// Violations without the row numbers that may have changed since.
    fn without_numbers(&self, mut violations: Vec<Violation>) -> Vec<Violation> {
        for Violation { table, kind, .. } in &mut violations {
            let table = self.folded(table);
            if self.renumbered.contains(&table) || self.left_out.contains(&table) {
                if let ViolationKind::Row(row) = kind {
                    *row = None;
                }
            }
        }
        violations
    }

    /// Compares, after all operations have run.
    pub(super) fn end(&self, conn: &mut dyn Connection) -> Result<(), Error> {
        let dialect = conn.dialect();
        let Health { violations, broken } = super::health(conn, &self.names)?;
        let before = self.renamed(self.health.violations.clone());
        let new = super::new_violations(before, self.without_numbers(violations));
        if !new.is_empty() {
            return Err(Error::violations(&new, None));
        }
        if !self.compares() {
            return Ok(());
        }
        let found = conn.catalog_with(Some(&self.names), &self.elsewhere).map_err(failed)?;
        let different = self.differences(conn, &found)?;
        let different = new_differences(&self.before, different, self.has_renamed);
        let mut new: Vec<String> = different.iter().map(ToString::to_string).collect();
        let was_broken = |is: &Broken| {
            self.health.broken.iter().any(|was| {
                let is_same = (was.kind, &was.name) == (is.kind, &is.name);
                // An object that works only by taking a name for a text may be broken for another
                // reason now.
                let was_worse = !was.only_by_text || is.only_by_text;
                is_same && was_worse && (self.has_renamed || was.why == is.why)
            })
        };
        let broken: Vec<_> = broken.into_iter().filter(|is| !was_broken(is)).collect();
        let others = self.others(dialect, &found.objects);
        for (key, was) in &self.others {
            let (kind, name) = (&was.kind, &was.name);
            match others.get(key) {
                Some(is) if self.has_renamed || is.sql == was.sql => {}
                Some(_) => new.push(format!("{kind} `{name}` has changed")),
                // The trigger was dropped with its table.
                None if *kind == ObjectKind::Trigger && self.is_dropped(&was.table) => {}
                None => new.push(format!("{kind} `{name}` is gone")),
            }
        }
        for other in others.iter().filter(|(key, _)| !self.others.contains_key(*key)) {
            new.push(format!(
                "{} `{}` is new, but no operation creates it",
                other.1.kind, other.1.name
            ));
        }
        if !broken.is_empty() {
            return Err(Error::broken(&broken));
        }
        if new.is_empty() { Ok(()) } else { Err(Error::verification(&new)) }
    }

    /// Whether a dropped table has or had this name.
    fn is_dropped(&self, table: &str) -> bool {
        let mut names = vec![self.folded(table)];
        for (from, to) in &self.renames {
            if names.contains(&self.folded(from)) {
                names.push(self.folded(to));
            }
        }
        names.iter().any(|name| self.dropped.contains(name))
    }

    /// Those of these objects that a run leaves unchanged, if it could change them silently.
    fn others(&self, dialect: &dyn Dialect, objects: &[Object]) -> BTreeMap<Key, Object> {
        if !dialect.capabilities().changes_others {
            return BTreeMap::new();
        }
        let is_other = |object: &&Object| match object.kind {
            ObjectKind::View | ObjectKind::Trigger => true,
            ObjectKind::Table | ObjectKind::VirtualTable | ObjectKind::ShadowTable => {
                !self.touched.contains(&self.folded(&object.name))
                    && !dialect.is_maintained(object, objects)
            }
            _ => false,
        };
        let others = objects.iter().filter(is_other);
        others.map(|object| (key(object), object.clone())).collect()
    }
}

fn key(object: &Object) -> Key {
    (object.kind, object.name.clone(), object.temporary)
}

fn by_key(objects: &[Object]) -> BTreeMap<Key, &Object> {
    objects.iter().map(|object| (key(object), object)).collect()
}

/// The differences in `after` that aren't in `before`. If something was renamed, the wording of an
/// earlier difference may have changed as well.
fn new_differences(
    before: &[Difference],
    mut after: Vec<Difference>,
    has_renamed: bool,
) -> Vec<Difference> {
    let mut gone: Vec<&Difference> = before.iter().collect();
    let mut take = |same: fn(&Difference, &Difference) -> bool| {
        after.retain(|difference| match gone.iter().position(|was| same(was, difference)) {
            Some(idx) => {
                gone.swap_remove(idx);
                false
            }
            None => true,
        });
    };
    take(|was, is| was == is);
    if has_renamed {
        take(Difference::is_like);
    }
    after
}
