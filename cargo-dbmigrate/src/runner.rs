//! What the revision modules record, and running their steps.
//!
//! The modules are compiled into a small program, the *runner*: a crate of its own that depends on
//! the runtime and on no database. What each module recorded is kept, so that only new and changed
//! files are compiled, and when there are none no process is started.

mod cache;
mod compile;
mod host;
mod key;
mod lock;
mod package;
mod process;
mod record;
mod rewrite;
mod stamp;
mod steps;

use std::path::PathBuf;

use dbmigrate_runtime::Migration;
use dbmigrate_runtime::runner::read_recorded;

pub use cache::write as write_by_rename;
pub use record::{known, recordings};
pub use rewrite::rewritten;
pub use steps::Steps;

use crate::context::Context;
use crate::error::{Error, Result};

/// The version of this tool, which is that of the runtime it was made with.
const VERSION: &str = env!("CARGO_PKG_VERSION");

const RUNTIME: &str = "dbmigrate-runtime";

/// The file of a revision module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionFile {
    /// The module's name: the file's without its ending.
    pub module: String,
    pub path: PathBuf,
    /// The path that the list in `mod.rs` names; none where the file is where a module of that
    /// name is looked for.
    pub listed: Option<String>,
}

/// What a module recorded: its place in the history, and the operations still encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    pub module: String,
    pub id: String,
    pub parents: Vec<String>,
    pub branch_labels: Vec<String>,
    pub depends_on: Vec<String>,
    pub replaces: Vec<String>,
    pub message: String,
    /// The checksum of the upgrade's operations.
    pub checksum: String,
    line: String,
}

impl Recording {
    /// The migration with its operations. Steps have no function here: [`Steps`] runs them.
    pub fn migration(&self) -> Result<Migration> {
        let recorded = read_recorded(&self.line)
            .map_err(|err| err.to_string())
            .and_then(|it| it.migration)
            .map_err(|err| {
                let module = &self.module;
                Error::new(format!("failed to read what `{module}` recorded: {err}")).hint(
                    "the file in the target directory is damaged: remove its directory \
                           `dbmigrate`",
                )
            })?;
        Ok(recorded)
    }

    /// Reads a frame of the runner.
    fn of_frame(cx: &Context, files: &[RevisionFile], line: String) -> Result<Recording> {
        let recorded = read_recorded(&line).map_err(|err| {
            Error::new(format!("failed to read what the migrations recorded: {err}")).hint(
                "the project's runtime is newer than this tool: install the tool of its version",
            )
        })?;
        let migration = recorded.migration.map_err(|panic| {
            let file = files.iter().find(|it| it.module == recorded.module);
            let path = file.map_or_else(PathBuf::new, |it| it.path.clone());
            let path = cx.project.shown(&path);
            Error::new(format!("the revision `{path}` panicked while it was recorded: {panic}"))
                .of_revision()
                .hint(
                    "`upgrade` and `downgrade` only list operations; what needs rows or may fail \
                     is a step, `op.run(\"name\", |db| ...)`",
                )
        })?;
        let revision = migration.revision;
        Ok(Recording {
            module: recorded.module,
            id: revision.id,
            parents: revision.parents,
            branch_labels: revision.branch_labels,
            depends_on: revision.depends_on,
            replaces: revision.replaces,
            message: revision.message,
            checksum: migration.checksum,
            line,
        })
    }
}

/// The SHA-256 of bytes, in hexadecimal.
fn hash(bytes: &[u8]) -> String {
    hmac_sha256::Hash::hash(bytes).iter().map(|it| format!("{it:02x}")).collect()
}

/// A hash for names of files and packages: 16 hexadecimal digits.
pub fn short_hash(bytes: &[u8]) -> String {
    hash(bytes)[..16].to_owned()
}

/// Random hexadecimal digits, so that no two processes choose the same.
pub fn random() -> Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|err| Error::new(format!("failed to get random bytes: {err}")))?;
    Ok(bytes.iter().map(|it| format!("{it:02x}")).collect())
}
