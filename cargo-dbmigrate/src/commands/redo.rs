//! `redo`: undoes and reapplies revisions, to try out one that is being written.

use dbmigrate_runtime::Direction;
use dbmigrate_runtime::engine::plan;

use super::Answer;
use crate::cli::{Redo, Run};
use crate::connection::Database;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{self, History};
use crate::output::style;
use crate::run::{self, Down, Ran, Up};

pub fn run(cx: &Context, args: &Redo) -> Result<Answer> {
    let database = Database::find(cx)?;
    let history = History::load(cx)?;
    // A revision that is applied again has already passed its barrier.
    let run = Run { args: args.args.clone(), past_barriers: true, ..Run::default() };
    let down = format!("-{}", args.count);
    refuse_passing(cx, &database, &history, &down)?;
    let down = Down { to: &down, run: &run, allow_destructive: args.allow_destructive };
    let Ran { ids: undone, backup, .. } = run::downgrade(cx, &database, &history, &down)?;
    // One backup is enough, and the first one has the most.
    let run = Run { no_backup: backup.is_some(), ..run };
    let top = undone.first().cloned().unwrap_or_else(|| "head".to_owned());
    let Ran { ids: ran, backup: later, .. } =
        run::upgrade(cx, &database, &history, &Up { to: &top, run: &run })?;
    let backup = backup.or(later);
    cx.out.json("redo", serde_json::json!({ "undone": undone, "ran": ran, "backup": backup }));
    Ok(Answer::Done)
}

/// Fails if reapplying would go further than undoing started. Once none of the revisions is applied
/// that a squash revision replaces, that one takes their place. All other problems are reported
/// when the revisions are undone.
fn refuse_passing(cx: &Context, database: &Database, history: &History, down: &str) -> Result<()> {
    let rows = history::applied_ids(cx, database)?;
    let Ok((here, applied)) = history.at(rows) else { return Ok(()) };
    let Ok(target) = plan::downgrade_target(&here.graph, &applied, down) else { return Ok(()) };
    let undone = plan::route(&here.graph, &applied, Direction::Downgrade, &target);
    let rest = applied.into_iter().filter(|id| !undone.contains(id)).collect();
    let (there, _) = history.at(rest)?;
    let replaced = undone.first().and_then(|id| there.graph.replaced_by(id));
    let Some((top, by)) = replaced else { return Ok(()) };
    let message = format!(
        "revision `{top}` can't be reached again from so far down: there `{}` replaces it and \
         revisions that follow it, in {}",
        by.id, by.file
    );
    let before = style::parents_text(&by.parents);
    Err(Error::new(message).hint(format!(
        "redo fewer revisions; the nearest targets are `{before}` and `{0}`, so after `cargo \
         dbmigrate upgrade {0}` all of it can be redone",
        by.id
    )))
}
