//! `adopt`: an existing database, from its models to a history that is marked as applied.

mod including;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dbmigrate_runtime::engine::Migrations;
use dbmigrate_runtime::engine::revision::{Revision, Target};

use super::upgrade_all::targets;
use super::{Answer, check, inspect, new_revision, stamp};
use crate::cli::{Adopt, Check, Inspect, NewRevision};
use crate::connection::Database;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::history::{self, History};
use crate::{models, revision_files, scaffold};
use including::Including;

/// Why the first revision can't be undone.
const WAS_THERE: &str = "its tables were there before the history began";

pub fn run(cx: &Context, args: &Adopt) -> Result<Answer> {
    let mut part = cx.clone();
    part.out.is_part = true;
    let all = match args.all.as_slice() {
        [] => None,
        // Reports a mistake in them before anything is written.
        all => Some(targets::databases(cx, all)?),
    };
    let is_new = revision_files::all(cx)?.is_empty();
    // An interrupted process may have written a revision but not the list.
    scaffold::sync_list(cx)?;
    let written = models(&mut part, args)?;
    if is_new {
        let new = NewRevision {
            message: args.message.clone(),
            irreversible: Some(WAS_THERE.to_owned()),
            ..NewRevision::default()
        };
        new_revision::run(&part, &new, true, "adopt")?;
    }
    let history = History::load(cx)?;
    let migrations = history.migrations()?;
    let first = first(&history)?;
    let marking = Marking { cx, migrations: &migrations, first };
    let database = Database::find(cx)?;
    let marked = marking.mark(&database)?;
    if !marked.is_empty() {
        cx.out.done(format!("Marking revision {first} as applied in {} ... done", database.url()));
    }
    let mut answer = check::run(&part, &Check::default())?;
    let mut fleet = None;
    if let Some(all) = all {
        let report = stamp::each(cx, all, |database| marking.mark(database));
        let (of_all, document) = report.end_with_document();
        fleet = document;
        if of_all == Answer::Failed {
            answer = of_all;
        }
    }
    if answer == Answer::Done {
        cx.out.line("Models, migrations, version table and database agree.");
    }
    cx.out.json(
        "adopt",
        serde_json::json!({
            "models": written,
            "revision": first,
            "written": is_new,
            "entered": marked,
            "agree": answer == Answer::Done,
            "all": fleet,
        }),
    );
    Ok(answer)
}

/// Writes the models if there are none; returns the file.
fn models(cx: &mut Context, args: &Adopt) -> Result<Option<PathBuf>> {
    // The tables that the models name are left to the person who wrote them.
    if !models::load(cx)?.found_none {
        return Ok(None);
    }
    let root = crate_root(cx)?;
    let dir = root.parent().unwrap_or(Path::new("")).to_owned();
    let out = match &args.out {
        Some(out) => std::path::absolute(out).doing(|| format!("find `{}`", out.display()))?,
        None => dir.join("models.rs"),
    };
    let module = out.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let is_included = out.parent() == Some(&dir);
    let unincluded = || {
        let shown = cx.project.shown(&out).to_string();
        Error::new(format!("`{shown}` would not be a part of the crate")).hint(format!(
            "write it with `inspect --out`, include it with `mod {module};` beside it, and run \
             `adopt` again"
        ))
    };
    if !is_included {
        return Err(unincluded());
    }
    let inspect =
        Inspect { out: Some(out.clone()), keep_names: args.keep_names, ..Inspect::default() };
    let mut line = String::new();
    // Somebody may save the file while the database is read.
    inspect::write_and_include(cx, &inspect, &mut || {
        let including = Including::new(cx, &root, &module)?;
        line = including.line();
        Ok(including.edit())
    })?;
    cx.out.note(format!("added to {}: `{line}`", cx.project.shown(&root)));
    // They are read again with the new ones.
    let mut with_new = cx.clone();
    with_new.records = Arc::default();
    if models::load(&with_new)?.found_none {
        return Err(unincluded());
    }
    *cx = with_new;
    Ok(Some(out))
}

/// The file that the crate begins with: the library's, or else the program's.
fn crate_root(cx: &Context) -> Result<PathBuf> {
    let src = cx.project.package_dir.join("src");
    let mut roots = ["lib.rs", "main.rs"].map(|name| src.join(name)).into_iter();
    roots.find(|path| path.exists()).ok_or_else(|| {
        Error::new("the package has neither `src/lib.rs` nor `src/main.rs`")
            .hint("write the models with `inspect --out FILE`, include them, and run `adopt` again")
    })
}

/// The revision that begins the history.
fn first(history: &History) -> Result<&str> {
    let is_first = |revision: &&Revision| revision.parents.is_empty();
    let all = history.graph.revisions();
    let mut firsts = all.iter().filter(is_first).map(|revision| revision.id.as_str());
    match (firsts.next(), firsts.next()) {
        (Some(first), None) => Ok(first),
        (Some(one), Some(two)) => {
            let message =
                format!("the history has several beginnings, such as `{one}` and `{two}`");
            Err(Error::new(message)
                .hint("`stamp --verify REV` marks the revision whose schema a database has"))
        }
        (None, _) => Err(Error::new("there is no revision")),
    }
}

/// Marks the first revision as applied where nothing is marked.
struct Marking<'a> {
    cx: &'a Context,
    migrations: &'a Migrations,
    first: &'a str,
}

impl Marking<'_> {
    fn mark(&self, database: &Database) -> Result<Vec<String>> {
        if database.is_missing() {
            return Err(database.missing());
        }
        if !history::applied_ids(self.cx, database)?.is_empty() {
            return Ok(Vec::new());
        }
        let ids = BTreeSet::from([self.first.to_owned()]);
        stamp::verify(self.cx, database, self.migrations, &ids)?;
        // From now on a database may have the revision, so its file has to stay.
        self.cx.edits.keep();
        let target = Target::Revisions(vec![self.first.to_owned()]);
        let (entered, _) = stamp::enter(self.cx, database, self.migrations, (&target, false))?;
        Ok(entered)
    }
}
