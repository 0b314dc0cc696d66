//! Resolves the identifiers that people write for revisions.

use std::collections::BTreeSet;

use super::{Graph, GraphError, Revision, TO_ONE_HEAD};

/// The revisions that a command applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The point before the first revision.
    Base,
    /// These revisions; several for `heads`, `current` and the parents of a merge.
    Revisions(Vec<String>),
    /// Revisions on one branch; the rest of the history is left alone.
    Branch {
        /// The revision that names the branch.
        branch: String,
        /// Empty for the branch's base.
        ids: Vec<String>,
    },
}

impl Target {
    fn of(ids: Vec<&str>, branch: Option<&str>) -> Target {
        let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        match branch {
            Some(branch) => Target::Branch { branch: branch.to_owned(), ids },
            None if ids.is_empty() => Target::Base,
            None => Target::Revisions(ids),
        }
    }

    /// The revisions; empty for the base.
    pub fn ids(&self) -> Vec<&str> {
        match self {
            Target::Base => Vec::new(),
            Target::Revisions(ids) | Target::Branch { ids, .. } => {
                ids.iter().map(String::as_str).collect()
            }
        }
    }

    /// The revision that names the branch, if only one branch is meant.
    pub fn branch(&self) -> Option<&str> {
        match self {
            Target::Base | Target::Revisions(_) => None,
            Target::Branch { branch, .. } => Some(branch),
        }
    }
}

/// A range `a:b` of revisions; a side that isn't given is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The start.
    pub from: Option<String>,
    /// The end.
    pub to: Option<String>,
}

impl Range {
    /// Parses `a:b`, `a:` or `:b`; `None` if there is no `:`.
    pub fn parse(text: &str) -> Option<Range> {
        let (from, to) = text.split_once(':')?;
        let side = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Some(Range { from: side(from), to: side(to) })
    }
}

/// Whether an identifier depends on what is applied, as `current`, `+1` and `label@-1` do.
pub fn is_from_database(identifier: &str) -> bool {
    matches!(split_relative(split_branch(identifier).1), ("current", _) | ("", Some(_)))
}

/// Whether an identifier names the end of the history or of a branch, and no particular revision.
pub fn names_all(identifier: &str) -> bool {
    matches!(split_relative(split_branch(identifier).1), ("head" | "heads", None))
}

/// How many steps an identifier such as `+1` or `label@-1` is away from the applied revisions.
pub(crate) fn steps_from_current(identifier: &str) -> Option<i64> {
    match split_relative(split_branch(identifier).1) {
        ("", steps) => steps,
        _ => None,
    }
}

impl Graph {
    /// The revision that an identifier names without a database, or `None` for the base. `current`
    /// and a bare `+N` or `-N` need a database, so they are errors here.
    ///
    /// # Errors
    ///
    /// When the identifier names no revision, or several.
    pub fn resolve(&self, identifier: &str) -> Result<Option<&str>, GraphError> {
        match self.target(identifier, None)?.ids().as_slice() {
            [] => Ok(None),
            [id] => Ok(self.get(id).map(|revision| revision.id.as_str())),
            ids => {
                let words = Words { graph: self, identifier, branch: None, applied: None };
                Err(words.several(ids).hint("name one of them"))
            }
        }
    }

    /// Resolves an identifier: a full id, a branch label, an unambiguous prefix of an id, `head`,
    /// `heads`, `base`, `current`, `+N` or `-N` relative to the applied revisions, any of these
    /// followed by `+N` or `-N`, and any of these with `label@` or `id@` in front, which restricts
    /// it to that branch.
    ///
    /// # Errors
    ///
    /// When the identifier names nothing, or more revisions than allowed.
    pub fn target(
        &self,
        identifier: &str,
        applied: Option<&BTreeSet<String>>,
    ) -> Result<Target, GraphError> {
        if identifier.contains(':') {
            let message = format!("`{identifier}` is a range, but a single revision is expected");
            return Err(GraphError::new(message).hint(
                "ranges are for `history -r`, `plan` and `squash`, and for --sql of `upgrade`, \
                 `downgrade` and `stamp`",
            ));
        }
        let (branch, rest) = split_branch(identifier);
        let branch = branch.map(|branch| self.branch(branch)).transpose()?;
        let words = Words { graph: self, identifier, branch, applied };
        let (name, steps) = match self.named(rest) {
            Some(_) => (rest, None),
            None => split_relative(rest),
        };
        if let (Some(_), Some((id, revision))) = (steps, self.replaced_by(name)) {
            return Err(self.no_such_point(id, revision));
        }
        let start = match (name, steps) {
            ("", None) if identifier.is_empty() => {
                return Err(GraphError::new("the revision's identifier is empty"));
            }
            ("", None) => {
                let message = format!("`{identifier}` names a branch, but no revision on it");
                return Err(GraphError::new(message)
                    .hint(format!("`{identifier}head` is its last revision")));
            }
            ("", Some(steps)) => words.current(Some(steps))?,
            (name, _) => words.named(name)?,
        };
        let ids = match steps {
            None => start,
            Some(steps) => words.walk(start, steps)?,
        };
        Ok(Target::of(ids, words.branch.map(|branch| branch.id)))
    }

    /// Resolves several identifiers together.
    ///
    /// # Errors
    ///
    /// When one names nothing, or more revisions than allowed, and when one of several is the base.
    pub fn targets(
        &self,
        identifiers: &[String],
        applied: Option<&BTreeSet<String>>,
    ) -> Result<Target, GraphError> {
        if let [identifier] = identifiers {
            return self.target(identifier, applied);
        }
        let mut all: Vec<String> = Vec::new();
        for identifier in identifiers {
            let target = self.target(identifier, applied)?;
            if target.ids().is_empty() {
                let message = format!("`{identifier}` can't be combined with other revisions");
                return Err(GraphError::new(message).hint("pass it alone"));
            }
            for id in target.ids() {
                if !all.iter().any(|other| other == id) {
                    all.push(id.to_owned());
                }
            }
        }
        Ok(if all.is_empty() { Target::Base } else { Target::Revisions(all) })
    }

    fn branch<'a>(&'a self, name: &str) -> Result<Branch<'a>, GraphError> {
        let exact = self.named(name);
        let found = match exact {
            Some(revision) => Ok(revision),
            None => self.beginning_with(name, |_| true).map_err(|several| {
                several.unwrap_or_else(|| {
                    let labels: Vec<_> =
                        self.branch_labels().map(|(label, _)| format!("`{label}`")).collect();
                    let hint = if labels.is_empty() {
                        "no revision has a branch label; --branch-label adds one to a new revision"
                            .into()
                    } else {
                        format!("the branch labels are {}", labels.join(", "))
                    };
                    GraphError::new(format!("no branch `{name}` in this project")).hint(hint)
                })
            }),
        }?;
        Ok(Branch { name: name.to_owned(), id: &found.id, lineage: self.lineage(&found.id) })
    }

    /// The one revision whose id has this prefix; `Err(None)` if there is none.
    fn beginning_with(
        &self,
        name: &str,
        counts: impl Fn(&str) -> bool,
    ) -> Result<&Revision, Option<GraphError>> {
        let ids = self.revisions.iter().map(|revision| (&revision.id, revision));
        let replaced = self.aliases.iter().filter_map(|(id, by)| Some((id, self.get(by)?)));
        let found = ids.chain(replaced);
        let found = found.filter(|(id, revision)| id.starts_with(name) && counts(&revision.id));
        let mut found: Vec<&Revision> = found.map(|(_, revision)| revision).collect();
        let mut seen = BTreeSet::new();
        found.retain(|revision| seen.insert(&revision.id));
        match found.as_slice() {
            [revision] => Ok(revision),
            _ if found.is_empty() || name.is_empty() => Err(None),
            _ => {
                let ids: Vec<&str> = found.iter().map(|revision| revision.id.as_str()).collect();
                let message =
                    format!("several revisions begin with `{name}`:{}", self.listed(&ids));
                Err(Some(GraphError::new(message).hint("type more of the id")))
            }
        }
    }

    /// Revisions for a message, each on its own line with its labels and its file.
    pub fn listed(&self, ids: &[&str]) -> String {
        let line = |revision: &Revision| {
            let labels = match self.labels(&revision.id) {
                [] => String::new(),
                labels => format!(" ({})", labels.join(", ")),
            };
            let message = match revision.message.as_str() {
                "" => String::new(),
                message => format!("  {message}"),
            };
            format!("\n  {}{labels}{message}, in {}", revision.id, revision.file)
        };
        ids.iter().filter_map(|id| self.get(id)).map(line).collect()
    }
}

/// A branch that an identifier names before its `@`.
struct Branch<'a> {
    name: String,
    id: &'a str,
    lineage: BTreeSet<&'a str>,
}

/// An identifier that is being resolved.
struct Words<'a> {
    graph: &'a Graph,
    identifier: &'a str,
    branch: Option<Branch<'a>>,
    applied: Option<&'a BTreeSet<String>>,
}

impl<'a> Words<'a> {
    fn is_on_branch(&self, id: &str) -> bool {
        self.branch.as_ref().is_none_or(|branch| branch.lineage.contains(id))
    }

    fn on_branch(&self, ids: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        ids.into_iter().filter(|id| self.is_on_branch(id)).collect()
    }

    fn named(&self, name: &str) -> Result<Vec<&'a str>, GraphError> {
        match name {
            "base" => return Ok(Vec::new()),
            "current" => return self.current(None),
            "heads" | "head" => {
                let heads = self.on_branch(self.graph.heads());
                if heads.len() < 2 || name == "heads" {
                    return Ok(heads);
                }
                // A revision that depends on all others comes after them.
                let has_all = |text: &&&str| {
                    let before = self.graph.with_ancestors(&[text]);
                    heads.iter().all(|head| before.contains(head))
                };
                if let Some(head) = heads.iter().find(has_all) {
                    return Ok(vec![head]);
                }
                let whose = if self.branch.is_some() { "the branch" } else { "the history" };
                let message = format!(
                    "`{}` means a single revision, but {whose} has {} heads:{}",
                    self.identifier,
                    heads.len(),
                    self.graph.listed(&heads)
                );
                let one = self.one_of(&heads);
                return Err(GraphError::new(message).hint(format!(
                    "{one}, use `{}s` for all, or make one head of them: {TO_ONE_HEAD}",
                    self.identifier_of_head()
                )));
            }
            _ => {}
        }
        let exact = self.graph.named(name);
        let found = match exact {
            Some(revision) => revision,
            None => {
                self.graph.beginning_with(name, |id| self.is_on_branch(id)).map_err(|several| {
                    several.unwrap_or_else(|| {
                        // The revision may exist without being on the branch.
                        match (self.graph.beginning_with(name, |_| true), &self.branch) {
                            (Ok(revision), Some(branch)) => not_on_branch(revision, &branch.name),
                            _ => GraphError::new(format!("no revision `{name}` in this project"))
                                .hint("`cargo dbmigrate history` lists them"),
                        }
                    })
                })?
            }
        };
        match &self.branch {
            Some(branch) if !branch.lineage.contains(found.id.as_str()) => {
                Err(not_on_branch(found, &branch.name))
            }
            _ => Ok(vec![&found.id]),
        }
    }

    /// The heads of the applied revisions; `steps` is how many steps from there are counted.
    fn current(&self, steps: Option<i64>) -> Result<Vec<&'a str>, GraphError> {
        let Some(applied) = self.applied else {
            let message =
                format!("`{}` is relative to a database, but none is available", self.identifier);
            return Err(GraphError::new(message).hint("name a revision"));
        };
        let Some(branch) = &self.branch else {
            return Ok(self.graph.current(applied));
        };
        let is_applied = |id: &&str| applied.contains(*id);
        let is_last = |id: &&str| {
            let after = self.graph.children(id).iter();
            !after.clone().any(|child| applied.contains(child) && self.is_on_branch(child))
        };
        let last: Vec<&str> =
            branch.lineage.iter().copied().filter(is_applied).filter(is_last).collect();
        // A branch can't undo the trunk below it.
        let of_branch = self.graph.on_branch(branch.id);
        let is_own =
            |id: &&str| of_branch.contains(id) || self.graph.labels(id).contains(&branch.name);
        if steps.is_some_and(|step| step < 0) && !last.iter().any(is_own) {
            let message = format!("no revision of the branch `{}` is applied", branch.name);
            return Err(GraphError::new(message)
                .hint("`cargo dbmigrate current` shows the revisions that are applied"));
        }
        Ok(last)
    }

    fn walk(&self, start: Vec<&'a str>, steps: i64) -> Result<Vec<&'a str>, GraphError> {
        let too_far = |n: u64| {
            let way = if steps > 0 { "after" } else { "before" };
            let revisions = if n == 1 { "revision" } else { "revisions" };
            GraphError::new(format!(
                "`{}` goes too far: there are only {n} {revisions} {way} the starting point",
                self.identifier
            ))
            .hint("`cargo dbmigrate history` lists them")
        };
        let mut at = start;
        for n in 0..steps.unsigned_abs() {
            let id = match at.as_slice() {
                [] if steps < 0 => return Err(too_far(n)),
                [] => None,
                [id] => self.graph.get(id),
                ids => return Err(self.count_from(ids, steps, n)),
            };
            at = match (id, steps > 0) {
                (None, _) => self.on_branch(self.graph.bases()),
                (Some(revision), true) => {
                    self.on_branch(self.graph.children(&revision.id).iter().map(String::as_str))
                }
                (Some(revision), false) => {
                    self.on_branch(revision.parents.iter().map(String::as_str))
                }
            };
            // Before a merge are all of its parents, but after a revision is only one of those that
            // follow it.
            if steps > 0 {
                match at.as_slice() {
                    [] => return Err(too_far(n)),
                    [_] => {}
                    ids => return Err(self.several(ids).hint(self.one_of(ids))),
                }
            }
        }
        Ok(at)
    }

    /// The error for counting on from several revisions, which were reached after `n` of the steps.
    fn count_from(&self, ids: &[&str], steps: i64, n: u64) -> GraphError {
        let is_from_current = n == 0 && steps_from_current(self.identifier).is_some();
        let left = i64::try_from(steps.unsigned_abs() - n).unwrap_or(i64::MAX) * steps.signum();
        let one = |id: &&str| {
            if is_from_current { format!("`{id}@{steps:+}`") } else { format!("`{id}{left:+}`") }
        };
        let each: Vec<String> = ids.iter().map(one).collect();
        self.several(ids).hint(format!("count from one of them: {}", each.join(", ")))
    }

    fn several(&self, ids: &[&str]) -> GraphError {
        let list = self.graph.listed(ids);
        GraphError::new(format!("`{}` names several revisions:{list}", self.identifier))
    }

    /// How to name one of several revisions: by the label of its branch, if no other one is on it.
    fn one_of(&self, ids: &[&str]) -> String {
        let name = |id: &&str| {
            let others = ids.iter().filter(|other| *other != id);
            let others: Vec<_> = others.flat_map(|other| self.graph.labels(other)).collect();
            match self.graph.labels(id).iter().find(|label| !others.contains(label)) {
                Some(label) if self.branch.is_none() => format!("`{label}@{}`", self.identifier),
                _ => format!("`{id}`"),
            }
        };
        let names: Vec<String> = ids.iter().map(name).collect();
        format!("name one of them ({})", names.join(", "))
    }

    /// `head` or `label@head`, without the steps.
    fn identifier_of_head(&self) -> String {
        match &self.branch {
            Some(branch) => format!("{}@head", branch.name),
            None => "head".to_owned(),
        }
    }
}

fn not_on_branch(revision: &Revision, branch: &str) -> GraphError {
    GraphError::new(format!("revision `{}` is not on the branch `{branch}`", revision.id)).hint(
        format!("`cargo dbmigrate history -r {branch}@base:{branch}@heads` lists those that are"),
    )
}

/// Splits `label@head` into the branch and the rest.
pub(super) fn split_branch(identifier: &str) -> (Option<&str>, &str) {
    match identifier.split_once('@') {
        Some((branch, rest)) => (Some(branch), rest),
        None => (None, identifier),
    }
}

/// Splits `id+2`, `head-1`, `+1` into name and steps. Ids contain neither sign.
pub(super) fn split_relative(identifier: &str) -> (&str, Option<i64>) {
    let Some(at) = identifier.rfind(['+', '-']) else { return (identifier, None) };
    match identifier[at..].parse() {
        Ok(steps) => (&identifier[..at], Some(steps)),
        Err(_) => (identifier, None),
    }
}
