//! The revisions that a change is written as: one, or several that running programs survive.

use dbmigrate_runtime::engine::revision::Revision;
use dbmigrate_runtime::engine::{Migration, Migrations, recording};
use dbmigrate_runtime::schema::Schema;
use jiff::{ToSpan as _, Zoned};

use super::format::FileFormat;
use super::position::{NewFile, Position, Written, write_all};
use super::try_out::{Proposed, try_out};
use crate::autogenerate::Commented;
use crate::autogenerate::safe::{Divided, Phase};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::models::Models;
use crate::render::Contents;

/// A revision that isn't written yet.
pub struct Part {
    pub position: Position,
    pub message: String,
    /// Its part of the change; `None` if it is all of it.
    pub phase: Option<Phase>,
    /// The schema before it.
    pub before: Schema,
    pub upgrade: Commented,
    pub downgrade: Commented,
}

impl Part {
    /// The revision's contents; `is_generated` puts the marks of autogenerate around them.
    pub fn contents(&self, is_generated: bool) -> Contents<'_> {
        Contents { upgrade: &self.upgrade, downgrade: &self.downgrade, is_generated }
    }

    /// The revision, with the file that it has been written to.
    pub fn migration(&self, written: &Written) -> Migration {
        let file = written.path.clone().unwrap_or_else(|| "the new revision".to_owned());
        let revision = Revision { file, message: self.message.clone(), ..self.position.revision() };
        Migration::new(revision, self.upgrade.recording(), self.downgrade.recording())
    }
}

/// Gives each part of a divided change its place: the first one at this position, and each of the
/// others after the one before it.
///
/// # Errors
///
/// When a way back can't be expressed.
pub fn placed(
    cx: &Context,
    (position, message): (Position, &str),
    divided: Divided,
    before: &Schema,
) -> Result<Vec<Part>> {
    let is_several = divided.parts.len() > 1;
    let others = cx.other_dialects();
    let (mut parts, mut next, mut schema) = (Vec::new(), Some(position), before.clone());
    for part in divided.parts {
        let operations = &part.upgrade.operations;
        let downgrade = part.way_back(&schema, cx.dialect(), &others)?;
        let mut after = schema.clone();
        recording::replay(&mut after, operations).map_err(|err| Error::new(err.to_string()))?;
        let Some(position) = next.take() else { break };
        next = Some(position.next()?);
        parts.push(Part {
            position,
            message: named(message, part.phase, is_several),
            phase: is_several.then_some(part.phase),
            before: schema,
            upgrade: part.upgrade,
            downgrade,
        });
        schema = after;
    }
    Ok(parts)
}

/// ``full name: expand``
fn named(message: &str, phase: Phase, is_several: bool) -> String {
    match (is_several, message.trim()) {
        (false, _) => message.to_owned(),
        (true, "") => phase.word().to_owned(),
        (true, message) => format!("{message}: {}", phase.word()),
    }
}

/// Tries the revisions one after the other.
///
/// # Errors
///
/// What SQLite refuses, with the location of its cause.
pub fn try_all(
    cx: &Context,
    parts: &[Part],
    (migrations, models): (&Migrations, &Models),
    fills: &[String],
) -> Result<()> {
    let mut known = migrations.clone();
    for (idx, part) in parts.iter().enumerate() {
        // Steps aren't run here, so a part of steps alone does nothing.
        if !part.phase.is_some_and(Phase::is_of_rows) {
            let (position, contents) = (&part.position, &part.contents(true));
            try_out(cx, &Proposed { migrations: &known, position, contents, models }, fills)?;
        }
        if idx + 1 < parts.len() {
            let new = part.migration(&Written { path: None, text: None });
            known = Migrations::new(known.every().cloned().chain([new]).collect())?;
        }
    }
    Ok(())
}

/// The files of the revisions, with times that begin at this one.
///
/// # Errors
///
/// When the project's template or file name format doesn't give a revision.
pub fn files(
    cx: &Context,
    (format, now): (&FileFormat, &Zoned),
    parts: &[Part],
) -> Result<Vec<NewFile>> {
    let file = |(part, second): (&Part, i64)| {
        // Files are sorted by time.
        let time = now.saturating_add(second.seconds());
        part.position.file(cx, (format, &time), &part.message, &part.contents(true))
    };
    parts.iter().zip(0..).map(file).collect()
}

/// Writes the files of the revisions, all or none; a dry run prints them instead.
///
/// # Errors
///
/// When a file can't be written.
pub fn write(cx: &Context, parts: &[Part], dry_run: bool) -> Result<Vec<Written>> {
    let format = FileFormat::of(cx)?;
    let files = files(cx, (&format, &format.now()), parts)?;
    if dry_run {
        let print = |file: NewFile| {
            cx.out.text(&file.text);
            Written { path: None, text: Some(file.text) }
        };
        return Ok(files.into_iter().map(print).collect());
    }
    let shown = |file: &NewFile| cx.project.shown(&file.path).to_string();
    let paths: Vec<String> = files.iter().map(shown).collect();
    write_all(cx, files)?;
    let done = |path: String| {
        cx.out.done(format!("Generating {path} ... done"));
        Written { path: Some(path), text: None }
    };
    Ok(paths.into_iter().map(done).collect())
}
