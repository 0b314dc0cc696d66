//! Rules about revisions: what is dangerous, slow or a likely mistake, found before anything runs.

pub mod fix;
mod levels;
mod report;
mod rule;
mod rules;

use std::cell::OnceCell;
use std::collections::BTreeSet;

use dbmigrate_runtime::engine::dialect::{Dialect, Facts};
use dbmigrate_runtime::engine::naming::Convention;
use dbmigrate_runtime::engine::plan::Route;
use dbmigrate_runtime::engine::{Backend, Migration, recording};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;

use crate::error::Result;
pub use levels::Levels;
pub use report::{github, json, sarif, text};
pub use rule::Fix;
pub use rule::Level;
use rule::{Change, Found, Look, Revised, Rule, Step};

/// The rule about what databases refuse.
pub const REFUSED: &str = rules::REFUSED;

/// The ids of all rules.
pub fn ids() -> impl Iterator<Item = &'static str> {
    rules::RULES.iter().map(|rule| rule.id)
}

/// What a rule found in a revision.
pub struct Finding {
    rule: &'static Rule,
    pub level: Level,
    /// The revision's id.
    pub revision: String,
    /// Its file.
    pub file: String,
    /// The operation, in words; `None` if it is about the whole revision.
    pub operation: Option<String>,
    pub message: String,
    pub hint: String,
    /// The databases on which it is so.
    pub databases: Vec<Backend>,
    /// The operation's position.
    position: Option<usize>,
    fix: Option<Fix>,
}

impl Finding {
    /// The rule's id.
    pub fn id(&self) -> &'static str {
        self.rule.id
    }

    /// What `lint --fix` would write.
    pub fn fix(&self) -> Option<Fix> {
        self.fix
    }

    /// The operation's position in its revision.
    pub fn position(&self) -> Option<usize> {
        self.position
    }

    /// Its place among the findings of its revision.
    fn order(&self) -> (Option<usize>, Option<usize>) {
        let rule = rules::RULES.iter().position(|rule| rule.id == self.rule.id);
        (self.position, rule)
    }
}

/// The databases that a history is for, each with what is known of it.
#[derive(Clone)]
pub struct Target {
    pub dialect: &'static dyn Dialect,
    pub facts: Facts,
    /// Whether this is a database in which the revisions are applied already.
    pub has_applied: bool,
}

/// What all rules find in the revisions of a route, in the order in which these run.
///
/// # Errors
///
/// When the revisions before the route don't fit together.
pub fn findings(
    route: &Route<'_>,
    targets: &[Target],
    (levels, naming): (&Levels, &Convention),
) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for target in targets {
        let mut schema = route.migrations.replay(Some(route.applied))?;
        for migration in route.ids.iter().filter_map(|id| route.migrations.get(id)) {
            let revised = revised(migration, target, (&schema, naming));
            look(&revised, levels, &mut findings);
            // What follows a revision that doesn't fit can't be judged.
            if route.ids.last() == Some(&migration.revision.id) || revised.tasks().is_err() {
                break;
            }
            schema = revised.after;
        }
    }
    findings.sort_by_key(|finding| {
        let revision = route.ids.iter().position(|id| *id == finding.revision);
        (revision, finding.order())
    });
    Ok(findings)
}

/// What all rules find in a revision that comes after this schema.
pub fn of_revision(
    (migration, before): (&Migration, &Schema),
    targets: &[Target],
    (levels, naming): (&Levels, &Convention),
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for target in targets {
        look(&revised(migration, target, (before, naming)), levels, &mut findings);
    }
    findings.sort_by_key(Finding::order);
    findings
}

/// A revision as one kind of database runs it.
fn revised<'a>(
    migration: &'a Migration,
    target: &Target,
    (schema, naming): (&Schema, &'a Convention),
) -> Revised<'a> {
    let Target { dialect, facts, has_applied } = target;
    let recorded = &migration.upgrade.operations;
    let mut before = schema.clone();
    before.settle(dialect.backend());
    // How large a table is in production isn't known here, so none counts as small.
    let large = before.tables.keys().cloned().collect();
    let facts = Facts { large, ..facts.clone() };
    let mut walk = Walk { schema: before.clone(), created: BTreeSet::new(), steps: Vec::new() };
    let settled = recording::settled(recorded, dialect.backend());
    settled
        .into_iter()
        .enumerate()
        .for_each(|(position, operation)| walk.take(position, operation));
    let Walk { schema: after, steps, created } = walk;
    Revised {
        migration,
        dialect: *dialect,
        before,
        after,
        steps,
        created,
        facts,
        is_applied: *has_applied,
        tasks: OnceCell::new(),
        naming,
    }
}

/// Follows the operations of a revision.
struct Walk {
    schema: Schema,
    created: BTreeSet<String>,
    steps: Vec<Step>,
}

impl Walk {
    fn take(&mut self, position: usize, operation: Operation) {
        let described = match &operation {
            Operation::Execute(execute) => execute.describes.clone(),
            _ => Vec::new(),
        };
        self.push(position, &operation, false);
        // An operation that doesn't fit is reported when it is planned.
        if described.is_empty() {
            let _ = operation.apply(&mut self.schema);
            return;
        }
        let mut after = self.schema.clone();
        let _ = operation.apply(&mut after);
        for operation in described {
            self.push(position, &operation, true);
            let _ = operation.apply(&mut self.schema);
        }
        self.schema = after;
    }

    fn push(&mut self, position: usize, operation: &Operation, is_described: bool) {
        let tables = operation.tables().into_iter();
        let old = tables.filter(|table| !self.created.contains(*table));
        let old = old.filter_map(|table| self.schema.table(table).cloned()).collect();
        self.steps.push(Step::new(position, operation.clone(), old, is_described));
        match operation {
            Operation::CreateTable(table) => {
                self.created.insert(table.name.clone());
            }
            Operation::RenameTable { from, to } if self.created.contains(from) => {
                self.created.insert(to.clone());
            }
            _ => {}
        }
    }
}

/// Adds what the rules find in a revision.
fn look(revised: &Revised<'_>, levels: &Levels, findings: &mut Vec<Finding>) {
    let backend = revised.dialect.backend();
    for rule in rules::RULES.iter().filter(|rule| (rule.is_for)(backend)) {
        if revised.has_barrier() && rule.fix == Some(Fix::Barrier { rows: None }) {
            continue;
        }
        let level = levels.of(rule);
        if level == Level::Allow {
            continue;
        }
        for (found, operation) in found(rule, revised) {
            if is_allowed(rule, found.position, revised.migration) {
                continue;
            }
            let finding = finding(rule, revised, (level, found, operation));
            let is_same = |other: &&mut Finding| {
                (other.rule.id, &other.revision, other.position)
                    == (rule.id, &finding.revision, finding.position)
                    && (&other.operation, &other.message) == (&finding.operation, &finding.message)
            };
            match findings.iter_mut().find(is_same) {
                Some(same) if same.databases.contains(&backend) => {}
                Some(same) => same.databases.push(backend),
                None => findings.push(finding),
            }
        }
    }
}

/// Whether the revision says that what the rule finds is fine.
fn is_allowed(rule: &Rule, position: Option<usize>, migration: &Migration) -> bool {
    migration.upgrade.allowed.iter().any(|allowed| {
        allowed.rule == rule.id
            && !allowed.reason.trim().is_empty()
            && position.is_none_or(|position| position == allowed.operation)
    })
}

/// What a rule finds, each with the operation in words.
fn found(rule: &Rule, revised: &Revised<'_>) -> Vec<(Found, Option<String>)> {
    match rule.look {
        Look::AtRevision(look) => {
            let named = |found: Found| {
                let mut steps = revised.steps.iter();
                let step = steps.find(|step| Some(step.position) == found.position);
                let operation = step.map(|step| step.operation.to_string());
                (found, operation)
            };
            look(revised).into_iter().map(named).collect()
        }
        Look::AtChange(look) => {
            let at = |change: Change<'_>| {
                let position = Some(change.step.position);
                let found = |message| Found { position, message, hint: None };
                let named = |message| (found(message), Some(change.operation().to_string()));
                look(&change).into_iter().map(named).collect::<Vec<_>>()
            };
            revised.changes().flat_map(at).collect()
        }
    }
}

fn finding(
    rule: &'static Rule,
    revised: &Revised<'_>,
    (level, found, operation): (Level, Found, Option<String>),
) -> Finding {
    let revision = &revised.migration.revision;
    let Found { position, message, hint } = found;
    // A barrier that is there already leaves nothing that another one would settle.
    let (of_rows, fix) = match rule.fix {
        Some(Fix::Barrier { rows }) if revised.has_barrier() => (rows, None),
        fix => (None, fix),
    };
    let hint = hint.or_else(|| of_rows.map(str::to_owned));
    Finding {
        rule,
        level,
        revision: revision.id.clone(),
        file: revision.file.clone(),
        operation,
        message,
        hint: hint.unwrap_or_else(|| rule.instead.to_owned()),
        databases: vec![revised.dialect.backend()],
        position,
        fix,
    }
}

#[cfg(test)]
mod reference;
