//! Translates operations to tasks, in order, with at most one rebuild per table between two
//! operations whose effect the schema doesn't describe completely.

use std::collections::BTreeSet;

use super::super::{Facts, Plan, Refusal, Scratch, Statement, StatementKind, Task};
use super::combining::{altered, separates, until_separator};
use super::comparing::NAMES;
use super::ddl::{self, Ddl};
use super::edit::same_name;
use super::native::{self, Way};
use super::rebuild::{Rebuild, reads_others, scratch_name};
use super::unsupported;
use crate::backend::Backend;
use crate::operations::Operation;
use crate::schema::Schema;
use crate::sql::quote;
use crate::written::{self, Mistake};

/// Refuses other operations beside a step that runs in pieces: foreign keys are compared before and
/// after a transaction with all of a revision, and that is what they would not be in.
fn refuse_beside_pieces(operations: &[Operation]) -> Result<(), Refusal> {
    let is_batched = |operation: &Operation| match operation {
        Operation::Run(step) => step.batch.is_some(),
        _ => false,
    };
    let is_other = |operation: &Operation| {
        !is_batched(operation) && !matches!(operation, Operation::Makes(_) | Operation::Drops(_))
    };
    let find = |is: &dyn Fn(&Operation) -> bool| operations.iter().find(|operation| is(operation));
    match (find(&is_batched), find(&is_other)) {
        (Some(Operation::Run(step)), Some(other)) => Err(Refusal {
            message: format!(
                "cannot {other} in one revision with step `{}`, which runs in pieces, on SQLite",
                step.name
            ),
            hint: Some("put the step into a revision of its own".to_owned()),
        }),
        _ => Ok(()),
    }
}

pub(super) fn plan(
    operations: &[Operation],
    schema: &mut Schema,
    facts: &Facts,
) -> Result<Plan, Refusal> {
    refuse_beside_pieces(operations)?;
    let ways = ways(operations, schema, facts);
    let mut builder = PlanBuilder {
        schema,
        facts,
        tasks: Vec::new(),
        open: Vec::new(),
        changed: BTreeSet::new(),
        all_changed: false,
    };
    for ((idx, operation), way) in operations.iter().enumerate().zip(ways) {
        let warned = builder.look_at_sql(operation)?;
        if !builder.take(idx, operation, way?)? {
            builder.flush(|_| true)?;
            return Ok(Plan { tasks: builder.tasks, taken: idx, ..Plan::default() });
        }
        builder.tasks.extend(warned);
        operation.apply(builder.schema).map_err(|err| Refusal {
            message: err.to_string(),
            hint: Some("compare the revision with those before it".to_owned()),
        })?;
    }
    builder.flush(|_| true)?;
    Ok(Plan { tasks: builder.tasks, taken: operations.len(), ..Plan::default() })
}

/// How each operation is carried out. If one operation on a table needs a rebuild, all operations
/// on the table between two operations that separate become part of it.
fn ways(operations: &[Operation], schema: &Schema, facts: &Facts) -> Vec<Result<Way, Refusal>> {
    let named: BTreeSet<&str> = operations.iter().flat_map(Operation::tables).collect();
    let tables = named.into_iter().filter_map(|name| schema.table(name)).cloned();
    let mut schema = Schema::from_tables(tables);
    let mut stretch = 0;
    let mut places = Vec::new();
    let mut ways = Vec::new();
    let mut folded = BTreeSet::new();
    for (idx, operation) in operations.iter().enumerate() {
        stretch += usize::from(separates(operation));
        places.push(altered(operation).map(|altered| (altered, stretch)));
        let (earlier, later) = (&operations[..idx], until_separator(&operations[idx + 1..]));
        let way = if folded.contains(&idx) {
            Ok(Way::Nothing)
        } else {
            native::way(&Ddl { facts, operation }, earlier, later, &schema)
        };
        if matches!(way, Ok(Way::Statement(..))) {
            folded.extend(native::added_key(operation, later).map(|(after, _)| idx + 1 + after));
        }
        ways.push(way);
        // An operation that doesn't fit is reported when it is planned.
        let _ = operation.apply(&mut schema);
    }
    let needed = places.iter().zip(&ways).filter(|(_, way)| **way == Ok(Way::Rebuild));
    let rebuilt: BTreeSet<_> = needed.filter_map(|(place, _)| *place).collect();
    for (place, way) in places.iter().zip(&mut ways) {
        if way.is_ok() && place.is_some_and(|place| rebuilt.contains(&place)) {
            *way = Ok(Way::Rebuild);
        }
    }
    ways
}

/// A rebuild that still collects operations.
struct OpenRebuild {
    table: String,
    rebuild: Rebuild,
    /// The operation to name in errors.
    first: Operation,
}

struct PlanBuilder<'a> {
    /// The schema before the current operation.
    schema: &'a mut Schema,
    facts: &'a Facts,
    tasks: Vec<Task>,
    /// Rebuilds that still collect operations.
    open: Vec<OpenRebuild>,
    /// Tables whose stored texts differ from those in the facts by now.
    changed: BTreeSet<String>,
    /// Whether all texts may have changed.
    all_changed: bool,
}

impl PlanBuilder<'_> {
    /// Refuses hand-written SQL that would do something else than was intended. If a stored
    /// expression contains a name that SQLite takes for a text, there is only a note: such
    /// revisions may already be applied to other databases, and have to run on a new one as well.
    fn look_at_sql(&self, operation: &Operation) -> Result<Option<Task>, Refusal> {
        if let Some(refusal) = unsupported::refusal(operation, self.schema) {
            return Err(refusal);
        }
        if let Some(mistake) = written::in_operation(operation, self.schema, Backend::Sqlite, NAMES)
        {
            return Err(Refusal::mistake(operation, Backend::Sqlite, mistake));
        }
        let name = written::kept_names(operation, self.schema, NAMES);
        let text = |mistake: Mistake| {
            format!("{operation}: {}; SQLite reads it as a string", mistake.message)
        };
        Ok(name.map(|mistake| Task::Note(text(mistake))))
    }

    /// Plans an operation, or returns `false` if the facts have to be read again first.
    fn take(&mut self, idx: usize, operation: &Operation, way: Way) -> Result<bool, Refusal> {
        let table = altered(operation);
        if separates(operation) {
            self.flush(|_| true)?;
        } else {
            // A rebuild that reads other tables must do so after their earlier operations and
            // before their later ones.
            let reads = reads_others(operation);
            self.flush(|open| {
                Some(open.table.as_str()) != table && (reads || open.rebuild.reads_others)
            })?;
        }
        match table.filter(|_| way == Way::Rebuild) {
            Some(table) => self.rebuild(table, operation),
            None => self.direct(idx, operation, way).map(|()| true),
        }
    }

    fn rebuild(&mut self, table: &str, operation: &Operation) -> Result<bool, Refusal> {
        let Some(before) = self.schema.table(table) else { return Ok(true) };
        let is_of_table = |open: &OpenRebuild| open.table == table;
        if self.open.iter().any(|open| is_of_table(open) && !open.rebuild.takes(operation)) {
            self.flush(is_of_table)?;
            return self.rebuild(table, operation);
        }
        if !self.open.iter().any(is_of_table) {
            let is_stale = self.all_changed || self.changed.contains(table);
            if is_stale && self.facts.objects.is_some() {
                return Ok(false);
            }
            let (table, rebuild) = (table.to_owned(), Rebuild::new(before));
            self.open.push(OpenRebuild { table, rebuild, first: operation.clone() });
        }
        let mut gone = None;
        if let Some(OpenRebuild { rebuild, .. }) =
            self.open.iter_mut().find(|open| is_of_table(open))
        {
            if let Operation::DropIndex { name, .. } | Operation::RenameIndex { from: name, .. } =
                operation
            {
                // An index that the rebuild itself creates doesn't exist yet.
                gone = Some(name).filter(|name| rebuild.has_index(name));
            }
            rebuild.push(operation, before);
        }
        if let Some(name) = gone {
            // Dropped at once, since an index of another table may take over its name.
            self.push(operation, format!("DROP INDEX {}", quote(name)), StatementKind::Native);
        }
        Ok(true)
    }

    /// Finishes rebuilds, in the order in which they were started.
    fn flush(&mut self, which: impl Fn(&OpenRebuild) -> bool) -> Result<(), Refusal> {
        let all = std::mem::take(&mut self.open).into_iter();
        let (closed, open): (Vec<_>, Vec<_>) = all.partition(which);
        self.open = open;
        for OpenRebuild { table, rebuild, first } in closed {
            let ddl = Ddl { facts: self.facts, operation: &first };
            if let Some(after) = self.schema.table(&table) {
                self.tasks.extend(rebuild.tasks(&ddl, after)?);
            }
            self.changed.insert(table);
        }
        Ok(())
    }

    fn direct(&mut self, idx: usize, operation: &Operation, way: Way) -> Result<(), Refusal> {
        self.changed.extend(altered(operation).map(str::to_owned));
        let native = |this: &mut Self, sql: String| {
            this.push(operation, sql, StatementKind::Native);
            Ok(())
        };
        match operation {
            Operation::CreateTable(table) => {
                self.changed.insert(table.name.clone());
                let ddl = Ddl { facts: self.facts, operation };
                self.push(operation, ddl.create_table(table)?, StatementKind::Native);
                for index in &table.indexes {
                    let sql = ddl::create_index(&table.name, index);
                    self.push(operation, sql, StatementKind::Native);
                }
                Ok(())
            }
            Operation::DropTable { table } => native(self, format!("DROP TABLE {}", quote(table))),
            Operation::RenameTable { from, to } => {
                // Earlier versions only rewrote references if foreign keys were enabled.
                ddl::needs(self.facts, operation, 3_026_000)?;
                self.all_changed = true;
                let rename = |from: &str, to: &str| {
                    format!("ALTER TABLE {} RENAME TO {}", quote(from), quote(to))
                };
                if !same_name(from, to) {
                    return native(self, rename(from, to));
                }
                // SQLite would report the table itself as an existing table with the new name.
                let between = scratch_name(self.facts, to);
                let scratch = Scratch { name: between.clone(), table: to.clone() };
                for sql in [rename(from, &between), rename(&between, to)] {
                    self.tasks.push(Task::Statement(Statement {
                        sql,
                        reason: operation.to_string(),
                        kind: StatementKind::Native,
                        scratch: Some(scratch.clone()),
                        cost: None,
                    }));
                }
                Ok(())
            }
            Operation::RenameColumn { table, from, to } => {
                self.all_changed = true;
                if self.schema.table(table).is_some_and(|table| native::rename_fails(table, from)) {
                    return Err(Refusal {
                        message: format!(
                            "cannot {operation} on SQLite: SQLite itself fails to rename a \
                             column that is in the key and in a unique constraint of a WITHOUT \
                             ROWID table"
                        ),
                        hint: Some(
                            "drop the unique constraint before the rename, and add it again after \
                             it"
                            .to_owned(),
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
                let found = self.schema.table(table).and_then(|table| table.find_index(from));
                let create = found.map(|index| ddl::create_index(table, &index.renamed(to)));
                self.push(operation, format!("DROP INDEX {}", quote(from)), StatementKind::Native);
                // If the index doesn't exist, replaying the operation reports the error.
                create.into_iter().try_for_each(|sql| native(self, sql))
            }
            Operation::Execute(statement) => {
                self.all_changed = true;
                match statement.sql.text(Backend::Sqlite) {
                    Some(sql) => {
                        self.push(operation, sql.to_owned(), StatementKind::Raw);
                        Ok(())
                    }
                    None => Err(Refusal {
                        message: format!("cannot {operation} on SQLite: it has no SQL for SQLite"),
                        hint: Some("add one with `.sqlite(\"...\")`; it may be empty".to_owned()),
                    }),
                }
            }
            Operation::BulkInsert { table, columns, rows } => {
                for sql in ddl::inserts(table, columns, rows) {
                    self.push(operation, sql, StatementKind::Native);
                }
                Ok(())
            }
            Operation::Run(step) => {
                self.all_changed = true;
                let (name, batch) = (step.name.clone(), step.batch.clone());
                self.tasks.push(Task::Step { operation: idx, name, batch });
                Ok(())
            }
            Operation::AlterTable { .. }
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
            | Operation::Makes(_)
            | Operation::Drops(_) => match way {
                Way::Nothing | Way::Rebuild => Ok(()),
                Way::Check(guard) => {
                    self.tasks.push(Task::Guard(guard));
                    Ok(())
                }
                Way::Statement(sql, guards) => {
                    self.tasks.extend(guards.into_iter().map(Task::Guard));
                    native(self, sql)
                }
            },
        }
    }

    fn push(&mut self, operation: &Operation, sql: String, kind: StatementKind) {
        let reason = operation.to_string();
        let statement = Statement { sql, reason, kind, scratch: None, cost: None };
        self.tasks.push(Task::Statement(statement));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Operations;
    use crate::schema::{Column, Schema, Table, Type};

    #[test]
    fn a_table_that_changes_its_case_is_named_in_the_errors_of_both_renames() {
        let operations = Operations::record(|op| op.rename_table("user", "User"));
        let mut schema = Schema::from_tables([Table::new("user")
            .column(Column::new("id", Type::BigInteger).not_null())
            .primary_key("pk_user", ["id"])]);
        let facts = Facts::new(3_046_000, true);
        let tasks = plan(&operations, &mut schema, &facts).unwrap().tasks;
        let named = |task: &Task| match task {
            Task::Statement(Statement { sql, scratch: Some(scratch), .. }) => scratch.named(sql),
            other => panic!("{other:?} has no table with a temporary name"),
        };
        let named: Vec<String> = tasks.iter().map(named).collect();
        assert_eq!(
            named,
            ["ALTER TABLE \"user\" RENAME TO \"User\"", "ALTER TABLE \"User\" RENAME TO \"User\""]
        );
    }
}
