//! `migrate` and `revision`: write a revision.

use dbmigrate_runtime::dialect::Sqlite;
use dbmigrate_runtime::operations::{self, Operation};
use dbmigrate_runtime::plan;
use dbmigrate_runtime::schema::Schema;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Answer, questions};
use crate::autogenerate::{self, Answers, Changes, Commented, Outcome, Question};
use crate::cli::{Against, NewRevision};
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::history::{self, History, VERSIONS};
use crate::live::Live;
use crate::output::{self, Output};
use crate::{models, prompt, render, scaffold};

pub fn run(cx: &Context, args: &NewRevision, generate: bool, name: &str) -> Result<Answer> {
    // Known before the host is built, which takes longest.
    history::files(cx)?;
    if !generate {
        refuse_answers(args)?;
    }
    if let Some(id) = &args.rev_id {
        check_id(id)?;
    }
    if !args.dry_run {
        // A host that includes `mod.rs` doesn't compile while it lists a file that is gone.
        scaffold::sync_list(cx)?;
    }
    let models =
        if generate { Some(models::load(cx).map_err(|it| stale_list(cx, it))?) } else { None };
    let history = History::load(cx)?;
    let parents = parents(&history)?;
    let before = history.migrations()?.replay(None)?;
    let mut changes = Changes::default();
    let mut downgrade = Commented::default();
    if let Some(models) = &models {
        changes = match args.against {
            Against::Migrations => differences(cx, args, &before, models)?,
            Against::Database => {
                let live = database(cx, &history, models, &before)?;
                if !autogenerate::plain(&live, models)?.is_empty() {
                    refuse_drift(&before, models)?;
                }
                let changes = differences(cx, args, &live, models)?;
                refuse_unfit(&changes.operations, &before)?;
                changes
            }
        };
        if changes.operations.is_empty() {
            cx.out.done("No changes in schema detected.");
            cx.out.json(name, serde_json::json!({ "revision": null, "operations": [] }));
            return Ok(Answer::Done);
        }
        downgrade = autogenerate::way_back(&changes.operations, &before)?;
    }
    let upgrade = changes.commented();
    let now = Timestamp::now().to_zoned(TimeZone::UTC);
    let id = match &args.rev_id {
        Some(id) => id.clone(),
        None => random_id()?,
    };
    if let Some(other) = history.graph.get(&id) {
        return Err(Error::new(format!("revision `{id}` already exists, in {}", other.file))
            .hint("choose another id with --rev-id"));
    }
    let header = render::Header {
        id: id.clone(),
        parents,
        message: args.message.clone(),
        created: now.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    };
    let text = render::module(&header, &upgrade, &downgrade, generate);
    let file = file_name(cx, &now, &id, &args.message)?;
    let path = cx.project.migrations_dir.join(VERSIONS).join(&file);
    let shown = history::relative(cx, &path);
    if args.dry_run {
        cx.out.text(&text);
    } else {
        let versions = cx.project.migrations_dir.join(VERSIONS);
        std::fs::create_dir_all(&versions)
            .doing(|| format!("create the directory `{}`", versions.display()))?;
        scaffold::write_new(&path, &text)?;
        scaffold::sync_list(cx)?;
        cx.out.done(format!("Generating {shown} ... done"));
    }
    warn_unplannable(cx, &upgrade.operations, &downgrade.operations, before);
    let operations: Vec<_> = upgrade.operations.iter().map(ToString::to_string).collect();
    cx.out.json(
        name,
        serde_json::json!({
            "revision": id,
            "path": if args.dry_run { None } else { Some(shown) },
            "operations": operations,
            "losses": changes.losses.values().collect::<Vec<_>>(),
            "module": if args.dry_run { Some(text) } else { None },
        }),
    );
    Ok(Answer::Done)
}

/// What the database has, in the models' words; it has to be at the head, or what is pending would
/// be written a second time.
fn database(
    cx: &Context,
    history: &History,
    models: &models::Models,
    migrations: &Schema,
) -> Result<Schema> {
    let live = Live::find(cx, history)?;
    let revisions = history.graph.revisions().iter().map(|it| it.id.as_str());
    let pending: Vec<_> = revisions.filter(|it| !live.applied.contains(*it)).collect();
    if !pending.is_empty() {
        let message = format!("the database is not up to date: {} pending", pending.join(", "));
        return Err(Error::new(message).hint(
            "`cargo dbmigrate upgrade` applies them; --against migrations needs no database",
        ));
    }
    live.adopted(&[&models.schema, migrations])
}

/// Where models and migrations agree, it is the database alone that differs, and what a revision
/// says of it is so by the migrations already.
fn refuse_drift(migrations: &Schema, models: &models::Models) -> Result<()> {
    if !autogenerate::plain(migrations, models)?.is_empty() {
        return Ok(());
    }
    let message = "models and migrations agree, and the database differs from both: no revision \
                   can say so";
    Err(Error::new(message).hint(
        "`cargo dbmigrate diff database models --sql` prints what would bring the database in \
         line; what it has and the models lack, a field in a model would take over",
    ))
}

/// What leads from the database to the models may not lead there from the migrations.
fn refuse_unfit(operations: &[Operation], migrations: &Schema) -> Result<()> {
    operations::replay(&mut migrations.clone(), operations).map_err(|err| {
        let message = "the difference from the database does not fit what the migrations build";
        Error::new(message).cause(err).hint(
            "the database has changes that no migration made: `cargo dbmigrate check` lists them, \
             and --against migrations leaves them out",
        )
    })
}

/// An empty revision asks nothing.
fn refuse_answers(args: &NewRevision) -> Result<()> {
    if args.against == Against::Database {
        return Err(Error::new("--against database: an empty revision compares nothing")
            .hint("`migrate`, or `revision --autogenerate`, compares models and database"));
    }
    let renames = args.rename.iter().map(|it| ("--rename", it));
    match renames.chain(args.fill.iter().map(|it| ("--fill", it))).next() {
        None => Ok(()),
        Some((flag, it)) => Err(Error::new(format!("{flag} {it}: an empty revision asks nothing"))
            .hint("`migrate`, or `revision --autogenerate`, compares models and migrations")),
    }
}

/// The operations from the migrations to the models, announced, and refused where they need a
/// word from a person.
fn differences(
    cx: &Context,
    args: &NewRevision,
    before: &Schema,
    models: &models::Models,
) -> Result<Changes> {
    if models.found_none && before.tables.is_empty() {
        return Err(models::no_models(cx));
    }
    if models.found_none && !args.allow_destructive {
        // Far more often a feature or a target that is left out than an application without
        // tables.
        let message = "the package has no model, so all tables of the migrations would be dropped";
        return Err(Error::new(message).hint(
            "look at `features`, `lib` and `bin` in dbmigrate.toml; --allow-destructive drops them",
        ));
    }
    refuse_reserved(cx, models)?;
    let changes = answered(args, before, models)?;
    for it in &changes.operations {
        cx.out.done(autogenerate::detected(it));
    }
    agree_to_losses(cx.out, args, &changes)?;
    Ok(changes)
}

/// The difference, with every question answered by a flag or by a person.
pub fn answered(args: &NewRevision, before: &Schema, models: &models::Models) -> Result<Changes> {
    let mut answers = Answers {
        renames: args.rename.clone(),
        no_renames: args.no_renames,
        fills: args.fill.clone(),
        ..Answers::default()
    };
    loop {
        let questions = match autogenerate::changes(before, models, &answers)? {
            Outcome::Changes(it) => return Ok(it),
            Outcome::Questions(it) => it,
        };
        match questions.first() {
            // One by one: an answer may answer others.
            Some(first) if may_ask(args) => {
                questions::ask(first, &mut answers)?;
            }
            _ => {
                let lines = autogenerate::lines_of_flags(before, models, &answers, &questions)?;
                return Err(unanswered(&questions, &lines));
            }
        }
    }
}

fn may_ask(args: &NewRevision) -> bool {
    !args.non_interactive && !args.dry_run && output::is_interactive()
}

fn unanswered(questions: &[Question], lines: &[String]) -> Error {
    let message = match questions.len() {
        1 => "the difference leaves a question open:".to_owned(),
        n => format!("the difference leaves {n} questions open:"),
    };
    let questions: Vec<_> = questions.iter().map(|it| format!("\n  {it}")).collect();
    let lines: Vec<_> = lines.iter().map(|it| format!("\n    {it}")).collect();
    let which =
        if lines.len() == 1 { "flags such as these" } else { "one of these lines of flags" };
    Error::new(message + &questions.concat()).hint(format!(
        "answer in the model (`renamed_from`, `default`), or by {which}:{}",
        lines.concat()
    ))
}

/// Says what the revision discards; it needs a flag or a yes.
pub fn agree_to_losses(out: Output, args: &NewRevision, changes: &Changes) -> Result<()> {
    if changes.losses.is_empty() {
        return Ok(());
    }
    // A dry run discards nothing.
    if args.allow_destructive || args.dry_run {
        for loss in changes.losses.values() {
            out.warning(format!("the revision {loss}"));
        }
        return Ok(());
    }
    let what: Vec<_> = (changes.losses.keys())
        .filter_map(|idx| changes.operations.get(*idx))
        .map(|it| format!("\n  {it}"))
        .collect();
    let message = format!("the revision would discard rows or values:{}", what.concat());
    if may_ask(args) && prompt::confirm(&format!("{message}\nWrite it?"))? {
        return Ok(());
    }
    Err(Error::new(message).hint("--allow-destructive writes it all the same"))
}

/// Says beforehand that an upgrade will refuse the revision, or the way back.
fn warn_unplannable(
    cx: &Context,
    upgrade: &[Operation],
    downgrade: &[Operation],
    mut schema: Schema,
) {
    for (name, operations) in [("an upgrade", upgrade), ("a downgrade", downgrade)] {
        // Planned one after the other: what the one leaves the other begins with.
        if let Err(err) = plan::offline(operations, &mut schema, &Sqlite) {
            let hint = err.hint.map_or(String::new(), |it| format!("\n  hint: {it}"));
            cx.out.warning(format!("{name} will refuse this revision: {}{hint}", err.message));
            return;
        }
    }
}

/// Tables that models can't have.
fn refuse_reserved(cx: &Context, models: &models::Models) -> Result<()> {
    let is_reserved = |it: &&String| {
        it.eq_ignore_ascii_case(&cx.config.version_table)
            || it.to_ascii_lowercase().starts_with("sqlite_")
    };
    match models.schema.tables.keys().find(is_reserved) {
        None => Ok(()),
        Some(table) => Err(Error::new(format!("a model can't have the table `{table}`")).hint(
            "the name is SQLite's or dbmigrate's own: choose another with `#[model(table = ...)]`",
        )),
    }
}

/// Where the list of revisions isn't what is on disk, that may be why a host doesn't compile.
pub fn stale_list(cx: &Context, err: Error) -> Error {
    match scaffold::is_list_current(cx) {
        Ok(false) => err.hint(
            "`mod.rs` in the migrations directory lists other revisions than there are files; \
             `cargo dbmigrate migrate` brings it in line",
        ),
        _ => err,
    }
}

fn parents(history: &History) -> Result<Vec<String>> {
    match history.graph.target("head", None)?.ids().as_slice() {
        [] => Ok(Vec::new()),
        ids => Ok(ids.iter().map(|it| (*it).to_owned()).collect()),
    }
}

/// Ids stand in identifiers such as `id+1` and `a:b`, and in a module's name.
fn check_id(id: &str) -> Result<()> {
    let is_allowed = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let mut bad: Vec<char> = id.chars().filter(|it| !is_allowed(*it)).collect();
    bad.dedup();
    if bad.is_empty() && !id.is_empty() {
        return match id {
            "base" | "head" | "heads" | "current" | "models" | "migrations" | "database" => {
                Err(Error::new(format!("`{id}` can't be a revision's id: it has a meaning"))
                    .hint("choose another with --rev-id"))
            }
            _ => Ok(()),
        };
    }
    let bad: Vec<String> = bad.iter().map(|it| format!("`{it}`")).collect();
    let what = if bad.is_empty() { "it is empty".to_owned() } else { bad.join(", ") };
    Err(Error::new(format!("`{id}` can't be a revision's id: {what}"))
        .hint("an id is made of the letters A to Z and a to z, digits and `_`"))
}

/// Twelve hexadecimal digits.
fn random_id() -> Result<String> {
    let mut bytes = [0; 6];
    getrandom::fill(&mut bytes).doing(|| "make a random id".to_owned())?;
    Ok(bytes.iter().map(|it| format!("{it:02x}")).collect())
}

fn file_name(cx: &Context, now: &jiff::Zoned, id: &str, message: &str) -> Result<String> {
    let slug = slug(message, cx.config.truncate_slug_length);
    let template = &cx.config.file_template;
    let name = template
        .replace("{year}", &now.strftime("%Y").to_string())
        .replace("{month}", &now.strftime("%m").to_string())
        .replace("{day}", &now.strftime("%d").to_string())
        .replace("{hour}", &now.strftime("%H").to_string())
        .replace("{minute}", &now.strftime("%M").to_string())
        .replace("{second}", &now.strftime("%S").to_string())
        .replace("{epoch}", &now.timestamp().as_second().to_string())
        .replace("{rev}", id)
        .replace("{slug}", &slug);
    let name = name.trim_end_matches('_');
    if name == "mod" || syn::parse_str::<syn::Ident>(name).is_err() {
        return Err(Error::new(format!(
            "`file_template` gives `{name}`, which can't be a module's name"
        ))
        .hint("a module's name is made of letters, digits and `_` and begins with a letter"));
    }
    Ok(format!("{name}.rs"))
}

/// The words of a message in lower case, joined by `_` and cut between words.
fn slug(message: &str, limit: usize) -> String {
    let words = message.split(|it: char| !it.is_ascii_alphanumeric()).filter(|it| !it.is_empty());
    let mut slug = String::new();
    for word in words {
        let n = if slug.is_empty() { word.len() } else { slug.len() + 1 + word.len() };
        if n > limit && !slug.is_empty() {
            break;
        }
        if !slug.is_empty() {
            slug.push('_');
        }
        slug.push_str(&word.to_ascii_lowercase());
    }
    slug.truncate(limit);
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_ascii_and_cut_between_words() {
        assert_eq!(slug("Initial migration.", 40), "initial_migration");
        assert_eq!(slug("some very long message with punctuation, yes", 20), "some_very_long");
        assert_eq!(slug("Größe ändern", 40), "gr_e_ndern");
        assert_eq!(slug("\"; DROP TABLE", 40), "drop_table");
        assert_eq!(slug("", 40), "");
        assert_eq!(slug(&"x".repeat(60), 40).len(), 40);
    }

    #[test]
    fn an_id_with_a_sign_in_it_is_refused_and_each_sign_named() {
        let err = check_id("a-b@c").unwrap_err().to_string();
        assert!(err.contains("`-`, `@`"), "{err}");
        assert!(check_id("ok_1").is_ok());
        assert!(check_id("head").is_err());
    }
}
