//! Builds a graph of revisions, or reports which file is wrong.

use std::collections::{BTreeMap, BTreeSet};

use super::target::split_relative;
use super::{Graph, GraphError, Revision};

/// The positions of the revisions that a revision needs.
#[derive(Debug, Clone, Default)]
struct Needs {
    /// Those that it follows.
    parents: Vec<usize>,
    /// Those that it depends on without following them.
    dependencies: Vec<usize>,
}

impl Needs {
    fn all(&self) -> impl Iterator<Item = usize> {
        self.dependencies.iter().chain(&self.parents).copied()
    }
}

impl Graph {
    /// Orders the revisions.
    ///
    /// # Errors
    ///
    /// When two revisions have the same id or branch label, when one needs a revision that doesn't
    /// exist, when they need each other in a circle, or when one replaces what can't be replaced.
    pub fn new(revisions: Vec<Revision>) -> Result<Graph, GraphError> {
        if revisions.iter().any(|revision| !revision.replaces.is_empty()) {
            Graph::with_replaced(revisions)
        } else {
            Graph::of(revisions)
        }
    }

    /// The graph of exactly these revisions.
    pub(super) fn of(mut revisions: Vec<Revision>) -> Result<Graph, GraphError> {
        sort(&mut revisions);
        let mut by_id = by_id(&revisions)?;
        let carriers = carriers(&revisions, &by_id)?;
        let mut needs = Vec::with_capacity(revisions.len());
        for revision in &revisions {
            let parents = parents(revision, &by_id)?;
            let dependencies = dependencies(revision, &by_id, &carriers)?;
            needs.push(Needs { parents, dependencies });
        }
        let order = match topological(&needs) {
            Ok(order) => order,
            Err(_) => return Err(circle(&revisions, &needs)),
        };
        let carriers =
            carriers.into_iter().map(|(label, idx)| (label, revisions[idx].id.clone())).collect();
        let mut places = vec![0; order.len()];
        for (place, idx) in order.iter().enumerate() {
            places[*idx] = place;
        }
        by_id.values_mut().for_each(|idx| *idx = places[*idx]);
        let mut edges = Vec::with_capacity(order.len());
        for (idx, needs) in needs.iter().enumerate() {
            edges.extend(needs.parents.iter().map(|parent| (places[*parent], places[idx])));
        }
        edges.sort_unstable();
        edges.dedup();
        // Usually they are in order already.
        let revisions = if order.is_sorted() {
            revisions
        } else {
            let mut unsorted: Vec<Option<Revision>> = revisions.into_iter().map(Some).collect();
            order.into_iter().filter_map(|idx| unsorted[idx].take()).collect()
        };
        let mut children = vec![Vec::new(); revisions.len()];
        for (parent, child) in edges {
            children[parent].push(revisions[child].id.clone());
        }
        let mut graph = Graph { revisions, by_id, children, carriers, ..Graph::default() };
        let mut dependents: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for revision in graph.revisions.iter().filter(|revision| !revision.depends_on.is_empty()) {
            for id in graph.dependencies(revision) {
                dependents.entry(id.to_owned()).or_default().push(revision.id.clone());
            }
        }
        graph.dependents = dependents;
        graph.labels = graph.inherited_labels();
        Ok(graph)
    }
}

/// Checks that a text can be a revision's id, which appears in identifiers such as `id+1`,
/// `id@head` and `a:b`.
///
/// # Errors
///
/// The characters that an id can't contain, or the other meaning that the text has.
pub fn check_id(id: &str) -> Result<(), GraphError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    check_name(id, "a revision's id", is_allowed).map_err(|err| {
        err.or_hint("an id consists of the letters A to Z and a to z, digits and `_`")
    })
}

/// Checks that a text can be a branch label, which appears in identifiers as ids do.
///
/// # Errors
///
/// The characters that a label can't contain, or the other meaning that the text has.
pub fn check_label(label: &str) -> Result<(), GraphError> {
    let is_allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    check_name(label, "a branch label", is_allowed)
        .map_err(|err| err.or_hint("a label consists of letters, digits, `_`, `-` and `.`"))?;
    match split_relative(label) {
        (_, None) => Ok(()),
        (name, Some(_)) => {
            let message = format!(
                "`{label}` can't be a branch label: it would mean a revision relative to `{name}`"
            );
            Err(GraphError::new(message).hint("choose a label with another ending"))
        }
    }
}

fn check_name(name: &str, what: &str, is_allowed: impl Fn(char) -> bool) -> Result<(), GraphError> {
    let mut bad: Vec<char> = name.chars().filter(|c| !is_allowed(*c)).collect();
    bad.sort_unstable();
    bad.dedup();
    let why = match name {
        "" => "it is empty".to_owned(),
        "base" | "head" | "heads" | "current" => "it is reserved".to_owned(),
        _ if bad.is_empty() => return Ok(()),
        _ => bad.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", "),
    };
    let err = GraphError::new(format!("`{name}` can't be {what}: {why}"));
    Err(if bad.is_empty() && !name.is_empty() { err.hint("choose another") } else { err })
}

/// Sorts revisions by the names of their files, regardless of directory: a program knows only the
/// name, and must use the same order as the tool.
pub(super) fn sort(revisions: &mut [Revision]) {
    fn key(revision: &Revision) -> (&[u8], &str) {
        let file = revision.file.as_bytes();
        let before = file.iter().rposition(|byte| matches!(byte, b'/' | b'\\'));
        (&file[before.map_or(0, |place| place + 1)..], &revision.id)
    }
    // Usually they are in order already.
    revisions.sort_by(|one, other| key(one).cmp(&key(other)));
}

pub(super) fn by_id(revisions: &[Revision]) -> Result<BTreeMap<String, usize>, GraphError> {
    let mut by_id = BTreeMap::new();
    for (idx, revision) in revisions.iter().enumerate() {
        check_id(&revision.id).map_err(|err| err.in_file(&revision.file))?;
        if let Some(other) = by_id.insert(revision.id.clone(), idx) {
            let other = &revisions[other].file;
            let message = format!(
                "two revisions have the id `{}`: {other} and {}",
                revision.id, revision.file
            );
            return Err(GraphError::new(message)
                .hint("give one of them another id, in `REVISION` and in the file's name"));
        }
    }
    Ok(by_id)
}

/// The positions of the revisions that declare labels.
fn carriers(
    revisions: &[Revision],
    by_id: &BTreeMap<String, usize>,
) -> Result<BTreeMap<String, usize>, GraphError> {
    let mut carriers: BTreeMap<String, usize> = BTreeMap::new();
    for (idx, revision) in revisions.iter().enumerate() {
        for label in &revision.branch_labels {
            check_label(label).map_err(|err| err.in_file(&revision.file))?;
            if let Some(other) = by_id.get(label) {
                let message = format!(
                    "the branch label `{label}` of revision `{}`, in {}, is the id of the revision \
                     in {}",
                    revision.id, revision.file, revisions[*other].file
                );
                return Err(GraphError::new(message).hint("choose another label"));
            }
            if let Some(other) = carriers.insert(label.clone(), idx) {
                let other = &revisions[other];
                let message = format!(
                    "two revisions have the branch label `{label}`: `{}` in {} and `{}` in {}",
                    other.id, other.file, revision.id, revision.file
                );
                return Err(GraphError::new(message).hint(
                    "remove it from one of them: revisions that follow a labelled one are on its \
                     branch anyway",
                ));
            }
        }
    }
    Ok(carriers)
}

fn parents(revision: &Revision, by_id: &BTreeMap<String, usize>) -> Result<Vec<usize>, GraphError> {
    let one = |parent: &String| {
        if *parent == revision.id {
            let message =
                format!("revision `{}` follows itself, in {}", revision.id, revision.file);
            return Err(GraphError::new(message).hint("correct its `DOWN_REVISION`"));
        }
        by_id.get(parent).copied().ok_or_else(|| {
            let message = format!(
                "revision `{}` follows `{parent}`, which this project does not have, in {}",
                revision.id, revision.file
            );
            GraphError::new(message)
                .hint("correct its `DOWN_REVISION`, or restore the missing file")
        })
    };
    revision.parents.iter().map(one).collect()
}

fn dependencies(
    revision: &Revision,
    by_id: &BTreeMap<String, usize>,
    carriers: &BTreeMap<String, usize>,
) -> Result<Vec<usize>, GraphError> {
    let one = |name: &String| {
        let idx = by_id.get(name).or_else(|| carriers.get(name)).copied();
        if idx.is_some() && idx == by_id.get(&revision.id).copied() {
            let message =
                format!("revision `{}` depends on itself, in {}", revision.id, revision.file);
            return Err(GraphError::new(message).hint("correct its `DEPENDS_ON`"));
        }
        idx.ok_or_else(|| {
            let message = format!(
                "revision `{}` depends on `{name}`, which this project does not have, in {}",
                revision.id, revision.file
            );
            GraphError::new(message)
                .hint("correct its `DEPENDS_ON`: it takes full ids and branch labels")
        })
    };
    revision.depends_on.iter().map(one).collect()
}

/// An order in which each revision comes after those that it needs, or the revisions that have no
/// such order.
fn topological(needs: &[Needs]) -> Result<Vec<usize>, Vec<usize>> {
    let is_after = |(idx, needs): (usize, &Needs)| needs.all().all(|needed| needed < idx);
    if needs.iter().enumerate().all(is_after) {
        return Ok((0..needs.len()).collect());
    }
    let mut n_open: Vec<usize> = needs.iter().map(|needs| needs.all().count()).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (idx, needs) in needs.iter().enumerate() {
        needs.all().for_each(|needed| needed_by[needed].push(idx));
    }
    let mut ready: BTreeSet<usize> = (0..needs.len()).filter(|at| n_open[*at] == 0).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(idx) = ready.pop_first() {
        order.push(idx);
        for next in &needed_by[idx] {
            n_open[*next] -= 1;
            if n_open[*next] == 0 {
                ready.insert(*next);
            }
        }
    }
    if order.len() == needs.len() {
        Ok(order)
    } else {
        Err((0..needs.len()).filter(|at| n_open[*at] > 0).collect())
    }
}

/// Names only the revisions of one circle, without those that merely come after it.
fn circle(revisions: &[Revision], needs: &[Needs]) -> GraphError {
    let without_dependencies =
        |needs: &Needs| Needs { parents: needs.parents.clone(), ..Needs::default() };
    let parents: Vec<Needs> = needs.iter().map(without_dependencies).collect();
    let (verb, constant, needs, unordered) = match (topological(&parents), topological(needs)) {
        (Err(unordered), _) => ("follow", "DOWN_REVISION", parents.as_slice(), unordered),
        (_, Err(unordered)) => ("need", "DEPENDS_ON", needs, unordered),
        (Ok(_), Ok(_)) => unreachable!("what has an order has no circle"),
    };
    // Each of these revisions needs another one of them, so following their needs leads into a
    // circle.
    let mut circle: Vec<usize> = unordered.first().copied().into_iter().collect();
    while let Some(last) = circle.last() {
        let Some(next) = needs[*last].all().find(|idx| unordered.contains(idx)) else { break };
        if let Some(begin) = circle.iter().position(|idx| *idx == next) {
            circle.drain(..begin);
            break;
        }
        circle.push(next);
    }
    let first = circle.iter().enumerate().min_by_key(|(_, idx)| **idx).map_or(0, |(at, _)| at);
    circle.rotate_left(first);
    let text = |idx: &usize| format!("`{}` in {}", revisions[*idx].id, revisions[*idx].file);
    let texts: Vec<String> = circle.iter().map(text).collect();
    let message = format!("these revisions {verb} each other in a circle: {}", texts.join(", "));
    GraphError::new(message).hint(format!("correct the `{constant}` of one of them"))
}
