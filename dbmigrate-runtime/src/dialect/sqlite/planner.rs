//! Operations in order to actions in order, with at most one rebuild of each table between two
//! operations that the schema doesn't say all of.

use std::collections::BTreeSet;

use super::super::{Action, Facts, Plan, Route, Statement, Unplannable};
use super::ddl::{self, Ddl};
use super::edit::same_name;
use super::native::{self, Way};
use super::rebuild::{Rebuild, reads_others, scratch_name};
use crate::operations::Operation;
use crate::schema::Schema;
use crate::sql::quote;

/// Whether the operation is of a kind that the stored definition may decide about.
pub(super) fn may_rebuild(operation: &Operation) -> bool {
    match operation {
        Operation::AddColumn { column, using, before, .. } => {
            using.is_some() || before.is_some() || !native::is_addable(column)
        }
        Operation::AlterTable { .. }
        | Operation::DropColumn { .. }
        | Operation::AlterColumn { .. }
        | Operation::AddPrimaryKey { .. }
        | Operation::DropPrimaryKey { .. }
        | Operation::AddUnique { .. }
        | Operation::DropUnique { .. }
        | Operation::AddForeignKey { .. }
        | Operation::DropForeignKey { .. }
        | Operation::AddCheck { .. }
        | Operation::DropCheck { .. } => true,
        Operation::CreateTable(_)
        | Operation::DropTable { .. }
        | Operation::RenameTable { .. }
        | Operation::RenameColumn { .. }
        | Operation::CreateIndex { .. }
        | Operation::DropIndex { .. }
        | Operation::RenameIndex { .. }
        | Operation::Execute(_)
        | Operation::BulkInsert { .. }
        | Operation::Run(_) => false,
    }
}

/// The table that an operation alters, if it can be part of a rebuild.
fn altered(operation: &Operation) -> Option<&str> {
    match operation {
        Operation::CreateIndex { table, .. }
        | Operation::DropIndex { table, .. }
        | Operation::RenameIndex { table, .. }
        | Operation::AlterTable { table, .. }
        | Operation::AddColumn { table, .. }
        | Operation::DropColumn { table, .. }
        | Operation::AlterColumn { table, .. }
        | Operation::AddPrimaryKey { table, .. }
        | Operation::DropPrimaryKey { table, .. }
        | Operation::AddUnique { table, .. }
        | Operation::DropUnique { table, .. }
        | Operation::AddForeignKey { table, .. }
        | Operation::DropForeignKey { table, .. }
        | Operation::AddCheck { table, .. }
        | Operation::DropCheck { table, .. } => Some(table),
        _ => None,
    }
}

/// Whether what comes before it has to be done before it, whichever table it is about: it sees
/// rows, or it changes the texts of more than one table.
fn is_barrier(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::Execute(_)
            | Operation::BulkInsert { .. }
            | Operation::Run(_)
            | Operation::RenameTable { .. }
            | Operation::RenameColumn { .. }
            | Operation::DropTable { .. }
    )
}

/// The operations that may be done together with one before them.
fn until_barrier(later: &[Operation]) -> &[Operation] {
    let end = later.iter().position(is_barrier).unwrap_or(later.len());
    &later[..end]
}

pub(super) fn plan(
    operations: &[Operation],
    schema: &mut Schema,
    facts: &Facts,
) -> Result<Plan, Unplannable> {
    let in_rebuild = if operations.iter().any(may_rebuild) {
        in_rebuild(operations, schema, facts)?
    } else {
        vec![false; operations.len()]
    };
    let mut planner = Planner {
        schema,
        facts,
        actions: Vec::new(),
        open: Vec::new(),
        folded: BTreeSet::new(),
        changed: BTreeSet::new(),
        all_changed: false,
    };
    for (idx, operation) in operations.iter().enumerate() {
        if !planner.take(idx, operations, in_rebuild[idx])? {
            planner.flush(|_| true)?;
            return Ok(Plan { actions: planner.actions, taken: idx });
        }
        operation.apply(planner.schema).map_err(|err| Unplannable {
            message: err.to_string(),
            hint: Some("compare the revision with the ones before it".to_owned()),
        })?;
    }
    planner.flush(|_| true)?;
    Ok(Plan { actions: planner.actions, taken: operations.len() })
}

/// Which operations are part of a rebuild: all of a table's between two barriers, if one needs
/// it.
fn in_rebuild(
    operations: &[Operation],
    schema: &Schema,
    facts: &Facts,
) -> Result<Vec<bool>, Unplannable> {
    let named = operations.iter().filter_map(|it| match it {
        Operation::RenameTable { from, .. } => Some(from.as_str()),
        Operation::RenameColumn { table, .. } => Some(table),
        other => altered(other),
    });
    let named: BTreeSet<&str> = named.collect();
    let tables = named.into_iter().filter_map(|it| schema.table(it)).cloned();
    let mut schema = Schema::from_tables(tables);
    let mut stretch = 0;
    let mut places = Vec::new();
    let mut rebuilt = BTreeSet::new();
    let mut folded = BTreeSet::new();
    for (idx, operation) in operations.iter().enumerate() {
        stretch += usize::from(is_barrier(operation));
        let place = altered(operation).map(|it| (it, stretch));
        let later = &operations[idx + 1..];
        if let Some(place) = place.filter(|_| !folded.contains(&idx)) {
            let (earlier, later) = (&operations[..idx], until_barrier(later));
            if native::way(facts, operation, earlier, later, &schema)? == Way::Rebuild {
                rebuilt.insert(place);
            } else if let Some((after, _)) = native::added_key(operation, later) {
                folded.insert(idx + 1 + after);
            }
        }
        places.push(place);
        // What doesn't fit is said where the operation is planned.
        let _ = operation.apply(&mut schema);
    }
    Ok(places.into_iter().map(|it| it.is_some_and(|it| rebuilt.contains(&it))).collect())
}

struct Planner<'a> {
    /// The schema before the operation at hand.
    schema: &'a mut Schema,
    facts: &'a Facts,
    actions: Vec<Action>,
    /// Rebuilds that still collect, with their table and an operation to name in errors.
    open: Vec<(String, Rebuild, Operation)>,
    /// Operations that an earlier one has done.
    folded: BTreeSet<usize>,
    /// Tables whose stored texts are no longer those of the facts.
    changed: BTreeSet<String>,
    /// Whether all texts may have changed.
    all_changed: bool,
}

impl Planner<'_> {
    /// Takes an operation, or says that the facts have to be asked again before.
    fn take(
        &mut self,
        idx: usize,
        operations: &[Operation],
        in_rebuild: bool,
    ) -> Result<bool, Unplannable> {
        let operation = &operations[idx];
        let (earlier, later) = (&operations[..idx], until_barrier(&operations[idx + 1..]));
        let table = altered(operation);
        if is_barrier(operation) {
            self.flush(|_| true)?;
        } else {
            // What a rebuild reads of other tables is read after what was asked of them before,
            // and before what is asked of them later.
            let reads = reads_others(operation);
            self.flush(|(it, rebuild, _)| {
                Some(it.as_str()) != table && (reads || rebuild.reads_others)
            })?;
        }
        if let Some(table) = table.filter(|_| in_rebuild) {
            return self.rebuild(table, operation);
        }
        if self.folded.contains(&idx) {
            return Ok(true);
        }
        let way = native::way(self.facts, operation, earlier, later, self.schema)?;
        match table.filter(|_| way == Way::Rebuild) {
            Some(table) => self.rebuild(table, operation),
            None => self.direct(idx, operation, later, way).map(|()| true),
        }
    }

    fn rebuild(&mut self, table: &str, operation: &Operation) -> Result<bool, Unplannable> {
        let Some(before) = self.schema.table(table) else { return Ok(true) };
        let is_it = |it: &(String, Rebuild, Operation)| it.0 == table;
        if self.open.iter().any(|it| is_it(it) && !it.1.takes(operation)) {
            self.flush(is_it)?;
            return self.rebuild(table, operation);
        }
        if !self.open.iter().any(is_it) {
            let is_stale = self.all_changed || self.changed.contains(table);
            if is_stale && self.facts.objects.is_some() {
                return Ok(false);
            }
            self.open.push((table.to_owned(), Rebuild::new(before), operation.clone()));
        }
        let mut gone = None;
        if let Some((_, rebuild, _)) = self.open.iter_mut().find(|it| is_it(it)) {
            if let Operation::DropIndex { name, .. } | Operation::RenameIndex { from: name, .. } =
                operation
            {
                // One that the rebuild itself makes isn't there yet.
                gone = Some(name).filter(|it| rebuild.has_index(it));
            }
            rebuild.push(operation, before);
        }
        if let Some(name) = gone {
            // At once: its name may be given to an index of another table.
            self.push(operation, format!("DROP INDEX {}", quote(name)), Route::Native);
        }
        Ok(true)
    }

    /// Closes rebuilds, in the order in which they began.
    fn flush(
        &mut self,
        which: impl Fn(&(String, Rebuild, Operation)) -> bool,
    ) -> Result<(), Unplannable> {
        let (closed, open) = std::mem::take(&mut self.open).into_iter().partition(which);
        self.open = open;
        let closed: Vec<(String, Rebuild, Operation)> = closed;
        for (table, rebuild, operation) in closed {
            let ddl = Ddl { facts: self.facts, operation: &operation };
            if let Some(after) = self.schema.table(&table) {
                self.actions.extend(rebuild.actions(&ddl, after)?);
            }
            self.changed.insert(table);
        }
        Ok(())
    }

    fn direct(
        &mut self,
        idx: usize,
        operation: &Operation,
        later: &[Operation],
        way: Way,
    ) -> Result<(), Unplannable> {
        self.changed.extend(altered(operation).map(str::to_owned));
        let native = |this: &mut Self, sql: String| {
            this.push(operation, sql, Route::Native);
            Ok(())
        };
        match operation {
            Operation::CreateTable(table) => {
                self.changed.insert(table.name.clone());
                let ddl = Ddl { facts: self.facts, operation };
                self.push(operation, ddl.create_table(table)?, Route::Native);
                for index in &table.indexes {
                    let sql = ddl::create_index(&table.name, index);
                    self.push(operation, sql, Route::Native);
                }
                Ok(())
            }
            Operation::DropTable { table } => native(self, format!("DROP TABLE {}", quote(table))),
            Operation::RenameTable { from, to } => {
                // Before, references were only rewritten with foreign keys on.
                ddl::needs(self.facts, operation, 3_026_000)?;
                self.all_changed = true;
                let rename = |from: &str, to: &str| {
                    format!("ALTER TABLE {} RENAME TO {}", quote(from), quote(to))
                };
                if !same_name(from, to) {
                    return native(self, rename(from, to));
                }
                // SQLite takes the table itself for another one of that name.
                let between = scratch_name(self.facts, to);
                self.push(operation, rename(from, &between), Route::Native);
                native(self, rename(&between, to))
            }
            Operation::RenameColumn { table, from, to } => {
                self.all_changed = true;
                if self.schema.table(table).is_some_and(|it| native::rename_fails(it, from)) {
                    return Err(Unplannable {
                        message: format!(
                            "cannot {operation} on SQLite: SQLite itself fails to rename a \
                             column that is in the key and in a unique constraint of a WITHOUT \
                             ROWID table"
                        ),
                        hint: Some(
                            "drop the unique constraint before, and add it again after".to_owned(),
                        ),
                    });
                }
                let (table, from, to) = (quote(table), quote(from), quote(to));
                native(self, format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"))
            }
            Operation::CreateIndex { table, index } => {
                native(self, ddl::create_index(table, index))
            }
            Operation::DropIndex { name, .. } => {
                native(self, format!("DROP INDEX {}", quote(name)))
            }
            Operation::RenameIndex { table, from, to } => {
                let found = self.schema.table(table).and_then(|it| it.find_index(from));
                let create = found.map(|it| {
                    let renamed = crate::schema::Index { name: to.clone(), ..it.clone() };
                    ddl::create_index(table, &renamed)
                });
                self.push(operation, format!("DROP INDEX {}", quote(from)), Route::Native);
                // Without it, replaying the operation is the error.
                create.into_iter().try_for_each(|sql| native(self, sql))
            }
            Operation::Execute(it) => {
                self.all_changed = true;
                match it.sql.text("sqlite") {
                    Some(sql) => {
                        self.push(operation, sql.to_owned(), Route::Raw);
                        Ok(())
                    }
                    None => Err(Unplannable {
                        message: "cannot execute SQL on SQLite: it has no text for SQLite"
                            .to_owned(),
                        hint: Some("add one with `.sqlite(\"...\")`; it may be empty".to_owned()),
                    }),
                }
            }
            Operation::BulkInsert { table, columns, rows } => {
                for sql in ddl::inserts(table, columns, rows) {
                    self.push(operation, sql, Route::Native);
                }
                Ok(())
            }
            Operation::Run(step) => {
                self.all_changed = true;
                self.actions.push(Action::Step { operation: idx, name: step.name.clone() });
                Ok(())
            }
            _ => {
                if let Some((after, _)) = native::added_key(operation, later) {
                    self.folded.insert(idx + 1 + after);
                }
                match way {
                    Way::Nothing | Way::Rebuild => Ok(()),
                    Way::Statement(sql, check) => {
                        self.actions.extend(check.map(Action::Check));
                        native(self, sql)
                    }
                }
            }
        }
    }

    fn push(&mut self, operation: &Operation, sql: String, route: Route) {
        let reason = operation.to_string();
        self.actions.push(Action::Statement(Statement { sql, reason, route }));
    }
}
