//! Records the operations of revision modules, and runs their steps.
//!
//! The modules are compiled into a small program, the *runner*: a separate crate that depends on
//! the runtime and on no database. What each module recorded is cached, so only new and changed
//! files are compiled, and if there are none, no process is started.

mod bundle;
mod cache;
mod channel;
mod compile;
mod host;
mod key;
mod lock;
mod package;
mod process;
mod record;
mod rewrite_program;
mod stamp;
mod steps;

use std::path::PathBuf;

use dbmigrate_runtime::engine::Migration;
use dbmigrate_runtime::engine::revision::Revision;
use dbmigrate_runtime::engine::runner::read_recorded;

pub use bundle::{Bundle, build as build_bundle};
use cache::{DAMAGED, Line};
pub use host::dependency;
pub use package::absolute;
pub use record::{known, recordings, unchanged};
pub use rewrite_program::rewritten;
pub use steps::Steps;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::revision_files::RevisionFile;

/// The version of this tool, which is also that of its runtime.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a module recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Its place in the history, without its file, whose path depends on the project.
    pub revision: Revision,
    pub recorded: Recorded,
}

/// The operations of a revision, still encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub module: String,
    /// The checksum of the upgrade's operations.
    pub checksum: String,
    /// Why an upgrade stops before it, if it does.
    pub barrier: Option<String>,
    line: Line,
}

impl Recorded {
    /// The migration with decoded operations. Its steps have no functions; [`Steps`] runs them.
    pub fn migration(&self) -> Result<Migration> {
        let recorded = read_recorded(self.line.text()?)
            .map_err(|err| err.to_string())
            .and_then(|recorded| recorded.migration)
            .map_err(|err| {
                let module = &self.module;
                Error::new(format!("failed to read what `{module}` recorded: {err}")).hint(DAMAGED)
            })?;
        Ok(recorded)
    }
}

impl Recording {
    /// Parses a frame of the runner.
    fn of_frame(cx: &Context, files: &[RevisionFile], line: String) -> Result<Recording> {
        let recorded = read_recorded(&line).map_err(|err| {
            Error::new(format!("failed to read what the migrations recorded: {err}")).hint(
                "the project's runtime is newer than this tool: install the tool of its version",
            )
        })?;
        let migration = recorded.migration.map_err(|panic| {
            let file = files.iter().find(|file| file.module == recorded.module);
            let path = file.map_or_else(PathBuf::new, |file| file.path.clone());
            let path = cx.project.shown(&path);
            Error::new(format!("the revision `{path}` panicked while it was recorded: {panic}"))
                .of_revision()
                .hint(
                    "`upgrade` and `downgrade` only list operations; put what needs rows or may \
                     fail into a step, `op.run(\"name\", |db| ...)`",
                )
        })?;
        Ok(Recording {
            revision: Revision { file: String::new(), ..migration.revision },
            recorded: Recorded {
                module: recorded.module,
                checksum: migration.checksum,
                barrier: migration.upgrade.barrier,
                line: line.into(),
            },
        })
    }
}
