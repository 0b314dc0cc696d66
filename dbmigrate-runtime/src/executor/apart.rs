//! Runs on servers whose transactions hold one change of a definition, and no changes of rows beside
//! it, or where each such change commits by itself: each revision is run in groups, and the ledger
//! says how far an interrupted run came.

use super::budget::Budget;
use super::{Executor, Scope, halfway};
use crate::direction::Direction;
use crate::plan::Planner;
use crate::revision::Target;
use crate::{Error, ledger, plan, version_table};

impl Executor<'_> {
    /// Whether runs are made in this way.
    pub(super) fn runs_apart(&mut self) -> Result<bool, Error> {
        let commits = self.driver.dialect().capabilities().commits_definitions;
        Ok(commits || self.facts()?.one_definition)
    }

    /// Migrates to a target, under one lock. What is pending is read again under it.
    pub(super) fn run_apart(
        &mut self,
        direction: Direction,
        target: &Target,
        budget: &mut Budget,
    ) -> Result<Vec<String>, Error> {
        budget.begin(self, Scope::Alone)?;
        let standing = self.look()?;
        let target = standing.graph().translated(target);
        let pending = standing.route(direction, &target);
        let Some(first) = pending.first() else { return Ok(Vec::new()) };
        let view = standing.view;
        let (migrations, dialect) = (&*view.of, self.driver.dialect());
        let begun = self.begun()?;
        let mut is_there = begun.is_some();
        let begun = begun.unwrap_or_default();
        halfway::refuse_others(&begun, &view.applied, Some(first))?;
        let ledger = ledger::beside(self.options.version_table());
        // What did nothing is not to be continued by whatever its file says later.
        for other in begun.iter().filter(|begun| !begun.is_halfway() && begun.revision != *first) {
            ledger::clear(self.conn(), ledger, &other.revision)?;
        }
        let begun = halfway::ids(&begun);
        if direction == Direction::Upgrade {
            plan::check_order(migrations.graph(), &view.applied, &pending, &target)?;
        }
        plan::refuse_mistakes(migrations, direction, &pending, dialect)?;
        self.provide_version_table(budget)?;
        if !view.counted.is_empty() {
            self.in_group(budget, |this| this.settle(&view))?;
        }
        let server = self.facts()?;
        let mut planner = Planner::new(migrations, direction, view.applied.clone())?;
        let is_kept = dialect.capabilities().commits_definitions;
        for migration in pending.iter().filter_map(|id| migrations.get(id)) {
            let id = &migration.revision.id;
            // Under the lock, nobody else enters anything.
            let known = if is_kept && !begun.contains(id) {
                is_there.then(Vec::new)
            } else {
                ledger::read(self.conn(), ledger, id)?
            };
            self.run_groups(migration, &mut planner, (&server, known), budget)?;
            is_there = true;
        }
        Ok(pending)
    }

    /// Creates the version table if it doesn't exist, outside a transaction.
    pub(super) fn provide_version_table(&mut self, budget: &mut Budget) -> Result<(), Error> {
        let table = self.options.version_table();
        self.repeated(budget, |this| version_table::create(this.conn(), table))
    }
}
