//! Expresses what a database contains in the terms of models and migrations.
//!
//! A database stores less than a model says: one declared type for four integer types, a condition
//! instead of an enumeration, no comments. If the database stores exactly what it would store for a
//! known table, the known table's definition is adopted; otherwise the database's own stays.

use dbmigrate_runtime::engine::dialect::Comparing;
use dbmigrate_runtime::engine::folding::Folding;
use dbmigrate_runtime::engine::naming::Convention;
use dbmigrate_runtime::engine::sql::Kind;
use dbmigrate_runtime::schema::{
    Check, Column, ForeignKey, Index, IndexTerm, PrimaryKey, Schema, Table, Type, Unique,
};

/// How a database stores tables, and how the tool names what has no name in the database.
#[derive(Clone, Copy)]
pub struct StorageRules<'a> {
    /// What the database would store for a table, given its existing table of that name.
    pub stored: &'a dyn Fn(&Table, &Table) -> Option<Table>,
    /// Which spellings the database treats as equal.
    pub comparing: Comparing,
    /// The convention for the names of constraints.
    pub naming: &'a Convention,
}

/// A known table, and what a database would store for it.
struct Known<'a> {
    table: &'a Table,
    stored: Table,
}

/// The tables of a database in the terms of the first of these schemas that matches; tables that
/// none of them knows are omitted. Indexes that none of them knows belong to others and are
/// omitted. Constraints without a name are named by the convention.
pub fn translate(actual: &Schema, known: &[&Schema], rules: &StorageRules<'_>) -> Schema {
    let folding = rules.comparing.folding;
    let tables = actual.tables.values().filter_map(|actual| {
        let known: Vec<Known<'_>> = known
            .iter()
            .filter_map(|schema| folding.table(schema, &actual.name))
            .filter_map(|table| Some(Known { table, stored: (rules.stored)(table, actual)? }))
            .collect();
        (!known.is_empty()).then_some((actual, known))
    });
    Schema::from_tables(tables.map(|(actual, tables)| adopt_table(actual, &tables, known, rules)))
}

fn adopt_table(
    actual: &Table,
    known: &[Known<'_>],
    schemas: &[&Schema],
    rules: &StorageRules<'_>,
) -> Table {
    let StorageRules { comparing, naming, .. } = rules;
    let folding = comparing.folding;
    let mut table = spelled(actual, known, schemas, folding);
    let own = known.iter().map(|found| found.table);
    table.comment = own.clone().find_map(|table| table.comment.clone());
    for column in &mut table.columns {
        adopt_column(&table.name, column, &mut table.checks, known, rules);
    }
    if let Some(key) = &mut table.primary_key {
        let same = |known: &&PrimaryKey| known.columns == key.columns;
        let known = own.clone().filter_map(|table| table.primary_key.as_ref()).filter(same);
        if let Some(known) = best(known, |known| known.name == key.name) {
            *key = known.clone();
        }
    }
    for unique in &mut table.uniques {
        // The database may lack a property that the known constraint has.
        let mut pairs = known.iter().flat_map(|known| {
            let stored = |own: &Unique| {
                known.stored.uniques.iter().find(|stored| stored.name == own.name).cloned()
            };
            known.table.uniques.iter().map(move |own| (own, stored(own)))
        });
        let same = |(own, stored): &(&Unique, Option<Unique>)| {
            let stored = stored.as_ref().unwrap_or(own);
            let like_it = Unique { name: stored.name.clone(), ..unique.clone() };
            own.columns == unique.columns
                && like_it.nulls_not_distinct == stored.nulls_not_distinct
                && like_it.deferrable == stored.deferrable
                && like_it.include == stored.include
                && fits(&unique.name, &own.name, folding)
        };
        if let Some((own, _)) = pairs.find(same) {
            *unique = own.clone();
        }
    }
    for key in &mut table.foreign_keys {
        let same = |known: &&ForeignKey| {
            fits(&key.name, &known.name, folding) && comparing.same_foreign_key(key, known)
        };
        if let Some(known) = own.clone().flat_map(|table| &table.foreign_keys).find(same) {
            *key = known.clone();
        }
    }
    for check in &mut table.checks {
        // A condition keeps the spelling that is known for it.
        let pairs =
            known.iter().flat_map(|known| known.table.checks.iter().zip(stored_checks(known)));
        let same = |(_, stored): &(&Check, &Check)| {
            comparing.lexicon.same_expression(&stored.expression, &check.expression)
        };
        if let Some((best, _)) = best(pairs.filter(same), |(known, _)| known.name == check.name) {
            *check = best.clone();
        }
    }
    name_unnamed(&mut table, naming);
    table.indexes = table
        .indexes
        .iter()
        .filter_map(|index| adopt_index(index, actual, known, comparing))
        .collect();
    table
}

/// What the database would store for the table's own conditions, in the same order.
fn stored_checks<'a>(known: &'a Known<'_>) -> Vec<&'a Check> {
    let of = |own: &Check| {
        known.stored.checks.iter().find(|check| !own.name.is_empty() && check.name == own.name)
    };
    known.table.checks.iter().map(|check| of(check).unwrap_or(check)).collect()
}

/// The table with its names in the known spelling.
fn spelled(actual: &Table, known: &[Known<'_>], schemas: &[&Schema], folding: Folding) -> Table {
    let of = |tables: &[&Table], column: &mut String| {
        let mut columns = tables.iter().flat_map(|table| &table.columns);
        if let Some(same) = columns.find(|candidate| folding.same(&candidate.name, column)) {
            column.clone_from(&same.name);
        }
    };
    let own: Vec<&Table> = known.iter().map(|found| found.table).collect();
    let mut table = actual.clone();
    if let Some(first) = own.first() {
        table.name.clone_from(&first.name);
    }
    table.columns.iter_mut().for_each(|column| of(&own, &mut column.name));
    let keys = table.primary_key.iter_mut().map(|primary_key| &mut primary_key.columns);
    let uniques = table.uniques.iter_mut();
    let uniques = uniques.flat_map(|unique| [&mut unique.columns, &mut unique.include]);
    keys.chain(uniques).flatten().for_each(|key| of(&own, key));
    for key in &mut table.foreign_keys {
        key.columns.iter_mut().for_each(|column| of(&own, column));
        let targets: Vec<&Table> = schemas
            .iter()
            .filter_map(|schema| folding.table(schema, &key.references_table))
            .collect();
        if let Some(first) = targets.first() {
            key.references_table.clone_from(&first.name);
        }
        key.references_columns.iter_mut().for_each(|column| of(&targets, column));
    }
    for index in &mut table.indexes {
        index.include.iter_mut().for_each(|column| of(&own, column));
        for column in &mut index.columns {
            match &mut column.term {
                IndexTerm::Column(term) => of(&own, term),
                IndexTerm::Expression(_) => {}
            }
        }
    }
    table
}

/// Adopts the known definition of a column. For an enumeration, also removes its condition from the
/// table's checks.
fn adopt_column(
    table: &str,
    column: &mut Column,
    checks: &mut Vec<Check>,
    known: &[Known<'_>],
    rules: &StorageRules<'_>,
) {
    let comparing = &rules.comparing;
    let pairs: Vec<(&Column, &Column)> = known
        .iter()
        .filter_map(|candidate| {
            let own = candidate.table.find_column(&column.name)?;
            Some((own, candidate.stored.find_column(&own.name)?))
        })
        .collect();
    let was = column.clone();
    let Some((first, _)) = pairs.first() else { return };
    column.comment.clone_from(&first.comment);
    let of = |same: &dyn Fn(&Column) -> bool| {
        pairs.iter().find(|(_, stored)| same(stored)).map(|(known, _)| *known)
    };
    // The type is adopted separately, since it is an enumeration only together with its condition.
    let mut types = pairs
        .iter()
        .filter(|(_, column)| same_type(column, &was, comparing))
        .map(|(column, _)| &column.ty);
    let same_rest = |column: &Column| {
        comparing.same_column(&Column { ty: was.ty.clone(), ..column.clone() }, &was)
    };
    match of(&same_rest) {
        Some(same) => *column = Column { ty: was.ty.clone(), ..same.clone() },
        None => {
            if let Some(same) = of(&|stored| comparing.same_default(stored, &was)) {
                column.default.clone_from(&same.default);
            }
            let only = |column: &Column| {
                let mut only = Column::new("", was.ty.clone());
                only.generated.clone_from(&column.generated);
                only
            };
            if let Some(same) = of(&|stored| comparing.same_column(&only(stored), &only(&was))) {
                column.generated.clone_from(&same.generated);
            }
            if let Some(same) = of(&|stored| stored.autoincrement == was.autoincrement) {
                column.autoincrement = same.autoincrement;
            }
            if let Some(same) = of(&|stored| comparing.same_collation(stored, &was)) {
                column.collation.clone_from(&same.collation);
            }
        }
    }
    column.ty = types
        .find_map(|ty| match ty {
            Type::Enum(..) => enumeration(ty, (table, &was), checks, rules),
            _ => Some(ty.clone()),
        })
        .unwrap_or(was.ty);
}

fn same_type(one: &Column, other: &Column, comparing: &Comparing) -> bool {
    let only = |column: &Column| Column::new("", column.ty.clone());
    comparing.same_column(&only(one), &only(other))
}

/// The enumeration with the values that the database allows. Its condition then isn't a check of
/// the table.
fn enumeration(
    ty: &Type,
    (table, was): (&str, &Column),
    checks: &mut Vec<Check>,
    rules: &StorageRules<'_>,
) -> Option<Type> {
    let Type::Enum(name, _) = ty else { return None };
    let lexicon = rules.comparing.lexicon;
    let is_condition_of = |check: &Check, ty: &Type| {
        let table = Table::new(table);
        let only = table.clone().column(Column::new(&was.name, ty.clone()));
        let mut actual = table.column(Column::new(&was.name, was.ty.clone()));
        actual.checks = vec![check.clone()];
        (rules.stored)(&only, &actual).is_some_and(|only| {
            only.checks
                .iter()
                .any(|own| lexicon.same_expression(&own.expression, &check.expression))
        })
    };
    if let Some(at) = checks.iter().position(|check| is_condition_of(check, ty)) {
        checks.remove(at);
        return Some(ty.clone());
    }
    checks
        .iter()
        .enumerate()
        .find_map(|(at, check)| {
            let tokens = lexicon.tokens(&check.expression);
            let values = tokens.iter().filter(|token| token.kind == Kind::Text);
            let values = values.filter_map(|token| token.unquoted()).map(String::from).collect();
            let ty = Type::Enum(name.clone(), values);
            is_condition_of(check, &ty).then_some((at, ty))
        })
        .map(|(at, ty)| {
            checks.remove(at);
            ty
        })
}

/// The index in its known form. If only the name matches, its definition stays; if only the
/// definition matches, its name stays. A second index with the same definition belongs to others.
fn adopt_index(
    index: &Index,
    actual: &Table,
    known: &[Known<'_>],
    comparing: &Comparing,
) -> Option<Index> {
    let pairs = || {
        known.iter().flat_map(|known| {
            let stored = |own: &Index| known.stored.find_index(&own.name).cloned();
            known.table.indexes.iter().filter_map(move |own| Some((own, stored(own)?)))
        })
    };
    let same_name = |candidate: &Index| comparing.folding.same(&candidate.name, &index.name);
    let is_there = |index: &Index| {
        !same_name(index)
            && actual.indexes.iter().any(|own| comparing.folding.same(&own.name, &index.name))
    };
    let same =
        pairs().filter(|(known, stored)| comparing.same_index(stored, index) && !is_there(known));
    match best(same, |(index, _)| same_name(index)) {
        Some((index, _)) if same_name(index) => Some(index.clone()),
        Some((best, _)) => Some(best.renamed(&index.name)),
        None => {
            let (known, _) = pairs().find(|(known, _)| same_name(known))?;
            Some(Index { name: known.name.clone(), ..index.clone() })
        }
    }
}

/// The first item that is better than the others, or else the first item.
fn best<T>(items: impl Iterator<Item = T>, is_better: impl Fn(&T) -> bool) -> Option<T> {
    let mut items: Vec<T> = items.collect();
    match items.iter().position(is_better) {
        Some(at) => Some(items.swap_remove(at)),
        None => items.into_iter().next(),
    }
}

/// Whether the database's name can stand for the known name; the database may have no name for it.
fn fits(actual: &str, known: &str, folding: Folding) -> bool {
    actual.is_empty() || folding.same(actual, known)
}

/// Names the constraints that have no name by the convention.
pub fn name_unnamed(table: &mut Table, naming: &Convention) {
    let name = table.bare_name().to_owned();
    if let Some(key) = &mut table.primary_key {
        named(&mut key.name, || naming.primary_key(&name, &key.columns));
    }
    for unique in &mut table.uniques {
        named(&mut unique.name, || naming.unique(&name, &unique.columns));
    }
    for key in &mut table.foreign_keys {
        named(&mut key.name, || naming.foreign_key(&name, &key.columns, &key.references_table));
    }
    for check in &mut table.checks {
        named(&mut check.name, || naming.table_check(&name, &check.expression));
    }
}

fn named(name: &mut String, convention: impl FnOnce() -> String) {
    if name.is_empty() {
        *name = convention();
    }
}

#[cfg(test)]
mod tests;
