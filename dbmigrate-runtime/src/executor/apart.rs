//! Runs on servers whose transactions hold one change of a definition, and no changes of rows beside
//! it, or where each such change commits by itself: each revision is run in groups, and the ledger
//! says how far an interrupted run came.

use super::budget::Budget;
use super::{Executor, Scope, halfway};
use crate::direction::Direction;
use crate::plan::Planner;
use crate::revision::Target;
use crate::{Error, plan, version_table};

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
        halfway::refuse_others(&self.begun()?, &view.applied, Some(first))?;
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
        for migration in pending.iter().filter_map(|id| migrations.get(id)) {
            self.run_groups(migration, &mut planner, &server, budget)?;
        }
        Ok(pending)
    }

    /// Creates the version table if it doesn't exist, outside a transaction.
    pub(super) fn provide_version_table(&mut self, budget: &mut Budget) -> Result<(), Error> {
        let table = self.options.version_table();
        self.repeated(budget, |this| version_table::create(this.conn(), table))
    }
}
