//! The cache of recordings, in one file: a line for all of them, followed by one for each.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Recording;
use super::stamp::Seen;
use crate::error::{Doing as _, Result};
use crate::work_files;

const FILE: &str = "recordings";

/// The version of the file's format; a file with another version is rewritten.
const FORM: u32 = 3;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cache {
    /// What all recordings depend on besides their own files.
    pub key: String,
    /// The files that the key was computed from.
    pub shared: Vec<Shared>,
    /// By module.
    pub entries: BTreeMap<String, Entry>,
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

impl Cache {
    /// Reads the file in a directory. A missing or damaged file is an empty cache.
    pub fn read(dir: &Path) -> Cache {
        fs::read_to_string(dir.join(FILE)).ok().and_then(|text| parse(&text)).unwrap_or_default()
    }

    /// Replaces the file atomically.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let shared = self.shared.iter().map(|file| (&file.path, &file.seen.stamp, &file.seen.hash));
        let head = (FORM, &self.key, shared.collect::<Vec<_>>());
        let mut text = serde_json::to_string(&head).doing(|| "write a path".to_owned())?;
        for (module, Entry { seen, listed, recording }) in &self.entries {
            let header = (
                module,
                &seen.stamp,
                (&seen.hash, listed),
                &recording.id,
                &recording.parents,
                &recording.branch_labels,
                &recording.depends_on,
                &recording.replaces,
                &recording.message,
                &recording.checksum,
            );
            let header = serde_json::to_string(&header).doing(|| "write a header".to_owned())?;
            text += &format!("\n{header}\t{}", recording.line);
        }
        work_files::write(&dir.join(FILE), &text)
    }
}

fn parse(text: &str) -> Option<Cache> {
    type Texts = Vec<String>;
    type File = (String, Option<String>);
    type Header = (String, String, File, String, Texts, Texts, Texts, Texts, String, String);
    let mut lines = text.lines();
    let head: (u32, String, Vec<(PathBuf, String, String)>) =
        serde_json::from_str(lines.next()?).ok()?;
    let (FORM, key, shared) = head else { return None };
    let shared = shared.into_iter();
    let shared =
        shared.map(|(path, stamp, hash)| Shared { path, seen: Seen { stamp, hash } }).collect();
    let entry = |text: &str| {
        // Neither part contains a tab or a line break, since JSON escapes them.
        let (header, line) = text.split_once('\t')?;
        let (
            module,
            stamp,
            (hash, listed),
            id,
            parents,
            branch_labels,
            depends_on,
            replaces,
            message,
            checksum,
        ) = serde_json::from_str::<Header>(header).ok()?;
        let recording = Recording {
            module: module.clone(),
            id,
            parents,
            branch_labels,
            depends_on,
            replaces,
            message,
            checksum,
            line: line.to_owned(),
        };
        Some((module, Entry { seen: Seen { stamp, hash }, listed, recording }))
    };
    Some(Cache { key, shared, entries: lines.map(entry).collect::<Option<_>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let seen = Seen { stamp: "1 2".to_owned(), hash: "ab".to_owned() };
        let recording = Recording {
            module: "m1".to_owned(),
            id: "a1".to_owned(),
            parents: vec!["b1".to_owned()],
            branch_labels: Vec::new(),
            depends_on: Vec::new(),
            replaces: vec!["c1".to_owned(), "d1: c1".to_owned()],
            message: "tab\tand\nline".to_owned(),
            checksum: "1:ff".to_owned(),
            line: "{\"module\":\"m1\"}".to_owned(),
        };
        let cache = Cache {
            key: "key".to_owned(),
            shared: vec![Shared { path: "a b/ü.rs".into(), seen: seen.clone() }],
            entries: [(
                "m1".to_owned(),
                Entry { seen, listed: Some("b/m1.rs".to_owned()), recording },
            )]
            .into(),
        };
        let dir = std::env::temp_dir().join(format!("dbmigrate-cache-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        cache.write(&dir).unwrap();
        let read = Cache::read(&dir);
        fs::write(dir.join(FILE), "damaged").unwrap();
        let damaged = Cache::read(&dir);
        fs::remove_dir_all(&dir).unwrap();
        assert_eq!(read, cache);
        assert_eq!(damaged, Cache::default());
    }
}
