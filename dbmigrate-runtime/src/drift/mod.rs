//! How a database's tables differ from the tables that the migrations create.
//!
//! Both sides are in the terms of one database: one side is read from it, the other is what it
//! would store if the migrations ran. So neither a different spelling nor the order of columns is a
//! difference.

mod compare;
mod difference;
mod declared;

pub use declared::Declared;
pub use difference::{Difference, DifferenceKind, Property, Subject};

use crate::dialect::{Beyond, Catalog, Comparing, ObjectKind, ObjectName, Part, PartKind};
use crate::schema::{Schema, Table};

/// The differences between a live database and its migrations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// The differences.
    pub differences: Vec<Difference>,
    /// How many tables and other objects of the migrations were looked up.
    pub n_compared: usize,
    /// Objects that no migration describes and that don't count as differences: kind, such as
    /// `view`, and name.
    pub others: Vec<ObjectName>,
    /// What could not be compared, since the database could not be asked. This doesn't count as a
    /// difference.
    pub untold: Vec<Difference>,
}

/// What the migrations describe of a database.
#[derive(Debug, Clone, Copy)]
pub struct Described<'a> {
    /// The tables that the applied revisions create.
    pub expected: &'a Schema,
    /// The tables of all revisions: a table of a later revision would be in that revision's way if
    /// it already existed.
    pub all: &'a Schema,
    /// What the applied revisions declare about the results of their SQL and steps.
    pub declared: &'a Declared,
}

/// How a database differs from what the applied revisions create.
///
/// Tables that no revision creates belong to others, and so do indexes and triggers that others
/// added to the revisions' tables. A feature that a schema can't represent is a difference as well,
/// unless SQL of a revision described the table: that SQL may have created it.
pub fn drift(comparing: &Comparing, described: Described<'_>, found: &Catalog) -> Drift {
    let Described { expected, all, declared } = described;
    let folding = comparing.folding;
    let n_compared = expected.tables.len() + declared.n_objects();
    let mut drift = Drift { n_compared, ..Drift::default() };
    let differences = &mut drift.differences;
    for table in expected.tables.values() {
        let actual = folding.table(&found.schema, &table.name);
        match (actual, found.why_unreadable(&table.name, folding)) {
            (Some(actual), _) => differences.extend(comparing.differences(table, actual)),
            (None, Some(why)) => differences.push(Difference::unreadable(&table.name, why)),
            (None, None) => differences.push(Difference::missing(&table.name)),
        }
    }
    let mut others = Vec::new();
    differences.retain_mut(|difference| {
        let other = placed(difference, comparing, all, found);
        let is_own = other.is_none();
        others.extend(other);
        is_own
    });
    let has = |schema: &Schema, name: &str| folding.table(schema, name).is_some();
    let is_index = |name: &str| {
        let mut indexes = expected.tables.values().flat_map(|table| &table.indexes);
        indexes.any(|index| folding.same(&index.name, name))
    };
    let tables = found.schema.tables.values().map(|table| table.name.as_str());
    let (indexes, unreadable): (Vec<_>, Vec<_>) =
        found.unreadable.iter().partition(|object| object.kind == ObjectKind::Index);
    let indexes = indexes.into_iter().filter(|index| !is_index(&index.name));
    others.extend(indexes.map(|index| ObjectName::new(ObjectKind::Index, &index.name)));
    for name in tables.chain(unreadable.iter().map(|object| object.name.as_str())) {
        if has(expected, name) {
            continue;
        }
        if has(all, name) {
            differences.push(Difference::of_table(name, DifferenceKind::Early));
        } else {
            others.push(ObjectName::new(ObjectKind::Table, name));
        }
    }
    differences.extend(beyond(expected, declared, found));
    differences.extend(declared.missing(found).map(Difference::missing_object));
    differences.sort_by_cached_key(Difference::place);
    others.sort();
    drift.others = others.into_iter().chain(declared.undeclared(found)).collect();
    drift
}

/// Refines a difference that was found by comparing tables, or drops it because it is about an
/// object that doesn't belong to the revisions.
fn placed(
    difference: &mut Difference,
    comparing: &Comparing,
    all: &Schema,
    found: &Catalog,
) -> Option<ObjectName> {
    let folding = comparing.folding;
    let Difference { table, subject, kind } = difference;
    match (&*subject, &*kind) {
        (Subject::Part(part), DifferenceKind::Extra) if part.kind == PartKind::Index => {
            let name = part.name.as_ref()?;
            let mut indexes = all.tables.values().flat_map(|table| &table.indexes);
            if !indexes.any(|index| folding.same(&index.name, name)) {
                return Some(ObjectName::new(ObjectKind::Index, name));
            }
            *kind = DifferenceKind::Early;
        }
        (Subject::Part(part), DifferenceKind::Missing) if part.kind == PartKind::Index => {
            if let Some(why) = found.why_unreadable(part.name.as_ref()?, folding) {
                *kind = DifferenceKind::Unreadable(why.to_owned());
            }
        }
        (Subject::Column(name), DifferenceKind::Extra) => {
            let table = folding.table(all, table)?;
            if table.columns.iter().any(|column| folding.same(&column.name, name)) {
                *kind = DifferenceKind::Early;
            }
        }
        _ => {}
    }
    None
}

/// The features of a schema's tables in the database that a schema can't represent.
pub fn beyond(expected: &Schema, declared: &Declared, found: &Catalog) -> Vec<Difference> {
    let folding = declared.folding();
    // An index of others isn't compared.
    let is_own = |table: &Table, part: &Part| {
        part.kind != PartKind::Index
            || part.name.as_ref().is_none_or(|name| {
                table.indexes.iter().any(|index| folding.same(&index.name, name))
            })
    };
    let is_expected = |candidate: &&Beyond| {
        let table = folding.table(expected, &candidate.table);
        let is_own = |table| candidate.part.as_ref().is_none_or(|part| is_own(table, part));
        table.is_some_and(is_own) && !declared.has_table(&candidate.table)
    };
    let difference = |candidate: &Beyond| {
        Difference::of_feature(candidate, DifferenceKind::Beyond(candidate.text.clone()))
    };
    found.beyond.iter().filter(is_expected).map(difference).collect()
}

/// What could not be compared with the existing tables, as differences that don't count.
pub fn untold(kept: &[Beyond]) -> Vec<Difference> {
    let difference = |candidate: &Beyond| {
        Difference::of_feature(candidate, DifferenceKind::Untold(candidate.text.clone()))
    };
    kept.iter().map(difference).collect()
}

#[cfg(test)]
mod tests;
