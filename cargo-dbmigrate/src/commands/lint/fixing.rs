//! `lint --fix`: edits pending revisions to settle findings.

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::engine::Migrations;
use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::revision::{Graph, Revision};
use dbmigrate_runtime::operations::Operation;

use super::{Chosen, dividing};
use crate::autogenerate::safe;
use crate::cli::{Findings, Lint};
use crate::connection::Database;
use crate::context::Context;
use crate::edits::Edit;
use crate::error::{Doing as _, Result};
use crate::history;
use crate::lint::{Finding, Fix, fix};

/// Something that was written into a revision.
pub struct Fixed {
    rule: &'static str,
    revision: String,
    path: String,
    wrote: &'static str,
}

impl Fixed {
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "rule": self.rule,
            "revision": self.revision,
            "path": self.path,
            "wrote": self.wrote,
        })
    }
}

/// Edits the files of these findings, and reports what is left to a person.
///
/// # Errors
///
/// When the database or a file can't be read, and when a file can't be written.
pub(super) fn fix(
    cx: &Context,
    args: &Lint,
    chosen: &Chosen,
    findings: &[Finding],
) -> Result<Vec<Fixed>> {
    let fixable = || findings.iter().filter(|finding| finding.fix().is_some());
    if fixable().next().is_none() {
        return Ok(Vec::new());
    }
    let settled = if args.no_database { BTreeMap::new() } else { settled(cx, chosen)? };
    // The document has the standard output to itself.
    let done = |text: String| match args.output {
        Findings::Text => cx.out.done(text),
        Findings::Sarif | Findings::Github => cx.out.progress(text),
    };
    let migrations = chosen.history.migrations()?;
    let dialects: Vec<_> = cx.dialects().collect();
    let mut fixed = Vec::new();
    for id in &chosen.ids {
        let of_revision = || fixable().filter(|finding| finding.revision == *id);
        let Some(path) = chosen.history.path(id).filter(|_| of_revision().next().is_some()) else {
            continue;
        };
        let shown = cx.project.shown(path).to_string();
        if let Some(why) = settled.get(id) {
            cx.out.warning(format!("revision `{id}` is {why}"));
            continue;
        }
        let before = std::fs::read_to_string(path).doing(|| format!("read `{shown}`"))?;
        let mut editing = Editing::new(&migrations, &dialects, before.clone());
        for finding in of_revision() {
            let Some(way) = finding.fix() else { continue };
            let edited = match editing.settle(finding, way) {
                Ok(Settled::Edited) => Ok(way),
                Ok(Settled::HasToBeDivided) => {
                    let new = dividing::divide(cx, &chosen.history, (&migrations, id), path)?;
                    new.map(|paths| {
                        let paths = paths.iter();
                        paths.for_each(|path| done(format!("Generating {path} ... done")));
                        Fix::Divide
                    })
                }
                Err(why) => Err(why),
            };
            let wrote = match edited {
                Ok(way) => way,
                Err(why) => {
                    cx.out.warning(format!("revision `{id}`: {}: {why}", finding.id()));
                    continue;
                }
            };
            done(format!("Fixing {shown}: {}: {}", finding.id(), wrote.text()));
            fixed.push(Fixed {
                rule: finding.id(),
                revision: id.clone(),
                path: shown.clone(),
                wrote: wrote.text(),
            });
            if wrote == Fix::Divide {
                // The parts that were written settle the other findings as well.
                editing.text.clone_from(&before);
                break;
            }
        }
        if editing.text != before {
            let bytes = editing.text.into_bytes();
            let edit = Edit::Replace { path: path.to_path_buf(), bytes };
            cx.edits.apply(&[edit])?;
        }
    }
    Ok(fixed)
}

/// The revisions of which the database has applied anything: by id, what they are and what to do.
///
/// # Errors
///
/// When the database can't be read, or is at a revision whose file no longer exists.
fn settled(cx: &Context, chosen: &Chosen) -> Result<BTreeMap<String, String>> {
    let database = Database::find(cx)?;
    let rows = history::applied_ids(cx, &database)?;
    let (history, counted) = chosen.history.at(rows.clone())?;
    let written = counted.iter().filter_map(|id| history.graph.written(id));
    let replaced: Vec<String> = written.flat_map(Revision::replaced).map(str::to_owned).collect();
    let applied = "applied, so it is not changed: write a new one, or undo it first with `cargo \
                   dbmigrate downgrade`";
    let others = chosen.ids.iter().filter(|id| has_any(&history.graph, &rows, id));
    let all = rows.iter().chain(&counted).chain(&replaced).chain(others);
    let mut settled: BTreeMap<String, String> =
        all.map(|id| (id.clone(), applied.to_owned())).collect();
    let begun = history::unfinished(cx, &database)?;
    for begun in begun.iter().filter(|begun| begun.is_halfway()) {
        let is_undone = rows.contains(&begun.revision);
        let (undone, command) =
            if is_undone { ("undone", "downgrade") } else { ("applied", "upgrade") };
        let why = format!(
            "half {undone}, so it is not changed: `cargo dbmigrate {command}` continues it"
        );
        settled.insert(begun.revision.clone(), why);
    }
    Ok(settled)
}

/// Whether a revision is applied, or any of those that it replaces.
fn has_any(graph: &Graph, rows: &BTreeSet<String>, id: &str) -> bool {
    let replaces_any = |revision: &Revision| {
        let mut replaced = revision.replaced();
        replaced.any(|replaced| has_any(graph, rows, replaced))
    };
    rows.contains(id) || graph.written(id).is_some_and(replaces_any)
}

/// The text of a revision while its findings are settled.
pub struct Editing<'a> {
    migrations: &'a Migrations,
    dialects: &'a [&'static dyn Dialect],
    /// The whole file.
    pub text: String,
    has_barrier: bool,
}

/// How a finding is settled.
pub enum Settled {
    /// In the text.
    Edited,
    /// Not in the text, since the revision also adds what the next release needs.
    HasToBeDivided,
}

impl<'a> Editing<'a> {
    pub fn new(
        migrations: &'a Migrations,
        dialects: &'a [&'static dyn Dialect],
        text: String,
    ) -> Editing<'a> {
        Editing { migrations, dialects, text, has_barrier: false }
    }

    /// Edits the text so that it settles a finding, unless the revision has to be divided for that.
    ///
    /// # Errors
    ///
    /// Why the finding is left to a person, in words.
    pub fn settle(&mut self, finding: &Finding, way: Fix) -> std::result::Result<Settled, String> {
        match way {
            // One barrier settles all findings that need one.
            Fix::Barrier { .. } if self.has_barrier => {}
            Fix::Barrier { .. } => {
                let Some(edited) = self.with_barrier(&finding.revision)? else {
                    return Ok(Settled::HasToBeDivided);
                };
                self.text = edited;
                self.has_barrier = true;
            }
            Fix::Concurrently => {
                self.text = with_concurrent_index(self.migrations, finding, &self.text)?;
            }
            Fix::Divide => return Ok(Settled::HasToBeDivided),
        }
        Ok(Settled::Edited)
    }

    /// The text with a barrier; `None` if not all of the revision can wait.
    fn with_barrier(&self, id: &str) -> std::result::Result<Option<String>, String> {
        let (before, changes) = dividing::changes(self.migrations, id)?;
        let divided = safe::divide(&changes, &before, self.dialects);
        let divided = divided.map_err(|err| dividing::by_hand(&err))?;
        if !divided.can_wait() {
            return Ok(None);
        }
        let reasons = divided.parts.iter().filter_map(|part| part.upgrade.barrier.clone());
        let reason = reasons.collect::<Vec<_>>().join("; ");
        match fix::barrier(&self.text, &reason) {
            Some(text) => Ok(Some(text)),
            None => {
                Err("the file is not written as `migrate` writes it, so add `op.barrier(...)` \
                         by hand"
                    .to_owned())
            }
        }
    }
}

/// The text of a revision in which the index of a finding is built while others write, or why that
/// is left to a person.
fn with_concurrent_index(
    migrations: &Migrations,
    finding: &Finding,
    text: &str,
) -> std::result::Result<String, String> {
    let migration = migrations.get(&finding.revision);
    let operation = migration
        .zip(finding.position())
        .and_then(|(migration, position)| migration.upgrade.operations.get(position));
    let Some(Operation::CreateIndex { table, index }) = operation else {
        return Err("only an index of `op.create_index` can be built concurrently".to_owned());
    };
    if !finding.databases.iter().any(|backend| backend.has_schemas()) {
        return Err("only PostgreSQL builds an index `.concurrently()`; apply the revision when \
                    nobody writes"
            .to_owned());
    }
    fix::concurrently(text, table, &index.name).ok_or_else(|| {
        format!(
            "the call that creates `{}` is not written as `migrate` writes it, so add \
                 `.concurrently()` by hand",
            index.name
        )
    })
}
