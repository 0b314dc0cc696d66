//! Scripts for databases where each change of a definition commits by itself.
//!
//! They enter into the ledger what is done, as a run does, so that the database says how far a script
//! came that failed, and a run continues it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{barrier, comment, delete_row, ended, running, settle, starts_at, write_tasks};
use crate::Error;
use crate::dialect::{Dialect, Facts, Task};
use crate::direction::Direction;
use crate::executor::{groups, row};
use crate::ledger::{self, Row};
use crate::migration::Migrations;
use crate::plan::{self, Planned, Route};
use crate::revision::View;
use crate::version_table::{self, Name};

/// What a script begins with.
pub(super) struct From<'a> {
    pub(super) route: &'a Route<'a>,
    pub(super) view: &'a View<'a, Migrations>,
    /// The version rows.
    pub(super) rows: &'a BTreeSet<String>,
    pub(super) facts: &'a Facts,
}

struct Writer<'a> {
    text: String,
    /// The steps so far.
    steps: Vec<String>,
    dialect: &'a dyn Dialect,
    /// The two tables, quoted.
    version_table: &'a str,
    ledger: &'a str,
}

/// The script, and the names of the steps that it leaves out.
pub(super) fn script(
    From { route, view, rows, facts }: From<'_>,
    dialect: &dyn Dialect,
    version_table: Name<'_>,
) -> Result<(String, Vec<String>), Error> {
    let planned = plan::plan(route, dialect, facts)?;
    // What the ledger's rows hash to doesn't depend on the database.
    let stable = plan::plan(route, dialect, &plan::replayed(facts))?;
    let ledger = ledger::beside(version_table);
    let mut writer = Writer {
        text: String::new(),
        steps: Vec::new(),
        dialect,
        version_table: &version_table.quoted(dialect)?,
        ledger: &ledger.quoted(dialect)?,
    };
    if planned.is_empty() {
        return Ok((writer.text, writer.steps));
    }
    let parts = dialect.script();
    writer.text = [parts.untried, parts.session].concat();
    let history = format!("{}.{}", version_table.schema, version_table.table);
    let lock = (parts.lock)(&history);
    if !lock.is_empty() {
        writer.abort(&lock, "another migration is running");
    }
    let upgrades = route.direction == Direction::Upgrade;
    let tables = [
        (rows.is_empty() && upgrades, version_table::create_text(dialect, version_table)?),
        (true, ledger::create_text(dialect, ledger)?),
    ];
    for (_, create) in tables.iter().filter(|(is_needed, _)| *is_needed) {
        let _ = writeln!(writer.text, "{create};\n");
    }
    writer.abort(
        &format!("SELECT count(*) FROM {}", writer.ledger),
        "a revision is half done, which `cargo dbmigrate current` names",
    );
    writer.text += &starts_at(view, rows, dialect, writer.version_table);
    if upgrades {
        writer.abort(&writer.applied(route.ids), "a revision of this script is already applied");
    }
    if !view.counted.is_empty() {
        writer.text += parts.begin;
        settle(&mut writer.text, view, dialect, writer.version_table);
        writer.text += parts.commit;
    }
    for (planned, stable) in planned.iter().zip(&stable) {
        writer.revision(route.direction, planned, stable);
    }
    Ok((writer.text, writer.steps))
}

impl Writer<'_> {
    fn abort(&mut self, query: &str, failure: &str) {
        comment(&mut self.text, &format!("Abort if {failure}."));
        let guard = (self.dialect.script().guard)(query, failure);
        let _ = writeln!(self.text, "{guard}");
    }

    /// The query for the number of these revisions that are applied.
    fn applied(&self, ids: &[String]) -> String {
        let ids: Vec<_> = ids.iter().map(|id| self.dialect.literal(&id.as_str().into())).collect();
        format!("SELECT count(*) FROM {} WHERE id IN ({})", self.version_table, ids.join(", "))
    }

    fn revision(&mut self, direction: Direction, planned: &Planned<'_>, stable: &Planned<'_>) {
        let (dialect, parts) = (self.dialect, self.dialect.script());
        let revision = &planned.migration.revision;
        comment(&mut self.text, &running(direction, revision));
        barrier(&mut self.text, planned.migration, direction);
        let (groups, stable) = (groups(&planned.tasks), groups(&stable.tasks));
        for (idx, tasks) in groups.iter().enumerate() {
            let hashed = stable.get(idx).filter(|_| stable.len() == groups.len());
            self.group(&revision.id, tasks, &row(idx, hashed.unwrap_or(tasks)));
        }
        self.text += parts.begin;
        match direction {
            Direction::Upgrade => {
                let row =
                    version_table::insert_text(dialect, self.version_table, planned.migration);
                let _ = writeln!(self.text, "{row};");
            }
            Direction::Downgrade => {
                delete_row(&mut self.text, dialect, self.version_table, &revision.id);
            }
        }
        let clear = ledger::clear_text(dialect, self.ledger, &revision.id);
        let _ = writeln!(self.text, "{clear};\n{}", parts.commit);
    }

    fn group(&mut self, revision: &str, tasks: &[Task], row: &Row) {
        let (dialect, parts) = (self.dialect, self.dialect.script());
        let entered = |row: &Row| ledger::enter_text(dialect, self.ledger, revision, row);
        let [Task::Alone(alone)] = tasks else {
            let done = entered(row);
            self.text += parts.begin;
            write_tasks(&mut self.text, tasks, dialect, &mut self.steps);
            let _ = writeln!(self.text, "{done};\n{}", parts.commit);
            return;
        };
        let started = entered(&Row { is_done: false, ..row.clone() });
        let _ = writeln!(self.text, "{started};");
        if let Some(cost) = &alone.statement.cost {
            comment(&mut self.text, &cost.to_string());
        }
        self.text += &ended(&alone.statement.sql, dialect);
        let done = ledger::done_text(dialect, self.ledger, revision, row.number);
        let _ = writeln!(self.text, "{done};\n");
    }
}
