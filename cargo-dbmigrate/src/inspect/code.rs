//! Models as code, and how they are to be written.

use std::collections::{BTreeMap, BTreeSet};

use dbmigrate_runtime::engine::Backend;
use dbmigrate_runtime::engine::dialect::Comparing;
use dbmigrate_runtime::engine::naming::Convention;

use super::rust_types::Crates;

/// How models are written.
#[derive(Debug, Clone, Copy)]
pub struct Style<'a> {
    pub crates: &'a Crates,
    /// The convention for names that models leave out.
    pub naming: &'a Convention,
    pub backend: Backend,
    /// Whether the singular of a table's name is the name of its struct.
    pub singular: bool,
    /// Whether the first line of a doc comment is the comment in the database.
    pub doc_comments: bool,
    /// The types in the database's terms.
    pub comparing: Comparing,
    /// The tables whose models are asked for; the others are only referred to.
    pub asked: &'a BTreeSet<String>,
    /// The models that tables have already, by the names of the tables.
    pub existing: &'a BTreeMap<String, ExistingModel>,
    /// The existing enums for enumerations with a name of their own.
    pub enumerations: &'a [ExistingEnum],
    /// The names that no new struct or enumeration may have.
    pub taken: &'a BTreeSet<String>,
}

/// The model that a table has already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingModel {
    /// The path of its struct.
    pub path: String,
    /// The fields of the columns, by the names of the columns in the database.
    pub fields: BTreeMap<String, String>,
    /// The names of all its fields.
    pub names: BTreeSet<String>,
}

/// An existing enum for an enumeration of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingEnum {
    /// The name of the enumeration.
    pub in_database: String,
    /// The path of the enum.
    pub path: String,
}

/// A model as code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    pub table: String,
    /// The name of the struct.
    pub name: String,
    /// The structs and enumerations, without imports.
    pub code: String,
    /// Whether there is an enumeration among them.
    pub has_enumeration: bool,
    /// The structs and enumerations of other models that the code names.
    pub refers_to: BTreeSet<String>,
    /// The code of each column.
    pub columns: Vec<ColumnCode>,
}

/// The code of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnCode {
    pub column: String,
    /// Its field, with attributes.
    pub field: String,
    /// The type of the field.
    pub rust: String,
    /// The enum in its type, as the field names it.
    pub enumeration: Option<String>,
    /// The code of the enum, unless it exists or another column has declared it.
    pub declared: Option<String>,
    /// The feature of the runtime with which its type would be that of a crate.
    pub lacks: Option<&'static str>,
}
