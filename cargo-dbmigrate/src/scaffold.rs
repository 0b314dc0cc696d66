//! Files that the tool writes for people. A file that a person may have edited is never
//! overwritten.

mod database;
pub mod git_hook;
mod template;

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::VERSIONS;
use crate::context::Context;
use crate::edits::Edit;
use crate::error::{Doing as _, Error, Result};
use crate::paths;
use crate::revision_files::{self, RevisionFile};

pub use database::add as add_database;
pub use template::{BUILT_IN, BuiltIn, MODULE, MULTIDB, Template};

const BEGIN: &str = "// ### revisions, one a line: the list is kept by dbmigrate ###";
const END: &str = "// ### end revisions ###";

const MOD_RS: &str = "\
//! The revisions of this package.
//!
//! `cargo dbmigrate` compiles this file by itself. Include it in your crate as well, and your
//! editor sees the revisions and `migrations::migrator()` applies them from your program:
//!
//! ```ignore
//! #[path = \"../migrations/mod.rs\"]
//! mod migrations;
//! ```
//!
//! The list below is updated from the files in `versions`. Code that several revisions share can
//! be declared here as modules.

::dbmigrate_runtime::migrations! {
    // ### revisions, one a line: the list is kept by dbmigrate ###
    // ### end revisions ###
}
";

const README: &str = "\
# Migrations

Each file in `versions` is a revision. `upgrade` takes the database from the previous revision to this
one, and `downgrade` takes it back. The functions record operations; they don't run them.

- `cargo dbmigrate migrate -m \"what changes\"` writes a revision from the difference between the
  models and these migrations. Read it before you apply it.
- `cargo dbmigrate upgrade` applies pending revisions, `cargo dbmigrate downgrade` undoes the last one.
- `cargo dbmigrate current`, `history` and `check` show the state of the database.

`dbmigrate.toml` contains the settings, and `mod.rs` lists the revisions.
";

/// Tells git how to merge files.
const GIT_ATTRIBUTES: &str = ".gitattributes";

/// When two people each write a revision, both add a line to the list, and both lines are needed.
const MERGED_LIST: &str = "\
# Keep the lines of both sides. The next command that writes a revision updates the list.
/mod.rs merge=union
";

const CONFIG: &str = include_str!("scaffold/dbmigrate.toml");

/// Creates the migrations directory with the files of a template.
///
/// # Errors
///
/// When the directory already exists and isn't empty, or a file can't be written.
pub fn create(cx: &Context, template: &Template) -> Result<()> {
    let dir = &cx.project.migrations_dir;
    if dir.is_file() {
        return Err(Error::new(format!("`{}` is a file", cx.project.shown(dir)))
            .hint("choose another directory with `-d`"));
    }
    if dir.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        let message =
            format!("directory `{}` already exists and is not empty", cx.project.shown(dir));
        return Err(Error::new(message).hint("choose another directory with `-d`"));
    }
    let list = new_list(cx);
    let mut edits = Vec::new();
    for (name, bytes) in template.files() {
        // A template's own files aren't changed.
        let bytes = if bytes == MOD_RS.as_bytes() { list.as_bytes() } else { bytes };
        edits.push(Edit::Create { path: dir.join(name), bytes: bytes.to_vec() });
    }
    if template.files().all(|(name, _)| name != Path::new(GIT_ATTRIBUTES)) {
        edits.push(git_attributes(dir));
    }
    create_all(cx, dir, &edits)?;
    if template.files().any(|(name, _)| name.starts_with(VERSIONS)) {
        sync_list(cx)?;
    }
    Ok(())
}

/// Creates a migrations directory with these files, and reports it.
fn create_all(cx: &Context, dir: &Path, edits: &[Edit]) -> Result<()> {
    let mut created = Vec::new();
    for dir in [dir.to_owned(), dir.join(VERSIONS)] {
        if cx.edits.create_dir(&dir)? {
            created.push(dir);
        }
    }
    cx.edits.apply(edits)?;
    for dir in created {
        cx.out.done(format!("Creating directory {} ... done", cx.project.shown(&dir)));
    }
    for edit in edits {
        let Edit::Create { path, .. } = edit else { continue };
        let line = format!("Generating {} ... done", cx.project.shown(path));
        // This file is for git, and nobody has to read it.
        if path.file_name().is_some_and(|name| name == GIT_ATTRIBUTES) {
            cx.out.detail(line);
        } else {
            cx.out.done(line);
        }
    }
    Ok(())
}

/// How a crate includes the revisions of the context's database.
pub fn inclusion(cx: &Context) -> String {
    let (path, name) = included(cx);
    format!("#[path = {path:?}] mod {name};")
}

/// The path from the crate's sources to the list, and the module's name.
fn included(cx: &Context) -> (String, &str) {
    let list = cx.project.migrations_dir.join("mod.rs");
    let path = paths::relative(&cx.project.package_dir.join("src"), &list);
    (path, cx.database.as_deref().unwrap_or("migrations"))
}

/// A new `mod.rs`, which explains how to include it.
fn new_list(cx: &Context) -> String {
    let (path, name) = included(cx);
    MOD_RS
        .replace("migrations::migrator", &format!("{name}::migrator"))
        .replace("mod migrations;", &format!("mod {name};"))
        .replace("\"../migrations/mod.rs\"", &format!("{path:?}"))
        .replace("dbmigrate_runtime", &cx.project.runtime)
}

/// Makes git merge the list in a directory's `mod.rs`.
fn git_attributes(dir: &Path) -> Edit {
    Edit::Create { path: dir.join(GIT_ATTRIBUTES), bytes: MERGED_LIST.into() }
}

/// Updates the list in `mod.rs` to match the revision files.
pub fn sync_list(cx: &Context) -> Result<()> {
    cx.edits.apply(list_of(cx, &revision_files::all(cx)?)?.as_slice())
}

fn list_path(cx: &Context) -> PathBuf {
    cx.project.migrations_dir.join("mod.rs")
}

/// The edit that updates the list to these revision files; the rest of the file stays unchanged. A
/// missing file is created; a file without the marks of the list is left alone, with a message.
pub fn list_of(cx: &Context, files: &[RevisionFile]) -> Result<Option<Edit>> {
    let path = list_path(cx);
    let text = match fs::read_to_string(&path) {
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => new_list(cx),
        res => res.doing(|| format!("read `{}`", path.display()))?,
    };
    let Some(synced) = with_list(&text, files) else {
        cx.out.note(format!(
            "`{}` no longer has the markers of its list of revisions, so it is left as it is; \
             delete the file to have the next command write a new one",
            cx.project.shown(&path)
        ));
        return Ok(None);
    };
    let is_new = synced != text || !path.exists();
    Ok(is_new.then(|| Edit::Replace { path, bytes: synced.into_bytes() }))
}

/// How the list in `mod.rs` differs from the revision files.
#[derive(Debug, Default)]
pub struct ListDifference {
    /// Files that are missing from the list.
    pub lacks: Vec<String>,
    /// Lines that belong to no file, or that are duplicates.
    pub extra: Vec<String>,
}

impl ListDifference {
    pub fn is_none(&self) -> bool {
        self.lacks.is_empty() && self.extra.is_empty()
    }
}

/// Compares the list in `mod.rs`, if there is one, with the revision files.
pub fn compare_list(cx: &Context) -> Result<ListDifference> {
    let text = fs::read_to_string(list_path(cx)).unwrap_or_default();
    let Some((begin, end)) = marks(&text) else { return Ok(ListDifference::default()) };
    let mut left: Vec<(String, String)> = revision_files::all(cx)?
        .iter()
        .map(|file| (line(file), cx.project.shown(&file.path).to_string()))
        .collect();
    let mut extra = Vec::new();
    let lines = text[begin..end].lines().map(str::trim);
    for text in lines.filter(|text| !text.is_empty() && !text.starts_with("//")) {
        match left.iter().position(|(line, _)| line == text) {
            Some(at) => drop(left.remove(at)),
            None => extra.push(text.to_owned()),
        }
    }
    Ok(ListDifference { lacks: left.into_iter().map(|(_, path)| path).collect(), extra })
}

/// The file with these revisions between the marks.
fn with_list(text: &str, files: &[RevisionFile]) -> Option<String> {
    let (begin, end) = marks(text)?;
    let lines: String = files.iter().map(|file| format!("\n    {}", line(file))).collect();
    Some(format!("{}{lines}\n    {}", &text[..begin], &text[end..]))
}

/// The start and the end of the list.
fn marks(text: &str) -> Option<(usize, usize)> {
    let begin = text.find(BEGIN)? + BEGIN.len();
    Some((begin, begin + text[begin..].find(END)?))
}

/// The line for a revision.
fn line(file: &RevisionFile) -> String {
    match &file.listed {
        None => format!("{};", file.module),
        Some(path) => format!("{} = {path:?};", file.module),
    }
}

/// If the list of revisions doesn't match the files, that may be why a host doesn't compile.
pub fn stale_list(cx: &Context, err: Error) -> Error {
    match compare_list(cx) {
        Ok(difference) if !difference.is_none() => err.hint(
            "the list in `mod.rs` of the migrations directory does not match the revision files; \
             `cargo dbmigrate migrate` brings it in line",
        ),
        _ => err,
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn the_list_is_replaced_and_the_rest_stays() {
        let file = |module: &str, listed: Option<&str>| RevisionFile {
            module: module.to_owned(),
            path: PathBuf::new(),
            listed: listed.map(str::to_owned),
        };
        let m2 = file("m2_b", Some("blog/m2_b.rs"));
        let first = with_list(MOD_RS, &[file("m1_a", None), m2.clone()]).unwrap();
        let list = "    m1_a;\n    m2_b = \"blog/m2_b.rs\";\n    // ### end";
        assert!(first.contains(list), "{first}");
        let edited = first.replace("m1_a;", "m1_a;\n<<<<<<< ours") + "\nmod shared;\n";
        let second = with_list(&edited, std::slice::from_ref(&m2)).unwrap();
        assert!(!second.contains("m1_a") && !second.contains("<<<"), "{second}");
        assert!(second.ends_with("mod shared;\n"), "{second}");
        // What merges leave behind: lines of both sides, duplicated or in another order.
        let line = "m2_b = \"blog/m2_b.rs\";";
        let merged = first.replace("m1_a;", &format!("{line}\n    m1_a;"));
        assert_ne!(merged, first);
        assert_eq!(with_list(&merged, &[file("m1_a", None), m2]), Some(first));
        assert_eq!(with_list("// nothing", &[]), None);
    }
}
