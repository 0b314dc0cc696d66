//! Reports the progress of a run.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use dbmigrate_runtime::engine::driver::Waiting;

use dbmigrate_runtime::engine::Migration;
use dbmigrate_runtime::engine::dialect::Statement;
use dbmigrate_runtime::engine::executor::{Observer, Piece, continuing_text, late_text};
use dbmigrate_runtime::engine::revision::Revision;
use dbmigrate_runtime::engine::script;
use dbmigrate_runtime::{Direction, StepResult};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::backup::Keeper;
use crate::output::Output;

/// Reports what a run does, and shows a bar if it takes long and somebody is watching.
pub struct Progress<'k> {
    out: Output,
    bar: ProgressBar,
    keeper: Option<&'k mut Keeper>,
    /// The revisions that were reported as running.
    said_running: BTreeSet<String>,
    /// When a piece of a step was last reported.
    said_piece: Option<Instant>,
}

/// A run that is finished earlier shows no bar.
const PATIENCE: Duration = Duration::from_secs(1);

impl<'k> Progress<'k> {
    pub fn new(out: Output, n_revisions: usize) -> Progress<'k> {
        let bar = bar(out, n_revisions, "revisions");
        Progress { out, bar, keeper: None, said_running: BTreeSet::new(), said_piece: None }
    }

    /// The same for a run that makes a backup before it begins.
    pub fn keeping(out: Output, n_revisions: usize, keeper: &'k mut Keeper) -> Progress<'k> {
        let bar = bar(out, n_revisions, "revisions");
        Progress { out, bar, keeper: Some(keeper), said_running: BTreeSet::new(), said_piece: None }
    }
}

/// A bar for this many things, shown after a short delay.
pub fn bar(out: Output, n: usize, things: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(n as u64), ProgressDrawTarget::hidden());
    if n > 0 && !out.quiet && crate::output::is_interactive() {
        let template = format!("{{spinner}} {{bar:30}} {{pos}} of {{len}} {things}, {{elapsed}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        let bar = bar.clone();
        std::thread::spawn(move || {
            std::thread::sleep(PATIENCE);
            if !bar.is_finished() {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(Duration::from_millis(100));
            }
        });
    }
    bar
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Progress<'_> {
    fn begun(&mut self, direction: Direction, pending: &[&Migration]) -> StepResult {
        match &mut self.keeper {
            Some(keeper) => self.bar.suspend(|| Ok(keeper.begun(direction, pending)?)),
            None => Ok(()),
        }
    }

    fn running(&mut self, direction: Direction, revision: &Revision) {
        let text = script::running(direction, revision);
        // A transaction is repeated after a conflict with other sessions.
        if self.said_running.insert(text.clone()) {
            self.bar.suspend(|| self.out.done(text));
            self.bar.inc(1);
        }
    }

    fn continuing(&mut self, statement: usize) {
        self.bar.suspend(|| self.out.done(continuing_text(statement)));
    }

    fn taking_back(&mut self, direction: Direction, revision: &Revision) {
        let what = direction.name();
        let id = &revision.id;
        self.bar.suspend(|| self.out.done(format!("Taking back the half-done {what} {id}")));
    }

    fn statement(&mut self, statement: &Statement) {
        self.bar
            .suspend(|| self.out.detail(format!("-- {}\n{};", statement.reason, statement.sql)));
    }

    fn piece(&mut self, piece: &Piece<'_>) {
        // A table may have a million pieces.
        if self.said_piece.is_none_or(|said| said.elapsed() >= PATIENCE) {
            self.said_piece = Some(Instant::now());
            self.bar.suspend(|| self.out.progress(piece.to_string()));
        }
    }

    fn late(&mut self, revision: &Revision, applied: &Revision) {
        self.bar.suspend(|| self.out.note(late_text(revision, applied)));
    }

    fn waiting(&mut self, waiting: &Waiting) {
        self.bar.suspend(|| self.out.waiting(waiting));
    }
}
