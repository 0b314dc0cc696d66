//! `edit`: opens a revision in the editor.

use std::collections::BTreeSet;

use dbmigrate_runtime::revision::{Graph, Revision};
use xshell::{Shell, cmd};

use super::Answer;
use crate::cli::Edit;
use crate::connection::Database;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history;

pub fn run(cx: &Context, args: &Edit) -> Result<Answer> {
    // Read without compiling: what doesn't compile is what one wants to edit.
    let headers = history::headers(cx)?;
    let revisions = headers.iter().map(|it| Revision {
        id: it.id.clone(),
        parents: it.parents.clone(),
        file: history::relative(cx, &it.path),
        ..Revision::default()
    });
    let graph = Graph::new(revisions.collect())?;
    let applied = match args.revision.starts_with(['+', '-']) || args.revision.contains("current") {
        true => history::applied_ids(cx, &Database::find(cx)?)?,
        false => BTreeSet::new(),
    };
    let target = graph.target(&args.revision, Some(&applied))?;
    let ids = target.ids();
    let paths: Vec<_> =
        headers.iter().filter(|it| ids.contains(&it.id.as_str())).map(|it| &it.path).collect();
    if paths.is_empty() {
        return Err(Error::new(format!("`{}` is before the first revision", args.revision))
            .hint("`cargo dbmigrate history` lists the revisions"));
    }
    let editor = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(|it| std::env::var(it).ok().filter(|it| !it.trim().is_empty()))
        .ok_or_else(|| {
            Error::new("no editor is set").hint("set the environment's EDITOR, such as `vi`")
        })?;
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or_default();
    let failed = |err: xshell::Error| {
        Error::new(format!("failed to run the editor `{editor}`: {err}"))
            .hint("set the environment's EDITOR to one that is installed")
    };
    let sh = Shell::new().map_err(failed)?;
    let args: Vec<_> = words.collect();
    cmd!(sh, "{program} {args...} {paths...}").quiet().run().map_err(failed)?;
    cx.out.json("edit", serde_json::json!({ "revisions": ids }));
    Ok(Answer::Done)
}
