//! The revisions that a squash revision replaces, and what prevents it.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::revision::{Graph, Range, Revision};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::History;

/// The revisions that a squash revision replaces, and its position in the history.
pub struct Squashed {
    /// In the order of the history.
    pub ids: Vec<String>,
    /// Their parents outside of the range.
    pub parents: Vec<String>,
    /// Their dependencies outside of the range.
    pub depends_on: Vec<String>,
    /// The labels that they declare.
    pub branch_labels: Vec<String>,
}

impl Squashed {
    /// The revisions of a range.
    ///
    /// # Errors
    ///
    /// When one end doesn't follow the other, when the range is a single revision, or when other
    /// revisions need something in the middle of it.
    pub fn of(cx: &Context, history: &History, text: &str) -> Result<Squashed> {
        let range = match Range::parse(text) {
            Some(range) => range,
            None => Range { from: None, to: Some(text.to_owned()) },
        };
        let sides: Vec<&str> =
            [&range.from, &range.to].into_iter().flatten().map(|side| &**side).collect();
        for side in &sides {
            if let Some((id, by)) = history.graph.replaced_by(side) {
                let message =
                    format!("revision `{id}` is already replaced by `{}`, in {}", by.id, by.file);
                return Err(
                    Error::new(message).hint(format!("squash from `{}` or up to it", by.id))
                );
            }
        }
        let (history, applied) = history.to_understand(cx, &sides)?;
        let graph = &history.graph;
        let end = |identifier: &str| -> Result<Option<String>> {
            let target = graph.target(identifier, applied.as_ref())?;
            match target.ids().as_slice() {
                [] => Ok(None),
                [id] => Ok(Some((*id).to_owned())),
                ids => {
                    let listed = graph.listed(ids);
                    Err(Error::new(format!("`{identifier}` names several revisions:{listed}"))
                        .hint("a squash begins at one revision and ends at one"))
                }
            }
        };
        let from = range.from.as_deref().map(end).transpose()?.flatten();
        let Some(to) = end(range.to.as_deref().unwrap_or("head"))? else {
            return Err(Error::new(format!("`{text}` ends before the first revision"))
                .hint("`cargo dbmigrate history` lists the revisions"));
        };
        if let Some(from) = from.as_ref().filter(|from| **from != to && !graph.follows(&to, from)) {
            return Err(Error::new(format!("revision `{to}` does not follow `{from}`"))
                .hint("a range goes from an older revision to one that follows it"));
        }
        let is_within = |revision: &&Revision| {
            let is_before = from.as_ref().is_some_and(|from| graph.follows(from, &revision.id));
            (revision.id == to || graph.follows(&to, &revision.id)) && !is_before
        };
        let within: Vec<&Revision> = graph.revisions().iter().filter(is_within).collect();
        if let [revision] = within.as_slice() {
            return Err(Error::new(format!("`{text}` is only one revision, `{}`", revision.id))
                .hint("a squash replaces two or more revisions; `from:to` includes both ends"));
        }
        let ids: Vec<String> = within.iter().map(|revision| revision.id.clone()).collect();
        refuse_needed(graph, &ids, &to)?;
        let is_outside = |needed: &&str| !ids.iter().any(|id| id == needed);
        let parents =
            within.iter().flat_map(|revision| revision.parents.iter().map(String::as_str));
        let parents = unique(parents.filter(is_outside));
        let before = graph.with_ancestors(&parents);
        let names =
            within.iter().flat_map(|revision| revision.depends_on.iter().map(String::as_str));
        let names = names.filter(|name| {
            graph.named(name).is_some_and(|revision| {
                is_outside(&revision.id.as_str()) && !before.contains(revision.id.as_str())
            })
        });
        let depends_on = unique(names);
        let labels = within.iter().flat_map(|revision| revision.branch_labels.clone()).collect();
        let owned = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let (parents, depends_on) = (owned(parents), owned(depends_on));
        Ok(Squashed { ids, parents, depends_on, branch_labels: labels })
    }

    /// The last of these revisions.
    pub fn last(&self) -> &str {
        self.ids.last().map_or("", String::as_str)
    }

    /// The entries of `REPLACES`: a squash revision is followed by the revisions that it replaces.
    pub fn replaces(&self, history: &History) -> Vec<String> {
        let mut replaces = Vec::new();
        for revision in self.ids.iter().filter_map(|id| history.graph.get(id)) {
            let inner: Vec<&str> = revision.replaced().collect();
            replaces.extend(revision.replaces.iter().cloned());
            replaces.push(if inner.is_empty() {
                revision.id.clone()
            } else {
                format!("{}: {}", revision.id, inner.join(" "))
            });
        }
        replaces
    }
}

fn unique<'a>(items: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    items.filter(|item| seen.insert(*item)).collect()
}

/// Fails if another revision needs one in the middle, since a new database never is at that point.
fn refuse_needed(graph: &Graph, ids: &[String], last: &str) -> Result<()> {
    let is_inner = |id: &str| id != last && ids.iter().any(|own| own == id);
    for other in graph.revisions().iter().filter(|revision| !ids.contains(&revision.id)) {
        let followed = other.parents.iter().map(|id| (id.as_str(), "follows"));
        let names = other.depends_on.iter().filter_map(|name| Some(graph.named(name)?.id.as_str()));
        let mut needed = followed.chain(names.map(|id| (id, "depends on")));
        let Some((id, needs)) = needed.find(|(id, _)| is_inner(id)) else { continue };
        let file = graph.get(id).map_or("", |revision| &revision.file);
        let message = format!(
            "revision `{}` in {} {needs} `{id}` in {file}, which is in the middle of the range",
            other.id, other.file
        );
        return Err(Error::new(message).hint(format!(
            "squash up to `{id}`, or from a revision after it: others can only follow the last \
             revision of a range"
        )));
    }
    Ok(())
}
