//! SQLite's statements.
//!
//! What `ALTER TABLE` can and can't do is from sqlite.org's `lang_altertable.html`; each refusal
//! names the rule.

mod ddl;
#[allow(dead_code, unused_imports)]
mod definition;
#[allow(dead_code)]
mod read;

use super::{Action, Dialect, Facts, Route, Statement, Unplannable};
use crate::Value;
use crate::operations::{ColumnChange, Operation, TableChange};
use crate::schema::{Column, DefaultValue, ForeignKey, Schema};
use ddl::{Ddl, quote};

/// SQLite, from 3.25 on; what needs a later version says so.
#[derive(Debug, Clone, Copy)]
pub struct Sqlite;

impl Dialect for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn title(&self) -> &'static str {
        "SQLite"
    }

    fn offline_facts(&self) -> Facts {
        Facts { version: 3_046_000, objects: None }
    }

    fn quote(&self, name: &str) -> String {
        quote(name)
    }

    fn literal(&self, value: &Value) -> String {
        ddl::literal(value)
    }

    fn plan(
        &self,
        operations: &[Operation],
        schema: &mut Schema,
        facts: &Facts,
    ) -> Result<Vec<Action>, Unplannable> {
        let mut planner = Planner { schema, facts, actions: Vec::new() };
        let mut folded = Vec::new();
        for (idx, operation) in operations.iter().enumerate() {
            let later = &operations[idx + 1..];
            let key_of_column = added_key(operation, later);
            if let Some((after, _)) = key_of_column {
                folded.push(idx + 1 + after);
            }
            if !folded.contains(&idx) && !dropped_with_column(operation, later, planner.schema) {
                planner.operation(idx, operation, key_of_column.map(|(_, it)| it))?;
            }
            operation.apply(planner.schema).map_err(|err| Unplannable {
                message: err.to_string(),
                hint: Some("compare the revision with the ones before it".to_owned()),
            })?;
        }
        Ok(planner.actions)
    }

    fn create_version_table(&self, table: &str) -> String {
        ddl::version_table(table)
    }

    fn table_exists(&self) -> &'static str {
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1 COLLATE NOCASE"
    }

    fn now(&self) -> &'static str {
        "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"
    }
}

/// The foreign key that a later operation adds to a column that this one adds, and how much later
/// it comes: SQLite takes `REFERENCES` in `ADD COLUMN`, so both are one statement.
fn added_key<'a>(operation: &Operation, later: &'a [Operation]) -> Option<(usize, &'a ForeignKey)> {
    let Operation::AddColumn { table, column, .. } = operation else { return None };
    later.iter().enumerate().find_map(|(after, it)| match it {
        Operation::AddForeignKey { table: it, foreign_key }
            if it == table && foreign_key.columns == [column.name.as_str()] =>
        {
            Some((after, foreign_key))
        }
        _ => None,
    })
}

/// Whether the operation drops a foreign key whose column is dropped later: SQLite drops a column
/// with its `REFERENCES`.
fn dropped_with_column(operation: &Operation, later: &[Operation], before: &Schema) -> bool {
    let Operation::DropForeignKey { table, name } = operation else { return false };
    let keys = before.table(table).map_or(&[][..], |it| &it.foreign_keys);
    // Two over one column are constraints of the table, which keep the column from being dropped.
    let n_of = |columns: &[String]| keys.iter().filter(|it| it.columns == columns).count();
    let Some(key) = keys.iter().find(|it| it.name == *name) else { return false };
    n_of(&key.columns) == 1
        && later.iter().any(|it| {
            matches!(it, Operation::DropColumn { table: it, column }
            if it == table && key.columns == [column.as_str()])
        })
}

struct Planner<'a> {
    /// The schema before the operation at hand.
    schema: &'a mut Schema,
    facts: &'a Facts,
    actions: Vec<Action>,
}

impl Planner<'_> {
    fn operation(
        &mut self,
        idx: usize,
        operation: &Operation,
        key_of_column: Option<&ForeignKey>,
    ) -> Result<(), Unplannable> {
        let native = |this: &mut Self, sql: String| {
            this.push(operation, sql, Route::Native);
            Ok(())
        };
        match operation {
            Operation::CreateTable(table) => {
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
                self.needs(operation, 3_026_000)?;
                native(self, format!("ALTER TABLE {} RENAME TO {}", quote(from), quote(to)))
            }
            Operation::AlterTable { change: TableChange { strict, without_rowid, .. }, .. } => {
                match (strict, without_rowid) {
                    (None, None) => Ok(()),
                    _ => Err(rebuild(operation, "STRICT and WITHOUT ROWID are fixed at creation")),
                }
            }
            Operation::AddColumn { table, column, .. } => {
                addable(operation, column)?;
                let ddl = Ddl { facts: self.facts, operation };
                let strict = self.schema.table(table).is_some_and(|it| it.strict);
                let column = ddl.column(table, column, None, key_of_column, strict)?;
                native(self, format!("ALTER TABLE {} ADD COLUMN {column}", quote(table)))
            }
            Operation::DropColumn { table, column } => {
                self.needs(operation, 3_035_000)?;
                let checks = self.schema.table(table).map_or(&[][..], |it| &it.checks);
                if let Some(check) = checks.iter().find(|it| mentions(&it.expression, column)) {
                    let why = format!("check `{}` mentions the column", check.name);
                    return Err(rebuild(operation, &why));
                }
                native(self, format!("ALTER TABLE {} DROP COLUMN {}", quote(table), quote(column)))
            }
            Operation::AlterColumn { table, column, change } => {
                self.alter_column(operation, table, column, change)
            }
            Operation::RenameColumn { table, from, to } => native(
                self,
                format!(
                    "ALTER TABLE {} RENAME COLUMN {} TO {}",
                    quote(table),
                    quote(from),
                    quote(to)
                ),
            ),
            Operation::AddPrimaryKey { .. } | Operation::DropPrimaryKey { .. } => {
                Err(rebuild(operation, "SQLite has no ALTER TABLE for primary keys"))
            }
            Operation::AddUnique { .. } | Operation::DropUnique { .. } => {
                Err(rebuild(operation, "SQLite has no ALTER TABLE for unique constraints"))
            }
            Operation::AddForeignKey { .. } | Operation::DropForeignKey { .. } => {
                Err(rebuild(operation, "SQLite has no ALTER TABLE for foreign keys"))
            }
            Operation::AddCheck { .. } | Operation::DropCheck { .. } => {
                Err(rebuild(operation, "not every SQLite has ALTER TABLE for checks"))
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
            Operation::Execute(it) => match it.sql.text("sqlite") {
                Some(sql) => {
                    self.push(operation, sql.to_owned(), Route::Raw);
                    Ok(())
                }
                None => Err(Unplannable {
                    message: "cannot execute SQL on SQLite: it has no text for SQLite".to_owned(),
                    hint: Some("add one with `.sqlite(\"...\")`; it may be empty".to_owned()),
                }),
            },
            Operation::BulkInsert { table, columns, rows } => {
                for sql in ddl::inserts(table, columns, rows) {
                    self.push(operation, sql, Route::Native);
                }
                Ok(())
            }
            Operation::Run(step) => {
                self.actions.push(Action::Step { operation: idx, name: step.name.clone() });
                Ok(())
            }
        }
    }

    fn push(&mut self, operation: &Operation, sql: String, route: Route) {
        let reason = operation.to_string();
        self.actions.push(Action::Statement(Statement { sql, reason, route }));
    }

    fn needs(&self, operation: &Operation, version: u32) -> Result<(), Unplannable> {
        ddl::needs(self.facts, operation, version)
    }

    /// A change that SQLite's stored schema doesn't show needs nothing; any other a rebuild.
    fn alter_column(
        &mut self,
        operation: &Operation,
        table: &str,
        column: &str,
        change: &ColumnChange,
    ) -> Result<(), Unplannable> {
        let Some(was) = self.schema.table(table).and_then(|it| it.find_column(column)) else {
            return Ok(());
        };
        let strict = self.schema.table(table).is_some_and(|it| it.strict);
        let mut to = was.clone();
        change.apply(&mut to);
        let ddl = Ddl { facts: self.facts, operation };
        let before = ddl.column(table, was, None, None, strict)?;
        let after = ddl.column(table, &to, None, None, strict)?;
        if before == after && was.autoincrement == to.autoincrement {
            return Ok(());
        }
        Err(rebuild(operation, "SQLite has no ALTER TABLE for it in every version"))
    }
}

/// Whether `ADD COLUMN` takes the column (rules of `lang_altertable.html`, section 4).
fn addable(operation: &Operation, column: &Column) -> Result<(), Unplannable> {
    let not_null_without = |default: &Option<DefaultValue>| match default {
        None | Some(DefaultValue::Literal(Value::Null)) => true,
        Some(DefaultValue::Literal(_) | DefaultValue::Now | DefaultValue::Sql(_)) => false,
    };
    match column {
        Column { generated: Some(it), .. } if it.stored => {
            Err(rebuild(operation, "ADD COLUMN takes no stored generated column"))
        }
        Column { generated: Some(_), .. } => Ok(()),
        Column { nullable: false, default, .. } if not_null_without(default) => {
            let why = "it is NOT NULL and has no default, so rows already in the table would have \
                       no value";
            let hint = "give it a default, or make it nullable";
            Err(Unplannable {
                message: format!("cannot {operation} on SQLite: {why}"),
                hint: Some(hint.to_owned()),
            })
        }
        Column { default: Some(DefaultValue::Now | DefaultValue::Sql(_)), .. } => {
            Err(rebuild(operation, "ADD COLUMN takes only a constant as default"))
        }
        _ => Ok(()),
    }
}

fn rebuild(operation: &Operation, why: &str) -> Unplannable {
    Unplannable {
        message: format!(
            "cannot {operation} on SQLite: {why}, so the table would have to be rebuilt, which \
             this version of dbmigrate does not do"
        ),
        hint: Some(
            "take the change back, or write the rebuild yourself with `op.execute` and tell what \
             it does with `.describes`"
                .to_owned(),
        ),
    }
}

/// Whether an expression may mention a column; a name inside another word doesn't count.
fn mentions(expression: &str, column: &str) -> bool {
    let word = |it: char| it.is_alphanumeric() || it == '_';
    let (expression, column) = (expression.to_lowercase(), column.to_lowercase());
    expression.match_indices(&column).any(|(at, it)| {
        !expression[..at].ends_with(word) && !expression[at + it.len()..].starts_with(word)
    })
}
