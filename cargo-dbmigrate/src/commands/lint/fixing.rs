//! `lint --fix`: edits pending revisions to settle findings.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::Migrations;
use dbmigrate_runtime::operations::Operation;

use super::{Chosen, dividing};
use crate::autogenerate::safe::{self, Phase};
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
pub fn fix(
    cx: &Context,
    chosen: &Chosen,
    findings: &[Finding],
    no_database: bool,
) -> Result<Vec<Fixed>> {
    let fixable = || findings.iter().filter(|finding| finding.fix().is_some());
    if fixable().next().is_none() {
        return Ok(Vec::new());
    }
    let applied =
        if no_database { BTreeSet::new() } else { history::applied_ids(cx, &Database::find(cx)?)? };
    let migrations = chosen.history.migrations()?;
    let mut fixed = Vec::new();
    for id in &chosen.ids {
        let of_revision = || fixable().filter(|finding| finding.revision == *id);
        let Some(path) = chosen.history.path(id).filter(|_| of_revision().next().is_some()) else {
            continue;
        };
        let shown = cx.project.shown(path).to_string();
        if applied.contains(id) {
            cx.out.warning(format!(
                "revision `{id}` is applied, so it is not changed: write a new one, or undo it \
                 first with `cargo dbmigrate downgrade`"
            ));
            continue;
        }
        let before = std::fs::read_to_string(path).doing(|| format!("read `{shown}`"))?;
        let mut text = before.clone();
        let mut has_barrier = false;
        for finding in of_revision() {
            let Some(way) = finding.fix() else { continue };
            let written = match way {
                // One barrier settles all findings that need one.
                Fix::Barrier { .. } if has_barrier => Ok(Written::Text(text.clone())),
                Fix::Barrier { .. } => with_barrier(cx, &migrations, (id, &text)),
                Fix::Concurrently => {
                    with_concurrent_index(&migrations, finding, &text).map(Written::Text)
                }
                Fix::Divide => Ok(Written::HasToBeDivided),
            };
            let settled = match written {
                Ok(Written::Text(edited)) => {
                    has_barrier |= matches!(way, Fix::Barrier { .. });
                    text = edited;
                    Ok(way)
                }
                Ok(Written::HasToBeDivided) => {
                    dividing::divide(cx, &chosen.history, (&migrations, id), path)?
                        .map(|()| Fix::Divide)
                }
                Err(why) => Err(why),
            };
            let wrote = match settled {
                Ok(way) => way,
                Err(why) => {
                    cx.out.warning(format!("revision `{id}`: {}: {why}", finding.id()));
                    continue;
                }
            };
            cx.out.done(format!("Fixing {shown}: {}: {}", finding.id(), wrote.text()));
            fixed.push(Fixed {
                rule: finding.id(),
                revision: id.clone(),
                path: shown.clone(),
                wrote: wrote.text(),
            });
            if wrote == Fix::Divide {
                // The parts that were written settle the other findings as well.
                text.clone_from(&before);
                break;
            }
        }
        if text != before {
            let edit = Edit::Replace { path: path.to_path_buf(), bytes: text.into_bytes() };
            cx.edits.apply(&[edit])?;
        }
    }
    Ok(fixed)
}

/// The text of a revision with a barrier, if all of it can wait.
fn with_barrier(
    cx: &Context,
    migrations: &Migrations,
    (id, text): (&str, &str),
) -> std::result::Result<Written, String> {
    let (before, changes) = dividing::changes(migrations, id)?;
    let dialects: Vec<_> = cx.dialects().collect();
    let divided = safe::divide(&changes, &before, &dialects).map_err(|err| err.to_string())?;
    let waits = |phase: Phase| matches!(phase, Phase::Copy | Phase::Require | Phase::Contract);
    // A part that only makes columns optional can wait with the part that drops them.
    if !divided.parts.iter().all(|part| waits(part.phase) || part.is_relaxing()) {
        return Ok(Written::HasToBeDivided);
    }
    let reasons = divided.parts.iter().filter_map(|part| part.upgrade.barrier.clone());
    let reason = reasons.collect::<Vec<_>>().join("; ");
    match fix::barrier(text, &reason) {
        Some(text) => Ok(Written::Text(text)),
        None => Err("the file is not written as `migrate` writes it, so add `op.barrier(...)` by \
                     hand"
            .to_owned()),
    }
}

/// What was found out about a revision that is to be edited.
enum Written {
    Text(String),
    /// It also adds what the next release needs.
    HasToBeDivided,
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
