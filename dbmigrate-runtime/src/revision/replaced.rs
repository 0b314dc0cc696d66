//! Revisions that replace others, and which of the two a database has.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::build::{by_id, check_id, sort};
use super::target::{split_branch, split_relative};
use super::{Graph, GraphError, Revision, Target};

/// A history of type `T` from the point of view of one database.
#[derive(Debug)]
pub struct View<'a, T: Clone> {
    /// The history.
    pub of: Cow<'a, T>,
    /// The applied revisions of this history.
    pub applied: BTreeSet<String>,
    /// By the id of a replacing revision, the applied revisions that count as that one because
    /// their files no longer exist.
    pub counted: BTreeMap<String, Vec<String>>,
}

/// All revisions as their files declare them.
#[derive(Debug, Default)]
pub(super) struct Written {
    revisions: Vec<Revision>,
    by_id: BTreeMap<String, usize>,
}

impl Written {
    fn new(revisions: Vec<Revision>) -> Result<Written, GraphError> {
        let by_id = by_id(&revisions)?;
        Ok(Written { revisions, by_id })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.revisions.is_empty()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Revision> {
        self.by_id.get(id).map(|idx| &self.revisions[*idx])
    }

    fn has(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// The revisions that replace others, starting with the one that replaces the most.
    fn replacing(&self) -> Vec<&Revision> {
        let replacing = self.revisions.iter().filter(|revision| !revision.replaces.is_empty());
        let mut replacing: Vec<_> = replacing.collect();
        replacing.sort_by_key(|revision| std::cmp::Reverse(revision.replaces.len()));
        replacing
    }
}

/// An entry in the list of revisions that another one replaces.
struct Replaced<'a> {
    id: &'a str,
    /// The revisions that this entry itself replaced.
    of: Vec<&'a str>,
}

fn entry(text: &str) -> Replaced<'_> {
    match text.split_once(':') {
        None => Replaced { id: text, of: Vec::new() },
        Some((id, of)) => Replaced { id: id.trim(), of: of.split_whitespace().collect() },
    }
}

impl Revision {
    /// The ids of the revisions that this one replaces, in the order of the history.
    pub fn replaced(&self) -> impl Iterator<Item = &str> {
        self.entries().map(|replaced| replaced.id)
    }

    fn entries(&self) -> impl DoubleEndedIterator<Item = Replaced<'_>> {
        self.replaces.iter().map(|text| entry(text))
    }

    /// The replaced revisions that the applied ones cover: an entry that itself replaced others
    /// covers them, and all of them together cover the entry.
    fn covered<'a>(&'a self, applied: &BTreeSet<String>) -> BTreeSet<&'a str> {
        let mut covered: BTreeSet<&str> =
            self.replaced().filter(|replaced| applied.contains(*replaced)).collect();
        for replaced in self.entries().rev() {
            if covered.contains(replaced.id) {
                covered.extend(&replaced.of);
            }
        }
        for replaced in self.entries() {
            if !replaced.of.is_empty() && replaced.of.iter().all(|id| covered.contains(id)) {
                covered.insert(replaced.id);
            }
        }
        covered
    }

    /// The ids that name the point at which this revision ends: the last one that it replaces and,
    /// if that one replaced others, the last of those.
    fn ends(&self) -> Vec<&str> {
        let mut ends = Vec::new();
        let mut at = self.entries().next_back();
        while let Some(entry) = at {
            ends.push(entry.id);
            let last = entry.of.last().copied();
            at = last.filter(|last| !ends.contains(last)).map(|last| {
                let known = self.entries().find(|replaced| replaced.id == last);
                known.unwrap_or(Replaced { id: last, of: Vec::new() })
            });
        }
        ends
    }
}

impl Graph {
    /// The revision with this id, or the one in its place in this view.
    pub fn find(&self, id: &str) -> Option<&Revision> {
        self.get(id).or_else(|| self.get(self.aliases.get(id)?))
    }

    /// The revisions that replace others, starting with the one that replaces the most.
    fn replacing(&self) -> Vec<&Revision> {
        self.written.replacing()
    }

    /// The revisions that replace the given one, in this view or not.
    pub(crate) fn replacing_one(&self, id: &str) -> Vec<&Revision> {
        let mut by = self.replacing();
        by.retain(|by| by.replaced().any(|replaced| replaced == id));
        by
    }

    /// The id that an identifier names, and the revision that replaces it along with later ones;
    /// for a point that doesn't exist in this view. The last replaced revision is the same point as
    /// the replacing one, so it doesn't count.
    pub fn replaced_by(&self, identifier: &str) -> Option<(&str, &Revision)> {
        let (id, by) = self.alias(identifier)?;
        let is_inner = by.replaced().any(|replaced| replaced == id) && !by.ends().contains(&id);
        is_inner.then_some((id, by))
    }

    /// The id that an identifier names and that isn't in this view, with the revision in its place.
    pub fn alias(&self, identifier: &str) -> Option<(&str, &Revision)> {
        let rest = split_branch(identifier).1;
        if rest.is_empty() || self.get(rest).or_else(|| self.labelled(rest)).is_some() {
            return None;
        }
        let name = if self.find(rest).is_some() { rest } else { split_relative(rest).0 };
        if name.is_empty() || matches!(name, "head" | "heads" | "base" | "current") {
            return None;
        }
        let mut like = self.aliases.iter().filter(|(id, _)| id.starts_with(name));
        let (id, by) = match (self.aliases.get_key_value(name), like.next(), like.next()) {
            (Some(pair), _, _) | (None, Some(pair), None) => pair,
            _ => return None,
        };
        Some((id, self.get(by)?))
    }

    /// What is wrong with an identifier for a point that doesn't exist in this view.
    pub(crate) fn no_such_point(&self, id: &str, by: &Revision) -> GraphError {
        let message = format!(
            "revision `{id}` was replaced by `{}` and can no longer be targeted, in {}",
            by.id, by.file
        );
        let before = match by.parents.as_slice() {
            [] => "base".to_owned(),
            ids => ids.join("`, `"),
        };
        GraphError::new(message).hint(format!("the nearest targets are `{before}` and `{}`", by.id))
    }

    /// A target that was resolved in another view of the same history, in terms of this view.
    pub fn translated(&self, target: &Target) -> Target {
        if self.aliases.is_empty() {
            return target.clone();
        }
        let one = |id: &String| self.aliases.get(id).unwrap_or(id).clone();
        let all = |ids: &[String]| {
            let mut ids: Vec<String> = ids.iter().map(one).collect();
            let mut seen = BTreeSet::new();
            ids.retain(|id| seen.insert(id.clone()));
            ids
        };
        match target {
            Target::Base => Target::Base,
            Target::Revisions(ids) => Target::Revisions(all(ids)),
            Target::Branch { branch, ids } => Target::Branch { branch: one(branch), ids: all(ids) },
        }
    }

    /// The history from the point of view of a database with these applied revisions.
    ///
    /// If the database has some of the revisions that another one replaces, the view contains them
    /// and not the replacing revision, whose id then names the last of them. If their files no
    /// longer exist and the database has all of them, they count as the replacing revision. A
    /// history without replacing revisions is borrowed.
    ///
    /// # Errors
    ///
    /// When the database has only some of them and their files no longer exist; and when it has
    /// some of them as well as the revision that replaces them.
    ///
    /// # Example
    ///
    /// ```
    /// use dbmigrate_runtime::engine::revision::{Graph, Revision};
    ///
    /// let texts = |items: &[&str]| items.iter().map(|item| item.to_string()).collect::<Vec<_>>();
    /// let revision = |id: &str, parents: &[&str], replaces: &[&str]| Revision {
    ///     id: id.to_owned(),
    ///     parents: texts(parents),
    ///     replaces: texts(replaces),
    ///     ..Revision::default()
    /// };
    /// let graph = Graph::new(vec![
    ///     revision("a1", &[], &[]),
    ///     revision("b2", &["a1"], &[]),
    ///     revision("c3", &[], &["a1", "b2"]),
    /// ])?;
    /// assert_eq!(graph.heads(), ["c3"]);
    /// let view = graph.view(["a1".to_owned()].into())?;
    /// assert_eq!(view.of.heads(), ["b2"]);
    /// # Ok::<(), dbmigrate_runtime::engine::revision::GraphError>(())
    /// ```
    pub fn view(&self, applied: BTreeSet<String>) -> Result<View<'_, Graph>, GraphError> {
        let mut counted = BTreeMap::new();
        if self.written.is_empty() {
            return Ok(View { of: Cow::Borrowed(self), applied, counted });
        }
        let mut open = BTreeSet::new();
        for by in self.replacing() {
            let has = |revision: &Revision| revision.replaced().any(|replaced| replaced == by.id);
            let mut others = self.replacing().into_iter();
            if others.any(|revision| has(revision) && !open.contains(&revision.id)) {
                continue;
            }
            let rows: Vec<&str> =
                by.replaced().filter(|replaced| applied.contains(*replaced)).collect();
            if rows.is_empty() {
                continue;
            }
            if applied.contains(&by.id) {
                return Err(both(by, &rows));
            }
            let covered = by.covered(&applied);
            if self.has_files(by, &applied) {
                open.insert(by.id.clone());
            } else if by.replaced().all(|replaced| covered.contains(replaced)) {
                let rows = rows.into_iter().map(str::to_owned).collect();
                counted.insert(by.id.clone(), rows);
            } else {
                return Err(half(by, &rows, &covered));
            }
        }
        let of = if open == self.open {
            Cow::Borrowed(self)
        } else {
            Cow::Owned(Graph::opened(&self.written, open)?)
        };
        let mut applied = applied;
        for (by, rows) in &counted {
            for row in rows {
                applied.remove(row);
            }
            applied.insert(by.clone());
        }
        Ok(View { of, applied, counted })
    }

    /// The history with the revisions that these identifiers name, even if another revision
    /// replaces them in this view.
    ///
    /// # Errors
    ///
    /// When the files of such a revision no longer exist.
    pub fn naming(&self, identifiers: &[&str]) -> Result<Cow<'_, Graph>, GraphError> {
        let mut open = self.open.clone();
        for identifier in identifiers {
            let Some((id, _)) = self.alias(identifier) else { continue };
            for by in self.replacing_one(id) {
                if self.has_files(by, &BTreeSet::from([id.to_owned()])) {
                    open.insert(by.id.clone());
                } else if !by.ends().contains(&id) {
                    return Err(self.no_such_point(id, by));
                }
            }
        }
        if open == self.open {
            Ok(Cow::Borrowed(self))
        } else {
            Ok(Cow::Owned(Graph::opened(&self.written, open)?))
        }
    }

    /// Whether the files exist of the revisions that this one replaces. If an entry itself replaced
    /// others, one side may be missing: the entry's file if it isn't applied, the others' files if
    /// none or all of them are applied.
    fn has_files(&self, by: &Revision, applied: &BTreeSet<String>) -> bool {
        let is_written = |id: &str| self.written.has(id);
        let covered = by.covered(applied);
        by.entries().all(|replaced| {
            let within = |other: Replaced<'_>| {
                let stands = || other.of.iter().all(|id| covered.contains(id));
                let contains_it = other.of.contains(&replaced.id) && is_written(other.id);
                contains_it && (!applied.contains(replaced.id) || stands())
            };
            let is_elsewhere = || {
                let are_written = || replaced.of.iter().all(|id| is_written(id));
                !replaced.of.is_empty() && !applied.contains(replaced.id) && are_written()
            };
            is_written(replaced.id) || is_elsewhere() || by.entries().any(within)
        })
    }

    /// The graph for a new database, of revisions of which some replace others.
    pub(super) fn with_replaced(mut revisions: Vec<Revision>) -> Result<Graph, GraphError> {
        sort(&mut revisions);
        let written = Written::new(revisions)?;
        check(&written)?;
        Graph::opened(&Arc::new(written), BTreeSet::new())
    }

    /// The graph without the replacing revisions in `open`, but with the revisions that they
    /// replace.
    fn opened(written: &Arc<Written>, open: BTreeSet<String>) -> Result<Graph, GraphError> {
        let aliases = aliases(written, &open);
        let mut revisions: Vec<Revision> = written
            .revisions
            .iter()
            .filter(|revision| !aliases.contains_key(&revision.id))
            .cloned()
            .collect();
        for revision in &mut revisions {
            for parent in &mut revision.parents {
                let Some(by) = aliases.get(parent) else { continue };
                if let Some(by) = written.get(by).filter(|by| is_inside(by, parent)) {
                    return Err(inside(&revision.id, parent, by, &revision.file));
                }
                by.clone_into(parent);
            }
            let mut seen = BTreeSet::new();
            revision.parents.retain(|parent| seen.insert(parent.clone()));
            for name in &mut revision.depends_on {
                if let Some(by) = aliases.get(name) {
                    by.clone_into(name);
                }
            }
        }
        let graph = Graph::of(revisions)?;
        Ok(Graph { aliases, written: Arc::clone(written), open, ..graph })
    }
}

fn is_inside(by: &Revision, id: &str) -> bool {
    by.replaced().any(|replaced| replaced == id) && !by.ends().contains(&id)
}

/// For each revision that isn't in this view, the revision in its place.
fn aliases(written: &Written, open: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut aliases = BTreeMap::new();
    // The revision that replaces the most comes last, so its entries win.
    for by in written.replacing().into_iter().rev() {
        if !open.contains(&by.id) {
            aliases.extend(by.replaced().map(|replaced| (replaced.to_owned(), by.id.clone())));
            continue;
        }
        // The replaced revision is in this view, or another one is in its place.
        let end = |ids: Vec<&str>, aliases: &BTreeMap<String, String>| {
            let known = ids.into_iter().find(|id| written.has(id) || aliases.contains_key(*id))?;
            Some(aliases.get(known).map_or(known, String::as_str).to_owned())
        };
        for replaced in by.entries().filter(|replaced| !written.has(replaced.id)) {
            if let Some(end) = end(replaced.of.last().copied().into_iter().collect(), &aliases) {
                aliases.insert(replaced.id.to_owned(), end);
            }
        }
        if let Some(end) = end(by.ends(), &aliases) {
            aliases.insert(by.id.clone(), end);
        }
    }
    aliases
}

/// Fails if a revision replaces itself, if it lists what it replaces in another order than the
/// history's, or if two revisions replace the same one and neither replaces everything that the
/// other one does.
fn check(written: &Written) -> Result<(), GraphError> {
    let replacing = written.replacing();
    for by in &replacing {
        check_entries(by, written)?;
        let ids: BTreeSet<&str> = by.replaced().collect();
        if ids.contains(by.id.as_str()) {
            let message = format!("revision `{}` replaces itself, in {}", by.id, by.file);
            return Err(GraphError::new(message).hint("correct its `REPLACES`"));
        }
        for other in replacing.iter().filter(|revision| revision.id != by.id) {
            if let Some(entry) = by.entries().find(|replaced| replaced.id == other.id) {
                let is_whole = entry.of.iter().copied().eq(other.replaced());
                if !is_whole || !other.replaced().all(|replaced| ids.contains(replaced)) {
                    return Err(not_whole(by, other));
                }
                continue;
            }
            let mut common = other.replaced().filter(|replaced| ids.contains(replaced));
            if let (Some(id), false) =
                (common.next(), other.replaced().any(|replaced| replaced == by.id))
            {
                let message = format!(
                    "two revisions replace `{id}`: `{}` in {} and `{}` in {}",
                    by.id, by.file, other.id, other.file
                );
                return Err(GraphError::new(message).hint(
                    "delete the file of the one that no database has applied, and squash again if \
                     needed",
                ));
            }
        }
        check_places(by, &replacing, written)?;
    }
    Ok(())
}

/// Fails if a list of replaced revisions contains something that isn't an id, contains an id twice,
/// or lists a revision before one that it follows: the last entry is the point at which the list
/// ends.
fn check_entries(by: &Revision, written: &Written) -> Result<(), GraphError> {
    let err = |message: String| {
        GraphError::new(format!("{message}, in {}", by.file)).hint("correct its `REPLACES`")
    };
    let ids: BTreeSet<&str> = by.replaced().collect();
    let (mut before, mut looked_at) = (BTreeSet::new(), BTreeSet::new());
    for replaced in by.entries() {
        for id in replaced.of.iter().chain([&replaced.id]) {
            check_id(id).map_err(|err| {
                err.in_file(&by.file).or_hint("correct the `REPLACES` that lists it")
            })?;
        }
        if before.contains(replaced.id) {
            return Err(err(format!("revision `{}` replaces `{}` twice", by.id, replaced.id)));
        }
        let mut open = vec![replaced.id];
        while let Some(id) = open.pop() {
            if id != replaced.id && ids.contains(id) && !before.contains(id) {
                let (by, text) = (&by.id, replaced.id);
                return Err(err(format!(
                    "the `REPLACES` of revision `{by}` lists `{text}` before `{id}`, but `{text}` \
                     follows `{id}`"
                )));
            }
            if looked_at.insert(id) {
                let parents = written.get(id).map_or(&[][..], |revision| &revision.parents);
                open.extend(parents.iter().map(String::as_str));
            }
        }
        before.insert(replaced.id);
    }
    Ok(())
}

/// Fails if a file has the id of a replaced revision but a different place in the history, since it
/// would be ignored in favour of the revision that replaces it.
fn check_places(
    by: &Revision,
    replacing: &[&Revision],
    written: &Written,
) -> Result<(), GraphError> {
    let mut allowed: BTreeSet<&str> = by.entries().flat_map(|entry| entry.of).collect();
    allowed.extend(by.replaced());
    // The ancestors, under each name that they have.
    let mut open: Vec<&str> = by.parents.iter().map(String::as_str).collect();
    while let Some(id) = open.pop() {
        if id == by.id || !allowed.insert(id) {
            continue;
        }
        let parents = written.get(id).map_or(&[][..], |revision| &revision.parents);
        open.extend(parents.iter().map(String::as_str));
        let is_named =
            |other: &&&Revision| other.id == id || other.replaced().any(|replaced| replaced == id);
        for other in replacing.iter().filter(is_named).filter(|other| other.id != by.id) {
            open.push(&other.id);
            open.extend(other.replaced());
        }
    }
    for revision in by.replaced().filter_map(|id| written.get(id)) {
        let is_elsewhere =
            |parent: &&String| written.has(parent) && !allowed.contains(parent.as_str());
        let Some(parent) = revision.parents.iter().find(is_elsewhere) else { continue };
        let message = format!(
            "revision `{0}` in {1} follows `{parent}`, so it is not the revision `{0}` that `{2}` in \
             {3} replaces",
            revision.id, revision.file, by.id, by.file
        );
        return Err(GraphError::new(message).hint(format!(
            "give it another id, in `REVISION` and in the file's name; or correct the `REPLACES` \
             of `{}`",
            by.id
        )));
    }
    Ok(())
}

fn not_whole(by: &Revision, other: &Revision) -> GraphError {
    let message = format!(
        "revision `{}` replaces `{}`, but not everything that this one replaces, in {}",
        by.id, other.id, by.file
    );
    let of: Vec<&str> = other.replaced().collect();
    GraphError::new(message).hint(format!(
        "its `REPLACES` has to contain {}, and `{}: {}`",
        listed(&of),
        other.id,
        of.join(" ")
    ))
}

fn inside(id: &str, parent: &str, by: &Revision, file: &str) -> GraphError {
    let message = format!(
        "revision `{id}` follows `{parent}`, which `{}` in {} replaces together with what follows \
         it, in {file}",
        by.id, by.file
    );
    let last = by.ends().first().copied().unwrap_or_default().to_owned();
    GraphError::new(message).hint(format!(
        "make it follow `{last}`, or delete the file of `{}` if no database has it applied",
        by.id
    ))
}

fn listed(ids: &[&str]) -> String {
    format!("`{}`", ids.join("`, `"))
}

/// The error for a database at a point whose files no longer exist.
fn half(by: &Revision, rows: &[&str], covered: &BTreeSet<&str>) -> GraphError {
    let missing: Vec<&str> = by
        .entries()
        .filter(|replaced| replaced.of.is_empty())
        .map(|replaced| replaced.id)
        .collect();
    let missing: Vec<&str> =
        missing.into_iter().filter(|missing| !covered.contains(missing)).collect();
    let message = format!(
        "only some of the revisions that `{}` replaces are applied (the database has {}, and lacks \
         {}), and their files no longer exist, in {}",
        by.id,
        listed(rows),
        listed(&missing),
        by.file
    );
    GraphError::new(message).hint(format!(
        "restore the files, for example from version control, upgrade this database, and delete \
         them again; if the database matches `{0}`, `cargo dbmigrate stamp --verify {0}` marks it \
         as applied",
        by.id
    ))
}

/// The error for a database that two versions of a project have migrated without knowing of each
/// other.
fn both(by: &Revision, rows: &[&str]) -> GraphError {
    let message = format!(
        "the database has revision `{}` applied, and also {}, which it replaces, in {}",
        by.id,
        listed(rows),
        by.file
    );
    GraphError::new(message).hint(format!(
        "if the database matches `{0}`, `cargo dbmigrate stamp --purge {0}` marks only that \
         revision as applied",
        by.id
    ))
}
