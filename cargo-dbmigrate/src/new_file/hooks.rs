//! The project's commands that run on each revision file after it is written.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use super::format::settings;
use crate::config::Hook;
use crate::context::Context;
use crate::error::{Error, Result};

/// The placeholder for the file in a command.
const PATH: &str = "{path}";

/// Runs the commands one after the other.
///
/// # Errors
///
/// The first command that can't be run or fails. The file is then removed, like everything that a
/// failed command wrote, and a copy of its text is kept in the target directory.
pub fn run(cx: &Context, path: &Path) -> Result<()> {
    for hook in &cx.config.post_write_hooks {
        let name = hook.name();
        // The changes that hooks make to the file belong to this command, and are undone with it.
        let run = || {
            run_one(cx, hook, path).map_err(|why| {
                let shown = cx.project.shown(path);
                let message = format!("the post write hook `{name}` failed on `{shown}`: {why}");
                let copy = keep_copy(cx, path).map_or_else(String::new, |copy| {
                    format!("; the text of the revision was kept in `{}`", copy.display())
                });
                Error::new(message).hint(format!(
                "correct the hook under `post_write_hooks` in {}, then run the command again{copy}",
                settings(cx)
            ))
            })
        };
        cx.edits.around(&[path], run)?;
        cx.out.done(format!("Running post write hook `{name}` ... done"));
    }
    Ok(())
}

/// Where the file's text is kept, for a person who answered questions for it.
fn keep_copy(cx: &Context, path: &Path) -> Option<PathBuf> {
    let dir = cx.project.work_dir.join("refused");
    fs::create_dir_all(&dir).ok()?;
    let copy = dir.join(path.file_name()?);
    fs::copy(path, &copy).ok()?;
    Some(copy)
}

fn run_one(cx: &Context, hook: &Hook, path: &Path) -> std::result::Result<(), String> {
    let cwd = cx.project.package_dir.join(&hook.cwd);
    if !cwd.is_dir() {
        return Err(format!("there is no directory `{}`", cwd.display()));
    }
    let (name, args) = hook.command.split_first().ok_or("it has no program")?;
    // Otherwise the base of a relative path would depend on the system.
    let program =
        if Path::new(name).components().count() > 1 { cwd.join(name) } else { name.into() };
    let mut command = Command::new(program);
    command.current_dir(cwd).stdin(Stdio::null());
    command.args(args.iter().map(|arg| with_path(arg, path)));
    if args.iter().all(|arg| !arg.contains(PATH)) {
        command.arg(path);
    }
    let failed = |err: io::Error| match err.kind() {
        io::ErrorKind::NotFound => format!("there is no program `{name}`"),
        _ => format!("`{name}`: {err}"),
    };
    let status = if cx.out.quiet {
        let output = command.output().map_err(failed)?;
        if !output.status.success() {
            for text in [output.stdout, output.stderr].iter().filter(|bytes| !bytes.is_empty()) {
                cx.out.diagnostic(&String::from_utf8_lossy(text));
            }
        }
        output.status
    } else {
        // Standard output is reserved for this command's own results.
        command.stdout(io::stderr()).status().map_err(failed)?
    };
    if status.success() { Ok(()) } else { Err(status.to_string()) }
}

/// An argument with the file's path, which need not be valid text.
fn with_path(arg: &str, path: &Path) -> OsString {
    let parts: Vec<&OsStr> = arg.split(PATH).map(OsStr::new).collect();
    parts.join(path.as_os_str())
}
