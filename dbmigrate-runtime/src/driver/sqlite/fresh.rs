//! A new database file that only exists if something was committed to it.
//!
//! SQLite creates a file before it is known whether anything will be committed, and the file can't
//! be removed afterwards, since another process may have opened it. So the database is created
//! under a temporary name, which nobody else opens, and gets its final name through a hard link,
//! which never replaces a file. On a file system without hard links, it replaces an empty
//! placeholder file with the final name, which this process has created and locked. A file that
//! others may have opened is never written to.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::SqliteDriver;
use super::alone::Alone;
use crate::driver::{Access, Connection as _, DatabaseError, Driver as _, ErrorKind, Wait};

/// The file under its temporary name, which is removed when this value is dropped.
pub(super) struct Fresh {
    path: PathBuf,
    /// The final name, with links resolved.
    target: PathBuf,
    has_links: bool,
    /// Without the lock, two processes would run the same steps.
    _lock: Alone,
}

impl Fresh {
    /// Reserves the temporary name; `None` if the file already exists, or can't be created this
    /// way. A dangling link is followed: SQLite creates the file that it points to.
    pub(super) fn claim(
        target: &Path,
        wait: &mut Wait<'_>,
    ) -> Result<Option<Fresh>, DatabaseError> {
        // SQLite doesn't treat these names as files.
        if target == Path::new("") || target == Path::new(":memory:") {
            return Ok(None);
        }
        // The current directory may change before the file gets its final name.
        let target = std::path::absolute(target).ok().and_then(|path| behind_links(&path));
        let Some(target) = target else { return Ok(None) };
        let is_dir = target.parent().is_some_and(Path::is_dir);
        if !is_dir {
            return Ok(None);
        }
        if target.exists() {
            remove_orphan(&target);
            return Ok(None);
        }
        let lock = match Alone::take(&target, wait) {
            Err(err) if err.is_busy() => return Err(err),
            Err(_) => return Ok(None),
            Ok(lock) => lock,
        };
        let path = temporary(&target);
        // A process that was killed may have left it.
        remove(&path);
        let mut fresh = Fresh { path, target, has_links: true, _lock: lock };
        if fresh.target.exists() {
            return Ok(None);
        }
        fresh.has_links = fresh.can_link().is_ok();
        // On other systems an open file can't be replaced.
        Ok((fresh.has_links || cfg!(unix)).then_some(fresh))
    }

    /// The temporary name.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The final name.
    pub(super) fn target(&self) -> &Path {
        &self.target
    }

    /// Whether anything was committed.
    pub(super) fn is_written(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|file| file.len() > 0)
    }

    fn can_link(&self) -> io::Result<()> {
        let second = with_suffix(&self.path, "-link");
        fs::File::create(&self.path)?;
        let res = fs::hard_link(&self.path, &second);
        let _ = fs::remove_file(&second);
        // Otherwise the database would have this file's permissions instead of those that SQLite
        // sets.
        fs::remove_file(&self.path)?;
        res
    }

    /// Gives the file its final name, and removes the temporary one. No connection may have the
    /// file open.
    ///
    /// # Errors
    ///
    /// When another process has created a file with this name, and the file system's errors.
    pub(super) fn publish(self) -> Result<(), DatabaseError> {
        let res = if self.has_links {
            fs::hard_link(&self.path, &self.target)
        } else {
            self.replace_placeholder()
        };
        res.map_err(|err| {
            let is_taken = err.kind() == io::ErrorKind::AlreadyExists;
            let name = self.target.display().to_string();
            DatabaseError::of(ErrorKind::Unpublished { name, is_taken }, err.to_string())
        })
    }

    /// Another process may open the placeholder before it is replaced, but it can't write to it
    /// then. While this process holds the lock, SQLite reports it as busy; afterwards SQLite
    /// refuses since the file no longer has a name (`SQLITE_READONLY_DBMOVED`).
    fn replace_placeholder(&self) -> io::Result<()> {
        fs::File::create_new(&self.target)?;
        // Held until the end. Closing another handle of the file would release the lock.
        let _locked = self.lock_placeholder().map_err(|_| io::ErrorKind::AlreadyExists)?;
        fs::rename(&self.path, &self.target).inspect_err(|_| {
            let _ = fs::remove_file(&self.target);
        })
    }

    /// Locks the placeholder; fails if another process has written to it, or is about to.
    fn lock_placeholder(&self) -> Result<SqliteDriver<'static>, DatabaseError> {
        let mut file = SqliteDriver::open(&self.target, Access::ReadWrite)?;
        file.set_busy_timeout(std::time::Duration::ZERO)?;
        // The lock must outlive the commit, and no journal may remain.
        file.query("PRAGMA locking_mode = EXCLUSIVE", &[])?;
        file.query("PRAGMA journal_mode = MEMORY", &[])?;
        file.batch("BEGIN EXCLUSIVE")?;
        if !fs::metadata(&self.target).is_ok_and(|found| found.len() == 0) {
            return Err(DatabaseError::new("another process has written to it"));
        }
        // Writes a first page: SQLite doesn't check whether an empty file still has its name.
        file.batch("PRAGMA user_version = 0; COMMIT")?;
        Ok(file)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn temporary(target: &Path) -> PathBuf {
    with_suffix(target, "-dbmigrate-new")
}

fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let _ = fs::remove_file(with_suffix(path, suffix));
    }
}

/// Removes what a process left that was killed while it gave the file its final name: the temporary
/// name is then a second name of the database, or the final one is that of an empty placeholder.
fn remove_orphan(target: &Path) {
    let path = temporary(target);
    if !path.exists() {
        return;
    }
    // Only a process that holds the lock uses the temporary name.
    let mut wait = Wait { at_most: std::time::Duration::ZERO, on_wait: &mut |_| () };
    if let Ok(_lock) = Alone::take(target, &mut wait) {
        remove(&path);
    }
}

/// The file that a path leads to through links, even if it doesn't exist: that file is opened by
/// SQLite, and its journals are next to it. `None` if the links form a loop.
pub fn behind_links(path: &Path) -> Option<PathBuf> {
    const MOST_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(to) => path = path.parent()?.join(to),
            Err(_) => return Some(path),
        }
    }
    None
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("dbmigrate-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    /// A database under its temporary name, as on a file system without hard links.
    fn without_links(target: &Path) -> Fresh {
        let mut wait = Wait { at_most: std::time::Duration::ZERO, on_wait: &mut |_| () };
        let mut fresh = Fresh::claim(target, &mut wait).unwrap().unwrap();
        fresh.has_links = false;
        let mut db = SqliteDriver::open(fresh.path(), Access::Create).unwrap();
        db.batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
        fresh
    }

    fn names(dir: &Path) -> Vec<OsString> {
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    #[cfg(unix)]
    fn without_hard_links_a_new_database_replaces_an_empty_file_of_its_own_and_no_other() {
        let dir = dir("placeholder");
        let target = dir.join("app.db");
        // The file doesn't exist before it is published, nor if it isn't published.
        let fresh = without_links(&target);
        assert!(!target.exists());
        drop(fresh);
        assert!(names(&dir).is_empty());

        without_links(&target).publish().unwrap();
        let mut db = SqliteDriver::open(&target, Access::ReadWrite).unwrap();
        assert_eq!(db.query("SELECT a FROM t", &[]).unwrap().rows.len(), 1);
        assert_eq!(names(&dir), ["app.db"]);
        drop(db);

        // A file that others created meanwhile stays, even an empty one.
        fs::remove_file(&target).unwrap();
        let fresh = without_links(&target);
        fs::write(&target, "").unwrap();
        let err = fresh.publish().unwrap_err();
        assert!(matches!(err.kind(), ErrorKind::Unpublished { is_taken: true, .. }), "{err}");
        assert_eq!(fs::metadata(&target).unwrap().len(), 0);
        assert_eq!(names(&dir), ["app.db"]);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn a_process_that_was_killed_at_its_first_commit_leaves_what_the_next_one_takes_up() {
        let dir = dir("orphan");
        let target = dir.join("app.db");
        let create = || {
            let mut wait = Wait { at_most: std::time::Duration::ZERO, on_wait: &mut |_| () };
            SqliteDriver::create(&target, &mut wait).unwrap()
        };
        let killed = |fresh: Fresh| {
            let Fresh { path, .. } = &fresh;
            let kept = dir.join("kept");
            fs::rename(path, &kept).unwrap();
            let path = path.clone();
            drop(fresh);
            fs::rename(&kept, &path).unwrap();
        };
        // While the file is in use, its temporary name stays.
        let fresh = without_links(&target);
        fs::hard_link(fresh.path(), &target).unwrap();
        drop(create());
        assert!(fresh.path().exists());
        // Killed after the link was made: the database has two names.
        killed(fresh);
        assert_eq!(names(&dir).len(), 2);
        let rows = create().query("SELECT a FROM t", &[]).unwrap().rows;
        assert_eq!(rows.len(), 1);
        assert_eq!(names(&dir), ["app.db"]);

        // Killed before the placeholder was replaced: it is an empty database, which is migrated.
        fs::remove_file(&target).unwrap();
        let fresh = without_links(&target);
        fs::File::create_new(&target).unwrap();
        drop(fresh.lock_placeholder().unwrap());
        killed(fresh);
        let mut db = create();
        assert!(db.query("SELECT * FROM sqlite_schema", &[]).unwrap().rows.is_empty());
        db.batch("CREATE TABLE t (a)").unwrap();
        drop(db);
        assert_eq!(names(&dir), ["app.db"]);
        fs::remove_dir_all(&dir).unwrap();
    }

    /// Another process can only open the placeholder between the two steps of
    /// `replace_placeholder`.
    #[test]
    #[cfg(unix)]
    fn who_opened_the_placeholder_can_write_only_before_it_is_replaced() {
        let dir = dir("placeholder-opened");
        let target = dir.join("app.db");
        let fresh = without_links(&target);
        fs::write(&target, "").unwrap();
        let mut other = SqliteDriver::open(&target, Access::ReadWrite).unwrap();
        other.set_busy_timeout(std::time::Duration::ZERO).unwrap();

        // The other process was faster: its table stays.
        other.batch("BEGIN IMMEDIATE").unwrap();
        assert!(fresh.lock_placeholder().is_err_and(|err| err.is_busy()));
        other.batch("CREATE TABLE other (a); COMMIT").unwrap();
        assert!(fresh.lock_placeholder().is_err());
        other.batch("DROP TABLE other; VACUUM").unwrap();
        drop(other);

        // The other process was slower: it gets an error.
        fs::File::create(&target).unwrap();
        let mut other = SqliteDriver::open(&target, Access::ReadWrite).unwrap();
        other.set_busy_timeout(std::time::Duration::ZERO).unwrap();
        other.query("SELECT * FROM sqlite_schema", &[]).unwrap();
        let locked = fresh.lock_placeholder().unwrap();
        assert!(other.batch("CREATE TABLE other (a)").is_err_and(|err| err.is_busy()));
        fs::rename(&fresh.path, &target).unwrap();
        drop(locked);
        assert!(other.batch("CREATE TABLE other (a)").is_err_and(|err| err.is_read_only()));
        let mut db = SqliteDriver::open(&target, Access::ReadWrite).unwrap();
        assert_eq!(db.query("SELECT a FROM t", &[]).unwrap().rows.len(), 1);
        drop((db, fresh));
        fs::remove_dir_all(&dir).unwrap();
    }
}
