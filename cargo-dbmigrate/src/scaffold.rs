//! Files that the tool writes for people. What a person may have edited is never overwritten.

mod database;
mod template;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::runner::{RevisionFile, write_by_rename};
use crate::{files, history};

pub use database::add as add_database;
pub use template::{BUILT_IN, MODULE, MULTIDB, Template};

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
//! The files in `versions` are the truth; the list below follows them. Code that several
//! revisions share may be declared here as modules of its own.

::dbmigrate_runtime::migrations! {
    // ### revisions, one a line: the list is kept by dbmigrate ###
    // ### end revisions ###
}
";

const README: &str = "\
# Migrations

Each file in `versions` is a revision: it leads the database from the revision before it to the
next (`upgrade`) and back (`downgrade`). The functions record operations; they don't run them.

- `cargo dbmigrate migrate -m \"what changes\"` writes a revision from the difference between the
  models and these migrations. Read it before you apply it.
- `cargo dbmigrate upgrade` applies what is pending, `cargo dbmigrate downgrade` goes one back.
- `cargo dbmigrate current`, `history` and `check` say where the database stands.

`dbmigrate.toml` holds the settings, `mod.rs` the list of the revisions.
";

/// Says to git how files are merged.
const GIT_ATTRIBUTES: &str = ".gitattributes";

/// Two people who each write a revision add a line to the list, and both lines are right.
const MERGED_LIST: &str = "\
# Both sides' lines of the list of revisions are kept; it follows the files by the next command.
/mod.rs merge=union
";

const CONFIG: &str = include_str!("scaffold/dbmigrate.toml");

/// Creates the migrations directory with the files of a template.
///
/// # Errors
///
/// When it is there already and not empty, or a file can't be written; then none is left.
pub fn create(cx: &Context, template: &Template) -> Result<()> {
    let dir = &cx.project.migrations_dir;
    if dir.is_file() {
        return Err(Error::new(format!("`{}` is a file", history::relative(cx, dir)))
            .hint("choose another directory with `-d`"));
    }
    if dir.read_dir().is_ok_and(|mut it| it.next().is_some()) {
        let message =
            format!("directory `{}` already exists and is not empty", history::relative(cx, dir));
        return Err(Error::new(message).hint("choose another directory with `-d`"));
    }
    let mut made = Vec::new();
    let res = fill(cx, template, &mut made);
    if res.is_err() {
        // Whatever fails to be removed is not what went wrong.
        for path in made.iter().rev() {
            let _ = if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
        }
    }
    res
}

/// Writes what isn't there yet, which is then in the list.
fn fill(cx: &Context, template: &Template, made: &mut Vec<PathBuf>) -> Result<()> {
    let dir = &cx.project.migrations_dir;
    for it in [dir.clone(), dir.join(files::VERSIONS)] {
        if make_dir(&it, made)? {
            cx.out.done(format!("Creating directory {} ... done", history::relative(cx, &it)));
        }
    }
    for (name, bytes) in template.files() {
        let path = dir.join(name);
        make_dir(path.parent().unwrap_or(dir), made)?;
        // Of a template's own nothing is changed.
        let list = new_list(cx);
        write_new(&path, if bytes == MOD_RS.as_bytes() { list.as_bytes() } else { bytes })?;
        made.push(path.clone());
        cx.out.done(format!("Generating {} ... done", history::relative(cx, &path)));
    }
    if template.files().all(|(name, _)| name != Path::new(GIT_ATTRIBUTES)) {
        made.push(write_git_attributes(cx, dir)?);
    }
    if template.files().any(|(name, _)| name.starts_with(files::VERSIONS)) {
        sync_list(cx)
    } else {
        Ok(())
    }
}

/// How a crate includes the revisions of the context's database.
pub fn inclusion(cx: &Context) -> String {
    let (path, name) = included(cx);
    format!("#[path = {path:?}] mod {name};")
}

/// The path from the crate's sources to the list, and the module's name.
fn included(cx: &Context) -> (String, &str) {
    let list = cx.project.migrations_dir.join("mod.rs");
    let path = files::from(&cx.project.package_dir.join("src"), &list);
    (path, cx.database.as_deref().unwrap_or("migrations"))
}

/// A new `mod.rs`, which says how it is included.
fn new_list(cx: &Context) -> String {
    let (path, name) = included(cx);
    MOD_RS
        .replace("migrations::migrator", &format!("{name}::migrator"))
        .replace("mod migrations;", &format!("mod {name};"))
        .replace("\"../migrations/mod.rs\"", &format!("{path:?}"))
}

/// Has git merge the list in a directory's `mod.rs`.
fn write_git_attributes(cx: &Context, dir: &Path) -> Result<PathBuf> {
    let path = dir.join(GIT_ATTRIBUTES);
    write_new(&path, MERGED_LIST.as_bytes())?;
    cx.out.detail(format!("Generating {} ... done", history::relative(cx, &path)));
    Ok(path)
}

/// Makes a directory, with those above it; whether it wasn't there.
fn make_dir(dir: &Path, made: &mut Vec<PathBuf>) -> Result<bool> {
    let missing: Vec<_> = dir.ancestors().take_while(|it| !it.is_dir()).collect();
    for it in missing.iter().rev() {
        fs::create_dir(it).doing(|| format!("create the directory `{}`", it.display()))?;
        made.push(it.to_path_buf());
    }
    Ok(!missing.is_empty())
}

/// Writes a file that isn't there yet.
///
/// # Errors
///
/// When there is a file of that name, or it can't be written.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let doing = || format!("write `{}`", path.display());
    let file = fs::File::options().write(true).create_new(true).open(path);
    file.doing(doing)?.write_all(bytes).doing(doing)
}

/// Brings the list in `mod.rs` in line with the revision files; the rest of the file stays. A
/// missing file is written anew; one without the list's marks is left alone, with a note.
pub fn sync_list(cx: &Context) -> Result<()> {
    let path = cx.project.migrations_dir.join("mod.rs");
    let files = files::all(cx)?;
    let text = match fs::read_to_string(&path) {
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => new_list(cx),
        res => res.doing(|| format!("read `{}`", path.display()))?,
    };
    let Some(synced) = with_list(&text, &files) else {
        cx.out.note(format!(
            "`{}` has lost the marks of its list of revisions, so it is left as it is; without \
             the file the next command writes a new one",
            history::relative(cx, &path)
        ));
        return Ok(());
    };
    if synced != text || !path.exists() {
        write_by_rename(&path, &synced)?;
    }
    Ok(())
}

/// Whether the list in `mod.rs`, where there is one, is that of the files.
pub fn is_list_current(cx: &Context) -> Result<bool> {
    let path = cx.project.migrations_dir.join("mod.rs");
    let files = files::all(cx)?;
    let text = fs::read_to_string(path).unwrap_or_default();
    Ok(with_list(&text, &files).is_none_or(|it| it == text))
}

/// The file with these revisions between the marks.
fn with_list(text: &str, files: &[RevisionFile]) -> Option<String> {
    let begin = text.find(BEGIN)? + BEGIN.len();
    let end = begin + text[begin..].find(END)?;
    let line = |it: &RevisionFile| match &it.listed {
        None => format!("\n    {};", it.module),
        Some(path) => format!("\n    {} = {path:?};", it.module),
    };
    let lines: String = files.iter().map(line).collect();
    Some(format!("{}{lines}\n    {}", &text[..begin], &text[end..]))
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
        // What merges leave: lines of both sides, twice or in another order.
        let line = "m2_b = \"blog/m2_b.rs\";";
        let merged = first.replace("m1_a;", &format!("{line}\n    m1_a;"));
        assert_ne!(merged, first);
        assert_eq!(with_list(&merged, &[file("m1_a", None), m2]), Some(first));
        assert_eq!(with_list("// nothing", &[]), None);
    }
}
