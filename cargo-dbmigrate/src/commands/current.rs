//! `current`: which revision the database is at.

use dbmigrate_runtime::engine::ledger::Unfinished;

use super::Answer;
use super::survey::{self, Depth};
use crate::cli::Current;
use crate::connection::Database;
use crate::context::Context;
use crate::error::Result;
use crate::history::{self, History};
use crate::output::style;

pub fn run(cx: &Context, args: &Current) -> Result<Answer> {
    if args.several.is_meant() {
        let answer = survey::run(cx, "current", &args.several, Depth::Version)?;
        let is_asked = args.check_heads || answer == Answer::Failed;
        return Ok(if is_asked { answer } else { Answer::Done });
    }
    let database = Database::find(cx)?;
    cx.out.print_url();
    let history = History::to_list(cx)?;
    let (history, applied) = history.at(history::applied_ids(cx, &database)?)?;
    let unfinished = history::unfinished(cx, &database)?;
    if database.is_missing() {
        cx.out.progress(format!("the database `{}` does not exist yet", database.name()));
    }
    let unknown: Vec<&String> =
        applied.iter().filter(|id| history.graph.get(id).is_none()).collect();
    let current = history.graph.current(&applied);
    if cx.out.verbose {
        cx.out.line(format!("Current revision(s) for {}:", database.url()));
    }
    for revision in current.iter().filter_map(|id| history.graph.get(id)) {
        if cx.out.verbose {
            cx.out.styled(&history::entry(cx, &history, revision, &[]));
        } else {
            cx.out.line(style::id(&revision.id) + &history.marks(revision, &[]));
        }
    }
    for id in &unknown {
        cx.out.line(style::id(id) + &style::paint(style::BAD, " (unknown)"));
    }
    for begun in &unfinished {
        let standing = format!(" ({})", begun.standing(&applied));
        cx.out.line(style::id(&begun.revision) + &style::paint(style::BAD, &standing));
    }
    let heads = history.graph.heads();
    let is_halfway = unfinished.iter().any(Unfinished::is_halfway);
    let at_head =
        unknown.is_empty() && !is_halfway && heads.iter().all(|head| current.contains(head));
    let reach = history.reach(&applied, &unfinished);
    for barrier in &reach.barriers {
        cx.out.progress(format!("an upgrade stops before {barrier}"));
    }
    let mut json =
        serde_json::json!({ "current": current, "unknown": unknown, "at_head": at_head });
    if !unfinished.is_empty() {
        json["unfinished"] = unfinished.iter().map(history::unfinished_json).collect();
    }
    if !reach.barriers.is_empty() {
        json["barriers"] = history::barriers_json(&reach.barriers);
    }
    cx.out.json("current", json);
    // What waits because of a barrier is not due yet.
    let only_waits = unknown.is_empty() && !is_halfway && reach.is_settled();
    if args.check_heads && !at_head && !only_waits {
        let missing: Vec<_> =
            heads.iter().filter(|head| !current.contains(head)).copied().collect();
        if missing.is_empty() {
            cx.out.progress(if is_halfway {
                "a revision is neither applied nor undone completely"
            } else {
                "the database has revisions that this project does not have"
            });
        } else {
            cx.out.progress(format!("the database is not at the head: {}", missing.join(", ")));
        }
        return Ok(Answer::No);
    }
    Ok(Answer::Done)
}
