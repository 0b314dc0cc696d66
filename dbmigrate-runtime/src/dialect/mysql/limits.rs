//! What a table has that makes its changes more expensive, whatever they are.
//!
//! A class that is asserted and that the server refuses makes a revision impossible to run. So
//! where a table has one of these, the server chooses.

use std::collections::BTreeSet;

use super::class::Class;
use super::flavor::Flavor;
use super::parse::Parsed;
use super::{charset, ddl, index, size};
use crate::schema::{IndexTerm, Table};

/// Something that a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Limit {
    /// Another engine than InnoDB.
    Engine,
    /// A unique constraint by a hash, a hidden column of MariaDB.
    Hash,
    /// Compressed rows, which have no versions.
    Compressed,
    Partitions,
    /// A full-text index, for which InnoDB adds a hidden column.
    FullText,
    Spatial,
    /// A stored generated column.
    Stored,
    /// A virtual generated column.
    Virtual,
    /// A virtual column in an index, or an index over an expression.
    VirtualKey,
}

/// What a table has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Limits(BTreeSet<Limit>);

impl Limits {
    fn new<const N: usize>(limits: [(Limit, bool); N]) -> Limits {
        Limits(limits.into_iter().filter(|(_, has)| *has).map(|(limit, _)| limit).collect())
    }

    /// Those of a table of a schema.
    pub(super) fn of(flavor: Flavor, table: &Table) -> Limits {
        let mut generated = table.columns.iter().filter_map(|column| column.generated.as_ref());
        let special = |word| table.indexes.iter().any(|index| index::special(index) == Some(word));
        let mut uniques = table.uniques.iter();
        let mut indexes = table.indexes.iter();
        Limits::new([
            (Limit::Engine, !charset::is_innodb(table)),
            (
                Limit::Hash,
                uniques.any(|unique| size::is_hashed(flavor, table, &unique.columns))
                    || indexes.any(|index| ddl::is_hashed_index(flavor, table, index)),
            ),
            (Limit::FullText, special(index::FULLTEXT)),
            (Limit::Spatial, special(index::SPATIAL)),
            (Limit::Stored, generated.clone().any(|generated| generated.stored)),
            (Limit::Virtual, generated.any(|generated| !generated.stored)),
            (Limit::VirtualKey, has_virtual_key(table)),
        ])
    }

    /// Those of a table as `SHOW CREATE TABLE` writes it, which others may have changed.
    pub(super) fn of_existing(parsed: &Parsed) -> Limits {
        let is = |option: &str, value: &str| {
            parsed.option(option).is_some_and(|own| own.eq_ignore_ascii_case(value))
        };
        let has_key = |kind: &str| parsed.keys.iter().any(|key| key.kind == kind);
        let mut unknown = parsed.unknown.iter().map(|words| words.to_ascii_uppercase());
        let mut generated =
            parsed.columns.iter().filter_map(|column| column.definition.generated.as_ref());
        Limits::new([
            (Limit::Engine, !is("ENGINE", charset::INNODB)),
            (Limit::Compressed, is("ROW_FORMAT", "COMPRESSED")),
            (Limit::Partitions, unknown.any(|words| words.contains("PARTITION BY"))),
            (Limit::FullText, has_key("FULLTEXT")),
            (Limit::Spatial, has_key("SPATIAL")),
            (Limit::Stored, generated.clone().any(|(_, is_stored)| *is_stored)),
            (Limit::Virtual, generated.any(|(_, is_stored)| !is_stored)),
        ])
    }

    /// Adds those of another state of the table.
    pub(super) fn extend(&mut self, others: Limits) {
        self.0.extend(others.0);
    }

    /// What counts although an earlier change of the same plan removes it.
    pub(super) fn lasting(mut self) -> Limits {
        self.0.retain(|limit| matches!(limit, Limit::Engine | Limit::Hash | Limit::FullText));
        self
    }

    fn has(&self, limit: Limit) -> bool {
        self.0.contains(&limit)
    }

    /// The class of any change.
    pub(super) fn of_change(&self, class: Class) -> Class {
        match class {
            _ if self.has(Limit::Engine) => Class::Open,
            Class::Open => Class::Open,
            // Each of them copies the table.
            _ if self.has(Limit::Hash) => Class::Copy,
            class => class,
        }
    }

    /// The class of a new or dropped column.
    pub(super) fn of_column(&self, flavor: Flavor, class: Class, is_virtual: bool) -> Class {
        let is_mariadb = flavor.is_mariadb();
        let is_restricted = if is_virtual {
            self.has(if is_mariadb { Limit::Partitions } else { Limit::VirtualKey })
        } else {
            self.has(Limit::FullText)
                || self.has(Limit::Compressed)
                || is_mariadb && self.has(Limit::VirtualKey)
        };
        if is_restricted && matches!(class, Class::Instant | Class::Rebuild) {
            Class::Open
        } else if class == Class::Instant && is_virtual && is_mariadb {
            Class::Virtual
        } else {
            class
        }
    }

    /// The class of a new column that isn't the last one.
    pub(super) fn of_place(&self, flavor: Flavor, class: Class, is_virtual: bool) -> Class {
        let is_restricted = self.has(Limit::Virtual) && (is_virtual || flavor.is_mariadb());
        if is_restricted && class == Class::Instant { Class::Open } else { class }
    }

    /// The class of a change that writes the table again.
    pub(super) fn of_rebuild(&self, flavor: Flavor, class: Class) -> Class {
        let by_column =
            flavor.is_mariadb() && (self.has(Limit::Stored) || self.has(Limit::VirtualKey));
        let is_restricted = self.has(Limit::FullText) || self.has(Limit::Spatial) || by_column;
        if is_restricted && class == Class::Rebuild { Class::Open } else { class }
    }
}

/// Whether a key or an index has a virtual column, which one over an expression has, too.
fn has_virtual_key(table: &Table) -> bool {
    let is_virtual = |name: &String| {
        let column = table.find_column(name).and_then(|column| column.generated.as_ref());
        column.is_some_and(|generated| !generated.stored)
    };
    let by_unique = table.uniques.iter().any(|unique| unique.columns.iter().any(is_virtual));
    let mut terms = table.indexes.iter().flat_map(|index| &index.columns).map(|key| &key.term);
    by_unique
        || terms.any(|term| match term {
            IndexTerm::Column(name) => is_virtual(name),
            IndexTerm::Expression(_) => true,
        })
}

/// Whether a unique constraint over these columns may be what a table is ordered by: it has no
/// primary key, and they are required. Then no such constraint comes or goes without moving rows.
pub(super) fn may_order_rows(table: &Table, columns: &[String]) -> bool {
    let is_required = |name: &String| table.find_column(name).is_some_and(|own| !own.nullable);
    table.primary_key.is_none() && columns.iter().all(is_required)
}

/// Whether the rows of a table may be ordered by a unique constraint or index of this name.
pub(super) fn is_order(table: &Table, name: &str) -> bool {
    let uniques = table.uniques.iter().map(|unique| (&unique.name, unique.columns.clone()));
    let indexes = table.indexes.iter().filter(|index| index.unique);
    let indexes = indexes.map(|index| {
        let columns = size::columns_of(index).into_iter().cloned().collect();
        (&index.name, columns)
    });
    let mut all = uniques.chain(indexes);
    all.any(|(own, columns)| own == name && may_order_rows(table, &columns))
}
