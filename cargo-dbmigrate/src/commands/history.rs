//! `history`: the revisions, newest first.

use std::collections::BTreeSet;

use dbmigrate_runtime::revision::Range;

use super::{Answer, show};
use crate::cli;
use crate::connection::Database;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{self, History};

pub fn run(cx: &Context, args: &cli::History) -> Result<Answer> {
    let history = History::load(cx)?;
    let graph = &history.graph;
    let needs_database = args.indicate_current
        || args.rev_range.as_deref().is_some_and(|it| {
            it.contains("current") || it.split(':').any(|it| it.starts_with(['+', '-']))
        });
    let applied = match needs_database {
        true => history::applied_ids(cx, &Database::find(cx)?)?,
        false => BTreeSet::new(),
    };
    let current = if args.indicate_current { graph.current(&applied) } else { Vec::new() };
    let shown: BTreeSet<&str> = match &args.rev_range {
        None => graph.revisions().iter().map(|it| it.id.as_str()).collect(),
        Some(text) => {
            let range = Range::parse(text).ok_or_else(|| {
                Error::new(format!("`{text}` is no range of revisions"))
                    .hint("a range is `from:to`; either side may be empty")
            })?;
            let ids = |it: &str| -> Result<Vec<String>> {
                let target = graph.target(it, Some(&applied))?;
                Ok(target.ids().into_iter().map(str::to_owned).collect())
            };
            let to = ids(range.to.as_deref().unwrap_or("heads"))?;
            let to = graph.with_ancestors(&to.iter().map(String::as_str).collect::<Vec<_>>());
            let from = ids(range.from.as_deref().unwrap_or("base"))?;
            let from: Vec<&str> = from.iter().map(String::as_str).collect();
            let from = if from.is_empty() { to.clone() } else { graph.with_descendants(&from) };
            graph
                .revisions()
                .iter()
                .map(|it| it.id.as_str())
                .filter(|it| to.contains(it) && from.contains(it))
                .collect()
        }
    };
    let mut json = Vec::new();
    let gone = if args.rev_range.is_none() { history::gone(cx, graph) } else { Vec::new() };
    for it in &gone {
        if cx.out.verbose {
            cx.out.text(&show::gone_entry(it));
        } else {
            let message = if it.message.is_empty() { "empty message" } else { &it.message };
            let (parents, mark) = (history::parents_text(&it.parents), history::GONE);
            cx.out.line(format!("{parents} -> {}{mark}, {message}", it.id));
        }
        json.push(serde_json::json!({
            "id": it.id,
            "parents": it.parents,
            "message": it.message,
            "path": null,
            "head": false,
            "applied_at": it.applied_at,
            "tool_version": it.tool_version,
        }));
    }
    for it in graph.revisions().iter().rev().filter(|it| shown.contains(it.id.as_str())) {
        if cx.out.verbose {
            cx.out.text(&show::entry(cx, &history, it, &current));
        } else {
            let message = if it.message.is_empty() { "empty message" } else { &it.message };
            cx.out.line(format!(
                "{} -> {}{}, {message}",
                history::parents_text(&it.parents),
                it.id,
                history.marks(it, &current),
            ));
        }
        json.push(serde_json::json!({
            "id": it.id,
            "parents": it.parents,
            "branch_labels": it.branch_labels,
            "depends_on": it.depends_on,
            "message": it.message,
            "path": it.file,
            "head": graph.children(&it.id).is_empty(),
            "current": args.indicate_current.then(|| current.contains(&it.id.as_str())),
        }));
    }
    cx.out.json("history", serde_json::json!({ "revisions": json }));
    Ok(Answer::Done)
}
