//! The plan: what a run will do, as a value, before anything runs.

mod batches;
mod mismatch;
mod route;

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::Error;
use crate::dialect::{Dialect, Facts, Plan, Refusal, StatementKind, Task, Uncommitted};
use crate::direction::Direction;
use crate::migration::{Migration, Migrations};
use crate::operations::{self, Operation};
use crate::revision::{Graph, Revision, Target, is_from_database, steps_from_current};
use crate::schema::Schema;
use crate::schema::resolve::HasSql as _;
use crate::written::{self, Mistake};
pub(crate) use mismatch::mismatch;
pub use mismatch::{Unfollowable, unfollowable};
pub use route::{Route, route};

/// One revision of a plan, together with its tasks.
#[derive(Debug)]
pub struct Planned<'a> {
    /// The migration.
    pub migration: &'a Migration,
    /// What the revision does to the database, in order.
    pub tasks: Vec<Task>,
    /// Whether it uses what the revisions before it add, so that their transaction has to be
    /// committed first.
    pub is_apart: bool,
}

/// The target of an upgrade or a downgrade.
///
/// # Errors
///
/// As [`upgrade_target`] and [`downgrade_target`].
pub fn target(
    graph: &Graph,
    applied: &BTreeSet<String>,
    direction: Direction,
    identifier: &str,
) -> Result<Target, Error> {
    match direction {
        Direction::Upgrade => upgrade_target(graph, applied, identifier),
        Direction::Downgrade => downgrade_target(graph, applied, identifier),
    }
}

/// The target of an upgrade.
///
/// # Errors
///
/// When the identifier names nothing, or names the base.
pub fn upgrade_target(
    graph: &Graph,
    applied: &BTreeSet<String>,
    identifier: &str,
) -> Result<Target, Error> {
    if steps_from_current(identifier).is_some_and(|steps| steps < 0) {
        return Err(Error::not_a_way_up(identifier));
    }
    let target = graph.target(identifier, Some(applied))?;
    // An identifier such as `current` may name the base: if nothing is applied, the database is
    // already there.
    let is_base = target.ids().is_empty() && !graph.revisions().is_empty();
    if is_base && !is_from_database(identifier) {
        return Err(Error::not_a_way_up(identifier));
    }
    Ok(target)
}

/// The target of a downgrade.
///
/// # Errors
///
/// When the identifier names nothing, or a revision that isn't applied.
pub fn downgrade_target(
    graph: &Graph,
    applied: &BTreeSet<String>,
    identifier: &str,
) -> Result<Target, Error> {
    if steps_from_current(identifier).is_some_and(|steps| steps > 0) {
        return Err(Error::counted_up(identifier));
    }
    if let Some((id, by)) = graph.replaced_by(identifier) {
        return Err(graph.no_such_point(id, by).into());
    }
    let target = graph.target(identifier, Some(applied))?;
    match target.ids().into_iter().find(|id| !applied.contains(*id)) {
        Some(id) => Err(Error::not_a_way_down(identifier, id)),
        None => Ok(target),
    }
}

/// What counts as applied after a stamp: the revisions that the target needs, and the applied ones
/// that don't follow it. So other branches stay as they are.
pub fn stamped(graph: &Graph, applied: &BTreeSet<String>, target: &Target) -> BTreeSet<String> {
    let above = graph.above(target);
    let stays = applied.iter().filter(|id| !above.contains(id.as_str())).cloned();
    stays.chain(graph.with_ancestors(&target.ids()).into_iter().map(str::to_owned)).collect()
}

/// The facts of a database of the same version that is exactly as the migrations build it.
pub(crate) fn replayed(facts: &Facts) -> Facts {
    let Facts { one_definition, builds_later, .. } = *facts;
    let large = facts.large.clone();
    Facts { large, one_definition, builds_later, ..Facts::new(facts.version, facts.has_json) }
}

/// The operations with the SQL of the dialect's database.
fn resolved<'a>(
    operations: &'a [Operation],
    dialect: &dyn Dialect,
) -> Result<Cow<'a, [Operation]>, Refusal> {
    operations::resolve::resolved(operations, dialect.backend()).map_err(|(operation, missing)| {
        Refusal::no_text(&operation.to_string(), dialect.backend(), &missing)
    })
}

/// Plans operations without a database, given the schema before them, which is updated to the
/// schema after them.
///
/// # Errors
///
/// As [`Dialect::plan`].
pub fn offline(
    operations: &[Operation],
    schema: &mut Schema,
    dialect: &dyn Dialect,
) -> Result<Vec<Task>, Refusal> {
    tasks(operations, schema, dialect, &dialect.offline_facts())
}

/// Plans operations for a database with these facts. Where the plan depends on the result of
/// earlier operations in the list, that result is taken from the operations themselves. Where SQL
/// differs between databases, the schema keeps the text of the dialect's.
///
/// # Errors
///
/// As [`Dialect::plan`].
pub fn tasks(
    operations: &[Operation],
    schema: &mut Schema,
    dialect: &dyn Dialect,
    facts: &Facts,
) -> Result<Vec<Task>, Refusal> {
    let after = replayed(facts);
    schema.settle(dialect.backend());
    let operations = &*resolved(operations, dialect)?;
    let mut tasks = Vec::new();
    let mut taken = 0;
    while taken < operations.len() {
        let facts = if taken == 0 { facts } else { &after };
        let plan = dialect.plan(&operations[taken..], schema, facts)?;
        tasks.extend(plan.tasks);
        taken += plan.taken;
    }
    Ok(tasks)
}

/// Checks that an upgrade runs nothing that an applied revision needs, such as a revision that was
/// later inserted between two others. Targeting such a revision explicitly is allowed.
///
/// # Errors
///
/// The first applied revision that needs a pending one.
pub fn check_order(
    graph: &Graph,
    applied: &BTreeSet<String>,
    pending: &[String],
    target: &Target,
) -> Result<(), Error> {
    let in_order = graph.revisions().iter().filter(|revision| applied.contains(&revision.id));
    let mut late =
        in_order.flat_map(|revision| graph.needs(revision).map(move |needed| (revision, needed)));
    let Some((above, id)) = late.find(|(_, text)| pending.iter().any(|id| id == text)) else {
        return Ok(());
    };
    if let [id] = target.ids().as_slice() {
        let is_below =
            || graph.with_descendants(&[id]).iter().any(|descendant| applied.contains(*descendant));
        if !applied.contains(*id) && is_below() {
            return Ok(());
        }
    }
    Err(match graph.get(id) {
        Some(revision) => Error::late(revision, &above.id),
        None => return Ok(()),
    })
}

/// Refuses SQL that would run and do something else than what it says, in a route's revisions: with
/// a placeholder, which can't get a value there, or ending the transaction. Checked before the
/// first revision runs.
///
/// # Errors
///
/// The first revision with such SQL.
pub(crate) fn refuse_mistakes(
    migrations: &Migrations,
    direction: Direction,
    ids: &[String],
    dialect: &dyn Dialect,
) -> Result<(), Error> {
    let rules = dialect.names(&dialect.offline_facts());
    for migration in ids.iter().filter_map(|id| migrations.get(id)) {
        let unbound = |operation: &Operation| {
            let mut settled = Cow::Borrowed(operation);
            if operation.differs() {
                settled.to_mut().settle(dialect.backend());
            }
            written::unbound(&settled, dialect.backend(), rules)
        };
        refuse_first(migration, direction, dialect, unbound)?;
        refuse_end_of_transaction(migration, direction, dialect)?;
    }
    Ok(())
}

fn refuse_end_of_transaction(
    migration: &Migration,
    direction: Direction,
    dialect: &dyn Dialect,
) -> Result<(), Error> {
    if migration.recording(direction).no_transaction {
        return Ok(());
    }
    let (backend, lexicon) = (dialect.backend(), dialect.lexicon());
    refuse_first(migration, direction, dialect, |operation| {
        written::ends_transaction(operation, backend, lexicon)
    })
}

/// Refuses a revision for the first operation with a mistake.
fn refuse_first(
    migration: &Migration,
    direction: Direction,
    dialect: &dyn Dialect,
    mistake: impl Fn(&Operation) -> Option<Mistake>,
) -> Result<(), Error> {
    let operations = &migration.recording(direction).operations;
    let found = operations.iter().find_map(|operation| Some((operation, mistake(operation)?)));
    match found {
        Some((operation, mistake)) => {
            let why = Refusal::mistake(operation, dialect.backend(), mistake);
            Err(Error::unplannable(&migration.revision.id, why))
        }
        None => Ok(()),
    }
}

/// Refuses a route that leaves a foreign key to columns that aren't unique, judged by the revisions
/// alone: for a new database, or without a database. If there is one,
/// [`refuse_mismatch`](crate::executor::refuse_mismatch) reads its tables as well.
///
/// # Errors
///
/// The first such foreign key.
pub fn refuse_mismatch_offline(route: &Route<'_>, dialect: &dyn Dialect) -> Result<(), Error> {
    match mismatch(route, dialect)? {
        Some(mismatch) if mismatch.is_certain() => Err(mismatch.error()),
        _ => Ok(()),
    }
}

/// Plans a route's revisions one after the other, each on the schema that the earlier ones leave.
/// The facts describe the database before the first revision.
///
/// # Errors
///
/// The first revision that can't be undone, that doesn't fit the schema before it, or that contains
/// a change the database can't make safely.
pub fn plan<'a>(
    route: &Route<'a>,
    dialect: &dyn Dialect,
    facts: &Facts,
) -> Result<Vec<Planned<'a>>, Error> {
    let Route { migrations, direction, ids, applied } = *route;
    let mut planner = Planner::new(migrations, direction, applied.clone())?;
    let after = replayed(facts);
    let migrations = ids.iter().filter_map(|id| migrations.get(id)).enumerate();
    let facts_of = |idx| if idx == 0 { facts } else { &after };
    migrations.map(|(idx, migration)| planner.next(migration, dialect, facts_of(idx))).collect()
}

/// Plans revisions one at a time and keeps track of the schema between them.
#[derive(Debug, Clone)]
pub struct Planner<'a> {
    migrations: &'a Migrations,
    direction: Direction,
    applied: BTreeSet<String>,
    /// The heads of the applied revisions, as positions in the history.
    heads: BTreeSet<usize>,
    /// The schema that the applied revisions build.
    schema: Schema,
    /// Whether the schema's SQL is that of the dialect that plans.
    is_settled: bool,
    /// What the revisions so far add in a transaction that isn't committed yet.
    uncommitted: Uncommitted,
}

impl<'a> Planner<'a> {
    /// Starts from the applied revisions.
    ///
    /// # Errors
    ///
    /// When an applied revision doesn't fit the ones before it.
    pub fn new(
        migrations: &'a Migrations,
        direction: Direction,
        applied: BTreeSet<String>,
    ) -> Result<Planner<'a>, Error> {
        let schema = migrations.replay(Some(&applied))?;
        let graph = migrations.graph();
        let heads =
            graph.current(&applied).into_iter().filter_map(|current| graph.position(current));
        let heads = heads.collect();
        Ok(Planner {
            migrations,
            direction,
            applied,
            heads,
            schema,
            is_settled: false,
            uncommitted: Uncommitted::default(),
        })
    }

    /// The direction in which the revisions run.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The last applied revision of the history, if it comes after this one; a new database would
    /// run them in the other order. Branches with labels don't count, since they are meant to
    /// advance independently.
    pub fn overtaken_by(&self, migration: &Migration) -> Option<&'a Revision> {
        let graph = self.migrations.graph();
        let id = &migration.revision.id;
        let position = graph.position(id)?;
        // What follows a revision comes after it, so the last applied revision is a head.
        if self.heads.last().is_none_or(|last| *last < position) {
            return None;
        }
        let mut after = graph.revisions()[position + 1..].iter().rev();
        after.find(|revision| {
            self.applied.contains(&revision.id) && !graph.is_elsewhere(id, &revision.id)
        })
    }

    /// Plans the next revision completely, and treats it as run. Where the plan depends on the
    /// result of earlier operations in the revision, that result is taken from the operations
    /// themselves.
    ///
    /// # Errors
    ///
    /// When the revision can't be undone, doesn't fit the schema before it, or contains a change
    /// that the database can't make safely. The planner can't be used any more afterwards.
    pub fn next(
        &mut self,
        migration: &'a Migration,
        dialect: &dyn Dialect,
        facts: &Facts,
    ) -> Result<Planned<'a>, Error> {
        refuse_end_of_transaction(migration, self.direction, dialect)?;
        let is_apart = self.must_commit(migration, dialect, facts);
        if is_apart {
            self.uncommitted = Uncommitted::default();
        }
        let mut plan = self.part(migration, 0, dialect, facts)?;
        let replayed = replayed(facts);
        while plan.taken < self.operations(migration).len() {
            let rest = self.part(migration, plan.taken, dialect, &replayed)?;
            plan.tasks.extend(rest.tasks);
            plan.taken = rest.taken;
        }
        self.finish(migration)?;
        Ok(Planned { migration, tasks: plan.tasks, is_apart })
    }

    /// Plans a revision from one of its operations on, as far as the facts allow. Positions in the
    /// result are counted from the revision's first operation.
    ///
    /// # Errors
    ///
    /// As [`Planner::next`].
    pub fn part(
        &mut self,
        migration: &'a Migration,
        from: usize,
        dialect: &dyn Dialect,
        facts: &Facts,
    ) -> Result<Plan, Error> {
        let id = &migration.revision.id;
        let recording = migration.recording(self.direction);
        if let Some(why) = &recording.irreversible {
            return Err(match self.direction {
                Direction::Downgrade => Error::irreversible(id, why),
                Direction::Upgrade => Error::unrecorded(id, "`op.irreversible` is for `downgrade`"),
            });
        }
        if self.direction == Direction::Downgrade && recording.barrier.is_some() {
            return Err(Error::unrecorded(id, "`op.barrier` is for `upgrade`"));
        }
        batches::refuse_indivisible(migration, recording, (from, &self.schema))?;
        let operations = recording.operations.get(from..).unwrap_or_default();
        if !self.is_settled {
            self.schema.settle(dialect.backend());
            self.is_settled = true;
        }
        let mut plan = resolved(operations, dialect)
            .and_then(|operations| dialect.plan(&operations, &mut self.schema, facts))
            .map_err(|err| Error::unplannable(id, err))?;
        let is_rebuild = |task: &Task| matches!(task, Task::Statement(statement) if statement.kind == StatementKind::Rebuild);
        if recording.no_transaction && plan.tasks.iter().any(is_rebuild) {
            return Err(Error::rebuild_alone(id));
        }
        if plan.tasks.iter().any(Task::is_between_groups) {
            self.uncommitted = Uncommitted::default();
        }
        self.uncommitted.extend(std::mem::take(&mut plan.uncommitted));
        plan.taken += from;
        for task in &mut plan.tasks {
            if let Task::Step { operation, .. } = task {
                *operation += from;
            }
        }
        Ok(plan)
    }

    /// Whether a revision uses what those before it add in a transaction that isn't committed yet.
    pub fn must_commit(&self, migration: &Migration, dialect: &dyn Dialect, facts: &Facts) -> bool {
        let operations = &migration.recording(self.direction).operations;
        self.uncommitted != Uncommitted::default()
            && resolved(operations, dialect)
                .is_ok_and(|operations| dialect.must_commit(&self.uncommitted, &operations, facts))
    }

    /// Whether a revision takes more than one transaction, or none.
    ///
    /// # Errors
    ///
    /// As [`Planner::next`].
    pub fn takes_groups(
        &self,
        migration: &'a Migration,
        dialect: &dyn Dialect,
        facts: &Facts,
    ) -> Result<bool, Error> {
        let planned = self.clone().next(migration, dialect, facts)?;
        Ok(planned.tasks.iter().any(Task::is_between_groups))
    }

    /// Treats a revision as run.
    ///
    /// # Errors
    ///
    /// When the revisions that are now applied don't fit together.
    pub fn finish(&mut self, migration: &Migration) -> Result<(), Error> {
        let id = &migration.revision.id;
        match self.direction {
            Direction::Upgrade => {
                self.applied.insert(id.clone());
            }
            // A hand-written `downgrade` may leave a different schema from the one that the
            // remaining revisions build. The remaining revisions decide.
            Direction::Downgrade => {
                self.applied.remove(id);
                self.schema = self.migrations.replay(Some(&self.applied))?;
                self.is_settled = false;
            }
        }
        self.move_heads(&migration.revision);
        Ok(())
    }

    /// Only the revision and those that it follows can become heads or stop being heads.
    fn move_heads(&mut self, revision: &Revision) {
        let graph = self.migrations.graph();
        for id in revision.parents.iter().chain([&revision.id]) {
            let Some(position) = graph.position(id) else { continue };
            let is_followed =
                || graph.children(id).iter().any(|child| self.applied.contains(child));
            if self.applied.contains(id) && !is_followed() {
                self.heads.insert(position)
            } else {
                self.heads.remove(&position)
            };
        }
    }

    /// The operations of a revision in this direction.
    pub fn operations(&self, migration: &'a Migration) -> &'a [Operation] {
        &migration.recording(self.direction).operations
    }

    /// The heads of the revisions that are now applied.
    pub fn heads(&self) -> Vec<&'a str> {
        let revisions = self.migrations.graph().revisions();
        self.heads
            .iter()
            .filter_map(|head| revisions.get(*head))
            .map(|revision| revision.id.as_str())
            .collect()
    }

    /// The schema that the revisions build that are now applied.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
}
