//! Encoded operations, which are only read from the file on demand.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::error::{Error, Result};

/// The recording of a module, as the runner sent it.
#[derive(Clone)]
pub struct Line(Source);

#[derive(Clone)]
enum Source {
    Text(String),
    Kept(Arc<Kept>, Range<usize>),
}

/// The recordings in a file. It stays open, so that they are found even after it was replaced.
pub struct Kept {
    file: File,
    /// The position of the first line.
    start: usize,
    lines: OnceLock<Option<String>>,
}

impl Kept {
    pub fn new(file: File, start: usize) -> Kept {
        Kept { file, start, lines: OnceLock::new() }
    }

    fn lines(&self) -> Option<&str> {
        let read = || {
            let mut file = &self.file;
            file.seek(SeekFrom::Start(self.start.try_into().ok()?)).ok()?;
            let mut lines = String::new();
            file.read_to_string(&mut lines).ok()?;
            Some(lines)
        };
        self.lines.get_or_init(read).as_deref()
    }
}

impl Line {
    /// The line at this position among the lines of the file.
    pub fn kept(kept: &Arc<Kept>, place: Range<usize>) -> Line {
        Line(Source::Kept(Arc::clone(kept), place))
    }

    /// The line, which is read from the file if that hasn't happened yet.
    ///
    /// # Errors
    ///
    /// When the file can't be read or is damaged.
    pub fn text(&self) -> Result<&str> {
        let text = match &self.0 {
            Source::Text(text) => Some(text.as_str()),
            Source::Kept(kept, place) => kept.lines().and_then(|lines| lines.get(place.clone())),
        };
        text.ok_or_else(|| Error::new("failed to read what the migrations recorded").hint(DAMAGED))
    }
}

/// The hint for a damaged cache.
pub const DAMAGED: &str =
    "the file in the target directory is damaged: remove `dbmigrate` in the target directory";

impl From<String> for Line {
    fn from(text: String) -> Line {
        Line(Source::Text(text))
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.text(), f)
    }
}

impl PartialEq for Line {
    fn eq(&self, other: &Line) -> bool {
        matches!((self.text(), other.text()), (Ok(one), Ok(other)) if one == other)
    }
}

impl Eq for Line {}
