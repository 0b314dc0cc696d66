//! The engine, for dbmigrate's own tool and the code that it generates. Its API is not stable.
//!
//! Anything in here may change in any version. The tool depends on exactly one version of this
//! crate. An application's own code needs nothing from this module: what applications and revisions
//! use is in the rest of the crate.

pub use crate::backend::Backend;
pub use crate::connect::open_server;
pub use crate::migration::{Migration, Migrations};

/// The operations that a revision records: replayed on a schema, reversed, and encoded as text.
pub mod recording {
    pub use crate::operations::codec::{DecodeError, FORMAT, checksum, decode, encode};
    pub use crate::operations::recording::{Allowed, NO_WAY_BACK, Recording, replay};
    pub use crate::operations::resolve::settled;
    pub use crate::operations::reverse::reverse_all;
}

/// Declares the public name of each module of the engine; the modules themselves are private.
macro_rules! modules {
    ($($(#[$attribute:meta])* $name:ident = $($module:ident)::+;)*) => {
        $($(#[$attribute])* pub mod $name {
            pub use crate::$($module)::+::*;
        })*
    };
}

modules! {
    /// Revisions that wait until no program of the previous release is running any more.
    barriers = barriers;
    /// The command line of an executable that contains the migrations of a project.
    #[cfg(feature = "bundle")]
    bundle = bundle;
    /// How each database writes SQL, plans operations and reads its catalog.
    dialect = dialect;
    /// How a database's tables differ from the tables that the migrations create.
    drift = drift;
    /// Connections: SQL text and values in, rows out.
    driver = driver;
    /// Migrates a database from its current state to a target.
    executor = executor;
    /// Passwords, which no message shows.
    secret = secret;
    /// Where a database stands in a history.
    standing = standing;
    /// When a database considers two names to be the same.
    folding = folding;
    /// The table with a row for each statement, where a database commits by itself.
    ledger = ledger;
    /// Many databases of one history, upgraded several at a time.
    many = many;
    /// What undoing revisions discards.
    #[cfg(any(feature = "exhaustive", feature = "bundle"))]
    losses = losses;
    /// The names that constraints and indexes get when a model doesn't name them.
    naming = schema::naming;
    /// How much work a revision does on existing rows.
    pace = pace;
    /// What a run will do, as a value, before anything runs.
    plan = plan;
    /// A plan in words.
    planned = planned;
    /// A model encoded as bytes in a compiled artifact, and decoded again.
    record = record;
    /// The graph of revisions, and what an identifier names.
    revision = revision;
    /// The protocol between the tool and the program that it builds from a project's migrations.
    #[cfg(feature = "runner")]
    runner = runner;
    /// A plan as an SQL script.
    script = script;
    /// SQL as tokens, so that texts can be compared, searched and renamed in without a parser.
    sql = sql;
    /// Database URLs.
    url = url;
    /// The table with a row for each applied revision.
    version_table = version_table;
    /// Mistakes in hand-written SQL, found before it runs.
    written = written;
}
