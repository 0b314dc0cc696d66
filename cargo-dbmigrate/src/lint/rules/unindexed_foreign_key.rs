//! `unindexed-foreign-key`.

use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::{ForeignKey, Index, IndexTerm, Table};

use crate::lint::rule::{Change, Level, Look, Rule};

pub const RULE: Rule = Rule {
    id: "unindexed-foreign-key",
    level: Level::Warn,
    is_for: |backend| !backend.is_mysql_like(),
    finds: "A foreign key has no index that begins with its columns.",
    why: "Deleting a row of the table that it refers to reads the whole referring table. \
          (MySQL and MariaDB create the index themselves.)",
    instead: "add an index that begins with the columns, in the model with `#[model(index)]`",
    fix: None,
    look: Look::AtChange(look),
};

fn look(change: &Change<'_>) -> Vec<String> {
    let keys: Vec<(&String, &ForeignKey)> = match change.operation() {
        Operation::AddForeignKey { table, foreign_key } => vec![(table, foreign_key)],
        Operation::CreateTable(table) => {
            table.foreign_keys.iter().map(|key| (&table.name, key)).collect()
        }
        _ => Vec::new(),
    };
    let lacks = |(table, key): &(&String, &ForeignKey)| {
        // An index may follow in the same revision, and the key may be dropped again.
        let after = change.revised.after.table(table);
        after.is_some_and(|after| {
            after.foreign_keys.iter().any(|other| other.name == key.name)
                && !begins_with(after, &key.columns)
        })
    };
    let message = |(table, key): (&String, &ForeignKey)| {
        format!(
            "no index of table `{table}` begins with the columns of `{}`: `{}`",
            key.name,
            key.columns.join("`, `")
        )
    };
    keys.into_iter().filter(lacks).map(message).collect()
}

/// Whether an index or a key begins with these columns, in any order.
fn begins_with(table: &Table, columns: &[String]) -> bool {
    let of_keys = table.primary_key.iter().map(|key| &key.columns);
    let of_keys = of_keys.chain(table.uniques.iter().map(|unique| &unique.columns));
    let covers = |of_index: &[&str]| {
        let first = of_index.get(..columns.len()).unwrap_or_default();
        !first.is_empty() && columns.iter().all(|column| first.contains(&column.as_str()))
    };
    let is_whole = |index: &&Index| index.filter.is_none();
    of_keys.map(|key| key.iter().map(String::as_str).collect()).any(|key: Vec<&str>| covers(&key))
        || table.indexes.iter().filter(is_whole).any(|index| covers(&leading(index)))
}

/// The columns of an index up to its first expression.
fn leading(index: &Index) -> Vec<&str> {
    let columns = index.columns.iter().map_while(|part| match &part.term {
        IndexTerm::Column(column) => Some(column.as_str()),
        IndexTerm::Expression(_) => None,
    });
    columns.collect()
}
