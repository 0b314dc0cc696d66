//! The contents of a squash revision: the same changes, but with less to do on an empty database.

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::Direction;
use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::recording;
use dbmigrate_runtime::engine::{Migration, Migrations};
use dbmigrate_runtime::operations::{Operation, Step};
use dbmigrate_runtime::schema::Schema;

use super::range::Squashed;
use crate::autogenerate::{self, Commented};
use crate::error::{Error, Result};

/// The contents of a squash revision.
pub struct Contents {
    pub upgrade: Commented,
    pub downgrade: Commented,
    /// Descriptions of the omitted steps.
    pub elided: Vec<String>,
}

impl Contents {
    /// The combined changes of these revisions.
    ///
    /// # Errors
    ///
    /// When one of them has steps (unless these are omitted) or runs outside a transaction, and
    /// when their downgrades don't fit together.
    pub fn of(
        migrations: &Migrations,
        squashed: &Squashed,
        elide: bool,
        dialects: (&'static dyn Dialect, &[&'static dyn Dialect]),
    ) -> Result<Contents> {
        let all: Vec<&Migration> =
            squashed.ids.iter().filter_map(|id| migrations.get(id)).collect();
        refuse_alone(&all)?;
        let steps: Vec<String> = all.iter().flat_map(|migration| steps(migration)).collect();
        if !steps.is_empty() && !elide {
            return Err(has_steps(&all, &steps));
        }
        let parents: Vec<&str> = squashed.parents.iter().map(String::as_str).collect();
        let is_first = parents.is_empty() && squashed.depends_on.is_empty();
        let before = before(migrations, squashed)?;
        let mut upgrade = in_order(all.iter().map(|migration| (*migration, Direction::Upgrade)));
        if is_first {
            upgrade = from_nothing(upgrade)?;
        }
        let barriers: Vec<&str> =
            all.iter().filter_map(|migration| migration.upgrade.barrier.as_deref()).collect();
        // A database that stopped before one of them has the revisions before it, and goes on with
        // the files of the others.
        upgrade.barrier = (!barriers.is_empty() && !is_first).then(|| barriers.join("; "));
        let downgrade = way_back(&all, &upgrade, &before, dialects)?;
        Ok(Contents { upgrade, downgrade, elided: steps })
    }
}

/// The schema before the first of these revisions.
fn before(migrations: &Migrations, squashed: &Squashed) -> Result<Schema> {
    let graph = migrations.graph();
    let needed = squashed.parents.iter().chain(&squashed.depends_on);
    let needed = needed.filter_map(|name| graph.named(name));
    let needed: Vec<&str> = needed.map(|revision| revision.id.as_str()).collect();
    let ids: BTreeSet<String> =
        graph.with_ancestors(&needed).into_iter().map(str::to_owned).collect();
    Ok(migrations.replay(Some(&ids))?)
}

fn refuse_alone(all: &[&Migration]) -> Result<()> {
    let is_alone = |migration: &&&Migration| {
        migration.upgrade.no_transaction || migration.downgrade.no_transaction
    };
    match all.iter().find(is_alone) {
        None => Ok(()),
        Some(migration) => {
            let message = format!(
                "revision `{}` runs outside a transaction, in {}",
                migration.revision.id, migration.revision.file
            );
            Err(Error::new(message).hint(
                "squash the revisions before it and those after it: it stays a revision of its own",
            ))
        }
    }
}

/// Descriptions of a revision's steps.
fn steps(migration: &Migration) -> Vec<String> {
    let of = |operations: &[Operation]| -> Vec<String> {
        let steps = operations.iter().filter_map(|operation| match operation {
            Operation::Run(Step { name, .. }) => Some(name.clone()),
            _ => None,
        });
        steps.map(|name| step_text(&name, migration)).collect()
    };
    [of(&migration.upgrade.operations), of(&migration.downgrade.operations)].concat()
}

fn step_text(name: &str, migration: &Migration) -> String {
    format!("step `{name}` of revision `{}`", migration.revision.id)
}

fn has_steps(all: &[&Migration], steps: &[String]) -> Error {
    let mut message = "steps are functions in their files and can't be moved:".to_owned();
    steps.iter().for_each(|step| message += &format!("\n  {step}"));
    let has = |migration: &&Migration| !self::steps(migration).is_empty();
    let files = all
        .iter()
        .copied()
        .filter(has)
        .map(|migration| format!("\n  in {}", migration.revision.file));
    message.extend(files);
    let first = all.iter().position(has).filter(|position| *position > 1);
    let shorter = first.and_then(|at| all.get(at - 1)).map(|migration| &migration.revision.id);
    let shorter = match shorter {
        Some(id) => format!("squash only up to `{id}`, before them, or"),
        None => "leave these revisions out of the range, or".to_owned(),
    };
    Error::new(message).hint(format!(
        "{shorter} pass --elide-steps to omit them, which is right if a new database has no rows \
         for them"
    ))
}

/// The operations of these revisions in sequence, with a comment in place of each step.
fn in_order<'a>(all: impl Iterator<Item = (&'a Migration, Direction)>) -> Commented {
    let mut out = Commented::default();
    for (migration, direction) in all {
        for operation in &migration.recording(direction).operations {
            match operation {
                Operation::Run(step) => {
                    let text = format!("Left out: {}.", step_text(&step.name, migration));
                    comment(&mut out.comments, out.operations.len(), &text);
                }
                operation => out.operations.push(operation.clone()),
            }
        }
    }
    out
}

fn comment(comments: &mut BTreeMap<usize, String>, at: usize, text: &str) {
    let comment = comments.entry(at).or_default();
    if !comment.is_empty() {
        comment.push('\n');
    }
    comment.push_str(text);
}

/// On an empty database, the operations up to the first possible rows are replaced by the creation
/// of their resulting schema.
fn from_nothing(all: Commented) -> Result<Commented> {
    let n_leading = all.operations.iter().position(|operation| !operation.is_schema_change());
    let n_leading = n_leading.unwrap_or(all.operations.len());
    let (leading, rest) = all.operations.split_at(n_leading);
    let mut schema = Schema::default();
    recording::replay(&mut schema, leading).map_err(|err| Error::new(err.to_string()))?;
    let mut operations = autogenerate::between(&Schema::default(), &schema);
    let mut created = Schema::default();
    if recording::replay(&mut created, &operations).is_err() || created != schema {
        // Operations that a difference can't express stay unchanged.
        return Ok(all);
    }
    let n_created = operations.len();
    operations.extend_from_slice(rest);
    let mut comments = BTreeMap::new();
    for (at, text) in &all.comments {
        comment(&mut comments, at.saturating_sub(n_leading) + n_created, text);
    }
    Ok(Commented { operations, comments, ..Commented::default() })
}

/// The downgrade: derived if every revision declares everything that it does, and otherwise
/// composed of their own downgrades.
fn way_back(
    all: &[&Migration],
    upgrade: &Commented,
    before: &Schema,
    (dialect, others): (&'static dyn Dialect, &[&'static dyn Dialect]),
) -> Result<Commented> {
    if let Some((migration, why)) = all
        .iter()
        .find_map(|migration| Some((migration, migration.downgrade.irreversible.as_ref()?)))
    {
        let irreversible = Some(format!("revision {}: {why}", migration.revision.id));
        return Ok(Commented { irreversible, ..Commented::default() });
    }
    let recorded = |migration: &&Migration| {
        [&migration.upgrade, &migration.downgrade].map(|recording| recording.operations.clone())
    };
    if !all.iter().flat_map(recorded).flatten().any(|operation| !operation.is_schema_change()) {
        return autogenerate::way_back(&upgrade.operations, before, dialect, others);
    }
    let back = in_order(all.iter().rev().map(|migration| (*migration, Direction::Downgrade)));
    let mut schema = before.clone();
    let res = recording::replay(&mut schema, &upgrade.operations)
        .and_then(|()| recording::replay(&mut schema, &back.operations));
    res.map_err(|err| {
        Error::new("the downgrades of the range do not fit together")
            .cause(err)
            .hint("correct them, or use `op.irreversible(...)` in the one that can't be undone")
    })?;
    Ok(back)
}
