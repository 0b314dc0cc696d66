//! The position of a new revision in the history, and its file.

use std::path::{Path, PathBuf};

use dbmigrate_runtime::engine::revision::{self, Graph, Revision, TO_ONE_HEAD};

use jiff::Zoned;

use super::format::{self, FileFormat};
use super::hooks;
use crate::cli;
use crate::context::Context;
use crate::edits::Edit;
use crate::error::{Doing as _, Error, Result};
use crate::history::History;
use crate::render::{self, Contents};
use crate::revision_files::{self, Location};
use crate::scaffold;

/// A new revision's position.
pub struct Position {
    pub id: String,
    pub parents: Vec<String>,
    pub branch_labels: Vec<String>,
    pub depends_on: Vec<String>,
    /// The revisions that it replaces.
    pub replaces: Vec<String>,
    /// The directory of its file.
    location: Location,
}

/// The names of a new revision, and the directory of its file.
pub struct Names<'a> {
    pub rev_id: Option<&'a String>,
    pub branch_labels: &'a [String],
    /// The directory, if the revisions before it don't determine one.
    pub version_path: Option<&'a Path>,
    /// The revision whose directory is used; otherwise its parent's is.
    pub beside: Option<&'a str>,
}

/// The result: the file's path or, in a dry run, its text.
pub struct Written {
    pub path: Option<String>,
    pub text: Option<String>,
}

impl Position {
    /// The position that these arguments specify; by default after the head.
    ///
    /// # Errors
    ///
    /// Something that doesn't exist, something that already exists, and a branch that wasn't
    /// requested.
    pub fn of(cx: &Context, history: &History, args: &cli::Place) -> Result<Position> {
        let graph = &history.graph;
        let parents = match args.head.as_deref() {
            Some(head) => {
                let (history, applied) = history.to_understand(cx, &[head])?;
                let target = history.graph.target(head, applied.as_ref())?;
                let ids: Vec<String> = target.ids().into_iter().map(str::to_owned).collect();
                match ids.len() {
                    0 | 1 => ids,
                    _ => return Err(several(graph, "these are several:", &target.ids())),
                }
            }
            None => match graph.heads().as_slice() {
                heads if heads.len() > 1 => {
                    let these = format!("the history has {} heads:", heads.len());
                    return Err(several(graph, &these, heads));
                }
                heads => heads.iter().map(|head| (*head).to_owned()).collect(),
            },
        };
        if !args.splice {
            refuse_splice(history, &parents)?;
        }
        let depends_on = depends_on(cx, history, &parents, &args.depends_on)?;
        let names = Names {
            rev_id: args.rev_id.as_ref(),
            branch_labels: &args.branch_label,
            version_path: args.version_path.as_deref(),
            beside: None,
        };
        Ok(Position { depends_on, ..Position::new(cx, history, parents, &names)? })
    }

    /// A position after these revisions that depends on no others.
    ///
    /// # Errors
    ///
    /// An id or a label that already exists or is invalid, and a directory that isn't among the
    /// locations.
    pub fn new(
        cx: &Context,
        history: &History,
        parents: Vec<String>,
        names: &Names<'_>,
    ) -> Result<Position> {
        let graph = &history.graph;
        for label in names.branch_labels {
            revision::check_label(label)?;
            if let Some(revision) = graph.named(label) {
                let is_label = revision.branch_labels.contains(label);
                let what = if is_label { "branch label" } else { "id" };
                let message = format!(
                    "`{label}` is already the {what} of revision `{}`, in {}",
                    revision.id, revision.file
                );
                return Err(Error::new(message).hint("choose another with --branch-label"));
            }
        }
        let id = match names.rev_id {
            Some(id) => {
                check_id(id)?;
                id.clone()
            }
            None => random_id()?,
        };
        if let Some(other) = graph.find(&id) {
            return Err(Error::new(format!("revision `{id}` already exists, in {}", other.file))
                .hint("choose another id with --rev-id"));
        }
        if let Some(other) = graph.labelled(&id) {
            let message = format!("`{id}` is already a branch label, in {}", other.file);
            return Err(Error::new(message).hint("choose another id with --rev-id"));
        }
        let location = location(cx, history, &parents, names)?;
        let branch_labels = names.branch_labels.to_vec();
        let (depends_on, replaces) = (Vec::new(), Vec::new());
        Ok(Position { id, parents, branch_labels, depends_on, replaces, location })
    }

    /// The position of a revision that has a file.
    ///
    /// # Errors
    ///
    /// When there are several directories of revisions, and the file is in none of them.
    pub fn existing(cx: &Context, history: &History, revision: &Revision) -> Result<Position> {
        let beside = Some(revision.id.as_str());
        let names = Names { rev_id: None, branch_labels: &[], version_path: None, beside };
        Ok(Position {
            id: revision.id.clone(),
            parents: history.written_parents(&revision.id).to_vec(),
            branch_labels: revision.branch_labels.clone(),
            depends_on: revision.depends_on.clone(),
            replaces: revision.replaces.clone(),
            location: location(cx, history, &revision.parents, &names)?,
        })
    }

    /// The position right after this one, in the same directory.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers.
    pub fn next(&self) -> Result<Position> {
        Ok(Position {
            id: random_id()?,
            parents: vec![self.id.clone()],
            branch_labels: Vec::new(),
            depends_on: Vec::new(),
            replaces: Vec::new(),
            location: self.location.clone(),
        })
    }

    /// The ids of the revisions that it follows or depends on.
    pub fn needed(&self, graph: &Graph) -> Vec<String> {
        let names = self.parents.iter().chain(&self.depends_on);
        let id = |name: &String| graph.named(name).map_or(name, |revision| &revision.id).clone();
        names.map(id).collect()
    }

    /// The revision as if its file already existed, after all others.
    pub fn revision(&self) -> Revision {
        Revision {
            id: self.id.clone(),
            parents: self.parents.clone(),
            branch_labels: self.branch_labels.clone(),
            depends_on: self.depends_on.clone(),
            replaces: self.replaces.clone(),
            file: format!("~{}", self.id),
            ..Revision::default()
        }
    }

    /// Writes the file and adds it to the list; a dry run prints it instead.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn write(
        &self,
        cx: &Context,
        message: &str,
        contents: &Contents<'_>,
        dry_run: bool,
    ) -> Result<Written> {
        let format = FileFormat::of(cx)?;
        let now = format.now();
        let file = self.file(cx, (&format, &now), message, contents)?;
        if dry_run {
            cx.out.text(&file.text);
            return Ok(Written { path: None, text: Some(file.text) });
        }
        let path = file.path.clone();
        put(cx, vec![file])?;
        let shown = cx.project.shown(&path).to_string();
        cx.out.done(format!("Generating {shown} ... done"));
        hooks::run(cx, &path)?;
        Ok(Written { path: Some(shown), text: None })
    }

    /// The file as it would be written at this time.
    ///
    /// # Errors
    ///
    /// When the project's template or its names of files don't give a revision.
    pub fn file(
        &self,
        cx: &Context,
        (format, time): (&FileFormat, &Zoned),
        message: &str,
        contents: &Contents<'_>,
    ) -> Result<NewFile> {
        let text = self.text(cx, (format, &format::date(time)), message, contents)?;
        let file = format.file_name(time, &self.id, message)?;
        Ok(NewFile { path: self.location.dir.join(file), text })
    }

    /// The text of the file, with this date in its header.
    ///
    /// # Errors
    ///
    /// When the project's template doesn't give a revision.
    pub fn text(
        &self,
        cx: &Context,
        (format, created): (&FileFormat, &str),
        message: &str,
        contents: &Contents<'_>,
    ) -> Result<String> {
        let header = render::Header {
            runtime: cx.project.runtime.clone(),
            id: self.id.clone(),
            parents: self.parents.clone(),
            branch_labels: self.branch_labels.clone(),
            depends_on: self.depends_on.clone(),
            replaces: self.replaces.clone(),
            message: message.to_owned(),
            created: created.to_owned(),
        };
        format.text(&header, contents)
    }
}

/// A file of a revision, not yet written.
pub struct NewFile {
    pub path: PathBuf,
    pub text: String,
}

/// Writes the files of several revisions, all or none.
///
/// # Errors
///
/// When a file can't be written, and when two of them would be one.
pub fn write_all(cx: &Context, files: Vec<NewFile>) -> Result<()> {
    let paths: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
    put(cx, files)?;
    paths.iter().try_for_each(|path| hooks::run(cx, path))
}

/// Replaces the text of a revision, and writes the files of others beside it, all or none.
///
/// # Errors
///
/// As [`write_all`].
pub fn write_beside(cx: &Context, changed: NewFile, new: Vec<NewFile>) -> Result<()> {
    let edit = Edit::Replace { path: changed.path, bytes: changed.text.into_bytes() };
    let paths: Vec<PathBuf> = new.iter().map(|file| file.path.clone()).collect();
    put_with(cx, vec![edit], new)?;
    paths.iter().try_for_each(|path| hooks::run(cx, path))
}

/// Writes files and adds them to the list.
fn put(cx: &Context, files: Vec<NewFile>) -> Result<()> {
    put_with(cx, Vec::new(), files)
}

/// The same with other edits.
fn put_with(cx: &Context, mut edits: Vec<Edit>, files: Vec<NewFile>) -> Result<()> {
    let paths: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
    let all = revision_files::all_with(cx, &paths)?;
    let create = |NewFile { path, text }| Edit::Create { path, bytes: text.into_bytes() };
    edits.extend(files.into_iter().map(create));
    edits.extend(scaffold::list_of(cx, &all)?);
    cx.edits.apply(&edits)
}

/// The requested directory, or else the parent's, or else the only one.
fn location(
    cx: &Context,
    history: &History,
    parents: &[String],
    names: &Names<'_>,
) -> Result<Location> {
    let locations = revision_files::locations(cx)?;
    let listed = || {
        let names: Vec<_> = locations.iter().map(|location| location.name.as_str()).collect();
        format!("`{}`", names.join("`, `"))
    };
    if let Some(asked) = names.version_path {
        let found = locations.iter().find(|location| location.is_at(asked));
        return found.cloned().ok_or_else(|| {
            let message = format!(
                "--version-path {}: that is not one of the version locations {}",
                asked.display(),
                listed()
            );
            Error::new(message).hint("add it to `version_locations` in dbmigrate.toml")
        });
    }
    let before = names.beside.into_iter().chain(parents.iter().map(String::as_str));
    let parent = before.into_iter().find_map(|id| history.path(id));
    let within = |location: &&Location| parent.is_some_and(|path| path.starts_with(&location.dir));
    // A location may be inside another one.
    let of_parent =
        locations.iter().filter(within).max_by_key(|location| location.dir.as_os_str().len());
    match (of_parent, locations.as_slice()) {
        (Some(location), _) | (None, [location]) => Ok(location.clone()),
        (None, _) => {
            let message = format!(
                "there are several version locations, and the new revision follows no revision in \
                 them: {}",
                listed()
            );
            Err(Error::new(message).hint("choose one with --version-path"))
        }
    }
}

fn several(graph: &Graph, these: &str, ids: &[&str]) -> Error {
    let listed = graph.listed(ids);
    Error::new(format!("a new revision follows one revision, but {these}{listed}")).hint(format!(
        "choose one with --head (`base` for none of them), or make one head of them: {TO_ONE_HEAD}"
    ))
}

/// Fails if the new revision would start a branch.
pub fn refuse_splice(history: &History, parents: &[String]) -> Result<()> {
    match parents.iter().find_map(|id| no_head(&history.graph, id)) {
        None => Ok(()),
        Some(err) => {
            Err(err.hint("--splice lets the new one follow it too, which begins a branch"))
        }
    }
}

/// The error that a revision isn't a head, if that is so.
pub fn no_head(graph: &Graph, id: &str) -> Option<Error> {
    let children: Vec<&str> = graph.children(id).iter().map(String::as_str).collect();
    let listed = graph.listed(&children);
    let message = || format!("revision `{id}` is not a head, since others follow it:{listed}");
    (!children.is_empty()).then(|| Error::new(message()))
}

/// The entries of `DEPENDS_ON`: labels stay labels, and everything else becomes a full id.
fn depends_on(
    cx: &Context,
    history: &History,
    parents: &[String],
    identifiers: &[String],
) -> Result<Vec<String>> {
    let graph = &history.graph;
    let mut names: Vec<String> = Vec::new();
    let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
    let before = graph.with_ancestors(&parents);
    for identifier in identifiers {
        let (history, applied) = history.to_understand(cx, &[identifier])?;
        let target = history.graph.target(identifier, applied.as_ref())?;
        if target.ids().is_empty() {
            let message = format!("--depends-on {identifier}: that is before the first revision");
            return Err(Error::new(message).hint("`cargo dbmigrate history` lists the revisions"));
        }
        for id in target.ids() {
            if before.contains(id) {
                cx.out.note(format!(
                    "revision `{id}` comes before the new one anyway, so it is omitted from its \
                     dependencies"
                ));
                continue;
            }
            let is_label = graph.labelled(identifier).is_some_and(|revision| revision.id == id);
            let name = if is_label { identifier.clone() } else { id.to_owned() };
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// Ids appear in identifiers such as `id+1` and `a:b`, and in names of modules; `diff` also has
/// reserved words.
pub fn check_id(id: &str) -> Result<()> {
    if let "models" | "migrations" | "database" = id {
        return Err(Error::new(format!("`{id}` can't be a revision's id: it is reserved"))
            .hint("choose another with --rev-id"));
    }
    Ok(revision::check_id(id)?)
}

/// Twelve hexadecimal digits.
fn random_id() -> Result<String> {
    let mut bytes = [0; 6];
    getrandom::fill(&mut bytes).doing(|| "generate a random id".to_owned())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_with_a_sign_in_it_is_refused_and_each_sign_named() {
        let err = check_id("a-b@c").unwrap_err().to_string();
        assert!(err.contains("`-`, `@`"), "{err}");
        assert!(check_id("ok_1").is_ok());
        assert!(check_id("head").is_err());
    }
}
