//! The difference between two schemas. It depends neither on a database nor on the schemas' origin.
//!
//! Everything that isn't equal is a difference; different spellings of the same thing are made
//! equal beforehand (see `normalize`). Only the order of columns is ignored: columns move whenever
//! their table is rebuilt, without anyone having asked for it.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::sql::NEUTRAL;
use dbmigrate_runtime::operations::{ColumnChange, Operation, TableChange};
use dbmigrate_runtime::schema::{Column, Index, Schema, Table, TableOption};

/// The operations that turn one schema into another, in an order in which each of them can run:
/// tables before those that refer to them, and constraints are dropped before their columns.
pub fn diff(from: &Schema, to: &Schema) -> Vec<Operation> {
    let mut diff =
        Diff { from, to, done: BTreeSet::new(), first: vec![], then: vec![], last: vec![] };
    for table in by_reference(to) {
        match from.table(&table.name) {
            None => diff.create_table(table),
            Some(was) => diff.alter_table(was, table),
        }
        diff.done.insert(&table.name);
    }
    let gone = by_reference(from).into_iter().rev().filter(|table| to.table(&table.name).is_none());
    for table in gone {
        let taken = table.indexes.iter().filter(|index| diff.is_taken(table, index));
        let drops: Vec<_> = taken
            .map(|index| Operation::DropIndex {
                table: table.name.clone(),
                name: index.name.clone(),
            })
            .collect();
        diff.first.extend(drops);
        diff.then.push(Operation::DropTable { table: table.name.clone() });
    }
    let Diff { first, then, last, .. } = diff;
    [first, then, last].concat()
}

/// The tables, each after those that it refers to. Tables that refer to each other in a circle are
/// in the order of their names.
fn by_reference(schema: &Schema) -> Vec<&Table> {
    fn visit<'a>(
        schema: &'a Schema,
        table: &'a Table,
        seen: &mut BTreeSet<&'a str>,
        sorted: &mut Vec<&'a Table>,
    ) {
        if !seen.insert(&table.name) {
            return;
        }
        let mut targets: Vec<&str> = table
            .foreign_keys
            .iter()
            .map(|foreign_key| foreign_key.references_table.as_str())
            .collect();
        targets.sort_unstable();
        for target in targets.into_iter().filter_map(|target| schema.table(target)) {
            visit(schema, target, seen, sorted);
        }
        sorted.push(table);
    }
    let (mut seen, mut sorted) = (BTreeSet::new(), Vec::new());
    for table in schema.tables.values() {
        visit(schema, table, &mut seen, &mut sorted);
    }
    sorted
}

struct Diff<'a> {
    from: &'a Schema,
    to: &'a Schema,
    /// Tables that are finished.
    done: BTreeSet<&'a str>,
    /// Drops and renames of what would be in the way of another table.
    first: Vec<Operation>,
    then: Vec<Operation>,
    /// What needs tables that come later.
    last: Vec<Operation>,
}

impl<'a> Diff<'a> {
    /// A new table's indexes become separate operations, as later indexes would be.
    ///
    /// Foreign keys stay part of the table even if tables refer to each other in a circle and the
    /// other one doesn't exist yet. SQLite accepts that, and adding the foreign key afterwards
    /// would rebuild a table that was just created. A dialect that doesn't accept it adds the
    /// foreign keys at the end.
    fn create_table(&mut self, table: &Table) {
        let bare = Table { indexes: Vec::new(), ..table.clone() };
        self.then.push(Operation::CreateTable(bare));
        for index in &table.indexes {
            let (table, index) = (table.name.clone(), index.clone());
            self.then.push(Operation::CreateIndex { table, index });
        }
    }

    fn alter_table(&mut self, was: &Table, to: &'a Table) {
        if std::ptr::eq(was, to) {
            return;
        }
        let table = || to.name.clone();
        let (renamed, gone, new) = indexes(self.from, was, to);
        for index in gone {
            let drop = Operation::DropIndex { table: table(), name: index.name.clone() };
            let is_taken = self.is_taken(to, index);
            if is_taken { &mut self.first } else { &mut self.then }.push(drop);
        }
        for (from, new) in renamed {
            let is_taken = self.is_taken(to, from);
            let (from, to) = (from.name.clone(), new.name.clone());
            let rename = Operation::RenameIndex { table: table(), from, to };
            if is_taken { &mut self.first } else { &mut self.then }.push(rename);
        }
        let (gone, new_keys) =
            named(&was.foreign_keys, &to.foreign_keys, |foreign_key| &foreign_key.name);
        for foreign_key in gone {
            let drop = Operation::DropForeignKey { table: table(), name: foreign_key.name.clone() };
            // The referenced table may be about to lose the key that the foreign key needs.
            let target = &foreign_key.references_table;
            let is_in_the_way =
                *target != to.name && self.from.table(target) != self.to.table(target);
            if is_in_the_way { &mut self.first } else { &mut self.then }.push(drop);
        }
        let (gone, new_checks) = named(&was.checks, &to.checks, |check| &check.name);
        let gone = gone.into_iter();
        self.then.extend(
            gone.map(|check| Operation::DropCheck { table: table(), name: check.name.clone() }),
        );
        let (gone, new_uniques) = named(&was.uniques, &to.uniques, |unique| &unique.name);
        let gone = gone.into_iter();
        self.then.extend(
            gone.map(|unique| Operation::DropUnique { table: table(), name: unique.name.clone() }),
        );
        let (off, on) = options(was, to);
        self.then.extend(off.map(|change| Operation::AlterTable { table: table(), change }));
        let (key_gone, new_key) = if was.primary_key == to.primary_key {
            (None, None)
        } else {
            (was.primary_key.as_ref(), to.primary_key.clone())
        };
        self.then.extend(key_gone.map(|primary_key| Operation::DropPrimaryKey {
            table: table(),
            name: primary_key.name.clone(),
        }));
        self.columns(was, to);
        self.then.extend(
            new_key.map(|primary_key| Operation::AddPrimaryKey { table: table(), primary_key }),
        );
        self.then.extend(on.map(|change| Operation::AlterTable { table: table(), change }));
        for foreign_key in new_keys {
            let add = Operation::AddForeignKey { table: table(), foreign_key: foreign_key.clone() };
            let target = foreign_key.references_table.as_str();
            let is_there =
                target == to.name || self.done.contains(target) || self.to.table(target).is_none();
            if is_there { &mut self.then } else { &mut self.last }.push(add);
        }
        let new_checks = new_checks.into_iter().cloned();
        self.then.extend(new_checks.map(|check| Operation::AddCheck { table: table(), check }));
        let new_uniques = new_uniques.into_iter().cloned();
        self.then.extend(new_uniques.map(|unique| Operation::AddUnique { table: table(), unique }));
        let new = new.into_iter().cloned();
        self.then.extend(new.map(|index| Operation::CreateIndex { table: table(), index }));
        let gone = was.columns.iter().filter(|column| to.find_column(&column.name).is_none());
        let gone = needed_first(gone.collect()).into_iter().rev();
        self.then.extend(
            gone.map(|column| Operation::DropColumn {
                table: table(),
                column: column.name.clone(),
            }),
        );
    }

    fn columns(&mut self, was: &Table, to: &Table) {
        let new = to.columns.iter().filter(|column| was.find_column(&column.name).is_none());
        let mut ordinary = needed_first(new.collect());
        let computed = ordinary.iter().position(|column| column.generated.is_some());
        let computed = ordinary.split_off(computed.unwrap_or(ordinary.len()));
        let kept =
            to.columns.iter().filter_map(|column| Some((was.find_column(&column.name)?, column)));
        let mut changed: Vec<_> = kept.filter(|(was, now)| was != now).collect();
        // A column that depends on another stops being generated before the other one becomes
        // generated.
        changed.sort_by_key(|(_, column)| column.generated.is_some());
        let table = || to.name.clone();
        let add = |column: &Column| Operation::AddColumn {
            table: table(),
            column: column.clone(),
            using: None,
            before: None,
        };
        self.then.extend(ordinary.into_iter().map(add));
        let alter = |(was, column): (&Column, &Column)| Operation::AlterColumn {
            table: table(),
            column: column.name.clone(),
            change: change_of(was, column),
        };
        self.then.extend(changed.into_iter().map(alter));
        self.then.extend(computed.into_iter().map(add));
    }

    /// Whether another table is about to get an index with this name; in most databases names of
    /// indexes are unique in a schema. Where two tables have one already, they are not.
    fn is_taken(&self, table: &Table, index: &Index) -> bool {
        let is_other = |other: &&Table| other.name != table.name && other.schema == table.schema;
        let mut others = self.to.tables.values().filter(is_other);
        others.any(|table| {
            let before = self.from.table(&table.name);
            let had = before.is_some_and(|before| before.find_index(&index.name).is_some());
            !had && table.find_index(&index.name).is_some()
        })
    }
}

type Pairs<'a, T> = Vec<(&'a T, &'a T)>;

/// Returns indexes that were only renamed, those that were removed or changed, and those that are
/// new or changed.
fn indexes<'a>(
    from: &Schema,
    was: &'a Table,
    to: &'a Table,
) -> (Pairs<'a, Index>, Vec<&'a Index>, Vec<&'a Index>) {
    let (mut gone, mut new) = named(&was.indexes, &to.indexes, |index| &index.name);
    let beside = from.tables.values().filter(|other| other.schema == was.schema);
    let is_free = |name: &str| beside.clone().all(|table| table.find_index(name).is_none());
    let mut renamed = Vec::new();
    new.retain(|new| {
        let is_same =
            |index: &&Index| Index { name: new.name.clone(), ..(*index).clone() } == **new;
        match gone.iter().position(is_same) {
            Some(idx) if is_free(&new.name) => {
                renamed.push((gone.remove(idx), *new));
                false
            }
            _ => true,
        }
    });
    (renamed, gone, new)
}

/// Returns what was removed or changed, and what is new or changed, both matched by name.
fn named<'a, T: PartialEq>(
    was: &'a [T],
    to: &'a [T],
    name: impl Fn(&T) -> &str,
) -> (Vec<&'a T>, Vec<&'a T>) {
    let sorted = |list: &'a [T], other: &[T]| {
        let mut list: Vec<&T> =
            list.iter().filter(|candidate| !other.contains(candidate)).collect();
        list.sort_by(|a, b| name(a).cmp(name(b)));
        list
    };
    (sorted(was, to), sorted(to, was))
}

/// Splits the changes of a table's options and comment into those before and those after the
/// changes of its columns and keys. A table without rowid needs a key, and a strict one accepts
/// only known types.
fn options(was: &Table, to: &Table) -> (Option<TableChange>, Option<TableChange>) {
    let changes = |option: TableOption, on: bool| was.has(option) != on && to.has(option) == on;
    let change = |on: bool| TableChange {
        options: (TableOption::ALL.into_iter())
            .filter(|option| changes(*option, on))
            .map(|option| (option, on))
            .collect(),
        with: (on && was.with != to.with).then(|| to.with.clone()),
        tablespace: (on && was.tablespace != to.tablespace).then(|| to.tablespace.clone()),
        engine: (on && was.engine != to.engine).then(|| to.engine.clone()),
        charset: (on && was.charset != to.charset).then(|| to.charset.clone()),
        collation: (on && was.collation != to.collation).then(|| to.collation.clone()),
        comment: (on && was.comment != to.comment).then(|| to.comment.clone()),
    };
    let unless_empty = |change: TableChange| (change != TableChange::default()).then_some(change);
    (unless_empty(change(false)), unless_empty(change(true)))
}

/// Columns in an order in which each can be added: generated ones last, and each after the columns
/// that it is computed from.
fn needed_first(columns: Vec<&Column>) -> Vec<&Column> {
    let (mut sorted, mut open): (Vec<&Column>, Vec<&Column>) =
        columns.into_iter().partition(|column| column.generated.is_none());
    while !open.is_empty() {
        let needs = |column: &Column, other: &Column| {
            let mut texts = column.generated.iter().flat_map(|from| from.expression.texts());
            column.name != other.name && texts.any(|text| NEUTRAL.mentions(text, &other.name))
        };
        let is_ready = |column: &&Column| !open.iter().any(|other| needs(column, other));
        // In a circle, which no database accepts, the order doesn't matter.
        let idx = open.iter().position(is_ready).unwrap_or(0);
        sorted.push(open.remove(idx));
    }
    sorted
}

fn change_of(was: &Column, to: &Column) -> ColumnChange {
    ColumnChange {
        ty: (was.ty != to.ty).then(|| to.ty.clone()),
        nullable: (was.nullable != to.nullable).then_some(to.nullable),
        default: (was.default != to.default).then(|| to.default.clone()),
        autoincrement: (was.autoincrement != to.autoincrement).then_some(to.autoincrement),
        identity: (was.identity != to.identity).then_some(to.identity),
        generated: (was.generated != to.generated).then(|| to.generated.clone()),
        collation: (was.collation != to.collation).then(|| to.collation.clone()),
        charset: (was.charset != to.charset).then(|| to.charset.clone()),
        on_update_now: (was.on_update_now != to.on_update_now).then_some(to.on_update_now),
        invisible: (was.invisible != to.invisible).then_some(to.invisible),
        comment: (was.comment != to.comment).then(|| to.comment.clone()),
        using: None,
        fill: None,
    }
}

#[cfg(test)]
mod tests;
