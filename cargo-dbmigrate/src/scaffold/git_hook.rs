//! The git hook that lets the database follow a switch of branches.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config;
use crate::context::Context;
use crate::edits::Edit;
use crate::error::{Doing as _, Error, Result};
use crate::git;
use crate::paths;
use crate::project::MIGRATIONS;

const HOOK: &str = "post-checkout";

/// Everything may be missing in another branch or on another machine, and git must not notice.
const TEXT: &str = r#"#!/bin/sh
# Written by `cargo dbmigrate init --git-hooks`: the database follows a switch of branches. Nothing
# that happens here makes git fail. Delete the file to be rid of it.

# The third argument is 0 if single files were checked out.
[ "$3" = 1 ] && [ "$1" != "$2" ] || exit 0
git_dir=$(git rev-parse --git-dir) || exit 0
# A rebase and a bisection check out many commits.
for busy in rebase-merge rebase-apply BISECT_LOG; do
    [ -e "$git_dir/$busy" ] && exit 0
done
command -v cargo-dbmigrate >/dev/null 2>&1 || exit 0
unset $(git rev-parse --local-env-vars)
cd {package} 2>/dev/null || exit 0
[ -f {settings} ] || exit 0
{switch} </dev/null ||
    echo "The database was left as it is. Once that is resolved: {switch}" >&2
exit 0
"#;

/// Adds the hook to the repository of the package. A hook that is somebody's own is left alone.
///
/// # Errors
///
/// Outside of a repository, and if there is another hook.
pub fn add(cx: &Context) -> Result<()> {
    let dir = &cx.project.package_dir;
    let (Some(hook), Some(below)) = (git::hook(dir, HOOK), git::below_top(dir)) else {
        let text = format!("`{}` is not in the work tree of a git repository", dir.display());
        return Err(Error::new(text).hint("`git init` creates one; --git-hooks needs git"));
    };
    let switch = switch(cx);
    let below = if below.is_empty() { ".".to_owned() } else { below };
    let settings = paths::relative(dir, &config::path(&cx.project.config_dir));
    let text = TEXT
        .replace("{package}", &quoted(&below))
        .replace("{settings}", &quoted(&settings))
        .replace("{switch}", &switch);
    let shown = cx.project.shown(&hook).to_string();
    match fs::read(&hook) {
        Ok(found) if found == text.as_bytes() => {
            cx.out.progress(format!("The hook {shown} is already there"));
            return Ok(());
        }
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => {}
        _ => {
            let text = format!("the hook `{shown}` already exists and is left as it is");
            let line = format!("(cd {} && {switch} </dev/null) || true", quoted(&below));
            return Err(Error::new(text).hint(format!("add this line to it: `{line}`")));
        }
    }
    if !is_of_repository(dir, &hook) {
        let text =
            format!("git takes its hooks from `{shown}`, which is for other repositories, too");
        return Err(Error::new(text)
            .hint("`git config core.hooksPath .git/hooks` gives this repository its own"));
    }
    cx.edits.apply(&[Edit::Create { path: hook.clone(), bytes: text.into_bytes() }])?;
    executable(&hook).doing(|| format!("make `{shown}` executable"))?;
    cx.out.done(format!("Generating {shown} ... done"));
    Ok(())
}

/// The command that the hook runs.
fn switch(cx: &Context) -> String {
    let dir = paths::relative(&cx.project.package_dir, &cx.project.config_dir);
    match dir.as_str() {
        MIGRATIONS => "cargo dbmigrate switch".to_owned(),
        dir => format!("cargo dbmigrate switch -d {}", quoted(dir)),
    }
}

/// Whether a hook belongs to the repository alone, and not to the user or the machine.
fn is_of_repository(dir: &Path, hook: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let existing = hook.ancestors().skip(1).find(|path| path.exists());
    let Some(hooks) = existing.map(real) else { return false };
    let own: Vec<PathBuf> = git::directories(dir).iter().map(|path| real(path)).collect();
    own.iter().any(|own| hooks.starts_with(own))
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(unix)]
fn executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// Git for other systems doesn't look at it.
#[cfg(not(unix))]
fn executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}
