//! The parts of a Cargo.toml that the tool needs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::features::{Features, adding};
use crate::error::{Doing as _, Error, Result, toml_place};
use crate::paths;

pub const FILE: &str = "Cargo.toml";

/// A manifest: of a package, of a workspace, or of both.
#[derive(Debug, Clone)]
pub struct Manifest {
    path: PathBuf,
    content: Content,
}

#[derive(Debug, Clone, Deserialize)]
struct Content {
    package: Option<Package>,
    workspace: Option<Workspace>,
    #[serde(default)]
    dependencies: toml::Table,
    #[serde(default)]
    features: Features,
    #[serde(default, rename = "build-dependencies")]
    build_dependencies: toml::Table,
    /// The dependencies for certain platforms.
    #[serde(default)]
    target: BTreeMap<String, Target>,
    /// What a workspace takes in place of packages, by where they come from.
    #[serde(default)]
    patch: BTreeMap<String, toml::Table>,
}

#[derive(Debug, Clone, Deserialize)]
struct Target {
    #[serde(default)]
    dependencies: toml::Table,
    #[serde(default, rename = "build-dependencies")]
    build_dependencies: toml::Table,
}

#[derive(Debug, Clone, Deserialize)]
struct Package {
    name: String,
    edition: Option<Inherited>,
    workspace: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Inherited {
    Own(String),
    OfWorkspace {
        #[serde(rename = "workspace")]
        _workspace: bool,
    },
}

#[derive(Debug, Clone, Deserialize)]
struct Workspace {
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    package: Option<WorkspacePackage>,
    #[serde(default)]
    dependencies: toml::Table,
}

#[derive(Debug, Clone, Deserialize)]
struct WorkspacePackage {
    edition: Option<String>,
}

impl Manifest {
    pub(super) fn read(path: &Path) -> Result<Manifest> {
        let text = fs::read_to_string(path).doing(|| format!("read `{}`", path.display()))?;
        let content = toml::from_str(&text).map_err(|err| syntax_error(path, &text, &err))?;
        Ok(Manifest { path: path.to_owned(), content })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn dir(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    pub(super) fn is_package(&self) -> bool {
        self.content.package.is_some()
    }

    pub(super) fn package_name(&self) -> &str {
        self.content.package.as_ref().map_or("", |package| &package.name)
    }

    pub(super) fn is_root(&self) -> bool {
        self.content.workspace.is_some()
    }

    /// The directory of `package.workspace`.
    pub(super) fn named_root(&self) -> Option<PathBuf> {
        let package = self.content.package.as_ref()?;
        package.workspace.as_ref().map(|path| self.dir().join(path))
    }

    pub(super) fn edition<'a>(&'a self, root: &'a Manifest) -> &'a str {
        let own = self.content.package.as_ref().and_then(|package| package.edition.as_ref());
        let edition = match own {
            None => None,
            Some(Inherited::Own(edition)) => Some(edition),
            Some(Inherited::OfWorkspace { .. }) => {
                let package = root
                    .content
                    .workspace
                    .as_ref()
                    .and_then(|workspace| workspace.package.as_ref());
                package.and_then(|package| package.edition.as_ref())
            }
        };
        edition.map_or("2015", String::as_str)
    }

    /// The package's dependencies, by the names that it gives them, including those for certain
    /// platforms. Inherited dependencies are resolved from the workspace.
    pub(super) fn dependencies(&self, root: &Manifest) -> toml::Table {
        let tables = self.content.target.values().map(|target| &target.dependencies);
        let mut dependencies = toml::Table::new();
        for table in tables.chain([&self.content.dependencies]) {
            dependencies.extend(self.resolved(table, root));
        }
        dependencies
    }

    /// The directories of the packages that this one is built from, as far as they are given by
    /// their paths.
    pub(super) fn directories(&self, root: &Manifest) -> Vec<PathBuf> {
        let dependencies = self.dependencies(root).into_iter();
        let of_build = self.content.target.values().map(|target| &target.build_dependencies);
        let of_build = of_build.flat_map(|table| self.resolved(table, root));
        let dependencies = dependencies.chain(self.build_dependencies(root)).chain(of_build);
        let patches = root.content.patch.values().flat_map(|table| root.resolved(table, root));
        let path = |(_, dependency): (String, toml::Value)| {
            Some(PathBuf::from(dependency.get("path")?.as_str()?))
        };
        dependencies.chain(patches).filter_map(path).collect()
    }

    /// The package's own features.
    pub(super) fn features(&self) -> &Features {
        &self.content.features
    }

    /// The dependencies of the package's build script.
    pub(super) fn build_dependencies(&self, root: &Manifest) -> toml::Table {
        self.resolved(&self.content.build_dependencies, root)
    }

    /// Dependencies with absolute paths, and with references to the workspace replaced by its
    /// dependencies.
    fn resolved(&self, dependencies: &toml::Table, root: &Manifest) -> toml::Table {
        let workspace = root.content.workspace.as_ref();
        let resolve = |(name, own): (&String, &toml::Value)| {
            let is_inherited = own.get("workspace").and_then(toml::Value::as_bool) == Some(true);
            let shared = workspace
                .filter(|_| is_inherited)
                .and_then(|workspace| workspace.dependencies.get(name));
            let dependency = match shared {
                Some(shared) => {
                    // The package may add features.
                    let features = own.get("features").and_then(toml::Value::as_array);
                    let features = features.map_or(&[][..], Vec::as_slice);
                    let mut dependency = adding(shared, features);
                    if let (Some(table), Some(is)) =
                        (dependency.as_table_mut(), own.get("optional"))
                    {
                        table.insert("optional".to_owned(), is.clone());
                    }
                    absolute(dependency, root.dir())
                }
                None => absolute(own.clone(), self.dir()),
            };
            (name.clone(), dependency)
        };
        dependencies.iter().map(resolve).collect()
    }

    /// Whether the workspace excludes a directory and doesn't also list it as a member.
    pub(super) fn excludes(&self, dir: &Path) -> bool {
        let Some(workspace) = &self.content.workspace else { return false };
        let holds =
            |items: &[String]| items.iter().any(|item| dir.starts_with(self.dir().join(item)));
        holds(&workspace.exclude) && !holds(&workspace.members)
    }

    /// The manifests of the workspace's packages, including this one if it is a package. Members
    /// that are only path dependencies aren't included.
    pub(super) fn members(&self) -> Result<Vec<Manifest>> {
        let mut members = Vec::new();
        if self.is_package() {
            members.push(self.clone());
        }
        let patterns =
            self.content.workspace.as_ref().map_or(&[][..], |workspace| &workspace.members);
        for pattern in patterns {
            let mut dirs = vec![self.dir().to_owned()];
            for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
                dirs = dirs.iter().flat_map(|dir| matching(dir, part)).collect();
            }
            for dir in dirs {
                let path = dir.join(FILE);
                let known = members.iter().any(|manifest: &Manifest| manifest.path == path);
                if known || self.excludes(&dir) || !path.is_file() {
                    continue;
                }
                members.extend(Some(Manifest::read(&path)?).filter(Manifest::is_package));
            }
        }
        Ok(members)
    }
}

/// A dependency whose path doesn't depend on a directory.
fn absolute(mut dependency: toml::Value, dir: &Path) -> toml::Value {
    if let Some(toml::Value::String(path)) = dependency.get_mut("path") {
        *path = paths::clean(&dir.join(&*path)).to_string_lossy().into_owned();
    }
    dependency
}

/// The subdirectories whose names match a part of a pattern.
fn matching(dir: &Path, part: &str) -> Vec<PathBuf> {
    if !part.contains(['*', '?', '[']) {
        return vec![dir.join(part)];
    }
    let Ok(entries) = dir.read_dir() else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> =
        names.filter(|name| fits(name.as_bytes(), part.as_bytes())).collect();
    names.sort_unstable();
    names.iter().map(|name| dir.join(name)).filter(|path| path.is_dir()).collect()
}

/// Whether a name matches a pattern of `*` and `?`. A set (`[ab]`) matches any one character, which
/// finds too much rather than too little.
pub(super) fn fits(name: &[u8], pattern: &[u8]) -> bool {
    match pattern {
        [] => name.is_empty(),
        [b'*', rest @ ..] => (0..=name.len()).any(|at| fits(&name[at..], rest)),
        [b'?', rest @ ..] => !name.is_empty() && fits(&name[1..], rest),
        [b'[', set @ ..] => {
            let close = set.iter().position(|byte| *byte == b']');
            let end = close.map_or(set.len(), |close| close + 1);
            !name.is_empty() && fits(&name[1..], &set[end..])
        }
        [byte, rest @ ..] => name.first() == Some(byte) && fits(&name[1..], rest),
    }
}

fn syntax_error(path: &Path, text: &str, err: &toml::de::Error) -> Error {
    let place = toml_place(path, text, err);
    Error::new(format!("failed to read the manifest at {place}: {}", err.message()))
}
