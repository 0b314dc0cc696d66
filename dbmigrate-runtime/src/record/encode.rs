//! Encodes a record in a constant.
//!
//! What the macro knows is one literal, which the compiler copies as a whole. Only the holes are
//! written byte by byte, since a loop costs the compiler several microseconds per byte.

use super::FORMAT;
use crate::model::record::Record;
use crate::model::{Field, Kind, Ty, tag};

/// A record's bytes: `L` bytes of literal, `H` bytes of holes.
#[doc(hidden)]
#[repr(C)]
#[allow(dead_code, reason = "only the bytes matter, and those to whoever reads the file")]
pub struct Bytes<const L: usize, const H: usize> {
    magic: [u8; 8],
    format: [u8; 2],
    length: [u8; 4],
    literal_length: [u8; 4],
    literal: [u8; L],
    holes: [u8; H],
    end: [u8; 4],
}

impl Record {
    /// The number of bytes in the holes.
    pub const fn holes(self) -> usize {
        write_holes(&mut [], 0, &self)
    }

    /// The payload, for a record that isn't read from a file.
    pub(crate) fn payload(&self) -> Vec<u8> {
        let holes = self.holes();
        let mut payload = (self.literal.len() as u32).to_le_bytes().to_vec();
        payload.extend_from_slice(self.literal);
        let start = payload.len();
        payload.resize(start + holes, 0);
        write_holes(&mut payload[start..], 0, self);
        payload
    }
}

impl<const L: usize, const H: usize> Bytes<L, H> {
    /// The record's bytes. `L` and `H` have to be the record's own lengths.
    pub const fn new(record: Record) -> Bytes<L, H> {
        let Some(literal) = record.literal.first_chunk::<L>() else {
            panic!("a record's literal is as long as the derive says")
        };
        let mut holes = [0; H];
        if H > 0 {
            write_holes(&mut holes, 0, &record);
        }
        Bytes {
            magic: magic(0),
            format: FORMAT.to_le_bytes(),
            length: ((4 + L + H) as u32).to_le_bytes(),
            literal_length: (L as u32).to_le_bytes(),
            literal: *literal,
            holes,
            end: END,
        }
    }
}

/// The value of the variable `CARGO_MANIFEST_DIR` for a record; only cargo sets it.
#[doc(hidden)]
pub const fn manifest_dir(variable: Option<&'static str>) -> &'static str {
    match variable {
        Some(dir) => dir,
        None => "",
    }
}

/// The end marker of a record.
pub(super) const END: [u8; 4] = [0x9d, b'e', b'n', 0xd8];

/// The start marker of a record. The source contains it with every bit inverted, and callers invert
/// it back, so that a program which reads records doesn't itself look as if it contained one.
pub(super) const fn magic(turned: u8) -> [u8; 8] {
    let mut magic = [0x27, !b'd', !b'b', !b'm', 0x61, !b'r', !b'e', !b'c'];
    let mut idx = 0;
    while idx < 8 {
        magic[idx] ^= !turned;
        idx += 1;
    }
    magic
}

// Each function writes at a position and returns the next one. With an empty `out` it only counts.

const fn write_holes(out: &mut [u8], mut at: usize, record: &Record) -> usize {
    let (fields, texts, groups) = (record.fields, record.texts, record.groups);
    let mut idx = 0;
    while idx < fields.len() {
        if let Field::Column(_, _, ty) = fields[idx] {
            at = match ty.0 {
                // The most common case; handling it here saves the compiler a call.
                Kind::Plain(tag) => {
                    if !out.is_empty() {
                        out[at] = tag;
                    }
                    at + 1
                }
                _ => write_type(out, at, &ty),
            };
        }
        idx += 1;
    }
    idx = 0;
    while idx < texts.len() {
        at = write_bytes(out, at, texts[idx].as_bytes());
        idx += 1;
    }
    idx = 0;
    while idx < groups.len() {
        at = write_bytes(out, at, groups[idx].literal);
        at = write_holes(out, at, groups[idx]);
        idx += 1;
    }
    at
}

const fn write_type(out: &mut [u8], at: usize, ty: &Ty) -> usize {
    let tag = match ty.0 {
        Kind::Plain(tag) => tag,
        Kind::Char | Kind::String(_) => tag::STRING,
        Kind::FixedBinary(_) => tag::FIXED_BINARY,
        Kind::Decimal(..) => tag::DECIMAL,
        Kind::Raw(_) => tag::RAW,
        Kind::PerDialect(_) => tag::PER_DIALECT,
        Kind::Enum(..) => tag::ENUM,
        Kind::Nullable(_) => tag::NULLABLE,
        Kind::Array(_) => tag::ARRAY,
    };
    let mut at = write(out, at, tag);
    let mut idx = 0;
    match ty.0 {
        Kind::Plain(_) => {}
        Kind::Char => at = write_number(out, at, 1),
        Kind::String(length) | Kind::FixedBinary(length) => at = write_number(out, at, length),
        Kind::Decimal(precision, scale) => {
            at = write_number(out, at, precision);
            at = write_number(out, at, scale);
        }
        Kind::Raw(sql) => at = write_bytes(out, at, sql.as_bytes()),
        Kind::PerDialect(types) => {
            at = write_number(out, at, types.len() as u32);
            while idx < types.len() {
                at = write_bytes(out, at, types[idx].0.as_bytes());
                at = write_bytes(out, at, types[idx].1.as_bytes());
                idx += 1;
            }
        }
        Kind::Enum(name, values) => {
            at = write_bytes(out, at, name.as_bytes());
            at = write_number(out, at, values.len() as u32);
            while idx < values.len() {
                at = write_bytes(out, at, values[idx].as_bytes());
                idx += 1;
            }
        }
        Kind::Nullable(of) | Kind::Array(of) => at = write_type(out, at, of),
    }
    at
}

const fn write_bytes(out: &mut [u8], at: usize, bytes: &[u8]) -> usize {
    let at = write_number(out, at, bytes.len() as u32);
    let n_bytes = bytes.len();
    if !out.is_empty() {
        let mut idx = 0;
        while idx < n_bytes {
            out[at + idx] = bytes[idx];
            idx += 1;
        }
    }
    at + n_bytes
}

/// Seven bits per byte, lowest first; the eighth bit is set in all bytes but the last.
const fn write_number(out: &mut [u8], mut at: usize, mut number: u32) -> usize {
    while number > 127 {
        at = write(out, at, number as u8 | 128);
        number >>= 7;
    }
    write(out, at, number as u8)
}

const fn write(out: &mut [u8], at: usize, byte: u8) -> usize {
    if !out.is_empty() {
        out[at] = byte;
    }
    at + 1
}
