//! Recognises a file that was read before, without reading it again.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A file that was changed shortly before it was read may change again within the same tick of the
/// file system's clock.
const RACY: Duration = Duration::from_secs(2);

/// What identifies a file's contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// `None` if the times can't be relied on.
    pub stamp: Option<Stamp>,
    /// The hash of its contents.
    pub hash: String,
}

/// A file's modification time in nanoseconds, its length and, if the system provides them, the
/// seconds and nanoseconds of its last change of any kind, and its inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp(pub [u64; 5]);

impl Stamp {
    /// Whether a further change of the file is certain to have another stamp.
    fn is_settled(self, now: SystemTime) -> bool {
        let [modified, ..] = self.0;
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(Duration::from_nanos(modified)) > RACY
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [modified, length, seconds, nanos, node] = self.0;
        write!(f, "{modified:x} {length:x} {seconds:x}.{nanos:x} {node:x}")
    }
}

/// Checks files for changes.
#[derive(Debug, Default)]
pub struct Looker {
    stamps: Stamps,
}

impl Looker {
    /// Checks a file. Returns `None` without reading it if it is unchanged since it was last seen;
    /// otherwise `hash` identifies its contents. A missing file counts as having contents of its
    /// own.
    ///
    /// # Errors
    ///
    /// When an existing file can't be read.
    pub fn look(
        &mut self,
        path: &Path,
        before: Option<&Seen>,
        hash: impl FnOnce(&[u8]) -> String,
    ) -> io::Result<Option<Seen>> {
        let absent = || Some(Seen { stamp: None, hash: "absent".to_owned() });
        let stamp = match self.stamps.of(path) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(absent()),
            res => res?,
        };
        if stamp.is_some() && before.is_some_and(|before| before.stamp == stamp) {
            return Ok(None);
        }
        let now = SystemTime::now();
        let bytes = match fs::read(path) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(absent()),
            res => res?,
        };
        let stamp = stamp.filter(|stamp| stamp.is_settled(now));
        Ok(Some(Seen { stamp, hash: hash(&bytes) }))
    }
}

/// A file's times and similar properties.
pub fn of(path: &Path) -> Option<Stamp> {
    Stamps::default().of(path).ok()?
}

#[cfg(unix)]
use of_directories::Stamps;

/// Files are looked up by name in their open directory, so that the system doesn't resolve the
/// directory's path again for each of hundreds of files.
#[cfg(unix)]
mod of_directories {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use rustix::fs::{AtFlags, Mode, OFlags, Stat};

    use super::Stamp;

    /// How many directories are kept open. Some systems allow a process only 256 open files.
    const AT_MOST: usize = 16;

    /// The directories that are open.
    #[derive(Debug, Default)]
    pub struct Stamps {
        open: Vec<(String, OwnedFd)>,
    }

    impl Stamps {
        pub fn of(&mut self, path: &Path) -> io::Result<Option<Stamp>> {
            let split = path.to_str().and_then(|path| path.rsplit_once('/'));
            let stat = match split.and_then(|(dir, name)| Some((self.directory(dir)?, name))) {
                Some((dir, name)) => rustix::fs::statat(dir, name, AtFlags::empty())?,
                None => rustix::fs::stat(path)?,
            };
            Ok(stamp(&stat))
        }

        /// The directory; `None` if it can't be opened, which says nothing about its files.
        fn directory(&mut self, dir: &str) -> Option<&OwnedFd> {
            if dir.is_empty() {
                return None;
            }
            let place = match self.open.iter().rposition(|(known, _)| known == dir) {
                Some(place) => place,
                None => {
                    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                    let opened = rustix::fs::open(dir, flags, Mode::empty()).ok()?;
                    if self.open.len() == AT_MOST {
                        self.open.clear();
                    }
                    self.open.push((dir.to_owned(), opened));
                    self.open.len() - 1
                }
            };
            self.open.get(place).map(|(_, opened)| opened)
        }
    }

    fn stamp(stat: &Stat) -> Option<Stamp> {
        let modified = number(stat.st_mtime)?.checked_mul(1_000_000_000)?;
        let modified = modified.checked_add(number(stat.st_mtime_nsec)?)?;
        Some(Stamp([
            modified,
            number(stat.st_size)?,
            number(stat.st_ctime)?,
            number(stat.st_ctime_nsec)?,
            number(stat.st_ino)?,
        ]))
    }

    /// The types differ between systems. Times before 1970 have no stamp.
    fn number(number: impl TryInto<u64>) -> Option<u64> {
        number.try_into().ok()
    }
}

#[cfg(not(unix))]
#[derive(Debug, Default)]
struct Stamps;

#[cfg(not(unix))]
impl Stamps {
    fn of(&mut self, path: &Path) -> io::Result<Option<Stamp>> {
        let metadata = fs::metadata(path)?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).ok();
        let modified = modified.and_then(|modified| u64::try_from(modified.as_nanos()).ok());
        Ok(modified.map(|modified| Stamp([modified, metadata.len(), 0, 0, 0])))
    }
}
