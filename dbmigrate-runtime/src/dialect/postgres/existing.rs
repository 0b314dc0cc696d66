//! What statements depend on in the database itself: constraints under names that the server chose,
//! and triggers.

use std::collections::{BTreeMap, BTreeSet};

use super::text_enum;
use crate::dialect::{Existing, POSTGRES};
use crate::operations::Operation;
use crate::schema::{Check, ForeignKey, Schema, Table, Unique};

/// Which tables the operations may drop constraints of, and which of them have constraints that
/// refer to a table.
pub(super) fn of_constraints(operations: &[Operation]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut tables, mut targets) = (BTreeSet::new(), BTreeSet::new());
    for operation in operations {
        let names = operation.tables().into_iter().map(str::to_owned);
        match operation {
            Operation::DropForeignKey { .. } | Operation::DropCheck { .. } => tables.extend(names),
            Operation::DropTable { .. } => targets.extend(names),
            Operation::DropPrimaryKey { .. }
            | Operation::DropUnique { .. }
            | Operation::DropColumn { .. } => {
                tables.extend(names.clone());
                targets.extend(names);
            }
            Operation::AlterColumn { change, .. }
                if change.ty.is_some() || change.generated.is_some() =>
            {
                tables.extend(names.clone());
                targets.extend(names);
            }
            _ => {}
        }
    }
    (at_the_beginning(tables, operations), at_the_beginning(targets, operations))
}

/// Adds the names that the operations replace.
fn at_the_beginning(mut tables: BTreeSet<String>, operations: &[Operation]) -> BTreeSet<String> {
    for operation in operations.iter().rev() {
        match operation {
            Operation::RenameTable { from, to } if tables.contains(to) => {
                tables.insert(from.clone());
            }
            _ => {}
        }
    }
    tables
}

/// The tables with columns that the operations may keep from generating values.
pub(super) fn of_keys(operations: &[Operation]) -> BTreeSet<String> {
    let may_stop = |operation: &&Operation| match operation {
        Operation::AddPrimaryKey { .. } | Operation::DropPrimaryKey { .. } => true,
        Operation::AlterColumn { change, .. } => {
            change.ty.is_some() || change.identity.is_some() || change.autoincrement.is_some()
        }
        _ => false,
    };
    let tables = operations.iter().filter(may_stop).flat_map(|operation| operation.tables());
    at_the_beginning(tables.map(str::to_owned).collect(), operations)
}

/// The tables with columns that views over them may keep the operations from changing.
pub(super) fn of_views(operations: &[Operation]) -> BTreeSet<String> {
    let may_meet = |operation: &&Operation| match operation {
        Operation::DropColumn { .. } => true,
        Operation::AlterColumn { change, .. } => {
            change.ty.is_some() || change.generated.is_some() || change.collation.is_some()
        }
        _ => false,
    };
    let tables = operations.iter().filter(may_meet).flat_map(|operation| operation.tables());
    at_the_beginning(tables.map(str::to_owned).collect(), operations)
}

/// The tables with columns or keys that something else may keep the operations from changing.
pub(super) fn of_users(operations: &[Operation]) -> BTreeSet<String> {
    let is_of_key = |operation: &&Operation| matches!(operation, Operation::DropPrimaryKey { .. });
    let keys = operations.iter().filter(is_of_key).flat_map(|operation| operation.tables());
    let keys = at_the_beginning(keys.map(str::to_owned).collect(), operations);
    of_views(operations).into_iter().chain(keys).collect()
}

/// The tables whose rows the operations may update.
pub(super) fn of_rows(operations: &[Operation]) -> BTreeSet<String> {
    let updates = |operation: &&Operation| operation.row_expression().is_some();
    let tables = operations.iter().filter(updates).flat_map(|operation| operation.tables());
    at_the_beginning(tables.map(str::to_owned).collect(), operations)
}

/// For each constraint of the schema, by table and name, its name in the database, where that is
/// another one.
pub(super) fn other_names(
    schema: &Schema,
    existing: &Existing,
) -> BTreeMap<(String, String), String> {
    let mut names = BTreeMap::new();
    let Some(found) = &existing.tables else { return names };
    for table in schema.tables.values() {
        let Some(actual) = found.table(&table.name) else { continue };
        let mut add = |name: &str, other: Option<&String>| {
            if let Some(other) = other.filter(|other| *other != name) {
                names.insert((table.name.clone(), name.to_owned()), other.clone());
            }
        };
        if let (Some(key), Some(own)) = (&table.primary_key, &actual.primary_key) {
            add(&key.name, Some(&own.name).filter(|_| key.columns == own.columns));
        }
        for unique in &table.uniques {
            let same =
                |own: &Unique| Unique { name: unique.name.clone(), ..own.clone() } == *unique;
            add(&unique.name, unnamed(&unique.name, &table.uniques, &actual.uniques, same));
        }
        for key in &table.foreign_keys {
            let same =
                |own: &ForeignKey| ForeignKey { name: key.name.clone(), ..own.clone() } == *key;
            add(&key.name, unnamed(&key.name, &table.foreign_keys, &actual.foreign_keys, same));
        }
        let checks: Vec<Check> =
            table.checks.iter().cloned().chain(text_enum::checks(table)).collect();
        for check in &checks {
            let columns = mentioned(table, check);
            let same = |own: &Check| mentioned(table, own) == columns;
            add(&check.name, unnamed(&check.name, &checks, &actual.checks, same));
        }
    }
    names
}

/// The only constraint without a name in the schema that is the same as one without a counterpart
/// in the database.
fn unnamed<'a, T: Named>(
    name: &str,
    declared: &[T],
    actual: &'a [T],
    same: impl Fn(&T) -> bool,
) -> Option<&'a String> {
    if actual.iter().any(|own| own.name() == name) {
        return None;
    }
    let is_free = |own: &&T| !declared.iter().any(|other| other.name() == own.name());
    let mut found = actual.iter().filter(is_free).filter(|own| same(own));
    match (found.next(), found.next()) {
        (Some(own), None) => Some(own.name()),
        _ => None,
    }
}

/// The columns that a check mentions.
fn mentioned<'a>(table: &'a Table, check: &Check) -> Vec<&'a str> {
    let names = table.columns.iter().map(|column| column.name.as_str());
    names.filter(|name| POSTGRES.names_column(&check.expression, name)).collect()
}

trait Named {
    fn name(&self) -> &String;
}

macro_rules! named {
    ($($ty:ty),*) => {
        $(impl Named for $ty {
            fn name(&self) -> &String {
                &self.name
            }
        })*
    };
}

named!(Unique, ForeignKey, Check);
