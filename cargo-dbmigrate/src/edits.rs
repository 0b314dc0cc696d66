//! The files of a project that a command writes: all of them, or none.
//!
//! Whatever a person keeps is written through here, and what is under the target directory isn't.
//! Several files that belong together are given as values: all of them are on the disk, under
//! other names, before the first one is in its place. A command that fails later, or that a person
//! interrupts, has its files taken back.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::error::{Doing as _, Error, Result};
use crate::hex::random;
use crate::interrupt;

/// A file as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// One that isn't there yet.
    Create { path: PathBuf, bytes: Vec<u8> },
    /// One that may be there; of a link it is the file that it leads to.
    Replace { path: PathBuf, bytes: Vec<u8> },
    /// One that is to go.
    Remove { path: PathBuf },
}

/// What a command has written so far, in its order.
#[derive(Debug, Clone, Default)]
pub struct Edits {
    written: Arc<Mutex<Written>>,
}

#[derive(Debug, Default)]
struct Written {
    done: Vec<Done>,
    /// Files that are not in their place yet.
    temporaries: Vec<PathBuf>,
    /// Files that another program is changing, with what they had before.
    changing: Vec<(PathBuf, Option<Vec<u8>>)>,
    /// The process is about to end, and writes nothing any more.
    is_over: bool,
}

/// What was done to a path, with what undoes it.
#[derive(Debug)]
enum Done {
    CreatedDir(PathBuf),
    /// With what was written.
    Created(PathBuf, Vec<u8>),
    /// With what it had before, which is nothing where it wasn't there, and what it has now.
    Replaced {
        path: PathBuf,
        before: Option<Vec<u8>>,
        now: Option<Vec<u8>>,
    },
    /// With where it lies until the command is done.
    Removed {
        path: PathBuf,
        aside: PathBuf,
    },
}

/// What became of the files of a command that failed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Restored {
    pub paths: Vec<PathBuf>,
    /// Those that could not be restored, each with the reason.
    pub failures: Vec<(PathBuf, String)>,
}

/// A file that lies under another name until it is in its place.
struct Staged<'a> {
    edit: &'a Edit,
    target: PathBuf,
    temporary: Option<PathBuf>,
}

impl Edits {
    /// Makes these edits, with the directories that they need.
    ///
    /// # Errors
    ///
    /// When one can't be made. Those before it are made, and [`Edits::restore`] takes them back.
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
        // Those that are in their place are gone from here.
        self.written().remove_temporaries();
        result
    }

    /// Makes a directory, with those above it; whether it wasn't there.
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

    /// Runs another program that changes these files. Where that fails, they are as before.
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
            // It is told of what failed; what can't be put back is what that left.
            own.restore();
        }
        res
    }

    /// The command is done: what was removed is deleted.
    pub fn keep(&self) {
        for done in self.written().done.drain(..) {
            if let Done::Removed { aside, .. } = done {
                // Nothing looks at it under this name.
                let _ = fs::remove_file(aside);
            }
        }
    }

    /// The command failed: every file becomes what it was. A file that someone else has changed in
    /// the meantime stays, and is a failure.
    pub fn restore(&self) -> Restored {
        self.written().restore()
    }

    /// The same where the process is about to end, while the command is still at work: it writes
    /// nothing any more.
    pub fn restore_at_end(&self) -> Restored {
        let mut written = self.written();
        written.is_over = true;
        written.remove_temporaries();
        let changed = written.changed();
        written.done.extend(changed);
        written.restore()
    }

    /// What was written. Whoever changes files holds it, so that nothing is half done when it is
    /// taken back.
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

    /// Writes the file beside its place, where the same disk and permissions count.
    fn stage<'a>(&self, edit: &'a Edit) -> Result<Staged<'a>> {
        let (path, bytes) = match edit {
            Edit::Remove { path } => {
                return Ok(Staged { edit, target: path.clone(), temporary: None });
            }
            Edit::Create { path, bytes } | Edit::Replace { path, bytes } => (path, bytes),
        };
        let doing = || format!("write `{}`", path.display());
        // Of a link the file that it leads to is written.
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
                // Where the file system has no permissions, nothing is lost.
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
                // Claims the name: a rename alone would replace what someone else just wrote.
                File::options().write(true).create_new(true).open(target).doing(doing)?;
                if let Err(err) = fs::rename(temporary, target) {
                    let _ = fs::remove_file(target);
                    return Err(err).doing(doing);
                }
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

    /// What another program has made of its files.
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
    /// The path that is as it was; none for a directory that others have put something into.
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
                Err(err) => Err((path, format!("{err}; it lies in `{}`", aside.display()))),
            },
        }
    }
}

/// Why a file stays.
const CHANGED: &str = "it was changed in the meantime";

fn exists() -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, "there is a file of that name")
}

/// A name in the same directory that nobody has, and that no revision file can have.
fn beside(path: &Path) -> Result<PathBuf> {
    Ok(path.with_extension(format!("{}.tmp", random()?)))
}

#[cfg(test)]
mod tests;
