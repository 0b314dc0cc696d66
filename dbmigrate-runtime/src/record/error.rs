//! Errors in a record.

use std::fmt;

use super::FORMAT;

/// A record that can't be read: what is wrong, and where in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    offset: usize,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    CutOff,
    OtherFormat(u16),
    NoEnd,
    PastEnd,
    Leftover(usize),
    NotUtf8,
    Number,
    Unknown(&'static str, String),
    Deep,
    NoColumn(String),
    SecondColumn(String),
}

impl RecordError {
    /// The position in the file at which the record is invalid, in bytes.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The record's format version, if that is why it can't be read.
    pub fn is_other_format(&self) -> Option<u16> {
        match self.kind {
            Kind::OtherFormat(kind) => Some(kind),
            _ => None,
        }
    }

    fn new(offset: usize, kind: Kind) -> RecordError {
        RecordError { offset, kind }
    }

    pub(super) fn cut_off(offset: usize) -> RecordError {
        RecordError::new(offset, Kind::CutOff)
    }

    pub(super) fn other_format(offset: usize, found: u16) -> RecordError {
        RecordError::new(offset, Kind::OtherFormat(found))
    }

    pub(super) fn no_end(offset: usize) -> RecordError {
        RecordError::new(offset, Kind::NoEnd)
    }

    pub(super) fn past_end(offset: usize) -> RecordError {
        RecordError::new(offset, Kind::PastEnd)
    }

    pub(super) fn leftover(offset: usize, bytes: usize) -> RecordError {
        RecordError::new(offset, Kind::Leftover(bytes))
    }

    pub(super) fn not_utf8(offset: usize) -> RecordError {
        RecordError::new(offset, Kind::NotUtf8)
    }

    pub(super) fn number(offset: usize) -> RecordError {
        RecordError::new(offset, Kind::Number)
    }

    pub(super) fn unknown(offset: usize, what: &'static str, word: &str) -> RecordError {
        RecordError::new(offset, Kind::Unknown(what, word.to_owned()))
    }

    pub(super) fn deep(offset: usize) -> RecordError {
        RecordError::new(offset, Kind::Deep)
    }

    pub(super) fn no_column(offset: usize, name: &str) -> RecordError {
        RecordError::new(offset, Kind::NoColumn(name.to_owned()))
    }

    pub(super) fn second_column(offset: usize, name: &str) -> RecordError {
        RecordError::new(offset, Kind::SecondColumn(name.to_owned()))
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = self.offset;
        match &self.kind {
            Kind::CutOff => write!(f, "the model record at offset {offset} is cut off"),
            Kind::OtherFormat(found) => write!(
                f,
                "the model record at offset {offset} has format {found}, but this version reads \
                 format {FORMAT}"
            ),
            Kind::NoEnd => write!(f, "the model record at offset {offset} has no end mark"),
            Kind::PastEnd => {
                write!(f, "the model record at offset {offset} reads past its end")
            }
            Kind::Leftover(bytes) => {
                write!(f, "the model record has {bytes} bytes too many at offset {offset}")
            }
            Kind::NotUtf8 => write!(f, "the model record's text at offset {offset} is not UTF-8"),
            Kind::Number => {
                write!(f, "the model record's number at offset {offset} is out of range")
            }
            Kind::Unknown(what, word) => {
                write!(f, "the model record has an unknown {what} `{word}` at offset {offset}")
            }
            Kind::Deep => write!(f, "the model record at offset {offset} is nested too deeply"),
            Kind::NoColumn(name) => write!(
                f,
                "the model record at offset {offset} names a column `{name}` that it doesn't have"
            ),
            Kind::SecondColumn(name) => {
                write!(f, "the model record at offset {offset} has the column `{name}` twice")
            }
        }
    }
}

impl std::error::Error for RecordError {}
