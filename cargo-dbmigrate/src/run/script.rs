//! A run as an SQL script.

use std::collections::BTreeSet;

use dbmigrate_runtime::Direction;
use dbmigrate_runtime::engine::dialect::{Dialect, Facts};
use dbmigrate_runtime::engine::revision::{Range, View};
use dbmigrate_runtime::engine::script::Client;
use dbmigrate_runtime::engine::{
    executor,
    plan::{self, Route},
    script, standing,
};

use super::{options, stored_facts};
use crate::cli::Run;
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{self, History};

/// Prints the statements that a run would execute. With a range this needs no database.
pub fn write_script(
    cx: &Context,
    direction: Direction,
    identifier: &str,
    (args, client): (&Run, Client),
) -> Result<()> {
    let history = History::load(cx)?;
    let mut facts = cx.dialect().offline_facts();
    let mut reader = None;
    let (history, rows, applied, to) = match Range::parse(identifier) {
        Some(range) => {
            let (from, to) = match direction {
                Direction::Upgrade => ("base", "head"),
                Direction::Downgrade => ("heads", "base"),
            };
            let from = range.from.as_deref().unwrap_or(from);
            let (history, applied) = applied_at(cx, &history, from)?;
            (history, applied.clone(), applied, range.to.unwrap_or_else(|| to.to_owned()))
        }
        None => {
            let database = Database::find(cx)?;
            let applied = history::applied(cx, &database)?;
            reader = database.open_to_read(Patience::reading(cx))?;
            if let Some(driver) = &mut reader {
                facts = facts_for_script(driver.dialect(), stored_facts(&mut **driver)?);
            }
            let standing = history.standing(applied)?;
            standing.check(false)?;
            let rows = standing::ids(&standing.rows);
            let View { of: history, applied, .. } = standing.view;
            (history.into_owned(), rows, applied, identifier.to_owned())
        }
    };
    history.note_replaced(cx, &[&to]);
    let graph = &history.graph;
    let target = plan::target(graph, &applied, direction, &to)?;
    let ids = plan::route(graph, &applied, direction, &target);
    if direction == Direction::Upgrade {
        plan::check_order(graph, &applied, &ids, &target)?;
    }
    let migrations = history.migrations()?;
    let options = options(cx, args);
    // A server says which of the history's dialects it speaks.
    let dialect = reader.as_ref().map_or_else(|| cx.dialect(), |driver| driver.dialect());
    let route = Route { migrations: &migrations, direction, ids: &ids, applied: &applied };
    match &mut reader {
        Some(driver) => {
            executor::refuse_unfinished(&mut **driver, &options, &rows)?;
            executor::refuse_mismatch(driver.as_connection(), &route)?;
            let pending = ids.iter().filter_map(|id| migrations.get(id));
            let operations: Vec<_> = pending
                .flat_map(|migration| migration.recording(direction).operations.clone())
                .collect();
            let failed = |err| Error::new("failed to read the tables").cause(err);
            let found = dialect.facts_for(driver.as_connection(), &operations, &facts);
            let found = found.map_err(failed)?;
            facts.large = found.large;
            // PostgreSQL's script may run on a database that lacks a schema of this one.
            if dialect.backend().is_mysql_like() {
                facts.existing = found.existing;
            }
        }
        None => plan::refuse_mismatch_offline(&route, dialect)?,
    }
    let (text, steps) =
        script::script(&Route { applied: &rows, ..route }, dialect, &facts, &options)?;
    for step in steps {
        cx.out.warning(format!(
            "step `{step}` is a function and is not in the script; only `cargo dbmigrate` runs it"
        ));
    }
    let text = script::for_client(&text, dialect, client);
    cx.out.text(&text);
    let name = match direction {
        Direction::Upgrade => "upgrade",
        Direction::Downgrade => "downgrade",
    };
    cx.out.json(name, serde_json::json!({ "sql": text, "revisions": ids }));
    Ok(())
}

/// The history of a database at this revision, and what is applied in it.
pub fn applied_at(
    cx: &Context,
    history: &History,
    identifier: &str,
) -> Result<(History, BTreeSet<String>)> {
    let history = history.naming(&[identifier])?;
    let (history, applied) = history.to_understand(cx, &[identifier])?;
    let target = history.graph.target(identifier, applied.as_ref())?;
    let before = history.graph.with_ancestors(&target.ids());
    let before = before.into_iter().map(str::to_owned).collect();
    Ok((history.into_owned(), before))
}

/// These facts, restricted for a script: it may be run by an older version of SQLite than the one
/// that is compiled into this tool.
pub fn facts_for_script(dialect: &dyn Dialect, facts: Facts) -> Facts {
    Facts { version: facts.version.min(dialect.offline_facts().version), ..facts }
}
