//! Operations that a project's own function returned for a difference.

use std::collections::BTreeMap;

use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::sql;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{Schema, Table};

use super::fill::{Need, Why};
use super::{Changes, discarded, victim};
use crate::error::{Error, Result};

/// The changes with these operations instead of those that were found; `before` is the schema
/// before them. What they do to values is determined again.
///
/// # Errors
///
/// An operation that doesn't fit the schema, or that can't be written into a revision.
pub fn rewritten(
    found: &Changes,
    operations: Vec<Operation>,
    before: &Schema,
    (function, dialect): (&str, &'static dyn Dialect),
) -> Result<Changes> {
    if let Some(step) = step_of(&operations) {
        let message = format!(
            "the rewriting function `{function}` adds the step `{step}`, but a function can't be \
             written into a revision"
        );
        return Err(Error::new(message).hint(
            "express it in SQL with `op.execute`, or write the step into the revision by hand",
        ));
    }
    let operations: Vec<_> = operations.into_iter().flat_map(without_indexes).collect();
    let mut schema = before.clone();
    let mut losses = BTreeMap::new();
    for (idx, operation) in operations.iter().enumerate() {
        losses.extend(loss(operation, &schema, (found, dialect)).map(|loss| (idx, loss)));
        operation.apply(&mut schema).map_err(|err| {
            let message = format!(
                "the operations that the rewriting function `{function}` returned do not fit the \
                 schema"
            );
            Error::new(message).cause(err).hint(
                "an operation has to come after those that it depends on, and if one is left out, \
                 so must be those that depend on it",
            )
        })?;
    }
    Ok(Changes { operations, losses, overruled: found.overruled.clone() })
}

fn step_of(operations: &[Operation]) -> Option<&str> {
    operations.iter().find_map(|operation| match operation {
        Operation::Run(step) => Some(step.name.as_str()),
        Operation::Execute(operation) => step_of(&operation.describes),
        _ => None,
    })
}

/// Splits off the indexes of a new table, since a revision creates them one by one.
fn without_indexes(operation: Operation) -> Vec<Operation> {
    match operation {
        Operation::CreateTable(mut table) => {
            let indexes = std::mem::take(&mut table.indexes);
            let name = table.name.clone();
            let create = |index| Operation::CreateIndex { table: name.clone(), index };
            let indexes: Vec<_> = indexes.into_iter().map(create).collect();
            [vec![Operation::CreateTable(table)], indexes].concat()
        }
        other => vec![other],
    }
}

/// What an operation does to values, given the schema before it.
fn loss(
    operation: &Operation,
    before: &Schema,
    (found, dialect): (&Changes, &'static dyn Dialect),
) -> Option<String> {
    if let Operation::Execute(statement) = operation {
        let mut schema = before.clone();
        return statement.describes.iter().find_map(|operation| {
            let loss = loss(operation, &schema, (found, dialect));
            // An operation that doesn't fit is reported when all of them are applied.
            let _ = operation.apply(&mut schema);
            loss
        });
    }
    if let Some(discarded) = discarded(operation, before) {
        return Some(format!("discards the data in {discarded}"));
    }
    match found.operations.iter().position(|candidate| candidate == operation) {
        Some(idx) => found.losses.get(&idx).cloned(),
        None if converts(operation, before, dialect) || gives_values(operation) => {
            victim(operation).map(|victim| format!("may discard data in {victim}"))
        }
        None => None,
    }
}

/// Whether a column's new type may not hold its values. No question was asked about them.
fn converts(operation: &Operation, before: &Schema, dialect: &'static dyn Dialect) -> bool {
    let Operation::AlterColumn { table, column, change } = operation else { return false };
    let was = before.table(table).and_then(|table: &Table| table.find_column(column));
    was.is_some_and(|was| {
        let mut now = was.clone();
        change.apply(&mut now);
        let need = Need::of_change(table, was, &now, dialect);
        need.is(Why::Values) || need.is(Why::Narrower)
    })
}

/// Whether an expression replaces a column's values, and isn't just the column itself.
fn gives_values(operation: &Operation) -> bool {
    let Operation::AlterColumn { column, change, .. } = operation else { return false };
    let is_column = |text: &str| {
        let text = text.trim();
        text == column || text == sql::quote(column)
    };
    change.fill.is_some() || change.using.as_deref().is_some_and(|text| !is_column(text))
}

#[cfg(test)]
mod tests {
    use dbmigrate_runtime::engine::dialect::Sqlite;
    use dbmigrate_runtime::operations::Operations;
    use dbmigrate_runtime::prelude::*;
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(record: fn(&mut Operations), expect: Expect) {
        let user = Table::new("user")
            .column(Column::new("id", Type::Integer))
            .column(Column::new("name", Type::Text))
            .column(Column::new("nick", Type::Text));
        let before = Schema::from_tables([user]);
        let shorter = ColumnChange::new().ty(Type::String(9)).using("substr(\"nick\", 1, 9)");
        let found = Changes {
            operations: Operations::record(|op| op.alter_column("user", "nick", shorter)),
            losses: [(0, "may discard data in column `nick` of `user`".to_owned())].into(),
            ..Changes::default()
        };
        let res = rewritten(&found, Operations::record(record), &before, ("rewrite::it", &Sqlite));
        expect.assert_eq(&match res {
            Err(err) => err.to_string(),
            Ok(changes) => {
                let line = |(idx, operation): (usize, &Operation)| {
                    let loss =
                        changes.losses.get(&idx).map_or(String::new(), |loss| format!(": {loss}"));
                    format!("{operation}{loss}\n")
                };
                changes.operations.iter().enumerate().map(line).collect()
            }
        });
    }

    #[test]
    fn what_is_discarded_is_judged_by_what_is_left() {
        check(
            |op| {
                op.create_table(Table::new("t").column(Column::new("a", Type::Text)));
                op.drop_column("user", "nick");
                op.execute("DROP TABLE user").describes(|op| op.drop_table("user"));
            },
            expect![[r#"
                create table `t`
                drop column `nick` of table `user`: discards the data in column `nick` of `user`
                execute SQL: discards the data in table `user`
            "#]],
        );
        check(
            |op| {
                let change =
                    ColumnChange::new().ty(Type::String(9)).using("substr(\"nick\", 1, 9)");
                op.alter_column("user", "nick", change);
                op.alter_column("user", "name", ColumnChange::new().ty(Type::Integer));
                op.alter_column("user", "id", ColumnChange::new().ty(Type::BigInteger));
            },
            expect![[r#"
                alter column `nick` of table `user`: may discard data in column `nick` of `user`
                alter column `name` of table `user`: may discard data in column `name` of `user`
                alter column `id` of table `user`
            "#]],
        );
    }

    #[test]
    fn values_that_an_expression_takes_the_place_of_are_discarded() {
        check(
            |op| {
                op.alter_column("user", "nick", ColumnChange::new().not_null().using("''"));
                op.alter_column("user", "name", ColumnChange::new().not_null().using("\"name\""));
            },
            expect![[r#"
                alter column `nick` of table `user`: may discard data in column `nick` of `user`
                alter column `name` of table `user`
            "#]],
        );
    }

    #[test]
    fn what_can_not_be_written_is_refused() {
        check(
            |op| op.run("fill", |_| Ok(())),
            expect![[r#"
            the rewriting function `rewrite::it` adds the step `fill`, but a function can't be written into a revision
              hint: express it in SQL with `op.execute`, or write the step into the revision by hand"#]],
        );
        check(
            |op| op.execute("x").describes(|op| op.run("y", |_| Ok(()))),
            expect![[r#"
            the rewriting function `rewrite::it` adds the step `y`, but a function can't be written into a revision
              hint: express it in SQL with `op.execute`, or write the step into the revision by hand"#]],
        );
        check(
            |op| op.drop_table("post"),
            expect![[r#"
            the operations that the rewriting function `rewrite::it` returned do not fit the schema
              caused by: cannot drop table `post`: table `post` does not exist
              hint: an operation has to come after those that it depends on, and if one is left out, so must be those that depend on it"#]],
        );
        check(
            |op| {
                let mut table = Table::new("t").column(Column::new("a", Type::Text));
                table.indexes.push(Index::new("ix_t_a", ["a"]));
                op.create_table(table);
            },
            expect![[r#"
                create table `t`
                create index `ix_t_a` on table `t`
            "#]],
        );
    }
}
