//! `watch`: the difference between models and migrations, shown again whenever sources are saved.

mod files;

use std::process::exit;
use std::thread::sleep;
use std::time::Duration;

use super::{Answer, diff};
use crate::cli::{Diff, Script};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::interrupt;
use files::Files;

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_millis(250);

/// How many changed files are named.
const NAMED: usize = 3;

/// Compares until it is interrupted, which is the usual end.
pub fn run(cx: &Context) -> Result<Answer> {
    if cx.out.is_json() {
        let message = "`watch` has no JSON document, since it runs until it is interrupted";
        return Err(Error::new(message).hint("`cargo dbmigrate diff --format json` compares once"));
    }
    interrupt::before_end(|| exit(0));
    interrupt::watch();
    let mut files = Files::find(&cx.project);
    let place = cx.project.workspace_root.display();
    cx.out.progress(format!("Watching `{place}`; Ctrl-C ends this"));
    loop {
        compare(cx);
        let changed = next_change(cx, &mut files);
        let named: Vec<_> =
            changed.iter().take(NAMED).map(|path| cx.project.shown(path).to_string()).collect();
        let more = match changed.len().saturating_sub(NAMED) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        cx.out.progress(format!("\nSaved `{}`{more}", named.join("`, `")));
    }
}

/// Shows the difference. A failure is shown as well, and the session goes on.
fn compare(cx: &Context) {
    let res = fresh(cx).and_then(|cx| {
        let args = Diff {
            from: "migrations".to_owned(),
            to: "models".to_owned(),
            exit_code: false,
            script: Script::default(),
        };
        diff::run(&cx, &args)
    });
    if let Err(err) = res {
        cx.out.error("diff", &err);
    }
}

/// The project as it is now: the settings may have changed, and the models are read again.
fn fresh(cx: &Context) -> Result<Context> {
    let out = cx.out.briefly();
    let default = Context::new(cx.global.clone(), out)?;
    match &cx.database {
        Some(name) => default.with_database(name),
        None => Ok(default),
    }
}

/// Waits until files are saved, and until no more are being saved.
fn next_change(cx: &Context, files: &mut Files) -> Vec<std::path::PathBuf> {
    loop {
        sleep(INTERVAL);
        let mut now = files.again(&cx.project);
        if now == *files {
            continue;
        }
        // An editor may save several files, or write one in several steps.
        loop {
            sleep(INTERVAL);
            let later = now.again(&cx.project);
            if later == now {
                break;
            }
            now = later;
        }
        let changed = now.differing(files);
        // A manifest that was saved may lead to other directories.
        *files = Files::find(&cx.project);
        if !changed.is_empty() {
            return changed;
        }
    }
}
