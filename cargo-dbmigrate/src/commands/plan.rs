//! `plan`: what a run would do, in words, before it runs.

use dbmigrate_runtime::Direction;
use dbmigrate_runtime::engine::Migration;
use dbmigrate_runtime::engine::dialect::{Dialect, Task};
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::plan::{self, Planned};
use dbmigrate_runtime::engine::planned;
use dbmigrate_runtime::engine::revision::Range;
use dbmigrate_runtime::engine::version_table::{self, Entry};
use dbmigrate_runtime::schema::Schema;

use super::Answer;
use crate::autogenerate::rows;
use crate::cli::{Plan, Run};
use crate::context::Context;
use crate::error::Result;
use crate::history;
use crate::output::{self, style};
use crate::run::{self, Loaded, Wanted};

/// Plans an upgrade, or a downgrade where only that leads to the revision.
pub fn run(cx: &Context, args: &Plan) -> Result<Answer> {
    let identifier = args.revision.as_str();
    let range = Range::parse(identifier);
    let target = range.as_ref().and_then(|range| range.to.as_deref()).unwrap_or(identifier);
    let direction = if is_below(target) { Direction::Downgrade } else { Direction::Upgrade };
    let run = Run { past_barriers: args.past_barriers, ..Run::default() };
    let mut loaded = load(cx, (direction, identifier), &run)?;
    if loaded.ids.is_empty() && direction == Direction::Upgrade {
        // An applied revision before the current one.
        let down = load(cx, (Direction::Downgrade, identifier), &run);
        loaded = down.ok().filter(|down| !down.ids.is_empty()).unwrap_or(loaded);
    }
    let (json, answer) = show(cx, loaded, &run)?;
    cx.out.json("plan", json);
    Ok(answer)
}

/// What a run would do that a command is not to make.
pub fn dry_run(cx: &Context, command: &str, to: (Direction, &str), run: &Run) -> Result<Answer> {
    let (mut json, answer) = show(cx, load(cx, to, run)?, run)?;
    json["dry_run"] = true.into();
    cx.out.json(command, json);
    Ok(answer)
}

fn load(cx: &Context, (direction, identifier): (Direction, &str), run: &Run) -> Result<Loaded> {
    Loaded::load(cx, Wanted { direction, identifier, run, facts: |_, facts| facts })
}

/// Whether an upgrade never leads to what this identifier names, whatever is applied.
fn is_below(identifier: &str) -> bool {
    let rest = identifier.rsplit_once('@').map_or(identifier, |(_, rest)| rest);
    rest == "base" || rest.starts_with('-')
}

/// Prints the plan, and returns its document.
pub fn show(cx: &Context, mut loaded: Loaded, run: &Run) -> Result<(serde_json::Value, Answer)> {
    let mut reader = loaded.reader.take();
    let planned = plan::plan(&loaded.route(), loaded.dialect, &loaded.facts)?;
    let mut schema = loaded.migrations.replay(Some(&loaded.applied))?;
    let earlier = match &mut reader {
        Some(driver) => version_table::entries(driver.as_connection(), cx.config.version_table())?,
        None => Vec::new(),
    };
    cx.out.line(header(cx, &loaded, &planned, run));
    let mut json = Vec::new();
    let mut is_stopped = false;
    for (idx, planned) in planned.iter().enumerate() {
        let block = Block::read(&loaded, planned, &schema, (reader.as_deref_mut(), &earlier));
        // Only the first revision finds the database as it is now.
        let stops = reader.as_deref_mut().filter(|_| idx == 0);
        let stops = stops.map_or_else(Vec::new, |driver| planned::stops(driver, &planned.tasks));
        is_stopped |= !stops.is_empty();
        block.print(cx, loaded.direction, &stops);
        json.push(block.json(&stops));
        for operation in &planned.migration.recording(loaded.direction).operations {
            // What doesn't fit was refused above.
            let _ = operation.apply(&mut schema);
        }
    }
    if !loaded.barriers.is_empty() {
        cx.out.line("");
    }
    for barrier in &loaded.barriers {
        cx.out.line(style::paint(style::CHANGED, &format!("stops before {barrier}")));
    }
    let name = loaded.direction.name();
    let mut json = serde_json::json!({ "direction": name, "plan": json });
    if !loaded.barriers.is_empty() {
        json["barriers"] = history::barriers_json(&loaded.barriers);
    }
    Ok((json, if is_stopped { Answer::No } else { Answer::Done }))
}

/// What is planned, for which database, and what is committed together.
fn header(cx: &Context, loaded: &Loaded, planned: &[Planned<'_>], run: &Run) -> String {
    let place = match &loaded.url {
        Some(url) => url.clone(),
        None => loaded.dialect.backend().to_string(),
    };
    if planned.is_empty() {
        return format!("Nothing to do for {place}.");
    }
    let what = match loaded.direction {
        Direction::Upgrade => "Upgrade",
        Direction::Downgrade => "Downgrade",
    };
    let n = output::count(planned.len(), "revision");
    let how = (loaded.direction, run::options(cx, run).transaction_each);
    format!("{what} of {place}: {n}, {}", planned::together(loaded.dialect, planned, how))
}

/// What is shown about a revision.
struct Block<'a> {
    planned: &'a Planned<'a>,
    /// How many rows the tables have that the revision changes.
    tables: Vec<String>,
    /// How long it will take, estimated from earlier revisions.
    time: Option<String>,
    discarded: Vec<String>,
    dialect: &'static dyn Dialect,
}

impl<'a> Block<'a> {
    fn read(
        loaded: &Loaded,
        planned: &'a Planned<'a>,
        schema: &Schema,
        (reader, earlier): (Option<&mut (dyn Driver + '_)>, &[Entry]),
    ) -> Block<'a> {
        let operations = &planned.migration.recording(loaded.direction).operations;
        let mut block = Block {
            planned,
            tables: Vec::new(),
            time: None,
            discarded: Vec::new(),
            dialect: loaded.dialect,
        };
        let Some(driver) = reader else { return block };
        let work = (operations.as_slice(), planned.tasks.as_slice());
        (block.tables, block.time) =
            planned::known_of_tables(driver.as_connection(), schema, work, earlier);
        for (idx, n) in run::counts(driver, schema, operations) {
            if n > 0 {
                block.discarded.push(format!("{} discards {}", operations[idx], rows(n)));
            }
        }
        block
    }

    fn print(&self, cx: &Context, direction: Direction, stops: &[String]) {
        cx.out.line("");
        cx.out.line(style::paint(
            style::HERE,
            &planned::heading(direction, &self.planned.migration.revision),
        ));
        let mut last = String::new();
        let tasks = &self.planned.tasks;
        for (idx, task) in tasks.iter().enumerate() {
            let is_shown = cx.out.verbose || !Task::is_of_rebuild(tasks, idx);
            let text = planned::words(task, self.dialect).filter(|_| is_shown);
            let Some(text) = text else { continue };
            if text != last {
                cx.out.line(format!("  {text}"));
                last = text;
            }
            if let Some(cost) = task.cost() {
                cx.out.line(format!("    {cost}"));
            }
            if let (true, Some(sql)) = (cx.out.verbose, task.sql()) {
                sql.lines().for_each(|line| cx.out.line(format!("      {line}")));
            }
        }
        if self.planned.tasks.is_empty() {
            cx.out.line("  nothing but its version row");
        }
        let lines = self.tables.iter().chain(&self.time);
        lines.for_each(|line| cx.out.line(format!("  {line}")));
        for line in self.discarded.iter().chain(stops) {
            cx.out.line(format!("  {}", style::paint(style::BAD, line)));
        }
    }

    fn json(&self, stops: &[String]) -> serde_json::Value {
        let Migration { revision, .. } = self.planned.migration;
        let task = |task: &Task| {
            Some(serde_json::json!({
                "text": planned::words(task, self.dialect)?,
                "border": *task == Task::Border,
                "sql": task.sql(),
                "cost": task.cost(),
            }))
        };
        serde_json::json!({
            "id": revision.id,
            "message": revision.message,
            "tasks": self.planned.tasks.iter().filter_map(task).collect::<Vec<_>>(),
            "tables": self.tables,
            "time": self.time,
            "discarded": self.discarded,
            "stops": stops,
        })
    }
}
