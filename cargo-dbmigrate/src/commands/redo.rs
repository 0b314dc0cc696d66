//! `redo`: down and up again, to try out a revision that is being written.

use super::{Answer, upgrade};
use crate::cli::{Redo, Run};
use crate::connection::Database;
use crate::context::Context;
use crate::error::Result;
use crate::history::History;

pub fn run(cx: &Context, args: &Redo) -> Result<Answer> {
    let database = Database::find(cx)?;
    let history = History::load(cx)?;
    let run = Run { args: args.args.clone(), ..Run::default() };
    let down = format!("-{}", args.count);
    let allow = args.allow_destructive;
    let undone = upgrade::downgrade(cx, &database, &history, &down, &run, allow)?;
    let top = undone.first().cloned().unwrap_or_else(|| "head".to_owned());
    let ran = upgrade::upgrade(cx, &database, &history, &top, &run)?;
    cx.out.json("redo", serde_json::json!({ "undone": undone, "ran": ran }));
    Ok(Answer::Done)
}
