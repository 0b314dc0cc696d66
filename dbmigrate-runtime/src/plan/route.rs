//! The revisions of a run, and how they are determined.

use std::collections::BTreeSet;

use crate::direction::Direction;
use crate::migration::Migrations;
use crate::revision::{Graph, Target};

/// The revisions of a run.
#[derive(Debug, Clone, Copy)]
pub struct Route<'a> {
    /// The history of the revisions.
    pub migrations: &'a Migrations,
    /// The direction in which they run.
    pub direction: Direction,
    /// Their ids, in the order in which they run.
    pub ids: &'a [String],
    /// The applied revisions before the first one.
    pub applied: &'a BTreeSet<String>,
}

/// The revisions between the applied ones and a target, in the order in which they run. Going up,
/// these are the pending revisions that the target needs. Going down, these are the applied
/// revisions that follow the target, and those that need them. So other branches stay as they are,
/// and so do the dependencies of an undone revision.
pub fn route(
    graph: &Graph,
    applied: &BTreeSet<String>,
    direction: Direction,
    target: &Target,
) -> Vec<String> {
    let ids = graph.revisions().iter().map(|revision| &revision.id);
    match direction {
        Direction::Upgrade => {
            let mut pending: Vec<String> =
                ids.filter(|id| !applied.contains(*id)).cloned().collect();
            if !pending.is_empty() {
                let wanted = graph.with_ancestors(&target.ids());
                pending.retain(|id| wanted.contains(id.as_str()));
            }
            pending
        }
        Direction::Downgrade => {
            let above = graph.above(target);
            let is_undone = |id: &&String| above.contains(id.as_str()) && applied.contains(*id);
            ids.rev().filter(is_undone).cloned().collect()
        }
    }
}
