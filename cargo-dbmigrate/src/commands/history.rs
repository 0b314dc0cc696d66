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
    let range = args.rev_range.as_deref().map(parse).transpose()?;
    let sides = range.iter().flat_map(|it| [&it.from, &it.to]).flatten();
    let sides: Vec<&str> = sides.map(String::as_str).collect();
    let (history, applied) = match args.indicate_current {
        true => {
            let (history, applied) = history.at(history::applied_ids(cx, &Database::find(cx)?)?)?;
            (history, Some(applied))
        }
        false => history.to_understand(cx, &sides)?,
    };
    let graph = &history.graph;
    let current = match &applied {
        Some(it) if args.indicate_current => graph.current(it),
        _ => Vec::new(),
    };
    let shown: BTreeSet<String> = match range {
        None => graph.revisions().iter().map(|it| it.id.clone()).collect(),
        Some(range) => history::between(graph, &range, applied.as_ref())?,
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
    for it in graph.revisions().iter().rev().filter(|it| shown.contains(&it.id)) {
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
            "labels": graph.labels(&it.id),
            "depends_on": it.depends_on,
            "replaces": it.replaced().collect::<Vec<_>>(),
            "message": it.message,
            "path": it.file,
            "head": graph.children(&it.id).is_empty(),
            "current": args.indicate_current.then(|| current.contains(&it.id.as_str())),
        }));
    }
    cx.out.json("history", serde_json::json!({ "revisions": json }));
    Ok(Answer::Done)
}

fn parse(text: &str) -> Result<Range> {
    Range::parse(text).ok_or_else(|| {
        Error::new(format!("`{text}` is no range of revisions"))
            .hint("a range is `from:to`; either side may be empty")
    })
}
