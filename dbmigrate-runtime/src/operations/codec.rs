//! Operations encoded as text, for checksums, the version table, the cache of recordings and the
//! pipe.
//!
//! The encoding is canonical: defaults are omitted, members have a fixed order, and constraints are
//! sorted by name. So a checksum stays the same when comments, formatting or the order of two
//! `.unique(...)` lines change, and when a later version adds a member. Every encoding that was
//! ever written stays readable; a change of the encoding is a new [`FORMAT`].

mod decode;
mod encode;
mod recording;

use std::fmt;

pub use decode::decode;
pub(crate) use decode::values as decode_values;
pub use encode::encode;
pub(crate) use encode::values as encode_values;
pub(crate) use recording::{read_recording, write_recording};

/// The version of the encoding that [`encode`] writes.
pub const FORMAT: u32 = 1;

/// A checksum over operations: the version of the encoding, `:`, and a SHA-256 hash in hex.
///
/// A step is represented by its name, so that the tool, which can't see the function, computes the
/// same checksum as a program that has it. SQL is represented by its text and the operations that
/// it describes. Its name, its reverse, and the views and the like that it declares don't affect
/// what runs, so they are left out.
pub fn checksum(operations: &[super::Operation]) -> String {
    let hash = hmac_sha256::Hash::hash(encode::encode_counted(operations).as_bytes());
    let mut text = format!("{FORMAT}:");
    for byte in hash {
        use fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Text that isn't an encoded list of operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    why: String,
}

impl DecodeError {
    pub(crate) fn new(why: impl Into<String>) -> DecodeError {
        DecodeError { why: why.into() }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read recorded operations: {}", self.why)
    }
}

impl std::error::Error for DecodeError {}
