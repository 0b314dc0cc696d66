//! `import`: the history of another tool as revisions.

use clap::ValueEnum as _;

use super::Answer;
use crate::cli::{Import, Tool};
use crate::connection::Source;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::History;
use crate::import::{self, Revised, Scratch, Terms, Trying};
use crate::new_file::{FileFormat, Names, NewFile, Position, write_all};
use crate::render::Contents;
use crate::{models, revision_files, run, url_source};

pub fn run(cx: &Context, args: &Import) -> Result<Answer> {
    let format = FileFormat::of(cx)?;
    refuse_history(cx)?;
    if cx.backends().len() > 1 {
        let message =
            "the history is for several kinds of databases, and another tool's is for one";
        return Err(Error::new(message).hint(
            "import it with one kind in `dialects` of dbmigrate.toml, and add the others' texts to \
             the revisions afterwards",
        ));
    }
    // Recording needs the scratch database.
    let found = if args.tool == Tool::SeaOrm {
        None
    } else {
        Some(import::read(args.tool, &args.dir, cx.dialect().lexicon())?)
    };
    // The project's own words for its tables come first.
    let models = models::load(cx)?;
    let shadow_url = shadow_url(cx, args)?;
    let scratch = Scratch::of(cx, shadow_url.clone())?;
    let mut trying = Trying {
        cx,
        scratch: &scratch,
        terms: Terms::new(cx, &models),
        tool: args.tool,
        original: None,
        reads_all: false,
        built: import::State::default(),
    };
    let foreign = match found {
        Some(found) => found,
        None => trying.recorded(&args.dir, shadow_url.as_ref().map(|(url, _)| url.as_str()))?,
    };
    let n = foreign.len();
    let bar = run::bar(cx.out, n, "migrations tried");
    let revised = trying.revised(foreign, &bar);
    bar.finish_and_clear();
    let revised = revised?;
    // As revisions, back, and perhaps once more as they stand.
    let n_runs = n * (2 + usize::from(trying.may_change_rows()));
    let bar = run::bar(cx.out, n_runs, "runs that prove them");
    let other_rows = trying.prove(&revised, &bar);
    bar.finish_and_clear();
    let other_rows = other_rows?;
    drop(scratch);
    let files = files(cx, &format, &revised)?;
    let documents: Vec<serde_json::Value> = revised
        .iter()
        .zip(&files)
        .map(|(one, file)| {
            serde_json::json!({
                "revision": one.id,
                "version": one.foreign.version.text,
                "file": one.foreign.up.file,
                "path": file.path,
                "irreversible": one.downgrade.irreversible,
                "module": file.text,
            })
        })
        .collect();
    if args.dry_run {
        let texts: Vec<&str> = files.iter().map(|file| file.text.as_str()).collect();
        cx.out.text(&texts.join("\n"));
    } else {
        write_all(cx, files)?;
    }
    if let Some(what) = other_rows {
        cx.out.warning(what);
    }
    report(cx, args, &revised);
    cx.out.json("import", serde_json::json!({ "tool": args.tool.name(), "revisions": documents }));
    Ok(Answer::Done)
}

/// The URL of the database on which the history is tried. SQLite needs none, whatever the environment
/// and the settings say.
fn shadow_url(cx: &Context, args: &Import) -> Result<Option<(String, Source)>> {
    match &args.shadow_url {
        None if cx.has_trial() => Ok(None),
        flag => url_source::find_shadow_url(&cx.lookup(), flag.as_deref()),
    }
}

/// Fails if there are revisions already: the imported ones are the beginning of a history.
fn refuse_history(cx: &Context) -> Result<()> {
    let existing = revision_files::all(cx)?;
    let Some(first) = existing.first() else { return Ok(()) };
    let message = format!(
        "the project has {} revision(s) already, such as `{}`, and an import begins a history",
        existing.len(),
        cx.project.shown(&first.path)
    );
    Err(Error::new(message)
        .hint("import into a directory of its own: `init -d DIR`, then `import` with `-d DIR`"))
}

/// The files of the revisions, one after the other.
fn files(cx: &Context, format: &FileFormat, revised: &[Revised]) -> Result<Vec<NewFile>> {
    let history = History::load(cx)?;
    let now = format.now();
    let mut before: Option<&str> = None;
    let mut files = Vec::new();
    for one in revised {
        let names =
            Names { rev_id: Some(&one.id), branch_labels: &[], version_path: None, beside: None };
        let parents = before.map(str::to_owned).into_iter().collect();
        let position = Position::new(cx, &history, parents, &names)?;
        let time = one.foreign.created.map_or_else(|| now.clone(), |time| format.at(time));
        let contents =
            Contents { upgrade: &one.upgrade, downgrade: &one.downgrade, is_generated: false };
        files.push(position.file(cx, (format, &time), &one.foreign.name, &contents)?);
        before = Some(&one.id);
    }
    Ok(files)
}

/// Says what was taken over, and what can't be undone.
fn report(cx: &Context, args: &Import, revised: &[Revised]) {
    for one in revised.iter().filter(|one| !one.leaves.is_empty()) {
        if let Some(why) = &one.downgrade.irreversible {
            cx.out.warning(format!("revision `{}` can't be undone: {why}", one.id));
        }
    }
    for one in revised.iter().filter(|one| one.foreign.unprinted) {
        let (file, id) = (one.foreign.up.file.display(), &one.id);
        cx.out.warning(match args.tool {
            Tool::SeaOrm => format!(
                "`{file}` reads rows, and revision `{id}` runs what it did in an empty database: \
                 write it as a step, `op.run(...)`, if new databases need it"
            ),
            _ => format!(
                "`{file}` also runs a program, which revision `{id}` does not: write it as a \
                 step, `op.run(...)`, if new databases need it"
            ),
        });
    }
    let irreversible =
        |one: &&Revised| one.foreign.down.is_none() && one.downgrade.irreversible.is_some();
    let unprinted = revised.iter().filter(irreversible).filter(|one| one.foreign.unprinted_down);
    for one in unprinted {
        let (file, id) = (one.foreign.up.file.display(), &one.id);
        cx.out.warning(format!(
            "revision `{id}` can't be undone, since {} could not print the way back of `{file}` as \
             SQL: it needs a live database, or raises an error",
            args.tool
        ));
    }
    let without = revised.iter().filter(irreversible).count();
    if without > 0 {
        cx.out.note(format!(
            "{without} migration(s) without a way back: their revisions can't be undone"
        ));
    }
    if args.dry_run {
        return;
    }
    let (n, tool) = (revised.len(), args.tool);
    cx.out.done(format!("Importing {n} migration(s) of {tool} ... done"));
    let name = tool.to_possible_value().map_or_else(String::new, |value| value.get_name().into());
    cx.out.progress(format!(
        "`stamp --from {name}` marks them as applied in a database that {tool} migrated, and \
         `upgrade` builds a new one"
    ));
}
