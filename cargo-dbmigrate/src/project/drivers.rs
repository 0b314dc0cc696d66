//! Whether the application uses the same versions of the drivers as the runtime, according to its lock
//! file. Connections of another version have a different type.

use std::collections::BTreeSet;
use std::fs;

use serde::Deserialize;

use super::{Project, RUNTIME};
use crate::output::Output;

/// The crates whose connections a program can pass, and whether the runtime accepts several of its
/// versions, so that a lock file with two can be brought to one.
const DRIVERS: [(&str, bool); 3] = [("rusqlite", true), ("postgres", false), ("mysql", false)];

#[derive(Debug, Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Debug, Deserialize)]
struct Locked {
    name: String,
    version: String,
    #[serde(default)]
    dependencies: Vec<String>,
}

impl Locked {
    /// Whether an entry of `dependencies` names this package. An entry has a version only if the
    /// name alone is ambiguous.
    fn is_named_by(&self, dependency: &str) -> bool {
        let mut words = dependency.split(' ');
        words.next() == Some(&self.name) && words.next().is_none_or(|word| word == self.version)
    }
}

/// Warns if the project's lock file has a second version of a driver besides the runtime's. Cargo
/// allows both, unless they use different versions of one C library.
pub fn warn_of_two(project: &Project, out: Output) {
    of_two(project).into_iter().for_each(|warning| out.warning(warning));
}

/// What such a warning says: what is wrong, `; `, and what to do.
pub fn of_two(project: &Project) -> Vec<String> {
    let text = fs::read_to_string(project.workspace_root.join("Cargo.lock")).unwrap_or_default();
    warnings(&text, &project.package)
}

fn warnings(lock: &str, package: &str) -> Vec<String> {
    let Ok(Lock { package: packages }) = toml::from_str::<Lock>(lock) else { return Vec::new() };
    let mut found: Vec<&Locked> = packages.iter().filter(|locked| locked.name == package).collect();
    let mut uses: Vec<(&Locked, &Locked)> = Vec::new();
    let mut next = 0;
    while let Some(user) = found.get(next).copied() {
        let is_used =
            |locked: &&Locked| user.dependencies.iter().any(|name| locked.is_named_by(name));
        for used in packages.iter().filter(is_used) {
            uses.push((user, used));
            if !found.iter().any(|locked| std::ptr::eq(*locked, used)) {
                found.push(used);
            }
        }
        next += 1;
    }
    let of_driver = |(name, has_several): (&str, bool)| -> Vec<String> {
        let uses = uses.iter().filter(|(_, used)| used.name == name);
        let (own, others): (Vec<_>, Vec<_>) = uses.partition(|(user, _)| user.name == RUNTIME);
        let Some((_, own)) = own.first() else { return Vec::new() };
        let mut seen = BTreeSet::new();
        others
            .into_iter()
            .filter(|(_, used)| used.version != own.version)
            .filter(|(_, used)| seen.insert(&used.version))
            .map(|(user, used)| {
                let (user, used, own) = (&user.name, &used.version, &own.version);
                let instead = if has_several {
                    format!("`cargo update -p {name}@{own} --precise {used}` makes them the same")
                } else {
                    format!("let `{user}` use {name} {own}, or pass URLs and no connections")
                };
                format!(
                    "`{user}` uses {name} {used}, but {RUNTIME} is built with {name} {own} and \
                     does not accept the connections of the other version; {instead}"
                )
            })
            .collect()
    };
    DRIVERS.into_iter().flat_map(of_driver).collect()
}
