//! `edit`: opens a revision in the editor.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::revision::View;
use xshell::{Shell, cmd};

use super::Answer;
use crate::cli::Edit;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history;
use crate::revision_files::constants::{self, Header};

pub fn run(cx: &Context, args: &Edit) -> Result<Answer> {
    // Read without compiling, since a revision that doesn't compile is one that people want to
    // edit.
    let headers = constants::read(cx)?;
    let ids = ids(cx, &headers, &args.revision)?;
    let paths: Vec<_> = headers
        .iter()
        .filter(|header| ids.contains(&header.revision.id))
        .map(|header| &header.path)
        .collect();
    if paths.is_empty() {
        return Err(Error::new(format!("`{}` is before the first revision", args.revision))
            .hint("`cargo dbmigrate history` lists the revisions"));
    }
    let editor = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(|variable| std::env::var(variable).ok().filter(|value| !value.trim().is_empty()))
        .ok_or_else(|| {
            Error::new("no editor is set")
                .hint("set the environment variable EDITOR, for example to `vi`")
        })?;
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or_default();
    let failed = |err: xshell::Error| {
        Error::new(format!("failed to run the editor `{editor}`: {err}"))
            .hint("set the environment variable EDITOR to one that is installed")
    };
    let sh = Shell::new().map_err(failed)?;
    let args: Vec<_> = words.collect();
    cmd!(sh, "{program} {args...} {paths...}").quiet().run().map_err(failed)?;
    cx.out.json("edit", serde_json::json!({ "revisions": ids }));
    Ok(Answer::Done)
}

/// The revisions that the identifier names. If the revisions don't form a graph, the file to
/// correct can still be named by its id.
fn ids(cx: &Context, headers: &[Header], identifier: &str) -> Result<Vec<String>> {
    let graph = match constants::graph(headers) {
        Ok(graph) => graph,
        Err(err) => {
            let ids = headers.iter().map(|header| &header.revision.id);
            let named: Vec<_> = ids.filter(|id| id.starts_with(identifier)).cloned().collect();
            return if named.is_empty() { Err(err) } else { Ok(named) };
        }
    };
    // A file can be opened even if another revision replaces it.
    if headers.iter().any(|header| header.revision.id == identifier) {
        return Ok(vec![identifier.to_owned()]);
    }
    let View { of: graph, applied, .. } = match history::applied_for(cx, &[identifier])? {
        Some(applied) => graph.view(applied)?,
        None => graph.view(BTreeSet::new())?,
    };
    let target = graph.target(identifier, Some(&applied))?;
    Ok(target.ids().into_iter().map(str::to_owned).collect())
}
