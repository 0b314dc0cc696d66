//! `migrate` and `revision`: write a revision.

use dbmigrate_runtime::engine::recording;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;

use super::{Answer, shadow};
use crate::autogenerate::safe::{self, Divided, Phase};
use crate::autogenerate::{self, Answers, Changes, Commented, Flags, Outcome, Question};
use crate::cli::{Against, NewRevision};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::{self, Ahead, History};
use crate::lint::{self, Finding, Level};
use crate::new_file::parts::{self, Part};
use crate::new_file::rows::{Loss, Rows};
use crate::new_file::{
    self, FileFormat, Position, Written, decimal_warnings, questions, refused, rewrite,
};
use crate::output::{self, Output};
use crate::snapshot::Snapshot;
use crate::{models, prompt, revision_files, scaffold};

/// What was written.
pub struct New {
    /// The revision's id; `None` if nothing has changed.
    pub id: Option<String>,
    pub answer: Answer,
    /// The command's document.
    pub document: serde_json::Value,
}

pub fn run(cx: &Context, args: &NewRevision, generate: bool, name: &str) -> Result<Answer> {
    let New { answer, document, .. } = write(cx, args, generate)?;
    cx.out.json(name, document);
    Ok(answer)
}

/// Writes the revision.
///
/// # Errors
///
/// What can't be written, and a question without an answer.
pub fn write(cx: &Context, args: &NewRevision, generate: bool) -> Result<New> {
    // Checked before the host is built, which takes longest.
    revision_files::all(cx)?;
    FileFormat::of(cx)?;
    let levels = super::lint::levels(cx)?;
    if !generate {
        refuse_answers(args)?;
    }
    if let Some(id) = &args.place.rev_id {
        new_file::check_id(id)?;
    }
    if generate && !args.dry_run {
        // A host that includes `mod.rs` doesn't compile if the list is wrong.
        scaffold::sync_list(cx)?;
    }
    let ahead = Ahead::start(cx, history::nothing);
    let models = if generate {
        Some(models::load(cx).map_err(|err| scaffold::stale_list(cx, err))?)
    } else {
        None
    };
    let (history, migrations, ()) = ahead.finish(cx)?;
    let position = match Position::of(cx, &history, &args.place) {
        // With several heads, none has to be named if there is nothing to write.
        Err(_) if models.as_ref().is_some_and(|models| is_nothing_new(&history, args, models)) => {
            return no_changes(cx, args);
        }
        res => res?,
    };
    let before = migrations.replay(None)?;
    let (mut changes, mut losses) = (Changes::default(), Vec::new());
    let mut back = Commented::default();
    if let Some(models) = &models {
        (changes, losses) = match args.against {
            Against::Migrations => differences(cx, args, &before, models)?,
            Against::Database => {
                let snapshot = database(cx, &history, models, &before)?;
                if !autogenerate::plain(&snapshot, models)?.is_empty() {
                    refuse_drift(&before, models)?;
                }
                let (changes, losses) = differences(cx, args, &snapshot, models)?;
                refuse_unfit(&changes.operations, &before)?;
                (changes, losses)
            }
        };
        if changes.operations.is_empty() {
            return no_changes(cx, args);
        }
        let others = cx.other_dialects();
        back = match &args.irreversible {
            Some(why) => Commented { irreversible: Some(why.clone()), ..Commented::default() },
            None => autogenerate::way_back(&changes.operations, &before, cx.dialect(), &others)?,
        };
    }
    refuse_unreachable(&history, &position, &changes.operations)?;
    let parts = if args.safe {
        let divided = divided(cx, args, &changes, &before)?;
        parts::placed(cx, (position, &args.message), divided, &before)?
    } else {
        vec![Part {
            position,
            message: args.message.clone(),
            phase: None,
            before: before.clone(),
            upgrade: changes.commented(),
            downgrade: back,
        }]
    };
    if let Some(models) = models.as_ref().filter(|_| !args.no_try) {
        if cx.has_trial() {
            parts::try_all(cx, &parts, (&migrations, models), &args.fill)?;
        }
        // `adopt` writes what exists already, and marks it as applied.
        if !cx.out.is_part {
            shadow::try_all(cx, &parts, &migrations)?;
        }
    }
    let written = match parts.as_slice() {
        [part] => {
            let contents = part.contents(generate);
            vec![part.position.write(cx, &args.message, &contents, args.dry_run)?]
        }
        parts => parts::write(cx, parts, args.dry_run)?,
    };
    let mut findings = Vec::new();
    for (part, written) in parts.iter().zip(&written) {
        warn(cx, args, part);
        // `adopt` writes what exists already, and is not about to change it.
        if generate && !cx.out.is_part {
            let migration = part.migration(written);
            findings.extend(super::lint::in_new(cx, &levels, &migration, &part.before));
        }
    }
    // What is denied changes the answer, so it comes first.
    let mut shown: Vec<&Finding> = findings.iter().collect();
    shown.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    super::lint::warn(cx, &shown);
    let (id, document) = document(&parts, &written, (&losses, &findings));
    let new = |answer| New { id, answer, document };
    // The file is written, so only what the project itself denies changes the answer.
    let is_denied = |finding: &Finding| {
        finding.level == Level::Deny && cx.config.lint.deny.iter().any(|id| id == finding.id())
    };
    if !findings.iter().any(is_denied) {
        return Ok(new(Answer::Done));
    }
    cx.out.progress(
        "`lint.deny` forbids this: change the revision, or allow it there with \
         `op.allow(\"RULE\", \"reason\")`",
    );
    Ok(new(Answer::No))
}

/// Divides the changes into parts, and warns of what running programs don't survive.
fn divided(
    cx: &Context,
    args: &NewRevision,
    changes: &Changes,
    before: &Schema,
) -> Result<Divided> {
    let dialects: Vec<_> = cx.dialects().collect();
    let by_hand = "write one revision without --safe, and divide it by hand";
    let divided = safe::divide(changes, before, &dialects).map_err(|err| err.hint(by_hand))?;
    let n_parts = divided.parts.len();
    if let Some(id) = args.place.rev_id.as_ref().filter(|_| n_parts > 1) {
        let message = format!("--rev-id {id}: --safe writes {n_parts} revisions");
        return Err(Error::new(message).hint("leave out --rev-id, or write one without --safe"));
    }
    if args.irreversible.is_some() {
        return Err(Error::new("--safe: the revision can't be undone, so it is not divided"));
    }
    for what in &divided.unsafe_changes {
        cx.out.warning(format!(
            "{what}: programs of two releases can't both use it, in whatever order the revisions \
             run; the guide `Changing a database in use` shows what to do instead"
        ));
    }
    Ok(divided)
}

/// Warns of what a new revision does.
fn warn(cx: &Context, args: &NewRevision, part: &Part) {
    let Part { before, upgrade, downgrade, .. } = part;
    if let Some(why) = downgrade.irreversible.as_ref().filter(|_| args.irreversible.is_none()) {
        cx.out.warning(format!("the revision can't be undone: {why}"));
    }
    for dialect in cx.dialects() {
        for warning in decimal_warnings::warnings(dialect, before, &upgrade.operations) {
            cx.out.warning(warning);
        }
    }
    for warning in refused::warnings(cx, [&upgrade.operations, &downgrade.operations], before) {
        cx.out.warning(warning);
    }
}

/// The id of the last revision that was written, and the command's document.
fn document(
    parts: &[Part],
    written: &[Written],
    (losses, findings): (&[Loss], &[Finding]),
) -> (Option<String>, serde_json::Value) {
    let (Some(part), Some(last)) = (parts.last(), written.last()) else {
        return (None, serde_json::Value::Null);
    };
    let Position { id, parents, branch_labels, depends_on, .. } = &part.position;
    let words =
        |part: &Part| part.upgrade.operations.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut found = lint::json(findings);
    for (json, finding) in found.iter_mut().zip(findings) {
        let of = parts.iter().position(|part| part.position.id == finding.revision);
        json["path"] = of.and_then(|idx| written[idx].path.clone()).into();
    }
    let mut document = serde_json::json!({
        "revision": id,
        "parents": parents,
        "branch_labels": branch_labels,
        "depends_on": depends_on,
        "path": last.path,
        "operations": words(part),
        "losses": losses.iter().map(Loss::with_rows).collect::<Vec<_>>(),
        "findings": found,
        "module": last.text,
    });
    if parts.len() > 1 {
        let json = |(part, written): (&Part, &Written)| {
            serde_json::json!({
                "revision": part.position.id,
                "part": part.phase.map(Phase::word),
                "path": written.path,
                "operations": words(part),
                "module": written.text,
            })
        };
        document["revisions"] = parts.iter().zip(written).map(json).collect();
    }
    (Some(id.clone()), document)
}

fn no_changes(cx: &Context, args: &NewRevision) -> Result<New> {
    if !args.dry_run {
        scaffold::sync_list(cx)?;
    }
    cx.out.done("No changes in schema detected.");
    let document = serde_json::json!({ "revision": null, "operations": [] });
    Ok(New { id: None, answer: Answer::Done, document })
}

/// Whether models and migrations agree, and no position in the history was requested.
fn is_nothing_new(history: &History, args: &NewRevision, models: &models::Models) -> bool {
    let migrations = || history.migrations()?.replay(None).map_err(Error::from);
    args.against == Against::Migrations
        && args.place.head.is_none()
        && args.place.depends_on.is_empty()
        // Explicit instructions are followed or refused, never ignored.
        && args.rename.is_empty()
        && args.fill.is_empty()
        && history.graph.heads().len() > 1
        && !models.found_none
        && migrations()
            .and_then(|schema| autogenerate::plain(&schema, models))
            .is_ok_and(|operations| operations.is_empty())
}

/// Fails if the operations, which are based on all migrations, don't fit the revisions that the new
/// one follows.
fn refuse_unreachable(
    history: &History,
    position: &Position,
    operations: &[Operation],
) -> Result<()> {
    let graph = &history.graph;
    let needed = position.needed(graph);
    let needed: Vec<&str> = needed.iter().map(String::as_str).collect();
    let before = graph.with_ancestors(&needed);
    if operations.is_empty() || before.len() == graph.revisions().len() {
        return Ok(());
    }
    let before = before.into_iter().map(str::to_owned).collect();
    let mut schema = history.migrations()?.replay(Some(&before))?;
    recording::replay(&mut schema, operations).map_err(|err| {
        let message = "the changes do not fit the revision that the new one follows";
        Error::new(message).cause(err).hint(
            "another branch creates what they change: follow that one with --head, or name it with \
             --depends-on",
        )
    })
}

/// The contents of the database in the models' terms. The database has to be at the head, or else
/// pending changes would be written a second time.
fn database(
    cx: &Context,
    history: &History,
    models: &models::Models,
    migrations: &Schema,
) -> Result<Schema> {
    let snapshot = Snapshot::find(cx, history, Some(&models.schema))?;
    let (history, applied) = history.at(snapshot.applied.clone())?;
    let ids = history.graph.revisions().iter().map(|revision| revision.id.as_str());
    let pending: Vec<_> = ids.filter(|id| !applied.contains(*id)).collect();
    if !pending.is_empty() {
        let message = format!("the database is not up to date: {} pending", pending.join(", "));
        return Err(Error::new(message).hint(
            "`cargo dbmigrate upgrade` applies them; --against migrations needs no database",
        ));
    }
    let declared = snapshot.declared(&history.migrations()?, &applied);
    for difference in snapshot.beyond(&models.schema, declared) {
        cx.out.note(format!("in the database {difference}"));
    }
    snapshot.translated(&[&models.schema, migrations])
}

/// Fails if models and migrations agree, so that only the database differs: the migrations already
/// say what a revision would say.
fn refuse_drift(migrations: &Schema, models: &models::Models) -> Result<()> {
    if !autogenerate::plain(migrations, models)?.is_empty() {
        return Ok(());
    }
    let message = "models and migrations agree, but the database differs from both: a revision \
                   can't express that";
    Err(Error::new(message).hint(
        "`cargo dbmigrate diff database models --sql` prints the SQL that would bring the database \
         in line; to keep what only the database has, add it to a model",
    ))
}

/// Fails if the operations from the database to the models don't fit the migrations.
fn refuse_unfit(operations: &[Operation], migrations: &Schema) -> Result<()> {
    recording::replay(&mut migrations.clone(), operations).map_err(|err| {
        let message = "the changes from the database do not fit what the migrations build";
        Error::new(message).cause(err).hint(
            "the database has changes that no migration made: `cargo dbmigrate check` lists them, \
             and --against migrations ignores them",
        )
    })
}

/// Refuses answers for an empty revision, which asks nothing.
fn refuse_answers(args: &NewRevision) -> Result<()> {
    if args.against == Against::Database {
        return Err(Error::new("--against database: an empty revision compares nothing")
            .hint("`migrate`, or `revision --autogenerate`, compares models and database"));
    }
    if args.safe {
        return Err(Error::new("--safe: an empty revision has nothing to divide")
            .hint("`migrate`, or `revision --autogenerate`, writes the changes of the models"));
    }
    let renames = args.rename.iter().map(|rename| ("--rename", rename));
    match renames.chain(args.fill.iter().map(|fill| ("--fill", fill))).next() {
        None => Ok(()),
        Some((flag, answer)) => {
            Err(Error::new(format!("{flag} {answer}: an empty revision asks nothing"))
                .hint("`migrate`, or `revision --autogenerate`, compares models and migrations"))
        }
    }
}

/// The operations from the migrations to the models. Prints them, and fails if they leave a
/// question open.
fn differences(
    cx: &Context,
    args: &NewRevision,
    before: &Schema,
    models: &models::Models,
) -> Result<(Changes, Vec<Loss>)> {
    if models.found_none && before.tables.is_empty() {
        return Err(models::no_models(cx));
    }
    if models.found_none && !args.allow_destructive {
        // This is far more often a missing feature or target than an application without tables.
        let tables: Vec<_> = before.tables.keys().map(|table| format!("`{table}`")).collect();
        let message = format!(
            "the package has no model, so all tables of the migrations would be dropped: {}",
            tables.join(", ")
        );
        return Err(Error::new(message).hint(
            "check `features`, `lib` and `bin` in dbmigrate.toml; --allow-destructive drops the \
             tables",
        ));
    }
    refuse_reserved(cx, models)?;
    let rows = Rows::of(cx);
    let found = answered(args, before, models, &rows)?;
    for warning in &found.overruled {
        cx.out.warning(warning);
    }
    let changes = rewrite::rewritten(cx, found.clone(), before)?;
    rewrite::announce(cx, &found.operations, &changes.operations);
    let losses = rows.losses(&changes, before);
    agree_to_losses(cx.out, args, &losses)?;
    Ok((changes, losses))
}

/// The difference, with every question answered by a flag or by a person.
pub fn answered(
    args: &NewRevision,
    before: &Schema,
    models: &models::Models,
    rows: &Rows<'_>,
) -> Result<Changes> {
    let mut answers = Answers {
        renames: args.rename.clone(),
        no_renames: args.no_renames,
        fills: args.fill.clone(),
        ..Answers::default()
    };
    loop {
        let questions = match autogenerate::changes(before, models, &answers)? {
            Outcome::Changes(changes) => return Ok(changes),
            Outcome::Questions(questions) => questions,
        };
        match questions.first() {
            // One question at a time, since an answer may settle others.
            Some(first) if may_ask(args) => {
                let renames = autogenerate::renames(before, models, &answers)?;
                questions::ask(first, |need| rows.held(need, &renames), &mut answers)?;
            }
            _ => {
                let flags = autogenerate::flags(before, models, &answers, &questions)?;
                let renames = autogenerate::renames(before, models, &answers)?;
                let questions: Vec<_> = (questions.iter())
                    .map(|question| match question {
                        Question::Fill(need) => need.question(&rows.held(need, &renames)),
                        Question::Rename(_) => question.to_string(),
                    })
                    .collect();
                return Err(unanswered(&questions, &flags, |changes| rows.losses(changes, before)));
            }
        }
    }
}

fn may_ask(args: &NewRevision) -> bool {
    !args.non_interactive && !args.dry_run && output::is_interactive()
}

fn unanswered(
    questions: &[String],
    flags: &Flags,
    losses: impl Fn(&Changes) -> Vec<Loss>,
) -> Error {
    let message = match questions.len() {
        1 => "cannot write the revision without an answer to this question:".to_owned(),
        n => format!("cannot write the revision without answers to these {n} questions:"),
    };
    let questions: Vec<_> = questions.iter().map(|question| format!("\n  {question}")).collect();
    let (which, lines): (_, Vec<String>) = match flags {
        Flags::Choices { each, certain, unrenamed } => {
            let mut lost: Vec<String> = losses(certain).iter().map(Loss::with_rows).collect();
            let unless = losses(unrenamed);
            lost.extend(unless.iter().map(|loss| loss.with_rows() + " unless it is renamed"));
            let is_lossy = !lost.is_empty();
            let lost = is_lossy.then(|| with_losses("--allow-destructive", lost));
            (
                "by flags, one from each line and each new name only once (`--no-renames` drops \
                 what no flag renames)",
                each.iter().map(|choice| format!("\n    {choice}")).chain(lost).collect(),
            )
        }
        Flags::Lines(lines) => (
            if lines.len() == 1 {
                "by flags such as these"
            } else {
                "by the flags on one of these lines"
            },
            lines
                .iter()
                .map(|line| {
                    let losses = losses(&line.changes);
                    with_losses(&line.flags, losses.iter().map(Loss::with_rows))
                })
                .collect(),
        ),
    };
    Error::new(message + &questions.concat()).hint(format!(
        "answer in the model (`renamed_from`, `default`), or {which}:{}",
        lines.concat()
    ))
}

/// A line of flags, followed by what the revision discards with them.
fn with_losses(flags: &str, losses: impl IntoIterator<Item = String>) -> String {
    let losses = losses.into_iter().map(|loss| format!("\n      {loss}"));
    format!("\n    {flags}{}", losses.collect::<String>())
}

/// Reports what the revision discards, which needs a flag or confirmation.
pub fn agree_to_losses(out: Output, args: &NewRevision, losses: &[Loss]) -> Result<()> {
    if losses.is_empty() {
        return Ok(());
    }
    // A dry run discards nothing.
    if args.allow_destructive || args.dry_run {
        for loss in losses {
            out.warning(format!("the revision {}", loss.with_rows()));
        }
        return Ok(());
    }
    let what: Vec<_> = losses.iter().map(|loss| format!("\n  it {}", loss.with_rows())).collect();
    let message = format!("the revision would discard rows or values:{}", what.concat());
    if may_ask(args) && prompt::confirm(&format!("{message}\nWrite it?"))? {
        return Ok(());
    }
    Err(Error::new(message).hint("--allow-destructive writes it anyway"))
}

/// Refuses tables that models can't have.
fn refuse_reserved(cx: &Context, models: &models::Models) -> Result<()> {
    let is_reserved = |table: &&String| {
        cx.name_rules().folding.same_table(table, &cx.config.version_table)
            || cx.dialect().is_reserved(table)
    };
    match models.schema.tables.keys().find(is_reserved) {
        None => Ok(()),
        Some(table) => {
            Err(Error::new(format!("a model can't have the table `{table}`")).hint(format!(
                "the name is {}'s or dbmigrate's own: choose another with `#[model(table = ...)]`",
                cx.dialect().backend()
            )))
        }
    }
}
