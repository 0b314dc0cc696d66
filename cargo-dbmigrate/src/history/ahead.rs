//! Reading a history while cargo checks the models.

use std::thread::{self, JoinHandle};

use dbmigrate_runtime::engine::Migrations;

use super::History;
use crate::context::Context;
use crate::error::Result;
use crate::threads::STACK;
use crate::{revision_files, runner};

/// A history and its migrations, which are being decoded on another thread, and what `further`
/// computes from them there.
pub struct Ahead<T, F> {
    thread: Option<JoinHandle<Result<Known<T>>>>,
    further: F,
}

/// A history, its migrations, and what was computed from them.
pub type Known<T> = (History, Migrations, T);

impl<T, F> Ahead<T, F>
where
    T: Send + 'static,
    F: Fn(&Context, &History, &Migrations) -> T + Clone + Send + 'static,
{
    /// Starts to decode the history, provided that every revision was recorded before, and then to
    /// compute what needs no models: `further`, which prints nothing. Compiling a revision, and
    /// every problem, are left to [`Ahead::finish`], so that they come in order.
    pub fn start(cx: &Context, further: F) -> Ahead<T, F> {
        let then = further.clone();
        let known = || {
            let files = revision_files::all(cx).ok()?;
            let recordings = runner::unchanged(cx, &files)?;
            let history = History::of(cx, files, recordings, &[]).ok()?;
            let cx = cx.clone();
            let decode = move || {
                let migrations = history.migrations()?;
                let found = then(&cx, &history, &migrations);
                Ok((history, migrations, found))
            };
            thread::Builder::new().stack_size(STACK).spawn(decode).ok()
        };
        Ahead { thread: known(), further }
    }

    /// The history with its migrations, and what was computed from them.
    ///
    /// # Errors
    ///
    /// As [`History::load`] and [`History::migrations`].
    pub fn finish(self, cx: &Context) -> Result<Known<T>> {
        if let Some(Ok(res)) = self.thread.map(JoinHandle::join) {
            return res;
        }
        let history = History::load(cx)?;
        let migrations = history.migrations()?;
        let found = (self.further)(cx, &history, &migrations);
        Ok((history, migrations, found))
    }
}

/// For commands that need nothing further.
pub fn nothing(_: &Context, _: &History, _: &Migrations) {}
