//! `downgrade`: undoes revisions, and asks for confirmation before rows are discarded.

use dbmigrate_runtime::Direction;

use super::{Answer, plan};
use crate::cli::Downgrade;
use crate::connection::Database;
use crate::context::Context;
use crate::error::Result;
use crate::history::History;
use crate::run::{self, Down};

pub fn run(cx: &Context, args: &Downgrade) -> Result<Answer> {
    if let Some(client) = args.run.script.client() {
        let run = (&args.run, client);
        run::write_script(cx, Direction::Downgrade, &args.revision, run)?;
        return Ok(Answer::Done);
    }
    if args.dry_run {
        let to = (Direction::Downgrade, args.revision.as_str());
        return plan::dry_run(cx, "downgrade", to, &args.run);
    }
    let database = Database::find(cx)?;
    let history = History::load(cx)?;
    let down =
        Down { to: &args.revision, run: &args.run, allow_destructive: args.allow_destructive };
    let ran = run::downgrade(cx, &database, &history, &down)?;
    cx.out.json("downgrade", serde_json::json!({ "ran": ran.ids, "backup": ran.backup }));
    Ok(Answer::Done)
}
