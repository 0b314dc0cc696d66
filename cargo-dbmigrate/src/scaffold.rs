//! Files that the tool writes for people. What a person may have edited is never overwritten.

mod database;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::runner::{RevisionFile, write_by_rename};
use crate::{files, history};

pub use database::add as add_database;

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

/// Two people who each write a revision add a line to the list, and both lines are right.
const GIT_ATTRIBUTES: &str = "\
# Both sides' lines of the list of revisions are kept; it follows the files by the next command.
/mod.rs merge=union
";

const CONFIG: &str = include_str!("scaffold/dbmigrate.toml");

/// Creates the migrations directory with its files.
///
/// # Errors
///
/// When it is there already and not empty.
pub fn create(cx: &Context) -> Result<()> {
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
    for dir in [dir.clone(), dir.join(files::VERSIONS)] {
        fs::create_dir_all(&dir).doing(|| format!("create the directory `{}`", dir.display()))?;
        cx.out.done(format!("Creating directory {} ... done", history::relative(cx, &dir)));
    }
    for (name, text) in [(crate::config::FILE, CONFIG), ("mod.rs", MOD_RS), ("README.md", README)] {
        let path = dir.join(name);
        write_new(&path, text)?;
        cx.out.done(format!("Generating {} ... done", history::relative(cx, &path)));
    }
    write_git_attributes(cx, dir)
}

/// Has git merge the list in a directory's `mod.rs`.
fn write_git_attributes(cx: &Context, dir: &Path) -> Result<()> {
    let path = dir.join(".gitattributes");
    write_new(&path, GIT_ATTRIBUTES)?;
    cx.out.detail(format!("Generating {} ... done", history::relative(cx, &path)));
    Ok(())
}

/// Writes a file that isn't there yet.
///
/// # Errors
///
/// When there is a file of that name, or it can't be written.
pub fn write_new(path: &Path, text: &str) -> Result<()> {
    let doing = || format!("write `{}`", path.display());
    let file = fs::File::options().write(true).create_new(true).open(path);
    file.doing(doing)?.write_all(text.as_bytes()).doing(doing)
}

/// Brings the list in `mod.rs` in line with the revision files; the rest of the file stays. A
/// missing file is written anew; one without the list's marks is left alone, with a note.
pub fn sync_list(cx: &Context) -> Result<()> {
    let path = cx.project.migrations_dir.join("mod.rs");
    let files = files::all(cx)?;
    let text = match fs::read_to_string(&path) {
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => MOD_RS.to_owned(),
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
