//! `squash`: writes one revision that replaces several.

mod contents;
mod proof;
mod range;

use super::Answer;
use crate::cli::Squash;
use crate::context::Context;
use crate::error::Result;
use crate::history::History;
use crate::new_file::{self, Names, Position};
use crate::{render, revision_files};
use contents::Contents;
use range::Squashed;

pub fn run(cx: &Context, args: &Squash) -> Result<Answer> {
    revision_files::all(cx)?;
    if let Some(id) = &args.rev_id {
        new_file::check_id(id)?;
    }
    let history = History::load(cx)?;
    let squashed = Squashed::of(cx, &history, &args.range)?;
    let names = Names {
        rev_id: args.rev_id.as_ref(),
        branch_labels: &args.branch_label,
        version_path: None,
        beside: squashed.ids.last().map(String::as_str),
    };
    let mut position = Position::new(cx, &history, squashed.parents.clone(), &names)?;
    position.depends_on.clone_from(&squashed.depends_on);
    position.branch_labels.extend(squashed.branch_labels.clone());
    position.replaces = squashed.replaces(&history);
    let migrations = history.migrations()?;
    let others = cx.other_dialects();
    let dialects = (cx.dialect(), others.as_slice());
    let contents = Contents::of(&migrations, &squashed, args.elide_steps, dialects)?;
    if let Some(note) = proof::prove(&migrations, &squashed, &position.revision(), &contents)? {
        cx.out.note(note);
    }
    let message = match (args.message.as_str(), squashed.ids.as_slice()) {
        ("", [first, .., last]) => format!("squash {first} to {last}"),
        (message, _) => message.to_owned(),
    };
    let Contents { upgrade, downgrade, elided } = &contents;
    let rendered = render::Contents { upgrade, downgrade, is_generated: false };
    let written = position.write(cx, &message, &rendered, args.dry_run)?;
    for step in elided {
        cx.out.warning(format!("{step} is omitted from `{}`", position.id));
    }
    if !args.dry_run {
        cx.out.done(format!(
            "`{}` replaces {} revisions on new databases: {}",
            position.id,
            squashed.ids.len(),
            squashed.ids.join(", ")
        ));
        cx.out.progress(
            "keep their files until every database has applied all of them: a database that has \
             applied some of them continues with the others",
        );
    }
    let operations: Vec<_> = upgrade.operations.iter().map(ToString::to_string).collect();
    cx.out.json(
        "squash",
        serde_json::json!({
            "revision": position.id,
            "parents": position.parents,
            "branch_labels": position.branch_labels,
            "depends_on": position.depends_on,
            "replaces": squashed.ids,
            "path": written.path,
            "operations": operations,
            "left_out": elided,
            "module": written.text,
        }),
    );
    Ok(Answer::Done)
}
