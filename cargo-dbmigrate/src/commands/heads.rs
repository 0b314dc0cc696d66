//! `heads`: the revisions that no other revision follows.

use super::Answer;
use crate::cli::Heads;
use crate::context::Context;
use crate::error::Result;
use crate::history::{self, History};
use crate::output::style;

pub fn run(cx: &Context, args: &Heads) -> Result<Answer> {
    let history = History::to_list(cx)?;
    let real = history.graph.real_heads();
    let heads = if args.resolve_dependencies { real.clone() } else { history.graph.heads() };
    for revision in heads.iter().filter_map(|id| history.graph.get(id)) {
        if cx.out.verbose {
            cx.out.styled(&history::entry(cx, &history, revision, &[]));
        } else {
            cx.out.line(style::id(&revision.id) + &history.marks(revision, &[]));
        }
    }
    let effective: Vec<_> = heads.iter().filter(|head| !real.contains(head)).collect();
    cx.out.json("heads", serde_json::json!({ "heads": heads, "effective_heads": effective }));
    Ok(Answer::Done)
}
