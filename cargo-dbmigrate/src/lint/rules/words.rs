//! Words that several rules use.

use dbmigrate_runtime::engine::dialect::Blocks;
use dbmigrate_runtime::engine::sql::Token;
use dbmigrate_runtime::operations::Operation;

use crate::lint::rule::Change;

/// Who waits for a lock on a table.
pub fn waiting(blocks: Blocks, table: &str) -> String {
    match blocks {
        Blocks::Definitions => format!("other changes of table `{table}` wait"),
        Blocks::Writes => format!("all who write to table `{table}` wait"),
        Blocks::ReadsAndWrites => format!("all who read or write table `{table}` wait"),
    }
}

/// The statements of hand-written SQL, each as its words in upper case and its symbols.
pub fn sql_statements(change: &Change<'_>) -> Vec<Vec<String>> {
    let Operation::Execute(execute) = change.operation() else { return Vec::new() };
    let dialect = change.revised.dialect;
    let sql = execute.sql.text(dialect.backend()).unwrap_or_default();
    let tokens = dialect.lexicon().significant(sql);
    let statements = tokens.split(|token| token.is_symbol(";"));
    let upper = |token: &Token<'_>| token.text.to_uppercase();
    statements.map(|words| words.iter().map(upper).collect()).collect()
}
