//! `restore`: lists the backups of an SQLite file, or brings one back.

use std::path::Path;

use dbmigrate_runtime::engine::driver::sqlite::Pages;
use dbmigrate_runtime::engine::url::Access;
use jiff::Timestamp;
use serde_json::json;

use super::Answer;
use crate::backup::{self, Backup, Backups};
use crate::cli::{Restore, Which};
use crate::connection::Database;
use crate::context::Context;
use crate::databases;
use crate::error::{Doing as _, Error, Result};
use crate::{output, prompt};

pub fn run(cx: &Context, args: &Restore) -> Result<Answer> {
    let database = Database::find(cx)?;
    let file = backup::file_of(&database)?;
    let backups = Backups::of(&file);
    let all = backups.all()?;
    let Some(which) = args.backup else {
        let listed =
            all.iter().map(|backup| Listed::read(cx, backup)).collect::<Result<Vec<_>>>()?;
        list(cx, &database, &listed);
        return Ok(Answer::Done);
    };
    let wanted = match which {
        Which::Last => all.last(),
        Which::Number(number) => all.iter().find(|backup| backup.number == number),
    };
    let Some(wanted) = wanted else {
        let what = match which {
            Which::Last => "no backup".to_owned(),
            Which::Number(number) => format!("no backup {number}"),
        };
        return Err(Error::new(format!("`{}` has {what}", cx.project.shown(&file)))
            .hint("`cargo dbmigrate restore` lists the backups"));
    };
    let unusable = |err: Error| err.hint("nothing was changed; restore another backup");
    let pages = wanted.open().map_err(unusable)?;
    wanted.examine(&pages).map_err(unusable)?;
    let kept = if file.exists() {
        database.check_access(Access::ReadWrite)?;
        confirm(cx, args, &file, &Listed::read(cx, wanted)?)?;
        Some(replace(cx, &file, (wanted, &pages))?)
    } else {
        database.check_access(Access::Create)?;
        backups.create_from(wanted, &pages)?;
        None
    };
    let (file, from) = (cx.project.shown(&file), cx.project.shown(&wanted.path));
    cx.out.done(format!("Restoring {file} from {from} ... done"));
    let kept = kept.map(|kept| cx.project.shown(&kept.path).to_string());
    let restored = from.to_string();
    cx.out.json("restore", json!({ "backups": [], "restored": restored, "kept": kept }));
    Ok(Answer::Done)
}

/// What the list shows of a backup.
struct Listed<'a> {
    backup: &'a Backup,
    /// When it was made, to the second.
    time: String,
    bytes: u64,
    /// The revisions that the database was at; the error if they can't be read.
    revisions: Result<Vec<String>>,
}

impl<'a> Listed<'a> {
    fn read(cx: &Context, backup: &'a Backup) -> Result<Listed<'a>> {
        let doing = || format!("read `{}`", backup.path.display());
        let metadata = backup.path.metadata().doing(doing)?;
        let modified = metadata.modified().doing(doing)?;
        let time = Timestamp::try_from(modified).doing(doing)?;
        Ok(Listed {
            backup,
            time: time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            bytes: metadata.len(),
            revisions: backup.revisions(cx),
        })
    }

    fn at(&self) -> String {
        match &self.revisions {
            Ok(ids) if ids.is_empty() => "with no revision applied".to_owned(),
            Ok(ids) => format!("at {}", ids.join(", ")),
            Err(err) => err.message().to_owned(),
        }
    }
}

/// Prints the backups, newest first.
fn list(cx: &Context, database: &Database, listed: &[Listed<'_>]) {
    if listed.is_empty() {
        cx.out.progress(format!("`{}` has no backup", database.url()));
    }
    for backup in listed.iter().rev() {
        let (number, time, at) = (backup.backup.number, &backup.time, backup.at());
        cx.out.line(format!("{number}: {time}, {at}, {} bytes", backup.bytes));
    }
    let document = |backup: &Listed<'_>| {
        json!({
            "number": backup.backup.number,
            "path": cx.project.shown(&backup.backup.path).to_string(),
            "time": backup.time,
            "bytes": backup.bytes,
            "revisions": backup.revisions.as_ref().ok(),
            "error": backup.revisions.as_ref().err().map(output::error_json),
        })
    };
    let backups: Vec<_> = listed.iter().rev().map(document).collect();
    cx.out.json("restore", json!({ "backups": backups, "restored": null, "kept": null }));
}

fn confirm(cx: &Context, args: &Restore, file: &Path, backup: &Listed<'_>) -> Result<()> {
    if args.yes {
        return Ok(());
    }
    let file_name = cx.project.shown(file);
    let other = databases::other_in(cx, file)?;
    let both = other.map_or(String::new(), |other| format!(", also the database `{other}`,"));
    let (number, time, at) = (backup.backup.number, &backup.time, backup.at());
    let what = format!("`{file_name}`{both} with backup {number} ({time}, {at})");
    let question = format!("Replace {what}? What the file holds now becomes a backup.");
    if output::is_interactive() && prompt::confirm(&question)? {
        return Ok(());
    }
    Err(Error::new(format!("this would replace {what}"))
        .hint("--yes replaces it; what the file holds now becomes a backup"))
}

/// Replaces the content of the file, and returns the backup of what it was.
fn replace(cx: &Context, file: &Path, (wanted, pages): (&Backup, &Pages)) -> Result<Backup> {
    let backups = Backups::of(file);
    let mut held = backup::held(cx, file)?;
    let kept = backups.make(&held)?;
    let (from, to) = (cx.project.shown(file), cx.project.shown(&kept.path));
    cx.out.done(format!("Copying {from} to {to} ... done"));
    held.replace_with(pages).map_err(|err| {
        let text = format!("failed to restore `{from}` from `{}`", wanted.path.display());
        Error::new(text).cause(err).hint("the database is as it was before")
    })?;
    backups.keep(cx.config.backups_kept, Some(wanted.number))?;
    Ok(kept)
}
