//! Trying a new revision on what the history before it builds.

use super::position::Position;
use crate::autogenerate::Commented;
use crate::cli::NewRevision;
use crate::context::Context;
use crate::error::Result;
use crate::history;
use crate::models::Models;
use crate::trial::{History, Start, Trial};

/// Tries the revision before it is written, and says what could not be tried.
///
/// # Errors
///
/// What SQLite refuses, with the place that says it.
pub fn try_out(
    cx: &Context,
    args: &NewRevision,
    history: &history::History,
    position: &Position,
    (models, upgrade, downgrade): (&Models, &Commented, &Commented),
) -> Result<()> {
    let label = |name: &String| history.graph.labelled(name).map(|revision| revision.id.clone());
    let needed = position.parents.iter().chain(&position.depends_on);
    let heads: Vec<String> =
        needed.map(|text| label(text).unwrap_or_else(|| text.clone())).collect();
    let named: Vec<&str> = heads.iter().map(String::as_str).collect();
    let ids = history.graph.with_ancestors(&named).into_iter().map(str::to_owned).collect();
    let migrations = history.migrations()?;
    let before = migrations.replay(Some(&ids))?;
    let start = Start::of(
        &History {
            migrations: &migrations,
            heads: &heads,
            version_table: &cx.config.version_table,
            kept: &cx.project.work_dir.join(concat!("tried-", env!("CARGO_PKG_VERSION"), ".db")),
        },
        &before,
    )?;
    let trial = Trial {
        revision: &position.revision(),
        upgrade: &upgrade.operations,
        downgrade,
        before: &before,
        models,
        fills: &args.fill,
    };
    for untried in trial.run(start)? {
        cx.out.warning(untried);
    }
    Ok(())
}
