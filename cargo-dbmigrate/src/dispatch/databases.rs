//! Runs a command on one of a project's databases, or on several in sequence.

use crate::cli::{Command, Findings, NewRevision};
use crate::commands::{self, Answer};
use crate::config::{ALL, DEFAULT};
use crate::context::Context;
use crate::databases;
use crate::error::{Error, Result};

/// How a command applies to several databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// To all of them, unless one is named.
    All,
    /// To all of them, if that is requested.
    Asked,
    /// To one.
    One,
    /// The command decides by itself.
    Own,
}

/// Runs the command on the databases that `--database` selects.
///
/// # Errors
///
/// The first failure; the databases after it are left as they are.
pub fn run(cx: Context, command: &Command) -> Result<Answer> {
    let reach = reach(command);
    let named = cx.global.database.clone();
    match named.as_deref() {
        _ if reach == Reach::Own => return commands::run(&cx, command),
        Some(ALL) if reach == Reach::One => {
            let message = format!("`{}` works on one database, not on all of them", command.name());
            return Err(
                Error::new(message).hint(format!("choose one with --database: {}", cx.names()))
            );
        }
        Some(ALL) => {}
        Some(name) => {
            let mut one = databases::named(&cx, name)?;
            if cx.config.databases.is_empty() {
                return commands::run(&one, command);
            }
            one.out.set_database(name);
            return commands::run(&one, command).map_err(|err| err.in_database(name));
        }
        None if cx.config.databases.is_empty() => return commands::run(&cx, command),
        None if reach == Reach::All => {}
        None => {
            let message = format!("`{}` needs to know which database is meant", command.name());
            let all = if reach == Reach::Asked { ", or `all`" } else { "" };
            let hint = format!("choose it with --database: {}{all}", cx.names());
            return Err(Error::new(message).hint(hint));
        }
    }
    if cx.global.url.is_some() && !cx.config.databases.is_empty() {
        return Err(Error::new("--url names one database, but the command is for several")
            .hint(format!("choose which one it is with --database: {}", cx.names())));
    }
    let mut names = vec![DEFAULT];
    names.extend(cx.config.databases.keys().map(String::as_str));
    // An invalid database is reported before anything is done.
    let all = names.iter().map(|name| databases::named(&cx, name)).collect::<Result<Vec<_>>>()?;
    let mut worst = Answer::Done;
    for (idx, mut one) in all.into_iter().enumerate() {
        let name = one.database_name().to_owned();
        one.out.begin_database(&name);
        let answer = commands::run(&one, command).map_err(|err| {
            if let Some(left) = names.get(idx + 1..).filter(|left| !left.is_empty()) {
                cx.out.note(format!("left unchanged: `{}`", left.join("`, `")));
            }
            err.of_database(&name)
        })?;
        worst = match (worst, answer) {
            (Answer::Failed, _) | (_, Answer::Failed) => Answer::Failed,
            (Answer::No, _) | (_, Answer::No) => Answer::No,
            (Answer::Done, Answer::Done) => Answer::Done,
        };
    }
    Ok(worst)
}

fn reach(command: &Command) -> Reach {
    // Other identifiers belong to a single history.
    let is_end = |name: &str| matches!(name, "head" | "heads" | "base");
    match command {
        Command::Init(_) | Command::Completions(_) | Command::Man(_) | Command::Doctor => {
            Reach::Own
        }
        Command::Current(args) => all_if(!args.several.is_meant()),
        Command::Status(args) => all_if(!args.several.is_meant()),
        Command::Check(args) => all_if(!args.several.is_meant()),
        Command::Switch(_) => Reach::All,
        Command::History(_) | Command::Heads(_) | Command::Branches => Reach::All,
        Command::Lint(args) => all_if(args.revision.is_none() && args.output == Findings::Text),
        Command::Migrate(args) => all_if(is_about_any(&args.new)),
        Command::Revision(args) => all_if(args.autogenerate && is_about_any(&args.new)),
        Command::Verify(args) => all_if(args.is_of_any_history()),
        Command::Diff(args) => all_if(args.script.sql.is_none()),
        Command::EnsureVersion(args) => all_if(args.script.sql.is_none()),
        Command::Upgrade(args) if args.run.script.sql.is_some() || args.is_for_several() => {
            Reach::One
        }
        Command::Upgrade(args) if is_end(&args.revision) => Reach::All,
        Command::Stamp(args) if args.script.sql.is_some() => Reach::One,
        Command::Stamp(args) if args.revisions.iter().all(|name| is_end(name)) => Reach::All,
        Command::Downgrade(args) if args.run.script.sql.is_some() => Reach::One,
        Command::Plan(args) if is_end(&args.revision) => Reach::All,
        Command::Upgrade(_)
        | Command::Plan(_)
        | Command::Stamp(_)
        | Command::Downgrade(_)
        | Command::Redo(_)
        | Command::Reset(_) => Reach::Asked,
        // These commands are about revisions of one history.
        Command::ListTemplates
        | Command::Merge(_)
        | Command::Rebase(_)
        | Command::Undo(_)
        | Command::Show(_)
        | Command::Squash(_)
        | Command::Bundle(_)
        | Command::Watch
        | Command::Edit(_)
        | Command::Schema(_)
        | Command::Erd(_)
        | Command::Inspect(_)
        | Command::Import(_)
        | Command::Adopt(_)
        | Command::Restore(_) => Reach::One,
    }
}

fn all_if(is_for_all: bool) -> Reach {
    if is_for_all { Reach::All } else { Reach::One }
}

/// Whether the arguments contain nothing that only makes sense in one history.
fn is_about_any(new_revision: &NewRevision) -> bool {
    let place = &new_revision.place;
    new_revision.rename.is_empty()
        && new_revision.fill.is_empty()
        && place.head.is_none()
        && place.branch_label.is_empty()
        && place.depends_on.is_empty()
        && place.rev_id.is_none()
        && place.version_path.is_none()
}
