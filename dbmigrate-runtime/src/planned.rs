//! A plan in words: what a run would do to a database, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::Value;
use crate::barriers::Barrier;
use crate::dialect::{Dialect, Guard, RowCount, Task};
use crate::direction::Direction;
use crate::driver::{Connection, Driver};
use crate::operations::Operation;
use crate::pace::{Load, NOTICEABLE};
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
    /// How many rows the changed tables have, and how long the revision will take, as far as the
    /// database can tell without much effort.
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
    /// Whether it only ends a transaction and begins the next one.
    pub is_border: bool,
    /// The SQL that it runs; `None` for a step and for a border.
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
            let work = (operations.as_slice(), planned.tasks.as_slice());
            let (mut remarks, time) =
                known_of_tables(driver.as_connection(), &schema, work, earlier);
            remarks.extend(time);
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
        let text = words(task, dialect).filter(|_| !Task::is_of_rebuild(tasks, idx))?;
        let sql = task.sql().map(str::to_owned);
        Some(PlannedTask { text, is_border: *task == Task::Border, sql, cost: task.cost() })
    };
    tasks.iter().enumerate().filter_map(of).collect()
}

/// A task in words, with those about transactions; `None` if it isn't worth a line of its own.
pub fn words(task: &Task, dialect: &dyn Dialect) -> Option<String> {
    let commits_definitions = dialect.capabilities().commits_definitions;
    match task {
        // The heading says that each statement commits by itself.
        _ if commits_definitions => task.text(),
        Task::Border => Some("commit, and begin the next transaction".to_owned()),
        Task::Alone(_) => task.text().map(|text| text + " (outside a transaction)"),
        _ => task.text(),
    }
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

/// How many rows the tables have that a revision changes, and how long the revision will take,
/// estimated from the applied ones. `schema` is the schema before the revision.
pub fn known_of_tables(
    conn: &mut dyn Connection,
    schema: &Schema,
    (operations, tasks): (&[Operation], &[Task]),
    earlier: &[Entry],
) -> (Vec<String>, Option<String>) {
    let changed: BTreeSet<&str> = operations
        .iter()
        .flat_map(Operation::tables)
        .filter(|table| schema.tables.contains_key(table))
        .collect();
    // A plan is useful without the numbers, for example if the user may not read a table.
    let mut rows_about = |table: &str| conn.dialect().rows_about(&mut *conn, table);
    let counts: BTreeMap<&str, RowCount> =
        changed.iter().filter_map(|table| Some((*table, rows_about(table).ok()??))).collect();
    let load = Load::of(tasks, |table| match counts.get(table) {
        Some(count) => Ok(Some(*count)),
        None => rows_about(table),
    });
    let estimated = load.unwrap_or_default().and_then(|load| estimate(load, earlier));
    let time = estimated.or_else(|| slowest(earlier, &changed));
    let sizes = counts.iter().map(|(table, count)| format!("`{table}` has {count}"));
    (sizes.collect(), time)
}

/// How long a revision will take, by what the applied revisions took, in words.
fn estimate(load: Load, earlier: &[Entry]) -> Option<String> {
    let rows_of = |entry: &Entry| {
        entry.load.filter(|of_then| of_then.work == load.work).map(|of_then| of_then.rows)
    };
    // The more rows there were, the less of the time went to other things.
    let entry = earlier.iter().max_by_key(|entry| rows_of(entry))?;
    let rows = rows_of(entry)?;
    let seconds = entry.milliseconds as f64 / 1000.0;
    let n = RowCount { n: rows, is_estimate: false };
    Some(format!(
        "takes {} (revision `{}` took {seconds:.1} s for {n})",
        about(seconds * load.rows as f64 / rows as f64),
        entry.id
    ))
}

fn about(seconds: f64) -> String {
    match seconds {
        ..1.0 => "less than a second".to_owned(),
        1.0..120.0 => format!("about {seconds:.0} s"),
        120.0..7200.0 => format!("about {:.0} min", seconds / 60.0),
        _ => format!("about {:.0} h", seconds / 3600.0),
    }
}

/// What the applied revision took that changed one of these tables and took longest, in words.
fn slowest(earlier: &[Entry], tables: &BTreeSet<&str>) -> Option<String> {
    let is_like_it = |entry: &&Entry| {
        let operations = entry.decode().unwrap_or_default();
        operations.iter().any(|operation| {
            let own = operation.tables();
            own.iter().any(|table| tables.contains(table))
        })
    };
    let took = |entry: &Entry| u128::try_from(entry.milliseconds).unwrap_or_default();
    let slow = earlier.iter().filter(|entry| took(entry) >= NOTICEABLE.as_millis());
    let entry = slow.filter(is_like_it).max_by_key(|entry| entry.milliseconds)?;
    let seconds = entry.milliseconds as f64 / 1000.0;
    Some(format!("revision `{}`, which changed one of these tables, took {seconds:.1} s", entry.id))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Work;

    fn entry(id: &str, milliseconds: i64, load: &str) -> Entry {
        Entry { id: id.to_owned(), milliseconds, load: Load::decode(load), ..Entry::default() }
    }

    #[test]
    fn the_largest_run_of_the_same_work_is_the_measure() {
        let earlier = [
            entry("a100", 4000, "rewrite 1000"),
            entry("b200", 900, "rewrite 1500000"),
            entry("c300", 8000, "scan 9000000"),
            entry("d400", 9000, ""),
        ];
        let estimate = |work, rows| estimate(Load { work, rows }, &earlier);
        assert_eq!(
            estimate(Work::Rewrite, 3_000_000).unwrap(),
            "takes about 2 s (revision `b200` took 0.9 s for 1,500,000 rows)"
        );
        assert_eq!(
            estimate(Work::Scan, 1000).unwrap(),
            "takes less than a second (revision `c300` took 8.0 s for 9,000,000 rows)"
        );
        assert_eq!(estimate(Work::IndexBuild, 1000), None);
        assert_eq!(about(119.0), "about 119 s");
        assert_eq!(about(150.0), "about 2 min");
        assert_eq!(about(7200.0), "about 2 h");
    }
}
