//! Words that several rules use.

use dbmigrate_runtime::engine::dialect::Blocks;

/// Who waits for a lock on a table.
pub fn waiting(blocks: Blocks, table: &str) -> String {
    match blocks {
        Blocks::Definitions => format!("other changes of table `{table}` wait"),
        Blocks::Writes => format!("all who write to table `{table}` wait"),
        Blocks::ReadsAndWrites => format!("all who read or write table `{table}` wait"),
    }
}
