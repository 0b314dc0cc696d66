//! The graph of revisions: which there are, what follows what, and what an identifier names.
//!
//! Nothing here knows what a revision does.

mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use target::{Range, Target};

/// One revision's place in the history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revision {
    /// The identifier, unique in the project.
    pub id: String,
    /// The revisions that it follows: none for a base, several for a merge.
    pub parents: Vec<String>,
    /// Names of the branch that begins here.
    pub branch_labels: Vec<String>,
    /// Revisions or labels that have to be applied before, without being parents.
    pub depends_on: Vec<String>,
    /// The first line of the module's documentation.
    pub message: String,
    /// Where the revision is written, for messages.
    pub file: String,
}

/// Why revisions make no graph, or an identifier names nothing in it.
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

    /// What to do about it, if there is one thing to say.
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

/// Revisions in an order in which each follows what it needs.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::revision::{Graph, Revision};
///
/// let revision = |id: &str, parents: &[&str]| Revision {
///     id: id.to_owned(),
///     parents: parents.iter().map(|it| it.to_string()).collect(),
///     ..Revision::default()
/// };
/// let graph = Graph::new(vec![revision("b2", &["a1"]), revision("a1", &[])])?;
/// assert_eq!(graph.heads(), ["b2"]);
/// assert_eq!(graph.resolve("b2-1")?, Some("a1"));
/// # Ok::<(), dbmigrate_runtime::revision::GraphError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// In topological order, those of equal standing in the order of their files.
    revisions: Vec<Revision>,
    by_id: BTreeMap<String, usize>,
    children: BTreeMap<String, Vec<String>>,
}

impl Graph {
    /// Orders the revisions.
    ///
    /// # Errors
    ///
    /// When two have one id, one follows a revision that isn't there, or they go in a circle.
    pub fn new(mut revisions: Vec<Revision>) -> Result<Graph, GraphError> {
        revisions.sort_by(|a, b| (&a.file, &a.id).cmp(&(&b.file, &b.id)));
        let mut by_id = BTreeMap::new();
        for (idx, it) in revisions.iter().enumerate() {
            if let Some(other) = by_id.insert(it.id.clone(), idx) {
                let other: &Revision = &revisions[other];
                let message = format!(
                    "two revisions have the id `{}`: {} and {}",
                    it.id, other.file, it.file
                );
                return Err(GraphError::new(message)
                    .hint("give one of them another id, in `REVISION` and in the file's name"));
            }
        }
        let mut labels = BTreeMap::new();
        for it in &revisions {
            for label in &it.branch_labels {
                if let Some(other) = labels.insert(label.clone(), it.id.clone()) {
                    let message = format!(
                        "two revisions have the branch label `{label}`: `{other}` and `{}`",
                        it.id
                    );
                    return Err(GraphError::new(message).hint("rename one of the labels"));
                }
            }
        }
        let needs = |it: &Revision| -> Result<Vec<usize>, GraphError> {
            let mut found = Vec::new();
            for parent in &it.parents {
                if *parent == it.id {
                    let message = format!("revision `{}` follows itself, in {}", it.id, it.file);
                    return Err(GraphError::new(message).hint("correct its `DOWN_REVISION`"));
                }
                let Some(idx) = by_id.get(parent) else {
                    let message = format!(
                        "revision `{}` follows `{parent}`, which this project does not have, in {}",
                        it.id, it.file
                    );
                    return Err(GraphError::new(message)
                        .hint("correct its `DOWN_REVISION`, or bring the missing file back"));
                };
                found.push(*idx);
            }
            for dependency in &it.depends_on {
                let id = labels.get(dependency).unwrap_or(dependency);
                let Some(idx) = by_id.get(id) else {
                    let message = format!(
                        "revision `{}` depends on `{dependency}`, which this project does not \
                         have, in {}",
                        it.id, it.file
                    );
                    return Err(GraphError::new(message).hint("correct its `DEPENDS_ON`"));
                };
                found.push(*idx);
            }
            Ok(found)
        };
        let needs: Vec<Vec<usize>> = revisions.iter().map(needs).collect::<Result<_, _>>()?;
        let order = topological(&revisions, &needs)?;
        let mut revisions: Vec<Option<Revision>> = revisions.into_iter().map(Some).collect();
        let sorted: Vec<Revision> =
            order.into_iter().filter_map(|idx| revisions[idx].take()).collect();
        let by_id = sorted.iter().enumerate().map(|(idx, it)| (it.id.clone(), idx)).collect();
        let mut children: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for it in &sorted {
            for parent in &it.parents {
                children.entry(parent.clone()).or_default().push(it.id.clone());
            }
        }
        Ok(Graph { revisions: sorted, by_id, children })
    }

    /// All revisions, each after what it needs.
    pub fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// The revision of that id.
    pub fn get(&self, id: &str) -> Option<&Revision> {
        self.by_id.get(id).map(|idx| &self.revisions[*idx])
    }

    /// The place of a revision among [`revisions`](Graph::revisions).
    pub fn position(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Revisions that nothing follows.
    pub fn heads(&self) -> Vec<&str> {
        let ids = self.revisions.iter().map(|it| it.id.as_str());
        ids.filter(|it| self.children(it).is_empty()).collect()
    }

    /// The revisions that directly follow one.
    pub fn children(&self, id: &str) -> &[String] {
        self.children.get(id).map_or(&[], Vec::as_slice)
    }

    /// The heads of what is applied: applied revisions that no applied one follows.
    pub fn current<'a>(&'a self, applied: &BTreeSet<String>) -> Vec<&'a str> {
        let ids = self.revisions.iter().map(|it| it.id.as_str());
        ids.filter(|it| applied.contains(*it))
            .filter(|it| !self.children(it).iter().any(|it| applied.contains(it)))
            .collect()
    }

    /// These revisions with all that they need.
    pub fn with_ancestors<'a>(&'a self, ids: &[&'a str]) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&str> = ids.to_vec();
        while let Some(id) = open.pop() {
            if let Some(it) = self.get(id) {
                if found.insert(it.id.as_str()) {
                    open.extend(self.needs(it));
                }
            }
        }
        found
    }

    /// These revisions with all that need them.
    pub fn with_descendants<'a>(&'a self, ids: &[&'a str]) -> BTreeSet<&'a str> {
        let mut found: BTreeSet<&str> = ids.iter().copied().collect();
        // In topological order, so that one pass finds them all.
        for it in &self.revisions {
            if self.needs(it).any(|id| found.contains(id)) {
                found.insert(&it.id);
            }
        }
        found
    }

    /// What a revision directly needs: its parents and what it depends on.
    pub(crate) fn needs<'a>(&'a self, it: &'a Revision) -> impl Iterator<Item = &'a str> {
        let dependencies = it
            .depends_on
            .iter()
            .filter_map(|it| self.get(it).or_else(|| self.labelled(it)).map(|it| it.id.as_str()));
        it.parents.iter().map(String::as_str).chain(dependencies)
    }

    fn labelled(&self, label: &str) -> Option<&Revision> {
        self.revisions.iter().find(|it| it.branch_labels.iter().any(|it| it == label))
    }
}

fn topological(revisions: &[Revision], needs: &[Vec<usize>]) -> Result<Vec<usize>, GraphError> {
    let mut n_open: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); revisions.len()];
    for (idx, needed) in needs.iter().enumerate() {
        needed.iter().for_each(|it| needed_by[*it].push(idx));
    }
    let mut ready: BTreeSet<usize> = (0..revisions.len()).filter(|it| n_open[*it] == 0).collect();
    let mut order = Vec::with_capacity(revisions.len());
    while let Some(idx) = ready.pop_first() {
        order.push(idx);
        for next in &needed_by[idx] {
            n_open[*next] -= 1;
            if n_open[*next] == 0 {
                ready.insert(*next);
            }
        }
    }
    if order.len() == revisions.len() {
        return Ok(order);
    }
    let in_circle = (0..revisions.len()).filter(|it| n_open[*it] > 0);
    let texts: Vec<_> =
        in_circle.map(|it| format!("`{}` in {}", revisions[it].id, revisions[it].file)).collect();
    let message = format!("these revisions follow each other in a circle: {}", texts.join(", "));
    Err(GraphError::new(message).hint("correct the `DOWN_REVISION` of one of them"))
}
