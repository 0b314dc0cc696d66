//! `foreign-key-on-rows`.

use dbmigrate_runtime::operations::Operation;

use crate::lint::rule::{Change, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "foreign-key-on-rows",
    level: Level::Warn,
    is_for: every,
    finds: "A foreign key is added to existing columns.",
    why: "Rows that refer to no row stop the upgrade, and a running program that writes \
          such rows fails.",
    instead: "find the rows that refer to no row and correct them in an earlier revision",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let Operation::AddForeignKey { table, foreign_key } = change.operation() else {
        return Vec::new();
    };
    let before = &change.revised.before;
    let had = |column: &String| {
        before.table(table).is_some_and(|before| before.find_column(column).is_some())
    };
    // New columns are NULL, or have the value that the revision gives them.
    if change.old(table).is_none() || !foreign_key.columns.iter().all(had) {
        return Vec::new();
    }
    let to = &foreign_key.references_table;
    vec![format!("rows of table `{table}` that refer to no row of table `{to}` stop the upgrade")]
}
