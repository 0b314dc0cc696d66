//! `reset`: empties a development database and migrates it again.

use std::collections::BTreeSet;
use std::path::Path;

use dbmigrate_runtime::Direction;
use dbmigrate_runtime::engine::plan::{self, Route};
use dbmigrate_runtime::engine::url::Access;

use super::Answer;
use crate::backup::{self, Backups};
use crate::cli::{BackupBefore, Reset, Run};
use crate::connection::{Database, Patience};
use crate::context::Context;
use crate::databases;
use crate::error::{Doing as _, Error, Result};
use crate::history::{self, History};
use crate::run::{self, Up};
use crate::{output, prompt};

pub fn run(cx: &Context, args: &Reset) -> Result<Answer> {
    let database = Database::find(cx)?;
    // The history must compile and form a graph before anything is deleted.
    let history = History::load(cx)?;
    database.check_access(Access::Create)?;
    plan_all(cx, &history)?;
    let mut backup = None;
    if let Some(path) = &database.real_path().filter(|path| path.exists()) {
        // Only a file that is a database may be deleted.
        history::applied(cx, &database)?;
        if let Some(other) = databases::other_in(cx, path)? {
            let message =
                format!("`{}` is also the file of the database `{other}`", path.display());
            return Err(Error::new(message).hint(
                "`downgrade base` and `upgrade` leave the other one as it is; give this one a file \
                 of its own to reset it",
            ));
        }
        if has_other_names(path) {
            let message = format!(
                "`{}` is a hard link: the file has another name, under which the rows would stay",
                path.display()
            );
            return Err(Error::new(message)
                .hint("delete one of the names first; `downgrade base` and `upgrade` keep both"));
        }
        if !args.yes {
            let question = format!("Delete `{}` with all its rows?", path.display());
            let agreed = output::is_interactive() && prompt::confirm(&question)?;
            if !agreed {
                let message = format!("`{}` would be deleted with all its rows", path.display());
                return Err(Error::new(message).hint("--yes deletes it without asking"));
            }
        }
        backup = keep(cx, path)?;
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut file = path.as_os_str().to_owned();
            file.push(suffix);
            match std::fs::remove_file(&file) {
                Err(err) if err.kind() != std::io::ErrorKind::NotFound => {
                    return Err(err).doing(|| format!("delete `{}`", file.to_string_lossy()));
                }
                _ => {}
            }
        }
        cx.out.done(format!("Deleting {} ... done", path.display()));
    }
    if database.path().is_none() {
        empty_server(cx, &database, &history.migrations()?.qualified(), args)?;
    }
    let run = Run { args: args.args.clone(), ..Run::default() };
    let ran = run::upgrade(cx, &database, &history, &Up { to: "heads", run: &run })?;
    cx.out.json("reset", serde_json::json!({ "ran": ran.ids, "backup": backup }));
    Ok(Answer::Done)
}

/// Makes a backup of a file that is about to be deleted, if the settings want one, and returns its
/// name for messages.
fn keep(cx: &Context, file: &Path) -> Result<Option<String>> {
    if cx.config.backup == BackupBefore::Never {
        return Ok(None);
    }
    let held = backup::held(cx, file)?;
    let backups = Backups::of(file);
    let backup = backups.make(&held)?;
    let (from, to) = (cx.project.shown(file), cx.project.shown(&backup.path));
    cx.out.done(format!("Copying {from} to {to} ... done"));
    backups.keep(cx.config.backups_kept, None)?;
    Ok(Some(to.to_string()))
}

/// Drops everything in the schema of a connection to a server, and the tables that the history names
/// in other schemas.
fn empty_server(
    cx: &Context,
    database: &Database,
    named: &BTreeSet<String>,
    args: &Reset,
) -> Result<()> {
    // Only a database of this history, or one without a version table, may be emptied.
    history::applied(cx, database)?;
    let mut driver = database.open_to_write(Patience::reading(cx))?;
    let dialect = driver.dialect();
    let failed = || format!("read what `{}` contains", database.url());
    let (statements, n_tables) = dialect.emptying(driver.as_connection(), named).doing(failed)?;
    if statements.is_empty() {
        return Ok(());
    }
    let what = format!("`{}` with {n_tables} table(s) and all their rows", database.url());
    if !args.yes {
        let agreed = output::is_interactive() && prompt::confirm(&format!("Empty {what}?"))?;
        if !agreed {
            return Err(Error::new(format!("{what} would be emptied"))
                .hint("--yes empties it without asking"));
        }
    }
    for statement in &statements {
        driver.batch(statement).doing(|| format!("empty `{}`", database.url()))?;
    }
    cx.out.done(format!("Emptying {} ... done", database.url()));
    Ok(())
}

/// Whether deleting a file under this name would leave it as it is.
#[cfg(unix)]
fn has_other_names(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    path.metadata().is_ok_and(|metadata| metadata.nlink() > 1)
}

/// Other systems don't tell without opening the file in their own way.
#[cfg(not(unix))]
fn has_other_names(_: &Path) -> bool {
    false
}

/// Fails if the subsequent upgrade would fail.
fn plan_all(cx: &Context, history: &History) -> Result<()> {
    let migrations = history.migrations()?;
    let none = BTreeSet::new();
    let target = plan::upgrade_target(&history.graph, &none, "heads")?;
    let ids = plan::route(&history.graph, &none, Direction::Upgrade, &target);
    let facts = cx.dialect().offline_facts();
    let direction = Direction::Upgrade;
    let route = Route { migrations: &migrations, direction, ids: &ids, applied: &none };
    plan::plan(&route, cx.dialect(), &facts)?;
    Ok(())
}
