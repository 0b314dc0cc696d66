//! `stamp`: enters revisions as applied without running them.

use std::collections::BTreeSet;

use dbmigrate_runtime::dialect::Sqlite;
use dbmigrate_runtime::executor::Executor;
use dbmigrate_runtime::revision::Target;
use dbmigrate_runtime::{Migrations, script};

use super::{Answer, upgrade};
use crate::cli::{Run, Stamp};
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{self, History};
use crate::live::Live;
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
    if args.verify {
        verify(cx, &database, &migrations, &target)?;
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

/// Fails where the database isn't what the target's revisions build.
fn verify(
    cx: &Context,
    database: &Database,
    migrations: &Migrations,
    target: &Target,
) -> Result<()> {
    let wanted = migrations.graph().with_ancestors(&target.ids());
    let wanted: BTreeSet<_> = wanted.into_iter().map(str::to_owned).collect();
    let live = Live::unversioned(cx, database)?;
    let drift = live.drift(&migrations.replay(Some(&wanted))?, &migrations.replay(None)?)?;
    if drift.differences.is_empty() {
        return Ok(());
    }
    let mut message = match target.ids().as_slice() {
        [] => "the database is not what it is before the first revision:".to_owned(),
        [id] => format!("the database is not what revision `{id}` builds:"),
        ids => format!("the database is not what revisions `{}` build:", ids.join("`, `")),
    };
    for it in &drift.differences {
        message += &format!("\n  {it}");
    }
    Err(Error::new(message).hint(
        "stamp the revision that it is, or bring it in line by hand; without --verify it is \
         stamped all the same",
    ))
}
