//! The plan: what a run will do, as a value, before anything runs.

use std::collections::BTreeSet;

use crate::Error;
use crate::dialect::{Action, Dialect, Facts};
use crate::migration::{Direction, Migration, Migrations};
use crate::operations;
use crate::revision::{Graph, Target};
use crate::schema::Schema;

/// One revision of a plan with its statements.
#[derive(Debug)]
pub struct Planned<'a> {
    /// The migration.
    pub migration: &'a Migration,
    /// What it does to the database, in order.
    pub actions: Vec<Action>,
}

/// Where an upgrade leads.
///
/// # Errors
///
/// When the identifier names nothing, or the base.
pub fn upgrade_target(
    graph: &Graph,
    applied: &BTreeSet<String>,
    identifier: &str,
) -> Result<Target, Error> {
    match graph.target(identifier, Some(applied))? {
        Target::Base if !graph.revisions().is_empty() => Err(Error::not_a_way_up(identifier)),
        target => Ok(target),
    }
}

/// Where a downgrade leads.
///
/// # Errors
///
/// When the identifier names nothing, or a revision that isn't applied.
pub fn downgrade_target(
    graph: &Graph,
    applied: &BTreeSet<String>,
    identifier: &str,
) -> Result<Target, Error> {
    let target = graph.target(identifier, Some(applied))?;
    match target.ids().into_iter().find(|it| !applied.contains(*it)) {
        Some(id) => Err(Error::not_a_way_down(identifier, id)),
        None => Ok(target),
    }
}

/// The revisions between what is applied and a target, in the order in which they run: going up,
/// what the target needs and isn't applied; going down, what is applied and the target doesn't
/// need.
pub fn route(
    graph: &Graph,
    applied: &BTreeSet<String>,
    direction: Direction,
    target: &Target,
) -> Vec<String> {
    let wanted = graph.with_ancestors(&target.ids());
    let ids = graph.revisions().iter().map(|it| &it.id);
    let is_wanted = |it: &String| wanted.contains(it.as_str());
    match direction {
        Direction::Upgrade => {
            ids.filter(|it| is_wanted(it) && !applied.contains(*it)).cloned().collect()
        }
        Direction::Downgrade => {
            ids.rev().filter(|it| !is_wanted(it) && applied.contains(*it)).cloned().collect()
        }
    }
}

/// Plans a route's revisions one after the other, each on the schema that those before it leave.
///
/// # Errors
///
/// The first revision that can't be undone, doesn't fit the schema before it, or that the
/// database can't do safely.
pub fn plan<'a>(
    migrations: &'a Migrations,
    direction: Direction,
    ids: &[String],
    applied: &BTreeSet<String>,
    dialect: &dyn Dialect,
    facts: &Facts,
) -> Result<Vec<Planned<'a>>, Error> {
    let mut applied = applied.clone();
    let mut schema = migrations.replay(Some(&applied))?;
    let mut planned = Vec::with_capacity(ids.len());
    for migration in ids.iter().filter_map(|it| migrations.get(it)) {
        let actions = plan_one(migration, direction, &schema, dialect, facts)?;
        planned.push(Planned { migration, actions });
        match direction {
            Direction::Upgrade => {
                applied.insert(migration.revision.id.clone());
                operations::replay(&mut schema, &migration.upgrade.operations)
                    .map_err(|err| Error::replay(&migration.revision.id, &err.to_string()))?;
            }
            Direction::Downgrade => {
                applied.remove(&migration.revision.id);
                schema = migrations.replay(Some(&applied))?;
            }
        }
    }
    Ok(planned)
}

fn plan_one(
    migration: &Migration,
    direction: Direction,
    before: &Schema,
    dialect: &dyn Dialect,
    facts: &Facts,
) -> Result<Vec<Action>, Error> {
    let id = &migration.revision.id;
    let recording = migration.recording(direction);
    if let Some(why) = &recording.irreversible {
        return Err(match direction {
            Direction::Downgrade => Error::irreversible(id, why),
            Direction::Upgrade => Error::unrecorded(id, "`op.irreversible` is for `downgrade`"),
        });
    }
    dialect.plan(&recording.operations, before, facts).map_err(|err| Error::unplannable(id, err))
}
