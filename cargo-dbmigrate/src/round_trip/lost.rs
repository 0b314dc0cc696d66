//! What operations discard for certain, under the names from before them.

use dbmigrate_runtime::operations::Operation;

use super::state::Lost;

/// The tables and columns that lose their values, and the columns that lose NULL.
pub fn lost(operations: &[Operation]) -> Lost {
    let mut lost = Lost::default();
    // The renames so far, the last one first.
    let mut renames: Vec<&Operation> = Vec::new();
    for operation in operations.iter().flat_map(Operation::as_described) {
        match operation {
            Operation::RenameTable { .. } | Operation::RenameColumn { .. } => {
                renames.insert(0, operation);
            }
            Operation::DropTable { table } => {
                lost.tables.insert(before(&renames, table, "").0);
            }
            Operation::DropColumn { table, column } => {
                lost.columns.insert(before(&renames, table, column));
            }
            Operation::AlterColumn { table, column, change }
                if change.nullable == Some(false)
                    && (change.using.is_some() || change.fill.is_some()) =>
            {
                lost.nulls.insert(before(&renames, table, column));
            }
            _ => {}
        }
    }
    lost
}

/// The names of a table and a column before these renames.
fn before(renames: &[&Operation], table: &str, column: &str) -> (String, String) {
    let (mut table, mut column) = (table.to_owned(), column.to_owned());
    for rename in renames {
        match rename {
            Operation::RenameTable { from, to } if *to == table => table.clone_from(from),
            Operation::RenameColumn { table: of, from, to } if *of == table && *to == column => {
                column.clone_from(from);
            }
            _ => {}
        }
    }
    (table, column)
}
