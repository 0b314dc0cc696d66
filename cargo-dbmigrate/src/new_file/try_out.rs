//! Tries a new revision on the result of the history before it.

use dbmigrate_runtime::engine::{Migrations, recording};

use super::position::Position;
use crate::context::Context;
use crate::error::Result;
use crate::models::Models;
use crate::render::Contents;
use crate::trial::{BACKEND, History, Start, Trial};

/// A revision that isn't written yet.
pub struct Proposed<'a> {
    /// The migrations before it.
    pub migrations: &'a Migrations,
    pub position: &'a Position,
    pub contents: &'a Contents<'a>,
    pub models: &'a Models,
}

/// Tries the revision before it is written, and reports what could not be tried.
///
/// # Errors
///
/// What SQLite refuses, with the location of its cause.
pub fn try_out(cx: &Context, proposed: &Proposed<'_>, fills: &[String]) -> Result<()> {
    let Proposed { migrations, position, contents, models } = *proposed;
    let graph = migrations.graph();
    let heads = position.needed(graph);
    let needed: Vec<&str> = heads.iter().map(String::as_str).collect();
    let ids = graph.with_ancestors(&needed).into_iter().map(str::to_owned).collect();
    let before = migrations.replay(Some(&ids))?;
    let start = Start::of(
        &History {
            migrations,
            heads: &heads,
            version_table: &cx.config.version_table,
            kept: &cx.project.work_dir.join(concat!("tried-", env!("CARGO_PKG_VERSION"), ".db")),
        },
        &before,
    )?;
    let trial = Trial {
        revision: &position.revision(),
        upgrade: &recording::settled(&contents.upgrade.operations, BACKEND),
        downgrade: contents.downgrade,
        before: &before,
        models,
        fills,
    };
    for untried in trial.run(start)? {
        cx.out.warning(untried);
    }
    Ok(())
}
