//! `history`: the revisions, newest first.

mod graph;
mod picture;

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::revision::{Range, Revision};
use dbmigrate_runtime::engine::version_table::Entry;

use super::Answer;
use crate::cli;
use crate::connection::Database;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{self, History};
use crate::output::style;

pub fn run(cx: &Context, args: &cli::History) -> Result<Answer> {
    let history = History::to_list(cx)?;
    let range = args.rev_range.as_deref().map(parse).transpose()?;
    let sides = range.iter().flat_map(|range| [&range.from, &range.to]).flatten();
    let sides: Vec<&str> = sides.map(String::as_str).collect();
    let (history, applied) = if args.indicate_current {
        let (history, applied) = history.at(history::applied_ids(cx, &Database::find(cx)?)?)?;
        (history, Some(applied))
    } else {
        history.to_understand(cx, &sides)?
    };
    let graph = &history.graph;
    let current = match &applied {
        Some(applied) if args.indicate_current => graph.current(applied),
        _ => Vec::new(),
    };
    let shown: BTreeSet<String> = match range {
        None => graph.revisions().iter().map(|revision| revision.id.clone()).collect(),
        Some(range) => history::between(graph, &range, applied.as_ref())?,
    };
    let gone = if args.rev_range.is_none() { history::gone(cx, graph) } else { Vec::new() };
    let present = graph.revisions().iter().rev().filter(|revision| shown.contains(&revision.id));
    let lister = Lister { cx, history: &history, current: &current, is_drawn: args.graph };
    let nodes: Vec<graph::Node> = gone
        .iter()
        .map(|entry| lister.gone(entry))
        .chain(present.clone().map(|revision| lister.present(revision)))
        .collect();
    if let Some(form) = args.form {
        cx.out.text(&picture::picture(form, &nodes));
    } else if args.graph {
        graph::draw(&nodes).iter().for_each(|line| cx.out.line(line))
    } else {
        nodes.iter().flat_map(|node| &node.lines).for_each(|line| cx.out.line(line));
    }
    let mut json: Vec<_> = gone.iter().map(gone_json).collect();
    json.extend(present.map(|revision| {
        serde_json::json!({
            "id": revision.id,
            "parents": revision.parents,
            "branch_labels": revision.branch_labels,
            "labels": graph.labels(&revision.id),
            "depends_on": revision.depends_on,
            "replaces": revision.replaced().collect::<Vec<_>>(),
            "message": revision.message,
            "path": revision.file,
            "head": graph.children(&revision.id).is_empty(),
            "current": args.indicate_current.then(|| current.contains(&revision.id.as_str())),
        })
    }));
    cx.out.json("history", serde_json::json!({ "revisions": json }));
    Ok(Answer::Done)
}

/// Describes the revisions of a list.
struct Lister<'a> {
    cx: &'a Context,
    history: &'a History,
    current: &'a [&'a str],
    /// Whether a drawn graph shows what a revision follows.
    is_drawn: bool,
}

impl Lister<'_> {
    fn present(&self, revision: &Revision) -> graph::Node {
        let depends_on = self.history.graph.dependencies(revision);
        let needs = depends_on.iter().map(|id| (*id).to_owned()).collect();
        let mut marks = self.history.marks(revision, self.current);
        if self.is_drawn && !depends_on.is_empty() {
            marks += &format!(" (depends on {})", depends_on.join(", "));
        }
        let lines = if self.cx.out.verbose {
            lines(&history::entry(self.cx, self.history, revision, self.current))
        } else {
            vec![self.line(&revision.id, &revision.parents, &marks, &revision.message)]
        };
        graph::Node {
            id: revision.id.clone(),
            parents: revision.parents.clone(),
            needs,
            message: revision.message.clone(),
            is_current: self.current.contains(&revision.id.as_str()),
            lines,
        }
    }

    /// A revision that exists only in the database.
    fn gone(&self, entry: &Entry) -> graph::Node {
        let marks = style::paint(style::BAD, history::GONE);
        let lines = if self.cx.out.verbose {
            lines(&history::gone_entry(entry))
        } else {
            vec![self.line(&entry.id, &entry.parents, &marks, &entry.message)]
        };
        graph::Node {
            id: entry.id.clone(),
            parents: entry.parents.clone(),
            message: entry.message.clone(),
            lines,
            ..graph::Node::default()
        }
    }

    fn line(&self, id: &str, parents: &[String], marks: &str, message: &str) -> String {
        let follows = if self.is_drawn {
            String::new()
        } else {
            format!("{} -> ", style::parents_text(parents))
        };
        format!("{follows}{}{marks}, {}", style::id(id), history::message(message))
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn gone_json(entry: &Entry) -> serde_json::Value {
    serde_json::json!({
        "id": entry.id,
        "parents": entry.parents,
        "message": entry.message,
        "path": null,
        "head": false,
        "applied_at": entry.applied_at,
        "tool_version": entry.tool_version,
    })
}

fn parse(text: &str) -> Result<Range> {
    Range::parse(text).ok_or_else(|| {
        Error::new(format!("`{text}` is not a range of revisions"))
            .hint("a range is `from:to`; either side may be empty")
    })
}
