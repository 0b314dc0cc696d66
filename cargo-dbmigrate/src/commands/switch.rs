//! `switch`: takes the database to the revisions of the files, after git has switched branches.

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::Direction;
use dbmigrate_runtime::engine::dialect::{Dialect, Facts};
use dbmigrate_runtime::engine::driver::Driver;
use dbmigrate_runtime::engine::executor::Executor;
use dbmigrate_runtime::engine::plan::{self, Route};
use dbmigrate_runtime::engine::recording::Recording;
use dbmigrate_runtime::engine::revision::{Revision, Target, View};
use dbmigrate_runtime::engine::version_table::{self, Entry};
use dbmigrate_runtime::engine::{Migration, Migrations, standing};
use dbmigrate_runtime::schema::Schema;
use serde_json::json;

use super::{Answer, plan as planning};
use crate::autogenerate::{Commented, way_back};
use crate::backup::Keeper;
use crate::cli::{Run, Switch};
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::git;
use crate::history::{self, History};
use crate::output::style;
use crate::run::{self, Loaded, Ran, Up};
use crate::runner::Steps;

pub fn run(cx: &Context, args: &Switch) -> Result<Answer> {
    let database = Database::find(cx)?;
    let history = History::load(cx)?;
    // No program of another release uses a database of a developer.
    let run = Run { past_barriers: true, ..args.run() };
    let back = if database.is_missing() { None } else { Back::find(cx, &database, &history)? };
    let Some(back) = back else {
        if args.dry_run {
            return planning::dry_run(cx, "switch", (Direction::Upgrade, "heads"), &run);
        }
        let ran = run::upgrade(cx, &database, &history, &Up { to: "heads", run: &run })?;
        report(cx, &[], &ran, ran.backup.as_deref());
        return Ok(Answer::Done);
    };
    if args.dry_run {
        return back.show(cx, &database, &run);
    }
    let undone = back.run(cx, &database, args)?;
    // One backup is enough, and the first one has the most.
    let has_backup = undone.backup.is_some();
    let run =
        Run { backup: run.backup && !has_backup, no_backup: run.no_backup || has_backup, ..run };
    let ran = run::upgrade(cx, &database, &history, &Up { to: "heads", run: &run })
        .inspect_err(|_| cx.out.note("what the files lack was taken back before this failed"))?;
    report(cx, &undone.ids, &ran, undone.backup.or(ran.backup.clone()).as_deref());
    Ok(Answer::Done)
}

fn report(cx: &Context, undone: &[String], ran: &Ran, backup: Option<&str>) {
    cx.out.json("switch", json!({ "undone": undone, "ran": ran.ids, "backup": backup }));
}

/// The way back from what is applied and has no file.
struct Back {
    /// The project's migrations, and those that only the database knows, with a way back.
    migrations: Migrations,
    /// What is applied, and what of it has a file.
    applied: BTreeSet<String>,
    kept: BTreeSet<String>,
    /// What is taken back, in this order.
    ids: Vec<String>,
    /// What the files have and the database lacks, afterwards.
    forward: Forward,
}

struct Forward {
    migrations: Migrations,
    applied: BTreeSet<String>,
    ids: Vec<String>,
}

impl Back {
    /// `None` if every applied revision has a file.
    ///
    /// # Errors
    ///
    /// An applied revision that was edited, and one that can't be taken back.
    fn find(cx: &Context, database: &Database, history: &History) -> Result<Option<Back>> {
        let table = cx.config.version_table();
        let Some(mut driver) = database.open_to_read(Patience::reading(cx))? else {
            return Ok(None);
        };
        let rows = version_table::read(driver.as_connection(), table)?;
        let graph = &history.graph;
        standing::check_applied(graph, |id| history.checksum(id), &rows, true)?;
        let has_file = |id: &str| graph.get(id).is_some() || graph.find(id).is_some();
        if rows.iter().all(|row| has_file(&row.id)) {
            return Ok(None);
        }
        let mut entries = version_table::entries(driver.as_connection(), table)?;
        entries.retain(|entry| !has_file(&entry.id));
        let mut gone = BTreeMap::new();
        for entry in &entries {
            gone.insert(entry.id.as_str(), entry.decode_downgrade()?);
        }
        let known = history.migrations()?;
        let mut all: Vec<Migration> = known.every().cloned().collect();
        for entry in &entries {
            all.push(recorded(entry)?);
        }
        let all = Migrations::new(all)?;
        let View { of, applied, .. } = all.view(standing::ids(&rows))?;
        let mut migrations = of.clone().into_owned();
        let order: Vec<String> =
            of.graph().revisions().iter().map(|revision| revision.id.clone()).collect();
        let mut before = applied.clone();
        let mut ids = Vec::new();
        let mut refused = Vec::new();
        for id in order.iter().rev() {
            before.remove(id);
            let (Some(migration), Some(written)) = (of.get(id), gone.remove(id.as_str())) else {
                continue;
            };
            let downgrade = match written {
                Some(downgrade) => downgrade,
                None => derived(migration, &of.replay(Some(&before))?, driver.dialect())?,
            };
            if let Some(why) = run::needs_file(&downgrade) {
                refused.push((migration, why));
            }
            migrations = migrations.with(Migration { downgrade, ..migration.clone() });
            ids.push(id.clone());
        }
        if !refused.is_empty() {
            return Err(no_way_back(cx, &refused));
        }
        let kept_rows = rows.iter().filter(|row| has_file(&row.id));
        let (here, kept) = history.at(kept_rows.map(|row| row.id.clone()).collect())?;
        let (heads, pending) = here.pending(&kept);
        plan::check_order(&here.graph, &kept, &pending, &heads)?;
        let forward =
            Forward { migrations: here.migrations()?, applied: kept.clone(), ids: pending };
        let kept = applied.iter().filter(|id| has_file(id)).cloned().collect();
        Ok(Some(Back { migrations, applied, kept, ids, forward }))
    }

    fn route(&self) -> Route<'_> {
        let Back { migrations, applied, ids, .. } = self;
        Route { migrations, direction: Direction::Downgrade, ids, applied }
    }

    /// Fails if the upgrade that follows would be refused.
    fn plan_forward(&self, driver: &mut dyn Driver) -> Result<Facts> {
        let failed = |err| Error::new("failed to read the database's version").cause(err);
        let facts = driver.as_connection().facts().map_err(failed)?;
        let Forward { migrations, applied, ids, .. } = &self.forward;
        let route = Route { migrations, direction: Direction::Upgrade, ids, applied };
        plan::plan(&route, driver.dialect(), &facts)?;
        plan::refuse_mismatch_offline(&route, driver.dialect())?;
        Ok(facts)
    }

    /// Takes the revisions back.
    fn run(&self, cx: &Context, database: &Database, args: &Switch) -> Result<Ran> {
        let run = args.run();
        let mut keeper = Keeper::of(cx, database, &run)?;
        let mut options = run::options(cx, &run);
        let mut patience = Patience { out: cx.out, at_most: options.lock_timeout };
        let mut driver = patience.spend(|patience| database.open_to_write(patience))?;
        options.lock_timeout = patience.at_most;
        let facts = run::stored_facts(&mut *driver)?;
        plan::plan(&self.route(), driver.dialect(), &facts)?;
        self.plan_forward(&mut *driver)?;
        let what = (&self.applied, self.ids.as_slice());
        run::confirm_losses(&mut *driver, &self.migrations, what, args.allow_destructive)?;
        keeper.note(driver.dialect().backend());
        let mut observer = run::Progress::keeping(cx.out, self.ids.len(), &mut keeper);
        let mut steps = Steps::new(cx);
        let mut executor = Executor {
            driver: &mut *driver,
            migrations: &self.migrations,
            options: &options,
            observer: &mut observer,
            steps: &mut steps,
        };
        let mut undone = Vec::new();
        let res = self.targets().iter().try_for_each(|target| {
            undone.extend(executor.run_to(Direction::Downgrade, target)?);
            Ok::<(), dbmigrate_runtime::Error>(())
        });
        drop(observer);
        keeper.end(res).map(|((), backup)| Ran { ids: undone, backup, ..Ran::default() })
    }

    /// The targets that leave exactly what has a file: all of that, and the base of each line that
    /// begins on its own.
    fn targets(&self) -> Vec<Target> {
        if self.kept.is_empty() {
            return vec![Target::Base];
        }
        let kept = Target::Revisions(self.kept.iter().cloned().collect());
        let is_base = |id: &&String| {
            let migration = self.migrations.get(id);
            migration.is_some_and(|migration| migration.revision.parents.is_empty())
        };
        let bases = self.ids.iter().filter(is_base);
        let base = |id: &String| Target::Branch { branch: id.clone(), ids: Vec::new() };
        [kept].into_iter().chain(bases.map(base)).collect()
    }

    /// Prints both plans.
    fn show(self, cx: &Context, database: &Database, run: &Run) -> Result<Answer> {
        let Some(mut driver) = database.open_to_read(Patience::reading(cx))? else {
            return Err(database.missing());
        };
        let facts = run::stored_facts(&mut *driver)?;
        let after = self.plan_forward(&mut *driver)?;
        let dialect = driver.dialect();
        let (url, ids_back) = (Some(database.url()), self.ids.clone());
        let back = Loaded {
            direction: Direction::Downgrade,
            migrations: self.migrations,
            rows: self.applied.clone(),
            applied: self.applied,
            ids: self.ids,
            barriers: Vec::new(),
            dialect,
            facts,
            url: url.clone(),
            reader: Some(driver),
        };
        let (back, answer) = planning::show(cx, back, run)?;
        cx.out.line("");
        let Forward { migrations, applied, ids } = self.forward;
        let forward = Loaded {
            direction: Direction::Upgrade,
            migrations,
            rows: applied.clone(),
            applied,
            ids,
            barriers: Vec::new(),
            dialect,
            facts: after,
            url,
            reader: None,
        };
        let (forward, _) = planning::show(cx, forward, run)?;
        let blocks = [&back["plan"], &forward["plan"]];
        let blocks: Vec<_> =
            blocks.into_iter().filter_map(|plan| plan.as_array()).flatten().collect();
        let json = json!({ "dry_run": true, "back": ids_back, "plan": blocks });
        cx.out.json("switch", json);
        Ok(answer)
    }
}

/// A revision as the database recorded it, without a way back.
fn recorded(entry: &Entry) -> Result<Migration> {
    let revision = Revision {
        id: entry.id.clone(),
        parents: entry.parents.clone(),
        message: entry.message.clone(),
        ..Revision::default()
    };
    let upgrade = Recording { operations: entry.decode()?, ..Recording::default() };
    Ok(Migration::new(revision, upgrade, Recording::default()))
}

/// The way back that follows from what a revision did after this schema.
fn derived(
    migration: &Migration,
    before: &Schema,
    dialect: &'static dyn Dialect,
) -> Result<Recording> {
    let Commented { operations, irreversible, .. } =
        way_back(&migration.upgrade.operations, before, dialect, &[])?;
    Ok(Recording { operations, irreversible, ..Recording::default() })
}

/// The error about revisions that can't be taken back, the last applied one first.
fn no_way_back(cx: &Context, refused: &[(&Migration, String)]) -> Error {
    let dir = &cx.project.migrations_dir;
    let mut text =
        "the database has revisions that no file of this branch describes, and some can't \
                    be taken back:"
            .to_owned();
    let mut branches = Vec::new();
    for (migration, why) in refused {
        let Revision { id, message, .. } = &migration.revision;
        text += &format!("\n  {id}, {}: {why}", history::message(message));
        let found = git::branches_with(dir, id);
        if let Some(branch) = found.first() {
            text += &format!("; its file is on the branch `{branch}`");
        }
        branches.extend(found.into_iter().next());
    }
    let to = refused.last().map_or_else(String::new, |(migration, _)| {
        style::parents_text(&migration.revision.parents).replace("<base>", "base")
    });
    let there = match branches.first() {
        Some(branch) => format!("`git switch {branch}`"),
        None => "bring their files back".to_owned(),
    };
    Error::new(text).hint(format!(
        "nothing was changed: {there}, undo them there with `cargo dbmigrate downgrade {to}`, and \
         come back"
    ))
}
