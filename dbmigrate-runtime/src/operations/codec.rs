//! Operations as text: for checksums, the version table, the cache of recordings and the pipe.
//!
//! The form is canonical: what equals its default is left out, members stand in a fixed order,
//! and constraints in the order of their names. So a checksum doesn't change when comments,
//! formatting or the order of two `.unique(...)` lines do, nor when a later version adds a
//! member. A form once written is read for ever; a change of it is a new [`FORMAT`].

mod decode;
mod encode;

use std::fmt;

pub use decode::decode;
#[cfg(feature = "runner")]
pub(crate) use decode::values as decode_values;
pub use encode::encode;
#[cfg(feature = "runner")]
pub(crate) use encode::values as encode_values;

/// The version of the form that [`encode`] writes.
pub const FORMAT: u32 = 1;

/// A checksum over operations: the version of the form, `:`, and SHA-256 in hex.
///
/// A step counts by its name, so that a tool that can't see the function agrees with a program
/// that has it. SQL counts by its text and by what it says of the schema; its name, what takes it
/// back, and which views and the like it makes do nothing when it runs, and don't count.
pub fn checksum(operations: &[super::Operation]) -> String {
    let hash = hmac_sha256::Hash::hash(encode::encode_counted(operations).as_bytes());
    let mut text = format!("{FORMAT}:");
    for byte in hash {
        use fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A text that isn't encoded operations.
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
