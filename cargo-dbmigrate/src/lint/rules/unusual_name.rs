//! `unusual-name`.

use dbmigrate_runtime::engine::naming::Convention;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Table;

use crate::lint::rule::{Change, Level, Look, Rule, every};

pub const RULE: Rule = Rule {
    id: "unusual-name",
    level: Level::Allow,
    is_for: every,
    finds: "A constraint or an index has another name than the naming convention gives it.",
    why: "People and programs that know the convention don't find it.",
    instead: "leave the name out of the model, or change `naming` in dbmigrate.toml",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let naming = change.revised.naming;
    let names = match change.operation() {
        Operation::CreateTable(table) => of_table(table, naming),
        Operation::AddPrimaryKey { table, primary_key: key } => {
            vec![(&key.name, naming.primary_key(table, &key.columns))]
        }
        Operation::AddUnique { table, unique } => {
            vec![(&unique.name, naming.unique(table, &unique.columns))]
        }
        Operation::AddForeignKey { table, foreign_key: key } => {
            vec![(&key.name, naming.foreign_key(table, &key.columns, &key.references_table))]
        }
        Operation::CreateIndex { table, index } => {
            vec![(&index.name, naming.index(table, &index.columns))]
        }
        _ => Vec::new(),
    };
    let unusual = names.into_iter().filter(|(name, usual)| *name != usual);
    unusual.map(|(name, usual)| format!("`{name}` would usually be `{usual}`")).collect()
}

/// The names in a new table, each with the usual one. (A check's depends on what it is about.)
fn of_table<'a>(table: &'a Table, naming: &Convention) -> Vec<(&'a String, String)> {
    let of = &table.name;
    let keys =
        table.primary_key.iter().map(|key| (&key.name, naming.primary_key(of, &key.columns)));
    let uniques =
        table.uniques.iter().map(|unique| (&unique.name, naming.unique(of, &unique.columns)));
    let foreign = table
        .foreign_keys
        .iter()
        .map(|key| (&key.name, naming.foreign_key(of, &key.columns, &key.references_table)));
    let indexes = table.indexes.iter().map(|index| (&index.name, naming.index(of, &index.columns)));
    keys.chain(uniques).chain(foreign).chain(indexes).collect()
}
