//! `stamp`: marks revisions as applied without running them.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::executor::Executor;
use dbmigrate_runtime::engine::revision::{Range, Target};
use dbmigrate_runtime::engine::script::{self, Client};
use dbmigrate_runtime::engine::{Migrations, many, plan, standing, version_table};

mod from;

use super::Answer;
use super::upgrade_all::report::{Done, Report};
use super::upgrade_all::targets;
use crate::cli::{Run, Stamp};
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{self, History};
use crate::run;
use crate::runner::Steps;
use crate::snapshot::{self, Snapshot};

pub fn run(cx: &Context, args: &Stamp) -> Result<Answer> {
    if let Some(client) = args.script.client() {
        return write_script(cx, &args.revisions, client);
    }
    if let Some(tool) = args.from {
        return from::run(cx, args, tool);
    }
    let database = Database::find(cx)?;
    let history = History::load(cx)?;
    let rows = history::applied_ids(cx, &database)?;
    let (history, from, target) = understood(&history, &rows, &args.revisions)?;
    let migrations = history.migrations()?;
    let kept_rows = if args.purge { BTreeSet::new() } else { rows };
    let view = migrations.view_to_stamp(kept_rows, &target)?;
    let graph = view.of.graph();
    let stamped = plan::stamped(graph, &view.applied, &graph.translated(&target));
    if args.verify {
        verify(cx, &database, &view.of, &stamped).map_err(|err| {
            err.hint(
                "stamp the revision that it matches, or bring it in line by hand; without --verify \
                 it is stamped anyway",
            )
        })?;
    }
    let (entered, _) = enter(cx, &database, &migrations, (&target, args.purge))?;
    let to = heads_text(&graph.current(&stamped));
    cx.out.done(format!("Running stamp_revision {from} -> {to}"));
    let ids = target.ids();
    cx.out.json("stamp", serde_json::json!({ "revisions": ids, "entered": entered }));
    Ok(Answer::Done)
}

/// Stamps each of these databases; `stamp` returns what it has entered.
pub(super) fn each(
    cx: &Context,
    found: targets::Found,
    stamp: impl Fn(&Database) -> Result<Vec<String>> + Sync,
) -> Report {
    let mut report = Report::of_stamp(cx.out, &found.targets);
    for (target, err) in found.unreadable {
        report.add(&target, Err(err));
    }
    many::several(
        (&found.targets, None),
        || (),
        |(), target| Ok(Done { revisions: stamp(&target.database)?, ..Done::default() }),
        |target, res| report.add(target, res),
    );
    report
}

/// Enters the version rows of a target; `purge` removes those that are there first. Returns what was
/// entered, and the connection.
pub(super) fn enter(
    cx: &Context,
    database: &Database,
    migrations: &Migrations,
    (target, purge): (&Target, bool),
) -> Result<(Vec<String>, Box<dyn Driver>)> {
    let mut options = run::options(cx, &Run::default());
    let mut patience = Patience { out: cx.out, at_most: options.lock_timeout };
    let mut driver = patience.spend(|patience| database.open_to_write(patience))?;
    options.lock_timeout = patience.at_most;
    let mut observer = run::Progress::new(cx.out, 0);
    let mut steps = Steps::new(cx);
    let mut executor = Executor {
        driver: &mut *driver,
        migrations,
        options: &options,
        observer: &mut observer,
        steps: &mut steps,
    };
    let entered = executor.stamp(target, purge)?;
    Ok((entered, driver))
}

/// Prints the version rows that a stamp inserts and deletes. With a range this needs no database.
fn write_script(cx: &Context, identifiers: &[String], client: Client) -> Result<Answer> {
    let history = History::load(cx)?;
    let range = match identifiers {
        [identifier] => Range::parse(identifier),
        _ => None,
    };
    let mut rows = Vec::new();
    let (history, applied, to) = match range {
        Some(range) => {
            let from = range.from.as_deref().unwrap_or("base");
            let to = range.to.unwrap_or_else(|| "head".to_owned());
            let (history, applied) = run::applied_at(cx, &history, from)?;
            (history, applied, vec![to])
        }
        None => {
            rows = history::applied(cx, &Database::find(cx)?)?;
            (history, standing::ids(&rows), identifiers.to_vec())
        }
    };
    let (history, _, target) = understood(&history, &applied, &to)?;
    let table = cx.config.version_table();
    let migrations = history.migrations()?;
    let is_edited = |row: &&version_table::VersionRow| {
        migrations.get(&row.id).is_some_and(|migration| migration.checksum != row.checksum)
    };
    let edited = rows.iter().filter(is_edited).map(|row| row.id.clone()).collect();
    let stamp = script::Stamp { target: &target, applied: &applied, edited: &edited };
    let text = script::stamp_script(&migrations, stamp, cx.dialect(), table)?;
    let text = script::for_client(&text, cx.dialect(), client);
    cx.out.text(&text);
    cx.out.json("stamp", serde_json::json!({ "revisions": target.ids(), "sql": text }));
    Ok(Answer::Done)
}

fn heads_text(ids: &[&str]) -> String {
    if ids.is_empty() { "<base>".to_owned() } else { ids.join(", ") }
}

/// Resolves the target of a stamp in the history as the database sees it, including the named
/// revisions, and returns the heads that the database has. A database at a revision without a file
/// is not refused yet, since a stamp may be the remedy.
fn understood(
    history: &History,
    rows: &BTreeSet<String>,
    identifiers: &[String],
) -> Result<(History, String, Target)> {
    let (history, applied) = match history.at(rows.clone()) {
        Ok((history, applied)) => (history.into_owned(), applied),
        Err(_) => (history.clone(), rows.clone()),
    };
    let from = heads_text(&history.graph.current(&applied));
    let is_inner = |id: &&str| history.graph.replaced_by(id).is_some();
    let inner: Vec<&str> = identifiers.iter().map(String::as_str).filter(is_inner).collect();
    let history = history.naming(&inner)?.into_owned();
    let target = history.graph.targets(identifiers, Some(&applied))?;
    Ok((history, from, target))
}

/// Fails if the database doesn't match the schema that these revisions build.
pub(super) fn verify(
    cx: &Context,
    database: &Database,
    migrations: &Migrations,
    stamped: &BTreeSet<String>,
) -> Result<()> {
    let snapshot = Snapshot::unversioned(cx, database, migrations)?;
    let declared = snapshot.declared(migrations, stamped);
    let drift =
        snapshot.drift(&migrations.replay(Some(stamped))?, &migrations.replay(None)?, declared)?;
    snapshot::warn_of_untold(cx, &drift.untold);
    if drift.differences.is_empty() {
        if drift.n_compared == 0 && !drift.others.is_empty() {
            cx.out.warning(
                "--verify compared nothing: these revisions describe nothing in the database",
            );
        }
        return Ok(());
    }
    let mut message = match migrations.graph().current(stamped).as_slice() {
        [] => "the database does not match its state before the first revision:".to_owned(),
        [id] => format!("the database does not match revision `{id}`:"),
        ids => format!("the database does not match revisions `{}`:", ids.join("`, `")),
    };
    for difference in &drift.differences {
        message += &format!("\n  {difference}");
    }
    Err(Error::new(message).hint(
        "bring it in line by hand; `stamp --verify REV` marks another revision if the database has \
         its schema",
    ))
}
