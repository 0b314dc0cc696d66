//! Barriers: how far an upgrade goes, given the revisions that wait until no program of the previous
//! release is running any more.

use std::collections::BTreeSet;
use std::fmt;

use crate::driver::Connection;
use crate::error::past_barriers;
use crate::ledger::{self, Unfinished};
use crate::revision::{Target, names_all};
use crate::standing::{History, Standing};
use crate::version_table::Name;
use crate::{Direction, Error, operations, plan};

/// A pending revision that an upgrade stops before.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Barrier {
    /// The revision's id.
    pub id: String,
    /// The revision's message.
    pub message: String,
    /// Why it waits, as [`Operations::barrier`](crate::operations::Operations::barrier) says.
    pub reason: String,
}

/// ``7974795d13d1, drop name: release 3 still reads `name` ``
impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Barrier { id, message, reason } = self;
        f.write_str(id)?;
        let words = [(", ", message), (": ", reason)];
        let mut said = words.iter().filter(|(_, text)| !text.trim().is_empty());
        said.try_for_each(|(before, text)| write!(f, "{before}{text}"))
    }
}

impl Barrier {
    /// The line about an upgrade to a target that stops here, by a program of this name.
    #[doc(hidden)]
    pub fn stopping(&self, program: &str, identifier: &str) -> String {
        let command = past_barriers(program, identifier);
        format!(
            "Stopping before {self} (once no program of the previous release is running, \
             `{command}` continues)"
        )
    }
}

/// How far an upgrade goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Its target, without what waits.
    pub target: Target,
    /// The revisions that it applies, in order.
    pub ids: Vec<String>,
    /// The revisions that wait: those with a barrier, and merges of them that do nothing else.
    pub waiting: Vec<String>,
    /// The revisions that need some of these and have no barrier. A program of the next release may
    /// use what they create, so an upgrade that can't apply them fails.
    pub held_back: Vec<HeldBack>,
    /// The barriers that it stops before. A barrier behind another one is not among them.
    pub barriers: Vec<Barrier>,
}

/// A pending revision that needs one with a barrier and has none itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    /// Its id.
    pub id: String,
    /// The barrier before it.
    pub barrier: Barrier,
}

impl Reach {
    /// All the way to the target.
    fn whole(target: &Target, ids: Vec<String>) -> Reach {
        let (waiting, held_back, barriers) = Default::default();
        Reach { target: target.clone(), ids, waiting, held_back, barriers }
    }

    /// Refuses an upgrade to a revision that waits, and one that can't apply every revision without
    /// a barrier. An identifier that names all of a history or of a branch, such as `head`, asks for
    /// no particular revision.
    ///
    /// # Errors
    ///
    /// The barrier.
    pub fn refuse(&self, identifier: &str) -> Result<(), Error> {
        match (self.barriers.first(), self.held_back.first()) {
            (Some(barrier), _) if !names_all(identifier) => {
                Err(Error::waits(identifier, &barrier.to_string()))
            }
            (_, Some(held)) => {
                Err(Error::held_back(identifier, &held.id, &held.barrier.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// The pending revisions that don't wait, in order.
    pub fn due(&self) -> impl Iterator<Item = &str> {
        let held_back = self.held_back.iter().map(|held| &held.id);
        self.ids.iter().chain(held_back).map(String::as_str)
    }

    /// Whether every pending revision waits.
    pub fn is_settled(&self) -> bool {
        self.due().next().is_none()
    }
}

/// What decides whether a barrier counts, besides the revisions.
#[derive(Debug, Clone, Copy)]
pub struct Passing<'a> {
    /// Whether the upgrade applies revisions with a barrier as well.
    pub past_barriers: bool,
    /// The version table.
    pub version_table: Name<'a>,
}

/// How far an upgrade to a target goes. Barriers don't count for a database at the base, nor for a
/// revision that an earlier run has begun.
///
/// # Errors
///
/// The database's errors.
pub fn reach<H: History>(
    conn: &mut dyn Connection,
    standing: &Standing<'_, H>,
    target: &Target,
    passing: Passing<'_>,
) -> Result<Reach, Error> {
    let pending = standing.route(Direction::Upgrade, target);
    if passing.past_barriers || standing.rows.is_empty() {
        return Ok(Reach::whole(target, pending));
    }
    let history = &*standing.view.of;
    let mut barriers = barriers(history, &pending);
    if !barriers.is_empty() && conn.dialect().capabilities().has_groups {
        let begun = ledger::unfinished(conn, ledger::beside(passing.version_table))?;
        retain_unbegun(&mut barriers, &begun);
    }
    Ok(until(history, target, pending, barriers))
}

/// The same, given the revisions that are applied and those that an earlier run has begun.
pub fn offline<H: History>(
    history: &H,
    target: &Target,
    applied: &BTreeSet<String>,
    begun: &[Unfinished],
) -> Reach {
    let pending = plan::route(history.graph(), applied, Direction::Upgrade, target);
    if applied.is_empty() {
        return Reach::whole(target, pending);
    }
    let mut barriers = barriers(history, &pending);
    retain_unbegun(&mut barriers, begun);
    until(history, target, pending, barriers)
}

/// The barriers among pending revisions.
pub fn barriers<H: History>(history: &H, pending: &[String]) -> Vec<Barrier> {
    let barrier = |id: &String| {
        let message = history.graph().get(id).map_or("", |revision| &revision.message);
        let reason = history.barrier(id)?;
        Some(Barrier { id: id.clone(), message: message.to_owned(), reason })
    };
    pending.iter().filter_map(barrier).collect()
}

/// Drops the barriers of revisions of which an earlier run has done something.
fn retain_unbegun(barriers: &mut Vec<Barrier>, begun: &[Unfinished]) {
    let is_begun = |barrier: &Barrier| {
        begun.iter().any(|begun| begun.revision == barrier.id && begun.is_halfway())
    };
    barriers.retain(|barrier| !is_begun(barrier));
}

/// Divides pending revisions into those before these barriers and those that wait.
fn until<H: History>(
    history: &H,
    target: &Target,
    pending: Vec<String>,
    mut barriers: Vec<Barrier>,
) -> Reach {
    if barriers.is_empty() {
        return Reach::whole(target, pending);
    }
    let graph = history.graph();
    let roots: Vec<&str> = barriers.iter().map(|barrier| barrier.id.as_str()).collect();
    let held: BTreeSet<String> =
        graph.with_descendants(&roots).into_iter().map(str::to_owned).collect();
    let (held, ids): (Vec<String>, Vec<String>) =
        pending.into_iter().partition(|id| held.contains(id));
    let does_nothing = operations::checksum(&[]);
    let is_merge = |id: &str| {
        graph.get(id).is_some_and(|revision| revision.parents.len() > 1)
            && history.checksum(id).is_none_or(|checksum| checksum == does_nothing)
    };
    let waits = |id: &String| roots.contains(&id.as_str()) || is_merge(id);
    let (waiting, others): (Vec<String>, Vec<String>) = held.iter().cloned().partition(waits);
    let held_back = |id: String| {
        let before = graph.with_ancestors(&[&id]);
        let barrier = barriers.iter().find(|barrier| before.contains(barrier.id.as_str()))?;
        Some(HeldBack { barrier: barrier.clone(), id })
    };
    let held_back = others.into_iter().filter_map(held_back).collect();
    barriers.retain(|barrier| {
        let before = graph.with_ancestors(&[&barrier.id]);
        !roots_before(&before, &held, &barrier.id)
    });
    let target = if ids.is_empty() { Target::Base } else { Target::Revisions(ids.clone()) };
    Reach { target, ids, waiting, held_back, barriers }
}

/// Whether a revision needs another one that waits.
fn roots_before(before: &BTreeSet<&str>, waiting: &[String], id: &str) -> bool {
    waiting.iter().any(|other| other != id && before.contains(other.as_str()))
}
