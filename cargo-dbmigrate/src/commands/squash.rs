//! `squash`: writes one revision that replaces several.

mod contents;
mod proof;
mod range;

use super::Answer;
use super::place::{self, Names, Place};
use crate::cli::Squash;
use crate::context::Context;
use crate::error::Result;
use crate::history::History;
use crate::revision_files;
use contents::Contents;
use range::Squashed;

pub fn run(cx: &Context, args: &Squash) -> Result<Answer> {
    revision_files::all(cx)?;
    if let Some(id) = &args.rev_id {
        place::check_id(id)?;
    }
    let history = History::load(cx)?;
    let squashed = Squashed::of(cx, &history, &args.range)?;
    let names = Names {
        rev_id: args.rev_id.as_ref(),
        branch_labels: &args.branch_label,
        version_path: None,
        beside: squashed.ids.last().map(String::as_str),
    };
    let (parents, depends_on) = (squashed.parents.clone(), squashed.depends_on.clone());
    let mut place = Place::new(cx, &history, parents, depends_on, &names)?;
    place.branch_labels.extend(squashed.branch_labels.clone());
    place.replaces = squashed.replaces(&history);
    let migrations = history.migrations()?;
    let contents = Contents::of(&migrations, &squashed, args.elide_steps)?;
    if let Some(note) = proof::prove(&migrations, &squashed, &place.revision(), &contents)? {
        cx.out.note(note);
    }
    let message = match (args.message.as_str(), squashed.ids.as_slice()) {
        ("", [first, .., last]) => format!("squash {first} to {last}"),
        (message, _) => message.to_owned(),
    };
    let Contents { upgrade, downgrade, elided } = &contents;
    let written = place.write(cx, &message, upgrade, downgrade, (false, args.dry_run))?;
    for it in elided {
        cx.out.warning(format!("{it} is left out of `{}`", place.id));
    }
    if !args.dry_run {
        cx.out.done(format!(
            "`{}` replaces {} revisions on new databases: {}",
            place.id,
            squashed.ids.len(),
            squashed.ids.join(", ")
        ));
        cx.out.progress(
            "keep their files until every database is past them; the others go on with them",
        );
    }
    let operations: Vec<_> = upgrade.operations.iter().map(ToString::to_string).collect();
    cx.out.json(
        "squash",
        serde_json::json!({
            "revision": place.id,
            "parents": place.parents,
            "branch_labels": place.branch_labels,
            "depends_on": place.depends_on,
            "replaces": squashed.ids,
            "path": written.path,
            "operations": operations,
            "left_out": elided,
            "module": written.text,
        }),
    );
    Ok(Answer::Done)
}
