//! `exclusion-on-rows`.

use dbmigrate_runtime::operations::Operation;

use super::unique_on_rows::{columns, have_rows};

use crate::lint::rule::{Change, Level, Look, Rule, postgres};

pub const RULE: Rule = Rule {
    id: "exclusion-on-rows",
    level: Level::Warn,
    is_for: postgres,
    finds: "An exclusion constraint is added to existing columns.",
    why: "Rows that exclude each other stop the upgrade, and a running program that writes such \
          rows fails.",
    instead: "find the rows that exclude each other, by a join of the table with itself, and \
              correct them in an earlier revision",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    match change.operation() {
        Operation::CreateIndex { table, index }
            if index.is_exclusion() && have_rows(change, table, &columns(index)) =>
        {
            vec![format!("rows of table `{table}` that exclude each other stop the upgrade")]
        }
        _ => Vec::new(),
    }
}
