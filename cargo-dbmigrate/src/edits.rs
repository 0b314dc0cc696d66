//! The files of a project that a command writes: all of them, or none.
//!
//! Every file that belongs to the project is written through this module; files in the target
//! directory are not. Files that belong together are given as values, and all of them are on the
//! disk, under temporary names, before the first one is moved to its place. If the command fails
//! later, or is interrupted, its files are restored.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::error::{Doing as _, Error, Result};
use crate::hex::random;
use crate::interrupt;

/// A change of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Creates a file that doesn't exist yet.
    Create { path: PathBuf, bytes: Vec<u8> },
    /// Creates or replaces a file; if the path is a link, the file that it leads to.
    Replace { path: PathBuf, bytes: Vec<u8> },
    /// Removes a file.
    Remove { path: PathBuf },
}

/// A text that is to replace another one, with the line breaks of that one: a file of Windows keeps
/// them.
pub fn in_line_breaks_of(before: &str, after: String) -> String {
    if before.contains("\r\n") { after.replace("\r\n", "\n").replace('\n', "\r\n") } else { after }
}

/// What a command has written so far, in order.
#[derive(Debug, Clone, Default)]
pub struct Edits {
    written: Arc<Mutex<Written>>,
}

#[derive(Debug, Default)]
struct Written {
    done: Vec<Done>,
    /// Files that are not yet at their place.
    temporaries: Vec<PathBuf>,
    /// Files that another program is changing, with their previous contents.
    changing: Vec<(PathBuf, Option<Vec<u8>>)>,
    /// Whether the process is about to end, so that nothing may be written any more.
    is_over: bool,
}

/// What was done to a path, with what is needed to undo it.
#[derive(Debug)]
enum Done {
    CreatedDir(PathBuf),
    /// Contains what was written.
    Created(PathBuf, Vec<u8>),
    /// Contains the previous bytes (`None` if the file didn't exist) and the current ones.
    Replaced {
        path: PathBuf,
        before: Option<Vec<u8>>,
        now: Option<Vec<u8>>,
    },
    /// Contains the temporary path until the command is done.
    Removed {
        path: PathBuf,
        aside: PathBuf,
    },
}

/// What happened to the files of a failed command.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Restored {
    pub paths: Vec<PathBuf>,
    /// Files that could not be restored, each with the reason.
    pub failures: Vec<(PathBuf, String)>,
}

/// A file under a temporary name, before it is moved to its place.
struct Staged<'a> {
    edit: &'a Edit,
    target: PathBuf,
    temporary: Option<PathBuf>,
}

impl Edits {
    /// Makes these edits, and creates the directories that they need.
    ///
    /// # Errors
    ///
    /// When an edit fails. The edits before it have then been made; [`Edits::restore`] undoes them.
    pub fn apply(&self, edits: &[Edit]) -> Result<()> {
        interrupt::watch();
        let mut staged: Vec<Staged<'_>> = Vec::new();
        let result = edits
            .iter()
            .try_for_each(|edit| {
                staged.push(self.stage(edit)?);
                Ok(())
            })
            .and_then(|()| staged.iter().try_for_each(|staged| self.put_in_place(staged)));
        // Files that were moved to their place no longer exist under their temporary names.
        self.written().remove_temporaries();
        result
    }

    /// Creates a directory and its parents; returns whether it didn't exist before.
    pub fn create_dir(&self, dir: &Path) -> Result<bool> {
        interrupt::watch();
        let missing: Vec<_> = dir.ancestors().take_while(|path| !path.is_dir()).collect();
        let mut written = self.written();
        for dir in missing.iter().rev().filter(|dir| !dir.as_os_str().is_empty()) {
            fs::create_dir(dir).doing(|| format!("create the directory `{}`", dir.display()))?;
            written.done.push(Done::CreatedDir(dir.to_path_buf()));
        }
        Ok(!missing.is_empty())
    }

    /// Runs another program that changes these files. If it fails, they are restored.
    pub fn around<T, E>(
        &self,
        paths: &[&Path],
        change: impl FnOnce() -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        interrupt::watch();
        let before = paths.iter().map(|path| (path.to_path_buf(), fs::read(path).ok()));
        self.written().changing = before.collect();
        let res = change();
        let changed = self.written().changed();
        let own = if res.is_ok() { self.clone() } else { Edits::default() };
        own.written().done.extend(changed);
        if res.is_err() {
            // The caller is told about the failure; a file that can't be restored stays as the
            // program left it.
            own.restore();
        }
        res
    }

    /// Ends a successful command: files that were to be removed are deleted.
    pub fn keep(&self) {
        for done in self.written().done.drain(..) {
            if let Done::Removed { aside, .. } = done {
                // Nothing refers to the file under this name.
                let _ = fs::remove_file(aside);
            }
        }
    }

    /// Restores every file after a failed command. A file that someone else has changed in the
    /// meantime is left alone, and reported as a failure.
    pub fn restore(&self) -> Restored {
        self.written().restore()
    }

    /// The same when the process is about to end while the command is still running, which then
    /// writes nothing any more.
    pub fn restore_at_end(&self) -> Restored {
        let mut written = self.written();
        written.is_over = true;
        written.remove_temporaries();
        let changed = written.changed();
        written.done.extend(changed);
        written.restore()
    }

    /// The lock on what was written. It is held while files are changed, so that nothing is half
    /// done when it is undone.
    fn written(&self) -> MutexGuard<'_, Written> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.is_over {
            drop(written);
            loop {
                thread::park();
            }
        }
        written
    }

    /// Writes the file next to its place, on the same disk and with the same permissions.
    fn stage<'a>(&self, edit: &'a Edit) -> Result<Staged<'a>> {
        let (path, bytes) = match edit {
            Edit::Remove { path } => {
                return Ok(Staged { edit, target: path.clone(), temporary: None });
            }
            Edit::Create { path, bytes } | Edit::Replace { path, bytes } => (path, bytes),
        };
        let doing = || format!("write `{}`", path.display());
        // If the path is a link, the file that it leads to is written.
        let target = match edit {
            Edit::Replace { .. } if path.is_symlink() => path.canonicalize().doing(doing)?,
            _ => path.clone(),
        };
        if matches!(edit, Edit::Create { .. }) && target.symlink_metadata().is_ok() {
            return Err(exists()).doing(doing);
        }
        if target.is_dir() {
            return Err(Error::new(format!("failed to {}: it is a directory", doing())));
        }
        if let Some(dir) = target.parent() {
            self.create_dir(dir)?;
        }
        let temporary = beside(&target)?;
        let mut written = self.written();
        written.temporaries.push(temporary.clone());
        let write = || {
            let mut file = File::options().write(true).create_new(true).open(&temporary)?;
            file.write_all(bytes)?;
            if let Ok(old) = fs::metadata(&target) {
                // If the file system has no permissions, nothing is lost.
                let _ = fs::set_permissions(&temporary, old.permissions());
            }
            io::Result::Ok(())
        };
        write().doing(doing)?;
        Ok(Staged { edit, target, temporary: Some(temporary) })
    }

    fn put_in_place(&self, staged: &Staged<'_>) -> Result<()> {
        let Staged { edit, target, temporary } = staged;
        let path = target.clone();
        let mut written = self.written();
        match (edit, temporary) {
            (Edit::Create { bytes, .. }, Some(temporary)) => {
                let doing = || format!("write `{}`", path.display());
                create(temporary, target).doing(doing)?;
                written.done.push(Done::Created(path, bytes.clone()));
                Ok(())
            }
            (Edit::Replace { bytes, .. }, Some(temporary)) => {
                let before = match fs::read(target) {
                    Err(err) if err.kind() == io::ErrorKind::NotFound => None,
                    res => Some(res.doing(|| format!("read `{}`", path.display()))?),
                };
                fs::rename(temporary, target).doing(|| format!("write `{}`", path.display()))?;
                written.done.push(Done::Replaced { path, before, now: Some(bytes.clone()) });
                Ok(())
            }
            _ => {
                let aside = beside(target)?;
                fs::rename(target, &aside).doing(|| format!("delete `{}`", path.display()))?;
                written.done.push(Done::Removed { path, aside });
                Ok(())
            }
        }
    }
}

/// Gives a file its name. A rename alone would replace a file that someone else has just written.
fn create(temporary: &Path, target: &Path) -> io::Result<()> {
    match fs::hard_link(temporary, target) {
        Ok(()) => return fs::remove_file(temporary),
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => return Err(err),
        // The file system has no links. A process that is killed in between leaves an empty file.
        Err(_) => drop(File::options().write(true).create_new(true).open(target)?),
    }
    let res = fs::rename(temporary, target);
    if res.is_err() {
        let _ = fs::remove_file(target);
    }
    res
}

impl Written {
    fn restore(&mut self) -> Restored {
        let mut restored = Restored::default();
        for done in self.done.drain(..).rev() {
            match done.undo() {
                Ok(None) => {}
                Ok(Some(path)) if restored.paths.contains(&path) => {}
                Ok(Some(path)) => restored.paths.push(path),
                Err((path, why)) => restored.failures.push((path, why)),
            }
        }
        restored.paths.reverse();
        restored
    }

    /// What another program did to its files.
    fn changed(&mut self) -> Vec<Done> {
        let changing = self.changing.drain(..);
        changing
            .map(|(path, before)| (fs::read(&path).ok(), path, before))
            .filter(|(now, _, before)| before != now)
            .map(|(now, path, before)| Done::Replaced { path, before, now })
            .collect()
    }

    fn remove_temporaries(&mut self) {
        for temporary in self.temporaries.drain(..) {
            let _ = fs::remove_file(temporary);
        }
    }
}

impl Done {
    /// Undoes this and returns the restored path; `None` for a directory that contains others'
    /// files.
    fn undo(self) -> std::result::Result<Option<PathBuf>, (PathBuf, String)> {
        match self {
            Done::CreatedDir(path) => Ok(fs::remove_dir(&path).ok().map(|()| path)),
            Done::Created(path, bytes) => match fs::read(&path) {
                Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(Some(path)),
                Ok(now) if now != bytes => Err((path, CHANGED.to_owned())),
                _ => match fs::remove_file(&path) {
                    Ok(()) => Ok(Some(path)),
                    Err(err) => Err((path, err.to_string())),
                },
            },
            Done::Replaced { path, before, now } => {
                if fs::read(&path).ok() != now {
                    return Err((path, CHANGED.to_owned()));
                }
                let res = match &before {
                    None => fs::remove_file(&path).map_err(|err| err.to_string()),
                    Some(bytes) => {
                        let edits = Edits::default();
                        let edit = Edit::Replace { path: path.clone(), bytes: bytes.clone() };
                        edits.apply(&[edit]).map_err(|err| err.to_string())
                    }
                };
                res.map(|()| Some(path.clone())).map_err(|why| (path, why))
            }
            Done::Removed { path, aside } => match fs::rename(&aside, &path) {
                Ok(()) => Ok(Some(path)),
                Err(err) => {
                    Err((path, format!("{err}; its text was kept in `{}`", aside.display())))
                }
            },
        }
    }
}

/// Why a file isn't restored.
const CHANGED: &str = "it has changed in the meantime";

fn exists() -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, "a file of that name already exists")
}

/// An unused name in the same directory that can't be the name of a revision file.
fn beside(path: &Path) -> Result<PathBuf> {
    Ok(path.with_extension(format!("{}.tmp", random()?)))
}

#[cfg(test)]
mod tests;
