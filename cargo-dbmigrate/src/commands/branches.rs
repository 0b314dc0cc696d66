//! `branches`: where the history branches, and which branches start there.

use dbmigrate_runtime::engine::revision::Revision;

use super::Answer;
use crate::context::Context;
use crate::error::Result;
use crate::history::{self, History};
use crate::output::style;

pub fn run(cx: &Context) -> Result<Answer> {
    let history = History::to_list(cx)?;
    let graph = &history.graph;
    let mut json = Vec::new();
    let mut list = |from: Option<&Revision>, ids: &[&str]| {
        let name = from.map_or("<base>", |revision| revision.id.as_str());
        match from {
            Some(revision) if cx.out.verbose => {
                cx.out.styled(&history::entry(cx, &history, revision, &[]))
            }
            Some(revision) => cx.out.line(style::id(name) + &history.marks(revision, &[])),
            None => cx.out.line(name),
        }
        let indent = " ".repeat(name.len());
        for revision in ids.iter().filter_map(|id| graph.get(id)) {
            let message = history::message(&revision.message);
            let (id, marks) = (style::id(&revision.id), history.marks(revision, &[]));
            cx.out.line(format!("{indent} -> {id}{marks}, {message}"));
        }
        let branches: Vec<_> = ids
            .iter()
            .map(|id| serde_json::json!({ "id": id, "labels": graph.labels(id) }))
            .collect();
        json.push(
            serde_json::json!({ "id": from.map(|revision| &revision.id), "branches": branches }),
        );
    };
    for revision in graph.revisions().iter().rev() {
        let children: Vec<&str> = graph.children(&revision.id).iter().map(String::as_str).collect();
        if children.len() > 1 {
            list(Some(revision), &children);
        }
    }
    // Separate trees are branches as well, but don't start at a common revision.
    let bases = graph.bases();
    if bases.len() > 1 {
        list(None, &bases);
    }
    cx.out.json("branches", serde_json::json!({ "branch_points": json }));
    Ok(Answer::Done)
}
