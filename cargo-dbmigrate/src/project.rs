//! Finds the package and its directories, without starting a process.

mod cargo;
mod drivers;
pub mod features;
pub mod manifest;

use std::collections::BTreeSet;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

pub use cargo::{Cargo, Exit, host_target};
pub use drivers::{of_two as of_other_drivers, warn_of_two};

use cargo::TARGET_DIR_VARIABLES;
use features::Features;
use manifest::Manifest;

use crate::cli::Global;
use crate::error::{Doing as _, Error, Result};

/// The migrations directory, unless the arguments name another one.
pub const MIGRATIONS: &str = "migrations";

/// The package that models and revisions use.
pub const RUNTIME: &str = "dbmigrate-runtime";

/// The package that contains the migrations.
#[derive(Debug, Clone)]
pub struct Project {
    /// The package's name.
    pub package: String,
    pub manifest_path: PathBuf,
    pub package_dir: PathBuf,
    pub workspace_root: PathBuf,
    /// The directory where cargo builds the package.
    pub target_dir: PathBuf,
    /// The package's edition.
    pub edition: String,
    /// The package's dependencies, by the names that it gives them.
    pub dependencies: toml::Table,
    /// The package's own features.
    pub features: Features,
    /// The runtime's name in the package's code.
    pub runtime: String,
    pub migrations_dir: PathBuf,
    /// The directory of dbmigrate.toml: the default database's migrations directory.
    pub config_dir: PathBuf,
    /// The directory for this tool's own files.
    pub work_dir: PathBuf,
    /// The directory from which cargo searches upwards for its configuration.
    pub cargo_dir: PathBuf,
}

impl Project {
    /// Finds the package: that of `--manifest-path` or the working directory, or the one that `-p`
    /// names. In a workspace without a root package it is the only member that has a migrations
    /// directory.
    ///
    /// # Errors
    ///
    /// When there is no such package, or a manifest can't be parsed.
    pub fn find(global: &Global) -> Result<Project> {
        let cwd = std::env::current_dir().doing(|| "find the working directory".to_owned())?;
        let manifest_path = match &global.cargo.manifest_path {
            Some(path) => given_manifest(&cwd.join(path))?,
            None => nearest_manifest(&cwd)?,
        };
        let here = Manifest::read(&manifest_path)?;
        let given = global.directory.as_deref();
        let workspace = Workspace::of(here)?;
        let manifest = workspace.select(global.cargo.package.as_deref(), given)?;

        let package_dir = canonical(manifest.dir());
        let workspace_root = canonical(workspace.root.dir());
        let cargo_dir = if cwd.starts_with(&workspace_root) { cwd } else { package_dir.clone() };
        let target_dir = target_dir(&cargo_dir, &workspace_root)?;
        // Normalised, since other paths are derived from this one, and files are named after it.
        let migrations_dir = crate::paths::clean(&migrations_dir(&package_dir, given)?);
        let package = manifest.package_name().to_owned();
        let dependencies = manifest.dependencies(&workspace.root);
        let runtime = name_of(&dependencies, RUNTIME)
            .or_else(|| name_of(&manifest.build_dependencies(&workspace.root), RUNTIME))
            .unwrap_or_else(|| RUNTIME.to_owned());
        Ok(Project {
            work_dir: work_dir(&target_dir, &package, &migrations_dir),
            edition: manifest.edition(&workspace.root).to_owned(),
            manifest_path: package_dir.join(manifest::FILE),
            dependencies,
            features: manifest.features().clone(),
            runtime: runtime.replace('-', "_"),
            package,
            package_dir,
            workspace_root,
            target_dir,
            config_dir: migrations_dir.clone(),
            migrations_dir,
            cargo_dir,
        })
    }

    /// The package with another one of its migrations directories.
    pub fn with_migrations(&self, dir: &Path) -> Project {
        Project {
            work_dir: work_dir(&self.target_dir, &self.package, dir),
            migrations_dir: dir.to_owned(),
            ..self.clone()
        }
    }

    /// The directories of the packages outside the workspace from which its packages are built. A
    /// manifest that can't be read leads to none.
    pub fn outside(&self) -> BTreeSet<PathBuf> {
        let root = Manifest::read(&self.workspace_root.join(manifest::FILE));
        let members = root.and_then(|root| root.members()).unwrap_or_default();
        let mut open: Vec<PathBuf> = members.iter().map(|member| member.path().into()).collect();
        open.push(self.manifest_path.clone());
        let mut dirs = BTreeSet::new();
        while let Some(path) = open.pop() {
            let Ok(workspace) = Manifest::read(&path).and_then(Workspace::of) else { continue };
            for dir in workspace.here.directories(&workspace.root) {
                let dir = canonical(&dir);
                if dirs.insert(dir.clone()) {
                    open.push(dir.join(manifest::FILE));
                }
            }
        }
        dirs.retain(|dir| !dir.starts_with(&self.workspace_root));
        dirs
    }

    /// A path for messages: relative to the package's directory if it is inside.
    pub fn shown<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        let dir = &self.package_dir;
        // Comparing component by component is much slower, and this is called for each revision.
        let inside = |path: &'a str| {
            let inside = path.strip_prefix(dir.to_str()?)?.strip_prefix(MAIN_SEPARATOR)?;
            let is_plain = !inside.starts_with(std::path::is_separator);
            is_plain.then(|| Path::new(inside))
        };
        let inside = path.to_str().and_then(inside).or_else(|| path.strip_prefix(dir).ok());
        inside.unwrap_or(path).display()
    }
}

/// The name that a dependency on this package has.
pub fn name_of(dependencies: &toml::Table, package: &str) -> Option<String> {
    let is_package = |(name, dependency): &(&String, &toml::Value)| {
        let renamed = dependency.get("package").and_then(toml::Value::as_str);
        renamed.unwrap_or(name) == package
    };
    dependencies.iter().find(is_package).map(|(name, _)| name.clone())
}

/// The migrations directory of a package: the given one, or else `migrations`. If that one has the
/// files of another tool, the directory beside it that `init` has filled is meant.
fn migrations_dir(package_dir: &Path, given: Option<&Path>) -> Result<PathBuf> {
    if let Some(given) = given {
        return Ok(package_dir.join(given));
    }
    let default = package_dir.join(MIGRATIONS);
    let has = |dir: &Path, name: &str| dir.join(name).is_file();
    let is_filled = default.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    if !is_filled || has(&default, crate::config::FILE) || has(&default, "mod.rs") {
        return Ok(default);
    }
    let entries = package_dir.read_dir().into_iter().flatten().flatten();
    let is_ours = |dir: &PathBuf| has(dir, crate::config::FILE) && has(dir, "mod.rs");
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_ours).collect();
    found.sort();
    if let [one, two, ..] = found.as_slice() {
        let shown =
            |path: &Path| path.strip_prefix(package_dir).unwrap_or(path).display().to_string();
        let message = format!(
            "both `{}` and `{}` are migrations directories of `{}`",
            shown(one),
            shown(two),
            package_dir.display()
        );
        return Err(Error::new(message).hint("choose one with `-d`"));
    }
    Ok(found.pop().unwrap_or(default))
}

fn has_migrations(manifest: &Manifest, given: Option<&Path>) -> bool {
    migrations_dir(manifest.dir(), given).is_ok_and(|dir| dir.is_dir())
}

/// Several packages may have the same target directory, and one package may have several histories.
fn work_dir(target_dir: &Path, package: &str, migrations_dir: &Path) -> PathBuf {
    let hash = crate::hex::short_hash(migrations_dir.as_os_str().as_encoded_bytes());
    target_dir.join("dbmigrate").join(format!("{package}-{hash}"))
}

/// Whether this process was started by a package's build script.
pub fn in_build_script() -> bool {
    ["OUT_DIR", "HOST", "TARGET", "NUM_JOBS"]
        .iter()
        .all(|variable| std::env::var_os(variable).is_some())
}

/// A package's manifest and that of its workspace, which may be the same.
struct Workspace {
    root: Manifest,
    here: Manifest,
}

impl Workspace {
    /// Follows cargo's own rule: a manifest with `[workspace]` is a root, a manifest may name its
    /// root, and otherwise the root is the next one above that doesn't exclude the package.
    fn of(here: Manifest) -> Result<Workspace> {
        if here.is_root() {
            return Ok(Workspace { root: here.clone(), here });
        }
        if let Some(root) = here.named_root() {
            return Ok(Workspace { root: Manifest::read(&root.join(manifest::FILE))?, here });
        }
        for dir in here.dir().ancestors().skip(1) {
            let path = dir.join(manifest::FILE);
            if !path.is_file() {
                continue;
            }
            let above = Manifest::read(&path)?;
            let root = match above.named_root() {
                Some(root) => Manifest::read(&root.join(manifest::FILE))?,
                None => above,
            };
            if root.is_root() && !root.excludes(here.dir()) {
                return Ok(Workspace { root, here });
            }
        }
        Ok(Workspace { root: here.clone(), here })
    }

    fn select(&self, name: Option<&str>, given: Option<&Path>) -> Result<Manifest> {
        let has_migrations = |manifest: &Manifest| has_migrations(manifest, given);
        let is_package = self.here.is_package();
        let Some(name) = name else {
            return if is_package { Ok(self.here.clone()) } else { self.the_one_with(given) };
        };
        if is_package && self.here.package_name() == name {
            return Ok(self.here.clone());
        }
        let members = self.members()?;
        let named = members.iter().find(|manifest| manifest.package_name() == name);
        match named {
            Some(manifest) if has_migrations(manifest) => Ok(manifest.clone()),
            // If there are several packages, the one with the migrations is the project, and `-p`
            // names the one with the models.
            _ if is_package && has_migrations(&self.here) => Ok(self.here.clone()),
            Some(manifest) => Ok(manifest.clone()),
            None => {
                let root = self.root.path().display();
                Err(Error::new(format!("no package `{name}` in the workspace of `{root}`"))
                    .hint(format!("its packages are {}", names(&members))))
            }
        }
    }

    fn the_one_with(&self, given: Option<&Path>) -> Result<Manifest> {
        let root = self.root.path().display();
        let members = self.members()?;
        let with: Vec<Manifest> =
            members.iter().filter(|manifest| has_migrations(manifest, given)).cloned().collect();
        match with.as_slice() {
            [manifest] => Ok(manifest.clone()),
            [] if members.is_empty() => {
                Err(Error::new(format!("the workspace of `{root}` has no packages")))
            }
            // The only member is the one that gets the migrations.
            [] if members.len() == 1 => Ok(members[0].clone()),
            [] => {
                let directory = given.unwrap_or(Path::new(MIGRATIONS)).display();
                let message = format!("no package of the workspace has a directory `{directory}`");
                let first = members[0].package_name();
                Err(Error::new(message).hint(format!(
                    "choose one with `-p`, as in `cargo dbmigrate init -p {first}`; there are {}",
                    names(&members)
                )))
            }
            several => {
                let message = "several packages of the workspace have migrations";
                Err(Error::new(message).hint(format!("choose one with `-p`: {}", names(several))))
            }
        }
    }

    fn members(&self) -> Result<Vec<Manifest>> {
        let mut members = self.root.members()?;
        if self.here.is_package()
            && members.iter().all(|manifest| manifest.path() != self.here.path())
        {
            members.push(self.here.clone());
        }
        Ok(members)
    }
}

fn names(packages: &[Manifest]) -> String {
    let mut names: Vec<&str> = packages.iter().map(Manifest::package_name).collect();
    names.sort_unstable();
    format!("`{}`", names.join("`, `"))
}

fn given_manifest(path: &Path) -> Result<PathBuf> {
    let file = if path.is_dir() { path.join(manifest::FILE) } else { path.to_owned() };
    if file.is_file() {
        return Ok(canonical(&file));
    }
    Err(Error::new(format!("there is no manifest `{}`", path.display()))
        .hint("`--manifest-path` takes the path of a package's Cargo.toml"))
}

fn nearest_manifest(cwd: &Path) -> Result<PathBuf> {
    let mut paths = cwd.ancestors().map(|path| path.join(manifest::FILE));
    paths.find(|path| path.is_file()).ok_or_else(|| {
        let message = format!("no Cargo.toml in `{}` or above it", cwd.display());
        Error::new(message).hint("change to a package's directory, or pass --manifest-path")
    })
}

/// The target directory from the environment, the configuration files, or next to the workspace's
/// manifest.
fn target_dir(cargo_dir: &Path, workspace_root: &Path) -> Result<PathBuf> {
    let cwd = std::env::current_dir().doing(|| "find the working directory".to_owned())?;
    for name in TARGET_DIR_VARIABLES {
        if let Some(dir) = std::env::var_os(name).filter(|value| !value.is_empty()) {
            return Ok(cwd.join(dir));
        }
    }
    let config = cargo::config(cargo_dir)?;
    Ok(config.build.target_dir.unwrap_or_else(|| workspace_root.join("target")))
}

/// The path without links and dots. Outside of Unix, a canonical path has a special form that
/// compilers and people don't expect.
fn canonical(path: &Path) -> PathBuf {
    let res = if cfg!(unix) { path.canonicalize() } else { std::path::absolute(path) };
    res.unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests;
