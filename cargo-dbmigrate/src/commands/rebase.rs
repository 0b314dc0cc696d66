//! `rebase`: moves a line of pending revisions after another head.

mod line;

use std::collections::BTreeSet;
use std::fs;

use dbmigrate_runtime::engine::Migrations;
use dbmigrate_runtime::engine::revision::{Graph, Revision};

use self::line::Line;
use super::Answer;
use crate::cli::Rebase;
use crate::connection::Database;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::history::{self, History};
use crate::revision_files::constants::{self, Edit};
use crate::{autogenerate, edits, output, prompt};

pub fn run(cx: &Context, args: &Rebase) -> Result<Answer> {
    let all = History::load(cx)?;
    let database = Database::find(cx)?;
    let (history, applied) = all.at(history::applied_ids(cx, &database)?)?;
    let line = chosen(&history.graph, &applied, args)?;
    refuse_squashed(&all.graph, line.first)?;
    let differences = differences(&history, &line)?;
    let first = line.first;
    let path = history.path(&first.id).unwrap_or_else(|| std::path::Path::new(&first.file));
    // If the path is a link, it stays one: the target is edited.
    let target = path.canonicalize().doing(|| format!("read `{}`", path.display()))?;
    let text = fs::read_to_string(&target).doing(|| format!("read `{}`", path.display()))?;
    let from = history.written_parents(&first.id);
    let edit = constants::follow(&text, from, line.onto).ok_or_else(|| {
        let message = format!("the `DOWN_REVISION` of `{}` can't be edited", first.file);
        Error::new(message).hint(format!("make it `&[\"{}\"]` by hand", line.onto))
    })?;
    if !args.dry_run {
        let bytes = edit.text.clone().into_bytes();
        cx.edits.apply(&[edits::Edit::Replace { path: target, bytes }])?;
    }
    report(cx, &line, &edit, args.dry_run);
    warn_of_differences(cx, &differences);
    let name = database.name();
    cx.out.note(format!(
        "this is based on what is applied in `{name}`; if another database has one of these \
         revisions applied, leave them in place and join the heads with `cargo dbmigrate merge` \
         instead"
    ));
    cx.out.json(
        "rebase",
        serde_json::json!({
            "revision": first.id,
            "moved": line.moved,
            "onto": line.onto,
            "from": from,
            "path": first.file,
            "dry_run": args.dry_run,
            "differences": differences,
        }),
    );
    Ok(Answer::Done)
}

/// The line that the arguments name. If they leave it open, the line that can move, or the one that
/// a person chooses.
fn chosen<'a>(graph: &'a Graph, applied: &BTreeSet<String>, args: &Rebase) -> Result<Line<'a>> {
    let named = |name: &Option<String>| {
        name.as_deref().map(|name| history::one(graph, applied, name)).transpose()
    };
    let onto = named(&args.onto)?;
    let mut lines = match named(&args.revision)? {
        Some(id) => {
            let onto = onto.map_or_else(|| line::only_other_head(graph, id), Ok)?;
            vec![Line::of(graph, id, onto)?]
        }
        None => line::candidates(graph, onto)?,
    };
    let refusal = all_applied(&lines, applied);
    lines.retain(|line| line.applied(applied).is_none());
    match lines.len() {
        0 => Err(refusal),
        1 => Ok(lines.remove(0)),
        _ if output::is_interactive() => {
            let item = |line: &Line<'_>| format!("{} after {}", line.heads().join(", "), line.onto);
            let items: Vec<String> = lines.iter().map(item).collect();
            let question = "None of these lines is applied. Which one moves after the other?";
            Ok(lines.remove(prompt::select(question, &items, Some(0))?))
        }
        _ => {
            let heads: Vec<&str> = lines.iter().flat_map(Line::heads).collect();
            let listed = graph.listed(&heads);
            let message = format!("none of these lines is applied, so either may move:{listed}");
            let command = |line: &Line<'_>| format!("\n    {}", line.command());
            let commands: String = lines.iter().map(command).collect();
            Err(Error::new(message).hint(format!("choose one:{commands}")))
        }
    }
}

/// Refuses a line that starts with a squash revision or with replaced ones, since their start is
/// declared in several files.
fn refuse_squashed(graph: &Graph, first: &Revision) -> Result<()> {
    let is_of = |revision: &&Revision| {
        revision.id == first.id || revision.replaced().any(|id| id == first.id)
    };
    match graph.revisions().iter().filter(|revision| !revision.replaces.is_empty()).find(is_of) {
        None => Ok(()),
        Some(revision) => {
            let message = format!(
                "revision `{}` can't be moved after another: `{}` replaces others, in {}",
                first.id, revision.id, revision.file
            );
            Err(Error::new(message).hint(
                "join the heads with `cargo dbmigrate merge`; or remove that file, rebase, and \
                 squash again",
            ))
        }
    }
}

/// The error that applied revisions can't be moved, with a way to do it anyway.
fn all_applied(lines: &[Line<'_>], applied: &BTreeSet<String>) -> Error {
    let ids: Vec<&str> = lines.iter().filter_map(|line| line.applied(applied)).collect();
    let message = match ids.as_slice() {
        [id] => format!("revision `{id}` is applied, so it stays"),
        ids => format!("revisions `{}` are applied, so they stay", ids.join("`, `")),
    };
    let ways: Vec<String> = lines.iter().map(Line::way_down).collect();
    Error::new(message).hint(format!(
        "join the heads with `cargo dbmigrate merge`; to move a line, undo it with {}, then rebase \
         and upgrade",
        ways.join(" or ")
    ))
}

/// The differences that the new order makes to the schema of the migrations.
///
/// # Errors
///
/// When a revision no longer fits those before it, so that there is no schema.
fn differences(history: &History, line: &Line<'_>) -> Result<Vec<String>> {
    let migrations = history.migrations()?;
    let mut rebased: Vec<_> = migrations.iter().cloned().collect();
    for migration in rebased.iter_mut().filter(|migration| migration.revision.id == line.first.id) {
        migration.revision.parents = vec![line.onto.to_owned()];
    }
    let after =
        Migrations::new(rebased).and_then(|migrations| migrations.replay(None)).map_err(|err| {
            let message =
                format!("revision `{}` can't be moved after `{}`", line.first.id, line.onto);
            Error::new(message).cause(err).hint(history::SAME_CHANGE)
        })?;
    // If the old order builds no schema, there is nothing to compare.
    let Ok(before) = migrations.replay(None) else { return Ok(Vec::new()) };
    Ok(autogenerate::between(&before, &after).iter().map(autogenerate::found).collect())
}

fn report(cx: &Context, line: &Line<'_>, edit: &Edit, dry_run: bool) {
    let Line { first, moved, onto, .. } = line;
    let moved = moved.join(", ");
    if dry_run {
        cx.out.line(format!("{moved} would be moved after {onto}, in {}:", first.file));
        for (old, new) in &edit.lines {
            cx.out.line(format!("-{old}\n+{new}"));
        }
    } else {
        cx.out.done(format!("Rebasing {moved} onto {onto}"));
        cx.out.done(format!("Editing {} ... done", first.file));
    }
}

fn warn_of_differences(cx: &Context, differences: &[String]) {
    if !differences.is_empty() {
        let lines: String =
            differences.iter().map(|difference| format!("\n  {difference}")).collect();
        cx.out.warning(format!(
            "in the new order the migrations build a different schema:{lines}\n`cargo dbmigrate \
             check` checks whether the models agree"
        ));
    }
}
