//! `stamp`: enters revisions as applied without running them.

use dbmigrate_runtime::dialect::Sqlite;
use dbmigrate_runtime::executor::Executor;
use dbmigrate_runtime::script;

use super::{Answer, upgrade};
use crate::cli::{Run, Stamp};
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::Result;
use crate::history::{self, History};
use crate::runner::Steps;

pub fn run(cx: &Context, args: &Stamp) -> Result<Answer> {
    let database = Database::find(cx)?;
    let history = History::load(cx)?;
    let applied = history::applied_ids(cx, &database)?;
    let target = history.graph.target(&args.revision, Some(&applied))?;
    let migrations = history.migrations()?;
    let options = upgrade::options(cx, &Run { lock_timeout: 60, ..Run::default() });
    if args.sql {
        let table = &options.version_table;
        let text = script::stamp_script(&migrations, &target, &applied, &Sqlite, table);
        cx.out.text(&text);
        cx.out.json("stamp", serde_json::json!({ "sql": text }));
        return Ok(Answer::Done);
    }
    let text = |ids: &[&str]| {
        if ids.is_empty() { "<base>".to_owned() } else { ids.join(", ") }
    };
    let from = text(&history.graph.current(&applied));
    let patience = Patience { out: cx.out, at_most: options.lock_timeout };
    let mut driver = database.open_to_write(patience)?;
    let mut observer = upgrade::Progress::new(cx.out, 0);
    let mut steps = Steps::new(cx);
    let mut executor = Executor {
        driver: &mut *driver,
        migrations: &migrations,
        options: &options,
        observer: &mut observer,
        steps: &mut steps,
    };
    let entered = executor.stamp(&target, args.purge)?;
    cx.out.done(format!("Running stamp_revision {from} -> {}", text(&target.ids())));
    let ids = target.ids();
    cx.out.json("stamp", serde_json::json!({ "revisions": ids, "entered": entered }));
    Ok(Answer::Done)
}
