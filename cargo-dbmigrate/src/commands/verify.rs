//! `verify`: runs revisions up, down and up again on a scratch database with rows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dbmigrate_runtime::Options;
use dbmigrate_runtime::engine::driver::LOCK_TABLE;
use dbmigrate_runtime::engine::executor::Steps;
use dbmigrate_runtime::engine::{Migration, Migrations, ledger, standing, version_table};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;

use super::Answer;
use super::lint::{Chosen, of_identifier};
use crate::backup;
use crate::cli::Verify;
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::hex::random;
use crate::history::{self, History};
use crate::import::{Scratch, beginning, own_schema, reaches_outside};
use crate::output::{self, style};
use crate::round_trip::{Outcome, Scope, Trip, in_a_line};
use crate::runner::Steps as Runner;
use crate::trial::{NoSteps, in_file};
use crate::url_source;

pub fn run(cx: &Context, args: &Verify) -> Result<Answer> {
    let history = History::load(cx)?;
    match &args.copy {
        Some(file) => on_copy(cx, args, &history, file),
        None => on_scratch(cx, args, &history),
    }
}

/// Verifies revisions with rows that are made up.
fn on_scratch(cx: &Context, args: &Verify, history: &History) -> Result<Answer> {
    let Chosen { history, applied, ids, .. } = of_identifier(cx, history, &args.range)?;
    let migrations = history.migrations()?;
    let scratch = scratch(cx, args, &migrations)?;
    let graph = migrations.iter().map(|migration| migration.revision.id.clone());
    let before: Vec<String> = graph.filter(|id| applied.contains(id)).collect();
    let place = scratch.place();
    let line = [before.clone(), ids.clone()].concat();
    let mut trip = trip(cx, &scratch, (&migrations, &line), steps(cx, args))?;
    let place = place.unwrap_or_else(|| format!("{} in memory", trip.driver.dialect().backend()));
    let mut report = Report::new(cx, args, place);
    for (idx, id) in before.iter().enumerate() {
        if !report.may_run(&mut trip, id, before.len() - idx + ids.len()) {
            return Ok(report.end(&ids));
        }
        if let Some(fault) = trip.pass(id)? {
            report.add(&trip.migrations, id, Outcome { fault: Some(fault), ..Outcome::default() });
            return Ok(report.end(&ids));
        }
    }
    verified(&mut trip, report, &ids)
}

/// A trip of these revisions of a history on an empty database, with rows that are made up.
pub fn trip<'a>(
    cx: &Context,
    scratch: &Scratch<'_>,
    (migrations, ids): (&Migrations, &[String]),
    steps: Box<dyn Steps + 'a>,
) -> Result<Trip<'a>> {
    Ok(Trip {
        driver: scratch.empty()?,
        migrations: in_a_line(migrations, ids)?,
        options: options(cx),
        steps,
        scope: scope(cx, migrations),
        schema: Schema::default(),
        is_filled: true,
        counter: 0,
    })
}

/// The beginning of the SQL by which a revision reaches outside of the database, if it does: it
/// can't run on a scratch database.
pub fn outside(trip: &mut Trip<'_>, id: &str) -> Option<String> {
    let dialect = trip.driver.dialect();
    let own = own_schema(trip.driver.as_connection()).unwrap_or_default();
    let migration = trip.migrations.get(id)?;
    let both = [&migration.upgrade, &migration.downgrade];
    let mut operations = both.into_iter().flat_map(|direction| &direction.operations);
    let found = operations.find_map(|operation| match operation {
        Operation::Execute(execute) => {
            reaches_outside(dialect, &own, execute.sql.text(dialect.backend())?)
        }
        _ => None,
    });
    found.map(|found| beginning(&found))
}

/// Verifies the revisions that are pending in a file, on a copy of it.
fn on_copy(cx: &Context, args: &Verify, history: &History, file: &Path) -> Result<Answer> {
    let shown = file.display();
    if !cx.has_trial() {
        let message = format!("--copy {shown}: the history is not for SQLite");
        return Err(Error::new(message).hint("--shadow-url runs it on a server, with other rows"));
    }
    let database = Database::file(file);
    // What is no database is refused in the words of every command.
    if database.open_to_read(Patience::reading(cx))?.is_none() {
        return Err(database.missing().hint("--copy takes the path of an SQLite file"));
    }
    let copy = Copy::of(cx, file)?;
    let mut driver = in_file(&copy.0)?;
    let rows = version_table::read(driver.as_connection(), cx.config.version_table())?;
    let of_rows = history.migrations()?.view(standing::ids(&rows))?.of.into_owned();
    let standing = history.standing(rows)?;
    standing.check(false)?;
    let (of, applied) = (standing.view.of, standing.view.applied);
    let (_, ids) = of.pending(&applied);
    let before: Vec<String> = (of_rows.iter())
        .map(|migration| migration.revision.id.clone())
        .filter(|id| applied.contains(id))
        .collect();
    let mut schema = of_rows.replay(Some(&applied))?;
    schema.settle(driver.dialect().backend());
    let mut trip = Trip {
        migrations: in_a_line(&of_rows, &[before, ids.clone()].concat())?,
        driver,
        options: options(cx),
        steps: steps(cx, args),
        scope: scope(cx, &of_rows),
        schema,
        is_filled: false,
        counter: 0,
    };
    let report = Report::new(cx, args, format!("a copy of {shown}"));
    let answer = verified(&mut trip, report, &ids);
    // The file is closed before it is removed.
    drop(trip);
    drop(copy);
    answer
}

/// Verifies one revision after the other, up to the first that doesn't come back.
fn verified(trip: &mut Trip<'_>, mut report: Report<'_>, ids: &[String]) -> Result<Answer> {
    for (idx, id) in ids.iter().enumerate() {
        if !report.may_run(trip, id, ids.len() - idx) {
            return Ok(report.end(&ids[idx..]));
        }
        let outcome = trip.revision(id)?;
        let is_fault = outcome.fault.is_some();
        report.add(&trip.migrations, id, outcome);
        if is_fault {
            return Ok(report.end(&ids[idx + 1..]));
        }
    }
    Ok(report.end(&[]))
}

/// The database to run on.
fn scratch<'a>(cx: &'a Context, args: &Verify, migrations: &Migrations) -> Result<Scratch<'a>> {
    let elsewhere = migrations.qualified();
    match url_source::find_shadow_url(&cx.lookup(), args.shadow_url.as_deref())? {
        Some((url, source)) => Scratch::on_server(cx, (&url, source), elsewhere),
        None => Scratch::of(cx, None),
    }
}

fn options(cx: &Context) -> Options {
    let version_table = cx.config.version_table.clone();
    Options { version_table, past_barriers: true, ..Options::default() }
}

fn steps<'a>(cx: &'a Context, args: &Verify) -> Box<dyn Steps + 'a> {
    if args.run_steps { Box::new(Runner::new(cx)) } else { Box::new(NoSteps) }
}

fn scope(cx: &Context, migrations: &Migrations) -> Scope {
    let own = [cx.config.version_table.as_str(), ledger::NAME, LOCK_TABLE];
    let own: BTreeSet<String> = own.into_iter().map(str::to_owned).collect();
    Scope { own, elsewhere: migrations.qualified() }
}

/// What is said of the revisions.
struct Report<'a> {
    cx: &'a Context,
    /// Whether steps run.
    run_steps: bool,
    place: String,
    documents: Vec<serde_json::Value>,
    n_back: usize,
    is_bad: bool,
}

impl<'a> Report<'a> {
    fn new(cx: &'a Context, args: &Verify, place: String) -> Report<'a> {
        let (documents, n_back, is_bad) = (Vec::new(), 0, false);
        Report { cx, run_steps: args.run_steps, place, documents, n_back, is_bad }
    }

    /// Whether a revision can run on a scratch database; if not, says why.
    fn may_run(&mut self, trip: &mut Trip<'_>, id: &str, n_left: usize) -> bool {
        let Some(what) = outside(trip, id) else { return true };
        self.is_bad = true;
        let after = match n_left - 1 {
            0 => String::new(),
            n => format!(", and so were not the {} after it", output::count(n, "revision")),
        };
        self.cx.out.warning(format!(
            "revision `{id}` was not run, since it reaches outside of the database: `{what}`{after}"
        ));
        false
    }

    /// Reports a revision.
    fn add(&mut self, migrations: &Migrations, id: &str, mut outcome: Outcome) {
        let Some(migration) = migrations.get(id) else { return };
        if !self.run_steps && has_steps(migration) {
            outcome.notes.push("its steps were not run; --run-steps runs them".to_owned());
        }
        let out = self.cx.out;
        let message = history::message(&migration.revision.message);
        let rows = output::count(outcome.n_rows, "row");
        let what = match (&outcome.fault, &outcome.irreversible) {
            (Some(_), _) => style::paint(style::BAD, "does not come back"),
            (None, Some(why)) => format!("up only, since it can't be undone: {why}"),
            (None, None) => format!("up, down and up again, with {rows}"),
        };
        out.line(format!("{}, {message}: {what}", style::id(id)));
        for note in &outcome.notes {
            out.note(format!("revision `{id}`: {note}"));
        }
        if let Some(fault) = &outcome.fault {
            out.line(format!("  {}:", fault.what));
            fault.lines.iter().for_each(|line| out.line(format!("    {line}")));
            out.line(format!("  in {}", migration.revision.file));
            self.is_bad = true;
        } else if outcome.irreversible.is_none() {
            self.n_back += 1;
        }
        let fault = outcome
            .fault
            .as_ref()
            .map(|fault| serde_json::json!({ "what": fault.what, "lines": fault.lines }));
        self.documents.push(serde_json::json!({
            "id": id,
            "n_rows": outcome.n_rows,
            "irreversible": outcome.irreversible,
            "notes": outcome.notes,
            "fault": fault,
        }));
    }

    /// Reports the end, with the revisions that did not run.
    fn end(self, left: &[String]) -> Answer {
        let Report { cx, place, documents, n_back, is_bad, .. } = self;
        let (n, all) = (documents.len() + left.len(), "up, down and up again");
        let text = match (is_bad, n) {
            (false, 0) => format!("There is no revision to verify on {place}."),
            _ => {
                let n = output::count(n, "revision");
                format!("{n_back} of {n} went {all} on {place}.")
            }
        };
        let colour = if is_bad { style::CHANGED } else { style::GOOD };
        cx.out.line(style::paint(colour, &text));
        cx.out.json(
            "verify",
            serde_json::json!({
                "verified": !is_bad,
                "place": place,
                "revisions": documents,
                "not_run": left,
            }),
        );
        if is_bad { Answer::No } else { Answer::Done }
    }
}

fn has_steps(migration: &Migration) -> bool {
    migration.upgrade.has_steps() || migration.downgrade.has_steps()
}

/// A copy of a database file; dropping this removes it.
struct Copy(PathBuf);

impl Copy {
    /// Copies the pages of a file, as they are at one point in time. What the tables need that only
    /// the application has, such as a function of an index, is not asked for.
    fn of(cx: &Context, file: &Path) -> Result<Copy> {
        let dir = &cx.project.work_dir;
        fs::create_dir_all(dir).doing(|| format!("create `{}`", dir.display()))?;
        let copy = Copy(dir.join(format!("verify-{}.db", random()?)));
        backup::copy_pages(file, &copy.0)?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        for end in ["", "-journal", "-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{end}", self.0.display()));
        }
    }
}
