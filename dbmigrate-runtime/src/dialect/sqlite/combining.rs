//! Which operations can be carried out together.

use crate::operations::Operation;

/// The table that an operation alters, if the operation can be part of a rebuild.
pub(super) fn altered(operation: &Operation) -> Option<&str> {
    if separates(operation) || matches!(operation, Operation::CreateTable(_)) {
        return None;
    }
    operation.tables().first().copied()
}

/// Whether everything before the operation has to be finished first, for all tables: the operation
/// sees rows, or it changes the texts of more than one table.
pub(super) fn separates(operation: &Operation) -> bool {
    match operation {
        Operation::Execute(_)
        | Operation::BulkInsert { .. }
        | Operation::Run(_)
        | Operation::RenameTable { .. }
        | Operation::RenameColumn { .. }
        | Operation::DropTable { .. } => true,
        Operation::CreateTable(_)
        | Operation::AlterTable { .. }
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
        | Operation::CreateIndex { .. }
        | Operation::DropIndex { .. }
        | Operation::RenameIndex { .. }
        | Operation::Makes(_)
        | Operation::Drops(_) => false,
    }
}

/// The later operations that may be combined with an earlier one.
pub(super) fn until_separator(later: &[Operation]) -> &[Operation] {
    let end = later.iter().position(separates).unwrap_or(later.len());
    &later[..end]
}
