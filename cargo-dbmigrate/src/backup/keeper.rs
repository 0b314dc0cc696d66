//! The backup before a run.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use dbmigrate_runtime::Direction;
use dbmigrate_runtime::engine::driver::sqlite::Pages;
use dbmigrate_runtime::engine::{Backend, Migration};
use dbmigrate_runtime::operations::Operation;

use super::{Backup, Backups, file_of, own_tool};
use crate::cli::{BackupBefore, Run};
use crate::connection::Database;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::project::Project;

/// Makes a backup once a run has the lock of its database, if one is wanted.
#[derive(Debug)]
pub struct Keeper {
    out: Output,
    project: Project,
    n_kept: NonZeroUsize,
    is_quiet: bool,
    when: BackupBefore,
    /// `None` for a database that has no file.
    file: Option<PathBuf>,
    is_on_server: bool,
    made: Option<Made>,
    failure: Option<Error>,
}

#[derive(Debug)]
struct Made {
    backup: Backup,
    original: Pages,
    /// The version when the copy was made; it differs once the database has changed.
    version: i64,
}

impl Keeper {
    /// What these arguments and the settings say.
    ///
    /// # Errors
    ///
    /// When a backup is asked for of a database that isn't a file.
    pub fn of(cx: &Context, database: &Database, args: &Run) -> Result<Keeper> {
        let when = match (args.backup, args.no_backup) {
            (true, _) => BackupBefore::Always,
            (false, true) => BackupBefore::Never,
            (false, false) => cx.config.backup,
        };
        let file = if args.backup { Some(file_of(database)?) } else { database.real_path() };
        Ok(Keeper {
            out: cx.out,
            project: cx.project.clone(),
            n_kept: cx.config.backups_kept,
            is_quiet: false,
            when,
            file,
            is_on_server: database.server_kind().is_some(),
            made: None,
            failure: None,
        })
    }

    /// The same, but it reports what it does only with `-v`.
    pub fn quiet(self) -> Keeper {
        Keeper { is_quiet: true, ..self }
    }

    /// Says that a server has its own tool for backups, if the settings want some. Only the server
    /// itself tells whether it is MySQL or MariaDB.
    pub fn note(&self, backend: Backend) {
        if self.is_on_server && self.when != BackupBefore::Never {
            let text = "a database on a server gets no backup";
            self.out.note(format!("{text}; {}", own_tool(backend)));
        }
    }

    /// Copies the database as it is before these revisions run.
    pub fn begin(&mut self, direction: Direction, pending: &[&Migration]) -> Result<()> {
        let is_wanted = match self.when {
            BackupBefore::Never => false,
            BackupBefore::Destructive => {
                pending.iter().any(|migration| may_lose(migration, direction))
            }
            BackupBefore::Always => true,
        };
        // There is no file yet if this run creates it.
        let Some(file) = self.file.clone().filter(|file| is_wanted && file.exists()) else {
            return Ok(());
        };
        self.forget();
        let failed = |err| Error::new(format!("failed to copy `{}`", file.display())).cause(err);
        let original = Pages::of(&file).map_err(failed)?;
        let version = original.version().map_err(failed)?;
        let backup = Backups::of(&file).make(&original)?;
        let shown = |path| self.project.shown(path);
        let text = format!("Copying {} to {} ... done", shown(&file), shown(&backup.path));
        if self.is_quiet {
            self.out.detail(text)
        } else {
            self.out.done(text)
        }
        self.made = Some(Made { backup, original, version });
        Ok(())
    }

    /// The same for an observer; the error is kept for [`Keeper::end`].
    pub fn begun(
        &mut self,
        direction: Direction,
        pending: &[&Migration],
    ) -> std::result::Result<(), String> {
        self.begin(direction, pending).map_err(|err| {
            let text = err.message().to_owned();
            let hint = err.get_hint().map_or_else(String::new, |hint| format!("{hint}; "));
            self.failure = Some(err.hint(format!("{hint}nothing was run")));
            text
        })
    }

    /// Ends with the run: after success, removes the oldest backups; after a failure that changed
    /// nothing, the one that was made. Returns the backup that was made, for messages.
    pub fn end<T>(
        mut self,
        res: std::result::Result<T, dbmigrate_runtime::Error>,
    ) -> Result<(T, Option<String>)> {
        match res {
            Ok(value) => {
                let Some(made) = self.made else { return Ok((value, None)) };
                if let Some(file) = &self.file {
                    let kept = Backups::of(file).keep(self.n_kept, Some(made.backup.number));
                    // The run is over, and went well.
                    if let Err(err) = kept {
                        self.out.warning(err.to_string());
                    }
                }
                Ok((value, Some(self.project.shown(&made.backup.path).to_string())))
            }
            Err(err) => {
                self.forget();
                if let Some(Made { backup, .. }) = &self.made {
                    self.out.note(format!(
                        "the database as it was before is in `{}`; `cargo dbmigrate restore last` \
                         brings it back",
                        self.project.shown(&backup.path)
                    ));
                }
                Err(self.failure.unwrap_or_else(|| Error::from(err)))
            }
        }
    }

    /// Removes the backup that was made, if the database is still the same.
    fn forget(&mut self) {
        let is_same =
            |made: &mut Made| made.original.version().is_ok_and(|version| version == made.version);
        if let Some(made) = self.made.take_if(is_same) {
            let path = made.backup.path;
            if std::fs::remove_file(&path).is_ok() {
                self.out.detail(format!(
                    "Removing {}, since nothing changed",
                    self.project.shown(&path)
                ));
            }
        }
    }
}

/// Whether a revision can lose rows or values. What its own SQL and its steps do isn't known.
fn may_lose(migration: &Migration, direction: Direction) -> bool {
    let loses = |operation: &Operation| match operation {
        Operation::DropTable { .. }
        | Operation::DropColumn { .. }
        | Operation::Execute(_)
        | Operation::Run(_) => true,
        Operation::AlterColumn { change, .. } => {
            change.ty.is_some() || change.using.is_some() || change.fill.is_some()
        }
        _ => false,
    };
    migration.recording(direction).operations.iter().any(loses)
}
