//! The cache of recordings, in one file: a line for each revision file, which is all that most
//! commands read, followed by all encoded operations.

mod kept;

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dbmigrate_runtime::engine::revision::Revision;
use serde::{Deserialize, Serialize};

use super::stamp::{Seen, Stamp};
use super::{Recorded, Recording};
use crate::error::{Doing as _, Result};
use crate::work_files;
use kept::Kept;
pub use kept::{DAMAGED, Line};

const FILE: &str = "recordings";

/// The version of the file's format; a file with another version is rewritten.
const FORM: u32 = 5;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cache {
    /// What all recordings depend on besides their own files.
    pub key: String,
    /// The files that the key was computed from.
    pub shared: Vec<Shared>,
    /// Sorted by module.
    pub entries: Vec<Entry>,
}

/// A file that several revisions use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shared {
    pub path: PathBuf,
    pub seen: Seen,
}

/// The recording of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub seen: Seen,
    /// Where the file was, since the files that it includes by relative path depend on that.
    pub listed: Option<String>,
    pub recording: Recording,
}

/// The first line: the format, the number of entries, and their length in bytes.
type First = (u32, usize, usize);

/// An entry as it is written, with the length of its operations.
type Known<Text, Texts> = (
    (Text, Option<Stamp>, Text, Option<Text>),
    (Text, Texts, Texts, Texts, Texts),
    (Text, Text, Option<Text>),
    usize,
);

impl Cache {
    /// The entry of a module.
    pub fn find(&self, module: &str) -> Option<&Entry> {
        self.place(module).map(|place| &self.entries[place])
    }

    /// The position of a module's entry.
    pub fn place(&self, module: &str) -> Option<usize> {
        self.entries
            .binary_search_by(|entry| entry.recording.recorded.module.as_str().cmp(module))
            .ok()
    }

    /// Reads the file in a directory. A missing or damaged file is an empty cache.
    pub fn read(dir: &Path) -> Cache {
        read(&dir.join(FILE)).unwrap_or_default()
    }

    /// Replaces the file atomically.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let mut known = serde_json::to_string(&(&self.key, &self.shared))
            .doing(|| "write a path".to_owned())?;
        known.push('\n');
        let mut lines = String::new();
        for Entry { seen, listed, recording } in &self.entries {
            let Recording { revision, recorded } = recording;
            let line = recorded.line.text()?;
            let entry: Known<&String, &Vec<String>> = (
                (&recorded.module, seen.stamp, &seen.hash, listed.as_ref()),
                (
                    &revision.id,
                    &revision.parents,
                    &revision.branch_labels,
                    &revision.depends_on,
                    &revision.replaces,
                ),
                (&revision.message, &recorded.checksum, recorded.barrier.as_ref()),
                line.len(),
            );
            known += &serde_json::to_string(&entry).doing(|| "write a header".to_owned())?;
            known.push('\n');
            lines += line;
        }
        let first: First = (FORM, self.entries.len(), known.len());
        let first = serde_json::to_string(&first).doing(|| "write a number".to_owned())?;
        work_files::write(&dir.join(FILE), &format!("{first}\n{known}{lines}"))
    }
}

fn read(path: &Path) -> Option<Cache> {
    let file = File::open(path).ok()?;
    let length: usize = file.metadata().ok()?.len().try_into().ok()?;
    let mut reader = BufReader::new(&file);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let (FORM, n_entries, n_known) = serde_json::from_str::<First>(&line).ok()? else {
        return None;
    };
    let start = line.len() + n_known;
    let kept = Arc::new(Kept::new(file.try_clone().ok()?, start));
    let mut n_read = line.len();
    let mut next = |line: &mut String| {
        line.clear();
        n_read += reader.read_line(line).ok()?;
        Some(())
    };
    next(&mut line)?;
    let (key, shared) = serde_json::from_str(&line).ok()?;
    // A damaged number must not allocate more than the size of the file.
    let mut entries = Vec::with_capacity(n_entries.min(length));
    let mut n_lines = 0;
    for _ in 0..n_entries {
        next(&mut line)?;
        let entry: Known<String, Vec<String>> = serde_json::from_str(&line).ok()?;
        let ((module, stamp, hash, listed), place, said, n_line) = entry;
        let (message, checksum, barrier) = said;
        let (id, parents, branch_labels, depends_on, replaces) = place;
        let line = Line::kept(&kept, n_lines..n_lines + n_line);
        n_lines += n_line;
        let file = String::new();
        let revision = Revision { id, parents, branch_labels, depends_on, replaces, message, file };
        let recorded = Recorded { module, checksum, barrier, line };
        let recording = Recording { revision, recorded };
        entries.push(Entry { seen: Seen { stamp, hash }, listed, recording });
    }
    let is_whole = n_read == start && start + n_lines == length;
    is_whole.then_some(Cache { key, shared, entries })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let seen = Seen { stamp: Some(Stamp([1, 2, 3, 4, 5])), hash: "ab".to_owned() };
        let recording = |module: &str, line: &str| Recording {
            revision: Revision {
                id: "a1".to_owned(),
                parents: vec!["b1".to_owned()],
                replaces: vec!["c1".to_owned(), "d1: c1".to_owned()],
                message: "tab\tand\nline".to_owned(),
                ..Revision::default()
            },
            recorded: Recorded {
                module: module.to_owned(),
                checksum: "1:ff".to_owned(),
                barrier: Some("\"old\" programs".to_owned()),
                line: line.to_owned().into(),
            },
        };
        let entry = |module: &str, listed: Option<&str>, line: &str| {
            let listed = listed.map(str::to_owned);
            let recording = recording(module, line);
            Entry { seen: seen.clone(), listed, recording }
        };
        let entries = [
            entry("m1", Some("b/m1.rs"), "{\"module\":\"m1\"}"),
            entry("m2", None, "{\"module\":\"ü\"}"),
        ];
        let cache = Cache {
            key: "key".to_owned(),
            shared: vec![Shared { path: "a b/ü.rs".into(), seen: seen.clone() }],
            entries: entries.into(),
        };
        let dir = std::env::temp_dir().join(format!("dbmigrate-cache-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        cache.write(&dir).unwrap();
        let read = Cache::read(&dir);
        // The operations are read from the same file as the entries, even after it was replaced.
        Cache::default().write(&dir).unwrap();
        let empty = Cache::read(&dir);
        assert_eq!(read, cache);
        assert_eq!(empty, Cache::default());

        read.write(&dir).unwrap();
        let text = fs::read_to_string(dir.join(FILE)).unwrap();
        let more = text.replacen("[5,2,", "[5,999999999999,", 1);
        for damaged in ["damaged", "", &text[..text.len() - 1], &more] {
            fs::write(dir.join(FILE), damaged).unwrap();
            assert_eq!(Cache::read(&dir), Cache::default(), "{damaged}");
        }
        fs::remove_dir_all(&dir).unwrap();
    }
}
