//! A model as bytes in what the compiler writes, and back.
//!
//! `#[derive(Model)]` leaves one record per struct: a `static` whose evaluated bytes are in the
//! crate's metadata after `cargo check` and in no shipped program. [`scan`] finds the records in
//! such a file and decodes them; nothing of the program runs. [`decode_model`] decodes the record
//! of a model that the program itself has.
//!
//! A record is, in this order: eight bytes that announce it, the [`FORMAT`] (two bytes, little
//! endian as all numbers here), the payload's length (four bytes), the payload, and four bytes
//! that end it. The payload holds what the macro knew, as one piece, and then the *holes*: what
//! only the compiler knows: the columns' types, then the model's module, its file and the directory
//! of the package's manifest, and the tables and columns that foreign keys refer to.
//!
//! # Example
//!
//! ```
//! # #[cfg(feature = "derive")] {
//! use dbmigrate_runtime::engine::record;
//! use dbmigrate_runtime::Model;
//!
//! #[derive(Model)]
//! struct User {
//!     #[model(primary_key)]
//!     id: i64,
//! }
//!
//! let user = record::decode_model::<User>().unwrap();
//! assert_eq!(user.table.name, "user");
//! assert_eq!(user.fields[0].column, "id");
//! # }
//! ```

mod assemble;
mod cursor;
mod encode;
mod error;
mod fact;
mod scan;

pub use encode::{Bytes, Record, manifest_dir};
pub use error::RecordError;
pub use scan::{Scan, scan, scan_with};

use crate::Model;
use crate::schema::Table;
use crate::schema::naming::Convention;

/// The version of the records' format that this crate writes and reads.
pub const FORMAT: u16 = 2;

/// A model as it was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRecord {
    /// The struct with its module, as in `blog::models::User`.
    pub path: String,
    /// The source file, as the compiler names it: from the workspace's root, as a rule.
    pub file: String,
    /// The directory of the package's manifest where it was compiled, as cargo says it; empty where
    /// something else than cargo compiled it.
    pub manifest_dir: String,
    /// The line of the struct's name, or 0 where the compiler didn't say.
    pub line: u32,
    /// The table, with all names by [convention](crate::engine::naming) where the model gives
    /// none. Constraints and indexes are in the order of their names.
    pub table: Table,
    /// The table's name before, by `renamed_from`.
    pub renamed_from: Option<String>,
    /// The database that the table is in, where there are several.
    pub database: Option<String>,
    /// Whether the table is only described and never migrated.
    pub unmanaged: bool,
    /// The first line of the struct's doc comment.
    pub docs: Option<String>,
    /// Where the table's columns come from, in their order.
    pub fields: Vec<FieldRecord>,
}

/// A field of a model, as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRecord {
    /// The name of the column.
    pub column: String,
    /// The name of the field.
    pub field: String,
    /// The line of the field's name, or 0 where the compiler didn't say. A field that was
    /// flattened in has the line that it is flattened at.
    pub line: u32,
    /// The first line of the field's doc comment.
    pub docs: Option<String>,
    /// The column's name before, by `renamed_from`.
    pub renamed_from: Option<String>,
}

/// The record of a model that this program has, with the names of the default convention.
///
/// # Errors
///
/// None for a derived model; an `impl Model` by hand can say what makes no table.
pub fn decode_model<M: Model>() -> Result<ModelRecord, RecordError> {
    const { assert!(M::FIELDS.known, "this model was not derived") };
    assemble::model(&M::RECORD.payload(), 0, &Convention::default())
}

/// The static that holds a record. With the feature `embed` it is kept in object files too.
#[cfg(not(feature = "embed"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __record {
    ($name:ident: $ty:ty = $value:expr) => {
        #[allow(dead_code)]
        static $name: $ty = $value;
    };
}

/// The static that holds a record. With the feature `embed` it is kept in object files too.
#[cfg(feature = "embed")]
#[doc(hidden)]
#[macro_export]
macro_rules! __record {
    ($name:ident: $ty:ty = $value:expr) => {
        #[allow(dead_code)]
        #[used]
        static $name: $ty = $value;
    };
}

// What `scan` knows a file with readable records by: there is one in this crate's own metadata.
__record!(
    CANARY: Bytes<7, 0> =
        Bytes::new(Record { literal: b"\x06canary", fields: &[], texts: &[], groups: &[] })
);

#[cfg(test)]
mod tests;
