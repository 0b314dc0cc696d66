//! `migrate`: writes a revision, and applies it if that is asked for.

use super::Answer;
use super::new_revision::{self, New};
use crate::cli::{Migrate, Run};
use crate::connection::Database;
use crate::context::Context;
use crate::error::Result;
use crate::history::History;
use crate::run::{self, Up};

pub fn run(cx: &Context, args: &Migrate) -> Result<Answer> {
    if args.upgrade {
        // A URL that can't be read is known before anything is written.
        Database::find(cx)?;
    }
    let New { id, answer, mut document } = new_revision::write(cx, &args.new, true)?;
    // What is denied is not applied.
    if args.upgrade && answer == Answer::Done {
        // Whatever becomes of the upgrade, a database may know the revision from now on.
        cx.edits.keep();
        let ran = upgrade(cx, id.as_deref().unwrap_or("head")).inspect_err(|_| {
            if let Some(id) = &id {
                cx.out.note(format!(
                    "revision `{id}` is written, and was not applied: correct it and run `cargo \
                     dbmigrate upgrade`, or remove it with `cargo dbmigrate undo`"
                ));
            }
        })?;
        document["ran"] = ran.into();
    }
    cx.out.json("migrate", document);
    Ok(answer)
}

/// Applies what is pending up to a revision.
fn upgrade(cx: &Context, to: &str) -> Result<Vec<String>> {
    let database = Database::find(cx)?;
    let history = History::load(cx)?;
    // On a development database, no program of an earlier release runs.
    let run = Run { past_barriers: true, ..Run::default() };
    let up = Up { to, run: &run };
    Ok(run::upgrade(cx, &database, &history, &up)?.ids)
}
