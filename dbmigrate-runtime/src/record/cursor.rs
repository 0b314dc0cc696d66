//! Reads a record's bytes, which can't be trusted.

use super::error::RecordError;
use crate::model::{self, tag};
use crate::schema::Type;

/// How deep types and groups may be nested: far deeper than anyone writes, and shallow enough for
/// any stack.
pub(super) const DEPTH: u32 = 32;

/// The remaining bytes, and their position in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    pub(super) offset: usize,
}

type Result<T> = std::result::Result<T, RecordError>;

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], offset: usize) -> Cursor<'a> {
        Cursor { rest: bytes, offset }
    }

    /// The next bytes, as a separate cursor.
    pub(super) fn take(&mut self, length: usize) -> Result<Cursor<'a>> {
        if length > self.rest.len() {
            return Err(RecordError::past_end(self.offset));
        }
        let (taken, rest) = self.rest.split_at(length);
        let taken = Cursor::new(taken, self.offset);
        self.rest = rest;
        self.offset += length;
        Ok(taken)
    }

    /// A length, stored in four bytes.
    pub(super) fn length(&mut self) -> Result<usize> {
        let taken = self.take(4)?;
        let bytes = taken.rest.try_into().map_err(|_| RecordError::past_end(taken.offset))?;
        Ok(u32::from_le_bytes(bytes) as usize)
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        let (&byte, rest) =
            self.rest.split_first().ok_or_else(|| RecordError::past_end(self.offset))?;
        self.rest = rest;
        self.offset += 1;
        Ok(byte)
    }

    pub(super) fn number(&mut self) -> Result<u32> {
        let start = self.offset;
        let mut number = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            let bits = u32::from(byte & 127);
            if shift == 28 && bits > 15 {
                break;
            }
            number |= bits << shift;
            if byte & 128 == 0 {
                return Ok(number);
            }
        }
        Err(RecordError::number(start))
    }

    pub(super) fn flag(&mut self) -> Result<bool> {
        let start = self.offset;
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(RecordError::number(start)),
        }
    }

    /// The number of items that follow, each of at least one byte.
    pub(super) fn count(&mut self) -> Result<usize> {
        let start = self.offset;
        let count = self.number()? as usize;
        if count > self.rest.len() {
            return Err(RecordError::past_end(start));
        }
        Ok(count)
    }

    pub(super) fn bytes(&mut self) -> Result<Cursor<'a>> {
        let length = self.number()? as usize;
        self.take(length)
    }

    pub(super) fn as_bytes(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn text(&mut self) -> Result<&'a str> {
        let taken = self.bytes()?;
        std::str::from_utf8(taken.rest).map_err(|_| RecordError::not_utf8(taken.offset))
    }

    pub(super) fn owned(&mut self) -> Result<String> {
        self.text().map(str::to_owned)
    }

    /// A text, or `None` if it is empty.
    pub(super) fn optional(&mut self) -> Result<Option<String>> {
        Ok(Some(self.owned()?).filter(|text| !text.is_empty()))
    }

    pub(super) fn list(&mut self) -> Result<Vec<String>> {
        (0..self.count()?).map(|_| self.owned()).collect()
    }

    pub(super) fn pairs(&mut self) -> Result<Vec<(String, String)>> {
        (0..self.count()?).map(|_| Ok((self.owned()?, self.owned()?))).collect()
    }

    /// A column's type, and whether it is nullable.
    pub(super) fn ty(&mut self) -> Result<(Type, bool)> {
        self.nested_type(0)
    }

    fn nested_type(&mut self, depth: u32) -> Result<(Type, bool)> {
        let start = self.offset;
        if depth > DEPTH {
            return Err(RecordError::deep(start));
        }
        let ty = match self.byte()? {
            tag::STRING => Type::String(self.number()?),
            tag::FIXED_BINARY => Type::FixedBinary(self.number()?),
            tag::DECIMAL => Type::Decimal(self.number()?, self.number()?),
            tag::RAW => Type::Raw(self.owned()?),
            tag::PER_DIALECT => Type::PerDialect(self.pairs()?.into_iter().collect()),
            tag::ENUM => Type::Enum(self.owned()?, self.list()?),
            tag::NULLABLE => return Ok((self.nested_type(depth + 1)?.0, true)),
            tag::ARRAY => Type::Array(Box::new(self.nested_type(depth + 1)?.0)),
            plain => model::plain(plain)
                .ok_or_else(|| RecordError::unknown(start, "type", &plain.to_string()))?,
        };
        Ok((ty, false))
    }

    /// Fails unless all bytes were read.
    pub(super) fn finish(&self) -> Result<()> {
        match self.rest.len() {
            0 => Ok(()),
            bytes => Err(RecordError::leftover(self.offset, bytes)),
        }
    }
}
