//! `several-tables-locked`.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::dialect::{Blocks, Task};
use dbmigrate_runtime::operations::Operation;

use crate::lint::rule::{Found, Level, Look, Revised, Rule, postgres};

pub const RULE: Rule = Rule {
    id: "several-tables-locked",
    level: Level::Warn,
    is_for: postgres,
    finds: "One transaction locks several existing tables against reads and writes.",
    why: "Programs that use the tables in another order can end in a deadlock, and all of \
          them wait for the slowest change.",
    instead: "make one revision for each table, and run them with `--transaction each`",
    fix: None,
    look: Look::AtRevision(look),
};

fn look(revised: &Revised<'_>) -> Vec<Found> {
    if !revised.has_old() {
        return Vec::new();
    }
    let tasks = revised.tasks().as_deref().unwrap_or_default();
    let groups = tasks.split(Task::is_between_groups);
    let several = groups.map(|group| locked(revised, group)).filter(|tables| tables.len() > 1);
    let message = |tables: BTreeSet<&str>| {
        let tables: Vec<&str> = tables.into_iter().collect();
        format!("one transaction locks `{}` against reads and writes", tables.join("`, `"))
    };
    several.map(|tables| Found::from(message(tables))).collect()
}

/// The tables that nobody else can use until the end of the transaction, by their names before the
/// revision.
fn locked<'a>(revised: &'a Revised<'_>, group: &'a [Task]) -> BTreeSet<&'a str> {
    let costs =
        group.iter().filter_map(Task::statement).filter_map(|statement| statement.cost.as_ref());
    let locks = costs.flat_map(|cost| &cost.locks);
    let exclusive = locks.filter(|(_, lock)| lock.blocks == Blocks::ReadsAndWrites);
    let tables = exclusive.map(|(table, _)| table.as_str());
    tables.filter(|table| revised.is_old(table)).map(|table| before(revised, table)).collect()
}

/// The name of a table before the revision.
fn before<'a>(revised: &'a Revised<'_>, table: &'a str) -> &'a str {
    revised.steps.iter().rev().fold(table, |name, step| match &step.operation {
        Operation::RenameTable { from, to } if to == name => from,
        _ => name,
    })
}
