//! Which revisions are moved after which head. Depends neither on files nor on a database.

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::engine::revision::{Graph, Revision};

use crate::error::{Error, Result};
use crate::new_file;

/// Revisions that belong to one head and not to another one.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    graph: &'a Graph,
    /// The revision that is changed to follow the head.
    pub first: &'a Revision,
    /// That revision and its descendants.
    pub moved: Vec<&'a str>,
    /// The head that the line is moved after.
    pub onto: &'a str,
}

impl<'a> Line<'a> {
    /// The line of a revision, starting where it leaves the history of the head.
    ///
    /// # Errors
    ///
    /// A name that isn't a head, and a line that would end up in a circle or stay where it is.
    pub fn of(graph: &'a Graph, id: &str, onto: &'a str) -> Result<Line<'a>> {
        if id == onto {
            return Err(Error::new(format!("revision `{id}` can't be moved after itself"))
                .hint("`cargo dbmigrate heads` lists the heads that it can be moved after"));
        }
        if graph.follows(id, onto) {
            let message = format!("revision `{id}` already follows `{onto}`: nothing to rebase");
            return Err(Error::new(message));
        }
        let shared = graph.with_ancestors(&[onto]);
        if shared.contains(id) {
            let message =
                format!("`{onto}` needs revision `{id}`, so that can't be moved after it");
            return Err(Error::new(message)
                .hint("name a revision that is only on the line that is to move"));
        }
        if let Some(err) = new_file::no_head(graph, onto) {
            return Err(
                err.hint("`cargo dbmigrate heads` lists the heads that a line can be moved after")
            );
        }
        let (first, others) = firsts(graph, id, &shared);
        let Some(first) = first.filter(|_| others.is_empty()) else {
            let all: Vec<&str> =
                first.into_iter().chain(others).map(|revision| revision.id.as_str()).collect();
            let listed = graph.listed(&all);
            let message = format!("the line of `{id}` begins at several revisions:{listed}");
            return Err(Error::new(message).hint(format!(
                "`cargo dbmigrate merge {id} {onto}` joins it with `{onto}`; to move one part of \
                 it, name that part's first revision"
            )));
        };
        let ids = graph.revisions().iter().map(|revision| revision.id.as_str());
        let moved = ids.filter(|id| *id == first.id || graph.follows(id, &first.id)).collect();
        Ok(Line { graph, first, moved, onto })
    }

    /// The first applied revision of the line.
    pub fn applied(&self, applied: &BTreeSet<String>) -> Option<&'a str> {
        self.moved.iter().copied().find(|id| applied.contains(*id))
    }

    /// The target of a downgrade that undoes the line and nothing else.
    pub fn way_down(&self) -> String {
        let fork = self.first.parents.first().map_or("base", String::as_str);
        format!("`cargo dbmigrate downgrade {}@{fork}`", self.first.id)
    }

    /// The heads of the line.
    pub fn heads(&self) -> Vec<&'a str> {
        let is_head = |id: &&str| self.graph.children(id).is_empty();
        self.moved.iter().copied().filter(is_head).collect()
    }

    /// The command that names the line.
    pub fn command(&self) -> String {
        let Line { first, onto, .. } = self;
        format!("cargo dbmigrate rebase {} --onto {onto}", first.id)
    }
}

/// Where the line of a revision starts: its revisions whose parents are all shared.
fn firsts<'a>(
    graph: &'a Graph,
    id: &str,
    shared: &BTreeSet<&str>,
) -> (Option<&'a Revision>, Vec<&'a Revision>) {
    let mut own = BTreeMap::new();
    let mut open = vec![id];
    while let Some(revision) = open.pop().and_then(|id| graph.get(id)) {
        if own.insert(revision.id.as_str(), revision).is_none() {
            let parents = revision.parents.iter().map(String::as_str);
            open.extend(parents.filter(|parent| !shared.contains(parent)));
        }
    }
    let is_first = |revision: &&Revision| {
        revision.parents.iter().all(|parent| shared.contains(parent.as_str()))
    };
    let mut firsts = own.into_values().filter(is_first);
    (firsts.next(), firsts.collect())
}

/// The possible lines if none is named: those that no label distinguishes from the others.
///
/// # Errors
///
/// When there is nothing to rebase, or when there are more than two lines.
pub fn candidates<'a>(graph: &'a Graph, onto: Option<&'a str>) -> Result<Vec<Line<'a>>> {
    refuse_one_head(graph)?;
    let rivals = graph.rival_heads();
    let listed = graph.listed(&graph.real_heads());
    let which = "choose which line to move after which head: `cargo dbmigrate rebase REV --onto \
                 REV`";
    let pairs: Vec<(&str, &str)> = match (onto, rivals.as_slice()) {
        (None, [one, other]) => vec![(one, other), (other, one)],
        (Some(onto), rivals) => {
            let is_alike = |head: &&str| *head != onto && graph.labels(head) == graph.labels(onto);
            rivals.iter().copied().filter(is_alike).map(|rival| (rival, onto)).collect()
        }
        (None, _) => Vec::new(),
    };
    if rivals.is_empty() || (onto.is_some() && pairs.is_empty()) {
        let message = format!(
            "the heads are kept apart by labels or dependencies, so none moves unless it is \
             named:{listed}"
        );
        return Err(Error::new(message).hint(which));
    }
    if pairs.is_empty() || (onto.is_some() && pairs.len() > 1) {
        let message = format!("there are several lines that could move:{listed}");
        return Err(Error::new(message).hint(which));
    }
    let lines: Vec<_> = pairs.into_iter().map(|(id, onto)| Line::of(graph, id, onto)).collect();
    if lines.iter().any(Result::is_ok) {
        Ok(lines.into_iter().filter_map(Result::ok).collect())
    } else {
        lines.into_iter().collect()
    }
}

/// The head that a revision's line is moved after if none is named.
///
/// # Errors
///
/// When there is no such head, or several.
pub fn only_other_head<'a>(graph: &'a Graph, id: &str) -> Result<&'a str> {
    refuse_one_head(graph)?;
    let own = graph.with_descendants(&[id]);
    let others: Vec<&str> =
        graph.real_heads().into_iter().filter(|head| !own.contains(head)).collect();
    // Branches that are meant to stay separate are not what a line is moved after.
    let is_alike = |head: &&&str| graph.labels(head) == graph.labels(id);
    let alike: Vec<&str> = others.iter().filter(is_alike).copied().collect();
    match (alike.as_slice(), others.as_slice()) {
        ([head], _) | ([], [head]) => Ok(head),
        ([], []) => {
            let message =
                format!("all heads need revision `{id}`, so it can't be moved after any of them");
            Err(Error::new(message)
                .hint("name a revision that is only on the line that is to move"))
        }
        _ => {
            let command = |head: &&str| format!("\n    cargo dbmigrate rebase {id} --onto {head}");
            let listed = graph.listed(&others);
            let message =
                format!("there are several heads that `{id}` could be moved after:{listed}");
            let commands: String = others.iter().map(command).collect();
            Err(Error::new(message).hint(format!("choose one:{commands}")))
        }
    }
}

fn refuse_one_head(graph: &Graph) -> Result<()> {
    match graph.heads().as_slice() {
        [] => Err(Error::new("there is no revision to rebase")),
        [id] => Err(Error::new(format!(
            "there is only one head, `{id}`, so there is nothing to rebase"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
