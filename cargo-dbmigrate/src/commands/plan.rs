//! `plan`: what a run would do, in words, before it runs.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::dialect::{Guard, Statement, StatementKind, Task};
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::plan::{self, Planned};
use dbmigrate_runtime::engine::revision::Range;
use dbmigrate_runtime::engine::version_table::{self, Entry};
use dbmigrate_runtime::engine::{Migration, script};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;
use dbmigrate_runtime::{Direction, Value};

use super::Answer;
use crate::autogenerate::rows;
use crate::cli::{Plan, Run};
use crate::context::Context;
use crate::error::Result;
use crate::output::{self, style};
use crate::run::{self, Loaded, Wanted};

/// Plans an upgrade, or a downgrade where only that leads to the revision.
pub fn run(cx: &Context, args: &Plan) -> Result<Answer> {
    let identifier = args.revision.as_str();
    let range = Range::parse(identifier);
    let target = range.as_ref().and_then(|range| range.to.as_deref()).unwrap_or(identifier);
    let direction = if is_below(target) { Direction::Downgrade } else { Direction::Upgrade };
    let run = Run::default();
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
        let stops = stops.map_or_else(Vec::new, |driver| stops_of(driver, &planned.tasks));
        is_stopped |= !stops.is_empty();
        block.print(cx, loaded.direction, &stops);
        json.push(block.json(&stops));
        for operation in &planned.migration.recording(loaded.direction).operations {
            // What doesn't fit was refused above.
            let _ = operation.apply(&mut schema);
        }
    }
    let name = match loaded.direction {
        Direction::Upgrade => "upgrade",
        Direction::Downgrade => "downgrade",
    };
    let json = serde_json::json!({ "direction": name, "plan": json });
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
    format!("{what} of {place}: {n}, {}", together(cx, loaded, planned, run))
}

/// Which parts are committed together.
fn together(cx: &Context, loaded: &Loaded, planned: &[Planned<'_>], run: &Run) -> &'static str {
    let options = run::options(cx, run);
    let is_apart = |planned: &Planned<'_>| {
        planned.is_apart
            || planned.migration.recording(loaded.direction).no_transaction
            || planned.tasks.iter().any(Task::is_between_groups)
    };
    if loaded.dialect.capabilities().commits_definitions {
        "each statement commits by itself"
    } else if planned.iter().any(is_apart) {
        "in several transactions"
    } else if planned.len() > 1 && options.transaction_each {
        "in a transaction each"
    } else {
        "in one transaction"
    }
}

/// What is shown about a revision.
struct Block<'a> {
    planned: &'a Planned<'a>,
    /// How many rows the tables have that the revision changes.
    tables: Vec<String>,
    /// What earlier changes of these tables took.
    earlier: Option<String>,
    discarded: Vec<String>,
    /// Whether the database commits each change of a definition by itself.
    commits_definitions: bool,
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
            earlier: None,
            discarded: Vec::new(),
            commits_definitions: loaded.dialect.capabilities().commits_definitions,
        };
        let Some(driver) = reader else { return block };
        let changed: BTreeSet<&str> = operations
            .iter()
            .flat_map(Operation::tables)
            .filter(|table| schema.tables.contains_key(table))
            .collect();
        for table in &changed {
            let dialect = driver.dialect();
            let count = dialect.rows_about(driver.as_connection(), table);
            block.tables.extend(count.map(|count| format!("`{table}` has {count}")));
        }
        block.earlier = slowest(earlier, &changed);
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
            &script::running(direction, &self.planned.migration.revision)
                .replacen("Running ", "", 1),
        ));
        let mut last = String::new();
        let tasks = &self.planned.tasks;
        for (idx, task) in tasks.iter().enumerate() {
            // A rebuild proves its own copy.
            let is_of_rebuild = idx > 0
                && rebuilt(&tasks[idx - 1]).is_some()
                && rebuilt(&tasks[idx - 1]) == tasks.get(idx + 1).and_then(rebuilt);
            let Some(text) = text(task).filter(|_| cx.out.verbose || !is_of_rebuild) else {
                continue;
            };
            if text != last {
                let is_alone = matches!(task, Task::Alone(_)) && !self.commits_definitions;
                let alone = if is_alone { " (outside a transaction)" } else { "" };
                cx.out.line(format!("  {text}{alone}"));
                last = text;
            }
            if let Some(cost) = cost(task) {
                cx.out.line(format!("    {cost}"));
            }
            if let (true, Some(sql)) = (cx.out.verbose, sql(task)) {
                sql.lines().for_each(|line| cx.out.line(format!("      {line}")));
            }
        }
        if self.planned.tasks.is_empty() {
            cx.out.line("  nothing but its version row");
        }
        let lines = self.tables.iter().chain(&self.earlier);
        lines.for_each(|line| cx.out.line(format!("  {line}")));
        for line in self.discarded.iter().chain(stops) {
            cx.out.line(format!("  {}", style::paint(style::BAD, line)));
        }
    }

    fn json(&self, stops: &[String]) -> serde_json::Value {
        let Migration { revision, .. } = self.planned.migration;
        let task = |task: &Task| {
            Some(serde_json::json!({
                "text": text(task)?,
                "sql": sql(task),
                "cost": cost(task),
            }))
        };
        serde_json::json!({
            "id": revision.id,
            "message": revision.message,
            "tasks": self.planned.tasks.iter().filter_map(task).collect::<Vec<_>>(),
            "tables": self.tables,
            "discarded": self.discarded,
            "stops": stops,
        })
    }
}

/// A task in words; `None` if it is not worth a line of its own.
fn text(task: &Task) -> Option<String> {
    let statement = |statement: &Statement| match statement.kind {
        StatementKind::Raw if statement.given_name().is_none() => {
            let sql = statement.sql.split_whitespace().collect::<Vec<_>>().join(" ");
            let shown: String = sql.chars().take(60).collect();
            let dots = if shown.len() < sql.len() { "..." } else { "" };
            format!("run SQL: {shown}{dots}")
        }
        StatementKind::Raw => format!("run SQL: {}", statement.reason),
        StatementKind::Rebuild => format!("rebuild the table to {}", statement.reason),
        StatementKind::Native => statement.reason.clone(),
    };
    match task {
        Task::Statement(found) => Some(statement(found)),
        Task::Alone(alone) => Some(statement(&alone.statement)),
        Task::Guard(guard) => Some(format!("stop if {}", guard.condition())),
        Task::Step { name, .. } => Some(format!("run step `{name}`")),
        Task::Border | Task::Note(_) => None,
    }
}

/// What a statement of a rebuild is for.
fn rebuilt(task: &Task) -> Option<&str> {
    match task {
        Task::Statement(statement) if statement.kind == StatementKind::Rebuild => {
            Some(&statement.reason)
        }
        _ => None,
    }
}

fn sql(task: &Task) -> Option<&str> {
    match task {
        Task::Guard(guard) => Some(&guard.sql),
        task => task.statement().map(|statement| statement.sql.as_str()),
    }
}

fn cost(task: &Task) -> Option<String> {
    let cost = task.statement()?.cost.as_ref()?;
    Some(cost.to_string()).filter(|text| !text.is_empty())
}

/// What would stop the revision, by the guards before anything of it has run.
fn stops_of(driver: &mut dyn Driver, tasks: &[Task]) -> Vec<String> {
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
