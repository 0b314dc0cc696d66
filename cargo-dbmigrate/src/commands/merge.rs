//! `merge`: writes a revision that joins branches.

use super::Answer;
use crate::autogenerate::Commented;
use crate::cli::Merge;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{self, History};
use crate::new_file::{self, Names, Position};
use crate::render::Contents;
use crate::revision_files;

pub fn run(cx: &Context, args: &Merge) -> Result<Answer> {
    revision_files::all(cx)?;
    let history = History::load(cx)?;
    let identifiers: Vec<&str> = args.revisions.iter().map(String::as_str).collect();
    let (history, applied) = history.to_understand(cx, &identifiers)?;
    let graph = &history.graph;
    let target = graph.targets(&args.revisions, applied.as_ref())?;
    let parents: Vec<String> = target.ids().into_iter().map(str::to_owned).collect();
    refuse_pointless(&history, &parents)?;
    if !args.splice {
        new_file::refuse_splice(&history, &parents)?;
    }
    let names = Names {
        rev_id: args.rev_id.as_ref(),
        branch_labels: &args.branch_label,
        version_path: args.version_path.as_deref(),
        beside: None,
    };
    let position = Position::new(cx, &history, parents, &names)?;
    refuse_misfit(&history, &position.parents)?;
    let message = match args.message.as_str() {
        "" => format!("merge {}", position.parents.join(", ")),
        message => message.to_owned(),
    };
    let none = Commented::default();
    let contents = Contents { upgrade: &none, downgrade: &none, is_generated: false };
    let written = position.write(cx, &message, &contents, args.dry_run)?;
    cx.out.json(
        "merge",
        serde_json::json!({
            "revision": position.id,
            "parents": position.parents,
            "branch_labels": position.branch_labels,
            "path": written.path,
            "module": written.text,
        }),
    );
    Ok(Answer::Done)
}

/// Fails if there are no branches to join.
fn refuse_pointless(history: &History, ids: &[String]) -> Result<()> {
    let graph = &history.graph;
    let heads = "`cargo dbmigrate heads` lists what can be joined";
    match ids {
        [] => return Err(Error::new("there is no revision to merge")),
        [id] if graph.heads() == [id.as_str()] => {
            return Err(Error::new(format!(
                "there is only one head, `{id}`, so there is nothing to merge"
            )));
        }
        [id] => {
            let message = format!("a merge joins several revisions, but `{id}` is only one");
            return Err(Error::new(message).hint(heads));
        }
        _ => {}
    }
    for id in ids {
        if let Some(other) = ids.iter().find(|other| graph.follows(other, id)) {
            let message = format!("revision `{other}` follows `{id}`, so they are one branch");
            return Err(Error::new(message).hint(heads));
        }
    }
    Ok(())
}

/// Fails if the branches contradict each other: no database could run both, and so not the merge.
fn refuse_misfit(history: &History, parents: &[String]) -> Result<()> {
    let heads: Vec<&str> = parents.iter().map(String::as_str).collect();
    let joined = history.graph.with_ancestors(&heads).into_iter().map(str::to_owned).collect();
    history.migrations()?.replay(Some(&joined)).map(drop).map_err(|err| {
        let message = format!("revisions `{}` can't be joined", parents.join("`, `"));
        Error::new(message).cause(err).hint(history::SAME_CHANGE)
    })
}
