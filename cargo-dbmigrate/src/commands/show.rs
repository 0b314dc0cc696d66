//! `show`: all about one revision.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use dbmigrate_runtime::engine::Migration;
use dbmigrate_runtime::engine::recording::Recording;
use dbmigrate_runtime::operations;

use super::Answer;
use crate::cli::Show;
use crate::connection::Database;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{self, History};
use crate::output::style;

pub fn run(cx: &Context, args: &Show) -> Result<Answer> {
    let history = History::to_list(cx)?;
    let (history, applied) = history.to_understand(cx, &[&args.revision])?;
    if let Some((id, by)) = history.graph.alias(&args.revision) {
        let is_last = history.graph.replaced_by(&args.revision).is_none();
        if is_last && by.replaced().any(|replaced| replaced == id) {
            cx.out.note(format!("revision `{id}` is part of `{}`, which replaces it", by.id));
        }
    }
    // Shows a replaced revision's own file, if it still exists.
    let history = history.naming(&[&args.revision]).unwrap_or(Cow::Borrowed(&*history));
    let graph = &history.graph;
    let target = match graph.target(&args.revision, applied.as_ref()) {
        Ok(target) => target,
        Err(err) => return show_gone(cx, &history, &args.revision).ok_or_else(|| err.into()),
    };
    let migrations = history.migrations()?;
    let edited = history::edited(cx, &history);
    let mut json = Vec::new();
    let none = BTreeSet::new();
    // The revision can be shown without a database.
    let unfinished = Database::find(cx).and_then(|database| history::unfinished(cx, &database));
    let unfinished = unfinished.unwrap_or_default();
    for id in target.ids() {
        let Some(migration) = migrations.get(id) else {
            let message =
                format!("the operations of revision `{id}` are not known: it does not compile");
            return Err(Error::new(message).hint(format!("`cargo dbmigrate edit {id}` opens it")));
        };
        cx.out.styled(&history::entry(cx, &history, &migration.revision, &[]));
        if let Some(begun) = unfinished.iter().find(|begun| begun.revision == id) {
            let standing = begun.standing(applied.as_ref().unwrap_or(&none));
            cx.out.styled(&format!("{}\n", style::paint(style::BAD, &standing)));
        }
        cx.out.styled(&operations_text(migration));
        let mut object = serde_json::json!({
            "id": id,
            "parents": migration.revision.parents,
            "branch_labels": migration.revision.branch_labels,
            "labels": graph.labels(id),
            "depends_on": migration.revision.depends_on,
            "replaces": migration.revision.replaced().collect::<Vec<_>>(),
            "message": migration.revision.message,
            "path": migration.revision.file,
            "checksum": migration.checksum,
            "upgrade": described(&migration.upgrade.operations),
            "downgrade": described(&migration.downgrade.operations),
        });
        if let Some(reason) = &migration.upgrade.barrier {
            object["barrier"] = reason.as_str().into();
        }
        if let Some(why) = &migration.downgrade.irreversible {
            object["irreversible"] = why.as_str().into();
        }
        if let Some(entry) = edited.iter().find(|entry| entry.id == id) {
            let was = entry
                .decode()
                .map_or_else(|err| vec![err.to_string()], |operations| described(&operations));
            let lines: String = was.iter().map(|text| format!("    {text}\n")).collect();
            let on = format!("{} by dbmigrate {}", entry.applied_at, entry.tool_version);
            let edited = style::paint(style::BAD, "edited since; what it did in this database:");
            cx.out.styled(&format!("Applied: {on}\n{edited}\n{lines}"));
            object["as_applied"] = was.into();
        }
        json.push(object);
    }
    if json.is_empty() {
        let message = format!("`{}` is before the first revision", args.revision);
        return Err(Error::new(message).hint("`cargo dbmigrate history` lists the revisions"));
    }
    cx.out.json("show", serde_json::json!({ "revisions": json }));
    Ok(Answer::Done)
}

/// A revision that exists only in the database.
fn show_gone(cx: &Context, history: &History, identifier: &str) -> Option<Answer> {
    let gone = history::gone(cx, &history.graph);
    let exact = gone.iter().find(|entry| entry.id == identifier);
    let mut beginning = gone.iter().filter(|entry| entry.id.starts_with(identifier));
    let entry = match (exact, beginning.next(), beginning.next()) {
        (Some(entry), _, _) | (None, Some(entry), None) => entry,
        _ => return None,
    };
    cx.out.styled(&history::gone_entry(entry));
    let operations = entry.decode();
    let lines = match &operations {
        Ok(operations) => described(operations),
        Err(err) => vec![err.to_string()],
    };
    let text: String = lines.iter().map(|line| format!("    {line}\n")).collect();
    cx.out.styled(&format!("upgrade:\n{text}"));
    let downgrade = entry.decode_downgrade().ok().flatten();
    if let Some(downgrade) = &downgrade {
        cx.out.styled(&recording_text("downgrade", downgrade));
    }
    let mut object = serde_json::json!({
        "id": entry.id,
        "parents": entry.parents,
        "message": entry.message,
        "path": null,
        "applied_at": entry.applied_at,
        "tool_version": entry.tool_version,
        "upgrade": operations.as_ref().ok().map(|operations| described(operations)),
        "downgrade": downgrade.as_ref().map(|downgrade| described(&downgrade.operations)),
        "error": operations.as_ref().err().map(ToString::to_string),
    });
    if let Some(why) = downgrade.and_then(|downgrade| downgrade.irreversible) {
        object["irreversible"] = why.into();
    }
    cx.out.json("show", serde_json::json!({ "revisions": [object] }));
    Some(Answer::Done)
}

fn described(operations: &[operations::Operation]) -> Vec<String> {
    operations.iter().map(ToString::to_string).collect()
}

fn operations_text(migration: &Migration) -> String {
    recording_text("upgrade", &migration.upgrade)
        + &recording_text("downgrade", &migration.downgrade)
}

fn recording_text(name: &str, recording: &Recording) -> String {
    let mut text = format!("{name}:\n");
    if let Some(why) = &recording.irreversible {
        let _ = writeln!(text, "    irreversible: {why}");
    }
    if let Some(reason) = &recording.barrier {
        let _ = writeln!(text, "    barrier: {reason}");
    }
    for operation in &recording.operations {
        let _ = writeln!(text, "    {operation}");
    }
    text
}
