//! `undo`: takes the newest revision's file away again, as long as nothing was done with it.

use super::Answer;
use crate::connection::Database;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::{headers, history, scaffold};

pub fn run(cx: &Context) -> Result<Answer> {
    // Read without compiling, since a revision that doesn't compile is one to undo.
    let headers = headers::read(cx)?;
    let graph = headers::graph(&headers)?;
    // What another one depends on isn't taken away from under it.
    let heads = graph.real_heads();
    let heads: Vec<_> =
        headers.iter().filter(|it| heads.contains(&it.revision.id.as_str())).collect();
    let applied = graph.view(history::applied_ids(cx, &Database::find(cx)?)?)?.applied;
    let unapplied: Vec<_> = heads.iter().filter(|it| !applied.contains(&it.revision.id)).collect();
    let header = match (unapplied.as_slice(), heads.as_slice()) {
        ([header], _) => header,
        ([], []) => return Err(Error::new("there is no revision to undo")),
        ([], [header, ..]) => {
            let message = format!("revision `{}` is applied, so it stays", header.revision.id);
            return Err(Error::new(message).hint("`cargo dbmigrate downgrade` undoes it first"));
        }
        (several, _) => {
            let ids: Vec<_> = several.iter().map(|it| it.revision.id.as_str()).collect();
            let message = format!("several revisions could be undone: `{}`", ids.join("`, `"));
            return Err(Error::new(message).hint("delete the file of the one that is meant"));
        }
    };
    let is_gone = |id: &&str| !headers.iter().any(|it| it.revision.id == *id);
    if let Some(id) = header.revision.replaced().find(is_gone) {
        let message = format!(
            "revision `{}` replaces `{id}`, whose file is gone, so it stays",
            header.revision.id
        );
        return Err(Error::new(message).hint("bring the files back that it replaces, or delete it"));
    }
    std::fs::remove_file(&header.path).doing(|| format!("delete `{}`", header.path.display()))?;
    scaffold::sync_list(cx)?;
    let path = history::relative(cx, &header.path);
    cx.out.done(format!("Deleting {path} ... done"));
    cx.out.json("undo", serde_json::json!({ "revision": header.revision.id, "path": path }));
    Ok(Answer::Done)
}
