//! Backups: numbered copies of an SQLite file, next to it.

mod keeper;

use std::fs::{self, File};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dbmigrate_runtime::engine::driver::sqlite::Pages;
use dbmigrate_runtime::engine::driver::{DatabaseError, Wait, Waiting};
use dbmigrate_runtime::engine::{Backend, version_table};

pub use keeper::Keeper;

use crate::connection::Database;
use crate::context::Context;
use crate::error::{Doing as _, Error, Result};
use crate::hex::random;

/// What follows the database's name in a backup's name.
const SUFFIX: &str = ".backup-";

/// The end of the name that a backup has until it is complete.
const UNFINISHED: &str = ".tmp";

/// The backups of a database file.
#[derive(Debug, Clone)]
pub struct Backups {
    /// The database, with links resolved.
    file: PathBuf,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct Backup {
    pub number: u64,
    pub path: PathBuf,
}

/// Locks a database file that is about to be replaced or deleted, so that nobody else uses it.
///
/// # Errors
///
/// When somebody still uses it after `lock_timeout`, when it is not a database, and when it can't
/// be written.
pub fn held(cx: &Context, file: &Path) -> Result<Pages> {
    let mut on_wait = |waiting: &Waiting| cx.out.waiting(waiting);
    let at_most = Duration::from_secs(cx.config.lock_timeout);
    Pages::held(file, &mut Wait { at_most, on_wait: &mut on_wait }).map_err(|err| {
        let hint = if err.is_busy() {
            Some(
                "another process is migrating the database or has it open: let it finish or stop \
                 it, and run the command again",
            )
        } else if err.is_not_a_database() {
            Some("the file is not an SQLite database: move it away, and run the command again")
        } else if err.is_read_only() {
            Some("check the permissions of the file and of its directory")
        } else {
            None
        };
        let failed = Error::new(format!("failed to lock `{}`", file.display())).cause(err);
        hint.into_iter().fold(failed, Error::hint)
    })
}

/// Copies the pages of a database that others may use meanwhile to a new file, which nobody else may
/// read.
///
/// # Errors
///
/// When the database can't be read, or the file can't be written, of which a part may be left.
pub fn copy_pages(file: &Path, to: &Path) -> Result<()> {
    let copied = || -> std::result::Result<(), Failed> {
        let pages = Pages::of(file)?;
        create_private(to)?;
        Ok(pages.copy_to(to)?)
    };
    let message = || format!("failed to copy `{}` to `{}`", file.display(), to.display());
    copied().map_err(|err| err.error(message()))
}

impl Backups {
    pub fn of(file: &Path) -> Backups {
        Backups { file: file.to_owned() }
    }

    /// The backups, oldest first.
    pub fn all(&self) -> Result<Vec<Backup>> {
        let mut all = Vec::new();
        for path in self.beside()? {
            let Some(Ok(number)) = self.rest(&path).map(str::parse) else { continue };
            // This module writes no leading zeros.
            if self.path(number) == path {
                all.push(Backup { number, path });
            }
        }
        all.sort_by_key(|backup| backup.number);
        Ok(all)
    }

    /// Copies the pages of the database to a new backup, which is there completely or not at all.
    /// The caller holds the database's lock, so no other process makes a backup at the same time.
    ///
    /// # Errors
    ///
    /// When the copy can't be written; nothing is left of it.
    pub fn make(&self, pages: &Pages) -> Result<Backup> {
        let next = self.all()?.last().map_or(1, |last| last.number.saturating_add(1));
        let path = self.path(next);
        self.remove_unfinished()?;
        let unfinished = self.named(&format!("{}{UNFINISHED}", random()?));
        let made = self.copy(pages, &unfinished).and_then(|()| publish(&unfinished, &path));
        if let Err(err) = made {
            // If it can't be removed, the next backup removes it.
            let _ = fs::remove_file(&unfinished);
            let (from, to) = (self.file.display(), path.display());
            return Err(err.error(format!("failed to copy `{from}` to `{to}`")));
        }
        Ok(Backup { number: next, path })
    }

    /// Removes all but the newest `n` backups, and never backup `but`.
    pub fn keep(&self, n: NonZeroUsize, but: Option<u64>) -> Result<()> {
        let all = self.all()?;
        let n_old = all.len().saturating_sub(n.get());
        for backup in all.iter().take(n_old).filter(|backup| Some(backup.number) != but) {
            let doing = || format!("remove the old backup `{}`", backup.path.display());
            fs::remove_file(&backup.path).doing(doing)?;
        }
        Ok(())
    }

    /// Creates the missing database from a backup.
    ///
    /// # Errors
    ///
    /// When the database exists, or can't be written.
    pub fn create_from(&self, backup: &Backup, pages: &Pages) -> Result<()> {
        let unfinished = self.named(&format!("{}{UNFINISHED}", random()?));
        let from = Backups::of(&backup.path);
        let made = from.copy(pages, &unfinished).and_then(|()| publish(&unfinished, &self.file));
        made.map_err(|err| {
            let _ = fs::remove_file(&unfinished);
            err.error(format!("failed to create `{}`", self.file.display()))
        })
    }

    /// Copies the pages to a new file, with the permissions of the database.
    fn copy(&self, pages: &Pages, to: &Path) -> std::result::Result<(), Failed> {
        create_private(to)?;
        pages.copy_to(to)?;
        same_permissions(&self.file, to)?;
        Ok(())
    }

    fn path(&self, number: u64) -> PathBuf {
        self.named(&number.to_string())
    }

    fn named(&self, rest: &str) -> PathBuf {
        let mut path = self.file.as_os_str().to_owned();
        path.push(SUFFIX);
        path.push(rest);
        PathBuf::from(path)
    }

    /// What follows the name of the database in the name of a backup.
    fn rest<'a>(&self, path: &'a Path) -> Option<&'a str> {
        let name = path.file_name()?.as_encoded_bytes();
        let own = self.file.file_name()?.as_encoded_bytes();
        let rest = std::str::from_utf8(name.strip_prefix(own)?).ok()?;
        rest.strip_prefix(SUFFIX)
    }

    fn beside(&self) -> Result<Vec<PathBuf>> {
        let dir = directory(&self.file);
        let doing = || format!("read the directory `{}`", dir.display());
        if !dir.is_dir() {
            return Ok(Vec::new());
        }
        let paths = fs::read_dir(dir).doing(doing)?.map(|entry| Ok(dir.join(entry?.file_name())));
        // A relative path without a directory stays one.
        let here = |path: PathBuf| match self.file.parent() {
            Some(parent) if parent.as_os_str().is_empty() => {
                path.file_name().map_or_else(PathBuf::new, PathBuf::from)
            }
            _ => path,
        };
        paths.map(|path: io::Result<PathBuf>| path.map(here).doing(doing)).collect()
    }

    /// Removes what killed processes left.
    fn remove_unfinished(&self) -> Result<()> {
        for path in self.beside()? {
            if self.rest(&path).is_some_and(|rest| rest.ends_with(UNFINISHED)) {
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }
}

impl Backup {
    /// Opens it; it is not changed.
    pub fn open(&self) -> Result<Pages> {
        Pages::of_unused(&self.path).map_err(|err| self.unreadable(err))
    }

    /// The revisions that the database was at, according to its version table.
    pub fn revisions(&self, cx: &Context) -> Result<Vec<String>> {
        let pages = self.open()?;
        let entries = version_table::entries(&mut pages.driver(), cx.config.version_table())?;
        let is_followed = |id: &String| entries.iter().any(|entry| entry.parents.contains(id));
        let heads = entries.iter().map(|entry| &entry.id).filter(|id| !is_followed(id));
        Ok(heads.cloned().collect())
    }

    /// Fails if the file is damaged.
    pub fn examine(&self, pages: &Pages) -> Result<()> {
        match pages.damage().map_err(|err| self.unreadable(err))? {
            None => Ok(()),
            Some(what) => {
                Err(Error::new(format!("the backup `{}` is damaged", self.path.display()))
                    .cause(what))
            }
        }
    }

    fn unreadable(&self, err: DatabaseError) -> Error {
        Error::new(format!("failed to read the backup `{}`", self.path.display())).cause(err)
    }
}

/// Whether this is a backup of a file that exists, complete or not.
pub fn is_backup(path: &Path) -> bool {
    let name = path.to_string_lossy();
    let Some((database, rest)) = name.rsplit_once(SUFFIX) else { return false };
    let is_number = rest.bytes().all(|byte| byte.is_ascii_digit());
    (is_number || rest.ends_with(UNFINISHED)) && Path::new(database).is_file()
}

/// The file of a database; refuses one that has none.
pub fn file_of(database: &Database) -> Result<PathBuf> {
    if let Some(backend) = database.server_kind() {
        let url = database.url();
        let text = format!("`{url}` is on a server, and only SQLite files can be backed up");
        return Err(Error::new(text).hint(own_tool(backend)));
    }
    database.real_path().ok_or_else(|| {
        Error::new(format!("`{}` is in memory, and only files can be backed up", database.url()))
    })
}

/// How a server's own tool makes a backup and restores it.
pub fn own_tool(backend: Backend) -> String {
    match backend {
        Backend::Postgres => "`pg_dump --format=custom --file=app.dump URL` makes a backup, and \
                              `pg_restore --clean --if-exists --create --exit-on-error \
                              --dbname=postgres app.dump` drops the database and restores it"
            .to_owned(),
        backend => {
            // With GTIDs, a dump of one database could not be restored to the same server.
            let (dump, client) = match backend {
                Backend::Mariadb => ("mariadb-dump", "mariadb"),
                _ => ("mysqldump --set-gtid-purged=OFF", "mysql"),
            };
            format!(
                "`{dump} --single-transaction --routines --triggers --events --add-drop-database \
                 --databases NAME --result-file=app.sql` makes a backup, and `{client} < app.sql` \
                 drops the database and restores it"
            )
        }
    }
}

/// Why a copy failed.
enum Failed {
    File(io::Error),
    Database(DatabaseError),
}

impl Failed {
    /// The error with this message.
    fn error(&self, text: String) -> Error {
        let (cause, is_full, is_denied) = match self {
            Failed::File(err) => {
                let kind = err.kind();
                let is_full = kind == io::ErrorKind::StorageFull;
                (err.to_string(), is_full, kind == io::ErrorKind::PermissionDenied)
            }
            Failed::Database(err) => (err.to_string(), err.is_full(), false),
        };
        let error = Error::new(text).cause(cause);
        if is_full {
            error.hint("the copy needs as much space as the database: make room on the disk")
        } else if is_denied {
            error.hint("check the permissions of the directory")
        } else {
            error
        }
    }
}

impl From<io::Error> for Failed {
    fn from(err: io::Error) -> Failed {
        Failed::File(err)
    }
}

impl From<DatabaseError> for Failed {
    fn from(err: DatabaseError) -> Failed {
        Failed::Database(err)
    }
}

/// Gives a complete file its name, which must be free.
fn publish(unfinished: &Path, path: &Path) -> std::result::Result<(), Failed> {
    match fs::hard_link(unfinished, path) {
        Ok(()) => fs::remove_file(unfinished)?,
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => return Err(err.into()),
        // A file system without hard links.
        Err(_) if path.exists() => return Err(io::Error::from(io::ErrorKind::AlreadyExists).into()),
        Err(_) => fs::rename(unfinished, path)?,
    }
    if cfg!(unix) {
        // The name must outlive a loss of power, as the content does.
        File::open(directory(path))?.sync_all()?;
    }
    Ok(())
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// Creates an empty file that nobody else may read.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(drop)
}

/// Gives a copy the permissions of the original. If it can't have the same group, the group may do
/// nothing: the rights were not meant for another one.
#[cfg(unix)]
fn same_permissions(original: &Path, copy: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    let (from, to) = (fs::metadata(original)?, fs::metadata(copy)?);
    let mut mode = from.mode() & 0o777;
    if (from.uid(), from.gid()) != (to.uid(), to.gid()) {
        let same_owner = chown(copy, Some(from.uid()), Some(from.gid()));
        if same_owner.or_else(|_| chown(copy, None, Some(from.gid()))).is_err() {
            mode &= 0o707;
        }
    }
    fs::set_permissions(copy, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn same_permissions(original: &Path, copy: &Path) -> io::Result<()> {
    fs::set_permissions(copy, fs::metadata(original)?.permissions())
}
