//! `cargo dbmigrate` as a library, so that tests can access its parts.
//!
//! The library's API is not stable: only the command's behavior is versioned. In a program, use the
//! crate `dbmigrate-runtime`.

mod autogenerate;
mod backup;
mod cli;
mod commands;
mod config;
mod connection;
mod context;
mod databases;
mod dispatch;
mod edits;
mod erd;
mod error;
mod git;
mod hex;
mod history;
mod interrupt;
mod lines;
mod lint;
mod snapshot;
mod models;
mod new_file;
mod output;
mod paths;
mod project;
mod prompt;
mod render;
mod inspect;
mod import;
mod revision_files;
mod round_trip;
mod scope;
mod run;
mod runner;
mod scaffold;
mod threads;
mod tool_tables;
mod trial;
mod url_source;
mod work_files;

use std::process::ExitCode;

/// Runs the command that the process' arguments name.
pub fn main() -> ExitCode {
    match models::run_wrapper() {
        Some(code) => code,
        None => dispatch::run(std::env::args_os()),
    }
}

/// What the corpus in `tests/cases` uses without a command line.
#[doc(hidden)]
pub mod internals {
    pub use crate::cli::{Cli, Command, Format, Global, NewRevision};
    pub use crate::commands::new_revision::{agree_to_losses, answered};
    pub use crate::config::{Config, FILE as CONFIG_FILE};
    pub use crate::context::Context;
    pub use crate::error::Result;
    pub use crate::models::Models;
    pub use crate::new_file::rows::Rows;
    pub use crate::output::Output;
    pub use crate::project::Project;
    pub use crate::revision_files::RevisionFile;
    pub use crate::runner::recordings;
    pub use crate::trial::{Start, Trial};

    pub mod autogenerate {
        pub use crate::autogenerate::safe::divide;
        pub use crate::autogenerate::{detected, plain, way_back};
    }

    pub mod lint {
        pub use crate::commands::lint::dividing::{by_hand, changes};
        pub use crate::commands::lint::fixing::{Editing, Settled};
        pub use crate::config::LintLevels;
        pub use crate::lint::{Finding, Levels, Target, findings, ids};
    }

    pub mod models {
        pub use crate::models::{check_names, of_records, records};
    }

    pub mod render {
        pub use crate::render::{Contents, Header, module};
    }
}
