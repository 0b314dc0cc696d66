//! Finds the project's runtime, so that the runner uses the same one.

use std::collections::BTreeSet;
use std::fs;

use cargo_metadata::semver::Version;
use cargo_metadata::{Metadata, MetadataCommand, Package};
use serde::{Deserialize, Serialize};

use super::VERSION;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::hex::hash;
use crate::project::{Cargo, RUNTIME};
use crate::work_files;

const FILE: &str = "host.json";

/// The project's runtime, from cargo's metadata.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Host {
    /// A hash of what cargo's answer depends on.
    key: String,
    /// The runtime's name in the package.
    pub name: String,
    /// The dependency, without features.
    pub dependency: toml::Table,
    /// The names of the packages that the runtime depends on.
    pub crates: BTreeSet<String>,
}

impl Host {
    /// Cargo's previous answer, if the lock file and the manifests are unchanged.
    pub fn known(cx: &Context) -> Option<Host> {
        let text = fs::read_to_string(cx.project.work_dir.join(FILE)).ok()?;
        let known = serde_json::from_str::<Host>(&text).ok();
        known.filter(|host| host.key == host_key(cx))
    }

    /// Asks cargo.
    pub fn find(cx: &Context) -> Result<Host> {
        let mut host = Host::ask(cx)?;
        host.key = host_key(cx);
        Ok(host)
    }

    /// Stores the answer for the next time.
    pub fn keep(&self, cx: &Context) -> Result<()> {
        let text = serde_json::to_string(self).doing(|| "write the host's runtime".to_owned())?;
        work_files::write(&cx.project.work_dir.join(FILE), &text)
    }

    fn ask(cx: &Context) -> Result<Host> {
        let cargo = Cargo::of_host(&cx.project, cx.out)?;
        let mut cmd = cargo
            .cmd("metadata")
            .args(["--format-version", "1", "--all-features", "--manifest-path"])
            .arg(&cx.project.manifest_path);
        let flags = &cx.global.cargo;
        for (on, flag) in
            [(flags.locked, "--locked"), (flags.offline, "--offline"), (flags.frozen, "--frozen")]
        {
            if on {
                cmd = cmd.arg(flag);
            }
        }
        let metadata = MetadataCommand::parse(cargo.read(cmd)?)
            .doing(|| "read cargo's metadata".to_owned())?;
        let (package, name) = runtime(cx, &metadata)?;
        if !package.features.contains_key("runner") {
            return Err(misunderstood(&package.version.to_string()));
        }
        Ok(Host {
            key: String::new(),
            name,
            dependency: dependency(package)?,
            crates: all_dependencies(&metadata, package),
        })
    }
}

/// The runtime that the project depends on, and the name that it has there.
fn runtime<'a>(cx: &Context, metadata: &'a Metadata) -> Result<(&'a Package, String)> {
    let package = &cx.project.package;
    let is_project = |package: &&Package| package.manifest_path == cx.project.manifest_path;
    let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
    let project = metadata.packages.iter().find(is_project);
    let node = project.and_then(|project| nodes.iter().find(|node| node.id == project.id));
    for dep in node.map_or(&[][..], |node| &node.deps) {
        let found = metadata.packages.iter().find(|package| package.id == dep.pkg);
        if let Some(found) = found.filter(|package| *package.name == *RUNTIME) {
            // The name must follow the same rule as in generated code; a build script's dependency
            // may have another name.
            return Ok((found, cx.project.runtime.clone()));
        }
    }
    // The models may be in another package of the workspace, and only that one may depend on the
    // runtime.
    let mut all = metadata.packages.iter().filter(|package| *package.name == *RUNTIME);
    match (all.next(), all.next()) {
        (Some(package), None) => Ok((package, RUNTIME.replace('-', "_"))),
        _ => Err(Error::new(format!("the package `{package}` does not depend on {RUNTIME}"))
            .hint(format!("`cargo add -p {package} {RUNTIME}@{VERSION}` adds it"))),
    }
}

/// The names of all packages that this one depends on, directly or indirectly.
fn all_dependencies(metadata: &Metadata, package: &Package) -> BTreeSet<String> {
    let nodes = metadata.resolve.as_ref().map_or(&[][..], |resolve| &resolve.nodes);
    let mut ids = vec![&package.id];
    let mut next = 0;
    while let Some(id) = ids.get(next) {
        let node = nodes.iter().find(|node| node.id == **id);
        for dep in node.map_or(&[][..], |node| &node.dependencies) {
            if !ids.contains(&dep) {
                ids.push(dep);
            }
        }
        next += 1;
    }
    let names = metadata.packages.iter().filter(|package| ids[1..].contains(&&package.id));
    names.map(|package| package.name.to_string()).collect()
}

/// A dependency on exactly this package.
///
/// # Errors
///
/// When its source is none that a manifest can name.
pub fn dependency(package: &Package) -> Result<toml::Table> {
    let mut table = toml::Table::new();
    let mut set = |key: &str, value: String| table.insert(key.to_owned(), value.into());
    set("package", package.name.to_string());
    let Some(source) = package.source.as_ref().map(|source| source.repr.as_str()) else {
        let dir = package.manifest_path.parent().map_or("", |path| path.as_str());
        set("path", dir.to_owned());
        return Ok(table);
    };
    let (kind, url) = source.split_once('+').unwrap_or(("", source));
    match kind {
        "git" => {
            let (url, revision) = url.split_once('#').unwrap_or((url, "HEAD"));
            set("git", url.split('?').next().unwrap_or(url).to_owned());
            set("rev", revision.to_owned());
        }
        "registry" | "sparse" => {
            set("version", format!("={}", package.version));
            if url != "https://github.com/rust-lang/crates.io-index" {
                let index = if kind == "sparse" { source } else { url };
                set("registry-index", index.to_owned());
            }
        }
        _ => {
            let message = format!("{} comes from an unknown source: {source}", package.name);
            return Err(
                Error::new(message).hint("depend on it by path, from git or from a registry")
            );
        }
    }
    Ok(table)
}

fn host_key(cx: &Context) -> String {
    let root = &cx.project.workspace_root;
    let paths =
        [root.join("Cargo.lock"), root.join("Cargo.toml"), cx.project.manifest_path.clone()];
    // The answer contains this checkout's paths, and other checkouts may have the same migrations
    // directory.
    let mut text = format!("{VERSION}{}", root.display());
    for path in paths {
        let bytes = fs::read(path).unwrap_or_default();
        text += &hash(&bytes);
    }
    hash(text.as_bytes())
}

/// The error that the tool and the runtime have incompatible versions.
pub fn misunderstood(runtime: &str) -> Error {
    let message = format!(
        "cargo-dbmigrate {VERSION} does not support {RUNTIME} {runtime}, which the project uses"
    );
    let newer = match (Version::parse(runtime), Version::parse(VERSION)) {
        (Ok(runtime), Ok(tool)) => runtime > tool,
        _ => false,
    };
    Error::new(message).hint(if newer {
        format!("install the tool of that version: cargo install cargo-dbmigrate@{runtime}")
    } else {
        format!(
            "update the runtime: cargo update -p {RUNTIME}, or install the tool of its \
                 version: cargo install cargo-dbmigrate@{runtime}"
        )
    })
}
