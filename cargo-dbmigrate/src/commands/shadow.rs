//! Tries revisions on the shadow database of a server before they are written.

use dbmigrate_runtime::engine::Migrations;

use super::verify::{outside, trip};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::import::Scratch;
use crate::new_file::Written;
use crate::new_file::parts::Part;
use crate::round_trip::Fault;
use crate::trial::NoSteps;
use crate::url_source::find_shadow_url;

/// Applies the history, then runs the new revisions up, down and up again, with made-up rows. Does
/// nothing if no shadow database is given, and only warns if it can't be used.
///
/// # Errors
///
/// The first new revision that doesn't come back.
pub fn try_all(cx: &Context, parts: &[Part], migrations: &Migrations) -> Result<()> {
    let Some((url, source)) = find_shadow_url(&cx.lookup(), None)? else { return Ok(()) };
    let not_written = Written { path: None, text: None };
    let new = parts.iter().map(|part| part.migration(&not_written));
    let all = Migrations::new(migrations.every().cloned().chain(new).collect())?;
    let scratch = match Scratch::on_server(cx, (&url, source), all.qualified()) {
        Ok(scratch) => scratch,
        Err(err) => {
            let causes = err.causes().iter().map(String::as_str);
            let why: Vec<&str> = std::iter::once(err.message()).chain(causes).collect();
            let why = why.join(": ");
            cx.out.warning(format!("the revision was not tried on a server: {why}"));
            return Ok(());
        }
    };
    let before: Vec<String> =
        migrations.iter().map(|migration| migration.revision.id.clone()).collect();
    let new: Vec<String> = parts.iter().map(|part| part.position.id.clone()).collect();
    let line = [before.clone(), new.clone()].concat();
    let place = scratch.place().unwrap_or_default();
    let untried = |why: String| {
        cx.out.warning(format!("the revision was not tried on `{place}`, since {why}"));
        Ok(())
    };
    let mut trip = trip(cx, &scratch, (&all, &line), Box::new(NoSteps))?;
    for id in &before {
        if let Some(what) = outside(&mut trip, id) {
            return untried(format!("revision `{id}` reaches outside of the database: `{what}`"));
        }
        if let Some(fault) = trip.pass(id)? {
            let why = fault.lines.first().map(String::as_str).unwrap_or_default();
            return untried(format!("revision `{id}` fails there: {why}"));
        }
    }
    for id in &new {
        if let Some(what) = outside(&mut trip, id) {
            return untried(format!("it reaches outside of the database: `{what}`"));
        }
        if let Some(fault) = trip.revision(id)?.fault {
            return Err(refused(&place, &fault));
        }
    }
    Ok(())
}

fn refused(place: &str, fault: &Fault) -> Error {
    let err =
        Error::new(format!("the trial of the new revision on `{place}` failed: {}", fault.what));
    let causes = fault.lines.iter().map(|line| line.strip_prefix("caused by: ").unwrap_or(line));
    let hint = "correct it in the model; `--no-try` writes the revision anyway";
    causes.filter(|line| !line.starts_with("hint: ")).fold(err, Error::cause).hint(hint)
}
