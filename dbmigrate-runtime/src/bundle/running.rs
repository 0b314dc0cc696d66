//! The commands that run revisions.

use std::collections::BTreeSet;
use std::time::Instant;

use super::arguments::Verb;
use super::database::rows;
use super::output::{Failure, Output, barriers_member};
use super::{Answer, Bundle};
use crate::barriers::{self, Barrier};
use crate::dialect::Statement;
use crate::direction::Direction;
use crate::driver::{Driver, Waiting};
use crate::executor::{
    self, Executor, Observer, Options, OwnSteps, Piece, continuing_text, late_text,
};
use crate::losses;
use crate::migration::Migrations;
use crate::operations::Json;
use crate::revision::{Graph, Revision, Target};
use crate::script;
use crate::standing::Standing;

/// `upgrade`
pub fn upgrade(bundle: &Bundle) -> Result<Answer, Failure> {
    let Bundle { arguments, options, database, .. } = bundle;
    let mut reader = database.open_to_read()?;
    let rows = rows(reader.as_deref_mut(), options)?;
    let standing = Standing::of(&bundle.migrations, rows)?;
    standing.check(options.allow_ahead)?;
    note_replaced(bundle, standing.graph());
    let target = standing.target(Direction::Upgrade, &arguments.revision)?;
    let reach = match &mut reader {
        Some(driver) => {
            barriers::reach(driver.as_connection(), &standing, &target, options.passing())?
        }
        None => barriers::offline(&*standing.view.of, &target, standing.applied(), &[]),
    };
    reach.refuse(&arguments.revision)?;
    if reach.ids.is_empty() {
        if let Some(driver) = &mut reader {
            executor::refuse_unfinished(&mut **driver, options, standing.applied())?;
        }
        nothing_to(bundle, Verb::Upgrade, standing.graph(), standing.applied());
        report(bundle, Verb::Upgrade, &[], &reach.barriers);
    } else {
        drop(reader);
        let ran = run(bundle, (Direction::Upgrade, &target), |_| Ok(()))?;
        report(bundle, Verb::Upgrade, &ran, &reach.barriers);
    }
    let (out, to) = (&bundle.out, &arguments.revision);
    reach.barriers.iter().for_each(|barrier| out.done(&barrier.stopping(&out.program, to)));
    Ok(Answer::Done)
}

/// `downgrade`
pub fn downgrade(bundle: &Bundle) -> Result<Answer, Failure> {
    let Bundle { arguments, options, database, migrations, .. } = bundle;
    if database.is_missing() {
        let message = format!("the database `{}` does not exist", database.name());
        return Err(Failure::new(message, "`cargo dbmigrate upgrade` creates it"));
    }
    let mut reader = database.open_to_read()?;
    let rows = rows(reader.as_deref_mut(), options)?;
    let standing = Standing::of(migrations, rows)?;
    standing.check(options.allow_ahead)?;
    let target = standing.target(Direction::Downgrade, &arguments.revision)?;
    let ids = standing.route(Direction::Downgrade, &target);
    if ids.is_empty() {
        nothing_to(bundle, Verb::Downgrade, standing.graph(), standing.applied());
        report(bundle, Verb::Downgrade, &[], &[]);
        return Ok(Answer::Done);
    }
    drop(reader);
    let of_database = &standing.view.of;
    let applied = &standing.view.applied;
    let ran = run(bundle, (Direction::Downgrade, &target), |driver| {
        if arguments.allow_destructive {
            return Ok(());
        }
        refuse_losses(driver, of_database, (applied, &ids))
    })?;
    report(bundle, Verb::Downgrade, &ran, &[]);
    Ok(Answer::Done)
}

/// Refuses to discard rows that nobody agreed to lose.
fn refuse_losses(
    driver: &mut dyn Driver,
    migrations: &Migrations,
    (applied, ids): (&BTreeSet<String>, &[String]),
) -> Result<(), Failure> {
    let before = migrations.replay(Some(applied))?;
    let losses = losses::losses(driver, (migrations, ids), before, |_| false)?;
    if losses.is_empty() {
        return Ok(());
    }
    let lines: String = losses.iter().map(|loss| format!("\n  {loss}")).collect();
    let message = format!("the downgrade would discard:{lines}");
    Err(Failure::new(message, "--allow-destructive discards them"))
}

/// Runs to a target, after a look at the database that may refuse it.
fn run(
    bundle: &Bundle,
    (direction, target): (Direction, &Target),
    look: impl FnOnce(&mut dyn Driver) -> Result<(), Failure>,
) -> Result<Vec<String>, Failure> {
    let start = Instant::now();
    let mut driver = bundle.database.open_to_write(&bundle.options)?;
    look(&mut *driver)?;
    let lock_timeout = bundle.options.lock_timeout.saturating_sub(start.elapsed());
    let options = Options { lock_timeout, ..bundle.options.clone() };
    let mut executor = Executor {
        driver: &mut *driver,
        migrations: &bundle.migrations,
        options: &options,
        observer: &mut Progress { out: &bundle.out, printed: BTreeSet::new() },
        steps: &mut OwnSteps,
    };
    Ok(executor.run_to(direction, target)?)
}

/// The document of a run.
fn report(bundle: &Bundle, verb: Verb, ran: &[String], barriers: &[Barrier]) {
    let mut members = vec![("ran", Json::texts(ran)), ("backup", Json::Null)];
    members.extend(barriers_member(barriers));
    bundle.out.json(verb, members);
}

/// Reports that a database already is at its target.
fn nothing_to(bundle: &Bundle, verb: Verb, graph: &Graph, applied: &BTreeSet<String>) {
    let at = match graph.current(applied).as_slice() {
        [] => "has no revision applied".to_owned(),
        ids => format!("is at {}", ids.join(", ")),
    };
    let url = bundle.database.shown();
    bundle.out.progress(&format!("Nothing to {}: {url} {at}", verb.name()));
}

/// Reports what is in place of a replaced revision.
fn note_replaced(bundle: &Bundle, graph: &Graph) {
    if let Some((id, by)) = graph.replaced_by(&bundle.arguments.revision) {
        bundle.out.note(&format!("revision `{id}` is part of `{}`, which replaces it", by.id));
    }
}

/// Reports what a run does.
struct Progress<'a> {
    out: &'a Output,
    /// The headings that were printed, since a transaction may be repeated.
    printed: BTreeSet<String>,
}

impl Observer for Progress<'_> {
    fn running(&mut self, direction: Direction, revision: &Revision) {
        let text = script::running(direction, revision);
        if self.printed.insert(text.clone()) {
            self.out.done(&text);
        }
    }

    fn continuing(&mut self, statement: usize) {
        self.out.done(&continuing_text(statement));
    }

    fn taking_back(&mut self, direction: Direction, revision: &Revision) {
        let what = direction.name();
        self.out.done(&format!("Taking back the half-done {what} {}", revision.id));
    }

    fn statement(&mut self, statement: &Statement) {
        self.out.detail(&format!("-- {}\n{};", statement.reason, statement.sql));
    }

    fn piece(&mut self, piece: &Piece<'_>) {
        self.out.progress(&piece.to_string());
    }

    fn late(&mut self, revision: &Revision, applied: &Revision) {
        self.out.note(&late_text(revision, applied));
    }

    fn waiting(&mut self, waiting: &Waiting) {
        self.out.progress(&waiting.to_string());
    }
}
