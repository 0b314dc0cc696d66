//! `check`: whether models, migrations and database agree.

use dbmigrate_runtime::Barrier;
use dbmigrate_runtime::engine::barriers::Reach;
use dbmigrate_runtime::engine::drift::{Difference, Drift};
use dbmigrate_runtime::engine::ledger::Unfinished;
use dbmigrate_runtime::engine::revision::TO_ONE_HEAD;
use dbmigrate_runtime::engine::{Migrations, plan};
use dbmigrate_runtime::schema::Schema;

use super::Answer;
use super::survey::{self, Depth};
use crate::autogenerate::{self, Changes};
use crate::cli::Check;
use crate::connection::{Database, Patience, Source};
use crate::context::Context;
use crate::error::Result;
use crate::history::{self, Ahead, History};
use crate::lint::{self, Finding, Level, Levels};
use crate::models::{self, Models};
use crate::new_file::rewrite;
use crate::output::style;
use crate::project;
use crate::scaffold::{self, ListDifference};
use crate::snapshot::{self, Snapshot};
use crate::threads;

pub fn run(cx: &Context, args: &Check) -> Result<Answer> {
    if args.several.is_meant() {
        return survey::run(cx, "check", &args.several, Depth::Schema);
    }
    let levels = super::lint::levels(cx)?;
    let list = compare_list(cx)?;
    let no_database = args.no_database;
    let beside = move |cx: &Context, history: &History, migrations: &Migrations| {
        Beside::find(cx, &levels, (history, migrations), no_database)
    };
    let ahead = Ahead::start(cx, beside);
    let models = match models::load(cx) {
        // With a file missing from the list, the package doesn't compile, and the answer is already
        // known.
        Err(_) if !list.lacks.is_empty() && list.extra.is_empty() => return list_alone(cx, list),
        models => models.map_err(|err| scaffold::stale_list(cx, err))?,
    };
    project::warn_of_two(&cx.project, cx.out);
    let (history, migrations, beside) = ahead.finish(cx)?;
    let mut answer = if list.is_none() { Answer::Done } else { Answer::No };
    // Reported first, since two heads that contradict each other would make later checks fail.
    let rivals = history.graph.rival_heads();
    if !rivals.is_empty() {
        answer = Answer::No;
        let listed = history.graph.listed(&rivals);
        cx.out.line(format!("The history has {} heads:{listed}", rivals.len()));
        cx.out.progress(TO_ONE_HEAD);
    }
    let schema = migrations.replay(None)?;
    let differences = differences(cx, &models, &schema)?;
    let mut found = Found { list, ..Found::default() };
    if differences.is_empty() && models.found_none && schema.tables.is_empty() {
        cx.out.line("The package has no models, and the migrations no tables: nothing to compare.");
    } else if differences.is_empty() {
        cx.out.line(style::paint(style::GOOD, "Models and migrations agree."));
    } else {
        answer = Answer::No;
        cx.out.line(style::paint(style::CHANGED, "Models and migrations differ:"));
        for text in &differences {
            cx.out.line(format!("  {}", style::found(text)));
        }
        found.differences = differences;
        cx.out.progress("`cargo dbmigrate migrate` writes a revision for it");
    }
    found.stale = stale(cx, &history, &schema)?;
    if !found.stale.is_empty() {
        answer = Answer::No;
    }
    if let Some(read) = beside.database {
        Database::find(cx)?;
        cx.out.print_url();
        match read? {
            Read::Nothing(line) => cx.out.line(line),
            Read::Compared(compared) => {
                report_pending(cx, &history, &compared);
                report_drift(cx, &compared.drift);
                if !compared.reach.is_settled() || !compared.drift.differences.is_empty() {
                    answer = Answer::No;
                }
                (found.pending, found.drift) = (Some(compared.pending), Some(compared.drift));
                found.barriers = compared.reach.barriers;
            }
        }
    }
    found.findings = beside.findings?;
    if report_findings(cx, &found.findings) {
        answer = Answer::No;
    }
    document(cx, &answer, &history, found);
    // The process is about to end, and freeing takes long.
    std::mem::forget((models, history, migrations, schema));
    Ok(answer)
}

/// How the models differ from the schema that the migrations build.
///
/// # Errors
///
/// When a change can't be expressed, or the project's own function fails.
pub(super) fn differences(cx: &Context, models: &Models, schema: &Schema) -> Result<Vec<String>> {
    let operations = autogenerate::plain(schema, models)?;
    // Differences that the project's own function removes don't count.
    let changes = Changes { operations, ..Changes::default() };
    let operations = rewrite::rewritten(cx, changes, schema)?.operations;
    Ok(operations.iter().map(autogenerate::detected).collect())
}

/// The result of the comparisons; `None` for what could not be compared.
#[derive(Default)]
struct Found {
    list: ListDifference,
    differences: Vec<String>,
    /// Squash revisions that no longer build the same schema as those that they replace.
    stale: Vec<String>,
    pending: Option<Vec<String>>,
    /// The barriers that an upgrade stops before.
    barriers: Vec<Barrier>,
    drift: Option<Drift>,
    /// What the rules of `lint` find.
    findings: Vec<Finding>,
}

fn document(cx: &Context, answer: &Answer, history: &History, found: Found) {
    let words = |differences: &[Difference]| {
        differences.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let mut json = serde_json::json!({
        "agree": *answer == Answer::Done,
        "differences": found.differences,
        "not_what_they_replace": found.stale,
        "heads": history.graph.heads(),
        "rival_heads": history.graph.rival_heads(),
        "not_in_list": found.list.lacks,
        "not_in_files": found.list.extra,
        "pending": found.pending,
        "drift": found.drift.as_ref().map(|drift| words(&drift.differences)),
        "not_compared": found.drift.as_ref().map(|drift| words(&drift.untold)),
        "findings": lint::json(&found.findings),
        "others": found.drift.map(|drift| snapshot::json(&drift.others)),
    });
    if !found.barriers.is_empty() {
        json["barriers"] = history::barriers_json(&found.barriers);
    }
    cx.out.json("check", json);
}

/// The answer if only the list could be compared.
fn list_alone(cx: &Context, list: ListDifference) -> Result<Answer> {
    let history = History::load(cx)?;
    cx.out.progress("the models were not compared, since the package does not compile");
    document(cx, &Answer::No, &history, Found { list, ..Found::default() });
    Ok(Answer::No)
}

/// Compares the list in `mod.rs` with the files, since a program contains only what is listed.
fn compare_list(cx: &Context) -> Result<ListDifference> {
    let list = scaffold::compare_list(cx)?;
    if list.is_none() {
        return Ok(list);
    }
    let path = cx.project.migrations_dir.join("mod.rs");
    let path = cx.project.shown(&path);
    let text = format!("The list in {path} does not match the revision files:");
    cx.out.line(style::paint(style::CHANGED, &text));
    for file in &list.lacks {
        cx.out.line(format!("  it lacks {file}"));
    }
    for line in &list.extra {
        cx.out.line(format!("  it has `{line}`, which has no file or is listed twice"));
    }
    cx.out.progress("`cargo dbmigrate migrate` brings it in line");
    Ok(list)
}

/// The squash revisions that no longer build the same schema as those that they replace, because a
/// file was edited.
fn stale(cx: &Context, history: &History, schema: &Schema) -> Result<Vec<String>> {
    let mut stale = Vec::new();
    for revision in history.graph.revisions() {
        let Some(last) = revision.replaced().last() else { continue };
        let old = history.naming(&[last])?.migrations()?.replay(None)?;
        if old != *schema {
            cx.out.line(format!(
                "Revision `{}` does not build the same schema as the revisions that it replaces:",
                revision.id
            ));
            for operation in autogenerate::between(&old, schema) {
                cx.out.line(format!("  {}", autogenerate::found(&operation)));
            }
            stale.push(revision.id.clone());
        }
    }
    Ok(stale)
}

/// Reports the revisions that are pending.
fn report_pending(cx: &Context, history: &History, compared: &Compared) {
    let due: Vec<&str> = compared.reach.due().collect();
    match due.as_slice() {
        [] if history.graph.revisions().is_empty() => cx.out.line("There are no revisions yet."),
        [] if !compared.pending.is_empty() => {
            let text = "The database is up to date, except for revisions that wait.";
            cx.out.line(style::paint(style::GOOD, text));
        }
        [] => cx.out.line(style::paint(style::GOOD, "The database is at the head.")),
        ids => {
            let text = format!("The database is behind: {} pending.", ids.join(", "));
            cx.out.line(style::paint(style::CHANGED, &text));
        }
    }
    for barrier in &compared.reach.barriers {
        cx.out.line(format!("An upgrade stops before {barrier}"));
    }
    if let Some(err) = &compared.refusal {
        cx.out.line(style::paint(style::CHANGED, &err.to_string()));
        err.hint().into_iter().for_each(|hint| cx.out.hint(hint));
    }
}

/// Reports what the rules found, and whether any of it is denied, which is part of the answer.
fn report_findings(cx: &Context, findings: &[Finding]) -> bool {
    let (denied, warnings): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|finding| finding.level == Level::Deny);
    if !denied.is_empty() {
        cx.out.line(style::paint(style::CHANGED, "The rules of `lint` deny:"));
        cx.out.styled(&lint::text(denied.iter().copied()));
    }
    super::lint::warn(cx, &warnings);
    !denied.is_empty()
}

/// Hints about these differences.
fn hints(differences: &[Difference]) -> Vec<&'static str> {
    let has = |what: fn(&Difference) -> bool| differences.iter().any(what);
    let mut hints = Vec::new();
    // Migrating towards the models would drop it.
    if has(Difference::is_early) {
        hints.push(
            "`cargo dbmigrate stamp --verify head` marks the revisions as applied, if the database \
             matches them",
        );
    } else if has(|difference| !difference.is_beyond() && !difference.is_other_object()) {
        hints.push(
            "`cargo dbmigrate diff database current --sql` prints the SQL that would bring it in \
             line",
        );
    }
    if has(Difference::is_beyond) {
        hints.push(
            "what a revision can't express stays as it is; remove it by hand, or leave the column \
             out of the comparison with `exclude` in dbmigrate.toml",
        );
    }
    if has(Difference::is_other_object) {
        hints.push("a new revision can recreate missing views, triggers and virtual tables");
    }
    hints
}

fn report_drift(cx: &Context, drift: &Drift) {
    if drift.differences.is_empty() && drift.n_compared == 0 && !drift.others.is_empty() {
        cx.out.line(snapshot::NOTHING_COMPARED);
    } else if drift.differences.is_empty() {
        cx.out.line(style::paint(style::GOOD, "The database agrees with the migrations."));
    } else {
        cx.out.line(style::paint(style::CHANGED, "The database differs from the migrations:"));
        for difference in &drift.differences {
            cx.out.line(format!("  {difference}"));
        }
        hints(&drift.differences).into_iter().for_each(|hint| cx.out.progress(hint));
    }
    snapshot::warn_of_untold(cx, &drift.untold);
    snapshot::list_others(cx, &drift.others);
}

/// What is read while cargo checks the models.
struct Beside {
    /// The database, or why it can't be read; `None` with `--no-database`.
    database: Option<Result<Read>>,
    /// What the rules of `lint` find.
    findings: Result<Vec<Finding>>,
}

/// A database that was looked at.
enum Read {
    /// There is none yet, as this line says.
    Nothing(String),
    Compared(Box<Compared>),
}

/// A database, compared with the migrations.
struct Compared {
    pending: Vec<String>,
    /// How far an upgrade goes.
    reach: Reach,
    /// Why `upgrade` would refuse to run them.
    refusal: Option<dbmigrate_runtime::Error>,
    drift: Drift,
}

impl Beside {
    /// With many tables, the rules and the comparison take about equally long, so they run at the
    /// same time.
    fn find(
        cx: &Context,
        levels: &Levels,
        (history, migrations): (&History, &Migrations),
        no_database: bool,
    ) -> Beside {
        let snapshot = (!no_database).then(|| snapshot(cx, history));
        let seen = match &snapshot {
            Some(Ok(Seen::There(there))) => {
                Some((there.snapshot.applied.clone(), there.snapshot.target()))
            }
            _ => None,
        };
        // `adopt` checks what exists already, and is not about to change it.
        let findings = || {
            if cx.out.is_part {
                return Ok(Vec::new());
            }
            super::lint::in_pending(cx, levels, history, seen.clone())
        };
        let compared = |seen| match seen {
            Seen::Nothing(line) => Ok(Read::Nothing(line)),
            Seen::There(there) => compared(*there, (history, migrations)).map(Read::Compared),
        };
        let compare = || snapshot.map(|snapshot| snapshot.and_then(compared));
        let (database, findings) = threads::both(compare, &findings);
        Beside { database, findings }
    }
}

/// A database before it is compared.
enum Seen {
    /// There is none yet, as this line says.
    Nothing(String),
    There(Box<There>),
}

/// A database that exists.
struct There {
    snapshot: Snapshot,
    /// The revisions that an earlier run has begun.
    begun: Vec<Unfinished>,
}

fn snapshot(cx: &Context, history: &History) -> Result<Seen> {
    let database = Database::locate(cx)?;
    let Some(mut driver) = database.open_to_read(Patience::reading(cx))? else {
        return not_there(&database).map(Seen::Nothing);
    };
    let begun = history::unfinished_in(cx, &mut *driver)?;
    let snapshot = Snapshot::read(cx, history, driver)?;
    Ok(Seen::There(Box::new(There { snapshot, begun })))
}

fn compared(
    There { snapshot, begun }: There,
    (history, migrations): (&History, &Migrations),
) -> Result<Box<Compared>> {
    let (here, applied) = history.at(snapshot.applied.clone())?;
    let (heads, pending) = here.pending(&applied);
    let refusal = plan::check_order(&here.graph, &applied, &pending, &heads).err();
    let reach = here.reach(&applied, &begun);
    let here = here.migrations()?;
    let declared = snapshot.declared(&here, &applied);
    let expected = here.replay(Some(&applied))?;
    let drift = snapshot.drift(&expected, &migrations.replay(None)?, declared)?;
    Ok(Box::new(Compared { pending, reach, refusal, drift }))
}

/// What is said of a database that doesn't exist yet.
///
/// # Errors
///
/// When the URL doesn't come from dbmigrate.toml: then the database should exist.
fn not_there(database: &Database) -> Result<String> {
    if database.is_in_memory() {
        let text = database.missing_text();
        return Ok(format!("The database is {text}, and it was not checked."));
    }
    let missing = database.missing();
    if matches!(database.source, Source::Config(_)) {
        return Ok(format!("{} yet, so it was not checked.", missing.message()));
    }
    let hint = format!(
        "`cargo dbmigrate upgrade` creates it; --no-database skips it; the name comes from {}",
        database.source
    );
    Err(missing.hint(hint))
}
