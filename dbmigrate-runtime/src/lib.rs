//! The runtime of dbmigrate: models, migrations, and the engine that applies them.
//!
//! An application derives [`Model`] on its structs. `cargo dbmigrate migrate` compares the models
//! with the migrations and writes the next revision, a Rust module that records
//! [`Operations`](operations::Operations). `cargo dbmigrate upgrade` applies it, or the application
//! does by itself with a [`Migrator`], which takes whatever can be connected ([`Connect`]): the
//! application's own `&mut rusqlite::Connection`, a URL, or the path of a file.
//!
//! ```
//! # #[cfg(feature = "derive")] {
//! use dbmigrate_runtime::Model;
//!
//! /// A registered user.
//! #[derive(Model)]
//! pub struct User {
//!     #[model(primary_key)]
//!     pub id: i64,
//!     #[model(length = 120, unique)]
//!     pub email: Option<String>,
//! }
//!
//! assert_eq!(User::TABLE, "user");
//! # }
//! ```
//!
//! # What is whose
//!
//! On this page and in [`model`], [`schema`], [`operations`] and [`prelude`] is what applications
//! and revisions use. [`engine`] is for the command-line tool and for the code that it generates;
//! anything in it may change in any version. [`Value`], [`schema::Type`] and
//! [`operations::Operation`] may get further variants, so a `match` over one of them needs a `_`.
//!
//! # Features
//!
//! A crate that only derives needs no feature beyond the default `derive`, compiles no C code and
//! no driver. `sqlite` applies migrations on the application's own rusqlite, `bundled` has rusqlite
//! compile SQLite. `chrono`, `time`, `jiff`, `uuid`, `rust_decimal`, `bigdecimal`, `serde_json` and
//! `bytes` let a model's fields have the types of these crates. `runner` and `exhaustive` are for
//! the tool.

#![warn(missing_docs)]

// What a model says.
mod folding;
pub mod model;
mod record;
pub mod schema;

// What a migration says, and what it comes to.
mod complete;
mod migration;
pub mod operations;
mod plan;
mod revision;
mod script;
mod sql;
mod standing;
mod written;

// What a database does.
mod backend;
mod connect;
mod db;
mod dialect;
mod drift;
mod driver;
mod error;
mod executor;
mod migrator;
#[cfg(feature = "runner")]
mod runner;
mod url;
mod value;
mod version_table;

pub mod engine;

pub use connect::{Connect, ConnectToRead};
pub use db::{ColumnRef, Db, Row, StepResult};
#[cfg(feature = "derive")]
pub use dbmigrate_derive::{ColumnType, Columns, Model};
pub use driver::DatabaseError;
pub use error::Error;
pub use executor::{Applied, Options};
pub use migration::{Direction, Module};
pub use migrator::{Migrator, Status};
pub use model::{ColumnType, Columns, Model};
pub use revision::Revision;
#[cfg(feature = "sqlite")]
/// The rusqlite whose connections a [`Migrator`] takes. An application that names it by this path
/// has the same version by construction.
pub use rusqlite;
pub use value::{FromValue, IntoValues, Value};

/// What a revision module needs.
pub mod prelude {
    pub use crate::operations::{
        ColumnChange, CustomOperation, Operation, Operations, Sql, TableChange,
    };
    /// Revision files name it in foreign keys only, where the short name is clear.
    pub use crate::schema::ReferentialAction as Action;
    pub use crate::schema::{
        Check, Column, Deferrable, ForeignKey, Generated, Index, IndexColumn, PrimaryKey, Table,
        Type, Unique,
    };
    pub use crate::{Db, StepResult, Value};
}

/// What the macros expand to; no part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::complete::assert_complete;
    // The tool compiles lists of its own, of a part of the files.
    pub use crate::migration::{message_range, slice, text};
    pub use crate::migrator::Migrator;
    #[cfg(any(not(feature = "derive"), feature = "runner"))]
    pub use crate::no_assert_listed as assert_listed;
    pub use crate::record::{Bytes, Record, manifest_dir};
    #[cfg(all(feature = "derive", not(feature = "runner")))]
    pub use dbmigrate_derive::assert_listed;

    /// What a revision module may leave out.
    pub mod defaults {
        pub const REPLACES: &[&str] = &[];
    }
}
