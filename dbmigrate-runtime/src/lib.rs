//! The runtime of dbmigrate: models, migrations, and the engine that applies them.
//!
//! An application derives [`Model`] on its structs. `cargo dbmigrate migrate` compares the models
//! with the migrations and writes the next revision, a Rust module that records
//! [`Operations`](operations::Operations). `cargo dbmigrate upgrade` applies the revision, or the
//! application applies it with a [`Migrator`], which accepts every database that implements
//! [`Connect`]: the application's own `&mut rusqlite::Connection` or `&mut postgres::Client`, a URL,
//! or the path of a file.
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
//! # Public API
//!
//! Applications and revisions use what is on this page and in [`model`], [`schema`], [`operations`]
//! and [`prelude`]. [`engine`] is for the command-line tool and the code that it generates;
//! anything in it may change in any version. [`Value`], [`schema::Type`] and
//! [`operations::Operation`] may get further variants, so a `match` over one of them needs a `_`
//! arm.
//!
//! # Features
//!
//! A crate that only derives models needs just the default feature `derive`, which compiles no C
//! code and no driver. `sqlite` applies migrations through the application's own rusqlite;
//! `bundled` has rusqlite compile SQLite. `postgres` applies them to PostgreSQL, `mysql` to MySQL
//! and MariaDB; `postgres-tls` and `mysql-tls` add encrypted connections. None of these four needs
//! a system library. `chrono`, `time`, `jiff`, `uuid`, `rust_decimal`, `bigdecimal`, `serde_json`
//! and `bytes` allow the types of these crates in a model's fields.
//! `tracing` emits spans and events of the crate of that name.
//! `runner`, `bundle`, `exhaustive` and those that end in `-dialect` are for the tool.

#![warn(missing_docs)]
// Some of what the dialects share is for one of them. Nothing is unused by all.
#![cfg_attr(
    not(all(feature = "sqlite-dialect", feature = "postgres-dialect", feature = "mysql-dialect")),
    allow(dead_code, unused_imports)
)]

// Models and schemas.
mod folding;
pub mod model;
mod record;
pub mod schema;

// Migrations and revisions.
mod barriers;
mod complete;
mod direction;
mod migration;
pub mod operations;
mod plan;
mod planned;
mod revision;
mod room;
mod script;
mod sql;
mod standing;
mod written;

// Checks of a program.
mod fit;

// Databases.
mod backend;
mod background;
#[cfg(feature = "bundle")]
mod bundle;
mod connect;
mod db;
mod dialect;
mod drift;
mod driver;
mod error;
mod executor;
mod ledger;
#[cfg(any(feature = "exhaustive", feature = "bundle"))]
mod losses;
mod many;
mod migrator;
mod pace;
#[cfg(feature = "runner")]
mod runner;
mod secret;
mod server;
mod trace;
mod url;
mod value;
mod version_table;

pub mod engine;

pub use background::Background;
pub use barriers::Barrier;
pub use connect::test_database::TestDatabase;
pub use connect::{Connect, ConnectToRead};
pub use db::{BatchRange, ColumnRef, Db, Row, StepResult};
#[cfg(feature = "derive")]
pub use dbmigrate_derive::{ColumnType, Columns, Model};
pub use direction::Direction;
pub use driver::DatabaseError;
pub use error::Error;
pub use executor::{Applied, Halfway, Options};
pub use many::Upgraded;
pub use migration::Module;
pub use migrator::{AppliedRevision, Migrator, Report, Status};
pub use model::{ColumnType, Columns, Model};
#[cfg(feature = "mysql")]
/// The crate `mysql` whose connections a [`Migrator`] takes. An application that uses this path
/// always has the matching version.
pub use mysql;
pub use planned::{Plan, PlannedRevision, PlannedTask};
#[cfg(feature = "postgres")]
/// The crate `postgres` whose clients a [`Migrator`] takes. An application that uses this path
/// always has the matching version.
pub use postgres;
pub use revision::Revision;
#[cfg(feature = "sqlite")]
/// The rusqlite whose connections a [`Migrator`] takes. An application that uses this path always
/// has the matching version.
pub use rusqlite;
pub use value::{FromValue, IntoValues, Value};

/// What a revision module imports.
pub mod prelude {
    pub use crate::operations::{
        ColumnChange, CustomOperation, Operation, Operations, Sql, TableChange,
    };
    /// Revision files use this name only in foreign keys, where the short form is clear.
    pub use crate::schema::ReferentialAction as Action;
    pub use crate::schema::{
        Check, Column, Deferrable, ForeignKey, Generated, Identity, Index, IndexColumn, PrimaryKey,
        Table, Type, Unique,
    };
    pub use crate::{BatchRange, Db, StepResult, Value};
}

/// What the macros expand to; not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::complete::assert_complete;
    pub use crate::fit::assert_migrated;
    // The tool compiles its own lists, which contain only some of the files.
    pub use crate::migration::{message_range, slice, text};
    pub use crate::migrator::Migrator;
    pub use crate::migrator::hash::schema_hash;
    pub use crate::model::record::Record;
    #[cfg(any(not(feature = "derive"), feature = "runner"))]
    pub use crate::no_assert_listed as assert_listed;
    pub use crate::record::{Bytes, manifest_dir};
    #[cfg(all(feature = "derive", not(feature = "runner")))]
    pub use dbmigrate_derive::assert_listed;

    /// Defaults for the constants that a revision module may omit.
    pub mod defaults {
        pub const REPLACES: &[&str] = &[];
    }
}
