//! The files that a comparison may depend on, with what tells that they were saved.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{DirEntry, read_dir};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::project::Project;

/// The sources and manifests of the workspace and of the packages outside it, and the migrations.
/// Looking at them works on every file system, in containers as well, and sees files that an editor
/// replaces.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The directories of packages outside the workspace.
    outside: BTreeSet<PathBuf>,
    saved: BTreeMap<PathBuf, Saved>,
}

/// When a file was saved, and how long it is: a file may be saved twice within the resolution of a
/// file system's times.
type Saved = (Option<SystemTime>, u64);

impl Files {
    /// Looks at the files of a project.
    pub fn find(project: &Project) -> Files {
        Files { outside: project.outside(), ..Files::default() }.again(project)
    }

    /// Looks at them again, in the same directories.
    pub fn again(&self, project: &Project) -> Files {
        let mut files = Files { outside: self.outside.clone(), ..Files::default() };
        files.add(&project.workspace_root, &project.target_dir);
        let own = [&project.package_dir, &project.config_dir, &project.migrations_dir];
        for dir in own.into_iter().chain(&self.outside) {
            if !dir.starts_with(&project.workspace_root) {
                files.add(dir, &project.target_dir);
            }
        }
        files
    }

    /// The files that were added, removed or saved since.
    pub fn differing(&self, before: &Files) -> Vec<PathBuf> {
        let changed =
            self.saved.iter().filter(|(path, saved)| before.saved.get(*path) != Some(*saved));
        let gone = before.saved.keys().filter(|path| !self.saved.contains_key(*path));
        changed.map(|(path, _)| path).chain(gone).cloned().collect()
    }

    fn add(&mut self, dir: &Path, target_dir: &Path) {
        // A directory that can't be read has no sources, or is gone.
        let Ok(entries) = read_dir(dir) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if path != target_dir && !is_of_others(&path, &entry.file_name()) {
                    self.add(&path, target_dir);
                }
            } else if is_source(&path) {
                self.saved.insert(path, saved(&entry));
            }
        }
    }
}

fn saved(entry: &DirEntry) -> Saved {
    // Of a link, the file behind it is the one that is saved.
    match std::fs::metadata(entry.path()) {
        Ok(metadata) => (metadata.modified().ok(), metadata.len()),
        Err(_) => (None, 0),
    }
}

/// Whether a directory belongs to a tool and not to the sources.
fn is_of_others(dir: &Path, name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    // Cargo marks its target directories, and a module may be called `target`.
    let is_cache = || dir.join("CACHEDIR.TAG").exists();
    name.starts_with('.') || name == "node_modules" || is_cache()
}

fn is_source(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let extension = path.extension().and_then(OsStr::to_str);
    // Editors keep hidden files beside the one that is edited. Cargo.lock is cargo's own.
    let is_hidden = name.starts_with('.');
    name == ".env" || (!is_hidden && matches!(extension, Some("rs" | "toml")))
}
