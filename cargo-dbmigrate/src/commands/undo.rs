//! `undo`: removes the newest revision's file, as long as the revision hasn't been used.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::revision::{Graph, Revision};

use super::Answer;
use crate::cli::Undo;
use crate::connection::Database;
use crate::context::Context;
use crate::edits::Edit;
use crate::error::{Error, Result};
use crate::new_file;
use crate::revision_files::constants::{self, Header};
use crate::{history, revision_files, scaffold};

pub fn run(cx: &Context, args: &Undo) -> Result<Answer> {
    // Read without compiling, since a revision that doesn't compile is one to remove.
    let headers = constants::read(cx)?;
    let graph = constants::graph(&headers)?;
    // A revision that another one depends on can't be removed.
    let heads = graph.real_heads();
    let at_end: Vec<_> =
        headers.iter().filter(|header| heads.contains(&header.revision.id.as_str())).collect();
    if let Some((id, by)) = args.revision.as_deref().and_then(|id| graph.alias(id)) {
        let message =
            format!("revision `{id}` is replaced by `{}`, in {}, so it stays", by.id, by.file);
        return Err(
            Error::new(message).hint(format!("`cargo dbmigrate undo {}` removes that one", by.id))
        );
    }
    let applied = graph.view(history::applied_ids(cx, &Database::find(cx)?)?)?.applied;
    let unapplied: Vec<_> =
        at_end.iter().filter(|header| !applied.contains(&header.revision.id)).collect();
    let is_applied = |id: &str| {
        Error::new(format!("revision `{id}` is applied, so it stays"))
            .hint("`cargo dbmigrate downgrade` undoes it first")
    };
    let named = match &args.revision {
        None => None,
        Some(identifier) => Some(history::one(&graph, &applied, identifier)?),
    };
    let header = match (named, unapplied.as_slice(), at_end.as_slice()) {
        (Some(id), ..) if applied.contains(id) => return Err(is_applied(id)),
        (Some(id), ..) => {
            let may_go = |header: &&Header| {
                heads.contains(&header.revision.id.as_str()) || is_spare(&headers, header)
            };
            match headers.iter().find(|header| header.revision.id == id).filter(may_go) {
                Some(header) => header,
                None => return Err(is_needed(&graph, id)),
            }
        }
        (None, [header], _) => header,
        (None, [], []) => return Err(Error::new("there is no revision to undo")),
        (None, [], [header, ..]) => return Err(is_applied(&header.revision.id)),
        (None, several, _) => {
            let ids: Vec<_> = several.iter().map(|header| header.revision.id.as_str()).collect();
            let listed = graph.listed(&ids);
            let message = format!("several revisions could be undone:{listed}");
            let commands: String =
                ids.iter().map(|id| format!("\n    cargo dbmigrate undo {id}")).collect();
            return Err(Error::new(message).hint(format!("choose one:{commands}")));
        }
    };
    let is_gone = |id: &&str| !headers.iter().any(|header| header.revision.id == *id);
    if let Some(id) = header.revision.replaced().find(is_gone) {
        let message = format!(
            "revision `{}` replaces `{id}`, whose file is gone, so it stays",
            header.revision.id
        );
        return Err(
            Error::new(message).hint("restore the files that it replaces, or delete it by hand")
        );
    }
    let mut left = revision_files::all(cx)?;
    left.retain(|file| file.path != header.path);
    let mut edits = vec![Edit::Remove { path: header.path.clone() }];
    edits.extend(scaffold::list_of(cx, &left)?);
    cx.edits.apply(&edits)?;
    let path = cx.project.shown(&header.path).to_string();
    cx.out.done(format!("Deleting {path} ... done"));
    cx.out.json("undo", serde_json::json!({ "revision": header.revision.id, "path": path }));
    Ok(Answer::Done)
}

/// Whether a squash revision can be removed without a gap in the history: all revisions that it
/// replaces exist, and nothing refers to it.
fn is_spare(headers: &[Header], header: &Header) -> bool {
    let replaced: BTreeSet<&str> = header.revision.replaced().collect();
    let others = headers.iter().filter(|candidate| candidate.revision.id != header.revision.id);
    let others: Vec<Revision> = others.map(|header| header.revision.clone()).collect();
    let n_there = others.iter().filter(|revision| replaced.contains(revision.id.as_str())).count();
    !replaced.is_empty() && n_there == replaced.len() && Graph::new(others).is_ok()
}

/// The error that a revision can't be removed because others need it.
fn is_needed(graph: &Graph, id: &str) -> Error {
    new_file::no_head(graph, id)
        .unwrap_or_else(|| {
            let needed: Vec<&str> = graph.dependents(id).iter().map(String::as_str).collect();
            let listed = graph.listed(&needed);
            Error::new(format!("others depend on revision `{id}`, so it stays:{listed}"))
        })
        .hint("undo these first, starting with the newest")
}
