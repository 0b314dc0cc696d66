//! How the tables of a database differ from those that the migrations make.
//!
//! Both sides are in one database's own terms: read from it, and as it would keep what the
//! migrations create. So two ways to write the same are no difference, nor is the order of
//! columns.

mod compare;
mod difference;
mod told;

pub use difference::{Difference, DifferenceKind, Property, Subject};
pub use told::Told;

use crate::dialect::{Beyond, Catalog, Comparing, ObjectKind, ObjectName, PartKind};
use crate::schema::Schema;

/// What a live database is beside what the migrations make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// In what it differs.
    pub differences: Vec<Difference>,
    /// How many tables and other objects of the migrations were looked for.
    pub n_compared: usize,
    /// What no migration describes and is no difference: what it is, such as `view`, and its name.
    pub others: Vec<ObjectName>,
}

/// What the migrations describe of a database.
#[derive(Debug, Clone, Copy)]
pub struct Described<'a> {
    /// The tables that the applied revisions make.
    pub expected: &'a Schema,
    /// The tables of all revisions: what is of a later one and there already would be in its way.
    pub all: &'a Schema,
    /// What the applied revisions say of what their SQL and steps made.
    pub told: &'a Told,
}

/// How a database differs from what the applied revisions make.
///
/// Tables that no revision makes are others', and so are indexes and triggers that they have
/// added to the revisions' tables. What a table says that a schema has no place for differs too,
/// unless SQL of a revision has described the table: that SQL may have said it.
pub fn drift(comparing: &Comparing, described: Described<'_>, found: &Catalog) -> Drift {
    let Described { expected, all, told } = described;
    let folding = comparing.folding;
    let n_compared = expected.tables.len() + told.n_objects();
    let mut drift = Drift { n_compared, ..Drift::default() };
    let differences = &mut drift.differences;
    for table in expected.tables.values() {
        let mut tables = found.schema.tables.values();
        let actual = tables.find(|candidate| folding.same_table(&candidate.name, &table.name));
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
    let has = |schema: &Schema, name: &str| {
        schema.tables.values().any(|table| folding.same_table(&table.name, name))
    };
    let is_index = |name: &str| {
        let mut indexes = expected.tables.values().flat_map(|table| &table.indexes);
        indexes.any(|index| folding.same(&index.name, name))
    };
    let tables = found.schema.tables.values().map(|table| table.name.as_str());
    let unreadable = found.unreadable.iter().map(|object| object.name.as_str());
    for name in tables.chain(unreadable.filter(|name| !is_index(name))) {
        if has(expected, name) {
            continue;
        }
        if has(all, name) {
            differences.push(Difference::of_table(name, DifferenceKind::Early));
        } else {
            others.push(ObjectName::new(ObjectKind::Table, name));
        }
    }
    differences.extend(beyond(expected, told, found));
    differences.extend(told.missing(found).map(Difference::missing_object));
    differences.sort_by_cached_key(Difference::place);
    others.sort();
    drift.others = others.into_iter().chain(told.untold(found)).collect();
    drift
}

/// Says more exactly what a difference is that was found by a table's content alone, or that it is
/// none because it is about an object that is none of the revisions'.
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
            let table =
                all.tables.values().find(|candidate| folding.same_table(&candidate.name, table))?;
            if table.columns.iter().any(|column| folding.same(&column.name, name)) {
                *kind = DifferenceKind::Early;
            }
        }
        _ => {}
    }
    None
}

/// What the tables of a schema say in the database that the schema has no place for.
pub fn beyond(expected: &Schema, told: &Told, found: &Catalog) -> Vec<Difference> {
    let folding = told.folding();
    let is_expected = |candidate: &&Beyond| {
        expected.tables.keys().any(|name| folding.same_table(name, &candidate.table))
            && !told.has_table(&candidate.table)
    };
    let difference = |candidate: &Beyond| {
        let subject = match (&candidate.part, candidate.columns.first()) {
            (Some(part), _) => Subject::Part(part.clone()),
            (None, Some(column)) => Subject::Column(column.clone()),
            (None, None) => Subject::Table,
        };
        Difference {
            table: candidate.table.clone(),
            subject,
            kind: DifferenceKind::Beyond(candidate.text.clone()),
        }
    };
    found.beyond.iter().filter(is_expected).map(difference).collect()
}

#[cfg(test)]
mod tests;
