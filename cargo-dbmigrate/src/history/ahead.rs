//! Reading a history while cargo checks the models.

use std::thread::{self, JoinHandle};

use dbmigrate_runtime::engine::Migrations;

use super::History;
use crate::context::Context;
use crate::error::Result;
use crate::{revision_files, runner};

/// A history and its migrations, which are being decoded on another thread.
pub struct Ahead(Option<JoinHandle<Result<(History, Migrations)>>>);

impl Ahead {
    /// Starts to decode the history, provided that every revision was recorded before. Compiling a
    /// revision, and every problem, are left to [`Ahead::finish`], so that they come in order.
    pub fn start(cx: &Context) -> Ahead {
        let known = || {
            let files = revision_files::all(cx).ok()?;
            let recordings = runner::unchanged(cx, &files)?;
            let history = History::of(cx, files, recordings, &[]).ok()?;
            let decode = move || history.migrations().map(|migrations| (history, migrations));
            thread::Builder::new().spawn(decode).ok()
        };
        Ahead(known())
    }

    /// The history with its migrations.
    ///
    /// # Errors
    ///
    /// As [`History::load`] and [`History::migrations`].
    pub fn finish(self, cx: &Context) -> Result<(History, Migrations)> {
        if let Some(Ok(res)) = self.0.map(JoinHandle::join) {
            return res;
        }
        let history = History::load(cx)?;
        let migrations = history.migrations()?;
        Ok((history, migrations))
    }
}
