//! Finds records in a file.

use std::hint;

use super::cursor::Cursor;
use super::encode::{self, END};
use super::error::RecordError;
use super::{FORMAT, ModelRecord, assemble};
use crate::schema::naming::Convention;

/// What [`scan`] found in a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scan {
    /// Whether the file contains this crate's own record. The metadata of this crate does, provided
    /// that the compiler stores the contents of statics in it.
    pub canary: bool,
    /// The models, in the order of the file. A model that occurs twice in the file is listed twice.
    pub records: Vec<ModelRecord>,
    /// Records that have a start marker but can't be read.
    pub damaged: Vec<RecordError>,
}

/// Finds and decodes the records of models in the bytes of any file.
///
/// Never panics, and allocates only in proportion to the input, even for malformed bytes.
///
/// # Example
///
/// ```
/// let scan = dbmigrate_runtime::engine::record::scan(b"no records here");
/// assert!(scan.records.is_empty() && scan.damaged.is_empty());
/// ```
pub fn scan(bytes: &[u8]) -> Scan {
    scan_with(bytes, &Convention::default())
}

/// The same as [`scan`], with another convention for the names that models don't give.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::engine::record;
/// use dbmigrate_runtime::engine::naming::Convention;
///
/// let scan = record::scan_with(b"no records here", &Convention::default());
/// assert!(scan.records.is_empty() && scan.damaged.is_empty());
/// ```
pub fn scan_with(bytes: &[u8], naming: &Convention) -> Scan {
    let magic = encode::magic(hint::black_box(0));
    let mut scan = Scan::default();
    let mut start = 0;
    while let Some(found) = find(&bytes[start..], &magic) {
        let offset = start + found;
        let length = match framed(&bytes[offset..], offset) {
            Ok(payload) => {
                match assemble::record(payload, offset + HEADER, naming) {
                    Ok(Some(record)) => scan.records.push(record),
                    Ok(None) => scan.canary = true,
                    Err(error) => scan.damaged.push(error),
                }
                HEADER + payload.len() + END.len()
            }
            Err(error) => {
                scan.damaged.push(error);
                magic.len()
            }
        };
        start = offset + length;
    }
    scan
}

/// The number of bytes before a payload: the start marker, the format and the length.
const HEADER: usize = 14;

/// The payload of a record that starts at the first of these bytes.
fn framed(bytes: &[u8], offset: usize) -> Result<&[u8], RecordError> {
    let cut_off = || RecordError::cut_off(offset);
    let header = bytes.first_chunk::<HEADER>().ok_or_else(cut_off)?;
    let format = u16::from_le_bytes([header[8], header[9]]);
    if format != FORMAT {
        return Err(RecordError::other_format(offset, format));
    }
    let length = Cursor::new(&header[10..], offset).length()?;
    let rest = &bytes[HEADER..];
    if length > rest.len() || rest.len() - length < END.len() {
        return Err(cut_off());
    }
    let (payload, rest) = rest.split_at(length);
    if !rest.starts_with(&END) {
        return Err(RecordError::no_end(offset));
    }
    Ok(payload)
}

/// The position of the first occurrence of the eight bytes. Only every eighth byte is inspected
/// unless that byte is one of the eight (Horspool's algorithm).
fn find(bytes: &[u8], needle: &[u8; 8]) -> Option<usize> {
    let mut skips = [needle.len(); 256];
    for (idx, &byte) in needle[..7].iter().enumerate() {
        skips[usize::from(byte)] = 7 - idx;
    }
    let mut start = 0;
    while let Some(window) = bytes.get(start..).and_then(|byte| byte.first_chunk::<8>()) {
        if window == needle {
            return Some(start);
        }
        start += skips[usize::from(window[7])];
    }
    None
}
