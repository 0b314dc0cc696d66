//! What the derive records about a model, before it is encoded as bytes.

use super::Field;

/// The parts of a record.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// What the macro knows.
    pub literal: &'static [u8],
    /// The fields, for their columns' types.
    pub fields: &'static [Field],
    /// Texts that only the compiler knows: a model's module, its file and the directory of the
    /// package's manifest, and for each foreign key the table and the columns that it refers to.
    pub texts: &'static [&'static str],
    /// The records of flattened groups, in the order of their fields.
    pub groups: &'static [&'static Record],
}

impl Record {
    /// Stands in for the record of a struct that the derive couldn't read.
    pub const UNKNOWN: Record = Record { literal: &[], fields: &[], texts: &[], groups: &[] };
}
