//! What git knows about the project, by the program `git`. Without it, nothing is known.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How many branches are searched by one process; a command line has a limit.
const AT_ONCE: usize = 200;

/// The branches that have the revision with this id, in files below a directory. Local ones come
/// first.
pub fn branches_with(dir: &Path, id: &str) -> Vec<String> {
    let refs = ["for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes"];
    let Some(names) = output(dir, &refs) else { return Vec::new() };
    let names: Vec<&str> = names.lines().filter(|name| !name.ends_with("/HEAD")).collect();
    let constant = format!("REVISION: &str = \"{id}\"");
    let mut branches = Vec::new();
    for names in names.chunks(AT_ONCE) {
        let mut args = vec!["grep", "--files-with-matches", "--fixed-strings", "-e", &constant];
        args.extend(names);
        args.extend(["--", "."]);
        let found = output(dir, &args).unwrap_or_default();
        // `branch:path`; no branch has a colon in its name.
        let of_branch = found.lines().filter_map(|line| line.split_once(':'));
        branches.extend(of_branch.map(|(branch, _)| branch.to_owned()));
    }
    branches.dedup();
    branches
}

/// The path of a hook that git would run for the repository with this directory; `None` outside of
/// a repository.
pub fn hook(dir: &Path, name: &str) -> Option<PathBuf> {
    let path = output(dir, &["rev-parse", "--git-path", &format!("hooks/{name}")])?;
    Some(dir.join(path.trim_end_matches('\n')))
}

/// The path of a directory in its repository's work tree.
pub fn below_top(dir: &Path) -> Option<String> {
    Some(output(dir, &["rev-parse", "--show-prefix"])?.trim_end_matches('\n').to_owned())
}

/// The directories that belong to this repository alone: the work tree, and what all its work trees
/// share.
pub fn directories(dir: &Path) -> Vec<PathBuf> {
    let paths = output(dir, &["rev-parse", "--show-toplevel", "--git-common-dir"]);
    paths.unwrap_or_default().lines().map(|path| dir.join(path)).collect()
}

/// What git prints in this directory; `None` if it fails or doesn't exist.
fn output(dir: &Path, args: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(dir).args(args).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
