//! A plan in words: what a run would do to a database, for people and for programs.

use std::collections::BTreeSet;
use std::fmt;

use crate::Value;
use crate::barriers::Barrier;
use crate::dialect::{Dialect, Guard, Task};
use crate::direction::Direction;
use crate::driver::Driver;
use crate::operations::Operation;
use crate::plan::Planned;
use crate::revision::Revision;
use crate::schema::Schema;
use crate::script;
use crate::version_table::Entry;

/// What a run would do to a database, revision by revision; see
/// [`Migrator::plan`](crate::Migrator::plan).
///
/// `{plan}` is for people, and `{plan:#}` shows the statements as well.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The direction in which the revisions would run.
    pub direction: Direction,
    /// What would be committed together, such as `in one transaction`.
    pub together: String,
    /// The revisions in the order in which they would run; none if the target is reached.
    pub revisions: Vec<PlannedRevision>,
    /// The barriers that an upgrade would stop before.
    pub stops_before: Vec<Barrier>,
}

/// What a run would do for one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedRevision {
    /// The revision.
    pub revision: Revision,
    /// What it does, in order.
    pub tasks: Vec<PlannedTask>,
    /// How many rows the tables have that it changes, and how long it took to change them before, as
    /// far as the database knows without reading the tables.
    pub remarks: Vec<String>,
    /// What would stop it, judged by the rows that the database has now. Only the first revision
    /// finds the database as it is now, and only for that one it is known.
    pub stops: Vec<String>,
}

/// A part of what a revision does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedTask {
    /// What it does, in words.
    pub text: String,
    /// The SQL that it runs; `None` for a step.
    pub sql: Option<String>,
    /// Which locks it takes, and how much work it is, if that concerns others.
    pub cost: Option<String>,
}

impl Plan {
    /// Whether a revision would be stopped by the rows that the database has now.
    pub fn is_stopped(&self) -> bool {
        self.revisions.iter().any(|planned| !planned.stops.is_empty())
    }

    fn write_barriers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stops_before.iter().try_for_each(|barrier| write!(f, "\nstops before {barrier}"))
    }

    /// The first line, in which `of` may name the database: ` of sqlite:app.db`.
    pub(crate) fn header(&self, of: &str) -> String {
        let what = match self.direction {
            Direction::Upgrade => "Upgrade",
            Direction::Downgrade => "Downgrade",
        };
        let n = match self.revisions.len() {
            1 => "1 revision".to_owned(),
            n => format!("{n} revisions"),
        };
        format!("{what}{of}: {n}, {}", self.together)
    }

    /// The plan of revisions for a database, given the schema before them.
    pub(crate) fn of(
        (driver, earlier): (&mut dyn Driver, &[Entry]),
        planned: &[Planned<'_>],
        (direction, transaction_each): (Direction, bool),
        mut schema: Schema,
    ) -> Plan {
        let together = together(driver.dialect(), planned, (direction, transaction_each));
        let mut revisions = Vec::new();
        for (idx, planned) in planned.iter().enumerate() {
            let operations = &planned.migration.recording(direction).operations;
            let (mut remarks, slowest) = known_of_tables(driver, &schema, operations, earlier);
            remarks.extend(slowest);
            revisions.push(PlannedRevision {
                revision: planned.migration.revision.clone(),
                tasks: tasks(&planned.tasks, driver.dialect()),
                remarks,
                stops: if idx == 0 { stops(driver, &planned.tasks) } else { Vec::new() },
            });
            for operation in operations {
                // What doesn't fit was refused when the revision was planned.
                let _ = operation.apply(&mut schema);
            }
        }
        let stops_before = Vec::new();
        Plan { direction, together: together.to_owned(), revisions, stops_before }
    }
}

fn tasks(tasks: &[Task], dialect: &dyn Dialect) -> Vec<PlannedTask> {
    let of = |(idx, task): (usize, &Task)| {
        let text = task.text().filter(|_| !Task::is_of_rebuild(tasks, idx))?;
        let text = text + outside(task, dialect);
        let sql = task.sql().map(str::to_owned);
        Some(PlannedTask { text, sql, cost: task.cost() })
    };
    tasks.iter().enumerate().filter_map(of).collect()
}

/// What is added to a task's words if it is the exception in being outside a transaction.
pub fn outside(task: &Task, dialect: &dyn Dialect) -> &'static str {
    let is_alone = matches!(task, Task::Alone(_)) && !dialect.capabilities().commits_definitions;
    if is_alone { " (outside a transaction)" } else { "" }
}

/// Which parts of a run are committed together.
pub fn together(
    dialect: &dyn Dialect,
    planned: &[Planned<'_>],
    (direction, transaction_each): (Direction, bool),
) -> &'static str {
    let is_apart = |planned: &Planned<'_>| {
        planned.is_apart
            || planned.migration.recording(direction).no_transaction
            || planned.tasks.iter().any(Task::is_between_groups)
    };
    if dialect.capabilities().commits_definitions {
        "each statement commits by itself"
    } else if planned.iter().any(is_apart) {
        "in several transactions"
    } else if planned.len() > 1 && transaction_each {
        "in a transaction each"
    } else {
        "in one transaction"
    }
}

/// How many rows the tables have that operations change, and what an earlier change of them took,
/// given the schema before the operations.
pub fn known_of_tables(
    driver: &mut dyn Driver,
    schema: &Schema,
    operations: &[Operation],
    earlier: &[Entry],
) -> (Vec<String>, Option<String>) {
    let changed: BTreeSet<&str> = operations
        .iter()
        .flat_map(Operation::tables)
        .filter(|table| schema.tables.contains_key(table))
        .collect();
    let mut sizes = Vec::new();
    for table in &changed {
        let count = driver.dialect().rows_about(driver.as_connection(), table);
        sizes.extend(count.map(|count| format!("`{table}` has {count}")));
    }
    (sizes, slowest(earlier, &changed))
}

/// The applied revision that changed one of these tables and took longest, if that was noticeable.
fn slowest(earlier: &[Entry], tables: &BTreeSet<&str>) -> Option<String> {
    const NOTICEABLE: i64 = 100;
    let changed = |entry: &&Entry| {
        let operations = entry.decode().unwrap_or_default();
        operations.iter().any(|operation| {
            let own = operation.tables();
            own.iter().any(|table| tables.contains(table))
        })
    };
    let slow = earlier.iter().filter(|entry| entry.milliseconds >= NOTICEABLE).filter(changed);
    let entry = slow.max_by_key(|entry| entry.milliseconds)?;
    let seconds = entry.milliseconds as f64 / 1000.0;
    Some(format!(
        "revision `{}`, which changed the same tables, took {seconds:.1} s here",
        entry.id
    ))
}

/// What would stop a revision, by the guards before anything of it has run.
pub fn stops(driver: &mut dyn Driver, tasks: &[Task]) -> Vec<String> {
    let first = tasks.iter().take_while(|task| matches!(task, Task::Guard(_) | Task::Note(_)));
    let guards: Vec<&Guard> = first
        .filter_map(|task| match task {
            Task::Guard(guard) => Some(guard),
            _ => None,
        })
        .collect();
    let mut stops = Vec::new();
    for guard in guards {
        let Ok(found) = driver.query(&guard.sql, &[]) else { continue };
        if let Some([Value::Integer(n)]) = found.rows.first().map(Vec::as_slice) {
            stops.push(format!("stops now: {}", guard.failure.replace("{}", &n.to_string())));
        }
    }
    stops
}

/// ``upgrade 1a2b -> 3c4d, add posts``
pub fn heading(direction: Direction, revision: &Revision) -> String {
    script::running(direction, revision).replacen("Running ", "", 1)
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.revisions.is_empty() {
            f.write_str("Nothing to do.")?;
            return self.write_barriers(f);
        }
        f.write_str(&self.header(""))?;
        for planned in &self.revisions {
            f.write_str("\n\n")?;
            planned.block(self.direction).fmt(f)?;
        }
        if !self.stops_before.is_empty() {
            f.write_str("\n")?;
        }
        self.write_barriers(f)
    }
}

impl PlannedRevision {
    /// What it does in this direction, as a text; with `{:#}` including the statements.
    pub(crate) fn block(&self, direction: Direction) -> Block<'_> {
        Block { planned: self, direction }
    }
}

/// What a run would do for one revision, as a text.
pub(crate) struct Block<'a> {
    planned: &'a PlannedRevision,
    direction: Direction,
}

impl fmt::Display for Block<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PlannedRevision { revision, tasks, remarks, stops } = self.planned;
        f.write_str(&heading(self.direction, revision))?;
        let mut last = "";
        for task in tasks {
            if task.text != last {
                write!(f, "\n  {}", task.text)?;
                last = &task.text;
            }
            if let Some(cost) = &task.cost {
                write!(f, "\n    {cost}")?;
            }
            if let Some(sql) = task.sql.as_ref().filter(|_| f.alternate()) {
                sql.lines().try_for_each(|line| write!(f, "\n      {line}"))?;
            }
        }
        if tasks.is_empty() {
            f.write_str("\n  nothing but its version row")?;
        }
        remarks.iter().chain(stops).try_for_each(|line| write!(f, "\n  {line}"))
    }
}
