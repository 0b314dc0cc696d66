//! What a run would work on, without running it: for scripts and plans.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::barriers;
use dbmigrate_runtime::engine::dialect::{Dialect, Facts};
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::revision::{Range, View};
use dbmigrate_runtime::engine::{
    Migrations, executor,
    plan::{self, Route},
    standing,
};
use dbmigrate_runtime::{Barrier, Direction};

use super::{options, stored_facts};
use crate::cli::Run;
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{self, History};

/// The revisions that a run would take, and what their statements depend on.
pub struct Loaded {
    pub direction: Direction,
    pub migrations: Migrations,
    /// The rows of the version table.
    pub rows: BTreeSet<String>,
    /// What is applied from the database's point of view.
    pub applied: BTreeSet<String>,
    /// The revisions, in the order of the run.
    pub ids: Vec<String>,
    /// The barriers that the run stops before.
    pub barriers: Vec<Barrier>,
    pub dialect: &'static dyn Dialect,
    pub facts: Facts,
    /// The URL of the database, without a password; `None` if the revisions are those of a range.
    pub url: Option<String>,
    /// The database; `None` if the revisions are those of a range, or if it doesn't exist yet.
    pub reader: Option<Box<dyn Driver>>,
}

/// The revisions to load: a target or a range, and the direction.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub direction: Direction,
    pub identifier: &'a str,
    pub run: &'a Run,
    /// What is known about a database that is known to have these facts.
    pub facts: fn(&dyn Dialect, Facts) -> Facts,
}

impl Loaded {
    /// Reads the history, and the database unless the identifier is a range.
    ///
    /// # Errors
    ///
    /// When a run would be refused before it begins.
    pub fn load(cx: &Context, wanted: Wanted<'_>) -> Result<Loaded> {
        let Wanted { direction, identifier, .. } = wanted;
        let history = History::load(cx)?;
        let mut facts = cx.dialect().offline_facts();
        let (mut url, mut reader) = (None, None);
        let (history, rows, applied, to) = match Range::parse(identifier) {
            Some(range) => {
                let (from, to) = match direction {
                    Direction::Upgrade => ("base", "head"),
                    Direction::Downgrade => ("heads", "base"),
                };
                let from = range.from.as_deref().unwrap_or(from);
                let (history, applied) = applied_at(cx, &history, from)?;
                (history, applied.clone(), applied, range.to.unwrap_or_else(|| to.to_owned()))
            }
            None => {
                let database = Database::find(cx)?;
                url = Some(database.url());
                let applied = history::applied(cx, &database)?;
                reader = database.open_to_read(Patience::reading(cx))?;
                if let Some(driver) = &mut reader {
                    facts = (wanted.facts)(driver.dialect(), stored_facts(&mut **driver)?);
                }
                let standing = history.standing(applied)?;
                standing.check(false)?;
                let rows = standing::ids(&standing.rows);
                let View { of: history, applied, .. } = standing.view;
                (history.into_owned(), rows, applied, identifier.to_owned())
            }
        };
        history.note_replaced(cx, &[&to]);
        let graph = &history.graph;
        let target = plan::target(graph, &applied, direction, &to)?;
        let mut ids = plan::route(graph, &applied, direction, &target);
        let mut stops_before = Vec::new();
        if direction == Direction::Upgrade {
            plan::check_order(graph, &applied, &ids, &target)?;
        }
        // A range itself says which revisions are meant.
        let may_stop = url.is_some() && !wanted.run.past_barriers;
        if direction == Direction::Upgrade && may_stop {
            let begun = match &mut reader {
                Some(driver) => history::unfinished_in(cx, &mut **driver)?,
                None => Vec::new(),
            };
            let reach = barriers::offline(&history, &target, &applied, &begun);
            reach.refuse(identifier)?;
            (ids, stops_before) = (reach.ids, reach.barriers);
        }
        let migrations = history.migrations()?;
        // A server says which of the history's dialects it speaks.
        let dialect = reader.as_ref().map_or_else(|| cx.dialect(), |driver| driver.dialect());
        let mut loaded = Loaded {
            direction,
            migrations,
            rows,
            applied,
            ids,
            barriers: stops_before,
            dialect,
            facts,
            url,
            reader,
        };
        loaded.refuse(cx, wanted.run)?;
        Ok(loaded)
    }

    /// Refuses what a run would refuse, and completes the facts with those about the tables that it
    /// changes.
    fn refuse(&mut self, cx: &Context, run: &Run) -> Result<()> {
        let Some(mut driver) = self.reader.take() else {
            return Ok(plan::refuse_mismatch_offline(&self.route(), self.dialect)?);
        };
        let options = options(cx, run);
        executor::refuse_unfinished(&mut *driver, &options, &self.rows)?;
        executor::refuse_mismatch(driver.as_connection(), &self.route())?;
        let pending = self.ids.iter().filter_map(|id| self.migrations.get(id));
        let operations: Vec<_> = pending
            .flat_map(|migration| migration.recording(self.direction).operations.clone())
            .collect();
        let failed = |err| Error::new("failed to read the tables").cause(err);
        let found = self.dialect.facts_for(driver.as_connection(), &operations, &self.facts);
        let found = found.map_err(failed)?;
        self.facts.large = found.large;
        // PostgreSQL's script may run on a database that lacks a schema of this one.
        if self.dialect.backend().is_mysql_like() {
            self.facts.existing = found.existing;
        }
        self.reader = Some(driver);
        Ok(())
    }

    /// The revisions as planning takes them.
    pub fn route(&self) -> Route<'_> {
        let Loaded { migrations, direction, ids, applied, .. } = self;
        Route { migrations, direction: *direction, ids, applied }
    }
}

/// The history of a database at this revision, and what is applied in it.
pub fn applied_at(
    cx: &Context,
    history: &History,
    identifier: &str,
) -> Result<(History, BTreeSet<String>)> {
    let history = history.naming(&[identifier])?;
    let (history, applied) = history.to_understand(cx, &[identifier])?;
    let target = history.graph.target(identifier, applied.as_ref())?;
    let before = history.graph.with_ancestors(&target.ids());
    let before = before.into_iter().map(str::to_owned).collect();
    Ok((history.into_owned(), before))
}
