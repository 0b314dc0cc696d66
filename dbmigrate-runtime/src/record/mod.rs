//! A model encoded as bytes in a compiled artifact, and decoded again.
//!
//! `#[derive(Model)]` leaves one record per struct: a `static` whose evaluated bytes are in the
//! crate's metadata after `cargo check`, but not in the finished program. [`scan`] finds and
//! decodes the records in such a file without running any of the program. [`decode_model`] decodes
//! the record of a model in the current program.
//!
//! A record consists of eight bytes that mark its start, the [`FORMAT`] (two bytes; all numbers are
//! little endian), the length of the payload (four bytes), the payload, and four bytes that mark
//! its end. The payload contains what the macro knows, in one piece, followed by the *holes*, which
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

pub use encode::{Bytes, manifest_dir};
pub use error::RecordError;
pub use scan::{Scan, scan, scan_with};

use crate::schema::Table;
use crate::schema::naming::Convention;
use crate::{Model, model};

/// The version of the record format that this crate writes and reads.
pub const FORMAT: u16 = 4;

/// A decoded model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRecord {
    /// The path of the struct with its module, such as `blog::models::User`.
    pub path: String,
    /// The source file as the compiler names it, usually relative to the workspace's root.
    pub file: String,
    /// The directory of the package's manifest at compile time, as given by cargo; empty if the
    /// crate wasn't compiled by cargo.
    pub manifest_dir: String,
    /// The line of the struct's name, or 0 if it is unknown.
    pub line: u32,
    /// The table. Names that the model doesn't give follow the [convention](crate::engine::naming).
    /// Constraints and indexes are sorted by name.
    pub table: Table,
    /// The table's previous name, from `renamed_from`.
    pub renamed_from: Option<String>,
    /// The database that contains the table, if there are several.
    pub database: Option<String>,
    /// Whether the table is described but never migrated.
    pub unmanaged: bool,
    /// The first line of the struct's doc comment.
    pub docs: Option<String>,
    /// The fields that the table's columns come from, in the same order.
    pub fields: Vec<FieldRecord>,
}

/// A decoded field of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRecord {
    /// The name of the column.
    pub column: String,
    /// The name of the field.
    pub field: String,
    /// The line of the field's name, or 0 if it is unknown. For a field of a flattened group it is
    /// the line of the field that flattens the group.
    pub line: u32,
    /// The first line of the field's doc comment.
    pub docs: Option<String>,
    /// The column's previous name, from `renamed_from`.
    pub renamed_from: Option<String>,
}

/// The record of a model in this program, with names by the default convention.
///
/// # Errors
///
/// Never for a derived model; a hand-written `impl Model` may describe an invalid table.
pub fn decode_model<M: Model>() -> Result<ModelRecord, RecordError> {
    const { assert!(M::FIELDS.known, "this model was not derived") };
    assemble::model(&M::RECORD.payload(), 0, &Convention::default())
}

/// The static that contains a record. With the feature `embed` it is also kept in object files.
#[cfg(not(feature = "embed"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __record {
    ($name:ident: $ty:ty = $value:expr) => {
        #[allow(dead_code)]
        static $name: $ty = $value;
    };
}

/// The static that contains a record. With the feature `embed` it is also kept in object files.
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

// Lets `scan` recognise metadata in which records are readable: this crate's own contains one.
__record!(
    CANARY: Bytes<7, 0> =
        Bytes::new(model::record::Record { literal: b"\x06canary", fields: &[], texts: &[], groups: &[] })
);

#[cfg(test)]
mod tests;
