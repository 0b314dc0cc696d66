//! Divides a pending revision into the parts that `migrate --safe` would have written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dbmigrate_runtime::engine::Migrations;
use dbmigrate_runtime::schema::Schema;

use crate::autogenerate::safe;
use crate::autogenerate::{Changes, discarded, way_back};
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::history::History;
use crate::new_file::parts;
use crate::new_file::{FileFormat, NewFile, Position, write_beside};
use crate::render::Contents;

/// The schema before a revision that no other follows, and what the revision changes.
///
/// # Errors
///
/// Why these aren't known, in words.
pub fn changes(
    migrations: &Migrations,
    id: &str,
) -> std::result::Result<(Schema, Changes), String> {
    let all = migrations.iter().map(|migration| migration.revision.id.clone());
    let after = migrations.graph().with_descendants(&[id]);
    let before: BTreeSet<String> = all.filter(|other| !after.contains(other.as_str())).collect();
    let before = migrations.replay(Some(&before)).map_err(|err| err.to_string())?;
    let Some(migration) = migrations.get(id) else {
        return Err("it is not part of the history".to_owned());
    };
    let operations = migration.upgrade.operations.clone();
    let loss = |(idx, operation)| Some((idx, discarded(operation, &before)?));
    let losses: BTreeMap<usize, String> = (operations.iter().enumerate())
        .filter_map(loss)
        .map(|(idx, what)| (idx, format!("discards the data in {what}")))
        .collect();
    Ok((before, Changes { operations, losses, ..Changes::default() }))
}

/// What a person can do with a revision that isn't divided.
const BY_HAND: &str = "move what can wait into a revision of its own, with `op.barrier(...)`";

/// Why a revision isn't divided, and what a person can do.
pub fn by_hand(err: &Error) -> String {
    format!("{}; {BY_HAND}", err.message())
}

/// Writes the first part into the revision's file, and the others into new ones. Returns the paths
/// of these. The inner error is why the revision is left to a person.
///
/// # Errors
///
/// When a file can't be read or written.
pub fn divide(
    cx: &Context,
    history: &History,
    (migrations, id): (&Migrations, &str),
    path: &Path,
) -> Result<std::result::Result<Vec<String>, String>> {
    let left = |why: &str| Ok(Err(format!("the revision has to be divided, but {why}: {BY_HAND}")));
    let differs = "its file differs from what `migrate` writes";
    let graph = &history.graph;
    let Some(revision) = graph.get(id) else { return left(differs) };
    if !graph.children(id).is_empty() || !graph.dependents(id).is_empty() {
        return left("others follow it");
    }
    let (before, changes) = match changes(migrations, id) {
        Ok(known) => known,
        Err(why) => return Ok(Err(why)),
    };
    let text = std::fs::read_to_string(path).doing(|| format!("read `{}`", path.display()))?;
    let created = text.lines().find_map(|line| line.strip_prefix("//! Create Date: "));
    let created = created.unwrap_or_default().to_owned();
    let position = Position::existing(cx, history, revision)?;
    let format = FileFormat::of(cx)?;
    let others = cx.other_dialects();
    let downgrade = way_back(&changes.operations, &before, cx.dialect(), &others)?;
    let upgrade = changes.commented();
    let contents = Contents { upgrade: &upgrade, downgrade: &downgrade, is_generated: true };
    let message = revision.message.clone();
    if position.text(cx, (&format, &created), &message, &contents)? != text.replace("\r\n", "\n") {
        return left(differs);
    }
    let dialects: Vec<_> = cx.dialects().collect();
    let divided = match safe::divide(&changes, &before, &dialects) {
        Ok(divided) => divided,
        Err(err) => return Ok(Err(by_hand(&err))),
    };
    let parts = parts::placed(cx, (position, &message), divided, &before)?;
    let Some((first, rest)) = parts.split_first().filter(|(_, rest)| !rest.is_empty()) else {
        return Ok(Err("the revision can't be divided, since it has only one part".to_owned()));
    };
    let first_text =
        first.position.text(cx, (&format, &created), &first.message, &first.contents(true))?;
    let new = parts::files(cx, (&format, &format.now()), rest)?;
    let shown: Vec<String> =
        new.iter().map(|file| cx.project.shown(&file.path).to_string()).collect();
    let changed = NewFile { path: path.to_path_buf(), text: first_text };
    write_beside(cx, changed, new)?;
    Ok(Ok(shown))
}
