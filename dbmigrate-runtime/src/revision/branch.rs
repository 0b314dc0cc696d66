//! Branches: which revisions are on one, and what they are called.

use std::collections::{BTreeMap, BTreeSet};

use super::{Graph, Revision};

impl Graph {
    /// The labels of a revision's branches: its own, those of its ancestors, and those of its
    /// descendants, back to the point where the branch leaves another one.
    pub fn labels(&self, id: &str) -> &[String] {
        self.labels.get(id).map_or(&[], Vec::as_slice)
    }

    /// All branch labels, each with the id of the revision that declares it.
    pub fn branch_labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.carriers.iter().map(|(label, id)| (label.as_str(), id.as_str()))
    }

    /// Heads that nothing tells apart, such as the work of two people who didn't know of each
    /// other: nothing depends on these heads, and their labels are the same.
    pub fn rival_heads(&self) -> Vec<&str> {
        let heads = self.real_heads();
        let is_alike = |one: &&str| {
            let mut others = heads.iter().filter(|head| *head != one);
            others.any(|other| self.labels(other) == self.labels(one))
        };
        heads.iter().copied().filter(is_alike).collect()
    }

    /// Whether a revision follows another one, directly or indirectly. Dependencies don't count.
    pub fn follows(&self, id: &str, other: &str) -> bool {
        self.back(&[id], parents).contains(other) && id != other
    }

    /// Whether two revisions are on branches with different labels and without common ancestors.
    pub fn is_elsewhere(&self, one: &str, other: &str) -> bool {
        let (one, other) = (self.labels(one), self.labels(other));
        let is_labelled = !one.is_empty() || !other.is_empty();
        is_labelled && !one.iter().any(|label| other.contains(label))
    }

    /// A revision with its ancestors and descendants. Dependencies don't count.
    pub(super) fn lineage<'a>(&'a self, id: &'a str) -> BTreeSet<&'a str> {
        let mut lineage = self.back(&[id], parents);
        lineage.extend(self.on_branch(id));
        lineage
    }

    /// A revision with its descendants. Dependencies don't count.
    pub(super) fn on_branch<'a>(&'a self, id: &'a str) -> BTreeSet<&'a str> {
        self.forth(&[id], parents)
    }

    /// The labels of each revision.
    pub(super) fn inherited_labels(&self) -> BTreeMap<String, Vec<String>> {
        let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (label, id) in &self.carriers {
            let mut on = self.on_branch(id);
            let mut at = self.get(id);
            while let Some(revision) = at {
                on.insert(&revision.id);
                let parent = match revision.parents.as_slice() {
                    [parent] if self.children(&revision.id).len() < 2 => self.get(parent),
                    _ => None,
                };
                let is_joint = |parent: &&Revision| {
                    self.children(&parent.id).len() > 1 || parent.parents.len() > 1
                };
                at = parent.filter(|parent| !is_joint(parent));
            }
            for id in on {
                labels.entry(id.to_owned()).or_default().push(label.clone());
            }
        }
        labels
    }
}

fn parents(revision: &Revision) -> Vec<&str> {
    revision.parents.iter().map(String::as_str).collect()
}
