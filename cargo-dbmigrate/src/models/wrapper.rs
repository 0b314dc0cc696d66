//! This tool as the wrapper that cargo starts in place of rustc.
//!
//! Checking a binary leaves no metadata, and cargo can't be asked to check it as a library. So
//! cargo gets this program as `RUSTC_WORKSPACE_WRAPPER`, which it starts for the workspace's own
//! packages, and the wrapper replaces `bin` by `lib` in rustc's arguments. The resulting artifacts
//! have names of their own, so a person's own check stays fresh. The names depend on the wrapper's
//! path, so each checkout uses a path of its own: otherwise cargo would confuse the artifacts of
//! two checkouts with the same target directory.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs, io};

use crate::error::{Doing as _, Result};
use crate::hex::random;
use crate::project::{self, Cargo};

/// Tells this program that it was started in place of rustc.
const WRAPPER: &str = "DBMIGRATE_WRAPPER";

/// Tells this program that it was started in place of the linker, and has nothing to do.
pub const LINKER: &str = "DBMIGRATE_LINKER";

/// Does what this process was started for in place of rustc or the linker, if it was.
pub fn run_wrapper() -> Option<ExitCode> {
    let is_set = |name| std::env::var_os(name).is_some();
    // A build script inherits the variables, but means the tool itself when it starts it.
    if !is_set(WRAPPER) && !is_set(LINKER) || project::in_build_script() {
        return None;
    }
    // The wrapper removes its own variable for rustc, which starts the linker.
    if !is_set(WRAPPER) {
        return Some(ExitCode::SUCCESS);
    }
    let mut args = std::env::args_os().skip(1);
    let rustc = args.next()?;
    let status = Command::new(rustc).args(rewritten(args)).env_remove(WRAPPER).status().ok()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Some(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Makes cargo start this program in place of rustc, by a path in the checkout's directory. A
/// caching wrapper around rustc doesn't expect this, and is left out.
pub fn set_up(cargo: &Cargo, checkout_dir: &Path) -> Result<()> {
    cargo.set_var("RUSTC_WORKSPACE_WRAPPER", linked(checkout_dir)?);
    cargo.set_var("RUSTC_WRAPPER", "");
    cargo.set_var(WRAPPER, "1");
    Ok(())
}

/// The path of this program.
pub fn executable() -> Result<PathBuf> {
    env::current_exe().doing(|| "find the path of this program".to_owned())
}

/// A path in this directory that leads to this program.
fn linked(dir: &Path) -> Result<PathBuf> {
    let program = executable()?;
    let path = dir.join(format!("cargo-dbmigrate{}", env::consts::EXE_SUFFIX));
    if leads_to(&path, &program) {
        return Ok(path);
    }
    let temporary = dir.join(format!("{}.tmp", random()?));
    // Another process may be using the path, so it must lead to a program at all times.
    let linked = fs::create_dir_all(dir)
        .and_then(|()| link(&program, &temporary))
        .and_then(|()| fs::rename(&temporary, &path));
    linked.doing(|| format!("link `{}` to this program", path.display()))?;
    Ok(path)
}

#[cfg(unix)]
fn link(program: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(program, path)
}

#[cfg(unix)]
fn leads_to(path: &Path, program: &Path) -> bool {
    fs::read_link(path).is_ok_and(|target| target == program)
}

/// Creating symbolic links may not be allowed here, and hard links can't cross file systems.
#[cfg(not(unix))]
fn link(program: &Path, path: &Path) -> io::Result<()> {
    fs::hard_link(program, path).or_else(|_| fs::copy(program, path).map(drop))
}

#[cfg(not(unix))]
fn leads_to(path: &Path, program: &Path) -> bool {
    let known = |path: &Path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    };
    known(path).is_some_and(|target| known(program) == Some(target))
}

/// The arguments, changed so that a library is checked. Lints are disabled, since they would report
/// that `main` is never used.
fn rewritten(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let args: Vec<OsString> = args.flat_map(expanded).collect();
    let values = |name: &str| values(&args, name);
    let emit: Vec<&str> = values("--emit").into_iter().flat_map(|kinds| kinds.split(',')).collect();
    let is_check = emit.contains(&"metadata") && !emit.contains(&"link");
    let types = values("--crate-type");
    let kept = ["lib", "rlib", "dylib", "proc-macro"];
    let is_other = !types.is_empty() && types.iter().all(|ty| !kept.contains(ty));
    // With the first of these names, cargo only queries the compiler.
    let is_own =
        values("--crate-name").iter().all(|name| *name != "___" && *name != "build_script_build");
    if !is_check || !is_other || !is_own {
        return args;
    }
    let mut rewritten = Vec::with_capacity(args.len() + 1);
    let mut is_type = false;
    for arg in args {
        let is_joined = arg.to_str().is_some_and(|text| text.starts_with("--crate-type="));
        rewritten.push(match (is_type, is_joined) {
            (true, _) => "lib".into(),
            (_, true) => "--crate-type=lib".into(),
            _ => arg.clone(),
        });
        is_type = arg == "--crate-type";
    }
    rewritten.push("--cap-lints=allow".into());
    rewritten
}

/// The arguments in a file, which is used when there are too many for the system.
fn expanded(arg: OsString) -> Vec<OsString> {
    let path = arg.to_str().and_then(|text| text.strip_prefix('@'));
    match path.and_then(|path| std::fs::read_to_string(path).ok()) {
        Some(text) => text.lines().map(OsString::from).collect(),
        None => vec![arg],
    }
}

/// The values of `--name value` and `--name=value`.
fn values<'a>(args: &'a [OsString], name: &str) -> Vec<&'a str> {
    let mut values = Vec::new();
    let mut before: Option<&OsStr> = None;
    for arg in args {
        let text = arg.to_str().unwrap_or_default();
        if before.is_some_and(|text| text == name) {
            values.push(text);
        } else if let Some(value) = text.strip_prefix(name).and_then(|rest| rest.strip_prefix('='))
        {
            values.push(value);
        }
        before = Some(arg);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(args: &str, expected: &str) {
        let rewritten = rewritten(args.split(' ').map(OsString::from));
        assert_eq!(rewritten.join(OsStr::new(" ")), *expected);
    }

    #[test]
    fn a_binary_is_checked_as_a_library() {
        check(
            "--crate-name app src/main.rs --crate-type bin --emit=dep-info,metadata",
            "--crate-name app src/main.rs --crate-type lib --emit=dep-info,metadata --cap-lints=allow",
        );
        check(
            "--crate-type=cdylib --crate-type=staticlib --emit=metadata",
            "--crate-type=lib --crate-type=lib --emit=metadata --cap-lints=allow",
        );
    }

    #[test]
    fn the_rest_is_left_as_it_is() {
        for args in [
            "--crate-name app --crate-type lib --emit=dep-info,metadata",
            "--crate-name app --crate-type cdylib --crate-type rlib --emit=metadata",
            "--crate-name app --crate-type bin --emit=dep-info,link",
            "--crate-name build_script_build --crate-type bin --emit=dep-info,metadata",
            "- --crate-name ___ --print=file-names --crate-type bin --crate-type rlib",
            "-vV",
        ] {
            check(args, args);
        }
    }
}
