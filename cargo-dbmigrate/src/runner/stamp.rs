//! Recognises a file that was read before, without reading it again.

use std::fs::{self, Metadata};
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
    /// The file's times and similar properties; empty if they can't be relied on.
    pub stamp: String,
    /// The hash of its contents.
    pub hash: String,
}

/// Checks a file. If it is unchanged since it was last seen, it isn't read; otherwise `hash`
/// identifies its contents. A missing file counts as having contents of its own.
pub fn look(
    path: &Path,
    before: Option<&Seen>,
    hash: impl FnOnce(&[u8]) -> String,
) -> io::Result<Seen> {
    let absent = || Seen { stamp: String::new(), hash: "absent".to_owned() };
    let metadata = match fs::metadata(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(absent()),
        res => res?,
    };
    let stamp = stamp(&metadata).unwrap_or_default();
    if let Some(before) = before {
        if !stamp.is_empty() && before.stamp == stamp {
            return Ok(before.clone());
        }
    }
    let now = SystemTime::now();
    let bytes = match fs::read(path) {
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(absent()),
        res => res?,
    };
    let age = metadata.modified().ok().and_then(|system_time| now.duration_since(system_time).ok());
    let settled = age.is_some_and(|duration| duration > RACY);
    Ok(Seen { stamp: if settled { stamp } else { String::new() }, hash: hash(&bytes) })
}

/// A file's times and similar properties.
pub fn of(path: &Path) -> Option<String> {
    stamp(&fs::metadata(path).ok()?)
}

fn stamp(metadata: &Metadata) -> Option<String> {
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    let length = metadata.len();
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let (seconds, nanos, node) = (metadata.ctime(), metadata.ctime_nsec(), metadata.ino());
        Some(format!("{modified:x} {length:x} {seconds:x}.{nanos:x} {node:x}"))
    }
    #[cfg(not(unix))]
    Some(format!("{modified:x} {length:x}"))
}
