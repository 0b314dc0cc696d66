//! `--all` of commands that only read: how many databases are where, and which are odd.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::ledger::Unfinished;
use dbmigrate_runtime::engine::revision::{Graph, View};
use dbmigrate_runtime::engine::standing::{self, Standing};
use dbmigrate_runtime::engine::version_table::{self, VersionRow};
use dbmigrate_runtime::engine::{Migrations, many};
use dbmigrate_runtime::schema::Schema;

use super::Answer;
use super::upgrade_all::report::in_a_line;
use super::upgrade_all::targets::{self, Target};
use crate::cli::Several;
use crate::connection::Patience;
use crate::context::Context;
use crate::error::Result;
use crate::history::{self, History};
use crate::output::{self, style};
use crate::run;
use crate::snapshot::Snapshot;

/// How many odd databases are listed without `-v`.
const SHOWN: usize = 20;

/// What is read of each database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Which revisions are applied.
    Version,
    /// Also the schema.
    Schema,
}

/// Reads each database, and reports how many are where. Nothing is created. The answer is yes if all
/// are at the head, and agree as far as they were compared.
///
/// # Errors
///
/// An argument that is invalid or matches nothing, and a history that can't be loaded.
pub fn run(cx: &Context, command: &'static str, several: &Several, depth: Depth) -> Result<Answer> {
    let found = targets::databases(cx, &several.all)?;
    let history = History::load(cx)?;
    let schemas = match depth {
        Depth::Version => None,
        Depth::Schema => Some(Schemas::of(history.migrations()?)?),
    };
    let reader = Reader { cx, history: &history, schemas };
    let mut results: Vec<(Target, Result<State>)> =
        found.unreadable.into_iter().map(|(target, err)| (target, Err(err))).collect();
    let bar = run::bar(cx.out, found.targets.len(), "databases");
    output::keep_below(Some(bar.clone()));
    many::several(
        (&found.targets, several.jobs),
        || (),
        |(), target| reader.state(target),
        |target, state| {
            bar.inc(1);
            results.push((target.clone(), state));
        },
    );
    output::keep_below(None);
    bar.finish_and_clear();
    results.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
    print(cx, &results);
    cx.out.json(command, document(&results));
    let is_failed = |(_, res): &(Target, Result<State>)| res.is_err();
    let is_in_order = |(_, res): &(Target, Result<State>)| {
        res.as_ref().is_ok_and(|state| state.is_in_order() && state.differences.is_empty())
    };
    Ok(if results.iter().any(is_failed) {
        Answer::Failed
    } else if results.iter().all(is_in_order) {
        Answer::Done
    } else {
        Answer::No
    })
}

/// Where a database is.
struct State {
    /// The revisions that it is at.
    current: Vec<String>,
    /// Applied revisions that the project doesn't have.
    unknown: Vec<String>,
    /// Applied revisions that were edited afterwards.
    edited: Vec<String>,
    /// Revisions that were begun and not completed.
    unfinished: Vec<String>,
    n_pending: usize,
    /// How many of these wait because of a barrier.
    n_waiting: usize,
    /// Why there is nothing to read; empty if there is.
    missing: &'static str,
    is_at_head: bool,
    differences: Vec<String>,
}

impl State {
    /// Whether every revision that is due is applied, and nothing else.
    fn is_in_order(&self) -> bool {
        let is_whole = self.unknown.is_empty() && self.edited.is_empty();
        let only_waits = self.n_pending > 0 && self.n_pending == self.n_waiting;
        self.is_at_head || (only_waits && is_whole && self.unfinished.is_empty())
    }

    /// The state in words, the same for all databases that are alike.
    fn text(&self) -> String {
        if !self.missing.is_empty() {
            return self.missing.to_owned();
        }
        let mut parts = Vec::new();
        match self.current.as_slice() {
            [] if self.unknown.is_empty() => parts.push("no revision applied".to_owned()),
            current => parts.extend(current.iter().cloned()),
        }
        parts.extend(self.unknown.iter().map(|id| format!("{id} (unknown)")));
        parts.extend(self.unfinished.iter().map(|id| format!("{id} (stopped halfway)")));
        parts.extend(self.edited.iter().map(|id| format!("{id} was edited")));
        let mut text = parts.join(", ");
        if self.is_at_head {
            text += " (head)";
        } else if self.n_pending > 0 {
            text += &format!(", {} pending", self.n_pending);
            if self.n_waiting == self.n_pending {
                text += " at a barrier";
            }
        }
        if !self.differences.is_empty() {
            text += &format!(", {}", output::count(self.differences.len(), "difference"));
        }
        text
    }
}

struct Reader<'a> {
    cx: &'a Context,
    history: &'a History,
    /// The schemas to compare with, if they are compared.
    schemas: Option<Schemas>,
}

impl Reader<'_> {
    fn state(&self, target: &Target) -> Result<State> {
        let Reader { cx, history, .. } = self;
        let Some(mut driver) = target.database.open_to_read(Patience::reading(cx))? else {
            let n_pending = history.graph.revisions().len();
            let nothing = State::of(&history.graph, &BTreeSet::new());
            return Ok(State { n_pending, missing: target.database.missing_text(), ..nothing });
        };
        let rows = version_table::read(driver.as_connection(), cx.config.version_table())?;
        let Standing { rows, view } = history.standing(rows)?;
        let graph = &view.of.graph;
        let mut state = State::of(graph, &view.applied);
        let is_edited = |row: &&VersionRow| {
            let (row, checksum) = (std::slice::from_ref(*row), |id: &str| view.of.checksum(id));
            standing::check_applied(graph, checksum, row, true).is_err()
        };
        state.edited = rows.iter().filter(is_edited).map(|row| row.id.clone()).collect();
        let unfinished = history::unfinished_in(cx, &mut *driver)?;
        state.n_waiting = view.of.reach(&view.applied, &unfinished).waiting.len();
        let halfway = unfinished.into_iter().filter(Unfinished::is_halfway);
        state.unfinished = halfway.map(|begun| begun.revision).collect();
        state.is_at_head &= state.edited.is_empty() && state.unfinished.is_empty();
        if let Some(schemas) = &self.schemas {
            state.differences = schemas.differences(cx, driver, standing::ids(&rows))?;
        }
        Ok(state)
    }
}

/// The schemas that databases are compared with.
struct Schemas {
    migrations: Migrations,
    /// What all migrations build.
    whole: Schema,
    /// What the migrations build, by the applied revisions: many databases have the same.
    replayed: Mutex<BTreeMap<BTreeSet<String>, Arc<Schema>>>,
}

impl Schemas {
    fn of(migrations: Migrations) -> Result<Schemas> {
        Ok(Schemas { whole: migrations.replay(None)?, migrations, replayed: Mutex::default() })
    }

    /// How the schema of a database with these version rows differs.
    fn differences(
        &self,
        cx: &Context,
        driver: Box<dyn Driver>,
        rows: BTreeSet<String>,
    ) -> Result<Vec<String>> {
        let View { of: migrations, applied, .. } = self.migrations.view(rows)?;
        let snapshot = Snapshot::through(cx, driver, &migrations)?;
        let declared = snapshot.declared(&migrations, &applied);
        let expected = self.expected(&migrations, &applied)?;
        let drift = snapshot.drift(&expected, &self.whole, declared)?;
        Ok(drift.differences.iter().map(ToString::to_string).collect())
    }

    fn expected(&self, migrations: &Migrations, applied: &BTreeSet<String>) -> Result<Arc<Schema>> {
        let mut replayed = self.replayed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = replayed.get(applied) {
            return Ok(Arc::clone(schema));
        }
        let schema = Arc::new(migrations.replay(Some(applied))?);
        replayed.insert(applied.clone(), Arc::clone(&schema));
        Ok(schema)
    }
}

impl State {
    fn of(graph: &Graph, applied: &BTreeSet<String>) -> State {
        let owned = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let current = owned(graph.current(applied));
        let unknown: Vec<String> =
            applied.iter().filter(|id| graph.get(id).is_none()).cloned().collect();
        let is_applied = |id: &&str| applied.contains(*id);
        let is_at_head = unknown.is_empty() && graph.heads().iter().all(is_applied);
        State {
            n_pending: graph.revisions().len() + unknown.len() - applied.len(),
            current,
            unknown,
            edited: Vec::new(),
            unfinished: Vec::new(),
            n_waiting: 0,
            missing: "",
            is_at_head,
            differences: Vec::new(),
        }
    }
}

fn text(res: &Result<State>) -> String {
    match res {
        Ok(state) => state.text(),
        Err(_) => "failed".to_owned(),
    }
}

/// How many databases are in each state, the most frequent first.
fn counts(results: &[(Target, Result<State>)]) -> Vec<(String, usize)> {
    let mut counts = BTreeMap::new();
    for (_, res) in results {
        *counts.entry(text(res)).or_insert(0) += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    counts
}

fn print(cx: &Context, results: &[(Target, Result<State>)]) {
    let counts = counts(results);
    cx.out.line(output::count(results.len(), "database"));
    let width = counts.iter().map(|(_, n)| n.to_string().len()).max().unwrap_or_default();
    for (state, n) in &counts {
        cx.out.line(format!("  {n:width$}  {state}"));
    }
    let usual = counts.first().map_or("", |(state, _)| state.as_str());
    let is_odd = |res: &Result<State>| cx.out.verbose || res.is_err() || text(res) != usual;
    let odd: Vec<_> = results.iter().filter(|(_, res)| is_odd(res)).collect();
    let n_shown = if cx.out.verbose { odd.len() } else { odd.len().min(SHOWN) };
    for (target, res) in &odd[..n_shown] {
        match res {
            Ok(state) => {
                cx.out.line(format!(
                    "{}: {}",
                    target.name,
                    style::paint(style::CHANGED, &state.text())
                ));
                for difference in state.differences.iter().filter(|_| cx.out.verbose) {
                    cx.out.line(format!("  {difference}"));
                }
            }
            Err(err) => cx.out.failure(format!("{}: {}", target.name, in_a_line(err))),
        }
    }
    if n_shown < odd.len() {
        cx.out.progress(format!("{} more are not like most; -v lists all", odd.len() - n_shown));
    }
}

fn document(results: &[(Target, Result<State>)]) -> serde_json::Value {
    let database = |(target, res): &(Target, Result<State>)| {
        let mut json = serde_json::json!({ target.key(): target.name });
        match res {
            Ok(state) => {
                json["current"] = state.current.clone().into();
                json["unknown"] = state.unknown.clone().into();
                json["edited"] = state.edited.clone().into();
                if !state.unfinished.is_empty() {
                    json["unfinished"] = state.unfinished.clone().into();
                }
                json["n_pending"] = state.n_pending.into();
                if state.n_waiting > 0 {
                    json["n_waiting"] = state.n_waiting.into();
                }
                json["at_head"] = state.is_at_head.into();
                json["differences"] = state.differences.clone().into();
            }
            Err(err) => json["error"] = output::error_json(err),
        }
        json
    };
    let count = |(state, n): (String, usize)| serde_json::json!({ "state": state, "n": n });
    serde_json::json!({
        "databases": results.iter().map(database).collect::<Vec<_>>(),
        "counts": counts(results).into_iter().map(count).collect::<Vec<_>>(),
    })
}
