//! `several-tables-locked`.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::dialect::{Blocks, Task};
use dbmigrate_runtime::operations::Operation;

use crate::lint::rule::{Found, Level, Look, Revised, Rule, Step, postgres};

pub const RULE: Rule = Rule {
    id: "several-tables-locked",
    level: Level::Warn,
    is_for: postgres,
    finds: "One transaction locks several existing tables against reads and writes, or several \
            changes of one lock them against writes, as foreign keys do.",
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
    groups.filter_map(|group| several(revised, group)).map(Found::from).collect()
}

/// What is wrong with a transaction, if anything is.
fn several(revised: &Revised<'_>, group: &[Task]) -> Option<String> {
    let message = |tables: BTreeSet<&str>, against: &str| {
        let tables: Vec<&str> = tables.into_iter().collect();
        format!("one transaction locks `{}` against {against}", tables.join("`, `"))
    };
    let of_statements = |blocks: Blocks| {
        let locked = group.iter().map(move |task| locked(revised, task, blocks));
        locked.filter(|tables| !tables.is_empty()).collect::<Vec<_>>()
    };
    let exclusive: BTreeSet<&str> =
        of_statements(Blocks::ReadsAndWrites).into_iter().flatten().collect();
    if exclusive.len() > 1 {
        return Some(message(exclusive, "reads and writes"));
    }
    // Two tables that one foreign key locks can't be locked apart.
    let each = of_statements(Blocks::Writes);
    let all: BTreeSet<&str> = each.iter().flatten().copied().collect();
    let is_of_one = each.iter().any(|tables| tables.len() == all.len());
    (!is_of_one && all.len() > 1).then(|| message(all, "writes"))
}

/// The tables that a statement locks so that these wait until the end of the transaction, by their
/// names before the revision. Those that a new table refers to are not among them.
fn locked<'a>(revised: &'a Revised<'_>, task: &'a Task, blocks: Blocks) -> BTreeSet<&'a str> {
    let Some(statement) = task.statement() else { return BTreeSet::new() };
    let is_creation = |step: &Step| {
        matches!(step.operation, Operation::CreateTable(_)) && step.is_made_by(statement)
    };
    let locks = statement.cost.iter().flat_map(|cost| &cost.locks);
    let strong = locks.filter(|(_, lock)| lock.blocks >= blocks);
    let old = strong.map(|(table, _)| table.as_str()).filter(|table| revised.is_old(table));
    let tables: BTreeSet<&str> = old.map(|table| before(revised, table)).collect();
    if tables.is_empty() || revised.steps.iter().any(is_creation) {
        return BTreeSet::new();
    }
    tables
}

/// The name of a table before the revision.
fn before<'a>(revised: &'a Revised<'_>, table: &'a str) -> &'a str {
    revised.steps.iter().rev().fold(table, |name, step| match &step.operation {
        Operation::RenameTable { from, to } if to == name => from,
        _ => name,
    })
}
