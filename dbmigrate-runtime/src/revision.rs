//! The graph of revisions: which exist, how they follow each other, and what an identifier names.
//!
//! Nothing in this module depends on what a revision does.

mod branch;
mod build;
mod replaced;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

pub use build::{check_id, check_label};
pub use replaced::View;
use replaced::Written;
pub(crate) use target::steps_from_current;
pub use target::{Range, Target, is_from_database, names_all};

/// How several heads become one, for hints.
#[doc(hidden)]
pub const TO_ONE_HEAD: &str = "`cargo dbmigrate merge` joins them, `cargo dbmigrate rebase` puts \
                               one after the other";

/// A revision's place in the history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revision {
    /// The identifier, unique in the project.
    pub id: String,
    /// The revisions that it follows: none for a base, several for a merge.
    pub parents: Vec<String>,
    /// Names of the branch that starts with this revision.
    pub branch_labels: Vec<String>,
    /// Revisions or labels that have to be applied first without being parents.
    pub depends_on: Vec<String>,
    /// The revisions that this one replaces, in the order of the history; empty unless it is a
    /// squash. An entry that itself replaced others lists them: `id: id id`.
    pub replaces: Vec<String>,
    /// The first line of the module's documentation.
    pub message: String,
    /// The revision's file, for messages.
    pub file: String,
}

/// Why revisions don't form a graph, or why an identifier names nothing in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphError {
    message: String,
    hint: Option<String>,
}

impl GraphError {
    fn new(message: impl Into<String>) -> GraphError {
        GraphError { message: message.into(), hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> GraphError {
        GraphError { hint: Some(hint.into()), ..self }
    }

    fn or_hint(self, hint: &str) -> GraphError {
        GraphError { hint: self.hint.or_else(|| Some(hint.to_owned())), ..self }
    }

    fn in_file(self, file: &str) -> GraphError {
        if file.is_empty() {
            return self;
        }
        GraphError { message: format!("{}, in {file}", self.message), ..self }
    }

    /// What to do about it, if there is something to suggest.
    pub fn get_hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for GraphError {}

/// Revisions in an order in which each follows those that it needs.
///
/// If a revision replaces others, this is the history of a new database: it contains the replacing
/// revision, and the ids of the replaced ones refer to it. [`Graph::view`] is the history of an
/// existing database.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::engine::revision::{Graph, Revision};
///
/// let revision = |id: &str, parents: &[&str]| Revision {
///     id: id.to_owned(),
///     parents: parents.iter().map(|item| item.to_string()).collect(),
///     ..Revision::default()
/// };
/// let graph = Graph::new(vec![revision("b2", &["a1"]), revision("a1", &[])])?;
/// assert_eq!(graph.heads(), ["b2"]);
/// assert_eq!(graph.resolve("b2-1")?, Some("a1"));
/// # Ok::<(), dbmigrate_runtime::engine::revision::GraphError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// In topological order; otherwise in the order of their files.
    revisions: Vec<Revision>,
    by_id: BTreeMap<String, usize>,
    /// By position, the revisions that follow it.
    children: Vec<Vec<String>>,
    /// By id, the revisions that depend on it without following it.
    dependents: BTreeMap<String, Vec<String>>,
    /// By branch label, the revision that declares it.
    carriers: BTreeMap<String, String>,
    /// By revision, the labels of its branches.
    labels: BTreeMap<String, Vec<String>>,
    /// By the id of a revision that isn't in this view, the revision in its place.
    aliases: BTreeMap<String, String>,
    /// All revisions as they are written; empty if none of them replaces others.
    written: Arc<Written>,
    /// Replacing revisions that this view omits, since the database has some of the revisions that
    /// they replace.
    open: BTreeSet<String>,
}

impl Graph {
    /// All revisions, each after those that it needs.
    pub fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// The revision with this id.
    pub fn get(&self, id: &str) -> Option<&Revision> {
        self.by_id.get(id).map(|idx| &self.revisions[*idx])
    }

    /// The revision with that id as its file declares it, even if it isn't in this view.
    pub fn written(&self, id: &str) -> Option<&Revision> {
        if self.written.is_empty() {
            return self.get(id);
        }
        self.written.get(id)
    }

    /// The position of a revision in [`revisions`](Graph::revisions).
    pub fn position(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Revisions that nothing follows.
    pub fn heads(&self) -> Vec<&str> {
        self.ends().collect()
    }

    /// Revisions that nothing follows and nothing depends on. Together they need all revisions.
    pub fn real_heads(&self) -> Vec<&str> {
        self.ends().filter(|id| self.dependents(id).is_empty()).collect()
    }

    fn ends(&self) -> impl Iterator<Item = &str> {
        let each = self.revisions.iter().enumerate();
        let ends = each.filter(|(idx, _)| self.children[*idx].is_empty());
        ends.map(|(_, revision)| revision.id.as_str())
    }

    /// Revisions that follow nothing.
    pub fn bases(&self) -> Vec<&str> {
        let bases = self.revisions.iter().filter(|revision| revision.parents.is_empty());
        bases.map(|revision| revision.id.as_str()).collect()
    }

    /// The revisions that directly follow this one.
    pub fn children(&self, id: &str) -> &[String] {
        self.position(id).map_or(&[], |idx| &self.children[idx])
    }

    /// The revisions that depend on this one without following it.
    pub fn dependents(&self, id: &str) -> &[String] {
        self.dependents.get(id).map_or(&[], Vec::as_slice)
    }

    /// The heads of what is applied: applied revisions that no applied one follows.
    pub fn current<'a>(&'a self, applied: &BTreeSet<String>) -> Vec<&'a str> {
        let is_end = |idx: usize| !self.children[idx].iter().any(|id| applied.contains(id));
        let each = self.revisions.iter().enumerate();
        each.filter(|(idx, revision)| is_end(*idx) && applied.contains(&revision.id))
            .map(|(_, revision)| revision.id.as_str())
            .collect()
    }

    /// These revisions and all that they need.
    pub fn with_ancestors<'a>(&'a self, ids: &[&'a str]) -> BTreeSet<&'a str> {
        self.back(ids, |revision| self.needs(revision).collect())
    }

    /// These revisions and all that need them.
    pub fn with_descendants<'a>(&'a self, ids: &[&'a str]) -> BTreeSet<&'a str> {
        self.forth(ids, |revision| self.needs(revision).collect())
    }

    /// The revisions that a downgrade to this target undoes: those that follow it, and those that
    /// need them. For a branch, only those that follow it on the branch.
    pub fn above<'a>(&'a self, target: &'a Target) -> BTreeSet<&'a str> {
        let ids = target.ids();
        let roots: Vec<&str> = match ids.as_slice() {
            [] => self.bases(),
            ids => ids.iter().flat_map(|id| self.children(id)).map(String::as_str).collect(),
        };
        let roots: Vec<&str> = match target.branch() {
            Some(branch) => {
                let lineage = self.lineage(branch);
                roots.into_iter().filter(|root| lineage.contains(root)).collect()
            }
            None => roots,
        };
        let kept = self.with_ancestors(&ids);
        let mut above = self.with_descendants(&roots);
        above.retain(|above| !kept.contains(above));
        above
    }

    /// The revisions that a revision directly needs: its parents and its dependencies.
    pub(crate) fn needs<'a>(&'a self, revision: &'a Revision) -> impl Iterator<Item = &'a str> {
        revision.parents.iter().map(String::as_str).chain(self.named_dependencies(revision))
    }

    /// The ids of a revision's dependencies, without those that its parents or its other
    /// dependencies need anyway.
    pub fn dependencies<'a>(&'a self, revision: &'a Revision) -> Vec<&'a str> {
        let named: BTreeSet<&str> = self.named_dependencies(revision).collect();
        let is_implied = |id: &&str| {
            let others = revision.parents.iter().map(String::as_str).chain(named.iter().copied());
            let others: Vec<&str> = others.filter(|other| other != id).collect();
            self.with_ancestors(&others).contains(*id)
        };
        named.iter().copied().filter(|id| !is_implied(id)).collect()
    }

    fn named_dependencies<'a>(&'a self, other: &'a Revision) -> impl Iterator<Item = &'a str> {
        other.depends_on.iter().filter_map(|name| Some(self.named(name)?.id.as_str()))
    }

    /// The revision with this id or branch label, or the one in its place in this view.
    pub fn named(&self, name: &str) -> Option<&Revision> {
        self.find(name).or_else(|| self.labelled(name))
    }

    /// The revision that declares a label.
    pub fn labelled(&self, label: &str) -> Option<&Revision> {
        self.carriers.get(label).and_then(|carrier| self.get(carrier))
    }

    fn back<'a>(
        &'a self,
        ids: &[&'a str],
        needs: impl Fn(&'a Revision) -> Vec<&'a str>,
    ) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&str> = ids.to_vec();
        while let Some(id) = open.pop() {
            if let Some(revision) = self.get(id) {
                if found.insert(revision.id.as_str()) {
                    open.extend(needs(revision));
                }
            }
        }
        found
    }

    fn forth<'a>(
        &'a self,
        ids: &[&'a str],
        needs: impl Fn(&'a Revision) -> Vec<&'a str>,
    ) -> BTreeSet<&'a str> {
        let mut found: BTreeSet<&str> = ids.iter().copied().collect();
        if found.is_empty() {
            return found;
        }
        // In topological order, one pass finds them all.
        for revision in &self.revisions {
            if needs(revision).iter().any(|id| found.contains(id)) {
                found.insert(&revision.id);
            }
        }
        found
    }
}
