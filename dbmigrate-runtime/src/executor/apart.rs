//! Runs on servers whose transactions hold one change of a definition, and no changes of rows beside
//! it, or where each such change commits by itself: each revision is run in groups, and the ledger
//! says how far an interrupted run came.

use super::budget::Budget;
use super::{Executor, Scope, halfway};
use crate::direction::Direction;
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
        let mut done = Vec::new();
        loop {
            let standing = self.look()?;
            let here = standing.graph().translated(target);
            let pending = standing.route(direction, &here);
            let Some(first) = pending.first() else { return Ok(done) };
            if done.is_empty() {
                let view = &standing.view;
                halfway::refuse_others(&self.begun()?, &view.applied, Some(first))?;
                let (migrations, dialect) = (&*view.of, self.driver.dialect());
                if direction == Direction::Upgrade {
                    plan::check_order(migrations.graph(), &view.applied, &pending, &here)?;
                }
                plan::refuse_mistakes(migrations, direction, &pending, dialect)?;
                self.provide_version_table(budget)?;
                if !view.counted.is_empty() {
                    self.in_group(budget, |this| this.settle(view))?;
                }
            }
            if self.run_alone(direction, target, first, budget)? {
                done.push(first.clone());
            }
        }
    }

    /// Creates the version table if it doesn't exist, outside a transaction.
    pub(super) fn provide_version_table(&mut self, budget: &mut Budget) -> Result<(), Error> {
        let table = self.options.version_table();
        self.repeated(budget, |this| version_table::create(this.conn(), table))
    }
}
