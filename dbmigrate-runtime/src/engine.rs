//! For dbmigrate's own tool and for the code that it generates; it promises nothing.
//!
//! Anything in here may change in any version. The tool depends on exactly one version of this
//! crate, and an application's own code needs nothing of it: what applications and revisions use is
//! in the rest of the crate.

pub use crate::backend::Backend;
pub use crate::migration::{Migration, Migrations};

/// The operations that a revision records: replayed on a schema, undone, and written as text.
pub mod recording {
    pub use crate::operations::codec::{DecodeError, FORMAT, checksum, decode, encode};
    pub use crate::operations::recording::{Recording, replay};
    pub use crate::operations::reverse::reverse_all;
}

/// Declares the public name of each module of the engine, which is a private one of this crate.
macro_rules! modules {
    ($($(#[$attribute:meta])* $name:ident = $($module:ident)::+;)*) => {
        $($(#[$attribute])* pub mod $name {
            pub use crate::$($module)::+::*;
        })*
    };
}

modules! {
    /// How each database writes SQL, plans operations and reads its catalog.
    dialect = dialect;
    /// How the tables of a database differ from those that the migrations make.
    drift = drift;
    /// Connections: text and values in, rows out.
    driver = driver;
    /// Takes a database from where it is to a target.
    executor = executor;
    /// Where a database stands in a history.
    standing = standing;
    /// When two names are the same name to a database.
    folding = folding;
    /// The names that constraints and indexes get when a model doesn't name them.
    naming = schema::naming;
    /// What a run will do, as a value, before anything runs.
    plan = plan;
    /// A model as bytes in what the compiler writes, and back.
    record = record;
    /// The graph of revisions, and what an identifier names.
    revision = revision;
    /// What the tool and the program that it builds from a project's migrations say to each other.
    #[cfg(feature = "runner")]
    runner = runner;
    /// A plan as a script of SQL.
    script = script;
    /// SQL as tokens: compared, searched and renamed in without being understood.
    sql = sql;
    /// Database URLs.
    url = url;
    /// The table with a row for each applied revision.
    version_table = version_table;
    /// Mistakes in SQL that a person wrote, found before it runs.
    written = written;
}
