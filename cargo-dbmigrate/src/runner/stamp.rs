//! Whether a file is the one that was read before, without reading it.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A file that changed this short a time before it was read may change again within the same tick
/// of the file system's clock.
const RACY: Duration = Duration::from_secs(2);

/// What a file's contents are known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The file's times and the like, empty where they can't be relied on.
    pub stamp: String,
    /// The hash of its contents.
    pub hash: String,
}

/// Looks at a file. If it is as it was seen before it isn't read; else `hash` says what its
/// contents are known by. A missing file is one with contents of its own.
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

/// A file's times and the like.
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
