//! `heads`: the revisions that nothing follows.

use super::{Answer, show};
use crate::context::Context;
use crate::error::Result;
use crate::history::History;

pub fn run(cx: &Context) -> Result<Answer> {
    let history = History::load(cx)?;
    let heads = history.graph.heads();
    for it in heads.iter().filter_map(|it| history.graph.get(it)) {
        if cx.out.verbose {
            cx.out.text(&show::entry(cx, &history, it, &[]));
        } else {
            cx.out.line(format!("{}{}", it.id, history.marks(it, &[])));
        }
    }
    cx.out.json("heads", serde_json::json!({ "heads": heads }));
    Ok(Answer::Done)
}
