//! Drops views that the migrations created before a column that they read changes, and creates them
//! again after it.

use super::cost;
use super::planner::{Planner, task};
use super::views::{self, Down, Unit};
use crate::backend::Backend;
use crate::dialect::{Guard, POSTGRES, Refusal, StatementKind, User, ViewName, Work};
use crate::operations::Operation;
use crate::sql::quote;

impl Planner<'_> {
    /// Drops the views over a column, until [`Planner::put_views_up`].
    pub(super) fn take_views_down(
        &mut self,
        idx: usize,
        (table, column): (&str, &str),
        is_dropped: bool,
    ) -> Result<(), Refusal> {
        self.refuse_used(idx, table, Some(column))?;
        let mut units = views::units(&self.schema.written);
        units.retain(|unit| !self.views_down.iter().any(|down| down.unit.at == unit.at));
        if units.is_empty() {
            return Ok(());
        }
        let over = self.over(&units, (table, column));
        // What reads a column that is gone can't be created again: the server names it.
        let is_in_the_way = |unit: &Unit| POSTGRES.names_column(&unit.sql, column);
        if is_dropped && over.iter().any(is_in_the_way) {
            return Ok(());
        }
        self.refuse_unknown(idx, &units, &over)?;
        let mut down = Vec::new();
        for unit in over {
            if let Some(obstacle) = &unit.obstacle {
                let why = format!(
                    "view `{}` uses it and can't be created again: {obstacle}",
                    unit.views[0].name.shown()
                );
                return Err(self.ddl(idx).refuse(&why, views::HINT));
            }
            down.push(Down { unit, idx, is_other_query: is_dropped });
        }
        let down = views::in_order(down);
        for view in down.iter().rev().flat_map(|down| down.unit.views.iter().rev()) {
            let kind = if view.is_materialized { "MATERIALIZED VIEW" } else { "VIEW" };
            let sql = format!("DROP {kind} {}", view.name.sql());
            self.push(idx, sql, Some(cost::alter(&view.name.shown(), Work::None)));
        }
        self.views_down.extend(down);
        Ok(())
    }

    /// The views over a column, and those over these views.
    fn over(&self, units: &[Unit], (table, column): (&str, &str)) -> Vec<Unit> {
        let before = self.name_before(table);
        let mut found: Vec<Unit> = Vec::new();
        let known = self.facts.existing.views.as_ref();
        let is_over = |unit: &Unit, found: &[Unit]| match known {
            Some(known) if unit.at < self.n_written => known.reads.iter().any(|read| {
                unit.has(&read.view)
                    && (read.source.shown() == before && read.column.as_deref() == Some(column)
                        || found.iter().any(|other| other.has(&read.source)))
            }),
            _ => unit.reads(table, column) || found.iter().any(|other| unit.mentions(other)),
        };
        let is_by_hand =
            |unit: &Unit| unit.views.iter().any(|view| self.is_dropped_by_hand(&view.name));
        loop {
            let is_found = |unit: &Unit| found.iter().any(|other| other.at == unit.at);
            let next = units
                .iter()
                .find(|unit| !is_found(unit) && is_over(unit, &found) && !is_by_hand(unit));
            match next {
                Some(unit) => found.push(unit.clone()),
                None => return found,
            }
        }
    }

    /// Refuses to drop a view that is needed by one that no SQL of the migrations created.
    fn refuse_unknown(&self, idx: usize, units: &[Unit], over: &[Unit]) -> Result<(), Refusal> {
        let known = self.facts.existing.views.as_ref();
        for read in known.into_iter().flat_map(|known| &known.reads) {
            let is_known = units.iter().any(|unit| unit.has(&read.view))
                || self.views_down.iter().any(|down| down.unit.has(&read.view))
                || self.is_dropped_by_hand(&read.view);
            if !is_known && over.iter().any(|unit| unit.has(&read.source)) {
                let why = format!(
                    "view `{}` uses it, and can't be dropped for the change: no SQL of the \
                     migrations creates view `{}`, which selects from it",
                    read.source.shown(),
                    read.view.shown()
                );
                return Err(self.ddl(idx).refuse(&why, views::HINT));
            }
        }
        Ok(())
    }

    /// Refuses to change a column that something in the database uses, or to drop a primary key.
    pub(super) fn refuse_used(
        &self,
        idx: usize,
        table: &str,
        column: Option<&str>,
    ) -> Result<(), Refusal> {
        let before = self.name_before(table);
        let is_in_the_way = |user: &&User| {
            user.table == before
                && user.column.as_deref() == column
                && !self.is_changed_by_hand(&user.name)
        };
        let Some(user) = self.facts.existing.users.iter().find(is_in_the_way) else {
            return Ok(());
        };
        let words = ["materialized view", "trigger", "policy", "function", "publication"];
        let kind = words.into_iter().find(|word| user.what.starts_with(word)).unwrap_or("view");
        let hint = match kind {
            "publication" => {
                "take the table out of the publication before the change and add it again after \
                 it, in the same revision, with `op.execute`"
                    .to_owned()
            }
            kind => format!(
                "drop the {kind} before the change and create it again after it, in the same \
                 revision, with `op.execute`"
            ),
        };
        Err(self.ddl(idx).refuse(&format!("{kind} `{}` uses it", user.name), &hint))
    }

    /// Whether hand-written SQL or a step of this plan may have dropped or changed an object.
    fn is_changed_by_hand(&self, name: &str) -> bool {
        self.operations.iter().any(|operation| match operation {
            Operation::Execute(statement) => {
                let text = statement.sql.text(Backend::Postgres).unwrap_or_default();
                let text = text.to_lowercase();
                [name, &quote(name)].iter().any(|name| text.contains(&name.to_lowercase()))
            }
            Operation::Run(_) => true,
            _ => false,
        })
    }

    /// Whether SQL of this plan may have dropped the view in a way that can't be followed.
    fn is_dropped_by_hand(&self, view: &ViewName) -> bool {
        self.operations.iter().any(|operation| {
            let Operation::Execute(statement) = operation else { return false };
            let text = statement.sql.text(Backend::Postgres).unwrap_or_default();
            let text = text.to_lowercase();
            text.contains("drop") && text.contains(&view.name.to_lowercase())
        })
    }

    /// Creates the views again that are dropped.
    pub(super) fn put_views_up(&mut self) {
        for down in views::in_order(std::mem::take(&mut self.views_down)) {
            let Down { unit, idx, is_other_query } = down;
            let operation = &self.operations[idx];
            self.tasks.push(task(operation, unit.sql.clone(), StatementKind::Native, None));
            let Some(known) = &self.facts.existing.views else { continue };
            let guards: Vec<Guard> = unit
                .views
                .iter()
                .filter_map(|view| views::kept(known, &view.name, is_other_query))
                .collect();
            guards.into_iter().for_each(|guard| self.guard(guard));
        }
    }
}
