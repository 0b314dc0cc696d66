//! `check`: whether models, migrations and database agree.

use dbmigrate_runtime::revision::Target;
use dbmigrate_runtime::{Direction, executor, plan, version_table};

use super::{Answer, new_revision};
use crate::autogenerate;
use crate::cli::Check;
use crate::connection::{Database, Patience, Source};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::History;
use crate::models;

pub fn run(cx: &Context, args: &Check) -> Result<Answer> {
    let models = models::load(cx).map_err(|it| new_revision::stale_list(cx, it))?;
    let history = History::load(cx)?;
    let schema = history.migrations()?.replay(None)?;
    let operations = autogenerate::plain(&schema, &models)?;
    let mut answer = Answer::Done;
    let mut differences = Vec::new();
    if operations.is_empty() {
        cx.out.line("Models and migrations agree.");
    } else {
        answer = Answer::No;
        cx.out.line("Models and migrations differ:");
        for it in &operations {
            let text = autogenerate::detected(it);
            cx.out.line(format!("  {text}"));
            differences.push(text);
        }
        cx.out.progress("`cargo dbmigrate migrate` writes a revision for it");
    }
    let pending = if args.no_database { None } else { database(cx, &history)? };
    if pending.as_ref().is_some_and(|it| !it.is_empty()) {
        answer = Answer::No;
    }
    cx.out.json(
        "check",
        serde_json::json!({
            "agree": answer == Answer::Done,
            "differences": differences,
            "pending": pending,
        }),
    );
    Ok(answer)
}

/// The pending revisions; `None` when the database was not looked at.
fn database(cx: &Context, history: &History) -> Result<Option<Vec<String>>> {
    let database = Database::find(cx)?;
    let Some(mut driver) = database.open_to_read(Patience::reading(cx))? else {
        let message = format!("the database `{}` does not exist", database.name());
        if matches!(database.source, Source::Config(_)) {
            cx.out.line(format!("{message} yet, so it was not checked."));
            return Ok(None);
        }
        let hint = format!(
            "`cargo dbmigrate upgrade` creates it; --no-database leaves it out; it is named in {}",
            database.source
        );
        return Err(Error::new(message).hint(hint));
    };
    let applied = version_table::read(&mut *driver, &cx.config.version_table)?;
    executor::verify(&history.graph, |id| history.checksum(id), &applied, false)?;
    let heads = history.graph.heads().into_iter().map(str::to_owned).collect();
    let set = executor::ids(&applied);
    let heads = Target::Revisions(heads);
    let pending = plan::route(&history.graph, &set, Direction::Upgrade, &heads);
    match pending.as_slice() {
        [] => cx.out.line("The database is at the head."),
        ids => cx.out.line(format!("The database is behind: {} pending.", ids.join(", "))),
    }
    Ok(Some(pending))
}
