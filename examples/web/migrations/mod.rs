//! The revisions of this package.
//!
//! `cargo dbmigrate` compiles this file by itself. Include it in your crate as well, and your
//! editor sees the revisions and `migrations::migrator()` applies them from your program:
//!
//! ```ignore
//! #[path = "../migrations/mod.rs"]
//! mod migrations;
//! ```
//!
//! The list below is updated from the files in `versions`. Code that several revisions share can
//! be declared here as modules.

::dbmigrate_runtime::migrations! {
    // ### revisions, one a line: the list is kept by dbmigrate ###
    m20261128_090000_6b1d0e9c72af_items;
    // ### end revisions ###
}
