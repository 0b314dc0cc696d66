//! Leaves one text of SQL in operations: the one of a database.

use std::borrow::Cow;

use super::{ColumnChange, Operation};
use crate::backend::Backend;
use crate::schema::resolve::{HasSql, NoText};
use crate::schema::{DefaultValue, Sql};

impl HasSql for ColumnChange {
    fn each_sql(&mut self, each: &mut dyn FnMut(&dyn Fn() -> String, &mut Sql)) {
        if let Some(Some(DefaultValue::Sql(sql))) = &mut self.default {
            each(&|| "the default".to_owned(), sql);
        }
        if let Some(Some(generated)) = &mut self.generated {
            each(&|| "the expression".to_owned(), &mut generated.expression);
        }
        for sql in self.using.iter_mut().chain(&mut self.fill) {
            each(&|| "the value of existing rows".to_owned(), sql);
        }
    }

    fn differs(&self) -> bool {
        let differs = |sql: &Sql| !sql.by_dialect.is_empty();
        matches!(&self.default, Some(Some(DefaultValue::Sql(sql))) if differs(sql))
            || matches!(&self.generated, Some(Some(generated)) if differs(&generated.expression))
            || self.using.iter().chain(&self.fill).any(differs)
    }
}

impl HasSql for Operation {
    fn each_sql(&mut self, each: &mut dyn FnMut(&dyn Fn() -> String, &mut Sql)) {
        match self {
            Operation::CreateTable(table) => table.each_sql(each),
            Operation::AddColumn { column, using, .. } => {
                column.each_sql(each);
                if let Some(sql) = using {
                    each(&|| "the value of existing rows".to_owned(), sql);
                }
            }
            Operation::AlterColumn { change, .. } => change.each_sql(each),
            Operation::AddCheck { check, .. } => check.each_sql(each),
            Operation::CreateIndex { index, .. } => index.each_sql(each),
            Operation::Execute(statement) => {
                statement.describes.iter_mut().for_each(|operation| operation.each_sql(each));
            }
            Operation::DropTable { .. }
            | Operation::RenameTable { .. }
            | Operation::AlterTable { .. }
            | Operation::DropColumn { .. }
            | Operation::RenameColumn { .. }
            | Operation::AddPrimaryKey { .. }
            | Operation::DropPrimaryKey { .. }
            | Operation::AddUnique { .. }
            | Operation::DropUnique { .. }
            | Operation::AddForeignKey { .. }
            | Operation::DropForeignKey { .. }
            | Operation::DropCheck { .. }
            | Operation::DropIndex { .. }
            | Operation::RenameIndex { .. }
            | Operation::BulkInsert { .. }
            | Operation::Run(_)
            | Operation::Makes(_)
            | Operation::Drops(_) => {}
        }
    }

    fn differs(&self) -> bool {
        match self {
            Operation::CreateTable(table) => table.differs(),
            Operation::AddColumn { column, using, .. } => {
                column.differs() || using.iter().any(|sql| !sql.by_dialect.is_empty())
            }
            Operation::AlterColumn { change, .. } => change.differs(),
            Operation::AddCheck { check, .. } => check.differs(),
            Operation::CreateIndex { index, .. } => index.differs(),
            Operation::Execute(statement) => statement.describes.iter().any(HasSql::differs),
            _ => false,
        }
    }
}

/// The operations with the texts of one database, or the first one that has a text for others only.
pub(crate) fn resolved(
    operations: &[Operation],
    backend: Backend,
) -> Result<Cow<'_, [Operation]>, (&Operation, NoText)> {
    if !operations.iter().any(HasSql::differs) {
        return Ok(Cow::Borrowed(operations));
    }
    let resolved = operations.iter().map(|operation| {
        operation.resolved(backend).map(Cow::into_owned).map_err(|missing| (operation, missing))
    });
    resolved.collect::<Result<Vec<_>, _>>().map(Cow::Owned)
}

/// The operations with the texts of one database, where there are any.
pub fn settled(operations: &[Operation], backend: Backend) -> Vec<Operation> {
    let mut settled = operations.to_vec();
    settled.iter_mut().for_each(|operation| operation.settle(backend));
    settled
}
